"""What each part of the retrieval is worth: the same questions with parts switched off."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from eval.score import Summary
from rag.config import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Switches:
    """The parts of the retrieval that are on, under their names in `Settings`."""

    dense: bool = True
    lexical: bool = True
    late: bool = True
    lexicon: bool = True
    balance: bool = True


VARIANTS = {
    "dense only": Switches(lexical=False, late=False),
    "lexical only": Switches(dense=False, late=False),
    "late only": Switches(dense=False, lexical=False),
    "no dense": Switches(dense=False),
    "no lexical": Switches(lexical=False),
    "no late": Switches(late=False),
    "no lexicon": Switches(lexicon=False),
    "lexical only, no lexicon": Switches(dense=False, late=False, lexicon=False),
    "dense+lexical, no lexicon": Switches(late=False, lexicon=False),
    "no balance": Switches(balance=False),
    "full": Switches(),
}
"""The switches reach the retrieval; the reader scores the sentences of the hits with all it has, and refusing is
calibrated for `full` alone. So hits tell what a part is worth to finding, citations what is left of that in answers.
"""


def ablate(settings: Settings, measure: Callable[[str, Settings], Summary]) -> dict[str, Summary]:
    """`measure(name, settings)` for each variant of the settings, by name, the full system last."""
    return {name: measure(name, switched(settings, switches)) for name, switches in VARIANTS.items()}


def switched(settings: Settings, switches: Switches) -> Settings:
    """The settings with these parts on and the others off."""
    return replace(
        settings,
        dense=switches.dense,
        lexical=switches.lexical,
        late=switches.late,
        lexicon=switches.lexicon,
        balance=switches.balance,
    )

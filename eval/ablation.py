"""What each part is worth: the same questions with parts switched off, or with passages of other lengths."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from eval.score import Summary
from rag.config import Settings

_ALL_ON = {"dense": True, "lexical": True, "late": True, "lexicon": True, "balance": True}

VARIANTS: Mapping[str, Mapping[str, Any]] = {
    "dense only": {"lexical": False, "late": False},
    "lexical only": {"dense": False, "late": False},
    "late only": {"dense": False, "lexical": False},
    "no dense": {"dense": False},
    "no lexical": {"lexical": False},
    "no late": {"late": False},
    "no lexicon": {"lexicon": False},
    "lexical only, no lexicon": {"dense": False, "late": False, "lexicon": False},
    "dense+lexical, no lexicon": {"late": False, "lexicon": False},
    "no balance": {"balance": False},
    "passages of 300": {"passage_chars": 300},
    "passages of 1000": {"passage_chars": 1000},
    "full": {},
}
"""Name to what differs from the full system, under the names of `Settings`.

The switches reach the retrieval; the reader scores the sentences of the hits with all it has, and refusing is
calibrated for `full` alone. So hits tell what a part is worth to finding, citations what is left of that in answers.
"""


def ablate(settings: Settings, measure: Callable[[str, Settings], Summary]) -> dict[str, Summary]:
    """`measure(name, settings)` for each variant of the settings, by name, the full system last."""
    return {name: measure(name, switched(settings, name)) for name in VARIANTS}


def switched(settings: Settings, name: str) -> Settings:
    """The settings of a variant."""
    return replace(settings, **(_ALL_ON | dict(VARIANTS[name])))

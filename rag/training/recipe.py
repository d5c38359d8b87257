"""What a run of the training does, in one record: the same recipe and the same files give the same model."""

from dataclasses import dataclass, field, replace
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One stage of gradient descent. Rates are peaks: a short linear rise, then linear decay to `floor`."""

    steps: int
    batch: int
    embedding_rate: float
    body_rate: float
    warmup: int = 100
    floor: float = 0.02
    english_share: float = 0.05
    """Factor of the gradient of English pieces, which the base model has already learnt."""
    checkpoint: int = 200
    """Steps between checkpoints."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """All choices of a run."""

    seed: int = 7
    pieces: int = 24_500
    """New whole-word pieces at most: 384 half-precision numbers each, within 90 MB for all."""
    longest_chars: int = 700
    """Longer texts of a pair are left out."""
    tokens: int = 256
    """Pieces of a text that the model reads."""
    distil: Stage = field(default_factory=lambda: Stage(steps=1150, batch=64, embedding_rate=8e-4, body_rate=1.2e-4))
    contrast: Stage = field(
        default_factory=lambda: Stage(
            steps=450, batch=24, embedding_rate=3e-4, body_rate=1e-4, warmup=30, checkpoint=150
        )
    )
    temperature: float = 0.05
    compile: bool = False
    """Whether PyTorch compiles the model first: a fifth faster on a CPU, and it needs a C++ compiler."""
    contrast_share: float = 1.0
    """Share of the last stage in the mean of the weights of both; measured, the last alone was best."""
    hold: float = 3.0
    """Weight of the cosine to the teacher while questions are drawn to passages."""
    distil_contrast: float = 0.3
    """Weight of the contrast among the sentences of a distillation batch, beside the cosine's 4."""


RECIPES = {
    "words": Recipe(),
    "questions": Recipe(
        pieces=0,
        distil=Stage(steps=450, batch=64, embedding_rate=4e-4, body_rate=6e-5, warmup=50, checkpoint=150),
        contrast=Stage(steps=850, batch=24, embedding_rate=3e-4, body_rate=1e-4, warmup=50, checkpoint=100),
        hold=1.0,
    ),
}
"""By name: `words` gives a model whole words and their meaning; `questions` takes one that has them, and asks."""


def tiny(recipe: Recipe) -> Recipe:
    """The same steps in about a minute, on the project's own rows: for tests."""
    return replace(
        recipe,
        pieces=200,
        tokens=96,
        distil=replace(recipe.distil, steps=6, batch=16, warmup=2, checkpoint=3),
        contrast=replace(recipe.contrast, steps=4, batch=6, warmup=2, checkpoint=2),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Workplace:
    """Folders of a run."""

    work: Path
    """All that the steps write."""
    base: Path
    """The English model: teacher, and owner of the English pieces."""
    start: Path
    """The model whose weights and pieces the student begins with; may be the base."""
    sets: Path | None = None
    """Folder of the public sets: `train/`, `ours/`, `dev/`. Without it, the project's own rows alone."""

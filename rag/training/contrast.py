"""Step 6, question and passage: a question is drawn to the passage that answers it and off those beside it.

InfoNCE with hard negatives in the batch (Karpukhin et al. 2020; van den Oord et al. 2018), each text in a language
drawn anew, so that all four directions are learnt at once. Each text is also held to the teacher's place of its
English side, and every third step is one of distillation.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from rag.training.corpus import Group, Pair, Texts
from rag.training.descent import descend
from rag.training.distil import Learner, batches, distil_loss
from rag.training.mining import hard_batches, likeness
from rag.training.recipe import Recipe
from rag.training.teacher import Taught

_DISTIL_EVERY = 3
"""Every how many steps one of plain distillation comes."""
_EPOCHS = 12
_ASKED = 4
"""Questions of a passage in one batch."""


def _draw(texts: Texts, rng: np.random.Generator) -> str:
    return texts[sorted(texts)[int(rng.integers(len(texts)))]]


def plan(groups: list[Group], taught: Taught, recipe: Recipe) -> list[list[int]]:
    """Numbers of the groups of each step, for some epochs."""
    rng = np.random.default_rng(recipe.seed)
    means = np.stack([taught.of([passage["en"] for passage in group.passages]).mean(axis=0) for group in groups])
    means /= np.linalg.norm(means, axis=1, keepdims=True)
    distraction = likeness(groups, means)
    return [batch for _ in range(_EPOCHS) for batch in hard_batches(groups, distraction, recipe.contrast.batch, rng)]


def rank_loss(questions: torch.Tensor, passages: torch.Tensor, own: torch.Tensor, temperature: float) -> torch.Tensor:
    """Cross-entropy of each question (m, d) over all passages (n, d); `own` (m,) are the answering ones."""
    return torch.nn.functional.cross_entropy(questions @ passages.T / temperature, own)


def train_contrast(learner: Learner, groups: list[Group], pairs: Sequence[Pair], folder: Path) -> None:
    """Train the learner's model in place on `groups`, and on `pairs` between, with checkpoints in `folder`."""
    recipe = learner.recipe
    steps = plan(groups, learner.taught, recipe)
    order = batches(learner.tokenizer, pairs, recipe)

    def loss(step: int) -> torch.Tensor:
        turn, place = divmod(step, _DISTIL_EVERY)
        if place == _DISTIL_EVERY - 1:
            return distil_loss(learner, [pairs[number] for number in order[turn % len(order)]])
        rng = np.random.default_rng((recipe.seed, step))
        return _question_loss(learner, [groups[number] for number in steps[(step - turn) % len(steps)]], rng)

    descend(learner.model, recipe.contrast, loss, folder, learner.english)


def _question_loss(learner: Learner, groups: Sequence[Group], rng: np.random.Generator) -> torch.Tensor:
    told: list[Texts] = []
    asked: list[Texts] = []
    own: list[int] = []
    for group in groups:
        numbers = rng.permutation(len(group.questions))[: _ASKED * len(group.passages)]
        asked += [group.questions[number][0] for number in numbers]
        own += [len(told) + group.questions[number][1] for number in numbers]
        told += group.passages
    questions, passages = (learner.embed([_draw(text, rng) for text in texts]) for texts in (asked, told))
    value = rank_loss(questions, passages, torch.tensor(own), learner.recipe.temperature)
    for vectors, texts in ((questions, asked), (passages, told)):
        held = torch.from_numpy(learner.taught.of([text["en"] for text in texts]))
        value = value + learner.recipe.hold / 2 * (1 - (vectors * held).sum(-1)).mean()
    return value

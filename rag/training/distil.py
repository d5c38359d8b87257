"""Step 5, distillation: the Arabic side of a pair is drawn to where the teacher puts the English side.

Reimers & Gurevych (2020, arXiv 2004.09813), with the cosine in place of squares and a contrast within the batch
(van den Oord et al. 2018). English texts are drawn to their own place, so that English stays what it was.
"""

import random
from collections.abc import Container, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from tokenizers import Tokenizer
from transformers import BertModel

from rag.training.corpus import Pair
from rag.training.descent import descend
from rag.training.recipe import Recipe
from rag.training.student import Encoder, by_length, pack
from rag.training.teacher import Taught

_ENGLISH_PART = 10
"""One in so many pairs brings its English side along, to hold English where it is."""
_COSINE = 4.0
_PIECES = 26
"""Of a usual sentence: a batch has that many times the recipe's size in pieces, more rows where they are short."""


def with_pieces(tokenizer: Tokenizer, pairs: Sequence[Pair], new: Container[str]) -> list[Pair]:
    """The pairs that have something to teach, once each: our own, or with a new piece on the Arabic side."""
    once = list(dict.fromkeys(pairs))
    encodings = tokenizer.encode_batch([pair.arabic for pair in once], add_special_tokens=False)
    return [
        pair
        for pair, encoding in zip(once, encodings, strict=True)
        if not pair.source.startswith("train/") or any(piece in new for piece in encoding.tokens)
    ]


def batches(tokenizer: Tokenizer, pairs: Sequence[Pair], recipe: Recipe) -> list[list[int]]:
    """Numbers of pairs of like Arabic length, in an order drawn by the seed."""
    found = list(by_length(tokenizer, [pair.arabic for pair in pairs], recipe.distil.batch * _PIECES))
    random.Random(recipe.seed).shuffle(found)
    return found


def contrast(one: torch.Tensor, other: torch.Tensor, temperature: float) -> torch.Tensor:
    """Symmetric InfoNCE of rows that belong together."""
    scores = one @ other.T / temperature
    own = torch.arange(len(one))
    loss = torch.nn.functional.cross_entropy
    return (loss(scores, own) + loss(scores.T, own)) / 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Learner:
    """A model in training and what the stages share; `encoder` is the model, or its compiled form."""

    model: BertModel
    encoder: Encoder
    tokenizer: Tokenizer
    taught: Taught
    recipe: Recipe
    english: int
    """The base's piece rows, which come first."""

    def embed(self, texts: Sequence[str]) -> torch.Tensor:
        """Unit vectors (texts, d), with gradient."""
        return self.encoder(*pack(self.tokenizer, texts))


def distil_loss(learner: Learner, pairs: Sequence[Pair]) -> torch.Tensor:
    """The loss of one batch."""
    target = torch.from_numpy(learner.taught.of([pair.english for pair in pairs]))
    arabic = learner.embed([pair.arabic for pair in pairs])
    value = _COSINE * (1 - (arabic * target).sum(-1)).mean()
    value = value + learner.recipe.distil_contrast * contrast(arabic, target, learner.recipe.temperature)
    same = learner.embed([pair.english for pair in pairs[::_ENGLISH_PART]])
    return value + _COSINE / 2 * (1 - (same * target[::_ENGLISH_PART]).sum(-1)).mean()


def train_distil(learner: Learner, pairs: Sequence[Pair], folder: Path) -> None:
    """Train the learner's model in place, with checkpoints in `folder`."""
    order = batches(learner.tokenizer, pairs, learner.recipe)

    def loss(step: int) -> torch.Tensor:
        return distil_loss(learner, [pairs[number] for number in order[step % len(order)]])

    descend(learner.model, learner.recipe.distil, loss, folder, learner.english)

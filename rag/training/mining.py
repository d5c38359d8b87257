"""Batches in which the passages look alike, so that those of other questions are hard negatives.

Topic-aware sampling (Hofstätter et al. 2021, arXiv 2104.06967), by two judges in equal parts: BM25 of a group's
questions over the passages, and the teacher's vectors.
"""

import numpy as np
from numpy.typing import NDArray

from rag.lexical import LexicalIndex
from rag.protocols import Alternative, QueryTerm
from rag.text import terms
from rag.training.corpus import Group

Matrix = NDArray[np.float32]
_NEAR = 12
"""Nearest groups that may follow one; which of them does is drawn."""


def _standardised(scores: Matrix) -> Matrix:
    spread = scores.std(axis=1, keepdims=True)
    return np.asarray((scores - scores.mean(axis=1, keepdims=True)) / np.maximum(spread, 1e-6), dtype=np.float32)


def likeness(groups: list[Group], vectors: Matrix) -> Matrix:
    """How much group j distracts from group i, (groups, groups); `vectors` (groups, d) are the teacher's, unit."""
    index = LexicalIndex.build([" ".join(passage["en"] for passage in group.passages) for group in groups])
    lexical = []
    for group in groups:
        words = sorted({term for question, _ in group.questions for term in terms(question["en"])})
        asked = [
            QueryTerm(surface=word, span=(0, 0), is_name=False, alternatives=(Alternative(terms=(word,), weight=1.0),))
            for word in words
        ]
        lexical.append(index.scores(asked))
    total = _standardised(np.stack(lexical)) + _standardised(vectors @ vectors.T)
    np.fill_diagonal(total, -np.inf)
    return total


def hard_batches(groups: list[Group], distraction: Matrix, passages: int, rng: np.random.Generator) -> list[list[int]]:
    """All groups once, in batches of at least `passages` passages: one at random, then those most like it."""
    left = np.ones(len(groups), dtype=bool)
    batches: list[list[int]] = []
    for first in rng.permutation(len(groups)):
        if not left[first]:
            continue
        left[first] = False
        batch, size = [int(first)], len(groups[first].passages)
        near = np.argsort(-np.where(left, distraction[first], -np.inf), kind="stable")[:_NEAR]
        for number in rng.permutation(near):
            if size >= passages:
                break
            if left[number]:
                left[number] = False
                batch.append(int(number))
                size += len(groups[number].passages)
        batches.append(batch)
    return [batches[at] for at in rng.permutation(len(batches))]

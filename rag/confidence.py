"""Whether the best sentences answer at all: the features that the refusal model weighs."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from rag.datatypes import Hit
from rag.protocols import Query
from rag.scoring import FEATURES, Candidates

_OF_BEST = tuple(name for name in FEATURES if name not in ("hit", "length"))
CONFIDENCE_FEATURES = (
    *_OF_BEST,  # of the best sentence
    "best_dense",  # the highest dense_sentence of all
    "best_kind_fit",  # the highest kind_fit of the three best sentences
    "margin",  # the best sentence's score against the sixth's
    "unfound",  # idf of the most telling term that the best sentence's passage lacks, against the most telling of all
    "numbers",  # -1 if the question has a number or year that the best sentence's passage lacks, else 0
    "support",  # log odds of the support model that the best sentence's passage answers
    "best_support",  # the highest of those of the leading passages
    "across",  # 1 if the best sentence is in another language than the question
)
_FIRST = 3
_SIXTH = 5


def leading_hits(candidates: Candidates, scores: NDArray[np.float64]) -> list[Hit]:
    """The hits of the best sentences by `scores` (n,), at most three, best first."""
    order = np.argsort(-scores, kind="stable")
    return list({candidates.hits[at].rank: candidates.hits[at] for at in order}.values())[:_FIRST]


def confidence_features(
    query: Query, candidates: Candidates, scores: NDArray[np.float64], support: Sequence[float]
) -> NDArray[np.float64]:
    """What tells whether the best of `candidates` answer, shape (len(CONFIDENCE_FEATURES),).

    `scores` (n,), n >= 1, rank the candidates; `support` is the support model's for their leading hits.
    """
    order = np.argsort(-scores, kind="stable")
    best = int(order[0])
    hit = candidates.hits[best]
    of_passage = [at for at, other in enumerate(candidates.hits) if other is hit]
    coverage = candidates.coverage[of_passage].max(axis=0)
    weights = candidates.weights
    unfound = weights * (1 - coverage)
    numbers = [term.surface[0].isdecimal() for term in query.terms]
    return np.array(
        [
            *(candidates.feature(name)[best] for name in _OF_BEST),
            candidates.feature("dense_sentence").max(),
            candidates.feature("kind_fit")[order[:_FIRST]].max(),
            scores[best] - scores[order[min(_SIXTH, len(order) - 1)]],
            unfound.max() / weights.max() if weights.size and weights.max() > 0 else 0.0,
            -float(any(coverage[numbers] == 0)) if any(numbers) else 0.0,
            support[0],
            max(support),
            float(hit.passage.language != query.language),
        ],
        dtype=np.float64,
    )

"""A topic told in five to eight points, each a cited claim, none twice.

Points are chosen by maximal marginal relevance (Carbonell & Goldstein 1998) over the sentences of the nearest
passages: near the topic, and far from what is told already. They stand by article, in the order of reading.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from rag.conflicts import find_differing_counts
from rag.datatypes import Citation, Conflict, Hit, Sentence
from rag.lexicon import Lexicon
from rag.protocols import Query
from rag.readers import mint
from rag.scoring import Candidates, SentenceScorer
from rag.store import FaissStore
from rag.text import fold, tokens

PASSAGES_READ = 24
MOST_POINTS = 8
_LEAST_WORDS = 7
"""A shorter sentence is a heading or a lead-in."""
_MOST_OF_A_PASSAGE = 2
_NEW = 0.45
"""Share of newness in the choice, against nearness to the topic."""
_SAME = 0.9
"""Cosine from which two sentences say the same."""
_FEW_POINTS = 5
_NEAR_ENOUGH = 0.4
"""Standard deviations above the mean sentence from which one may be a point."""
_FAR_BEHIND = 1.6
"""Standard deviations behind the nearest sentence at which a point after the fifth leaves the topic."""
_FEATURES = ("dense_sentence", "dense_passage", "late_sentence", "covered_sentence")

Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """The points in the order to tell them, the citations that differ from one of them, and on what they differ."""

    points: tuple[Citation, ...] = ()
    others: tuple[Citation, ...] = ()
    conflicts: tuple[Conflict, ...] = ()


class BriefWriter:
    """Chooses the points of a brief from what the index knows; embeds nothing."""

    def __init__(self, store: FaissStore, scorer: SentenceScorer, lexicon: Lexicon) -> None:
        self._store = store
        self._scorer = scorer
        self._lexicon = lexicon

    def write(self, query: Query, hits: Sequence[Hit]) -> Told:
        """At most `MOST_POINTS` sentences of `hits` that tell the most of the topic; none without hits."""
        candidates = self._scorer.candidates(query, hits)
        if not candidates.sentences:
            return Told()
        nearness = topic_nearness(candidates)
        vectors = np.concatenate([self._store.sentence_vectors(self._store.row_of(hit.passage.id)) for hit in hits])
        chosen = choose_points(candidates, nearness, vectors @ vectors.T)
        order = sorted(chosen, key=lambda at: _place(candidates, chosen, at))
        points = [self._cite(candidates.sentences[at], marker, nearness[at]) for marker, at in enumerate(order, 1)]
        near = [at for at in np.argsort(-nearness, kind="stable") if nearness[at] >= 0 and at not in chosen]
        rest = [self._cite(candidates.sentences[at], len(points) + n, nearness[at]) for n, at in enumerate(near, 1)]
        conflicts = [
            conflict
            for conflict in find_differing_counts([*points, *rest], self._lexicon)
            if any(value.citation <= len(points) for value in conflict.values)
        ]
        return _renumbered(points, rest, conflicts)

    def _cite(self, sentence: Sentence, marker: int, score: float) -> Citation:
        article = self._store.articles[sentence.article_id]
        return mint(article, sentence.start, sentence.end, marker=marker, score=float(score))


def _renumbered(points: Sequence[Citation], rest: Sequence[Citation], conflicts: Sequence[Conflict]) -> Told:
    """Of `rest` only what a conflict needs, numbered on from the points."""
    needed = {value.citation for conflict in conflicts for value in conflict.values}
    others = [citation for citation in rest if citation.marker in needed]
    number = {each.marker: each.marker for each in points}
    number |= {each.marker: at for at, each in enumerate(others, start=len(points) + 1)}
    return Told(
        points=tuple(points),
        others=tuple(replace(each, marker=number[each.marker]) for each in others),
        conflicts=tuple(
            replace(each, values=tuple(replace(value, citation=number[value.citation]) for value in each.values))
            for each in conflicts
        ),
    )


def topic_nearness(candidates: Candidates) -> Numbers:
    """How near each sentence is to the topic, in standard deviations, shape (n,)."""
    columns = np.stack([candidates.feature(name) for name in _FEATURES])
    spread = np.maximum(columns.std(axis=1, keepdims=True), 1e-9)
    return np.asarray(((columns - columns.mean(axis=1, keepdims=True)) / spread).mean(axis=0))


def choose_points(candidates: Candidates, nearness: Numbers, alike: NDArray[np.float32]) -> list[int]:
    """Rows of the points, best first; `alike` (n, n) are the cosines of the sentences."""
    told: set[str] = set()
    allowed = [at for at, sentence in enumerate(candidates.sentences) if _is_claim(sentence.text)]
    chosen: list[int] = []
    while allowed and len(chosen) < MOST_POINTS:
        newness = 1 - alike[allowed][:, chosen].max(axis=1) if chosen else np.ones(len(allowed))
        worth = (1 - _NEW) * nearness[allowed] + _NEW * 2 * newness
        best = allowed[int(np.argmax(worth))]
        behind = nearness[chosen].max() - nearness[best] if chosen else 0.0
        if nearness[best] < _NEAR_ENOUGH or (len(chosen) >= _FEW_POINTS and behind > _FAR_BEHIND):
            break
        chosen.append(best)
        told.add(fold(candidates.sentences[best].text))
        allowed = [
            at
            for at in allowed
            if at != best
            and alike[at, best] < _SAME
            and fold(candidates.sentences[at].text) not in told
            and sum(candidates.hits[at] is candidates.hits[other] for other in chosen) < _MOST_OF_A_PASSAGE
        ]
    return chosen


def _is_claim(text: str) -> bool:
    """Whether a sentence tells something by itself: no heading, question, or opening of a list."""
    return len(tokens(text)) >= _LEAST_WORDS and not text.rstrip().endswith((":", "؟", "?"))


def _place(candidates: Candidates, chosen: Sequence[int], at: int) -> tuple[int, int]:
    """Articles in the order of their best point, points in the order of reading."""
    articles = list(dict.fromkeys(candidates.sentences[row].article_id for row in chosen))
    sentence = candidates.sentences[at]
    return articles.index(sentence.article_id), sentence.start

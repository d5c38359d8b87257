"""How well one sentence of a hit answers a question: the features that ranking and refusal weigh."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from rag.datatypes import AnswerType, Hit, Sentence
from rag.late import TokenIndex
from rag.lexical import LexicalIndex
from rag.lexicon import Lexicon
from rag.protocols import Query, QueryTerm
from rag.spans import find_spans, has_kind
from rag.store import FaissStore
from rag.text import stem, terms, tokens

Matrix = NDArray[np.float64]

_SIXTH = 5

FEATURES = (
    "late_sentence",  # mean over the question's words of the best match in the sentence
    "late_passage",  # the same anywhere in its passage
    "late_weakest",  # the least of those of the sentence's two worst matched words
    "dense_sentence",
    "dense_passage",
    "covered_sentence",  # idf share of the question's terms that the sentence has, in either language
    "covered_passage",
    "names_sentence",  # share of its names, numbers and years
    "names_passage",
    "kind",  # 1 if the sentence holds the kind of thing asked for, -1 if not, 0 where any sentence may
    "kind_fit",  # how many of the question's terms stand near such a thing, idf share against an even 0.3; or 0
    "hit",  # the hit's score, against the best one's
    "length",  # log of its characters, against 150
)


_OF_BEST = tuple(name for name in FEATURES if name not in ("hit", "length"))
CONFIDENCE_FEATURES = (
    *_OF_BEST,  # of the best sentence
    "best_dense",  # the highest dense_sentence of all
    "margin",  # the best sentence's score against the sixth's
    "unfound",  # idf of the most telling term that the best sentence's passage lacks, against the most telling of all
    "numbers",  # -1 if the question has a number or year that the best sentence's passage lacks, else 0
    "terms",  # log of the number of terms: a long question has more to be wrong about
    "across",  # 1 if the best sentence is in another language than the question
)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Candidates:
    """Sentences of the hits with their features; row i of `features` (n, len(FEATURES)) is sentence i's."""

    sentences: tuple[Sentence, ...]
    hits: tuple[Hit, ...]
    features: Matrix


@lru_cache(maxsize=100_000)
def _term_set(text: str) -> frozenset[str]:
    return frozenset(terms(text))


_WINDOW_WORDS = 6
_EVEN_FIT = 0.3


@lru_cache(maxsize=100_000)
def _surroundings(
    text: str, kind: AnswerType, lexicon: Lexicon
) -> tuple[tuple[tuple[int, int], frozenset[str], frozenset[str]], ...]:
    """For each span of `kind` in `text`: the span, its folded words, and the stems near it."""
    words = tokens(text)
    found = []
    for start, end in find_spans(text, kind, lexicon):
        inside = [at for at, word in enumerate(words) if start <= word.start < end]
        near = words[max(0, inside[0] - _WINDOW_WORDS) : inside[-1] + 1 + _WINDOW_WORDS]
        found.append(
            (
                (start, end),
                frozenset(words[at].text for at in inside),
                frozenset(stem(word.text) for word in near),
            )
        )
    return tuple(found)


def _coverage(query_terms: Sequence[QueryTerm], present: frozenset[str]) -> NDArray[np.float64]:
    """For each term the weight of its best alternative whose words are all `present`, else 0."""
    best = [
        max((way.weight for way in term.alternatives if present.issuperset(way.terms)), default=0.0)
        for term in query_terms
    ]
    return np.array(best, dtype=np.float64)


def _mean(values: NDArray[np.float64], weights: NDArray[np.float64], otherwise: float) -> float:
    total = float(weights.sum())
    return float((values * weights).sum() / total) if total > 0 else otherwise


class SentenceScorer:
    """Reads what the index knows of a hit's sentences; embeds nothing."""

    def __init__(self, store: FaissStore, lexical: LexicalIndex, words: TokenIndex, lexicon: Lexicon) -> None:
        self._store = store
        self._lexical = lexical
        self._words = words
        self._lexicon = lexicon

    def term_weights(self, query: Query) -> NDArray[np.float64]:
        """How telling each term of the question is: the idf of its commonest alternative in the corpus."""
        weights = [
            min(max(self._lexical.idf(word) for word in way.terms) for way in term.alternatives) for term in query.terms
        ]
        return np.array(weights, dtype=np.float64)

    def candidates(self, query: Query, hits: Sequence[Hit]) -> Candidates:
        """All sentences of `hits` with their features, in the order of the hits and of reading."""
        weights = self.term_weights(query)
        named = np.array([float(term.is_name) for term in query.terms])
        sentences: list[Sentence] = []
        owners: list[Hit] = []
        rows: list[list[float]] = []
        for hit in hits:
            rows.extend(self._rows(query, hit, weights, named))
            rows_best = hits[0].score
            for row in rows[len(sentences) :]:
                row.insert(FEATURES.index("hit"), hit.score - rows_best)
            sentences.extend(hit.passage.sentences)
            owners.extend([hit] * len(hit.passage.sentences))
        features = np.array(rows, dtype=np.float64).reshape(len(sentences), len(FEATURES))
        return Candidates(sentences=tuple(sentences), hits=tuple(owners), features=features)

    def confidence_features(
        self, query: Query, candidates: Candidates, scores: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """What tells whether the best of `candidates` answer, shape (len(CONFIDENCE_FEATURES),).

        `scores` (n,), n >= 1, rank the candidates.
        """
        order = np.argsort(-scores, kind="stable")
        best = order[0]
        of_best = [candidates.features[best, FEATURES.index(name)] for name in _OF_BEST]
        hit = candidates.hits[best]
        weights = self.term_weights(query)
        present = frozenset().union(*(_term_set(sentence.text) for sentence in hit.passage.sentences))
        coverage = _coverage(query.terms, present)
        unfound = weights * (1 - coverage)
        return np.array(
            [
                *of_best,
                candidates.features[:, FEATURES.index("dense_sentence")].max(),
                scores[best] - scores[order[min(_SIXTH, len(order) - 1)]],
                float(unfound.max() / weights.max()) if len(weights) and weights.max() > 0 else 0.0,
                -float(
                    any(
                        term.surface[0].isdecimal() and found == 0
                        for term, found in zip(query.terms, coverage, strict=True)
                    )
                ),
                float(np.log1p(len(query.terms))),
                float(hit.passage.language != query.language),
            ],
            dtype=np.float64,
        )

    def _kind_fit(self, query: Query, text: str, weights: NDArray[np.float64]) -> float:
        if query.answer_type in ("other", "reason"):
            return 0.0
        asked = {token.text for token in tokens(query.text)}
        best = 0.0
        for _, inside, around in _surroundings(text, query.answer_type, self._lexicon):
            if not asked.issuperset(inside):
                best = max(best, _mean(_coverage(query.terms, around), weights, 0.0))
        return best - _EVEN_FIT

    def _rows(
        self, query: Query, hit: Hit, weights: NDArray[np.float64], named: NDArray[np.float64]
    ) -> list[list[float]]:
        """Features of each sentence of one hit, all but `hit`."""
        position = self._store.row_of(hit.passage.id)
        matches = self._words.similarities(query.tokens, self._store.sentence_rows(position))
        dense = self._store.sentence_vectors(position) @ query.vector
        covered = np.array([_coverage(query.terms, _term_set(sentence.text)) for sentence in hit.passage.sentences])
        anywhere = covered.max(axis=0) if covered.size else np.zeros(0)
        late_passage = float(matches.max(axis=0).mean()) if matches.size else 0.0
        rows = []
        for at, sentence in enumerate(hit.passage.sentences):
            kind = has_kind(sentence.text, query.answer_type, self._lexicon)
            weakest = np.sort(matches[at])[:2].mean() if matches.shape[1] else 0.0
            rows.append(
                [
                    float(matches[at].mean()) if matches.shape[1] else 0.0,
                    late_passage,
                    float(weakest),
                    float(dense[at]),
                    hit.dense,
                    _mean(covered[at], weights, 0.0),
                    _mean(anywhere, weights, 0.0),
                    _mean(covered[at], weights * named, 1.0),
                    _mean(anywhere, weights * named, 1.0),
                    0.0 if kind is None else (1.0 if kind else -1.0),
                    self._kind_fit(query, sentence.text, weights),
                    float(np.log(len(sentence.text) / 150)),
                ]
            )
        return rows

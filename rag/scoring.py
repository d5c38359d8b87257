"""How well each sentence of the hits answers a question: the features that ranking and refusing weigh."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from rag.datatypes import AnswerType, Hit, Sentence
from rag.late import TokenIndex
from rag.lexical import LexicalIndex
from rag.lexicon import Lexicon
from rag.protocols import Query, QueryTerm, Store
from rag.spans import find_spans, states_reason
from rag.support import SupportModel
from rag.text import stem, terms, tokens

Matrix = NDArray[np.float64]

FEATURES = (
    "late_sentence",  # mean over the question's words of the best match in the sentence
    "late_passage",  # the same anywhere in its passage
    "late_weakest",  # the mean of the two words that the sentence matches worst
    "dense_sentence",
    "dense_passage",
    "covered_sentence",  # idf share of the question's terms that the sentence has, in either language
    "covered_passage",
    "names_sentence",  # how well its names, numbers and years are supported, on average
    "names_passage",  # how well the least supported of them is, anywhere in the passage
    "kind",  # 1 if the sentence holds the kind of thing asked for, -1 if not, 0 where any sentence may
    "kind_fit",  # idf share of the question's terms that stand near such a thing, against an even 0.3; or 0
    "hit",  # the hit's score, against the best one's
    "length",  # log of its characters, against 150
)
_WEAKEST = 2
_WINDOW_WORDS = 6
_EVEN_FIT = 0.3
_EVEN_LENGTH = 150
# Cosines of word vectors below the first mean nothing, from the second on the same thing.
_UNLIKE, _ALIKE = 0.35, 0.75


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Candidates:
    """The n sentences of the hits, in their order, against the t terms of the question.

    `features` (n, len(FEATURES)); `coverage` (n, t): whether the sentence has the term in some form, by its
    weight in [0, 1]; `support` (n, t): that, or how alike its nearest word is; `weights` (t,): idf of the terms.
    """

    sentences: tuple[Sentence, ...]
    hits: tuple[Hit, ...]
    features: Matrix
    coverage: Matrix
    support: Matrix
    weights: NDArray[np.float64]

    def feature(self, name: str) -> NDArray[np.float64]:
        """One feature of all sentences, shape (n,)."""
        column: NDArray[np.float64] = self.features[:, FEATURES.index(name)]
        return column


def weighted_mean(values: NDArray[np.float64], weights: NDArray[np.float64], otherwise: float) -> float:
    """Mean of `values` (t,) by `weights` (t,), or `otherwise` if they sum to nothing."""
    total = float(weights.sum())
    return float((values * weights).sum() / total) if total > 0 else otherwise


@lru_cache(maxsize=100_000)
def _term_set(text: str) -> frozenset[str]:
    return frozenset(terms(text))


@lru_cache(maxsize=100_000)
def _surroundings(text: str, kind: AnswerType, lexicon: Lexicon) -> tuple[tuple[frozenset[str], frozenset[str]], ...]:
    """For each span of `kind` in `text`: its stems, and the stems of the words around it."""
    words = tokens(text)
    found = []
    for start, end in find_spans(text, kind, lexicon):
        inside = [at for at, word in enumerate(words) if start <= word.start < end]
        near = words[max(0, inside[0] - _WINDOW_WORDS) : inside[-1] + 1 + _WINDOW_WORDS]
        found.append((frozenset(stem(words[at].text) for at in inside), frozenset(stem(word.text) for word in near)))
    return tuple(found)


def _coverage(query_terms: Sequence[QueryTerm], present: frozenset[str]) -> NDArray[np.float64]:
    """For each term the weight of its best alternative whose words are all `present`, else 0."""
    best = [
        max((way.weight for way in term.alternatives if present.issuperset(way.terms)), default=0.0)
        for term in query_terms
    ]
    return np.array(best, dtype=np.float64)


class SentenceScorer:
    """Reads what the index knows of a hit's sentences; embeds nothing."""

    def __init__(
        self,
        store: Store,
        lexical: LexicalIndex,
        words: TokenIndex,
        lexicon: Lexicon,
        support: SupportModel | None = None,
    ) -> None:
        self._store = store
        self._lexical = lexical
        self._words = words
        self._lexicon = lexicon
        self._support = support

    def support(self, query: Query, hits: Sequence[Hit]) -> list[float]:
        """Log odds that the passage of each hit answers; 0 without a support model for this embedder."""
        if self._support is None:
            return [0.0] * len(hits)
        question = self._words.project(query.tokens)
        rows = [self._store.sentence_rows(self._store.row_of(hit.passage.id)) for hit in hits]
        return [self._support.logit(question, self._words.vectors(group)) for group in rows]

    def candidates(self, query: Query, hits: Sequence[Hit]) -> Candidates:
        """All sentences of `hits` with their features, in the order of the hits and of reading."""
        weights, asked = self._term_weights(query), asked_stems(query)
        parts = [self._hit_rows(query, hit, hits[0].score, weights, asked) for hit in hits]
        empty = np.zeros((0, len(query.terms)))
        return Candidates(
            sentences=tuple(sentence for hit in hits for sentence in hit.passage.sentences),
            hits=tuple(hit for hit in hits for _ in hit.passage.sentences),
            features=np.concatenate([np.zeros((0, len(FEATURES))), *(part[0] for part in parts)]),
            coverage=np.concatenate([empty, *(part[1] for part in parts)]),
            support=np.concatenate([empty, *(part[2] for part in parts)]),
            weights=weights,
        )

    def _term_weights(self, query: Query) -> NDArray[np.float64]:
        """How telling each term is: the idf of its commonest alternative in the corpus."""
        weights = [
            min(max(self._lexical.idf(word) for word in way.terms) for way in term.alternatives) for term in query.terms
        ]
        return np.array(weights, dtype=np.float64)

    def _hit_rows(
        self, query: Query, hit: Hit, best_score: float, weights: NDArray[np.float64], asked: frozenset[str]
    ) -> tuple[Matrix, Matrix, Matrix]:
        """Features, coverage and support of the sentences of one hit."""
        row = self._store.row_of(hit.passage.id)
        sentences = hit.passage.sentences
        matches = self._words.similarities(query.tokens, self._store.sentence_rows(row)).astype(np.float64)
        if not matches.shape[1]:
            matches = np.zeros((len(sentences), 1))
        dense = self._store.sentence_vectors(row) @ query.vector
        coverage = np.stack([_coverage(query.terms, _term_set(sentence.text)) for sentence in sentences])
        support = np.maximum(coverage, _alike(query, matches))
        heading = _coverage(query.terms, _term_set(hit.passage.heading))
        named = np.array([term.is_name for term in query.terms], dtype=np.bool_)
        late_passage = matches.max(axis=0).mean()
        covered_passage = weighted_mean(np.maximum(coverage.max(axis=0), heading), weights, 0.0)
        names_passage = np.maximum(support.max(axis=0), heading)[named].min() if named.any() else 1.0
        rows = [
            [
                matches[at].mean(),
                late_passage,
                np.sort(matches[at])[:_WEAKEST].mean(),
                dense[at],
                hit.dense,
                weighted_mean(coverage[at], weights, 0.0),
                covered_passage,
                support[at][named].mean() if named.any() else 1.0,
                names_passage,
                *self._kind_and_fit(query, asked, sentence.text, weights),
                hit.score - best_score,
                np.log(len(sentence.text) / _EVEN_LENGTH),
            ]
            for at, sentence in enumerate(sentences)
        ]
        return np.array(rows, dtype=np.float64), coverage, support

    def _kind_and_fit(
        self, query: Query, asked: frozenset[str], text: str, weights: NDArray[np.float64]
    ) -> tuple[float, float]:
        """The features `kind` and `kind_fit` of one sentence."""
        if query.answer_type == "other":
            return 0.0, 0.0
        if query.answer_type == "reason":
            return (1.0 if states_reason(text) else -1.0), 0.0
        around = [near for inside, near in _surroundings(text, query.answer_type, self._lexicon) if not inside <= asked]
        fit = max((weighted_mean(_coverage(query.terms, near), weights, 0.0) for near in around), default=0.0)
        return (1.0 if around else -1.0), fit - _EVEN_FIT


def term_stems(query: Query) -> frozenset[str]:
    """Stems of the question's terms, in both languages."""
    return frozenset(word for term in query.terms for way in term.alternatives for word in way.terms)


def asked_stems(query: Query) -> frozenset[str]:
    """Those and its own words': what the question names itself, a year say, is not its answer."""
    return term_stems(query) | {stem(token.text) for token in tokens(query.text)}


def _alike(query: Query, matches: Matrix) -> Matrix:
    """For each sentence and term, in [0, 1], how alike the sentence's words are to the term's."""
    alike = np.zeros((len(matches), len(query.terms)))
    for column, term in enumerate(query.terms):
        start, end = term.span
        pieces = [at for at, (first, last) in enumerate(query.tokens.spans) if first < end and last > start]
        if pieces:
            alike[:, column] = np.clip((matches[:, pieces].mean(axis=1) - _UNLIKE) / (_ALIKE - _UNLIKE), 0, 1)
    return alike

"""Queries to hits: dense, lexical and late-interaction scores of the same candidates, standardised and added."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from rag.datatypes import Hit, Language
from rag.late import TokenIndex
from rag.lexical import LexicalIndex
from rag.protocols import Query, Store

Scores = NDArray[np.float64]

_LANGUAGES: tuple[Language, ...] = ("ar", "en", "und")
_CANDIDATES = 60
"""Candidates a leg and a language."""


def standardise(scores: Scores, languages: NDArray[np.str_]) -> Scores:
    """Scores with mean 0 within each language and standard deviation 1 over all; all 0 if they do not differ.

    Centring by language takes out what a passage owes to being written in the question's language: a model's
    cosines run lower, and words match less, across languages (the balance of the retriever).
    """
    centred = scores.astype(np.float64)
    for language in np.unique(languages):
        centred[languages == language] -= centred[languages == language].mean()
    deviation = float(centred.std())
    return centred / deviation if deviation > 1e-9 else np.zeros_like(centred)


class HybridRetriever:
    """Fuses a dense, a lexical and a late-interaction leg by standardised scores of equal weight.

    Standardised scores keep how far a passage stands out, which ranks alone (reciprocal rank fusion) lose.
    Each leg can be switched off to measure what it is worth.
    """

    def __init__(
        self,
        store: Store,
        lexical: LexicalIndex,
        words: TokenIndex,
        *,
        use_dense: bool = True,
        use_lexical: bool = True,
        use_late: bool = True,
        balance: bool = True,
    ) -> None:
        self._store = store
        self._lexical = lexical
        self._words = words
        self._use_dense, self._use_lexical, self._use_late = use_dense, use_lexical, use_late
        self._balance = balance
        self._languages: NDArray[np.str_] = np.array([passage.language for passage in store.passages], dtype=np.str_)

    def search(self, queries: Sequence[Query], k: int) -> list[list[Hit]]:
        """For each query at most k hits, best first, ranks from 1, ties by row; equal texts give one hit."""
        lexical = [self._lexical.scores(query.terms) for query in queries]
        return [self._search_one(query, scores, k) for query, scores in zip(queries, lexical, strict=True)]

    def _search_one(self, query: Query, lexical: NDArray[np.float32], k: int) -> list[Hit]:
        rows = self._candidates(query, lexical)
        if not rows.size:
            return []
        dense = self._store.passage_vectors(rows.tolist()) @ query.vector
        languages = self._languages[rows] if self._balance else np.full(len(rows), "", dtype=np.str_)
        legs = []
        if self._use_dense:
            best_sentence = [float((self._store.sentence_vectors(row) @ query.vector).max()) for row in rows.tolist()]
            legs.append(standardise(dense + np.array(best_sentence), languages))
        if self._use_lexical:
            legs.append(standardise(lexical[rows].astype(np.float64), languages))
        if self._use_late:
            legs.append(standardise(self._late(query, rows), languages))
        fused = np.sum(legs, axis=0) if legs else np.zeros(len(rows))
        return self._hits(rows, fused, dense, lexical[rows], k)

    def _candidates(self, query: Query, lexical: NDArray[np.float32]) -> NDArray[np.int64]:
        """Rows worth scoring, ascending: the best of each leg in each language, so that neither starves."""
        found: set[int] = set()
        for language in _LANGUAGES if self._balance else (None,):
            hits = self._store.search(query.vector[None, :], _CANDIDATES, language)[0]
            found.update(row for row, _ in hits)
            own = lexical if language is None else np.where(self._languages == language, lexical, 0)
            best = np.argsort(-own, kind="stable")[:_CANDIDATES]
            found.update(int(row) for row in best if own[row] > 0)
        return np.array(sorted(found), dtype=np.int64)

    def _late(self, query: Query, rows: NDArray[np.int64]) -> Scores:
        """Mean over the question's words of the best match anywhere in the passage."""
        sentences = [self._store.sentence_rows(row) for row in rows.tolist()]
        matches = self._words.similarities(query.tokens, [row for group in sentences for row in group])
        if not matches.size:
            return np.zeros(len(rows))
        lengths = np.array([len(group) for group in sentences])
        best = np.maximum.reduceat(matches, np.cumsum(lengths) - lengths, axis=0)
        return np.asarray(best.mean(axis=1), dtype=np.float64)

    def _hits(
        self,
        rows: NDArray[np.int64],
        scores: Scores,
        dense: NDArray[np.float32],
        lexical: NDArray[np.float32],
        k: int,
    ) -> list[Hit]:
        hits: list[Hit] = []
        seen: set[str] = set()
        for position in np.lexsort((rows, -scores)):
            if len(hits) >= k:
                break
            passage = self._store.passages[rows[position]]
            key = self._store.text_key(int(rows[position]))
            if key in seen:  # a syndicated copy is no second source
                continue
            seen.add(key)
            hits.append(
                Hit(
                    rank=len(hits) + 1,
                    passage=passage,
                    score=float(scores[position]),
                    dense=float(dense[position]),
                    lexical=float(lexical[position]),
                )
            )
        return hits

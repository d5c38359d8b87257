"""BM25 over folded, stemmed terms: the only importer of bm25s."""

import json
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

import bm25s
import numpy as np
from numpy.typing import NDArray

from rag.errors import IndexCorrupt
from rag.lexicon import transliteration_key
from rag.protocols import QueryTerm
from rag.text import STOP_WORDS, stem, terms, tokens

Scores = NDArray[np.float32]

logging.getLogger("bm25s").setLevel(logging.WARNING)  # it reports its steps as if to a person

# Okapi defaults (Robertson & Zaragoza 2009) with the `lucene` form of idf, never negative.
_K1 = 1.2
_B = 0.75
_SOUNDS = "sounds.json"
_NAME_SOUNDS, _MIN_SOUNDS = 3, 4
"""Shorter skeletons fit too many words: of 16,511 Arabic words 7.2 on average with three sounds, 0.8 with four."""


def _collect_sounds(texts: Sequence[str]) -> dict[str, list[str]]:
    words = {token.text for text in texts for token in tokens(text) if token.text not in STOP_WORDS}
    found: dict[str, set[str]] = {}
    for word in words:
        key = transliteration_key(word)
        if len(key) >= _NAME_SOUNDS:
            found.setdefault(key, set()).add(stem(word))
    return {key: sorted(stems) for key, stems in sorted(found.items())}


class LexicalIndex:
    """A persisted BM25 index over passages, in their order; row i is the i-th text it was built from."""

    def __init__(self, bm25: bm25s.BM25, sounds: Mapping[str, Sequence[str]]) -> None:
        """`sounds`: consonant skeletons to the stems of the corpus's words that have them."""
        self._sounds = sounds
        self._vocabulary: dict[str, int] = bm25.vocab_dict
        self._values: Scores = bm25.scores["data"]
        self._rows: NDArray[np.int32] = bm25.scores["indices"]
        self._starts: NDArray[np.int64] = bm25.scores["indptr"]
        self._count = int(bm25.scores["num_docs"])
        self._bm25 = bm25

    @classmethod
    def build(cls, texts: Sequence[str]) -> "LexicalIndex":
        """Index `texts`, one row each."""
        bm25 = bm25s.BM25(k1=_K1, b=_B, method="lucene")
        # bm25s cannot index a corpus without a single term; an empty string is one that no question has.
        bm25.index([terms(text) or [""] for text in texts], show_progress=False)
        return cls(bm25, _collect_sounds(texts))

    @classmethod
    def open(cls, folder: Path) -> "LexicalIndex":
        """The index saved in `folder`. Raises IndexCorrupt if it cannot be read."""
        try:
            sounds = json.loads((folder / _SOUNDS).read_text(encoding="utf-8"))
            return cls(bm25s.BM25.load(folder, show_progress=False, allow_pickle=False), sounds)
        except (OSError, EOFError, ValueError, KeyError, TypeError) as error:
            raise IndexCorrupt(f"{folder}: the lexical index cannot be read ({error}); run `sanad build`") from error

    def save(self, folder: Path) -> None:
        """Write the index into `folder` as plain .npy and .json files."""
        self._bm25.save(folder, show_progress=False, allow_pickle=False)
        (folder / _SOUNDS).write_text(json.dumps(self._sounds, ensure_ascii=False, sort_keys=True), encoding="utf-8")

    def sounding_like(self, word: str, *, named: bool) -> Sequence[str]:
        """Stems of the corpus's words, in any script, that may be `word` transliterated; sorted, often none.

        Three sounds suffice for a word known to be a name, others need four.
        """
        key = transliteration_key(word)
        return self._sounds.get(key, ()) if len(key) >= (_NAME_SOUNDS if named else _MIN_SOUNDS) else ()

    def idf(self, term: str) -> float:
        """How telling a term is, ln(1 + (N - n + 0.5) / (n + 0.5)); an unseen term is the most telling."""
        column = self._vocabulary.get(term)
        found = 0 if column is None else int(self._starts[column + 1] - self._starts[column])
        return float(np.log(1 + (self._count - found + 0.5) / (found + 0.5)))

    def has(self, term: str) -> bool:
        """Whether any passage has `term`."""
        return term in self._vocabulary

    def _add(self, scores: Scores, term: str, weight: float) -> None:
        column = self._vocabulary.get(term)
        if column is not None:
            part = slice(self._starts[column], self._starts[column + 1])
            scores[self._rows[part]] += weight * self._values[part]

    def scores(self, query_terms: Sequence[QueryTerm]) -> Scores:
        """BM25 score of every row, shape (rows,), float32, >= 0.

        The alternatives of one query term are synonyms: a row gets the best of them, not their sum, so that a
        word with many translations does not outweigh the rest (Pirkola 1998, structured queries).
        """
        total = np.zeros(self._count, dtype=np.float32)
        for query_term in query_terms:
            best = np.zeros(self._count, dtype=np.float32)
            for alternative in query_term.alternatives:
                scores = np.zeros(self._count, dtype=np.float32)
                for term in alternative.terms:
                    self._add(scores, term, alternative.weight)
                np.maximum(best, scores, out=best)
            total += best
        return total

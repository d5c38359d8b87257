"""Passages with their vectors, searched by FAISS; the only importer of faiss."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Self

import faiss
import numpy as np
from numpy.typing import NDArray

from rag.datatypes import Article, Language, Passage, Sentence
from rag.protocols import Vectors
from rag.text import fold

ARTICLES, PASSAGES, PASSAGE_VECTORS, SENTENCE_VECTORS = (
    "articles.jsonl",
    "passages.jsonl",
    "passages.faiss",
    "sentences.npy",
)


class FaissStore:
    """An exact inner-product search over passage vectors, and the sentence vectors beside it.

    Args:
        articles: All articles, in the order of the corpus.
        passages: All passages; the position of one is its row. Their spans must hold in their articles.
        passage_vectors: One unit vector a passage, float32.
        sentence_vectors: One unit vector a sentence, float32: those of passage 0 in order, then passage 1, ...

    Raises:
        ValueError: Spans, shapes or counts that do not fit each other.
    """

    def __init__(
        self,
        articles: Sequence[Article],
        passages: Sequence[Passage],
        passage_vectors: Vectors,
        sentence_vectors: Vectors,
    ) -> None:
        self._articles = {article.id: article for article in articles}
        self._passages = tuple(passages)
        self._rows = {passage.id: row for row, passage in enumerate(passages)}
        self._sentence_vectors = sentence_vectors
        self._sentence_starts = np.cumsum([0, *(len(passage.sentences) for passage in passages)])
        _check_shapes(passage_vectors, len(self._passages), sentence_vectors, int(self._sentence_starts[-1]))
        for passage in self._passages:
            _check_spans(self._articles[passage.article_id], passage)
        self._index = faiss.IndexFlatIP(passage_vectors.shape[1])
        self._index.add(np.ascontiguousarray(passage_vectors, dtype=np.float32))
        languages = np.array([passage.language for passage in self._passages])
        rows = {str(language): np.flatnonzero(languages == language) for language in np.unique(languages)}
        self._counts = {language: len(found) for language, found in rows.items()}
        # Kept here because FAISS does not keep a selector alive during the search that uses it.
        self._selectors = {language: faiss.IDSelectorBatch(found) for language, found in rows.items()}

    @property
    def articles(self) -> Mapping[str, Article]:
        """Articles by id, in the order of the corpus."""
        return self._articles

    @property
    def passages(self) -> Sequence[Passage]:
        """All passages; a passage's position is its row."""
        return self._passages

    def search(self, vectors: Vectors, k: int, language: Language | None = None) -> list[list[tuple[int, float]]]:
        """For each vector at most k (row, inner product) pairs, best first, ties by row; of one language if given."""
        k = min(k, len(self._passages) if language is None else self._counts.get(language, 0))
        if k < 1 or len(vectors) == 0:
            return [[] for _ in vectors]
        parameters = faiss.SearchParameters()
        if language is not None:
            parameters.sel = self._selectors[language]
        scores, found = self._index.search(np.ascontiguousarray(vectors, dtype=np.float32), k, params=parameters)
        return [_pairs(*line) for line in zip(found, scores, strict=True)]

    def passage_vectors(self, rows: Sequence[int]) -> Vectors:
        """Vectors of these passages, shape (len(rows), dimension)."""
        vectors: Vectors = self._index.reconstruct_batch(np.asarray(rows, dtype=np.int64))
        return vectors

    def sentence_vectors(self, row: int) -> Vectors:
        """Vectors of the sentences of the passage at `row`, in order; read only."""
        vectors: Vectors = self._sentence_vectors[self._sentence_starts[row] : self._sentence_starts[row + 1]]
        return vectors

    def sentence_rows(self, row: int) -> range:
        """Rows, among all sentences of the corpus, of the sentences of the passage at `row`."""
        return range(int(self._sentence_starts[row]), int(self._sentence_starts[row + 1]))

    def row_of(self, passage_id: str) -> int:
        """The row of a passage. Raises KeyError if there is none of that id."""
        return self._rows[passage_id]

    def text_key(self, row: int) -> str:
        """What two copies of one passage have in common: its folded words."""
        return " ".join(fold(self._passages[row].text).split())

    def save(self, folder: Path) -> None:
        """Write everything into `folder`, which must exist. Raises OSError as the disk does."""
        _write_lines(folder / ARTICLES, map(asdict, self._articles.values()))
        _write_lines(folder / PASSAGES, map(_passage_to_row, self._passages))
        # Through Python's own files: FAISS cannot open some paths that are not ASCII.
        (folder / PASSAGE_VECTORS).write_bytes(faiss.serialize_index(self._index).tobytes())
        with (folder / SENTENCE_VECTORS).open("wb") as file:
            np.save(file, self._sentence_vectors, allow_pickle=False)

    @classmethod
    def open(cls, folder: Path) -> Self:
        """Read what `save` wrote. The files must have been verified: FAISS does not notice changed bytes."""
        articles = [Article(**row) for row in _read_lines(folder / ARTICLES)]
        by_id = {article.id: article for article in articles}
        passages = [_passage_from_row(row, by_id[row["article_id"]]) for row in _read_lines(folder / PASSAGES)]
        stored = faiss.deserialize_index(np.frombuffer((folder / PASSAGE_VECTORS).read_bytes(), dtype=np.uint8))
        sentence_vectors = np.load(folder / SENTENCE_VECTORS, mmap_mode="r", allow_pickle=False)
        return cls(articles, passages, stored.reconstruct_n(0, stored.ntotal), sentence_vectors)


def _pairs(rows: NDArray[np.int64], scores: NDArray[np.float32]) -> list[tuple[int, float]]:
    # FAISS fills up with row -1 where it has fewer rows than asked for.
    pairs = [(int(row), float(score)) for row, score in zip(rows, scores, strict=True) if row >= 0]
    return sorted(pairs, key=lambda pair: (-pair[1], pair[0]))


def _check_shapes(passage_vectors: Vectors, passages: int, sentence_vectors: Vectors, sentences: int) -> None:
    dimension = passage_vectors.shape[-1]
    if passage_vectors.shape != (passages, dimension) or sentence_vectors.shape != (sentences, dimension):
        raise ValueError(
            f"{passages} passages and {sentences} sentences, but vectors of shape "
            f"{passage_vectors.shape} and {sentence_vectors.shape}"
        )


def _check_spans(article: Article, passage: Passage) -> None:
    parts: tuple[Passage | Sentence, ...] = (passage, *passage.sentences)
    for part in parts:
        if article.text[part.start : part.end] != part.text:
            raise ValueError(f"{passage.id}: [{part.start}, {part.end}) of the article is not {part.text[:40]!r}")


def _passage_to_row(passage: Passage) -> dict[str, Any]:
    row = asdict(passage)
    del row["text"]  # taken from the article again on opening, so that the two cannot disagree
    row["sentences"] = [[sentence.start, sentence.end] for sentence in passage.sentences]
    return row


def _passage_from_row(row: dict[str, Any], article: Article) -> Passage:
    sentences = tuple(
        Sentence(article_id=article.id, start=start, end=end, text=article.text[start:end])
        for start, end in row["sentences"]
    )
    return Passage(**(row | {"text": article.text[row["start"] : row["end"]], "sentences": sentences}))


def _write_lines(path: Path, rows: Iterator[dict[str, Any]]) -> None:
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def _read_lines(path: Path) -> Iterator[dict[str, Any]]:
    # Not str.splitlines(), which cuts at U+2028 and its like inside an article.
    with path.open(encoding="utf-8", newline="\n") as file:
        for line in file:
            yield json.loads(line)

"""The seams. One batch-shaped method each; whoever implements one passes its suite in tests/test_contracts.py."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from rag.datatypes import AnswerType, Citation, Conflict, Hit, Language, Passage

Vectors = NDArray[np.float32]
"""Shape (n, dimension), float32, each row of unit length."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class TokenVectors:
    """Contextual vectors of the content words of one text, for late interaction.

    `vectors` has shape (n, dimension), float32, rows of unit length, n >= 0; `spans` are the n pieces of words
    in the text that they stand for. Stop words and punctuation have none.
    """

    vectors: NDArray[np.float32]
    spans: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Embeddings:
    """What one pass of the model gives: a vector of each text, and those of its words."""

    vectors: Vectors
    tokens: tuple[TokenVectors, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Alternative:
    """One way to say a word of the question: all of `terms` together, worth `weight` in (0, 1]."""

    terms: tuple[str, ...]
    weight: float


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryTerm:
    """A content word (or phrase) of the question and the ways to say it in both languages.

    `span` is where it stands in the question. The first alternative is the word itself, weight 1. `is_name`: a
    proper name, number or year, so that a sentence without it rarely answers.
    """

    surface: str
    span: tuple[int, int]
    alternatives: tuple[Alternative, ...]
    is_name: bool


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Query:
    """A question made ready for searching. `vector` has shape (dimension,) and unit length."""

    text: str
    language: Language
    vector: NDArray[np.float32]
    tokens: TokenVectors
    terms: tuple[QueryTerm, ...]
    answer_type: AnswerType


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a reader made of the hits: citations, best first, how likely it is that they answer, where they differ."""

    citations: tuple[Citation, ...]
    confidence: float
    conflicts: tuple[Conflict, ...] = ()


class Embedder(Protocol):
    """Texts to vectors. Query and passage are two methods because many models prompt them differently."""

    @property
    def fingerprint(self) -> dict[str, str | int]:
        """Name, revision or weights' sha256, dimension and prompts: all that changes a vector."""
        ...

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        ...

    def embed_queries(self, texts: Sequence[str]) -> Embeddings:
        """Embeddings of questions, in order. An empty sequence gives vectors of shape (0, dimension)."""
        ...

    def embed_passages(self, texts: Sequence[str]) -> Embeddings:
        """Embeddings of passages or sentences, in order."""
        ...


class Retriever(Protocol):
    """Queries to hits."""

    def search(self, queries: Sequence[Query], k: int) -> list[list[Hit]]:
        """For each query at most k hits, best first, ranks from 1, ties by passage id, no passage twice."""
        ...


class Reader(Protocol):
    """Hits to citations."""

    def read(self, query: Query, hits: Sequence[Hit]) -> Reading:
        """One to five citations whose quotes are slices of their articles, or none where there are no hits."""
        ...


class Store(Protocol):
    """Passage vectors that can be searched and sentence vectors that can be looked up."""

    @property
    def passages(self) -> Sequence[Passage]:
        """All passages; a passage's position is its row."""
        ...

    def search(self, vectors: Vectors, k: int, language: Language | None = None) -> list[list[tuple[int, float]]]:
        """For each vector at most k (row, inner product) pairs, best first, of one language if given."""
        ...

    def passage_vectors(self, rows: Sequence[int]) -> Vectors:
        """Vectors of these passages."""
        ...

    def sentence_vectors(self, row: int) -> Vectors:
        """Vectors of the sentences of the passage at `row`, in order."""
        ...

    def sentence_rows(self, row: int) -> range:
        """Rows, among all sentences of the corpus, of the sentences of the passage at `row`."""
        ...

    def row_of(self, passage_id: str) -> int:
        """The row of a passage. Raises KeyError if there is none of that id."""
        ...

    def text_key(self, row: int) -> str:
        """What two copies of one passage have in common."""
        ...

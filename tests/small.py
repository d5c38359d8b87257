"""Small indexes and queries whose numbers can be worked out by hand."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from rag.build import Index, build_index, read_index
from rag.config import Settings
from rag.datatypes import AnswerType, Article, Language, Passage, Sentence
from rag.late import TokenIndexBuilder
from rag.lexical import LexicalIndex
from rag.protocols import Alternative, Embedder, Query, QueryTerm, TokenVectors, Vectors
from rag.store import FaissStore
from rag.text import detect_language, terms


class Row(NamedTuple):
    """A passage of one sentence in an article of its own, whose vector is also that of its only word."""

    text: str
    vector: Sequence[float]
    language: Language = "ar"


def rows(*vectors: Sequence[float]) -> Vectors:
    return np.array(vectors, dtype=np.float32)


def unit(*numbers: float) -> tuple[float, ...]:
    return tuple(float(number) for number in np.array(numbers) / np.linalg.norm(numbers))


def word(vector: Sequence[float], span: tuple[int, int] = (0, 1)) -> TokenVectors:
    return TokenVectors(vectors=rows(vector), spans=(span,))


def term(*ways: tuple[str, float], is_name: bool = False) -> QueryTerm:
    """A term that stands at the start of its question; `ways` are words and their weight."""
    alternatives = tuple(Alternative(terms=tuple(terms(words)), weight=weight) for words, weight in ways)
    surface = ways[0][0]
    return QueryTerm(surface=surface, span=(0, len(surface)), alternatives=alternatives, is_name=is_name)


def query(text: str, vector: Sequence[float], *query_terms: QueryTerm, answer_type: AnswerType = "other") -> Query:
    """A question whose only word has the vector of the whole."""
    return Query(
        text=text,
        language=detect_language(text),
        vector=rows(vector)[0],
        tokens=word(vector, (0, len(text))),
        terms=query_terms or tuple(term((stem, 1.0)) for stem in terms(text)),
        answer_type=answer_type,
    )


def index_of_rows(*passages: Row) -> Index:
    """Passage `n` is in article `n`, its id `"n#0"` with n in two digits."""
    articles, found = [], []
    builder = TokenIndexBuilder()
    for n, (text, vector, language) in enumerate(passages):
        name = f"{n:02}"
        articles.append(Article(id=name, source=f"{name}.txt", title=name, language=language, text=text))
        sentence = Sentence(article_id=name, start=0, end=len(text), text=text)
        found.append(
            Passage(
                id=f"{name}#0",
                article_id=name,
                start=0,
                end=len(text),
                text=text,
                language=language,
                heading="",
                sentences=(sentence,),
            )
        )
        builder.add([word(vector)])
    vectors = rows(*(passage.vector for passage in passages))
    return Index(
        store=FaissStore(articles, found, vectors, vectors),
        lexical=LexicalIndex.build([passage.text for passage in passages]),
        words=builder.finish(),
    )


def index_of_files(folder: Path, files: Mapping[str, str], embedder: Embedder) -> tuple[Index, Settings]:
    """The index of `files` (name to contents), built and opened in `folder`, and its settings."""
    settings = Settings(index_dir=folder / "index", paths=(folder / "articles",))
    settings.paths[0].mkdir(parents=True)
    for name, text in files.items():
        (settings.paths[0] / name).write_text(text, encoding="utf-8")
    build_index(settings, embedder)
    return read_index(settings, embedder), settings

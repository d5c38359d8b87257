"""The records that travel through Sanad. Read this file first: everything else makes or shows these.

Offsets are code points into `Article.text` (Unicode NFC), half-open `[start, end)`. Ranks and markers
count from 1. Scores: higher is better; they compare within one question only.
"""

from dataclasses import dataclass
from typing import Literal

Language = Literal["ar", "en", "und"]
"""`und`: no Arabic or Latin letters, or more letters of other scripts."""

Status = Literal["answered", "no_evidence"]

Strength = Literal["strong", "weak", "none"]
"""How far the evidence of an answer can be trusted; `none` where nothing was found."""

AnswerType = Literal["number", "date", "person", "place", "reason", "other"]
"""What kind of thing a question asks for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Article:
    """One article as loaded. `text` never changes afterwards; every span points into it.

    `id` is the file's stem, unique in a corpus; `source` the file's name. `date` (`YYYY-MM-DD`) is None
    unless the article or its metadata states it, and `date_quote` is then the words that state it.
    """

    id: str
    source: str
    title: str
    language: Language
    text: str
    author: str | None = None
    outlet: str | None = None
    date: str | None = None
    date_quote: str | None = None
    url: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentence:
    """The smallest thing that can be cited: `article.text[start:end] == text`, no white space around it."""

    article_id: str
    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """The unit of search: one or more whole sentences in a row; `article.text[start:end] == text`.

    `id` is `"<article_id>#<n>"`, n from 0 in reading order. `heading` is the nearest heading above, or "".
    """

    id: str
    article_id: str
    start: int
    end: int
    text: str
    language: Language
    heading: str
    sentences: tuple[Sentence, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """A passage found for a question. `dense` is a cosine in [-1, 1], `lexical` a BM25 sum >= 0."""

    rank: int
    passage: Passage
    score: float
    dense: float
    lexical: float


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerSpan:
    """The few words inside a quote that answer by themselves; offsets into the article's text."""

    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Citation:
    """A quote minted from an index span: `article.text[start:end] == quote`, always."""

    marker: int
    article_id: str
    source: str
    title: str
    date: str | None
    language: Language
    quote: str
    start: int
    end: int
    score: float
    answer_span: AnswerSpan | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConflictValue:
    """One of the values that differing sources give; `citation` is the marker of the quote that gives it."""

    value: str
    citation: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """A thing that the articles state differently."""

    subject: str
    values: tuple[ConflictValue, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Timings:
    """Milliseconds spent on one question."""

    embed: float
    search: float
    read: float
    total: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The immutable result of one question.

    `answered`: one to five citations ordered by how directly they answer; the markers in `text` are exactly
    theirs. `no_evidence`: no citations, `text` is the refusal, `hits` the nearest passages all the same.
    `confidence` is the calibrated probability that the citations answer the question, `strength` that in a word.
    `written_by` is the language model whose sentences `text` holds, None where `text` is the quotes themselves; `note`
    is one line on why a language model that was asked did not write it.
    """

    id: str
    question: str
    question_language: Language
    standalone_question: str
    status: Status
    confidence: float
    text: str
    citations: tuple[Citation, ...]
    conflicts: tuple[Conflict, ...]
    hits: tuple[Hit, ...]
    timings: Timings
    strength: Strength = "none"
    written_by: str | None = None
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One claim of a brief and the citations that it stands on."""

    text: str
    markers: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Brief:
    """A topic told in points. `answer.question` is the topic; without evidence there are no points."""

    answer: Answer
    points: tuple[Point, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What a reader asked: `history` is the earlier questions of the conversation, oldest first."""

    text: str
    id: str = ""
    history: tuple[str, ...] = ()
    language: Language | None = None
    """The language of the frame around the quotes; None follows the question's own."""

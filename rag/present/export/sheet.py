"""All that an export of a brief tells, in one record, so that every format tells the same in the same order."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Literal
from urllib.parse import quote as percent_encoded
from urllib.parse import urlsplit

from rag.datatypes import Answer, Article, Brief, Citation, Conflict
from rag.present.strings import DEFAULT_LANGUAGE, strings
from rag.text import detect_language

Articles = Mapping[str, Article]
Strings = Mapping[str, str]
Way = Literal["rtl", "ltr"]

COLUMNS = ("value", "article", "date", "sentence")
_POINT = "point_"
_UNWRITABLE = re.compile("[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 has no way to hold: control characters, halves of surrogate pairs, U+FFFE and U+FFFF."""
_LONGEST_URL = 2000
"""Word calls a document damaged over an address of more than 2,083 characters."""
_URL_MARKS = ":/?#[]@!$&'()*+,;=%"


@dataclass(frozen=True, slots=True, kw_only=True)
class Quoted:
    """A quote, and the markers of every citation with these words. Links find it by its `place`, as the others."""

    place: str
    article_id: str
    title: str
    quote: str
    markers: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One of the values on which sources differ."""

    place: str
    value: str
    title: str
    date: str
    marker: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """What sources differ on, and the value of each."""

    subject: str
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where a quote stands, and where it is first cited (`back`).

    `facts` are outlet and author where known, the date or that there is none, and the file. `quote` is empty where a
    point tells it: what only a table cites is told with its source.
    """

    place: str
    back: str
    marker: int
    article_id: str
    title: str
    quote: str
    facts: tuple[str, ...]
    start: int
    end: int
    url: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """All that an export tells; its texts hold nothing that a file could not. A refusal has no points."""

    language: str
    topic: str
    refusal: str = ""
    points: tuple[Quoted, ...] = ()
    tables: tuple[Table, ...] = ()
    sources: tuple[Source, ...] = ()

    @property
    def words(self) -> Strings:
        """The words around the quotes."""
        return strings(self.language)

    @property
    def way(self) -> Way:
        """The direction of those words."""
        return "rtl" if self.language == "ar" else "ltr"

    @property
    def groups(self) -> list[tuple[str, list[Quoted]]]:
        """The titles of the articles, in the order of the points, and the points under each."""
        groups = [list(points) for _, points in groupby(self.points, key=lambda point: point.article_id)]
        return [(points[0].title, points) for points in groups]

    @property
    def articles(self) -> int:
        """How many articles are quoted."""
        return len({source.article_id for source in self.sources})


def make_sheet(brief: Brief | Answer, articles: Articles, language: str) -> Sheet:
    """What is told of a brief, in the words of `language`; `articles` by id say what is known of the sources."""
    answer = brief.answer if isinstance(brief, Brief) else brief
    frame = DEFAULT_LANGUAGE if language == "und" else language
    words = strings(frame)
    topic = clean(answer.question)
    cited = {citation.marker: citation for citation in answer.citations}
    points = _points(brief, cited)
    if not points:
        return Sheet(language=frame, topic=topic, refusal=_refusal(answer, words))
    tables = tuple(_table(number, conflict, cited, words) for number, conflict in enumerate(answer.conflicts, 1))
    cited_at = _first_places(points, tables)
    sources = tuple(
        _source(citation, articles[citation.article_id], cited_at[marker], words)
        for marker, citation in cited.items()
        if marker in cited_at
    )
    return Sheet(language=frame, topic=topic, points=points, tables=tables, sources=sources)


def _points(brief: Brief | Answer, cited: Mapping[int, Citation]) -> tuple[Quoted, ...]:
    """Every quote of a point by itself; the same words under several markers once."""
    told = [point.markers for point in brief.points] if isinstance(brief, Brief) else [(marker,) for marker in cited]
    quotes: list[list[Citation]] = []
    for markers in told:
        same: dict[str, list[Citation]] = {}
        for marker in markers:
            same.setdefault(cited[marker].quote, []).append(cited[marker])
        quotes.extend(same.values())
    return tuple(
        Quoted(
            place=f"{_POINT}{number}",
            article_id=first.article_id,
            title=clean(first.title),
            quote=clean(first.quote),
            markers=(first.marker, *(other.marker for other in others)),
        )
        for number, (first, *others) in enumerate(quotes, start=1)
    )


def _table(number: int, conflict: Conflict, cited: Mapping[int, Citation], words: Strings) -> Table:
    rows = (
        Row(
            place=f"value_{number}_{at}",
            value=clean(value.value),
            title=clean(cited[value.citation].title),
            date=clean(cited[value.citation].date or words["date.undated"]),
            marker=value.citation,
        )
        for at, value in enumerate(conflict.values, start=1)
    )
    return Table(subject=clean(conflict.subject), rows=tuple(rows))


def _first_places(points: Sequence[Quoted], tables: Sequence[Table]) -> dict[int, str]:
    """Marker to the first place that cites it; those of points come before those of tables."""
    places: dict[int, str] = {}
    for point in points:
        for marker in point.markers:
            places.setdefault(marker, point.place)
    for table in tables:
        for row in table.rows:
            places.setdefault(row.marker, row.place)
    return places


def _source(citation: Citation, article: Article, cited_at: str, words: Strings) -> Source:
    facts = (article.outlet, article.author, citation.date or words["date.undated"], citation.source)
    return Source(
        place=source_place(citation.marker),
        back=cited_at,
        marker=citation.marker,
        article_id=citation.article_id,
        title=clean(citation.title),
        quote="" if cited_at.startswith(_POINT) else clean(citation.quote),
        facts=tuple(clean(fact) for fact in facts if fact),
        start=citation.start,
        end=citation.end,
        url=_web_url(article.url),
    )


def source_place(marker: int) -> str:
    """Where links find the source of a marker."""
    return f"source_{marker}"


def _refusal(answer: Answer, words: Strings) -> str:
    """The words of the refusal, less the promise of passages below, which an export does not show."""
    if answer.status != "no_evidence":
        return words["answer.refusal"]
    promise = strings(detect_language(answer.text))["answer.refusal.nearest"]
    return clean(answer.text.removesuffix(promise).strip())


def clean(text: str) -> str:
    """`text` with a line feed for every end of line, and U+FFFD for what no file can hold."""
    return _UNWRITABLE.sub("\ufffd", re.sub(r"\r\n?", "\n", text))


def _web_url(url: str | None) -> str | None:
    """`url` if it is the address of a web page, else None: what else a link may do is not an article's to say."""
    try:
        parts = urlsplit(clean(url or ""))
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.port == 0:
            return None
    except ValueError:  # a port or an IPv6 address that is none
        return None
    return parts.geturl() if len(href(parts.geturl())) <= _LONGEST_URL else None


def href(url: str) -> str:
    """`url` in ASCII, as a link holds it; what is encoded already stays as it is."""
    return re.sub("%(?![0-9A-Fa-f]{2})", "%25", percent_encoded(url, safe=_URL_MARKS))

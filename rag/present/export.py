"""A brief, or a plain answer, as a file to keep: Markdown, one HTML page that needs nothing else, or DOCX.

All three are written from one `_Sheet`, so they tell the same in the same order. What it shows are the quotes of
citations, never other words of a point, so that its last line is true: every point is quoted word for word.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from itertools import count, groupby
from pathlib import Path
from typing import Literal
from urllib.parse import quote as percent_encoded
from urllib.parse import urlsplit
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from docx import Document
from docx.enum.table import WD_TABLE_DIRECTION
from docx.opc.constants import RELATIONSHIP_TYPE
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.oxml.xmlchemy import BaseOxmlElement
from docx.shared import Mm, RGBColor
from docx.text.paragraph import Paragraph
from docx.text.run import Run
from markupsafe import Markup

from rag.datatypes import Answer, Article, Brief, Citation, Conflict
from rag.errors import RagError, UsageError
from rag.present.html import directed, interface, join
from rag.present.strings import DEFAULT_LANGUAGE, strings
from rag.text import detect_language, direction

Articles = Mapping[str, Article]
Strings = Mapping[str, str]
Way = Literal["rtl", "ltr"]

_COLUMNS = ("value", "article", "date", "sentence")
_POINT = "point_"
_UNWRITABLE = re.compile("[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 has no way to hold: control characters, halves of surrogate pairs, U+FFFE and U+FFFF."""
_LONGEST_URL = 2000
"""Word calls a document damaged over an address of more than 2,083 characters."""
_URL_MARKS = ":/?#[]@!$&'()*+,;=%"


class ExportError(RagError):
    """The file cannot be written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Point:
    """A quote, and the markers of every citation with these words. Links find it by its `place`, as the others."""

    place: str
    article_id: str
    title: str
    quote: str
    markers: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    """One of the values on which sources differ."""

    place: str
    value: str
    title: str
    date: str
    marker: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Table:
    """What sources differ on, and the value of each."""

    subject: str
    rows: tuple[_Row, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Source:
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
class _Sheet:
    """All that an export tells; its texts hold nothing that a file could not. A refusal has no points."""

    language: str
    topic: str
    refusal: str = ""
    points: tuple[_Point, ...] = ()
    tables: tuple[_Table, ...] = ()
    sources: tuple[_Source, ...] = ()

    @property
    def words(self) -> Strings:
        return strings(self.language)

    @property
    def way(self) -> Way:
        return "rtl" if self.language == "ar" else "ltr"

    @property
    def groups(self) -> list[tuple[str, list[_Point]]]:
        """The titles of the articles, in the order of the points, and the points under each."""
        groups = [list(points) for _, points in groupby(self.points, key=lambda point: point.article_id)]
        return [(points[0].title, points) for points in groups]

    @property
    def articles(self) -> int:
        return len({source.article_id for source in self.sources})


def write_brief(path: Path, brief: Brief | Answer, articles: Articles, language: str) -> None:
    """Write `brief` in the format that the suffix of `path` names: .md, .html or .docx.

    Raises:
        UsageError: the suffix is another one, or there are no strings for `language`.
        ExportError: the file cannot be written.
    """
    written_as = _FORMATS.get(path.suffix.lower())
    if written_as is None:
        raise UsageError(f"{path}: cannot tell the format; end the name in {', '.join(_FORMATS)}")
    content = written_as(brief, articles, language)
    try:
        path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
    except OSError as error:
        raise ExportError(f"{path}: cannot be written ({error.strerror or error}); check the folder") from error


def _sheet(brief: Brief | Answer, articles: Articles, language: str) -> _Sheet:
    answer = brief.answer if isinstance(brief, Brief) else brief
    frame = DEFAULT_LANGUAGE if language == "und" else language
    words = strings(frame)
    topic = _clean(answer.question)
    cited = {citation.marker: citation for citation in answer.citations}
    points = _points(brief, cited)
    if not points:
        return _Sheet(language=frame, topic=topic, refusal=_refusal(answer, words))
    tables = tuple(_table(number, conflict, cited, words) for number, conflict in enumerate(answer.conflicts, 1))
    cited_at = _first_places(points, tables)
    sources = tuple(
        _source(citation, articles[citation.article_id], cited_at[marker], words)
        for marker, citation in cited.items()
        if marker in cited_at
    )
    return _Sheet(language=frame, topic=topic, points=points, tables=tables, sources=sources)


def _points(brief: Brief | Answer, cited: Mapping[int, Citation]) -> tuple[_Point, ...]:
    """Every quote of a point by itself; the same words under several markers once."""
    told = [point.markers for point in brief.points] if isinstance(brief, Brief) else [(marker,) for marker in cited]
    quotes: list[list[Citation]] = []
    for markers in told:
        same: dict[str, list[Citation]] = {}
        for marker in markers:
            same.setdefault(cited[marker].quote, []).append(cited[marker])
        quotes.extend(same.values())
    return tuple(
        _Point(
            place=f"{_POINT}{number}",
            article_id=first.article_id,
            title=_clean(first.title),
            quote=_clean(first.quote),
            markers=(first.marker, *(other.marker for other in others)),
        )
        for number, (first, *others) in enumerate(quotes, start=1)
    )


def _table(number: int, conflict: Conflict, cited: Mapping[int, Citation], words: Strings) -> _Table:
    rows = (
        _Row(
            place=f"value_{number}_{at}",
            value=_clean(value.value),
            title=_clean(cited[value.citation].title),
            date=_clean(cited[value.citation].date or words["date.undated"]),
            marker=value.citation,
        )
        for at, value in enumerate(conflict.values, start=1)
    )
    return _Table(subject=_clean(conflict.subject), rows=tuple(rows))


def _first_places(points: Sequence[_Point], tables: Sequence[_Table]) -> dict[int, str]:
    """Marker to the first place that cites it; those of points come before those of tables."""
    places: dict[int, str] = {}
    for point in points:
        for marker in point.markers:
            places.setdefault(marker, point.place)
    for table in tables:
        for row in table.rows:
            places.setdefault(row.marker, row.place)
    return places


def _source(citation: Citation, article: Article, cited_at: str, words: Strings) -> _Source:
    facts = (article.outlet, article.author, citation.date or words["date.undated"], citation.source)
    return _Source(
        place=_source_place(citation.marker),
        back=cited_at,
        marker=citation.marker,
        article_id=citation.article_id,
        title=_clean(citation.title),
        quote="" if cited_at.startswith(_POINT) else _clean(citation.quote),
        facts=tuple(_clean(fact) for fact in facts if fact),
        start=citation.start,
        end=citation.end,
        url=_web_url(article.url),
    )


def _source_place(marker: int) -> str:
    return f"source_{marker}"


def _refusal(answer: Answer, words: Strings) -> str:
    """The words of the refusal, less the promise of passages below, which an export does not show."""
    if answer.status != "no_evidence":
        return words["answer.refusal"]
    promise = strings(detect_language(answer.text))["answer.refusal.nearest"]
    return _clean(answer.text.removesuffix(promise).strip())


def _clean(text: str) -> str:
    """`text` with a line feed for every end of line, and U+FFFD for what no file can hold."""
    return _UNWRITABLE.sub("\ufffd", re.sub(r"\r\n?", "\n", text))


def _web_url(url: str | None) -> str | None:
    """`url` if it is the address of a web page, else None: what else a link may do is not an article's to say."""
    try:
        parts = urlsplit(_clean(url or ""))
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.port == 0:
            return None
    except ValueError:  # a port or an IPv6 address that is none
        return None
    return parts.geturl() if len(_href(parts.geturl())) <= _LONGEST_URL else None


def _href(url: str) -> str:
    """`url` in ASCII, as a link holds it; what is encoded already stays as it is."""
    return re.sub("%(?![0-9A-Fa-f]{2})", "%25", percent_encoded(url, safe=_URL_MARKS))


# Markdown, as GitHub reads it.

_SIGNIFICANT = re.compile(r"^[-+]|^\d+[.)]|\.(?=\w)|:(?=/)|[\\`*_{}\[\]~|^<>&@#$\n]")
"""Marks where they could mean something: a list's only at the start, a web address's only inside a word."""
_INSTEAD = {
    "\n": "<br>",
    # Entities: not every reader of Markdown knows a backslash before these.
    "<": "&lt;",
    ">": "&gt;",
    "&": "&amp;",
    # GitHub looks for addresses, names, issues and formulas once the backslashes are gone.
    "@": "<span>@</span>",
    "#": "<span>#</span>",
    "$": "<span>$</span>",
}


def brief_markdown(brief: Brief | Answer, articles: Articles, language: str) -> str:
    """`brief` as Markdown with footnotes; what is written from right to left stands in blocks that say so.

    Args:
        brief: What to tell.
        articles: By id, for what is known of the sources.
        language: Of the words around the quotes.
    """
    blocks: list[str] = []
    for way, run in groupby(_markdown_blocks(_sheet(brief, articles, language)), key=lambda block: block[0]):
        texts = [text for _, text in run]
        # Between the tags Markdown is read as such only after an empty line.
        blocks += ['<div dir="rtl">', *texts, "</div>"] if way == "rtl" else texts
    return "\n\n".join(blocks) + "\n"


def _markdown_blocks(sheet: _Sheet) -> Iterator[tuple[Way, str]]:
    """Each block and its direction."""
    words, way = sheet.words, sheet.way
    yield direction(sheet.topic), f"# {_escaped(sheet.topic)}"
    if not sheet.points:
        yield direction(sheet.refusal), _escaped(sheet.refusal)
        return
    for title, points in sheet.groups:
        yield direction(title), f"## {_escaped(title)}"
        for point in points:
            notes = " ".join(f"[^{marker}]" for marker in point.markers)
            yield direction(point.quote), f"- {_escaped(point.quote)} {notes}"
    if sheet.tables:
        yield way, f"## {words['export.differ']}"
    for table in sheet.tables:
        yield direction(table.subject), f"### {_escaped(table.subject)}"
        yield way, _markdown_table(table, sheet)
    # Before the sources: GitHub moves footnotes to the end, wherever they stand.
    yield way, words["export.closing"].format(count=sheet.articles)
    yield way, f"## {words['export.sources']}"
    for source in sheet.sources:
        yield "ltr", _markdown_source(source, words)


def _markdown_table(table: _Table, sheet: _Sheet) -> str:
    rows = [[sheet.words[f"page.conflict.{name}"] for name in _COLUMNS], ["---"] * len(_COLUMNS)]
    for row in table.rows:
        cells = (_isolated(text, sheet.way) for text in (row.value, row.title, row.date))
        rows.append([*cells, f"[^{row.marker}]"])
    return "\n".join(f"| {' | '.join(cells)} |" for cells in rows)


def _markdown_source(source: _Source, words: Strings) -> str:
    """A footnote. A block around it would be left empty when GitHub moves it, so its direction is set inside."""
    way = direction(source.title)
    span = words["export.span"].format(start=source.start, end=source.end)
    facts = [_isolated(fact, way) for fact in (source.title, *source.facts, span)]
    if source.url:
        # Read as Markdown, `&copy=` in an address would be a sign of its own.
        facts.append(f"[{_isolated(source.url, way)}](<{_href(source.url).replace('&', '&amp;')}>)")
    lines = [" · ".join(filter(None, facts)), *([_isolated(source.quote, way)] if source.quote else [])]
    blocks = ['<div dir="rtl">', *lines, "</div>"] if way == "rtl" else lines
    return f"[^{source.marker}]: " + "\n\n    ".join(blocks)


def _isolated(text: str, around: Way) -> str:
    """`text` as Markdown, kept apart where it runs against the direction around it."""
    way = direction(text)
    return _escaped(text) if way == around else f'<span dir="{way}">{_escaped(text)}</span>'


def _escaped(text: str) -> str:
    """`text` as one line of Markdown that shows it and does nothing else."""
    return _SIGNIFICANT.sub(_instead, text.strip())


def _instead(mark: re.Match[str]) -> str:
    found = mark.group()
    return _INSTEAD.get(found, f"{found[:-1]}\\{found[-1]}")


# HTML.

_STYLE = Markup("""
:root { color-scheme: light dark; --ink: #1f1e1b; --soft: #5f5b53; --sheet: #fffefb; --line: #ddd7ca; --link: #1a5451; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #ece8df; --soft: #aaa498; --sheet: #1c1b19; --line: #45413a; --link: #8cc6c0; }
}
body { margin: 0; background: var(--sheet); color: var(--ink); overflow-wrap: anywhere;
  font: 1.1rem/1.8 Georgia, "Noto Naskh Arabic", "Geeza Pro", "Times New Roman", serif; }
main { max-width: 42rem; margin: 0 auto; padding: 2rem 1.25rem 4rem; }
h1, h2, p, li, caption, th, td { text-align: start; }
h1 { margin: 0 0 1.5rem; font-size: 1.75rem; line-height: 1.4; }
h2 { margin: 2.2rem 0 0.8rem; font-size: 1.2rem; line-height: 1.5; }
ul, ol { margin: 0; padding: 0; list-style: none; }
li { margin-block-end: 0.9rem; }
.points li { padding-inline-start: 1rem; border-inline-start: 3px solid var(--line); }
q { quotes: none; white-space: pre-line; }
cite { font-style: normal; }
a { color: var(--link); }
.marker { text-decoration: none; }
table { width: 100%; margin-block-end: 1.2rem; border-collapse: collapse; }
caption { margin-block-end: 0.3rem; font-weight: bold; }
th, td { padding: 0.35rem 0.6rem; border: 1px solid var(--line); vertical-align: top; }
th, .facts, .closing { color: var(--soft); font-size: 0.9rem; }
.closing { margin-block-start: 2rem; padding-block-start: 0.8rem; border-block-start: 1px solid var(--line); }
:target { background: color-mix(in srgb, var(--link) 14%, transparent); }
@media print {
  :root { --ink: #000; --soft: #444; --sheet: #fff; --line: #bbb; --link: #000; }
  body { font-size: 11pt; }
  main { max-width: none; padding: 0; }
  li, tr { break-inside: avoid; }
  h2, caption { break-after: avoid; }
}
@page { margin: 2cm; }
""")

# Nothing is ever loaded, and the page could not if some of its text wanted to.
_PAGE = Markup("""<!doctype html>
<html {}>
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="referrer" content="no-referrer">
<title>{}</title>
<style>{}</style>
</head>
<body>
<main>
{}
</main>
</body>
</html>
""")


def brief_html(brief: Brief | Answer, articles: Articles, language: str) -> str:
    """`brief` as one HTML page that loads nothing, for screens light and dark and for paper.

    Args:
        brief: What to tell.
        articles: By id, for what is known of the sources.
        language: Of the page, `ar` or `en`.
    """
    sheet = _sheet(brief, articles, language)
    heading = Markup("<h1 {}>{}</h1>").format(directed(sheet.topic), sheet.topic)
    body = _html_body(sheet) if sheet.points else [_html_text("p", sheet.refusal)]
    return str(_PAGE.format(interface(sheet.language), sheet.topic, _STYLE, Markup("\n").join([heading, *body])))


def _html_body(sheet: _Sheet) -> list[Markup]:
    words = sheet.words
    blocks: list[Markup] = []
    for title, points in sheet.groups:
        told = join(map(_html_point, points))
        blocks += [_html_text("h2", title), Markup('<ul class="points">{}</ul>').format(told)]
    if sheet.tables:
        blocks += [_html_text("h2", words["export.differ"]), *(_html_table(table, words) for table in sheet.tables)]
    sources = join(_html_source(source, sheet) for source in sheet.sources)
    blocks += [_html_text("h2", words["export.sources"]), Markup('<ol class="sources">{}</ol>').format(sources)]
    closing = Markup(words["export.closing"]).format(count=_bdi(sheet.articles))
    return [*blocks, Markup('<p class="closing">{}</p>').format(closing)]


def _html_text(tag: str, text: str) -> Markup:
    return Markup("<{} {}>{}</{}>").format(tag, directed(text), text, tag)


def _html_point(point: _Point) -> Markup:
    return Markup('<li id="{}" {}>{}&nbsp;{}</li>').format(
        point.place, directed(point.quote), _html_text("q", point.quote), join(map(_html_marker, point.markers))
    )


def _html_marker(marker: int) -> Markup:
    return Markup('<bdi><a class="marker" href="#{}">[{}]</a></bdi>').format(_source_place(marker), marker)


def _html_table(table: _Table, words: Strings) -> Markup:
    heads = join(Markup('<th scope="col">{}</th>').format(words[f"page.conflict.{name}"]) for name in _COLUMNS)
    rows = join(
        Markup('<tr id="{}"><td>{}</td>{}<td>{}</td><td>{}</td></tr>').format(
            row.place, _bdi(row.value), _html_text("td", row.title), _bdi(row.date), _html_marker(row.marker)
        )
        for row in table.rows
    )
    return Markup("<table>{}<thead><tr>{}</tr></thead><tbody>{}</tbody></table>").format(
        _html_text("caption", table.subject), heads, rows
    )


def _html_source(source: _Source, sheet: _Sheet) -> Markup:
    words = sheet.words
    span = Markup(words["export.span"]).format(start=_bdi(source.start), end=_bdi(source.end))
    facts = [*(_html_text("bdi", fact) for fact in source.facts), span]
    if source.url:
        link = Markup('<bdi dir="ltr"><a href="{}" rel="noreferrer">{}</a></bdi>')
        facts.append(link.format(_href(source.url), source.url))
    return Markup(
        '<li id="{}" {}><bdi><a class="marker" href="#{}" title="{}">[{}]</a></bdi> {}{}'
        '<div class="facts" {}>{}</div></li>'
    ).format(
        source.place,
        directed(source.title),
        source.back,
        words["export.back"],
        source.marker,
        _html_text("cite", source.title),
        Markup("<div>{}</div>").format(_html_text("q", source.quote)) if source.quote else "",
        interface(sheet.language),
        Markup(" · ").join(facts),
    )


def _bdi(text: str | int) -> Markup:
    return Markup("<bdi>{}</bdi>").format(text)


# DOCX.

_MADE = datetime(1980, 1, 1)
"""The earliest day that a zip file can bear: the same brief must give the same bytes."""
_LONGEST_TITLE = 255
_LINK_COLOUR = RGBColor(0x1A, 0x54, 0x51)
_STRONG: Mapping[str, Way] = {"L": "ltr", "R": "rtl", "AL": "rtl"}


def brief_docx(brief: Brief | Answer, articles: Articles, language: str) -> bytes:
    """`brief` as a Word document on A4, the same bytes for the same brief.

    Args:
        brief: What to tell.
        articles: By id, for what is known of the sources.
        language: Of the words around the quotes.
    """
    return _DocxWriter(_sheet(brief, articles, language)).write()


class _DocxWriter:
    """Writes one sheet with python-docx, and what that has no words for (links, directions) as elements."""

    def __init__(self, sheet: _Sheet) -> None:
        self._sheet = sheet
        self._document = Document()
        self._bookmarks = count(1)

    def write(self) -> bytes:
        self._set_up()
        self._paragraph(self._sheet.topic, "Title")
        if self._sheet.points:
            self._body()
        else:
            self._paragraph(self._sheet.refusal)
        package = BytesIO()
        self._document.save(package)
        return _undated(package)

    def _set_up(self) -> None:
        core, section = self._document.core_properties, self._document.sections[0]
        core.title, core.language = self._sheet.topic[:_LONGEST_TITLE], self._sheet.language
        core.author, core.comments = "Sanad", ""
        core.created = core.modified = _MADE
        section.page_width, section.page_height = Mm(210), Mm(297)
        section.left_margin = section.right_margin = Mm(25)
        # The template names a font for East Asian text only; without this the theme has none for Arabic.
        _find(self._document.settings.element, "w:themeFontLang").set(qn("w:bidi"), "ar-SA")
        if self._sheet.way == "rtl":
            _find(self._document.element.body, "w:docGrid").addprevious(OxmlElement("w:bidi"))

    def _body(self) -> None:
        sheet, words = self._sheet, self._sheet.words
        for title, points in sheet.groups:
            self._paragraph(title, "Heading 1")
            for point in points:
                paragraph = self._paragraph(f"{point.quote} ", "List Bullet", place=point.place)
                for marker in point.markers:
                    self._link(paragraph, f"[{marker}]", place=_source_place(marker))
        if sheet.tables:
            self._paragraph(words["export.differ"], "Heading 1")
        for table in sheet.tables:
            self._paragraph(table.subject, "Heading 2")
            self._table(table)
        self._paragraph(words["export.sources"], "Heading 1")
        for source in sheet.sources:
            self._source(source)
        self._paragraph(words["export.closing"].format(count=sheet.articles))

    def _paragraph(self, text: str, style: str = "Normal", *, place: str = "") -> Paragraph:
        paragraph = self._document.add_paragraph(style=style)
        self._fill(paragraph, text, direction(text), place=place)
        return paragraph

    def _fill(self, paragraph: Paragraph, text: str, way: Way, *, place: str = "", bold: bool = False) -> None:
        """Give a paragraph its direction, the bookmark `place` if there is one, and its text."""
        if way == "rtl":
            # Last of the properties so far, as the schema wants it.
            paragraph._p.get_or_add_pPr().append(OxmlElement("w:bidi"))
        if place:
            number = str(next(self._bookmarks))
            paragraph._p.append(_element("w:bookmarkStart", {"w:id": number, "w:name": place}))
            paragraph._p.append(_element("w:bookmarkEnd", {"w:id": number}))
        for run in _add_runs(paragraph._p, text, direction(text)):
            run.font.bold = run.font.cs_bold = bold or None

    def _link(self, paragraph: Paragraph, text: str, *, place: str = "", url: str = "") -> None:
        """A link to a bookmark of this document, or to a web page."""
        if place:
            target = {"w:anchor": place, "w:history": "1"}
        else:
            relation = self._document.part.relate_to(_href(url), RELATIONSHIP_TYPE.HYPERLINK, is_external=True)
            target = {"r:id": relation, "w:history": "1"}
        link = _element("w:hyperlink", target)
        for run in _add_runs(link, text, direction(text)):
            run.font.color.rgb, run.font.underline = _LINK_COLOUR, True
        paragraph._p.append(link)

    def _table(self, table: _Table) -> None:
        shown = self._document.add_table(rows=1 + len(table.rows), cols=len(_COLUMNS), style="Table Grid")
        if self._sheet.way == "rtl":
            shown.table_direction = WD_TABLE_DIRECTION.RTL
        cells = [[cell.paragraphs[0] for cell in row.cells] for row in shown.rows]
        for name, head in zip(_COLUMNS, cells[0], strict=True):
            self._fill(head, self._sheet.words[f"page.conflict.{name}"], self._sheet.way, bold=True)
        for row, (value, title, date, sentence) in zip(table.rows, cells[1:], strict=True):
            self._fill(value, row.value, self._sheet.way, place=row.place)
            self._fill(title, row.title, direction(row.title))
            self._fill(date, row.date, self._sheet.way)
            self._fill(sentence, "", self._sheet.way)
            self._link(sentence, f"[{row.marker}]", place=_source_place(row.marker))

    def _source(self, source: _Source) -> None:
        """The marker and the title, and below them the facts, in the direction of the page, and the address."""
        title = self._document.add_paragraph()
        title.paragraph_format.keep_with_next = True
        self._fill(title, "", direction(source.title), place=source.place)
        self._link(title, f"[{source.marker}]", place=source.back)
        _add_runs(title._p, f" {source.title}", direction(source.title))
        if source.quote:
            self._paragraph(source.quote).paragraph_format.keep_with_next = True
        facts, way = self._document.add_paragraph(), self._sheet.way
        self._fill(facts, "", way)
        for fact in source.facts:
            # Embedded in its own direction: in Arabic, the digits of "001_a.txt" would change places.
            embedded = _element("w:dir", {"w:val": direction(fact)})
            _add_runs(embedded, fact, direction(fact))
            facts._p.append(embedded)
            _add_runs(facts._p, " · ", way)
        span = self._sheet.words["export.span"].format(start=source.start, end=source.end)
        _add_runs(facts._p, span, way)
        if source.url:
            self._link(self._paragraph(""), source.url, url=source.url)


def _add_runs(into: BaseOxmlElement, text: str, way: Way) -> list[Run]:
    """Put `text` into a paragraph or link, as a run wherever it turns round.

    Word leaves open what it does with Latin letters in a run marked as right to left.
    """
    runs = []
    for own, stretch in _stretches(text, way):
        element = OxmlElement("w:r")
        into.append(element)
        run = Run(element, into)
        run.text = stretch
        if own == "rtl":
            run.font.rtl = True
        runs.append(run)
    return runs


def _stretches(text: str, way: Way) -> list[tuple[Way, str]]:
    """`text` cut where its letters turn round; marks between go with the letters on both sides, else with `way`."""
    ways: list[Way | None] = []
    for char in text:
        kind = unicodedata.bidirectional(char)
        # A vowel sign parted from its letter would be drawn on a circle of dots.
        ways.append(ways[-1] if kind == "NSM" and ways else _STRONG.get(kind))
    for start, end in _unsettled(ways):
        before, after = ways[start - 1] if start else None, ways[end] if end < len(ways) else None
        ways[start:end] = [before if before and before == after else way] * (end - start)
    turns = groupby(zip(ways, text, strict=True), key=lambda pair: pair[0])
    return [(own or way, "".join(char for _, char in pairs)) for own, pairs in turns]


def _unsettled(ways: Sequence[Way | None]) -> list[tuple[int, int]]:
    """Where marks follow one another, half-open."""
    found, at = [], 0
    for own, run in groupby(ways):
        length = len(list(run))
        if own is None:
            found.append((at, at + length))
        at += length
    return found


def _element(tag: str, attributes: Mapping[str, str]) -> BaseOxmlElement:
    element = OxmlElement(tag)
    for name, value in attributes.items():
        element.set(qn(name), value)
    return element


def _find(element: BaseOxmlElement, tag: str) -> BaseOxmlElement:
    """The first `tag` inside, which python-docx's template has."""
    found: BaseOxmlElement = next(element.iter(qn(tag)))
    return found


def _undated(package: BytesIO) -> bytes:
    """The same zip file, each of its parts dated alike: python-docx dates them by the clock."""
    undated = BytesIO()
    with ZipFile(package) as parts, ZipFile(undated, "w") as written:
        for name in parts.namelist():
            part = ZipInfo(name, (_MADE.year, _MADE.month, _MADE.day, 0, 0, 0))
            part.create_system = 0  # the same on every system
            written.writestr(part, parts.read(name), compress_type=ZIP_DEFLATED)
    return undated.getvalue()


_FORMATS: Mapping[str, Callable[[Brief | Answer, Articles, str], str | bytes]] = {
    ".md": brief_markdown,
    ".html": brief_html,
    ".docx": brief_docx,
}

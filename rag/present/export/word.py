"""A brief as a Word document."""

import unicodedata
from collections.abc import Mapping, Sequence
from datetime import datetime
from io import BytesIO
from itertools import count, groupby
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

from rag.datatypes import Answer, Brief
from rag.present.export.sheet import (
    COLUMNS,
    Articles,
    Sheet,
    Source,
    Table,
    Way,
    href,
    make_sheet,
    source_place,
)
from rag.text import direction

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
    return _DocxWriter(make_sheet(brief, articles, language)).write()


class _DocxWriter:
    """Writes one sheet with python-docx, and what that has no words for (links, directions) as elements."""

    def __init__(self, sheet: Sheet) -> None:
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
                    self._link(paragraph, f"[{marker}]", place=source_place(marker))
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
            relation = self._document.part.relate_to(href(url), RELATIONSHIP_TYPE.HYPERLINK, is_external=True)
            target = {"r:id": relation, "w:history": "1"}
        link = _element("w:hyperlink", target)
        for run in _add_runs(link, text, direction(text)):
            run.font.color.rgb, run.font.underline = _LINK_COLOUR, True
        paragraph._p.append(link)

    def _table(self, table: Table) -> None:
        shown = self._document.add_table(rows=1 + len(table.rows), cols=len(COLUMNS), style="Table Grid")
        if self._sheet.way == "rtl":
            shown.table_direction = WD_TABLE_DIRECTION.RTL
        cells = [[cell.paragraphs[0] for cell in row.cells] for row in shown.rows]
        for name, head in zip(COLUMNS, cells[0], strict=True):
            self._fill(head, self._sheet.words[f"page.conflict.{name}"], self._sheet.way, bold=True)
        for row, (value, title, date, sentence) in zip(table.rows, cells[1:], strict=True):
            self._fill(value, row.value, self._sheet.way, place=row.place)
            self._fill(title, row.title, direction(row.title))
            self._fill(date, row.date, self._sheet.way)
            self._fill(sentence, "", self._sheet.way)
            self._link(sentence, f"[{row.marker}]", place=source_place(row.marker))

    def _source(self, source: Source) -> None:
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

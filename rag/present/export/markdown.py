"""A brief as Markdown, as GitHub reads it."""

import re
from collections.abc import Iterator
from itertools import groupby

from rag.datatypes import Answer, Brief
from rag.present.export.sheet import COLUMNS, Articles, Sheet, Source, Strings, Table, Way, href, make_sheet
from rag.text import direction

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
    for way, run in groupby(_markdown_blocks(make_sheet(brief, articles, language)), key=lambda block: block[0]):
        texts = [text for _, text in run]
        # Between the tags Markdown is read as such only after an empty line.
        blocks += ['<div dir="rtl">', *texts, "</div>"] if way == "rtl" else texts
    return "\n\n".join(blocks) + "\n"


def _markdown_blocks(sheet: Sheet) -> Iterator[tuple[Way, str]]:
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


def _markdown_table(table: Table, sheet: Sheet) -> str:
    rows = [[sheet.words[f"page.conflict.{name}"] for name in COLUMNS], ["---"] * len(COLUMNS)]
    for row in table.rows:
        cells = (_isolated(text, sheet.way) for text in (row.value, row.title, row.date))
        rows.append([*cells, f"[^{row.marker}]"])
    return "\n".join(f"| {' | '.join(cells)} |" for cells in rows)


def _markdown_source(source: Source, words: Strings) -> str:
    """A footnote. A block around it would be left empty when GitHub moves it, so its direction is set inside."""
    way = direction(source.title)
    span = words["export.span"].format(start=source.start, end=source.end)
    facts = [_isolated(fact, way) for fact in (source.title, *source.facts, span)]
    if source.url:
        # Read as Markdown, `&copy=` in an address would be a sign of its own.
        facts.append(f"[{_isolated(source.url, way)}](<{href(source.url).replace('&', '&amp;')}>)")
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

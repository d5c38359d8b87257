"""A brief as one HTML page that needs nothing else."""

from markupsafe import Markup

from rag.datatypes import Answer, Brief
from rag.present.export.sheet import (
    COLUMNS,
    Articles,
    Quoted,
    Sheet,
    Source,
    Strings,
    Table,
    href,
    make_sheet,
    source_place,
)
from rag.present.html import directed, interface, join

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
    sheet = make_sheet(brief, articles, language)
    heading = Markup("<h1 {}>{}</h1>").format(directed(sheet.topic), sheet.topic)
    body = _html_body(sheet) if sheet.points else [_html_text("p", sheet.refusal)]
    return str(_PAGE.format(interface(sheet.language), sheet.topic, _STYLE, Markup("\n").join([heading, *body])))


def _html_body(sheet: Sheet) -> list[Markup]:
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


def _html_point(point: Quoted) -> Markup:
    return Markup('<li id="{}" {}>{}&nbsp;{}</li>').format(
        point.place, directed(point.quote), _html_text("q", point.quote), join(map(_html_marker, point.markers))
    )


def _html_marker(marker: int) -> Markup:
    return Markup('<bdi><a class="marker" href="#{}">[{}]</a></bdi>').format(source_place(marker), marker)


def _html_table(table: Table, words: Strings) -> Markup:
    heads = join(Markup('<th scope="col">{}</th>').format(words[f"page.conflict.{name}"]) for name in COLUMNS)
    rows = join(
        Markup('<tr id="{}"><td>{}</td>{}<td>{}</td><td>{}</td></tr>').format(
            row.place, _bdi(row.value), _html_text("td", row.title), _bdi(row.date), _html_marker(row.marker)
        )
        for row in table.rows
    )
    return Markup("<table>{}<thead><tr>{}</tr></thead><tbody>{}</tbody></table>").format(
        _html_text("caption", table.subject), heads, rows
    )


def _html_source(source: Source, sheet: Sheet) -> Markup:
    words = sheet.words
    span = Markup(words["export.span"]).format(start=_bdi(source.start), end=_bdi(source.end))
    facts = [*(_html_text("bdi", fact) for fact in source.facts), span]
    if source.url:
        link = Markup('<bdi dir="ltr"><a href="{}" rel="noreferrer">{}</a></bdi>')
        facts.append(link.format(href(source.url), source.url))
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

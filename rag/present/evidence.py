"""The evidence panel as HTML: each citation of an answer, marked in its article with what surrounds it."""

from collections.abc import Mapping

from markupsafe import Markup

from rag.datatypes import Article, Citation
from rag.present.html import Exchange, directed, interface, join, quote_part
from rag.present.strings import strings

SURROUNDING_CHARS = 3000
"""How much of the article is shown before and after a quote, in characters."""

_LINE_CHARS = 1000


def render_evidence(
    exchange: Exchange | None, articles: Mapping[str, Article], language: str, marker: int = 1
) -> Markup:
    """The citations of `exchange`, that of `marker` unfolded; a line of explanation where there are none."""
    words = strings(language)
    heading = Markup("<h2>{}</h2>").format(words["page.evidence"])
    answer = exchange.answer if exchange else None
    if exchange is None or answer is None or not answer.citations:
        key = "page.evidence.none" if answer else "page.evidence.empty"
        return Markup('<div {}>{}<p class="hint">{}</p></div>').format(interface(language), heading, words[key])
    citations = (
        _citation(exchange.number, citation, articles[citation.article_id], words, opened=citation.marker == marker)
        for citation in answer.citations
    )
    return Markup('<div {}>{}<p class="about" {}>{}</p>{}</div>').format(
        interface(language), heading, directed(exchange.question), exchange.question, join(citations)
    )


def _citation(number: int, citation: Citation, article: Article, words: Mapping[str, str], *, opened: bool) -> Markup:
    # One name for all of them, so that the browser folds the one before when another is unfolded.
    return Markup(
        '<details class="evidence" name="evidence-{}" id="evidence-{}-{}"{}><summary><bdi class="number">{}</bdi>'
        '<span class="source"><span class="title" {}>{}</span>{}</span></summary>'
        '<div class="article" tabindex="0" role="region" aria-label="{}" {}>{}</div>'
        '<a class="back" href="#exchange-{}">{}</a></details>'
    ).format(
        number,
        number,
        citation.marker,
        Markup(" open") if opened else "",
        citation.marker,
        directed(citation.title, article.language),
        citation.title,
        _byline(citation, words),
        citation.title,
        directed(article.text, article.language),
        _surroundings(citation, article, words),
        number,
        words["page.evidence.back"],
    )


def _byline(citation: Citation, words: Mapping[str, str]) -> Markup:
    """File name, date or "undated", and language, each isolated from the direction around it."""
    facts = (citation.source, citation.date or words["date.undated"], words[f"page.language.{citation.language}"])
    return Markup('<span class="byline">{}</span>').format(
        Markup(" · ").join(Markup("<bdi>{}</bdi>").format(fact) for fact in facts)
    )


def _surroundings(citation: Citation, article: Article, words: Mapping[str, str]) -> Markup:
    """Whole lines of the article around the quote, the quote marked, and a note wherever it goes on."""
    text = article.text
    start, end = max(0, citation.start - SURROUNDING_CHARS), min(len(text), citation.end + SURROUNDING_CHARS)
    # To the ends of their lines, unless a line is so long that it would all be shown.
    if start:
        start = text.rfind("\n", max(0, start - _LINE_CHARS), start) + 1 or start
    if end < len(text):
        end = max(end, text.find("\n", end, end + _LINE_CHARS))
    note = Markup('<p class="continues">… {} …</p>').format(words["page.evidence.continues"])
    return Markup("{}{}{}").format(
        note if start else "", join(_lines(citation, text, start, end)), note if end < len(text) else ""
    )


def _lines(citation: Citation, text: str, start: int, end: int) -> list[Markup]:
    """The lines of `text[start:end]` that hold anything; a quote over several lines is marked in each."""
    lines = []
    while start < end:
        stop = text.find("\n", start, end)
        stop = end if stop < 0 else stop
        if text[start:stop].strip():
            lines.append(Markup("<p>{}</p>").format(_marked(citation, text, start, stop)))
        start = stop + 1
    return lines


def _marked(citation: Citation, text: str, start: int, end: int) -> Markup:
    first, last = max(start, citation.start), min(end, citation.end)
    if first >= last:
        return Markup("{}").format(text[start:end])
    return Markup("{}<mark>{}</mark>{}").format(text[start:first], quote_part(citation, first, last), text[last:end])

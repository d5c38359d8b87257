"""Answers and hits as a person reads them in a terminal, in either direction of writing."""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby

from rag.datatypes import Answer, Article, Brief, Citation, Hit, Language
from rag.present.strings import strings
from rag.text import direction

_RTL, _LTR, _END = "\u2067", "\u2066", "\u2069"
_BIDI_CONTROLS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_BOLD, _PLAIN = "\x1b[1m", "\x1b[0m"
_NEAREST = 3
_EXCERPT_CHARS = 240


def render_answer(answer: Answer, articles: Mapping[str, Article], *, language: Language, bold: bool) -> str:
    """The cited sentences, best first, then their sources; or the refusal, then the nearest passages.

    Args:
        answer: What to show.
        articles: By id, to name the sources of passages.
        language: Of the words around the quotes.
        bold: Mark the words of a quote that answer by themselves with the terminal's bold.
    """
    words = strings(language)
    if answer.status == "no_evidence":
        nearest = _render_passages(answer.hits[:_NEAREST], articles, words)
        return _blocks([_isolate(_clean(answer.text)), *nearest])
    quotes = [_isolate(f"{_quote(citation, bold=bold)} [{citation.marker}]") for citation in answer.citations]
    first = [_isolate(words["page.strength.weak"])] if answer.strength == "weak" else []
    if answer.written_by:
        line = words["page.written"].format(model=_clean(answer.written_by))
        first += [_isolate(_clean(answer.text)), _isolate(line)]
    if answer.note:
        first.append(_isolate(words["page.not_written"].format(reason=_clean(answer.note))))
    return _blocks([*first, *_conflicts(answer, words), *quotes, _sources(answer, words)])


def _conflicts(answer: Answer, words: Mapping[str, str]) -> list[str]:
    return [
        _isolate(
            words["terminal.conflict"].format(
                subject=_clean(conflict.subject),
                values=words["terminal.list"].join(f"{_clean(v.value)} [{v.citation}]" for v in conflict.values),
            )
        )
        for conflict in answer.conflicts
    ]


def _sources(answer: Answer, words: Mapping[str, str]) -> str:
    sources = [_source(f"[{c.marker}]", c.title, c.source, c.date, words) for c in answer.citations]
    return "\n".join([_isolate(words["terminal.sources"]), *sources])


def render_brief(brief: Brief, articles: Mapping[str, Article], *, language: Language) -> str:
    """The points under their articles' titles, where the sources differ, then the sources; or the refusal."""
    answer, words = brief.answer, strings(language)
    if not brief.points:
        return render_answer(answer, articles, language=language, bold=False)
    by_marker = {citation.marker: citation for citation in answer.citations}
    blocks: list[str] = []
    for article_id, points in groupby(brief.points, key=lambda point: by_marker[point.markers[0]].article_id):
        told = (f"- {_clean(point.text)} {''.join(f'[{marker}]' for marker in point.markers)}" for point in points)
        blocks += [_isolate(_clean(articles[article_id].title)), "\n".join(map(_isolate, told))]
    return _blocks([*blocks, *_conflicts(answer, words), _sources(answer, words)])


def render_hits(hits: Sequence[Hit], articles: Mapping[str, Article], *, language: Language) -> str:
    """Each hit's passage in full under its rank, score and source."""
    words = strings(language)
    if not hits:
        return _blocks([_isolate(words["terminal.no_hits"])])
    return _blocks(_render_passages(hits, articles, words, excerpt_chars=None, with_score=True))


def _render_passages(
    hits: Iterable[Hit],
    articles: Mapping[str, Article],
    words: Mapping[str, str],
    *,
    excerpt_chars: int | None = _EXCERPT_CHARS,
    with_score: bool = False,
) -> list[str]:
    blocks = []
    for hit in hits:
        article = articles[hit.passage.article_id]
        rank = f"{hit.rank}." + (f" ({hit.score:.3f})" if with_score else "")
        text = _clean(hit.passage.text)
        if excerpt_chars is not None and len(text) > excerpt_chars:
            text = f"{text[:excerpt_chars].rsplit(' ', 1)[0]} …"
        blocks.append(f"{_source(rank, article.title, article.source, article.date, words)}\n{_isolate(text)}")
    return blocks


def _quote(citation: Citation, *, bold: bool) -> str:
    quote, span = citation.quote, citation.answer_span
    if span is None or not bold:
        return _clean(quote)
    start, end = span.start - citation.start, span.end - citation.start
    return f"{_clean(quote[:start])}{_BOLD}{_clean(quote[start:end])}{_PLAIN}{_clean(quote[end:])}"


def _source(number: str, title: str, source: str, date: str | None, words: Mapping[str, str]) -> str:
    name = f"{_LTR}{_clean(source)}{_END}"
    undated = words["date.undated"]
    return _isolate(f"{number} {_isolate(_clean(title))} — {name} — {date or undated}", like=undated)


def _isolate(text: str, like: str = "") -> str:
    """`text` kept apart from its surroundings if it, or `like` in its place, is written from right to left."""
    return f"{_RTL}{text}{_END}" if direction(like or text) == "rtl" else text


def _clean(text: str) -> str:
    """`text` on one line and without anything that could steer the terminal or turn the writing around."""
    one_line = re.sub(r"\s+", " ", text)
    return "".join(
        "\ufffd" if unicodedata.category(char) in ("Cc", "Cs") else char
        for char in one_line
        if char not in _BIDI_CONTROLS
    )


def _blocks(blocks: Sequence[str]) -> str:
    return "\n\n".join(blocks) + "\n"

"""The conversation as HTML: questions, answers and refusals, every block with its own direction and language.

Whatever comes from a reader or an article is escaped by `Markup.format`. The page shows these blocks itself
rather than in Gradio's Chatbot, which gives each message `dir="ltr"`, reads its markup aloud as the message's
label, and drops the `aria-*` attributes that a screen reader needs.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from markupsafe import Markup

from rag.datatypes import Answer, Article, Citation, Conflict, Hit, Language, Point
from rag.present.drafts import MARKS, Mark
from rag.present.strings import interface_languages, strings
from rag.text import detect_language, direction

NEAREST_PASSAGES = 3
_OPENING_CHARS = 160
_MARKER = re.compile(r"\[(\d{1,4})\]")
_CONFLICT_COLUMNS = ("value", "article", "date", "sentence")
_EXAMPLES = ("page.example.1", "page.example.2", "page.example.3")

Strings = Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """A question of the conversation and, once there is one, its answer; `number` counts from 1."""

    number: int
    question: str
    answer: Answer | None = None
    stopped: bool = False
    points: tuple[Point, ...] = ()
    """Of a brief, whose topic is the question."""
    mark: Mark | None = None
    """What the reader said of the answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexSummary:
    """What the status line says; `built` is a UTC time (ISO 8601). An index kept in memory has no manifest."""

    articles: int
    embedder: str
    passages: int | None = None
    built: str | None = None
    evaluated: bool = False
    """Whether there is a report to look at."""


def render_conversation(
    exchanges: Sequence[Exchange], articles: Mapping[str, Article], language: str, shown: int | None = None
) -> Markup:
    """The whole conversation, or what stands in its place while it is empty.

    Args:
        exchanges: Oldest first.
        articles: By id, for the titles of the nearest passages of a refusal.
        language: The interface's, `ar` or `en`; answers are framed in their question's own.
        shown: How many citations of the last answer have been reached while it is streamed; None is all.
    """
    if not exchanges:
        return _empty_screen(language)
    last = exchanges[-1].number
    blocks = (
        _exchange(exchange, articles, language, shown if exchange.number == last else None) for exchange in exchanges
    )
    return Markup('<div class="log" role="log" aria-label="{}" {}>{}</div>').format(
        strings(language)["page.conversation"], interface(language), join(blocks)
    )


def render_header(language: str) -> Markup:
    """Name and tagline, shown above the conversation."""
    words = strings(language)
    return Markup('<div class="brand" {}><h1>{}</h1><p>{}</p></div>').format(
        interface(language), words["page.title"], words["page.tagline"]
    )


def render_status(summary: IndexSummary, language: str) -> Markup:
    """One line about the index: its size, its age and its model."""
    words = strings(language)
    embedder = words["page.status.bundled"] if summary.embedder == "bundled" else summary.embedder
    facts = {"page.status.articles": f"{summary.articles:,}"}
    if summary.passages is not None:
        facts["page.status.passages"] = f"{summary.passages:,}"
    if summary.built is not None:
        facts["page.status.built"] = f"{summary.built[:10]} {summary.built[11:16]} UTC"
    facts["page.status.model"] = embedder
    pairs = (
        Markup("<div><dt>{}</dt> <dd><bdi>{}</bdi></dd></div>").format(words[key], fact) for key, fact in facts.items()
    )
    report = Markup('<a href="/report" target="_blank">{}</a>').format(words["page.status.report"])
    return Markup('<div class="status" {}><dl>{}</dl>{}</div>').format(
        interface(language), join(pairs), report if summary.evaluated else ""
    )


def render_notice(message: str) -> Markup:
    """One line that says what went wrong, read out at once; an empty message clears it."""
    if not message:
        return Markup("")
    return Markup('<p class="notice" role="alert" dir="{}">{}</p>').format(direction(message), message)


def interface(language: str) -> Markup:
    """The attributes `dir` and `lang` for a block of the page's own words."""
    return Markup('dir="{}" lang="{}"').format("rtl" if language == "ar" else "ltr", language)


def directed(text: str, language: Language | None = None) -> Markup:
    """The attributes `dir` and `lang` for a block that holds `text`."""
    return Markup('dir="{}" lang="{}"').format(direction(text), language or detect_language(text))


def quote_part(citation: Citation, start: int, end: int) -> Markup:
    """The part `[start, end)` of a citation's quote, offsets into the article, with the answer span picked out."""
    span, quote, origin = citation.answer_span, citation.quote, citation.start
    if span is None or span.start >= end or span.end <= start:
        return Markup("{}").format(quote[start - origin : end - origin])
    first, last = max(start, span.start), min(end, span.end)
    return Markup('{}<b class="span">{}</b>{}').format(
        quote[start - origin : first - origin],
        quote[first - origin : last - origin],
        quote[last - origin : end - origin],
    )


def join(blocks: Iterable[Markup]) -> Markup:
    """The blocks one after the other."""
    return Markup("").join(blocks)


def _empty_screen(language: str) -> Markup:
    words = strings(language)
    examples = (
        Markup('<li><button type="button" class="example" {}>{}</button></li>').format(directed(question), question)
        for name in sorted(interface_languages(), key=lambda name: name != language)
        for question in map(strings(name).__getitem__, _EXAMPLES)
    )
    return Markup('<div class="empty" {}><h2>{}</h2><p>{}</p><h3>{}</h3><ul class="examples">{}</ul></div>').format(
        interface(language), words["page.empty.title"], words["page.empty.text"], words["page.examples"], join(examples)
    )


def _exchange(exchange: Exchange, articles: Mapping[str, Article], language: str, shown: int | None) -> Markup:
    return Markup('<section class="exchange" id="exchange-{}"><h2 class="question" {}>{}</h2>{}</section>').format(
        exchange.number, directed(exchange.question), exchange.question, _outcome(exchange, articles, language, shown)
    )


def _outcome(exchange: Exchange, articles: Mapping[str, Article], language: str, shown: int | None) -> Markup:
    answer = exchange.answer
    if answer is None:
        words = strings(language)
        if exchange.stopped:
            return Markup('<p class="stopped">{}</p>').format(words["page.stopped"])
        return Markup('<p class="pending" role="status"><i></i><i></i><i></i> {}</p>').format(words["page.pending"])
    # A question without letters has no language of its own: the reader's is the best guess.
    frame = language if answer.question_language == "und" else answer.question_language
    words = strings(frame)
    refused = answer.status == "no_evidence"
    body = _refusal(answer, articles, words) if refused else _answered(exchange, answer, words, shown)
    marks = Markup("") if shown is not None else _marks(exchange, words)
    return Markup('<div class="answer {}" {}>{}{}{}</div>').format(
        answer.status, interface(frame), _read_as(answer, words), body, marks
    )


def _marks(exchange: Exchange, words: Strings) -> Markup:
    """Two buttons by which a reader says whether the answer stands on the right evidence."""
    buttons = (
        Markup(
            '<button type="button" class="mark" data-exchange="{}" data-mark="{}" aria-pressed="{}">{}</button>'
        ).format(exchange.number, mark, "true" if exchange.mark == mark else "false", words[f"page.mark.{mark}"])
        for mark in MARKS
    )
    thanks = Markup('<span role="status">{}</span>').format(words["page.mark.kept"] if exchange.mark else "")
    return Markup('<p class="marks">{}{}</p>').format(join(buttons), thanks)


def _read_as(answer: Answer, words: Strings) -> Markup:
    """The question that was searched, where that is not quite the one that was asked."""
    alone = answer.standalone_question
    if alone.strip() == answer.question.strip():
        return Markup("")
    read = Markup("<bdi {}>{}</bdi>").format(directed(alone), alone)
    return Markup('<p class="read-as">{}</p>').format(Markup(words["page.read_as"]).format(question=read))


def _answered(exchange: Exchange, answer: Answer, words: Strings, shown: int | None) -> Markup:
    number, told = exchange.number, {marker for point in exchange.points for marker in point.markers}
    # A brief's conflicts may cite sentences that are none of its points.
    citations = [citation for citation in answer.citations[:shown] if not told or citation.marker in told]
    by_article = groupby(citations, key=lambda citation: citation.article_id)
    quotes = join(_from_one_article(number, list(citations), words) for _, citations in by_article)
    conflicts = join(_conflict(number, conflict, answer, words) for conflict in answer.conflicts)
    if told:
        return Markup("{}{}{}").format(_strength(answer, words), quotes, conflicts)
    # One of the values that differ, shown as the short answer, would be a silent choice.
    lead = conflicts or _short_answer(number, answer, words)
    return Markup("{}{}{}{}").format(_strength(answer, words), _prose(number, answer, words), lead, quotes)


def _prose(number: int, answer: Answer, words: Strings) -> Markup:
    """What a language model wrote, each sentence with the numbers of what it cites; or why it wrote nothing."""
    if answer.note:
        said = Markup(words["page.not_written"]).format(reason=Markup("<bdi>{}</bdi>").format(answer.note))
        return Markup('<p class="read-as">{}</p>').format(said)
    if not answer.written_by:
        return Markup("")
    by_marker = {str(citation.marker): citation for citation in answer.citations}
    parts = (
        _chip(number, by_marker[part], words) if at % 2 else Markup("{}").format(part)
        for at, part in enumerate(_MARKER.split(answer.text))
        if not at % 2 or part in by_marker
    )
    model = Markup("<bdi>{}</bdi>").format(answer.written_by)
    return Markup('<p class="prose" {}>{}</p><p class="read-as">{}</p>').format(
        directed(answer.text), join(parts), Markup(words["page.written"]).format(model=model)
    )


def _strength(answer: Answer, words: Strings) -> Markup:
    """How far the evidence can be trusted, in a word; what a reader should look at twice stands out."""
    if answer.strength == "none":
        return Markup("")
    return Markup('<p class="strength {}">{}</p>').format(answer.strength, words[f"page.strength.{answer.strength}"])


def _from_one_article(number: int, citations: Sequence[Citation], words: Strings) -> Markup:
    """Citations that follow one another and come from the same article, under its name."""
    title = Markup("<cite {}>{}</cite>").format(directed(citations[0].title, citations[0].language), citations[0].title)
    sentences = (
        Markup("<li><blockquote {}>{}&nbsp;{}</blockquote></li>").format(
            directed(citation.quote, citation.language),
            quote_part(citation, citation.start, citation.end),
            _chip(number, citation, words),
        )
        for citation in citations
    )
    return Markup('<p class="frame">{}</p><ol class="sentences">{}</ol>').format(
        Markup(words["answer.frame"]).format(articles=title), join(sentences)
    )


def _short_answer(number: int, answer: Answer, words: Strings) -> Markup:
    """The answer span of the best citation; a lower one's would promise what the best does not say."""
    best = answer.citations[0]
    if best.answer_span is None:
        return Markup("")
    text = best.answer_span.text
    return Markup('<p class="short"><span class="label">{}</span> <strong><bdi {}>{}</bdi></strong> {}</p>').format(
        words["page.short_answer"], directed(text, best.language), text, _chip(number, best, words)
    )


def _chip(number: int, citation: Citation, words: Strings) -> Markup:
    """The numbered link to a citation's place in its article."""
    label = words["page.evidence.open"].format(marker=citation.marker, title=citation.title)
    return Markup(
        '<bdi class="marker"><a class="chip" href="#evidence-{}-{}" title="{}" aria-label="{}">{}</a></bdi>'
    ).format(number, citation.marker, citation.title, label, citation.marker)


def _conflict(number: int, conflict: Conflict, answer: Answer, words: Strings) -> Markup:
    """Value, article and date of each, in the order of the citations; the sentences stand above."""
    by_marker = {citation.marker: citation for citation in answer.citations}
    rows = (
        Markup("<tr><td><bdi>{}</bdi></td><td {}>{}</td><td><bdi>{}</bdi></td><td>{}</td></tr>").format(
            value.value,
            directed(citation.title, citation.language),
            citation.title,
            citation.date or words["date.undated"],
            _chip(number, citation, words),
        )
        for value in conflict.values
        if (citation := by_marker.get(value.citation)) is not None
    )
    subject = Markup("<bdi>{}</bdi>").format(conflict.subject)
    heads = join(Markup('<th scope="col">{}</th>').format(words[f"page.conflict.{name}"]) for name in _CONFLICT_COLUMNS)
    return Markup(
        '<div class="conflict"><table><caption>{}</caption><thead><tr>{}</tr></thead><tbody>{}</tbody></table></div>'
    ).format(Markup(words["page.conflict"]).format(subject=subject), heads, join(rows))


def _refusal(answer: Answer, articles: Mapping[str, Article], words: Strings) -> Markup:
    nearest = join(_nearest(hit, articles[hit.passage.article_id].title) for hit in answer.hits[:NEAREST_PASSAGES])
    heading = Markup("<h3>{}</h3>").format(words["page.nearest"]) if nearest else Markup("")
    return Markup('<p class="refusal">{}</p>{}{}').format(answer.text, heading, nearest)


def _nearest(hit: Hit, title: str) -> Markup:
    text, language = hit.passage.text, hit.passage.language
    block = directed(text, language)
    opening = Markup('<span class="opening" {}>{}</span>').format(block, text[:_OPENING_CHARS])
    # An article without a title is called by its first words, which need not be said twice.
    return Markup(
        '<details class="nearest"><summary><span class="source"><span class="title" {}>{}</span>{}</span></summary>'
        "<blockquote {}>{}</blockquote></details>"
    ).format(
        directed(title, language),
        title,
        "" if text.startswith(title.rstrip("…")) else opening,
        block,
        paragraphs(text),
    )


def paragraphs(text: str) -> Markup:
    """The lines of `text` that hold anything, each as a paragraph."""
    return join(Markup("<p>{}</p>").format(line) for line in text.split("\n") if line.strip())

"""What a reader sees of an answer: direction, citations and marks of each block, and nothing of foreign markup."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from html.parser import HTMLParser

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from rag.datatypes import Article, Conflict, ConflictValue, Question
from rag.present.evidence import SURROUNDING_CHARS, render_evidence
from rag.present.html import Exchange, IndexSummary, render_conversation, render_notice, render_status
from tests.fake_pipeline import ARABIC, ARTICLES, ENGLISH, OLYMPICS, QUOTES, FakePipeline, answer_with, cite

BY_ID = {article.id: article for article in ARTICLES.values()}
HOSTILE = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '"><svg/onload=alert(1)>',
    "</blockquote></details><h1>",
    "# title **bold** [link](javascript:alert(1))",
    "${alert(1)} {{constructor}}",
    "\u202egnp.exe\u2067",
    "&lt;b&gt; &amp; {0} {articles}",
)


@dataclass
class Element:
    tag: str
    attributes: dict[str, str | None]
    text: str = ""
    inside: tuple[str, ...] = ()

    @property
    def classes(self) -> list[str]:
        return (self.attributes.get("class") or "").split()


@dataclass
class Document(HTMLParser):
    """The elements of some markup, each with all the text inside it."""

    elements: list[Element] = field(default_factory=list)
    _open: list[Element] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, dict(attrs), inside=tuple(each.tag for each in self._open))
        self.elements.append(element)
        self._open.append(element)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop().tag == tag

    def handle_data(self, data: str) -> None:
        for element in self._open:
            element.text += data

    def select(self, tag: str, name: str | None = None) -> list[Element]:
        return [each for each in self.elements if each.tag == tag and (name is None or name in each.classes)]


def parse(markup: str) -> Document:
    document = Document()
    document.feed(str(markup))  # slices of Markup would be escaped once more
    document.close()
    assert not document._open, "a tag is left open"
    return document


def conversation(*exchanges: Exchange, language: str = "en", articles: Sequence[Article] = ()) -> Document:
    by_id = BY_ID | {article.id: article for article in articles}
    return parse(render_conversation(exchanges, by_id, language))


def exchange(question: str, number: int = 1) -> Exchange:
    return Exchange(number=number, question=question, answer=FakePipeline().ask(Question(text=question)))


@pytest.mark.parametrize(("question", "language", "direction"), [(ARABIC, "ar", "rtl"), (ENGLISH, "en", "ltr")])
def test_each_block_has_its_own_direction_and_language(question: str, language: str, direction: str) -> None:
    other = {"ar": "en", "en": "ar"}[language]
    document = conversation(exchange(question), language=other)
    (heading,) = document.select("h2", "question")
    assert (heading.text, heading.attributes["dir"], heading.attributes["lang"]) == (question, direction, language)
    (frame,) = document.select("div", "answer")
    assert (frame.attributes["dir"], frame.attributes["lang"]) == (direction, language)
    quotes = document.select("blockquote")
    assert len(quotes) == len(QUOTES)
    assert {(quote.attributes["dir"], quote.attributes["lang"]) for quote in quotes} == {("rtl", "ar")}


def test_quotes_are_verbatim_and_end_in_their_number() -> None:
    quotes = conversation(exchange(ENGLISH)).select("blockquote")
    assert [quote.text for quote in quotes] == [f"{text}\u00a0{n}" for n, (_, text, _) in enumerate(QUOTES, 1)]


def test_numbers_are_links_to_the_evidence_and_isolated() -> None:
    chips = conversation(exchange(ENGLISH), exchange(ARABIC, 2)).select("a", "chip")
    assert [chip.attributes["href"] for chip in chips] == [
        f"#evidence-{number}-{marker}" for number in (1, 2) for marker in (1, 1, 2, 3)
    ]
    assert all(chip.inside[-1] == "bdi" for chip in chips)
    assert chips[2].attributes["aria-label"] == f"Open citation 2 in its article: {ARTICLES['003'].title}"


def test_short_answer_is_the_best_citations_answer_span() -> None:
    document = conversation(exchange(ARABIC))
    (short,) = document.select("p", "short")
    assert short.text == "باختصار 83 1"
    assert [span.text for span in document.select("b", "span")] == ["83"]


def test_a_lower_citations_answer_span_is_no_short_answer() -> None:
    citations = [cite(ARTICLES["003"], QUOTES[1][1], 1), cite(ARTICLES["001"], QUOTES[0][1], 2, "83")]
    document = conversation(Exchange(number=1, question=ENGLISH, answer=answer_with(ENGLISH, citations)))
    assert not document.select("p", "short")
    assert [span.text for span in document.select("b", "span")] == ["83"]


def test_citations_in_a_row_from_one_article_share_a_frame() -> None:
    first, second = ARTICLES["001"], ARTICLES["003"]
    citations = [
        cite(first, "تشكل التحالف الدولي ضد داعش في أغسطس عام 2014", 1),
        cite(first, QUOTES[0][1], 2),
        cite(second, QUOTES[1][1], 3),
        cite(first, "داعش لا يزال موجودا", 4),
    ]
    document = conversation(Exchange(number=1, question=ENGLISH, answer=answer_with(ENGLISH, citations)))
    frames = [frame.text for frame in document.select("p", "frame")]
    assert frames == [f"From {title}:" for title in (first.title, second.title, first.title)]


def test_refusal_shows_three_folded_passages_and_no_citation() -> None:
    document = conversation(exchange(OLYMPICS))
    (refusal,) = document.select("p", "refusal")
    assert refusal.text.startswith("The articles do not answer this question.")
    assert len(document.select("details", "nearest")) == 3
    assert all("open" not in details.attributes for details in document.select("details"))
    assert not document.select("a", "chip")


def test_a_passage_that_opens_with_its_title_says_it_once() -> None:
    texts = [title.text for title in conversation(exchange(OLYMPICS)).select("span", "title")]
    assert texts == [article.title for article in list(ARTICLES.values())[:3]]
    assert not conversation(exchange(OLYMPICS)).select("span", "opening")


def test_conflicting_values_stand_together_with_their_numbers() -> None:
    answer = answer_with(ENGLISH, [cite(ARTICLES["001"], QUOTES[0][1], 1), cite(ARTICLES["003"], QUOTES[1][1], 2)])
    values = (ConflictValue(value="83", citation=1), ConflictValue(value="81", citation=2))
    answer = replace(answer, conflicts=(Conflict(subject="members", values=values),))
    document = conversation(Exchange(number=1, question=ENGLISH, answer=answer))
    assert [each.text for each in document.select("caption")] == ["The sources differ: members"]
    assert [each.text for each in document.select("th")] == ["Value", "Article", "Date", "Sentence"]
    cells = [each.text for each in document.select("td")]
    assert cells == ["83", ARTICLES["001"].title, "undated", "1", "81", ARTICLES["003"].title, "undated", "2"]


def test_a_question_without_letters_is_framed_in_the_readers_language() -> None:
    answer = replace(answer_with("2254?", [cite(ARTICLES["001"], QUOTES[0][1], 1)]), question_language="und")
    (frame,) = conversation(Exchange(number=1, question="2254?", answer=answer), language="ar").select("div", "answer")
    assert (frame.attributes["dir"], frame.attributes["lang"]) == ("rtl", "ar")


def test_a_follow_up_says_how_it_was_read() -> None:
    answer = replace(FakePipeline().ask(Question(text="ولماذا؟")), standalone_question=f"{ARABIC} ولماذا؟")
    document = conversation(Exchange(number=1, question="ولماذا؟", answer=answer))
    assert [each.text for each in document.select("p", "read-as")] == [f"فُهم مع السؤال الذي قبله: {ARABIC} ولماذا؟"]
    assert not conversation(exchange(ARABIC)).select("p", "read-as")


def test_while_streaming_only_the_citations_reached_are_shown() -> None:
    earlier, last = exchange(ENGLISH), exchange(ARABIC, 2)
    document = parse(render_conversation((earlier, last), BY_ID, "en", shown=1))
    assert len(document.select("blockquote")) == len(QUOTES) + 1


def test_pending_and_stopped_questions_say_so() -> None:
    pending, stopped = Exchange(number=1, question=ARABIC), Exchange(number=2, question=ARABIC, stopped=True)
    document = conversation(pending, stopped, language="ar")
    assert [each.text.strip() for each in document.select("p", "pending")] == ["يبحث في المقالات…"]
    assert len(document.select("p", "stopped")) == 1


def test_the_empty_screen_offers_examples_in_both_languages() -> None:
    for language in ("ar", "en"):
        examples = parse(render_conversation((), BY_ID, language)).select("button", "example")
        assert [example.attributes["lang"] for example in examples] == sorted(
            ["ar", "ar", "ar", "en", "en", "en"], reverse=language == "en"
        )
        assert [example.attributes["dir"] for example in examples].count("rtl") == 3


def test_evidence_marks_the_quote_inside_its_article() -> None:
    document = parse(render_evidence(exchange(ENGLISH), BY_ID, "en", marker=2))
    unfolded = [each.attributes["id"] for each in document.select("details") if "open" in each.attributes]
    assert unfolded == ["evidence-1-2"]
    assert [mark.text for mark in document.select("mark")] == [quote for _, quote, _ in QUOTES]
    note = "… The article continues …"
    for shown, (number, _, _) in zip(document.select("div", "article"), QUOTES, strict=True):
        assert (shown.attributes["dir"], shown.attributes["lang"]) == ("rtl", "ar")
        assert len(shown.text) > SURROUNDING_CHARS
        whole = "".join(line for line in ARTICLES[number].text.split("\n") if line.strip())
        assert shown.text.removeprefix(note).removesuffix(note) in whole


def test_evidence_names_title_source_date_and_language() -> None:
    titles = [each.text for each in parse(render_evidence(exchange(ARABIC), BY_ID, "ar")).select("span", "title")]
    bylines = [each.text for each in parse(render_evidence(exchange(ARABIC), BY_ID, "ar")).select("span", "byline")]
    assert titles == [ARTICLES[number].title for number, _, _ in QUOTES]
    assert bylines[0] == "001_3d39952ec6612205.txt · بلا تاريخ · العربية"
    dated = answer_with(ENGLISH, [replace(cite(ARTICLES["001"], QUOTES[0][1], 1), date="2021-03-31")])
    document = parse(render_evidence(Exchange(number=1, question=ENGLISH, answer=dated), BY_ID, "en"))
    assert document.select("span", "byline")[0].text == "001_3d39952ec6612205.txt · 2021-03-31 · Arabic"


def test_a_quote_over_two_lines_is_marked_in_both() -> None:
    text = "سطر قبل.\nأول الاقتباس\n\nوآخره 79 هنا. بعد.\nسطر بعد."
    article = replace(ARTICLES["001"], id="x", text=text)
    answer = answer_with(ARABIC, [cite(article, "أول الاقتباس\n\nوآخره 79 هنا.", 1, "79")])
    document = parse(render_evidence(Exchange(number=1, question=ARABIC, answer=answer), {"x": article}, "ar"))
    assert [mark.text for mark in document.select("mark")] == ["أول الاقتباس", "وآخره 79 هنا."]
    (shown,) = document.select("div", "article")
    assert [line.text for line in document.select("p") if "div" in line.inside[-1:]][-4:] == [
        line for line in text.split("\n") if line
    ]
    assert shown.text == text.replace("\n", "")


def test_a_long_article_is_cut_at_lines_and_says_so() -> None:
    lines = [f"السطر {n} من مقال طويل جدًا لا ينتهي." for n in range(2000)]
    article = replace(ARTICLES["001"], id="x", text="\n".join(lines))
    answer = answer_with(ARABIC, [cite(article, lines[1000], 1)])
    document = parse(render_evidence(Exchange(number=1, question=ARABIC, answer=answer), {"x": article}, "ar"))
    shown = [line.text for line in document.select("p") if line.inside[-1:] == ("div",) and not line.classes]
    assert shown == lines[lines.index(shown[0]) : lines.index(shown[-1]) + 1]
    assert 1.9 * SURROUNDING_CHARS < sum(map(len, shown)) < 2.5 * SURROUNDING_CHARS
    assert len(document.select("p", "continues")) == 2


def test_one_endless_line_is_cut_all_the_same() -> None:
    article = replace(ARTICLES["001"], id="x", text="كلمة " * 50_000 + "الجواب." + " كلمة" * 50_000)
    answer = answer_with(ARABIC, [cite(article, "الجواب.", 1)])
    markup = render_evidence(Exchange(number=1, question=ARABIC, answer=answer), {"x": article}, "ar")
    assert len(markup) < 4 * SURROUNDING_CHARS
    assert [mark.text for mark in parse(markup).select("mark")] == ["الجواب."]


@pytest.mark.parametrize("language", ["ar", "en"])
def test_the_panel_explains_itself_when_it_has_nothing(language: str) -> None:
    before, refused = render_evidence(None, BY_ID, language), render_evidence(exchange(OLYMPICS), BY_ID, language)
    assert parse(before).select("p", "hint")[0].text != parse(refused).select("p", "hint")[0].text
    assert not parse(refused).select("details")


def structure(document: Document) -> list[tuple[str, list[str]]]:
    return [(each.tag, sorted(each.attributes)) for each in document.elements]


def shown_with(text: str) -> list[Document]:
    """Everything that shows a foreign text, with `text` as question, title, file name, quote and article."""
    body = f"قبل {text} بعد"
    article = replace(ARTICLES["001"], id="x", title=text, source=text, text=body)
    answer = answer_with(text, [replace(cite(article, body, 1), language="ar")])
    refused = replace(answer, status="no_evidence", text=text, citations=())
    exchanges = [Exchange(number=1, question=text, answer=each) for each in (answer, refused)]
    return [
        conversation(*exchanges, articles=[article]),
        parse(render_evidence(exchanges[0], {"x": article}, "en")),
        parse(render_notice(text)),
        parse(render_status(IndexSummary(articles=1, embedder=text), "en")),
    ]


@pytest.mark.parametrize("text", HOSTILE)
def test_foreign_markup_is_text(text: str) -> None:
    for hostile, harmless in zip(shown_with(text), shown_with("harmless"), strict=True):
        assert structure(hostile) == structure(harmless)
        assert text in "".join(each.text for each in hostile.elements)


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_no_text_changes_the_structure(text: str) -> None:
    assume(text.strip() and "\n" not in text)
    for drawn, harmless in zip(shown_with(text), shown_with("harmless"), strict=True):
        assert structure(drawn) == structure(harmless)


def test_the_status_line_tells_size_age_and_model() -> None:
    summary = IndexSummary(articles=5, passages=1234, built="2026-11-21T19:40:05+00:00", embedder="bundled")
    (status,) = parse(render_status(summary, "en")).select("dl")
    assert status.text == "Articles 5Passages 1,234Index built 2026-11-21 19:40 UTCModel bundled"
    assert not parse(render_status(summary, "en")).select("a")
    [link] = parse(render_status(replace(summary, evaluated=True), "ar")).select("a")
    assert (link.text, link.attributes["href"]) == ("تقرير التقييم", "/report")
    kept_in_memory = render_status(IndexSummary(articles=5, embedder="bundled"), "en")
    assert parse(kept_in_memory).select("dl")[0].text == "Articles 5Model bundled"


def test_where_sources_differ_no_value_is_chosen_silently() -> None:
    plain = conversation(exchange(ENGLISH))
    assert plain.select("p", "short")
    answer = FakePipeline().ask(Question(text=ENGLISH))
    values = tuple(ConflictValue(value=str(n), citation=n) for n in (1, 2))
    differing = replace(answer, conflicts=(Conflict(subject="members", values=values),))
    document = conversation(Exchange(number=1, question=ENGLISH, answer=differing))
    assert not document.select("p", "short")
    tags = [each.tag for each in document.elements if each.tag in ("table", "blockquote")]
    assert tags[0] == "table"

"""The page in a real browser: what a reader sees, clicks and types, in both languages and on a narrow screen."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

from rag.config import Settings
from rag.pipeline import Pipeline
from tests.fake_pipeline import ARABIC, BROKEN, ENGLISH, OLYMPICS, QUOTES, SEEDS, SLOW, FakePipeline
from tests.page_server import DRAFTS, GRADIO_WARNINGS, MAX_QUESTION_CHARS, serving

pytestmark = [pytest.mark.browser, *GRADIO_WARNINGS]

WIDE, NARROW = (1440, 900), (390, 844)
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
IN_VIEW = """mark => {
  const box = mark.closest('.article').getBoundingClientRect(), own = mark.getBoundingClientRect();
  return own.top >= box.top && own.top < box.bottom;
}"""

Open = Callable[..., Page]


@pytest.fixture(scope="module")
def pipeline() -> FakePipeline:
    return FakePipeline()


@pytest.fixture(scope="module")
def index_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("index")


@pytest.fixture(scope="module")
def address(pipeline: FakePipeline, index_dir: Path) -> Iterator[str]:
    with serving(pipeline, index_dir) as address:
        yield address


@pytest.fixture(scope="module")
def real_address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The page over the real model and the five articles."""
    settings = Settings(index_dir=tmp_path_factory.mktemp("real"), paths=(SEEDS,))
    with serving(Pipeline.open(settings), settings.index_dir) as address:
        yield address


@pytest.fixture(scope="module")
def browser(chromium: Path) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def open_page(browser: Browser, address: str) -> Iterator[Open]:
    """Opens the page in a fresh browser profile; fails on any request to another host and any script error."""
    home = urlsplit(address).netloc
    elsewhere: list[str] = []
    errors: list[str] = []
    contexts = []

    def open_page(language: str = "en", size: tuple[int, int] = WIDE) -> Page:
        context = browser.new_context(locale=language, viewport={"width": size[0], "height": size[1]})
        contexts.append(context)
        page = context.new_page()
        page.on("request", lambda request: _note(request.url, home, elsewhere))
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("dialog", lambda dialog: errors.append(f"a dialog: {dialog.message}"))
        page.goto(address)
        expect(page.locator("#conversation .empty")).to_be_visible(timeout=15_000)
        expect(page.locator("html")).to_have_attribute("lang", language)
        expect(page.locator("#question textarea")).to_have_attribute("dir", "rtl" if language == "ar" else "ltr")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert elsewhere == []
    assert errors == []


def _note(url: str, home: str, elsewhere: list[str]) -> None:
    parts = urlsplit(url)
    if parts.scheme not in ("data", "blob") and parts.netloc != home:
        elsewhere.append(url)


def ask(page: Page, question: str) -> Locator:
    """Type a question, press Enter, and wait for its answer, which is returned."""
    number = page.locator(".exchange").count() + 1
    page.fill("#question textarea", question)
    page.press("#question textarea", "Enter")
    expect(page.locator("#ask")).to_be_visible()
    answer = page.locator(f"#exchange-{number} .answer")
    expect(answer).to_be_visible(timeout=15_000)
    return answer


def direction(element: Locator) -> str:
    return str(element.evaluate("element => getComputedStyle(element).direction"))


def fits(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))


@pytest.mark.parametrize(
    ("question", "language", "frame", "short"),
    [(ARABIC, "ar", "rtl", "باختصار"), (ENGLISH, "en", "ltr", "In short")],
)
def test_an_answer_in_the_questions_language_around_quotes_in_theirs(
    open_page: Open, question: str, language: str, frame: str, short: str
) -> None:
    page = open_page(language)
    answer = ask(page, question)
    heading = page.locator("h2.question")
    expect(heading).to_have_text(question)
    assert (direction(heading), direction(answer)) == (frame, frame)
    expect(answer.locator(".short")).to_contain_text(f"{short} 83")
    quotes = answer.locator("blockquote")
    expect(quotes).to_have_count(len(QUOTES))
    for n, (_, text, _) in enumerate(QUOTES):
        expect(quotes.nth(n)).to_contain_text(text)
        assert direction(quotes.nth(n)) == "rtl"
    assert direction(page.locator("#evidence .article").first) == "rtl"
    assert "Naskh Sanad" in str(quotes.first.evaluate("quote => getComputedStyle(quote).fontFamily"))
    assert page.evaluate("document.fonts.check('16px \"Naskh Sanad\"', 'سند')")


def test_a_number_opens_its_quote_marked_in_its_article(open_page: Open) -> None:
    page = open_page()
    answer = ask(page, ENGLISH)
    panel = page.locator("#evidence")
    expect(panel.locator("details[open] mark")).to_have_text(QUOTES[0][1])
    for n in (3, 2, 1):
        answer.locator("blockquote a.chip").nth(n - 1).click()
        opened = panel.locator("details[open]")
        expect(opened).to_have_count(1)
        expect(opened).to_have_id(f"evidence-1-{n}")
        mark = opened.locator("mark")
        expect(mark).to_have_text(QUOTES[n - 1][1])
        assert mark.evaluate(IN_VIEW)
        expect(opened.locator(".byline")).to_contain_text("undated")
        expect(answer.locator("blockquote a.chip[aria-current]")).to_have_text(str(n))
    assert len(str(panel.locator("details[open] .article").text_content())) > 2000


def test_a_number_of_an_earlier_answer_brings_its_evidence_back(open_page: Open) -> None:
    page = open_page()
    ask(page, ENGLISH)
    ask(page, OLYMPICS)
    expect(page.locator("#evidence details")).to_have_count(0)
    page.locator("#exchange-1 blockquote a.chip").nth(2).click()
    opened = page.locator("#evidence details[open]")
    expect(opened).to_have_id("evidence-1-3")
    expect(opened.locator("mark")).to_have_text(QUOTES[2][1])
    assert opened.locator("mark").evaluate(IN_VIEW)


def test_everything_is_reached_by_keyboard_and_the_focus_is_seen(open_page: Open) -> None:
    page = open_page()
    answer = ask(page, ENGLISH)
    answer.locator("a.chip").first.focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.getAttribute('href')") == "#evidence-1-2"
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.keyboard.press("Enter")
    expect(page.locator("#evidence-1-2")).to_have_attribute("open", "")
    expect(page.locator("#evidence-1-2 summary")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.locator("#evidence-1-2 .article")).to_be_focused()


def test_a_refusal_looks_different_and_offers_the_nearest_passages(open_page: Open) -> None:
    page = open_page()
    answer = ask(page, OLYMPICS)
    expect(answer.locator(".refusal")).to_contain_text("The articles do not answer this question.")
    expect(answer.locator("a.chip")).to_have_count(0)
    nearest = answer.locator("details.nearest")
    expect(nearest).to_have_count(3)
    expect(answer.locator("details[open]")).to_have_count(0)
    nearest.first.locator("summary").click()
    expect(nearest.first.locator("blockquote")).to_be_visible()
    assert direction(nearest.first.locator("blockquote")) == "rtl"
    expect(page.locator("#evidence .hint")).to_contain_text("No evidence for this question")


@pytest.mark.parametrize("language", ["ar", "en"])
def test_a_narrow_screen_never_scrolls_sideways(open_page: Open, language: str) -> None:
    page = open_page(language, NARROW)
    assert fits(page)
    answer = ask(page, ARABIC if language == "ar" else ENGLISH)
    assert fits(page)
    answer.locator("blockquote a.chip").nth(1).click()
    expect(page.locator("#evidence-1-2 mark")).to_be_in_viewport()
    assert fits(page)
    page.locator("#evidence-1-2 a.back").click()
    expect(answer.locator("blockquote a.chip").nth(1)).to_be_in_viewport()
    ask(page, "x" * 500 + " " + OLYMPICS)
    assert fits(page)


@pytest.mark.parametrize(
    "question",
    [
        "<script>document.title='taken'</script> من؟",
        "<img src=x onerror=\"document.title='taken'\">",
        "**bold** `code` [link](javascript:alert(1)) ${document.title='taken'} {{this}}",
        "</h2></section><style>body{display:none}</style>",
        "\u202eevil\u202c \u2067abc",
    ],
)
def test_a_hostile_question_is_shown_as_it_was_typed(open_page: Open, question: str) -> None:
    page = open_page()
    ask(page, question)
    assert page.locator("h2.question").text_content() == question
    assert page.title() == "سند · Sanad"
    assert page.locator("#conversation img, #conversation script, #conversation style").count() == 0


def test_what_cannot_be_asked_is_one_line_and_nothing_is_lost(open_page: Open) -> None:
    page = open_page("ar")
    ask(page, ARABIC)
    for text, line in (("؟؟ 🙂", "كلمة واحدة"), ("س" * (MAX_QUESTION_CHARS + 1), "2001")):
        page.fill("#question textarea", text)
        page.click("#ask")
        notice = page.locator("#notice [role=alert]")
        expect(notice).to_contain_text(line)
        assert direction(notice) == "rtl"
        expect(page.locator("#question textarea")).to_have_value(text)
    expect(page.locator(".exchange")).to_have_count(1)
    ask(page, ARABIC)
    expect(page.locator("#notice [role=alert]")).to_have_count(0)


def test_after_an_unforeseen_error_the_question_can_be_asked_again(open_page: Open) -> None:
    page = open_page()
    ask(page, ENGLISH)
    page.fill("#question textarea", BROKEN)
    page.press("#question textarea", "Enter")
    expect(page.locator("#notice")).to_contain_text("Something unforeseen went wrong")
    expect(page.locator("#question textarea")).to_have_value(BROKEN)
    expect(page.locator(".exchange")).to_have_count(1)
    ask(page, ARABIC)


def test_a_question_can_be_stopped(open_page: Open) -> None:
    page = open_page()
    page.fill("#question textarea", SLOW)
    page.press("#question textarea", "Enter")
    expect(page.locator(".pending")).to_be_visible()
    page.click("#stop")
    expect(page.locator(".stopped")).to_be_visible()
    expect(page.locator("#stop")).to_be_hidden()
    ask(page, ENGLISH)
    expect(page.locator(".exchange")).to_have_count(2)


def test_a_conversation_keeps_its_questions_until_a_new_one_begins(open_page: Open, pipeline: FakePipeline) -> None:
    page = open_page()
    ask(page, ENGLISH)
    ask(page, ARABIC)
    assert pipeline.asked[-1].history == (ENGLISH,)
    page.click("#clear")
    expect(page.locator(".empty")).to_be_visible()
    expect(page.locator("#evidence details")).to_have_count(0)
    ask(page, ARABIC)
    assert not pipeline.asked[-1].history


def test_an_example_is_asked_as_it_stands(open_page: Open) -> None:
    page = open_page()
    example = page.locator("button.example").first
    words = example.text_content()
    example.click()
    expect(page.locator("h2.question")).to_have_text(str(words))
    expect(page.locator("#exchange-1 blockquote")).to_have_count(len(QUOTES))


def test_the_page_speaks_the_language_that_is_chosen_and_remembers_it(open_page: Open) -> None:
    page = open_page("en")
    ask(page, ENGLISH)

    def panel_is_left() -> bool:
        main, panel = page.locator("#main").bounding_box(), page.locator("#panel").bounding_box()
        assert main
        assert panel
        return panel["x"] < main["x"]

    assert not panel_is_left()
    page.locator("#language label", has_text="العربية").click()
    expect(page.locator("#evidence h2")).to_have_text("الشواهد")
    expect(page.locator("#ask")).to_have_text("اسأل")
    expect(page.locator("html")).to_have_attribute("dir", "rtl")
    assert panel_is_left()
    assert direction(page.locator("#exchange-1 .answer")) == "ltr"
    page.reload()
    expect(page.locator("#conversation .empty h2")).to_have_text("اسأل المقالات")
    expect(page.locator("html")).to_have_attribute("lang", "ar")


def test_two_readers_at_once_do_not_see_each_other(open_page: Open) -> None:
    first, second = open_page("en"), open_page("ar")
    first.fill("#question textarea", SLOW)
    first.press("#question textarea", "Enter")
    expect(first.locator(".pending")).to_be_visible()
    ask(second, ARABIC)
    expect(first.locator(".pending")).to_be_visible()
    expect(first.locator("#exchange-1 .answer")).to_be_visible(timeout=15_000)
    expect(first.locator("h2.question")).to_have_text(SLOW)
    expect(second.locator("h2.question")).to_have_text(ARABIC)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("question", "language", "marked"),
    [
        ("كم بلغت المساهمات الأوروبية في إطار التحالف منذ 2017؟", "ar", "400 مليون دولار"),
        ("How much have the Europeans contributed since 2017?", "en", "400 مليون دولار"),
    ],
)
def test_the_real_pipeline_answers_with_its_evidence_marked(
    browser: Browser, real_address: str, question: str, language: str, marked: str
) -> None:
    context = browser.new_context(locale=language)
    page = context.new_page()
    page.goto(real_address)
    expect(page.locator("#conversation .empty")).to_be_visible(timeout=15_000)
    answer = ask(page, question)
    assert direction(answer) == {"ar": "rtl", "en": "ltr"}[language]
    mark = page.locator("#evidence details[open] mark")
    expect(mark).to_contain_text(marked)
    assert mark.evaluate(IN_VIEW)
    context.close()


@pytest.mark.parametrize(("language", "button"), [("ar", "موجز"), ("en", "Brief")])
def test_a_topic_is_told_in_points(open_page: Open, language: str, button: str) -> None:
    page = open_page(language, NARROW)
    page.fill("#question textarea", ENGLISH)
    page.get_by_role("button", name=button, exact=True).click()
    answer = page.locator("#exchange-1 .answer")
    expect(answer).to_be_visible(timeout=15_000)
    expect(answer.locator("blockquote")).to_have_count(len(QUOTES))
    expect(answer.locator(".short")).to_have_count(0)
    expect(page.locator("#brief")).to_be_visible()
    assert fits(page)


@pytest.mark.parametrize(
    ("language", "question", "button", "thanks"),
    [
        ("ar", ARABIC, "إجابة جيدة", "حُفظت مسودةً لسؤال معياري"),
        ("en", ENGLISH, "The evidence is wrong", "Kept as a draft gold question"),
    ],
)
def test_a_marked_answer_becomes_a_draft_gold_question(
    open_page: Open, index_dir: Path, language: str, question: str, button: str, thanks: str
) -> None:
    page = open_page(language)
    answer = ask(page, question)
    mark = answer.get_by_role("button", name=button)
    mark.focus()
    page.keyboard.press("Enter")

    expect(mark).to_have_attribute("aria-pressed", "true")
    expect(answer.locator(".marks")).to_contain_text(thanks)
    drafts = [json.loads(line) for line in (index_dir / DRAFTS).read_text(encoding="utf-8").splitlines()]
    assert question in [draft["question"] for draft in drafts]


def test_the_last_report_is_served_with_nothing_from_elsewhere(
    browser: Browser, address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = browser.new_page()
    monkeypatch.setattr("app.REPORT", tmp_path / "report.html")
    assert page.goto(f"{address}/report").status == 404  # type: ignore[union-attr]
    (tmp_path / "report.html").write_text("<h1>Evaluation</h1><script>document.title = 'run'</script>", "utf-8")
    page.goto(f"{address}/report")
    expect(page.locator("h1")).to_have_text("Evaluation")
    assert page.title() != "run"
    page.close()

import unicodedata
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from rag.datatypes import Answer, AnswerSpan, Conflict, ConflictValue, Question
from rag.present.terminal import render_answer, render_hits
from tests.fake_pipeline import ARABIC as MEMBERS_AR
from tests.fake_pipeline import ENGLISH as MEMBERS_EN
from tests.fake_pipeline import OLYMPICS, FakePipeline

PIPELINE = FakePipeline()
ARTICLES = PIPELINE.articles
RTL, LTR, END = "\u2067", "\u2066", "\u2069"


def ask(text: str) -> Answer:
    return PIPELINE.ask(Question(text=text))


def test_an_arabic_answer_is_isolated_block_by_block() -> None:
    blocks = render_answer(ask(MEMBERS_AR), ARTICLES, language="ar", bold=False).rstrip("\n").split("\n\n")

    assert len(blocks) == 4
    for number, block in enumerate(blocks[:3], 1):
        assert block.startswith(RTL)
        assert block.endswith(f" [{number}]{END}")
    assert blocks[3].startswith(f"{RTL}المصادر{END}\n{RTL}[1] ")


def test_english_words_around_arabic_quotes_stay_left_to_right() -> None:
    blocks = render_answer(ask(MEMBERS_EN), ARTICLES, language="en", bold=False).rstrip("\n").split("\n\n")

    assert blocks[0].startswith(RTL)
    sources = blocks[3].split("\n")
    assert sources[0] == "Sources"
    assert sources[2].startswith(f"[2] {RTL}")
    assert sources[2].endswith(f"{LTR}003_4c8299b17c72dc3b.txt{END} — undated")


def test_a_dated_source_bears_its_date() -> None:
    answer = ask(MEMBERS_EN)
    dated = replace(answer, citations=(replace(answer.citations[0], date="2021-06-29"),))

    assert render_answer(dated, ARTICLES, language="en", bold=False).endswith(" — 2021-06-29\n")


def test_the_words_that_answer_are_bold_only_where_wanted() -> None:
    assert "\x1b[1m83\x1b[0m" in render_answer(ask(MEMBERS_EN), ARTICLES, language="en", bold=True)
    assert "\x1b" not in render_answer(ask(MEMBERS_EN), ARTICLES, language="en", bold=False)


def test_a_refusal_lists_the_three_nearest_passages() -> None:
    shown = render_answer(ask(OLYMPICS), ARTICLES, language="en", bold=False)

    assert shown.startswith("The articles do not answer this question.")
    assert [f"\n{rank}. " in shown for rank in (1, 2, 3, 4)] == [True, True, True, False]


def test_a_conflict_names_each_value_with_its_source() -> None:
    values = (ConflictValue(value="79", citation=1), ConflictValue(value="83", citation=2))
    answer = replace(ask(MEMBERS_EN), conflicts=(Conflict(subject="members", values=values),))

    shown = render_answer(answer, ARTICLES, language="en", bold=False)

    assert "The sources differ on members: 79 [1], 83 [2]" in shown


def test_hits_are_shown_whole_with_rank_and_score() -> None:
    hits = PIPELINE.search(MEMBERS_EN, 2)

    shown = render_hits(hits, ARTICLES, language="en")

    assert shown.count("\n\n") == 1
    assert "1. (1.000) " in shown
    assert hits[0].passage.text.split("\n")[0][-40:] in shown


@given(text=st.text(min_size=1))
def test_no_text_can_steer_the_terminal_or_leave_its_block(text: str) -> None:
    quote = f"قال {text} ثم"
    citation = replace(
        ask(MEMBERS_AR).citations[0],
        quote=quote,
        title=text,
        start=0,
        end=len(quote),
        answer_span=AnswerSpan(text=text, start=4, end=4 + len(text)),
    )
    answer = replace(ask(MEMBERS_AR), citations=(citation,))

    shown = render_answer(answer, ARTICLES, language="ar", bold=False)

    assert not [char for char in shown if unicodedata.category(char) in ("Cc", "Cs") and char != "\n"]
    assert shown.count(RTL) + shown.count(LTR) == shown.count(END)
    assert len(shown.split("\n")) == 5

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.followups import standalone_question

MEMBERS_AR = "كم عدد أعضاء التحالف الدولي؟"
MEMBERS_EN = "How many members does the coalition have?"


@pytest.mark.parametrize(
    "question", ["وماذا عن سوريا؟", "ولماذا؟", "ومتى تشكل؟", "وفي العراق؟", "ومن يقوده؟", "لماذا؟", "ما سبب ذلك؟"]
)
def test_an_arabic_follow_up_is_read_with_the_question_before(question: str) -> None:
    assert standalone_question(question, ["أين روما؟", MEMBERS_AR]) == f"{MEMBERS_AR} {question}"


@pytest.mark.parametrize(
    "question",
    [
        "And in Syria?",
        "What about Syria?",
        "Why?",
        "When was it formed?",
        "Who leads it?",
        "But why?",
        "How many left?",
    ],
)
def test_an_english_follow_up_is_read_with_the_question_before(question: str) -> None:
    assert standalone_question(question, ["Where is Rome?", MEMBERS_EN]) == f"{MEMBERS_EN} {question}"


@pytest.mark.parametrize(
    "question",
    [
        "من هو الأمين العام لحلف الناتو؟",
        "متى انعقد اجتماع روما؟",
        "Who is the secretary general of NATO?",
        "Who leads NATO?",
        "When did the Rome meeting take place?",
        "Why does Europe refuse to take back its citizens from Syria?",
        "وكم بلغ إجمالي المساهمات الأوروبية في إعادة بناء جامعة الموصل؟",
    ],
)
def test_a_question_that_stands_alone_stays_as_it_is(question: str) -> None:
    assert standalone_question(question, [MEMBERS_AR, MEMBERS_EN]) == question


@given(question=st.text(max_size=40))
def test_without_history_every_question_stays_as_it_is(question: str) -> None:
    assert standalone_question(question, []) == question


@given(question=st.text(max_size=40), history=st.lists(st.text(max_size=40), min_size=1, max_size=3))
def test_nothing_but_the_last_question_is_ever_added(question: str, history: list[str]) -> None:
    assert standalone_question(question, history) in (question, f"{history[-1].strip()} {question.strip()}")

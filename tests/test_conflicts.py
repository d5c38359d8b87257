"""Values that differ: shown where they count the same thing, and nowhere else."""

from dataclasses import replace

import pytest

from rag.conflicts import Told, find_conflicts
from rag.datatypes import AnswerSpan, AnswerType, Citation, Question
from rag.lexicon import Lexicon
from rag.pipeline import Pipeline
from rag.protocols import Query
from rag.query import answer_type, query_terms
from tests.small import query

LEXICON = Lexicon.open()


def asked(question: str, kind: AnswerType | None = None) -> Query:
    return replace(
        query(question, (1.0, 0.0)),
        terms=query_terms(question, LEXICON, None),
        answer_type=kind or answer_type(question),
    )


def told(*quotes: str, marked: bool = True) -> list[Told]:
    span = AnswerSpan(text="", start=0, end=1)
    citations = (
        Citation(
            marker=marker,
            article_id=f"a{marker}",
            source=f"a{marker}.txt",
            title="",
            date=None,
            language="ar",
            quote=quote,
            start=100,
            end=100 + len(quote),
            score=1.0,
            answer_span=span if marked else None,
        )
        for marker, quote in enumerate(quotes, start=1)
    )
    return [Told(citation=each, start=each.start, end=each.end) for each in citations]


def values(question: str, *quotes: str, marked: bool = True) -> list[tuple[str, int]]:
    found = find_conflicts(asked(question), told(*quotes, marked=marked), LEXICON)
    return [(value.value, value.citation) for conflict in found for value in conflict.values]


MEMBERS = (
    "يلتزم أعضاء التحالف الدولي الـ 83 بمواجهة تنظيم داعش على مختلف الجبهات.",
    "والتزم أعضاء التحالف الدولي الـ 79 بمواجهة تنظيم «داعش».",
    "شارك في الاجتماع 83 وزيرا ووفدا من الدول الأعضاء في التحالف.",
    "كان آلية فعالة لجميع الدول الأعضاء الـ 81 للتعاون.",
)


@pytest.mark.parametrize(
    "question",
    [
        "كم عدد أعضاء التحالف الدولي؟",
        "عدد أعضاء التحالف",
        "كم دولة عضو في التحالف؟",
        "How many members does the coalition have?",
        "The sources disagree on how many members the coalition has. Which totals are given?",
    ],
)
def test_each_count_of_members_is_shown_with_its_source(question: str) -> None:
    assert values(question, *MEMBERS) == [("83", 1), ("79", 2), ("81", 4)]


def test_ministers_are_no_members() -> None:
    assert values("كم عدد أعضاء التحالف؟", MEMBERS[0], MEMBERS[2]) == []
    assert values("كم وزيرا شارك في الاجتماع؟", MEMBERS[0], MEMBERS[2]) == []


def test_one_value_in_two_writings_is_one_value() -> None:
    ten = ("عشرة آلاف مقاتل لا يزالون محتجزين.", "ما مجموعه 10.000 من مقاتلي داعش في السجون.")
    assert values("How many fighters are held?", *ten) == []
    assert values("كم عدد المقاتلين المحتجزين؟", *ten, "لا يزال 5000 مقاتل محتجزين.") == [("عشرة آلاف", 1), ("5000", 3)]


def test_what_nobody_counted_differs_from_nothing() -> None:
    assert values("كم مقاتلا احتجز؟", "آلاف المقاتلين في السجون.", "احتجز 300 مقاتل.") == []


def test_the_number_of_a_point_in_a_list_counts_nothing() -> None:
    assert values("كم معتقلا لديهم؟", "2-معتقلي داعش وملفهم.", "لديهم 10.000 معتقل.") == []


FOUNDED = ("تشكل التحالف الدولي ضد داعش في أغسطس عام 2014.", "تشكل التحالف الدولي في أيلول 2014 بقيادة أمريكا.")


def test_dates_of_one_event_that_cannot_both_be_right() -> None:
    assert values("متى تشكل التحالف الدولي؟", *FOUNDED) == [("أغسطس عام 2014", 1), ("أيلول 2014", 2)]
    assert values("When was the international coalition formed?", *FOUNDED) == [
        ("أغسطس عام 2014", 1),
        ("أيلول 2014", 2),
    ]


def test_dates_that_agree_or_tell_of_something_else_are_no_conflict() -> None:
    assert values("متى تشكل التحالف الدولي؟", FOUNDED[0], "تشكل التحالف الدولي عام 2014.") == []
    assert values("متى تشكل التحالف الدولي؟", FOUNDED[0], "تشكل التحالف الدولي في آب 2014.") == []
    assert values("متى تشكل التحالف الدولي؟", FOUNDED[0], "اجتمع وزراء التحالف الدولي في حزيران 2021.") == []
    assert values("متى تشكل التحالف الدولي؟", *FOUNDED, marked=False) == []


@pytest.mark.parametrize("question", ["لماذا تشكل التحالف الدولي؟", "من يقود التحالف؟", "؟"])
def test_other_questions_have_no_values_to_differ(question: str) -> None:
    assert values(question, *MEMBERS, *FOUNDED) == []


def test_the_subject_is_what_is_counted() -> None:
    question = "Do the sources agree? How many members does the coalition have, and since when?"
    [conflict] = find_conflicts(asked(question, "number"), told(*MEMBERS), LEXICON)
    assert conflict.subject == "members does the coalition have"


def test_the_number_of_a_resolution_counts_nothing() -> None:
    quotes = ("قرار مجلس الأمن رقم 1373 يلزم الدول.", "اعتمد مجلس الأمن القرار رقم 1624 بالإجماع.")
    assert values("ما رقم قرار مجلس الأمن؟", *quotes) == []


@pytest.mark.parametrize(
    "question",
    ["كم عدد أعضاء التحالف؟", "عدد أعضاء التحالف", "How many members does the coalition have?"],
)
def test_the_articles_own_counts_of_members_are_all_shown(seeds_pipeline: Pipeline, question: str) -> None:
    answer = seeds_pipeline.ask(Question(text=question))

    [conflict] = answer.conflicts
    assert {value.value for value in conflict.values} == {"79", "81", "83"}
    sources = {answer.citations[value.citation - 1].source[:3] for value in conflict.values}
    assert sources == {"000", "001", "003"}


@pytest.mark.parametrize(
    "question", ["How many ministers took part in the Rome meeting?", "كم بلغت المساهمات الأوروبية منذ 2017؟"]
)
def test_what_one_article_counts_differs_from_nothing(seeds_pipeline: Pipeline, question: str) -> None:
    assert seeds_pipeline.ask(Question(text=question)).conflicts == ()

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.datatypes import AnswerType
from rag.lexicon import Lexicon
from rag.protocols import Query
from rag.query import answer_type, make_queries
from rag.text import terms
from tests.conftest import TopicEmbedder

LEXICON = Lexicon.open()

TYPES: dict[AnswerType, tuple[str, ...]] = {
    "number": (
        "كم عدد أعضاء التحالف الدولي؟",
        "كم دولة شاركت في الاجتماع؟",
        "وكم بلغت المساهمات؟",
        "ما عدد المقاتلين المحتجزين؟",
        "ما هو إجمالي المساهمات الأوروبية؟",
        "ما نسبة الدول المشاركة؟",
        "بكم بيع النفط؟",
        "How many members does the coalition have?",
        "How much money did Europe give?",
        "What is the total number of detainees?",
        "What percentage of the territory was lost?",
    ),
    "date": (
        "متى تشكل التحالف الدولي؟",
        "ومتى انعقد اجتماع روما؟",
        "منذ متى تدور الحرب؟",
        "في أي عام بدأت الحرب؟",
        "ما تاريخ الاجتماع؟",
        "When was the coalition formed?",
        "In which year did the war start?",
        "What date was the meeting?",
        "Since when has NATO been in Iraq?",
    ),
    "person": (
        "من هو الأمين العام لحلف الناتو؟",
        "من قال إن التحالف مرن؟",
        "ما اسم المبعوث الأمريكي؟",
        "أي وزير تحدث في الاجتماع؟",
        "Who is the secretary general of NATO?",
        "Which minister spoke in Rome?",
        "Whose article is this?",
    ),
    "place": (
        "أين انعقد الاجتماع؟",
        "في أي مدينة عقد الاجتماع؟",
        "من أين جاء المقاتلون؟",
        "إلى أين انسحبت القوات؟",
        "Where did they meet?",
        "In which city did they meet?",
    ),
    "reason": (
        "لماذا تأجلت المراجعة؟",
        "ولماذا انسحبت أمريكا؟",
        "ما سبب الانسحاب؟",
        "ما هي أسباب التطرف في أفريقيا؟",
        "لأي سبب ترفض أوروبا؟",
        "ما الذي دفع أمريكا إلى الانسحاب؟",
        "Why was the review postponed?",
        "What is the reason for the withdrawal?",
        "What caused the delay?",
    ),
    "other": (
        "ما هي أهداف التحالف؟",
        "ما التحالف الدولي؟",
        "كيف يواجه التحالف الدعاية؟",
        "هل يشارك الناتو في العراق؟",
        "أهداف التحالف الدولي",
        "What is Barkhane?",
        "How does the coalition fight propaganda?",
        "Describe the Rome meeting",
        "",
        "؟",
    ),
}


@pytest.mark.parametrize(("question", "kind"), [(question, kind) for kind in TYPES for question in TYPES[kind]])
def test_the_question_word_tells_the_kind_of_answer(question: str, kind: AnswerType) -> None:
    assert answer_type(question) == kind


def test_neither_case_nor_diacritics_nor_marks_matter() -> None:
    assert answer_type("HOW   MANY members") == "number"
    assert answer_type("«كَم» عددُ الأعضاء") == "number"
    assert answer_type("متــى؟؟؟") == "date"


def make(question: str, lexicon: Lexicon | None = LEXICON) -> Query:
    [query] = make_queries([question], TopicEmbedder(), lexicon)
    return query


def said(query: Query, surface: str) -> set[tuple[str, ...]]:
    [found] = [term for term in query.terms if term.surface == surface]
    return {alternative.terms for alternative in found.alternatives}


@pytest.mark.parametrize(
    ("question", "surface", "other"),
    [
        ("Rome meeting June 2021", "Rome", "روما"),
        ("Rome meeting June 2021", "June", "حزيران"),
        ("Rome meeting June 2021", "June", "يونيو"),
        ("Rome meeting June 2021", "meeting", "اجتماع"),
        ("اجتماع روما في حزيران", "روما", "Rome"),
        ("اجتماع روما في حزيران", "حزيران", "June"),
        ("اجتماع روما في حزيران", "حزيران", "يونيو"),
        ("What did the foreign minister say?", "foreign minister", "وزير الخارجية"),
    ],
)
def test_words_are_said_in_the_other_language_too(question: str, surface: str, other: str) -> None:
    assert tuple(terms(other)) in said(make(question), surface)


def test_the_word_itself_comes_first_and_weighs_most() -> None:
    for question in ("Rome meeting June 2021", "متى عقد اجتماع روما في حزيران؟"):
        for term in make(question).terms:
            assert term.alternatives[0].terms == tuple(terms(term.surface))
            assert term.alternatives[0].weight == 1.0
            assert all(0 < alternative.weight <= 1 for alternative in term.alternatives)


def test_without_a_lexicon_words_stand_for_themselves() -> None:
    query = make("Rome meeting June 2021", None)

    assert [term.surface for term in query.terms] == ["Rome", "meeting", "June", "2021"]
    assert all(len(term.alternatives) == 1 for term in query.terms)


def test_stop_words_are_no_terms() -> None:
    assert [term.surface for term in make("متى كان هذا في روما؟").terms] == ["روما"]
    assert make("what is it?").terms == ()


@pytest.mark.parametrize(
    ("question", "surface", "is_name"),
    [
        ("Who met Shatz?", "Shatz", True),
        ("Rome meeting June 2021", "2021", True),
        ("Rome meeting June 2021", "meeting", False),
        ("اجتماع روما", "روما", True),
        ("اجتماع روما", "اجتماع", False),
        ("عام ٢٠٢١", "٢٠٢١", True),
        ("Fighters held there", "Fighters", False),
    ],
)
def test_names_numbers_and_years_are_names(question: str, surface: str, is_name: bool) -> None:
    [term] = [term for term in make(question).terms if term.surface == surface]

    assert term.is_name is is_name


def test_queries_are_embedded_in_one_batch_and_keep_their_order() -> None:
    embedder = TopicEmbedder()
    questions = ["أين النفط؟", "When in Rome?", "北京"]
    queries = make_queries(questions, embedder, LEXICON)

    assert embedder.embedded == questions
    assert [query.text for query in queries] == questions
    assert [query.language for query in queries] == ["ar", "en", "und"]
    assert [query.answer_type for query in queries] == ["place", "date", "other"]
    assert queries[0].vector.tolist() == [0, 1, 0, 0]
    assert make_queries([], embedder, LEXICON) == []


@given(text=st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from("متىكم روما June 20"), max_size=60))
def test_any_question_has_terms_that_stand_in_it_in_order(text: str) -> None:
    query = make(text + " روما")

    places = [query.text.find(term.surface) for term in query.terms]
    assert -1 not in places
    assert [term.span for term in query.terms] == sorted(term.span for term in query.terms)
    assert all(query.text[slice(*term.span)] == term.surface for term in query.terms)
    assert query.answer_type in TYPES

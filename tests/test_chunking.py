"""Articles to passages: exact spans, whole sentences, sizes, ids, headings."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.articles import load_articles
from rag.chunking import chunk_article
from rag.datatypes import Article, Passage
from rag.sentences import sentence_spans
from rag.structure import body_blocks
from rag.text import detect_language
from tests.conftest import SEEDS

SEED_ARTICLES = list(load_articles([SEEDS]))

LINES = st.sampled_from(
    [
        "انعقد الاجتماع في روما. حضره 83 وزيرا! متى ينعقد التالي؟",
        "The talks were held in Rome on Jan. 5. They cost $1.25 million in all.",
        "ـ أثبت التحالف نجاحه .\u00a0\u00a0كما أكد ذلك الوزراء.غادر الجميع بعد ذلك.",
        "النتائج",
        "## الخلاصة",
        "1- التعامل مع معتقلي داعش",
        "جاسم محمد",
        "ربما يعجبك أيضا",
        "",
        " \u200f ",
        "•",
        "كلمة، " * 90,
        "كلمة " * 200,
        "ذلك صحيح. " * 40,
    ]
) | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\0"), max_size=60)


def article(text: str, **fields: str) -> Article:
    return Article(id="مقال", source="مقال.txt", title="عنوان", language="ar", text=text, **fields)


def spans(passages: list[Passage]) -> list[tuple[int, int]]:
    return [(sentence.start, sentence.end) for passage in passages for sentence in passage.sentences]


def check_spans(made: Article, passages: list[Passage]) -> None:
    for passage in passages:
        assert passage.article_id == made.id
        assert made.text[passage.start : passage.end] == passage.text
        assert (passage.start, passage.end) == (passage.sentences[0].start, passage.sentences[-1].end)
        assert passage.language == detect_language(passage.text)
        for sentence in passage.sentences:
            assert sentence.article_id == made.id
            assert made.text[sentence.start : sentence.end] == sentence.text == sentence.text.strip() != ""
    for (_, end), (start, _) in pairwise(spans(passages)):
        assert end <= start
    assert [passage.id for passage in passages] == [f"{made.id}#{number}" for number in range(len(passages))]


@pytest.mark.parametrize("made", SEED_ARTICLES, ids=lambda made: made.id[:3])
@pytest.mark.parametrize("size", [150, 600, 5000])
def test_the_five_articles(made: Article, size: int) -> None:
    passages = chunk_article(made, size)

    check_spans(made, passages)
    assert all(len(passage.text) <= size or len(passage.sentences) == 1 for passage in passages)


@pytest.mark.parametrize("made", SEED_ARTICLES, ids=lambda made: made.id[:3])
def test_no_sentence_of_the_five_articles_is_lost_or_doubled(made: Article) -> None:
    expected = [span for block in body_blocks(made) for span in sentence_spans(made.text, block.start, block.end)]

    assert spans(chunk_article(made)) == expected


@pytest.mark.parametrize("made", SEED_ARTICLES, ids=lambda made: made.id[:3])
def test_neighbouring_passages_would_not_fit_together(made: Article) -> None:
    for earlier, later in pairwise(chunk_article(made)):
        joined = later.sentences[0].end - earlier.start
        between = made.text[earlier.end : later.start]
        # The spaces and bullets after a sentence count with it.
        assert joined > 590 or earlier.heading != later.heading or any(map(str.isalpha, between))


def test_sentences_fill_passages_in_order() -> None:
    #       0                        25                       50
    text = "هذه هي الجملة الأولى هنا. هذه هي الجملة الثانية هنا. هذه هي الجملة الثالثة هنا."

    passages = chunk_article(article(text), 60)

    assert [[sentence.text for sentence in passage.sentences] for passage in passages] == [
        ["هذه هي الجملة الأولى هنا.", "هذه هي الجملة الثانية هنا."],
        ["هذه هي الجملة الثالثة هنا."],
    ]
    assert [(passage.start, passage.end) for passage in passages] == [(0, 52), (53, 79)]


def test_a_sentence_longer_than_a_passage_is_a_passage() -> None:
    long = "كلمة " * 60 + "أخيرة."

    passages = chunk_article(article(f"هذه جملة قصيرة أولى. {long} هذه جملة قصيرة أخيرة."), 100)

    assert [passage.text for passage in passages] == ["هذه جملة قصيرة أولى.", long, "هذه جملة قصيرة أخيرة."]


def test_a_passage_may_span_paragraphs_but_not_headings() -> None:
    text = "هذه هي الجملة الأولى.\n\nهذه هي الجملة الثانية.\nالنتائج\nهذه هي الجملة الثالثة.\n"

    passages = chunk_article(article(text))

    assert [(passage.heading, passage.text) for passage in passages] == [
        ("", "هذه هي الجملة الأولى.\n\nهذه هي الجملة الثانية."),
        ("النتائج", "هذه هي الجملة الثالثة."),
    ]


def test_no_passage_spans_what_may_not_be_cited() -> None:
    text = "هذه هي الجملة الأولى.\nربما يعجبك أيضا\nهذه هي الجملة الثانية.\nجاسم محمد\nهذه هي الجملة الثالثة."

    passages = chunk_article(article(text, author="جاسم محمد"))

    assert [passage.text for passage in passages] == [
        "هذه هي الجملة الأولى.",
        "هذه هي الجملة الثانية.",
        "هذه هي الجملة الثالثة.",
    ]


def test_the_same_sentence_in_other_paragraphs_keeps_its_own_place() -> None:
    text = "انتهى الاجتماع أمس. نعم.\nانتهى الاجتماع أمس. لا.\n"

    found = spans(chunk_article(article(text), 20))

    assert [text[start:end] for start, end in found] == ["انتهى الاجتماع أمس.", "نعم.", "انتهى الاجتماع أمس.", "لا."]
    assert found == [(0, 19), (20, 24), (25, 44), (45, 48)]


def test_passages_have_their_own_language() -> None:
    text = "انعقد الاجتماع في روما يوم الاثنين.\nResults\nThe ministers met in Rome on Monday."

    assert [passage.language for passage in chunk_article(article(text))] == ["ar", "en"]


@pytest.mark.parametrize("text", ["عنوان", "ربما يعجبك أيضا", "😀 … ـ", ""])
def test_an_article_without_body_has_no_passages(text: str) -> None:
    assert chunk_article(article(text)) == []


def test_markup_is_kept_as_it_stands() -> None:
    text = "<script>alert('x')</script> هذا نص المقال &amp; بقيته."

    assert [passage.text for passage in chunk_article(article(text))] == [text]


@settings(deadline=None)
@given(lines=st.lists(LINES, max_size=12), size=st.integers(1, 700))
def test_any_article_is_cut_into_exact_spans(lines: list[str], size: int) -> None:
    made = article("\n".join(lines), author="جاسم محمد")
    expected = [span for block in body_blocks(made) for span in sentence_spans(made.text, block.start, block.end)]

    passages = chunk_article(made, size)

    check_spans(made, passages)
    assert spans(passages) == expected
    assert all(len(passage.text) <= size or len(passage.sentences) == 1 for passage in passages)
    assert chunk_article(made, size) == passages

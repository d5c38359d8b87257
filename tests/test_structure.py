"""Which lines of an article are body, heading or furniture."""

import textwrap
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.datatypes import Article
from rag.structure import after_outlet, body_blocks

BODY = "انعقد الاجتماع في روما بحضور عدد كبير من وزراء الدول الأعضاء في التحالف الدولي."
OTHER = "The ministers met in Rome, and most of the members of the coalition were there."
ENGLISH_WRAPPED = textwrap.wrap(
    f"{OTHER} They spoke of the camps and of the funds that are still missing. " * 6, width=65
)


def article(*lines: str, title: str = "عنوان المقال", author: str | None = None, outlet: str | None = None) -> Article:
    text = "\n".join(lines)
    return Article(id="a", source="a.txt", title=title, language="ar", text=text, author=author, outlet=outlet)


def blocks(made: Article) -> list[tuple[str, str]]:
    """(heading, text) of each block."""
    return [(block.heading, made.text[block.start : block.end].strip()) for block in body_blocks(made)]


def bodies(made: Article) -> list[str]:
    return [text for _, text in blocks(made)]


def test_a_line_is_a_paragraph() -> None:
    assert blocks(article(BODY, "", OTHER)) == [("", BODY), ("", OTHER)]


def test_the_title_is_no_body_wherever_and_however_it_stands() -> None:
    lines = ("عنوان المقال", BODY, "  عُنوان\u00a0 المقـال ", OTHER)

    assert bodies(article(*lines)) == [BODY, OTHER]


@pytest.mark.parametrize("byline", ["جاسم محمد", "رؤية ـ جاسم محمد", "بقلم: جـاسم مُحمد", "جاسم محمد، باحث في الأمن"])
def test_a_byline_is_no_body(byline: str) -> None:
    made = article(byline, BODY, author="جاسم محمد")

    assert blocks(made) == [("", BODY)]


@pytest.mark.parametrize(
    ("author", "line"),
    [
        pytest.param("علي", "قُتل العليان في الموصل عام 2016.", id="a name inside a word"),
        pytest.param("Ali", "Quality of life in Mosul fell.", id="a Latin name inside a word"),
        pytest.param("Smith", "Smith resigned on 5 May 2021.", id="a sentence about the author"),
    ],
)
def test_a_sentence_with_the_authors_name_is_body(author: str, line: str) -> None:
    assert bodies(article(BODY, line, OTHER, author=author)) == [BODY, line, OTHER]


@pytest.mark.parametrize(
    "line",
    [
        "ربما يعجبك أيضا",
        "ربّما يُعجبك أيضاً:",
        "اقرأ أيضا: داعش يعود إلى الموصل",
        "مواضيع ذات صلة",
        "جميع الحقوق محفوظة © 2021",
        "تابعونا على تويتر",
        "You may also like",
        "READ MORE: the camps of the north.",
        "Share this",
        "Advertisement",
        "All rights reserved.",
    ],
)
def test_boilerplate_is_neither_body_nor_heading(line: str) -> None:
    assert blocks(article(BODY, line, OTHER)) == [("", BODY), ("", OTHER)]


@pytest.mark.parametrize(
    "line",
    [
        "Advertisement spending fell by half in 2020.",
        "اقرأ أيضا في هذا التقرير عن المخيمات التي ما زالت مفتوحة في شمال سوريا منذ سنوات.",
    ],
)
def test_a_sentence_that_begins_like_boilerplate_is_body(line: str) -> None:
    assert line in bodies(article(BODY, line, OTHER))


@pytest.mark.parametrize(
    ("line", "heading"),
    [
        ("جهود غير عسكرية", "جهود غير عسكرية"),
        ("الخلاصة", "الخلاصة"),
        ("دوافع استراتيجية رئيسية : ", "دوافع استراتيجية رئيسية"),
        ("## الخلاصة والتوصيات", "الخلاصة والتوصيات"),
        ("# What the coalition wants next?", "What the coalition wants next?"),
        ("Results of the meeting", "Results of the meeting"),
    ],
)
def test_a_heading_stands_over_what_follows(line: str, heading: str) -> None:
    assert blocks(article(BODY, line, OTHER, "And so it ended, as everybody there had expected.")) == [
        ("", BODY),
        (heading, OTHER),
        (heading, "And so it ended, as everybody there had expected."),
    ]


@pytest.mark.parametrize(
    "line",
    [
        pytest.param("انتهى الاجتماع في روما.", id="full stop"),
        pytest.param("لماذا تنخرط الولايات المتحدة في العراق؟", id="question"),
        pytest.param("ـ خيارات الانسحاب من العراق", id="tatweel bullet"),
        pytest.param("- the first point", id="hyphen bullet"),
        pytest.param('"الحرب لم تنته بعد"', id="quotation"),
        pytest.param("يلتزم أعضاء التحالف جميعا بمحاربة تنظيم داعش في العراق وسوريا", id="ten words"),
        pytest.param("7.7 مليون مواطن نجوا من التنظيم", id="begins with a number"),
    ],
)
def test_other_short_lines_are_body(line: str) -> None:
    assert blocks(article(BODY, line, OTHER)) == [("", BODY), ("", line), ("", OTHER)]


def test_a_numbered_heading_is_a_heading_and_an_item_of_its_list() -> None:
    assert blocks(article(BODY, '2-التعامل مع معتقلي "داعش"', OTHER)) == [
        ("", BODY),
        ('2-التعامل مع معتقلي "داعش"', '2-التعامل مع معتقلي "داعش"'),
        ('2-التعامل مع معتقلي "داعش"', OTHER),
    ]


def test_the_last_line_is_body_even_without_a_full_stop() -> None:
    assert bodies(article(BODY, "وانتهى الاجتماع بلا بيان")) == [BODY, "وانتهى الاجتماع بلا بيان"]


def test_a_last_markdown_heading_is_no_body() -> None:
    assert bodies(article(BODY, "## Sources and notes")) == [BODY]


def test_a_paragraph_that_stands_twice_counts_once() -> None:
    again = BODY.replace("الدولي", "الدّولـي").replace(" ", "\u00a0", 1)

    assert bodies(article(BODY, OTHER, again, OTHER)) == [BODY, OTHER]


def test_a_heading_that_stands_twice_stands_over_both_parts() -> None:
    third = "رأى الخبراء أن المخيمات ما زالت خطرا على المنطقة كلها وعلى أوروبا أيضا."

    made = article("النتائج", BODY, "المخيمات", OTHER, "النتائج", third)

    assert blocks(made) == [("النتائج", BODY), ("المخيمات", OTHER), ("النتائج", third)]


def test_the_outlet_that_opens_an_article_is_no_body() -> None:
    assert bodies(article(f"الوقت- {BODY}", OTHER, outlet="الوقت")) == [BODY, OTHER]


@pytest.mark.parametrize(
    ("text", "outlet", "rest"),
    [
        ("الوقت- دشّنت", "الوقت", "دشّنت"),
        ("رؤية ـ جاسم", "رؤية", "جاسم"),
        ("  (AFP) — ROME", "(AFP)", "ROME"),
        ("الوقت المناسب - الآن", "الوقت", "الوقت المناسب - الآن"),
        ("قال إن الوقت- حان", "الوقت", "قال إن الوقت- حان"),
        ("الوقت- دشّنت", None, "الوقت- دشّنت"),
    ],
)
def test_after_outlet(text: str, outlet: str | None, rest: str) -> None:
    assert text[after_outlet(text, outlet) :] == rest


def test_the_paragraphs_of_hard_wrapped_text_are_set_off_by_blank_lines() -> None:
    first, second = ENGLISH_WRAPPED[:5], ENGLISH_WRAPPED[5:]

    made = article(*first, "", "The camps", "  ", *second, title="Rome")

    assert blocks(made) == [("", "\n".join(first)), ("The camps", "\n".join(second))]


def test_a_few_short_lines_are_not_hard_wrapped_text() -> None:
    lines = [f"الجملة رقم {number} من جمل هذا المقال تنتهي بنقطة كما ينبغي." for number in range(20)]

    assert bodies(article(*lines)) == lines


@settings(deadline=None)
@given(
    st.lists(
        st.sampled_from([BODY, OTHER, "الخلاصة", "1- أولا", "عنوان المقال", "", " ", "ـ بند", "##", "# أ", "كاتب"])
        | st.text(max_size=80),
        max_size=14,
    )
)
def test_blocks_are_ordered_and_apart_and_none_stands_twice(lines: list[str]) -> None:
    made = article(*lines, author="كاتب", outlet="الوقت")
    found = body_blocks(made)

    assert all(0 <= block.start < block.end <= len(made.text) for block in found)
    assert all(earlier.end <= later.start for earlier, later in pairwise(found))
    texts = bodies(made)
    assert len(set(texts)) == len(texts)
    assert all(block.heading == block.heading.strip() and "\n" not in block.heading for block in found)

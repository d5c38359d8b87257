from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.datatypes import AnswerType
from rag.lexicon import Lexicon
from rag.spans import find_spans, states_reason

LEXICON = Lexicon.open()
KINDS: tuple[AnswerType, ...] = ("number", "date", "person", "place", "reason", "other")
TEXTS = st.text(
    st.sampled_from("0123456789٣٤ .,،-/ابوفيعشرلمةحزنة abcdJuneMay") | st.characters(exclude_categories=["Cs"]),
    max_size=60,
)


def found(text: str, kind: AnswerType) -> list[str]:
    return [text[start:end] for start, end in find_spans(text, kind, LEXICON)]


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("شارك 83 وزيرا ووفدا", ["83"]),
        ("شارك ٨٣ وزيراً", ["٨٣"]),
        ("نجا نحو 7.7 مليون مواطن", ["7.7 مليون"]),
        ("ما مجموعه 10.000 من المقاتلين", ["10.000"]),
        ("ما يزيد عن 400 مليون دولار دعما", ["400 مليون دولار"]),
        ("ارتفع بنسبة 50 بالمئة", ["50 بالمئة"]),
        ("عشرة آلاف مقاتل", ["عشرة آلاف"]),
        ("خمسة أهداف رئيسية", ["خمسة"]),
        ("خمسة وعشرون جنديا", ["خمسة وعشرون"]),
        ("أحد عشر عاما", ["أحد عشر"]),
        ("ست عشرة دولة", ["ست عشرة"]),
        ("ثلاثة آلاف وخمسمئة رجل", ["ثلاثة آلاف وخمسمئة"]),
        ("ستمائة ألف نازح", ["ستمائة ألف"]),
        ("مئتا جندي", ["مئتا"]),
        ("مليونا لاجئ في 4 دول", ["مليونا", "4"]),
        ("1,500 soldiers and twelve drones", ["1,500", "twelve"]),
        ("two thousand men", ["two thousand"]),
        ("one hundred and fifty tanks", ["one hundred and fifty"]),
        ("nine ministers and ten envoys", ["nine", "ten"]),
        ("thirteen ships", ["thirteen"]),
        ("They cost 9 million dollars.", ["9 million dollars"]),
        ("لا أحد يعرف", []),
        ("one of the soldiers", []),
        ("عدة دول وبضعة جنود", []),
        ("القرار رقم 2254", []),
        ("resolution 2254", []),
        ("المادة 5 من الميثاق", []),
    ],
)
def test_numbers(text: str, numbers: list[str]) -> None:
    assert found(text, "number") == numbers


@pytest.mark.parametrize(
    ("text", "dates"),
    [
        ("انعقد يوم 28 يونيو 2021 في روما", ["28 يونيو 2021"]),
        ("انعقد يوم ٢٨ حزيران ٢٠٢١ في روما", ["٢٨ حزيران ٢٠٢١"]),
        ("تشكل في أغسطس عام 2014 في جدة", ["أغسطس عام 2014"]),
        ("تشكل في آب عام 2014", ["آب عام 2014"]),
        ("في نوفمبر من عام 2017 ، يشارك", ["نوفمبر من عام 2017"]),
        ("في تشرين الثاني 2020", ["تشرين الثاني 2020"]),
        ("في حزيران الماضي", ["حزيران الماضي"]),
        ("عقد الثلاثاء أول اجتماع", ["الثلاثاء"]),
        ("منذ عام 2017 وحتى اليوم", ["عام 2017"]),
        ("بدأت في سبتمبر 2014 وانتهت في مارس", ["سبتمبر 2014", "مارس"]),
        ("on 30 March 2021 in Rome", ["30 March 2021"]),
        ("On June 28th, 2021 they met", ["June 28th, 2021"]),
        ("founded in 1990", ["1990"]),
        ("on Tuesday", ["Tuesday"]),
        ("في 28/6/2021 انعقد", ["28/6/2021"]),
        ("updated 2021-06-28", ["2021-06-28"]),
        ("they may go", []),
        ("شارك 2254 شخصا", []),
        ("شارك 83 وزيرا", []),
    ],
)
def test_dates(text: str, dates: list[str]) -> None:
    assert found(text, "date") == dates


@pytest.mark.parametrize(
    "text",
    [
        "انعقد يوم 28 يونيو 2021",
        "انعقد يوم ٣٠ آذار ٢٠٢١",
        "في 10 تشرين الثاني 2020",
        "On 28 June 2021",
        "في 28/6/2021",
        "منذ عام 2017",
    ],
)
def test_nothing_inside_a_date_is_a_number(text: str) -> None:
    assert found(text, "number") == []
    assert found(f"{text} 83", "number") == ["83"]


@pytest.mark.parametrize(
    ("text", "people"),
    [
        ("وقال وزير الخارجية الأمريكي أنتوني بلينكن أن", "بلينكن"),
        ("الأمين العام لحلف الناتو ينس ستولتنبرغ في اجتماع", "ستولتنبرغ"),
        ("إدارة الرئيس الأمريكي جو بايدن", "بايدن"),
        ("The envoy, Antony Blinken, met them", "Antony Blinken"),
    ],
)
def test_people(text: str, people: str) -> None:
    assert any(people in name for name in found(text, "person"))


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("عقد الاجتماع في روما في حزيران", ["روما"]),
        ("في مدينة الموصل شمال العراق", ["الموصل", "العراق"]),
        ("They met in Paris and Rome", ["Paris", "Rome"]),
        ("القوات الأمريكية والبريطانية", []),
        ("في المملكة العربية السعودية", ["السعودية"]),
    ],
)
def test_places(text: str, places: list[str]) -> None:
    names = found(text, "place")

    assert all(any(place in name for name in names) for place in places)
    assert bool(names) == bool(places)


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("تأجلت بسبب جائحة كورونا", True),
        ("انسحبت القوات لأن المهمة انتهت", True),
        ("اجتمعوا من أجل تنسيق الجهود", True),
        ("It was postponed because of the pandemic", True),
        ("They met in order to coordinate", True),
        ("تأجلت المراجعة", False),
        ("They met in Rome", False),
        ("", False),
    ],
)
def test_words_that_introduce_a_reason(text: str, holds: bool) -> None:
    assert states_reason(text) is holds


@pytest.mark.parametrize("kind", ["reason", "other"])
def test_reasons_and_other_things_have_no_span(kind: AnswerType) -> None:
    assert found("تأجلت في 2020 بسبب جائحة كورونا في روما", kind) == []


@given(text=TEXTS, kind=st.sampled_from(KINDS))
def test_spans_are_in_order_inside_the_text_and_start_and_end_with_words(text: str, kind: AnswerType) -> None:
    spans = find_spans(text, kind, LEXICON)

    assert spans == sorted(spans)
    for start, end in spans:
        assert 0 <= start < end <= len(text)
        assert not text[start].isspace()
        assert not text[end - 1].isspace()
    if kind in ("number", "date"):
        assert all(before[1] <= after[0] for before, after in pairwise(spans))


@given(text=TEXTS)
def test_numbers_and_dates_never_overlap(text: str) -> None:
    numbers, dates = find_spans(text, "number", LEXICON), find_spans(text, "date", LEXICON)

    assert not [(one, other) for one in numbers for other in dates if one[0] < other[1] and other[0] < one[1]]

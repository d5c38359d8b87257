"""Dates by value, however they are written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.dates import Day, dates, states, weekdays


def found(text: str) -> list[Day]:
    return [mention.readings[0] for mention in dates(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("انعقد يوم 28 يونيو 2021، اجتماع", Day(2021, 6, 28)),
        ("٢٨ حزيران ٢٠٢١", Day(2021, 6, 28)),
        ("on June 28, 2021 the", Day(2021, 6, 28)),
        ("the 28th of June 2021", Day(2021, 6, 28)),
        ("28/6/2021", Day(2021, 6, 28)),
        ("28.6.2021", Day(2021, 6, 28)),
        ("2021-06-28", Day(2021, 6, 28)),
        ("في أغسطس عام 2014", Day(2014, 8, None)),
        ("في نوفمبر من عام 2017 ", Day(2017, 11, None)),
        ("November 2017", Day(2017, 11, None)),
        ("حزيران الماضي", Day(None, 6, None)),
        ("31 مارس بعنوان", Day(None, 3, 31)),
        ("10 تشرين الثاني 2020", Day(2020, 11, 10)),
        ("كانون الأول 2020", Day(2020, 12, None)),
        ("Sept 11, 2001", Day(2001, 9, 11)),
        ("May 2021 saw", Day(2021, 5, None)),
    ],
)
def test_a_date(text: str, expected: Day) -> None:
    assert found(text) == [expected]


def test_both_names_of_a_month_are_one_date_each() -> None:
    assert found("30 آذار/مارس 2021") == [Day(2021, 3, 30)] * 2


@pytest.mark.parametrize(
    "text", ["ministers may march in 2020", "وبحلول آب الأب", "في عام 2014", "1.2.3", "10 countries"]
)
def test_no_date(text: str) -> None:
    assert found(text) == []


def test_day_and_month_that_cannot_be_told_apart_are_read_both_ways() -> None:
    assert dates("3/4/2021")[0].readings == (Day(2021, 4, 3), Day(2021, 3, 4))


@pytest.mark.parametrize(
    ("claim", "told", "expected"),
    [
        ("on 28 June 2021", "يوم 28 يونيو 2021", True),
        ("in June 2021", "يوم 28 يونيو 2021", True),
        ("in June", "يوم 28 حزيران 2021", True),
        ("on 30 June 2021", "يوم 28 يونيو 2021", False),
        ("on 28 June 2020", "يوم 28 يونيو 2021", False),
        ("on 28 June 2021", "في يونيو 2021", False),
        ("on 28 June 2021", "يوم 28 يونيو، مطلع هذا العام 2021", True),
        ("on 28 June 2021", "28/6/2021", True),
        ("on 3 April 2021", "3/4/2021", True),
        ("on 4 March 2021", "3/4/2021", True),
        ("on 5 March 2021", "3/4/2021", False),
    ],
)
def test_whether_a_date_is_told(claim: str, told: str, expected: bool) -> None:
    assert states(dates(told), frozenset({2021}), dates(claim)[0]) is expected


def test_days_of_the_week_are_one_in_both_languages() -> None:
    assert weekdays("عقد الثلاثاء، أوّل اجتماع") == weekdays("It met on Tuesday") == {3}
    assert weekdays("الأحد والخميس") == weekdays("Sunday and Thursday")


@given(st.text(st.sampled_from("0123456789 ./-يونيوJune2021") | st.characters(), max_size=40))
def test_any_text_has_dates_inside_it(text: str) -> None:
    for mention in dates(text):
        assert all(day.month in range(1, 13) and (day.day or 1) in range(1, 32) for day in mention.readings)
        assert all(0 <= start < end <= len(text) for start, end in mention.digits)

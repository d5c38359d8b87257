"""Numbers and dates by what they amount to, however they are written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.quantities import When, date_value, number_value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("79", 79),
        ("الـ 83", 83),
        ("٨٣", 83),
        ("10.000", 10_000),
        ("10,000", 10_000),
        ("١٠٬٠٠٠", 10_000),
        ("7.7 مليون", 7_700_000),
        ("400 مليون دولار", 400_000_000),
        ("عشرة آلاف", 10_000),
        ("عشرة آلاف مقاتل", 10_000),
        ("خمسة وعشرون", 25),
        ("مئة وخمسون ألفا", 150_000),
        ("ألفين وخمسمئة", 2500),
        ("أحد عشر", 11),
        ("اثنا عشر", 12),
        ("ثلاثة عشر", 13),
        ("ثلاثمائة وستون", 360),
        ("مليون ونصف", 1_000_000),  # the half is not counted: what is not sure is not added
        ("ten thousand", 10_000),
        ("two hundred and fifty", 250),
        ("seventy nine", 79),
        ("3.5 billion", 3_500_000_000),
        ("آلاف المقاتلين", None),
        ("عشرات", None),
        ("dozens", None),
        ("التحالف", None),
        ("0.125", 0.125),
    ],
)
def test_numbers_by_value(text: str, value: float | None) -> None:
    assert number_value(text) == (pytest.approx(value) if value is not None else None)


@given(st.integers(0, 10**12))
def test_digits_are_their_number_in_either_script_and_with_separators(number: int) -> None:
    eastern = str(number).translate(str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩"))
    assert number_value(str(number)) == number_value(eastern) == number_value(f"{number:,}") == number


@pytest.mark.parametrize(
    ("text", "when"),
    [
        ("أغسطس عام 2014", When(year=2014, month=8)),
        ("آب 2014", When(year=2014, month=8)),
        ("28 يونيو 2021", When(year=2021, month=6, day=28)),
        ("28 حزيران 2021", When(year=2021, month=6, day=28)),
        ("June 28, 2021", When(year=2021, month=6, day=28)),
        ("28th of June 2021", When(year=2021, month=6, day=28)),
        ("تشرين الأول 2019", When(year=2019, month=10)),
        ("تشرين الثاني 2019", When(year=2019, month=11)),
        ("كانون الأول 2018", When(year=2018, month=12)),
        ("كانون الثاني 2018", When(year=2018, month=1)),
        ("28/6/2021", When(year=2021, month=6, day=28)),
        ("2021-06-28", When(year=2021, month=6, day=28)),
        ("عام ٢٠١٤", When(year=2014)),
        ("رمضان 1442", When(year=1442, month=109)),
        ("حزيران الماضي", When(month=6)),
        ("الثلاثاء", None),
        ("83", None),
    ],
)
def test_dates_by_value(text: str, when: When | None) -> None:
    assert date_value(text) == when


def test_dates_agree_as_far_as_both_are_stated() -> None:
    august = When(year=2014, month=8)
    assert august.agrees(When(year=2014))
    assert august.agrees(When(month=8))
    assert not august.agrees(When(year=2014, month=9))
    assert not When(year=2021, month=6, day=28).agrees(When(year=2021, month=6, day=29))

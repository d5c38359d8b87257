"""Numbers by value, however they are written."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.numerals import numerals


def values(text: str) -> list[str]:
    """`7700000`, `50 percent`, `10000 about`."""
    return [f"{numeral.value} {numeral.unit}".strip() for numeral in numerals(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("والتزم أعضاء التحالف الدولي الـ 79", ["79"]),
        ("تسعة وسبعون عضوا", ["79"]),
        ("٧٩ عضوا", ["79"]),
        ("seventy-nine members", ["79"]),
        ("ونجاة نحو 7.7 مليون مواطن", ["7700000"]),
        ("7.7 million people", ["7700000"]),
        ("ما مجموعه 10.000 من مقاتلي داعش", ["10000"]),
        ("عشرة آلاف مقاتل", ["10000"]),
        ("10,000 fighters", ["10000"]),
        ("ten thousand fighters", ["10000"]),
        ("ما يزيد عن 400 مليون دولار", ["400000000"]),
        ("$400m", ["400000000"]),
        ("and 400 m away", ["400"]),
        ("مليون و 200 ألف نازح", ["1200000"]),
        ("مليون ومئتا ألف", ["1200000"]),
        ("seven million two hundred thousand", ["7200000"]),
        ("400 مليون و 20 وزيرا", ["400000000", "20"]),
        ("ثلاثين مليارا", ["30000000000"]),
        ("خمسون ألفا", ["50000"]),
        ("ألفا دولار", ["2000"]),
        ("ألفين وسبعة عشر", ["2017"]),
        ("ثلاثة آلاف وخمسمئة رجل", ["3500"]),
        ("ثلاث مئة ألف", ["300000"]),
        ("بألف جندي لخمسة أعوام", ["1000", "5"]),
        ("ست عشرة دولة", ["16"]),
        ("أحد وثلاثون", ["31"]),
        ("one hundred and fifty tanks", ["150"]),
        ("twenty-one", ["21"]),
        ("between twenty and thirty", ["20", "30"]),
        ("بين عشرين وثلاثين", ["20", "30"]),
        ("nine ministers and ten envoys", ["9", "10"]),
        ("half a million", ["500000"]),
        ("نصف مليون", ["500000"]),
        ("50% of them", ["50 percent"]),
        ("50 في المئة منهم", ["50 percent"]),
        ("خمسون بالمئة", ["50 percent"]),
        ("fifty per cent", ["50 percent"]),
        ("عشرات الآلاف من النساء", ["10000 about"]),
        ("tens of thousands of women", ["10000 about"]),
        ("thousands", ["1000 about"]),
        ("خلال العامين الماضيين", ["2"]),
        ("القرار رقم 2254", ["2254"]),
        ("28.6.2021", ["2862021"]),
        # No quantities: pronoun, "not", "one of", a Monday, a century, a quantity of something.
        ("لا أحد يعرف", []),
        ("لست وحدك", []),
        ("one of the soldiers", []),
        ("يوم الاثنين", []),
        ("القرن السابع عشر", []),
        ("كمية كبيرة", []),
    ],
)
def test_values(text: str, expected: list[str]) -> None:
    assert values(text) == expected


@given(st.integers(0, 10**12))
def test_digits_are_their_number_in_either_script_and_with_separators(number: int) -> None:
    eastern = str(number).translate(str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩"))

    assert values(str(number)) == values(eastern) == values(f"{number:,}") == [str(number)]


_UNITS = "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen".split()
_UNITS += "sixteen seventeen eighteen nineteen".split()
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()


def spelled(number: int) -> str:
    """`number` below a million in English words."""
    if number < 20:
        return _UNITS[number]
    if number < 100:
        return _TENS[number // 10 - 2] + (f"-{_UNITS[number % 10]}" if number % 10 else "")
    if number < 1000:
        return f"{_UNITS[number // 100]} hundred" + (f" and {spelled(number % 100)}" if number % 100 else "")
    return f"{spelled(number // 1000)} thousand" + (f" {spelled(number % 1000)}" if number % 1000 else "")


@given(st.integers(2, 999_999))
def test_english_words_are_their_number(number: int) -> None:
    assert [numeral.value for numeral in numerals(f"They saw {spelled(number)} ships.")] == [Fraction(number)]


_AR_UNITS = "واحد اثنان ثلاثة أربعة خمسة ستة سبعة ثمانية تسعة".split()
_AR_TENS = "عشرون ثلاثون أربعون خمسون ستون سبعون ثمانون تسعون".split()
_AR_HUNDREDS = "مئة مئتان ثلاثمئة أربعمئة خمسمئة ستمئة سبعمئة ثمانمئة تسعمئة".split()
_AR_TEENS = ["عشرة", "أحد عشر", "اثنا عشر", *(f"{unit} عشر" for unit in _AR_UNITS[2:])]


def spelled_in_arabic(number: int) -> str:
    """`number` below a hundred thousand in Arabic words."""
    parts = []
    thousands, rest = divmod(number, 1000)
    if thousands:
        small = {1: "ألف", 2: "ألفان"}
        few = f"{spelled_in_arabic(thousands)} آلاف" if 3 <= thousands <= 10 else f"{spelled_in_arabic(thousands)} ألفا"
        parts.append(small.get(thousands, few))
    if rest >= 100:
        parts.append(_AR_HUNDREDS[rest // 100 - 1])
    rest %= 100
    if 10 <= rest < 20:
        parts.append(_AR_TEENS[rest - 10])
    elif rest:
        words = [_AR_UNITS[rest % 10 - 1]] if rest % 10 else []
        parts.extend(words + ([_AR_TENS[rest // 10 - 2]] if rest >= 20 else []))
    return " و".join(parts)


@given(st.integers(2, 99_999))
def test_arabic_words_are_their_number(number: int) -> None:
    assert [numeral.value for numeral in numerals(f"رأوا {spelled_in_arabic(number)} سفينة.")] == [Fraction(number)]


TEXTS = st.text(st.sampled_from("0123456789٣٤ .,٬٫-/%وalfبمئةhundre") | st.characters(), max_size=60)


@given(TEXTS)
def test_any_text_has_numbers_in_order_inside_it(text: str) -> None:
    found = numerals(text)

    assert all(0 <= numeral.start < numeral.end <= len(text) for numeral in found)
    assert [numeral.start for numeral in found] == sorted(numeral.start for numeral in found)


def test_thousands_of_digits_are_read() -> None:
    assert len(numerals("9" * 6000)) == 1

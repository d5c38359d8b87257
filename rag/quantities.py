"""What numbers and dates in a text amount to, so that two ways of writing one value are one value.

Digits of either script with separators, number words of Arabic and English, Gregorian months by their Levantine,
Gulf and English names, and Hijri months. Nothing is guessed: a date without a year has none.
"""

import re
from dataclasses import dataclass

from rag.text import fold, tokens


def _table(rows: str) -> dict[str, float]:
    """Lines `value word word ...` as folded word to value."""
    return {word: float(line.split()[0]) for line in rows.strip().split("\n") for word in fold(line).split()[1:]}


_SMALL = _table(
    """
    1 واحد واحدة one
    2 اثنان اثنين اثنتان اثنتين two
    3 ثلاثة ثلاث three
    4 أربعة أربع four
    5 خمسة خمس five
    6 ستة ست six
    7 سبعة سبع seven
    8 ثمانية ثماني ثمان eight
    9 تسعة تسع nine
    10 عشرة عشر ten
    11 eleven
    12 twelve
    13 thirteen
    14 fourteen
    15 fifteen
    16 sixteen
    17 seventeen
    18 eighteen
    19 nineteen
    20 عشرون عشرين twenty
    30 ثلاثون ثلاثين thirty
    40 أربعون أربعين forty
    50 خمسون خمسين fifty
    60 ستون ستين sixty
    70 سبعون سبعين seventy
    80 ثمانون ثمانين eighty
    90 تسعون تسعين ninety
    200 مئتان مئتا مئتي مئتين مائتان مائتا مائتي مائتين
    300 ثلاثمئة ثلاثمائة
    400 أربعمئة أربعمائة
    500 خمسمئة خمسمائة
    600 ستمئة ستمائة
    700 سبعمئة سبعمائة
    800 ثمانمئة ثمانمائة
    900 تسعمئة تسعمائة
    2000 ألفان ألفا ألفي ألفين
    2000000 مليونان مليونا مليوني مليونين
    2000000000 ملياران مليارا ملياري مليارين
    """
)
_TIMES = _table(
    """
    100 مئة مائة hundred
    1000 ألف ألفا آلاف الآلاف thousand
    1000000 مليون مليونا ملايين million
    1000000000 مليار مليارا مليارات بليون billion
    """
)
_TEEN_LEADS = _table("1 أحد إحدى\n2 اثنا اثني اثنتا اثنتي")
_MONTHS = _table(
    """
    1 يناير january
    2 فبراير شباط february
    3 مارس آذار march
    4 أبريل إبريل نيسان april
    5 مايو أيار may
    6 يونيو يونيه حزيران june
    7 يوليو يوليه تموز july
    8 أغسطس آب august
    9 سبتمبر أيلول september
    10 أكتوبر october
    11 نوفمبر november
    12 ديسمبر december
    101 محرم
    102 صفر
    107 رجب
    108 شعبان
    109 رمضان
    110 شوال
    """
)
"""Months by number; those of the Hijri year from 101, so that they never equal a Gregorian one."""
_PAIRED = {fold("تشرين"): 10, fold("كانون"): 12}
_SECOND = frozenset(fold("الثاني ثاني").split())
_NUMERAL = re.compile(r"\d+(?:[.,\u066b\u066c]\d+)*")


def number_value(text: str) -> float | None:
    """The number that `text` begins to state, or None where it states none that is definite ("آلاف", "dozens")."""
    folded = fold(text)
    numeral = _NUMERAL.search(folded)
    words = [word.text for word in tokens(folded[numeral.end() :] if numeral else folded)]
    if numeral:
        value = _numeral(numeral.group())
        for word in words[:1]:
            value *= _TIMES.get(word.removeprefix("ال"), 1)
        return value
    return _spelt(words)


def _numeral(digits: str) -> float:
    """Marks before groups of three separate thousands, another one is decimal: "10.000", "1,250", "7.7"."""
    parts = re.split(r"[.,\u066b\u066c]", digits)
    if len(parts) > 1 and all(len(part) == 3 for part in parts[1:]) and parts[0] != "0":
        return float("".join(parts))
    return float("".join(parts[:-1]) + "." + parts[-1]) if len(parts) > 1 else float(parts[0])


def _spelt(words: list[str]) -> float | None:
    total = part = 0.0
    lead, counted = 0.0, False
    for word in words:
        bare = _bare(word)
        if bare in _TEEN_LEADS:
            lead = _TEEN_LEADS[bare]
            continue
        if bare in _TIMES and (part or bare in _ONES):  # "خمسون ألفا"; alone "ألفا" is two thousand
            part = (part or 1) * _TIMES[bare]
            if _TIMES[bare] >= 1000:
                total, part = total + part, 0.0
            counted = True
        elif bare in _SMALL:
            part += _SMALL[bare] + lead
            counted, lead = True, 0.0
        elif word in ("and", "a"):
            continue
        elif counted:
            break
    return total + part if counted else None


_ONES = frozenset(fold("مئة مائة ألف مليون مليار بليون hundred thousand million billion").split())
"""Those that alone mean one; the plurals alone mean nobody knows how many."""


def _bare(word: str) -> str:
    """`word` without "and" and the article, if it is a number word then."""
    for cut in (word, word.removeprefix("و"), word.removeprefix("ال"), word.removeprefix("وال")):
        if cut in _SMALL or cut in _TIMES or cut in _TEEN_LEADS:
            return cut
    return word


@dataclass(frozen=True, slots=True, kw_only=True)
class When:
    """A date as far as it is stated; months of the Hijri year count from 101."""

    year: int | None = None
    month: int | None = None
    day: int | None = None

    def agrees(self, other: "When") -> bool:
        """Whether both can be one date: nothing that both state differs."""
        pairs = ((self.year, other.year), (self.month, other.month), (self.day, other.day))
        return all(one == another for one, another in pairs if one is not None and another is not None)


def date_value(text: str) -> When | None:
    """The date that `text` states, or None where it states neither year nor month."""
    words = [word.text for word in tokens(text)]
    month = day = year = None
    for at, word in enumerate(words):
        bare = word.removeprefix("ال")
        if bare in _PAIRED:
            second = at + 1 < len(words) and words[at + 1] in _SECOND
            month = _PAIRED[bare] + second if bare == fold("تشرين") or not second else 1
        elif bare in _MONTHS:
            month = int(_MONTHS[bare])
        elif word.isdecimal() and len(word) == 4:
            year = int(word)
        elif word.isdecimal() and len(word) <= 2 and day is None and 1 <= int(word) <= 31:
            day = int(word)
        elif re.fullmatch(r"\d{1,2}(?:st|nd|rd|th)", word):
            day = int(word[:-2])
    if month is None and (numeric := _numeric_date(words)):
        return numeric
    if year is None and month is None:
        return None
    return When(year=year, month=month, day=day if month is not None else None)


def _numeric_date(words: list[str]) -> When | None:
    """Day, month and year of "28/6/2021", or the reverse of "2021-06-28"."""
    figures = [int(word) for word in words if word.isdecimal()]
    if len(figures) < 3:
        return None
    first, month, last = figures[:3]
    year, day = (first, last) if first > 31 else (last, first)
    return When(year=year, month=month, day=day) if year > 31 and 1 <= month <= 12 and 1 <= day <= 31 else None

"""Dates of Arabic and English prose by value: "28 June 2021" = "٢٨ حزيران ٢٠٢١" = "28/6/2021"; days of the week."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from rag.text import Token, fold, tokens

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Day:
    """A day, a month of a year or a month alone; None is not stated. Months count from 1."""

    year: int | None
    month: int
    day: int | None


@dataclass(frozen=True, slots=True)
class Mention:
    """A date of a text. More than one reading where day and month cannot be told apart, as in 3/4/2021.

    `digits` are the spans of its day, and of its month in digits; `year` that of its year. A number elsewhere is
    none of those.
    """

    readings: tuple[Day, ...]
    digits: tuple[Span, ...]
    year: Span | None


def _numbered(groups: str) -> dict[str, int]:
    return {name: number for number, group in enumerate(fold(groups).split(), 1) for name in group.split("/")}


_ARABIC_MONTHS = _numbered(
    "يناير/جانفي فبراير/شباط/فيفري مارس/آذار أبريل/إبريل/نيسان/أفريل مايو/أيار/ماي يونيو/يونيه/حزيران/جوان "
    "يوليو/يوليه/تموز/جويلية أغسطس/آب/أوت سبتمبر/أيلول أكتوبر نوفمبر ديسمبر"
)
_PAIRED_MONTHS = {
    (fold(first), fold(second)): month
    for first, second, month in (
        ("كانون", "الثاني", 1),
        ("تشرين", "الأول", 10),
        ("تشرين", "الثاني", 11),
        ("كانون", "الأول", 12),
    )
}
_ENGLISH_MONTHS = _numbered("January February March April May June July August September October November December")
_SHORT_MONTHS = {name[:3]: month for name, month in _ENGLISH_MONTHS.items()} | {"sept": 9}
_WEEKDAYS = (
    _numbered("الأحد الاثنين/الإثنين الثلاثاء الأربعاء الخميس الجمعة السبت")
    | _numbered("Sunday Monday Tuesday Wednesday Thursday Friday Saturday")
)  # fmt: skip
_AMBIGUOUS = frozenset({fold("آب"), fold("ماي"), fold("أوت"), "may", "march"})
"""Months that are words, too: only beside a number or after one of `_LEADS`."""
_LEADS = frozenset(fold("في شهر منذ من حتى خلال in of since by until during last next early late mid").split())
_FILLERS = frozenset(fold("من عام سنة العام شهر of the in st nd rd th").split())
_AFTER_DAY = frozenset(fold("من شهر of the st nd rd th").split())
_PREFIXES = ("", "و", "ف", "ب", "ل", "ك")


def dates(text: str) -> list[Mention]:
    """The dates of `text` that name a month, in reading order. A year alone is a number."""
    words = tokens(text)
    found: list[Mention] = []
    for at in range(len(words)):
        mention = _numeric(words, at) or _dotted(words[at]) or _named(text, words, at)
        if mention:
            found.append(mention)
    return found


def weekdays(text: str) -> set[int]:
    """The days of the week that `text` names: Sunday is 1."""
    words = [token.text for token in tokens(text)]
    bare = [word[1:] if word[0] in "وفبل" and word[1:] in _WEEKDAYS else word for word in words]
    return {_WEEKDAYS[word] for word in bare if word in _WEEKDAYS}


def states(told: Iterable[Mention], years: frozenset[int], claimed: Mention) -> bool:
    """Whether one of the dates `told` is the `claimed` one, or closer than it.

    A claimed year may also be one of `years` where the date told has none: "in June 2021" of "this year, 2021, ...
    on 28 June".
    """
    return any(
        day.month == wanted.month
        and wanted.day in (None, day.day)
        and (wanted.year in (None, day.year) or (day.year is None and wanted.year in years))
        for wanted in claimed.readings
        for mention in told
        for day in mention.readings
    )


def _is_year(word: Token) -> bool:
    return len(word.text) == 4 and word.text.isdecimal() and 1000 <= int(word.text) <= 2100


def _is_day(word: Token) -> bool:
    return len(word.text) <= 2 and word.text.isdecimal() and 1 <= int(word.text) <= 31


def _readings(year: int, one: int, other: int, *, day_first: bool) -> tuple[Day, ...]:
    """Day and month of a numeric date: both ways round where both make a date."""
    both = [(one, other), (other, one)] if day_first else [(other, one)]
    return tuple(
        dict.fromkeys(Day(year, month, day) for day, month in both if month in range(1, 13) and 1 <= day <= 31)
    )


def _numeric(words: Sequence[Token], at: int) -> Mention | None:
    """Three numbers one character apart with a year at one end: 28/6/2021, 2021-06-28."""
    three = words[at : at + 3]
    if len(three) < 3 or not all(word.text.isdecimal() and len(word.text) <= 4 for word in three):
        return None
    if any(after.start - before.end != 1 for before, after in pairwise(three)):
        return None
    if not (_is_year(three[0]) or _is_year(three[2])):
        return None
    first, middle, last = (int(word.text) for word in three)
    year_first = _is_year(three[0])
    readings = (
        _readings(first, middle, last, day_first=False)
        if year_first
        else _readings(last, first, middle, day_first=True)
    )
    spans = [(word.start, word.end) for word in three]
    year = spans.pop(0 if year_first else 2)
    return Mention(readings, tuple(spans), year) if readings else None


def _dotted(word: Token) -> Mention | None:
    """What is one token: 28.6.2021."""
    parts = word.text.split(".")
    if len(parts) != 3 or not all(part.isdecimal() and len(part) <= 4 for part in parts):
        return None
    day, month, year = map(int, parts)
    readings = _readings(year, day, month, day_first=True) if 1000 <= year <= 2100 else ()
    return Mention(readings, ((word.start, word.end),), None) if readings else None


def _month(text: str, words: Sequence[Token], at: int) -> tuple[int, int] | None:
    """The month named at `at` and the position after its name."""
    word = words[at].text
    following = words[at + 1].text if at + 1 < len(words) else ""
    for prefix in _PREFIXES:
        bare = word[len(prefix) :] if word.startswith(prefix) else ""
        if (bare, following) in _PAIRED_MONTHS:
            return _PAIRED_MONTHS[bare, following], at + 2
        if bare in _ARABIC_MONTHS and (bare not in _AMBIGUOUS or _dated(words, at)):
            return _ARABIC_MONTHS[bare], at + 1
    if not text[words[at].start].isupper():
        return None
    if word in _ENGLISH_MONTHS and (word not in _AMBIGUOUS or _dated(words, at)):
        return _ENGLISH_MONTHS[word], at + 1
    if word in _SHORT_MONTHS and _beside_number(words, at):
        return _SHORT_MONTHS[word], at + 1
    return None


def _beside_number(words: Sequence[Token], at: int) -> bool:
    around = [*words[max(0, at - 1) : at], *words[at + 1 : at + 2]]
    return any(_is_day(word) or _is_year(word) for word in around)


def _dated(words: Sequence[Token], at: int) -> bool:
    return _beside_number(words, at) or (at > 0 and words[at - 1].text in _LEADS)


def _named(text: str, words: Sequence[Token], at: int) -> Mention | None:
    """A date with its month in words: 28 June 2021; June 28, 2021; "28 من حزيران عام 2021"; "آذار/مارس"."""
    month = _month(text, words, at)
    if month is None or (at and (before := _month(text, words, at - 1)) and before[1] > at):
        return None
    number, after = month
    day = _day_before(words, at, number, text)
    if after < len(words) and day is None and _is_day(words[after]):
        day, after = words[after], after + 1
    while after < len(words) and (words[after].text in _FILLERS or _same_month(text, words, after, number)):
        after += 1
    year = words[after] if after < len(words) and _is_year(words[after]) else None
    return Mention(
        readings=(Day(int(year.text) if year else None, number, int(day.text) if day else None),),
        digits=((day.start, day.end),) if day else (),
        year=(year.start, year.end) if year else None,
    )


def _same_month(text: str, words: Sequence[Token], at: int, number: int) -> bool:
    """Whether the word is another name of the same month, as the second of "حزيران/يونيو"."""
    month = _month(text, words, at)
    return month is not None and month[0] == number


def _day_before(words: Sequence[Token], at: int, number: int, text: str) -> Token | None:
    """The number before the month's name, over "من", "th of" and another name of the month."""
    place = at - 1
    while place >= 0 and (words[place].text in _AFTER_DAY or _same_month(text, words, place, number)):
        place -= 1
    return words[place] if place >= 0 and _is_day(words[place]) else None

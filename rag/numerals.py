"""Numbers of Arabic and English prose by value: 79 = ٧٩ = "seventy-nine" = "تسعة وسبعون".

`rag.spans` says where a number stands; this module says which one it is, so that two texts can be compared.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, NamedTuple

from rag.text import Token, fold, tokens

Unit = Literal["", "about", "percent"]
"""`about`: no count but an order of magnitude, as in "thousands of" or "عشرات الآلاف"."""

Role = Literal["digits", "one", "unit", "teen", "ten", "hundred", "hundreds", "scale", "dual", "many", "part"]

_MAX_DIGITS = 30
"""Longer digits are no quantity, and Python refuses to read thousands of them; these many are compared."""


@dataclass(frozen=True, slots=True)
class Numeral:
    """A number of a text and the span `[start, end)` that it has there."""

    value: Fraction
    unit: Unit
    start: int
    end: int


class _Word(NamedTuple):
    """A number word. `joined`: an Arabic one that begins with "and"."""

    role: Role
    value: Fraction
    joined: bool


class _Read(NamedTuple):
    """A number read from a row of words: its value, its unit so far and the position after it."""

    value: Fraction
    unit: Unit
    after: int


def _listed(role: Role, values: Sequence[int], words: str) -> dict[str, tuple[Role, Fraction]]:
    """One group of `words` a value, its forms joined by slashes."""
    groups = fold(words).split()
    return {
        form: (role, Fraction(value)) for value, group in zip(values, groups, strict=True) for form in group.split("/")
    }


_TENS = range(20, 100, 10)
_SCALES = (1000, 10**6, 10**9, 10**12)
_WORDS: dict[str, tuple[Role, Fraction]] = {
    **_listed("one", [1], "one/واحد/واحدة/أحد/إحدى/حادي"),
    **_listed("unit", range(2, 10), "two three four five six seven eight nine"),
    **_listed(
        "unit",
        range(2, 10),
        "اثنان/اثنين/اثنتان/اثنتين/اثنا/اثني/اثنتا/اثنتي ثلاثة/ثلاث أربعة/أربع خمسة/خمس ستة/ست سبعة/سبع "
        "ثمانية/ثماني/ثمان تسعة/تسع",
    ),
    **_listed("unit", [2], "عامين/عامان/سنتين/سنتان/شهرين/شهران/أسبوعين/أسبوعان/يومين/يومان/ساعتين/ساعتان"),
    **_listed("teen", [0], "zero/صفر"),
    **_listed(
        "teen",
        range(10, 20),
        "ten/عشرة/عشر eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen",
    ),
    **_listed("ten", _TENS, "twenty thirty forty fifty sixty seventy eighty ninety"),
    **_listed(
        "ten",
        _TENS,
        "عشرون/عشرين ثلاثون/ثلاثين أربعون/أربعين خمسون/خمسين ستون/ستين سبعون/سبعين ثمانون/ثمانين تسعون/تسعين",
    ),
    **_listed("hundred", [100], "hundred/مئة/مائة"),
    **_listed("hundreds", [200], "مئتان/مئتا/مئتي/مئتين/مائتان/مائتا/مائتي/مائتين"),
    **_listed(
        "scale", _SCALES, "thousand/ألف/ألفا million/مليون/مليونا billion/مليار/مليارا/بليون trillion/تريليون/ترليون"
    ),
    **_listed("dual", [2000, 2 * 10**6, 2 * 10**9], "ألفان/ألفين/ألفي مليونان/مليونين/مليوني ملياران/مليارين/ملياري"),
    **_listed(
        "many",
        (10, 100, *_SCALES),
        "dozens/tens/عشرات hundreds/مئات/مائات thousands/آلاف/ألوف millions/ملايين billions/مليارات/بلايين trillions",
    ),
    **dict.fromkeys(("half", fold("نصف")), ("part", Fraction(1, 2))),
    **dict.fromkeys(("quarter", fold("ربع")), ("part", Fraction(1, 4))),
}
_WORDS |= {
    fold(f"{stem}{hundred}"): ("hundreds", Fraction(100 * (number + 3)))
    for number, stems in enumerate("ثلاث أربع خمس ست سبع ثمان/ثماني تسع".split())
    for stem in stems.split("/")
    for hundred in ("مئة", "مائة")
}
_TIGHT = {"k": 10**3, "m": 10**6, "mn": 10**6, "bn": 10**9}
"""Scales only where they touch their digits, as in "$400m"."""

_PREFIXES = ("", "ال", "بال", "لل", "ب", "ل")
_NOT_NUMBERS = frozenset(fold("لست بست لعشر الاثنين بالمئة بالمائة").split())
"""Words that would be numbers without their prefix: "I am not", Monday, percent."""
_ORDINALS = frozenset(
    fold(
        "حادي حادية ثاني ثانية ثالث ثالثة رابع رابعة خامس خامسة سادس سادسة سابع سابعة ثامن ثامنة تاسع تاسعة قرن"
    ).split()
)
"""A ten after one of these is part of an ordinal: "السابع عشر", "القرن العشرين"."""
_AND = frozenset({"and", "و"})
_HUNDRED_WORDS = tuple(map(fold, ("المئة", "المائة")))
_PERCENT = frozenset({"percent", *(f"ب{word}" for word in _HUNDRED_WORDS)})
_PERCENT_SIGN = re.compile(r"\s?[%٪﹪％]")


def _plain(word: str) -> tuple[Role, Fraction] | None:
    """What `word` counts, without the article or a joined preposition."""
    if word in _NOT_NUMBERS:
        return None
    for prefix in _PREFIXES:
        if word.startswith(prefix) and (found := _WORDS.get(word[len(prefix) :])):
            return found
    return None


def _digits(word: str) -> Fraction:
    word = word.replace("٬", "")
    if word.count(".") > 1:  # "28.6.2021", which `rag.dates` reads: here it only has to differ from others
        word = word.replace(".", "")
    whole, _, rest = word.partition(".")
    return Fraction(f"{whole[:_MAX_DIGITS]}.{rest[:_MAX_DIGITS] or 0}")


def _read_word(words: Sequence[Token], at: int) -> _Word | None:
    """The number word at position `at`, or None: past the end, or no number."""
    if not 0 <= at < len(words):
        return None
    word = words[at].text
    if word[0].isdecimal():
        return _Word("digits", _digits(word), joined=False)
    if word in _TIGHT and at and words[at - 1].text[0].isdecimal() and words[at - 1].end == words[at].start:
        return _Word("scale", Fraction(_TIGHT[word]), joined=False)
    if at and words[at - 1].text.removeprefix("ال") in _ORDINALS:
        return None
    if found := _plain(word):
        return _Word(*found, joined=False)
    found = _plain(word[1:]) if word[0] in "وف" else None
    return _Word(*found, joined=True) if found else None


def _role(words: Sequence[Token], at: int) -> Role | None:
    word = _read_word(words, at)
    return word.role if word else None


def _next(words: Sequence[Token], at: int) -> tuple[_Word | None, int, bool]:
    """The number word that goes on from `at`, its position, and whether "and" stands before it."""
    found = _read_word(words, at)
    if found:
        return found, at, found.joined
    if at < len(words) and words[at].text in _AND:
        return _read_word(words, at + 1), at + 1, True
    return None, at, False


def _below_hundred(words: Sequence[Token], at: int) -> _Read | None:
    """A spelled number below a hundred at `at`: seventeen, seventy-nine, تسعة وسبعون, خمسة عشر."""
    word = _read_word(words, at)
    if word is None or word.role not in ("one", "unit", "teen", "ten"):
        return None
    following, place, joined = _next(words, at + 1)
    if word.role in ("one", "unit") and following:
        if following.role == "teen" and following.value == 10 and not joined:
            return _Read(word.value + 10, "", place + 1)
        if following.role == "ten" and joined:
            return _Read(word.value + following.value, "", place + 1)
    if word.role == "ten" and following and following.role in ("one", "unit") and not joined:
        return _Read(word.value + following.value, "", place + 1)
    return _Read(word.value, "", at + 1)


def _below_thousand(words: Sequence[Token], at: int, *, first: bool) -> _Read | None:
    """A spelled number below a thousand; `one` alone is a word of its own ("one of") and counts nothing."""
    word = _read_word(words, at)
    if word is None:
        return None
    if word.role in ("hundred", "hundreds"):
        return _with_tail(words, word.value, at + 1)
    small = _below_hundred(words, at)
    if small is None:
        return None
    following = _read_word(words, small.after)
    if following and following.role == "hundred" and not following.joined:
        return _with_tail(words, small.value * 100, small.after + 1)
    alone = first and word.role == "one" and small.after == at + 1
    return None if alone and not (following and following.role == "scale" and not following.joined) else small


def _with_tail(words: Sequence[Token], hundreds: Fraction, after: int) -> _Read:
    """`hundreds`, and what is added to it: "hundred and fifty", "مئة وخمسة"."""
    following, place, joined = _next(words, after)
    if following and following.role in ("one", "unit", "teen", "ten"):
        english = words[place].text.isascii()
        # "وأحد" folds to "واحد", which is "one" as well.
        tail = _below_hundred(words, place) if joined or english or following.role == "one" else None
        if tail:
            return _Read(hundreds + tail.value, "", tail.after)
    return _Read(hundreds, "", after)


def _term(words: Sequence[Token], at: int, *, first: bool) -> _Read | None:
    """One part of a number with its scale: "400 million", "خمسة آلاف", "thousand", "ألفين"."""
    word = _read_word(words, at)
    if word is None:
        return None
    if word.role in ("scale", "dual"):
        doubled = word.role == "scale" and word.value > 1 and words[at].text.endswith(("فا", "نا"))
        return _Read(word.value * (2 if doubled else 1), "", at + 1)  # "ألفا دولار": two thousand of them
    group = _Read(word.value, "", at + 1) if word.role == "digits" else _below_thousand(words, at, first=first)
    if group is None:
        return None
    scale = _read_word(words, group.after)
    while scale and not scale.joined and (scale.role == "scale" or (scale.role == "many" and scale.value >= 1000)):
        group = _Read(group.value * scale.value, "", group.after + 1)
        scale = _read_word(words, group.after)
    return group


def _exact(words: Sequence[Token], at: int) -> _Read | None:
    """A whole number: terms of falling scale, "مليون ومئتا ألف", "two thousand five hundred"."""
    read = _term(words, at, first=True)
    while read is not None and read.value >= 1000 and _role(words, read.after - 1) != "digits":
        _, place, joined = _next(words, read.after)
        term = _term(words, place, first=False)
        if term is None or not (joined or words[place].text.isascii() or _role(words, place) == "one"):
            break
        bare_digits = _role(words, term.after - 1) == "digits"  # "مليون و 20 وزيرا" are two numbers
        if bare_digits or term.value >= _scale_of(read.value):
            break
        read = _Read(read.value + term.value, "", term.after)
    return read


def _scale_of(value: Fraction) -> int:
    """The largest scale that `value` is a multiple of, or 1."""
    return next((scale for scale in reversed(_SCALES) if value % scale == 0), 1)


def _vague(words: Sequence[Token], at: int) -> _Read:
    """What thousands, tens of thousands or عشرات الآلاف come to; `at` is at the first of the words."""
    value, after = Fraction(1), at
    while True:
        place = after + 1 if after > at and after < len(words) and words[after].text == "of" else after
        word = _read_word(words, place)
        if word is None or word.role not in ("many", "scale") or (word.joined and place > at):
            return _Read(value, "about", after)
        value, after = value * word.value, place + 1


def _fraction(words: Sequence[Token], at: int, part: Fraction) -> _Read:
    """The `part` of one, or of its scale: half a million, نصف مليون."""
    place = at + 1
    while place < len(words) and words[place].text in ("a", "of"):
        place += 1
    scale = _read_word(words, place)
    return _Read(part * scale.value, "", place + 1) if scale and scale.role == "scale" else _Read(part, "", at + 1)


def _number_at(words: Sequence[Token], at: int) -> _Read | None:
    word = _read_word(words, at)
    if word is None:
        return None
    if word.role == "many":
        return _vague(words, at)
    if word.role == "part":
        return _fraction(words, at, word.value)
    return _exact(words, at)


def _percent(text: str, words: Sequence[Token], after: int) -> int:
    """How many of the words from `after` say "percent", -1 for none; a sign is no word."""
    following = [word.text for word in words[after : after + 2]]
    if _PERCENT_SIGN.match(text, words[after - 1].end):
        return 0
    if following[:1] and following[0] in _PERCENT:
        return 1
    if following == ["per", "cent"] or (following[:1] == ["في"] and following[1:] and following[1] in _HUNDRED_WORDS):
        return 2
    return -1


def numerals(text: str) -> list[Numeral]:
    """The numbers of `text` in reading order, in digits of any script or spelled in Arabic or English.

    A bare "one" and ordinals count nothing; "thousands" counts `about`.
    """
    words = tokens(text)
    found: list[Numeral] = []
    at = 0
    while at < len(words):
        read = _number_at(words, at)
        if read is None:
            at += 1
            continue
        percent = _percent(text, words, read.after)
        unit: Unit = "percent" if percent >= 0 else read.unit
        after = read.after + max(percent, 0)
        found.append(Numeral(read.value, unit, words[at].start, words[after - 1].end))
        at = after
    return found

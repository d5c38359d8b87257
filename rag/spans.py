"""Numbers, dates, people and places inside sentences: what can stand as a short answer."""

import re
from collections.abc import Sequence
from itertools import pairwise

from rag.datatypes import AnswerType
from rag.lexicon import Lexicon
from rag.text import STOP_WORDS, Token, fold, stem, tokens

Span = tuple[int, int]


def _words(text: str) -> frozenset[str]:
    return frozenset(fold(text).split())


_MONTHS = _words(
    """
    يناير فبراير مارس أبريل إبريل مايو يونيو يونيه يوليو يوليه أغسطس سبتمبر أكتوبر نوفمبر ديسمبر
    كانون شباط آذار نيسان أيار حزيران تموز آب أيلول تشرين
    محرم صفر رجب شعبان رمضان شوال
    january february march april may june july august september october november december
    """
)
_WEEKDAYS = _words(
    """
    الأحد الاثنين الإثنين الثلاثاء الأربعاء الخميس الجمعة السبت
    monday tuesday wednesday thursday friday saturday sunday
    """
)
_DATE_JOINERS = _words("من عام سنة العام of in the st nd rd th الأول الثاني الماضي الجاري المقبل last next")
_DATE_OPENERS = _DATE_JOINERS - _words("الأول الثاني الماضي الجاري المقبل")
"""Joiners that no date ends with."""
_YEAR_LEADS = _words("عام سنة العام عامي year in since by منذ")
_UNITS = _words("واحد واحدة اثنان اثنين ثلاثة أربعة خمسة ستة سبعة ثمانية تسعة ثلاث أربع خمس ست سبع ثمان تسع عشر")
_TENS = _words(
    "عشرة عشرون عشرين ثلاثون ثلاثين أربعون أربعين خمسون خمسين ستون ستين سبعون سبعين ثمانون ثمانين تسعون تسعين"
)
_MAGNITUDES = _words(
    """
    مئة مائة مئتان مئتا مئتي مئتين مائتان مائتا مائتي مائتين مئات المئات ألف ألفان ألفا ألفي ألفين آلاف الآلاف
    مليون مليونان مليونا مليوني مليونين ملايين مليار ملياران مليارات عشرات بضعة عدة نصف ثلث ربع
    hundred hundreds thousand thousands million millions billion billions dozen dozens half third quarter
    """
)
_NUMBER_WORDS = (
    _UNITS
    | _TENS
    | _MAGNITUDES
    | _words("two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen")
    | _words("eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety")
)
_HUNDREDS = re.compile(fold("(?:ثلاث|أربع|خمس|ست|سبع|ثمان|ثماني|تسع)(?:مئة|مائة)"))
_TEEN_LEADS = _words("أحد إحدى اثنا اثني اثنتا اثنتي")
_TEENS = _words("عشر عشرة")
_VAGUE = _words("واحد واحدة عدة بضعة نصف ثلث ربع half third quarter")
_LABELS = _words("قرار القرار رقم الرقم المادة مادة resolution number article no")
_MEASURES = _words("دولار دولارا يورو ريال دينار بالمئة بالمائة percent dollars euros")
_REASON = re.compile(
    fold(
        r"\b(?:و?لأن\w*|ل?سبب|بسبب|نتيجة|نظرا|جراء|بفضل|من أجل|بهدف|بغية|لكي|كي|لذلك|لذا|حيث|إذ|يعود|للأسباب|الغرض|"
        r"because|due|since|owing|therefore|order to|so that|reasons?|aims?|purpose)\b"
    ).replace("\\ ", " ")
)
_PLACE_LEADS = _words("مدينة بمدينة بلدة قرية محافظة مخيم ريف بريف city town village province")
_PLACES_LIKE_ADJECTIVES = _words("سعودية إسكندرية لاذقية سليمانية ناصرية إسماعيلية حسكة تركية")
_MAX_NAME_WORDS = 4


def _is_number(words: Sequence[Token], position: int) -> bool:
    word = words[position].text
    following = words[position + 1].text if position + 1 < len(words) else ""
    if word in _TEEN_LEADS:  # "أحد عشر"; alone it is "one of" or "anyone"
        return following in _TEENS
    if word == "one":
        return following in _MAGNITUDES
    bare = word.removeprefix("ال")
    return word[0].isdecimal() or not _NUMBER_WORDS.isdisjoint((word, bare)) or bool(_HUNDREDS.fullmatch(word))


def _continues_number(words: Sequence[Token], position: int, end: int) -> bool:
    """Whether the word goes on with the number that ends at `end`: "400 مليون", "خمسة وعشرون", "hundred and fifty"."""
    if position and words[position - 1].end == end:
        own = words[position]
        joined = Token(own.text.removeprefix("و"), own.start, own.end)
        return _is_number(words, position) or (joined.text != "" and _is_number([joined], 0))
    joined_by_and = position > 1 and words[position - 1].text == "and" and words[position - 2].end == end
    return joined_by_and and words[position - 2].text in _MAGNITUDES and _is_number(words, position)


def _number_spans(words: Sequence[Token]) -> list[Span]:
    dates = _date_spans(words)
    found: list[Span] = []
    for position, word in enumerate(words):
        if any(start <= word.start < end for start, end in dates):
            continue
        if found and _continues_number(words, position, found[-1][1]):
            found[-1] = (found[-1][0], word.end)
        elif _is_number(words, position) and not (position and words[position - 1].text in _LABELS):
            found.append((word.start, word.end))  # but "resolution 2254" counts nothing
    ends = {word.start: word.end for word in words if word.text in _MEASURES}
    following = dict(pairwise(word.start for word in words))
    last_start = {word.end: word.start for word in words}
    vague = {(word.start, word.end) for word in words if word.text in _VAGUE}
    return [
        (start, ends.get(following.get(last_start[end], -1), end)) for start, end in found if (start, end) not in vague
    ]


def _is_year(word: Token) -> bool:
    return len(word.text) == 4 and word.text.isdecimal() and 1000 <= int(word.text) <= 2100


def _is_numeric_date(words: Sequence[Token]) -> bool:
    """Whether the words are the day, month and year, or the reverse, of "28/6/2021" or "2021-06-28"."""
    if len(words) < 3 or not all(word.text.isdecimal() for word in words):
        return False
    close = all(after.start - before.end == 1 for before, after in pairwise(words))
    return close and sorted(len(word.text) for word in words)[1] <= 2 and (_is_year(words[0]) or _is_year(words[2]))


def _date_spans(words: Sequence[Token]) -> list[Span]:
    found: list[Span] = []
    position = 0
    while position < len(words):
        if _is_numeric_date(words[position : position + 3]):
            found.append((words[position].start, words[position + 2].end))
            position += 3
            continue
        start = position
        while position < len(words) and _is_date_part(words, position, position > start):
            position += 1
        end = position
        while end > start and words[end - 1].text in _DATE_OPENERS:
            end -= 1
        if any(_anchors_date(words, at) for at in range(start, end)):
            found.append((words[start].start, words[end - 1].end))
        position = max(position, start + 1)
    return found


def _is_date_part(words: Sequence[Token], position: int, inside: bool) -> bool:
    word = words[position]
    if word.text in _MONTHS or word.text in _WEEKDAYS or _is_year(word):
        return True
    if word.text in _DATE_JOINERS:
        leads_year = position + 1 < len(words) and _is_year(words[position + 1]) and word.text in _YEAR_LEADS - {"in"}
        return inside or leads_year
    day = word.text.isdecimal() and len(word.text) <= 2
    near_month = any(other.text in _MONTHS for other in words[max(0, position - 1) : position + 2])
    return day and near_month


def _anchors_date(words: Sequence[Token], position: int) -> bool:
    """A month or weekday, or a year that something calls one: a bare number of four digits is no date."""
    word = words[position]
    if word.text in _WEEKDAYS or (word.text in _MONTHS and word.text != "may"):
        return True
    if not _is_year(word):
        return False
    around = words[max(0, position - 2) : position]
    if any(other.text in _YEAR_LEADS | _MONTHS for other in around):
        return True
    counts = position + 1 < len(words) and words[position + 1].start == word.end + 1  # "2000 سيارة"
    return word.text.startswith(("19", "20")) and not counts


def _is_nisba(word: str) -> bool:
    """An adjective such as "الأمريكية", whose stem is the country's; the exceptions are places in that form."""
    if word.removeprefix("ال") in _PLACES_LIKE_ADJECTIVES:
        return False
    return word.endswith(("يه", "يين", "يون", "يات")) or (word.startswith(("ال", "وال")) and word.endswith("ي"))


def _name_spans(text: str, words: Sequence[Token], kind: str, lexicon: Lexicon) -> list[Span]:
    """Runs that begin with a known name of `kind`; a person's run goes on over words that no dictionary has."""
    found: list[Span] = []
    position = 0
    while position < len(words):
        start = position
        while position < len(words) and position - start < _MAX_NAME_WORDS:
            word = words[position]
            ali = kind == "person" and text[word.start : word.end] == "علي"  # folds to the stop word "على"
            if (word.text in STOP_WORDS and not ali) or word.text[0].isdecimal():
                break
            if kind == "place" and _is_nisba(word.text):
                break
            known = "person" if ali else lexicon.kind([stem(word.text)])
            follows = kind == "person" and position > start and known is None and not lexicon.lookup([stem(word.text)])
            if known != kind and not follows:
                break
            position += 1
        if position > start:
            found.append((words[start].start, words[position - 1].end))
        position = max(position, start + 1)
    if kind == "place":
        found += _announced(words)
    if kind == "person" and not any(char > "\u0600" for char in text):
        found += _capitalised_runs(text, words)
    return sorted(set(found))


def _announced(words: Sequence[Token]) -> list[Span]:
    """The word after "مدينة" or "city of", whether or not a dictionary knows it."""
    named: list[Span] = []
    for position, word in enumerate(words[:-1]):
        following = words[position + (2 if words[position + 1].text == "of" else 1) :]
        if word.text in _PLACE_LEADS and following and following[0].text not in STOP_WORDS:
            named.append((following[0].start, following[0].end))
    return named


def _capitalised_runs(text: str, words: Sequence[Token]) -> list[Span]:
    """Two or more capitalised words in a row, in Latin script."""
    runs: list[list[Token]] = [[]]
    for word in words:
        if text[word.start].isupper() and word.text not in STOP_WORDS:
            runs[-1].append(word)
        else:
            runs.append([])
    return [(run[0].start, run[-1].end) for run in runs if len(run) >= 2]


def find_spans(text: str, kind: AnswerType, lexicon: Lexicon) -> list[Span]:
    """Spans `[start, end)` in `text` that can answer a question of `kind`, in order; none for reason and other."""
    words = tokens(text)
    if kind == "number":
        return _number_spans(words)
    if kind == "date":
        return _date_spans(words)
    if kind in ("person", "place"):
        return _name_spans(text, words, kind, lexicon)
    return []


def states_reason(text: str) -> bool:
    """Whether `text` has a word that introduces a reason or a purpose."""
    return bool(_REASON.search(fold(text)))

"""What a sentence states that its cited sentences do not: numbers and dates by value, names across languages."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from typing import Literal

from rag.dates import Mention, dates, states, weekdays
from rag.lexicon import Lexicon, LexiconKind, LexiconMatch, transliteration_key
from rag.numerals import Numeral, numerals
from rag.text import STOP_WORDS, Token, stem, tokens

Lack = Literal["number", "date", "name"]

_NAMED: frozenset[LexiconKind | None] = frozenset({"person", "place", "org", "name"})
_SURELY_NAMED: frozenset[LexiconKind | None] = frozenset({"person", "place", "org"})
"""Kinds that a word has where its spelling says nothing: in Arabic, and at the beginning of an English sentence."""
_WORTH = 0.35
"""Alternatives of the lexicon below this weight are other words more often than the same one."""
_SOUNDS = 3
_SOUNDS_OF_KNOWN = 4
"""How many sounds two spellings must share to be one name (LEXICON.md, transliteration keys). A name that the
lexicon can say in the other language needs more, as it is not likely to be written otherwise."""
_LIKELY = 0.5
"""A word is a name only where an alternative of this weight is one. Stems of ordinary Arabic words that are also
those of names ("ليلة", "بحر") count as names: of 600 true translations this cuts one in ten."""
_PARTICLES = frozenset("al el de la le van von der bin ibn abu".split())
_EMPTY = STOP_WORDS | _PARTICLES
_INFLECTED = re.compile(r"^(?:[يتنام]|[وفسلب][يتنا]).|(?:وا|ت|ها|هم|ون|ين|ان|ني|ه|ا)$")
_DUAL = re.compile("..(?:تان|تين)$")
"""What says "two" without the word: "ساعتين". Masculine ones look like plurals."""


@dataclass(frozen=True)
class Cited:
    """What a claim cites, made ready for comparing."""

    texts: tuple[str, ...]
    lexicon: Lexicon

    @cached_property
    def dates(self) -> tuple[Mention, ...]:
        """The dates of all the texts."""
        return tuple(mention for text in self.texts for mention in dates(text))

    @cached_property
    def weekdays(self) -> frozenset[int]:
        """Their days of the week."""
        return frozenset[int]().union(*map(weekdays, self.texts))

    @cached_property
    def numerals(self) -> tuple[Numeral, ...]:
        """Their numbers, without the days and months of dates: 28 June is not 28 of anything."""
        return tuple(
            numeral
            for text in self.texts
            for numeral in _outside(numerals(text), (span for mention in dates(text) for span in mention.digits))
        )

    @cached_property
    def has_dual(self) -> bool:
        """Whether one of their words says "two" by its ending."""
        return any(_DUAL.search(word.text) for text in self.texts for word in _words(text))

    @cached_property
    def years(self) -> frozenset[int]:
        """Whole numbers of theirs that may be years."""
        return frozenset(int(n.value) for n in self.numerals if n.value.denominator == 1 and 1000 <= n.value <= 2100)

    @cached_property
    def stems(self) -> frozenset[str]:
        """Stems of their words; of Arabic ones also without a joined preposition."""
        words = [word.text for text in self.texts for word in _words(text)]
        return frozenset(stem(form) for word in words for form in _forms(word))

    @cached_property
    def said_otherwise(self) -> frozenset[tuple[str, ...]]:
        """The other ways, by the lexicon, to say what they say."""
        return frozenset(
            alternative.terms
            for text in self.texts
            for match in self.lexicon.lookup([stem(token.text) for token in _content(text)])
            for alternative in match.alternatives
            if alternative.weight >= _WORTH
        )

    @cached_property
    def sounds(self) -> frozenset[str]:
        """Transliteration keys of their words."""
        words = {word.text for text in self.texts for word in _words(text)}
        return frozenset(transliteration_key(form) for word in words for form in _forms(word))

    def has(self, stems: Sequence[str]) -> bool:
        """Whether all of `stems` are said, or said otherwise."""
        return self.stems.issuperset(stems) or tuple(stems) in self.said_otherwise


def lacking(text: str, cited: Cited) -> tuple[Lack, str] | None:
    """The first number, date or name of `text` that the cited texts lack, and which kind it is of; None if none."""
    mentions = dates(text)
    for mention in mentions:
        if not states(cited.dates, cited.years, mention):
            return "date", " ".join(str(part) for part in _parts(mention) if part)
    if weekdays(text) - cited.weekdays:
        return "date", "day of the week"
    told = {(numeral.value, numeral.unit) for numeral in cited.numerals}
    if cited.has_dual:
        told.add((Fraction(2), ""))
    spans = [span for mention in mentions for span in (*mention.digits, mention.year) if span]
    for numeral in _outside(numerals(text), spans):
        if (numeral.value, numeral.unit) not in told:
            return "number", text[numeral.start : numeral.end]
    name = next((name for name, stems in _names(text, cited.lexicon) if not _is_told(name, stems, cited)), None)
    return ("name", name) if name else None


def _parts(mention: Mention) -> tuple[int | None, ...]:
    first = mention.readings[0]
    return first.day, first.month, first.year


def _outside(found: Iterable[Numeral], spans: Iterable[tuple[int, int]]) -> Iterator[Numeral]:
    taken = list(spans)
    for numeral in found:
        if not any(start <= numeral.start < end for start, end in taken):
            yield numeral


def _forms(word: str) -> Iterator[str]:
    """`word`, and if Arabic also without "and" or a preposition, which `rag.text.stem` leaves where it is unsure."""
    yield word
    for prefix in ("و", "ف", "ب", "ل", "ك", "لل", "ال"):
        if word.startswith(prefix) and len(word) > len(prefix) + 2:
            yield word[len(prefix) :]


def _words(text: str) -> list[Token]:
    """Words of `text`. `US` in capitals is the country, not the pronoun that it folds to."""
    return [
        replace(word, text="usa") if text[word.start : word.end] == "US" else word
        for word in tokens(text)
        if not word.text[0].isdecimal()
    ]


def _content(text: str) -> list[Token]:
    """Words of `text` that can be names."""
    return [word for word in _words(text) if not _EMPTY.intersection(_forms(word.text))]


def _names(text: str, lexicon: Lexicon) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The names of `text` as written, each with its stems.

    A name is what the lexicon calls one, with a capital where the script has them, and a word that it does not know:
    one with a capital, an Arabic one after a name or that is no inflected word by its looks.
    """
    begins = next((index for index, char in enumerate(text) if char.isalnum()), 0)
    after_name = False
    for run, match in _runs(_content(text), lexicon):
        first = text[run[0].start]
        if first.lower() != first.upper():
            capital = any(text[word.start].isupper() for word in run)
            named = capital and _can_be_name(match, lexicon, spelled=run[0].start != begins)
        elif match is None:
            named = after_name or not _INFLECTED.search(run[0].text)
        else:
            named = _can_be_name(match, lexicon, spelled=False)
        if named:
            yield text[run[0].start : run[-1].end], tuple(stem(word.text) for word in run)
        after_name = named and (match is None or match.kind == "person")


def _runs(words: Sequence[Token], lexicon: Lexicon) -> Iterator[tuple[Sequence[Token], LexiconMatch | None]]:
    """The entries of the lexicon among `words`, and the words between them that it does not know."""
    matches = {match.start: match for match in lexicon.lookup([stem(word.text) for word in words])}
    position = 0
    while position < len(words):
        match = matches.get(position)
        run = words[position : position + (match.length if match else 1)]
        position += len(run)
        if match and match.kind == "name" and len(run) > 1 and not run[0].text.isascii():
            # "العصور الوسطى" as well as people: their words tell which.
            for word in run:
                yield [word], _entry(word, lexicon)
        else:
            yield run, match or _entry(run[0], lexicon)


def _entry(word: Token, lexicon: Lexicon) -> LexiconMatch | None:
    """The entry of one word, without what Arabic joins to it if there is none with it."""
    return next((match for form in _forms(word.text) for match in lexicon.lookup([stem(form)])), None)


def _can_be_name(match: LexiconMatch | None, lexicon: Lexicon, *, spelled: bool) -> bool:
    """Whether an entry is that of a name; `spelled`: by its capital, which tells nothing of a first word.

    A word said in other ways is said as a name in one of the likely ones.
    """
    if match is None:
        return True
    if match.kind not in (_NAMED if spelled or match.length > 1 else _SURELY_NAMED):
        return False
    if match.length > 1 or not match.alternatives:
        return True
    return any(way.weight >= _LIKELY and lexicon.kind(way.terms) in _NAMED for way in match.alternatives)


def _is_told(name: str, stems: Sequence[str], cited: Cited) -> bool:
    """Whether the cited texts have the name: as a whole, or word by word."""
    ways = [match for match in cited.lexicon.lookup(stems) if match.length == len(stems)]
    if cited.has(stems) or any(_said(match, cited) for match in ways):
        return True
    return all(_word_is_told(word, own, cited) for word, own in zip(_content(name), stems, strict=True))


def _word_is_told(word: Token, own: str, cited: Cited) -> bool:
    if cited.has([own]) or any(cited.has([stem(form)]) for form in _forms(word.text)):
        return True
    known = cited.lexicon.lookup([own])
    if any(_said(match, cited) for match in known):
        return True
    can_be_said = any(match.alternatives for match in known)
    key = transliteration_key(word.text)
    return len(key) >= (_SOUNDS_OF_KNOWN if can_be_said else _SOUNDS) and key in cited.sounds


def _said(match: LexiconMatch, cited: Cited) -> bool:
    return any(
        alternative.weight >= _WORTH and cited.stems.issuperset(alternative.terms) for alternative in match.alternatives
    )

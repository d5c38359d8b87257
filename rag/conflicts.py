"""Values on which the cited sentences differ: how many, and when. Never an average, never a silent choice.

Two numbers are in conflict only if they count the same thing, the one that the question asks for: "83 ministers"
says nothing of how many members there are. Two dates are in conflict only if all that the question names stands
beside each of them, and no date can be both.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from rag.datatypes import Citation, Conflict, ConflictValue
from rag.dates import dates
from rag.lexicon import Lexicon
from rag.numerals import numerals
from rag.protocols import Query, QueryTerm
from rag.spans import find_spans
from rag.text import STOP_WORDS, fold, stem, tokens

_COUNTED_WORDS = 2
"""Content words beside a number among which the thing counted stands."""
_ASKED_TERMS = 2
"""Terms after "how many" among which the thing counted stands: "how many member states"."""
_HOW_MANY = frozenset(fold("كم وكم فكم بكم عدد أعداد إجمالي مجموع رقم number total count amount many much").split())
_JOINED = re.compile(r"(?:^|\s)(?:الـ?|ـ)\s*$")
"""An article that joins a number to the words before it: "أعضاء التحالف الـ 79"."""
_LABEL = re.compile(r"\s*[-.)ـ–]\s*[^\W\d]")
"""What follows the number of a list's point: "2-التعامل"."""
_SHARED_WORDS = 2
_NEAR_WORDS = 8
"""Words on either side of a date among which all that the question names must stand."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A citation and where the words of its chosen sentence are, offsets into the article."""

    citation: Citation
    start: int
    end: int


_Date = tuple[int | None, int | None, int | None]
"""Year, month and day, as far as they are stated."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Value:
    """A value as it is written, what it amounts to, and who says it."""

    text: str
    amount: Fraction | _Date
    marker: int


def find_conflicts(query: Query, told: Sequence[Told], lexicon: Lexicon) -> tuple[Conflict, ...]:
    """At most one conflict over what `query` asks for, its values in the order of the citations, each value once."""
    if query.answer_type == "number":
        asked = counted_terms(query)
        values = [value for each in told for value in _counts(each, asked, lexicon)]
        different = _distinct(values, lambda one, other: one == other)
    elif query.answer_type == "date":
        asked = list(query.terms)
        marked = [each for each in told if each.citation.answer_span]  # as sure as the best one
        values = [value for each in marked for value in _dates(each, asked, lexicon)]
        different = _distinct(values, _agree)
    else:
        return ()
    if len(different) < 2 or not asked:
        return ()
    values_told = tuple(ConflictValue(value=each.text, citation=each.marker) for each in different)
    return (Conflict(subject=_subject(query.text[asked[0].span[0] :]), values=values_told),)


def counted_amounts(query: Query, text: str, lexicon: Lexicon) -> frozenset[Fraction]:
    """The numbers of `text` that count what the question asks for; none if it asks for no number."""
    asked = counted_terms(query) if query.answer_type == "number" else []
    return frozenset(amount for _, _, amount, counted in _all_counts(text, lexicon) if _counts_any(asked, counted))


def counted_terms(query: Query) -> list[QueryTerm]:
    """The terms after the last word that asks how many; the first ones of a question without one."""
    asking = [token.end for token in tokens(query.text) if token.text in _HOW_MANY]
    after = max((end for end in asking if any(term.span[1] > end for term in query.terms)), default=0)
    return [term for term in query.terms if term.span[1] > after][:_ASKED_TERMS]


def _subject(text: str) -> str:
    """The rest of a question up to the end of its sentence."""
    return re.split(r"[?؟.!،,]", text)[0].strip()


def find_differing_counts(citations: Sequence[Citation], lexicon: Lexicon) -> tuple[Conflict, ...]:
    """Numbers of different sentences that count the same thing by at least two words, whatever is asked.

    One conflict for each thing, its values in the order of the citations, each value once.
    """
    told = [Told(citation=each, start=each.start, end=each.end) for each in citations]
    groups: list[tuple[set[str], list[_Value]]] = []
    for each in told:
        for value, counted in _values(each, lexicon):
            group = next((group for group in groups if len(group[0] & counted) >= _SHARED_WORDS), None)
            if group is None:
                groups.append((counted, [value]))
            else:
                group[1].append(value)
    found = []
    for shared, values in groups:
        different = _distinct(values, lambda one, other: one == other)
        if len({value.marker for value in different}) > 1:
            values_told = tuple(ConflictValue(value=each.text, citation=each.marker) for each in different)
            found.append(Conflict(subject=_words_of(told, different[0].marker, shared), values=values_told))
    return tuple(found)


def _words_of(told: Sequence[Told], marker: int, stems: set[str]) -> str:
    """The words with these stems as the sentence of a citation writes them, in order, none twice."""
    text = next(_own_text(each) for each in told if each.citation.marker == marker)
    words = {stem(token.text): text[token.start : token.end] for token in reversed(tokens(text))}
    return " ".join(word for own, word in reversed(words.items()) if own in stems)


def _agree(one: Fraction | _Date, other: Fraction | _Date) -> bool:
    """Whether both can be one date: nothing that both state differs."""
    if isinstance(one, Fraction) or isinstance(other, Fraction):
        return False
    return all(own == its for own, its in zip(one, other, strict=True) if own is not None and its is not None)


def _distinct(values: Sequence[_Value], same: Callable[[Fraction | _Date, Fraction | _Date], bool]) -> list[_Value]:
    kept: list[_Value] = []
    for value in values:
        if not any(same(value.amount, other.amount) for other in kept):
            kept.append(value)
    return kept


def _counts(told: Told, asked: Sequence[QueryTerm], lexicon: Lexicon) -> list[_Value]:
    """The numbers of a sentence that count what is asked for."""
    return [value for value, counted in _values(told, lexicon) if _counts_any(asked, counted)]


def _counts_any(asked: Sequence[QueryTerm], counted: set[str]) -> bool:
    ways = (set(way.terms) - _HOW_MANY for term in asked for way in term.alternatives)
    return any(way and way <= counted for way in ways)


def _values(told: Told, lexicon: Lexicon) -> Iterator[tuple[_Value, set[str]]]:
    text = _own_text(told)
    for start, end, amount, counted in _all_counts(text, lexicon):
        yield _Value(text=text[start:end], amount=amount, marker=told.citation.marker), counted


def _all_counts(text: str, lexicon: Lexicon) -> Iterator[tuple[int, int, Fraction, set[str]]]:
    """The definite numbers of a sentence: their spans, their values, and the stems of what they count."""
    counts = find_spans(text, "number", lexicon)  # no dates, and no "resolution 1373"
    for numeral in numerals(text):
        start, end = numeral.start, numeral.end
        is_label = _LABEL.match(text, end) and not text[:start].strip()
        if not (numeral.unit or is_label) and any(first <= start < last for first, last in counts):
            yield start, end, numeral.value, _counted(text, start, end)


def _counted(text: str, start: int, end: int) -> set[str]:
    """Stems of the words that say what the number at `[start, end)` counts: after it, or before one joined to them."""
    joined = _JOINED.search(text[:start])
    words = [word for word in tokens(text) if word.text not in STOP_WORDS and not word.text[0].isdecimal()]
    if joined:
        beside = [word.text for word in words if word.end <= joined.start()][-_COUNTED_WORDS - 1 :]
    else:
        beside = [word.text for word in words if word.start >= end][:_COUNTED_WORDS]
    return {stem(word) for word in beside}


def _dates(told: Told, asked: Sequence[QueryTerm], lexicon: Lexicon) -> list[_Value]:
    """The dates of a sentence beside which all of `asked` stands."""
    text = _own_text(told)
    words = tokens(text)
    found = []
    for start, end in find_spans(text, "date", lexicon):
        inside = [at for at, word in enumerate(words) if start <= word.start < end]
        near = {stem(word.text) for word in words[max(0, inside[0] - _NEAR_WORDS) : inside[-1] + 1 + _NEAR_WORDS]}
        when = _when(text[start:end])
        if any(when) and all(any(near.issuperset(way.terms) for way in term.alternatives) for term in asked):
            found.append(_Value(text=text[start:end], amount=when, marker=told.citation.marker))
    return found


def _when(text: str) -> _Date:
    """The date that `text` states; a year alone is one."""
    for mention in dates(text):
        return mention.readings[0].year, mention.readings[0].month, mention.readings[0].day
    years = [int(token.text) for token in tokens(text) if len(token.text) == 4 and token.text.isdecimal()]
    return (years[0] if years else None), None, None


def _own_text(told: Told) -> str:
    citation = told.citation
    return citation.quote[told.start - citation.start : told.end - citation.start]

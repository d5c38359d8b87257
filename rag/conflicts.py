"""Values on which the cited sentences differ: how many, and when. Never an average, never a silent choice.

Two numbers are in conflict only if they count the same thing, the one that the question asks for: "83 ministers"
says nothing of how many members there are. Two dates are in conflict only if all that the question names stands
beside each of them, and no date can be both.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rag.datatypes import Citation, Conflict, ConflictValue
from rag.lexicon import Lexicon
from rag.protocols import Query, QueryTerm
from rag.quantities import When, date_value, number_value
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
_NEAR_WORDS = 8
"""Words on either side of a date among which all that the question names must stand."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A citation and where the words of its chosen sentence are, offsets into the article."""

    citation: Citation
    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Value:
    """A value as it is written, what it amounts to, and who says it."""

    text: str
    amount: float | When
    marker: int


def find_conflicts(query: Query, told: Sequence[Told], lexicon: Lexicon) -> tuple[Conflict, ...]:
    """At most one conflict over what `query` asks for, its values in the order of the citations, each value once."""
    if query.answer_type == "number":
        asked = _counted_terms(query)
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


def _counted_terms(query: Query) -> list[QueryTerm]:
    """The terms after the last word that asks how many; the first ones of a question without one."""
    asking = [token.end for token in tokens(query.text) if token.text in _HOW_MANY]
    after = max((end for end in asking if any(term.span[1] > end for term in query.terms)), default=0)
    return [term for term in query.terms if term.span[1] > after][:_ASKED_TERMS]


def _subject(text: str) -> str:
    """The rest of a question up to the end of its sentence."""
    return re.split(r"[?؟.!،,]", text)[0].strip()


def _agree(one: float | When, other: float | When) -> bool:
    return isinstance(one, When) and isinstance(other, When) and one.agrees(other)


def _distinct(values: Sequence[_Value], same: Callable[[float | When, float | When], bool]) -> list[_Value]:
    kept: list[_Value] = []
    for value in values:
        if not any(same(value.amount, other.amount) for other in kept):
            kept.append(value)
    return kept


def _counts(told: Told, asked: Sequence[QueryTerm], lexicon: Lexicon) -> list[_Value]:
    """The numbers of a sentence that count what is asked for."""
    text = _own_text(told)
    ways = [set(way.terms) - _HOW_MANY for term in asked for way in term.alternatives]
    found = []
    for start, end in find_spans(text, "number", lexicon):
        amount = None if _LABEL.match(text, end) and not text[:start].strip() else number_value(text[start:end])
        counted = _counted(text, start, end)
        if amount is not None and any(way and way <= counted for way in ways):
            found.append(_Value(text=text[start:end], amount=amount, marker=told.citation.marker))
    return found


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
        when = date_value(text[start:end])
        if when and all(any(near.issuperset(way.terms) for way in term.alternatives) for term in asked):
            found.append(_Value(text=text[start:end], amount=when, marker=told.citation.marker))
    return found


def _own_text(told: Told) -> str:
    citation = told.citation
    return citation.quote[told.start - citation.start : told.end - citation.start]

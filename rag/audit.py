"""Re-checks saved answers: does every quote still stand in its article, and every claim in the quotes it cites?

The text of an extractive answer is its quotes, word for word, and proves itself. Prose by a language model does not:
its numbers and dates are compared with those of the quotes by what they amount to, its names through the lexicon.
What is written in a way that these cannot follow is told as FAILED: better a look too many than a claim unproved.
"""

import json
import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, TypeVar

from rag.datatypes import AnswerSpan, Article, Conflict, ConflictValue
from rag.errors import UsageError
from rag.grounding import Cited, lacking
from rag.lexicon import Lexicon
from rag.sentences import Span, sentence_spans
from rag.text import tokens

Verdict = Literal[
    "ok", "no article", "moved", "gone", "bad answer span", "no such citation", "not in the quotes", "uncited"
]

_MARKER = re.compile(r"\[\d{1,9}\]")
_LIST_NUMBER = re.compile(r"\A\s*\d{1,2}[.)]\s")
_CLAUSE_ENDS = tuple(",،;؛")
"""No sentence ends with these: it was cut there for its length."""
_NOUNS: dict[type, str] = {str: "a text", int: "a whole number", list: "a list", dict: "an object"}
_REMEDY = "audit what `sanad ask ... --json` printed, one answer or one a line"

_Item = tuple[str, Verdict, str]
"""Place, verdict and message of a finding."""
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedCitation:
    """A citation as it was saved, held to nothing; offsets into the article's text of that day."""

    marker: int
    article_id: str
    quote: str
    start: int
    end: int
    answer_span: AnswerSpan | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedAnswer:
    """What can be audited of a saved answer. `id` is its number in the file, from 1, where it has none of its own."""

    id: str
    answered: bool
    text: str
    citations: tuple[SavedCitation, ...]
    conflicts: tuple[Conflict, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing audited: `place` is what of the answer `answer` (an id); `str` is its line."""

    answer: str
    place: str
    verdict: Verdict
    message: str

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong with it."""
        return self.verdict == "ok"

    def __str__(self) -> str:
        """`ok     answer q1, citation 1: ...` or `FAILED ...`; one line, whatever a file has put into the names."""
        said = f"answer {self.answer}, {self.place}: {self.message}"
        return f"{'ok' if self.ok else 'FAILED':<6} " + "".join(char if char.isprintable() else " " for char in said)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Claim:
    """A sentence that cites: its words between the markers, and the markers, none twice."""

    pieces: tuple[str, ...]
    markers: tuple[int, ...]


def audit(answer: SavedAnswer, articles: Mapping[str, Article], lexicon: Lexicon) -> list[Finding]:
    """Findings on `answer`, at least one: itself, citations, sentences that carry markers, conflicts, in this order.

    `articles` are today's, by id. A sentence without a marker is not judged.
    """
    quotes = {citation.marker: citation.quote for citation in answer.citations}
    claims = list(_claims(answer.text))
    items = [_check_cited(answer, claims)]
    for citation in answer.citations:
        items += _check_citation(citation, articles)
    for number, claim in enumerate(claims, start=1):
        items += _check_claim(f"marked sentence {number}", claim, quotes, lexicon)
    items += _check_conflicts(answer.conflicts, quotes)
    return [
        Finding(answer=answer.id, place=place, verdict=verdict, message=message) for place, verdict, message in items
    ]


def summarise(findings: Sequence[Finding]) -> str:
    """One line: how many checks were made, and how many of them failed."""
    failed = sum(not finding.ok for finding in findings)
    return f"{len(findings)} checks: " + (f"{failed} FAILED" if failed else "all ok")


def findings_to_json(findings: Sequence[Finding]) -> dict[str, Any]:
    """The findings as one plain object."""
    failed = sum(not finding.ok for finding in findings)
    listed = [asdict(finding) | {"ok": finding.ok} for finding in findings]
    return {"ok": failed == 0, "checks": len(findings), "failed": failed, "findings": listed}


def read_answers(raw: bytes, name: str) -> list[SavedAnswer]:
    """The answers in a file called `name`: one object in the contract's JSON, or one a line.

    Raises:
        UsageError: It is not JSON, or something in it is not an answer; the message says what, and on which line.
    """
    found: list[SavedAnswer] = []
    for line, row in _rows(raw.removeprefix(b"\xef\xbb\xbf"), name):
        try:
            found.append(_answer(row, len(found) + 1))
        except ValueError as error:
            raise UsageError(f"{name}: {line}not an answer: {error}; {_REMEDY}") from error
    if not found:
        raise UsageError(f"{name}: holds no answer; {_REMEDY}")
    return found


def _rows(raw: bytes, name: str) -> Iterator[tuple[str, Any]]:
    """JSON values of a file, each with where it stands ("" for one that is the whole file)."""
    try:
        whole = json.loads(raw)
    except (ValueError, RecursionError):
        pass  # more than one line, or no JSON at all: the lines tell
    else:
        yield "", whole
        return
    for number, line in enumerate(raw.split(b"\n"), start=1):
        if line.strip():
            try:
                row = json.loads(line)
            except (ValueError, RecursionError) as error:
                raise UsageError(f"{name}: line {number}: not JSON in UTF-8 ({error}); {_REMEDY}") from error
            yield f"line {number}: ", row


def _answer(row: Any, number: int) -> SavedAnswer:  # noqa: ANN401 - any JSON
    """Raises ValueError, naming the field, where `row` is not what the contract says of the fields audited."""
    if not isinstance(row, dict):
        raise ValueError("it is not an object")
    status = _field(row, "status", str)
    if status not in ("answered", "no_evidence"):
        raise ValueError(f"`status` is {status[:20]!r}")
    places = [f"citations[{n}]." for n in range(len(_field(row, "citations", list)))]
    citations = tuple(_citation(each, place) for each, place in zip(row["citations"], places, strict=True))
    if len({citation.marker for citation in citations}) < len(citations):
        raise ValueError("two citations have the same `marker`")
    return SavedAnswer(
        id=str(row.get("id") or number),
        answered=status == "answered",
        text=_field(row, "text", str),
        citations=citations,
        conflicts=tuple(map(_conflict, _field({"conflicts": [], **row}, "conflicts", list))),
    )


def _citation(row: Any, place: str) -> SavedCitation:  # noqa: ANN401 - any JSON
    span = row.get("answer_span") if isinstance(row, dict) else None
    inner = f"{place}answer_span."
    return SavedCitation(
        marker=_field(row, "marker", int, place),
        article_id=_field(row, "article_id", str, place),
        quote=_field(row, "quote", str, place),
        start=_field(row, "start", int, place),
        end=_field(row, "end", int, place),
        answer_span=None
        if span is None
        else AnswerSpan(
            text=_field(span, "text", str, inner),
            start=_field(span, "start", int, inner),
            end=_field(span, "end", int, inner),
        ),
    )


def _conflict(row: Any) -> Conflict:  # noqa: ANN401 - any JSON
    place = "conflicts[].values[]."
    return Conflict(
        subject=_field(row, "subject", str, "conflicts[]."),
        values=tuple(
            ConflictValue(value=_field(each, "value", str, place), citation=_field(each, "citation", int, place))
            for each in _field(row, "values", list, "conflicts[].")
        ),
    )


def _field(row: Any, name: str, kind: type[_T], place: str = "") -> _T:  # noqa: ANN401 - any JSON
    value = row.get(name) if isinstance(row, dict) else None
    if not isinstance(value, kind) or isinstance(value, bool):
        raise ValueError(f"`{place}{name}` is missing or not {_NOUNS[kind]}")
    return value


def _check_cited(answer: SavedAnswer, claims: Sequence[_Claim]) -> _Item:
    """Whether there is anything to hold the answer to: without a marker it would pass unread."""
    if not answer.answered:
        return "whole", "ok", "a refusal, nothing is claimed"
    if not answer.citations:
        return "whole", "uncited", "it answers without a citation"
    if not claims:
        return "whole", "uncited", "no sentence of its text carries a marker"
    return "whole", "ok", f"citations: {len(answer.citations)}, sentences with markers: {len(claims)}"


def _check_citation(citation: SavedCitation, articles: Mapping[str, Article]) -> Iterator[_Item]:
    place, was = f"citation {citation.marker}", f"[{citation.start}, {citation.end})"
    length = len(citation.quote)
    article = articles.get(citation.article_id)
    if article is None:
        yield place, "no article", f"the index has no article {citation.article_id!r}"
    else:
        found = article.text.find(citation.quote) if citation.quote else -1
        # Not a slice alone: those of Python count negative offsets from the end, and stop at it.
        in_place = found >= 0 and citation.start >= 0 and citation.end == citation.start + length
        if in_place and article.text.startswith(citation.quote, citation.start):
            yield place, "ok", f"the quote stands at {was} of {article.source}"
        elif found >= 0:
            now = f"[{found}, {found + length})"
            yield place, "moved", f"moved: the quote stands at {now} of {article.source}, no longer at {was}"
        else:
            yield place, "gone", f"gone: the quote of {was} stands nowhere in {article.source}"
    if citation.answer_span is not None:
        yield (f"{place}, answer span", *_judge_span(citation, citation.answer_span))


def _judge_span(citation: SavedCitation, span: AnswerSpan) -> tuple[Verdict, str]:
    where = f"[{span.start}, {span.end})"
    if not citation.start <= span.start < span.end <= citation.end:
        return "bad answer span", f"{where} is not inside the quote's [{citation.start}, {citation.end})"
    slice_ = citation.quote[span.start - citation.start : span.end - citation.start]
    if slice_ != span.text:
        return "bad answer span", f"{where} of the quote is {slice_!r}, not {span.text!r}"
    return "ok", f"{span.text!r} stands at {where}"


def _check_conflicts(conflicts: Sequence[Conflict], quotes: Mapping[int, str]) -> Iterator[_Item]:
    for conflict in conflicts:
        for value in conflict.values:
            place, quote = f"conflict over {conflict.subject!r}, {value.value!r}", quotes.get(value.citation)
            if quote is None:
                yield place, "no such citation", f"there is no citation [{value.citation}]"
            elif _run(value.value) in _run(quote):
                yield place, "ok", f"it stands in the quote of [{value.citation}]"
            else:
                yield place, "not in the quotes", f"it does not stand in the quote of [{value.citation}]"


def _claims(text: str) -> Iterator[_Claim]:
    """The sentences of `text` that carry markers, in order; a marker belongs to the sentence begun before it."""
    for line in text.split("\n"):
        marks = list(_MARKER.finditer(line))
        # Blanks keep the offsets; a marker after a full stop must not open the next sentence.
        bare = _LIST_NUMBER.sub(_blank, _MARKER.sub(_blank, line))
        spans = _whole_sentences(bare) or [(0, 0)]
        starts = [start for start, _ in spans]
        owners = [max(bisect_right(starts, mark.start()) - 1, 0) for mark in marks]
        for owner in dict.fromkeys(owners):
            own = [int(mark.group()[1:-1]) for mark, its in zip(marks, owners, strict=True) if its == owner]
            start, end = spans[owner]
            yield _Claim(pieces=tuple(_MARKER.split(line[start:end])), markers=tuple(dict.fromkeys(own)))


def _blank(match: re.Match[str]) -> str:
    return " " * len(match.group())


def _whole_sentences(line: str) -> list[Span]:
    spans: list[Span] = []
    for start, end in sentence_spans(line):
        if spans and line[: spans[-1][1]].endswith(_CLAUSE_ENDS):
            spans[-1] = (spans[-1][0], end)
        else:
            spans.append((start, end))
    return spans


def _check_claim(place: str, claim: _Claim, quotes: Mapping[int, str], lexicon: Lexicon) -> Iterator[_Item]:
    unknown = [marker for marker in claim.markers if marker not in quotes]
    for marker in unknown:
        yield place, "no such citation", f"there is no citation [{marker}]"
    known = [marker for marker in claim.markers if marker in quotes]
    if not known:
        return
    cited = Cited(texts=tuple(quotes[marker] for marker in known), lexicon=lexicon)
    markers = "".join(f"[{marker}]" for marker in known)
    unsaid = [fact for piece in claim.pieces if (fact := _unsaid(piece, cited))]
    for fact in unsaid:
        yield place, "not in the quotes", f"{fact} does not stand in the quotes of {markers}"
    if not unknown and not unsaid:
        yield place, "ok", f"its numbers, dates and names stand in the quotes of {markers}"


def _run(text: str) -> str:
    """The folded words of `text` in a row, so that "79" is not found in "1979"."""
    return f" {' '.join(token.text for token in tokens(text))} "


def _unsaid(piece: str, cited: Cited) -> str | None:
    """The first number, date or name of `piece` that the quotes do not state, with what it is."""
    if any(_run(piece) in _run(quote) for quote in cited.texts):
        return None  # word for word: what an extractive answer consists of
    lack = lacking(piece, cited)
    return f"the {lack[0]} {lack[1]!r}" if lack else None

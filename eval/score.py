"""One answer judged by its gold question, and the means over many.

Every measure is a number per question; a report is their means. A question that failed or was not answered at all
gets each measure's worst value, never a blank: dropping it would flatter.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from eval.gold import GoldQuestion
from eval.metrics import (
    Estimate,
    Span,
    estimate,
    exact_match,
    percentile,
    reciprocal_rank,
    relevance,
    relevance_with_passage,
    repeated_sentences,
    success_at,
    token_f1,
    wrong_quotes,
)
from rag.datatypes import Answer, Article, Citation, Timings

Group = Literal["ar", "en", "all"]
GROUPS: tuple[Group, ...] = ("ar", "en", "all")
CUTOFFS = (1, 3, 5)
RR_CUTOFF = 10
PHASES = ("embed", "search", "read", "total")


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """What one question earned.

    `hits`, `citations` and `citations_or_passage` are relevance, best first. `f1` and `exact` are None where the
    gold has no short answer or nothing to answer. `failed`: an error instead of an answer. Counts are citations
    (`wrong_quotes` of `quotes`) and sentences (`repeated`). `timings` is None for a failed question.
    """

    id: str
    language: Literal["ar", "en"]
    answerable: bool
    failed: bool = False
    refused: bool = False
    hits: tuple[bool, ...] = ()
    citations: tuple[bool, ...] = ()
    citations_or_passage: tuple[bool, ...] = ()
    f1: float | None = None
    exact: float | None = None
    quotes: int = 0
    wrong_quotes: int = 0
    repeated: int = 0
    timings: Timings | None = None


def judge(gold: GoldQuestion, answer: Answer | None, articles: Mapping[str, Article]) -> Score:
    """The score of an answer; None is a question that failed. The hits are taken as they are in the answer."""
    has_answers = gold.answerable and bool(gold.answers)
    if answer is None:
        worst = 0.0 if has_answers else None
        return Score(id=gold.id, language=gold.language, answerable=gold.answerable, failed=True, f1=worst, exact=worst)
    passages = [Span(article_id=h.passage.article_id, start=h.passage.start, end=h.passage.end) for h in answer.hits]
    quotes = [Span(article_id=c.article_id, start=c.start, end=c.end) for c in answer.citations]
    short = _short_answer(answer.citations)
    return Score(
        id=gold.id,
        language=gold.language,
        answerable=gold.answerable,
        refused=answer.status == "no_evidence",
        hits=relevance(passages, gold.evidence_spans),
        citations=relevance(quotes, gold.evidence_spans),
        citations_or_passage=relevance_with_passage(quotes, passages, gold.evidence_spans),
        f1=token_f1(short, gold.answers) if has_answers else None,
        exact=exact_match(short, gold.answers) if has_answers else None,
        quotes=len(quotes),
        wrong_quotes=wrong_quotes(answer.citations, articles),
        repeated=repeated_sentences(answer.citations),
        timings=answer.timings,
    )


def _short_answer(citations: Sequence[Citation]) -> str:
    """The first citation's answer span, else its quote; empty without citations."""
    if not citations:
        return ""
    first = citations[0]
    return first.answer_span.text if first.answer_span else first.quote


Measure = Callable[[Score], float | None]
"""A score's value, None where the measure does not apply to its question."""


def _of_answerable(value: Callable[[Score], float]) -> Measure:
    return lambda score: value(score) if score.answerable else None


def _success(ranked: Callable[[Score], Sequence[bool]], k: int) -> Measure:
    return _of_answerable(lambda score: success_at(ranked(score), k))


def _rr(ranked: Callable[[Score], Sequence[bool]]) -> Measure:
    return _of_answerable(lambda score: reciprocal_rank(ranked(score), RR_CUTOFF))


def _ranked_measures(name: str, ranked: Callable[[Score], Sequence[bool]]) -> dict[str, Measure]:
    measures = {f"{name} Success@{k}": _success(ranked, k) for k in CUTOFFS}
    return measures | {f"{name} RR@{RR_CUTOFF}": _rr(ranked)}


MEASURES: dict[str, Measure] = {
    **_ranked_measures("hits", lambda score: score.hits),
    **_ranked_measures("citations", lambda score: score.citations),
    **_ranked_measures("citations or passage", lambda score: score.citations_or_passage),
    "answer F1": lambda score: score.f1,
    "answer exact match": lambda score: score.exact,
    "refused right": lambda score: None if score.answerable else float(score.refused),
    # A failed question is no answer to its asker, so it counts as wrongly refused.
    "refused wrong": _of_answerable(lambda score: float(score.refused or score.failed)),
}
"""Name to measure, each in [0, 1]; higher is better but for `refused wrong`."""

HEADLINE = "citations Success@3"
"""The measure on which one run is called worse than another."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    """Milliseconds of one phase of a question at the median and at the 95th percentile."""

    p50: float
    p95: float


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupSummary:
    """Means over the questions of one language, or of all.

    `measures` leaves out those that apply to no question of the group, `latency_ms` is empty if all failed.
    """

    questions: int
    answerable: int
    failed: int
    quotes: int
    wrong_quotes: int
    repeated_sentences: int
    measures: dict[str, Estimate]
    latency_ms: dict[str, Latency]


Summary = dict[Group, GroupSummary]


def summarise(scores: Sequence[Score]) -> Summary:
    """The means by question language and over all, languages without a question included."""
    return {group: _summarise([s for s in scores if group in (s.language, "all")]) for group in GROUPS}


def values(scores: Sequence[Score], measure: str) -> dict[str, float]:
    """Question id to value of one measure, for the questions it applies to, in the order of the scores."""
    pairs = ((score.id, MEASURES[measure](score)) for score in scores)
    return {identity: value for identity, value in pairs if value is not None}


def _summarise(scores: Sequence[Score]) -> GroupSummary:
    estimates = {name: estimate(list(values(scores, name).values())) for name in MEASURES}
    return GroupSummary(
        questions=len(scores),
        answerable=sum(score.answerable for score in scores),
        failed=sum(score.failed for score in scores),
        quotes=sum(score.quotes for score in scores),
        wrong_quotes=sum(score.wrong_quotes for score in scores),
        repeated_sentences=sum(score.repeated for score in scores),
        measures={name: found for name, found in estimates.items() if found is not None},
        latency_ms=_latency([score.timings for score in scores if score.timings is not None]),
    )


def _latency(timings: Sequence[Timings]) -> dict[str, Latency]:
    if not timings:
        return {}
    spent = {phase: [float(getattr(each, phase)) for each in timings] for phase in PHASES}
    return {phase: Latency(p50=percentile(ms, 50), p95=percentile(ms, 95)) for phase, ms in spent.items()}

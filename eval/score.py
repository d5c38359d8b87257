"""Answers judged by their gold questions, and the means over many.

An answer is read from the contract's JSON, so that a kept run can be judged again, and one of another system too.
Every measure is a number per question; a report is their means. A question that failed or was not answered at all
gets each measure's worst value, never a blank: dropping it would flatter.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from eval.corpus import Corpus
from eval.gold import GoldQuestion
from eval.metrics import (
    Span,
    exact_match,
    holds,
    list_recall,
    relevance,
    relevance_with_passage,
    repeated_sentences,
    token_f1,
    wrong_quotes,
)
from eval.ranking import RANKED, Ranking, Rankings, ranked_values
from eval.statistics import (
    Estimate,
    area_under_risk,
    auroc,
    calibration_error,
    estimates,
    figure,
    percentile,
)

Record = Mapping[str, Any]
"""An answer as JSON, or `{"id", "question", "error"}`."""

LEVELS = ("articles", "hits", "citations")
"""What is ranked: the articles of the passages found, those passages, the quotes of the answer."""
_SHOWN = 3
"""Citations among which a reader looks for the answer."""
PHASES = ("embed", "search", "read", "total")
_LISTS = ("list", "conflict", "multi-article")

MEASURES = (
    *(f"{level} {measure}" for level in LEVELS for measure in RANKED),
    "citations or passage Success@1",
    "citations or passage Success@3",
    "citation precision",
    "citation recall",
    "answer F1",
    "answer exact match",
    "list recall",
    "conflict values",
    "nugget recall",
    "refused right",
    "refused wrong",
)
"""What one question can earn, each in [0, 1]."""
TRUST = ("confidence AUROC", "confidence error", "risk under coverage")
"""What can only be said of many questions, each in [0, 1]: see `eval.statistics`."""
LOWER_IS_BETTER = frozenset({"refused wrong", *TRUST[1:]})
HEADLINES = ("citations Success@3", "answer F1", "refused right", "refused wrong")
"""The measures on which one run is called worse than another."""


Verdict = Literal["right", "wrong", "refused", "answered", "failed"]
"""`right`: evidence among the first three citations or their passages, or an unanswerable question refused. Else
`wrong` citations, `refused` though answerable, `answered` though not, or `failed` with an error."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """What one question earned.

    `values` has the measures that apply to it. `direction` is the question's language and its articles', as `ar>en`.
    Counts are citations (`wrong_quotes` of `quotes`) and sentences (`repeated`). `timings` are milliseconds by phase,
    empty for a failed question.
    """

    id: str
    language: Literal["ar", "en"]
    direction: str
    type: str
    articles: tuple[str, ...]
    answerable: bool
    verdict: Verdict
    confidence: float = 0.0
    strength: str = "none"
    values: Mapping[str, float] = field(default_factory=dict)
    quotes: int = 0
    wrong_quotes: int = 0
    repeated: int = 0
    timings: Mapping[str, float] = field(default_factory=dict)


def rankings(gold: Sequence[GoldQuestion], records: Mapping[str, Record], corpus: Corpus) -> dict[str, Rankings]:
    """What was found for each question and what there was to find, by level."""
    return {
        level: {each.id: rank(each, records.get(each.id, {}), corpus) for each in gold}
        for level, rank in {"articles": _articles, "hits": _hits, "citations": _citations}.items()
    }


def _articles(gold: GoldQuestion, record: Record, corpus: Corpus) -> Ranking:
    grades = gold.grades or (1,) * len(gold.articles)
    wanted = {corpus.ids[name]: grade for name, grade in zip(gold.articles, grades, strict=True) if gold.answerable}
    found = (span.article_id for span in _spans(record, "hits"))
    return Ranking(found=tuple(dict.fromkeys(found)), wanted=wanted)


def _hits(gold: GoldQuestion, record: Record, corpus: Corpus) -> Ranking:
    found = tuple(corpus.passage_id(span) for span in _spans(record, "hits"))
    return Ranking(found=found, wanted=corpus.passages_with(_evidence(gold)))


def _citations(gold: GoldQuestion, record: Record, corpus: Corpus) -> Ranking:
    wanted = corpus.sentences_with(_evidence(gold))
    return Ranking(found=tuple(corpus.sentence_id(span, wanted) for span in _spans(record, "citations")), wanted=wanted)


def _evidence(gold: GoldQuestion) -> list[Span]:
    return [span for spans in gold.evidence_spans for span in spans] if gold.answerable else []


def _spans(record: Record, name: str) -> list[Span]:
    return [Span(article_id=row["article_id"], start=row["start"], end=row["end"]) for row in record.get(name, ())]


def judge(gold: Sequence[GoldQuestion], records: Mapping[str, Record], corpus: Corpus) -> list[Score]:
    """The score of each question, in order; one without a record, or with an error in it, has failed."""
    ranked = {level: ranked_values(found) for level, found in rankings(gold, records, corpus).items()}

    def score(question: GoldQuestion) -> Score:
        values = {
            f"{level} {measure}": value
            for level, found in ranked.items()
            for measure, value in found.get(question.id, {}).items()
        }
        return _score(question, records.get(question.id, {"error": "no answer"}), corpus, values)

    return [score(question) for question in gold]


def _score(gold: GoldQuestion, record: Record, corpus: Corpus, ranked: Mapping[str, float]) -> Score:
    citations = record.get("citations", ())
    quotes, passages = _spans(record, "citations"), _spans(record, "hits")
    beside = relevance_with_passage(quotes, passages, _evidence(gold))
    verdict = _verdict(gold, record, found=any(beside[:_SHOWN]))
    return Score(
        id=gold.id,
        language=gold.language,
        direction=f"{gold.language}>{_language_of(gold, corpus)}",
        type=gold.type,
        articles=gold.articles,
        answerable=gold.answerable,
        verdict=verdict,
        confidence=float(record.get("confidence", 0.0)),
        strength=str(record.get("strength", "none")),
        values={
            **ranked,
            **dict(_of_citations(gold, quotes, beside)),
            **dict(_of_answer(gold, record)),
            # A failed question is no answer to its asker, so it counts as wrongly refused.
            **(
                {"refused wrong": float(verdict in ("refused", "failed"))}
                if gold.answerable
                else {"refused right": float(verdict == "right")}
            ),
        },
        quotes=len(quotes),
        wrong_quotes=wrong_quotes(citations, corpus.articles),
        repeated=repeated_sentences(citation["quote"] for citation in citations),
        timings=record.get("timings_ms", {}),
    )


def _language_of(gold: GoldQuestion, corpus: Corpus) -> str:
    named = [corpus.articles[corpus.ids[name]] for name in gold.articles]
    return "+".join(sorted({article.language for article in named or corpus.articles.values()}))


def _of_citations(gold: GoldQuestion, quotes: Sequence[Span], beside: Sequence[bool]) -> Iterator[tuple[str, float]]:
    held = [any(holds(quote, span) for quote in quotes for span in spans) for spans in gold.evidence_spans]
    if gold.nuggets:
        facts = [any(holds(quote, span) for quote in quotes for span in nugget) for nugget in gold.nuggets]
        yield "nugget recall", float(np.mean(facts))
    if not held or not gold.answerable:
        return
    for k in (1, _SHOWN):
        yield f"citations or passage Success@{k}", float(any(beside[:k]))
    relevant = relevance(quotes, _evidence(gold))
    yield "citation precision", float(np.mean(relevant)) if relevant else 0.0
    yield "citation recall", float(np.mean(held))


def _of_answer(gold: GoldQuestion, record: Record) -> Iterator[tuple[str, float]]:
    if not gold.answerable or not gold.answers:
        return
    short, citations = _short_answer(record), record.get("citations", ())
    yield "answer F1", token_f1(short, gold.answers)
    yield "answer exact match", exact_match(short, gold.answers)
    if gold.type in _LISTS:
        yield "list recall", list_recall(" | ".join(citation["quote"] for citation in citations), gold.answers)
    if gold.type == "conflict":
        told = [value["value"] for conflict in record.get("conflicts", ()) for value in conflict["values"]]
        yield "conflict values", list_recall(" | ".join(told), gold.answers)


def _short_answer(record: Record) -> str:
    """The first citation's answer span, else its quote; empty without citations."""
    for citation in record.get("citations", ()):
        return str((citation.get("answer_span") or {"text": citation["quote"]})["text"])
    return ""


def _verdict(gold: GoldQuestion, record: Record, *, found: bool) -> Verdict:
    if "error" in record:
        return "failed"
    if record["status"] == "no_evidence":
        return "refused" if gold.answerable else "right"
    if not gold.answerable:
        return "answered"
    return "right" if found else "wrong"


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    """Milliseconds of one phase of a question at the median and at the 95th and 99th percentile."""

    p50: float
    p95: float
    p99: float


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupSummary:
    """Means over the questions of one group.

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


Summary = dict[str, GroupSummary]
"""By group of one split, in order."""

SPLITS: dict[str, Callable[[Score], Sequence[str]]] = {
    "language": lambda score: (score.language, "all"),
    "direction": lambda score: (score.direction,),
    "type": lambda score: (score.type,),
    "article": lambda score: score.articles,
    "answerable": lambda score: ("answerable" if score.answerable else "unanswerable",),
    "strength": lambda score: (score.strength,),
}
"""Name to the groups that a question belongs to."""


def summarise(scores: Sequence[Score], split: str = "language") -> Summary:
    """The means of each group of a split that has a question, groups in order of their names, `all` last."""
    members: dict[str, list[Score]] = {}
    for score in scores:
        for group in SPLITS[split](score):
            members.setdefault(group, []).append(score)
    return {group: _summarise(members[group]) for group in sorted(members, key=lambda name: (name == "all", name))}


def values(scores: Sequence[Score], measure: str) -> dict[str, float]:
    """Question id to value of one measure, for the questions it applies to, in the order of the scores."""
    return {score.id: score.values[measure] for score in scores if measure in score.values}


def _summarise(scores: Sequence[Score]) -> GroupSummary:
    table = np.array([[score.values.get(name, np.nan) for name in MEASURES] for score in scores])
    found = dict(zip(MEASURES, estimates(table), strict=True)) | _trust(scores)
    return GroupSummary(
        questions=len(scores),
        answerable=sum(score.answerable for score in scores),
        failed=sum(score.verdict == "failed" for score in scores),
        quotes=sum(score.quotes for score in scores),
        wrong_quotes=sum(score.wrong_quotes for score in scores),
        repeated_sentences=sum(score.repeated for score in scores),
        measures={name: each for name, each in found.items() if each is not None},
        latency_ms=_latency([score.timings for score in scores if score.timings]),
    )


def _trust(scores: Sequence[Score]) -> dict[str, Estimate | None]:
    confidence = np.array([score.confidence for score in scores])
    answerable = np.array([score.answerable for score in scores])
    if answerable.all() or not answerable.any():
        return {}  # nothing to tell apart
    right = np.array([score.verdict == "right" for score in scores])
    answered = np.array([score.quotes > 0 for score in scores])
    return {
        TRUST[0]: figure(auroc, confidence, answerable),
        TRUST[1]: figure(calibration_error, confidence, answerable),
        TRUST[2]: figure(area_under_risk, confidence, right, answered),
    }


def _latency(timings: Sequence[Mapping[str, float]]) -> dict[str, Latency]:
    if not timings:
        return {}
    spent = {phase: [float(each[phase]) for each in timings] for phase in PHASES}
    return {
        phase: Latency(p50=percentile(ms, 50), p95=percentile(ms, 95), p99=percentile(ms, 99))
        for phase, ms in spent.items()
    }

"""Scores to read and to keep: tables as text or Markdown, and the JSON that a later run compares itself with."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field

from eval.compare import REPORT_FORMAT, Comparison, change_of, keep
from eval.gold import GoldQuestion
from eval.score import (
    HEADLINES,
    LEVELS,
    MEASURES,
    PHASES,
    SPLITS,
    TRUST,
    GroupSummary,
    Record,
    Score,
    Summary,
    Verdict,
    summarise,
)
from eval.statistics import Estimate
from rag.config import Settings

Table = list[list[str]]
"""Rows of cells, the first row the head; the first column is words, the others numbers."""

SETTINGS_SHOWN = ("embedder", "revision", "passage_chars", "k", "dense", "lexical", "late", "lexicon", "balance")
"""Those that change an answer; folders and ports would only tie a report to a machine."""

ABLATION_MEASURES = (
    *(f"hits {name}" for name in ("Success@1", "Success@3", "R@5", "nDCG@10")),
    *(f"citations {name}" for name in ("Success@1", "Success@3", "nDCG@10")),
    "answer F1",
    "refused right",
    "refused wrong",
)
"""Refusals because a refused question has no citations."""
SPLIT_MEASURES = ("hits Success@3", "citations Success@1", "citations Success@3", "answer F1", *HEADLINES[2:])
"""What is shown of groups smaller than a language."""

FAILURES: dict[Verdict, str] = {
    "failed": "Failed",
    "refused": "Answerable but refused",
    "wrong": "Answered without evidence among the first three citations or their passages",
    "answered": "Unanswerable but answered",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """All that one run found out.

    `summaries` are by split, see `summaries_of`; `ablation` is by variant name, None when it was not asked for.
    """

    gold_name: str
    settings: Settings
    gold: Sequence[GoldQuestion]
    scores: Sequence[Score]
    summaries: Mapping[str, Summary]
    records: Mapping[str, Record] = field(default_factory=dict)
    comparison: Comparison | None = None
    ablation: Mapping[str, Summary] | None = None


def summaries_of(scores: Sequence[Score]) -> dict[str, Summary]:
    """The means by every split."""
    return {split: summarise(scores, split) for split in SPLITS}


def render_text(report: Report) -> str:
    """The report for a terminal, ending in a newline."""
    parts = [headline(report)]
    for title, table in tables(report):
        parts.append(f"{title}\n{text_table(table)}")
    return "\n\n".join(parts) + "\n"


def render_markdown(report: Report) -> str:
    """The report as a page, with the questions that went wrong at its end."""
    parts = ["# Evaluation", headline(report)]
    for title, table in tables(report):
        parts.append(f"## {title}\n\n{_markdown_table(table)}")
    for title, failures in by_failure(report):
        lines = (f"- `{score.id}` {gold.question} ({reason(score, record)})" for gold, score, record in failures)
        parts.append(f"## {title} ({len(failures)})\n\n" + "\n".join(lines))
    return "\n\n".join(parts) + "\n"


def report_json(report: Report) -> dict[str, object]:
    """The report as JSON values: summaries by language, and under `questions` every value of every question."""
    return {
        "format": REPORT_FORMAT,
        "gold": report.gold_name,
        "settings": {name: getattr(report.settings, name) for name in SETTINGS_SHOWN},
        "groups": {split: _groups_json(summary) for split, summary in report.summaries.items()},
        "questions": {identity: asdict(kept) for identity, kept in keep(report.scores).items()},
        "comparison": None if report.comparison is None else asdict(report.comparison),
        "ablation": None
        if report.ablation is None
        else {variant: _groups_json(summary) for variant, summary in report.ablation.items()},
    }


def _groups_json(summary: Summary) -> dict[str, object]:
    return {group: asdict(each) for group, each in summary.items()}


def headline(report: Report) -> str:
    """What was asked of what, in three lines."""
    answerable = sum(score.answerable for score in report.scores)
    failed = sum(score.verdict == "failed" for score in report.scores)
    settings = ", ".join(f"{name}={getattr(report.settings, name)}" for name in SETTINGS_SHOWN)
    return (
        f"{report.gold_name}: {len(report.scores)} questions, {answerable} of them answerable; {failed} failed.\n"
        f"Means in percent with 95% bootstrap intervals over questions.\n"
        f"Settings: {settings}"
    )


def tables(report: Report) -> Iterator[tuple[str, Table]]:
    """Titled tables, the most important first."""
    yield "By question language", _summary_table(report.summaries["language"])
    if report.comparison is not None:
        compared = f"{report.comparison.compared} questions in both, {report.comparison.left_out} in one only"
        verdict = "significantly worse" if report.comparison.is_worse else "not significantly worse"
        yield f"Against the baseline ({compared}): {verdict}", comparison_table(report.comparison)
    for split, summary in report.summaries.items():
        if split != "language" and len(summary) > 1:
            yield f"By {split}", _split_table(summary)
    ablation = report.ablation or {}
    for group in ("ar", "en", "all"):
        variants = {variant: summary[group] for variant, summary in ablation.items() if group in summary}
        if variants:
            yield f"What each part is worth: {group}", _ablation_table(variants)


def by_failure(report: Report) -> Iterator[tuple[str, list[tuple[GoldQuestion, Score, Record]]]]:
    """The questions to look at, by what went wrong; kinds without a question are left out."""
    triples = [
        (gold, score, report.records.get(gold.id, {})) for gold, score in zip(report.gold, report.scores, strict=True)
    ]
    for verdict, title in FAILURES.items():
        if chosen := [triple for triple in triples if triple[1].verdict == verdict]:
            yield title, chosen


def reason(score: Score, record: Record) -> str:
    """In a few words, at which step a question was lost."""
    if score.verdict == "failed":
        return str(record.get("error", "no answer"))
    confidence = f"confidence {score.confidence:.2f}"
    if score.verdict == "answered":
        return confidence
    rank = {level: score.values.get(f"{level} RR@10", 0.0) for level in LEVELS}
    found = f"evidence in passage {round(1 / rank['hits'])}" if rank["hits"] else "evidence in none of the passages"
    if score.verdict == "refused":
        return f"{confidence}; {found}"
    return f"{found}; cited as {round(1 / rank['citations'])}" if rank["citations"] else f"{found}, not cited"


def _summary_table(summary: Summary) -> Table:
    groups = list(summary.values())
    shown = [name for name in (*MEASURES, *TRUST) if any(name in each.measures for each in groups)]
    table = [["measure", *summary], ["n", *(_count(each) for each in groups)]]
    table += [[name, *(percent(each.measures.get(name)) for each in groups)] for name in shown]
    table += [[f"ms {phase} p50 / p95 / p99", *(_milliseconds(each, phase) for each in groups)] for phase in PHASES]
    table.append(["citations that are no verbatim slice", *(f"{g.wrong_quotes} of {g.quotes}" for g in groups)])
    table.append(["sentences cited twice in one answer", *(str(each.repeated_sentences) for each in groups)])
    return table


def _count(summary: GroupSummary) -> str:
    return f"{summary.questions} ({summary.answerable} answerable)"


def comparison_table(comparison: Comparison) -> Table:
    """Differences with their intervals; those beyond chance say so."""
    differences = comparison.differences
    shown = [name for name in MEASURES if any(name in each for each in differences.values())]
    rows = [[name, *(_difference(name, each.get(name)) for each in differences.values())] for name in shown]
    return [["this run minus the former", *differences], *rows]


def _difference(measure: str, found: Estimate | None) -> str:
    if found is None:
        return "-"
    change = change_of(measure, found)
    return percent(found, signed=True) + ("" if change == "same" else f" {change}")


def _split_table(summary: Summary) -> Table:
    rows = [
        [group, _count(each), *(percent(each.measures.get(name)) for name in SPLIT_MEASURES)]
        for group, each in summary.items()
    ]
    return [["group", "n", *SPLIT_MEASURES], *rows]


def _ablation_table(variants: Mapping[str, GroupSummary]) -> Table:
    rows = [
        [variant, *(percent(each.measures.get(name)) for name in ABLATION_MEASURES)]
        for variant, each in variants.items()
    ]
    return [["variant", *ABLATION_MEASURES], *rows]


def percent(found: Estimate | None, *, signed: bool = False) -> str:
    """A figure and its interval, in percent."""
    if found is None:
        return "-"
    mean, low, high = 100 * found.mean, 100 * found.low, 100 * found.high
    return f"{mean:+.1f} [{low:+.1f} {high:+.1f}]" if signed else f"{mean:.1f} [{low:.1f} {high:.1f}]"


def _milliseconds(summary: GroupSummary, phase: str) -> str:
    latency = summary.latency_ms.get(phase)
    return "-" if latency is None else f"{latency.p50:.1f} / {latency.p95:.1f} / {latency.p99:.1f}"


def text_table(table: Table) -> str:
    """Columns aligned for a terminal."""
    widths = [max(len(cell) for cell in column) for column in zip(*table, strict=True)]
    lines = []
    for first, *others in table:
        cells = [first.ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True))]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


def _markdown_table(table: Table) -> str:
    head, *rows = (f"| {' | '.join(row)} |" for row in table)
    rule = "|".join(["", " --- ", *(" ---: " for _ in table[0][1:]), ""])
    return "\n".join([head, rule, *rows])

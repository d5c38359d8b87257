"""Scores to read and to keep: tables as text or Markdown, and the JSON that a later run compares itself with."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from eval.baseline import REPORT_FORMAT, Comparison
from eval.gold import GoldQuestion
from eval.metrics import Estimate
from eval.score import GROUPS, HEADLINE, MEASURES, PHASES, GroupSummary, Score, Summary, summarise
from rag.config import Settings

Table = list[list[str]]
"""Rows of cells, the first row the head; the first column is words, the others numbers."""

SETTINGS_SHOWN = ("embedder", "revision", "passage_chars", "k", "dense", "lexical", "late", "lexicon", "balance")
"""Those that change an answer; folders and ports would only tie a report to a machine."""

ABLATION_MEASURES = tuple(name for name in MEASURES if "or passage" not in name and not name.startswith("answer"))
"""Hits, citations, and refusals because a refused question has no citations."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """All that one run found out. `ablation` is by variant name, None when it was not asked for."""

    gold_name: str
    settings: Settings
    gold: Sequence[GoldQuestion]
    scores: Sequence[Score]
    comparison: Comparison | None = None
    ablation: Mapping[str, Summary] | None = None


def render_text(report: Report) -> str:
    """The report for a terminal, ending in a newline."""
    parts = [_headline(report)]
    for title, table in _tables(report):
        parts.append(f"{title}\n{_text_table(table)}")
    return "\n\n".join(parts) + "\n"


def render_markdown(report: Report) -> str:
    """The report as a page, with the questions that went wrong at its end."""
    parts = ["# Evaluation", _headline(report)]
    for title, table in _tables(report):
        parts.append(f"## {title}\n\n{_markdown_table(table)}")
    parts += [f"## {title}\n\n{lines}" for title, lines in _failures(report)]
    return "\n\n".join(parts) + "\n"


def report_json(report: Report) -> dict[str, object]:
    """The report as JSON values: summaries by language, and under `questions` every value of every question."""
    return {
        "format": REPORT_FORMAT,
        "gold": report.gold_name,
        "settings": {name: getattr(report.settings, name) for name in SETTINGS_SHOWN},
        "groups": _groups_json(summarise(report.scores)),
        "questions": {score.id: _measured(score) for score in report.scores},
        "comparison": None if report.comparison is None else asdict(report.comparison),
        "ablation": None
        if report.ablation is None
        else {variant: _groups_json(summary) for variant, summary in report.ablation.items()},
    }


def _groups_json(summary: Summary) -> dict[str, object]:
    return {group: asdict(each) for group, each in summary.items()}


def _measured(score: Score) -> dict[str, float]:
    found = {name: measure(score) for name, measure in MEASURES.items()}
    return {name: value for name, value in found.items() if value is not None}


def _headline(report: Report) -> str:
    everything = summarise(report.scores)["all"]
    settings = ", ".join(f"{name}={getattr(report.settings, name)}" for name in SETTINGS_SHOWN)
    return (
        f"{report.gold_name}: {everything.questions} questions, {everything.answerable} of them answerable; "
        f"{everything.failed} failed.\n"
        f"Means in percent with 95% bootstrap intervals over questions.\n"
        f"Settings: {settings}"
    )


def _tables(report: Report) -> list[tuple[str, Table]]:
    tables = [("By question language", _summary_table(summarise(report.scores)))]
    if report.comparison is not None:
        compared = f"{report.comparison.compared} questions in both, {report.comparison.left_out} in one only"
        verdict = f"{HEADLINE} is significantly lower" if report.comparison.is_worse else "not significantly worse"
        tables.append((f"Against the baseline ({compared}): {verdict}", _comparison_table(report.comparison)))
    if report.ablation is not None:
        tables += [
            (f"What each part is worth: {group}", _ablation_table({v: s[group] for v, s in report.ablation.items()}))
            for group in GROUPS
        ]
    return tables


def _summary_table(summary: Summary) -> Table:
    groups = list(summary.values())
    table = [["measure", *summary], ["n", *(f"{each.questions} ({each.answerable} answerable)" for each in groups)]]
    table += [[name, *(_percent(each.measures.get(name)) for each in groups)] for name in MEASURES]
    table += [[f"ms {phase} p50 / p95", *(_milliseconds(each, phase) for each in groups)] for phase in PHASES]
    table.append(["citations that are no verbatim slice", *(f"{g.wrong_quotes} of {g.quotes}" for g in groups)])
    table.append(["sentences cited twice in one answer", *(str(each.repeated_sentences) for each in groups)])
    return table


def _comparison_table(comparison: Comparison) -> Table:
    differences = comparison.differences
    rows = [[name, *(_percent(each.get(name), signed=True) for each in differences.values())] for name in MEASURES]
    return [["this run minus the baseline", *differences], *rows]


def _ablation_table(variants: Mapping[str, GroupSummary]) -> Table:
    measured = [each.measures for each in variants.values()]
    rows = [[name, *(_bare_percent(measures.get(name)) for measures in measured)] for name in ABLATION_MEASURES]
    return [["measure", *variants], *rows]


def _percent(found: Estimate | None, *, signed: bool = False) -> str:
    if found is None:
        return "-"
    mean, low, high = 100 * found.mean, 100 * found.low, 100 * found.high
    return f"{mean:+.1f} [{low:+.1f} {high:+.1f}]" if signed else f"{mean:.1f} [{low:.1f} {high:.1f}]"


def _bare_percent(found: Estimate | None) -> str:
    return "-" if found is None else f"{100 * found.mean:.1f}"


def _milliseconds(summary: GroupSummary, phase: str) -> str:
    latency = summary.latency_ms.get(phase)
    return "-" if latency is None else f"{latency.p50:.1f} / {latency.p95:.1f}"


def _text_table(table: Table) -> str:
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


def _failures(report: Report) -> list[tuple[str, str]]:
    """The questions to look at, by what went wrong; kinds without a question are left out."""
    questions = {question.id: question.question for question in report.gold}
    kinds = {
        "Failed": [s for s in report.scores if s.failed],
        "Answerable but refused": [s for s in report.scores if s.answerable and s.refused],
        "Answered without evidence among the first three citations or their passages": [
            s
            for s in report.scores
            if s.answerable and not (s.failed or s.refused) and not any(s.citations_or_passage[:3])
        ],
        "Unanswerable but answered": [s for s in report.scores if not (s.answerable or s.refused or s.failed)],
    }
    return [
        (f"{title} ({len(scores)})", "\n".join(f"- `{s.id}` {questions[s.id]}" for s in scores))
        for title, scores in kinds.items()
        if scores
    ]

"""The report as one page that needs nothing else: summary, plots, tables, and every question that went wrong."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jinja2 import Environment, FileSystemLoader

from eval.gold import GoldQuestion
from eval.report import Report, by_failure, headline, percent, reason, tables
from eval.score import HEADLINES, TRUST, Record, Score, Summary
from eval.statistics import reliability, risk_coverage

_PLOT = 100.0
"""Width and height of a plot, in its own units; both axes run from 0 to 1."""


def render_html(report: Report) -> str:
    """The page; all text of questions, answers and articles is escaped."""
    # Escaping is on for every template, whatever its name.
    environment = Environment(loader=FileSystemLoader(Path(__file__).parent), autoescape=True, trim_blocks=True)
    scores = report.scores
    return environment.get_template("report.html.j2").render(
        title=f"Evaluation: {report.gold_name}",
        headline=headline(report).splitlines(),
        bars=list(_bars(report.summaries["language"])),
        risk=_path([(0.0, 0.0), *_risk(scores)]) if _risk(scores) else "",
        bins=_bins(scores),
        plot=_PLOT,
        tables=list(tables(report)),
        failures=[(title, [_failure(*each) for each in found]) for title, found in by_failure(report)],
    )


def _bars(summary: Summary) -> Iterator[dict[str, Any]]:
    """The headline measures by language, as lengths in percent."""
    for name in ("citations or passage Success@3", *HEADLINES, *TRUST[:1]):
        rows = [
            {"group": group, "mean": 100 * found.mean, "low": 100 * found.low, "high": 100 * found.high, "n": found.n}
            | {"text": percent(found)}
            for group, each in summary.items()
            if (found := each.measures.get(name)) is not None
        ]
        if rows:
            yield {"name": name, "rows": rows}


def _risk(scores: Sequence[Score]) -> list[tuple[float, float]]:
    return risk_coverage(
        np.array([score.confidence for score in scores]),
        np.array([score.verdict == "right" for score in scores]),
        np.array([score.quotes > 0 for score in scores]),
    )


def _bins(scores: Sequence[Score]) -> list[dict[str, float]]:
    found = reliability(
        np.array([score.confidence for score in scores]), np.array([score.answerable for score in scores])
    )
    return [
        {"x": _PLOT * each.confidence, "y": _PLOT * (1 - each.answerable), "r": 1 + 6 * (each.n / len(scores)) ** 0.5}
        | {"n": each.n, "confidence": each.confidence, "answerable": each.answerable}
        for each in found
    ]


def _path(points: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{_PLOT * x:.1f},{_PLOT * (1 - y):.1f}" for x, y in points)


def _failure(gold: GoldQuestion, score: Score, record: Record) -> dict[str, Any]:
    return {
        "id": gold.id,
        "question": gold.question,
        "history": gold.history,
        "type": gold.type,
        "reason": reason(score, record),
        "citations": record.get("citations", ()),
        "nearest": [hit["text"] for hit in record.get("hits", ())[:1]] if not record.get("citations") else [],
        "evidence": list(zip(gold.evidence, [spans[0].article_id for spans in gold.evidence_spans], strict=True)),
        "answers": gold.answers,
    }

"""Two runs of the same questions: what changed, question by question, and whether it is more than chance."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from eval.score import HEADLINES, LOWER_IS_BETTER, MEASURES, Score
from eval.statistics import Estimate, estimate
from rag.errors import UsageError

REPORT_FORMAT = 2
REPORT_NAME = "report.json"

Change = Literal["better", "worse", "same"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What `report.json` keeps of one question."""

    language: str
    verdict: str
    values: Mapping[str, float]


Run = dict[str, Kept]
"""By question id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """One run minus a former one, over the questions that both have.

    `differences` are means in [-1, 1] with paired bootstrap intervals, by group (a language, or `all`) and measure.
    `changes` are the questions whose verdict is right in one run alone. `left_out` counts the questions that only one
    of the runs has.
    """

    compared: int
    left_out: int
    differences: dict[str, dict[str, Estimate]]
    changes: dict[str, Change]

    @property
    def is_worse(self) -> bool:
        """Whether a headline measure is significantly worse, in a language or over all."""
        return any(
            change_of(name, found[name]) == "worse"
            for found in self.differences.values()
            for name in HEADLINES
            if name in found
        )


def change_of(measure: str, difference: Estimate) -> Change:
    """What a difference means: the same, unless its interval leaves out zero."""
    if difference.low <= 0 <= difference.high:
        return "same"
    return "better" if (difference.mean > 0) != (measure in LOWER_IS_BETTER) else "worse"


def keep(scores: Sequence[Score]) -> Run:
    """What a comparison needs of a run."""
    return {each.id: Kept(language=each.language, verdict=each.verdict, values=each.values) for each in scores}


def load_report(path: Path) -> dict[str, Any]:
    """A former `report.json`, or the one in a folder.

    Raises:
        UsageError: the file cannot be read or is no report of this format.
    """
    path = path / REPORT_NAME if path.is_dir() else path
    try:
        report = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"{path}: cannot be read ({error.strerror}); give a report.json of `sanad eval`") from error
    except ValueError as error:
        raise UsageError(f"{path}: not JSON ({error}); give a report.json of `sanad eval`") from error
    if not isinstance(report, dict) or report.get("format") != REPORT_FORMAT or not _is_run(report.get("questions")):
        raise UsageError(f"{path}: not a report of format {REPORT_FORMAT}; make one with `sanad eval`")
    return report


def run_of(report: Mapping[str, Any]) -> Run:
    """The questions of a report."""
    return {identity: Kept(**row) for identity, row in report["questions"].items()}


def _is_run(questions: object) -> bool:
    return isinstance(questions, dict) and all(
        isinstance(row, dict)
        and row.keys() == {"language", "verdict", "values"}
        and isinstance(row["values"], dict)
        and all(isinstance(value, int | float) for value in row["values"].values())
        for row in questions.values()
    )


def compare(now: Run, former: Run) -> Comparison:
    """Differences of every measure on the questions of both runs.

    Raises:
        UsageError: no question is in both.
    """
    both = [identity for identity in now if identity in former]
    if not both:
        raise UsageError("the two runs have no question in common; compare runs of the same gold file")
    groups = {group: [each for each in both if now[each].language == group] for group in ("ar", "en")}
    return Comparison(
        compared=len(both),
        left_out=len(now) + len(former) - 2 * len(both),
        differences={
            group: _differences([(now[each].values, former[each].values) for each in members])
            for group, members in (groups | {"all": both}).items()
            if members
        },
        changes={each: _change(now[each], former[each]) for each in both},
    )


def _differences(rows: Sequence[tuple[Mapping[str, float], Mapping[str, float]]]) -> dict[str, Estimate]:
    found = {
        name: estimate([now[name] - former[name] for now, former in rows if name in now and name in former])
        for name in MEASURES
    }
    return {name: each for name, each in found.items() if each is not None}


def _change(now: Kept, former: Kept) -> Change:
    if (now.verdict == "right") == (former.verdict == "right"):
        return "same"
    return "better" if now.verdict == "right" else "worse"

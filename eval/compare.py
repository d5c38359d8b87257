"""This run against a former one, question by question: what changed, and whether it is worse beyond chance."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from eval.metrics import Estimate, estimate
from eval.score import GROUPS, HEADLINE, MEASURES, Group, Score, values
from rag.errors import UsageError

REPORT_FORMAT = 1

Former = dict[str, dict[str, float]]
"""Question id to measure to value, as `report.json` keeps them under `questions`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """This run minus the former one, over the questions that both have.

    `differences` are means in [-1, 1] with paired bootstrap intervals, by group and measure. `left_out` counts the
    questions that only one of the runs has.
    """

    compared: int
    left_out: int
    differences: dict[Group, dict[str, Estimate]]

    @property
    def is_worse(self) -> bool:
        """Whether the headline measure is significantly lower, in a language or over all."""
        headline = (found[HEADLINE] for found in self.differences.values() if HEADLINE in found)
        return any(difference.high < 0 for difference in headline)


def load_former(path: Path) -> Former:
    """The per-question values of a former `report.json`.

    Raises:
        UsageError: the file cannot be read or is no report of this format.
    """
    try:
        report = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"--baseline {path}: cannot be read ({error.strerror}); give a report.json") from error
    except ValueError as error:
        raise UsageError(f"--baseline {path}: not JSON ({error}); give a report.json of `sanad eval`") from error
    if not isinstance(report, dict) or report.get("format") != REPORT_FORMAT or not _is_former(report.get("questions")):
        raise UsageError(f"--baseline {path}: not a report of format {REPORT_FORMAT}; make one with `sanad eval`")
    return dict(report["questions"])


def _is_former(questions: object) -> bool:
    return isinstance(questions, dict) and all(
        isinstance(measures, dict) and all(isinstance(value, int | float) for value in measures.values())
        for measures in questions.values()
    )


def compare(scores: Sequence[Score], former: Former) -> Comparison:
    """Differences of every measure on the questions of both runs.

    Raises:
        UsageError: no question is in both.
    """
    both = [score for score in scores if score.id in former]
    if not both:
        raise UsageError("--baseline: it has none of these gold questions; compare runs of the same gold file")
    differences: dict[Group, dict[str, Estimate]] = {}
    for group in GROUPS:
        members = [score for score in both if group in (score.language, "all")]
        found = {measure: estimate(_differences(members, former, measure)) for measure in MEASURES}
        differences[group] = {measure: each for measure, each in found.items() if each is not None}
    return Comparison(
        compared=len(both),
        left_out=len(scores) + len(former) - 2 * len(both),
        differences=differences,
    )


def _differences(scores: Sequence[Score], former: Former, measure: str) -> list[float]:
    now = values(scores, measure)
    return [value - former[identity][measure] for identity, value in now.items() if measure in former[identity]]

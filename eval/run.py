"""`sanad eval`: ask every gold question, score the answers, print the report and keep it."""

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from eval.ablation import ablate
from eval.baseline import compare, load_former
from eval.gold import DEFAULT_GOLD, GoldQuestion, load_gold
from eval.report import Report, render_markdown, render_text, report_json
from eval.score import Score, Summary, judge, summarise
from rag.config import Settings
from rag.datatypes import Answer, Article, Question
from rag.errors import RagError, UsageError
from rag.pipeline import Pipeline
from rag.present.json import answer_to_json

DEFAULT_OUT = Path("eval") / "out"
_PROGRESS_EVERY = 20

Outcome = Answer | RagError
"""What came of a question: a failure is an outcome, so that one question cannot end a run."""


class Asked(Protocol):
    """What is measured: anything that answers questions over articles."""

    @property
    def articles(self) -> Mapping[str, Article]:
        """The articles by id."""
        ...

    def ask(self, question: Question) -> Answer:
        """The answer to one question."""
        ...


def run_eval(
    settings: Settings,
    gold_path: Path | None = None,
    out_dir: Path | None = None,
    baseline: Path | None = None,
    *,
    with_ablation: bool = False,
) -> int:
    """Measure the system on gold questions; the tables go to stdout, progress to stderr.

    Writes `run.jsonl` (an answer a line, in the contract's JSON), `report.json` and `report.md` to `out_dir`.

    Args:
        settings: what to open.
        gold_path: JSONL of gold questions; None is the project's own test set.
        out_dir: made if it is not there; None is `eval/out`.
        baseline: a former `report.json` to compare with.
        with_ablation: also measure with parts of the retrieval switched off, which takes several times as long.

    Returns:
        0, or 1 if a question failed, a citation is no verbatim slice, or the run is significantly worse than the
        baseline.

    Raises:
        UsageError: a gold file or baseline that cannot be used, or a folder that cannot be written.
    """
    gold_path, out_dir = gold_path or DEFAULT_GOLD, out_dir or DEFAULT_OUT
    former = load_former(baseline) if baseline else None
    _make_folder(out_dir)  # before the questions: better to fail in the first second than after minutes
    pipeline = Pipeline.open(settings)
    gold = load_gold(gold_path, pipeline.articles)
    outcomes = _ask_all(pipeline, gold, "asking")
    scores = _judge_all(gold, outcomes, pipeline.articles)

    def measure(name: str, variant: Settings) -> Summary:
        asked = Pipeline.open(variant)
        return summarise(_judge_all(gold, _ask_all(asked, gold, name), asked.articles))

    comparison = compare(scores, former) if former is not None else None
    report = Report(
        gold_name=gold_path.name,
        settings=settings,
        gold=gold,
        scores=scores,
        comparison=comparison,
        ablation=ablate(settings, measure) if with_ablation else None,
    )
    sys.stdout.write(render_text(report))
    _write(out_dir, report, [_outcome_json(*pair, pipeline.articles) for pair in zip(gold, outcomes, strict=True)])
    faulty = any(score.failed or score.wrong_quotes for score in scores)
    return 1 if faulty or (comparison is not None and comparison.is_worse) else 0


def _ask_all(pipeline: Asked, gold: Sequence[GoldQuestion], label: str) -> list[Outcome]:
    # One at a time, not as a batch: the times reported are those of a reader who asks one question.
    outcomes: list[Outcome] = []
    for number, question in enumerate(gold, start=1):
        outcomes.append(_ask(pipeline, question))
        if number % _PROGRESS_EVERY == 0 or number == len(gold):
            _progress(f"{label}: {number} of {len(gold)} questions")
    return outcomes


def _ask(pipeline: Asked, question: GoldQuestion) -> Outcome:
    try:
        return pipeline.ask(Question(text=question.question, id=question.id, history=question.history))
    except RagError as error:
        _progress(f"{question.id}: {error}")
        return error


def _judge_all(
    gold: Sequence[GoldQuestion], outcomes: Sequence[Outcome], articles: Mapping[str, Article]
) -> list[Score]:
    return [
        judge(question, outcome if isinstance(outcome, Answer) else None, articles)
        for question, outcome in zip(gold, outcomes, strict=True)
    ]


def _make_folder(out_dir: Path) -> None:
    try:
        out_dir.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unwritable(out_dir, error) from error


def _unwritable(out_dir: Path, error: OSError) -> UsageError:
    return UsageError(f"--out {out_dir}: cannot be written ({error.strerror}); choose another folder")


def _write(out_dir: Path, report: Report, answers: Sequence[Mapping[str, object]]) -> None:
    texts = {
        "run.jsonl": "".join(json.dumps(answer, ensure_ascii=False) + "\n" for answer in answers),
        "report.json": json.dumps(report_json(report), ensure_ascii=False, indent=1) + "\n",
        "report.md": render_markdown(report),
    }
    try:
        for name, text in texts.items():
            (out_dir / name).write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise _unwritable(out_dir, error) from error
    _progress(f"wrote {', '.join(texts)} to {out_dir}")


def _outcome_json(question: GoldQuestion, outcome: Outcome, articles: Mapping[str, Article]) -> Mapping[str, object]:
    if isinstance(outcome, Answer):
        return answer_to_json(outcome, articles)
    return {"id": question.id, "question": question.question, "error": str(outcome)}


def _progress(line: str) -> None:
    sys.stderr.write(line + "\n")

"""`sanad eval`: ask every gold question, score the answers, keep the report; compare two runs; check a gold file."""

import json
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from eval.ablation import ablate
from eval.answering import RUN_NAME, Asked, answer_all, answer_into, identity_of, read_run
from eval.compare import REPORT_NAME, compare, keep, load_report, run_of
from eval.corpus import Corpus
from eval.formats import Collection
from eval.gold import DEFAULT_GOLD, GoldError, GoldQuestion, load_gold, repeated
from eval.html import render_html
from eval.ranking import trec_qrels, trec_run
from eval.report import (
    SETTINGS_SHOWN,
    Report,
    comparison_table,
    render_markdown,
    render_text,
    report_json,
    summaries_of,
    text_table,
)
from eval.score import Record, Summary, judge, rankings, summarise
from rag.articles import load_articles
from rag.config import EVAL_OUT, Settings, default_paths
from rag.datatypes import Article
from rag.errors import IndexMissing, UsageError
from rag.manifest import read_manifest
from rag.pipeline import Pipeline

_EXTERNAL_K = 50
"""Passages listed over a collection's own documents: ten documents must be among them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What to measure and where to keep it.

    `gold` is a JSONL file, None the project's own test set; `collection` takes its place with questions and documents
    of its own. `baseline` is a former report to compare with. `ablation` measures variants of the system too.
    """

    gold: Path | None = None
    collection: Collection | None = None
    out: Path = EVAL_OUT
    baseline: Path | None = None
    ablation: bool = False


def run_eval(settings: Settings, options: Options) -> int:
    """Measure the system; the tables go to stdout, progress to stderr, and everything to the folder `out`.

    There are `run.jsonl` (an answer a line, in the contract's JSON), `report.json`, `report.md`, `report.html`, and
    TREC's run and qrels files by article, passage and citation. A run that was killed goes on where it was.

    Returns:
        0, or 1 if a question failed, a citation is no verbatim slice, or the run is significantly worse than the
        baseline.

    Raises:
        UsageError: a gold file or baseline that cannot be used, or a folder that cannot be written.
    """
    former = run_of(load_report(options.baseline)) if options.baseline else None
    with _searched(settings, options.collection) as chosen:
        pipeline = Pipeline.open(chosen)
        gold, name = _gold(options, pipeline.articles)
        shown = {name: getattr(chosen, name) for name in SETTINGS_SHOWN}
        try:
            options.out.mkdir(parents=True, exist_ok=True)
            records = answer_into(pipeline, gold, options.out, identity_of(pipeline, gold, shown))
        except OSError as error:
            raise _unwritable(options.out, error) from error
        corpus = Corpus(pipeline.articles, pipeline.passages)
        scores = judge(gold, records, corpus)
        report = Report(
            gold_name=name,
            settings=chosen,
            gold=gold,
            scores=scores,
            summaries=summaries_of(scores),
            records=records,
            comparison=None if former is None else compare(keep(scores), former),
            ablation=_ablation(chosen, gold) if options.ablation else None,
        )
    sys.stdout.write(render_text(report))
    _write(options.out, report, corpus)
    faulty = any(score.verdict == "failed" or score.wrong_quotes for score in scores)
    return 1 if faulty or (report.comparison is not None and report.comparison.is_worse) else 0


def _gold(options: Options, articles: Mapping[str, Article]) -> tuple[list[GoldQuestion], str]:
    if options.collection is not None:
        return options.collection.questions(articles), options.collection.name
    path = options.gold or DEFAULT_GOLD
    return load_gold(path, articles), path.name


@contextmanager
def _searched(settings: Settings, collection: Collection | None) -> Iterator[Settings]:
    """The settings to open: for a collection, those of an index over its documents that is thrown away."""
    if collection is None:
        yield settings
        return
    with tempfile.TemporaryDirectory(prefix="sanad-eval-") as folder:
        articles = Path(folder) / "articles"
        articles.mkdir()
        collection.write(articles)
        yield replace(settings, index_dir=Path(folder) / "index", paths=(articles,), k=max(settings.k, _EXTERNAL_K))


def _ablation(settings: Settings, gold: Sequence[GoldQuestion]) -> dict[str, Summary]:
    with tempfile.TemporaryDirectory(prefix="sanad-ablation-") as folder:

        def measure(name: str, variant: Settings) -> Summary:
            if variant.passage_chars != settings.passage_chars:  # other passages, so an index of its own
                paths = settings.paths or _indexed_paths(settings)
                variant = replace(variant, paths=paths, index_dir=Path(folder) / name)
            asked = Pipeline.open(variant)
            return _measured(asked, gold, name)

        return ablate(settings, measure)


def _indexed_paths(settings: Settings) -> tuple[Path, ...]:
    """Where the articles of the index are; the usual place if there is no index, or it was built from there."""
    try:
        return tuple(map(Path, read_manifest(settings.index_dir).paths)) or default_paths()
    except IndexMissing:
        return default_paths()


def _measured(asked: Asked, gold: Sequence[GoldQuestion], name: str) -> Summary:
    return summarise(judge(gold, answer_all(asked, gold, name), Corpus(asked.articles, asked.passages)))


def _unwritable(out_dir: Path, error: OSError) -> UsageError:
    return UsageError(f"--out {out_dir}: cannot be written ({error.strerror}); choose another folder")


def _write(out_dir: Path, report: Report, corpus: Corpus) -> None:
    texts = {
        REPORT_NAME: json.dumps(report_json(report), ensure_ascii=False, indent=1) + "\n",
        "report.md": render_markdown(report),
        "report.html": render_html(report),
    }
    for level, found in rankings(report.gold, report.records, corpus).items():
        texts |= {f"{level}.run": trec_run(found, "sanad"), f"{level}.qrels": trec_qrels(found)}
    try:
        for name, text in texts.items():
            (out_dir / name).write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise _unwritable(out_dir, error) from error
    sys.stderr.write(f"wrote {RUN_NAME}, {', '.join(texts)} to {out_dir}\n")


def run_compare(former: Path, now: Path) -> int:
    """Print how the run in folder `now` differs from that in `former`; 1 if it is significantly worse, else 0.

    Raises:
        UsageError: a folder without a report, or two runs without a common question.
    """
    reports = [load_report(path) for path in (former, now)]
    comparison = compare(run_of(reports[1]), run_of(reports[0]))
    answers = [_answers(path) for path in (former, now)]
    sys.stdout.write(
        f"{now} against {former}: {comparison.compared} questions in both, {comparison.left_out} in one only; "
        f"{'significantly worse' if comparison.is_worse else 'not significantly worse'}\n\n"
        f"{text_table(comparison_table(comparison))}\n"
    )
    for change in ("better", "worse"):
        changed = [identity for identity, kind in comparison.changes.items() if kind == change]
        sys.stdout.write(f"\n{change}: {len(changed)}\n")
        for identity in changed:
            before, after = (found.get(identity, {}) for found in answers)
            sys.stdout.write(f"\n{identity}  {after.get('question', '')}\n- {_told(before)}\n+ {_told(after)}\n")
    same = sum(kind == "same" for kind in comparison.changes.values())
    sys.stdout.write(f"\nsame: {same}\n")
    return 1 if comparison.is_worse else 0


def _answers(path: Path) -> dict[str, Record]:
    """The answers beside a report, if they are there: a report alone still compares."""
    run = (path if path.is_dir() else path.parent) / RUN_NAME
    try:
        return read_run(run)
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, KeyError) as error:
        raise UsageError(f"{run}: cannot be read as a run ({error}); make it anew with `sanad eval`") from error


def _told(record: Record) -> str:
    """An answer in a line: its first quotes, or what stood in their place."""
    if "error" in record:
        return f"error: {record['error']}"
    quotes = [" ".join(citation["quote"].split()) for citation in record.get("citations", ())]
    return " | ".join(quotes[:3]) or f"no evidence (confidence {record.get('confidence', 0.0):.2f})"


def run_check(settings: Settings, path: Path) -> int:
    """Prove a gold file against the articles and say what it holds; opens no model.

    Raises:
        GoldError: all that is wrong with it, a line each.
    """
    paths = settings.paths or _indexed_paths(settings)
    gold = load_gold(path, {article.id: article for article in load_articles(paths, [])})
    if doubles := repeated(gold):
        raise GoldError(tuple(f"{path}: {line}" for line in doubles))
    answerable = sum(question.answerable for question in gold)
    pairs = sum(question.pair is not None for question in gold) // 2
    followups = sum(bool(question.history) for question in gold)
    sys.stdout.write(
        f"{path}: {len(gold)} questions, nothing malformed; {answerable} answerable, {pairs} in both languages, "
        f"{followups} follow-ups\n"
    )
    return 0

"""How fast Sanad is on this machine: `python -m eval.bench`. Bounded to a minute or two.

Our retrieval is also timed against the least that dense retrieval can cost: the same embedder, one numpy matrix
product and a sort. Both take the same questions in turn, so that a busy machine slows both.
"""

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import TypeVar

import numpy as np

from eval.gold import DEFAULT_GOLD, load_gold
from eval.statistics import percentile
from rag.build import Index, build_index, open_index
from rag.config import Settings, load_settings
from rag.datatypes import Passage, Question, Timings
from rag.embedders import open_embedder
from rag.errors import RagError
from rag.pipeline import Pipeline
from rag.protocols import Embedder

K = 10
BATCH = 32
WARM_UP = 3
COLD_TIMEOUT_S = 120
_ANSWERED_OR_REFUSED = (0, 3)

Result = TypeVar("Result")


class BruteForceSearch:
    """The named alternative: every passage's inner product with the question, sorted. Quality is no aim."""

    def __init__(self, index: Index, embedder: Embedder) -> None:
        self._passages: Sequence[Passage] = index.store.passages
        self._vectors = index.store.passage_vectors(range(len(self._passages)))
        self._embedder = embedder

    def search(self, text: str, k: int) -> list[Passage]:
        """The `k` passages nearest to `text`, best first."""
        scores = self._vectors @ self._embedder.embed_queries([text]).vectors[0]
        return [self._passages[row] for row in np.argsort(-scores, kind="stable")[:k]]


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; the exit status is 0, or that of the error."""
    parser = argparse.ArgumentParser(prog="python -m eval.bench", description="How fast Sanad is on this machine.")
    parser.add_argument("--gold", type=Path, default=DEFAULT_GOLD, help="the gold file whose questions are asked")
    parser.add_argument("--index", type=Path, help="the index folder")
    parser.add_argument("--seconds", type=float, default=20.0, help="the longest that one measurement may ask")
    parser.add_argument("--cold-starts", type=int, default=3, help="how often to start `sanad ask` afresh")
    chosen = parser.parse_args(arguments)
    try:
        settings = load_settings({"index": chosen.index})
        for name, result in bench(settings, chosen.gold, seconds=chosen.seconds, cold_starts=chosen.cold_starts):
            sys.stdout.write(f"{name:<58}{result}\n")
            sys.stdout.flush()
    except RagError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_status
    return 0


def bench(settings: Settings, gold_path: Path, *, seconds: float, cold_starts: int) -> Iterator[tuple[str, str]]:
    """What was measured and the result, each as soon as it is known.

    Raises:
        RagError: the pipeline cannot be opened, the gold file read, or `sanad ask` started.
    """
    pipeline, opening_s = timed(lambda: Pipeline.open(settings))
    yield "open model and index, imports not counted", f"{opening_s:.2f} s"
    texts = [question.question for question in load_gold(gold_path, pipeline.articles)]
    yield from _asking(pipeline, texts, seconds)
    embedder = open_embedder(settings)
    yield from _retrieving(pipeline, BruteForceSearch(open_index(settings, embedder), embedder), texts, seconds)
    yield _building(settings, embedder)
    if cold_starts:
        starts = [timed(lambda: _ask_cold(settings, texts[0]))[1] for _ in range(cold_starts)]
        yield f"`sanad ask` from a cold start, median of {cold_starts}", f"{percentile(starts, 50):.2f} s"


def timed(work: Callable[[], Result]) -> tuple[Result, float]:
    """What `work` returns, and the seconds it took."""
    started = perf_counter()
    result = work()
    return result, perf_counter() - started


def within(texts: Sequence[str], seconds: float) -> Iterator[str]:
    """The texts in order until they are out or the time is up; at least one."""
    started = perf_counter()
    for text in texts:
        yield text
        if perf_counter() - started > seconds:
            return


def _asking(pipeline: Pipeline, texts: Sequence[str], seconds: float) -> Iterator[tuple[str, str]]:
    for text in texts[:WARM_UP]:
        pipeline.ask(Question(text=text))
    answers, spent_s = timed(lambda: [pipeline.ask(Question(text=text)) for text in within(texts, seconds)])
    for phase, ms in _phases([answer.timings for answer in answers]).items():
        yield f"ask one by one, {len(answers)} questions: {phase}", _p50_p95(ms)
    yield "ask one by one: throughput", f"{len(answers) / spent_s:.1f} questions/s"
    batch = [Question(text=text) for text in texts[:BATCH]]
    _, spent_s = timed(lambda: pipeline.ask_batch(batch))
    yield f"ask as a batch of {len(batch)}: throughput", f"{len(batch) / spent_s:.1f} questions/s"


def _phases(timings: Sequence[Timings]) -> Mapping[str, list[float]]:
    return {
        "embed": [each.embed for each in timings],
        "search": [each.search for each in timings],
        "read": [each.read for each in timings],
        "total": [each.total for each in timings],
    }


def _retrieving(
    pipeline: Pipeline, alternative: BruteForceSearch, texts: Sequence[str], seconds: float
) -> Iterator[tuple[str, str]]:
    ours, theirs = [], []
    for text in within(texts, seconds):
        ours.append(1000 * timed(partial(pipeline.search, text, K))[1])
        theirs.append(1000 * timed(partial(alternative.search, text, K))[1])
    yield f"search, top {K}: ours (hybrid, both languages)", _p50_p95(ours)
    yield f"search, top {K}: numpy brute force, same embedder", _p50_p95(theirs)
    yield "search: ours / numpy brute force, at p50", f"{percentile(ours, 50) / percentile(theirs, 50):.2f} times"


def _building(settings: Settings, embedder: Embedder) -> tuple[str, str]:
    with tempfile.TemporaryDirectory() as folder:
        report = build_index(replace(settings, index_dir=Path(folder)), embedder)
    passages = report.counts["passages"]
    per_passage = 1000 * report.duration_s / passages
    return f"build the index, {passages} passages", f"{report.duration_s:.2f} s, {per_passage:.1f} ms a passage"


def _ask_cold(settings: Settings, text: str) -> None:
    command = [sys.executable, "-m", "rag", "ask", "--json", "--index", str(settings.index_dir), "--", text]
    try:
        done = subprocess.run(command, capture_output=True, check=False, timeout=COLD_TIMEOUT_S)
    except subprocess.TimeoutExpired as error:
        raise RagError(f"`sanad ask` took more than {COLD_TIMEOUT_S} s") from error
    if done.returncode not in _ANSWERED_OR_REFUSED:
        last = done.stderr.decode("utf-8", "replace").strip().rpartition("\n")[2]
        raise RagError(f"`sanad ask` failed with exit status {done.returncode}: {last}")


def _p50_p95(ms: Sequence[float]) -> str:
    return f"{percentile(ms, 50):.1f} / {percentile(ms, 95):.1f} ms at p50 / p95"


if __name__ == "__main__":
    sys.exit(main())

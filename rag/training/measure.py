"""Step 8, evaluation: a model folder on the development sets, which never train.

Question to passage: nDCG@10, RR@10, R@1 for each direction of language; the model's vectors alone, BM25 alone, and
all legs of the retriever together. Sentence matching: accuracy both ways. Then speed and size.
"""

import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rag.build import Index, build_index, read_index
from rag.config import Settings
from rag.embedders import SentenceTransformerEmbedder, open_embedder
from rag.pipeline import Pipeline
from rag.protocols import Embedder
from rag.training.corpus import LANGUAGES, read_lines, read_rows, squad_paragraphs, trains

Matrix = NDArray[np.float32]
Figures = Iterator[tuple[str, dict[str, float]]]
"""What was measured, as set and leg, with its measures."""
_K = 10
_CUTS = (256, 128)
"""Matryoshka sizes (Kusupati et al. 2022): what is left of the quality in so many dimensions."""
_BITEXT = ("flores101-devtest", "tico19-test", "tatoeba1000")
_SPEED_TEXTS, _SPEED_ROUNDS = 64, 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Questions over passages; `own[i]` is the passage that answers question i."""

    name: str
    questions: list[str]
    passages: list[str]
    own: list[int]


def _squad(path: Path, name: str) -> Asked:
    rows: dict[str, int] = {}
    questions: list[str] = []
    own: list[int] = []
    for context, asked in squad_paragraphs(path):
        questions += asked
        own += [rows.setdefault(context, len(rows))] * len(asked)
    return Asked(name=name, questions=questions, passages=list(rows), own=own)


def _bilingual(folder: Path) -> list[tuple[dict[str, Any], list[tuple[dict[str, Any], int]]]]:
    """Our odd passages: (texts by language, its questions) one by one."""
    found: list[tuple[dict[str, Any], list[tuple[dict[str, Any], int]]]] = []
    for path in [*sorted(folder.glob("qa_*.jsonl")), folder / "hard_E.jsonl"]:
        for row in read_rows(path):
            if trains(row["id"]):
                continue
            texts = row.get("passages") or [{language: row[f"passage_{language}"] for language in LANGUAGES}]
            for at, text in enumerate(texts):
                found.append((text, [(asked, at) for asked in row["questions"] if asked.get("passage", at) == at]))
    return found


def question_sets(sets: Path) -> Iterator[Asked]:
    """ARCD and TyDi QA (ar>ar), and our passages of odd number in all four directions; same passages in a row."""
    yield _squad(sets / "dev" / "arcd.json", "ARCD ar>ar")
    yield _squad(sets / "dev" / "tydiqa-goldp-ar-dev.json", "TyDi ar>ar")
    passages = _bilingual(sets / "ours")
    own = [row for row, (_, questions) in enumerate(passages) for _ in questions]
    for told_in in LANGUAGES:
        for asked_in in LANGUAGES:
            yield Asked(
                name=f"ours {asked_in}>{told_in}",
                questions=[asked[f"q_{asked_in}"] for _, questions in passages for asked, _ in questions],
                passages=[text[told_in] for text, _ in passages],
                own=own,
            )


def ranks(scores: Matrix, own: Sequence[int]) -> NDArray[np.int64]:
    """Rank from 1 of each question's own passage in its row of `scores` (questions, passages)."""
    gold = scores[np.arange(len(own)), own]
    return 1 + np.asarray((scores > gold[:, None]).sum(axis=1), dtype=np.int64)


def measures(found: NDArray[np.int64]) -> dict[str, float]:
    """Percentages from the ranks of the one right passage; beyond ten counts as nothing."""
    within = found <= _K
    return {
        "nDCG@10": 100 * float(np.mean(within / np.log2(found + 1))),
        "RR@10": 100 * float(np.mean(within / found)),
        "R@1": 100 * float(np.mean(found == 1)),
    }


def dense(embedder: Embedder, asked: Asked, passages: Matrix) -> Figures:
    """The model's own vectors, `passages` (n, d) of whole ones, and nothing else; and their first dimensions alone."""
    questions = embedder.embed_queries(asked.questions).vectors
    yield f"{asked.name} dense", measures(ranks(questions @ passages.T, asked.own))
    for size in _CUTS:
        if size < questions.shape[1]:
            scores = _cut(questions, size) @ _cut(passages, size).T
            yield f"{asked.name} dense, first {size}", measures(ranks(scores, asked.own))


def _cut(vectors: Matrix, size: int) -> Matrix:
    short = vectors[:, :size]
    return np.asarray(short / np.linalg.norm(short, axis=1, keepdims=True), dtype=np.float32)


def fused(embedder: Embedder, name: str, asked_sets: Sequence[Asked]) -> Figures:
    """BM25 alone and the whole retriever, over one index of the passages that all of `asked_sets` ask of."""
    with tempfile.TemporaryDirectory() as folder:
        articles = Path(folder) / "articles"
        articles.mkdir()
        for row, passage in enumerate(asked_sets[0].passages):
            (articles / f"p{row:05d}.txt").write_text(passage, encoding="utf-8")
        settings = Settings(index_dir=Path(folder) / "index", paths=(articles,), embedder=name)
        build_index(settings, embedder)
        index = read_index(settings, embedder)
        legs = {"BM25": replace(settings, dense=False, late=False, lexicon=False), "fused": settings}
        for asked in asked_sets:
            for leg, chosen in legs.items():
                yield f"{asked.name} {leg}", _searched(index, embedder, chosen, asked)


def _searched(index: Index, embedder: Embedder, settings: Settings, asked: Asked) -> dict[str, float]:
    pipeline = Pipeline.over(index, embedder, settings)
    found = []
    for question, own in zip(asked.questions, asked.own, strict=True):
        # Long paragraphs are several passages: an article counts where its first one stands.
        order = dict.fromkeys(hit.passage.article_id for hit in pipeline.search(question, 3 * _K))
        names = list(order)
        wanted = f"p{own:05d}"
        found.append(names.index(wanted) + 1 if wanted in order else _K + 1)
    return measures(np.array(found))


def bitext(embedder: Embedder, sets: Path) -> Figures:
    """Share of sentences whose translation is the nearest of all, both ways."""
    for name in _BITEXT:
        english, arabic = (
            embedder.embed_passages(list(read_lines(sets / "dev" / f"{name}.{side}.txt"))).vectors
            for side in ("eng", "ara")
        )
        own = np.arange(len(english))
        ways = {"en>ar": english @ arabic.T, "ar>en": arabic @ english.T}
        yield f"{name} R@1", {way: 100 * float(np.mean(scores.argmax(axis=1) == own)) for way, scores in ways.items()}


def speed(embedder: Embedder, texts: Sequence[str]) -> float:
    """Milliseconds to embed one question, the median over some; one at a time, on one core."""
    taken = []
    for _ in range(_SPEED_ROUNDS):
        for text in texts[:_SPEED_TEXTS]:
            started = time.perf_counter()
            embedder.embed_queries([text])
            taken.append(time.perf_counter() - started)
    return 1000 * float(np.median(taken))


def evaluate(name: str, sets: Path, *, whole: bool) -> Figures:
    """All figures of the model `name`, set by set as they are found.

    `whole` adds BM25 and the retriever, which take a quarter of an hour on two cores.
    """
    embedder = SentenceTransformerEmbedder(name)
    for _, together in groupby(question_sets(sets), key=attrgetter("passages")):
        asked_sets = list(together)
        passages = embedder.embed_passages(asked_sets[0].passages).vectors
        for asked in asked_sets:
            yield from dense(embedder, asked, passages)
        if whole:
            yield from fused(embedder, name, asked_sets)
    yield from bitext(embedder, sets)
    english = asked_sets[-1].questions
    folder = Path(name)
    files = [file for file in folder.rglob("*") if file.is_file()] if folder.is_dir() else []
    yield (
        "cost",
        {
            "ms a question, sentence-transformers": speed(embedder, english),
            "ms a question, as the project does": speed(open_embedder(Settings(embedder=name)), english),
            "MB on disk": sum(file.stat().st_size for file in files) / 1e6,
        },
    )


def render(name: str, values: dict[str, float]) -> str:
    """The figures of a set as a line."""
    return f"{name:<28}  " + "  ".join(f"{measure} {value:.1f}" for measure, value in values.items())

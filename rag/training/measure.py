"""Step 7, evaluation: a model folder on the development sets, which never train.

Question to passage: nDCG@10, RR@10, R@1 for each direction of language; the model's vectors alone, BM25 alone, and
all legs of the retriever together. Sentence matching: accuracy both ways. Then speed and size.
"""

import json
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rag.build import Index, build_index, read_index
from rag.config import Settings
from rag.embedders import SentenceTransformerEmbedder, open_embedder
from rag.pipeline import Pipeline
from rag.protocols import Embedder
from rag.training.corpus import LANGUAGES, trains

Matrix = NDArray[np.float32]
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
    for article in json.loads(path.read_text(encoding="utf-8"))["data"]:
        for paragraph in article["paragraphs"]:
            row = rows.setdefault(paragraph["context"], len(rows))
            questions += [question["question"] for question in paragraph["qas"]]
            own += [row] * len(paragraph["qas"])
    return Asked(name=name, questions=questions, passages=list(rows), own=own)


def _bilingual(folder: Path) -> list[tuple[dict[str, Any], list[tuple[dict[str, Any], int]]]]:
    """Our odd passages: (texts by language, its questions) one by one."""
    found: list[tuple[dict[str, Any], list[tuple[dict[str, Any], int]]]] = []
    for path in [*sorted(folder.glob("qa_*.jsonl")), folder / "hard_E.jsonl"]:
        for row in map(json.loads, path.read_text(encoding="utf-8").splitlines()):
            if trains(row["id"]):
                continue
            texts = row.get("passages") or [{language: row[f"passage_{language}"] for language in LANGUAGES}]
            for at, text in enumerate(texts):
                found.append((text, [(asked, at) for asked in row["questions"] if asked.get("passage", at) == at]))
    return found


def question_sets(sets: Path) -> Iterator[Asked]:
    """ARCD and TyDi QA (ar>ar), and our passages of odd number in all four directions."""
    yield _squad(sets / "dev" / "arcd.json", "ARCD ar>ar")
    yield _squad(sets / "dev" / "tydiqa-goldp-ar-dev.json", "TyDi ar>ar")
    passages = _bilingual(sets / "ours")
    own = [row for row, (_, questions) in enumerate(passages) for _ in questions]
    for asked_in in LANGUAGES:
        for told_in in LANGUAGES:
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


def _vectors(embedder: Embedder, texts: Sequence[str], *, questions: bool) -> Matrix:
    # By length, so that little is spent on padding.
    order = sorted(range(len(texts)), key=lambda at: len(texts[at]))
    embed = embedder.embed_queries if questions else embedder.embed_passages
    vectors = embed([texts[at] for at in order]).vectors
    back = np.empty_like(vectors)
    back[order] = vectors
    return back


def dense(embedder: Embedder, asked: Asked) -> dict[str, dict[str, float]]:
    """The model's own vectors of whole passages and nothing else; and their first dimensions alone."""
    questions = _vectors(embedder, asked.questions, questions=True)
    passages = _vectors(embedder, asked.passages, questions=False)
    whole = {"dense": measures(ranks(questions @ passages.T, asked.own))}
    cuts = {size: (_cut(questions, size), _cut(passages, size)) for size in _CUTS if size < questions.shape[1]}
    return whole | {f"dense, first {size}": measures(ranks(q @ p.T, asked.own)) for size, (q, p) in cuts.items()}


def _cut(vectors: Matrix, size: int) -> Matrix:
    short = vectors[:, :size]
    return np.asarray(short / np.linalg.norm(short, axis=1, keepdims=True), dtype=np.float32)


def fused(embedder: Embedder, name: str, asked: Asked) -> dict[str, dict[str, float]]:
    """BM25 alone and the whole retriever, over an index of the passages made for this."""
    with tempfile.TemporaryDirectory() as folder:
        articles = Path(folder) / "articles"
        articles.mkdir()
        for row, passage in enumerate(asked.passages):
            (articles / f"p{row:05d}.txt").write_text(passage, encoding="utf-8")
        settings = Settings(index_dir=Path(folder) / "index", paths=(articles,), embedder=name)
        build_index(settings, embedder)
        index = read_index(settings, embedder)
        lexical = replace(settings, dense=False, late=False, lexicon=False)
        return {
            leg: _searched(index, embedder, chosen, asked) for leg, chosen in (("BM25", lexical), ("fused", settings))
        }


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


def bitext(embedder: Embedder, sets: Path) -> Iterator[tuple[str, dict[str, float]]]:
    """Share of sentences whose translation is the nearest of all, both ways."""
    for name in _BITEXT:
        english, arabic = (
            _vectors(embedder, (sets / "dev" / f"{name}.{side}.txt").read_text("utf-8").splitlines(), questions=False)
            for side in ("eng", "ara")
        )
        own = np.arange(len(english))
        ways = {"en>ar": english @ arabic.T, "ar>en": arabic @ english.T}
        yield name, {way: 100 * float(np.mean(scores.argmax(axis=1) == own)) for way, scores in ways.items()}


def speed(embedder: Embedder, texts: Sequence[str]) -> float:
    """Milliseconds to embed one question, the median over some; one at a time, on one core."""
    taken = []
    for _ in range(_SPEED_ROUNDS):
        for text in texts[:_SPEED_TEXTS]:
            started = time.perf_counter()
            embedder.embed_queries([text])
            taken.append(time.perf_counter() - started)
    return 1000 * float(np.median(taken))


def evaluate(name: str, sets: Path, *, whole: bool) -> Iterator[tuple[str, dict[str, float]]]:
    """All figures of the model `name`, set by set as they are found.

    `whole` adds BM25 and the retriever, which take a quarter of an hour on two cores.
    """
    embedder = SentenceTransformerEmbedder(name)
    asked_sets = list(question_sets(sets))
    for asked in asked_sets:
        legs = dense(embedder, asked) | (fused(embedder, name, asked) if whole else {})
        yield from ((f"{asked.name} {leg}", values) for leg, values in legs.items())
    yield from ((f"{name} R@1", values) for name, values in bitext(embedder, sets))
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

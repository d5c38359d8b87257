"""The project's own training data, and that the support network learns from pairs."""

import json
from pathlib import Path

import numpy as np
import torch

from rag.late import DIMENSION
from rag.text import detect_language
from rag.training.corpus import LANGUAGES
from rag.training.support import Asked, Pair, Side, make_pairs, train

DATA = Path(__file__).resolve().parent.parent / "rag" / "training"


def lines(name: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in (DATA / name).read_text(encoding="utf-8").split("\n") if line]


def test_answers_stand_verbatim_in_their_passages() -> None:
    rows = lines("passages.jsonl")

    assert len({row["id"] for row in rows}) == len(rows) == 194
    for row in rows:
        assert detect_language(str(row["passage_ar"])) == "ar"
        assert detect_language(str(row["passage_en"])) == "en"
        questions, near_misses = row["questions"], row["near_misses"]
        assert isinstance(questions, list)
        assert isinstance(near_misses, list)
        assert len(questions) == len(near_misses) == 3
        for question in questions:
            for language in LANGUAGES:
                assert question[f"answer_{language}"] in str(row[f"passage_{language}"])


def test_near_misses_are_in_both_languages() -> None:
    rows = lines("near_misses.jsonl")

    assert len(rows) == 855
    assert all(detect_language(str(row["q_ar"])) == "ar" and detect_language(str(row["q_en"])) == "en" for row in rows)


def unit(rng: np.random.Generator, rows: int) -> np.ndarray:
    vectors = rng.normal(size=(rows, DIMENSION))
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), dtype=np.float32)


def side(rng: np.random.Generator, count: int) -> Side:
    """Passages of eight words; question i has three words of passage i if i is even, else three of its own."""
    passages = [unit(rng, 8) for _ in range(count)]
    questions = [words[:3] if at % 2 == 0 else unit(rng, 3) for at, words in enumerate(passages)]
    return Side(unit(rng, count), unit(rng, count), passages, questions)


def test_the_network_learns_which_passages_answer() -> None:
    rng = np.random.default_rng(0)
    sides = {"ar": side(rng, 256)}
    pairs = [Pair("ar", at, "ar", at, float(at % 2 == 0), 1.0) for at in range(256)] * 4

    network = train(sides, pairs, epochs=3)

    told = torch.ones(1, 8, dtype=torch.bool)
    asked = torch.ones(1, 3, dtype=torch.bool)
    with torch.no_grad():
        logits = [
            float(network(torch.from_numpy(q)[None], asked, torch.from_numpy(p)[None], told)[0])
            for q, p in zip(sides["ar"].question_words, sides["ar"].passage_words, strict=True)
        ]
    assert min(logits[::2]) > max(logits[1::2])


def test_each_question_meets_its_own_passage_and_two_others() -> None:
    rng = np.random.default_rng(0)
    sides = {language: side(rng, 8) for language in LANGUAGES}
    names = [f"P{at}" for at in range(8)]
    asked = [
        Asked("P3", {"ar": "متى؟", "en": "When?"}, answerable=True),
        Asked("P5", {"ar": "من؟", "en": "Who?"}, answerable=False),
    ]

    pairs = make_pairs(sides, names, asked, rng)

    assert len(pairs) == 2 * 4 * 3
    own = [pair for pair in pairs if pair.weight == 1]
    assert [(pair.passage, pair.label) for pair in own[:4]] == [(3, 1.0)] * 4
    assert [(pair.passage, pair.label) for pair in own[4:]] == [(5, 0.0)] * 4
    own_passage = {0: 3, 1: 5}
    others = [pair for pair in pairs if pair.weight < 1]
    assert all(pair.label == 0 and pair.passage != own_passage[pair.question] for pair in others)

"""Fitting: the ranking weights and the refusal model find what separates, and folds keep one fact together."""

import numpy as np
import pytest

from eval.calibrate import WRONG_REFUSALS, Example, fit_confidence, fit_ranking, folds, strong_from
from eval.gold import GoldQuestion
from rag.confidence import CONFIDENCE_FEATURES
from rag.protocols import Query, TokenVectors
from rag.scoring import FEATURES, Candidates

ROWS = 6


def question(identity: str, evidence: tuple[str, ...]) -> GoldQuestion:
    return GoldQuestion(
        id=identity,
        language="ar",
        question="كم عدد الأعضاء؟",
        history=(),
        answerable=bool(evidence),
        type="number" if evidence else "unanswerable",
        articles=(),
        evidence=evidence,
        answers=(),
        pair=None,
        evidence_spans=(),
    )


def example(seed: int) -> Example:
    """Six sentences of noise; the first answers, and only its `kind_fit` is high."""
    features = np.random.default_rng(seed).normal(size=(ROWS, len(FEATURES)))
    features[:, FEATURES.index("kind_fit")] = [1, 0, 0, 0, 0, 0]
    query = Query(
        text="كم عدد الأعضاء؟",
        language="ar",
        vector=np.zeros(2, dtype=np.float32),
        tokens=TokenVectors(vectors=np.zeros((0, 2), dtype=np.float32), spans=()),
        terms=(),
        answer_type="number",
    )
    empty = np.zeros((ROWS, 0))
    candidates = Candidates(
        sentences=(), hits=(), features=features, coverage=empty, support=empty, weights=np.zeros(0)
    )
    relevant = np.arange(ROWS) == 0
    return Example(question=question(f"q{seed}", ("ثمانون",)), query=query, candidates=candidates, relevant=relevant)


def test_ranking_weighs_what_tells_the_evidence() -> None:
    weights = fit_ranking([example(seed) for seed in range(60)])

    assert FEATURES[int(np.argmax(np.abs(weights)))] == "kind_fit"
    assert weights[FEATURES.index("kind_fit")] > 0


def test_confidence_weighs_what_tells_the_answerable() -> None:
    values = np.random.default_rng(1).normal(size=(200, len(CONFIDENCE_FEATURES)))
    column = CONFIDENCE_FEATURES.index("support")
    answered = values[:, column] > 0

    weights, intercept = fit_confidence(values, answered)

    assert CONFIDENCE_FEATURES[int(np.argmax(weights))] == "support"
    assert np.mean((values @ weights + intercept > 0) == answered) > 0.9


def test_questions_about_one_fact_share_a_fold() -> None:
    same = [question(f"a{number}", ("تشكل في أغسطس",)) for number in range(5)]
    others = [question(f"b{number}", ()) for number in range(40)]

    found = folds([*same, *others])

    assert len(set(found[:5])) == 1
    assert set(found) == set(range(10))


def test_strong_is_where_nearly_all_are_answerable() -> None:
    chances = np.linspace(1, 0.01, 100)
    answered = np.ones(100, dtype=bool)
    answered[[30, 61, 62, 63, 64]] = False
    # Of the first 61 one is not answerable, and with each of the next four one more: 5 of 65 are more than 5%.
    assert strong_from(chances, answered) == pytest.approx(chances[99])
    answered[90:] = False
    # From row 61 on: 2 of 62, 3 of 63 (4.8%), 4 of 64 are too many; then they thin out: 5 of 90 are 5.6%, never again.
    assert strong_from(chances, answered) == pytest.approx(chances[62])
    assert strong_from(chances, np.zeros(100, dtype=bool)) == 1.0


def test_the_threshold_keeps_a_margin_under_the_aim() -> None:
    assert pytest.approx(0.05) == WRONG_REFUSALS

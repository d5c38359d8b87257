import json
import logging
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rag.calibration import Calibration, LinearModel, load_calibration
from rag.confidence import CONFIDENCE_FEATURES
from rag.embedders import SentenceTransformerEmbedder
from rag.errors import ModelError
from rag.scoring import FEATURES

TABLE: dict[str, Any] = {
    "ranking": {"late": 2.0, "kind": -1.0},
    "confidence": {"dense": 4.0, "intercept": -1.0},
    "threshold": 0.5,
    "strong": 0.9,
    "embedder": "abc",
}


def save(folder: Path, table: object) -> Path:
    path = folder / "calibration.json"
    path.write_text(json.dumps(table), encoding="utf-8")
    return path


def load(path: Path, embedder: str = "abc") -> Calibration:
    return load_calibration(("kind", "late"), ("dense",), embedder, path)


def test_a_linear_model_is_a_weighted_sum() -> None:
    model = LinearModel(features=("a", "b"), weights=np.array([2.0, -1.0]), intercept=0.5)

    assert model.score(np.array([[1.0, 3.0], [0.0, 0.0]])).tolist() == [-0.5, 0.5]
    assert model.score(np.zeros((0, 2))).shape == (0,)


def test_weights_are_taken_by_name(tmp_path: Path) -> None:
    calibration = load(save(tmp_path, TABLE))

    # The row is (kind, late): 3 * -1 + 5 * 2.
    assert calibration.ranking.score(np.array([[3.0, 5.0]])).tolist() == [7.0]
    assert (calibration.threshold, calibration.strong) == (0.5, 0.9)
    assert calibration.embedder == "abc"


def test_probability_is_the_logistic_of_the_score(tmp_path: Path) -> None:
    calibration = load(save(tmp_path, TABLE))

    assert calibration.probability(np.array([0.25])) == 0.5
    assert calibration.probability(np.array([0.5])) == pytest.approx(1 / (1 + math.exp(-1)))


@pytest.mark.parametrize("value", [1e9, -1e9, 1e300])
def test_probability_stays_between_nought_and_one(tmp_path: Path, value: float) -> None:
    assert 0 < load(save(tmp_path, TABLE)).probability(np.array([value])) < 1


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"ranking": {"late": 1.0}}, "kind"),
        ({"ranking": {"late": 1.0, "kind": 1.0, "moon": 1.0}}, "moon"),
        ({"confidence": {}}, "dense"),
    ],
)
def test_weights_of_other_features_are_refused_by_name(tmp_path: Path, change: dict[str, Any], named: str) -> None:
    with pytest.raises(ModelError, match=rf"{named}.*python -m eval\.calibrate"):
        load(save(tmp_path, TABLE | change))


@pytest.mark.parametrize(
    "table",
    [
        [],
        {},
        "نص",
        TABLE | {"threshold": "high"},
        TABLE | {"ranking": 3},
        TABLE | {"ranking": {"late": "x", "kind": 1}},
    ],
)
def test_a_file_that_is_no_calibration_is_refused(tmp_path: Path, table: object) -> None:
    with pytest.raises(ModelError, match=r"python -m eval\.calibrate"):
        load(save(tmp_path, table))


def test_a_missing_or_damaged_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"python -m eval\.calibrate"):
        load(tmp_path / "none.json")
    (tmp_path / "half.json").write_bytes(b'{"ranking": \xff')
    with pytest.raises(ModelError, match=r"python -m eval\.calibrate"):
        load(tmp_path / "half.json")


def test_other_weights_serve_with_a_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = save(tmp_path, TABLE)
    load(path)
    assert not caplog.records

    with caplog.at_level(logging.WARNING):
        assert load(path, "xyz").threshold == 0.5

    assert "calibrated for other weights" in caplog.text


def test_the_projects_own_calibration_fits_the_bundled_model(
    bundled: SentenceTransformerEmbedder, caplog: pytest.LogCaptureFixture
) -> None:
    revision = str(bundled.fingerprint["revision"])
    with caplog.at_level(logging.WARNING):
        calibration = load_calibration(FEATURES, CONFIDENCE_FEATURES, revision)

    assert not caplog.records
    assert 0 < calibration.threshold < 1
    assert np.isfinite(calibration.ranking.weights).all()
    assert np.isfinite(calibration.confidence.weights).all()

"""The few fitted numbers of ranking and refusing, and the weights of the model that they were fitted on.

`python -m eval.calibrate` makes the file; LogisticModel is evaluated here without any library.
"""

import json
import logging
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rag.errors import ModelError

BUNDLED = Path(__file__).with_name("calibration.json")
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class LinearModel:
    """A weighted sum of named features; `weights` are in the order of `features`."""

    features: tuple[str, ...]
    weights: NDArray[np.float64]
    intercept: float = 0.0

    def score(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Scores of the rows of `values` (n, features), shape (n,)."""
        return np.asarray(values @ self.weights + self.intercept, dtype=np.float64)


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """`ranking` scores a sentence; `confidence`, through the logistic function, whether the best ones answer.

    Below `threshold` the answer is `no_evidence`, from `strong` on its evidence is called strong. `embedder` is the
    revision that all this was fitted with.
    """

    ranking: LinearModel
    confidence: LinearModel
    threshold: float
    strong: float
    embedder: str

    def probability(self, values: NDArray[np.float64]) -> float:
        """The chance, in (0, 1), that the citations behind one row of confidence features answer."""
        logit = float(self.confidence.score(values[None, :])[0])
        return 1 / (1 + math.exp(-max(-30.0, min(30.0, logit))))


def _model(table: Mapping[str, float], features: tuple[str, ...], path: Path) -> LinearModel:
    missing = [name for name in features if name not in table]
    unknown = [name for name in table if name not in (*features, "intercept")]
    if missing or unknown:
        raise ModelError(f"{path}: features {missing + unknown} do not fit this version; run python -m eval.calibrate")
    weights = np.array([table[name] for name in features], dtype=np.float64)
    return LinearModel(features=features, weights=weights, intercept=float(table.get("intercept", 0.0)))


def load_calibration(
    ranking_features: tuple[str, ...], confidence_features: tuple[str, ...], embedder: str, path: Path = BUNDLED
) -> Calibration:
    """The calibration at `path`. Raises ModelError if it cannot be read or was made for other features.

    With another embedder than the one it was fitted on it still serves, and the log says that refusals are
    not calibrated: an absolute floor does not travel between models.
    """
    try:
        table = json.loads(path.read_text(encoding="utf-8"))
        calibration = Calibration(
            ranking=_model(table["ranking"], ranking_features, path),
            confidence=_model(table["confidence"], confidence_features, path),
            threshold=float(table["threshold"]),
            strong=float(table["strong"]),
            embedder=str(table["embedder"]),
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelError(f"{path}: the calibration cannot be read ({error}); run python -m eval.calibrate") from error
    if calibration.embedder != embedder:
        _LOG.warning("refusals are calibrated for other weights than these; run python -m eval.calibrate")
    return calibration

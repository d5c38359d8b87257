"""Means with their uncertainty, and how far confidence can be trusted: pure functions over numbers."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

SEED = 20240601
RESAMPLES = 2000
_CURVE_RESAMPLES = 500
"""Of figures that are no means, and so cost more."""
_BINS = 10

Numbers = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A figure over `n` questions and the bounds of its 95% interval by bootstrap over questions."""

    n: int
    mean: float
    low: float
    high: float


def estimate(values: Sequence[float]) -> Estimate | None:
    """The mean and its percentile bootstrap interval (Efron 1979), the same at every call; None of nothing.

    For two runs of the same questions, pass the differences: that is the paired bootstrap.
    """
    if not values:
        return None
    return estimates(np.asarray(values, dtype=np.float64)[:, None])[0]


def estimates(values: Numbers) -> list[Estimate | None]:
    """One estimate a column of `values` (questions, measures); NaN where a measure does not apply."""
    applies = ~np.isnan(values)
    counts = applies.sum(axis=0)
    resampled = np.random.default_rng(SEED).multinomial(
        len(values), np.full(len(values), 1 / len(values)), size=RESAMPLES
    )
    with np.errstate(invalid="ignore"):  # a resample may hold no question that a measure applies to
        means = (resampled @ np.where(applies, values, 0.0)) / (resampled @ applies.astype(np.float64))
    return [
        _estimate(values[applies[:, at], at].mean(), means[:, at], int(count)) if count else None
        for at, count in enumerate(counts)
    ]


def _estimate(value: float, resampled: Numbers, n: int) -> Estimate:
    low, high = np.nanpercentile(resampled, [2.5, 97.5])
    return Estimate(n=n, mean=float(value), low=float(low), high=float(high))


def percentile(values: Sequence[float], q: float) -> float:
    """The `q`-th percentile (0 to 100) of at least one value, by linear interpolation."""
    return float(np.percentile(values, q))


def auroc(confidence: Numbers, answerable: Flags) -> Numbers:
    """Chance that an answerable question has more confidence than one that is not (Mann & Whitney 1947).

    Along the last axis; NaN where all questions are of one kind.
    """
    ranks = rankdata(confidence, axis=-1)
    yes = answerable.sum(axis=-1)
    no = answerable.shape[-1] - yes
    with np.errstate(invalid="ignore"):
        return np.asarray(((ranks * answerable).sum(axis=-1) - yes * (yes + 1) / 2) / (yes * no))


@dataclass(frozen=True, slots=True, kw_only=True)
class Bin:
    """Questions of like confidence: how many, their mean confidence, and the share that is answerable."""

    n: int
    confidence: float
    answerable: float


def reliability(confidence: Numbers, answerable: Flags) -> list[Bin]:
    """Ten bins of equal width over [0, 1], empty ones left out (Guo et al. 2017)."""
    which = np.minimum((confidence * _BINS).astype(int), _BINS - 1)
    return [
        Bin(
            n=int((which == number).sum()),
            confidence=float(confidence[which == number].mean()),
            answerable=float(answerable[which == number].mean()),
        )
        for number in np.unique(which)
    ]


def calibration_error(confidence: Numbers, answerable: Flags) -> Numbers:
    """Expected calibration error over those bins, along the last axis, in [0, 1].

    How far confidence is from the share of answerable questions, on the average question.
    """
    which = np.minimum((confidence * _BINS).astype(int), _BINS - 1)
    excess = confidence - answerable
    off = [np.abs(np.where(which == number, excess, 0.0).sum(axis=-1)) for number in range(_BINS)]
    return np.asarray(np.sum(off, axis=0) / confidence.shape[-1])


def risk_coverage(confidence: Numbers, right: Flags, answered: Flags) -> list[tuple[float, float]]:
    """Points (coverage, risk) as answers of falling confidence are added (El-Yaniv & Wiener 2010).

    Coverage is the share of all questions that were answered, risk the share of those answers that is not right.
    """
    risks = _risks(confidence, right, answered)[: answered.sum()]
    return [(number / len(confidence), float(risk)) for number, risk in enumerate(risks, start=1)]


def _risks(confidence: Numbers, right: Flags, answered: Flags) -> Numbers:
    """Share of wrong answers among the first 1, 2, ... of falling confidence, along the last axis."""
    order = np.argsort(np.where(answered, -confidence, np.inf), axis=-1, kind="stable")
    wrong = np.take_along_axis(~right & answered, order, axis=-1)
    return np.asarray(wrong.cumsum(axis=-1) / np.arange(1, wrong.shape[-1] + 1))


def area_under_risk(confidence: Numbers, right: Flags, answered: Flags) -> Numbers:
    """Mean risk over the points of `risk_coverage`, along the last axis; NaN where nothing was answered."""
    count = answered.sum(axis=-1, keepdims=True)
    among = np.arange(answered.shape[-1]) < count
    with np.errstate(invalid="ignore"):
        return np.asarray((_risks(confidence, right, answered) * among).sum(axis=-1) / count[..., 0])


def figure(statistic: Callable[..., Numbers], *columns: Numbers | Flags) -> Estimate | None:
    """`statistic(*columns)` with its bootstrap interval; None where it is not defined."""
    if not len(columns[0]) or np.isnan(value := statistic(*columns)):
        return None
    rows = np.random.default_rng(SEED).integers(0, len(columns[0]), size=(_CURVE_RESAMPLES, len(columns[0])))
    return _estimate(float(value), statistic(*(column[rows] for column in columns)), len(columns[0]))

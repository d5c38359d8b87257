"""Means, intervals and the curves of confidence, against values computed by hand."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval.statistics import (
    area_under_risk,
    auroc,
    calibration_error,
    estimate,
    estimates,
    figure,
    percentile,
    reliability,
    risk_coverage,
)


def test_percentile_interpolates() -> None:
    # Four values: the median lies between the second and third, p95 at 0.95*3 = 2.85 from the first.
    assert percentile([10, 20, 30, 50], 50) == 25
    assert percentile([10, 20, 30, 50], 95) == pytest.approx(47)


def test_the_interval_is_the_same_each_time_and_narrows() -> None:
    few, many = estimate([1.0, 0.0] * 10), estimate([1.0, 0.0] * 1000)
    assert few is not None
    assert many is not None
    assert estimate([1.0, 0.0] * 10) == few
    assert (few.n, few.mean) == (20, 0.5)
    # The standard error is 0.5 / sqrt(20) = 0.112, so about 0.5 -+ 0.22; steps are of 0.05.
    assert 0.2 <= few.low <= 0.35
    assert 0.65 <= few.high <= 0.8
    # 0.5 / sqrt(2000) = 0.0112, so about 0.5 -+ 0.022.
    assert many.low == pytest.approx(0.478, abs=0.005)
    assert many.high == pytest.approx(0.522, abs=0.005)


def test_the_interval_of_nothing_and_of_one_value() -> None:
    assert estimate([]) is None
    one = estimate([0.25])
    assert one is not None
    assert (one.n, one.mean, one.low, one.high) == (1, 0.25, 0.25, 0.25)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_the_interval_lies_within_the_values(found: list[float]) -> None:
    measured = estimate(found)
    assert measured is not None
    assert min(found) - 1e-9 <= measured.low <= measured.high <= max(found) + 1e-9


def test_a_measure_that_does_not_apply_is_no_zero() -> None:
    nan = math.nan
    both, one, none = estimates(np.array([[1.0, nan, nan], [0.0, 0.5, nan], [0.5, nan, nan]]))
    assert both is not None
    assert one is not None
    assert (both.n, both.mean) == (3, 0.5)
    assert (one.n, one.mean, one.low, one.high) == (1, 0.5, 0.5, 0.5)
    assert none is None


def test_auroc_is_the_chance_of_the_right_order() -> None:
    # Pairs: 0.9 > 0.4, 0.9 > 0.2, 0.3 < 0.4, 0.3 > 0.2: three of four.
    confidence, answerable = np.array([0.9, 0.3, 0.4, 0.2]), np.array([True, True, False, False])
    assert auroc(confidence, answerable) == pytest.approx(3 / 4)
    assert math.isnan(auroc(confidence, np.ones(4, dtype=bool)))


def test_calibration_error_weighs_the_bins() -> None:
    confidence, answerable = np.array([0.92, 0.98, 1.0, 0.11]), np.array([True, True, False, True])
    last, first = reliability(confidence, answerable)[::-1]
    # Bin of 0.9 to 1: mean confidence 2.9/3, two of three answerable; bin of 0.1: 0.11, all.
    assert (last.n, first.n) == (3, 1)
    assert [last.confidence, last.answerable] == pytest.approx([2.9 / 3, 2 / 3])
    assert [first.confidence, first.answerable] == pytest.approx([0.11, 1])
    assert calibration_error(confidence, answerable) == pytest.approx((3 * 0.3 + 0.89) / 4)


def test_risk_grows_with_coverage_when_wrong_answers_are_the_unsure_ones() -> None:
    confidence = np.array([0.9, 0.5, 0.7, 0.1])
    right, answered = np.array([True, False, True, False]), np.array([True, True, True, False])
    assert risk_coverage(confidence, right, answered) == [(0.25, 0), (0.5, 0), (0.75, pytest.approx(1 / 3))]
    assert area_under_risk(confidence, right, answered) == pytest.approx(1 / 9)
    assert math.isnan(area_under_risk(confidence, right, np.zeros(4, dtype=bool)))


def test_a_figure_has_an_interval_around_it() -> None:
    confidence, answerable = np.linspace(0, 1, 60), np.arange(60) >= 30
    found = figure(auroc, confidence, answerable)
    assert found is not None
    assert [found.n, found.mean, found.low, found.high] == pytest.approx([60, 1, 1, 1])
    confidence[::7] = 0.5
    mixed = figure(auroc, confidence, answerable)
    assert mixed is not None
    assert 0.5 < mixed.low < mixed.mean < mixed.high <= 1
    assert figure(auroc, confidence[:3], answerable[:3]) is None
    assert figure(auroc, confidence[:0], answerable[:0]) is None

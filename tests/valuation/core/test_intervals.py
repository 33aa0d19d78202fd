"""Intervals: quantiles by order statistics, sup-t bands, few effective units."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from valuation.core.intervals import effective_number, index_band, pointwise, series_band, widening

ONE = np.ones(1)


def test_pointwise_interval_is_the_950th_of_999_studentised_deviations():
    deviations = np.random.default_rng(0).permutation(np.linspace(-2.0, 2.0, 999))[:, None]
    interval = pointwise(np.array([5.0]), deviations, level=0.95, factor=ONE)
    half = np.sort(np.abs(deviations[:, 0]))[949]
    np.testing.assert_allclose([interval.lower[0], interval.upper[0]], [5 - half, 5 + half])
    np.testing.assert_allclose(interval.standard_error, deviations.std(ddof=1))
    wide = pointwise(np.array([5.0]), deviations, level=0.95, factor=2 * ONE)
    np.testing.assert_allclose(wide.upper - 5, 2 * half)


def test_pointwise_of_normal_deviations_is_about_1_96():
    deviations = 0.1 * np.random.default_rng(0).normal(size=(20_000, 1))
    interval = pointwise(np.zeros(1), deviations, level=0.95, factor=ONE)
    assert interval.upper[0] == pytest.approx(0.196, rel=0.02)
    assert interval.lower[0] == -interval.upper[0]


def test_simultaneous_constant_of_independent_months():
    deviations = np.random.default_rng(0).normal(size=(20_000, 7)) * np.arange(1, 8)
    band = series_band(np.zeros(7), deviations, level=0.95, factor=np.ones(7))
    assert band.constant == pytest.approx(stats.norm.ppf((1 + 0.95 ** (1 / 7)) / 2), rel=0.02)
    inside = (np.abs(deviations) <= band.upper).all(axis=1).mean()
    assert inside == pytest.approx(0.95, abs=0.001)
    assert (band.upper > band.pointwise.upper).all()


def test_index_band_has_no_width_at_its_base_and_its_own_constant():
    deviations = np.random.default_rng(0).normal(size=(5000, 3)) + np.random.default_rng(1).normal(size=(5000, 1))
    estimate = np.array([4.0, 4.5, 5.0])
    band = index_band(estimate, deviations, base=1, level=0.95, factor=np.array([1.0, np.nan, 1.0]))
    assert (band.lower[1], band.pointwise.estimate[1], band.upper[1]) == (0.0, 0.0, 0.0)
    np.testing.assert_allclose(band.pointwise.estimate, [-0.5, 0.0, 0.5])
    contrast = deviations[:, [0, 2]] - deviations[:, [1]]
    largest = np.abs(contrast / contrast.std(axis=0, ddof=1)).max(axis=1)
    assert band.constant == pytest.approx(np.quantile(largest, 0.95), rel=1e-3)
    assert band.constant < series_band(estimate, deviations, level=0.95, factor=np.ones(3)).constant


def test_a_month_without_an_estimate_does_not_spoil_the_others():
    deviations = np.random.default_rng(0).normal(size=(999, 3))
    deviations[:, 2] = 0.0
    with_gap = series_band(np.array([1.0, 2.0, np.nan]), deviations, level=0.95, factor=np.ones(3))
    without = series_band(np.array([1.0, 2.0]), deviations[:, :2], level=0.95, factor=np.ones(2))
    assert with_gap.constant == without.constant
    np.testing.assert_array_equal(with_gap.upper[:2], without.upper)
    assert np.isnan(with_gap.upper[2])


@given(st.lists(st.floats(0.1, 10), min_size=1, max_size=30), st.floats(0.1, 10))
def test_effective_number_lies_between_one_and_all_and_has_no_unit(shares, scale):
    share = np.array(shares)
    n = effective_number(share)
    assert 1 - 1e-9 <= n <= share.size + 1e-9
    assert effective_number(-scale * share) == pytest.approx(n)
    assert effective_number(np.full(share.size, scale)) == pytest.approx(share.size)


def test_effective_number_of_nothing_is_zero():
    assert effective_number(np.zeros(4)) == 0.0


def test_widening_by_student_t_under_thirty():
    factor = widening(np.array([1000.0, 30.0, 29.0, 10.0, 2.0, 1.9, 0.0]), level=0.95)
    expected = [1.0, 1.0, *(stats.t.ppf(0.975, np.array([28, 9, 1])) / 1.959964)]
    np.testing.assert_allclose(factor[:5], expected, rtol=1e-6)
    assert np.isnan(factor[5:]).all()
    np.testing.assert_allclose(widening(np.array([10.0]), level=0.9), stats.t.ppf(0.95, 9) / 1.644854, rtol=1e-6)

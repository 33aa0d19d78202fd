"""Measures of the pricer card: by hand, against numpy, and against published figures."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from valuation.core.accuracy import (
    TIERS,
    interval_score,
    slope,
    squared_correlation,
    tier,
    weighted_mean,
    wilson,
    with_interval,
)


@pytest.mark.parametrize(
    ("price", "expected"),
    [
        (9.99, -1), (10.0, 0), (10.01, 0), (199.99, 0), (200.0, 1), (200.01, 1), (999.99, 1), (1000.0, 2),
        (1000.01, 2), (4999.99, 2), (5000.0, 3), (5000.01, 3), (49999.99, 3), (50000.0, 3), (50000.01, -1), (1e9, -1),
        (0.01, -1),
    ],
)  # fmt: skip
def test_tiers_start_at_their_lower_end_and_the_last_one_holds_its_upper(price, expected):
    assert tier(np.log(np.array([price]))).tolist() == [expected]


def test_every_whole_dollar_has_the_tier_of_its_price_not_of_its_logarithm():
    price = np.arange(10, 50_001)
    expected = [sum(p >= low for low, _ in TIERS) - 1 for p in price]
    assert_array_equal(tier(np.log(price.astype(np.float64))), expected)


def drawn(seed=0, n=150):
    rng = np.random.default_rng(seed)
    value = rng.normal(6, 0.7, n)
    return 2 + 0.7 * value + rng.normal(size=n), value, rng.integers(1, 5, n).astype(np.float64)


def test_the_squared_correlation_is_numpys():
    y, v, w = drawn()
    assert squared_correlation(y, v, np.ones(150)) == pytest.approx(np.corrcoef(y, v)[0, 1] ** 2)
    repeated = np.repeat(np.arange(150), w.astype(int))  # a weight is a number of copies
    assert squared_correlation(y, v, w) == pytest.approx(np.corrcoef(y[repeated], v[repeated])[0, 1] ** 2)
    assert squared_correlation(-y, v, w) == pytest.approx(squared_correlation(y, v, w))
    assert squared_correlation(y, v, 7 * w) == pytest.approx(squared_correlation(y, v, w))


def test_the_slope_is_that_of_price_on_value():
    y, v, w = drawn(1)
    repeated = np.repeat(np.arange(150), w.astype(int))
    assert slope(y, v, w) == pytest.approx(np.polyfit(v[repeated], y[repeated], 1)[0])
    assert slope(y, v, np.ones(150)) == pytest.approx(np.polyfit(v, y, 1)[0])


def test_replicates_are_measured_one_by_one():
    y, v, _ = drawn(2)
    weight = np.random.default_rng(3).exponential(size=(2, 4, 150))
    for measure in (squared_correlation, slope):
        found = measure(y, v, weight)
        assert found.shape == (2, 4)
        assert found[1, 3] == pytest.approx(float(measure(y, v, weight[1, 3])))
    assert weighted_mean(y, weight)[0, 2] == pytest.approx(np.average(y, weights=weight[0, 2]))


def test_constant_values_have_no_correlation_under_any_weights():
    y, _, _ = drawn(4)
    weight = np.random.default_rng(5).exponential(size=(300, 150))
    constant = np.full(150, 7.123456)
    assert np.isnan(squared_correlation(y, constant, weight)).all()
    assert np.isnan(squared_correlation(constant, y, weight)).all()
    assert np.isnan(slope(y, constant, weight)).all()
    assert_allclose(slope(constant, y, weight), 0.0, atol=1e-12)


def test_no_weight_has_no_mean():
    assert_array_equal(weighted_mean(np.array([1.0, 3.0]), np.array([[0.0, 0.0], [3.0, 1.0]])), [np.nan, 1.5])


@pytest.mark.parametrize(
    ("successes", "n", "lower", "upper"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilson_gives_the_published_intervals(successes, n, lower, upper):
    """Newcombe 1998, Statistics in Medicine 17, table I, method 3 (score, no continuity correction), 95 %."""
    found = wilson(successes, n, level=0.95)
    assert found.estimate == pytest.approx(successes / n)
    assert (found.lower, found.upper) == pytest.approx((lower, upper), abs=5.1e-5)


def test_wilson_is_symmetric_narrower_at_lower_levels_and_unknown_without_trials():
    few, many = wilson(3, 20, level=0.95), wilson(17, 20, level=0.95)
    assert (few.lower, few.upper) == pytest.approx((1 - many.upper, 1 - many.lower))
    assert few.lower < wilson(3, 20, level=0.8).lower < 0.15 < wilson(3, 20, level=0.8).upper < few.upper
    assert wilson(20, 20, level=0.95).upper == pytest.approx(1.0)
    assert np.isnan([wilson(0, 0, level=0.95).estimate, wilson(0, 0, level=0.95).lower]).all()


def test_the_interval_score_by_hand():
    """Width, and 2/0.1 = 20 times the distance of a miss on either side."""
    found = interval_score(np.array([5.0, 0.5, 8.25]), np.full(3, 1.0), np.full(3, 8.0), level=0.90)
    assert_allclose(found, [7.0, 7.0 + 20 * 0.5, 7.0 + 20 * 0.25])
    assert_allclose(interval_score(np.array([0.0]), np.array([1.0]), np.array([2.0]), level=0.5), [1 + 4 * 1])


def test_the_interval_score_is_best_at_the_true_quantiles():
    y = np.random.default_rng(6).normal(size=20_000)
    means = [interval_score(y, np.full(y.size, -c), np.full(y.size, c), level=0.9).mean() for c in (1.3, 1.645, 2.0)]
    assert means[1] < means[0] and means[1] < means[2]


def test_replicates_give_a_percentile_interval():
    found = with_interval(0.4, np.append(np.arange(101.0), [np.nan, np.inf]), level=0.90)
    assert (found.estimate, found.lower, found.upper) == pytest.approx((0.4, 5.0, 95.0))
    nothing = with_interval(0.4, np.full(3, np.nan), level=0.90)
    assert nothing.estimate == 0.4 and np.isnan([nothing.lower, nothing.upper]).all()
    unknown = with_interval(np.nan, np.arange(3.0), level=0.90)
    assert np.isnan([unknown.estimate, unknown.lower, unknown.upper]).all()

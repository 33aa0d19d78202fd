"""The calibration line against textbook least squares."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from valuation.core.calibration import IDENTITY, Calibration, apply, calibrate
from valuation.errors import ThinMatchError


def drawn(seed=0, n=200):
    rng = np.random.default_rng(seed)
    value = rng.normal(6.0, 0.8, n)
    return 1.0 + 0.8 * value + rng.normal(size=n), value


def test_the_line_is_least_squares_of_price_on_value():
    log_price, value = drawn()
    slope, intercept = np.polyfit(value, log_price, 1)
    found = calibrate(log_price, value)
    assert (found.intercept, found.slope) == pytest.approx((intercept, slope), abs=1e-10)
    assert found.slope != pytest.approx(np.polyfit(log_price, value, 1)[0], abs=0.1)  # not the other way round


def test_three_postings_by_hand():
    found = calibrate(np.array([1.0, 2.0, 6.0]), np.array([0.0, 1.0, 2.0]))
    assert (found.intercept, found.slope) == pytest.approx((0.5, 2.5))


def test_calibrated_values_need_no_further_line():
    log_price, value = drawn(1)
    again = calibrate(log_price, apply(calibrate(log_price, value), value))
    assert (again.intercept, again.slope) == pytest.approx((0.0, 1.0), abs=1e-9)


@settings(deadline=None, max_examples=50)
@given(st.floats(-5, 5), st.floats(0.1, 3.0))
def test_a_line_is_found_exactly(intercept, slope):
    value = np.linspace(3.0, 9.0, 11)
    found = calibrate(intercept + slope * value, value)
    assert (found.intercept, found.slope) == pytest.approx((intercept, slope), abs=1e-9)


def test_apply_keeps_the_shape_and_the_identity_changes_nothing():
    value = np.arange(6.0).reshape(2, 3)
    np.testing.assert_allclose(apply(Calibration(intercept=1.0, slope=0.5), value), [[1, 1.5, 2], [2.5, 3, 3.5]])
    np.testing.assert_array_equal(apply(IDENTITY, value), value)


@pytest.mark.parametrize("level", [0.0, 7.123456, 1e3])
def test_values_that_are_all_the_same_have_no_slope(level):
    with pytest.raises(ThinMatchError, match="every held-out posting the same value"):
        calibrate(np.array([1.0, 2.0, 3.0]), np.full(3, level))

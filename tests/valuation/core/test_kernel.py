"""Neighbour weights: by hand, and their properties."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from valuation.core.kernel import effective_neighbours, kernel_weights, nearest_outside
from valuation.errors import InputError

ALL = np.ones((1, 4), dtype=bool)


def test_weights_by_hand():
    similarity = np.array([[0.9, 0.8, 0.7, 0.6]])
    found = kernel_weights(similarity, ALL, k=3, tau=0.1)
    e1, e2 = np.exp(-1), np.exp(-2)
    np.testing.assert_allclose(found, [[1 / (1 + e1 + e2), e1 / (1 + e1 + e2), e2 / (1 + e1 + e2), 0.0]], rtol=1e-12)
    np.testing.assert_allclose(found, [[0.66524096, 0.24472847, 0.09003057, 0.0]], atol=1e-8)


def test_the_bandwidth_divides():
    similarity = np.array([[0.5, 0.3]])
    found = kernel_weights(similarity, np.ones((1, 2), dtype=bool), k=2, tau=0.2)
    assert found[0, 0] / found[0, 1] == pytest.approx(np.e)


def test_only_the_first_k_allowed_count():
    similarity = np.array([[0.9, 0.8, 0.7, 0.6], [0.9, 0.8, 0.7, 0.6]])
    allowed = np.array([[False, True, False, True], [True, True, True, True]])
    found = kernel_weights(similarity, allowed, k=2, tau=0.1)
    share = 1 / (1 + np.exp(-2))  # 0.8 against 0.6
    np.testing.assert_allclose(found[0], [0.0, share, 0.0, 1 - share], rtol=1e-12)
    assert (found[1, 2:] == 0).all() and (found[1, :2] > 0).all()


def test_fewer_allowed_than_k_share_the_weight_and_none_gives_none():
    similarity = np.array([[0.9, 0.8], [0.9, 0.8]])
    found = kernel_weights(similarity, np.array([[False, True], [False, False]]), k=2, tau=0.1)
    np.testing.assert_array_equal(found, [[0.0, 1.0], [0.0, 0.0]])


def test_ties_weigh_the_same_and_the_earlier_one_is_taken():
    found = kernel_weights(np.array([[0.7, 0.5, 0.5, 0.5]]), ALL, k=3, tau=0.05)
    assert found[0, 1] == found[0, 2] > 0 and found[0, 3] == 0.0


def test_a_narrow_bandwidth_does_not_overflow(recwarn):
    found = kernel_weights(np.array([[0.99, 0.1, 0.05]]), np.array([[False, True, True]]), k=3, tau=1e-4)
    np.testing.assert_allclose(found, [[0.0, 1.0, 0.0]], atol=1e-200)
    assert not recwarn.list


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ([1.3, 0.9], "outside"),
        ([0.5, -1.1], "outside"),
        ([0.5, np.nan], "outside"),
        ([0.2, 0.4], "must fall"),
    ],
)
def test_distances_and_unsorted_rows_are_refused(row, message):
    with pytest.raises(InputError, match=message):
        kernel_weights(np.array([row]), np.ones((1, 2), dtype=bool), k=2, tau=0.1)


def test_rounding_above_one_is_no_error():
    assert kernel_weights(np.array([[1 + 5e-7, 0.5]]), np.ones((1, 2), dtype=bool), k=1, tau=0.1)[0, 0] == 1.0


@settings(deadline=None, max_examples=80)
@given(
    st.data(),
    st.integers(1, 12),
    st.floats(0.01, 5.0),
    arrays(np.float64, (3, 9), elements=st.floats(-1, 1)),
)
def test_weights_are_a_falling_distribution_over_k_at_most(data, k, tau, drawn):
    similarity = -np.sort(-drawn, axis=1)
    allowed = data.draw(arrays(np.bool_, (3, 9)))
    before = similarity.copy(), allowed.copy()
    found = kernel_weights(similarity, allowed, k=k, tau=tau)
    for i in range(3):
        n = min(k, int(allowed[i].sum()))
        assert found[i].sum() == pytest.approx(float(n > 0))
        assert (found[i][~allowed[i]] == 0).all()
        used = found[i][allowed[i]]
        assert (np.diff(used) <= 1e-15).all() and (used[n:] == 0).all()
        effective = effective_neighbours(found)[i]
        assert np.isnan(effective) if n == 0 else 1 - 1e-9 <= effective <= n + 1e-9
    np.testing.assert_array_equal(similarity, before[0])
    np.testing.assert_array_equal(allowed, before[1])


def test_effective_number_of_equal_and_of_concentrated_weights():
    weight = np.array([[0.25, 0.25, 0.25, 0.25], [1.0, 0, 0, 0], [0.5, 0.25, 0.25, 0], [0, 0, 0, 0]])
    np.testing.assert_allclose(effective_neighbours(weight), [4.0, 1.0, 1 / 0.375, np.nan])


def test_nearest_outside_skips_the_whole_unit():
    similarity = np.array([[1.0, 0.9, 0.4], [1.0, 0.9, 0.3], [1.0, 0.4, 0.3], [1.0, 0.2, 0.1]])
    row = np.array([[0, 1, 2], [1, 0, 2], [2, 0, 1], [3, 2, 0]])
    found = nearest_outside(similarity, row, np.array([7, 7, 8, 9]))
    np.testing.assert_array_equal(found, [0.4, 0.3, 0.4, 0.2])
    assert np.isnan(nearest_outside(similarity[:, :2], row[:, :2], np.array([7, 7, 8, 8]))[:2]).all()

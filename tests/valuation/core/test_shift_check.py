"""The shift check: balance is exact, bias is found, and the draws are those of the series."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from valuation.core import draws
from valuation.core.balance import balance
from valuation.core.bootstrap import Replicates
from valuation.core.shift_check import month_means, principal_components, shift_check

KEYS = draws.unit_key([f"p{number}" for number in range(400)])


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 8))
def test_balanced_weights_reach_the_target(seed, components):
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(400, components))
    target = rng.uniform(-0.5, 0.5, components)
    found = balance(rows, target)
    assert found is not None
    np.testing.assert_allclose(found.weight @ rows, target, atol=1e-8)
    assert found.weight.min() > 0
    assert found.weight.sum() == pytest.approx(1.0)
    assert found.effective == pytest.approx(1 / (found.weight**2).sum())
    design = np.column_stack([np.ones(400), rows])  # exponential tilting: log weights are linear in the rows
    assert np.linalg.lstsq(design, np.log(found.weight), rcond=None)[1][0] < 1e-12


def test_no_shift_needs_no_weights():
    rows = np.random.default_rng(0).normal(size=(300, 4))
    found = balance(rows, rows.mean(axis=0))
    np.testing.assert_allclose(found.weight, 1 / 300, rtol=1e-8)
    assert found.effective == pytest.approx(300)


def test_far_targets_are_reached_or_refused():
    rows = np.random.default_rng(0).normal(size=(300, 2))
    edge = rows[rows[:, 0].argmax()]
    near = 0.95 * edge
    np.testing.assert_allclose(balance(rows, near).weight @ rows, near, atol=1e-8)
    assert balance(rows, 1.05 * edge) is None
    assert balance(rows, np.array([np.nan, 0.0])) is None


def test_principal_components_match_the_singular_vectors():
    rng = np.random.default_rng(1)
    vectors = rng.normal(size=(200, 6)) * np.array([5, 4, 3, 2, 1, 0.5]) + 7
    sessions = rng.normal(size=(9, 6)) + 7
    postings, others = principal_components(vectors, sessions, components=3)
    np.testing.assert_allclose(postings.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(np.cov(postings.T, bias=True), np.eye(3), atol=1e-10)
    centred = vectors - vectors.mean(axis=0)
    u, s, vt = np.linalg.svd(centred, full_matrices=False)
    sign = np.sign(vt[np.arange(3), np.abs(vt[:3]).argmax(axis=1)])
    np.testing.assert_allclose(postings, u[:, :3] * sign * np.sqrt(200), atol=1e-8)
    np.testing.assert_allclose(
        others, (sessions - vectors.mean(axis=0)) @ vt[:3].T * sign / s[:3] * np.sqrt(200), atol=1e-8
    )
    flipped, _ = principal_components(vectors[::-1], sessions, components=3)
    np.testing.assert_allclose(flipped[::-1], postings, atol=1e-8)


def test_vectors_in_a_plane_give_two_components():
    vectors = np.random.default_rng(1).normal(size=(50, 2)) @ np.random.default_rng(2).normal(size=(2, 5))
    assert principal_components(vectors, vectors[:3], components=4)[0].shape == (50, 2)


def test_month_means_are_weighted_and_missing_without_sessions():
    coordinate = np.array([[1.0], [3.0], [9.0]])
    found = month_means(coordinate, np.array([1.0, 3.0, 1.0]), np.array([0, 0, -1]), n_months=2)
    assert found[0, 0] == 2.5
    assert np.isnan(found[1, 0])


def setting(components=4, months=3):
    rng = np.random.default_rng(3)
    coordinate = rng.normal(size=(800, components))
    target = 0.3 * rng.normal(size=(months, components))
    unit = np.arange(800) // 2
    series = Replicates(np.arange(months) + 4.0, *(0.1 * rng.normal(size=(3, 199, months))))
    return coordinate, target, unit, series


def check(coordinate, target, residual, unit, series, *, together=(True, False, True), least=50.0):
    return shift_check(
        coordinate,
        target,
        residual,
        unit,
        series,
        together=np.array(together),
        min_effective=least,
        unit_key=KEYS,
        seed=5,
    )


def test_an_error_that_is_linear_in_the_components_is_found_exactly():
    coordinate, target, unit, series = setting()
    residual = 0.2 + coordinate @ np.array([1.0, -0.5, 0.0, 0.3])
    found = check(coordinate, target, residual, unit, series)
    np.testing.assert_allclose(found.difference.point, 0.2 + target @ np.array([1.0, -0.5, 0.0, 0.3]), atol=1e-8)
    np.testing.assert_allclose(found.corrected.point, series.point + found.difference.point)
    assert found.components.tolist() == [4, 4, 4]
    assert (found.effective_postings > 50).all()


def test_posting_part_replaces_the_series_own_and_users_stay():
    coordinate, target, unit, series = setting()
    residual = np.random.default_rng(0).normal(size=800)
    found = check(coordinate, target, residual, unit, series)
    weights = np.stack([balance(coordinate, mean).weight for mean in target])
    influence = np.stack([np.bincount(unit, row * residual) for row in weights], axis=1)
    drawn = draws.exponentials(KEYS, seed=5, stream=draws.POSTINGS, first=0, count=199) - 1
    np.testing.assert_allclose(found.difference.postings, drawn @ influence, atol=1e-10)
    np.testing.assert_array_equal(found.difference.both, found.difference.postings)
    assert not found.difference.users.any()
    np.testing.assert_array_equal(found.corrected.users, series.users)
    np.testing.assert_array_equal(found.corrected.both, series.users + found.difference.postings)


def test_components_are_halved_until_enough_postings_remain():
    coordinate, target, unit, series = setting()
    target[0] = [0.1, 0.1, 0.1, 3.2]  # the last component is out of reach with enough postings
    alone = check(coordinate, target, coordinate[:, 0], unit, series, together=(False, False, False))
    assert alone.components.tolist() == [2, 4, 4]
    shared = check(coordinate, target, coordinate[:, 0], unit, series)
    assert shared.components.tolist() == [2, 4, 2]  # compared months balance the same components
    np.testing.assert_allclose(shared.difference.point, target[:, 0], atol=1e-8)


def test_a_month_that_cannot_be_balanced_is_missing():
    coordinate, target, unit, series = setting()
    target[1] = np.nan
    target[2] = 50.0
    found = check(coordinate, target, coordinate[:, 0], unit, series, together=(True, True, False))
    assert found.components.tolist() == [0, 0, 0]  # compared with a month that has none
    alone = check(coordinate, target, coordinate[:, 0], unit, series, together=(True, False, False))
    assert alone.components.tolist() == [4, 0, 0]
    assert np.isnan(alone.difference.point[1:]).all() and np.isnan(alone.corrected.point[1:]).all()
    assert alone.effective_postings[1] == 0.0


def test_one_component_is_kept_though_few_postings_remain():
    coordinate, target, unit, series = setting(components=1)
    found = check(coordinate, target, coordinate[:, 0], unit, series, least=10_000.0)
    assert found.components.tolist() == [1, 1, 1]
    assert (found.effective_postings < 800).all()

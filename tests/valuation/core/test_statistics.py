"""Median, trimmed mean, mean price: by hand, by axioms, and replicate by replicate against plain code."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from valuation.core import draws
from valuation.core.bootstrap import calibration_replicates, joint_replicates
from valuation.core.influence import series_influence
from valuation.core.movement import movement, value_deviations
from valuation.core.nonlinear import nonlinear_replicates
from valuation.core.pricing import PRICERS
from valuation.core.statistics import fifth_of, log_statistics, members, smearing, sorted_median, sorted_trimmed_mean
from valuation.simulation.vector_pricing import price_world
from valuation.simulation.vectors import WorldOptions, vector_world

SEED = 11
values = st.lists(st.floats(1.0, 1000.0), min_size=1, max_size=40).map(lambda found: np.sort(np.array(found)))


@settings(deadline=None)  # the first call compiles
@given(values)
def test_median_of_equal_weights_is_the_median(value):
    assert sorted_median(value, np.full(value.size, 0.7)) == pytest.approx(np.median(value))


@pytest.mark.parametrize(
    ("value", "weight", "expected"),
    [
        ([1.0, 2.0, 10.0], [1.0, 1.0, 2.0], 14 / 3),  # midpoints 0.125, 0.375, 0.75: a third of the way from 2 to 10
        ([1.0, 2.0], [3.0, 1.0], 1.25),  # 0.375, 0.875
        ([1.0, 2.0], [9.0, 1.0], 1.0 + (0.5 - 0.45) / (0.95 - 0.45)),
        ([5.0], [2.0], 5.0),
        ([1.0, 2.0, 3.0], [5.0, 1e-12, 1e-12], 1.0),
        ([1.0, 2.0, 3.0], [0.0, 0.0, 4.0], 3.0),
    ],
)
def test_weighted_median_interpolates_between_midpoints(value, weight, expected):
    assert sorted_median(np.array(value), np.array(weight)) == pytest.approx(expected)


@settings(deadline=None)
@given(values, st.integers(1, 5))
def test_weights_count_like_copies_in_the_trimmed_mean(value, copies):
    weighted = sorted_trimmed_mean(value, np.full(value.size, float(copies)), 0.1)
    assert weighted == pytest.approx(sorted_trimmed_mean(np.repeat(value, copies), np.ones(value.size * copies), 0.1))
    assert value[0] - 1e-9 <= weighted <= value[-1] + 1e-9


def test_trimmed_mean_cuts_weight_off_both_tails():
    value = np.array([0.0, 10.0, 20.0, 30.0, 1000.0])
    assert sorted_trimmed_mean(value, np.ones(5), 0.2) == pytest.approx(20.0)
    assert sorted_trimmed_mean(value, np.ones(5), 0.1) == pytest.approx((0.5 * 0 + 60 + 0.5 * 1000) / 4)
    assert sorted_trimmed_mean(value, np.ones(5), 0.0) == pytest.approx(value.mean())


def test_smearing_factor_is_the_mean_ratio_by_fifth():
    value = np.arange(500.0)
    residual = np.random.default_rng(0).normal(size=500) * (1 + value / 500)
    found = smearing(value, residual)
    for fifth in range(5):
        ratio = np.exp(residual[100 * fifth : 100 * fifth + 100])
        assert found.factor[fifth] == pytest.approx(ratio.mean())
        assert found.top_share[fifth] == pytest.approx(ratio.max() / ratio.sum())
    assert fifth_of(np.array([-5.0, 99.0, 101.0, 1e6]), found.edges).tolist() == [0, 0, 1, 4]
    assert fifth_of(found.edges, found.edges).tolist() == [1, 2, 3, 4]
    assert smearing(np.full(9, 3.0), np.zeros(9)).factor.tolist() == [1.0] * 5


def test_members_lists_each_cell_once():
    cell = np.array([[1, 0, 1], [-1, 3, 3]])
    found = members(cell, n_cells=5)
    assert [found.session[found.start[c] : found.start[c + 1]].tolist() for c in range(5)] == [
        [1],
        [0, 2],
        [],
        [1, 2],
        [],
    ]


def test_statistics_of_a_cell_and_of_an_empty_one():
    value = np.log(np.array([[10.0, 20.0, 60.0, 500.0]]))
    weight = np.array([[1.0, 2.0, 1.0, 7.0]])
    factor = np.array([[1.0, 2.0, 3.0, 4.0, 5.0]])
    within = members(np.array([[0, 0, 0, -1]]), n_cells=2)
    found = log_statistics(value, weight, factor, np.array([0, 1, 4, 2]), within, trim=0.25)
    np.testing.assert_allclose(np.exp(found[:, 0, 0]), [20.0, 20.0, (10 + 2 * 20 * 2 + 60 * 5) / 4])
    assert np.isnan(found[:, 0, 1]).all()
    with pytest.raises(ValueError, match="trim"):
        log_statistics(value, weight, factor, np.array([0, 1, 4, 2]), within, trim=0.5)


def drawn_world(pricer):
    options = WorldOptions(postings=200, sessions=150, users=40, months=2, dimensions=5, unit_size=2)
    world = vector_world(options, rng=np.random.default_rng(2))
    priced = price_world(world, pricer=pricer, k=10, tau=0.1, penalties=(3.0,), seed=1)
    weight = np.random.default_rng(3).uniform(0.5, 2.0, world.month.size)
    return world, replace(priced, sessions=replace(priced.sessions, weight=weight))


@pytest.mark.parametrize("pricer", PRICERS)
def test_values_move_on_average_as_the_linear_form(pricer):
    world, priced = drawn_world(pricer)
    use_hedonic = pricer != "neighbours"
    influence = series_influence(
        priced.sessions, priced.model, priced.residual, world.month[None], n_cells=2, use_hedonic=use_hedonic
    )
    replicates, _ = joint_replicates(
        influence, unit_key=priced.model.unit_key, user_key=priced.sessions.user_key, seed=SEED, replicates=9
    )
    moves = movement(priced.sessions, priced.model, priced.residual, use_hedonic=use_hedonic)
    moved = value_deviations(moves, seed=SEED, first=2, count=7)
    for month in range(2):
        inside = world.month == month
        average = np.average(moved[:, inside], weights=priced.sessions.weight[inside], axis=1)
        np.testing.assert_allclose(average, replicates.postings[2:, month], atol=1e-12)


def plainly(value, weight, factor, fifth, trim):
    """Statistics of one cell without any of the code under test."""
    order = np.argsort(value)
    price, of = np.exp(value[order]), weight[order] / weight.sum()
    at = np.cumsum(of) - of / 2
    edges = np.clip(np.concatenate([[0], np.cumsum(of)]), trim, 1 - trim)
    trimmed = np.diff(edges) @ price / (1 - 2 * trim)
    return np.log([np.interp(0.5, at, price), trimmed, weight @ (np.exp(value) * factor[fifth]) / weight.sum()])


@pytest.mark.parametrize("calibrate", [False, True])
def test_replicates_of_nonlinear_statistics_are_their_statistics_of_moved_sessions(calibrate):
    world, priced = drawn_world("matching")
    sessions, model, count = priced.sessions, priced.model, 70
    raw = world.log_price - priced.residual
    line = calibration_replicates(
        raw, world.log_price, world.unit, unit_key=model.unit_key, seed=SEED, replicates=count
    )
    found = nonlinear_replicates(
        sessions, model, priced.residual, world.month[None], n_cells=2, use_hedonic=True,
        calibration=line if calibrate else None, trim=0.05, seed=SEED, replicates=count,
    )  # fmt: skip
    unit = draws.exponentials(model.unit_key, seed=SEED, stream=draws.POSTINGS, first=0, count=count)[69]
    user = draws.exponentials(sessions.user_key, seed=SEED, stream=draws.USERS, first=0, count=count)[69]
    moves = movement(sessions, model, priced.residual, use_hedonic=True)
    moved = sessions.log_value + value_deviations(moves, seed=SEED, first=69, count=1)[0]
    a, b = (line.intercept, line.slope) if calibrate else (0.0, 1.0)
    a_moved, b_moved = a + calibrate * line.intercept_deviation[69], b + calibrate * line.slope_deviation[69]
    value, moved = a + b * sessions.log_value, a_moved + b_moved * moved
    held_out = a + b * raw
    smear = smearing(held_out, world.log_price - held_out)
    weight_of = unit[world.unit]
    error = np.exp(world.log_price - a_moved - b_moved * raw)
    factor = np.array([np.average(error[smear.fifth == f], weights=weight_of[smear.fifth == f]) for f in range(5)])
    fifth = fifth_of(value, smear.edges)
    inside = world.month == 1
    still, weight = sessions.weight, sessions.weight * user[sessions.user]
    point = plainly(value[inside], still[inside], smear.factor, fifth[inside], 0.05)
    expected = {
        "users": plainly(value[inside], weight[inside], smear.factor, fifth[inside], 0.05),
        "postings": plainly(moved[inside], still[inside], factor, fifth[inside], 0.05),
        "both": plainly(moved[inside], weight[inside], factor, fifth[inside], 0.05),
    }
    tolerance = 5e-3 if calibrate else 1e-12  # S moves to first order with the calibration
    for which, replicates in enumerate((found.median, found.trimmed_mean, found.mean)):
        assert replicates.point[1] == pytest.approx(point[which], abs=1e-12)
        for variation, statistics in expected.items():
            deviation = replicates.deviations(variation)[69, 1]
            allowed = tolerance if which == 2 else 1e-11
            assert deviation == pytest.approx(statistics[which] - point[which], abs=allowed), (which, variation)

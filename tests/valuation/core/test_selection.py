"""Statistics by bins against the sorted definition; replicates that do not depend on blocks or threads."""

from dataclasses import replace

import numba
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from valuation.core import draws, nonlinear
from valuation.core.bootstrap import calibration_replicates
from valuation.core.movement import movement, value_deviations
from valuation.core.nonlinear import nonlinear_replicates
from valuation.core.ordered import ordered_product
from valuation.core.pricing import PRICERS
from valuation.core.selection import moved_statistics, reweighted_statistics
from valuation.core.statistics import log_statistics, members
from valuation.simulation.vector_pricing import price_world
from valuation.simulation.vectors import WorldOptions, vector_world


def drawn(n, rows, shape, rng):
    """Log values of a shape that is hard for bins, and everything that goes with them."""
    value = rng.normal(5, 0.8, (rows, n))
    if shape == "ties":
        value = np.round(2 * value) / 2
    elif shape == "outliers":
        value[:, : max(n // 20, 1)] += rng.choice([-40.0, 40.0])
    elif shape == "equal":
        value[:] = 5.0
    elif shape == "gap":
        value[:, n // 2 :] += 12.0
    users = max(n // 2, 1)
    user = rng.integers(0, users, n)
    weight = rng.uniform(0.2, 3.0, n) if rng.random() < 0.5 else np.ones(n)
    return value, rng.exponential(size=(rows, users)), user, weight, rng.uniform(1, 3, (rows, 5)), rng.integers(0, 5, n)


def sorted_statistics(value, of_user, user, weight, factor, fifth, within, trim):
    """All rows twice, without and with users' draws, from the sorted definition."""
    rows = value.shape[0]
    found = log_statistics(
        np.tile(value, (2, 1)), np.vstack([np.tile(weight, (rows, 1)), weight * of_user[:, user]]),
        np.tile(factor, (2, 1)), fifth, within, trim=trim,
    )  # fmt: skip
    return found.reshape(3, 2, rows, -1).swapaxes(0, 1)


@settings(deadline=None, max_examples=60)
@given(
    st.integers(1, 400), st.sampled_from(["normal", "ties", "outliers", "equal", "gap"]), st.integers(0, 2**32 - 1),
    st.sampled_from([0.0, 0.05, 0.25, 0.49]),
)  # fmt: skip
def test_bins_give_the_sorted_definition(n, shape, seed, trim):
    rng = np.random.default_rng(seed)
    value, *rest = drawn(n, 3, shape, rng)
    cell = np.stack([rng.integers(0, 3, n), rng.integers(-1, 2, n) + 4])
    cell[1][cell[1] == 3] = -1
    within = members(cell, n_cells=7)  # two overlapping groupings, cells 3 and 6 empty
    expected = sorted_statistics(value, *rest, within, trim)
    np.testing.assert_allclose(moved_statistics(value, *rest, within, trim=trim), expected, atol=1e-12, rtol=1e-12)
    of_user, user, weight, factor, fifth = rest
    still = reweighted_statistics(value[0], of_user, user, weight, factor[0], fifth, within, trim=trim)
    rows = np.tile(value[0], (3, 1)), of_user, user, weight, np.tile(factor[0], (3, 1)), fifth
    np.testing.assert_allclose(still, sorted_statistics(*rows, within, trim)[1], atol=1e-12, rtol=1e-12)


def test_many_sessions_in_one_cell():
    rng = np.random.default_rng(0)
    value, *rest = drawn(30_000, 2, "outliers", rng)
    within = members(np.zeros((1, 30_000), dtype=np.int64), n_cells=1)
    found = moved_statistics(value, *rest, within, trim=0.05)
    np.testing.assert_allclose(found, sorted_statistics(value, *rest, within, 0.05), rtol=1e-12)


def test_a_trim_of_one_half_is_refused():
    value, *rest = drawn(9, 2, "normal", np.random.default_rng(0))
    within = members(np.zeros((1, 9), dtype=np.int64), n_cells=1)
    with pytest.raises(ValueError, match=r"trim 0.5 is outside"):
        moved_statistics(value, *rest, within, trim=0.5)
    with pytest.raises(ValueError, match=r"trim -0.1 is outside"):
        reweighted_statistics(value[0], *rest[:3], rest[3][0], rest[4], within, trim=-0.1)


@pytest.mark.parametrize(("rows", "inner", "columns"), [(1, 1, 1), (33, 8, 5), (16, 23, 64), (50, 3, 0), (7, 0, 4)])
def test_ordered_product_is_the_product_term_by_term(rows, inner, columns):
    rng = np.random.default_rng(0)
    left, right = rng.normal(size=(rows, inner)), rng.normal(size=(columns, inner)).T
    expected = np.zeros((rows, columns))
    for k in range(inner):
        expected = expected + np.multiply.outer(left[:, k], right[k])  # first term to last: the very same bits
    np.testing.assert_array_equal(ordered_product(left, right), expected)


def test_matrices_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match=r"\(2, 3\) and \(4, 5\)"):
        ordered_product(np.ones((2, 3)), np.ones((4, 5)))


def priced(pricer="matching"):
    options = WorldOptions(postings=150, sessions=130, users=40, months=2, dimensions=5, unit_size=2)
    world = vector_world(options, rng=np.random.default_rng(2))
    found = price_world(world, pricer=pricer, k=7, tau=0.1, penalties=(3.0,), seed=1)
    weight = np.random.default_rng(3).uniform(0.5, 2.0, world.month.size)
    return world, replace(found, sessions=replace(found.sessions, weight=weight))


@pytest.mark.parametrize("pricer", PRICERS)
def test_values_move_by_the_formula(pricer):
    """``Σ_j w_ij (u − 1) ρ_j + (z_i − Σ_j w_ij x_j)'δ``, written out session by session."""
    _, found = priced(pricer)
    sessions, model, use_hedonic = found.sessions, found.model, pricer != "neighbours"
    moves = movement(sessions, model, found.residual, use_hedonic=use_hedonic)
    moved = value_deviations(moves, seed=3, first=5, count=3)
    for b in range(3):
        unit = draws.exponentials(model.unit_key, seed=3, stream=draws.POSTINGS, first=5 + b, count=1)[0] - 1
        u = unit[model.unit]
        delta = model.gram_inverse @ (model.features.T @ (u * model.hedonic_residual)) * use_hedonic
        level = (u * model.hedonic_residual).mean() * use_hedonic
        for i in (0, 57, 129):
            near, weight = sessions.neighbour[i], sessions.neighbour_weight[i]
            gap = sessions.features[i] - weight @ model.features[near]
            expected = weight @ (u * found.residual)[near] + gap @ delta + (1 - weight.sum()) * level
            assert moved[b, i] == pytest.approx(expected, abs=1e-12), pricer


def test_values_do_not_depend_on_blocks_chunks_or_threads(monkeypatch):
    _, found = priced()
    moves = movement(found.sessions, found.model, found.residual, use_hedonic=True)
    whole = value_deviations(moves, seed=3, first=0, count=9)
    pieces = [value_deviations(moves, seed=3, first=f, count=c) for f, c in ((0, 1), (1, 4), (5, 4))]
    np.testing.assert_array_equal(np.vstack(pieces), whole)
    monkeypatch.setattr("valuation.core.movement.CHUNK", 37)
    np.testing.assert_array_equal(value_deviations(moves, seed=3, first=0, count=9), whole)
    before = numba.get_num_threads()
    try:
        numba.set_num_threads(1)
        np.testing.assert_array_equal(value_deviations(moves, seed=3, first=0, count=9), whole)
    finally:
        numba.set_num_threads(before)


@pytest.mark.parametrize("calibrate", [False, True])
def test_replicates_do_not_depend_on_their_block(monkeypatch, calibrate):
    world, found = priced()
    line = calibration_replicates(
        world.log_price - found.residual, world.log_price, world.unit, unit_key=found.model.unit_key, seed=3,
        replicates=21,
    )  # fmt: skip

    def replicates(count):
        rows = replace(
            line, intercept_deviation=line.intercept_deviation[:count], slope_deviation=line.slope_deviation[:count]
        )
        return nonlinear_replicates(
            found.sessions, found.model, found.residual, world.month[None], n_cells=2, use_hedonic=True,
            calibration=rows if calibrate else None, trim=0.05, seed=3, replicates=count,
        )  # fmt: skip

    whole = replicates(21)
    monkeypatch.setattr(nonlinear, "BLOCK", 5)
    for again, rows in ((replicates(21), 21), (replicates(8), 8)):
        for name in ("median", "trimmed_mean", "mean"):
            for variation in ("users", "postings", "both"):
                ours, theirs = (getattr(part, name).deviations(variation)[:rows] for part in (again, whole))
                np.testing.assert_array_equal(ours, theirs, err_msg=f"{name} {variation}")

"""The tilt backtest: weights do what they say, changes and their errors are right, and a blind spot shows."""

import numpy as np
import pytest

from valuation.core.bootstrap import posting_replicates
from valuation.core.draws import unit_key
from valuation.core.intervals import pointwise
from valuation.core.shift_check import month_means, principal_components
from valuation.core.tilt import backtest, exponential_tilt, session_tilts, share_tilt, slope
from valuation.simulation.vector_pricing import price_world
from valuation.simulation.vectors import WorldOptions, vector_world

N, UNITS = 300, 100
UNIT = np.arange(N) // 3


@pytest.fixture
def postings():
    rng = np.random.default_rng(2)
    q = rng.normal(size=(N, 3)) * np.array([1.0, 2.0, 0.5]) + 4.0
    y = 5.0 + q @ np.array([0.5, -0.2, 0.1]) + rng.normal(size=N)
    return q, y


def run(tilts, y, v):
    start = np.full((len(tilts), N), 1 / N)
    return backtest(start, np.stack(tilts), y, v, UNIT, n_units=UNITS)


@pytest.mark.parametrize("strength", [-1.0, -0.5, 0.5, 1.0])
def test_a_tilt_moves_the_mean_by_its_strength(postings, strength):
    q = postings[0][:, 1]
    weight = exponential_tilt(q, strength=strength)
    assert weight.sum() == pytest.approx(1)
    assert weight @ q - q.mean() == pytest.approx(strength * q.std(), abs=1e-8)
    assert np.ptp(np.diff(np.log(weight)[np.argsort(q)]) / np.diff(np.sort(q))) < 1e-6  # log weights are linear in q


def test_a_tilt_out_of_reach_is_refused(postings):
    assert exponential_tilt(postings[0][:, 0], strength=9.0) is None


def test_a_share_goes_over_to_the_group():
    member = np.arange(10) < 4
    weight = share_tilt(member, strength=0.5)
    assert weight.sum() == pytest.approx(1)
    assert weight[member].sum() == pytest.approx(0.5 * 0.4 + 0.5)
    assert np.ptp(weight[member]) == pytest.approx(0, abs=1e-15)
    np.testing.assert_allclose(share_tilt(member, strength=0.0), 0.1)


def test_changes_are_differences_of_weighted_means(postings):
    q, y = postings
    tilts = [exponential_tilt(q[:, 0], strength=1.0), share_tilt(q[:, 1] > 4, strength=0.5)]
    found = run(tilts, y, 0.3 * y)
    np.testing.assert_allclose(found.true_change, [w @ y - y.mean() for w in tilts])
    np.testing.assert_allclose(found.measured_change, 0.3 * found.true_change)
    np.testing.assert_allclose(found.effective_postings, [1 / (w**2).sum() for w in tilts])
    missed, influence = found.missed()
    np.testing.assert_allclose(missed, 0.7 * found.true_change)
    np.testing.assert_allclose(influence, found.true_influence - found.measured_influence)


def reweighed(tilts, y, v, unit_weight):
    """The same changes with units reweighed and every mean normalised again."""
    w = unit_weight[UNIT]

    def change(of):
        return np.array([(t * w) @ of / (t @ w) - w @ of / w.sum() for t in tilts])

    return change(y), change(v)


def test_influence_is_the_derivative_of_reweighing(postings):
    q, y = postings
    v = q @ np.array([0.4, -0.1, 0.0])
    tilts = [exponential_tilt(q[:, c], strength=s) for c in range(3) for s in (-1.0, 0.5)]
    found, rows, step = run(tilts, y, v), np.arange(6), 1e-6
    estimate, influence = slope(found, rows)
    assert estimate == pytest.approx(
        found.true_change @ found.measured_change / (found.measured_change @ found.measured_change)
    )
    for unit in (0, 17, 99):
        bumped = np.ones(UNITS)
        bumped[unit] += step
        true, measured = reweighed(tilts, y, v, bumped)
        np.testing.assert_allclose((true - found.true_change) / step, found.true_influence[unit], atol=1e-5)
        np.testing.assert_allclose((measured - found.measured_change) / step, found.measured_influence[unit], atol=1e-5)
        assert (true @ measured / (measured @ measured) - estimate) / step == pytest.approx(influence[unit], abs=1e-4)


def test_slopes_of_pricers_that_see_all_half_and_nothing(postings):
    q, y = postings
    tilts, rows = [exponential_tilt(q[:, c], strength=1.0) for c in range(3)], np.arange(3)
    estimate, influence = slope(run(tilts, y, y), rows)
    assert estimate == pytest.approx(1.0) and np.abs(influence).max() < 1e-12
    assert slope(run(tilts, y, 0.5 * y + 3), rows)[0] == pytest.approx(2.0)
    nothing, no_influence = slope(run(tilts, y, np.full(N, 7.0)), rows)
    assert np.isnan(nothing) and np.isnan(no_influence).all()


def test_postings_take_the_sessions_means_in_both_months(postings):
    q = (postings[0] - postings[0].mean(axis=0)) / postings[0].std(axis=0)
    target = np.array([[0.2, -0.1, 0.0], [0.6, 0.3, -0.2]])
    weights, components = session_tilts(q, target, min_effective=50)
    assert components == 3
    np.testing.assert_allclose(weights @ q, target, atol=1e-8)
    fewer, components = session_tilts(q, np.array([[0.2, 0, 0], [0.3, 0, 2.2]]), min_effective=50)
    assert components == 1
    np.testing.assert_allclose(fewer @ q[:, 0], [0.2, 0.3], atol=1e-8)
    kept, components = session_tilts(q, target, min_effective=1e9)
    assert components == 1 and kept.shape == (2, N)
    assert session_tilts(q, np.array([[0.0, 0, 0], [99.0, 0, 0]]), min_effective=1) is None


def interval_of(estimate, influence, key):
    moved = posting_replicates(influence[:, None], unit_key=key, seed=3, replicates=199)
    found = pointwise(np.array([estimate]), moved, level=0.95, factor=np.ones(1))
    return float(found.lower[0]), float(found.upper[0])


@pytest.mark.slow
@pytest.mark.parametrize(("bend", "blind"), [(0.0, False), (0.25, True)])
def test_a_component_that_the_pricer_misses_shows(bend, blind):
    """Half of growth through a curve that neither regression nor neighbours follow, or none of it."""
    options = WorldOptions(
        postings=3000, sessions=3000, users=840, growth=0.125, bend=bend, curved_growth=0.125 if blind else 0.0
    )
    world = vector_world(options, rng=np.random.default_rng(4))
    beta, gamma, _ = np.linalg.qr(np.random.default_rng(4).normal(size=(options.dimensions, 3)))[0].T
    priced = price_world(world, pricer="matching", k=50, tau=0.1, penalties=(1.0, 30.0, 1000.0), seed=1)
    value, n, key = world.log_price - priced.residual, world.unit.size, priced.model.unit_key

    def slope_along(axis):
        tilts = [exponential_tilt(world.posting_vectors @ axis, strength=s) for s in (-1.0, -0.5, 0.5, 1.0)]
        found = backtest(np.full((4, n), 1 / n), np.stack(tilts), world.log_price, value, world.unit, n_units=n)
        estimate, influence = slope(found, np.arange(4))
        return estimate, interval_of(estimate, influence, key)

    seen, ends = slope_along(beta)
    assert ends[0] < 1 < ends[1] and seen == pytest.approx(1, abs=0.1)
    bent, ends = slope_along(gamma)
    assert (ends[0] > 1) == blind and (bent > 1.5) == blind

    coordinate, of_sessions = principal_components(world.posting_vectors, world.session_vectors, components=20)
    side = np.where(world.month == 0, 0, np.where(world.month == 6, 1, -1))
    target = month_means(of_sessions, np.ones(side.size), side, n_months=2)
    (start, end), _ = session_tilts(coordinate, target, min_effective=200)
    found = backtest(start[None], end[None], world.log_price, value, world.unit, n_units=n)
    missed, influence = found.missed()
    low, high = interval_of(missed[0], influence[:, 0], key)
    assert (low > 0) == blind and low < 0.125 * blind < high


def test_unit_keys_decide_the_draws_of_a_slope(postings):
    q, y = postings
    v = q @ np.array([0.4, -0.1, 0.0])
    key, rows = unit_key([f"p{i}" for i in range(UNITS)]), np.random.default_rng(1).permutation(N)
    tilts = [exponential_tilt(q[:, 0], strength=1.0), exponential_tilt(q[:, 1], strength=-1.0)]
    first = slope(run(tilts, y, v), np.arange(2))
    shuffled = backtest(np.full((2, N), 1 / N), np.stack(tilts)[:, rows], y[rows], v[rows], UNIT[rows], n_units=UNITS)
    again = slope(shuffled, np.arange(2))
    assert interval_of(*first, key) == pytest.approx(interval_of(*again, key), abs=1e-12)

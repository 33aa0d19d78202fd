"""The joint bootstrap: closed-form variance, common draws, calibration fitted again."""

import numpy as np
import pytest

from valuation.core import draws
from valuation.core.bootstrap import VARIATIONS, calibrated, calibration_replicates, joint_replicates
from valuation.core.influence import series_influence
from valuation.simulation.vector_pricing import price_world
from valuation.simulation.vectors import WorldOptions, vector_world

OPTIONS = WorldOptions(postings=300, sessions=300, users=60, months=3, dimensions=5, unit_size=2)
SEED, REPLICATES = 11, 4000


@pytest.fixture(scope="module")
def series():
    world = vector_world(OPTIONS, rng=np.random.default_rng(2))
    priced = price_world(world, pricer="matching", k=10, tau=0.1, penalties=(3.0,), seed=1)
    group = np.random.default_rng(3).integers(0, 2, world.month.size)
    cell = np.stack([world.month, 3 + 2 * world.month + group])
    influence = series_influence(priced.sessions, priced.model, priced.residual, cell, n_cells=9, use_hedonic=True)
    replicates, shares = joint_replicates(
        influence, unit_key=priced.model.unit_key, user_key=priced.sessions.user_key, seed=SEED, replicates=REPLICATES
    )
    return world, priced, influence, replicates, shares


def agrees(deviations, variance):
    """A sample variance within four standard errors; exponentials' fourth moment is 9, so twice the normal's error."""
    return np.abs(deviations.var(axis=0) / variance - 1) < 4 * np.sqrt(2.0 / deviations.shape[0]) * 1.5


def test_replicates_have_the_closed_form_variance(series):
    _, _, influence, replicates, shares = series
    users = np.asarray(influence.user.power(2).sum(axis=0))
    postings = (influence.posting**2).sum(axis=0)
    assert agrees(replicates.users, users).all()
    assert agrees(replicates.postings, postings).all()
    assert agrees(replicates.both, influence.variance).all()
    assert (postings > 0).all() and (users > 0).all()
    assert agrees(shares.users[:, 3:], np.asarray(influence.share_user.power(2).sum(axis=0))[3:]).all()


def test_postings_shared_by_months_cancel_in_growth(series):
    _, _, influence, replicates, _ = series
    change = replicates.postings[:, 2] - replicates.postings[:, 0]
    assert agrees(change[:, None], ((influence.posting[:, 2] - influence.posting[:, 0]) ** 2).sum()).all()
    assert change.var() < replicates.postings[:, 0].var() + replicates.postings[:, 2].var()


def test_a_replicate_is_the_sum_over_its_own_draws(series):
    _, priced, influence, replicates, shares = series
    unit = draws.exponentials(priced.model.unit_key, seed=SEED, stream=draws.POSTINGS, first=17, count=1)[0] - 1
    user = draws.exponentials(priced.sessions.user_key, seed=SEED, stream=draws.USERS, first=17, count=1)[0] - 1
    np.testing.assert_allclose(replicates.postings[17], unit @ influence.posting, atol=1e-12)
    np.testing.assert_allclose(replicates.users[17], user @ influence.user.toarray(), atol=1e-12)
    np.testing.assert_allclose(shares.users[17], user @ influence.share_user.toarray(), atol=1e-12)
    np.testing.assert_array_equal(replicates.both, replicates.users + replicates.postings)
    assert [replicates.deviations(variation)[17, 0] for variation in VARIATIONS] == [
        replicates.users[17, 0], replicates.postings[17, 0], replicates.both[17, 0],
    ]  # fmt: skip


def test_shares_of_groups_always_sum_to_one(series):
    shares = series[4]
    np.testing.assert_allclose(shares.point[3::2] + shares.point[4::2], 1.0)
    np.testing.assert_allclose(shares.users[:, 3::2] + shares.users[:, 4::2], 0.0, atol=1e-12)


def test_a_month_is_the_mix_of_its_groups_in_every_replicate(series):
    _, _, influence, replicates, shares = series
    groups = slice(3, 5)
    moved = replicates.both[:, groups] @ shares.point[groups] + shares.users[:, groups] @ influence.mean[groups]
    np.testing.assert_allclose(moved, replicates.both[:, 0], atol=1e-12)


def test_calibration_is_fitted_again_in_every_replicate(series):
    world, priced, *_ = series
    value = world.log_price - priced.residual
    found = calibration_replicates(
        value, world.log_price, world.unit, unit_key=priced.model.unit_key, seed=SEED, replicates=5
    )
    weight = draws.exponentials(priced.model.unit_key, seed=SEED, stream=draws.POSTINGS, first=0, count=5)
    slope, intercept = np.polyfit(value, world.log_price, 1)
    assert (found.slope, found.intercept) == pytest.approx((slope, intercept))
    for replicate in range(5):
        line = np.polyfit(value, world.log_price, 1, w=np.sqrt(weight[replicate][world.unit]))
        moved = (found.slope + found.slope_deviation[replicate], found.intercept + found.intercept_deviation[replicate])
        assert moved == pytest.approx(tuple(line))


def test_calibrated_series_moves_with_its_line(series):
    world, priced, _, replicates, _ = series
    value = world.log_price - priced.residual
    line = calibration_replicates(
        value, world.log_price, world.unit, unit_key=priced.model.unit_key, seed=SEED, replicates=REPLICATES
    )
    found = calibrated(replicates, line)
    np.testing.assert_allclose(found.point, line.intercept + line.slope * replicates.point)
    np.testing.assert_allclose(found.users, line.slope * replicates.users)
    exact = (line.intercept + line.intercept_deviation)[:, None] + (line.slope + line.slope_deviation)[:, None] * (
        replicates.point + replicates.postings
    )
    second_order = np.abs(line.slope_deviation[:, None] * replicates.postings)
    assert (np.abs(found.point + found.postings - exact) <= second_order + 1e-9).all()
    np.testing.assert_array_equal(found.both, found.users + found.postings)


def test_equal_values_cannot_be_calibrated():
    with pytest.raises(ValueError, match="all equal"):
        calibration_replicates(
            np.full(4, 5.0), np.arange(4.0), np.arange(4), unit_key=np.arange(4, dtype=np.uint64), seed=1, replicates=2
        )

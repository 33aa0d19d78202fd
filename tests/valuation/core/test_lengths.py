"""Lengths of summaries: strata, post-stratified growth and its errors, and what goes with length."""

import numpy as np
import pytest

from valuation.core import draws
from valuation.core.arrays import BasketModel, PricedSessions
from valuation.core.bootstrap import joint_replicates
from valuation.core.influence import series_influence
from valuation.core.lengths import STRATA, change_replicates, correlation_replicates, length_matched, length_strata
from valuation.core.price_axis import along_price_axis

USERS = draws.unit_key([f"u{i}" for i in range(30)])
UNITS = draws.unit_key([f"p{i}" for i in range(50)])


def test_strata_are_fifths_of_the_base_months_weight():
    length = np.arange(20.0)
    base = length < 10
    found = length_strata(length, np.ones(20), base)
    assert found[:10].tolist() == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]
    assert (found[10:] == 4).all()
    weight = np.where(length == 0, 11.0, 1.0)  # more than half of the weight on one length: its fifths are one
    assert length_strata(length, weight, base)[:10].tolist() == [0, 1, 2, 2, 2, 2, 3, 3, 3, 3]
    assert (length_strata(np.ones(5), np.ones(5), np.ones(5, dtype=bool)) == 0).all()


def sessions(seed=0, n=240):
    rng = np.random.default_rng(seed)
    features = np.zeros((50, 1))
    model = BasketModel(
        features, np.zeros(1), np.eye(1), rng.normal(size=50), rng.normal(size=50), np.arange(50), UNITS
    )
    neighbour = rng.integers(0, 50, (n, 4))
    side, length = rng.integers(0, 2, n), rng.normal(size=n)
    length += 0.8 * side  # summaries grow longer
    value = length + 0.1 * side + 0.3 * rng.normal(size=n)
    priced = PricedSessions(
        value, rng.uniform(0.5, 2, n), rng.integers(0, 30, n), USERS, neighbour, np.full((n, 4), 0.25), np.zeros((n, 1))
    )
    return priced, model, side, length


def matched(priced, model, side, length, *, drop=None, seed=1, replicates=400):
    stratum = length_strata(length, priced.weight, side == 0)
    cell = np.stack([side, 2 + side * STRATA + stratum])
    if drop is not None:
        gone = (side == 1) & (stratum == drop)
        cell[:, gone] = -1
    influence = series_influence(priced, model, model.log_price, cell, n_cells=2 + 2 * STRATA, use_hedonic=False)
    found = joint_replicates(influence, unit_key=UNITS, user_key=USERS, seed=seed, replicates=replicates)
    return length_matched(*found, influence, 2 + np.arange(STRATA), 2 + STRATA + np.arange(STRATA)), stratum


def by_hand(value, weight, side, stratum, strata=range(STRATA)):
    growth, covered = 0.0, 0.0
    base = weight[side == 0].sum()
    for q in strata:
        share = weight[(side == 0) & (stratum == q)].sum() / base
        means = [
            np.average(value[cell], weights=weight[cell]) for s in (0, 1) for cell in [(side == s) & (stratum == q)]
        ]
        growth, covered = growth + share * (means[1] - means[0]), covered + share
    return growth / covered, covered


def test_growth_is_at_the_base_months_lengths():
    priced, model, side, length = sessions()
    found, stratum = matched(priced, model, side, length)
    growth, covered = by_hand(priced.log_value, priced.weight, side, stratum)
    assert found.growth == pytest.approx(growth, abs=1e-12)
    assert found.covered == pytest.approx(covered) == pytest.approx(1)
    raw = np.average(priced.log_value[side == 1], weights=priced.weight[side == 1]) - np.average(
        priced.log_value[side == 0], weights=priced.weight[side == 0]
    )
    assert found.growth < 0.6 * raw  # most of it went with length


def test_a_stratum_without_later_sessions_leaves_the_comparison():
    priced, model, side, length = sessions()
    found, stratum = matched(priced, model, side, length, drop=1)
    keep = ~((side == 1) & (stratum == 1))
    growth, covered = by_hand(
        priced.log_value[keep], priced.weight[keep], side[keep], stratum[keep], strata=(0, 2, 3, 4)
    )
    assert found.growth == pytest.approx(growth, abs=1e-12)
    assert found.covered == pytest.approx(covered) and covered < 0.9


def test_no_stratum_in_common_is_none():
    priced, model, side, length = sessions()
    far = np.where(side == 1, 99.0, length)
    found, _ = matched(priced, model, side, far, drop=STRATA - 1)
    assert found is None


def test_deviations_are_those_of_reweighing_users_to_first_order():
    priced, model, side, length = sessions()
    found, stratum = matched(priced, model, side, length)
    drawn = draws.exponentials(USERS, seed=1, stream=draws.USERS, first=0, count=400)
    step = 1e-4
    for row in (0, 7):
        weight = priced.weight * (1 + step * (drawn[row] - 1))[priced.user]
        moved, _ = by_hand(priced.log_value, weight, side, stratum)
        assert (moved - found.growth) / step == pytest.approx(found.users[row], abs=1e-3)
    np.testing.assert_allclose(found.both, found.users + found.postings)
    assert found.postings.std() > 0
    assert found.support.effective_users <= 30


def test_correlation_and_its_deviations():
    priced, _, _, length = sessions()
    value, weight, user = priced.log_value, priced.weight, priced.user
    estimate, moved = correlation_replicates(value, length, weight, user, user_key=USERS, seed=1, replicates=50)

    def weighted(w):
        a, b = value - np.average(value, weights=w), length - np.average(length, weights=w)
        return (w * a * b).sum() / np.sqrt((w * a * a).sum() * (w * b * b).sum())

    assert estimate == pytest.approx(weighted(weight), abs=1e-12)
    drawn = draws.exponentials(USERS, seed=1, stream=draws.USERS, first=0, count=50)
    np.testing.assert_allclose(moved, [weighted(weight * w[user]) - estimate for w in drawn], atol=1e-12)
    flat, _ = correlation_replicates(value, np.ones(240), weight, user, user_key=USERS, seed=1, replicates=5)
    assert np.isnan(flat)


def test_change_of_a_mean_and_its_deviations():
    priced, _, side, length = sessions()
    weight, user = priced.weight, priced.user
    estimate, moved = change_replicates(
        length, weight, user, side == 0, side == 1, user_key=USERS, seed=1, replicates=50
    )

    def change(w):
        return np.average(length[side == 1], weights=w[side == 1]) - np.average(length[side == 0], weights=w[side == 0])

    assert estimate == pytest.approx(change(weight), abs=1e-12)
    drawn = draws.exponentials(USERS, seed=1, stream=draws.USERS, first=0, count=50)
    step = 1e-5
    slow = [(change(weight * (1 + step * (w - 1))[user]) - estimate) / step for w in drawn]
    np.testing.assert_allclose(moved, slow, atol=1e-4)


def test_growth_along_prices_carries_both_errors():
    moved, slope_moved, step = np.array([0.3, -0.2, 0.0]), np.array([0.0, 0.1, -0.4]), 1e-7
    estimate, deviations = along_price_axis(0.2, moved, 0.4, slope_moved)
    assert estimate == pytest.approx(0.5)
    np.testing.assert_allclose(deviations, ((0.2 + step * moved) / (0.4 + step * slope_moved) - 0.5) / step, atol=1e-5)

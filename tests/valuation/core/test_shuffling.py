"""Shuffled prices: a plain permutation where units are single, and the fast refits against the engine's own."""

from dataclasses import replace

import numpy as np
import pytest

from valuation.core.draws import fold_of, unit_key
from valuation.core.pricing import PRICERS
from valuation.core.shuffling import growth_gap, refitted_growth, shuffled_prices
from valuation.simulation.vector_pricing import FOLDS, price_world
from valuation.simulation.vectors import WorldOptions, vector_world

PENALTIES = (0.3, 3.0, 30.0, 1000.0)
KEYS = [f"c{i:03d}" for i in range(240)]


@pytest.fixture(scope="module")
def world():
    return vector_world(WorldOptions(postings=240, sessions=200, users=60, unit_size=3), rng=np.random.default_rng(1))


def keys_of(unit):
    return unit_key([f"posting:{u:06d}" for u in range(int(unit.max()) + 1)])


def shuffle(prices, unit, *, seed=4, count=6, names=KEYS):
    return shuffled_prices(prices, unit, unit_key=keys_of(unit), cluster_key=unit_key(names), seed=seed, count=count)


@pytest.mark.parametrize("pricer", PRICERS)
def test_refits_are_those_of_the_engine(world, pricer):
    priced = price_world(world, pricer=pricer, k=10, tau=0.1, penalties=PENALTIES, seed=3)
    last, base = world.month == 6, world.month == 0
    share = last / last.sum() - base / base.sum()
    fold = fold_of(keys_of(world.unit), folds=FOLDS, seed=3)[world.unit]
    gap = growth_gap(priced.sessions, share, priced.model, fold, pricer=pricer)
    prices = np.vstack([world.log_price, shuffle(world.log_price, world.unit)])
    fast = refitted_growth(world.posting_vectors, fold, prices, gap, penalties=PENALTIES)
    slow, chosen = [], set()
    for row in prices:
        again = price_world(replace(world, log_price=row), pricer=pricer, k=10, tau=0.1, penalties=PENALTIES, seed=3)
        slow.append(share @ again.sessions.log_value)
        chosen.add(again.penalty)
    np.testing.assert_allclose(fast, slow, atol=1e-11)
    assert len(chosen) > 1  # the penalty is chosen anew: shuffled prices want a larger one
    assert np.std(fast[1:]) > 0.001
    centred = refitted_growth(priced.model.features, fold, prices, gap, penalties=PENALTIES)
    np.testing.assert_allclose(centred, fast, atol=1e-11)


def test_every_shuffle_is_a_permutation_and_no_two_are_alike(world):
    found = shuffle(world.log_price, world.unit)
    np.testing.assert_array_equal(np.sort(found, axis=1), np.tile(np.sort(world.log_price), (6, 1)))
    assert len({tuple(row) for row in found}) == 6
    assert abs(np.corrcoef(found[0], world.log_price)[0, 1]) < 0.25


def test_prices_of_a_unit_stay_together(world):
    units = {frozenset(world.log_price[world.unit == u]) for u in range(80)}
    for row in shuffle(world.log_price, world.unit):
        assert {frozenset(row[world.unit == u]) for u in range(80)} == units
    within = [row[world.unit == u].tolist() for row in shuffle(world.log_price, world.unit) for u in range(80)]
    assert any(trio != sorted(trio, key=world.log_price.tolist().index) for trio in within)  # dealt anew inside


def test_the_order_of_rows_and_the_blocks_move_nothing(world, monkeypatch):
    whole = shuffle(world.log_price, world.unit)
    rows = np.random.default_rng(0).permutation(240)
    again = shuffle(world.log_price[rows], world.unit[rows], names=[KEYS[i] for i in rows])
    np.testing.assert_array_equal(again, whole[:, rows])
    monkeypatch.setattr("valuation.core.shuffling.BLOCK", 4)
    np.testing.assert_array_equal(shuffle(world.log_price, world.unit), whole)
    assert (shuffle(world.log_price, world.unit, seed=5) != whole).any()


def test_shuffled_growth_has_no_direction(world):
    priced = price_world(world, pricer="matching", k=10, tau=0.1, penalties=PENALTIES, seed=3)
    last, base = world.month == 6, world.month == 0
    fold = fold_of(keys_of(world.unit), folds=FOLDS, seed=3)[world.unit]
    gap = growth_gap(priced.sessions, last / last.sum() - base / base.sum(), priced.model, fold, pricer="matching")
    prices = shuffle(world.log_price, world.unit, count=400)
    growth = refitted_growth(world.posting_vectors, fold, prices, gap, penalties=PENALTIES)
    assert abs(growth.mean()) < 3 * growth.std() / 20


def test_of_two_equal_penalties_the_larger_is_chosen():
    from valuation.core.shuffling import _chosen

    error = np.array([[1.0, 2.0], [1.0, 1.0], [3.0, 1.0]])
    np.testing.assert_array_equal(_chosen(error, (10.0, 1.0, 5.0)), [0, 2])

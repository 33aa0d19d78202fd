"""Worlds of vectors and their populations: the stated truth is the truth."""

from dataclasses import replace

import numpy as np
import pytest

from valuation.core.kernel import kernel_weights
from valuation.core.pricing import PRICERS, price
from valuation.errors import ConfigError
from valuation.simulation.populations import even_points, population
from valuation.simulation.vector_pricing import fit_basket, nearest, value_of
from valuation.simulation.vectors import WorldOptions, make_landscape, vector_world

LARGE = WorldOptions(postings=20_000, sessions=60_000, users=30_000, months=2, dimensions=4)
KINDS = {"groups": (-0.6, 0.6), "shares_first": (0.7, 0.3), "shares_last": (0.2, 0.8)}
MAKES = {
    "plain": {},
    "curved": {"bend": 0.3, "growth": 0.1, "curved_growth": 0.15},
    "groups": KINDS,
    "away": {"away_first": 0.05, "away_last": 0.3, "away_value": -1.0},
    "unseen": {"growth": 0.0, "unseen_growth": 0.2},
    "gap": {"gap": 1.2},
    "all": KINDS | {"bend": 0.2, "curved_growth": 0.1, "away_last": 0.2, "away_value": 2.0, "unseen_growth": 0.1},
}


@pytest.mark.parametrize("make", MAKES.values(), ids=MAKES)
def test_the_true_mean_is_what_many_sessions_average_to(make):
    options = replace(LARGE, **make)
    world = vector_world(options, rng=np.random.default_rng(1))
    means = [world.true_value[world.month == m].mean() for m in (0, 1)]
    np.testing.assert_allclose(means, world.true_mean, atol=0.035)  # about four standard errors
    away = options.away_value * (options.away_last - options.away_first)
    mix = options.signal * 0.6 * 2 * 0.5 if options.groups else 0.0
    moved = options.growth + options.curved_growth + options.unseen_growth + away + mix
    assert world.true_mean[1] - world.true_mean[0] == pytest.approx(moved)


@pytest.mark.parametrize("make", MAKES.values(), ids=MAKES)
def test_a_population_has_exactly_the_true_mean_and_the_shares_of_its_month(make):
    land = make_landscape(replace(LARGE, **make), rng=np.random.default_rng(2))
    points = even_points(40, 4, rng=np.random.default_rng(3))
    for month in (0, 1):
        people = population(land, month, points)
        assert people.weight.sum() == pytest.approx(1.0)
        assert people.weight @ people.true_value == pytest.approx(land.true_mean[month], abs=1e-9)
        shares = np.bincount(people.group, weights=people.weight)
        np.testing.assert_allclose(shares, land.shares[month], atol=1e-12)
        assert people.vectors.shape[1] == (5 if land.options.strays else 4)


def test_even_points_are_pairs_with_mean_0_and_covariance_1():
    points = even_points(30, 5, rng=np.random.default_rng(4))
    np.testing.assert_allclose(points[:15], -points[15:])
    np.testing.assert_allclose(points.T @ points / 30, np.eye(5), atol=1e-12)
    for n in (31, 10):
        with pytest.raises(ValueError, match=f"{n} points in 5 dimensions: expected an even number above 10"):
            even_points(n, 5, rng=np.random.default_rng(4))


def test_noise_is_around_the_expected_price_whatever_its_shape():
    for skew, third in ((0.0, 0.0), (0.75, 3.26)):
        world = vector_world(replace(LARGE, skew=skew, sessions=10), rng=np.random.default_rng(5))
        noise = (world.log_price - world.expected_price) / LARGE.noise
        assert noise.mean() == pytest.approx(0.0, abs=0.03)
        assert noise.std() == pytest.approx(1.0, abs=0.05)
        assert (noise**3).mean() == pytest.approx(third, abs=0.6)
    clients = vector_world(replace(LARGE, unit_size=4, sessions=10), rng=np.random.default_rng(5))
    noise = (clients.log_price - clients.expected_price).reshape(-1, 4)
    assert np.corrcoef(noise.T)[0, 1] == pytest.approx(0.5, abs=0.05)


def test_sessions_away_are_unlike_every_posting_and_a_gap_displaces_all():
    world = vector_world(replace(LARGE, postings=500, away_first=0.2, away_last=0.2), rng=np.random.default_rng(6))
    away = world.session_vectors[:, -1] > 0
    assert 0.19 < away.mean() < 0.21
    assert not world.posting_vectors[:, -1].any()
    similarity, _ = nearest(world.session_vectors[:200], world.posting_vectors, count=1)
    assert similarity[away[:200], 0].max() < similarity[~away[:200], 0].min()
    plain, gap = (vector_world(replace(LARGE, gap=g), rng=np.random.default_rng(7)) for g in (0.0, 1.2))
    moved = gap.session_vectors - plain.session_vectors
    np.testing.assert_allclose(moved, moved[:1].repeat(len(moved), axis=0), atol=1e-12)
    assert np.linalg.norm(moved[0]) == pytest.approx(1.2)
    for direction in (gap.landscape.beta, gap.landscape.idle):
        assert moved[0] @ direction == pytest.approx(1.2 * np.sqrt(0.5))
    np.testing.assert_array_equal(plain.true_value, gap.true_value)
    np.testing.assert_array_equal(plain.log_price, gap.log_price)


def test_shares_must_be_one_a_group_and_add_up():
    with pytest.raises(ConfigError, match=r"2 groups of sessions with shares \(0.5, 0.6\): one each, sum 1"):
        WorldOptions(groups=(0.0, 1.0), shares_first=(0.5, 0.6), shares_last=(0.5, 0.5))
    with pytest.raises(ConfigError, match=r"0 groups of sessions with shares \(1.0,\)"):
        WorldOptions(shares_first=(1.0,))


def basket_and_world():
    world = vector_world(
        WorldOptions(postings=300, sessions=40, users=20, months=2, unit_size=2), rng=np.random.default_rng(8)
    )
    return fit_basket(world, k=20, tau=0.1, penalties=(1.0, 10.0), seed=2), world


def test_value_of_gives_what_the_engine_prices():
    basket, world = basket_and_world()
    similarity, row = nearest(world.session_vectors, basket.vectors, count=40)
    whole = price(basket.engine, similarity, row, world.session_vectors)
    near = kernel_weights(similarity[:, :20], np.ones((40, 20), dtype=bool), k=20, tau=0.1)
    for which, pricer in enumerate(PRICERS):
        found = value_of(basket, row[:, :20], near, world.session_vectors, pricer=pricer)
        np.testing.assert_allclose(found, whole.value[which], atol=1e-12)


def test_repricing_is_linear_in_prices_with_everything_else_held():
    basket, world = basket_and_world()
    np.testing.assert_allclose(basket.repriced(world.log_price).held_out, basket.held_out, atol=1e-10)
    first, second = world.log_price, world.expected_price
    mixed = basket.repriced(0.3 * first + 0.7 * second)
    parts = 0.3 * basket.repriced(first).held_out + 0.7 * basket.repriced(second).held_out
    np.testing.assert_allclose(mixed.held_out, parts, atol=1e-10)
    assert mixed.fit.penalty == basket.fit.penalty
    assert mixed.s_min == basket.s_min

"""Mix and within: exact, symmetric, and moved like growth in every replicate."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from valuation.core.bootstrap import Replicates, ShareReplicates, joint_replicates
from valuation.core.decomposition import decompose, mix_within
from valuation.core.growth import between, contrast_interval
from valuation.core.influence import series_influence
from valuation.simulation.vector_pricing import price_world
from valuation.simulation.vectors import WorldOptions, vector_world

GROUPS = st.integers(1, 8)


@st.composite
def months(draw):
    """Shares and means of two months; groups may be absent."""
    n = draw(GROUPS)
    sides = []
    for _ in range(2):
        weight = np.array(draw(st.lists(st.floats(0, 1).map(lambda w: w if w > 0.05 else 0.0), min_size=n, max_size=n)))
        weight = np.full(n, 1.0) if weight.sum() == 0 else weight
        mean = np.array(draw(st.lists(st.floats(-5, 12), min_size=n, max_size=n)))
        sides += [weight / weight.sum(), np.where(weight > 0, mean, np.nan)]
    return tuple(sides)


@given(months())
def test_within_and_mix_add_up_to_the_change(drawn):
    share_from, mean_from, share_to, mean_to = drawn
    found = mix_within(*drawn)
    change = np.nansum(share_to * mean_to) - np.nansum(share_from * mean_from)
    assert found.within.sum() + found.mix.sum() == pytest.approx(change, abs=1e-9)


@given(months())
def test_going_back_turns_every_sign(drawn):
    there, back = mix_within(*drawn), mix_within(*drawn[2:], *drawn[:2])
    np.testing.assert_allclose(there.within, -back.within, atol=1e-12)
    np.testing.assert_allclose(there.mix, -back.mix, atol=1e-12)


def test_worked_example():
    found = mix_within(np.array([0.75, 0.25]), np.array([4.0, 6.0]), np.array([0.5, 0.5]), np.array([4.2, 6.1]))
    np.testing.assert_allclose(found.within, [0.625 * 0.2, 0.375 * 0.1])
    average = 0.5 * (4.5 + 5.15)
    np.testing.assert_allclose(found.mix, [(4.1 - average) * -0.25, (6.05 - average) * 0.25])


def test_the_same_mix_has_only_within_and_the_same_values_only_mix():
    share, mean = np.array([0.3, 0.7]), np.array([4.0, 6.0])
    assert not mix_within(share, mean, share, mean + 0.4).mix.any()
    np.testing.assert_allclose(mix_within(share, mean, share, mean + 0.4).within.sum(), 0.4)
    assert not mix_within(share, mean, share[::-1], mean).within.any()
    np.testing.assert_allclose(mix_within(share, mean, share[::-1], mean).mix.sum(), -0.8)


def test_a_new_group_is_all_mix():
    found = mix_within(
        np.array([1.0, 0.0]), np.array([4.0, np.nan]), np.array([0.5, 0.5]), np.array([4.0, 6.0])
    )  # fmt: skip
    assert found.within.tolist() == [0.0, 0.0]
    assert found.mix.sum() == pytest.approx(1.0)


def test_groups_must_exhaust_the_month():
    with pytest.raises(ValueError, match="not 1: every session needs a group"):
        mix_within(np.array([0.5, 0.4]), np.ones(2), np.array([0.5, 0.5]), np.ones(2))


@pytest.fixture(scope="module")
def series():
    options = WorldOptions(postings=300, sessions=400, users=80, months=2, dimensions=5)
    world = vector_world(options, rng=np.random.default_rng(4))
    priced = price_world(world, pricer="matching", k=10, tau=0.1, penalties=(3.0,), seed=1)
    group = np.where(world.session_vectors[:, 0] > 0.5, 1, 0)
    group = np.where((world.month == 1) & (world.session_vectors[:, 1] > 1.0), 2, group)  # new in the second month
    cell = np.stack([world.month, 2 + 3 * world.month + group])
    influence = series_influence(priced.sessions, priced.model, priced.residual, cell, n_cells=8, use_hedonic=True)
    keys = {"unit_key": priced.model.unit_key, "user_key": priced.sessions.user_key}
    return joint_replicates(influence, **keys, seed=1, replicates=499)


CELLS = {"from_cells": np.array([2, 3, -1]), "to_cells": np.array([5, 6, 7])}


@pytest.mark.parametrize("variation", ["users", "postings", "both"])
def test_the_total_has_the_interval_of_growth(series, variation):
    replicates, shares = series
    found = decompose(replicates, shares, **CELLS, variation=variation, level=0.95, factor=1.3)
    whole = contrast_interval(
        replicates, between(8, np.array([0]), np.array([1])), variation=variation, level=0.95, factor=1.3
    )
    for part in ("estimate", "standard_error", "lower", "upper"):
        assert getattr(found.total, part)[-1] == pytest.approx(getattr(whole, part)[0], abs=1e-9)
    np.testing.assert_allclose(found.within.estimate + found.mix.estimate, found.total.estimate, atol=1e-9)
    assert found.within.estimate[:-1].sum() == pytest.approx(found.within.estimate[-1], abs=1e-12)
    assert found.within.estimate[2] == 0.0 and found.within.standard_error[2] == 0.0
    assert found.mix.standard_error[2] > 0


@pytest.mark.parametrize("absent", ["before", "after"])
def test_terms_move_as_their_derivative(absent):
    """Two replicates ±x have the standard deviation √2·|x|, so a standard error shows how far a term moved."""
    rng = np.random.default_rng(0)
    two, three = np.array([0, 1, -1]), np.array([2, 3, 4])
    first, second = (two, three) if absent == "before" else (three, two)
    cells = {"from_cells": first, "to_cells": second}
    mean, move = rng.normal(size=5), rng.normal(size=5)
    share, share_move = np.array([0.4, 0.6, 0.2, 0.5, 0.3]), np.array([0.1, -0.1, 0.2, -0.5, 0.3])

    def terms(step):
        sides = [(share + step * share_move, mean + step * move)] * 2
        parts = [
            np.where(at >= 0, part[at], 0.0) for at, side in zip(cells.values(), sides, strict=True) for part in side
        ]
        found = mix_within(*parts)
        return np.array([found.within, found.mix])

    slope = (terms(1e-6) - terms(-1e-6)) / 2e-6
    moved, share_moved = np.stack([move, -move]), np.stack([share_move, -share_move])
    found = decompose(
        Replicates(mean, moved, np.zeros_like(moved), moved), ShareReplicates(share, share_moved),
        **cells, variation="users", level=0.5, factor=1.0,
    )  # fmt: skip
    for term, expected in zip((found.within, found.mix), slope, strict=True):
        np.testing.assert_allclose(term.standard_error[:-1], np.sqrt(2) * np.abs(expected), atol=1e-8)
        assert term.standard_error[-1] == pytest.approx(np.sqrt(2) * abs(expected.sum()), abs=1e-8)


def test_posting_draws_do_not_move_shares(series):
    replicates, shares = series
    still = Replicates(replicates.point, replicates.users, np.zeros_like(replicates.users), replicates.users)
    found = decompose(still, shares, **CELLS, variation="postings", level=0.95, factor=1.0)
    assert not found.mix.standard_error.any() and not found.within.standard_error.any()

"""Stayers, entrants and leavers: contributions that add up, and their derivatives."""

import numpy as np
import pytest

from valuation.core import people
from valuation.core.arrays import PricedSessions
from valuation.core.influence import series_influence
from valuation.core.linear import joint_columns
from valuation.simulation.vector_pricing import price_world
from valuation.simulation.vectors import WorldOptions, vector_world


def test_cells_by_standing():
    user, side = np.array([0, 0, 1, 2, 0]), np.array([0, 1, 0, 1, 1])
    cell = people.who_cells(user, side, n_users=4)
    assert cell[0].tolist() == [0, 1, 0, 1, 1]
    assert cell[1].tolist() == [
        people.STAYERS_FROM, people.STAYERS_TO, people.LEAVERS, people.ENTRANTS, people.STAYERS_TO
    ]  # fmt: skip


@pytest.fixture(scope="module")
def world():
    options = WorldOptions(postings=200, sessions=160, users=100, months=2, dimensions=5)
    drawn = vector_world(options, rng=np.random.default_rng(3))
    priced = price_world(drawn, pricer="matching", k=8, tau=0.1, penalties=(3.0,), seed=1)
    weight = np.random.default_rng(1).uniform(0.5, 2, drawn.month.size)
    sessions = PricedSessions(
        priced.sessions.log_value, weight, priced.sessions.user, priced.sessions.user_key, priced.sessions.neighbour,
        priced.sessions.neighbour_weight, priced.sessions.features,
    )  # fmt: skip
    return drawn, priced, sessions


def columns_of(world, weight=None):
    drawn, priced, sessions = world
    chosen = sessions if weight is None else PricedSessions(
        sessions.log_value, weight, sessions.user, sessions.user_key, sessions.neighbour, sessions.neighbour_weight,
        sessions.features,
    )  # fmt: skip
    cell = people.who_cells(chosen.user, drawn.month, n_users=chosen.user_key.size)
    influence = series_influence(chosen, priced.model, priced.residual, cell, n_cells=people.N_CELLS, use_hedonic=True)
    return people.who_columns(influence, chosen.weight, cell), influence


def test_levels_by_hand(world):
    drawn, _, sessions = world
    columns, influence = columns_of(world)
    months = [set(sessions.user[drawn.month == month]) for month in (0, 1)]
    stays = np.isin(sessions.user, list(months[0] & months[1]))
    for cell, inside in (
        (people.ALL_FROM, drawn.month == 0), (people.STAYERS_TO, stays & (drawn.month == 1)),
        (people.LEAVERS, ~stays & (drawn.month == 0)), (people.ENTRANTS, ~stays & (drawn.month == 1)),
    ):  # fmt: skip
        users = len(set(sessions.user[inside]))
        mean = np.average(sessions.log_value[inside], weights=sessions.weight[inside])
        per_user = np.log(sessions.weight[inside].sum() / users)
        assert influence.n_users[cell] == users
        for value, counted, expected in ((True, False, mean), (False, True, per_user), (True, True, mean + per_user)):
            found = people.level(columns.point, cell, value=value, sessions=counted)
            assert found.value == pytest.approx(expected)


def test_contributions_add_up_to_growth_in_every_replicate(world):
    _, priced, sessions = world
    columns, _ = columns_of(world)
    (replicates,) = joint_columns(
        [columns], unit_key=priced.model.unit_key, user_key=sessions.user_key, seed=1, replicates=49
    )
    parts = people.contributions(columns.point)
    whole = people.change(columns.point, people.ALL_FROM, people.ALL_TO, value=True, sessions=False)
    assert sum(part.value for part in parts.values()) == pytest.approx(whole.value, abs=1e-9)
    moved = replicates.both @ sum(part.weights for part in parts.values())
    np.testing.assert_allclose(moved, replicates.both @ whole.weights, atol=1e-9)
    point = columns.point
    share = point[2 * people.N_CELLS :]
    assert parts["entrants"].value == pytest.approx(
        share[people.ENTRANTS] * (point[people.ENTRANTS] - point[people.STAYERS_TO])
    )
    assert parts["leavers"].value == pytest.approx(
        share[people.LEAVERS] * (point[people.STAYERS_FROM] - point[people.LEAVERS])
    )


def test_per_user_parts_move_as_their_derivative(world):
    """A user's weight in a cell counts both sessions and the user: their ratio is what moves."""
    _, _, sessions = world
    columns, influence = columns_of(world)
    user = int(np.flatnonzero(influence.user_share.toarray()[:, people.STAYERS_FROM])[0])
    mine = sessions.user == user
    cell = people.STAYERS_TO
    total, users = np.exp(columns.point[people.N_CELLS + cell]) * influence.n_users[cell], influence.n_users[cell]
    own = influence.user_share.toarray()[user, cell] * total
    step = 1e-6
    expected = (np.log((total + step * own) / (users + step)) - np.log(total / users)) / step
    assert columns.user.toarray()[user, people.N_CELLS + cell] == pytest.approx(expected, abs=1e-5)
    up, down = (columns_of(world, sessions.weight * np.where(mine, 1 + s, 1.0))[0].point for s in (1e-5, -1e-5))
    slope = (up - down) / 2e-5
    for part in (slice(0, people.N_CELLS), slice(2 * people.N_CELLS, None)):  # means and shares: weights alone
        np.testing.assert_allclose(columns.user.toarray()[user, part], slope[part], atol=1e-7)
    assert not columns.posting[:, people.N_CELLS :].any() and columns.posting[:, : people.N_CELLS].any()


def test_nobody_new_adds_nothing_and_without_stayers_nothing_is_told_apart():
    point = np.array([1.0, 2.0, 1.0, 2.0, np.nan, np.nan] + [0.0] * 6 + [1.0, 1.0, 1.0, 1.0, 0.0, 0.0])
    found = people.contributions(point)
    assert {name: part.value for name, part in found.items()} == {"stayers": 1.0, "entrants": 0.0, "leavers": 0.0}
    alone = np.array([1.0, 2.0, np.nan, np.nan, 1.0, 2.0] + [0.0] * 6 + [1.0, 1.0, 0.0, 0.0, 1.0, 1.0])
    assert all(np.isnan(part.value) for part in people.contributions(alone).values())

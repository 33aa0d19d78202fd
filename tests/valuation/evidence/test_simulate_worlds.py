"""One simulated world: what its intervals are held to, and what would be warned."""

from dataclasses import replace

import numpy as np
import pytest

from valuation.errors import ConfigError
from valuation.evidence.observed import observe
from valuation.evidence.study import run_world
from valuation.evidence.targets import targets_of
from valuation.evidence.worlds import BASE, CELLS, Cell, Estimation, cells_named
from valuation.simulation.vector_pricing import value_of
from valuation.simulation.vectors import vector_world

SMALL = replace(BASE, postings=300, sessions=160, users=50)
FIXED = Estimation(penalties=(3.0,), points=400)


def targets(world, how=FIXED, *, components=12):
    seen = observe(world, how, seed=4)
    found = targets_of(world, seen, how, components=components, rng=np.random.default_rng(9))
    return seen, {(target.series, target.target): target.change for target in found}


def change(values, month):
    return values[month == 1].mean() - values[month == 0].mean()


@pytest.mark.parametrize("pricer", ["matching", "neighbours", "hedonic"])
def test_the_postings_target_is_the_mean_estimate_over_redrawn_prices(pricer):
    how = replace(FIXED, pricer=pricer, points=26)
    world = vector_world(replace(SMALL, bend=0.3, curved_growth=0.1), rng=np.random.default_rng(1))
    seen, found = targets(world, how)
    rng, estimates = np.random.default_rng(2), []
    vectors, sessions = seen.vectors[seen.matched], seen.sessions
    for _ in range(60):
        noise = SMALL.noise * rng.normal(size=world.log_price.size)
        basket = seen.basket.repriced(world.expected_price + noise)
        values = value_of(basket, sessions.neighbour, sessions.neighbour_weight, vectors, pricer=pricer)
        estimates.append(change(values, seen.cell[0]))
    error = np.std(estimates) / np.sqrt(60)
    assert np.mean(estimates) == pytest.approx(found["postings", "pricer"], abs=4 * error)
    assert abs(found["postings", "pricer"] - found["postings", "true"]) > 4 * error  # the two targets are not one
    assert found["postings", "true"] == pytest.approx(change(world.true_value[seen.matched], seen.cell[0]))


def test_the_users_target_is_the_mean_estimate_over_redrawn_users():
    world = vector_world(SMALL, rng=np.random.default_rng(1))
    seen, found = targets(world)
    estimates = []
    for number in range(25):
        other = vector_world(replace(SMALL, sessions=400), rng=np.random.default_rng(100 + number))
        turned = other.session_vectors @ rotation(other.landscape, world.landscape)
        drawn = observe(replace(world, session_vectors=turned, user=other.user, month=other.month,
                                true_value=other.true_value, group=other.group), FIXED, seed=4)  # fmt: skip
        estimates.append(change(drawn.sessions.log_value, drawn.cell[0]))
    error = np.std(estimates) / np.sqrt(25)
    assert np.mean(estimates) == pytest.approx(found["users", "pricer"], abs=4 * error)
    assert abs(found["users", "pricer"] - found["joint", "pricer"]) > 0.01  # the prices drawn are not those expected


def rotation(source, target):
    """An orthogonal map that takes one landscape's directions to the other's."""
    frames = []
    for land in (source, target):
        first = np.stack([land.beta, land.gamma, land.idle])
        rest = np.linalg.svd(first)[2][3:]
        frames.append(np.concatenate([first, rest]))
    return frames[0].T @ frames[1]


def test_a_pricer_that_knows_f_has_the_truth_as_its_target_and_no_error_to_find():
    world = vector_world(replace(SMALL, noise=0.01), rng=np.random.default_rng(3))
    _, found = targets(world, replace(FIXED, pricer="hedonic", penalties=(1e-6,)))
    for series in ("users", "joint", "doubly_robust"):
        assert found[series, "pricer"] == pytest.approx(found[series, "true"], abs=0.01)
    assert found["joint", "true"] == pytest.approx(0.25, abs=0.02)


def test_where_sessions_are_unmatched_the_truth_of_all_is_another():
    options = replace(SMALL, away_first=0.05, away_last=0.25, away_value=-1.0)
    _, found = targets(vector_world(options, rng=np.random.default_rng(4)))
    assert found["joint", "all"] == pytest.approx(0.05)
    assert found["joint", "true"] == pytest.approx(0.25, abs=0.03)
    assert {target for series, target in found if series == "users"} == {"pricer", "true"}


def test_where_only_the_mix_moves_the_terms_say_so():
    mix, within = (cells_named((name,))[0].options for name in ("pure_mix", "pure_within"))
    _, moved = targets(vector_world(replace(mix, postings=300), rng=np.random.default_rng(5)))
    assert moved["mix", "true"] == pytest.approx(0.32, abs=0.02)
    assert moved["within", "true"] == pytest.approx(0.0, abs=0.02)
    assert moved["within", "pricer"] + moved["mix", "pricer"] == pytest.approx(moved["joint", "pricer"], abs=1e-9)
    _, grown = targets(vector_world(replace(within, postings=300), rng=np.random.default_rng(5)))
    assert grown["within", "true"] == pytest.approx(0.25, abs=0.02)
    assert grown["mix", "true"] == pytest.approx(0.0, abs=0.01)


def test_without_a_balance_there_is_no_doubly_robust_target():
    _, found = targets(vector_world(SMALL, rng=np.random.default_rng(6)), components=0)
    assert np.isnan(found["doubly_robust", "pricer"])
    assert np.isfinite(found["joint", "pricer"])


def test_a_world_depends_on_its_seed_number_and_kind_alone():
    cell = Cell("here", "", SMALL)
    once, again = run_world(cell, number=3, seed=1), run_world(cell, number=3, seed=1)
    assert once == again
    others = [run_world(cell, number=4, seed=1), run_world(cell, number=3, seed=2),
              run_world(replace(cell, name="there"), number=3, seed=1)]  # fmt: skip
    assert len({outcome.estimates[2].estimate for outcome in [once, *others]}) == 4
    assert [estimate.series for estimate in once.estimates] == ["users", "postings", "joint", "doubly_robust"]
    for estimate in once.estimates:
        assert estimate.lower < estimate.estimate < estimate.upper
        assert estimate.standard_error > 0
    users, postings, joint, _ = (estimate.standard_error for estimate in once.estimates)
    assert joint == pytest.approx(np.hypot(users, postings), rel=0.25)


def test_register_means_are_the_postings_and_the_base_months_users():
    how, world = replace(FIXED, register="centred"), vector_world(replace(SMALL, gap=1.2), rng=np.random.default_rng(7))
    seen = observe(world, how, seed=4)
    np.testing.assert_allclose(seen.basket.vectors.mean(axis=0), 0.0, atol=1e-12)
    base = world.month == 0
    own = [world.session_vectors[base & (world.user == user)].mean(axis=0) for user in np.unique(world.user[base])]
    np.testing.assert_allclose(seen.offset, np.mean(own, axis=0), atol=1e-12)
    np.testing.assert_allclose(seen.vectors, world.session_vectors - seen.offset)


def test_what_is_wrong_with_a_world_is_warned_of():
    def warned(name):
        return [run_world(cells_named((name,))[0], number=number, seed=1).warned for number in range(4)]

    sound = warned("plain")
    for name, rule in (("few_users", "few_users"), ("unmatched_rising", "matched_fall"), ("neighbours", "shift_check")):
        assert sum(getattr(found, rule) for found in warned(name)) >= 2
        assert sum(getattr(found, rule) for found in sound) <= 1


def test_where_the_pricer_misses_much_the_robust_interval_counts_what_users_do_to_the_tilt():
    cell = cells_named(("neighbours",))[0]
    for number in range(3):
        _, _, joint, robust = run_world(cell, number=number, seed=1).estimates
        assert robust.standard_error > 1.15 * joint.standard_error


def test_one_user_with_most_of_a_month_and_hubs_are_warned_of():
    heavy = run_world(Cell("h", "", replace(SMALL, users=3, heavy=3.0)), number=1, seed=1).warned
    assert heavy.one_user and heavy.few_users
    narrow = Estimation(k=1, tau=0.01, penalties=(3.0,), points=26)
    hubs = run_world(Cell("k", "", replace(SMALL, sessions=12, users=9), narrow), number=1, seed=1).warned
    assert hubs.few_postings and hubs.hubs and not heavy.few_postings and not heavy.hubs


def test_cells_are_named_and_their_make_is_in_their_digest():
    assert [cell.name for cell in cells_named(("no_growth", "plain"))] == ["plain", "no_growth"]
    assert cells_named(()) == CELLS
    with pytest.raises(ConfigError, match="no kind of world 'plane'; there are plain, no_growth"):
        cells_named(("plane",))
    assert len({cell.digest for cell in CELLS}) == len(CELLS)
    assert replace(CELLS[0], estimation=Estimation(k=51)).digest != CELLS[0].digest
    assert replace(CELLS[0], options=replace(BASE, noise=1.31)).digest != CELLS[0].digest
    assert replace(CELLS[0], what="other words").digest == CELLS[0].digest

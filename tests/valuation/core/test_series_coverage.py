"""The series' intervals against the truth, and the linear form against exact refits."""

from dataclasses import dataclass, replace

import numpy as np
import pytest

from valuation.core import draws
from valuation.core.bootstrap import joint_replicates
from valuation.core.growth import between, contrast_interval, growth, slope
from valuation.core.influence import series_influence
from valuation.core.shift_check import month_means, principal_components, shift_check
from valuation.simulation.vector_pricing import price_world
from valuation.simulation.vectors import WorldOptions, vector_world

PENALTIES = (0.3, 1.0, 3.0, 10.0, 30.0)
SMALL = WorldOptions(postings=700, sessions=700, users=200, months=5)
BENT = replace(
    SMALL, postings=1500, sessions=1000, users=350, months=2, bend=0.3, growth=0.125, curved_growth=0.125
)  # fmt: skip


@dataclass(frozen=True)
class Drawn:
    truth: float
    estimate: float
    errors: tuple[float, float, float]  # users, postings, both
    closed_form: float
    lower: float
    upper: float
    trend_covers: bool
    shift: tuple[float, float]
    corrected: tuple[float, float]


def drawn(options, seed):
    world = vector_world(options, rng=np.random.default_rng(seed))
    priced = price_world(world, pricer="matching", k=50, tau=0.1, penalties=PENALTIES, seed=1)
    n, keys = options.months, {"unit_key": priced.model.unit_key, "seed": seed}
    influence = series_influence(
        priced.sessions, priced.model, priced.residual, world.month[None], n_cells=n, use_hedonic=True
    )
    series, _ = joint_replicates(influence, user_key=priced.sessions.user_key, replicates=399, **keys)
    ends, line = between(n, np.array([0]), np.array([n - 1])), slope(n, np.arange(n), np.arange(n))
    found = {
        variation: growth(
            series, influence, contrast=ends, months_apart=n - 1, trend=line, variation=variation, level=0.95
        )
        for variation in ("users", "postings", "both")
    }
    both = found["both"]
    variance = ((influence.posting @ ends) ** 2).sum() + ((influence.user @ ends) ** 2).sum()
    postings, sessions = principal_components(world.posting_vectors, world.session_vectors, components=20)
    target = month_means(sessions, priced.sessions.weight, world.month, n_months=n)
    compared = np.isin(np.arange(n), [0, n - 1])
    check = shift_check(
        postings, target, priced.residual, world.unit, series, together=compared, min_effective=200.0, **keys
    )
    shift, corrected = (
        contrast_interval(part, ends, variation="both", level=0.95, factor=1.0)
        for part in (check.difference, check.corrected)
    )
    truth = world.true_mean[-1] - world.true_mean[0]
    return Drawn(
        truth, both.log_growth.estimate, tuple(found[v].standard_error for v in found), float(np.sqrt(variance)),
        both.log_growth.lower, both.log_growth.upper, both.trend.lower <= truth / (n - 1) <= both.trend.upper,
        (shift.lower[0], shift.upper[0]), (corrected.lower[0], corrected.upper[0]),
    )  # fmt: skip


def coverage(worlds, *, stretch=1.0):
    inside = [
        world.estimate + stretch * (world.lower - world.estimate)
        <= world.truth
        <= world.estimate + stretch * (world.upper - world.estimate)
        for world in worlds
    ]
    return float(np.mean(inside))


@pytest.mark.slow
@pytest.mark.parametrize(
    "options",
    [
        SMALL,
        replace(SMALL, heavy=1.0, unit_size=3),  # some users work much, clients post three times with a common error
        replace(SMALL, users=45, growth=-0.4),  # few users
    ],
    ids=["plain", "heavy", "few-users"],
)
def test_the_joint_interval_holds_the_truth_in_91_to_99_of_100_worlds(options):
    worlds = [drawn(options, seed) for seed in range(200)]
    assert 0.91 <= coverage(worlds) <= 0.99
    assert 0.91 <= np.mean([world.trend_covers for world in worlds]) <= 0.99
    assert coverage(worlds, stretch=0.6) < 0.91 and coverage(worlds, stretch=1.6) > 0.99  # the test can fail
    users, postings, both = np.array([world.errors for world in worlds]).T
    assert (users > 0).all() and (postings > 0).all()
    np.testing.assert_allclose(both, np.hypot(users, postings), rtol=0.2)  # 399 replicates: 4 se of a sd is 0.15
    np.testing.assert_allclose(both, [world.closed_form for world in worlds], rtol=0.2)
    spread = np.std([world.estimate - world.truth for world in worlds])
    assert both.mean() == pytest.approx(spread, rel=0.2)


@pytest.mark.slow
def test_doubling_the_true_growth_doubles_the_estimate():
    once = [drawn(SMALL, seed).estimate for seed in range(12)]
    twice = [drawn(replace(SMALL, growth=2 * SMALL.growth), seed).estimate for seed in range(12)]
    assert np.mean(np.subtract(twice, once)) == pytest.approx(SMALL.growth, abs=0.03)


@pytest.mark.slow
def test_the_shift_check_finds_growth_that_the_pricer_cannot_see():
    biased = [drawn(BENT, seed) for seed in range(30)]
    sound = [drawn(replace(BENT, bend=0.0, growth=0.25, curved_growth=0.0), seed) for seed in range(30)]
    assert np.mean([world.shift[0] > 0 for world in biased]) > 0.6
    assert np.mean([not world.shift[0] <= 0 <= world.shift[1] for world in sound]) <= 0.1
    assert np.mean([world.estimate - world.truth for world in biased]) < -0.03
    held = np.mean([world.corrected[0] <= world.truth <= world.corrected[1] for world in biased])
    assert held > coverage(biased)
    assert held >= 0.85


@pytest.mark.slow
def test_the_linear_form_agrees_with_exact_refits():
    """Reweight postings and users, fit every fold's ridge again (λ and neighbours' weights fixed), average again."""
    options = replace(SMALL, postings=600, sessions=400, users=120, months=2, unit_size=2, dimensions=6)
    world = vector_world(options, rng=np.random.default_rng(8))
    priced = price_world(world, pricer="matching", k=40, tau=0.2, penalties=(3.0,), seed=1)
    sessions, model, keys = priced.sessions, priced.model, {"unit_key": priced.model.unit_key, "seed": 4}
    influence = series_influence(sessions, model, priced.residual, world.month[None], n_cells=2, use_hedonic=True)
    linear, _ = joint_replicates(influence, user_key=sessions.user_key, replicates=299, **keys)
    fold = draws.fold_of(model.unit_key, folds=5, seed=1)[world.unit]
    unit = draws.exponentials(model.unit_key, seed=4, stream=draws.POSTINGS, first=0, count=299)[:, world.unit]
    user = draws.exponentials(sessions.user_key, seed=4, stream=draws.USERS, first=0, count=299)[:, sessions.user]
    change = linear.point[1] - linear.point[0]
    for variation, posting_draws, user_draws in (
        ("postings", unit, np.ones_like(user)), ("users", np.ones_like(unit), user), ("both", unit, user),
    ):  # fmt: skip
        refitted = np.array([
            refitted_growth(world, priced, fold, *weights) for weights in zip(posting_draws, user_draws, strict=True)
        ])  # fmt: skip
        moved = linear.deviations(variation)
        approximate = moved[:, 1] - moved[:, 0]
        exact = refitted - change
        assert approximate.std() > 0
        assert approximate.std() == pytest.approx(exact.std(), rel=0.10), variation
        assert np.corrcoef(approximate, exact)[0, 1] > 0.95, variation


def refitted_growth(world, priced, fold, posting_weight, session_weight):
    sessions, model = priced.sessions, priced.model
    of_neighbour = sessions.neighbour_weight * posting_weight[sessions.neighbour]
    of_neighbour /= of_neighbour.sum(axis=1, keepdims=True)
    value = np.zeros(sessions.log_value.size)
    for left_out in range(5):
        weight = posting_weight * (fold != left_out)
        centre, level = weight @ model.features / weight.sum(), weight @ model.log_price / weight.sum()
        x = model.features - centre
        gram = (x * weight[:, None]).T @ x + priced.penalty * np.eye(x.shape[1])
        coefficient = np.linalg.solve(gram, (x * weight[:, None]).T @ (model.log_price - level))
        residual = model.log_price - level - x @ coefficient
        corrected = residual[sessions.neighbour] + (level + (sessions.features - centre) @ coefficient)[:, None]
        value += (of_neighbour * corrected * (fold[sessions.neighbour] == left_out)).sum(axis=1)
    means = [np.average(value[world.month == m], weights=session_weight[world.month == m]) for m in (0, 1)]
    return means[1] - means[0]

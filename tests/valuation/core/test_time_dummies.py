"""Month effects: weights, what cannot be told apart, and their influence functions."""

import numpy as np
import pytest
from scipy.sparse import csr_array

from valuation.core.bootstrap import joint_replicates
from valuation.core.influence import series_influence
from valuation.core.linear import Columns, combination, few_factor, joint_columns, posting_influence
from valuation.core.time_dummies import effect_columns, month_effects
from valuation.simulation.vector_pricing import price_world
from valuation.simulation.vectors import WorldOptions, vector_world

NO_COLUMN = np.zeros((0, 0), dtype=np.int64)


@pytest.fixture(scope="module", params=["matching", "neighbours", "hedonic"])
def world(request):
    options = WorldOptions(postings=200, sessions=300, users=60, months=3, dimensions=5, unit_size=2)
    drawn = vector_world(options, rng=np.random.default_rng(4))
    priced = price_world(drawn, pricer=request.param, k=8, tau=0.1, penalties=(3.0,), seed=1)
    return drawn, priced, request.param != "neighbours"


def columns_of(priced, month, group, use_hedonic):
    effects = month_effects(priced.sessions.log_value, priced.sessions.weight, month, group, n_months=3)
    return effects, effect_columns(effects, priced.sessions, priced.model, priced.residual, use_hedonic=use_hedonic)


def test_without_columns_it_is_the_difference_of_means(world):
    drawn, priced, use_hedonic = world
    effects, columns = columns_of(priced, drawn.month, NO_COLUMN, use_hedonic)
    influence = series_influence(
        priced.sessions, priced.model, priced.residual, drawn.month[None, :], n_cells=3, use_hedonic=use_hedonic
    )
    np.testing.assert_allclose(effects.estimate, influence.mean - influence.mean[0], atol=1e-12)
    np.testing.assert_allclose(columns.posting, influence.posting - influence.posting[:, [0]], atol=1e-12)
    user = influence.user.toarray()
    np.testing.assert_allclose(columns.user.toarray(), user - user[:, [0]], atol=1e-12)


def test_effects_are_weighted_least_squares(world):
    drawn, priced, use_hedonic = world
    rng = np.random.default_rng(2)
    weight, group = rng.uniform(0.2, 3, drawn.month.size), rng.integers(0, 3, (2, drawn.month.size))
    effects = month_effects(priced.sessions.log_value, weight, drawn.month, group, n_months=3)
    design = np.column_stack(
        [drawn.month == 1, drawn.month == 2, np.ones(drawn.month.size)]
        + [group[i] == g for i in (0, 1) for g in (1, 2)]
    ).astype(float)
    root = np.sqrt(weight)[:, None]
    fitted = np.linalg.lstsq(design * root, priced.sessions.log_value * root[:, 0], rcond=None)[0]
    np.testing.assert_allclose(effects.estimate, [0.0, *fitted[:2]], atol=1e-10)
    np.testing.assert_allclose(effects.session_weight @ priced.sessions.log_value, effects.estimate, atol=1e-10)
    np.testing.assert_allclose(effects.residual, priced.sessions.log_value - design @ fitted, atol=1e-10)


def test_a_month_that_no_group_links_has_no_effect():
    value, month = np.array([1.0, 2.0, 3.0, 4.0, 9.0]), np.array([0, 1, 1, 2, 2])
    effects = month_effects(value, np.ones(5), month, np.array([[0, 0, 1, 1, 2]]), n_months=3)
    np.testing.assert_allclose(effects.estimate, [0.0, 1.0, 2.0], atol=1e-9)  # month 2 through month 1's other group
    apart = month_effects(value, np.ones(5), month, np.array([[0, 0, 0, 1, 2]]), n_months=3)
    np.testing.assert_allclose(apart.estimate[:2], [0.0, 1.5], atol=1e-9)
    assert np.isnan(apart.estimate[2]) and not apart.session_weight.toarray()[2].any()


def test_influence_is_the_derivative_by_a_users_weight(world):
    drawn, priced, use_hedonic = world
    group = np.random.default_rng(2).integers(0, 3, (1, drawn.month.size))
    _, columns = columns_of(priced, drawn.month, group, use_hedonic)
    for user in (0, 7):
        mine = (priced.sessions.user == user).astype(float)
        moved = [
            month_effects(priced.sessions.log_value, 1 + step * mine, drawn.month, group, n_months=3).estimate
            for step in (1e-5, -1e-5)
        ]
        np.testing.assert_allclose(columns.user.toarray()[user], (moved[0] - moved[1]) / 2e-5, atol=1e-7)


def test_posting_influence_of_a_mean_is_that_of_its_cell(world):
    drawn, priced, use_hedonic = world
    inside = (drawn.month == 1).astype(float)
    share = csr_array((inside / inside.sum())[None, :])
    found = posting_influence(priced.sessions, priced.model, priced.residual, share, use_hedonic=use_hedonic)
    influence = series_influence(
        priced.sessions, priced.model, priced.residual, drawn.month[None, :], n_cells=3, use_hedonic=use_hedonic
    )
    np.testing.assert_allclose(found[:, 0], influence.posting[:, 1], atol=1e-12)


def test_parts_are_drawn_as_the_series_is(world):
    drawn, priced, use_hedonic = world
    influence = series_influence(
        priced.sessions, priced.model, priced.residual, drawn.month[None, :], n_cells=3, use_hedonic=use_hedonic
    )
    keys = {"unit_key": priced.model.unit_key, "user_key": priced.sessions.user_key, "seed": 5, "replicates": 49}
    series, _ = joint_replicates(influence, **keys)
    part = Columns(influence.mean, influence.posting, influence.user)
    one = Columns(influence.mean[[2]], influence.posting[:, [2]], influence.user[:, [2]])
    found = joint_columns([one, part], **keys)
    for name in ("point", "users", "postings", "both"):
        np.testing.assert_allclose(getattr(found[1], name), getattr(series, name), atol=1e-14)
        np.testing.assert_allclose(getattr(found[0], name), getattr(series, name)[..., [2]], atol=1e-14)
    moved = combination(found[1], 0.7, np.array([1.0, 0.0, -2.0]), variation="users", level=0.9, factor=2.0)
    deviations = series.users[:, 0] - 2 * series.users[:, 2]
    assert moved.standard_error[0] == pytest.approx(deviations.std(ddof=1))
    assert moved.estimate[0] == 0.7 and moved.upper[0] - 0.7 == pytest.approx(0.7 - moved.lower[0])
    plain = combination(found[1], 0.7, np.array([1.0, 0.0, -2.0]), variation="users", level=0.9, factor=1.0)
    assert moved.upper[0] - 0.7 == pytest.approx(2 * (plain.upper[0] - 0.7))
    assert few_factor(influence, np.array([-1.0, 0.0, 1.0]), variation="users", level=0.95) >= 1.0

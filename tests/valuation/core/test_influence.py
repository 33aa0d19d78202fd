"""Influence functions: against the formulas in plain loops, and against derivatives of refitted estimators."""

from dataclasses import replace

import numpy as np
import pytest

from valuation.core.influence import series_influence
from valuation.core.pricing import PRICERS
from valuation.simulation.vector_pricing import price_world
from valuation.simulation.vectors import WorldOptions, vector_world

OPTIONS = WorldOptions(postings=120, sessions=90, users=25, months=3, dimensions=4, unit_size=2)
N_CELLS = 9  # three months, then two groups in each


def small(pricer="matching"):
    world = vector_world(OPTIONS, rng=np.random.default_rng(5))
    priced = price_world(world, pricer=pricer, k=8, tau=0.1, penalties=(3.0,), seed=1)
    rng = np.random.default_rng(6)
    group = rng.integers(-1, 2, world.month.size)  # -1: a session without a group
    cell = np.stack([world.month, np.where(group < 0, -1, 3 + 2 * world.month + group)])
    return replace(priced, sessions=replace(priced.sessions, weight=rng.uniform(0.5, 2.0, world.month.size))), cell


def influence_of(priced, cell, *, use_hedonic=True):
    return series_influence(
        priced.sessions, priced.model, priced.residual, cell, n_cells=N_CELLS, use_hedonic=use_hedonic
    )


@pytest.mark.parametrize("pricer", PRICERS)
def test_influence_is_the_formula_written_out(pricer):
    priced, cell = small(pricer)
    sessions, model = priced.sessions, priced.model
    found = influence_of(priced, cell, use_hedonic=pricer != "neighbours")
    for code in range(N_CELLS):
        inside = [i for i in range(sessions.weight.size) if code in cell[:, i]]
        share = {i: sessions.weight[i] / sum(sessions.weight[j] for j in inside) for i in inside}
        mean = sum(share[i] * sessions.log_value[i] for i in inside)
        weight = np.zeros(model.log_price.size)
        for i in inside:
            for j, w in zip(sessions.neighbour[i], sessions.neighbour_weight[i], strict=True):
                weight[j] += share[i] * w
        gap = sum(share[i] * sessions.features[i] for i in inside) - weight @ model.features
        if pricer == "neighbours":
            gap = np.zeros_like(gap)
        posting, user = np.zeros(model.unit_key.size), np.zeros(sessions.user_key.size)
        for j, unit in enumerate(model.unit):
            regression = gap @ model.gram_inverse @ model.features[j] + (pricer == "hedonic") / model.log_price.size
            posting[unit] += weight[j] * priced.residual[j] + regression * model.hedonic_residual[j]
        for i in inside:
            user[sessions.user[i]] += share[i] * (sessions.log_value[i] - mean)
        assert found.mean[code] == pytest.approx(mean)
        assert found.n_sessions[code] == len(inside)
        assert found.n_users[code] == len({sessions.user[i] for i in inside})
        np.testing.assert_allclose(found.cluster_weight[code], weight, atol=1e-14)
        np.testing.assert_allclose(found.feature_gap[code], gap, atol=1e-13)
        np.testing.assert_allclose(found.posting[:, code], posting, atol=1e-13)
        np.testing.assert_allclose(found.user.toarray()[:, code], user, atol=1e-13)
        np.testing.assert_allclose(found.variance[code], (posting**2).sum() + (user**2).sum())


def ridge(features, log_price, weight, penalty):
    """Weighted ridge with an unpenalised intercept."""
    centre, level = weight @ features / weight.sum(), weight @ log_price / weight.sum()
    x = features - centre
    slope = np.linalg.solve(
        (x * weight[:, None]).T @ x + penalty * np.eye(x.shape[1]), (x * weight[:, None]).T @ log_price
    )
    return lambda z: level + (z - centre) @ slope


@pytest.mark.parametrize("pricer", PRICERS)
def test_influence_is_the_derivative_of_the_refitted_mean(pricer):
    """With in-sample residuals the linear form is exact: move one unit's weight and fit everything again."""
    priced, cell = small(pricer)
    sessions, model = priced.sessions, priced.model
    share = sessions.weight * (cell[0] == 1) / sessions.weight[cell[0] == 1].sum()

    def mean(weight):
        fitted = ridge(model.features, model.log_price, weight, priced.penalty)
        if pricer == "hedonic":
            return share @ fitted(sessions.features)
        flat = fitted(model.features) if pricer == "matching" else np.full(model.log_price.size, 4.0)
        own = fitted(sessions.features) if pricer == "matching" else 4.0
        shifted = flat + weight * (model.log_price - flat)  # neighbours' weights are not normalised again
        return share @ (own + (sessions.neighbour_weight * (shifted - flat)[sessions.neighbour]).sum(axis=1))

    one = np.ones(model.log_price.size)
    fitted = ridge(model.features, model.log_price, one, priced.penalty)(model.features)
    in_sample = model.log_price - (4.0 if pricer == "neighbours" else fitted)
    exact = replace(priced, model=replace(model, hedonic_residual=model.log_price - fitted), residual=in_sample)
    found = influence_of(exact, cell, use_hedonic=pricer != "neighbours")
    for unit in (0, 7, 31):
        step = 1e-5 * (model.unit == unit)
        slope = (mean(one + step) - mean(one - step)) / 2e-5
        assert found.posting[unit, 1] == pytest.approx(slope, abs=1e-8)


def test_shares_of_cells_and_the_derivative_of_shares():
    priced, cell = small()
    found = influence_of(priced, cell)
    sessions = priced.sessions

    def shares(of_user):
        weight = sessions.weight * of_user[sessions.user]
        month = np.array([weight[cell[0] == m].sum() for m in range(3)])
        group = np.array([weight[cell[1] == code].sum() for code in range(3, N_CELLS)])
        return np.concatenate([np.ones(3), group / np.repeat(month, 2)])

    one = np.ones(sessions.user_key.size)
    np.testing.assert_allclose(found.cell_share, shares(one))
    step = 1e-5 * np.eye(one.size)
    slope = np.array([(shares(one + row) - shares(one - row)) / 2e-5 for row in step])
    np.testing.assert_allclose(found.share_user.toarray(), slope, atol=1e-9)


def test_user_shares_and_posting_shares_sum_to_one():
    for pricer in PRICERS:
        priced, cell = small(pricer)
        found = influence_of(priced, cell, use_hedonic=pricer != "neighbours")
        np.testing.assert_allclose(np.asarray(found.user_share.sum(axis=0)), 1.0)
        np.testing.assert_allclose(found.posting_share.sum(axis=0), 1.0)
        np.testing.assert_allclose(found.cluster_weight.sum(axis=1), 0.0 if pricer == "hedonic" else 1.0, atol=1e-12)


def test_users_of_a_cell_pull_against_each_other():
    priced, cell = small()
    np.testing.assert_allclose(np.asarray(influence_of(priced, cell).user.sum(axis=0)), 0.0, atol=1e-14)


def test_an_empty_cell_has_no_mean_and_no_influence():
    priced, cell = small()
    cell = np.where(cell == 2, 1, cell)[:1]
    found = influence_of(priced, cell)
    assert np.isnan(found.mean[2]) and found.n_sessions[2] == 0
    assert not found.posting[:, 2].any() and not found.user[:, [2]].toarray().any()
    assert found.cell_share[2] == 0.0


@pytest.mark.parametrize("order_seed", [0, 1])
def test_the_order_of_sessions_does_not_matter(order_seed):
    priced, cell = small()
    order = np.random.default_rng(order_seed).permutation(cell.shape[1])
    sessions = replace(
        priced.sessions,
        **{
            name: getattr(priced.sessions, name)[order]
            for name in ("log_value", "weight", "user", "neighbour", "neighbour_weight", "features")
        },
    )
    found = influence_of(replace(priced, sessions=sessions), cell[:, order])
    expected = influence_of(priced, cell)
    np.testing.assert_allclose(found.mean, expected.mean, atol=1e-12)
    np.testing.assert_allclose(found.posting, expected.posting, atol=1e-12)


def test_misaligned_input_is_refused():
    priced, cell = small()
    with pytest.raises(ValueError, match="for 90 sessions"):
        influence_of(priced, cell[:, :-1])
    with pytest.raises(ValueError, match="expected -1 to 8"):
        influence_of(priced, cell + 9)
    with pytest.raises(ValueError, match="119 residuals for 120 clusters"):
        influence_of(replace(priced, residual=priced.residual[:-1]), cell)
    with pytest.raises(ValueError, match="spans two months"):
        influence_of(priced, np.stack([cell[0], np.full(90, 3)]))
    broken = replace(priced.sessions, log_value=np.full(90, np.nan))
    with pytest.raises(ValueError, match="finite"):
        influence_of(replace(priced, sessions=broken), cell)

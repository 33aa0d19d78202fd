"""Index numbers against published worked examples, decompositions and regressions against other packages."""

import numpy as np
import pandas as pd
import pytest

from valuation.core.decomposition import mix_within
from valuation.core.index_numbers import METHODS, index_paths, link
from valuation.core.linear import posting_influence
from valuation.core.time_dummies import effect_columns, month_effects
from valuation.simulation.vector_pricing import price_world
from valuation.simulation.vectors import WorldOptions, vector_world

# Six commodities in five periods: ILO, IMF, OECD, UNECE and World Bank (2004), Producer Price Index Manual, tables 19.1
# and 19.2; Balk (2008), Price and Quantity Index Numbers, tables 3.1 and 3.2.
PRICES = np.array(
    [
        [1.0, 1.0, 1.0, 1.0, 1.0, 1.0],
        [1.2, 3.0, 1.3, 0.7, 1.4, 0.8],
        [1.0, 1.0, 1.5, 0.5, 1.7, 0.6],
        [0.8, 0.5, 1.6, 0.3, 1.9, 0.4],
        [1.0, 1.0, 1.6, 0.1, 2.0, 0.2],
    ]
)
QUANTITIES = np.array(
    [
        [1.0, 1.0, 2.0, 1.0, 4.5, 0.5],
        [0.8, 0.9, 1.9, 1.3, 4.7, 0.6],
        [1.0, 1.1, 1.8, 3.0, 5.0, 0.8],
        [1.2, 1.2, 1.9, 6.0, 5.6, 1.3],
        [0.9, 1.2, 2.0, 12.0, 6.5, 2.5],
    ]
)
# Balk's tables 3.4 and 3.6, as printed by the examples of the R package gpindex (`price_data`), four digits.
DIRECT = {
    "laspeyres": [1.0, 1.42, 1.345, 1.355, 1.44],
    "paasche": [1.0, 1.3824, 1.2031, 1.0209, 0.7968],
    "fisher": [1.0, 1.4011, 1.2721, 1.1762, 1.0712],
    "tornqvist": [1.0, 1.4052, 1.289, 1.2268, 1.2477],
}
# The same data by value shares of one period (gpindex again): their geometric mean is Törnqvist.
GEOMETRIC_BY_VALUE = {"base": [1.0, 1.33, 1.2523, 1.1331, 1.0999], "current": [1.0, 1.4846, 1.3268, 1.3282, 1.4153]}


def paths(prices, quantities):
    """Index numbers by method and comparison; an absent good has quantity 0."""
    share = quantities / quantities.sum(axis=1, keepdims=True)
    cells = np.where(share > 0, np.arange(share.size).reshape(share.shape), -1)
    log_price = np.log(np.where(share > 0, prices, 1.0))
    return {
        (path.method, path.comparison): np.exp(path.log_number)
        for path in index_paths(log_price.ravel(), share.ravel(), cells)
    }


@pytest.mark.parametrize("method", DIRECT)
def test_direct_index_numbers_of_the_manuals_example(method):
    np.testing.assert_allclose(paths(PRICES, QUANTITIES)[method, "direct"], DIRECT[method], atol=5e-5)


def test_tornqvist_lies_between_the_published_geometric_pair():
    pair = np.sqrt(np.prod(list(GEOMETRIC_BY_VALUE.values()), axis=0))
    np.testing.assert_allclose(paths(PRICES, QUANTITIES)["tornqvist", "direct"], pair, atol=1e-4)


def test_chained_index_numbers_of_the_manuals_example():
    """Links by the formulas themselves, in dollars and pieces."""
    found = paths(PRICES, QUANTITIES)
    value = PRICES @ QUANTITIES.T  # prices of row, quantities of column
    laspeyres = [value[t, t - 1] / value[t - 1, t - 1] for t in range(1, 5)]
    paasche = [value[t, t] / value[t - 1, t] for t in range(1, 5)]
    share = PRICES * QUANTITIES / np.diag(value)[:, None]
    weight = 0.5 * (share[1:] + share[:-1])
    tornqvist = np.exp((weight * np.log(PRICES[1:] / PRICES[:-1])).sum(axis=1))
    for method, steps in (
        ("laspeyres", laspeyres), ("paasche", paasche), ("tornqvist", tornqvist),
        ("fisher", np.sqrt(np.multiply(laspeyres, paasche))),
    ):  # fmt: skip
        np.testing.assert_allclose(found[method, "chained"], np.cumprod([1.0, *steps]), rtol=1e-12)
        drift = found[method, "chained"] / found[method, "direct"]
        np.testing.assert_allclose(found[method, "drift"], drift, rtol=1e-12)


# Five goods in thirteen periods, price = 1 … 65 and quantity = 65 … 1 good by good: GEKS-Törnqvist by the R package
# IndexNumR, as recorded in the tests of gpindex; then with five rows missing, matched goods only in each comparison.
GEKS_WHOLE = [
    1.07334245809641, 1.13758500234551, 1.19943273670278, 1.26078373138759, 1.32242752173496, 1.38478458426165,
    1.44813211799635, 1.51269173915522, 1.57867050804161, 1.64628410287697, 1.71577307463249, 1.78741712742392,
]  # fmt: skip
GEKS_MISSING = [
    0.97012367078552, 1.07680890198379, 1.07558882705777, 1.12676970820557, 1.17801945580172, 1.22966120693395,
    1.28190412021848, 1.33491131065706, 1.38883148578389, 1.40614308033419, 1.5157156152315, 1.55767693905705,
]  # fmt: skip
MISSING_PRICES = (64, 63, 3, 11, 1)


@pytest.mark.parametrize(("missing", "expected"), [((), GEKS_WHOLE), (MISSING_PRICES, GEKS_MISSING)])
def test_geks_tornqvist_of_another_package(missing, expected):
    price = np.arange(1.0, 66.0).reshape(5, 13).T
    quantity = np.where(np.isin(price, missing), 0.0, 66.0 - price)
    np.testing.assert_allclose(paths(price, quantity)["geks_tornqvist", "direct"], [1.0, *expected], rtol=1e-12)


@pytest.mark.slow
def test_mix_and_within_are_statsmodels_oaxaca_blinder():
    """Regressions on dummies alone have group means as coefficients, so both decompositions exist.

    Two-fold with coefficients half of each month, and three-fold with the interaction shared out equally.
    """
    from statsmodels.stats.oaxaca import OaxacaBlinder

    rng = np.random.default_rng(3)
    group, last = rng.integers(0, 4, 400), rng.uniform(size=400) < 0.4
    group = np.where(last & (rng.uniform(size=400) < 0.5), 3, group)
    value = 4 + 0.5 * group + last * (0.2 + 0.3 * group) + rng.normal(size=400)
    design = np.column_stack([np.eye(4)[group], last])
    model = OaxacaBlinder(value, design, 4, hasconst=True, swap=True)  # the month of higher values comes first
    share = [np.bincount(group[side], minlength=4) / side.sum() for side in (~last, last)]
    mean = [np.array([value[side & (group == g)].mean() for g in range(4)]) for side in (~last, last)]
    found = mix_within(share[0], mean[0], share[1], mean[1])
    unexplained, explained, gap = model.two_fold(two_fold_type="self_submitted", submitted_weight=0.5).params
    assert gap == pytest.approx(value[last].mean() - value[~last].mean())
    assert (found.within.sum(), found.mix.sum()) == (pytest.approx(unexplained), pytest.approx(explained))
    endowments, coefficients, interaction, _ = model.three_fold().params
    assert found.mix.sum() == pytest.approx(endowments + interaction / 2)
    assert found.within.sum() == pytest.approx(coefficients + interaction / 2)
    within = link(share[0], mean[0], share[1], mean[1]).log_number[METHODS.index("within")]
    assert within == pytest.approx(unexplained)


@pytest.mark.slow
@pytest.mark.parametrize("columns", [(), ("kind",), ("kind", "agent")])
def test_month_effects_are_pyfixests_and_so_are_users_errors(columns):
    """Equal coefficients; our users' part times the small-sample factor is pyfixest's clustered error."""
    import pyfixest

    options = WorldOptions(postings=200, sessions=500, users=80, months=4, dimensions=5)
    world = vector_world(options, rng=np.random.default_rng(5))
    priced = price_world(world, pricer="matching", k=8, tau=0.1, penalties=(3.0,), seed=1)
    rng = np.random.default_rng(6)
    code = {name: rng.integers(0, 3, 500) + (world.month > 1) for name in ("kind", "agent")}
    frame = pd.DataFrame({"v": priced.sessions.log_value, "m": world.month, "u": priced.sessions.user, **code})
    formula = "v ~ i(m, ref=0)" + (f" | {' + '.join(columns)}" if columns else "")
    fitted = pyfixest.feols(formula, data=frame, vcov={"CRV1": "u"}, fixef_rm="none")
    group = np.array([code[name] for name in columns]).reshape(-1, 500)
    effects = month_effects(priced.sessions.log_value, priced.sessions.weight, world.month, group, n_months=4)
    own = effect_columns(effects, priced.sessions, priced.model, priced.residual, use_hedonic=True)
    names = [f"m::{month}" for month in (1, 2, 3)]
    np.testing.assert_allclose(effects.estimate[1:], fitted.coef()[names], atol=1e-7)
    error = np.sqrt(own.user.power(2).sum(axis=0))[1:]
    users = np.unique(priced.sessions.user).size
    parameters = 4 + sum(np.unique(code[name]).size - 1 for name in columns)
    plain = np.sqrt(users / (users - 1))
    full = plain * np.sqrt(499 / (500 - parameters))
    ratio = fitted.se()[names].to_numpy() / error
    assert (ratio >= plain - 1e-9).all() and (ratio <= full + 1e-9).all()  # which effects count is a convention
    np.testing.assert_allclose(ratio, ratio[0], rtol=1e-6)  # its fixed effects are found by iteration
    whole = posting_influence(
        priced.sessions, priced.model, priced.residual, effects.session_weight, use_hedonic=True
    )  # the postings' part, which no clustering by user can see, comes on top
    assert (np.square(whole[:, 1:]).sum(axis=0) > 0).all()

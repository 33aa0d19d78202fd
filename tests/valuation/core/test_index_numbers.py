"""Index numbers of groups: every axiom, derivatives, what is left out, and intervals."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from valuation.core.bootstrap import Replicates, ShareReplicates, joint_replicates
from valuation.core.decomposition import decompose
from valuation.core.draws import USERS, exponentials
from valuation.core.index_numbers import METHODS, index_paths, link, path_interval
from valuation.core.influence import series_influence
from valuation.simulation.vector_pricing import price_world
from valuation.simulation.vectors import WorldOptions, vector_world

PRICE = st.floats(-4, 12)
QUANTITY = st.floats(0.02, 1)
BY_VALUE = ("laspeyres", "paasche", "fisher", "tornqvist")
SUPERLATIVE = ("fisher", "tornqvist", "within")


@st.composite
def markets(draw, months=2):
    """Shares that sum to 1 and log prices of a few groups in some months."""
    n = draw(st.integers(1, 6))
    share = np.array(draw(st.lists(st.lists(QUANTITY, min_size=n, max_size=n), min_size=months, max_size=months)))
    price = np.array(draw(st.lists(st.lists(PRICE, min_size=n, max_size=n), min_size=months, max_size=months)))
    return share / share.sum(axis=1, keepdims=True), price


def logs(share, price, first=0, second=1):
    return dict(zip(METHODS, link(share[first], price[first], share[second], price[second]).log_number, strict=True))


@given(markets())
def test_identity(market):
    share, price = market
    assert logs(share, price[[0, 0]]) == pytest.approx(dict.fromkeys(METHODS, 0.0), abs=1e-12)


@given(markets(), st.floats(-3, 3))
def test_proportionality(market, change):
    share, price = market
    assert logs(share, np.stack([price[0], price[0] + change])) == pytest.approx(dict.fromkeys(METHODS, change))


@given(markets(), st.floats(-3, 3))
def test_a_change_of_currency_moves_nothing(market, rate):
    share, price = market
    assert logs(share, price + rate) == pytest.approx(logs(share, price), abs=1e-9)


@given(markets(), st.lists(st.floats(-2, 2), min_size=6, max_size=6))
def test_a_change_of_unit_of_one_group_moves_no_index_number_of_values(market, sizes):
    """A group counted in pieces of half the size: twice the count at half the price."""
    share, price = market
    unit = np.array(sizes[: share.shape[1]])
    there, again = logs(share, price), logs(share * np.exp(-unit), price + unit)
    assert [again[name] for name in BY_VALUE] == pytest.approx([there[name] for name in BY_VALUE], abs=1e-9)


@given(markets())
def test_mean_value(market):
    share, price = market
    change = price[1] - price[0]
    for value in logs(share, price).values():
        assert change.min() - 1e-9 <= value <= change.max() + 1e-9


@given(markets())
def test_time_reversal(market):
    share, price = market
    there, back = logs(share, price), logs(share, price, 1, 0)
    for name in SUPERLATIVE:
        assert there[name] == pytest.approx(-back[name], abs=1e-12)
    assert there["geometric_laspeyres"] == pytest.approx(-back["geometric_paasche"], abs=1e-12)
    assert there["laspeyres"] == pytest.approx(-back["paasche"], abs=1e-9)


@given(markets())
def test_factor_reversal(market):
    """Fisher's price index times its quantity index is the ratio of values."""
    share, price = market
    of_quantities = link(np.exp(price[0]), np.log(share[0]), np.exp(price[1]), np.log(share[1]))
    values = np.log((share * np.exp(price)).sum(axis=1))
    product = logs(share, price)["fisher"] + of_quantities.log_number[METHODS.index("fisher")]
    assert product == pytest.approx(values[1] - values[0], abs=1e-9)


@settings(max_examples=25)
@given(markets(months=4))
def test_geks_is_transitive(market):
    share, price = market
    cells = np.arange(share.size).reshape(share.shape)

    def geks(order):
        return index_paths(price.ravel(), share.ravel(), cells[list(order)])[-1].log_number

    first, second = geks((0, 1, 2, 3)), geks((1, 0, 2, 3))
    assert first[2:] == pytest.approx(first[1] + second[2:], abs=1e-9)
    assert first[1] == pytest.approx(-second[1], abs=1e-12)


@settings(max_examples=25)
@given(markets())
def test_geks_of_two_months_is_tornqvist(market):
    share, price = market
    paths = {(p.method, p.comparison): p for p in _paths(share, price)}
    assert paths["geks_tornqvist", "direct"].log_number == pytest.approx(paths["tornqvist", "direct"].log_number)


@given(markets())
def test_the_geometric_pairs_mean_is_within(market):
    share, price = market
    found = logs(share, price)
    assert 0.5 * (found["geometric_laspeyres"] + found["geometric_paasche"]) == pytest.approx(found["within"], abs=1e-9)


def _paths(share, price):
    cells = np.where(share > 0, np.arange(share.size).reshape(share.shape), -1)
    return index_paths(price.ravel(), share.ravel(), cells)


def test_worked_by_hand():
    """Two groups at 1 and 2 dollars, then 2 and 3; half of the sessions each, then three quarters in the first."""
    share, price = np.array([[0.5, 0.5], [0.75, 0.25]]), np.log([[1.0, 2.0], [2.0, 3.0]])
    found = np.exp(list(logs(share, price).values()))
    laspeyres, paasche = 2.5 / 1.5, 2.25 / 1.25
    first, second = np.array([1 / 3, 2 / 3]), np.array([2 / 3, 1 / 3])  # value shares
    tornqvist = np.prod(np.array([2.0, 1.5]) ** (0.5 * (first + second)))
    expected = [laspeyres, paasche, np.sqrt(laspeyres * paasche), tornqvist, 2**0.5 * 1.5**0.5, 2**0.75 * 1.5**0.25]
    assert found[:-1] == pytest.approx(expected)
    assert found[-1] == pytest.approx(2**0.625 * 1.5**0.375)


def test_a_group_of_one_month_is_left_out_and_its_weight_shown():
    share = np.array([[0.5, 0.3, 0.2, 0.0], [0.2, 0.7, 0.0, 0.1]])
    price = np.array([[1.0, 2.0, 9.0, np.nan], [1.5, 2.1, np.nan, 0.0]])
    found = link(share[0], price[0], share[1], price[1])
    assert (found.n_groups, found.covered_share) == (2, pytest.approx(0.8))
    alone = share[:, :2] / share[:, :2].sum(axis=1, keepdims=True)
    matched = link(alone[0], price[0, :2], alone[1], price[1, :2])
    assert found.log_number[:-1] == pytest.approx(matched.log_number[:-1])
    assert found.log_number[-1] == pytest.approx(0.35 * 0.5 + 0.5 * 0.1)  # the others' share stays, at no change
    for part in (found.share_from, found.mean_from, found.share_to, found.mean_to):
        assert not part[:, 2:].any() and part[:, :2].any()


def test_months_without_a_group_in_common_have_no_index_number():
    found = link(np.array([1.0, 0.0]), np.array([1.0, np.nan]), np.array([0.0, 1.0]), np.array([np.nan, 2.0]))
    assert np.isnan(found.log_number).all() and (found.n_groups, found.covered_share) == (0, 0.0)
    share = np.array([[1.0, 0.0], [0.5, 0.5], [0.0, 1.0]])
    paths = {(p.method, p.comparison): p for p in _paths(share, np.array([[1.0, np.nan], [2.0, 3.0], [np.nan, 4.0]]))}
    assert np.isnan(paths["fisher", "direct"].log_number).tolist() == [False, False, True]
    assert paths["fisher", "chained"].log_number.tolist() == pytest.approx([0.0, 1.0, 2.0])  # through the month between
    assert np.isnan(paths["geks_tornqvist", "direct"].log_number[1:]).all()
    assert paths["fisher", "chained"].covered_share.tolist() == [1.0, 0.5, 0.5]
    assert paths["fisher", "chained"].n_groups.tolist() == [1, 1, 1]


def test_the_worst_comparison_is_counted():
    """Links of two groups and then of one; the direct comparison of the ends has one."""
    share = np.array([[0.5, 0.5, 0.0], [0.6, 0.4, 0.0], [0.0, 0.3, 0.7]])
    paths = {(p.method, p.comparison): p for p in _paths(share, np.where(share > 0, 1.0, np.nan))}
    for comparison, groups, covered in (
        ("direct", [2, 2, 1], [1.0, 1.0, 0.3]),
        ("chained", [2, 2, 1], [1.0, 1.0, 0.3]),
        ("drift", [2, 2, 1], [1.0, 1.0, 0.3]),
    ):
        assert paths["fisher", comparison].n_groups.tolist() == groups
        assert paths["fisher", comparison].covered_share.tolist() == pytest.approx(covered)
    assert paths["geks_tornqvist", "direct"].n_groups.tolist() == [2, 1, 1]  # the last month enters every comparison
    assert paths["geks_tornqvist", "direct"].covered_share.tolist() == pytest.approx([1.0, 0.3, 0.3])


@settings(max_examples=25)
@given(markets(months=3))
def test_chained_is_the_product_of_links_and_drift_the_rest(market):
    share, price = market
    paths = {(p.method, p.comparison): p.log_number for p in _paths(share, price)}
    for name in METHODS:
        steps = [logs(share, price, 0, 1)[name], logs(share, price, 1, 2)[name]]
        assert paths[name, "chained"] == pytest.approx([0.0, steps[0], sum(steps)], abs=1e-9)
        assert paths[name, "direct"][2] == pytest.approx(logs(share, price, 0, 2)[name], abs=1e-9)
        assert paths[name, "drift"] == pytest.approx(paths[name, "chained"] - paths[name, "direct"], abs=1e-12)


def test_every_derivative():
    """Central differences of every path by every share and mean, with a group absent in one month."""
    rng = np.random.default_rng(1)
    share, price = rng.uniform(0.1, 1, (3, 4)), rng.normal(size=(3, 4))
    share[1, 2] = 0.0
    cells = np.where(share > 0, np.arange(12).reshape(3, 4), -1)

    def value(part, cell, step):
        moved = {"share": share.ravel().copy(), "mean": price.ravel().copy()}
        moved[part][cell] += step
        return np.array([path.log_number for path in index_paths(moved["mean"], moved["share"], cells)])

    paths = index_paths(price.ravel(), share.ravel(), cells)
    for part in ("share", "mean"):
        for cell in cells[cells >= 0]:
            slope = (value(part, cell, 1e-6) - value(part, cell, -1e-6)) / 2e-6
            np.testing.assert_allclose([getattr(path, part)[:, cell] for path in paths], slope, atol=1e-7)


@pytest.fixture(scope="module")
def world():
    options = WorldOptions(postings=300, sessions=1500, users=300, months=3, dimensions=5)
    drawn = vector_world(options, rng=np.random.default_rng(4))
    priced = price_world(drawn, pricer="matching", k=10, tau=0.1, penalties=(3.0,), seed=1)
    group = (drawn.session_vectors[:, 0] > 0.3).astype(int) + (drawn.session_vectors[:, 1] > 0.5)
    cell = np.stack([drawn.month, 3 + 3 * drawn.month + group])
    influence = series_influence(priced.sessions, priced.model, priced.residual, cell, n_cells=12, use_hedonic=True)
    keys = {"unit_key": priced.model.unit_key, "user_key": priced.sessions.user_key}
    return priced.sessions, cell, joint_replicates(influence, **keys, seed=1, replicates=999)


def _first(part, count):
    """The first replicates."""
    return replace(part, **{name: getattr(part, name)[:count] for name in part.__slots__ if name != "point"})


CELLS = np.arange(3, 12).reshape(3, 3)


@pytest.mark.parametrize("variation", ["users", "postings", "both"])
def test_the_interval_of_within_is_that_of_the_decomposition(world, variation):
    replicates, shares = world[2]
    chosen = {"variation": variation, "level": 0.9}
    found = {(p.method, p.comparison): p for p in index_paths(replicates.point, shares.point, CELLS)}
    path = found["within", "direct"]
    interval = path_interval(path, replicates, shares, **chosen, factor=np.array([np.nan, 1.0, 1.5]))
    whole = decompose(replicates, shares, from_cells=CELLS[0], to_cells=CELLS[2], **chosen, factor=1.5).within
    for part in ("estimate", "standard_error", "lower", "upper"):
        assert getattr(interval, part)[2] == pytest.approx(getattr(whole, part)[-1], abs=1e-9)
        assert getattr(interval, part)[0] == 0.0  # the base month has no width, whatever its factor
    pair = [found[name, "direct"] for name in ("geometric_laspeyres", "geometric_paasche")]
    for part in ("share", "mean"):
        half = 0.5 * (getattr(pair[0], part) + getattr(pair[1], part))
        deviations = replicates.point if part == "mean" else shares.users[:, CELLS.ravel()]
        # by shares the pair's derivatives differ by a constant over the groups of a month, which sum to no change
        other = getattr(path, part)
        if part == "mean":
            np.testing.assert_allclose(half, other, atol=1e-12)
        else:
            np.testing.assert_allclose(deviations @ (half - other)[:, CELLS.ravel()].T, 0.0, atol=1e-9)


@pytest.mark.slow
def test_errors_are_those_of_exact_reweighting(world):
    """Every index number computed again from users' exponential weights: the first-order error is within 4 %."""
    sessions, cell, (replicates, shares) = world
    replicates, shares = (_first(part, 249) for part in (replicates, shares))
    draws = exponentials(sessions.user_key, seed=1, stream=USERS, first=0, count=249)
    exact = []
    for row in draws:
        weight = row[sessions.user]
        total = np.bincount(cell[1], weights=weight, minlength=12)
        mean = np.bincount(cell[1], weights=weight * sessions.log_value, minlength=12) / np.where(total > 0, total, 1)
        month = np.repeat(np.bincount(cell[0], weights=weight, minlength=3), 3)
        share = np.concatenate([np.ones(3), total[3:] / month])
        exact.append([path.log_number for path in index_paths(mean, share, CELLS)])
    spread = np.std(exact, axis=0, ddof=1)
    for path, error in zip(index_paths(replicates.point, shares.point, CELLS), spread, strict=True):
        found = path_interval(path, replicates, shares, variation="users", level=0.95, factor=np.ones(3))
        if path.comparison != "drift":  # of second order: the table gives it no interval
            np.testing.assert_allclose(found.standard_error[1:], error[1:], rtol=0.04)


def test_posting_draws_move_means_only():
    share, point = np.array([0.5, 0.5, 0.2, 0.8]), np.array([1.0, 2.0, 1.5, 2.5])
    still = Replicates(point, np.ones((5, 4)), np.zeros((5, 4)), np.ones((5, 4)))
    moving = ShareReplicates(share, np.tile([1.0, -1.0, 0.5, -0.5], (5, 1)) * np.arange(5)[:, None])
    for path in index_paths(point, share, np.array([[0, 1], [2, 3]])):
        found = path_interval(path, still, moving, variation="postings", level=0.9, factor=np.ones(2))
        assert not found.standard_error.any()

"""Months permuted between users: what is exchanged, by what draws, and how often chance is taken for growth."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from valuation.core.arrays import PricedSessions
from valuation.core.draws import unit_key
from valuation.core.permutation import central, permute_growth, permuted_months, two_sided_p


def people(seed, n=40, users=12, months=4):
    rng = np.random.default_rng(seed)
    user = np.concatenate([np.arange(users), rng.integers(0, users, n - users)])
    return (
        user,
        rng.integers(0, months, n),
        unit_key([f"u{i}" for i in range(users)]),
        unit_key([f"s{i}" for i in range(n)]),
    )


def priced(value, weight, user, user_key):
    nothing = np.zeros((len(user), 1))
    return PricedSessions(value, weight, user, user_key, nothing.astype(np.int64), nothing, np.zeros((len(user), 0)))


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000))
def test_users_exchange_whole_vectors_with_users_of_as_many_sessions(seed):
    user, month, user_key, session_key = people(seed)
    size = np.bincount(user)

    def vectors(months):
        return Counter((size[u], *sorted(months[user == u])) for u in range(size.size))

    moved = permuted_months(month, user, user_key=user_key, session_key=session_key, seed=3, first=0, count=5)
    assert moved.shape == (5, 40)
    for row in moved:
        assert vectors(row) == vectors(month)


def test_months_are_dealt_at_random_within_a_user_and_between_users():
    user, month = np.zeros(4, dtype=np.int64), np.array([0, 0, 1, 1])
    keys = unit_key(["u"]), unit_key(list("abcd"))
    moved = permuted_months(month, user, user_key=keys[0], session_key=keys[1], seed=1, first=0, count=600)
    seen = Counter(map(tuple, moved))
    assert len(seen) == 6 and min(seen.values()) > 60  # all six ways, about a hundred times each
    pair = permuted_months(
        np.array([0, 1, 2]), np.arange(3), user_key=unit_key(list("xyz")), session_key=unit_key(list("abc")),
        seed=1, first=0, count=600,
    )  # fmt: skip
    seen = Counter(map(tuple, pair))
    assert len(seen) == 6 and min(seen.values()) > 60


def test_the_order_of_rows_and_the_cut_into_calls_move_nothing():
    user, month, user_key, session_key = people(7)
    whole = permuted_months(month, user, user_key=user_key, session_key=session_key, seed=9, first=0, count=8)
    late = permuted_months(month, user, user_key=user_key, session_key=session_key, seed=9, first=5, count=3)
    np.testing.assert_array_equal(late, whole[5:])
    rng = np.random.default_rng(0)
    rows, names = rng.permutation(40), rng.permutation(12)  # rows in another order, users numbered otherwise
    again = permuted_months(
        month[rows], names[user[rows]], user_key=user_key[np.argsort(names)], session_key=session_key[rows],
        seed=9, first=0, count=8,
    )  # fmt: skip
    np.testing.assert_array_equal(again, whole[:, rows])
    other = permuted_months(month, user, user_key=user_key, session_key=session_key, seed=10, first=0, count=8)
    assert (other != whole).any()


def test_growth_is_over_its_users_only_error():
    user, month, user_key, session_key = people(2)
    rng = np.random.default_rng(5)
    value, weight = rng.normal(size=40), rng.uniform(0.5, 2.0, 40)
    found = permute_growth(
        priced(value, weight, user, user_key), month, session_key, base=0, last=3, seed=1, permutations=99
    )
    mean = {m: np.average(value[month == m], weights=weight[month == m]) for m in (0, 3)}
    assert found.growth == pytest.approx(mean[3] - mean[0], abs=1e-14)
    influence = np.zeros(12)
    for m, sign in ((3, 1), (0, -1)):
        for i in np.flatnonzero(month == m):
            influence[user[i]] += sign * weight[i] / weight[month == m].sum() * (value[i] - mean[m])
    assert found.studentised == pytest.approx((mean[3] - mean[0]) / np.sqrt((influence**2).sum()), rel=1e-12)
    assert found.drawn_growth.shape == (99,)
    moved = permuted_months(month, user, user_key=user_key, session_key=session_key, seed=1, first=41, count=1)[0]
    by_hand = np.average(value[moved == 3], weights=weight[moved == 3]) - np.average(
        value[moved == 0], weights=weight[moved == 0]
    )
    assert found.drawn_growth[41] == pytest.approx(by_hand, abs=1e-14)


def test_blocks_of_permutations_move_nothing(monkeypatch):
    user, month, user_key, session_key = people(2)
    sessions = priced(np.random.default_rng(5).normal(size=40), np.ones(40), user, user_key)
    whole = permute_growth(sessions, month, session_key, base=0, last=3, seed=1, permutations=99)
    monkeypatch.setattr("valuation.core.permutation.CELLS_AT_ONCE", 280)
    again = permute_growth(sessions, month, session_key, base=0, last=3, seed=1, permutations=99)
    np.testing.assert_array_equal(whole.drawn_studentised, again.drawn_studentised)


def test_the_share_that_can_exchange_counts_sessions_of_the_two_months():
    user = np.array([0, 0, 0, 1, 1, 2, 2])  # user 0 alone has three sessions
    month = np.array([0, 1, 2, 0, 2, 2, 1])
    found = permute_growth(
        priced(np.arange(7.0), np.ones(7), user, unit_key(list("abc"))), month, unit_key(list("1234567")),
        base=0, last=2, seed=1, permutations=99,
    )  # fmt: skip
    assert found.exchangeable_share == pytest.approx(3 / 5)


@pytest.mark.slow
def test_chance_is_taken_for_growth_as_often_as_it_says():
    rng = np.random.default_rng(11)
    p_values = []
    for _ in range(150):
        user = np.sort(rng.integers(0, 15, 60))
        _, user = np.unique(user, return_inverse=True)
        value = rng.normal(size=15)[user] + rng.normal(size=60)
        found = permute_growth(
            priced(value, np.ones(60), user, unit_key([f"u{i}" for i in range(user.max() + 1)])),
            rng.integers(0, 3, 60), unit_key([f"s{i}" for i in range(60)]), base=0, last=2,
            seed=int(rng.integers(1 << 30)), permutations=59,
        )  # fmt: skip
        p_values.append(two_sided_p(found.studentised, found.drawn_studentised))
    share = np.mean(np.array(p_values) <= 0.2)
    assert abs(share - 0.2) < 3 * np.sqrt(0.2 * 0.8 / 150)


def test_p_values_count_the_real_figure_and_take_equal_tails():
    drawn = np.arange(-5.0, 4.0)  # -5 … 3
    assert two_sided_p(10.0, drawn) == pytest.approx(2 * 1 / 10)
    assert two_sided_p(-10.0, drawn) == pytest.approx(2 * 1 / 10)
    assert two_sided_p(3.0, drawn) == pytest.approx(2 * 2 / 10)  # a tie is not beyond
    assert two_sided_p(-1.0, drawn) == 1.0
    assert two_sided_p(2.5, np.append(drawn, np.nan)) == pytest.approx(2 * 3 / 11)  # NaN counts against
    assert np.isnan(two_sided_p(np.nan, drawn))


def test_the_central_share_of_999_draws():
    drawn = np.random.default_rng(0).permutation(np.arange(1.0, 1000.0))
    assert central(drawn, level=0.95) == pytest.approx((25.0, 975.0))

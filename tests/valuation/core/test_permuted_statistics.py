"""Statistics under permuted months: against plain code, weight by weight."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from valuation.core.permuted_statistics import STATISTICS, permuted_statistics
from valuation.core.statistics import sorted_median, sorted_trimmed_mean


def plain(statistic, value, price, weight, trim):
    order = np.argsort(value)
    sorted_value, sorted_weight = np.exp(value[order]), weight[order]
    return {
        "mean_log": lambda: np.average(value, weights=weight),
        "median": lambda: np.log(sorted_median(sorted_value, sorted_weight)),
        "trimmed_mean": lambda: np.log(sorted_trimmed_mean(sorted_value, sorted_weight, trim)),
        "mean": lambda: np.log(np.average(np.exp(price), weights=weight)),
    }[statistic]()


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 10_000), st.sampled_from(STATISTICS), st.booleans())
def test_each_row_is_the_statistic_of_its_months(seed, statistic, users_equal):
    rng = np.random.default_rng(seed)
    n, n_users, rows = 60, 9, 4
    value, price = rng.normal(size=n), rng.normal(size=n)
    weight = np.where(rng.random(n) < 0.25, 0.0, rng.uniform(0.5, 2.0, n))
    month, user = rng.integers(-1, 2, (rows, n)).astype(np.int8), rng.integers(0, n_users, n)
    found = permuted_statistics(
        value, price, weight, month, user, base=0, last=1, n_users=n_users, users_equal=users_equal, trim=0.1,
        only=STATISTICS.index(statistic),
    )  # fmt: skip
    assert found.shape == (rows, 2)
    for row in range(rows):
        for end in (0, 1):
            inside = (month[row] == end) & (weight > 0)
            of = weight[inside]
            if users_equal:
                of = of / np.bincount(user[inside], of, minlength=n_users)[user[inside]]
            expected = plain(statistic, value[inside], price[inside], of, 0.1)
            assert found[row, end] == pytest.approx(expected, abs=1e-10)


def test_users_equal_gives_each_user_of_a_month_the_same_say():
    value, user = np.array([0.0, 0.0, 0.0, 3.0]), np.array([0, 0, 0, 1])
    month, weight = np.zeros((1, 4), dtype=np.int8), np.array([1.0, 2.0, 1.0, 5.0])
    ends = {"base": 0, "last": 1, "n_users": 2, "trim": 0.0, "only": 0}
    found = permuted_statistics(value, value, weight, month, user, users_equal=True, **ends)
    assert found[0, 0] == pytest.approx(1.5)
    assert permuted_statistics(value, value, weight, month, user, users_equal=False, **ends)[0, 0] == pytest.approx(
        15 / 9
    )


def test_a_month_that_is_empty_has_no_figure():
    value, weight, month = np.zeros(3), np.array([1.0, 1.0, 0.0]), np.array([[0, 0, 1]], dtype=np.int8)
    found = permuted_statistics(
        value, value, weight, month, np.arange(3), base=0, last=1, n_users=3, users_equal=False, trim=0.0, only=1
    )
    assert found[0, 0] == 0.0 and np.isnan(found[0, 1])  # the only session of the last month is not matched

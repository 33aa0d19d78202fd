"""Statistics of two months when months are permuted between users: values stay, months move.

For the joint test of a specification curve (Simonsohn, Simmons and Nelson 2020, "Specification curve analysis") the
same permutations are used under every specification, so that what specifications have in common is kept.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import prange

from valuation.compiling import compiled
from valuation.core.statistics import sorted_median, sorted_trimmed_mean

if TYPE_CHECKING:
    from numpy.typing import NDArray

STATISTICS = ("mean_log", "median", "trimmed_mean", "mean")
"""What `permuted_statistics` knows, in the order of its codes."""


def permuted_statistics(
    log_value: NDArray[np.float64], log_price: NDArray[np.float64], weight: NDArray[np.float64],
    month: NDArray[np.int8], user: NDArray[np.int64],
    *, base: int, last: int, n_users: int, users_equal: bool, trim: float, only: int,
) -> NDArray[np.float64]:  # fmt: skip
    """One log statistic of the base and the last month under every row of months.

    Parameters
    ----------
    log_value : ndarray, shape (n_sessions,)
        ``v_i``, log nominal USD.
    log_price : ndarray, shape (n_sessions,)
        ``v_i`` plus the log smearing factor of its fifth, for the mean price.
    weight : ndarray, shape (n_sessions,)
        Session weights; 0 = unmatched.
    month : ndarray of int8, shape (n_rows, n_sessions)
        Month of each session; one row a permutation.
    user : ndarray of int, shape (n_sessions,)
        In [0, n_users).
    base, last : int
        Codes of the two months.
    n_users : int
    users_equal : bool
        Each user's matched sessions of a month share a weight of 1, in proportion to their own.
    trim : float
        As in `valuation.core.statistics.log_statistics`.
    only : int
        Which of `STATISTICS`.

    Returns
    -------
    ndarray, shape (n_rows, 2)
        NaN for a month in which nothing has weight.
    """
    matched = np.flatnonzero(weight > 0)
    order = matched[np.argsort(log_value[matched], kind="stable")]
    amount = (log_value, np.exp(log_value), np.exp(log_value), np.exp(log_price))[only]
    found: NDArray[np.float64] = _permuted(
        amount[order], weight[order], np.ascontiguousarray(month[:, order]), user[order], np.array([base, last]),
        n_users, users_equal, only, trim,
    )  # fmt: skip
    return found


@compiled(parallel=True)
def _permuted(
    amount: NDArray[np.float64], weight: NDArray[np.float64], month: NDArray[np.int8], user: NDArray[np.int64],
    ends: NDArray[np.int64], n_users: int, users_equal: bool, only: int, trim: float,
) -> NDArray[np.float64]:  # fmt: skip
    rows, n = month.shape
    out = np.full((rows, 2), np.nan)
    for row in prange(rows):
        whole, value, of = np.zeros(n_users), np.empty(n), np.empty(n)
        for end in range(2):
            if users_equal:
                whole[:] = 0.0
                for i in range(n):
                    if month[row, i] == ends[end]:
                        whole[user[i]] += weight[i]
            size = 0
            for i in range(n):
                if month[row, i] == ends[end]:
                    value[size] = amount[i]
                    of[size] = weight[i] / whole[user[i]] if users_equal else weight[i]
                    size += 1
            if size > 0:
                out[row, end] = _statistic(value[:size], of[:size], only, trim)
    return out


@compiled(parallel=False)
def _statistic(value: NDArray[np.float64], weight: NDArray[np.float64], only: int, trim: float) -> float:
    """Log statistic of ascending amounts."""
    if only == 1:
        return float(np.log(sorted_median(value, weight)))
    if only == 2:
        return float(np.log(sorted_trimmed_mean(value, weight, trim)))
    mean = (value * weight).sum() / weight.sum()
    return float(mean if only == 0 else np.log(mean))

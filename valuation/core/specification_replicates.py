"""Medians and trimmed means of two months under many specifications of one basket, from one pass over the draws.

Values move as everywhere (`valuation.core.movement`), with the same draws, but what specifications share is computed
once a block of replicates: the draws, the slope's error ``δ_b`` of the basket's regression, and for each way of valuing
the values themselves and their order, which every choice of matched sessions and of weights then only walks through.
Only the joint variation is made. Statistics are those of `valuation.core.statistics`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numba import prange
from scipy.sparse import csr_array

from valuation.compiling import compiled
from valuation.core import draws
from valuation.core.influence import neighbour_matrix
from valuation.core.statistics import sorted_median, sorted_trimmed_mean

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from valuation.core.arrays import BasketModel, PricedSessions

BLOCK = 64
"""Replicates worked on at a time: speed and memory only."""
MEDIAN, TRIMMED_MEAN = 0, 1
"""Positions of the statistics."""


@dataclass(frozen=True, slots=True)
class Valued:
    """Sessions valued in one way (a pricer with its k and τ), and what their values move with.

    Attributes
    ----------
    log_value : ndarray, shape (n_sessions,)
        ``v_i``, log nominal USD.
    loading : ndarray, shape (n_sessions, n_features + 1)
        ``[H⁻¹(z_i − Σ_j w_ij x_j), 1 − Σ_j w_ij]``: dependence on the regression's score; 0 for ``neighbours``.
    by_unit : csr_array, shape (n_sessions, n_units)
        ``Σ_{j∈u} w_ij ρ_j``.
    """

    log_value: NDArray[np.float64]
    loading: NDArray[np.float64]
    by_unit: csr_array


@dataclass(frozen=True, slots=True)
class TwoMonths:
    """Who works in the two months compared; sessions of the base month first.

    Attributes
    ----------
    split : int
        Sessions of the base month.
    user : ndarray of int, shape (n_sessions,)
        User of each session, in [0, n_users).
    user_key : ndarray of uint64, shape (n_users,)
        Identities of the draws.
    weight : ndarray, shape (n_weightings, n_sessions)
        One row a choice of matched sessions and weights; 0 = left out.
    """

    split: int
    user: NDArray[np.int64]
    user_key: NDArray[np.uint64]
    weight: NDArray[np.float64]


def valued(sessions: PricedSessions, model: BasketModel, residual: NDArray[np.float64], *, use_hedonic: bool) -> Valued:
    """Prepare one way of valuing; parameters as in `valuation.core.influence.series_influence`."""
    n_clusters, n_sessions = model.log_price.size, sessions.log_value.size
    weights = neighbour_matrix(sessions, n_clusters)
    to_unit = csr_array((residual, model.unit, np.arange(n_clusters + 1)), shape=(n_clusters, model.unit_key.size))
    loading = np.zeros((n_sessions, model.features.shape[1] + 1))
    if use_hedonic:
        loading[:, :-1] = (sessions.features - weights @ model.features) @ model.gram_inverse
        loading[:, -1] = 1.0 - np.asarray(weights.sum(axis=1))
    return Valued(sessions.log_value, loading, csr_array(weights @ to_unit))


def joint_statistics(
    ways: Sequence[Valued], months: TwoMonths, model: BasketModel, *, trim: float, seed: int, replicates: int
) -> NDArray[np.float64]:
    """Log median and log trimmed mean of ``V`` in either month, and in every joint replicate.

    Parameters
    ----------
    ways : sequence of Valued
        Ways of valuing the same sessions by the same basket.
    months : TwoMonths
        The sessions.
    model : BasketModel
        The basket.
    trim : float
        Share of weight cut off each tail for the trimmed mean, in [0, 0.5).
    seed, replicates : int
        As in `valuation.core.bootstrap.joint_replicates`; the draws are the same.

    Returns
    -------
    ndarray, shape (n_ways, n_weightings, 2, 2, 1 + replicates)
        By way, row of weights, statistic (`MEDIAN`, `TRIMMED_MEAN`), month (base, last); the estimate first, then its
        replicates. NaN where nothing has weight.
    """
    if not 0 <= trim < 0.5:
        raise ValueError(f"trim {trim} is outside [0, 0.5)")
    score = _score(model)
    out = np.empty((len(ways), len(months.weight), 2, 2, 1 + replicates))
    still = np.ones((1, months.user_key.size))
    for position, way in enumerate(ways):
        out[position, ..., :1] = _statistics(way.log_value[None], still, months, trim)
    for first in range(0, replicates, BLOCK):
        count = min(BLOCK, replicates - first)
        moved = draws.exponentials(model.unit_key, seed=seed, stream=draws.POSTINGS, first=first, count=count) - 1.0
        drawn = draws.exponentials(months.user_key, seed=seed, stream=draws.USERS, first=first, count=count)
        scores, by_unit = moved @ score, np.ascontiguousarray(moved.T)
        for position, way in enumerate(ways):
            value = way.log_value + scores @ way.loading.T + (way.by_unit @ by_unit).T
            out[position, ..., 1 + first : 1 + first + count] = _statistics(value, drawn, months, trim)
    return out


def _score(model: BasketModel) -> NDArray[np.float64]:
    """``Σ_{j∈u} r_j [x_j, 1/n]``: the regression's score and its intercept's, shape (n_units, n_features + 1)."""
    n = model.log_price.size
    of_unit = csr_array((np.ones(n), (model.unit, np.arange(n))), shape=(model.unit_key.size, n))
    residual = model.hedonic_residual
    slope, level = of_unit @ (model.features * residual[:, None]), of_unit @ (residual / n)
    return np.column_stack([np.asarray(slope), np.asarray(level)])


def _statistics(
    value: NDArray[np.float64], drawn: NDArray[np.float64], months: TwoMonths, trim: float
) -> NDArray[np.float64]:
    """Statistics of rows of values, shape (n_weightings, 2, 2, count)."""
    rows = _walk(np.ascontiguousarray(value), drawn, months.user, months.weight, months.split, trim)
    return np.moveaxis(rows, 0, -1)


@compiled(parallel=True)
def _walk(
    value: NDArray[np.float64], drawn: NDArray[np.float64], user: NDArray[np.int64], weight: NDArray[np.float64],
    split: int, trim: float,
) -> NDArray[np.float64]:  # fmt: skip
    rows, choices = value.shape[0], weight.shape[0]
    out = np.full((rows, choices, 2, 2), np.nan)
    for row in prange(rows):
        for month in range(2):
            first, last = (0, split) if month == 0 else (split, value.shape[1])
            order = np.argsort(value[row, first:last], kind="mergesort")
            price, of = np.empty(last - first), np.empty(last - first)
            for choice in range(choices):
                size = 0
                for place in range(last - first):
                    which = first + order[place]
                    if weight[choice, which] > 0:
                        price[size] = np.exp(value[row, which])
                        of[size] = weight[choice, which] * drawn[row, user[which]]
                        size += 1
                if size > 0:
                    out[row, choice, 0, month] = np.log(sorted_median(price[:size], of[:size]))
                    out[row, choice, 1, month] = np.log(sorted_trimmed_mean(price[:size], of[:size], trim))
    return out

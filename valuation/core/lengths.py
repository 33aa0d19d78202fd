"""Do summaries grow longer, and does length carry the growth? Months reweighed to one distribution of lengths."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import csr_array

from valuation.core import draws
from valuation.core.growth import Support, support

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from valuation.core.bootstrap import Replicates, ShareReplicates
    from valuation.core.influence import Influence

STRATA = 5
"""Strata of length: fifths of the base month's sessions (coarsened exact matching; Iacus, King and Porro 2012)."""


@dataclass(frozen=True, slots=True)
class Matched:
    """Growth with every month's lengths distributed as in the base month.

    Attributes
    ----------
    growth : float
        ``Σ_q s_q0 (θ_qT − θ_q0)`` over strata present in both months, log points.
    users, postings, both : ndarray, shape (n_replicates,)
        Deviations of the growth.
    covered : float
        Share of the base month's weight in strata that the last month has too, in [0, 1].
    support : Support
        What stands behind the reweighed growth.
    """

    growth: float
    users: NDArray[np.float64]
    postings: NDArray[np.float64]
    both: NDArray[np.float64]
    covered: float
    support: Support


def length_strata(
    length: NDArray[np.float64], weight: NDArray[np.float64], base: NDArray[np.bool_]
) -> NDArray[np.int64]:
    """Stratum of each session by its length: at most fifths of the base month's weight, fewer where lengths tie.

    Parameters
    ----------
    length, weight : ndarray, shape (n_sessions,)
        Length in any unit, and weight.
    base : ndarray of bool, shape (n_sessions,)
        Sessions of the base month; at least one.

    Returns
    -------
    ndarray of int, shape (n_sessions,)
        In [0, `STRATA`).
    """
    order = np.argsort(length[base], kind="stable")
    cumulative = np.cumsum(weight[base][order]) / weight[base].sum()
    places = np.searchsorted(cumulative, np.arange(1, STRATA) / STRATA - 1e-12)
    edges = np.unique(length[base][order][places])
    return np.searchsorted(edges, length, side="left").astype(np.int64)


def length_matched(
    replicates: Replicates, shares: ShareReplicates, influence: Influence, from_cells: NDArray[np.int64],
    to_cells: NDArray[np.int64],
) -> Matched | None:  # fmt: skip
    """Growth between two months at the base month's lengths, by post-stratification.

    Parameters
    ----------
    replicates, shares, influence
        Of cells month × stratum (`valuation.core.bootstrap.joint_replicates`).
    from_cells, to_cells : ndarray of int, shape (n_strata,)
        Cells of each stratum in the base and in the last month.

    Returns
    -------
    Matched or None
        None where no stratum has sessions in both months.
    """
    there = (influence.n_sessions[from_cells] > 0) & (influence.n_sessions[to_cells] > 0)
    if not there.any():
        return None
    start, end = from_cells[there], to_cells[there]
    covered = float(shares.point[start].sum())
    weight = shares.point[start] / covered
    change = replicates.point[end] - replicates.point[start]
    growth = float(weight @ change)
    mixed = shares.users[:, start] @ (change - growth) / covered  # the strata's shares are estimated too

    def moved(deviations: NDArray[np.float64]) -> NDArray[np.float64]:
        return (deviations[:, end] - deviations[:, start]) @ weight

    contrast = np.zeros(influence.mean.size)
    contrast[end], contrast[start] = weight, -weight
    return Matched(
        growth, moved(replicates.users) + mixed, moved(replicates.postings), moved(replicates.both) + mixed, covered,
        support(influence, contrast),
    )  # fmt: skip


def correlation_replicates(
    first: NDArray[np.float64], second: NDArray[np.float64], weight: NDArray[np.float64], user: NDArray[np.int64],
    *, user_key: NDArray[np.uint64], seed: int, replicates: int,
) -> tuple[float, NDArray[np.float64]]:  # fmt: skip
    """Weighted correlation of two columns of sessions, and its deviations when users are resampled.

    Parameters
    ----------
    first, second, weight : ndarray, shape (n_sessions,)
        Two columns and positive weights.
    user : ndarray of int, shape (n_sessions,)
        In [0, n_users).
    user_key, seed, replicates
        As in `valuation.core.bootstrap.joint_replicates`.

    Returns
    -------
    tuple of float and ndarray, shape (replicates,)
        NaN where a column does not vary.
    """
    a, b = (column - np.average(column, weights=weight) for column in (first, second))
    columns = np.column_stack([np.ones_like(a), a, b, a * a, b * b, a * b]) * weight[:, None]
    of_user = csr_array((np.ones(user.size), (user, np.arange(user.size))), shape=(user_key.size, user.size))
    by_user = np.asarray(of_user @ columns)
    moved = draws.replicate_sums(user_key, csr_array(by_user), seed=seed, stream=draws.USERS, replicates=replicates)
    total = by_user.sum(axis=0)
    estimate = float(_correlation(total[None])[0])
    return estimate, _correlation(total + moved) - estimate


def change_replicates(
    column: NDArray[np.float64], weight: NDArray[np.float64], user: NDArray[np.int64], start: NDArray[np.bool_],
    end: NDArray[np.bool_], *, user_key: NDArray[np.uint64], seed: int, replicates: int,
) -> tuple[float, NDArray[np.float64]]:  # fmt: skip
    """Change of a column's weighted mean between two sets of sessions, and its deviations when users are resampled.

    Parameters
    ----------
    column, weight : ndarray, shape (n_sessions,)
        A column of sessions and positive weights.
    user : ndarray of int, shape (n_sessions,)
        In [0, n_users).
    start, end : ndarray of bool, shape (n_sessions,)
        The two sets; neither is empty.
    user_key, seed, replicates
        As in `valuation.core.bootstrap.joint_replicates`.
    """
    estimate, influence = 0.0, np.zeros(column.size)
    for inside, sign in ((end, 1.0), (start, -1.0)):
        share = np.where(inside, weight, 0.0) / weight[inside].sum()
        mean = float(share @ column)
        estimate += sign * mean
        influence += sign * share * (column - mean)
    by_user = np.bincount(user, influence, minlength=user_key.size)[:, None]
    moved = draws.replicate_sums(user_key, csr_array(by_user), seed=seed, stream=draws.USERS, replicates=replicates)
    return estimate, moved[:, 0]


def _correlation(moments: NDArray[np.float64]) -> NDArray[np.float64]:
    """Correlation from the weighted sums of 1, a, b, a², b², ab in the columns of `moments`."""
    n, a, b, aa, bb, ab = moments.T
    a, b = a / n, b / n
    spread = (aa / n - a * a) * (bb / n - b * b)
    scale = np.where(spread > 1e-24, np.sqrt(np.maximum(spread, 0.0)), np.nan)
    return np.asarray((ab / n - a * b) / scale)

"""Statistics of a cell's values that are not means of logs: median, trimmed mean, mean price.

All three are returned as logs. They are defined for weighted values and computed by the same code for the point
estimate and for every replicate.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numba import prange

from valuation.compiling import compiled

if TYPE_CHECKING:
    from numpy.typing import NDArray

FIFTHS = 5
TOP = 0.01
"""Share of postings whose part in the smearing factor is shown."""


@dataclass(frozen=True, slots=True)
class Members:
    """Which sessions belong to each cell, as rows of a flat list.

    Attributes
    ----------
    start : ndarray of int, shape (n_cells + 1,)
        Cell ``c`` is ``session[start[c]:start[c + 1]]``.
    session : ndarray of int, shape (n_memberships,)
        Session rows, ascending within a cell.
    """

    start: NDArray[np.int64]
    session: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Smearing:
    """Mean of ``exp(ρ)`` by fifth of predicted value: turns a typical price into a mean price.

    Attributes
    ----------
    edges : ndarray, shape (4,)
        Cuts of predicted log value between the fifths.
    factor : ndarray, shape (5,)
        ``S``, above 0.
    top_share : ndarray, shape (5,)
        Share of the factor due to the 1 % of its postings that were most under-predicted.
    fifth : ndarray of int, shape (n_clusters,)
        Fifth of each cluster.
    """

    edges: NDArray[np.float64]
    factor: NDArray[np.float64]
    top_share: NDArray[np.float64]
    fifth: NDArray[np.int64]


def members(cell: NDArray[np.int64], *, n_cells: int) -> Members:
    """List the sessions of each cell.

    Parameters
    ----------
    cell : ndarray of int, shape (n_groupings, n_sessions)
        Codes in [0, n_cells), or -1.
    """
    grouping, session = np.nonzero(cell >= 0)
    code = cell[grouping, session]
    order = np.lexsort((session, code))
    start = np.searchsorted(code[order], np.arange(n_cells + 1))
    return Members(start.astype(np.int64), session[order].astype(np.int64))


def smearing(value: NDArray[np.float64], residual: NDArray[np.float64]) -> Smearing:
    """Duan's (1983) smearing estimate, "a nonparametric retransformation method", within fifths of predicted value.

    Parameters
    ----------
    value, residual : ndarray, shape (n_clusters,)
        ``v_-j(x_j)`` and ``ρ_j``, both out of fold, log nominal USD.
    """
    edges = np.quantile(value, np.arange(1, FIFTHS) / FIFTHS)
    fifth = fifth_of(value, edges)
    ratio = np.exp(residual)
    factor, top_share = np.ones(FIFTHS), np.zeros(FIFTHS)
    for which in np.unique(fifth):
        descending = np.sort(ratio[fifth == which])[::-1]
        factor[which] = descending.mean()
        top_share[which] = descending[: int(np.ceil(TOP * descending.size))].sum() / descending.sum()
    return Smearing(edges, factor, top_share, fifth)


def fifth_of(value: NDArray[np.float64], edges: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the fifth, 0 to 4, that each value lies in."""
    return np.searchsorted(edges, value, side="right").astype(np.int64)


@compiled(parallel=False)
def overlap(below: float, weight: float, low: float, high: float) -> float:
    """Part of a value's weight that lies between the cuts, its stretch starting at `below`."""
    return max(min(below + weight, high) - max(below, low), 0.0)


@compiled(parallel=False)
def sorted_median(value: NDArray[np.float64], weight: NDArray[np.float64]) -> float:
    """Weighted median of ascending values, interpolated between the midpoints of their weights.

    Value ``k`` stands at cumulative share ``(W_1 + … + W_k − W_k/2)/W``; the median is where linear interpolation
    crosses one half. With equal weights it is the middle value, or the mean of the two middle ones.

    Parameters
    ----------
    value, weight : ndarray, shape (n,)
        Ascending values; non-negative weights, not all 0; n at least 1.
    """
    half, below = 0.5 * weight.sum(), 0.0
    last_value, last_at = value[0], -1.0
    for k in range(value.size):
        at = below + 0.5 * weight[k]
        if at >= half:
            if last_at < 0.0 or at == last_at:
                return float(value[k])
            return float(last_value + (value[k] - last_value) * (half - last_at) / (at - last_at))
        below += weight[k]
        last_value, last_at = value[k], at
    return float(last_value)


@compiled(parallel=False)
def sorted_trimmed_mean(value: NDArray[np.float64], weight: NDArray[np.float64], trim: float) -> float:
    """Weighted mean of ascending values without the share `trim` of weight at either end.

    A value on a cut counts with the part of its weight inside.

    Parameters
    ----------
    value, weight : ndarray, shape (n,)
        As in `sorted_median`.
    trim : float
        In [0, 0.5).
    """
    total = weight.sum()
    low, high = trim * total, (1.0 - trim) * total
    below, summed = 0.0, 0.0
    for k in range(value.size):
        summed += overlap(below, weight[k], low, high) * value[k]
        below += weight[k]
    return float(summed / (high - low))


@compiled(parallel=True)
def _log_statistics(
    log_value: NDArray[np.float64], weight: NDArray[np.float64], factor: NDArray[np.float64],
    fifth: NDArray[np.int64], start: NDArray[np.int64], session: NDArray[np.int64], trim: float,
) -> NDArray[np.float64]:  # fmt: skip
    rows, cells = log_value.shape[0], start.size - 1
    out = np.full((3, rows, cells), np.nan)
    for row in prange(rows):
        for cell in range(cells):
            size = start[cell + 1] - start[cell]
            if size == 0:
                continue
            value, of, price, total = np.empty(size), np.empty(size), 0.0, 0.0
            for place in range(size):
                value[place] = log_value[row, session[start[cell] + place]]
            order = np.argsort(value, kind="mergesort")  # ties in the order of sessions
            for place in range(size):
                which = session[start[cell] + order[place]]
                value[place], of[place] = np.exp(log_value[row, which]), weight[row, which]
                price += of[place] * value[place] * factor[row, fifth[which]]
                total += of[place]
            out[0, row, cell] = np.log(sorted_median(value, of))
            out[1, row, cell] = np.log(sorted_trimmed_mean(value, of, trim))
            out[2, row, cell] = np.log(price / total)
    return out


def log_statistics(
    log_value: NDArray[np.float64], weight: NDArray[np.float64], factor: NDArray[np.float64],
    fifth: NDArray[np.int64], within: Members, *, trim: float,
) -> NDArray[np.float64]:  # fmt: skip
    """Log median, log trimmed mean and log mean price of every cell in every row.

    Parameters
    ----------
    log_value, weight : ndarray, shape (n_rows, n_sessions)
        One row a replicate.
    factor : ndarray, shape (n_rows, 5)
        Smearing factors of the fifths.
    fifth : ndarray of int, shape (n_sessions,)
        Fifth of each session, in [0, 5).
    within : Members
        Sessions of each cell.
    trim : float
        Share of weight cut off each tail, in [0, 0.5).

    Returns
    -------
    ndarray, shape (3, n_rows, n_cells)
        NaN for cells without sessions.
    """
    if not 0 <= trim < 0.5:
        raise ValueError(f"trim {trim} is outside [0, 0.5)")
    found: NDArray[np.float64] = _log_statistics(log_value, weight, factor, fifth, within.start, within.session, trim)
    return found

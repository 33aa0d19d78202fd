"""Median, trimmed mean and mean price of moved sessions, replicate by replicate, without sorting them all.

A replicate's values are dropped into bins that keep their order; running sums over bins say which few bins hold the
median and the two cuts, and only those bins' sessions are sorted. The result is the sorted definition of
`valuation.core.statistics` itself (up to the rounding of sums in another order), for about a tenth of its time. Every
cell of every replicate is worked out by one thread from first session to last, so threads and blocks do not matter.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import prange

from valuation.compiling import compiled
from valuation.core.statistics import overlap

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from valuation.core.statistics import Members

BINS, A_BIN, REACH, LOOKS = 1024, 8, 4.0, 256
"""At most this many bins, about so many sessions to a bin, over so many standard deviations to either side.

The spread is that of about `LOOKS` values, and values beyond the reach fall into the end bins, which is still their
order: only speed depends on these."""
_STILL, _MOVED = 0, 1


@compiled(parallel=False)
def crossing(value: NDArray[np.float64], weight: NDArray[np.float64], below: NDArray[np.float64], half: float) -> float:
    """Interpolate as `valuation.core.statistics.sorted_median`, from the values around the crossing alone.

    Parameters
    ----------
    value, weight : ndarray, shape (n,)
        Ascending; at least those on either side of the crossing.
    below : ndarray, shape (n,)
        Weight of all smaller values.
    half : float
        Half of the whole weight.
    """
    last_value, last_at = value[0], -1.0
    for k in range(value.size):
        at = below[k] + 0.5 * weight[k]
        if at >= half:
            if last_at < 0.0 or at == last_at:
                return float(value[k])
            return float(last_value + (value[k] - last_value) * (half - last_at) / (at - last_at))
        last_value, last_at = value[k], at
    return float(last_value)


@compiled(parallel=False)
def _put_into_bins(value: NDArray[np.float64], bins: int, out: NDArray[np.int32]) -> None:
    """Find the bin of each value; a larger value never has a lower bin."""
    looked = value[:: value.size // LOOKS + 1]
    centre, spread = looked.mean(), looked.std()
    low, step = centre - REACH * spread, 2.0 * REACH * spread / bins
    scale = 1.0 / step if step > 0.0 else 0.0
    for place in range(value.size):
        out[place] = np.int32(min(max((value[place] - low) * scale, 0.0), bins - 1.0))


@compiled(parallel=False)
def _bins_to_sort(below: NDArray[np.float64], half: float, low: float, high: float) -> NDArray[np.bool_]:
    """Bins that a cut passes through, and around the median its bin with the next filled ones to either side."""
    bins = below.size - 1
    chosen = np.zeros(bins, np.bool_)
    middle = bins - 1
    for which in range(bins):
        chosen[which] = below[which] < low < below[which + 1] or below[which] < high < below[which + 1]
    for which in range(bins):
        if below[which + 1] >= half and below[which + 1] > below[which]:
            middle = which
            break
    chosen[middle] = True
    for direction in (-1, 1):
        which = middle + direction
        while 0 <= which < bins and below[which + 1] == below[which]:
            which += direction
        if 0 <= which < bins:
            chosen[which] = True
    return chosen


@compiled(parallel=False)
def _selected(
    log_value: NDArray[np.float64], value: NDArray[np.float64], weight: NDArray[np.float64],
    bin_of: NDArray[np.int32], mass: NDArray[np.float64], moment: NDArray[np.float64], trim: float,
) -> tuple[float, float]:  # fmt: skip
    """Weighted median and trimmed mean of `value`, whose order is that of `log_value`, from its bins' sums."""
    bins = mass.size
    below = np.zeros(bins + 1)
    for which in range(bins):
        below[which + 1] = below[which] + mass[which]
    total = below[bins]
    low, high = trim * total, (1.0 - trim) * total
    chosen = _bins_to_sort(below, 0.5 * total, low, high)
    summed, few = 0.0, 0
    for which in range(bins):
        if not chosen[which] and below[which] >= low and below[which + 1] <= high:
            summed += moment[which]
    place = np.empty(value.size, np.int32)
    for i in range(value.size):
        place[few] = i
        few += int(chosen[bin_of[i]])
    place = place[:few]
    place = place[np.argsort(log_value[place], kind="mergesort")]  # ties in the order of sessions
    near, of, at, before = value[place], weight[place], np.empty(few), 0.0
    for k in range(few):
        if k == 0 or bin_of[place[k]] != bin_of[place[k - 1]]:
            before = below[bin_of[place[k]]]
        at[k] = before
        summed += overlap(before, of[k], low, high) * near[k]
        before += of[k]
    return crossing(near, of, at, 0.5 * total), summed / (high - low)


@compiled(parallel=False)
def _put_weights(
    logs: NDArray[np.float64], bin_of: NDArray[np.int32], weight: NDArray[np.float64], drawn: NDArray[np.float64],
    user: NDArray[np.int32], fifth: NDArray[np.uint8], value: NDArray[np.float64], of: NDArray[np.float64],
    mass: NDArray[np.float64], moment: NDArray[np.float64], dear: NDArray[np.float64],
) -> None:  # fmt: skip
    """Fill values and weights without and with draws (rows of `of`), and their sums by bin and by fifth."""
    for place in range(logs.size):
        into, price = bin_of[place], np.exp(logs[place])
        still, moved = weight[place], weight[place] * drawn[user[place]]
        value[place], of[_STILL, place], of[_MOVED, place] = price, still, moved
        mass[_STILL, into] += still
        mass[_MOVED, into] += moved
        moment[_STILL, into] += still * price
        moment[_MOVED, into] += moved * price
        dear[_STILL, fifth[place]] += still * price
        dear[_MOVED, fifth[place]] += moved * price


@compiled(parallel=True)
def _moved_statistics(
    log_value: NDArray[np.float64], drawn: NDArray[np.float64], user: NDArray[np.int32], weight: NDArray[np.float64],
    factor: NDArray[np.float64], fifth: NDArray[np.uint8], start: NDArray[np.int64], session: NDArray[np.int32],
    trim: float,
) -> NDArray[np.float64]:  # fmt: skip
    rows, cells = log_value.shape[0], start.size - 1
    out = np.full((2, 3, rows, cells), np.nan)
    for task in prange(rows * cells):
        row, cell = task // cells, task % cells
        first, last = start[cell], start[cell + 1]
        size = last - first
        if size == 0:
            continue
        logs, value, of, bins = np.empty(size), np.empty(size), np.empty((2, size)), min(BINS, size // A_BIN + 1)
        for place in range(size):
            logs[place] = log_value[row, session[first + place]]
        bin_of = np.empty(size, np.int32)
        _put_into_bins(logs, bins, bin_of)
        mass, moment, dear = np.zeros((2, bins)), np.zeros((2, bins)), np.zeros((2, factor.shape[1]))
        _put_weights(
            logs, bin_of, weight[first:last], drawn[row], user[first:last], fifth[first:last], value, of, mass, moment,
            dear,
        )  # fmt: skip
        for way in range(2):
            median, trimmed = _selected(logs, value, of[way], bin_of, mass[way], moment[way], trim)
            mean = (dear[way] * factor[row]).sum() / mass[way].sum()
            out[way, 0, row, cell], out[way, 1, row, cell] = np.log(median), np.log(trimmed)
            out[way, 2, row, cell] = np.log(mean)
    return out


@compiled(parallel=False)
def _sorted_pair(
    value: NDArray[np.float64], weight: NDArray[np.float64], below: NDArray[np.float64], trim: float
) -> tuple[float, float]:
    """Weighted median and trimmed mean of ascending values with the running sums of their weights, shape (n + 1,)."""
    total = below[value.size]
    low, high = trim * total, (1.0 - trim) * total
    first, last = np.searchsorted(below[1:], low, side="right"), np.searchsorted(below[1:], high) + 1
    summed = 0.0
    for k in range(first, min(last, value.size)):
        summed += overlap(below[k], weight[k], low, high) * value[k]
    middle = int(np.searchsorted(below[1:], 0.5 * total))
    near = slice(max(middle - 1, 0), min(middle + 2, value.size))
    return crossing(value[near], weight[near], below[:-1][near], 0.5 * total), summed / (high - low)


@compiled(parallel=True)
def _reweighted_statistics(
    log_value: NDArray[np.float64], drawn: NDArray[np.float64], user: NDArray[np.int64], weight: NDArray[np.float64],
    dear: NDArray[np.float64], start: NDArray[np.int64], session: NDArray[np.int64], trim: float,
) -> NDArray[np.float64]:  # fmt: skip
    rows, cells = drawn.shape[0], start.size - 1
    out = np.full((3, rows, cells), np.nan)
    for cell in range(cells):
        which = session[start[cell] : start[cell + 1]]
        if which.size == 0:
            continue
        which = which[np.argsort(log_value[which], kind="mergesort")]  # values stand still: sorted once
        value, fixed, own, prices = np.exp(log_value[which]), weight[which], user[which], dear[which]
        for row in prange(rows):
            of, below, price = np.empty(value.size), np.zeros(value.size + 1), 0.0
            for place in range(value.size):
                of[place] = fixed[place] * drawn[row, own[place]]
                price += of[place] * prices[place]
                below[place + 1] = below[place] + of[place]
            median, trimmed = _sorted_pair(value, of, below, trim)
            out[0, row, cell], out[1, row, cell] = np.log(median), np.log(trimmed)
            out[2, row, cell] = np.log(price / below[value.size])
    return out


def moved_statistics(
    log_value: NDArray[np.float64], drawn: NDArray[np.float64], user: NDArray[np.int64], weight: NDArray[np.float64],
    factor: NDArray[np.float64], fifth: NDArray[np.int64], within: Members, *, trim: float,
) -> NDArray[np.float64]:  # fmt: skip
    """Log median, log trimmed mean and log mean price of moved values, without and with users' draws.

    Parameters
    ----------
    log_value : ndarray, shape (n_rows, n_sessions)
        One row a replicate, finite.
    drawn : ndarray, shape (n_rows, n_users)
        Users' draws, above 0.
    user : ndarray of int, shape (n_sessions,)
        User of each session.
    weight : ndarray, shape (n_sessions,)
        Positive session weights.
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
    ndarray, shape (2, 3, n_rows, n_cells)
        First with `weight` alone, then with ``weight · drawn``; NaN for cells without sessions.
    """
    if not 0 <= trim < 0.5:
        raise ValueError(f"trim {trim} is outside [0, 0.5)")
    of = within.session  # laid out cell by cell in small numbers, so that reading is short and runs forward
    found: NDArray[np.float64] = _moved_statistics(
        log_value, drawn, user[of].astype(np.int32), weight[of], factor, fifth[of].astype(np.uint8), within.start,
        of.astype(np.int32), trim,
    )  # fmt: skip
    return found


def reweighted_statistics(
    log_value: NDArray[np.float64], drawn: NDArray[np.float64], user: NDArray[np.int64], weight: NDArray[np.float64],
    factor: NDArray[np.float64], fifth: NDArray[np.int64], within: Members, *, trim: float,
) -> NDArray[np.float64]:  # fmt: skip
    """The same where only users are drawn and values stand still, shape (3, n_rows, n_cells).

    Parameters
    ----------
    log_value : ndarray, shape (n_sessions,)
        Values of the point estimate.
    factor : ndarray, shape (5,)
        Smearing factors of the point estimate.
    drawn, user, weight, fifth, within, trim
        As in `moved_statistics`.
    """
    if not 0 <= trim < 0.5:
        raise ValueError(f"trim {trim} is outside [0, 0.5)")
    dear = np.exp(log_value) * factor[fifth]
    found: NDArray[np.float64] = _reweighted_statistics(
        log_value, drawn, user, weight, dear, within.start, within.session, trim
    )
    return found

"""Index numbers of groups at a fixed mix: what growth is when no group gains or loses share.

Groups are the goods: quantities are their shares of sessions ``s_gm``, prices ``p_gm = exp(θ_gm)``, value shares
``e_gm ∝ s_gm p_gm``. Laspeyres, Paasche, Fisher and Törnqvist as in the manuals (ILO and others 2004, "Consumer Price
Index Manual", chapters 15 to 19; Balk 2008, "Price and Quantity Index Numbers"); geometric Laspeyres and Paasche weigh
by counts, not by value, so that their geometric mean is the exponential of Kitagawa's within term; GEKS-Törnqvist
(Caves, Christensen and Diewert 1982) is transitive.

Matched model: a group without sessions in one of the two months compared is left out of that comparison, the weights of
the others are scaled to sum to 1, and `Link.covered_share` says how much weight they hold. Only ``within`` keeps the
share of a group left out, at no change: there it counts as mix. So the identity with the geometric pair holds where
every group is in both months.

Errors are carried over to first order (delta method): a log index number moves by its derivatives times what shares
and means move by in a replicate. Recomputing it from moved shares would be exact only in appearance, since in linear
form a share of a group of few users can fall below zero, where no index number exists; and to first order the
interval of the geometric pair's mean is that of within, to the digit.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from valuation.core.intervals import pointwise

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from valuation.core.bootstrap import Replicates, ShareReplicates, Variation
    from valuation.core.intervals import Interval

METHODS = ("laspeyres", "paasche", "fisher", "tornqvist", "geometric_laspeyres", "geometric_paasche", "within")
"""Bilateral index numbers, in the order of `Link`'s rows."""
GEKS = "geks_tornqvist"
_TORNQVIST = METHODS.index("tornqvist")


@dataclass(frozen=True, slots=True)
class Link:
    """Log index numbers between two months and their derivatives.

    Attributes
    ----------
    log_number : ndarray, shape (n_methods,)
        By `METHODS`, log points; NaN if no group is in both months.
    share_from, mean_from, share_to, mean_to : ndarray, shape (n_methods, n_groups)
        Derivatives by each group's share and mean in the two months; 0 for groups left out.
    n_groups : int
        Groups in both months.
    covered_share : float
        Their share of weight in the month where it is smaller, in [0, 1].
    """

    log_number: NDArray[np.float64]
    share_from: NDArray[np.float64]
    mean_from: NDArray[np.float64]
    share_to: NDArray[np.float64]
    mean_to: NDArray[np.float64]
    n_groups: int
    covered_share: float


@dataclass(frozen=True, slots=True)
class IndexPath:
    """One method's log index numbers over months, the first of them the base.

    Attributes
    ----------
    method : str
        Of `METHODS`, or `GEKS`.
    comparison : {"direct", "chained", "drift"}
        Base and month compared at once; linked through every month between; chained less direct.
    log_number : ndarray, shape (n_months,)
        Log points; 0 in the base month, NaN where no group is in both months of a comparison.
    share, mean : ndarray, shape (n_months, n_cells)
        Derivatives by the share and the mean of each cell.
    n_groups : ndarray of int, shape (n_months,)
        Least number of groups in both months of a comparison that enters.
    covered_share : ndarray, shape (n_months,)
        Least share of weight in those, in [0, 1].
    """

    method: str
    comparison: str
    log_number: NDArray[np.float64]
    share: NDArray[np.float64]
    mean: NDArray[np.float64]
    n_groups: NDArray[np.int64]
    covered_share: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class _Log:
    """A log index number of matched groups; rows of `gradient`: share and mean before, share and mean after."""

    value: float
    gradient: NDArray[np.float64]


def link(
    share_from: NDArray[np.float64], mean_from: NDArray[np.float64],
    share_to: NDArray[np.float64], mean_to: NDArray[np.float64],
) -> Link:  # fmt: skip
    """Compare two months by every bilateral method.

    Parameters
    ----------
    share_from, share_to : ndarray, shape (n_groups,)
        Shares of weight, 0 or above; 0 where a group is absent. Any scale: only ratios matter but to ``within`` and
        `covered_share`, which take them to sum to 1.
    mean_from, mean_to : ndarray, shape (n_groups,)
        Mean log value; anything, NaN included, where the share is 0.
    """
    both = np.flatnonzero((share_from > 0) & (share_to > 0))
    covered = min(float(share_from[both].sum()), float(share_to[both].sum()), 1.0)
    log_number = np.full(len(METHODS), np.nan)
    gradient = np.zeros((4, len(METHODS), share_from.size))
    if both.size:
        found = _matched(share_from[both], mean_from[both], share_to[both], mean_to[both])
        log_number = np.array([log.value for log in found])
        gradient[:, :, both] = np.stack([log.gradient for log in found], axis=1)
    return Link(log_number, gradient[0], gradient[1], gradient[2], gradient[3], both.size, covered)


def _matched(
    s: NDArray[np.float64], before: NDArray[np.float64], t: NDArray[np.float64], after: NDArray[np.float64]
) -> tuple[_Log, ...]:
    """Return every method of `METHODS` over groups that are in both months."""
    laspeyres, paasche = _aggregate(s, before, after, at=0), _aggregate(t, before, after, at=2)
    geometric = [_counted(s, after - before, at=0), _counted(t, after - before, at=2)]
    tornqvist = _half(_valued(s, before, after - before, at=0), _valued(t, after, after - before, at=2))
    change, share = after - before, 0.5 * (s + t)
    within = _Log(float(share @ change), np.stack([0.5 * change, -share, 0.5 * change, share]))
    return laspeyres, paasche, _half(laspeyres, paasche), tornqvist, *geometric, within


def _half(first: _Log, second: _Log) -> _Log:
    """The geometric mean of two index numbers."""
    return _Log(0.5 * (first.value + second.value), 0.5 * (first.gradient + second.gradient))


def _aggregate(q: NDArray[np.float64], before: NDArray[np.float64], after: NDArray[np.float64], *, at: int) -> _Log:
    """``ln Σ q p_T − ln Σ q p_0`` with quantities of one month; `at` is their row in the gradient."""
    level = max(float(before.max()), float(after.max()))  # cancels; keeps exponentials in range
    later, earlier = q * np.exp(after - level), q * np.exp(before - level)
    to, of = later / later.sum(), earlier / earlier.sum()
    gradient = np.stack([np.zeros_like(q), -of, np.zeros_like(q), to])
    gradient[at] = (to - of) / q
    return _Log(float(np.log(later.sum() / earlier.sum())), gradient)


def _counted(q: NDArray[np.float64], change: NDArray[np.float64], *, at: int) -> _Log:
    """Mean change of log prices, weighted by the counts of one month."""
    share = q / q.sum()
    value = float(share @ change)
    gradient = np.stack([np.zeros_like(q), -share, np.zeros_like(q), share])
    gradient[at] = (change - value) / q.sum()
    return _Log(value, gradient)


def _valued(q: NDArray[np.float64], mean: NDArray[np.float64], change: NDArray[np.float64], *, at: int) -> _Log:
    """Mean change of log prices, weighted by the value shares of one month."""
    value_share = q * np.exp(mean - mean.max())
    value_share /= value_share.sum()
    value = float(value_share @ change)
    gradient = np.stack([np.zeros_like(q), -value_share, np.zeros_like(q), value_share])
    tilt = value_share * (change - value)
    gradient[at] = tilt / q
    gradient[at + 1] += tilt
    return _Log(value, gradient)


def index_paths(point: NDArray[np.float64], share: NDArray[np.float64], cells: NDArray[np.int64]) -> list[IndexPath]:
    """Follow every method from the first month on.

    Parameters
    ----------
    point, share : ndarray, shape (n_cells,)
        Mean log value and share of weight of every cell.
    cells : ndarray of int, shape (n_months, n_groups)
        Cell of each group in each month shown, the base month first; -1 where absent. The groups must exhaust each
        month.

    Returns
    -------
    list of IndexPath
        Direct, chained and drift by method, and GEKS (direct), whose months all enter every comparison.
    """
    links = _links(point, share, cells)
    months = range(len(cells))
    paths = []
    for method in range(len(METHODS)):
        direct = [[(links[0, month], 0, month, 1.0)] if month else [] for month in months]
        chain = [[(links[month - 1, month], month - 1, month, 1.0) for month in range(1, last + 1)] for last in months]
        drift = [
            [*steps, *((found, a, b, -sign) for found, a, b, sign in whole)]
            for steps, whole in zip(chain, direct, strict=True)
        ]
        for comparison, steps in (("direct", direct), ("chained", chain), ("drift", drift)):
            paths.append(_path(METHODS[method], comparison, method, steps, cells, point.size))
    return [*paths, _path(GEKS, "direct", _TORNQVIST, _geks(links, months), cells, point.size)]


_Step = tuple[Link, int, int, float]
"""A comparison, its two months, and its weight in a sum of logs."""


def _links(
    point: NDArray[np.float64], share: NDArray[np.float64], cells: NDArray[np.int64]
) -> dict[tuple[int, int], Link]:
    """Compare every month with every later one."""
    shares = np.where(cells >= 0, share[np.maximum(cells, 0)], 0.0)
    means = np.where(cells >= 0, point[np.maximum(cells, 0)], np.nan)
    pairs = combinations(range(len(cells)), 2)
    return {(a, b): link(shares[a], means[a], shares[b], means[b]) for a, b in pairs}


def _geks(links: dict[tuple[int, int], Link], months: range) -> list[list[_Step]]:
    """``(1/M) Σ_l (ln T_0l + ln T_lt)``: the logarithm of Törnqvist changes its sign when time is reversed."""
    steps: list[list[_Step]] = [[]]
    for month in months[1:]:
        first = [(links[0, via], 0, via, 1.0 / len(months)) for via in months[1:]]
        before = [(links[via, month], via, month, 1.0 / len(months)) for via in months[:month]]
        after = [(links[month, via], month, via, -1.0 / len(months)) for via in months[month + 1 :]]
        steps.append(first + before + after)
    return steps


def _path(
    method: str, comparison: str, row: int, steps: list[list[_Step]], cells: NDArray[np.int64], n_cells: int
) -> IndexPath:
    """Sum the steps to each month."""
    log_number = np.array([sum((sign * s.log_number[row] for s, _, _, sign in month), 0.0) for month in steps])
    share, mean = np.zeros((len(cells), n_cells)), np.zeros((len(cells), n_cells))
    for month, parts in enumerate(steps):
        for step, first, second, sign in parts:
            for at, d_share, d_mean in (
                (first, step.share_from[row], step.mean_from[row]),
                (second, step.share_to[row], step.mean_to[row]),
            ):
                there = cells[at] >= 0
                share[month, cells[at][there]] += sign * d_share[there]
                mean[month, cells[at][there]] += sign * d_mean[there]
    present = int((cells[0] >= 0).sum())
    groups = [min((step.n_groups for step, *_ in month), default=present) for month in steps]
    covered = [min((step.covered_share for step, *_ in month), default=1.0) for month in steps]
    return IndexPath(method, comparison, log_number, share, mean, np.array(groups), np.array(covered))


def path_interval(
    path: IndexPath, replicates: Replicates, shares: ShareReplicates,
    *, variation: Variation, level: float, factor: NDArray[np.float64],
) -> Interval:  # fmt: skip
    """Pointwise intervals of a path, in logs.

    Parameters
    ----------
    path : IndexPath
        From `index_paths`, of the same cells.
    replicates, shares
        From `valuation.core.bootstrap.joint_replicates`; posting draws move means only.
    variation, level
        As in `valuation.core.growth.growth`.
    factor : ndarray, shape (n_months,)
        Widening; ignored in the base month, which has no width.
    """
    used = np.flatnonzero(path.mean.any(axis=0) | path.share.any(axis=0))
    moved = replicates.deviations(variation)[:, used] @ path.mean[:, used].T
    if variation != "postings":
        moved = moved + shares.users[:, used] @ path.share[:, used].T
    still = ~(path.mean.any(axis=1) | path.share.any(axis=1))
    return pointwise(path.log_number, moved, level=level, factor=np.where(still, 1.0, factor))

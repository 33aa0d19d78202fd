"""What moved: the mix of groups, or values within groups (Kitagawa 1955, in Bennet's symmetric form).

``Δθ = Σ_g s̄_g Δθ_g + Σ_g (θ̄_g − θ̄) Δs_g``: bars are means of the two months, ``s`` shares of weight, ``θ`` mean
logs. It decomposes log growth. A group absent in one month takes its value in the other, so that it counts as mix
alone. Finer groups move within into mix; label errors do the reverse.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from valuation.core.intervals import Interval, pointwise

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from valuation.core.bootstrap import Replicates, ShareReplicates, Variation


@dataclass(frozen=True, slots=True)
class MixWithin:
    """Terms of each group, in log points; their sums add up to the growth of the whole.

    Attributes
    ----------
    within, mix : ndarray, shape (n_groups,)
        0 for a group absent in both months.
    """

    within: NDArray[np.float64]
    mix: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Decomposition:
    """Intervals of the terms; the last entry is the sum over groups.

    Attributes
    ----------
    within, mix, total : Interval
        Arrays of shape (n_groups + 1,), log points. ``within + mix = total``; the last total is ``θ_T − θ_0`` and its
        interval that of growth.
    """

    within: Interval
    mix: Interval
    total: Interval


@dataclass(frozen=True, slots=True)
class _Side:
    """Shares and means of groups in one month, absent ones filled: arrays (…, n_groups)."""

    share: NDArray[np.float64]
    mean: NDArray[np.float64]


def mix_within(
    share_from: NDArray[np.float64], mean_from: NDArray[np.float64],
    share_to: NDArray[np.float64], mean_to: NDArray[np.float64],
) -> MixWithin:  # fmt: skip
    """Decompose the change of a mean between two months.

    Parameters
    ----------
    share_from, share_to : ndarray, shape (n_groups,)
        Shares of weight in [0, 1], summing to 1 in each month.
    mean_from, mean_to : ndarray, shape (n_groups,)
        Mean log value; anything, NaN included, where the share is 0.
    """
    for share in (share_from, share_to):
        if abs(share.sum() - 1.0) > 1e-9:
            raise ValueError(f"shares of groups sum to {share.sum()}, not 1: every session needs a group")
    first, second = _filled(share_from, mean_from, share_to, mean_to)
    average = 0.5 * (first.share @ first.mean + second.share @ second.mean)
    within = 0.5 * (first.share + second.share) * (second.mean - first.mean)
    mix = (0.5 * (first.mean + second.mean) - average) * (second.share - first.share)
    return MixWithin(within, mix)


def _filled(
    share_from: NDArray[np.float64], mean_from: NDArray[np.float64],
    share_to: NDArray[np.float64], mean_to: NDArray[np.float64],
) -> tuple[_Side, _Side]:  # fmt: skip
    here, there = share_from > 0, share_to > 0
    first = np.where(here, mean_from, np.where(there, mean_to, 0.0))
    second = np.where(there, mean_to, np.where(here, mean_from, 0.0))
    return _Side(share_from, first), _Side(share_to, second)


def decompose(
    replicates: Replicates, shares: ShareReplicates, *, from_cells: NDArray[np.int64], to_cells: NDArray[np.int64],
    variation: Variation, level: float, factor: float,
) -> Decomposition:  # fmt: skip
    """Decompose growth between two months over groups, with intervals.

    Terms are moved to first order in each replicate, as everything else is, so that the interval of the total is that
    of growth. Posting draws move means only, users' draws also shares.

    Parameters
    ----------
    replicates, shares
        Of all cells (`valuation.core.bootstrap.joint_replicates`).
    from_cells, to_cells : ndarray of int, shape (n_groups,)
        Cell of each group in the two months, -1 where absent; the groups must exhaust both months.
    variation, level
        As in `valuation.core.growth.growth`.
    factor : float
        Widening, that of the growth contrast.
    """
    sides = [(_gather(shares.point, cells), _gather(replicates.point, cells)) for cells in (from_cells, to_cells)]
    point = mix_within(*sides[0], *sides[1])
    first, second = _filled(*sides[0], *sides[1])
    moved_shares = np.zeros_like(shares.users) if variation == "postings" else shares.users
    moved = [
        (_gather(moved_shares, cells), _gather(replicates.deviations(variation), cells))
        for cells in (from_cells, to_cells)
    ]
    move_first, move_second = _filled_moves(first, second, moved)
    terms = _differential(first, second, move_first, move_second)
    return Decomposition(*(
        _interval(estimate, deviations, level, factor)
        for estimate, deviations in (
            (point.within, terms.within), (point.mix, terms.mix),
            (point.within + point.mix, terms.within + terms.mix),
        )
    ))  # fmt: skip


def _gather(values: NDArray[np.float64], cells: NDArray[np.int64]) -> NDArray[np.float64]:
    """Columns of `values` at `cells`, 0 where absent."""
    return np.where(cells >= 0, values[..., np.maximum(cells, 0)], 0.0)


def _filled_moves(
    first: _Side, second: _Side, moved: list[tuple[NDArray[np.float64], NDArray[np.float64]]]
) -> tuple[_Side, _Side]:
    (share_from, mean_from), (share_to, mean_to) = moved
    here, there = first.share > 0, second.share > 0
    return (
        _Side(share_from, np.where(here, mean_from, mean_to)),
        _Side(share_to, np.where(there, mean_to, mean_from)),
    )


def _differential(first: _Side, second: _Side, move_first: _Side, move_second: _Side) -> MixWithin:
    """How the terms of `mix_within` change, to first order, when shares and means move: (n_replicates, n_groups)."""
    share, mean = 0.5 * (first.share + second.share), 0.5 * (first.mean + second.mean)
    d_share, d_mean = 0.5 * (move_first.share + move_second.share), 0.5 * (move_first.mean + move_second.mean)
    change_share, change_mean = second.share - first.share, second.mean - first.mean
    average = 0.5 * (first.share @ first.mean + second.share @ second.mean)
    d_average = 0.5 * sum(
        move.share @ side.mean + move.mean @ side.share for side, move in ((first, move_first), (second, move_second))
    )
    within = d_share * change_mean + share * (move_second.mean - move_first.mean)
    mix = (d_mean - np.asarray(d_average)[:, None]) * change_share
    return MixWithin(within, mix + (mean - average) * (move_second.share - move_first.share))


def _interval(estimate: NDArray[np.float64], deviations: NDArray[np.float64], level: float, factor: float) -> Interval:
    whole = np.append(estimate, estimate.sum())
    moved = np.column_stack([deviations, deviations.sum(axis=1)])
    return pointwise(whole, moved, level=level, factor=np.full(whole.size, factor))

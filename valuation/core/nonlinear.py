"""Statistics that are not linear in values (median, trimmed mean, mean price), with joint replicates.

Values move as in `valuation.core.movement`; users' draws multiply their sessions' weights; the smearing factors of the
mean price are estimated again from the reweighted postings. Sessions and postings keep the fifth of predicted value
that they have in the point estimate. Replicates are worked on in blocks: memory does not grow with their number, and
no figure depends on the blocks.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import csr_array

from valuation.core import draws
from valuation.core.bootstrap import Replicates, posting_replicates
from valuation.core.movement import Movement, movement, value_deviations
from valuation.core.selection import moved_statistics, reweighted_statistics
from valuation.core.statistics import FIFTHS, Members, Smearing, fifth_of, log_statistics, members, smearing

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from valuation.core.arrays import BasketModel, PricedSessions
    from valuation.core.bootstrap import CalibrationReplicates

BLOCK = 64
"""Replicates worked on at a time: speed and memory only."""


@dataclass(frozen=True, slots=True)
class NonlinearReplicates:
    """Log median, log trimmed mean of ``V`` and log mean price, with replicates of all three variations.

    Attributes
    ----------
    median, trimmed_mean, mean : Replicates
        One column a cell.
    smearing : Smearing
        What turned typical into mean prices.
    """

    median: Replicates
    trimmed_mean: Replicates
    mean: Replicates
    smearing: Smearing


@dataclass(frozen=True, slots=True)
class _Frame:
    """What every block of replicates needs: values after calibration, and what moves them."""

    log_value: NDArray[np.float64]
    sessions: PricedSessions
    moves: Movement
    calibration: CalibrationReplicates | None
    factor: NDArray[np.float64]  # (5,)
    factors: NDArray[np.float64]  # (n_replicates, 5)
    fifth: NDArray[np.int64]
    within: Members
    trim: float
    seed: int


def nonlinear_replicates(
    sessions: PricedSessions, model: BasketModel, residual: NDArray[np.float64], cell: NDArray[np.int64],
    *, n_cells: int, use_hedonic: bool, calibration: CalibrationReplicates | None, trim: float, seed: int,
    replicates: int,
) -> NonlinearReplicates:  # fmt: skip
    """Estimate the median, trimmed mean and mean price of every cell, with joint replicates.

    Parameters
    ----------
    sessions, model, residual, cell, n_cells, use_hedonic
        As in `valuation.core.influence.series_influence`; values and residuals *before* calibration.
    calibration : CalibrationReplicates or None
        Linear correction of values, re-estimated in each replicate; None applies none.
    trim : float
        Share of weight cut off each tail for the trimmed mean, in [0, 0.5).
    seed, replicates : int
        As in `valuation.core.bootstrap.joint_replicates`; the draws are the same.
    """
    log_value = _calibrate(sessions.log_value, calibration)
    held_out = _calibrate(model.log_price - residual, calibration)
    smear = smearing(held_out, model.log_price - held_out)
    frame = _Frame(
        log_value, sessions, movement(sessions, model, residual, use_hedonic=use_hedonic), calibration, smear.factor,
        _smearing_replicates(smear, model, residual, held_out, calibration, seed, replicates),
        fifth_of(log_value, smear.edges), members(cell, n_cells=n_cells), trim, seed,
    )  # fmt: skip
    point = log_statistics(
        log_value[None], sessions.weight[None], smear.factor[None], frame.fifth, frame.within, trim=trim
    )[:, 0]
    blocks = [_block(frame, first, min(BLOCK, replicates - first)) for first in range(0, replicates, BLOCK)]
    moved = np.concatenate(blocks, axis=2) - point[:, None, :]
    median, trimmed, mean = (Replicates(point[which], *moved[:, which]) for which in range(3))
    return NonlinearReplicates(median, trimmed, mean, smear)


def _calibrate(value: NDArray[np.float64], calibration: CalibrationReplicates | None) -> NDArray[np.float64]:
    return value if calibration is None else calibration.intercept + calibration.slope * value


def _block(frame: _Frame, first: int, count: int) -> NDArray[np.float64]:
    """Return statistics of a block, shape (3 variations, 3 statistics, count, n_cells)."""
    sessions, block = frame.sessions, slice(first, first + count)
    drawn = draws.exponentials(sessions.user_key, seed=frame.seed, stream=draws.USERS, first=first, count=count)
    value = value_deviations(frame.moves, seed=frame.seed, first=first, count=count)
    if (line := frame.calibration) is not None:
        value *= (line.slope + line.slope_deviation[block])[:, None]
        value += line.intercept_deviation[block, None]
        value += line.slope_deviation[block, None] * sessions.log_value
    value += frame.log_value
    weighted = drawn, sessions.user, sessions.weight
    users = reweighted_statistics(
        frame.log_value, *weighted, frame.factor, frame.fifth, frame.within, trim=frame.trim
    )  # fmt: skip
    moved = moved_statistics(value, *weighted, frame.factors[block], frame.fifth, frame.within, trim=frame.trim)
    return np.concatenate([users[None], moved])


def _smearing_replicates(
    smear: Smearing, model: BasketModel, residual: NDArray[np.float64], held_out: NDArray[np.float64],
    calibration: CalibrationReplicates | None, seed: int, replicates: int,
) -> NDArray[np.float64]:  # fmt: skip
    """Return ``S(b)`` of each fifth, shape (n_replicates, 5): reweighted mean of exp(ρ).

    A calibration that moves also moves ``ρ``, to first order by ``−(a(b) − a) − (b(b) − b) v``.
    """
    ratio, raw = np.exp(model.log_price - held_out), model.log_price - residual
    inside = smear.fifth[:, None] == np.arange(FIFTHS)
    columns = np.hstack([inside * part[:, None] for part in (np.ones_like(ratio), ratio, ratio * raw)])
    n_clusters, n_units = ratio.size, model.unit_key.size
    of_unit = csr_array((np.ones(n_clusters), (model.unit, np.arange(n_clusters))), shape=(n_units, n_clusters))
    moved = posting_replicates(of_unit @ columns, unit_key=model.unit_key, seed=seed, replicates=replicates)
    count, summed, slope_part = np.hsplit(columns.sum(axis=0) + moved, 3)
    if calibration is not None:
        mean_raw = np.divide(slope_part, summed, out=np.zeros_like(summed), where=summed > 0)
        shift = calibration.intercept_deviation[:, None] + calibration.slope_deviation[:, None] * mean_raw
        summed = summed * np.exp(-shift)
    return np.asarray(np.divide(summed, count, out=np.ones_like(summed), where=count > 0))

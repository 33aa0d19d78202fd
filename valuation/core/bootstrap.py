"""One joint bootstrap of users and posting units in linear form: one draw serves every month, group and statistic.

``θ_c(b) = θ_c + Σ_u (u_u(b) − 1) φ_uc + Σ_u (ω_u(b) − 1) ψ_uc`` with standard exponential ``u`` and ``ω``. Neighbours
are never searched again and their weights never re-normalised: the naive bootstrap fails for matching (Abadie and
Imbens 2008, "On the failure of the bootstrap for matching estimators"). Both parts use the same draws whether they are
shown alone or together.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from scipy.sparse import csr_array, hstack

from valuation.core import draws

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from valuation.core.influence import Influence

Variation = Literal["users", "postings", "both"]
VARIATIONS: tuple[Variation, ...] = ("users", "postings", "both")


@dataclass(frozen=True, slots=True)
class Replicates:
    """A statistic of every cell, on the log scale, and how it deviates in every replicate.

    Attributes
    ----------
    point : ndarray, shape (n_cells,)
        The estimate, log nominal USD (or log of any positive statistic); NaN for empty cells.
    users, postings, both : ndarray, shape (n_replicates, n_cells)
        Deviation from `point` when only users, only posting units, or both are resampled.
    """

    point: NDArray[np.float64]
    users: NDArray[np.float64]
    postings: NDArray[np.float64]
    both: NDArray[np.float64]

    def deviations(self, variation: Variation) -> NDArray[np.float64]:
        """Return the deviations under one variation, shape (n_replicates, n_cells)."""
        chosen: NDArray[np.float64] = getattr(self, variation)
        return chosen


@dataclass(frozen=True, slots=True)
class ShareReplicates:
    """Shares of cells in their months, and how they deviate when users are resampled.

    Attributes
    ----------
    point : ndarray, shape (n_cells,)
        In [0, 1].
    users : ndarray, shape (n_replicates, n_cells)
        Deviations; they sum to 0 over the groups of a month.
    """

    point: NDArray[np.float64]
    users: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class CalibrationReplicates:
    """Intercept and slope of log price on held-out value, and how they deviate when posting units are resampled.

    Attributes
    ----------
    intercept, slope : float
        ``y ≈ intercept + slope · v``.
    intercept_deviation, slope_deviation : ndarray, shape (n_replicates,)
        From the regression fitted again in each replicate.
    """

    intercept: float
    slope: float
    intercept_deviation: NDArray[np.float64]
    slope_deviation: NDArray[np.float64]


def joint_replicates(
    influence: Influence, *, unit_key: NDArray[np.uint64], user_key: NDArray[np.uint64], seed: int, replicates: int
) -> tuple[Replicates, ShareReplicates]:
    """Draw the mean log value and the share of every cell, all from the same users and posting units.

    Parameters
    ----------
    influence : Influence
        From `series_influence`.
    unit_key, user_key : ndarray of uint64
        The draws' identities, shapes (n_units,) and (n_users,).
    seed : int
        In [0, 2^64).
    replicates : int
        Number of replicates, at least 1.
    """
    by_user = csr_array(hstack([influence.user, influence.share_user]))  # one pass over users' draws for both
    drawn = draws.replicate_sums(user_key, by_user, seed=seed, stream=draws.USERS, replicates=replicates)
    users, shares = np.hsplit(drawn, [influence.mean.size])
    postings = posting_replicates(influence.posting, unit_key=unit_key, seed=seed, replicates=replicates)
    return (
        Replicates(influence.mean, users, postings, users + postings),
        ShareReplicates(influence.cell_share, shares),
    )


def posting_replicates(
    influence: NDArray[np.float64], *, unit_key: NDArray[np.uint64], seed: int, replicates: int
) -> NDArray[np.float64]:
    """Return the posting part alone, shape (n_replicates, n_columns), from influence of shape (n_units, n_columns)."""
    return draws.replicate_sums(unit_key, csr_array(influence), seed=seed, stream=draws.POSTINGS, replicates=replicates)


def calibration_replicates(
    value: NDArray[np.float64], log_price: NDArray[np.float64], unit: NDArray[np.int64],
    *, unit_key: NDArray[np.uint64], seed: int, replicates: int,
) -> CalibrationReplicates:  # fmt: skip
    """Fit log price on out-of-fold value by least squares, again in every replicate with the units' weights.

    Parameters
    ----------
    value : ndarray, shape (n_clusters,)
        ``v_-j(x_j)``, out of fold; not all equal.
    log_price : ndarray, shape (n_clusters,)
        ``y_j``.
    unit : ndarray of int, shape (n_clusters,)
        Resampling unit of each cluster.
    unit_key : ndarray of uint64, shape (n_units,)
        The same keys, seed and stream as the series, so that errors move together.
    seed, replicates : int
        As in `joint_replicates`.
    """
    centre, middle = value.mean(), log_price.mean()  # centred moments: no cancellation
    v, y = value - centre, log_price - middle
    columns = np.column_stack([np.ones_like(v), v, y, v * v, v * y])
    by_unit = csr_array((np.ones(unit.size), (unit, np.arange(unit.size))), shape=(unit_key.size, unit.size)) @ columns
    total = columns.sum(axis=0)
    moved = total + posting_replicates(by_unit, unit_key=unit_key, seed=seed, replicates=replicates)
    intercept, slope = _line(total[None, :])
    intercepts, slopes = _line(moved)
    at_zero, at_zeros = intercept + middle - slope * centre, intercepts + middle - slopes * centre
    return CalibrationReplicates(float(at_zero[0]), float(slope[0]), at_zeros - at_zero, slopes - slope)


def _line(moments: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return intercepts and slopes from the sums of 1, v, y, v², vy in the columns of `moments`."""
    n, v, y, vv, vy = moments.T
    spread = vv - v * v / n
    if not (spread > 0).all():
        raise ValueError("values that are all equal cannot be calibrated")
    slope = (vy - v * y / n) / spread
    return (y - slope * v) / n, slope


def calibrated(raw: Replicates, calibration: CalibrationReplicates) -> Replicates:
    """Apply ``a + b·θ`` with ``a`` and ``b`` re-estimated in every replicate, to first order.

    Valid for statistics that are means of ``v``: deviations become ``b·deviation + (a(b) − a) + (b(b) − b)·θ``.
    """
    line = calibration.intercept_deviation[:, None] + calibration.slope_deviation[:, None] * raw.point
    users, postings = calibration.slope * raw.users, calibration.slope * raw.postings + line
    return Replicates(calibration.intercept + calibration.slope * raw.point, users, postings, users + postings)

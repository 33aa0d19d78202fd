"""Growth of a statistic between months, its monthly average and its trend, with intervals of all three variations.

Every figure is a *contrast*: a weighted sum of cells' log statistics, so its replicates are the same sum of theirs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from valuation.core.intervals import Interval, effective_number, pointwise, widening

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from valuation.core.bootstrap import Replicates, Variation
    from valuation.core.influence import Influence

HUBS = 0.01
"""Share of posting units whose weight is shown as the weight on hubs."""
DETECTABLE = 2.8
"""Standard errors of the smallest change found with power 0.8 in a two-sided 5 % test (1.96 + 0.84)."""


@dataclass(frozen=True, slots=True)
class Support:
    """What stands behind a contrast.

    Attributes
    ----------
    effective_users : float
        ``1/Σ share²`` of users' weights, on the side of the contrast that has fewer: the thin month decides the error.
    effective_postings : float
        ``1/Σ share²`` of posting units' shares of ``|A_jT − A_j0|``; all units if the two sides rest on the same ones.
    hub_weight : float
        Part of that weight on the 1 % of the basket's posting units with the most, in [0, 1].
    """

    effective_users: float
    effective_postings: float
    hub_weight: float


@dataclass(frozen=True, slots=True)
class Rate:
    """An estimate and its interval; NaN where it cannot be given."""

    estimate: float
    lower: float
    upper: float


@dataclass(frozen=True, slots=True)
class GrowthEstimate:
    """Growth under one variation; rates are shares (0.27 = 27 %).

    Attributes
    ----------
    log_growth : Rate
        ``θ_T − θ_0``, log points.
    standard_error : float
        Of `log_growth`, before widening.
    growth : Rate
        ``exp(θ_T − θ_0) − 1``.
    monthly : Rate
        Average growth a calendar month.
    trend : Rate
        Slope of ordinary least squares over the complete months, log points a month.
    minimum_detectable : float
        Growth that would be found significant with power 0.8.
    factor : float
        Widening of growth's intervals for few effective users or postings; 1 = none, NaN = no interval can be given.
    support : Support
        Of the growth contrast.
    """

    log_growth: Rate
    standard_error: float
    growth: Rate
    monthly: Rate
    trend: Rate
    minimum_detectable: float
    factor: float
    support: Support


def between(n_cells: int, from_cells: NDArray[np.int64], to_cells: NDArray[np.int64]) -> NDArray[np.float64]:
    """Contrast of the mean of `to_cells` with the mean of `from_cells`, shape (n_cells,)."""
    contrast = np.zeros(n_cells)
    np.add.at(contrast, to_cells, 1.0 / to_cells.size)
    np.add.at(contrast, from_cells, -1.0 / from_cells.size)
    return contrast


def slope(n_cells: int, cells: NDArray[np.int64], number: NDArray[np.int64]) -> NDArray[np.float64]:
    """Contrast whose value is the least-squares slope over months, shape (n_cells,); NaN with fewer than two months.

    Parameters
    ----------
    n_cells : int
        Length of the contrast.
    cells, number : ndarray of int, shape (n_months,)
        Cell and calendar number (`valuation.core.months.month_number`) of each complete month.
    """
    contrast = np.zeros(n_cells)
    if cells.size < 2:
        return np.full(n_cells, np.nan)
    centred = number - number.mean()
    contrast[cells] = centred / np.square(centred).sum()
    return contrast


def support(influence: Influence, contrast: NDArray[np.float64]) -> Support:
    """Count the users and posting units that a contrast of cells rests on.

    Parameters
    ----------
    influence : Influence
        Of the cells.
    contrast : ndarray, shape (n_cells,)
        Weights of cells; a single 1 asks for the support of one cell.
    """
    sides = [influence.user_share @ np.maximum(side, 0.0) for side in (contrast, -contrast)]
    users = min(effective_number(side) for side in sides if side.any()) if any(s.any() for s in sides) else 0.0
    weight = np.sort(np.abs(influence.posting_share @ contrast))[::-1]
    if weight.sum() <= 1e-12:
        return Support(users, float(weight.size), 0.0)
    top = int(np.ceil(HUBS * weight.size))
    return Support(users, effective_number(weight), float(weight[:top].sum() / weight.sum()))


def effective(stands: Support, variation: Variation) -> float:
    """Return the effective number that limits the interval of a variation."""
    limits = {"users": stands.effective_users, "postings": stands.effective_postings}
    return limits[variation] if variation in limits else min(limits.values())


def contrast_interval(
    replicates: Replicates, contrast: NDArray[np.float64], *, variation: Variation, level: float, factor: float
) -> Interval:
    """Interval of a contrast of cells, in logs; arrays of shape (1,).

    Cells outside the contrast do not matter, even where their statistic is NaN.
    """
    used = np.flatnonzero(contrast)
    weights = contrast[used]
    point = np.array([replicates.point[used] @ weights])
    moved = replicates.deviations(variation)[:, used] @ weights
    return pointwise(point, moved[:, None], level=level, factor=np.array([factor]))


def growth(
    replicates: Replicates, influence: Influence, *, contrast: NDArray[np.float64], months_apart: float,
    trend: NDArray[np.float64], variation: Variation, level: float,
) -> GrowthEstimate:  # fmt: skip
    """Estimate growth of one statistic under one variation.

    Parameters
    ----------
    replicates : Replicates
        Of the statistic, on the log scale.
    influence : Influence
        Of the same cells: says what stands behind them.
    contrast : ndarray, shape (n_cells,)
        From `between`: base and last month, or the first two and the last two.
    months_apart : float
        Calendar months between the two sides, above 0.
    trend : ndarray, shape (n_cells,)
        From `slope`.
    variation : {"users", "postings", "both"}
        What is resampled.
    level : float
        In (0, 1).
    """
    change, error, factor = _supported(replicates, influence, contrast, variation, level)
    line = Rate(np.nan, np.nan, np.nan)
    if np.isfinite(trend).all():
        line, _, _ = _supported(replicates, influence, trend, variation, level)
    return GrowthEstimate(
        log_growth=change,
        standard_error=error,
        growth=_rate(change, 1.0),
        monthly=_rate(change, 1.0 / months_apart),
        trend=line,
        minimum_detectable=float(np.expm1(DETECTABLE * error * factor)),
        factor=factor,
        support=support(influence, contrast),
    )


def _supported(
    replicates: Replicates, influence: Influence, contrast: NDArray[np.float64], variation: Variation, level: float
) -> tuple[Rate, float, float]:
    """Log contrast with its interval, standard error, and widening for what stands behind it."""
    limit = effective(support(influence, contrast), variation)
    factor = float(widening(np.array([limit]), level=level)[0])
    found = contrast_interval(replicates, contrast, variation=variation, level=level, factor=factor)
    rate = Rate(float(found.estimate[0]), float(found.lower[0]), float(found.upper[0]))
    return rate, float(found.standard_error[0]), factor


def _rate(change: Rate, scale: float) -> Rate:
    return Rate(*(float(np.expm1(scale * part)) for part in (change.estimate, change.lower, change.upper)))

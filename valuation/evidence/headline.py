"""The run's headline growth, and growth of the same kind from other weights or another basket, by the same draws."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from valuation.core.bootstrap import Replicates, calibrated, calibration_replicates, joint_replicates
from valuation.core.draws import unit_key
from valuation.core.growth import Rate, effective, support
from valuation.core.influence import series_influence
from valuation.core.intervals import pointwise, widening
from valuation.core.pricing import PRICERS
from valuation.pipeline.series_tables import span_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from valuation.config import Settings
    from valuation.core.arrays import PricedSessions
    from valuation.core.bootstrap import ShareReplicates
    from valuation.core.growth import Support
    from valuation.core.influence import Influence
    from valuation.core.pricing import PricerName
    from valuation.pipeline.model import PriceModel
    from valuation.pipeline.reopened import ReopenedRun


@dataclass(frozen=True, slots=True)
class Moved:
    """A figure with its deviations in every replicate, log points.

    Attributes
    ----------
    estimate : float
    users, postings, both : ndarray, shape (n_replicates,)
        Deviations when users, posting units, or both are resampled.
    factor : float
        Widening of the joint interval for few effective users or postings; NaN = no interval can be given.
    """

    estimate: float
    users: NDArray[np.float64]
    postings: NDArray[np.float64]
    both: NDArray[np.float64]
    factor: float

    def interval(self, level: float) -> Rate:
        """Joint interval of the figure."""
        return interval(self.estimate, self.both, level=level, factor=self.factor)

    def less(self, other: Moved) -> Moved:
        """Difference from another figure of the same draws."""
        return Moved(
            self.estimate - other.estimate,
            self.users - other.users,
            self.postings - other.postings,
            self.both - other.both,
            float(np.maximum(self.factor, other.factor)),
        )


@dataclass(frozen=True, slots=True)
class Headline:
    """Growth of the mean log value from the base month to the last complete one, under the headline pricer.

    Attributes
    ----------
    pricer, which : str, int
        Name and position in `valuation.core.pricing.PRICERS`.
    base, last : int
        Codes of the two months.
    from_month, to_month : str
    month : ndarray of int, shape (n_matched,)
        Month of each matched session.
    session_key : ndarray of uint64, shape (n_matched,)
        Identities of the matched sessions.
    growth : Moved
    n : int
        Matched sessions in the two months.
    level : float
        Of intervals.
    """

    pricer: PricerName
    which: int
    base: int
    last: int
    from_month: str
    to_month: str
    month: NDArray[np.int64]
    session_key: NDArray[np.uint64]
    growth: Moved
    n: int
    level: float

    @property
    def interval(self) -> Rate:
        """Joint interval of growth, log points."""
        return self.growth.interval(self.level)

    @property
    def grows(self) -> bool | None:
        """Whether the interval leaves 0 out; None where there is none."""
        found = self.interval
        return None if np.isnan(found.lower) else bool(found.lower > 0 or found.upper < 0)

    @property
    def two(self) -> NDArray[np.bool_]:
        """Matched sessions of the two months, shape (n_matched,)."""
        return np.isin(self.month, [self.base, self.last])


def headline_of(run: ReopenedRun) -> Headline | None:
    """Find the run's headline growth; None where no two months can be compared."""
    tracked, settings = run.tracked, run.settings
    span = span_of(tracked, tracked.cells.groups[0], settings)
    if span is None or not span.grows:
        return None
    first = tracked.statistics[0]
    month = tracked.cells.code[0]
    months = tracked.calendar.months
    ids = run.sessions.frame["session_id"].iloc[tracked.matched].tolist()
    return Headline(
        pricer=settings.pricing.pricer,
        which=PRICERS.index(settings.pricing.pricer),
        base=span.base,
        last=span.last,
        from_month=months[span.base],
        to_month=months[span.last],
        month=month,
        session_key=unit_key(ids),
        growth=_change(first.replicates, first.influence, span.base, span.last, settings),
        n=int(np.isin(month, [span.base, span.last]).sum()),
        level=settings.series.level,
    )


def interval(estimate: float, deviations: NDArray[np.float64], *, level: float, factor: float = 1.0) -> Rate:
    """Pointwise interval of one figure from its deviations."""
    found = pointwise(np.array([estimate]), deviations[:, None], level=level, factor=np.array([factor]))
    return Rate(estimate, float(found.lower[0]), float(found.upper[0]))


def widened(stands: Support, settings: Settings) -> float:
    """Widening of a joint interval for what stands behind it."""
    return float(widening(np.array([effective(stands, "both")]), level=settings.series.level)[0])


def _change(replicates: Replicates, influence: Influence, base: int, last: int, settings: Settings) -> Moved:
    """Change between two cells."""
    contrast = np.zeros(influence.mean.size)
    contrast[last], contrast[base] = 1.0, -1.0
    return Moved(
        float(replicates.point[last] - replicates.point[base]),
        replicates.users[:, last] - replicates.users[:, base],
        replicates.postings[:, last] - replicates.postings[:, base],
        replicates.both[:, last] - replicates.both[:, base],
        widened(support(influence, contrast), settings),
    )


def cell_replicates(
    sessions: PricedSessions,
    model: PriceModel,
    cell: NDArray[np.int64],
    which: int,
    settings: Settings,
    *,
    n_cells: int,
) -> tuple[Replicates, ShareReplicates, Influence]:
    """Means of cells under the pricer `which`, calibrated as configured, with the run's draws.

    Parameters
    ----------
    sessions : PricedSessions
        Before calibration.
    cell : ndarray of int, shape (n_groupings, n_sessions)
        As in `valuation.core.influence.series_influence`.
    """
    arrays, boot = model.arrays, settings.bootstrap
    residual = arrays.log_price - model.value[which]
    influence = series_influence(
        sessions, arrays, residual, cell, n_cells=n_cells, use_hedonic=PRICERS[which] != "neighbours"
    )
    replicates, shares = joint_replicates(
        influence, unit_key=arrays.unit_key, user_key=sessions.user_key, seed=boot.seed, replicates=boot.replicates
    )
    if settings.pricing.calibrate:
        line = calibration_replicates(
            model.value[which], arrays.log_price, arrays.unit,
            unit_key=arrays.unit_key, seed=boot.seed, replicates=boot.replicates,
        )  # fmt: skip
        replicates = calibrated(replicates, line)
    return replicates, shares, influence


def growth_of(
    sessions: PricedSessions, month: NDArray[np.int64], model: PriceModel, headline: Headline, settings: Settings
) -> Moved:
    """Growth between the headline's two months from other weights or another basket.

    Parameters
    ----------
    sessions : PricedSessions
        Of both months at least; values before calibration.
    month : ndarray of int, shape (n_sessions,)
        Codes as in the headline.
    model : PriceModel
        The basket that priced them.
    """
    cell = np.where(month == headline.base, 0, np.where(month == headline.last, 1, -1))[None]
    replicates, _, influence = cell_replicates(sessions, model, cell, headline.which, settings, n_cells=2)
    return _change(replicates, influence, 0, 1, settings)

"""The headline pricer's parts that figures beside the series start from."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from valuation.core.bootstrap import Replicates, calibrated, calibration_replicates
from valuation.core.pricing import PRICERS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from valuation.config import Settings
    from valuation.core.arrays import PricedSessions
    from valuation.pipeline.model import PriceModel
    from valuation.pipeline.tracking import Tracked


def uses_hedonic(settings: Settings) -> bool:
    """Whether the headline pricer has the regression in it."""
    return settings.pricing.pricer != "neighbours"


def raw_residual(model: PriceModel, settings: Settings) -> NDArray[np.float64]:
    """``ρ_j`` of the headline pricer before calibration, shape (n_clusters,)."""
    return np.asarray(model.arrays.log_price - model.value[PRICERS.index(settings.pricing.pricer)])


def on_the_line(
    raw: Replicates, model: PriceModel, settings: Settings, *, differences: bool, only: NDArray[np.bool_] | None = None
) -> Replicates:
    """Apply the configured linear correction, re-estimated in every replicate; nothing unless configured.

    Parameters
    ----------
    raw : Replicates
        Of columns that are means of values, or differences of such means.
    differences : bool
        The columns are differences: only the slope applies.
    only : ndarray of bool, shape (n_columns,), or None
        Columns to correct; the others stay.
    """
    if not settings.pricing.calibrate:
        return raw
    line = calibration_replicates(
        model.value[PRICERS.index(settings.pricing.pricer)],
        model.arrays.log_price,
        model.arrays.unit,
        unit_key=model.arrays.unit_key,
        seed=settings.bootstrap.seed,
        replicates=settings.bootstrap.replicates,
    )
    if differences:
        line = replace(line, intercept=0.0, intercept_deviation=np.zeros_like(line.intercept_deviation))
    moved = calibrated(raw, line)
    if only is None:
        return moved

    def picked(new: NDArray[np.float64], old: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.where(only, new, old)

    return Replicates(
        picked(moved.point, raw.point),
        picked(moved.users, raw.users),
        picked(moved.postings, raw.postings),
        picked(moved.both, raw.both),
    )


def sessions_at(sessions: PricedSessions, rows: NDArray[np.int64]) -> PricedSessions:
    """Some of the sessions, in the order of `rows`; users keep their codes."""
    return replace(
        sessions,
        log_value=sessions.log_value[rows],
        weight=sessions.weight[rows],
        user=sessions.user[rows],
        neighbour=sessions.neighbour[rows],
        neighbour_weight=sessions.neighbour_weight[rows],
        features=sessions.features[rows],
    )


def sides(tracked: Tracked, first: int, second: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Positions of the matched sessions of two months, and which of the two each is of: 0 or 1."""
    month = tracked.cells.code[0]
    rows = np.flatnonzero((month == first) | (month == second))
    return rows, (month[rows] == second).astype(np.int64)

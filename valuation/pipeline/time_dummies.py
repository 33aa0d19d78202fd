"""The table `time_dummies`: month effects with columns of the sessions held fixed, pyfixest's errors beside ours."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from valuation.core.intervals import pointwise
from valuation.core.time_dummies import effect_columns, month_effects
from valuation.pipeline.cells import CROSS
from valuation.pipeline.headline import raw_residual, sessions_at, uses_hedonic
from valuation.pipeline.index_tables import base_factors
from valuation.tables import TimeDummies, typed

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from valuation.config import Settings
    from valuation.core.arrays import PricedSessions
    from valuation.core.bootstrap import Replicates
    from valuation.core.linear import Columns
    from valuation.pipeline.model import PriceModel
    from valuation.pipeline.series_tables import Span
    from valuation.pipeline.tracking import Tracked

JOIN = " + "
NOT_LINKED = "no group has sessions in this month and, directly or through other months, in the base month"


@dataclass(frozen=True, slots=True)
class PreparedDummies:
    """One set of columns.

    Attributes
    ----------
    covariates : tuple of str
    months : tuple of str
        The base month first.
    columns : Columns
        One a month.
    clustered : ndarray, shape (n_months,)
        pyfixest's standard error, clustered by user, before calibration; NaN for the base month.
    fault : str or None
        Why pyfixest gave none.
    """

    covariates: tuple[str, ...]
    months: tuple[str, ...]
    columns: Columns
    clustered: NDArray[np.float64]
    fault: str | None


def prepare_dummies(tracked: Tracked, model: PriceModel, span: Span, settings: Settings) -> list[PreparedDummies]:
    """Regress values on the complete months from the base on, holding columns fixed (see `covariate_sets`)."""
    position = np.full(tracked.cells.n_months, -1)
    position[span.usable] = np.arange(span.usable.size)
    month = position[tracked.cells.code[0]]
    rows = np.flatnonzero(month >= 0)
    sessions = sessions_at(tracked.sessions, rows)
    names = settings.series.group_by
    months = tuple(tracked.calendar.months[i] for i in span.usable)
    found = []
    for chosen in covariate_sets(names):
        group = _groups(tracked, rows, chosen)
        effects = month_effects(sessions.log_value, sessions.weight, month[rows], group, n_months=len(months))
        columns = effect_columns(
            effects, sessions, model.arrays, raw_residual(model, settings), use_hedonic=uses_hedonic(settings)
        )
        clustered, fault = clustered_errors(sessions, month[rows], group, n_months=len(months))
        found.append(PreparedDummies(tuple(names[i] for i in chosen), months, columns, clustered, fault))
    return found


def covariate_sets(names: tuple[str, ...]) -> list[tuple[int, ...]]:
    """Positions in ``series.group_by`` of the columns held fixed: none, each entry, and all that are not crossed."""
    plain = tuple(i for i, name in enumerate(names) if CROSS not in name)
    return [(), *((i,) for i in range(len(names))), *([plain] if len(plain) > 1 else [])]


def _groups(tracked: Tracked, rows: NDArray[np.int64], chosen: tuple[int, ...]) -> NDArray[np.int64]:
    """Group of each session in each of the chosen columns, from 0, shape (n_chosen, n_rows)."""
    codes = tracked.cells.code[[1 + i for i in chosen]][:, rows] - tracked.cells.code[0, rows]  # the group's first cell
    return np.array([np.unique(code, return_inverse=True)[1] for code in codes], dtype=np.int64).reshape(-1, rows.size)


def clustered_errors(
    sessions: PricedSessions, month: NDArray[np.int64], group: NDArray[np.int64], *, n_months: int
) -> tuple[NDArray[np.float64], str | None]:
    """Standard errors of the same regression by pyfixest, clustered by user with its small-sample correction.

    Returns
    -------
    errors : ndarray, shape (n_months,)
        NaN for month 0, and for months that pyfixest drops.
    fault : str or None
        Why there are none at all.
    """
    errors = np.full(n_months, np.nan)
    if np.unique(sessions.user).size < 2:
        return errors, "one user alone: no clustered error"
    import pyfixest

    frame = pd.DataFrame({"v": sessions.log_value, "w": sessions.weight, "m": month, "u": sessions.user})
    fixed = [f"g{i}" for i in range(len(group))]
    for name, code in zip(fixed, group, strict=True):
        frame[name] = code
    formula = "v ~ i(m, ref=0)" + (f" | {JOIN.join(fixed)}" if fixed else "")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of its own use of pandas
            found = pyfixest.feols(formula, data=frame, vcov={"CRV1": "u"}, weights="w", fixef_rm="none").se()
    except Exception as error:  # a cross-check by foreign code: its faults are shown beside our figure
        return errors, f"pyfixest cannot fit it: {' '.join(str(error).split())[:120]}"
    for position in range(1, n_months):
        errors[position] = found.get(f"m::{position}", np.nan)
    return errors, None


def time_dummies_table(
    prepared: list[PreparedDummies], replicates: list[Replicates], tracked: Tracked, span: Span, settings: Settings
) -> pd.DataFrame:
    """Rows of every set of columns and every month after the base.

    Parameters
    ----------
    replicates : list of Replicates
        Of each set's months, calibrated if configured.
    """
    factor = base_factors(tracked, span.usable, settings)
    frames = []
    for part, moved in zip(prepared, replicates, strict=True):
        found = pointwise(moved.point, moved.both, level=settings.series.level, factor=factor)
        linked = np.isfinite(moved.point)
        with np.errstate(invalid="ignore"):
            slope = np.where(part.columns.point != 0, moved.point / part.columns.point, 1.0)  # of the calibration line
        frame = pd.DataFrame(
            {
                "month": part.months,
                "covariates": JOIN.join(part.covariates),
                "estimate": found.estimate,
                "lower": found.lower,
                "upper": found.upper,
                "standard_error": np.where(linked, found.standard_error, np.nan),
                "clustered_error": part.clustered * np.abs(slope),
                "reason": [part.fault if ok else NOT_LINKED for ok in linked],
            }
        )
        frames.append(frame.iloc[1:])
    whole = pd.concat(frames, ignore_index=True)
    return typed({column: whole[column] for column in whole.columns}, TimeDummies)

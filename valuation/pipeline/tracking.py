"""From priced sessions to the tables `series`, `growth`, `shift_check` and `decomposition`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from valuation.core.arrays import PricedSessions
from valuation.core.bootstrap import calibrated, calibration_replicates, joint_replicates
from valuation.core.influence import series_influence
from valuation.core.nonlinear import nonlinear_replicates
from valuation.core.pricing import PRICERS
from valuation.errors import ThinMatchError
from valuation.pipeline.cells import make_cells

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from valuation.config import Settings
    from valuation.core.bootstrap import CalibrationReplicates, Replicates, ShareReplicates
    from valuation.core.influence import Influence
    from valuation.core.nonlinear import NonlinearReplicates
    from valuation.core.statistics import Smearing
    from valuation.pipeline.cells import Cells
    from valuation.pipeline.model import PriceModel
    from valuation.pipeline.pricing import PricedTexts
    from valuation.pipeline.session_register import Calendar, Users


@dataclass(frozen=True, slots=True)
class Statistic:
    """Replicates of one statistic under one pricer, with what stands behind its cells."""

    name: str
    pricer: str
    replicates: Replicates
    influence: Influence
    groups: bool


@dataclass(frozen=True, slots=True)
class Tracked:
    """Everything the tables of a series are made from.

    Attributes
    ----------
    calendar : Calendar
    cells : Cells
    statistics : tuple of Statistic
        The first is the headline: mean log under the configured pricer, with groups.
    shares : ShareReplicates
    top_user_share : ndarray, shape (n_cells,)
        Largest share of one user in a cell's weight.
    sessions : PricedSessions
        Matched sessions under the headline pricer, before calibration.
    matched : ndarray of int, shape (n_matched,)
        Their positions among all sessions.
    smearing : Smearing
        What turns typical into mean prices, by fifth of value.
    """

    calendar: Calendar
    cells: Cells
    statistics: tuple[Statistic, ...]
    shares: ShareReplicates
    top_user_share: NDArray[np.float64]
    sessions: PricedSessions
    matched: NDArray[np.int64]
    smearing: Smearing


def track(
    sessions: pd.DataFrame,
    users: Users,
    calendar: Calendar,
    priced: PricedTexts,
    features: NDArray[np.float64],
    model: PriceModel,
    settings: Settings,
) -> Tracked:
    """Estimate every statistic of every cell, with joint replicates.

    Raises
    ------
    ThinMatchError
        No session is matched, or none in the base month.
    """
    matched = np.flatnonzero(priced.matched)
    chosen = sessions.iloc[matched].reset_index(drop=True)
    _enough(chosen, priced, model, calendar)
    cells = make_cells(chosen, calendar.months, settings.series.group_by)
    headline = PRICERS.index(settings.pricing.pricer)
    statistics, shares, nonlinear = [], None, None
    common = _sessions(chosen, users, priced, features, model, matched)
    for which in sorted(range(len(PRICERS)), key=lambda i: i != headline):
        arrays = _under(common, priced, which, matched)
        if which == headline:
            first = arrays
            nonlinear = _nonlinear(arrays, model, cells, settings, which)
        found, its_shares = _mean_log(arrays, model, cells, settings, which)
        shares = its_shares if shares is None else shares
        statistics.append(found)
    assert shares is not None and nonlinear is not None  # noqa: S101 - the headline is one of the pricers
    monthly = statistics[0].influence
    for name, replicates in (
        ("median", nonlinear.median),
        ("mean", nonlinear.mean),
        ("trimmed_mean", nonlinear.trimmed_mean),
    ):
        statistics.append(Statistic(name, PRICERS[headline], replicates, monthly, groups=False))
    return Tracked(
        calendar=calendar,
        cells=cells,
        statistics=tuple(statistics),
        shares=shares,
        top_user_share=np.asarray(monthly.user_share.max(axis=0).toarray()).ravel(),
        sessions=first,
        matched=matched,
        smearing=nonlinear.smearing,
    )


def _enough(chosen: pd.DataFrame, priced: PricedTexts, model: PriceModel, calendar: Calendar) -> None:
    """Refuse a series without matched sessions at its base."""
    if chosen.empty:
        raise ThinMatchError(
            f"none of {len(priced.matched)} sessions resembles a posting: the nearest similarity is "
            f"{priced.similarity[:, 0].max():.3f}, below {model.s_min:.3f}; "
            "import postings of such work, or set matching.s_min"
        )
    if not (chosen["month"] == calendar.base).any():
        raise ThinMatchError(f"no session of the base month {calendar.base} is matched; set series.base_month")


def _sessions(
    chosen: pd.DataFrame,
    users: Users,
    priced: PricedTexts,
    features: NDArray[np.float64],
    model: PriceModel,
    matched: NDArray[np.int64],
) -> PricedSessions:
    """Arrays of the matched sessions that all pricers share: their features are the largest array of a run."""
    k = priced.session_hedonic.shape[1]  # weights beyond the first k are zero
    centred = features[matched]
    centred -= model.arrays.centre
    return PricedSessions(
        log_value=np.empty(0),
        weight=chosen["weight"].to_numpy(dtype=np.float64),
        user=users.code[matched],
        user_key=users.key,
        neighbour=priced.row[matched, :k],
        neighbour_weight=priced.weight[matched, :k],
        features=centred,
    )


def _under(common: PricedSessions, priced: PricedTexts, which: int, matched: NDArray[np.int64]) -> PricedSessions:
    """Matched sessions under one pricer, before calibration."""
    weight = common.neighbour_weight
    return replace(
        common,
        log_value=priced.raw[which, matched],
        neighbour_weight=weight if PRICERS[which] != "hedonic" else np.zeros_like(weight),
    )


def _residual(model: PriceModel, which: int) -> NDArray[np.float64]:
    """``ρ_j`` before calibration, shape (n_clusters,)."""
    return np.asarray(model.arrays.log_price - model.value[which])


def _line(model: PriceModel, settings: Settings, which: int) -> CalibrationReplicates | None:
    """Fit the linear correction, re-estimated in every replicate; None unless configured."""
    if not settings.pricing.calibrate:
        return None
    return calibration_replicates(
        model.value[which],
        model.arrays.log_price,
        model.arrays.unit,
        unit_key=model.arrays.unit_key,
        seed=settings.bootstrap.seed,
        replicates=settings.bootstrap.replicates,
    )


def _mean_log(
    arrays: PricedSessions, model: PriceModel, cells: Cells, settings: Settings, which: int
) -> tuple[Statistic, ShareReplicates]:
    """Mean log value of every cell under one pricer."""
    name = PRICERS[which]
    headline = name == settings.pricing.pricer
    influence = series_influence(
        arrays,
        model.arrays,
        _residual(model, which),
        cells.code if headline else cells.code[:1],
        n_cells=cells.n_cells if headline else cells.n_months,
        use_hedonic=name != "neighbours",
    )
    replicates, shares = joint_replicates(
        influence,
        unit_key=model.arrays.unit_key,
        user_key=arrays.user_key,
        seed=settings.bootstrap.seed,
        replicates=settings.bootstrap.replicates,
    )
    line = _line(model, settings, which)
    moved = replicates if line is None else calibrated(replicates, line)
    return Statistic("mean_log", name, moved, influence, groups=headline), shares


def _nonlinear(
    arrays: PricedSessions, model: PriceModel, cells: Cells, settings: Settings, which: int
) -> NonlinearReplicates:
    """Median, trimmed mean and mean price of every month under the headline pricer."""
    return nonlinear_replicates(
        arrays,
        model.arrays,
        _residual(model, which),
        cells.code[:1],
        n_cells=cells.n_months,
        use_hedonic=PRICERS[which] != "neighbours",
        calibration=_line(model, settings, which),
        trim=settings.series.trim,
        seed=settings.bootstrap.seed,
        replicates=settings.bootstrap.replicates,
    )

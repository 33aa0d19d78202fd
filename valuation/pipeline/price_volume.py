"""The table `price_volume`: each end month's sessions priced with each end month's postings."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from valuation.core.influence import series_influence
from valuation.core.linear import Columns, combination, few_factor
from valuation.core.price_volume import (
    CONTRASTS,
    TERMS,
    effective_postings,
    month_features,
    month_values,
    restricted,
)
from valuation.core.pricing import PRICERS, price_basket
from valuation.pipeline.headline import sessions_at, sides, uses_hedonic
from valuation.tables import PriceVolume, typed

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from valuation.config import Settings
    from valuation.core.arrays import PricedSessions
    from valuation.core.bootstrap import Replicates
    from valuation.core.influence import Influence
    from valuation.pipeline.model import PriceModel
    from valuation.pipeline.series_tables import Span
    from valuation.pipeline.tracking import Tracked

MIN_POSTINGS = 500.0
"""Effective postings that a month needs before it prices sessions alone."""


@dataclass(frozen=True, slots=True)
class MonthPostings:
    """Postings of one month that are of the base month's sources.

    Attributes
    ----------
    month : str
    rows : ndarray of int, shape (n_rows,)
        Of the basket, ascending.
    effective : float
        Effective number of their resampling units.
    """

    month: str
    rows: NDArray[np.int64]
    effective: float


@dataclass(frozen=True, slots=True)
class PreparedPriceVolume:
    """The four cells ``A(s, t)``, or why there are none.

    Attributes
    ----------
    ends : tuple of MonthPostings
        Base and last month.
    influence : Influence or None
        Of the four cells, in the order of `CONTRASTS`.
    reason : str or None
    """

    ends: tuple[MonthPostings, MonthPostings]
    influence: Influence | None
    reason: str | None

    @property
    def columns(self) -> list[Columns]:
        """What to draw: the four cells, or nothing."""
        found = self.influence
        return [] if found is None else [Columns(found.mean, found.posting, found.user)]


def prepare_price_volume(
    tracked: Tracked, session_vectors: NDArray[np.float64], model: PriceModel, span: Span, settings: Settings
) -> PreparedPriceVolume:
    """Price the sessions of the base and the last month with the postings of either.

    Parameters
    ----------
    session_vectors : ndarray, shape (n_sessions, d)
        Register vectors of all sessions.
    """
    months = [tracked.calendar.months[i] for i in (span.base, span.last)]
    sources = set(model.rows.loc[model.rows["month"] == months[0], "source"])
    ends = (_postings_of(model, months[0], sources), _postings_of(model, months[1], sources))
    reason = _lacking(ends, settings)
    if reason is not None:
        return PreparedPriceVolume(ends, None, reason)
    rows, side = sides(tracked, span.base, span.last)
    vectors = session_vectors[tracked.matched[rows]].astype(np.float32)
    sessions, residual = sessions_at(tracked.sessions, rows), np.zeros(len(model.rows))
    priced = [_priced_with(end, sessions, vectors, model, residual, settings) for end in ends]
    influence = series_influence(
        _stacked(priced), model.arrays, residual, np.concatenate([side, 2 + side])[None, :],
        n_cells=4, use_hedonic=uses_hedonic(settings),
    )  # fmt: skip
    return PreparedPriceVolume(ends, influence, None)


def _postings_of(model: PriceModel, month: str, sources: set[str]) -> MonthPostings:
    inside = (model.rows["month"] == month) & model.rows["source"].isin(sources)
    rows = np.flatnonzero(inside.to_numpy())
    return MonthPostings(month, rows, effective_postings(model.arrays.unit[rows]))


def _lacking(ends: tuple[MonthPostings, MonthPostings], settings: Settings) -> str | None:
    """Say why a month's postings cannot price sessions alone; None if they can."""
    least = max(MIN_POSTINGS, float(settings.matching.k))
    thin = [f"{end.month} has {end.effective:.0f}" for end in ends if end.effective < least]
    if not thin:
        return None
    return f"a month needs {least:.0f} effective postings of the base month's sources; {', '.join(thin)}"


def _priced_with(
    end: MonthPostings, sessions: PricedSessions, vectors: NDArray[np.float32], model: PriceModel,
    residual: NDArray[np.float64], settings: Settings,
) -> PricedSessions:  # fmt: skip
    """Sessions priced with one month's postings; fills those postings' out-of-fold residuals into `residual`."""
    pricer, searchable = restricted(model.pricer, end.rows), model.neighbour_index.subset(end.rows)
    own = searchable.search(model.vectors[end.rows].astype(np.float32), min(2 * pricer.k + 1, end.rows.size))
    centre, n_months = model.arrays.centre, len(model.frozen.months)
    held_out, _ = price_basket(pricer, own.similarity, own.row, model.arrays.features[end.rows] + centre)
    which = PRICERS.index(settings.pricing.pricer)
    residual[end.rows] = pricer.log_price - held_out[which]
    position = model.frozen.months.index(end.month)
    features = month_features(sessions.features + centre, position, n_months=n_months)
    near = searchable.search(vectors, min(pricer.k, end.rows.size))
    found = month_values(pricer, settings.pricing.pricer, near.similarity, near.row, features)
    return replace(
        sessions,
        log_value=found.value,
        neighbour=end.rows[near.row],
        neighbour_weight=found.weight,
        features=features - centre,
    )


def _stacked(priced: list[PricedSessions]) -> PricedSessions:
    """The same sessions under both months' postings, one after the other."""
    first = priced[0]
    return replace(
        first,
        log_value=np.concatenate([part.log_value for part in priced]),
        weight=np.tile(first.weight, len(priced)),
        user=np.tile(first.user, len(priced)),
        neighbour=np.concatenate([part.neighbour for part in priced]),
        neighbour_weight=np.concatenate([part.neighbour_weight for part in priced]),
        features=np.concatenate([part.features for part in priced]),
    )


def price_volume_table(
    prepared: PreparedPriceVolume, replicates: Replicates | None, settings: Settings
) -> pd.DataFrame:
    """Rows of the terms; without figures, the reason.

    Parameters
    ----------
    replicates : Replicates or None
        Of the four cells, calibrated if configured; None where there are none.
    """
    level, n = settings.series.level, len(TERMS)
    estimate, lower, upper = (np.full(n, np.nan) for _ in range(3))
    if replicates is not None and prepared.influence is not None:
        for i, contrast in enumerate(CONTRASTS):
            factor = few_factor(prepared.influence, contrast, variation="both", level=level)
            value = float(contrast @ replicates.point)
            found = combination(replicates, value, contrast, variation="both", level=level, factor=factor)
            estimate[i], lower[i], upper[i] = value, found.lower[0], found.upper[0]
    first, last = prepared.ends
    return typed(
        {
            "from_month": [first.month] * n,
            "to_month": [last.month] * n,
            "term": list(TERMS),
            "estimate": estimate,
            "lower": lower,
            "upper": upper,
            "postings_from": [first.effective] * n,
            "postings_to": [last.effective] * n,
            "reason": [prepared.reason] * n,
        },
        PriceVolume,
    )

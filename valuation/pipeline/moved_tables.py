"""The tables of what moved (`decomposition` and those beside it), and `shift_check`: whether the pricer saw it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from valuation.core.bootstrap import Replicates
from valuation.core.calibration import apply
from valuation.core.decomposition import decompose
from valuation.core.growth import between, contrast_interval, support
from valuation.core.intervals import pointwise, widening
from valuation.core.linear import few_factor, joint_columns
from valuation.core.people import N_CELLS
from valuation.core.pricing import PRICERS
from valuation.core.shift_check import ShiftCheck as ShiftCheckArrays
from valuation.core.shift_check import month_means, principal_components, shift_check
from valuation.core.tilt_users import tilted_by_users
from valuation.pipeline.headline import on_the_line
from valuation.pipeline.index_tables import index_numbers_table
from valuation.pipeline.people import people_table, prepare_people
from valuation.pipeline.price_volume import prepare_price_volume, price_volume_table
from valuation.pipeline.series_tables import span_of
from valuation.pipeline.time_dummies import prepare_dummies, time_dummies_table
from valuation.tables import (
    Decomposition,
    IndexNumbers,
    People,
    PriceVolume,
    ShiftCheck,
    TimeDummies,
    empty,
    typed,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from valuation.config import Settings
    from valuation.pipeline.model import PriceModel
    from valuation.pipeline.tracking import Tracked


@dataclass(frozen=True, slots=True)
class Moved:
    """Tables beside `decomposition`; without two months to compare they are empty."""

    decomposition_monthly: pd.DataFrame
    index_numbers: pd.DataFrame
    price_volume: pd.DataFrame
    time_dummies: pd.DataFrame
    people: pd.DataFrame


def moved_tables(
    tracked: Tracked, session_vectors: NDArray[np.float64], model: PriceModel, settings: Settings
) -> Moved:
    """Make the tables that say what moved, all from one draw of users and posting units.

    Parameters
    ----------
    session_vectors : ndarray, shape (n_sessions, d)
        Register vectors of all sessions.
    """
    span = span_of(tracked, tracked.cells.groups[0], settings)
    if span is None or not span.grows:
        return Moved(empty(Decomposition), empty(IndexNumbers), empty(PriceVolume), empty(TimeDummies), empty(People))
    people = prepare_people(tracked, model, span, settings)
    dummies = prepare_dummies(tracked, model, span, settings)
    prices = prepare_price_volume(tracked, session_vectors, model, span, settings)
    drawn = joint_columns(
        [people.columns, *(part.columns for part in dummies), *prices.columns],
        unit_key=model.arrays.unit_key,
        user_key=tracked.sessions.user_key,
        seed=settings.bootstrap.seed,
        replicates=settings.bootstrap.replicates,
    )
    values = np.arange(people.columns.point.size) < N_CELLS
    of_people = on_the_line(drawn[0], model, settings, differences=False, only=values)
    of_dummies = [on_the_line(part, model, settings, differences=True) for part in drawn[1 : 1 + len(dummies)]]
    of_prices = [on_the_line(part, model, settings, differences=False) for part in drawn[1 + len(dummies) :]]
    return Moved(
        monthly_decomposition_table(tracked, settings),
        index_numbers_table(tracked, settings),
        price_volume_table(prices, of_prices[0] if of_prices else None, settings),
        time_dummies_table(dummies, of_dummies, tracked, span, settings),
        people_table(people, of_people, tracked, span, settings),
    )


def decomposition_table(tracked: Tracked, settings: Settings) -> pd.DataFrame:
    """Mix and within of growth from base to last month, for each column that sessions are grouped by."""
    span = span_of(tracked, tracked.cells.groups[0], settings)
    pairs = [(span.base, span.last)] if span is not None and span.grows else []
    return _decompositions(tracked, pairs, settings)


def monthly_decomposition_table(tracked: Tracked, settings: Settings) -> pd.DataFrame:
    """The same from each complete month to the next one, from the base month on."""
    span = span_of(tracked, tracked.cells.groups[0], settings)
    return _decompositions(tracked, [] if span is None else list(pairwise(span.usable.tolist())), settings)


def _decompositions(tracked: Tracked, pairs: list[tuple[int, int]], settings: Settings) -> pd.DataFrame:
    """Every column over pairs of months (positions)."""
    influence, level = tracked.statistics[0].influence, settings.series.level
    ends = [between(influence.mean.size, np.array([first]), np.array([last])) for first, last in pairs]
    factors = [few_factor(influence, end, variation="both", level=level) for end in ends]
    rows = [
        row
        for column in settings.series.group_by
        for (first, last), factor in zip(pairs, factors, strict=True)
        for row in _decomposition_rows(tracked, column, first, last, factor, settings)
    ]
    columns = {name: [row[name] for row in rows] for name in Decomposition.to_schema().columns}
    return typed(columns if rows else {}, Decomposition)


def _decomposition_rows(
    tracked: Tracked, column: str, first: int, last: int, factor: float, settings: Settings
) -> Iterator[dict[str, str | float]]:
    """Terms of the groups of one column between two months (positions), and their sums."""
    headline, months = tracked.statistics[0], tracked.calendar.months
    groups = [group for group in tracked.cells.groups if group.group_by == column]
    found = decompose(
        headline.replicates,
        tracked.shares,
        from_cells=np.array([group.cell[first] for group in groups]),
        to_cells=np.array([group.cell[last] for group in groups]),
        variation="both",
        level=settings.series.level,
        factor=factor,
    )
    for term, interval in (("within", found.within), ("mix", found.mix), ("total", found.total)):
        for i, name in enumerate([*(group.name for group in groups), ""]):
            yield {
                "group_by": column,
                "group": name,
                "from_month": months[first],
                "to_month": months[last],
                "term": term,
                "estimate": float(interval.estimate[i]),
                "lower": float(interval.lower[i]),
                "upper": float(interval.upper[i]),
            }


def check_shift(
    tracked: Tracked, session_vectors: NDArray[np.float64], model: PriceModel, settings: Settings
) -> ShiftCheckArrays:
    """Tilt held-out postings to each month's matched sessions.

    Parameters
    ----------
    session_vectors : ndarray, shape (n_sessions, d)
        Register vectors of all sessions.
    """
    which, n = PRICERS.index(settings.pricing.pricer), tracked.cells.n_months
    postings, sessions = principal_components(
        model.vectors, session_vectors[tracked.matched], components=settings.shift_check.components
    )
    month = tracked.cells.code[0]
    span = span_of(tracked, tracked.cells.groups[0], settings)
    together = np.zeros(n, dtype=bool)
    if span is not None:
        together[[span.base, span.last]] = True
    target = month_means(sessions, tracked.sessions.weight, month, n_months=n)
    there = np.asarray(np.isfinite(target).all(axis=1))
    series = tracked.statistics[0].replicates
    first = Replicates(series.point[:n], series.users[:, :n], series.postings[:, :n], series.both[:, :n])
    reached = np.where(there[:, None], target, 0.0)
    residual = model.arrays.log_price - apply(model.calibration[which], model.value[which])
    found = shift_check(
        postings,
        reached,
        residual,
        model.arrays.unit,
        first,
        together=together & there,
        min_effective=settings.shift_check.min_effective,
        unit_key=model.arrays.unit_key,
        seed=settings.bootstrap.seed,
    )
    return tilted_by_users(
        found, postings, reached, residual, tracked.sessions, sessions, month, seed=settings.bootstrap.seed
    )


def shift_check_table(tracked: Tracked, found: ShiftCheckArrays, settings: Settings) -> pd.DataFrame:
    """One row a month with matched sessions: ``D_m`` and the doubly robust level."""
    level, n = settings.series.level, tracked.cells.n_months
    shown = np.flatnonzero(tracked.cells.groups[0].cell >= 0)
    headline = tracked.statistics[0].influence
    users = [support(headline, np.eye(1, headline.mean.size, month)[0]).effective_users for month in range(n)]
    postings = widening(found.effective_postings, level=level)
    both = widening(np.minimum(found.effective_postings, users), level=level)
    difference = pointwise(found.difference.point, found.difference.postings, level=level, factor=postings)
    corrected = pointwise(found.corrected.point, found.corrected.both, level=level, factor=both)
    return typed(
        {
            "month": [tracked.calendar.months[i] for i in shown],
            "difference": difference.estimate[shown],
            "lower": difference.lower[shown],
            "upper": difference.upper[shown],
            "effective_postings": found.effective_postings[shown],
            "corrected_value": np.exp(corrected.estimate[shown]),
            "corrected_lower": np.exp(corrected.lower[shown]),
            "corrected_upper": np.exp(corrected.upper[shown]),
        },
        ShiftCheck,
    )


def shift_facts(tracked: Tracked, found: ShiftCheckArrays, settings: Settings) -> dict[str, object]:
    """``D_T − D_0`` with its interval and the doubly robust growth, for the manifest and the report."""
    span = span_of(tracked, tracked.cells.groups[0], settings)
    if span is None or not span.grows:
        return {}
    contrast = between(tracked.cells.n_months, np.array([span.base]), np.array([span.last]))
    level = settings.series.level
    headline = tracked.statistics[0].influence
    stands = support(headline, between(headline.mean.size, np.array([span.base]), np.array([span.last])))
    # postings stand behind the tilt, not behind the matches: the thinner of the two months decides
    postings = float(found.effective_postings[[span.base, span.last]].min())
    factors = widening(np.array([postings, min(postings, stands.effective_users)]), level=level)
    change = contrast_interval(found.difference, contrast, variation="postings", level=level, factor=float(factors[0]))
    both = contrast_interval(found.corrected, contrast, variation="both", level=level, factor=float(factors[1]))
    known = bool(np.isfinite([change.lower[0], change.upper[0]]).all())
    return {
        "from_month": tracked.calendar.months[span.base],
        "to_month": tracked.calendar.months[span.last],
        "components": int(found.components[span.last]),
        "difference": _number(change.estimate[0]),
        "lower": _number(change.lower[0]),
        "upper": _number(change.upper[0]),
        "excludes_zero": bool(change.lower[0] > 0 or change.upper[0] < 0) if known else None,
        "reason": None if known else _no_interval(change.estimate[0], postings),
        "corrected_growth": _number(np.expm1(both.estimate[0])),
        "corrected_lower": _number(np.expm1(both.lower[0])),
        "corrected_upper": _number(np.expm1(both.upper[0])),
    }


def _no_interval(difference: float, effective_postings: float) -> str:
    """Why the shift check has no interval."""
    if not np.isfinite(difference):
        return "no component could be balanced in one of the two months: postings do not reach where its sessions are"
    return f"{effective_postings:.1f} effective postings in the thinner of the two months; an interval takes at least 2"


def _number(value: float) -> float | None:
    """A JSON number; null for NaN."""
    return float(value) if np.isfinite(value) else None

"""The tables `series` and `growth`, a row at a time from replicates."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from valuation.core.bootstrap import VARIATIONS
from valuation.core.growth import between, effective, growth, slope, support
from valuation.core.intervals import index_band, series_band, widening
from valuation.core.months import month_number, usable_months
from valuation.pipeline.cells import labels
from valuation.tables import Growth, SeriesTable, typed

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from valuation.config import Settings
    from valuation.core.bootstrap import Variation
    from valuation.core.growth import GrowthEstimate
    from valuation.core.influence import Influence
    from valuation.pipeline.cells import Group
    from valuation.pipeline.session_register import Calendar
    from valuation.pipeline.tracking import Statistic, Tracked


@dataclass(frozen=True, slots=True)
class Span:
    """Where a group's series starts and ends: positions of months; `months` are those that growth may use."""

    base: int
    last: int
    usable: NDArray[np.int64]

    @property
    def grows(self) -> bool:
        """Whether there are two months to compare."""
        return self.last > self.base


def span_of(tracked: Tracked, group: Group, settings: Settings) -> Span | None:
    """Find a group's base and last month: those of the whole, or the first and last usable ones of its own.

    A month is usable if it is complete, or the base, and reaches the disclosure minimum in the group. None if no month
    has a session.
    """
    calendar, influence = tracked.calendar, tracked.statistics[0].influence
    there = group.cell >= 0
    sessions = np.where(there, influence.n_sessions[group.cell], 0)
    users = np.where(there, influence.n_users[group.cell], 0)
    overall = calendar.months.index(calendar.base)
    usable = usable_months(
        sessions,
        users,
        calendar.complete | (np.arange(there.size) == overall),  # a base month asked for may be partial
        min_sessions=settings.disclosure.min_sessions,
        min_users=settings.disclosure.min_users,
    )
    if not group.group_by:
        usable[overall] = True  # and thin, as may one with few matched sessions: the report marks it
    if not there.any():
        return None
    found = np.flatnonzero(usable & (np.arange(there.size) >= overall))  # a group never starts before the whole
    base = overall if usable[overall] else int(found[0] if found.size else np.flatnonzero(there)[0])
    after = found[found >= base]
    return Span(base=base, last=int(after[-1]) if after.size else base, usable=after)


def suppressed_cells(tracked: Tracked, settings: Settings) -> NDArray[np.bool_]:
    """Cells under the disclosure minimum, or with one user holding more than half of the weight."""
    influence = tracked.statistics[0].influence
    few = influence.n_sessions < settings.disclosure.min_sessions
    return np.asarray(few | (influence.n_users < settings.disclosure.min_users) | (tracked.top_user_share > 0.5))


def series_table(
    tracked: Tracked, sessions: pd.DataFrame, matched: NDArray[np.bool_], settings: Settings
) -> pd.DataFrame:
    """Levels and index numbers of every statistic, group and month."""
    counts = session_counts(tracked, sessions, matched)
    hidden = suppressed_cells(tracked, settings)
    frames = []
    for statistic in tracked.statistics:
        for group in tracked.cells.groups if statistic.groups else tracked.cells.groups[:1]:
            span = span_of(tracked, group, settings)
            if span is not None:
                frames.append(_group_series(tracked, statistic, group, span, counts, hidden, settings))
    whole = pd.concat(frames, ignore_index=True)
    return typed({column: whole[column] for column in whole.columns}, SeriesTable)


def session_counts(tracked: Tracked, sessions: pd.DataFrame, matched: NDArray[np.bool_]) -> pd.DataFrame:
    """Sessions, matched or not, and the matched share of their weight, by (group_by, group, month)."""
    frames = []
    columns = sorted({group.group_by for group in tracked.cells.groups})
    for column in columns:
        label = labels(sessions, column) if column else pd.Series("", index=sessions.index)
        frame = pd.DataFrame(
            {
                "group_by": column,
                "group": label.to_numpy(),
                "month": sessions["month"].to_numpy(),
                "weight": sessions["weight"].to_numpy(),
                "matched": sessions["weight"].to_numpy() * matched,
            }
        )
        frames.append(
            frame.groupby(["group_by", "group", "month"]).agg(
                n=("weight", "size"), weight=("weight", "sum"), matched=("matched", "sum")
            )
        )
    counted = pd.concat(frames)
    return counted.assign(share=counted["matched"] / counted["weight"])


def _group_series(
    tracked: Tracked,
    statistic: Statistic,
    group: Group,
    span: Span,
    counts: pd.DataFrame,
    hidden: NDArray[np.bool_],
    settings: Settings,
) -> pd.DataFrame:
    """One group's series of one statistic, its months with matched sessions only."""
    there = np.flatnonzero(group.cell >= 0)
    cells = group.cell[there]
    base = int(np.flatnonzero(there == span.base)[0])
    influence, both = statistic.influence, statistic.replicates.both[:, cells]
    level = statistic.replicates.point[cells]
    n = influence.mean.size
    alone = [_limit(influence, np.eye(1, n, int(cell))[0]) for cell in cells]
    against = [
        _limit(influence, between(n, cells[[base]], cells[[i]])) if i != base else np.inf for i in range(len(cells))
    ]
    levels = series_band(
        level, both, level=settings.series.level, factor=widening(np.array(alone), level=settings.series.level)
    )
    numbers = index_band(
        level, both, base=base, level=settings.series.level,
        factor=widening(np.array(against), level=settings.series.level),
    )  # fmt: skip
    months = [tracked.calendar.months[i] for i in there]
    counted = counts.reindex([(group.group_by, group.name, month) for month in months])
    headline = tracked.statistics[0].influence
    return pd.DataFrame(
        {
            "month": months,
            "group_by": group.group_by,
            "group": group.name,
            "statistic": statistic.name,
            "pricer": statistic.pricer,
            "n_sessions": counted["n"].to_numpy(),
            "n_matched": headline.n_sessions[cells],
            "n_users": headline.n_users[cells],
            "matched_share": counted["share"].to_numpy(),
            "value": np.exp(level),
            "value_lower": np.exp(levels.pointwise.lower),
            "value_upper": np.exp(levels.pointwise.upper),
            "index_number": 100 * np.exp(numbers.pointwise.estimate),
            "lower": 100 * np.exp(numbers.pointwise.lower),
            "upper": 100 * np.exp(numbers.pointwise.upper),
            "simultaneous_lower": 100 * np.exp(numbers.lower),
            "simultaneous_upper": 100 * np.exp(numbers.upper),
            "suppressed": hidden[cells],
        }
    )


def _limit(influence: Influence, contrast: NDArray[np.float64]) -> float:
    """Effective users or postings of a contrast, the fewer."""
    return effective(support(influence, contrast), "both")


def growth_table(tracked: Tracked, settings: Settings) -> pd.DataFrame:
    """Growth of every statistic and group, by what is resampled."""
    rows = [
        row
        for statistic in tracked.statistics
        for group in (tracked.cells.groups if statistic.groups else tracked.cells.groups[:1])
        for row in _group_growth(tracked, statistic, group, settings)
    ]
    return typed({name: [row[name] for row in rows] for name in Growth.to_schema().columns} if rows else {}, Growth)


def _group_growth(
    tracked: Tracked, statistic: Statistic, group: Group, settings: Settings
) -> Iterator[dict[str, str | float]]:
    """Rows of one group: base to last month, and for all sessions also the first two to the last two months."""
    span = span_of(tracked, group, settings)
    if span is None or not span.grows:
        return
    ends = [(np.array([span.base]), np.array([span.last]))]
    if not group.group_by and span.usable.size >= 4:
        ends.append((span.usable[:2], span.usable[-2:]))
    for start, end in ends:
        for variation in VARIATIONS:
            found = growth_between(tracked.calendar, statistic, group, span, start, end, variation, settings)
            yield {
                "group_by": group.group_by,
                "group": group.name,
                "statistic": statistic.name,
                "pricer": statistic.pricer,
                "variation": variation,
                "from_month": "+".join(tracked.calendar.months[i] for i in start),
                "to_month": "+".join(tracked.calendar.months[i] for i in end),
                "growth": found.growth.estimate,
                "lower": found.growth.lower,
                "upper": found.growth.upper,
                "monthly_growth": found.monthly.estimate,
                "monthly_lower": found.monthly.lower,
                "monthly_upper": found.monthly.upper,
                "trend": found.trend.estimate,
                "trend_lower": found.trend.lower,
                "trend_upper": found.trend.upper,
                "effective_users": found.support.effective_users,
                "effective_postings": found.support.effective_postings,
            }


def growth_between(
    calendar: Calendar,
    statistic: Statistic,
    group: Group,
    span: Span,
    start: NDArray[np.int64],
    end: NDArray[np.int64],
    variation: Variation,
    settings: Settings,
) -> GrowthEstimate:
    """Growth from the months `start` to the months `end` (positions) under one variation."""
    n = statistic.influence.mean.size
    number = month_number(calendar.months)
    return growth(
        statistic.replicates,
        statistic.influence,
        contrast=between(n, group.cell[start], group.cell[end]),
        months_apart=float(number[end].mean() - number[start].mean()),
        trend=slope(n, group.cell[span.usable], number[span.usable]),
        variation=variation,
        level=settings.series.level,
    )

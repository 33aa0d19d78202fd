"""Figures by month: the index numbers, the levels, the shift check, the matched share."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from valuation.report import drawing as d
from valuation.report.inputs import (
    PRICER_WORDS,
    RunTables,
    headline_pricer,
    months_listed,
    series_of,
    true_index_numbers,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def shown(frame: pd.DataFrame) -> pd.DataFrame:
    """Rows that may be shown: not suppressed and estimated."""
    return frame[~frame["suppressed"].astype(bool) & frame["value"].notna()]


def main_figure(tables: RunTables, width: float) -> Figure:
    """Draw the monthly index numbers with both bands, partial months open, sessions under the months."""
    whole = series_of(tables)
    frame = shown(whole)
    axis = d.MonthAxis.over(whole["month"].to_list())
    figure, axes = d.new_figure(width, 3.6 if width > 5 else 3.1)
    axes.grid(True, axis="y")
    axes.axhline(100, color=d.GREY, linewidth=0.8, linestyle=(0, (4, 3)))
    _bands(axes, axis, frame)
    points = axis.spread(frame, "index_number")
    axes.plot(range(len(points)), points, color=d.ACCENT, linewidth=1.6, label="Index number", zorder=4)
    _markers(axes, axis, points, months_listed(tables, "partial"))
    truth = _truth(tables, axis)
    if truth is not None:
        axes.plot(range(len(truth)), truth, color=d.SECOND, linewidth=1.3, linestyle=(0, (2, 1.5)), label="Truth")
    _index_scale(axes, frame, truth or [])
    axes.set_ylabel("Index number, base month = 100")
    axis.dress(axes, width, axis.spread(whole, "n_sessions"))
    figure.legend(loc="outside upper left", ncols=4 if width > 5 else 2, handlelength=1.6, columnspacing=1.2)
    return figure


def _bands(axes: Axes, axis: d.MonthAxis, frame: pd.DataFrame) -> None:
    """Shade the simultaneous band; draw pointwise intervals as bars: told apart in black and white too."""
    x = list(range(len(axis.months)))
    low, high = axis.spread(frame, "simultaneous_lower"), axis.spread(frame, "simultaneous_upper")
    axes.fill_between(x, low, high, color=d.PALE, linewidth=0, label="Simultaneous band", zorder=1)
    axes.vlines(x, low, high, color=d.PALE, linewidth=5, zorder=1)  # a month alone between gaps has no area to shade
    error_bars(axes, axis, frame, ("index_number", "lower", "upper"), d.ACCENT, "Pointwise interval")


def error_bars(
    axes: Axes, axis: d.MonthAxis, frame: pd.DataFrame, columns: tuple[str, str, str], color: str, name: str,
    aside: float = 0.0,
) -> None:  # fmt: skip
    """Draw the intervals of a series: columns are the value and its two ends; `name` '_' stays out of the legend.

    `aside`, in months, moves them, so that intervals of several series do not hide each other.
    """
    value, low, high = (axis.spread(frame, column) for column in columns)
    below = [max(0.0, v - e) if math.isfinite(v - e) else math.nan for v, e in zip(value, low, strict=True)]
    above = [max(0.0, e - v) if math.isfinite(e - v) else math.nan for v, e in zip(value, high, strict=True)]
    axes.errorbar(
        [position + aside for position in range(len(value))], value, yerr=[below, above], fmt="none", ecolor=color,
        elinewidth=1.0, capsize=2.5, capthick=1.0, label=name, zorder=3,
    )  # fmt: skip


def _markers(axes: Axes, axis: d.MonthAxis, points: Sequence[float], partial: Sequence[str]) -> None:
    """Mark complete months with full circles, partial ones with open ones."""
    full = [(i, y) for i, y in enumerate(points) if axis.months[i] not in partial]
    part = [(i, y) for i, y in enumerate(points) if axis.months[i] in partial]
    axes.plot(*zip(*full, strict=True), "o", color=d.ACCENT, markersize=4, zorder=5) if full else None
    if part:
        axes.plot(
            *zip(*part, strict=True), "o", markerfacecolor="white", markeredgecolor=d.ACCENT, markersize=5,
            linestyle="none", label="Partial month", zorder=6,
        )  # fmt: skip


def _truth(tables: RunTables, axis: d.MonthAxis) -> list[float] | None:
    known = true_index_numbers(tables)
    return [known.get(month, math.nan) for month in axis.months] if known else None


def _index_scale(axes: Axes, frame: pd.DataFrame, extra: Sequence[float]) -> None:
    """Linear in the ordinary case, logarithmic where intervals span a factor of four or more."""
    columns = ("index_number", "lower", "upper", "simultaneous_lower", "simultaneous_upper")
    low, high = d.extent(*(frame[column] for column in columns), extra, [100.0])
    if high / low >= 4:
        d.log_axis(axes, "y", low / 1.1, high * 1.1, d.plain)
    else:
        margin = max(0.05 * (high - low), 2.0)
        axes.set_ylim(low - margin, high + margin)


def levels_figure(tables: RunTables, width: float) -> Figure:
    """Draw the typical value by month in USD: the headline pricer with its interval, the other two beside it."""
    whole, name = series_of(tables), headline_pricer(tables)
    axis = d.MonthAxis.over(whole["month"].to_list())
    figure, axes = d.new_figure(width, 3.0)
    axes.grid(True, axis="y")
    frame = shown(whole)
    spans = [frame["value_lower"], frame["value_upper"], frame["value"]]
    points = axis.spread(frame, "value")
    axes.plot(range(len(points)), points, color=d.ACCENT, linewidth=1.6, label=PRICER_WORDS[name].capitalize())
    others = [pricer for pricer in PRICER_WORDS if pricer != name]
    for pricer, color, dash in zip(others, (d.SECOND, d.THIRD), ((0, (5, 2)), (0, (1.5, 1.5))), strict=True):
        other = shown(series_of(tables, pricer=pricer))
        if not other.empty:
            axes.plot(
                range(len(axis.months)), axis.spread(other, "value"), color=color, linewidth=1.1, linestyle=dash,
                label=PRICER_WORDS[pricer].capitalize(),
            )  # fmt: skip
            spans.append(other["value"])
    error_bars(axes, axis, frame, ("value", "value_lower", "value_upper"), d.ACCENT, "Pointwise interval")
    _markers(axes, axis, points, months_listed(tables, "partial"))
    low, high = d.extent(*spans)
    d.log_axis(axes, "y", low / 1.08, high * 1.08, d.dollars)
    axes.set_ylabel("Typical value, USD (log axis)")
    axis.dress(axes, width)
    figure.legend(loc="outside upper left", ncols=3 if width > 5 else 2, handlelength=2.2, columnspacing=1.2)
    return figure


def shift_figure(tables: RunTables, width: float) -> Figure:
    """Draw the shift check by month, and the doubly robust series beside the headline."""
    frame = tables.shift_check.sort_values("month", ignore_index=True)
    axis = d.MonthAxis.over(frame["month"].to_list())
    rows, columns = (1, 2) if width > 5 else (2, 1)
    figure, (left, right) = d.new_figure(width, 2.8 if width > 5 else 5.0, rows, columns)
    for axes in (left, right):
        axes.grid(True, axis="y")
    left.axhline(0, color=d.GREY, linewidth=0.8)
    error_bars(left, axis, frame, ("difference", "lower", "upper"), d.ACCENT, "_")
    left.plot(range(len(axis.months)), axis.spread(frame, "difference"), "o", color=d.ACCENT, markersize=4)
    left.set_ylabel("Actual minus predicted, log points")
    left.set_title("Pricer’s error on similar postings")
    headline = shown(series_of(tables))
    error_bars(right, axis, frame, ("corrected_value", "corrected_lower", "corrected_upper"), d.SECOND, "_")
    right.plot(
        range(len(axis.months)), axis.spread(frame, "corrected_value"), "s--", color=d.SECOND, markersize=3.5,
        linewidth=1.2, label="Doubly robust",
    )  # fmt: skip
    inside = headline[headline["month"].isin(axis.months)]
    right.plot(
        range(len(axis.months)), axis.spread(inside, "value"), "o-", color=d.ACCENT, markersize=4, label="Headline"
    )
    low, high = d.extent(frame["corrected_lower"], frame["corrected_upper"], frame["corrected_value"], inside["value"])
    d.log_axis(right, "y", low / 1.08, high * 1.08, d.dollars)
    right.set_ylabel("USD (log axis)")
    right.set_title("Typical value")
    right.legend(loc="best")
    for axes in (left, right):
        axis.dress(axes, width / columns)
    return figure


def matched_figure(tables: RunTables, width: float) -> Figure:
    """Draw the matched share of sessions by month."""
    frame = series_of(tables)
    axis = d.MonthAxis.over(frame["month"].to_list())
    figure, axes = d.new_figure(width, 2.2)
    axes.grid(True, axis="y")
    shares = [100 * share for share in axis.spread(frame[~frame["suppressed"].astype(bool)], "matched_share")]
    bars: Any = [0.0 if math.isnan(share) else share for share in shares]
    axes.bar(range(len(bars)), bars, color=d.ACCENT, width=0.55)
    axes.set_ylim(0, 100)
    axes.set_ylabel("Matched sessions, %")
    axis.dress(axes, width, axis.spread(frame, "n_sessions"))
    return figure

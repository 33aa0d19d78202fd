"""Figures of what moved at a fixed mix: index numbers by month, prices against volume, time dummies."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from valuation.report import drawing as d
from valuation.report.inputs import RunTables, select, series_of, span
from valuation.report.plots_series import error_bars, shown
from valuation.report.words import TERM_WORDS

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def index_rows(tables: RunTables, group_by: str, method: str, comparison: str) -> pd.DataFrame:
    """One fixed-mix index by month."""
    keys = {"group_by": group_by, "method": method, "comparison": comparison}
    frame = select(tables.index_numbers, **keys)
    return frame[frame["index_number"].notna()].sort_values("month", ignore_index=True)


def index_numbers_figure(tables: RunTables, group_by: str, width: float) -> Figure:
    """Draw the headline's index beside its direct and chained Törnqvist and its within index, base month = 100."""
    overall = shown(series_of(tables))
    axis = d.MonthAxis.over(series_of(tables)["month"].to_list())
    figure, axes = d.new_figure(width, 3.1)
    axes.grid(True, axis="y")
    axes.axhline(100, color=d.GREY, linewidth=0.8, linestyle=(0, (4, 3)))
    x = range(len(axis.months))
    axes.plot(x, axis.spread(overall, "index_number"), "-", color="#aab4bf", linewidth=1.4, label="Mix as it is")
    direct = index_rows(tables, group_by, "tornqvist", "direct")
    error_bars(axes, axis, direct, ("index_number", "lower", "upper"), d.ACCENT, "_")
    lines = (
        (direct, "Törnqvist, direct", d.ACCENT, "o-"),
        (index_rows(tables, group_by, "tornqvist", "chained"), "Törnqvist, chained", d.SECOND, "s--"),
        (index_rows(tables, group_by, "within", "direct"), "Within (geometric), direct", d.THIRD, "^:"),
    )
    for frame, name, color, style in lines:
        if not frame.empty:
            points = axis.spread(frame, "index_number")
            axes.plot(x, points, style, color=color, markersize=3.5, linewidth=1.2, label=name)
    columns = ("index_number", "lower", "upper")
    low, high = d.extent(
        *(direct[c] for c in columns), *(frame["index_number"] for frame, *_ in lines), overall["index_number"], [100.0]
    )
    d.log_axis(axes, "y", low / 1.03, high * 1.03, d.plain)
    axes.set_ylabel("Index number, base month = 100")
    axis.dress(axes, width)
    figure.legend(loc="outside upper left", ncols=4 if width > 5 else 2, handlelength=2.0, columnspacing=1.2)
    return figure


def price_volume_figure(tables: RunTables, width: float) -> Figure:
    """Draw nominal change, prices and volume as points with intervals."""
    frame = tables.price_volume[tables.price_volume["estimate"].notna()]
    frame = frame.set_index("term").reindex([term for term in TERM_WORDS if term in set(frame["term"])])
    figure, axes = d.new_figure(width, 0.8 + 0.3 * len(frame))
    dot_plot(axes, frame, [TERM_WORDS[str(term)] for term in frame.index])
    axes.set_xlabel("Log points")
    return figure


def dot_plot(axes: Axes, frame: pd.DataFrame, names: list[str], color: str = d.ACCENT) -> None:
    """Draw estimates from top to bottom, each with its interval, and a line at zero."""
    axes.grid(True, axis="x")
    axes.axvline(0, color=d.GREY, linewidth=0.8)
    for position, (_, row) in enumerate(frame.iterrows()):
        ends = (float(row["lower"]), float(row["upper"]))
        if all(math.isfinite(end) for end in ends):
            axes.plot(ends, (position, position), color=color, linewidth=1.2)
        axes.plot(float(row["estimate"]), position, "o", color=color, markersize=4.5)
    axes.set_yticks(range(len(names)), [d.label(name, 44) for name in names])
    axes.set_ylim(len(names) - 0.5, -0.5)


def dummies_figure(tables: RunTables, width: float) -> Figure:
    """Draw month effects given covariates beside the headline's own change since the base month, in log points."""
    frame = tables.time_dummies[tables.time_dummies["estimate"].notna()]
    overall = shown(series_of(tables))
    axis = d.MonthAxis.over(series_of(tables)["month"].to_list())
    figure, axes = d.new_figure(width, 2.9)
    axes.grid(True, axis="y")
    axes.axhline(0, color=d.GREY, linewidth=0.8)
    plain = overall[overall["month"].isin({span(tables).base, *frame["month"]})]
    change = plain.assign(change=[math.log(float(number) / 100) for number in plain["index_number"]])
    axes.plot(
        range(len(axis.months)), axis.spread(change, "change"), "-", color="#aab4bf", linewidth=2.4, label="Headline"
    )
    marks = (("o-", d.ACCENT), ("s--", d.SECOND), ("^:", d.THIRD))
    for position, covariates in enumerate(list(dict.fromkeys(frame["covariates"]))[: len(marks)]):
        here = frame[frame["covariates"] == covariates]
        style, color = marks[position]
        aside = 0.09 * (position - 1)
        error_bars(axes, axis, here, ("estimate", "lower", "upper"), color, "_", aside=aside)
        name = d.label(covariates, 30) if covariates else "Month dummies alone"
        axes.plot(
            [month + aside for month in range(len(axis.months))], axis.spread(here, "estimate"), style, color=color,
            markersize=3.5, linewidth=1.1, label=f"Given {name}" if covariates else name,
        )  # fmt: skip
    axes.set_ylabel("Log points above the base month")
    axis.dress(axes, width)
    figure.legend(loc="outside upper left", ncols=3 if width > 5 else 1, handlelength=2.0)
    return figure

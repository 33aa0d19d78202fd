"""Figures by group: small multiples of the series, and the bars of mix and within."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from valuation.report import drawing as d
from valuation.report.inputs import RunTables, headline_pricer, select, series_of
from valuation.report.plots_series import error_bars, shown

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_GROUPS = 12


def group_names(tables: RunTables, group_by: str) -> list[str]:
    """Return groups with at least one cell that may be shown, the largest first, at most twelve."""
    keys = {"group_by": group_by, "statistic": "mean_log", "pricer": headline_pricer(tables)}
    frame = shown(select(tables.series, **keys))
    sizes = frame.groupby("group")["n_sessions"].sum().sort_index()
    return [str(name) for name in sizes.sort_values(ascending=False, kind="stable").index[:MOST_GROUPS]]


def groups_figure(tables: RunTables, group_by: str, width: float) -> Figure:
    """Draw the typical value by month of each group, the overall series in grey behind it."""
    names = group_names(tables, group_by)
    axis = d.MonthAxis.over(series_of(tables)["month"].to_list())
    columns = min(len(names), 4 if width > 5 else 2)
    rows = math.ceil(len(names) / columns)
    figure, grid = d.new_figure(width, 0.5 + 1.65 * rows, rows, columns, shared=True)
    panels: list[Axes] = [grid] if rows * columns == 1 else list(grid)
    overall = shown(series_of(tables))
    frames = [shown(series_of(tables, group_by=group_by, group=name)) for name in names]
    low, high = d.extent(
        *(frame[c] for frame in frames for c in ("value", "value_lower", "value_upper")), overall["value"]
    )
    for panel, name, frame in zip(panels, names, frames, strict=False):
        _panel(panel, axis, frame, overall)
        panel.set_title(f"{d.label(name, 16)}\nn {frame['n_sessions'].sum():,}", fontsize=7.5)
        d.log_axis(panel, "y", low / 1.1, high * 1.1, d.dollars, most=5)
        axis.dress(panel, width / columns / 1.3)
    for panel in panels[len(names) :]:
        panel.remove()
    for panel in panels[max(0, len(names) - columns) : len(names)]:
        panel.tick_params(labelbottom=True)
    figure.supylabel("Typical value, USD (log axis)", fontsize=8)
    return figure


def _panel(axes: Axes, axis: d.MonthAxis, frame: pd.DataFrame, overall: pd.DataFrame) -> None:
    axes.grid(True, axis="y")
    x = range(len(axis.months))
    axes.plot(x, axis.spread(overall, "value"), color="#aab4bf", linewidth=1.0)
    axes.vlines(x, axis.spread(frame, "value_lower"), axis.spread(frame, "value_upper"), color=d.ACCENT, linewidth=0.9)
    axes.plot(x, axis.spread(frame, "value"), "o-", color=d.ACCENT, markersize=3, linewidth=1.2)


def hidden_groups(tables: RunTables, group_by: str) -> set[str]:
    """Groups of a decomposition with a cell under the disclosure minimum in one of its two months.

    All of them where the column has no series, as two columns crossed: nothing says that they are large enough.
    """
    ends = select(tables.decomposition, group_by=group_by)
    if group_by not in set(tables.series["group_by"]):
        return {str(name) for name in ends["group"]} - {""}
    months = set(ends["from_month"]) | set(ends["to_month"])
    cells = select(tables.series, group_by=group_by, statistic="mean_log", pricer=headline_pricer(tables))
    return {str(name) for name in cells.loc[cells["suppressed"] & cells["month"].isin(months), "group"]}


def decomposition_rows(tables: RunTables, group_by: str) -> pd.DataFrame:
    """Rows of one decomposition, groups by size of what they add, the sum last."""
    frame = select(tables.decomposition, group_by=group_by)
    frame = frame[~frame["group"].isin(hidden_groups(tables, group_by))]
    size = frame[frame["term"] == "total"].set_index("group")["estimate"].abs()
    order = frame["group"].map(size).fillna(0.0).where(frame["group"] != "", -1.0)
    ranked = frame.assign(order=order).sort_values(["order", "group", "term"], ascending=[False, True, True])
    return ranked.drop(columns="order").reset_index(drop=True)


def decomposition_figure(tables: RunTables, group_by: str, width: float) -> Figure:
    """Draw what each group adds to log growth: within and mix, with intervals."""
    frame = decomposition_rows(tables, group_by)
    names = list(dict.fromkeys(frame["group"]))
    names = [name for name in names if name][: MOST_GROUPS + 8] + ([""] if "" in names else [])
    figure, axes = d.new_figure(width, 0.9 + 0.34 * len(names))
    axes.grid(True, axis="x")
    axes.axvline(0, color=d.GREY, linewidth=0.8)
    for term, color, offset in (("within", "#7f9fc4", -0.19), ("mix", "#e0ae97", 0.19)):
        rows = frame[frame["term"] == term].set_index("group").reindex(names)
        y = [position + offset for position in range(len(names))]
        axes.barh(y, rows["estimate"], height=0.34, color=color, label=term.capitalize())
        _whiskers(axes, rows, y)
    axes.set_yticks(range(len(names)), [d.label(name, 16) if name else "All groups" for name in names])
    axes.invert_yaxis()
    axes.set_xlabel("Contribution to log growth, log points")
    figure.legend(loc="outside upper left", ncols=2)
    return figure


def monthly_rows(tables: RunTables, group_by: str) -> pd.DataFrame:
    """Sums over groups of the split from month to month, one row a term and pair of months, by the later month."""
    frame = select(tables.decomposition_monthly, group_by=group_by, group="")
    return frame[frame["estimate"].notna()].sort_values(["to_month", "term"], ignore_index=True)


def monthly_figure(tables: RunTables, group_by: str, width: float) -> Figure:
    """Draw within and mix of the change to each month from the one before, side by side with their intervals."""
    frame = monthly_rows(tables, group_by)
    axis = d.MonthAxis.over(frame["to_month"].to_list())
    figure, axes = d.new_figure(width, 2.7)
    axes.grid(True, axis="y")
    axes.axhline(0, color=d.GREY, linewidth=0.8)
    for term, color, mark, aside in (("within", d.ACCENT, "o", -0.1), ("mix", d.SECOND, "s", 0.1)):
        rows = frame[frame["term"] == term].assign(month=lambda rows: rows["to_month"])
        error_bars(axes, axis, rows, ("estimate", "lower", "upper"), color, "_", aside=aside)
        x = [position + aside for position in range(len(axis.months))]
        axes.plot(x, axis.spread(rows, "estimate"), mark, color=color, markersize=4, label=term.capitalize())
    axes.set_ylabel("Change since the month before,\nlog points")
    axis.dress(axes, width)
    figure.legend(loc="outside upper left", ncols=2)
    return figure


def _whiskers(axes: Axes, rows: pd.DataFrame, y: list[float]) -> None:
    for position, (low, high) in zip(y, zip(rows["lower"], rows["upper"], strict=True), strict=True):
        ends: Any = (low, high)
        if all(math.isfinite(end) for end in ends):
            axes.plot(ends, (position, position), color=d.INK, linewidth=0.8)

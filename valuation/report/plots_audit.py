"""The audited level and growth beside the run's: one row a month, one interval a line."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from valuation.report import drawing as d
from valuation.report.inputs import RunTables, month_words
from valuation.report.measures_audit import audited_growth, audited_levels, months_audited

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LINES = (
    ("plain", "The run", d.ACCENT, "o"),
    ("plain_users", "The run, users alone", d.GREY, "D"),
    ("audited", "Audited", d.SECOND, "s"),
)
APART = 0.22  # of a row, so that intervals of several lines do not hide each other


def audited_figure(tables: RunTables, width: float) -> Figure:
    """Draw levels in US dollars, each month a row, and growth in percent, run and people on the same axis."""
    months = [month for month in months_audited(tables) if month in set(audited_levels(tables, "plain")["to_month"])]
    months = months or months_audited(tables)
    grows = audited_growth(tables) is not None or audited_growth(tables, "plain") is not None
    wide = width > 5  # noqa: PLR2004 - inches, page or phone
    tall = 1.25 + 0.52 * len(months)
    rows, columns = (1, 2) if wide and grows else (2, 1) if grows else (1, 1)
    figure, made = d.new_figure(width, tall if rows == 1 else 1.9 + tall, rows, columns)
    panels = list(made) if grows else [made]
    _levels(panels[0], tables, months)
    if grows:
        _growth(panels[1], tables)
    handles, names = panels[0].get_legend_handles_labels()
    if not names:
        handles, names = panels[-1].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside upper left", ncols=3 if wide else 2, handlelength=1.6)
    return figure


def _levels(axes: Axes, tables: RunTables, months: Sequence[str]) -> None:
    frames = {name: audited_levels(tables, name).set_index("to_month") for name, *_ in LINES}
    for name, *_ in LINES:
        _draw(axes, name, [_row(frames[name], month) for month in months], scale=1.0)
    ends = [frame[column] for frame in frames.values() for column in ("lower", "upper", "estimate")]
    low, high = d.extent(*ends)
    d.log_axis(axes, "x", low / 1.08, high * 1.08, d.dollars, most=4)
    audited = [_row(frames["audited"], month) for month in months]
    counts = ["" if row is None else f"\nn {float(row['n_audited']):,.0f}" for row in audited]
    _rows(axes, [month_words(month) + count for month, count in zip(months, counts, strict=True)])
    axes.set_title("Typical value of a session")
    axes.set_xlabel("USD (log axis)")


def _growth(axes: Axes, tables: RunTables) -> None:
    rows = {name: audited_growth(tables, name) for name, *_ in LINES}
    for name, row in rows.items():
        _draw(axes, name, [row], scale=100.0)
    axes.axvline(0, color=d.GREY, linewidth=0.8, linestyle=(0, (4, 3)))
    known = next(row for row in rows.values() if row is not None)
    _rows(axes, [f"{month_words(str(known['from_month']))}\nto {month_words(str(known['to_month']))}"])
    axes.set_title("Growth")
    axes.set_xlabel("Growth, %")


def _row(frame: pd.DataFrame, month: str) -> pd.Series | None:
    rows = frame[frame.index == month]
    return None if rows.empty else rows.iloc[0]


def _draw(axes: Axes, name: str, rows: Sequence[pd.Series | None], *, scale: float) -> None:
    """One line's points and intervals, its own height within each row."""
    place = [one[0] for one in LINES].index(name)
    _, words, color, marker = LINES[place]
    known = [(at, row) for at, row in enumerate(rows) if row is not None]
    if not known:
        return
    y = [at + APART * (place - 1) for at, _ in known]
    x, low, high = ([scale * float(row[key]) for _, row in known] for key in ("estimate", "lower", "upper"))
    below: Any = [v - e if math.isfinite(e) else math.nan for v, e in zip(x, low, strict=True)]
    above: Any = [e - v if math.isfinite(e) else math.nan for v, e in zip(x, high, strict=True)]
    axes.errorbar(
        x, y, xerr=[below, above], fmt=marker, color=color, markersize=4.5, elinewidth=1.3, capsize=2.5, label=words
    )


def _rows(axes: Axes, names: Sequence[str]) -> None:
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.45, -0.55)
    axes.tick_params(left=False)
    axes.grid(True, axis="x")

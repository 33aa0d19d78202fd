"""Figures of the evidence: placebo distributions, the tilt backtest, growth with one source left out."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from valuation.report import drawing as d
from valuation.report.inputs import RunTables, headline_growth, select
from valuation.report.plots_prices import dot_plot
from valuation.report.words import AXIS_WORDS, PLACEBO_WORDS

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BINS = 40
FEW_DRAWS = 200  # fewer than these would leave bins with one or two
HISTOGRAMS = ("months_permuted", "prices_shuffled")


def log_growth(tables: RunTables) -> float:
    """Return the headline's growth in log points; NaN without one."""
    row = headline_growth(tables)
    return math.nan if row is None else math.log1p(float(row["growth"]))


def drawn(tables: RunTables) -> list[str]:
    """Return placebos with draws of growth, in the order in which they are shown."""
    frame = tables.placebo_draws[tables.placebo_draws["growth"].notna()]
    return [name for name in HISTOGRAMS if name in set(frame["placebo"])]


def draws_of(tables: RunTables, placebo: str) -> pd.Series:
    """Growth of every draw of a placebo, in log points."""
    return select(tables.placebo_draws, placebo=placebo)["growth"].dropna()


def placebo_figure(tables: RunTables, width: float) -> Figure:
    """Draw what growth is where there is none, its central 95 % shaded, the headline as a line."""
    names = drawn(tables)
    rows, columns = (1, len(names)) if width > 5 else (len(names), 1)
    figure, grid = d.new_figure(width, 2.6 * rows + 0.2, rows, columns)
    panels: list[Axes] = [grid] if len(names) == 1 else list(grid)
    real = log_growth(tables)
    for axes, name in zip(panels, names, strict=True):
        _histogram(axes, draws_of(tables, name).to_numpy(float), real)
        axes.set_title(PLACEBO_WORDS[name])
        axes.set_xlabel("Growth, log points")
    panels[0].set_ylabel("Draws")
    return figure


def _histogram(axes: Axes, draws: np.ndarray, real: float) -> None:
    known = [*draws, real] if math.isfinite(real) else list(draws)
    fine = BINS if len(draws) >= FEW_DRAWS else BINS // 2
    bins = np.linspace(min(known) - 1e-3, max(known) + 1e-3, fine + 1)
    counts = np.histogram(draws, bins=bins)[0]
    low, high = np.quantile(draws, [0.025, 0.975])
    axes.axvspan(low, high, color="#eef2f6", zorder=0)
    axes.stairs(counts, bins, color=d.GREY, fill=True, alpha=0.75)
    axes.axvline(0, color=d.INK, linewidth=0.7)
    if math.isfinite(real):
        axes.axvline(real, color=d.SECOND, linewidth=1.6)
        left = real > (bins[0] + bins[-1]) / 2
        place: dict[str, Any] = {
            "xy": (real, 1.0),
            "xycoords": axes.get_xaxis_transform(),
            "xytext": (-4 if left else 4, -2),
        }
        axes.annotate(
            "measured", **place, textcoords="offset points", va="top", ha="right" if left else "left", color=d.SECOND,
            fontsize=7.5,
        )  # fmt: skip


def tilt_figure(tables: RunTables, width: float) -> Figure:
    """Draw true against measured change of tilted months, by axis, with the line of equality."""
    frame = tables.tilt_backtest
    names = [axis for axis in AXIS_WORDS if axis in set(frame["axis"])]
    columns = min(len(names), 3 if width > 5 else 2)
    rows = math.ceil(len(names) / columns)
    side = width / columns
    figure, grid = d.new_figure(width, min(2.6, side + 0.35) * rows + 0.5, rows, columns)
    panels: list[Axes] = [grid] if rows * columns == 1 else list(grid)
    for axes, name in zip(panels, names, strict=False):
        here = frame[frame["axis"] == name]
        reach = 1.15 * float(np.abs(here[["true_change", "measured_change"]].to_numpy()).max(initial=0.05))
        axes.grid(True, axis="both")
        axes.plot((-reach, reach), (-reach, reach), color=d.INK, linewidth=0.8, linestyle=(0, (4, 3)))
        low, high = (here["measured_change"] + here[end] for end in ("lower", "upper"))
        axes.vlines(here["measured_change"], low, high, color="#9db4cf", linewidth=0.7)
        axes.plot(here["measured_change"], here["true_change"], "o", color=d.ACCENT, markersize=3, alpha=0.75)
        axes.set_title(f"{AXIS_WORDS[name].capitalize()} (n {len(here):,})")
        axes.set_xlim(-reach, reach)
        axes.set_ylim(-reach, reach)
        axes.locator_params("x", nbins=5 if width > 5 else 2)
        axes.locator_params("y", nbins=5)
    for axes in panels[len(names) :]:
        axes.remove()
    figure.supylabel("True change, log points", fontsize=8)
    for axes in panels[max(0, len(names) - columns) : len(names)]:
        axes.set_xlabel("Measured, log points")
    return figure


def left_out(tables: RunTables) -> pd.DataFrame:
    """Growth with each source left out, in log points, by size."""
    rows = select(tables.placebo, placebo="leave_one_source_out", measure="growth")
    return rows[rows["estimate"].notna()].sort_values(["estimate", "cell"], ignore_index=True)


def left_out_figure(tables: RunTables, width: float) -> Figure:
    """Draw growth without each source beside the headline."""
    frame = left_out(tables)
    figure, axes = d.new_figure(width, 0.9 + 0.27 * len(frame))
    dot_plot(axes, frame, [str(name) for name in frame["cell"]])
    axes.axvline(log_growth(tables), color=d.SECOND, linewidth=1.4, linestyle="--", label="Headline")
    axes.set_xlabel("Growth without this source, log points")
    figure.legend(loc="outside upper left")
    return figure

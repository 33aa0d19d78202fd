"""Figures of distributions: values, similarities, widths of the two bands."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from valuation.report import drawing as d
from valuation.report import measures
from valuation.report.inputs import RunTables, lookup, month_words, span

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

BINS = 30


def _log_bins(low: float, high: float) -> NDArray[np.float64]:
    if high <= low * 1.01:
        low, high = low / 2, high * 2
    return np.geomspace(low / 1.02, high * 1.02, BINS + 1)


def _percent(column: pd.Series, bins: NDArray[np.float64]) -> NDArray[np.float64]:
    """Percent of the column in each bin."""
    counts = np.histogram(column.to_numpy(float), bins=bins)[0]
    return 100.0 * counts / max(1, len(column))


def values_figure(tables: RunTables, width: float) -> Figure:
    """Draw the distribution of matched sessions' values in the base and in the last month."""
    matched = tables.values[tables.values["matched"] & tables.values["value_usd"].notna()]
    ends = span(tables)
    figure, axes = d.new_figure(width, 2.6)
    axes.grid(True, axis="y")
    bins = _log_bins(*d.extent(matched["value_usd"]))
    months = [month for month in dict.fromkeys((ends.base, ends.last)) if month]
    for month, color, dash in zip(months, (d.GREY, d.ACCENT), ("--", "-"), strict=False):
        here = matched.loc[matched["month"] == month, "value_usd"]
        name = f"{month_words(month)} (n {len(here):,})"
        axes.stairs(_percent(here, bins), bins, color=color, linewidth=1.4, linestyle=dash, label=name)
    d.log_axis(axes, "x", bins[0], bins[-1], d.dollars, most=8 if width > 5 else 5)
    axes.set_xlabel("Value of a session, USD (log axis)")
    axes.set_ylabel("Matched sessions, %")
    figure.legend(loc="outside upper left", ncols=2)
    return figure


def similarity_figure(tables: RunTables, width: float) -> Figure:
    """Draw the distribution of each session's nearest similarity, with the limit under which it is unmatched."""
    nearest = tables.values["similarity_max"].dropna()
    minimum = lookup(tables.manifest, "s_min")
    figure, axes = d.new_figure(width, 2.4)
    axes.grid(True, axis="y")
    low, high = float(nearest.min()), float(nearest.max())
    limit = float(minimum) if isinstance(minimum, int | float) else low
    bins = np.linspace(min(low, limit) - 0.01, max(high, limit) + 0.01, BINS + 1)
    axes.stairs(_percent(nearest, bins), bins, color=d.ACCENT, linewidth=1.4, fill=False)
    axes.stairs(_percent(nearest, bins), bins, color=d.PALE, fill=True)
    if isinstance(minimum, int | float):
        axes.axvline(limit, color=d.SECOND, linewidth=1.2, linestyle="--")
        place = {"xy": (limit, 1.0), "xycoords": axes.get_xaxis_transform(), "xytext": (4, -1)}
        axes.annotate("limit", **place, textcoords="offset points", va="top", color=d.SECOND, fontsize=7.5)
    axes.set_xlabel("Similarity to the nearest posting (cosine)")
    axes.set_ylabel("Sessions, %")
    return figure


def widths_figure(tables: RunTables, width: float) -> Figure:
    """Draw how wide the two bands are: the factor by which one multiplies and divides."""
    widths = measures.band_widths(tables.values)
    figure, axes = d.new_figure(width, 2.6)
    axes.grid(True, axis="y")
    bins = _log_bins(*d.extent(*widths.values()))
    names = {"typical": "Typical band", "single": "Single-posting band"}
    for band, color, dash in (("typical", d.ACCENT, "-"), ("single", d.SECOND, "--")):
        axes.stairs(_percent(widths[band], bins), bins, color=color, linewidth=1.4, linestyle=dash, label=names[band])
    d.log_axis(axes, "x", bins[0], bins[-1], lambda tick: f"×÷{tick:.3g}", most=9 if width > 5 else 5)
    axes.set_xlabel("Half-width of the band (log axis)")
    axes.set_ylabel("Matched sessions, %")
    figure.legend(loc="outside upper left", ncols=2)
    return figure

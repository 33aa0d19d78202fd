"""The specification curve: growth under every specification in order, and below it what each one chose."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any

import numpy as np

from valuation.report import drawing as d

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

CHOICES = {
    "pricer": "Pricer", "k": "Neighbours", "tau": "Bandwidth", "s_min": "Similarity from", "register_mode": "Register",
    "statistic": "Statistic", "encoder": "Encoder", "basket": "Basket", "truncation": "Prices cut, each end",
    "weighting": "Weight",
}  # fmt: skip
WORDS = {
    "mean_log": "geometric mean", "trimmed_mean": "trimmed mean", "mean": "mean price", "first_half": "first half",
    "last_half": "last half", "full_text": "full texts", "matching": "bias-corrected matching",
    "neighbours": "plain neighbours", "hedonic": "hedonic regression",
}  # fmt: skip
OF = {("s_min", "auto"): "first percentile", ("s_min", "none"): "no limit", ("register_mode", "none"): "as it is"}
TALL = 2.6  # inches of the curve
ROW = 0.155  # inches of a row of the board
MOST_LEVELS = 12  # rows of one choice; the most frequent are kept


@dataclass(frozen=True, slots=True)
class _Row:
    """One level of one choice: where it was chosen, and the median growth there."""

    choice: str
    level: str
    places: NDArray[np.int64]
    median: float


def specification_curve(table: pd.DataFrame, width: float) -> Figure:
    """Draw growth under every specification that gives a figure, lowest first, with what each chose below.

    Parameters
    ----------
    table : DataFrame
        A Sensitivity table.
    width : float
        Inches.
    """
    shown = table[table["growth"].notna()].sort_values("specification", ignore_index=True)
    rows = board_rows(shown)
    from matplotlib.gridspec import GridSpec

    board = ROW * (len(rows) + 1.2 * len({row.choice for row in rows}) + 1)
    figure, first = d.new_figure(width, TALL + 0.3 + board)
    first.remove()
    parts = GridSpec(2, 1, figure=figure, height_ratios=[TALL, board])
    curve = figure.add_subplot(parts[0])
    _curve(curve, shown, width)
    if rows:
        _board(figure.add_subplot(parts[1], sharex=curve), rows, shown)
    figure.suptitle(caption(table, line=90 if width > 5 else 46), fontsize=7.5, x=0.01, ha="left")
    return figure


def caption(table: pd.DataFrame, line: int = 10_000) -> str:
    """Say in words what the curve shows: how many, the range, the median, and how many have the headline's sign.

    Parameters
    ----------
    table : DataFrame
        A Sensitivity table.
    line : int
        Characters after which a line may end.
    """
    import textwrap

    shown = table[table["growth"].notna()]
    own = table[table["headline"]]
    if shown.empty:
        return f"n = {len(table):,} specifications, none of which gives a figure"
    growth = shown["growth"]
    parts = [
        f"n = {len(shown):,} specifications"
        + (f" ({len(table) - len(shown):,} without a figure)" * (len(shown) < len(table))),
        f"{_percent(growth.min())} to {_percent(growth.max())}, median {_percent(growth.median())}",
    ]
    if not own.empty and own["growth"].notna().all():
        same = (np.sign(growth) == np.sign(own["growth"].iloc[0])).mean()
        parts.append(f"{100 * same:.0f} % with the headline’s sign")
    return "\n".join(textwrap.wrap("; ".join(parts), line))


def board_rows(shown: pd.DataFrame) -> list[_Row]:
    """Levels of every choice that was varied, choices in a fixed order, levels in their own.

    `k` and `tau` do not enter the pricer hedonic, which stands in none of their rows.
    """
    found = []
    for column in CHOICES:
        counts = shown[column].value_counts().sort_index().sort_values(ascending=False, kind="stable")
        levels = sorted(counts.index[:MOST_LEVELS], key=lambda level: (_order(level), str(level)))
        if len(levels) < 2:
            continue
        for level in levels:
            chosen = shown[column] == level
            if column in ("k", "tau"):
                chosen &= shown["pricer"] != "hedonic"
            places = np.flatnonzero(chosen.to_numpy())
            median = float(shown["growth"].iloc[places].median()) if places.size else math.nan
            found.append(_Row(column, _level(column, level), places, median))
    return found


def _order(level: object) -> float:
    """Numbers by size, 'all' and 'none' before other words."""
    try:
        return float(str(level))
    except ValueError:
        return -1.0 if level in ("all", "none") else math.inf


def _level(choice: str, level: object) -> str:
    """Write a level in words, a share of prices as a percentage."""
    if (choice, str(level)) in OF:
        return OF[choice, str(level)]
    if choice == "truncation" and _order(level) >= 0 and math.isfinite(_order(level)):
        return f"{100 * _order(level):g} %"
    return WORDS.get(str(level), f"{level:g}" if isinstance(level, int | float) else d.label(level, 24))


def _curve(axes: Axes, shown: pd.DataFrame, width: float) -> None:
    """Intervals, estimates, the zero line, and the headline on top."""
    axes.grid(True, axis="y")
    axes.axhline(0, color=d.INK, linewidth=0.8, linestyle=(0, (4, 3)))
    x, growth = np.arange(len(shown)), 100 * shown["growth"].to_numpy(float)
    low, high = (100 * shown[column].to_numpy(float) for column in ("lower", "upper"))
    clear = (low > 0) | (high < 0)
    thin = max(0.3, min(1.5, 0.7 * 72 * width / max(len(shown), 1)))
    gap = np.full(len(shown), math.nan)
    for chosen, color in ((~clear, d.PALE), (clear, "#a9c0dc")):
        ends = np.column_stack([low, high, gap])[chosen].ravel()
        axes.plot(np.repeat(x[chosen], 3), ends, color=color, linewidth=thin, solid_capstyle="butt", zorder=1)
    for chosen, color, name in (
        (~clear, d.GREY, "interval includes zero"),
        (clear, d.ACCENT, "interval excludes zero"),
    ):
        if chosen.any():
            count = f"{name} ({chosen.sum():,})"
            axes.plot(x[chosen], growth[chosen], ".", color=color, markersize=2.2, label=count, zorder=2)
    own = np.flatnonzero(shown["headline"].to_numpy(bool))
    if own.size:
        axes.plot(
            np.repeat(x[own], 2), [low[own[0]], high[own[0]]], color=d.SECOND, linewidth=1.6, zorder=3
        )  # fmt: skip
        axes.plot(x[own], growth[own], "D", color=d.SECOND, markersize=4.5, label="headline", zorder=4)
    room = 0.02 * max(len(shown), 1) + 0.5
    axes.set_xlim(-room, max(len(shown), 1) - 1 + room)
    axes.tick_params(labelbottom=False, bottom=False)
    axes.set_ylabel("Growth, %")
    if len(shown):
        axes.legend(
            loc="lower left", bbox_to_anchor=(0, 1), fontsize=6.5, handletextpad=0.3, ncols=3 if width > 5 else 1
        )


def _board(axes: Axes, rows: list[_Row], shown: pd.DataFrame) -> None:
    """Draw a row a level under the name of its choice, with the median growth at its right."""
    at: list[float] = []
    names: list[str] = []
    y, previous = 0.0, ""
    for row in rows:
        if row.choice != previous:
            y += 1.2
            at, names, previous = [*at, y], [*names, CHOICES[row.choice]], row.choice
        y += 1.0
        at, names = [*at, y], [*names, row.level]
        axes.plot(*_runs(row.places, y), color=d.ACCENT, linewidth=72 * ROW * 0.55, solid_capstyle="butt", alpha=0.75)
        _beside(axes, y, "–" if math.isnan(row.median) else _percent(row.median))
    _beside(axes, at[0], "median")
    for own in np.flatnonzero(shown["headline"].to_numpy(bool)):
        axes.axvline(float(own), color=d.SECOND, linewidth=0.9)
    axes.set_yticks(at, names, fontsize=6.5)
    for tick, name in zip(axes.get_yticklabels(), names, strict=True):
        tick.set_fontweight("bold" if name in CHOICES.values() else "normal")
    axes.set_ylim(at[-1] + 0.8, at[0] - 0.8)
    axes.tick_params(left=False, bottom=False, labelbottom=False)
    for side in ("left", "bottom"):
        axes.spines[side].set_visible(False)
    axes.set_xlabel("Specifications, in the order of growth")


def _beside(axes: Axes, y: float, text: str) -> None:
    """Write to the right of a row."""
    place: Any = {"xy": (1.0, y), "xycoords": ("axes fraction", "data"), "xytext": (3, 0)}
    axes.annotate(text, **place, textcoords="offset points", va="center", fontsize=6, color=d.GREY)


def _runs(places: NDArray[np.int64], y: float) -> tuple[list[float], list[float]]:
    """Join neighbouring places into one stroke each: x and y with gaps between strokes."""
    x: list[float] = []
    for _, run in groupby(enumerate(places.tolist()), key=lambda pair: pair[1] - pair[0]):
        members = [place for _, place in run]
        x += [members[0] - 0.5, members[-1] + 0.5, math.nan]
    return x, [y] * len(x)


def _percent(share: float) -> str:
    """A signed percentage with a true minus; a change that rounds to nothing has no sign of its own."""
    return f"{100 * share if abs(share) >= 5e-4 else 0.0:+.1f} %".replace("-", "−")  # noqa: PLR2004

"""Geometry of the overview's figure: index numbers by month with both bands."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

WIDTH, HEIGHT = 640.0, 260.0
LEFT, RIGHT, TOP, BOTTOM = 52.0, 16.0, 12.0, 34.0


@dataclass(frozen=True, slots=True)
class Month:
    """A month on the figure; places in the figure's units, figures in words."""

    month: str
    x: float
    y: float
    lower_y: float | None
    upper_y: float | None
    label: str


@dataclass(frozen=True, slots=True)
class SeriesFigure:
    """Index numbers by month.

    Attributes
    ----------
    months : tuple of Month
        Months that may be shown.
    band, simultaneous : str
        Points of the polygons: pointwise band, and the band of all months at once.
    line : str
        Points of the line.
    ticks : tuple of (y, label)
    """

    months: tuple[Month, ...]
    band: str
    simultaneous: str
    line: str
    ticks: tuple[tuple[float, str], ...]


def series_figure(series: pd.DataFrame) -> SeriesFigure | None:
    """Lay out a series; None if no month may be shown.

    Parameters
    ----------
    series : DataFrame
        Rows of `series` of one statistic and pricer, by month.
    """
    shown = series[~series["suppressed"] & series["index_number"].notna()].sort_values("month")
    if shown.empty:
        return None
    ends = shown[["index_number", "lower", "upper", "simultaneous_lower", "simultaneous_upper"]].to_numpy().ravel()
    known = [float(one) for one in ends if not math.isnan(one)]
    low, high = min(known), max(known)
    room = max((high - low) * 0.08, 1.0)
    low, high = max(low - room, 0.0), high + room

    def y(value: float) -> float:
        return round(TOP + (high - value) / (high - low) * (HEIGHT - TOP - BOTTOM), 2)

    step = (WIDTH - LEFT - RIGHT) / max(len(shown), 1)
    places = [round(LEFT + step * (place + 0.5), 2) for place in range(len(shown))]
    rows = shown.to_dict(orient="records")
    months = tuple(
        Month(
            month=str(row["month"]),
            x=x,
            y=y(row["index_number"]),
            lower_y=None if math.isnan(row["lower"]) else y(row["lower"]),
            upper_y=None if math.isnan(row["upper"]) else y(row["upper"]),
            label=f"{row['month']}: {row['index_number']:.1f} [{row['lower']:.1f}, {row['upper']:.1f}], "
            f"{row['n_matched']:,} of {row['n_sessions']:,} sessions",
        )
        for row, x in zip(rows, places, strict=True)
    )
    return SeriesFigure(
        months=months,
        band=_polygon([(x, row["lower"], row["upper"]) for row, x in zip(rows, places, strict=True)], y),
        simultaneous=_polygon(
            [(x, row["simultaneous_lower"], row["simultaneous_upper"]) for row, x in zip(rows, places, strict=True)], y
        ),
        line=" ".join(f"{month.x},{month.y}" for month in months),
        ticks=tuple((y(mark), f"{mark:g}") for mark in _marks(low, high)),
    )


def _polygon(ends: list[tuple[float, float, float]], y: Callable[[float], float]) -> str:
    known = [one for one in ends if not math.isnan(one[1]) and not math.isnan(one[2])]
    upper = [f"{x},{y(high)}" for x, _, high in known]
    lower = [f"{x},{y(low)}" for x, low, _ in reversed(known)]
    return " ".join(upper + lower)


def _marks(low: float, high: float) -> list[float]:
    """Round numbers between two ends, about five of them."""
    raw = (high - low) / 5
    power = 10 ** math.floor(math.log10(raw))
    step = next(one * power for one in (1, 2, 5, 10) if one * power >= raw)
    first = math.ceil(low / step) * step
    return [first + step * place for place in range(int((high - first) / step) + 1)]

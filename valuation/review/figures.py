"""Geometry of the match page's figures: log price axis, bands, dots, waterfall. Numbers in, places out; no markup."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

WIDTH, MARGIN = 640.0, 24.0
_STEPS = (1.0, 2.0, 5.0)


@dataclass(frozen=True, slots=True)
class Tick:
    """A mark of an axis."""

    x: float
    label: str


@dataclass(frozen=True, slots=True)
class Axis:
    """A logarithmic price axis, `WIDTH` units wide.

    Attributes
    ----------
    low, high : float
        Its ends, USD.
    ticks : tuple of Tick
    """

    low: float
    high: float
    ticks: tuple[Tick, ...]

    def x(self, price: float) -> float:
        """Place of a price, kept inside the axis."""
        share = math.log(price / self.low) / math.log(self.high / self.low)
        return round(MARGIN + min(max(share, 0.0), 1.0) * (WIDTH - 2 * MARGIN), 2)


@dataclass(frozen=True, slots=True)
class Dot:
    """A neighbour on the axis; its area goes with its weight."""

    x: float
    y: float
    radius: float
    rank: int
    label: str


@dataclass(frozen=True, slots=True)
class Span:
    """A band on the axis."""

    x: float
    width: float
    label: str


@dataclass(frozen=True, slots=True)
class PriceFigure:
    """Both bands on a log price axis with the neighbours as dots."""

    axis: Axis
    value: float
    typical: Span | None
    single: Span | None
    dots: tuple[Dot, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """A step of the waterfall: from one price to the next.

    Attributes
    ----------
    label : str
    x, width : float
        Of its bar.
    rises : bool
    price : float
        Where it ends, USD.
    factor : float or None
        Price after it over price before; None for the first.
    total : bool
        A sum rather than a change.
    """

    label: str
    x: float
    width: float
    rises: bool
    price: float
    factor: float | None
    total: bool


def axis(prices: Sequence[float]) -> Axis:
    """Return an axis that holds all of `prices`, with marks at 1, 2 and 5 times powers of 10; at least one price."""
    low, high = min(prices) / 1.15, max(prices) * 1.15
    if high / low < 4:  # noqa: PLR2004 - so narrow an axis would have a mark or none
        middle = math.sqrt(low * high)
        low, high = middle / 2, middle * 2
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    marks = [step * 10.0**power for power in range(first, last + 1) for step in _STEPS]
    inside = [mark for mark in marks if low <= mark <= high]
    if len(inside) > 8:  # noqa: PLR2004 - labels would touch
        inside = [mark for mark in inside if round(math.log10(mark), 9).is_integer()]
    shown = Axis(low, high, ())
    return Axis(low, high, tuple(Tick(shown.x(mark), dollars(mark)) for mark in inside))


def price_figure(
    prices: Sequence[float],
    weights: Sequence[float],
    value: float,
    typical: tuple[float, float] | None,
    single: tuple[float, float] | None,
) -> PriceFigure:
    """Lay out both bands, the value and the neighbours.

    Parameters
    ----------
    prices, weights : sequence of float, length k
        The neighbours', nearest first; USD, and shares that sum to 1.
    value : float
        USD.
    typical, single : (lower, upper) or None
        USD.
    """
    ends = [end for band in (typical, single) if band is not None for end in band]
    whole = axis([*prices, value, *ends])
    largest = max(weights, default=1.0)
    dots = tuple(
        Dot(
            x=whole.x(price),
            y=round(66 + 9 * (rank % 5) - 18, 2),  # five rows, so that neighbours of one price stay apart
            radius=round(2 + 5 * math.sqrt(weight / largest), 2),
            rank=rank + 1,
            label=f"neighbour {rank + 1}: {dollars(price)}, weight {weight:.3f}",
        )
        for rank, (price, weight) in enumerate(zip(prices, weights, strict=True))
    )
    return PriceFigure(whole, whole.x(value), _span(whole, typical), _span(whole, single), dots)


def _span(whole: Axis, band: tuple[float, float] | None) -> Span | None:
    if band is None:
        return None
    left, right = whole.x(band[0]), whole.x(band[1])
    return Span(left, round(right - left, 2), f"{dollars(band[0])} to {dollars(band[1])}")


def waterfall(stations: Sequence[tuple[str, float]]) -> tuple[tuple[Step, ...], Axis]:
    """Lay out the way from the neighbours' mean price to the value.

    Parameters
    ----------
    stations : sequence of (label, price in USD)
        The first is where it begins and the last the value; each between is where a step ends.
    """
    whole = axis([price for _, price in stations])
    steps = []
    for place, (label, price) in enumerate(stations):
        total = place in (0, len(stations) - 1)
        before = whole.low if total else stations[place - 1][1]
        left, right = sorted((whole.x(before), whole.x(price)))
        factor = None if place == 0 else price / stations[place - 1][1]
        steps.append(Step(label, left, round(max(right - left, 1.5), 2), price >= before, price, factor, total))
    return tuple(steps), whole


def dollars(amount: float) -> str:
    """A price for people: three significant figures below 1,000, whole dollars from there, thousands separated."""
    if amount < 1:
        return f"${amount:.2g}"
    return f"${amount:,.0f}" if amount >= 100 else f"${amount:,.3g}"  # noqa: PLR2004


def signed_dollars(amount: float) -> str:
    """A difference of prices."""
    return f"{'−' if amount < 0 else '+'}{dollars(abs(amount)) if amount else '$0'}"

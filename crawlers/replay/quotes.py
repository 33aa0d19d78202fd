"""Price texts, each with the reading that is right: low, high, currency and unit, or why there is none."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from crawlers.replay.draws import Draw

Unit = Literal["fixed", "hour", "day", "week", "month", "year", ""]


@dataclass(frozen=True, slots=True)
class Quote:
    """What a posting pays, as its author means it.

    Attributes
    ----------
    text : str
        As written, or ``''`` where the price is only in fields.
    low, high : float or None
        In `currency`; None where no amount can be had.
    currency : str or None
        ISO code.
    unit : str
        What the money is for; ``''`` where nothing says so.
    why : str
        Why there is no usable price: none, open, zero, negative, reversed, several, other_unit; ``''`` where there is.
    """

    text: str
    low: float | None = None
    high: float | None = None
    currency: str | None = None
    unit: Unit = ""
    why: str = ""


NASTY_PRICES = (
    Quote("$1.5K", 1500, 1500, "USD"),
    Quote("€ 1.200,50", 1200.5, 1200.5, "EUR"),
    Quote("500 - 1,000 USD / hour", 500, 1000, "USD", "hour"),
    Quote("3 milestones, $900", 900, 900, "USD"),
    Quote("Free", why="none"),
    Quote("negotiable", why="none"),
    Quote("$500 - $100", why="reversed"),
    Quote("up to $500", why="open"),
    Quote("$70k+", why="open"),
    Quote("$0", why="zero"),
    Quote("($$$)", why="none"),
    Quote("30 hrs/week", why="none"),
    Quote("call +1 (555) 010-4477", why="none"),
    Quote("£45/hr", 45, 45, "GBP", "hour"),
    Quote("USD 2,500.00", 2500, 2500, "USD"),
    Quote("$0.05 per word", why="other_unit"),
    Quote("since 2019", why="none"),
    Quote("₹ 1,50,000", 150000, 150000, "INR"),
    Quote("1 200 €", 1200, 1200, "EUR"),
    Quote("$200 or $300", why="several"),
    Quote("CHF 1'250.-", 1250, 1250, "CHF"),
    Quote("-$50", why="negative"),
)

_ROUND = (50, 75, 100, 125, 150, 200, 250, 300, 400, 500, 750, 1000, 1500, 2500, 4000)
_HOURLY = (15, 20, 25, 30, 40, 50, 60, 75, 90, 120)


def free_text(draw: Draw) -> Quote:
    """Price as people write one in a comment: fixed, an hour, a range, or none that can be used."""
    amount, hourly, thousands = draw.pick(_ROUND), draw.pick(_HOURLY), draw.between(2, 9)
    forms: tuple[tuple[str, int | None, int | None, str | None, Unit, str], ...] = (
        (f"${amount}", amount, amount, "USD", "", ""),
        (f"${amount:,} fixed", amount, amount, "USD", "fixed", ""),
        (f"USD {amount:,}", amount, amount, "USD", "", ""),
        (f"€{amount}", amount, amount, "EUR", "", ""),
        (f"£{amount:,}.00", amount, amount, "GBP", "", ""),
        (f"${amount:,} - ${amount * 2:,}", amount, amount * 2, "USD", "", ""),
        (f"${hourly}/hr", hourly, hourly, "USD", "hour", ""),
        (f"${hourly}-{hourly + 15}/hour", hourly, hourly + 15, "USD", "hour", ""),
        (f"€{hourly} per hour", hourly, hourly, "EUR", "hour", ""),
        (f"${thousands}k", thousands * 1000, thousands * 1000, "USD", "", ""),
        ("negotiable", None, None, None, "", "none"),
        (f"up to ${amount}", None, None, None, "", "open"),
        ("let us talk", None, None, None, "", "none"),
    )
    return Quote(*draw.pick(forms))


def fixed(draw: Draw, currency: str = "USD") -> Quote:
    """One amount for the whole task, in fields."""
    amount = float(draw.pick(_ROUND))
    return Quote("", amount, amount, currency, "fixed")


def span(draw: Draw, unit: Unit, currency: str = "USD") -> Quote:
    """Range for the task or an hour, in fields."""
    low = float(draw.pick(_HOURLY if unit == "hour" else _ROUND))
    return Quote("", low, low * 2, currency, unit)


def salary(draw: Draw, currency: str = "USD") -> Quote:
    """Range for a year."""
    low = 1000.0 * draw.between(30, 140)
    return Quote("", low, low + 1000.0 * draw.between(5, 40), currency, "year")


def raised(quote: Quote) -> Quote:
    """Return the same price, half as high again; prices that are no numbers stay."""
    if quote.low is None or quote.high is None:
        return quote
    low, high = quote.low * 1.5, quote.high * 1.5
    amount = f"{low:,.2f}" if low == high else f"{low:,.2f} - {high:,.2f}"
    text = f"{amount} {quote.currency}" + {"hour": " / hour", "fixed": " fixed"}.get(quote.unit, "")
    return replace(quote, text=text if quote.text else "", low=low, high=high)

"""From log prices to what a client types: round amounts, ranges, foreign currencies, hourly rates."""

from __future__ import annotations

import math

# Mantissas people write. A price is the nearest of them in logs, so that rounding has no direction.
MANTISSAS = (1.0, 1.2, 1.5, 1.8, 2.0, 2.5, 3.0, 3.5, 4.0, 4.5, 5.0, 6.0, 7.0, 7.5, 8.0, 9.0, 10.0)
# US dollars an euro and a pound: within 2 % of the ECB's monthly means from August 2025 to July 2026.
USD_PER = {"USD": 1.0, "EUR": 1.16, "GBP": 1.345}
SIGNS = {"USD": "$", "EUR": "€", "GBP": "£"}


def human(amount: float) -> float:
    """Return the nearest amount, in logs, that a person would type.

    >>> human(247.0)
    250.0
    """
    exponent = math.floor(math.log10(amount))
    mantissa = amount / 10.0**exponent
    nearest = min(MANTISSAS, key=lambda candidate: abs(math.log(candidate / mantissa)))
    return round(nearest * 10.0**exponent, 2)


def money(amount: float, currency: str) -> str:
    """Return an amount with its sign and thousands: "$1,500", "€7.50"."""
    digits = f"{amount:,.0f}" if amount == int(amount) else f"{amount:,.2f}"
    return f"{SIGNS[currency]}{digits}"


def fixed_budget(log_price: float, currency: str, half_range: float) -> tuple[str, float]:
    """Return a fixed budget as typed, and the log of the US dollars it means.

    Parameters
    ----------
    log_price : float
        Log US dollars before rounding.
    currency : str
        USD, EUR or GBP.
    half_range : float
        Half the log width of a range; 0 for a single amount.
    """
    rate = USD_PER[currency]
    centre = math.exp(log_price) / rate
    low, high = human(centre * math.exp(-half_range)), human(centre * math.exp(half_range))
    typed = money(low, currency) if low == high else f"{money(low, currency)} - {money(high, currency)}"
    return typed, math.log(low * high) / 2 + math.log(rate)


def hourly_budget(log_rate: float, currency: str, half_range: float) -> tuple[str, float]:
    """Return an hourly budget as typed, "$25 - $40 /hr", and the log of its US dollars an hour."""
    typed, meant = fixed_budget(log_rate, currency, half_range)
    return f"{typed} /hr", meant

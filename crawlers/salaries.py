"""Salaries -> what an hour costs: a reference for hourly rates, never the price of a task.

A salary prices a year of employment. Divided by the hours of full-time work it says roughly what an hour of that work
costs; that is all it is used for. The constants are the usual full-time year: 52 weeks of five days of eight hours.
"""

from __future__ import annotations

import dataclasses
import re
from typing import Literal

from crawlers.fields import Record, text
from crawlers.money import Budget, read_budget
from crawlers.money_marks import currency_code
from crawlers.posting import Price, PriceKind, price_from_numbers

Period = Literal["hour", "day", "week", "fortnight", "month", "year"]

HOURS: dict[Period, float] = {  # hours of full-time work in each
    "hour": 1.0,
    "day": 8.0,
    "week": 40.0,
    "fortnight": 80.0,
    "month": 2080.0 / 12,  # 173.33
    "year": 2080.0,
}

# A free text such as "$120k - $150k" does not say that it means a year. It is read as one only where nothing else is
# left: nobody pays 10,000 of these an hour or a day, hardly anybody a month, and above a million it is no salary. Of
# other currencies (50,000 INR, 300,000 JPY) the same amounts are ordinary monthly pay, so nothing is read.
UNSTATED_YEAR = (10_000.0, 1_000_000.0)
_YEARLY_CURRENCIES = (None, "USD", "EUR", "GBP", "CHF", "CAD", "AUD", "NZD", "SGD")

_WORDS: dict[Period, str] = {
    "hour": r"hourly|hours?|hrs?|h|stunde|heure|hora",
    "day": r"daily|days?|tag|jour",
    "fortnight": r"fortnightly|fortnights?|bi-?weekly",  # before the week, whose word it ends in
    "week": r"weekly|weeks?|wk|woche|semaine|semana",
    "month": r"monthly|months?|mo|mth|monat|mois|mes",
    "year": r"yearly|annual|annually|annum|years?|yrs?|yr|y|jahr|an|año",
}
_PER = r"(?:/\s*|\b(?:per|an?|p\.?|pro|par|por|al|each)[\s/]+)"
_ADVERB = re.compile(r"[a-z?-]+(?:ly|ual)\b")
_STATED = {
    period: re.compile(rf"{_PER}(?:{words})\b\.?|\b(?:{'|'.join(_ADVERB.findall(words))})\b", re.IGNORECASE)
    for period, words in _WORDS.items()
}
_ANNUM = re.compile(r"(?<![a-z])p\.?\s?a\b\.?", re.IGNORECASE)
_WORKLOAD = re.compile(
    rf"\d+\+?(?:\s*-\s*\d+)?\s*(?:hours?|hrs?|h|days?)\s*{_PER}(?:day|week|wk|month)\b", re.IGNORECASE
)
_NOT_PAY = re.compile(
    r"(?:\+|\bplus\b|\band\b|&|,)\s*(?:equity|bonus(?:es)?|benefits?|stocks?(?: options?)?|options?|perks)\b"
    r"|\b(?:base|annual|yearly|gross|target)?\s*(?:salary|compensation|pay)\b(?:\s+range)?:?",
    re.IGNORECASE,
)


def period_of(word: str) -> Period | None:
    """Period that a field names.

    >>> [period_of(word) for word in ("YEAR", "annual", "per month", "Hourly", "fortnightly", "piece")]
    ['year', 'year', 'month', 'hour', 'fortnight', None]
    """
    lower = re.sub(r"^(?:per|an?)\s+", "", word.strip().lower().rstrip("."))
    return next((period for period, words in _WORDS.items() if re.fullmatch(words, lower)), None)


def currency_at(record: Record, key: str) -> str | None:
    """Currency at a key: a code, or the code that a sign stands for; None for anything else.

    >>> currency_at({"c": "eur"}, "c"), currency_at({"c": "£"}, "c"), currency_at({"c": "kr"}, "c")
    ('EUR', 'GBP', None)
    """
    found = text(record, key)
    if found is None or len(found) > 40:
        return None
    return currency_code(found) or (found.upper() if re.fullmatch(r"[A-Za-z]{3,5}", found) else None)


def hourly_from_numbers(
    low: float | None, high: float | None, *, period: Period | None, kind: PriceKind, currency: str | None
) -> Price:
    """Read a salary that a source gives as numbers.

    Parameters
    ----------
    low, high : float or None
        Ends of the range, in `currency`; the same number twice for a single amount.
    period : str or None
        What the numbers are for; None where it is not known: no price then (``unclear``).
    kind : str
    currency : str or None

    >>> hourly_from_numbers(104_000, 208_000, period="year", kind="posted", currency="USD").high
    100.0
    >>> hourly_from_numbers(104_000, None, period="year", kind="posted", currency="USD").fault
    'open'
    """
    price = price_from_numbers(low, high, kind=kind, type_="hourly", currency=currency, raw=_shown(low, high, currency))
    if price.raw is not None and period is not None:
        price = dataclasses.replace(price, raw=f"{price.raw} a {period}")
    return _by_hour(price, period)


def hourly_from_text(written: str | None, *, kind: PriceKind) -> Price:
    """Read a salary text.

    >>> price = hourly_from_text("$104k - $156k", kind="posted")
    >>> price.low, price.high, price.currency, price.type
    (50.0, 75.0, 'USD', 'hourly')
    >>> hourly_from_text("€83.200 per year", kind="posted").low, hourly_from_text("USD 50/hr", kind="posted").low
    (40.0, 50.0)
    >>> [hourly_from_text(t, kind="posted").fault for t in ("Competitive", "$90k+", "$4,000", "INR 50,000")]
    ['none', 'open', 'unclear', 'unclear']
    """
    blank = Price(written or None, "hourly", kind)
    plain = _WORKLOAD.sub(" ", " ".join((written or "")[:2000].split()))
    periods, bare = _take_periods(plain)
    if len(periods) > 1:
        return dataclasses.replace(blank, fault="several")
    period = next(iter(periods), None)
    found = read_budget(bare)
    if found == "unclear" and period not in (None, "hour"):
        found = read_budget(bare, decimal_comma=True)  # "45.000 a year": money has no three decimals
    if not isinstance(found, Budget):
        return dataclasses.replace(blank, fault=found)
    if found.unit == "fixed":
        return Price(blank.raw, "fixed", kind, found.low, found.high, found.currency, found.mark or None)
    price = Price(blank.raw, "hourly", kind, found.low, found.high, found.currency, found.mark or None)
    return _by_hour(price, period or ("hour" if found.unit == "hour" else _unstated(found)))


def _take_periods(plain: str) -> tuple[set[Period], str]:
    """Periods that a text names, and the text without their words and without what is no pay."""
    bare = _ANNUM.sub(" per year ", plain)
    periods: set[Period] = set()
    for period, pattern in _STATED.items():
        bare, count = pattern.subn(" ", bare)
        if count:
            periods.add(period)
    return periods, _NOT_PAY.sub(" ", bare).strip(" ,;()")


def _unstated(found: Budget) -> Period | None:
    """Year, where an amount without a period can be nothing else."""
    low, high = UNSTATED_YEAR
    return "year" if found.currency in _YEARLY_CURRENCIES and low <= found.low and found.high <= high else None


def _by_hour(price: Price, period: Period | None) -> Price:
    """Divide by the hours of the period."""
    if price.fault is not None or price.low is None or price.high is None:
        return price
    if period is None:
        return dataclasses.replace(price, low=None, high=None, fault="unclear")
    return dataclasses.replace(price, low=price.low / HOURS[period], high=price.high / HOURS[period])


def _shown(low: float | None, high: float | None, currency: str | None) -> str | None:
    """Numbers as a text, in full digits."""
    ends = [f"{end:.15g}" for end in (low, high) if end is not None]
    return " ".join([" - ".join(dict.fromkeys(ends)), currency or ""]).strip() if ends else None

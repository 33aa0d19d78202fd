"""``baseSalary`` of a JobPosting -> a price, or why there is none."""

from __future__ import annotations

import dataclasses
import re

from crawlers.fields import Record, mapping, number, text
from crawlers.money import unit_of
from crawlers.posting import Price, PriceKind, PriceType, price_from_numbers, price_from_text
from crawlers.salaries import currency_at, period_of

_CODES = {"HUR": "HOUR", "DAY": "DAY", "WEE": "WEEK", "MON": "MONTH", "ANN": "YEAR"}  # UN/CEFACT, as unitCode
_WHOLE = frozenset({"PROJECT", "TASK", "JOB", "FIXED", "TOTAL", "GIG", "ASSIGNMENT", "ONE-TIME", "LUMP SUM"})
_PER = re.compile(r"(?:(?:PER|AN?)[\s_-]+|/\s*)+", re.IGNORECASE)  # "per hour", "an hour", "/hour"


def base_salary(record: Record, *, kind: PriceKind) -> Price:
    """Read the pay that a JobPosting states.

    An hour's is an hourly price, a project's a fixed one. A day's, week's, month's or year's is none (``other_unit``).
    Where no unit is stated nothing says what the amount is for: a price without a type.

    >>> value = {"minValue": 30, "maxValue": 50, "unitText": "HOUR"}
    >>> price = base_salary({"baseSalary": {"currency": "EUR", "value": value}}, kind="posted")
    >>> price.type, price.low, price.high, price.currency, price.raw
    ('hourly', 30.0, 50.0, 'EUR', '30 - 50 EUR / HOUR')
    >>> base_salary({"baseSalary": {"value": {"value": 60000, "unitText": "YEAR"}}}, kind="posted").fault
    'other_unit'
    """
    salary = record.get("baseSalary")
    if isinstance(salary, list):
        if len(salary) > 1:
            return Price(None, None, kind, fault="several")
        salary = salary[0] if salary else None
    currency = currency_at(record, "salaryCurrency")
    if isinstance(salary, dict):
        return _amount(salary, currency, kind)
    if isinstance(salary, str):
        return price_from_text(text({"salary": salary}, "salary"), kind=kind, currency=currency)
    found = number({"salary": salary}, "salary")
    raw = None if found is None else f"{found:.15g}{f' {currency}' if currency else ''}"
    return price_from_numbers(found, found, kind=kind, type_=None, currency=currency, raw=raw)


def _amount(salary: Record, other: str | None, kind: PriceKind) -> Price:
    """Read a MonetaryAmount or a PriceSpecification: one value, or both ends, here or in a QuantitativeValue."""
    inner = mapping(salary, "value") or salary
    currency = _currency(salary) or _currency(inner) or other
    unit = _unit(inner) or _unit(salary)
    keys = [("minValue", "maxValue"), ("minPrice", "maxPrice"), ("value", "value"), ("price", "price")]
    here = [(part, pair) for part in (inner, salary) for pair in keys if any(_stated(part, key) for key in pair)]
    part, (least, most) = here[0] if here else (inner, keys[0])
    ends = [part.get(least), part.get(most)]
    raw = _raw(ends, currency, unit)
    type_, known = _type(unit)
    if not known:
        return Price(raw, None, kind, currency=currency, currency_raw=currency, fault="other_unit")
    low, high = number(part, least), number(part, most)
    written = list(dict.fromkeys(found for key in (least, most) if (found := text(part, key))))
    if low is None and high is None and written and None not in ends:  # "$500", or "$500" and "$900"
        return price_from_text(" - ".join(written), kind=kind, type_=type_, currency=currency)
    price = price_from_numbers(low, high, kind=kind, type_=type_, currency=currency, raw=raw)
    broken = any(end is not None and read is None for end, read in zip(ends, (low, high), strict=True))
    return dataclasses.replace(price, low=None, high=None, fault="unclear") if broken else price


def _currency(part: Record) -> str | None:
    """Currency of a MonetaryAmount or a PriceSpecification."""
    return currency_at(part, "currency") or currency_at(part, "priceCurrency")


def _stated(part: Record, key: str) -> bool:
    """Whether there is an amount at a key."""
    return part.get(key) is not None and not isinstance(part.get(key), (dict, list))


def _unit(part: Record) -> str | None:
    """Unit, in capitals."""
    code = (text(part, "unitCode") or "").upper()
    return (text(part, "unitText") or _CODES.get(code, code) or "").upper()[:40] or None


def _type(unit: str | None) -> tuple[PriceType | None, bool]:
    """What a unit makes of an amount, and whether that is a price of an hour or a task at all.

    >>> _type("PER HOUR"), _type("Project"), _type("a year"), _type(None)
    (('hourly', True), ('fixed', True), (None, False), (None, True))
    """
    if unit is None:
        return None, True
    unit = unit[start.end() :] if (start := _PER.match(unit)) else unit
    if period_of(unit) is not None:
        return ("hourly", True) if period_of(unit) == "hour" else (None, False)
    if unit.upper() in _WHOLE or unit_of(unit) == "fixed":
        return "fixed", True
    return ("hourly", True) if unit_of(unit) == "hour" else (None, False)


def _raw(ends: list[object], currency: str | None, unit: str | None) -> str | None:
    """Fields joined: "30 - 50 EUR / HOUR"."""
    shown = [f"{end:.15g}" if isinstance(end, float) else str(end)[:60] for end in ends if end is not None]
    if not shown:
        return None
    parts = [" - ".join(dict.fromkeys(shown)), currency, f"/ {unit}" if unit else None]
    return " ".join(part for part in parts if part)

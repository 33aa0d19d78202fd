"""A job posting of Upwork's search -> a posting."""

from __future__ import annotations

import dataclasses

from crawlers.fields import Record, identifier, listing, mapping, names, number, text, whole
from crawlers.posting import Posting, Price, PriceKind, PriceType, price_from_numbers, price_from_text
from crawlers.salaries import currency_at
from crawlers.text import plain_text, read_time

_TYPES: dict[str, PriceType] = {"HOURLY": "hourly", "FIXED": "fixed", "FIXED_PRICE": "fixed"}
JOB_PAGE = "https://www.upwork.com/jobs/"


def parse_job(record: Record, *, kind: PriceKind, zone: str) -> Posting:
    """Map one ``node``.

    Raises
    ------
    RecordFault
        It has no ``id``: another stand-in would make every job a new one.

    >>> job = {"id": "7", "ciphertext": "~01f", "title": "Logo", "amount": {"rawValue": "150.0", "currency": "USD"}}
    >>> posting = parse_job({**job, "createdDateTime": "2026-11-01T10:00:00+0000"}, kind="posted", zone="UTC")
    >>> posting.url, posting.price.low, posting.price.type
    ('https://www.upwork.com/jobs/~01f', 150.0, 'fixed')
    """
    code = text(record, "ciphertext")
    published = text(record, "publishedDateTime") or text(record, "createdDateTime")
    country = text(mapping(mapping(record, "client"), "location"), "country")
    return Posting(
        job_posting_id=identifier(record, "id"),
        url=f"{JOB_PAGE}~{code.lstrip('~')}" if code and code.lstrip("~").isalnum() else None,
        job_title=plain_text(text(record, "title")),
        description=plain_text(text(record, "description")),
        date_published=read_time(published, zone=zone),
        date_published_raw=published,
        price=job_price(record, kind=kind),
        skills=_skills(record),
        employment_type=text(record, "engagement"),
        job_location=country,
        category=text(record, "subcategory") or text(record, "category"),
        duration=text(record, "durationLabel") or text(record, "duration"),
        bids=whole(record, "totalApplicants"),
    )


def job_price(record: Record, *, kind: PriceKind) -> Price:
    """Price of a job: ``amount`` above 0 is a fixed price; an hourly job has an amount of 0, and a range or none.

    >>> low, high = {"rawValue": "25.0", "currency": "USD"}, {"rawValue": "60.0", "currency": "USD"}
    >>> job = {"amount": {"rawValue": "0.0", "currency": "USD"}, "hourlyBudgetMin": low, "hourlyBudgetMax": high}
    >>> price = job_price(job, kind="posted")
    >>> price.type, price.low, price.high, price.raw
    ('hourly', 25.0, 60.0, '25.0 - 60.0 USD')
    >>> job_price({"amount": 0}, kind="posted").fault, job_price({"amount": 300}, kind="posted").low
    ('none', 300.0)
    """
    amount = _money(record.get("amount"))
    both = mapping(record, "hourlyBudget")
    ends = [_money(record.get(f"hourlyBudget{name}", both.get(name.lower()))) for name in ("Min", "Max")]
    stated = [end for end in ends if end.raw not in (None, "") and end.value != 0]
    currency = next((end.currency for end in ends if end.currency), currency_at(both, "currency"))
    type_text = (text(mapping(mapping(record, "job"), "contractTerms"), "contractType") or "").upper()
    if stated and (type_text == "HOURLY" or not amount.value):
        raw = " - ".join(dict.fromkeys(str(end.raw) for end in stated)) + (f" {currency}" if currency else "")
        price = price_from_numbers(
            ends[0].value or None, ends[1].value or None, kind=kind, type_="hourly", currency=currency, raw=raw
        )
        broken = any(end.value is None for end in stated)
        return dataclasses.replace(price, low=None, high=None, fault="unclear") if broken else price
    if amount.raw in (None, "") or amount.value == 0:
        return Price(None, _TYPES.get(type_text), kind, fault="none")
    if amount.value is None:
        return price_from_text(amount.raw, kind=kind, type_="fixed", currency=amount.currency)
    raw = f"{amount.raw} {amount.currency}" if amount.currency else amount.raw
    return price_from_numbers(amount.value, amount.value, kind=kind, type_="fixed", currency=amount.currency, raw=raw)


@dataclasses.dataclass(frozen=True, slots=True)
class _Money:
    """An amount: as written, as a number, and its currency."""

    raw: str | None
    value: float | None
    currency: str | None


def _money(value: object) -> _Money:
    """Read ``{rawValue, currency, displayValue}``, a number, or a text."""
    record: Record = value if isinstance(value, dict) else {"rawValue": value}
    key = next(
        (key for key in ("rawValue", "amount", "value", "displayValue") if record.get(key) is not None), "rawValue"
    )
    found = number(record, key)
    raw = text(record, key) or (None if found is None else f"{found:.15g}")
    raw = "?" if raw is None and record.get(key) is not None else raw
    return _Money(raw and raw[:60], found, currency_at(record, "currency") or currency_at(record, "currencyCode"))


def _skills(record: Record) -> tuple[str, ...]:
    """Names of skills, in the form shown to people where there is one."""
    shown = [
        text(one, "prettyName") or text(one, "name") if isinstance(one, dict) else text({"name": one}, "name")
        for one in listing(record, "skills")
    ]
    return names({"skills": [name for name in shown if name]}, "skills")

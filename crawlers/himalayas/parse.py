"""A job of Himalayas' feed -> a posting with an hourly reference."""

from __future__ import annotations

from crawlers.fields import Record, identifier, mapping, names, number, text, web_url
from crawlers.posting import Posting, Price, PriceKind
from crawlers.salaries import currency_at, hourly_from_numbers, period_of
from crawlers.text import plain_text, read_time


def parse_job(record: Record, *, kind: PriceKind, zone: str) -> Posting:
    """Map one element of ``jobs``.

    Raises
    ------
    RecordFault
        It has no ``guid``.

    >>> job = {"guid": "https://himalayas.app/j/1", "minSalary": 104000, "maxSalary": 208000, "currency": "USD"}
    >>> posting = parse_job({**job, "title": "Engineer", "pubDate": 1772700000000}, kind="posted", zone="UTC")
    >>> posting.price.low, posting.price.high, posting.date_published.year, posting.price.raw
    (50.0, 100.0, 2026, '104000 - 208000 USD a year')
    """
    published, published_raw = _stamp(record, "pubDate")
    expires, expires_raw = _stamp(record, "expiryDate")
    return Posting(
        job_posting_id=identifier(record, "guid"),
        url=web_url(record.get("guid")) or web_url(record.get("applicationLink")),
        job_title=plain_text(text(record, "title")),
        description=plain_text(text(record, "description") or text(record, "excerpt")),
        date_published=read_time(published, zone=zone),
        date_published_raw=published_raw,
        valid_through=read_time(expires, zone=zone),
        valid_through_raw=expires_raw,
        price=salary(record, kind=kind),
        skills=names(record, "categories"),
        employment_type=text(record, "employmentType") or ", ".join(names(record, "employmentType")) or None,
        job_location=", ".join(names(record, "locationRestrictions")) or None,
        hiring_organization=text(record, "companyName") or text(mapping(record, "company"), "name"),
        category=next(iter(names(record, "parentCategories")), None),
    )


def salary(record: Record, *, kind: PriceKind) -> Price:
    """Salary as an hourly reference: the documented unit of ``minSalary`` and ``maxSalary`` is a year.

    >>> salary({"minSalary": 30, "maxSalary": 40, "salaryPeriod": "hourly"}, kind="posted").low
    30.0
    >>> salary({"minSalary": 3, "maxSalary": 4, "salaryPeriod": "per word"}, kind="posted").fault
    'unclear'
    """
    stated = text(record, "salaryPeriod")
    return hourly_from_numbers(
        number(record, "minSalary"),
        number(record, "maxSalary"),
        period=period_of(stated) if stated else "year",
        kind=kind,
        currency=currency_at(record, "currency"),
    )


def _stamp(record: Record, key: str) -> tuple[str | float | None, str | None]:
    """Value of a time, a stamp or a text, and the same as written."""
    written = text(record, key)
    value = None if written else number(record, key)
    return written or value, written or (None if value is None else f"{value:.15g}")

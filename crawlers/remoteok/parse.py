"""A job of RemoteOK's feed -> a posting with an hourly reference."""

from __future__ import annotations

from crawlers.fields import Record, identifier, names, number, text, web_url
from crawlers.posting import Posting, Price, PriceKind
from crawlers.salaries import hourly_from_numbers
from crawlers.text import plain_text, read_time


def is_notice(item: object) -> bool:
    """Whether an element is the legal notice.

    >>> is_notice({"last_updated": 1772700000, "legal": "API Terms of Service"}), is_notice({"id": "1", "legal": "x"})
    (True, False)
    """
    return isinstance(item, dict) and "legal" in item and "id" not in item


def parse_job(record: Record, *, kind: PriceKind, zone: str, base: str) -> Posting:
    """Map one element of the feed.

    Raises
    ------
    RecordFault
        It has no id.

    >>> job = {"id": "1", "position": "Engineer", "salary_min": 104000, "salary_max": 208000, "url": "/remote-jobs/1"}
    >>> posting = parse_job({**job, "epoch": 1772700000}, kind="posted", zone="UTC", base="https://remoteok.com")
    >>> posting.url, posting.price.low, posting.price.currency, posting.date_published.year
    ('https://remoteok.com/remote-jobs/1', 50.0, 'USD', 2026)
    """
    epoch, written = number(record, "epoch"), text(record, "date")
    raw = written or (None if epoch is None else f"{epoch:.15g}")
    return Posting(
        job_posting_id=identifier(record, "id"),
        url=web_url(record.get("url"), base),
        job_title=plain_text(text(record, "position")),
        description=plain_text(text(record, "description")),
        date_published=read_time(epoch, zone=zone) or read_time(written, zone=zone),
        date_published_raw=raw,
        price=salary(record, kind=kind),
        skills=names(record, "tags"),
        job_location=plain_text(text(record, "location")),
        hiring_organization=plain_text(text(record, "company")),
    )


def salary(record: Record, *, kind: PriceKind) -> Price:
    """Salary as an hourly reference; 0 is how the feed leaves an end out.

    >>> salary({"salary_min": 0, "salary_max": 0}, kind="posted").fault
    'none'
    >>> salary({"salary_min": 90000, "salary_max": 0}, kind="posted").fault
    'open'
    """
    low, high = number(record, "salary_min") or None, number(record, "salary_max") or None
    stated = low is not None or high is not None
    return hourly_from_numbers(low, high, period="year", kind=kind, currency="USD" if stated else None)

"""A job of Remotive's feed -> a posting with an hourly reference."""

from __future__ import annotations

from crawlers.fields import Record, identifier, names, number, text, web_url
from crawlers.posting import Posting, PriceKind
from crawlers.salaries import hourly_from_text
from crawlers.text import plain_text, read_time


def parse_job(record: Record, *, kind: PriceKind, zone: str) -> Posting:
    """Map one element of ``jobs``.

    Raises
    ------
    RecordFault
        It has no id.

    >>> job = {"id": 9, "title": "Engineer", "salary": "$40 - $60 /hour", "publication_date": "2026-03-05T12:00:00"}
    >>> posting = parse_job(job, kind="posted", zone="UTC")
    >>> posting.job_posting_id, posting.price.low, posting.price.type, posting.date_published.hour
    ('9', 40.0, 'hourly', 12)
    """
    pay, published = text(record, "salary"), text(record, "publication_date")
    plain = number(record, "salary")
    return Posting(
        job_posting_id=identifier(record, "id"),
        url=web_url(record.get("url")),
        job_title=plain_text(text(record, "title")),
        description=plain_text(text(record, "description")),
        date_published=read_time(published, zone=zone),
        date_published_raw=published,
        price=hourly_from_text(pay or (None if plain is None else f"{plain:.15g}"), kind=kind),
        skills=names(record, "tags"),
        employment_type=text(record, "job_type"),
        job_location=text(record, "candidate_required_location"),
        hiring_organization=text(record, "company_name"),
        category=text(record, "category"),
    )

"""One project of Freelancer.com's API -> a posting."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from crawlers.fields import identifier, mapping, names, number, text, web_url, whole
from crawlers.posting import Dropped, Posting, Price, price_from_numbers
from crawlers.text import plain_text, read_time

if TYPE_CHECKING:
    from crawlers.fields import Record
    from crawlers.posting import PriceKind, PriceType

_TYPES: dict[str, PriceType] = {"fixed": "fixed", "hourly": "hourly"}
_SITE = "https://www.freelancer.com/projects/"
_SEO_URL = re.compile(r"[\w.~%+-]+(?:/[\w.~%+-]+)*")
_LONGEST_BIDDING = 3650  # days


def parse_project(record: Record, *, kind: PriceKind, zone: str) -> Posting | Dropped:
    """Map one item of ``result.projects``.

    Raises
    ------
    RecordFault
        It has no id.
    """
    record_id = identifier(record, "id")
    url = url_of(record)
    if record.get("deleted") is True:
        return Dropped(record_id, url, "gone", "a deleted project")
    title = plain_text(text(record, "title"))
    if title is None:
        return Dropped(record_id, url, "unreadable_record", "a project without a title")
    submitted = next((record[key] for key in ("time_submitted", "submitdate") if record.get(key) is not None), None)
    published = read_time(submitted, zone=zone)
    updated = record.get("time_updated")
    return Posting(
        record_id, url, title,
        plain_text(text(record, "description") or text(record, "preview_description")),
        published, price_of(record, kind=kind),
        date_published_raw=_shown(submitted),
        date_modified=read_time(updated, zone=zone), date_modified_raw=_shown(updated),
        valid_through=bidding_ends(record, published), valid_through_raw=_shown(record.get("bidperiod")),
        skills=names(record, "jobs"),
        job_location=location_of(record),
        hiring_organization=_shown(whole(record, "owner_id")),
        duration=duration_of(record),
        bids=whole(mapping(record, "bid_stats"), "bid_count"),
    )  # fmt: skip


def price_of(record: Record, *, kind: PriceKind) -> Price:
    """Budget of a project, or the average of its bids where the source is read for those.

    Hourly projects state their budget for an hour. An average of no bids is no price.

    >>> usd = {"currency": {"code": "USD"}}
    >>> price_of({"type": "fixed", "budget": {"minimum": 30, "maximum": 250}, **usd}, kind="posted").high
    250.0
    >>> price_of({"type": "hourly", "budget": {"minimum": 60}, **usd}, kind="posted").fault
    'open'
    >>> price_of({"type": "fixed", "bid_stats": {"bid_count": 2, "bid_avg": 99.5}}, kind="bid_average").low
    99.5
    """
    budget, bids = mapping(record, "budget"), mapping(record, "bid_stats")
    type_ = _TYPES.get((text(record, "type") or text(budget, "project_type") or "").lower())
    code = text(mapping(record, "currency"), "code")
    currency = code if code and re.fullmatch(r"[A-Za-z]{3,5}", code) else None
    low: float | None = None
    high: float | None = None
    if kind == "posted":
        low, high = number(budget, "minimum"), number(budget, "maximum")
    elif kind == "bid_average" and whole(bids, "bid_count") != 0:
        low = high = number(bids, "bid_avg")
    return price_from_numbers(low, high, kind=kind, type_=type_, currency=currency)


def url_of(record: Record) -> str | None:
    """Page of a project.

    >>> url_of({"seo_url": "php/build-a-website"}), url_of({"seo_url": "javascript:alert(1)"})
    ('https://www.freelancer.com/projects/php/build-a-website', None)
    """
    path = (text(record, "seo_url") or "").strip("/")
    if path.startswith(_SITE):
        return web_url(path)
    path = path.removeprefix("projects/")
    return web_url(_SITE + path) if _SEO_URL.fullmatch(path) else None


def bidding_ends(record: Record, published: datetime | None) -> datetime | None:
    """When bidding closes: ``bidperiod`` is a number of days from publication, not how long the work takes.

    >>> bidding_ends({"bidperiod": 7}, datetime(2026, 5, 1, tzinfo=UTC)).day
    8
    """
    days = whole(record, "bidperiod")
    if published is None or not days or days > _LONGEST_BIDDING:
        return None
    try:
        return (published + timedelta(days=days)).astimezone(UTC)
    except OverflowError:
        return None


def duration_of(record: Record) -> str | None:
    """How long, and how much, an hourly project takes.

    >>> load = {"commitment": {"hours": 40, "interval": "week"}}
    >>> duration_of({"hourly_project_info": {**load, "duration_enum": "one_to_three_months"}})
    '40 hours a week, one to three months'
    """
    info = mapping(record, "hourly_project_info")
    commitment = mapping(info, "commitment")
    hours, interval = number(commitment, "hours"), (text(commitment, "interval") or "")[:20].lower()
    load = f"{hours:g} hours a {interval}" if hours and hours > 0 and interval else None
    length = (text(info, "duration_enum") or "")[:60].replace("_", " ").lower() or None
    return ", ".join(part for part in (load, length) if part) or None


def location_of(record: Record) -> str | None:
    """Place of a project that must be done on the spot; None for all others.

    >>> location_of({"local": True, "location": {"city": "Perth", "country": {"name": "Australia"}}})
    'Perth, Australia'
    """
    if record.get("local") is not True:
        return None
    place = mapping(record, "location")
    parts = (text(place, "city"), text(mapping(place, "country"), "name"))
    return ", ".join(part for part in parts if part) or None


def _shown(value: object) -> str | None:
    """A number or text as it came, in short."""
    if isinstance(value, str):
        return value.strip()[:60] or None
    return str(value)[:60] if isinstance(value, (int, float)) and not isinstance(value, bool) else None

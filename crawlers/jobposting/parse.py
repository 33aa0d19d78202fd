"""A schema.org JobPosting -> a posting."""

from __future__ import annotations

import hashlib
import html
import json
import re

from crawlers.fields import Record, listing, mapping, names, text, web_url, whole
from crawlers.jobposting.salary import base_salary
from crawlers.jobposting.sitemap import same_site
from crawlers.posting import Posting, PriceKind
from crawlers.text import plain_text, read_time


def parse_posting(record: Record, *, page: str, alone: bool, kind: PriceKind, zone: str) -> Posting:
    """Map one JobPosting.

    Parameters
    ----------
    record : mapping
    page : str
        URL of the page that it stands on.
    alone : bool
        Whether it is the page's only one: without an identifier of its own, the page's URL is its id then.
    kind, zone : str
        Of the source.

    >>> job = {"title": "Logo", "datePosted": "2026-03-05", "identifier": {"value": "A-7"}, "skills": "Figma, Logo"}
    >>> posting = parse_posting(job, page="https://example.org/jobs/7", alone=True, kind="posted", zone="UTC")
    >>> posting.job_posting_id, posting.job_title, posting.skills, posting.price.fault
    ('A-7', 'Logo', ('Figma', 'Logo'), 'none')
    """
    own = web_url(record.get("url"), page)
    published, modified, until = (text(record, key) for key in ("datePosted", "dateModified", "validThrough"))
    return Posting(
        job_posting_id=posting_id(record, page=page, alone=alone),
        url=own if own and same_site(own, page) else page,
        job_title=plain_text(text(record, "title") or text(record, "name")),
        description=_description(record),
        date_published=read_time(published, zone=zone),
        date_published_raw=published,
        date_modified=read_time(modified, zone=zone),
        date_modified_raw=modified,
        valid_through=read_time(until, zone=zone),
        valid_through_raw=until,
        price=base_salary(record, kind=kind),
        skills=_list(record, "skills"),
        employment_type=", ".join(_list(record, "employmentType")) or None,
        job_location=_places(record),
        hiring_organization=_first_name(record, "hiringOrganization"),
        category=_first_name(record, "occupationalCategory") or _first_name(record, "industry"),
        bids=whole(record, "applicationCount"),
    )


def posting_id(record: Record, *, page: str, alone: bool) -> str:
    """Id that is the same in every crawl: the posting's identifier, else a hash of where, and what, it is.

    An identifier is the employer's own (``identifier.name``, else the hiring organization), and employers of one board
    number alike: a hash of both tells them apart. The employer's name itself stays out: ids leave the crawl's store.

    >>> posting_id({"identifier": 12}, page="https://example.org/1", alone=True)
    '12'
    >>> posting_id({"identifier": {"name": "Acme", "value": 12}}, page="https://example.org/1", alone=True)
    '12-8a927b41685c'
    >>> len(posting_id({}, page="https://example.org/1#top", alone=True))
    24
    """
    value = record.get("identifier")
    first = next(iter(value), None) if isinstance(value, list) else value
    stated = _stated_id(first.get("value", first.get("@id")) if isinstance(first, dict) else first)
    employer = text(first, "name") if isinstance(first, dict) else None
    scope = " ".join((employer or _first_name(record, "hiringOrganization") or "").casefold().split())
    if stated and stated.casefold() != scope:  # some boards give the employer's name for the identifier's value
        return f"{stated}-{_hash([scope, stated], 12)}" if scope else stated
    where = page.partition("#")[0]
    told = [] if alone else [record.get(key) for key in ("@id", "url", "title", "datePosted", "hiringOrganization")]
    return _hash([where, *told], 24)


def _stated_id(value: object) -> str | None:
    """Value of an identifier: a number or a text of at most 200 characters."""
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**100:
        return str(value)
    stated = text({"value": value}, "value")
    return stated if stated and len(stated) <= 200 else None


def _hash(parts: list[object], digits: int) -> str:
    known = json.dumps(parts, sort_keys=True, default=str)
    return hashlib.sha256(known.encode("utf-8", "replace")).hexdigest()[:digits]


def _description(record: Record) -> str | None:
    """Description as text; some sites escape its HTML twice."""
    markup = text(record, "description")
    if markup and "<" not in markup and "&lt;" in markup:
        markup = html.unescape(markup)
    return plain_text(markup)


def _list(record: Record, key: str) -> tuple[str, ...]:
    """Names at a key: a list, one object, or a text with commas or lines between them."""
    value = record.get(key)
    if isinstance(value, str):
        plain = plain_text(text(record, key)) or ""
        return names({key: [part.strip(" •-*") for part in re.split(r"[,;•\n]+", plain)]}, key)
    return names({key: value if isinstance(value, list) else [value]}, key)


def _first_name(record: Record, key: str) -> str | None:
    """First name at a key: a text, an object with a name, or a list of them."""
    value = record.get(key)
    found = names({key: value if isinstance(value, list) else [value]}, key)
    return plain_text(found[0]) if found else None


def _places(record: Record) -> str | None:
    """Where the work is done: places as "city, region, country", or remote."""
    listed = listing(record, "jobLocation") or [record.get("jobLocation")]
    places = dict.fromkeys(place for one in listed[:20] if (place := _place(one)))
    if places:
        return "; ".join(places)
    return "Remote" if text(record, "jobLocationType") == "TELECOMMUTE" else None


def _place(value: object) -> str | None:
    """One place."""
    if not isinstance(value, dict):
        return text({"place": value}, "place")
    address = mapping(value, "address")
    keys = ("addressLocality", "addressRegion", "addressCountry")
    parts = dict.fromkeys(part for key in keys if (part := text(address, key) or text(mapping(address, key), "name")))
    return ", ".join(parts) or text(value, "address") or text(value, "name")

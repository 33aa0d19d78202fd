"""A project of Freelancehunt's API -> a posting."""

from __future__ import annotations

import dataclasses

from crawlers.fields import Record, identifier, mapping, names, number, text, web_url, whole
from crawlers.posting import Dropped, Posting, Price, PriceKind, price_from_numbers, price_from_text
from crawlers.salaries import currency_at
from crawlers.text import plain_text, read_time


def parse_project(record: Record, *, kind: PriceKind, zone: str) -> Posting | Dropped:
    """Map one element of ``data``.

    Raises
    ------
    RecordFault
        It has no id.

    >>> budget = {"amount": 2300, "currency": "UAH"}
    >>> attributes = {"name": "Logo", "budget": budget, "published_at": "2026-03-25 19:51:53"}
    >>> posting = parse_project({"id": 7, "attributes": attributes}, kind="posted", zone="Europe/Kyiv")
    >>> posting.job_posting_id, posting.price.low, posting.price.type, posting.date_published.hour
    ('7', 2300.0, 'fixed', 17)
    """
    found = identifier(record, "id")
    links = mapping(record, "links")
    url = web_url(mapping(links, "self").get("web") or links.get("self"))
    if text(record, "type") not in (None, "project", "projects"):
        return Dropped(found, url, "not_a_posting", text(record, "type"))
    attributes = mapping(record, "attributes")
    if not attributes:
        return Dropped(found, url, "unreadable_record", "no attributes")
    return Posting(
        job_posting_id=found,
        url=url,
        job_title=plain_text(text(attributes, "name")),
        description=plain_text(text(attributes, "description") or text(attributes, "description_html")),
        date_published=read_time(text(attributes, "published_at"), zone=zone),
        date_published_raw=text(attributes, "published_at"),
        valid_through=read_time(text(attributes, "expired_at"), zone=zone),
        valid_through_raw=text(attributes, "expired_at"),
        price=budget_price(attributes.get("budget"), kind=kind),
        skills=names(attributes, "skills"),
        job_location=_place(attributes),
        hiring_organization=text(mapping(attributes, "employer"), "login"),
        bids=whole(attributes, "bid_count"),
    )


def budget_price(budget: object, *, kind: PriceKind) -> Price:
    """Price of a project: one amount for the whole of it; a project without a budget is open to offers.

    >>> budget_price({"amount": "1500", "currency": "PLN"}, kind="posted").raw
    '1500 PLN'
    >>> budget_price(None, kind="posted").fault, budget_price({"amount": [1]}, kind="posted").fault
    ('none', 'unclear')
    """
    if isinstance(budget, str):
        return price_from_text(budget, kind=kind, type_="fixed")
    record: Record = budget if isinstance(budget, dict) else {"amount": budget}
    amount, currency = number(record, "amount"), currency_at(record, "currency")
    raw = " ".join(filter(None, (_shown(record.get("amount")), currency))) if record.get("amount") is not None else None
    price = price_from_numbers(amount, amount, kind=kind, type_="fixed", currency=currency, raw=raw)
    return dataclasses.replace(price, fault="unclear") if amount is None and raw is not None else price


def _shown(amount: object) -> str:
    """Amount as the source gives it, in short."""
    return f"{amount:.15g}" if isinstance(amount, float) else str(amount)[:40]


def _place(attributes: Record) -> str | None:
    """Location: a text, or an object of named places."""
    location = mapping(attributes, "location")
    parts = [text(mapping(location, key), "name") or text(location, key) for key in ("city", "region", "country")]
    named = ", ".join(part for part in (*parts, text(location, "name")) if part)
    return text(attributes, "location") or named or None

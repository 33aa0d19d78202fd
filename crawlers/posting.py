"""What a spider yields: a `Posting`, or a `Dropped` record with the reason why it is none.

Names follow zyte-common-items' ``JobPosting`` in snake case where it has them (``job_title``, ``date_published``), each
cleaned value beside its raw twin (``date_published_raw``). Ours are added: the price, bids, skills and duration.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from crawlers.money import Budget, NoBudget, Unit, read_budget

PriceType = Literal["fixed", "hourly"]
PriceKind = Literal["posted", "bid_average", "awarded", "paid"]
DateQuality = Literal["exact", "derived", "upper_bound"]
DropReason = Literal["not_a_posting", "unreadable_record", "no_id", "gone"]

_TYPES: dict[Unit, PriceType] = {"fixed": "fixed", "hour": "hourly"}


@dataclass(frozen=True, slots=True)
class Price:
    """What a source says a posting pays.

    Attributes
    ----------
    raw : str or None
        As written, or as the source's fields joined.
    type : {"fixed", "hourly"} or None
        For the whole task, or for an hour; None where nothing says so.
    kind : {"posted", "bid_average", "awarded", "paid"}
    low, high : float or None
        Ends of the range in `currency`, positive; equal for a single amount; both None where there is a `fault`.
    currency : str or None
        ISO code or a token's symbol; None where nothing says so.
    currency_raw : str or None
        As written.
    fault : str or None
        Why no price could be read: a code of `crawlers.money.NoBudget`.
    """

    raw: str | None
    type: PriceType | None
    kind: PriceKind
    low: float | None = None
    high: float | None = None
    currency: str | None = None
    currency_raw: str | None = None
    fault: NoBudget | None = None


@dataclass(frozen=True, slots=True)
class Posting:
    """One posting as one response of a source shows it. Times are UTC; a missing value is None, never a stand-in.

    Attributes
    ----------
    job_posting_id : str
        The source's own id, without the source's name.
    url : str or None
        Where a person can read it. Absolute, http or https.
    job_title, description : str or None
        Plain text; markup is removed, line breaks stay.
    date_published, date_modified, valid_through : datetime or None
    date_quality : {"exact", "derived", "upper_bound"}
        Of `date_published`: the source's own, counted back from an age, or only known to be not later.
    price : Price
    skills : tuple of str
    employment_type, job_location, hiring_organization, category, duration : str or None
        `hiring_organization` is a name in the clear; it is hashed before it leaves the crawl's own store.
    bids : int or None
        Offers so far.
    """

    job_posting_id: str
    url: str | None
    job_title: str | None
    description: str | None
    date_published: datetime | None
    price: Price
    date_published_raw: str | None = None
    date_quality: DateQuality = "exact"
    date_modified: datetime | None = None
    date_modified_raw: str | None = None
    valid_through: datetime | None = None
    valid_through_raw: str | None = None
    skills: tuple[str, ...] = ()
    employment_type: str | None = None
    job_location: str | None = None
    hiring_organization: str | None = None
    category: str | None = None
    duration: str | None = None
    bids: int | None = None


@dataclass(frozen=True, slots=True)
class Dropped:
    """A record that is no posting, or cannot be read as one.

    Attributes
    ----------
    record_id : str or None
        The source's own id.
    url : str or None
    reason : str
        ``not_a_posting`` (a pull request, someone seeking work), ``unreadable_record``, ``no_id`` or ``gone``.
    value : str or None
        What was found, in short.
    """

    record_id: str | None
    url: str | None
    reason: DropReason
    value: str | None = None


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that makes a crawl incomplete, such as records behind a cap that no slice can reach; never silent.

    Attributes
    ----------
    kind : {"cap", "shape"}
    message : str
        What happened, with numbers.
    """

    kind: Literal["cap", "shape"]
    message: str


def price_from_text(
    text: str | None,
    *,
    kind: PriceKind,
    type_: PriceType | None = None,
    currency: str | None = None,
    decimal_comma: bool | None = None,
) -> Price:
    """Read a price text.

    Parameters
    ----------
    text : str or None
        A budget field, a title, or a line that holds one budget.
    kind : str
        Price kind of the source.
    type_ : {"fixed", "hourly"}, optional
        What the source's prices are for where the text does not say.
    currency : str, optional
        The source's currency where the text names none.
    decimal_comma : bool, optional
        How the source writes numbers; see `crawlers.money.parse_budget`.

    >>> price_from_text("[$250] Fix the login", kind="posted", type_="fixed").low
    250.0
    >>> price_from_text("negotiable", kind="posted").fault
    'none'
    """
    found = read_budget(text or "", decimal_comma=decimal_comma)
    raw = text or None
    if not isinstance(found, Budget):
        return Price(raw, type_, kind, fault=found)
    unit = _TYPES[found.unit] if found.unit else type_
    return Price(raw, unit, kind, found.low, found.high, found.currency or currency, found.mark or currency)


def price_from_numbers(
    low: float | None,
    high: float | None,
    *,
    kind: PriceKind,
    type_: PriceType | None,
    currency: str | None,
    raw: str | None = None,
) -> Price:
    """Read a price that the source gives as numbers: both ends of a range, or the same number twice.

    One end alone is an open range, an end of zero is no price: neither is guessed.

    >>> price_from_numbers(30, 250, kind="posted", type_="fixed", currency="USD").high
    250.0
    >>> price_from_numbers(500, 100, kind="posted", type_="fixed", currency="USD").fault
    'reversed'
    """
    ends = [end for end in (low, high) if end is not None]
    shown = raw if raw is not None else " - ".join(f"{end:.15g}" for end in ends) + (f" {currency}" if currency else "")
    code = currency.strip().upper() if currency and currency.strip() else None
    blank = Price(shown if ends else raw, type_, kind, currency=code, currency_raw=currency)
    if not ends:
        return dataclasses.replace(blank, fault="none")
    if any(end != end or end in (float("inf"), float("-inf")) for end in ends):
        return dataclasses.replace(blank, fault="infinite")
    if any(end < 0 for end in ends):
        return dataclasses.replace(blank, fault="negative")
    if 0 in ends:
        return dataclasses.replace(blank, fault="zero")
    if len(ends) == 1:
        return dataclasses.replace(blank, fault="open")
    if ends[0] > ends[1]:
        return dataclasses.replace(blank, fault="reversed")
    return dataclasses.replace(blank, low=float(ends[0]), high=float(ends[1]))


def to_json(posting: Posting) -> str:
    """Content of a posting as JSON: keys sorted, times in ISO form; equal postings give equal texts.

    Half characters, which JSON can hold and UTF-8 cannot, are left out.
    """
    content = json.dumps(dataclasses.asdict(posting), default=_plain, ensure_ascii=False, sort_keys=True)
    return content.encode("utf-8", "ignore").decode()


def from_json(content: str) -> Posting:
    """Read what `to_json` wrote."""
    data: dict[str, Any] = json.loads(content)
    for name in ("date_published", "date_modified", "valid_through"):
        data[name] = datetime.fromisoformat(data[name]) if data[name] else None
    return Posting(**{**data, "price": Price(**data["price"]), "skills": tuple(data["skills"])})


def content_hash(content: str) -> str:
    """SHA-256 (hex) of a posting's content, without what changes while the offer stays: bids, ages, times of edits.

    A posting seen again with the same hash is the same version.
    """
    data = json.loads(content)
    dates = ("date_published", "date_published_raw") if data["date_quality"] == "derived" else ()  # "3 days ago"
    for name in ("bids", "date_modified", "date_modified_raw", *dates):
        data.pop(name)
    text = json.dumps(data, ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _plain(value: object) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    raise TypeError(f"{type(value).__name__} in a posting")

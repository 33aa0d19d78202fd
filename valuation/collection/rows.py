"""Versions as a crawl stored them -> rows of the Postings table, names hashed, texts masked, prices in US dollars."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from crawlers.posting import Posting, from_json
from valuation.imports.masking import hash_name, mask
from valuation.imports.prices import REASON_OF
from valuation.imports.rates import usd_rates
from valuation.imports.reasons import Reason
from valuation.imports.times import utc_series

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

OLDEST = datetime(1995, 1, 1, tzinfo=UTC)  # as for imports: an earlier date is a mistake


@dataclass(frozen=True, slots=True)
class Version:
    """One row of a store's versions.

    Attributes
    ----------
    posting_id : str
    version : int
    posting : Posting
    first_seen_at, last_seen_at : datetime
        UTC.
    response_id : int
        That showed it first.
    current : bool
        The latest version of its posting.
    """

    posting_id: str
    version: int
    posting: Posting
    first_seen_at: datetime
    last_seen_at: datetime
    response_id: int
    current: bool


@dataclass(frozen=True, slots=True)
class Context:
    """What rows are made with: the source's name, the workspace's key, the user's rates."""

    source: str
    key: bytes
    rates: pd.DataFrame


def read_version(row: tuple[str, int, str, str, str, int, int]) -> Version:
    """Read one row of the store: id, version, content, first and last seen, response, whether it is the latest."""
    name, version, content, first, last, response, current = row
    times = datetime.fromisoformat(first), datetime.fromisoformat(last)
    return Version(name, version, from_json(content), *times, response, bool(current))


def version_rows(versions: Sequence[Version], context: Context) -> tuple[pd.DataFrame, NDArray[np.object_]]:
    """Make the rows of some versions.

    Returns
    -------
    (DataFrame, ndarray of object)
        The columns of PostingVersions, one row a version, in order; and why each cannot be used: a `Reason`, or None.
    """
    postings = [one.posting for one in versions]
    posted = pd.Series(utc_series([one.date_published for one in postings]))
    month = posted.dt.strftime("%Y-%m").astype("str")
    currency = _strings([_code(one.price.currency) for one in postings])
    low = np.array([one.price.low or np.nan for one in postings], dtype=np.float64)
    high = np.array([one.price.high or np.nan for one in postings], dtype=np.float64)
    rates = usd_rates(month, currency, context.rates)
    with np.errstate(over="ignore"):  # what overflows is infinite, and is quarantined as such
        middle = np.where(low == high, low, np.sqrt(low) * np.sqrt(high)) * rates["usd_per_unit"].to_numpy()
    frame = pd.DataFrame(
        {
            "posting_id": _strings([one.posting_id for one in versions]),
            "source": _strings([context.source] * len(versions)),
            "url": _strings([_masked(one.url) for one in postings]),
            "title": _strings([_masked(one.job_title) for one in postings]),
            "description": _strings([_masked(one.description) for one in postings]),
            "skills": _strings([_masked(", ".join(one.skills)) for one in postings]),
            "posted_at": posted,
            "date_quality": _strings([one.date_quality for one in postings]),
            "month": month,
            "crawled_at": utc_series([one.first_seen_at for one in versions]),
            "price_type": _strings([one.price.type for one in postings]),
            "price_kind": _strings([one.price.kind for one in postings]),
            "price_low": low,
            "price_high": high,
            "currency": currency,
            "price_usd": middle,
            "rate_source": rates["rate_source"],
            "category": _strings([_masked(one.category) for one in postings]),
            "country": _strings([_masked(one.job_location) for one in postings]),
            "client_id": _strings([_hashed(context.key, one.hiring_organization) for one in postings]),
            "price_raw": _strings([_masked(one.price.raw) for one in postings]),
            "version": np.array([one.version for one in versions], dtype=np.int64),
            "last_seen_at": utc_series([one.last_seen_at for one in versions]),
            "current": np.array([one.current for one in versions], dtype=bool),
        }
    )
    reasons = [_reason(one, usd) for one, usd in zip(versions, middle.tolist(), strict=True)]
    return frame, np.array(reasons, dtype=object)


def _reason(version: Version, usd: float) -> Reason | None:
    """Why a version cannot be used: the first of the reasons, in the order in which imports give them."""
    posting, price = version.posting, version.posting.price
    if not (posting.job_title or posting.description or posting.skills):
        return Reason.NO_TEXT
    if posting.date_published is None:
        return Reason.BAD_DATE if posting.date_published_raw else Reason.NO_DATE
    if posting.date_published < OLDEST:
        return Reason.BAD_DATE
    if posting.date_published > version.first_seen_at + timedelta(days=1):
        return Reason.FUTURE_DATE
    if price.low is None or price.high is None:
        return REASON_OF[price.fault or "none"]
    if price.type is None:
        return Reason.NO_PRICE_TYPE
    if price.currency is None:
        return Reason.NO_CURRENCY
    if _code(price.currency) is None:
        return Reason.BAD_CURRENCY
    if math.isnan(usd):
        return Reason.NO_RATE
    return Reason.INFINITE_PRICE if math.isinf(usd) else None


def summary_json(version: Version) -> str:
    """What the quarantine shows of a version: short, masked; the whole of it stays in the crawl's store."""
    posting = version.posting
    shown = {
        "id": version.posting_id,
        "url": _masked(posting.url),
        "title": _masked(posting.job_title),
        "posted": _masked(posting.date_published_raw),
        "price": _masked(posting.price.raw),
    }
    return json.dumps({key: value[:300] if isinstance(value, str) else value for key, value in shown.items()})


def _strings(values: list[str | None]) -> pd.Series[str]:
    return pd.Series(values, dtype="str")


def _masked(text: str | None) -> str | None:
    return mask(text) if text else None


def _hashed(key: bytes, name: str | None) -> str | None:
    return hash_name(key, name) if name and name.strip() else None


def _code(currency: str | None) -> str | None:
    """Currency code in the table's spelling, None for what is no code."""
    upper = currency.strip().upper() if currency else ""
    return upper if 2 <= len(upper) <= 10 and upper.isascii() and upper.isalnum() else None

"""What one crawl's middlewares share; it hangs on Scrapy's crawler, whose settings can only hold plain data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

    from crawlers.engine.ledger import Ledger
    from crawlers.engine.limits import Limits
    from crawlers.job import Job


@dataclass(frozen=True, slots=True)
class Parts:
    """The crawl's job, its ledger, and when the next request may go."""

    job: Job
    ledger: Ledger
    limits: Limits


def attach(crawler: Crawler, parts: Parts) -> None:
    """Give a crawler its parts."""
    crawler.parts = parts  # type: ignore[attr-defined]


def parts_of(crawler: Crawler) -> Parts:
    """Return the parts given by `attach`."""
    found: Parts = crawler.parts  # type: ignore[attr-defined]
    return found

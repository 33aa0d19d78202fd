"""Raw first: every response is stored before anything reads it, and every record knows the response it stood in."""

from __future__ import annotations

import hashlib
import itertools
import traceback
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from crawlers.engine.parts import parts_of
from crawlers.fields import ShapeFault
from crawlers.job import now
from crawlers.posting import Dropped, Fault, Posting

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Iterator
    from typing import Self

    import scrapy
    from scrapy.crawler import Crawler
    from scrapy.http import Request, Response

    from crawlers.engine.ledger import Ledger


@dataclass(frozen=True, slots=True)
class Found:
    """A record and where it stood."""

    record: Posting | Dropped
    response_id: int
    position: int
    seen_at: datetime


def request_hash(request: Request) -> str:
    """SHA-256 (hex) of what is asked: method, URL and body."""
    parts = (request.method.encode(), request.url.encode(), request.body)
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


class KeepResponses:
    """Downloader middleware: store every response, decompressed, before retries and redirects see it."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Take the crawl's ledger."""
        return cls(parts_of(crawler).ledger)

    def process_response(self, request: Request, response: Response) -> Response:
        """Store it, and tell the request its id."""
        if "cached" in response.flags:
            self._ledger.count("cached")
            return response
        number, fetched_at = self._ledger.keep(request, response, request_hash(request))
        request.meta["response_id"], request.meta["seen_at"] = number, fetched_at.isoformat()
        return response


class Provenance:
    """Spider middleware: tie records to their response, turn faults of a page into counted ones."""

    def __init__(self, crawler: Crawler, ledger: Ledger) -> None:
        self._crawler = crawler
        self._ledger = ledger

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Take the crawl's ledger."""
        return cls(crawler, parts_of(crawler).ledger)

    async def process_spider_output_async(self, response: Response, result: AsyncIterator[Any]) -> AsyncIterator[Any]:
        """Wrap records, keep faults, pass requests on."""
        places = itertools.count(1)
        async for one in result:
            if (passed := self._passed(one, response, places)) is not None:
                yield passed

    def process_spider_output(self, response: Response, result: Iterable[Any]) -> Iterable[Any]:
        """The same for callbacks that are plain generators."""
        places = itertools.count(1)
        for one in result:
            if (passed := self._passed(one, response, places)) is not None:
                yield passed

    def _passed(self, one: object, response: Response, places: Iterator[int]) -> object | None:
        """What goes on of what a callback yields: a record with its place, a request as it is, nothing of a fault."""
        number = response.meta["response_id"]
        if isinstance(one, Fault):
            self._ledger.spider_fault(one, url=response.url, response_id=number)
            return None
        return Found(one, number, next(places), seen(response)) if isinstance(one, (Posting, Dropped)) else one

    def process_spider_exception(self, response: Response, exception: Exception) -> Iterable[Any] | None:
        """Write down a page that is not what the source documents, and go on without it."""
        if isinstance(exception, ShapeFault):
            kind, message = "shape", str(exception)
        elif type(exception).__module__.startswith("scrapy"):
            return None  # HttpError and its like reach the spider's errback
        else:
            kind, message = "shape", f"{type(exception).__name__} while reading the page"
            where = "".join(traceback.format_tb(exception.__traceback__))  # not its text, which may quote the page
            self._crawler.spider.logger.error("%s\n%s", message, where)  # type: ignore[union-attr]
        self._ledger.fault(kind, message, url=response.url, response_id=response.meta.get("response_id"))
        return []


class StoreRecords:
    """Item pipeline: write each record to the store; stop a crawl that turns in a circle."""

    def __init__(self, crawler: Crawler, ledger: Ledger) -> None:
        self._crawler = crawler
        self._ledger = ledger
        self._response = 0
        self._outcomes: list[str] = []

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Take the crawl's ledger."""
        return cls(crawler, parts_of(crawler).ledger)

    def process_item(self, item: Found) -> Found:
        """Write it."""
        if item.response_id != self._response:
            if not self._ledger.answered(self._outcomes):
                self._ledger.fault("circle", "page after page repeats what was seen", url=None)
                stop(self._crawler, "repeated_pages")
            self._response, self._outcomes = item.response_id, []
        self._outcomes.append(
            self._ledger.add(item.record, response_id=item.response_id, position=item.position, seen_at=item.seen_at)
        )
        return item


class RawCache:
    """Scrapy's HTTP cache over the store of responses, for development: no second copy, nothing pickled."""

    def __init__(self, settings: scrapy.settings.BaseSettings) -> None:
        self._age = timedelta(hours=settings.getfloat("CACHE_HOURS"))

    def open_spider(self, spider: scrapy.Spider) -> None:
        """Take the crawl's ledger, whose store is open."""
        self._ledger = parts_of(spider.crawler).ledger

    def close_spider(self, spider: scrapy.Spider) -> None:
        """Nothing to close."""

    def retrieve_response(self, spider: scrapy.Spider, request: Request) -> Response | None:
        """Latest good answer to the same request, if it is young enough."""
        from scrapy.http import Headers
        from scrapy.responsetypes import responsetypes

        wanted = "request_hash = ? AND status = 200 AND fetched_at >= ? ORDER BY response_id DESC LIMIT 1"
        oldest = (now() - self._age).isoformat(timespec="microseconds")
        query = f"SELECT response_id FROM responses WHERE {wanted}"
        self._ledger.store.commit()
        row = self._ledger.store.db.execute(query, (request_hash(request), oldest)).fetchone()
        if row is None:
            return None
        found = next(self._ledger.store.responses("response_id = ?", (row[0],)))
        headers = Headers([(name, value) for name, value in found.headers if name.lower() != "content-encoding"])
        kind = responsetypes.from_args(headers=headers, url=found.url, body=found.body)
        request.meta["response_id"] = found.response_id
        request.meta["seen_at"] = found.fetched_at.isoformat()
        return kind(url=found.url, status=found.status, headers=headers, body=found.body)

    def store_response(self, spider: scrapy.Spider, request: Request, response: Response) -> None:
        """Nothing to store: `KeepResponses` has."""


def seen(response: Response) -> datetime:
    """When a response came."""
    return datetime.fromisoformat(response.meta["seen_at"])


def stop(crawler: Crawler, reason: str) -> None:
    """End the crawl in order; what is queued stays for a resumed one."""
    import asyncio

    if crawler.engine is not None and crawler.spider is not None:
        task = asyncio.ensure_future(crawler.engine.close_spider_async(reason=reason))
        _ENDING.add(task)
        task.add_done_callback(_ENDING.discard)


_ENDING: set[Any] = set()  # asyncio keeps only weak references to tasks

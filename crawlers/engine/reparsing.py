"""Stored responses through the spiders' callbacks again: the same records as a crawl would have written."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from crawlers.engine.ledger import gone
from crawlers.engine.registry import spider_class
from crawlers.fields import ShapeFault
from crawlers.job import Job, Window, now
from crawlers.posting import Dropped, Fault, Posting
from crawlers.spider import SourceSpider
from crawlers.store import Fetched, Records, Store, stamp, unstamp
from valuation.errors import InputError

if TYPE_CHECKING:
    from scrapy.http import Response


def reparse_store(store: Store, job: Job, *, progress: Callable[[int, int], None]) -> None:
    """Rebuild a store's versions and dropped records from its responses, all or nothing.

    Parameters
    ----------
    store : Store
    job : Job
        Its ``crawl_id`` is the reparse's own.
    progress : callable
        Told (responses done, responses).

    Raises
    ------
    InputError
        The spider has no longer a method that a stored response was for.
    """
    total = int(store.db.execute("SELECT count(*) FROM responses").fetchone()[0])
    with store.all_or_nothing():
        started = now()
        store.db.execute(
            "INSERT INTO crawls VALUES (?, 'reparse', ?, NULL, NULL, NULL, NULL, 'running', NULL)",
            (job.crawl_id, stamp(started)),
        )
        store.db.execute("DELETE FROM versions")
        store.db.execute("DELETE FROM dropped")
        kind, spiders = spider_class(job.source.spider), dict[str, SourceSpider]()
        writers: dict[str, Records] = {}
        for done, fetched in enumerate(store.responses(), start=1):
            if fetched.crawl_id not in writers:
                writers[fetched.crawl_id] = _records(store, job, fetched.crawl_id, started)
            site = site_of(fetched.url)
            if site not in spiders:
                spiders[site] = kind.offline(_at(job, site))
            _read(store, spiders[site], fetched, writers[fetched.crawl_id], job)
            progress(done, total)
        store.db.execute(
            "UPDATE crawls SET outcome = 'finished', reason = 'finished', ended_at = ? WHERE crawl_id = ?",
            (stamp(now()), job.crawl_id),
        )


def site_of(url: str) -> str:
    """Scheme, host and port of a URL: where the source stood when it answered, whatever the settings say now.

    >>> site_of("http://127.0.0.1:8123/api?page=2")
    'http://127.0.0.1:8123'
    """
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _at(job: Job, site: str) -> Job:
    """The job with its source at a site."""
    return dataclasses.replace(job, source=job.source.model_copy(update={"base_url": site}))


def _records(store: Store, job: Job, crawl_id: str, started: datetime) -> Records:
    """Writer for one crawl's responses, with that crawl's window; counts go to the reparse."""
    row = store.db.execute("SELECT since, until FROM crawls WHERE crawl_id = ?", (crawl_id,)).fetchone()
    since, until = (unstamp(row[0]), unstamp(row[1])) if row else (None, None)
    window = Window(since, until)
    return Records(store, source=job.name, crawl_id=job.crawl_id, started_at=started, window=window)


def _read(store: Store, spider: SourceSpider, fetched: Fetched, records: Records, job: Job) -> None:
    """Read one response again."""
    if fetched.optional and fetched.status in (404, 410):
        found: list[object] = [gone(fetched.url, fetched.status)]
    elif fetched.callback is None or not 200 <= fetched.status < 300:
        return
    else:
        found = _called(store, spider, fetched, job)
    position = 0
    for one in found:
        if isinstance(one, (Posting, Dropped)):
            position += 1
            records.add(one, response_id=fetched.response_id, position=position, seen_at=fetched.fetched_at)


def _called(store: Store, spider: SourceSpider, fetched: Fetched, job: Job) -> list[object]:
    """Everything that the callback yields, and its faults written down."""
    method = getattr(spider, str(fetched.callback), None)
    if method is None:
        raise InputError(f"{job.name}: the spider has no method {fetched.callback!r}, which stored responses are for")
    found: list[object] = []
    fault: Fault | None = None
    try:
        for one in method(_response(fetched), **fetched.cb_kwargs) or ():
            found.append(one)
    except ShapeFault as error:
        fault = Fault("shape", str(error))
    except Exception as error:  # noqa: BLE001  # as in a crawl: one page must not end the others
        fault = Fault("shape", f"{type(error).__name__} while reading the page")
    for one in [*found, fault]:
        if isinstance(one, Fault):
            store.fault(job.crawl_id, one.kind, one.message, url=fetched.url, response_id=fetched.response_id)
    return found


def _response(fetched: Fetched) -> Response:
    """The response as Scrapy gave it to the callback."""
    from scrapy.http import Headers, Request
    from scrapy.responsetypes import responsetypes

    headers = Headers([(name, value) for name, value in fetched.headers if name.lower() != "content-encoding"])
    kind = responsetypes.from_args(headers=headers, url=fetched.url, body=fetched.body)
    meta = {"response_id": fetched.response_id, "seen_at": fetched.fetched_at.isoformat()}
    request = Request(fetched.url, meta=meta, cb_kwargs=dict(fetched.cb_kwargs))
    return kind(url=fetched.url, status=fetched.status, headers=headers, body=fetched.body, request=request)

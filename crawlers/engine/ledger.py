"""The ledger of a running crawl: what the middlewares, the pipeline and the spider write to the source's store."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from crawlers.job import Job, now
from crawlers.posting import Dropped, Fault, Posting
from crawlers.store import Records, Store, open_store, stamp, unstamp

if TYPE_CHECKING:
    from scrapy.http import Request, Response
    from twisted.python.failure import Failure

    from valuation.config import SourceSettings

REPEATS = 100  # answers in a row that repeat only what this crawl has seen: the source turns in a circle
_GONE = (404, 410)


class Ledger:
    """Opens the store, begins or resumes the crawl, counts, and ends it."""

    def __init__(self, job: Job, *, resumed: bool) -> None:
        self.job = job
        self.store: Store = open_store(job.store, create=True)
        started = self._resume() if resumed else self._begin()
        self.records = Records(
            self.store, source=job.name, crawl_id=job.crawl_id, started_at=started, window=job.window
        )
        self.responses = 0
        self.added = 0
        self._circling = 0
        self.broken: sqlite3.Error | None = None  # the store cannot be written: nothing more is asked for

    def _begin(self) -> datetime:
        started, window = now(), self.job.window
        times = [time and stamp(time) for time in (window.since, window.until, window.changed_since)]
        self.store.wrote()
        self.store.db.execute(
            "INSERT INTO crawls VALUES (?, ?, ?, NULL, ?, ?, ?, 'running', NULL)",
            (self.job.crawl_id, "rerun" if window.changed_since else "full", stamp(started), *times),
        )
        self.store.set_state("retention_hours", str(self.job.source.retention_hours))  # it outlives the settings
        self.store.commit()
        return started

    def _resume(self) -> datetime:
        query = "SELECT started_at FROM crawls WHERE crawl_id = ?"
        (started,) = self.store.db.execute(query, (self.job.crawl_id,)).fetchone()
        self.store.wrote()
        self.store.db.execute(
            "UPDATE crawls SET outcome = 'running', reason = NULL, ended_at = NULL WHERE crawl_id = ?",
            (self.job.crawl_id,),
        )
        self.store.commit()
        return datetime.fromisoformat(started)

    def keep(self, request: Request, response: Response, request_hash: str) -> tuple[int, datetime]:
        """Store a response; returns its id and time."""
        fetched_at = now()
        callback = getattr(request.callback, "__name__", None) if request.callback else None
        headers = [
            (name.decode("latin-1"), value.decode("latin-1"))
            for name, values in response.headers.items()
            for value in values
        ]
        self.responses += 1
        self.count("http", str(response.status))
        self.count("bytes", n=len(response.body))
        with self._writing():
            number = self._keep(request, response, request_hash, fetched_at, headers, callback)
        return number, fetched_at

    def _keep(
        self,
        request: Request,
        response: Response,
        request_hash: str,
        fetched_at: datetime,
        headers: list[tuple[str, str]],
        callback: str | None,
    ) -> int:
        return self.store.keep(
            self.job.crawl_id,
            url=response.url,
            method=request.method,
            request_hash=request_hash,
            status=response.status,
            fetched_at=fetched_at,
            headers=headers,
            body=response.body,
            callback=None if callback == "NO_CALLBACK" else callback,
            cb_kwargs=dict(request.cb_kwargs),
            optional=bool(request.meta.get("optional")),
        )

    def add(self, record: Posting | Dropped, *, response_id: int, position: int, seen_at: datetime) -> str:
        """Write one record; returns what became of it."""
        self.added += 1
        with self._writing():
            return self.records.add(record, response_id=response_id, position=position, seen_at=seen_at)

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        """Remember the first failure to write, of a full disk for one."""
        try:
            yield
        except sqlite3.Error as error:
            self.broken = self.broken or error
            raise

    def answered(self, outcomes: list[str]) -> bool:
        """Whether the crawl still gets anywhere, told what became of one answer's records."""
        if outcomes:
            self._circling = self._circling + 1 if set(outcomes) <= {"repeated"} else 0
        return self._circling < REPEATS

    def count(self, name: str, key: str = "", n: int = 1) -> None:
        """Add to a count of this crawl."""
        self.store.count(self.job.crawl_id, name, key, n)

    def fault(self, kind: str, message: str, *, url: str | None, response_id: int | None = None) -> None:
        """Write down something that went wrong."""
        self.store.fault(self.job.crawl_id, kind, message, url=url, response_id=response_id)

    def spider_fault(self, fault: Fault, *, url: str, response_id: int | None) -> None:
        """Write down what a spider reports."""
        self.fault(fault.kind, fault.message, url=url, response_id=response_id)

    def failed(self, failure: Failure) -> None:
        """Write down a request that was given up, by why."""
        error = failure.value
        request: Request | None = getattr(failure, "request", None)
        response: Response | None = getattr(error, "response", None)
        meta: Mapping[str, Any] = request.meta if request is not None else {}
        url = request.url if request is not None else None
        status = getattr(response, "status", None)
        if status in _GONE and meta.get("optional"):
            self.add(
                Dropped(None, url, "gone", f"HTTP {status}"), response_id=meta["response_id"], position=1, seen_at=now()
            )
            return
        kind, message = _why(error, status)
        if kind in ("robots", "offsite"):  # not asked, rather than failed
            self.count("not_asked", kind)
            self.fault(kind, message, url=url)
            return
        self.count("failed", kind)
        self.fault(kind, message, url=url, response_id=meta.get("response_id"))

    def end(self, outcome: str, reason: str, stats: Mapping[str, Any]) -> None:
        """Close the crawl; the high-water mark moves only if it is complete."""
        if self.broken is not None:
            return
        for name in ("retry/count", "httpcompression/response_bytes", "downloader/request_count"):
            if stats.get(name):
                self.count("scrapy", name, int(stats[name]))
        self._remember_newest()
        if outcome == "finished" and not self.lost():
            self._move_mark()
        self.store.wrote()
        self.store.db.execute(
            "UPDATE crawls SET outcome = ?, reason = ?, ended_at = ? WHERE crawl_id = ?",
            (outcome, reason, stamp(now()), self.job.crawl_id),
        )
        self.store.close()

    def lost(self) -> int:
        """Requests given up and records known to be out of reach: what a complete crawl has none of."""
        counted = self.store.counts(self.job.crawl_id)
        failed = sum(n for (name, _), n in counted.items() if name == "failed")
        return failed + counted.get(("fault", "cap"), 0) + counted.get(("fault", "shape"), 0)

    def _remember_newest(self) -> None:
        """Keep the newest date over the pieces of an interrupted crawl."""
        key = f"newest:{self.job.crawl_id}"
        known = [time for time in (unstamp(self.store.state(key)), self.records.newest) if time]
        if known:
            self.store.set_state(key, stamp(max(known)))

    def _move_mark(self) -> None:
        """Move the high-water mark, unless that would leave out a stretch between it and this crawl's window."""
        newest, mark, window = (
            self.store.state(f"newest:{self.job.crawl_id}"),
            self.store.state("mark"),
            self.job.window,
        )
        gap = mark is not None and window.since is not None and stamp(window.since) > mark
        if newest and window.until is None and not gap:
            self.store.set_state("asked", asked(self.job.source))
            if newest > (mark or ""):
                self.store.set_state("mark", newest)


def asked(source: SourceSettings) -> str:
    """What a mark stands for: after a change of it, what lies before the mark has not been asked for."""
    return json.dumps([source.spider, list(source.queries), source.price_kind])


def gone(url: str | None, status: int | None) -> Dropped:
    """Record of a page that a site lists and no longer has."""
    return Dropped(None, url, "gone", f"HTTP {status}")


def _why(error: BaseException | None, status: int | None) -> tuple[str, str]:
    """Kind and message of a failure; messages never hold what a page says."""
    if status is not None:
        return "status", f"HTTP {status}"
    name, text = type(error).__name__, str(error)
    if "robots.txt" in text:
        return "robots", "robots.txt forbids it"
    if name == "OffSite":
        return "offsite", text
    if "Timeout" in name or "timeout" in text.lower():
        return "timeout", "no complete answer in time"
    if "max" in text.lower() and "size" in text.lower() or name == "DownloadCancelledError":
        return "too_large", "the answer is larger than crawl.max_response_mb"
    if "redirections" in text.lower():
        return "redirects", "redirected too often"
    return "connection", name

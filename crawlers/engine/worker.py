"""One source's crawl in a process of its own: ``python -m crawlers.engine.worker``, told its job on standard input.

It prints one line of JSON twice a second and one at the end, and dies with whoever started it.
"""

from __future__ import annotations

import atexit
import gc
import json
import logging
import os
import sqlite3
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from crawlers.job import Job
from valuation.errors import ValuationError

if TYPE_CHECKING:
    from crawlers.engine.ledger import Ledger

TICK = 0.5  # seconds between two lines of progress
ORDERLY = (
    "shutdown", "closespider_timeout", "memusage_exceeded", "rate_limited", "token_refused", "max_requests",
    "robots_unreachable",
)  # fmt: skip


def main() -> int:
    """Crawl as told; 0 whatever the crawl found, 1 where it could not be run."""
    job = Job.from_json(sys.stdin.readline())
    threading.Thread(target=_die_with_parent, args=(sys.stdin,), daemon=True).start()
    _log_to(job.log)
    from filelock import FileLock, Timeout

    lock = FileLock(job.store.with_suffix(".lock"), timeout=20)
    job.store.parent.mkdir(parents=True, exist_ok=True)
    try:
        with lock:
            _crawl(job)
    except Timeout:
        return _failed(f"{job.store} is in use by another crawl")
    except (sqlite3.Error, OSError, ValuationError) as error:
        logging.getLogger(__name__).exception("the crawl cannot be stored")
        return _failed(f"{job.store}: cannot be written: {error}; make room, and run the same command")
    return 0


def _failed(why: str) -> int:
    _say({"error": why})
    return 1


def _crawl(job: Job) -> None:
    """Run Scrapy to its end."""
    from scrapy.crawler import AsyncCrawlerProcess

    from crawlers.engine.ledger import Ledger
    from crawlers.engine.limits import Limits
    from crawlers.engine.parts import Parts, attach
    from crawlers.engine.registry import spider_class
    from crawlers.engine.settings import scrapy_settings

    spider = spider_class(job.source.spider)
    state = job.job_dir / "resumable"
    resumed = state.is_file() and state.read_text(encoding="utf-8") == job.crawl_id
    state.unlink(missing_ok=True)  # until this piece ends in order, too, nothing here can be trusted
    ledger = Ledger(job, resumed=resumed)
    process = AsyncCrawlerProcess(scrapy_settings(job))
    crawler = process.create_crawler(spider)
    attach(crawler, Parts(job, ledger, Limits(job)))
    closed: list[str] = []
    from scrapy import signals

    crawler.signals.connect(lambda reason: closed.append(reason), signals.spider_closed, weak=False)
    stop = threading.Event()
    threading.Thread(target=_tell, args=(ledger, stop), daemon=True).start()
    process.crawl(crawler)
    process.start()
    stop.set()
    reason = closed[0] if closed else "failed to start"
    outcome = "finished" if reason == "finished" else "stopped"
    if ledger.broken is not None:
        raise ledger.broken
    if outcome == "stopped" and reason in ORDERLY:
        state.write_text(job.crawl_id, encoding="utf-8")
    ledger.end(outcome, reason, crawler.stats.get_stats() if crawler.stats is not None else {})
    _say({"responses": ledger.responses, "records": ledger.added, "reason": reason})


def _tell(ledger: Ledger, stop: threading.Event) -> None:
    """Print how far the crawl is, until it ends."""
    while not stop.wait(TICK):
        _say({"responses": ledger.responses, "records": ledger.added})


def _say(line: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


def _die_with_parent(pipe: TextIO) -> None:
    """End at once when whoever started us is gone: the pipe closes. What is committed is whole."""
    pipe.read()
    os._exit(137)


def _log_to(path: Path) -> None:
    """Scrapy's log to a file; items and pages are never in it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handler = logging.FileHandler(path, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    for noisy in ("scrapy.core.scraper", "scrapy.utils.log", "scrapy.middleware", "scrapy.statscollectors", "asyncio"):
        logging.getLogger(noisy).setLevel(logging.ERROR)


if __name__ == "__main__":
    atexit.register(gc.freeze)  # all that was imported is not looked through for garbage once more at the end
    sys.exit(main())

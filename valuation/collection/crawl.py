"""``valuation crawl``: collect sources into the workspace."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from crawlers.engine.ledger import asked as what_is_asked
from crawlers.job import Job, Window, changed_since, now
from crawlers.store import open_store, stamp, unstamp
from valuation.collection.checks import checked_sources
from valuation.collection.children import Interrupts, run_children
from valuation.collection.export import Exported, export
from valuation.collection.judged import Judged, judge_crawl
from valuation.errors import ConfigError, EnvironmentFault

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from crawlers.store import Store
    from valuation.config import Settings, SourceSettings
    from valuation.progress import Progress
    from valuation.storage import Layout


@dataclass(frozen=True, slots=True)
class SourceResult:
    """One source: how its crawl went, and what its tables hold now."""

    judged: Judged
    exported: Exported


@dataclass(frozen=True, slots=True)
class CrawlResult:
    """What a crawl of some sources did.

    Attributes
    ----------
    sources : tuple of SourceResult
        In the order asked for.
    report : Path
        ``report.html``; ``report.json`` lies beside it.
    interrupted : bool
        Stopped in order; the same command goes on.
    """

    sources: tuple[SourceResult, ...]
    report: Path
    interrupted: bool

    @property
    def good(self) -> bool:
        """Whether every source met its expectations."""
        return all(source.judged.good for source in self.sources)


def crawl(
    layout: Layout,
    settings: Settings,
    names: Sequence[str],
    *,
    since: datetime | None,
    until: datetime | None,
    progress: Progress,
) -> CrawlResult:
    """Collect sources; each is exported and judged as it ends.

    Parameters
    ----------
    names : sequence of str
        Sources, each once.
    since, until : datetime, optional
        Postings published from, and before. With neither, a source crawled before is asked for what has changed
        since its high-water mark less its look-back.

    Raises
    ------
    ConfigError
        A source is unknown or off, a token or the contact is missing.
    EnvironmentFault
        A process could not do its work.
    """
    from valuation.collection.report import write_crawl_report

    if not names:
        raise ConfigError(f"name the sources to crawl; they are {', '.join(sorted(settings.sources))}")
    if since and until and since >= until:
        raise ConfigError(f"--since {since:%Y-%m-%d} must be before --until {until:%Y-%m-%d}")
    tokens = checked_sources(settings, names)
    jobs = [_job(layout, settings, name, tokens[name], since, until) for name in names]
    progress.stage(f"crawl {', '.join(names)}")
    found: dict[str, SourceResult] = {}
    faults: list[str] = []
    with Interrupts() as interrupts:
        ended = run_children(jobs, interrupts, parallel=settings.crawl.parallel_sources, progress=progress)
        for one in ended:
            job = next(job for job in jobs if job.name == one.name)
            if _has_begun(job):
                progress.note(f"write {one.name}")
                found[one.name] = _settle(layout, settings, job)
            if one.error:
                faults.append(f"{one.name}: {one.error}")
    results = tuple(found[name] for name in names if name in found)
    report = write_crawl_report(layout, results)
    if faults:
        raise EnvironmentFault("; ".join(faults))
    return CrawlResult(results, report, interrupts.asked)


def _settle(layout: Layout, settings: Settings, job: Job) -> SourceResult:
    """Turn what a process has stored into tables, and judge it."""
    store = open_store(job.store)
    try:
        judged = judge_crawl(store, job.name, job.crawl_id, job.source)
    finally:
        store.close()
    if judged.counts.outcome == "finished":
        shutil.rmtree(job.job_dir, ignore_errors=True)
    return SourceResult(judged, export(layout, settings, job.name))


def _has_begun(job: Job) -> bool:
    """Whether a process got as far as opening its crawl."""
    if not job.store.is_file():
        return False
    store = open_store(job.store)
    try:
        row = store.db.execute("SELECT 1 FROM crawls WHERE crawl_id = ?", (job.crawl_id,)).fetchone()
        return row is not None
    finally:
        store.close()


def _job(
    layout: Layout, settings: Settings, name: str, token: str, since: datetime | None, until: datetime | None
) -> Job:
    """Go on with a crawl that was stopped in order, or begin one: from the mark, or from the beginning."""
    source, store_path = settings.sources[name], layout.crawl_store(name)
    job_dir, log = store_path.parent / "job", store_path.parent / "crawl.log"
    began = _earlier(store_path, job_dir, name, source, (since, until))
    if began is None:
        shutil.rmtree(job_dir, ignore_errors=True)  # of a crawl that was killed: nothing in it can be trusted
        job_dir.mkdir(parents=True, exist_ok=True)
        began = now().strftime("%Y%m%dT%H%M%S%fZ"), Window(since, until)
    crawl_id, window = began
    return Job(name, crawl_id, source, settings.crawl, window, store_path, job_dir, log, token)


def _earlier(
    path: Path, job_dir: Path, name: str, source: SourceSettings, asked: tuple[datetime | None, datetime | None]
) -> tuple[str, Window] | None:
    """Id and window of a crawl to go on with, or of a rerun from the mark; None where all begins anew."""
    if not path.is_file():
        return None
    store = open_store(path)
    try:
        _within_daily_limit(store, source, name)
        stopped = _resumable(job_dir)
        row = store.db.execute(_WINDOW, (stopped,)).fetchone() if stopped else None
        if row is not None and stopped is not None:
            since, until, changed = (unstamp(text) for text in row)
            if asked in ((None, None), (since, until)):
                return stopped, Window(since, until, changed)
        mark = unstamp(store.state("mark")) if store.state("asked") == what_is_asked(source) else None
    finally:
        store.close()
    if asked != (None, None) or mark is None:
        return None
    shutil.rmtree(job_dir, ignore_errors=True)
    job_dir.mkdir(parents=True, exist_ok=True)
    return now().strftime("%Y%m%dT%H%M%S%fZ"), Window(changed_since=changed_since(mark, source))


_WINDOW = "SELECT since, until, changed_since FROM crawls WHERE crawl_id = ? AND outcome = 'stopped'"
_RECENT = "SELECT count(*), min(fetched_at) FROM responses WHERE callback IS NOT NULL AND fetched_at > ?"


def _resumable(job_dir: Path) -> str | None:
    """Id of the crawl whose state lies here, None unless it was stopped in order."""
    note = job_dir / "resumable"
    return note.read_text(encoding="utf-8") if note.is_file() else None


def _within_daily_limit(store: Store, source: SourceSettings, name: str) -> None:
    """Refuse a crawl of a source that has had its requests of the day.

    Raises
    ------
    ConfigError
        It has; the message says when the next may go.
    """
    asked, first = store.db.execute(_RECENT, (stamp(now() - timedelta(days=1)),)).fetchone()
    if source.requests_per_day and asked >= source.requests_per_day:
        raise ConfigError(
            f"{name} was asked {asked} times in the last 24 hours, as often as sources.{name}.requests_per_day allows; "
            f"the next request may go a day after {first[:16]} UTC"
        )

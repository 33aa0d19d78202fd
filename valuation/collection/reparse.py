"""``valuation crawl reparse``: postings again from stored responses, without the network."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crawlers.engine.reparsing import reparse_store
from crawlers.job import Job, Window, now
from crawlers.store import open_store
from valuation.collection.checks import known_source
from valuation.collection.crawl import CrawlResult, SourceResult
from valuation.collection.export import export
from valuation.collection.judged import judge_crawl
from valuation.collection.report import write_crawl_report
from valuation.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from valuation.config import Settings
    from valuation.progress import Progress
    from valuation.storage import Layout


def reparse(layout: Layout, settings: Settings, names: Sequence[str], *, progress: Progress) -> CrawlResult:
    """Rebuild versions and tables of sources from their stored responses.

    Parameters
    ----------
    names : sequence of str
        Sources; none: all that have been crawled.

    Raises
    ------
    InputError
        A source has not been crawled yet.
    """
    there = sorted(path.parent.name for path in layout.crawl.glob("*/store.db"))
    chosen = list(dict.fromkeys(names)) or there
    if not chosen:
        raise InputError("nothing has been crawled yet; collect with: valuation crawl SOURCE")
    for name in chosen:
        known_source(settings, name)
        if name not in there:
            raise InputError(f"{name} has not been crawled yet; collect with: valuation crawl {name}")
    results = tuple(_one(layout, settings, name, progress) for name in chosen)
    return CrawlResult(results, write_crawl_report(layout, results), interrupted=False)


def _one(layout: Layout, settings: Settings, name: str, progress: Progress) -> SourceResult:
    """Reparse one source, all or nothing."""
    progress.stage(f"reparse {name}")
    path, source = layout.crawl_store(name), settings.sources[name]
    crawl_id = now().strftime("%Y%m%dT%H%M%S%fZ")
    job = Job(name, crawl_id, source, settings.crawl, Window(), path, path.parent / "job", path.parent / "crawl.log")
    store = open_store(path)
    try:
        reparse_store(store, job, progress=progress.advance)
        judged = judge_crawl(store, name, crawl_id, source)
    finally:
        store.close()
    return SourceResult(judged, export(layout, settings, name))

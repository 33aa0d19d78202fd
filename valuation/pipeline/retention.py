"""Retention limits enforced: what a source's terms let us keep no longer leaves the workspace, all of it.

Steps, each repeatable: the source's store, its log and reports, its tables, vectors, runs, predictions of the pricer
card, baskets, tombstones. The first notes in the store what the others have to do, the last removes the note; whatever
was cut short is completed by the next call.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from crawlers.store import Store
    from valuation.collection.retention import Expired
    from valuation.config import Settings
    from valuation.storage import Layout


@dataclass(frozen=True, slots=True)
class SourceDeleted:
    """What one source's limit deleted.

    Attributes
    ----------
    source : str
    deleted_at : str
        ISO 8601, UTC.
    retention_hours : float
    responses, versions, postings : int
        Rows that left the store; `postings` counts those without a version left.
    vectors, baskets, match_rows : int
    runs : tuple of str
        Runs that used a deleted posting, and are marked.
    """

    source: str
    deleted_at: str
    retention_hours: float
    responses: int
    versions: int
    postings: int
    vectors: int
    baskets: int
    match_rows: int
    runs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RetentionReport:
    """What was deleted; no sources if nothing was due."""

    sources: tuple[SourceDeleted, ...]

    def __str__(self) -> str:
        """One line for a person."""
        said = [
            f"{one.source}: {one.responses:,} responses, {one.versions:,} versions, {one.postings:,} postings, "
            f"{one.vectors:,} vectors, {one.baskets:,} baskets and {one.match_rows:,} match rows deleted, "
            f"{len(one.runs):,} runs marked"
            for one in self.sources
        ]
        return "; ".join(said) or "nothing is past its source's retention limit"


def enforce(layout: Layout, settings: Settings, *, now: datetime) -> RetentionReport:
    """Delete what has reached its source's ``retention_hours``, and complete what an earlier call began.

    The caller holds the workspace. A source without a limit, or never crawled, costs nothing.

    Parameters
    ----------
    now : datetime
        Seen last at `now` less the limit, or earlier, is too old.

    Raises
    ------
    EnvironmentFault
        A source is being crawled, or the disk refuses.
    InputError
        A file that may hold deleted rows is damaged; the message says which to delete.
    """
    if not layout.crawl.is_dir():
        return RetentionReport(())
    deleted: list[SourceDeleted] = []
    for path in sorted(layout.crawl.glob("*/store.db")):  # also of sources that the settings no longer know
        name = path.parent.name
        hours = _limit(layout, settings, name)
        if hours is not None:
            deleted += _enforce_one(layout, settings, name, hours, now)
    return RetentionReport(tuple(deleted))


def _limit(layout: Layout, settings: Settings, name: str) -> float | None:
    """Hours that a source may be kept: its setting, or without one any more, what held when it was crawled."""
    from valuation.collection.retention import opened

    if name in settings.sources:
        hours: str | float = settings.sources[name].retention_hours
    else:
        with opened(layout, name) as store:
            hours = store.state("retention_hours") or "unlimited"
    return None if hours == "unlimited" else float(hours)


def _enforce_one(layout: Layout, settings: Settings, name: str, hours: float, now: datetime) -> list[SourceDeleted]:
    """Complete what was begun, then delete what is due."""
    from valuation.collection.retention import alone, cut_of, due, expire, opened, read_work
    from valuation.pipeline.withdrawal import text_hashes

    deleted = []
    with opened(layout, name) as store:
        if not due(store, cut_of(now, hours)):
            return []
        with alone(layout, name):
            if (begun := read_work(store, name)) is not None:
                deleted.append(_withdraw(layout, settings, store, begun))
            if due(store, cut_of(now, hours)):
                expired = expire(layout, settings, store, name, hours=hours, now=now, hashes=text_hashes)
                deleted.append(_withdraw(layout, settings, store, expired))
    return deleted


def _withdraw(layout: Layout, settings: Settings, store: Store, expired: Expired) -> SourceDeleted:
    """Take what has left a source's store out of everything made of it."""
    from valuation.collection import retention
    from valuation.collection.export import export
    from valuation.collection.retention_files import clear_files
    from valuation.pipeline.withdrawal import withdraw_baskets, withdraw_predictions, withdraw_runs, withdraw_vectors

    retention.scrub(store)
    clear_files(layout, store, expired)
    vectors, baskets, runs = 0, 0, dict[str, int]()
    if expired.changes_tables:
        retention.claim(layout, expired)
        export(layout, settings, expired.source)
    if expired.posting_ids:
        vectors = withdraw_vectors(layout, expired)
        runs = withdraw_runs(layout, expired)
        withdraw_predictions(layout, expired)
        baskets = withdraw_baskets(layout, expired)
        retention.write_tombstones(layout)
    retention.finish(store)
    return SourceDeleted(
        expired.source, expired.at, expired.hours, expired.responses, expired.versions, expired.postings,
        vectors, baskets, sum(runs.values()), tuple(runs),
    )  # fmt: skip

"""``valuation crawl sources``: every source, whether it is on, and how much of it is here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from crawlers.store import open_store

if TYPE_CHECKING:
    from valuation.config import Settings, SourceSettings
    from valuation.storage import Layout


@dataclass(frozen=True, slots=True)
class SourceState:
    """One source.

    Attributes
    ----------
    name, base_url, terms_url, terms_read_on, token : str
    enabled : bool
    note : str
        Why it is off, or what it is good for; ``''`` for nothing to say.
    retention : str
        Such as ``24 h``.
    postings : int
        In its store.
    last_crawl : str or None
        When it began, UTC.
    mark : str or None
        The high-water mark, UTC.
    """

    name: str
    base_url: str
    terms_url: str
    terms_read_on: str
    token: str
    enabled: bool
    note: str
    retention: str
    postings: int
    last_crawl: str | None
    mark: str | None


def source_states(layout: Layout, settings: Settings) -> list[SourceState]:
    """All sources by name."""
    return [_state(layout, name, source) for name, source in sorted(settings.sources.items())]


def _state(layout: Layout, name: str, source: SourceSettings) -> SourceState:
    postings, last, mark = 0, None, None
    path = layout.crawl_store(name)
    if path.is_file():
        store = open_store(path)
        try:
            postings = int(store.db.execute("SELECT count(DISTINCT posting_id) FROM versions").fetchone()[0])
            last = store.db.execute("SELECT max(started_at) FROM crawls WHERE kind != 'reparse'").fetchone()[0]
            mark = store.state("mark")
        finally:
            store.close()
    note = source.why_off if not source.enabled else ""
    if source.enabled and not source.base_url:
        note = f"name a site: sources.{name}.base_url"
    elif source.enabled and source.reference_only:
        note = "salaries: a reference in USD an hour, never neighbours"
    kept = source.retention_hours
    return SourceState(
        name, source.base_url, source.terms_url, str(source.terms_read_on), source.token, source.enabled, note,
        kept if isinstance(kept, str) else f"{kept:g} h", postings, last, mark,
    )  # fmt: skip

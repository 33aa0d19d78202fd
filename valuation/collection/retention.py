"""What a source's terms let us keep no longer leaves its store; what was made of it is noted, to be withdrawn.

One transaction deletes, writes tombstones and notes the work that follows in the store itself. The note goes when all
of it is done, so that a process killed at any point leaves either everything as it was or a note that the next one
completes. `valuation.pipeline.retention` leads through the steps.
"""

from __future__ import annotations

import contextlib
import sqlite3
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING

import pandas as pd
import pandera.pandas as pa
from filelock import FileLock, Timeout
from pandera.typing import Series

from crawlers.store import open_store, stamp
from valuation.collection.export import PIECE, import_id
from valuation.collection.rows import Context, read_version, version_rows
from valuation.errors import EnvironmentFault
from valuation.imports.ledger import Provenance, provenance_path, read_provenance
from valuation.imports.rates import rates_path, user_rates
from valuation.storage import read_key
from valuation.tables import Table, typed, write_table
from valuation.tables.schemas import UTC

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from crawlers.store import Store
    from valuation.config import Settings
    from valuation.storage import Layout

LOCK_SECONDS = 20.0  # what a crawl that is ending may take to let go of its store

_DUE = """
SELECT EXISTS (SELECT 1 FROM responses WHERE fetched_at <= ?1)
    OR EXISTS (SELECT 1 FROM versions WHERE last_seen_at <= ?1)
    OR EXISTS (SELECT 1 FROM faults JOIN crawls USING (crawl_id)
               WHERE faults.url IS NOT NULL AND faults.response_id IS NULL AND crawls.started_at <= ?1)
"""
_VERSIONS = """
SELECT posting_id, version, content, first_seen_at, last_seen_at, first_response, 0
FROM versions WHERE last_seen_at <= ? ORDER BY posting_id, version
"""
_BURIED = """
INSERT INTO tombstones SELECT posting_id, ?2, max(version), max(last_seen_at) FROM versions v WHERE last_seen_at <= ?1
    AND NOT EXISTS (SELECT 1 FROM versions w WHERE w.posting_id = v.posting_id AND w.last_seen_at > ?1)
GROUP BY posting_id
"""
_OLD = "SELECT response_id FROM responses WHERE fetched_at <= ?1"
_DELETIONS = (  # in this order: those before the last look at the responses
    f"DELETE FROM dropped WHERE seen_at <= ?1 OR response_id IN ({_OLD})",
    f"""UPDATE faults SET url = NULL, message = '' WHERE response_id IN ({_OLD})
        OR (response_id IS NULL AND crawl_id IN (SELECT crawl_id FROM crawls WHERE started_at <= ?1))""",
    """DELETE FROM bodies WHERE body_hash IN (SELECT body_hash FROM responses WHERE fetched_at <= ?1) AND NOT EXISTS
        (SELECT 1 FROM responses r WHERE r.body_hash = bodies.body_hash AND r.fetched_at > ?1)""",
)


class Tombstones(Table):
    """Postings that retention has deleted: ``crawl/tombstones.parquet``. One row a deletion."""

    posting_id: Series[str] = pa.Field(str_length={"min_value": 1})
    source: Series[str]
    deleted_at: Series[UTC]
    versions: Series[int] = pa.Field(ge=1, description="how many it had had")
    last_seen_at: Series[UTC]


@dataclass(frozen=True, slots=True)
class Expired:
    """What has left one source's store, and has still to leave everything made of it.

    Attributes
    ----------
    source : str
    at : str
        When it was deleted; ISO 8601, UTC.
    cut : str
        What was seen last then or earlier is gone.
    hours : float
        The source's limit.
    posting_ids : frozenset of str
        Postings of which a version was deleted.
    texts : frozenset of str
        Content hashes of those versions' texts.
    responses, versions, postings, dropped : int
        Rows deleted; `postings` counts those without a version left.
    """

    source: str
    at: str
    cut: str
    hours: float
    posting_ids: frozenset[str]
    texts: frozenset[str]
    responses: int
    versions: int
    postings: int
    dropped: int

    @property
    def changes_tables(self) -> bool:
        """Whether tables hold something that is gone."""
        return bool(self.versions or self.dropped)


@contextlib.contextmanager
def opened(layout: Layout, name: str) -> Iterator[Store]:
    """Open a source's store; errors of SQLite are ours to tell.

    Raises
    ------
    EnvironmentFault
        It is damaged, in use, or the disk refuses.
    """
    path = layout.crawl_store(name)
    store = open_store(path)
    try:
        yield store
    except sqlite3.Error as error:
        raise EnvironmentFault(
            f"{path}: what sources.{name}.retention_hours asks for could not be deleted: {error}; run the command again"
        ) from error
    finally:
        store.close()


@contextlib.contextmanager
def alone(layout: Layout, name: str) -> Iterator[None]:
    """Keep crawls of a source out meanwhile.

    Raises
    ------
    EnvironmentFault
        One is under way.
    """
    path = layout.crawl_store(name)
    try:
        with FileLock(path.with_suffix(".lock"), timeout=LOCK_SECONDS):
            yield
    except Timeout:
        raise EnvironmentFault(f"{path} is in use by a crawl; try again when it has finished") from None


def cut_of(now: datetime, hours: float) -> str:
    """Latest time that is too long ago, as the store writes it."""
    return stamp(now - timedelta(hours=hours))


def due(store: Store, cut: str) -> bool:
    """Whether something is to be deleted, or an earlier deletion to be completed."""
    noted = store.db.execute("SELECT 1 FROM sqlite_master WHERE name = 'retention_work'").fetchone()
    return bool(noted or store.db.execute(_DUE, (cut,)).fetchone()[0])


def read_work(store: Store, name: str) -> Expired | None:
    """The note of a deletion whose work is not done; None where there is none."""
    try:
        rows = store.db.execute("SELECT what, value FROM retention_work").fetchall()
    except sqlite3.OperationalError:  # no such table
        return None
    one = {what: value for what, value in rows if what not in ("posting", "text")}
    sets = {kind: frozenset(value for what, value in rows if what == kind) for kind in ("posting", "text")}
    counts = {what: int(one[what]) for what in ("responses", "versions", "postings", "dropped")}
    return Expired(name, one["at"], one["cut"], float(one["hours"]), sets["posting"], sets["text"], **counts)


def expire(
    layout: Layout,
    settings: Settings,
    store: Store,
    name: str,
    *,
    hours: float,
    now: datetime,
    hashes: Callable[[pd.DataFrame], list[str]],
) -> Expired:
    """Delete what is due from the store and note what follows from it: all of it or nothing.

    Parameters
    ----------
    hours : float
        The source's limit.
    now : datetime
    hashes : callable
        Content hash of the text of each row of a Postings table.
    """
    cut, at = cut_of(now, hours), stamp(now)
    context = Context(name, read_key(layout), user_rates(rates_path(layout, settings.currency.rates_file)))
    with store.all_or_nothing():
        store.db.execute("CREATE TABLE retention_work (what TEXT, value TEXT, PRIMARY KEY (what, value)) WITHOUT ROWID")
        versions = _note_versions(store, cut, context, hashes)
        postings = store.db.execute(_BURIED, (cut, at)).rowcount
        dropped = store.db.execute(_DELETIONS[0], (cut,)).rowcount
        for deletion in _DELETIONS[1:]:
            store.db.execute(deletion, (cut,))
        store.db.execute("DELETE FROM versions WHERE last_seen_at <= ?", (cut,))
        responses = store.db.execute("DELETE FROM responses WHERE fetched_at <= ?", (cut,)).rowcount
        counted = {"responses": responses, "versions": versions, "postings": postings, "dropped": dropped}
        _note(store, [(what, str(value)) for what, value in {**counted, "at": at, "cut": cut, "hours": hours}.items()])
    found = read_work(store, name)
    assert found is not None
    return found


def _note_versions(store: Store, cut: str, context: Context, hashes: Callable[[pd.DataFrame], list[str]]) -> int:
    """Note the postings of the versions that are due and the hashes of their texts; returns how many there are."""
    rows, n = store.db.execute(_VERSIONS, (cut,)), 0
    while piece := [read_version(row) for row in islice(rows, PIECE)]:
        frame, _ = version_rows(piece, context)
        _note(store, [("posting", one.posting_id) for one in piece])
        _note(store, [("text", one) for one in hashes(frame)])
        n += len(piece)
    return n


def _note(store: Store, rows: list[tuple[str, str]]) -> None:
    store.db.executemany("INSERT OR IGNORE INTO retention_work VALUES (?, ?)", rows)


def scrub(store: Store) -> None:
    """Make the deleted bytes leave the file and its log.

    Raises
    ------
    EnvironmentFault
        Another process reads the store.
    """
    store.db.execute("VACUUM")
    _empty_log(store)


def _empty_log(store: Store) -> None:
    if store.db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]:
        raise EnvironmentFault(f"{store.path} is being read by another process; try again when it has finished")


def finish(store: Store) -> None:
    """Remove the note: everything is done."""
    store.db.execute("DROP TABLE retention_work")
    _empty_log(store)


def claim(layout: Layout, expired: Expired) -> None:
    """List deleted postings as brought by the source's crawls, so that an export takes their rows for its own.

    An export that was cut short has listed only what is left, and would take the others for rows of imported files.
    """
    listed = read_provenance(layout, "postings", import_id(expired.source))
    missing = sorted(expired.posting_ids - set(listed["id"]))
    if missing:
        added = typed({"id": missing, "kept": [True] * len(missing)}, Provenance)
        path = provenance_path(layout, "postings", import_id(expired.source))
        write_table(pd.concat([listed, added], ignore_index=True), path, Provenance)


def write_tombstones(layout: Layout) -> None:
    """Write ``crawl/tombstones.parquet`` from the stores of all sources."""
    rows: list[tuple[str, ...]] = []
    for path in sorted(layout.crawl.glob("*/store.db")):
        name = path.parent.name
        with opened(layout, name) as store:
            query = (
                "SELECT posting_id, deleted_at, versions, last_seen_at FROM tombstones ORDER BY deleted_at, posting_id"
            )
            rows += [(posting_id, name, *rest) for posting_id, *rest in store.db.execute(query)]
    names = ("posting_id", "source", "deleted_at", "versions", "last_seen_at")
    frame = pd.DataFrame(rows, columns=list(names))
    for name in ("deleted_at", "last_seen_at"):
        frame[name] = pd.to_datetime(frame[name], utc=True, format="ISO8601").astype("datetime64[us, UTC]")
    table = typed({name: frame[name] for name in names}, Tombstones)
    write_table(table, layout.crawl / "tombstones.parquet", Tombstones)

"""The file: opening, transactions, responses, counts, faults, the high-water mark."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import sqlite3
import time
import zlib
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import resources
from typing import TYPE_CHECKING

from valuation.errors import EnvironmentFault

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SCHEMA_VERSION = 1
FAULTS_KEPT = 1000  # a crawl's first; all are counted
COMMIT_EVERY = 500  # writes, or
COMMIT_AFTER = 0.5  # seconds: what a killed process can lose
_SECRET_HEADERS = ("set-cookie", "set-cookie2", "authorization", "www-authenticate")


@dataclass(frozen=True, slots=True)
class Fetched:
    """A stored response.

    Attributes
    ----------
    response_id, status : int
    crawl_id, url, method : str
    fetched_at : datetime
        UTC.
    headers : tuple of (name, value)
    body : bytes
        Decompressed.
    callback : str or None
        The spider's method.
    cb_kwargs : dict
        Plain JSON values.
    optional : bool
        Whether its absence (404, 410) is no error.
    """

    response_id: int
    crawl_id: str
    url: str
    method: str
    status: int
    fetched_at: datetime
    headers: tuple[tuple[str, str], ...]
    body: bytes
    callback: str | None
    cb_kwargs: dict[str, object]
    optional: bool


def stamp(time: datetime) -> str:
    """Time as text that sorts.

    >>> stamp(datetime(2026, 3, 5, tzinfo=UTC))
    '2026-03-05T00:00:00.000000+00:00'
    """
    return time.astimezone(UTC).isoformat(timespec="microseconds")


def unstamp(text: str | None) -> datetime | None:
    """Read what `stamp` wrote."""
    return datetime.fromisoformat(text) if text else None


def open_store(path: Path, *, create: bool = False) -> Store:
    """Open a source's store.

    Parameters
    ----------
    path : Path
        ``store.db``; made with mode 0600 if `create`: it holds what the source sent, names and all.

    Raises
    ------
    EnvironmentFault
        It is missing, cannot be written, is damaged, or was made by a newer version.
    """
    if not create and not path.is_file():
        raise EnvironmentFault(f"{path}: nothing has been crawled here yet")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))
        connection = sqlite3.connect(path, isolation_level=None, timeout=30)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA secure_delete = ON")  # what retention deletes is overwritten, not merely unlinked
        _prepare(connection, path)
    except (OSError, sqlite3.Error) as error:
        raise EnvironmentFault(f"{path}: cannot be opened: {error}; restore it from a copy, or move it away") from error
    return Store(path, connection)


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    found = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if found > SCHEMA_VERSION:
        raise EnvironmentFault(f"{path}: made by a newer version of this program (layout {found}); upgrade it")
    if found < SCHEMA_VERSION:
        connection.executescript(resources.files("crawlers.store").joinpath("schema.sql").read_text(encoding="utf-8"))
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")


class Store:
    """An open store. One process writes; others may read meanwhile."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path = path
        self.db = connection
        self._writes = 0
        self._since = 0.0  # when the open transaction began
        self._whole = False  # inside `all_or_nothing`
        self._counted: Counter[tuple[str, str, str]] = Counter()

    def close(self) -> None:
        """Commit and close."""
        self.commit()
        self.db.close()

    @contextlib.contextmanager
    def all_or_nothing(self) -> Iterator[None]:
        """One transaction around everything inside, undone by an exception."""
        self.commit()
        self.db.execute("BEGIN IMMEDIATE")
        self._writes, self._whole = 1, True
        try:
            yield
        except BaseException:
            self._counted.clear()
            self._writes, self._whole = 0, False
            self.db.execute("ROLLBACK")
            raise
        self._whole = False
        self.commit()

    def wrote(self, n: int = 1) -> None:
        """Note that `n` rows are about to be written; opens a transaction, commits now and then."""
        if self._writes >= COMMIT_EVERY or (self._writes and time.monotonic() - self._since > COMMIT_AFTER):
            self.commit()
        if self._writes == 0:
            self.db.execute("BEGIN IMMEDIATE")
            self._since = time.monotonic()
        self._writes += n

    def commit(self) -> None:
        """Make everything written so far durable; inside `all_or_nothing`, its end does."""
        if self._whole:
            return
        if self._counted and self._writes == 0:
            self.wrote()
        if self._writes:
            self.db.executemany(
                "INSERT INTO counts VALUES (?, ?, ?, ?) "
                "ON CONFLICT (crawl_id, name, key) DO UPDATE SET n = n + excluded.n",
                [(*key, n) for key, n in self._counted.items()],
            )
            self._counted.clear()
            self.db.execute("COMMIT")
            self._writes = 0

    def count(self, crawl_id: str, name: str, key: str = "", n: int = 1) -> None:
        """Add to one of a crawl's counts; written with the next commit."""
        self._counted[(crawl_id, name, key)] += n

    def counts(self, crawl_id: str) -> dict[tuple[str, str], int]:
        """Counts of a crawl by (name, key)."""
        self.commit()
        rows = self.db.execute("SELECT name, key, n FROM counts WHERE crawl_id = ?", (crawl_id,))
        return {(name, key): int(n) for name, key, n in rows}

    def fault(self, crawl_id: str, kind: str, message: str, *, url: str | None, response_id: int | None = None) -> None:
        """Write down something that went wrong; beyond the first thousand it is only counted."""
        self.count(crawl_id, "fault", kind)
        self.wrote()
        self.db.execute(
            "INSERT INTO faults (crawl_id, response_id, url, kind, message) SELECT ?, ?, ?, ?, ? "
            "WHERE (SELECT count(*) FROM faults WHERE crawl_id = ?1) < ?",
            (crawl_id, response_id, url, kind, message[:500], FAULTS_KEPT),
        )

    def faults(self, crawl_id: str) -> list[tuple[int | None, str | None, str, str]]:
        """(response_id, url, kind, message) of a crawl's faults, in order."""
        self.commit()
        query = "SELECT response_id, url, kind, message FROM faults WHERE crawl_id = ? ORDER BY fault_id"
        return list(self.db.execute(query, (crawl_id,)))

    def keep(
        self,
        crawl_id: str,
        *,
        url: str,
        method: str,
        request_hash: str,
        status: int,
        fetched_at: datetime,
        headers: list[tuple[str, str]],
        body: bytes,
        callback: str | None,
        cb_kwargs: dict[str, object],
        optional: bool,
    ) -> int:
        """Store a response; a body that is there already is stored once. Returns the response's id."""
        digest = hashlib.sha256(body).hexdigest()
        self.wrote(2)
        if not self.db.execute("SELECT 1 FROM bodies WHERE body_hash = ?", (digest,)).fetchone():
            self.db.execute("INSERT INTO bodies VALUES (?, ?)", (digest, zlib.compress(body, 6)))
        shown = [(name, value) for name, value in headers if name.lower() not in _SECRET_HEADERS]
        row = (crawl_id, url, method, request_hash, status, stamp(fetched_at), json.dumps(shown), digest, callback)
        cursor = self.db.execute(
            "INSERT INTO responses (crawl_id, url, method, request_hash, status, fetched_at, headers, body_hash, "
            "callback, cb_kwargs, optional) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (*row, json.dumps(cb_kwargs), optional),
        )
        return int(cursor.lastrowid or 0)

    def responses(self, where: str = "1", arguments: tuple[object, ...] = ()) -> Iterator[Fetched]:
        """Stored responses in the order they came; `where` is a condition of ours on the table's columns."""
        self.commit()
        ids = [
            row[0] for row in self.db.execute(f"SELECT response_id FROM responses WHERE {where} ORDER BY 1", arguments)
        ]
        for one in ids:  # one at a time: bodies may be large
            row = self.db.execute(
                "SELECT response_id, crawl_id, url, method, status, fetched_at, headers, content, callback, cb_kwargs, "
                "optional "
                "FROM responses JOIN bodies USING (body_hash) WHERE response_id = ?",
                (one,),
            ).fetchone()
            number, crawl_id, url, method, status, fetched_at, headers, content, callback, cb_kwargs, optional = row
            yield Fetched(
                number, crawl_id, url, method, status, datetime.fromisoformat(fetched_at),
                tuple((name, value) for name, value in json.loads(headers)), zlib.decompress(content), callback,
                json.loads(cb_kwargs), bool(optional),
            )  # fmt: skip

    def state(self, key: str) -> str | None:
        """Value under a key, such as ``mark``."""
        row = self.db.execute("SELECT value FROM state WHERE key = ?", (key,)).fetchone()
        return None if row is None else str(row[0])

    def set_state(self, key: str, value: str) -> None:
        """Store a value under a key."""
        self.wrote()
        self.db.execute(
            "INSERT INTO state VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value", (key, value)
        )

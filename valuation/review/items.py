"""The sessions of a run as lists: filtered, sorted, counted. DuckDB over a file made once from the run's tables."""

from __future__ import annotations

import contextlib
import hashlib
import secrets
import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from valuation.errors import EnvironmentFault, InputError
from valuation.review.items_sql import SESSIONS, VALUES, build, conditions, ordering, quote
from valuation.review.query import PAGE_ROWS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

    from duckdb import DuckDBPyConnection

    from valuation.review.query import Query
    from valuation.storage import Layout

FOLDER = ".review"
MEMORY = "512MB"
MOST_FACETS, MOST_VALUES = 8, 30
SETS_KEPT = 32
KINDS = {"VARCHAR": "text", "BOOLEAN": "flag", "TIMESTAMP": "time"}
VERSION = 2  # of what the file holds
SEALED: dict[str, str | bool | int | float | list[str]] = {
    "threads": 2,
    "memory_limit": MEMORY,
    "enable_external_access": False,
    "lock_configuration": True,
}
"""No statement could read or write another file, and none could change that."""


@dataclass(frozen=True, slots=True)
class Judged:
    """What is known of verdicts outside the run's tables.

    Attributes
    ----------
    any_ : frozenset of str
        Sessions with a standing verdict by anybody.
    mine : frozenset of str
        By this analyst.
    hidden : frozenset of str
        Sessions of an open audit that this analyst has yet to judge: their figures would lead.
    """

    any_: frozenset[str] = frozenset()
    mine: frozenset[str] = frozenset()
    hidden: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list.

    Attributes
    ----------
    rows : list of dict
        Columns by name, missing as None.
    n : int
        Rows of the whole list.
    first : int
        Position of the first row, from 0.
    """

    rows: list[dict[str, Any]]
    n: int
    first: int


@dataclass(frozen=True, slots=True)
class Facet:
    """A column's values with their counts under all other filters, most frequent first; missing is ``''``."""

    column: str
    counts: list[tuple[str, int]]


class Items:
    """The sessions of one run; owns the file's connection. Safe to use from many threads.

    Attributes
    ----------
    columns : dict of str to str
        ``number``, ``text``, ``flag`` or ``time`` by column, in order.
    facets : tuple of str
        Columns with few values.
    """

    def __init__(self, connection: DuckDBPyConnection) -> None:
        self._connection = connection
        self._rows_of: OrderedDict[frozenset[str], list[int]] = OrderedDict()
        self._lock = threading.Lock()
        described = connection.execute("DESCRIBE items").fetchall()
        self.columns = {str(row[0]): KINDS.get(str(row[1]), "number") for row in described}
        self.facets = self._few_values()

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def _few_values(self) -> tuple[str, ...]:
        named = [name for name, kind in self.columns.items() if kind in ("text", "flag") and name != "session_id"]
        if not named:
            return ()
        counts = ", ".join(f"approx_count_distinct({quote(name)})" for name in named)
        found = self._connection.execute(f"SELECT {counts} FROM items").fetchone() or ()
        few = [name for name, n in zip(named, found, strict=True) if 1 < n <= MOST_VALUES]
        return tuple(few[:MOST_FACETS])

    @contextlib.contextmanager
    def _cursor(self) -> Iterator[DuckDBPyConnection]:
        cursor = self._connection.cursor()
        try:
            yield cursor
        finally:
            cursor.close()

    def page(self, query: Query, judged: Judged) -> Page:
        """Return a page of a list."""
        where, values = conditions(query, self.columns, judged, self._row_numbers)
        first = (query.page - 1) * PAGE_ROWS
        with self._cursor() as cursor:
            (n,) = cursor.execute(f"SELECT count(*) FROM items WHERE {where}", values).fetchone() or (0,)
            rows = self._rows(cursor, where, values, query, limit=PAGE_ROWS, offset=first)
        return Page(rows, int(n), first)

    def around(self, query: Query, judged: Judged, at: int) -> tuple[str | None, str | None]:
        """session_ids before and after a position of a list, from 0; None at its ends."""
        where, values = conditions(query, self.columns, judged, self._row_numbers)
        start = max(at - 1, 0)
        with self._cursor() as cursor:
            sql = f"SELECT session_id FROM items WHERE {where} ORDER BY {ordering(query)} LIMIT 3 OFFSET {start}"
            found = [str(row[0]) for row in cursor.execute(sql, values).fetchall()]
        before = found[0] if at > 0 and found else None
        following = at - start + 1
        return before, found[following] if len(found) > following else None

    def _rows(
        self, cursor: DuckDBPyConnection, where: str, values: list[Any], query: Query, *, limit: int, offset: int
    ) -> list[dict[str, Any]]:
        order = f"SELECT rowid FROM items WHERE {where} ORDER BY {ordering(query)} LIMIT {limit} OFFSET {offset}"
        places = {row[0]: place for place, row in enumerate(cursor.execute(order, values).fetchall())}
        # only now the whole rows, with their texts
        whole = "SELECT rowid, * FROM items WHERE rowid IN (SELECT unnest(?::BIGINT[]))"
        result = cursor.execute(whole, [list(places)])
        names = [str(column[0]) for column in result.description or ()]
        found = sorted(result.fetchall(), key=lambda row: places[row[0]])
        return [dict(zip(names[1:], row[1:], strict=True)) for row in found]

    def _row_numbers(self, session_ids: frozenset[str]) -> list[int]:
        """Rows of the file that hold some sessions; remembered for the sets asked for last."""
        with self._lock:
            if session_ids in self._rows_of:
                self._rows_of.move_to_end(session_ids)
                return self._rows_of[session_ids]
        with self._cursor() as cursor:
            sql = "SELECT rowid FROM items WHERE session_id IN (SELECT unnest(?::VARCHAR[])) ORDER BY rowid"
            found = [int(row[0]) for row in cursor.execute(sql, [sorted(session_ids)]).fetchall()]
        with self._lock:
            self._rows_of[session_ids] = found
            while len(self._rows_of) > SETS_KEPT:
                self._rows_of.popitem(last=False)
        return found

    def counts(self, query: Query, judged: Judged) -> list[Facet]:
        """Facets with counts under all filters but their own."""
        found = []
        with self._cursor() as cursor:
            for column in self.facets:
                others = query.with_(equal=tuple(pair for pair in query.equal if pair[0] != column))
                where, values = conditions(others, self.columns, judged, self._row_numbers)
                sql = (
                    f"SELECT coalesce(CAST({quote(column)} AS VARCHAR), ''), count(*) AS n FROM items WHERE {where} "
                    f"GROUP BY 1 ORDER BY n DESC, 1 LIMIT {MOST_VALUES}"
                )
                counts = [(str(value), int(n)) for value, n in cursor.execute(sql, values).fetchall()]
                found.append(Facet(column, counts))
        return found

    def one(self, session_id: str) -> dict[str, Any] | None:
        """Return a session's row; None if the run has no such session."""
        with self._cursor() as cursor:
            result = cursor.execute("SELECT * FROM items WHERE session_id = ?", [session_id])
            names = [str(column[0]) for column in result.description or ()]
            row = result.fetchone()
        return None if row is None else dict(zip(names, row, strict=True))

    def some(self, session_ids: Collection[str]) -> dict[str, dict[str, Any]]:
        """Rows of sessions by id; those that are not there are left out."""
        with self._cursor() as cursor:
            result = cursor.execute("SELECT * FROM items WHERE session_id IN (SELECT unnest(?))", [list(session_ids)])
            names = [str(column[0]) for column in result.description or ()]
            rows = [dict(zip(names, row, strict=True)) for row in result.fetchall()]
        return {str(row["session_id"]): row for row in rows}


_BUILDING = threading.Lock()


def open_items(layout: Layout, folder: Path) -> Items:
    """Open the lists of the run in `folder`, making their file where it is missing or the sessions have changed.

    Raises
    ------
    InputError
        The run's values cannot be read.
    EnvironmentFault
        The file cannot be written.
    """
    import duckdb

    path = folder / FOLDER / f"items-{_stamp(layout, folder)}.duckdb"
    try:
        with _BUILDING:
            if not path.exists():
                path.parent.mkdir(exist_ok=True)
                _build(layout, folder, path)
        return Items(duckdb.connect(str(path), read_only=True, config=SEALED))
    except duckdb.IOException as error:
        raise EnvironmentFault(f"{path}: cannot be opened: {_first_line(error)}") from error
    except duckdb.Error as error:
        raise InputError(
            f"{folder}: its tables cannot be listed: {_first_line(error)}; delete {folder}, then: valuation run"
        ) from error


def _build(layout: Layout, folder: Path, path: Path) -> None:
    import duckdb

    temporary = path.with_name(f".tmp-{secrets.token_hex(8)}.duckdb")
    try:
        connection = duckdb.connect(str(temporary), config={"threads": 2, "memory_limit": MEMORY})
        try:
            _fill(connection, str(folder / "values.parquet"), _sessions(layout))
            connection.execute("CREATE UNIQUE INDEX items_by_session ON items (session_id)")
        finally:
            connection.close()
        temporary.replace(path)
        for old in path.parent.glob("items-*.duckdb*"):
            if old != path:  # another process may have made this one meanwhile
                old.unlink(missing_ok=True)
    finally:
        temporary.unlink(missing_ok=True)


def _fill(connection: DuckDBPyConnection, values: str, sessions: list[str]) -> None:
    """Make the table `items` out of the run's values and the sessions."""
    theirs = connection.execute(f"DESCRIBE SELECT * FROM {SESSIONS}", {"sessions": sessions}).fetchall()
    ours = connection.execute(f"DESCRIBE SELECT * FROM {VALUES}", {"values": values}).fetchall()
    sql = build([str(row[0]) for row in ours], [(str(row[0]), str(row[1])) for row in theirs])
    connection.execute(sql, {"values": values, "sessions": sessions})


def _sessions(layout: Layout) -> list[str]:
    """Files of the sessions table."""
    files = [str(path) for path in sorted(layout.sessions.glob("month=*/*.parquet"))]
    if not files:
        raise InputError(f"{layout.sessions}: no sessions; import them again")
    return files


def _stamp(layout: Layout, folder: Path) -> str:
    """Changes when the run's values or the sessions do."""
    files = [folder / "values.parquet", *sorted(layout.sessions.glob("month=*/*.parquet"))]
    stats = [(path.parent.name, path.stat()) for path in files if path.exists()]
    facts = [(name, found.st_size, found.st_mtime_ns) for name, found in stats]
    return hashlib.sha256(repr((VERSION, facts)).encode()).hexdigest()[:12]


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]

"""A run's rows by session, looked up: memory holds a few row groups, never the run."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from valuation.errors import InputError
from valuation.pipeline.explained_rows import read_errors
from valuation.pipeline.plain import plain
from valuation.tables.lookup import SortedTable

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import pandas as pd

    from valuation.review.gigs import GigStore
    from valuation.review.items import Items
    from valuation.storage import Layout
    from valuation.tables import Table


class LookupRows:
    """`valuation.pipeline.explained_rows.Rows` of a run that many pages ask for. Safe to use from many threads."""

    def __init__(self, layout: Layout, folder: Path, manifest: dict[str, Any], items: Items, gigs: GigStore) -> None:
        self._layout, self._folder, self._manifest = layout, folder, manifest
        self._items, self._gigs = items, gigs
        self._tables: dict[str, SortedTable] = {}
        self._errors: tuple[pd.DataFrame | None, list[str]] | None = None
        self._lock = threading.Lock()

    def of(self, name: str, schema: type[Table], session_id: str) -> pd.DataFrame:
        """A session's rows of a table of the run."""
        return self._table(name, schema).rows(session_id)

    def lists(self, name: str, schema: type[Table], session_id: str) -> dict[str, list[Any]]:
        """The same as plain lists by column, which pages are made of."""
        return self._table(name, schema).lists_of(session_id)

    def _table(self, name: str, schema: type[Table]) -> SortedTable:
        with self._lock:
            if name not in self._tables:
                self._tables[name] = SortedTable(self._folder / f"{name}.parquet", "session_id", schema)
            return self._tables[name]

    def summary(self, session_id: str) -> str:
        """The session's text."""
        found = self._items.one(session_id)
        return str(found["summary"]) if found is not None and found.get("summary") is not None else ""

    def titles(self, posting_ids: Sequence[str]) -> pd.DataFrame:
        """Columns posting_id and title of those that are here."""
        import pandas as pd

        found = self._gigs.get(posting_ids)
        ids = list(found)
        titles = [found[one].title for one in ids]
        return pd.DataFrame({"posting_id": pd.Series(ids, dtype="str"), "title": pd.Series(titles, dtype="str")})

    def errors(self) -> tuple[pd.DataFrame | None, list[str]]:
        """The basket's `PostingErrors`, read once; titles are left to whoever shows one of them."""
        with self._lock:
            if self._errors is None:
                found, missing = read_errors(self._layout, self._manifest)
                if found is not None:
                    found = found.assign(title=None).set_index("posting_id", drop=False)
                    found.index.get_indexer(found.index[:1])  # hash the ids now, not while somebody waits
                self._errors = (found, missing)
        return self._errors

    def unknown(self, session_id: str) -> str:
        """What to say where the run has no such session."""
        return f"run {self._manifest['run_id']} has no session {plain(session_id, 60)!r}"


def check_tables(folder: Path) -> None:
    """Refuse a run without the tables that pages are made of.

    Raises
    ------
    InputError
        Naming the table and what to do.
    """
    for name in ("values", "matches", "series", "growth"):
        if not (folder / f"{name}.parquet").is_file():
            raise InputError(f"{folder / name}.parquet is missing; delete {folder}, then: valuation run")

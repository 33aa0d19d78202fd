"""The file that gigs are looked up in: made once, never written to again.

It lies with the basket, ``indices/<basket>/gigs.sqlite``, and goes with it when one of its postings is deleted.
"""

from __future__ import annotations

import contextlib
import sqlite3
from dataclasses import astuple, fields
from datetime import datetime
from typing import TYPE_CHECKING, Any

from valuation.errors import EnvironmentFault, InputError
from valuation.review.gig_rows import Gig, basket_there, gigs_of_basket
from valuation.tables import write_atomic

if TYPE_CHECKING:
    from pathlib import Path

    from valuation.storage import Layout

FILE = "gigs.sqlite"
VERSION = 2
"""Raise it when the file's layout changes: an older one is built anew."""
ATTEMPTS = 3  # a command that writes to the workspace sweeps unfinished files away as it begins

_SCHEMA = f"""
CREATE TABLE gigs (
    posting_id TEXT NOT NULL UNIQUE, "row" INTEGER PRIMARY KEY, cluster_id TEXT NOT NULL, n_members INTEGER NOT NULL,
    log_price REAL NOT NULL, source TEXT NOT NULL, month TEXT NOT NULL, title TEXT, description TEXT, skills TEXT,
    url TEXT, posted_at TEXT, date_quality TEXT, category TEXT, country TEXT, price_low REAL, price_high REAL,
    currency TEXT, price_kind TEXT);
CREATE VIRTUAL TABLE words USING fts5(
    title, description, skills, content='gigs', content_rowid='row', tokenize='unicode61 remove_diacritics 2');
CREATE VIRTUAL TABLE temp.vocabulary USING fts5vocab('main', 'words', 'row');
CREATE TABLE terms (term TEXT PRIMARY KEY, gigs INTEGER NOT NULL) WITHOUT ROWID;
PRAGMA user_version = {VERSION};
"""

COLUMNS = tuple(one.name for one in fields(Gig))
SELECTED = ", ".join(f'gigs."{name}"' for name in COLUMNS)
_POSTED = COLUMNS.index("posted_at")


def build_store(layout: Layout, basket_id: str) -> None:
    """Write ``gigs.sqlite`` of a basket; of two processes that do so at once, either one's file is whole.

    Raises
    ------
    InputError
        The basket is gone or damaged, or the postings are.
    EnvironmentFault
        The disk refuses.
    """
    folder = layout.indices / basket_id
    for attempt in range(ATTEMPTS):
        if not basket_there(folder):
            raise InputError(_gone(basket_id))
        try:
            write_atomic(folder / FILE, lambda to: _write(layout, folder, to))
            break
        except EnvironmentFault:
            if attempt == ATTEMPTS - 1:
                raise
    if not basket_there(folder):  # deleted meanwhile: what was read before must not outlive it
        (folder / FILE).unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            folder.rmdir()
        raise InputError(_gone(basket_id))


def _gone(basket_id: str) -> str:
    return (
        f"basket {basket_id} is no longer here, as when one of its postings was deleted; make a new run with: "
        "valuation run"
    )


def _write(layout: Layout, folder: Path, to: Path) -> None:
    """Fill a new file; it is never written to again."""
    try:
        with contextlib.closing(sqlite3.connect(to, isolation_level=None)) as store:
            store.execute("PRAGMA journal_mode = OFF")
            store.execute("PRAGMA synchronous = OFF")
            store.executescript(_SCHEMA)
            store.execute("BEGIN")
            slots = ", ".join("?" * len(COLUMNS))
            gigs = (_stored(gig) for gig in gigs_of_basket(layout, folder))
            store.executemany(f"INSERT INTO gigs VALUES ({slots})", gigs)
            store.execute("INSERT INTO words(words) VALUES ('rebuild')")
            store.execute("INSERT INTO words(words) VALUES ('optimize')")
            store.execute("INSERT INTO terms SELECT term, doc FROM temp.vocabulary")
            store.execute("COMMIT")
    except sqlite3.Error as error:
        raise EnvironmentFault(f"{to.parent / FILE}: cannot be written: {error}; nothing was changed there") from error


def _stored(gig: Gig) -> tuple[Any, ...]:
    row = list(astuple(gig))
    row[_POSTED] = None if gig.posted_at is None else gig.posted_at.isoformat()
    return tuple(row)


def restored(row: tuple[Any, ...]) -> Gig:
    """A gig out of the columns that `SELECTED` names."""
    values = list(row)
    values[_POSTED] = None if values[_POSTED] is None else datetime.fromisoformat(values[_POSTED])
    return Gig(*values)

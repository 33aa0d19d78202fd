"""Gigs by id and by words: a file beside the basket, made once in the background, read by any number of threads."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
import unicodedata
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from valuation.errors import InputError, ValuationError
from valuation.review.gig_rows import Gig, basket_count, basket_there, postings_as_gigs
from valuation.review.gigs_build import FILE, SELECTED, VERSION, build_store, restored

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from valuation.storage import Layout

__all__ = ["Gig", "GigStore", "Hit", "open_gigs"]

MOST_WORDS = 32  # of a query; what follows is not searched for
LONGEST_WORD = 64
LONGEST_QUERY = 4_000
MOST_HITS = 200  # of one page of results
FARTHEST = 10_000
AT_ONCE = 500  # ids a statement: below SQLite's limit of parameters everywhere
_FOUND = (
    'SELECT gigs.posting_id FROM words JOIN gigs ON gigs."row" = words.rowid WHERE words MATCH ? '
    "ORDER BY bm25(words, 4.0, 1.0, 2.0), words.rowid LIMIT ? OFFSET ?"
)  # a word of the title counts for most


@dataclass(frozen=True, slots=True)
class Hit:
    """A gig that was found; `rank` 1 is the best."""

    posting_id: str
    rank: int


class GigStore:
    """The gigs of one basket; owns the connections to its file.

    Before the file is there, and after the basket is gone, gigs come straight from the postings table, which is
    slower; only words cannot be searched then.

    Attributes
    ----------
    failed : str
        Why the file could not be made; ``''`` where nothing went wrong.
    """

    def __init__(self, layout: Layout, basket_id: str) -> None:
        self.failed = ""
        self._layout = layout
        self._basket_id = basket_id
        self._folder: Path = layout.indices / basket_id
        self._path = self._folder / FILE
        self._mark: tuple[int, int, int] | None = None
        self._free: deque[tuple[tuple[int, int, int], sqlite3.Connection]] = deque()
        self._thread: threading.Thread | None = None

    @property
    def ready(self) -> bool:
        """Whether the file is there, so that words can be searched."""
        return self._found() is not None

    def start(self) -> None:
        """Make the file in the background if it is not there; returns at once, and a second call does nothing."""
        if self._thread is None and not self.ready:
            self._thread = threading.Thread(target=self._build_quietly, name="gigs", daemon=True)
            self._thread.start()

    def build(self) -> None:
        """Make the file now, if it is not there.

        Raises
        ------
        InputError
            The basket is gone or damaged, or the postings are.
        EnvironmentFault
            The disk refuses.
        """
        if not self.ready:
            build_store(self._layout, self._basket_id)

    def _build_quietly(self) -> None:
        try:
            self.build()
        except ValuationError as error:
            self.failed = str(error)
        except Exception as error:  # noqa: BLE001 - in the background: the pages say it
            self.failed = f"{self._path}: cannot be made: {type(error).__name__}: {str(error)[:200]}"

    def get(self, posting_ids: Iterable[str]) -> dict[str, Gig]:
        """Gigs by posting_id, in the order asked for; one that is not here, as after its deletion, is left out.

        Raises
        ------
        InputError
            A file is damaged.
        """
        wanted = list(dict.fromkeys(one for one in posting_ids if _encodable(one)))
        mark = self._found()
        found: dict[str, Gig] = {}
        if mark is not None:
            for begin in range(0, len(wanted), AT_ONCE):
                some = wanted[begin : begin + AT_ONCE]
                slots = ", ".join("?" * len(some))
                rows = self._asked(mark, f"SELECT {SELECTED} FROM gigs WHERE posting_id IN ({slots})", some)
                found |= {gig.posting_id: gig for gig in map(restored, rows)}
        elif wanted:
            found = {gig.posting_id: gig for gig in postings_as_gigs(self._layout, self._basket_id, set(wanted))}
        return {one: found[one] for one in wanted if one in found}

    def count(self) -> int:
        """Gigs in the basket; 0 where it is gone."""
        return basket_count(self._folder)

    def search_words(self, query: str, limit: int, offset: int = 0) -> list[Hit]:
        """Gigs that hold all words of a query, or, if none does, any of them; the best first (BM25).

        Words that more than half of all gigs hold are passed over where there are others. Nothing in `query` is
        syntax. A query without a letter or digit finds nothing, nor does any before `ready`.

        Parameters
        ----------
        query : str
            Any text; words beyond the first 32 are not searched for.
        limit : int
            At most 200 are returned at once.
        offset : int
            Hits passed over.
        """
        mark, asked = self._found(), _words(query)
        if mark is None or not asked:
            return []
        held, half = self.document_counts(asked), self.count() / 2
        rare = [word for word in asked if held.get(word, 0) <= half]  # BM25 gives the others no weight
        words = ['"' + word.replace('"', '""') + '"' for word in rare or asked]
        page = (max(0, min(limit, MOST_HITS)), max(0, min(offset, FARTHEST)))
        every = " AND ".join(words)
        any_at_all = self._asked(mark, "SELECT 1 FROM words WHERE words MATCH ? LIMIT 1", [every])
        rows = self._asked(mark, _FOUND, [every if any_at_all else " OR ".join(words), *page])
        return [Hit(posting_id, page[1] + place) for place, (posting_id,) in enumerate(rows, start=1)]

    def document_counts(self, words: Iterable[str]) -> dict[str, int]:
        """How many gigs hold each word, in any case and with or without accents; words that none holds are left out."""
        mark = self._found()
        if mark is None:
            return {}
        terms = {word: _term(word) for word in words}
        held: dict[str, int] = {}
        distinct = sorted({term for term in terms.values() if term})
        for begin in range(0, len(distinct), AT_ONCE):
            some = distinct[begin : begin + AT_ONCE]
            slots = ", ".join("?" * len(some))
            held |= dict(self._asked(mark, f"SELECT term, gigs FROM terms WHERE term IN ({slots})", some))
        return {word: held[term] for word, term in terms.items() if term in held}

    def close(self) -> None:
        """Close the connections that nobody uses."""
        while self._free:
            with contextlib.suppress(IndexError):
                self._free.pop()[1].close()

    def _found(self) -> tuple[int, int, int] | None:
        """Mark of the file, looked at anew each time: None if it, or its basket, is not there or not ours to read."""
        try:
            state = self._path.stat()
        except OSError:
            state = None
        if state is None or not basket_there(self._folder):
            self._mark = None
            self.close()  # else a deleted posting could still be read from an unlinked file
            return None
        mark = (state.st_ino, state.st_mtime_ns, state.st_size)
        if mark != self._mark:
            self.close()
            self._mark = mark if self._is_ours() else None
        return self._mark

    def _is_ours(self) -> bool:
        """Whether the file is of this version."""
        try:
            with contextlib.closing(self._connect()) as store:
                return bool(store.execute("PRAGMA user_version").fetchone()[0] == VERSION)
        except sqlite3.Error:
            return False

    def _connect(self) -> sqlite3.Connection:
        """A connection that can only read: the file is never written to once it has its name."""
        where = f"file:{quote(str(self._path))}?mode=ro&immutable=1"
        return sqlite3.connect(where, uri=True, check_same_thread=False)

    @contextlib.contextmanager
    def _borrowed(self, mark: tuple[int, int, int]) -> Iterator[sqlite3.Connection]:
        """A connection for one thread at a time, given back afterwards."""
        connection = None
        while connection is None:
            try:
                of, candidate = self._free.pop()
            except IndexError:
                connection = self._connect()
            else:
                if of == mark:
                    connection = candidate
                else:
                    candidate.close()
        try:
            yield connection
        finally:
            if mark == self._mark:
                self._free.append((mark, connection))
            else:
                connection.close()

    def _asked(self, mark: tuple[int, int, int], statement: str, values: list[Any]) -> list[tuple[Any, ...]]:
        """All rows of a statement."""
        try:
            with self._borrowed(mark) as store:
                return store.execute(statement, values).fetchall()
        except sqlite3.Error as error:
            raise InputError(f"{self._path}: damaged ({error}); delete this file: it is made anew") from error


def open_gigs(layout: Layout, basket_id: str) -> GigStore:
    """The gigs of a basket; call `GigStore.start` to have the file made that words are searched in."""
    return GigStore(layout, basket_id)


def _words(query: str) -> list[str]:
    """Distinct words of a query that hold a letter or digit."""
    text = "".join(" " if unicodedata.category(char)[0] == "C" else char for char in query[:LONGEST_QUERY])
    words = [word[:LONGEST_WORD] for word in text.split() if any(char.isalnum() for char in word[:LONGEST_WORD])]
    return list(dict.fromkeys(words))[:MOST_WORDS]


def _term(word: str) -> str:
    """A word as the file's vocabulary has it: lower case, without accents."""
    apart = unicodedata.normalize("NFD", word.lower()) if _encodable(word) else ""
    return unicodedata.normalize("NFC", "".join(char for char in apart if unicodedata.category(char) != "Mn"))


def _encodable(text: str) -> bool:
    """Whether a text can be stored at all: half a character cannot."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True

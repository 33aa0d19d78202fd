"""Records of a crawl into versions: a posting seen again with another content is a new version, never an overwrite."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Literal

from crawlers.posting import Dropped, Posting, content_hash, to_json
from crawlers.store.store import stamp

if TYPE_CHECKING:
    from crawlers.job import Window
    from crawlers.store.store import Store

Outcome = Literal["new", "changed", "unchanged", "repeated", "dropped", "duplicate_id", "outside_window"]
OLDEST = datetime(1995, 1, 1, tzinfo=UTC)  # an earlier date is a mistake
FIELDS = ("job_title", "description", "date_published", "url", "skills", "hiring_organization", "category")


class Records:
    """Writes the records of one crawl, and counts them.

    Parameters
    ----------
    store : Store
    source : str
        Prefix of posting ids.
    crawl_id : str
    started_at : datetime
        Of the crawl: what was seen since then was seen in this crawl.
    window : Window
        Postings published outside it are counted and left.
    """

    def __init__(self, store: Store, *, source: str, crawl_id: str, started_at: datetime, window: Window) -> None:
        self.store = store
        self.source = source
        self.crawl_id = crawl_id
        self.started = stamp(started_at)
        self.window = window
        self.newest: datetime | None = None

    def add(self, record: Posting | Dropped, *, response_id: int, position: int, seen_at: datetime) -> Outcome:
        """Write one record.

        Parameters
        ----------
        response_id, position : int
            Where it stood: the response, and its 1-based place among the response's records.
        seen_at : datetime
            When the response came.

        Returns
        -------
        str
            ``new``, ``changed`` (a new version), ``unchanged``, ``repeated`` (seen before in this crawl, and
            unchanged), ``dropped``, ``duplicate_id`` (the same response has another posting under this id) or
            ``outside_window``.
        """
        if isinstance(record, Dropped):
            outcome: Outcome = self._drop(record, response_id, position, seen_at)
            self.store.count(self.crawl_id, "dropped", record.reason)
            day = seen_at
        else:
            outcome = self._version(record, response_id, position, seen_at)
            self._describe(record, outcome, seen_at)
            day = record.date_published or seen_at
        self.store.count(self.crawl_id, "record", outcome)
        self.store.count(self.crawl_id, f"day:{outcome}", f"{day:%Y-%m-%d}")
        return outcome

    def _version(self, posting: Posting, response_id: int, position: int, seen_at: datetime) -> Outcome:
        if not self.window.holds(posting.date_published):
            return "outside_window"
        content = to_json(posting)
        digest, name, when = content_hash(content), f"{self.source}:{posting.job_posting_id}", stamp(seen_at)
        last = self.store.db.execute(
            "SELECT version, content_hash, last_seen_at, last_response FROM versions WHERE posting_id = ? "
            "ORDER BY version DESC LIMIT 1",
            (name,),
        ).fetchone()
        self.store.wrote()
        if last and last[1] == digest:
            self.store.db.execute(
                "UPDATE versions SET last_seen_at = max(last_seen_at, ?), last_response = ? "
                "WHERE posting_id = ? AND version = ?",
                (when, response_id, name, last[0]),
            )
            return "repeated" if last[2] >= self.started else "unchanged"
        if last and last[3] == response_id:  # one answer with two postings of one id: nothing says which is right
            other = Dropped(f"{posting.job_posting_id}#{position}", posting.url, "no_id", "an id of two postings")
            self._drop(other, response_id, position, seen_at)
            return "duplicate_id"
        published = stamp(posting.date_published) if posting.date_published else None
        self.store.db.execute(
            "INSERT INTO versions VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (name, (last[0] if last else 0) + 1, digest, content, published, when, when, response_id, response_id),
        )
        self.store.db.execute("DELETE FROM dropped WHERE record_id = ?", (name,))
        return "changed" if last else "new"

    def _drop(self, record: Dropped, response_id: int, position: int, seen_at: datetime) -> Outcome:
        """Keep why a record is no posting: once for each record, the latest reason."""
        name = f"{self.source}:{record.record_id or self._stand_in(record, response_id, position)}"
        if self.store.db.execute("SELECT 1 FROM versions WHERE posting_id = ? LIMIT 1", (name,)).fetchone():
            return "dropped"  # it was a posting once: its history stays what it was
        self.store.wrote()
        self.store.db.execute(
            "INSERT INTO dropped VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (record_id) DO UPDATE SET "
            "reason = excluded.reason, value = excluded.value, url = excluded.url, response_id = excluded.response_id, "
            "position = excluded.position, seen_at = excluded.seen_at",
            (
                name,
                record.reason,
                record.value and _storable(record.value[:200]),
                record.url and _storable(record.url),
                response_id,
                position,
                stamp(seen_at),
            ),
        )
        return "dropped"

    def _stand_in(self, record: Dropped, response_id: int, position: int) -> str:
        """Id of a record that has none: by where it stands in what was asked, so that asking again finds it again."""
        query = "SELECT request_hash FROM responses WHERE response_id = ?"
        (asked,) = self.store.db.execute(query, (response_id,)).fetchone() or (response_id,)
        blank = f"{record.url}|{record.reason}|{record.value}|{asked}|{position}"
        return hashlib.sha256(_storable(blank).encode()).hexdigest()[:16]

    def _describe(self, posting: Posting, outcome: Outcome, seen_at: datetime) -> None:
        """Count what expectations are judged by, and follow the newest date."""
        if outcome in ("outside_window", "duplicate_id"):
            return
        count, here = self.store.count, self.crawl_id
        latest = seen_at + timedelta(days=1)  # a date in the future is none, nor the mark: nothing would be new again
        count(here, "price", _price_state(posting))
        for name in FIELDS:
            if getattr(posting, name) and (name != "date_published" or _plausible(posting.date_published, latest)):
                count(here, "field", name)
        if posting.job_title or posting.description or posting.skills:
            count(here, "field", "text")
        for time in (posting.date_published, posting.date_modified):
            if time is not None and time <= latest and (self.newest is None or min(time, seen_at) > self.newest):
                self.newest = min(time, seen_at)


def _plausible(published: datetime | None, latest: datetime) -> bool:
    """Whether a date can be that of a posting."""
    return published is not None and OLDEST <= published <= latest


def _price_state(posting: Posting) -> str:
    """``read`` where a price can be used, else what it lacks."""
    price = posting.price
    if price.low is None:
        return price.fault or "none"
    return "no_type" if price.type is None else "no_currency" if price.currency is None else "read"


def _storable(text: str) -> str:
    """Text without half characters, which JSON can hold and SQLite cannot."""
    return text.encode("utf-8", "ignore").decode()

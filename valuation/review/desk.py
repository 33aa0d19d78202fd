"""What the pages stand on: the workspace's runs, audits and verdicts, opened once and shared by all analysts."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from valuation.audit.opening import AUDIT_ID, CARD, audit_ids, open_audit, settings_hash
from valuation.errors import InputError
from valuation.pipeline.explain import Explanation, explain_rows
from valuation.pipeline.finished import RUN_ID, latest_run, read_manifest
from valuation.review.gigs import GigStore, open_gigs
from valuation.review.items import Items, Judged, open_items
from valuation.review.lookups import LookupRows, check_tables
from valuation.review.meaning import MeaningSearch

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from valuation.audit.opening import Audit
    from valuation.config import Settings
    from valuation.storage import Layout
    from valuation.verdicts import VerdictLog

RUNS_OPEN = 3
BACKGROUND_AFTER = 2.0
"""Seconds from a run's opening to the loading of its encoder: the first page goes first."""


class NotFoundHere(InputError):
    """The address names something that is not there."""


@dataclass(frozen=True, slots=True)
class ReviewRun:
    """A run as the pages see it.

    Attributes
    ----------
    run_id, settings_hash : str
    folder : Path
    manifest : dict
    items : Items
        Its sessions as lists.
    gigs : GigStore
        Its basket.
    meaning : MeaningSearch
        Search by meaning, once its encoder is loaded.
    rows : LookupRows
    """

    run_id: str
    settings_hash: str
    folder: Path
    manifest: dict[str, Any]
    items: Items
    gigs: GigStore
    meaning: MeaningSearch
    rows: LookupRows

    def explanation(self, session_id: str) -> Explanation:
        """What `valuation explain` tells of a session.

        Raises
        ------
        InputError
            The run has no such session, or its tables are damaged.
        """
        found = explain_rows(self.rows, self.folder, self.manifest, session_id)
        parts = found.parts
        band = parts.single_posting_band
        ends = [] if band is None else [end for end in (band.lower, band.upper) if end is not None]
        wanted = [end.posting_id for end in ends]
        if parts.nearest is not None and parts.nearest.posting_id is not None:
            wanted.append(parts.nearest.posting_id)
        titles = {one: gig.title for one, gig in self.gigs.get(wanted).items()}
        if parts.nearest is not None:
            parts = replace(parts, nearest=replace(parts.nearest, title=titles.get(parts.nearest.posting_id)))
        if band is not None:
            lower, upper = (
                None if end is None else replace(end, title=titles.get(end.posting_id))
                for end in (band.lower, band.upper)
            )
            parts = replace(parts, single_posting_band=replace(band, lower=lower, upper=upper))
        return replace(found, parts=parts)


class Desk:
    """The open workspace; owns what it opens. Safe to use from many threads.

    Attributes
    ----------
    layout : Layout
    settings : Settings
    log : VerdictLog
    key : bytes
        The workspace's.
    """

    def __init__(self, layout: Layout, settings: Settings, log: VerdictLog, *, key: bytes) -> None:
        self.layout, self.settings, self.log, self.key = layout, settings, log, key
        self._runs: OrderedDict[str, ReviewRun] = OrderedDict()
        self._audits: dict[str, tuple[int, Audit]] = {}
        self._listed: tuple[tuple[tuple[str, int], ...], list[Audit]] | None = None
        self._judged: dict[str, tuple[int, frozenset[str], frozenset[str]]] = {}
        self._later: list[threading.Timer] = []
        self._lock = threading.RLock()

    def close(self) -> None:
        """Close files and connections."""
        for later in self._later:
            later.cancel()
        for run in self._runs.values():
            run.items.close()
            run.gigs.close()
        self.log.close()

    def newest(self) -> str:
        """Id of the newest run.

        Raises
        ------
        InputError
            There is none yet.
        """
        found = latest_run(self.layout)
        if found is None:
            raise InputError("no run yet; make one with: valuation run")
        return found

    def run(self, run_id: str) -> ReviewRun:
        """Open a run, or return it opened.

        Raises
        ------
        NotFoundHere
            There is no such run.
        InputError
            It is damaged.
        """
        with self._lock:
            if run_id in self._runs:
                self._runs.move_to_end(run_id)
                return self._runs[run_id]
            folder = self.layout.runs / run_id
            if not RUN_ID.fullmatch(run_id) or not (folder / "manifest.json").is_file():
                raise NotFoundHere(f"no run {run_id[:40]!a} in this workspace")
            opened = self._open(run_id, folder)
            self._runs[run_id] = opened
            while len(self._runs) > RUNS_OPEN:  # closed by the garbage collector: a page may still be reading it
                self._runs.popitem(last=False)
            return opened

    def _open(self, run_id: str, folder: Path) -> ReviewRun:
        check_tables(folder)
        manifest = read_manifest(folder)
        items = open_items(self.layout, folder)
        gigs = open_gigs(self.layout, str(manifest["basket_id"]))
        meaning = MeaningSearch(self.layout, manifest)
        for start in (gigs.start, meaning.start):
            later = threading.Timer(BACKGROUND_AFTER, start)
            later.daemon = True
            later.start()
            self._later.append(later)
        rows = LookupRows(self.layout, folder, manifest, items, gigs)
        return ReviewRun(run_id, settings_hash(manifest), folder, manifest, items, gigs, meaning, rows)

    def audit(self, audit_id: str) -> Audit:
        """Open an audit, or return it opened.

        Raises
        ------
        NotFoundHere
            There is no such audit.
        InputError
            It is damaged.
        """
        card = self.layout.audits / audit_id / CARD
        if not AUDIT_ID.fullmatch(audit_id) or not card.is_file():
            known_ids = ", ".join(audit_ids(self.layout)) or "none yet"
            raise NotFoundHere(f"no audit {audit_id[:80]!a}; audits are {known_ids}")
        with self._lock:
            mark = card.stat().st_mtime_ns
            known = self._audits.get(audit_id)
            if known is None or known[0] != mark:
                known = mark, open_audit(self.layout, audit_id)
                self._audits[audit_id] = known
            return known[1]

    def audits(self) -> list[Audit]:
        """All audits, the newest first."""
        cards = sorted(self.layout.audits.glob(f"*/{CARD}"))
        marks = tuple((card.parent.name, card.stat().st_mtime_ns) for card in cards)
        with self._lock:
            if self._listed is None or self._listed[0] != marks:
                self._listed = marks, [self.audit(one) for one in audit_ids(self.layout)]
            return self._listed[1]

    def judged(self, analyst: str) -> Judged:
        """Which sessions have verdicts, and which must stay hidden from this analyst, whatever run is looked at."""
        last = self.log.last_id()
        with self._lock:
            known = self._judged.get(analyst)
        if known is None or known[0] != last:
            known = last, *self.log.sessions_judged(analyst)
            with self._lock:
                self._judged[analyst] = known
        hidden: set[str] = set()
        for audit in self.audits():
            hidden |= self.hidden_in(audit, analyst)
        return Judged(any_=known[1], mine=known[2], hidden=frozenset(hidden))

    def hidden_in(self, audit: Audit, analyst: str) -> set[str]:
        """Sessions of an audit that this analyst has yet to judge, or may still be given."""
        done = self.log.assignments.finished_by(audit.audit_id, analyst)
        closed = self.log.assignments.closed_to(audit.audit_id, audit.wanted, analyst)
        return set(audit.wanted) - done - closed

    def must_hide(self, session_id: str, analyst: str) -> Audit | None:
        """Return the audit for whose sake a session's figures are hidden from an analyst; None if none is.

        Those of another run would lead as much: the session's text is the same there, and mostly its gigs, too.
        """
        for audit in self.audits():
            if session_id in audit.wanted and session_id in self.hidden_in(audit, analyst):
                return audit
        return None

    def note_seen(self, session_ids: Iterable[str], analyst: str) -> None:
        """Note that a page shows an analyst figures of sessions: verdicts on them are not blind any more.

        Of all sessions, not of those in audits alone: an audit that draws one may come later.
        """
        self.log.seen.note(set(session_ids), analyst=analyst, at=now())

    @property
    def lease(self) -> timedelta:
        """How long a session stays in an analyst's hands unfinished."""
        return timedelta(minutes=self.settings.review.held_minutes)


def now() -> datetime:
    """UTC without a zone, as the log keeps it."""
    return datetime.now(UTC).replace(tzinfo=None)

"""How far an audit is, for everybody and for one analyst."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

from valuation.review.desk import now
from valuation.verdicts import CANT_SAY, VERDICTS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from valuation.audit.opening import Audit
    from valuation.review.desk import Desk
    from valuation.verdicts import Stored

RECENT = 60  # verdicts that an analyst's pace is taken from
PAUSE = 300.0  # seconds between two verdicts that count as a break


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an audit is.

    Attributes
    ----------
    n_sessions, n_done : int
        Sessions of the sample, and those with every review that is wanted.
    n_mine : int
        Sessions that this analyst has finished.
    n_waiting : int
        Sessions that lack a second review only.
    n_left : int
        Sessions that this analyst could still be given.
    counts : dict of str to int
        The analyst's standing verdicts by word, all five of them.
    minutes_left : float or None
        At the analyst's own pace; None before there is one.
    """

    n_sessions: int
    n_done: int
    n_mine: int
    n_waiting: int
    n_left: int
    counts: dict[str, int]
    minutes_left: float | None


def progress_of(desk: Desk, audit: Audit, analyst: str) -> Progress:
    """How far an audit is, and the analyst in it."""
    log, at = desk.log, now()
    finished: Counter[str] = Counter()
    taken: Counter[str] = Counter()
    mine = set()
    for one in log.assignments.all_of(audit.audit_id):
        taken[one.session_id] += one.analyst != analyst and (one.finished or one.expires_at >= at)
        finished[one.session_id] += one.finished
        if one.analyst == analyst and one.finished:
            mine.add(one.session_id)
    wanted = audit.wanted
    left = sum(1 for session, reviews in wanted.items() if session not in mine and taken[session] < reviews)
    counts = log.tally(audit.audit_id, analyst)
    return Progress(
        n_sessions=len(wanted),
        n_done=sum(1 for session, reviews in wanted.items() if finished[session] >= reviews),
        n_mine=len(mine),
        n_waiting=sum(1 for session, reviews in wanted.items() if 0 < finished[session] < reviews),
        n_left=left,
        counts={word: counts.get(word, 0) for word in VERDICTS},
        minutes_left=_minutes(log.last_times(audit.audit_id, analyst, RECENT), len(mine), sum(counts.values()), left),
    )


def _minutes(times: Sequence[datetime], n_mine: int, n_verdicts: int, n_left: int) -> float | None:
    """Median time between verdicts, breaks left out, times verdicts a session, times sessions left."""
    gaps = [(late - early).total_seconds() for early, late in zip(times, times[1:], strict=False)]
    working = [gap for gap in gaps if gap <= PAUSE]
    if not working or not n_mine:
        return None
    return median(working) * (n_verdicts / n_mine) * n_left / 60


@dataclass(frozen=True, slots=True)
class Disagreement:
    """A session on which two analysts say different things.

    Attributes
    ----------
    session_id : str
    analysts : tuple of str
    n_gigs : int
        Gigs (or the session as a whole) that they differ on.
    settled_by : str
        Who adjudicated the last of them; ``''`` while one is left to settle.
    """

    session_id: str
    analysts: tuple[str, ...]
    n_gigs: int
    settled_by: str


def disagreements(standing: Sequence[Stored]) -> list[Disagreement]:
    """Sessions with different verdicts by different analysts on the same thing; "can't say" differs from nothing."""
    said: dict[str, dict[str, dict[str, str]]] = defaultdict(lambda: defaultdict(dict))
    settled: dict[tuple[str, str], tuple[int, str]] = {}
    for one in standing:
        entry = one.entry
        if entry.adjudicates:
            settled[entry.session_id, entry.posting_id] = (one.id, entry.analyst)
        elif entry.verdict != CANT_SAY:
            said[entry.session_id][entry.posting_id][entry.analyst] = str(entry.verdict)
    found = []
    for session_id, things in said.items():
        differ = {thing: by for thing, by in things.items() if len(set(by.values())) > 1}
        if differ:
            names = tuple(sorted({name for by in differ.values() for name in by}))
            by_whom = [settled[session_id, thing] for thing in differ if (session_id, thing) in settled]
            last = max(by_whom)[1] if len(by_whom) == len(differ) else ""
            found.append(Disagreement(session_id, names, len(differ), last))
    return sorted(found, key=lambda one: (bool(one.settled_by), -one.n_gigs, one.session_id))

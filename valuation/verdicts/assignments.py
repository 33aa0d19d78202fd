"""Who works on which session of an audit: no two people on one item, unless a second review is wanted."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, func, select, update

from valuation.verdicts.schema import ASSIGNMENTS
from valuation.verdicts.upserting import insert_if_new
from valuation.verdicts.writing import reading, writing

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime, timedelta

    from sqlalchemy import Connection, Engine, Row


@dataclass(frozen=True, slots=True)
class Assignment:
    """A session in an analyst's hands.

    Attributes
    ----------
    session_id, analyst : str
    slot : int
        0 for the first review, 1 for the second.
    expires_at : datetime
        When somebody else may take it, if it is not finished. UTC.
    finished : bool
    """

    session_id: str
    analyst: str
    slot: int
    expires_at: datetime
    finished: bool


class Assignments:
    """Assignments of all audits of a database."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def all_of(self, audit_id: str) -> list[Assignment]:
        """Every assignment of an audit, finished or not."""
        with reading(self._engine) as connection:
            return _all(connection, audit_id)

    def finished_by(self, audit_id: str, analyst: str) -> set[str]:
        """Sessions of an audit that an analyst has finished."""
        c = ASSIGNMENTS.c
        mine = and_(c.audit_id == audit_id, c.analyst == analyst, c.finished_at.is_not(None))
        with reading(self._engine) as connection:
            return {str(row.session_id) for row in connection.execute(select(c.session_id).where(mine))}

    def closed_to(self, audit_id: str, wanted: Mapping[str, int], analyst: str) -> set[str]:
        """Sessions with all reviews that are wanted, finished by others: this analyst will not be asked for one."""
        c = ASSIGNMENTS.c
        done = and_(c.audit_id == audit_id, c.finished_at.is_not(None))
        mine = and_(c.audit_id == audit_id, c.analyst == analyst, c.finished_at.is_(None))
        counted = select(c.session_id, func.count().label("n")).where(done).group_by(c.session_id)
        with reading(self._engine) as connection:
            full = {
                str(row.session_id) for row in connection.execute(counted) if row.n >= wanted.get(row.session_id, 1)
            }
            return full - {str(row.session_id) for row in connection.execute(select(c.session_id).where(mine))}

    def claim(
        self, audit_id: str, wanted: Mapping[str, int], *, analyst: str, now: datetime, lease: timedelta
    ) -> str | None:
        """Give the analyst the next session: one in hand already, else the first that lacks a review.

        Parameters
        ----------
        wanted : mapping of str to int
            Reviews wanted of each session of the audit, in the order of work.
        lease : timedelta
            How long a session stays in hand without being finished.

        Returns
        -------
        str or None
            None if nothing is left for this analyst.
        """
        with writing(self._engine) as connection:
            known = defaultdict(list)
            for one in _all(connection, audit_id):
                known[one.session_id].append(one)
            for session_id in wanted:
                if any(one.analyst == analyst and not one.finished for one in known[session_id]):
                    _renew(connection, audit_id, session_id, analyst, now + lease)
                    return session_id
            for session_id, reviews in wanted.items():
                if _take(connection, audit_id, session_id, known[session_id], reviews, analyst, now, now + lease):
                    return session_id
        return None

    def hold(
        self, audit_id: str, session_id: str, reviews: int, *, analyst: str, now: datetime, lease: timedelta
    ) -> bool:
        """Keep one session in the analyst's hands, or take it; False if others have all reviews that are wanted."""
        mine = self.of(audit_id, session_id, analyst)
        if mine is not None and mine.expires_at > now + lease / 2:
            return True  # most often: nothing to write, and nobody waits for the disk
        with writing(self._engine) as connection:
            if _renew(connection, audit_id, session_id, analyst, now + lease):
                return True
            known = [one for one in _all(connection, audit_id) if one.session_id == session_id]
            return _take(connection, audit_id, session_id, known, reviews, analyst, now, now + lease)

    def of(self, audit_id: str, session_id: str, analyst: str) -> Assignment | None:
        """The analyst's own assignment of a session; None if there is none."""
        c = ASSIGNMENTS.c
        mine = and_(c.audit_id == audit_id, c.session_id == session_id, c.analyst == analyst)
        with reading(self._engine) as connection:
            row = connection.execute(select(ASSIGNMENTS).where(mine)).first()
        return None if row is None else _assignment(row)

    def record(self, audit_id: str, finished: Mapping[tuple[str, str], datetime]) -> None:
        """Mark sessions as finished by analysts who judged them elsewhere, whoever has them in hand here.

        Parameters
        ----------
        finished : mapping of (session_id, analyst) to datetime
            When.
        """
        with writing(self._engine) as connection:
            known = defaultdict(list)
            for one in _all(connection, audit_id):
                known[one.session_id].append(one)
            for (session_id, analyst), at in sorted(finished.items()):
                here = known[session_id]
                if not any(one.analyst == analyst for one in here):
                    slot = max((one.slot for one in here), default=-1) + 1
                    row = _row(audit_id, session_id, slot, analyst, at)
                    connection.execute(insert_if_new(connection, ASSIGNMENTS, row))
                    here.append(Assignment(session_id, analyst, slot, at, finished=True))
                mine = and_(
                    ASSIGNMENTS.c.audit_id == audit_id,
                    ASSIGNMENTS.c.session_id == session_id,
                    ASSIGNMENTS.c.analyst == analyst,
                    ASSIGNMENTS.c.finished_at.is_(None),
                )
                connection.execute(update(ASSIGNMENTS).where(mine).values(finished_at=at))

    def finish(self, audit_id: str, session_id: str, *, analyst: str, at: datetime | None) -> None:
        """Mark a session as finished by the analyst, or with None as not finished any more."""
        mine = and_(
            ASSIGNMENTS.c.audit_id == audit_id,
            ASSIGNMENTS.c.session_id == session_id,
            ASSIGNMENTS.c.analyst == analyst,
        )
        changes = ASSIGNMENTS.c.finished_at.is_not(None) if at is None else ASSIGNMENTS.c.finished_at.is_(None)
        with reading(self._engine) as connection:
            if connection.execute(select(ASSIGNMENTS.c.slot).where(mine, changes)).first() is None:
                return  # most often: one gig of several is judged
        with writing(self._engine) as connection:
            connection.execute(update(ASSIGNMENTS).where(mine).values(finished_at=at))


def _all(connection: Connection, audit_id: str) -> list[Assignment]:
    query = select(ASSIGNMENTS).where(ASSIGNMENTS.c.audit_id == audit_id).order_by(ASSIGNMENTS.c.slot)
    return [_assignment(row) for row in connection.execute(query)]


def _assignment(row: Row[Any]) -> Assignment:
    return Assignment(
        session_id=row.session_id,
        analyst=row.analyst,
        slot=row.slot,
        expires_at=row.expires_at,
        finished=row.finished_at is not None,
    )


def _row(audit_id: str, session_id: str, slot: int, analyst: str, until: datetime) -> dict[str, object]:
    return {
        "audit_id": audit_id, "session_id": session_id, "slot": slot, "analyst": analyst, "expires_at": until,
        "finished_at": None,
    }  # fmt: skip


def _renew(connection: Connection, audit_id: str, session_id: str, analyst: str, until: datetime) -> bool:
    """Prolong what the analyst has; False if that is nothing."""
    mine = and_(
        ASSIGNMENTS.c.audit_id == audit_id, ASSIGNMENTS.c.session_id == session_id, ASSIGNMENTS.c.analyst == analyst
    )
    return connection.execute(update(ASSIGNMENTS).where(mine).values(expires_at=until)).rowcount > 0


def _take(
    connection: Connection,
    audit_id: str,
    session_id: str,
    known: list[Assignment],
    reviews: int,
    analyst: str,
    now: datetime,
    until: datetime,
) -> bool:
    """Take a free slot, or one that its holder let expire; False if there is none, or somebody else was faster."""
    if any(one.analyst == analyst for one in known):
        return False
    if len(known) < reviews:
        row = _row(audit_id, session_id, len(known), analyst, until)
        added = insert_if_new(connection, ASSIGNMENTS, row).returning(ASSIGNMENTS.c.slot)
        return connection.execute(added).first() is not None  # rowcount is not told by every driver
    for one in known:
        if not one.finished and one.expires_at < now:
            expired = and_(
                ASSIGNMENTS.c.audit_id == audit_id,
                ASSIGNMENTS.c.session_id == session_id,
                ASSIGNMENTS.c.slot == one.slot,
                ASSIGNMENTS.c.finished_at.is_(None),
                ASSIGNMENTS.c.expires_at < now,
            )
            mine = {"analyst": analyst, "expires_at": until}
            taken = connection.execute(update(ASSIGNMENTS).where(expired).values(mine))
            return taken.rowcount > 0
    return False

"""`VerdictLog`: appends verdicts, tells which stand, and who works on which session."""

from __future__ import annotations

from dataclasses import asdict, replace
from functools import cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import CompoundSelect, Select, and_, bindparam, func, select, union

from valuation.errors import EnvironmentFault
from valuation.verdicts.assignments import Assignments
from valuation.verdicts.entries import Entry, Stored
from valuation.verdicts.places import Places
from valuation.verdicts.schema import ASSIGNMENTS, COLUMNS, VERDICT_LOG
from valuation.verdicts.seen import Seen
from valuation.verdicts.upserting import insert_if_new
from valuation.verdicts.writing import reading, writing

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    import pandas as pd
    from sqlalchemy import ColumnElement, Connection, Engine, Row

MOST_TOKENS = 500  # asked for at once: below every database's limit of parameters
UNDONE = select(VERDICT_LOG.c.undoes).where(VERDICT_LOG.c.action == "undo")


class VerdictLog:
    """The log of one database; owns its connections. Safe to use from many threads.

    Attributes
    ----------
    assignments : Assignments
    places : Places
    seen : Seen
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.assignments = Assignments(engine)
        self.places = Places(engine)
        self.seen = Seen(engine)

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()

    def append(self, entry: Entry) -> Stored:
        """Append one line; when this returns it is on the disk.

        Raises
        ------
        EnvironmentFault
            The database refuses; nothing was added.
        """
        return self.append_all([entry])[0]

    def append_all(self, entries: Sequence[Entry]) -> list[Stored]:
        """Append lines, all or none; one whose token is there already is not added again."""
        with writing(self._engine) as connection:
            if len(entries) == 1:
                return [_append(connection, entries[0])]
            tokens = [entry.token for entry in entries]
            before = _with_tokens(connection, tokens)
            new = {entry.token: entry for entry in entries if entry.token not in before}
            if new:
                first = next(iter(new.values()))
                rows = [asdict(entry) for entry in new.values()]
                connection.execute(insert_if_new(connection, VERDICT_LOG, asdict(first)), rows)
            after = _with_tokens(connection, tokens)
            if len(after) < len(set(tokens)):
                raise EnvironmentFault("one of these verdicts has been taken back already; nothing was added")
            return [replace(after[token], fresh=token in new) for token in tokens]

    def undo(
        self, *, analyst: str, audit_id: str, token: str, decided_at: datetime, on_pages: bool = False
    ) -> Stored | None:
        """Take back the analyst's last verdict in an audit (``''``: outside of audits) by appending a line.

        Parameters
        ----------
        on_pages : bool
            Pass over verdicts that came from files: importing them again would not bring them back.

        Returns
        -------
        Stored or None
            The new line, with the session and posting of the one taken back; None if nothing is left to take back.
        """
        with writing(self._engine) as connection:
            mine = and_(VERDICT_LOG.c.analyst == analyst, VERDICT_LOG.c.audit_id == audit_id)
            known = connection.execute(select(VERDICT_LOG).where(mine, VERDICT_LOG.c.token == token)).first()
            if known is not None:
                return Stored(known.id, fresh=False, entry=_entry(known))
            last = connection.execute(
                select(VERDICT_LOG)
                .where(mine, *([VERDICT_LOG.c.origin == "page"] if on_pages else []), *_standing())
                .order_by(VERDICT_LOG.c.id.desc())
                .limit(1)
            ).first()
            if last is None:
                return None
            entry = replace(
                _entry(last), action="undo", undoes=last.id, token=token, decided_at=decided_at, verdict=None,
                price_usd=None, better_posting_id=None, better_rank=None, note="", shown="", origin="page",
            )  # fmt: skip
            return _append(connection, entry)

    def lines(self, *, audit_id: str | None = None, session_id: str | None = None) -> pd.DataFrame:
        """Every line, undone ones too, in the order accepted: one column a column of the log."""
        import pandas as pd

        query = select(VERDICT_LOG).order_by(VERDICT_LOG.c.id)
        if audit_id is not None:
            query = query.where(VERDICT_LOG.c.audit_id == audit_id)
        if session_id is not None:
            query = query.where(VERDICT_LOG.c.session_id == session_id)
        return pd.DataFrame([tuple(row) for row in self._read(query)], columns=list(COLUMNS))

    def standing(
        self, *, audit_id: str | None = None, session_id: str | None = None, analyst: str | None = None
    ) -> list[Stored]:
        """Verdicts that stand: not undone, and the last by their analyst on their session and posting.

        Parameters
        ----------
        audit_id : str, optional
            ``''``: outside of audits; None: everywhere.
        session_id, analyst : str, optional
            Of one session, of one analyst.

        Returns
        -------
        list of Stored
            In the order accepted. An adjudication stands beside its analyst's own earlier verdict.
        """
        asked = {"audit_id": audit_id, "session_id": session_id, "analyst": analyst}
        given = {name: value for name, value in asked.items() if value is not None}
        return [Stored(row.id, fresh=False, entry=_entry(row)) for row in self._read(_last_said(tuple(given)), given)]

    def is_undone(self, line: Stored) -> bool:
        """Whether a line was taken back; never one that has just been added."""
        undone = select(VERDICT_LOG.c.id).where(VERDICT_LOG.c.undoes == line.id)
        return not line.fresh and bool(self._read(undone))

    def last_id(self) -> int:
        """Number of the newest line; 0 before the first."""
        return int(self._read(select(func.coalesce(func.max(VERDICT_LOG.c.id), 0)))[0][0])

    def sessions_judged(self, analyst: str) -> tuple[frozenset[str], frozenset[str]]:
        """Sessions with a verdict that stands: by anybody, and by this analyst."""
        query = select(VERDICT_LOG.c.session_id, VERDICT_LOG.c.analyst).where(*_standing()).distinct()
        rows = self._read(query)
        anybody = frozenset(str(row.session_id) for row in rows)
        return anybody, frozenset(str(row.session_id) for row in rows if row.analyst == analyst)

    def as_known(self, analyst: str) -> str:
        """Return the name under which this analyst is known: who writes it in other letters is not somebody else."""
        names = union(select(VERDICT_LOG.c.analyst), select(ASSIGNMENTS.c.analyst))
        known = sorted(str(row[0]) for row in self._read(names))
        same = [name for name in known if name.casefold() == analyst.casefold()]
        return analyst if analyst in same or not same else same[0]

    def tally(self, audit_id: str, analyst: str) -> dict[str, int]:
        """How often an analyst's standing verdicts in an audit say what."""
        c = VERDICT_LOG.c
        newest = _newest(("audit_id", "analyst"))
        query = select(c.verdict, func.count().label("n")).where(c.id.in_(newest)).group_by(c.verdict)
        return {str(one.verdict): int(one.n) for one in self._read(query, {"audit_id": audit_id, "analyst": analyst})}

    def last_times(self, audit_id: str, analyst: str, n: int) -> list[datetime]:
        """When an analyst's last `n` verdicts in an audit were given, ascending."""
        c = VERDICT_LOG.c
        mine = and_(c.audit_id == audit_id, c.analyst == analyst, c.action == "verdict", c.origin == "page")
        rows = self._read(select(c.decided_at).where(mine).order_by(c.id.desc()).limit(n))
        return sorted(row.decided_at for row in rows)

    def _read(
        self, query: Select[Any] | CompoundSelect[Any], given: Mapping[str, str] | None = None
    ) -> Sequence[Row[Any]]:
        with reading(self._engine) as connection:
            return connection.execute(query, given or {}).all()


def _standing() -> list[ColumnElement[bool]]:
    return [VERDICT_LOG.c.action == "verdict", VERDICT_LOG.c.id.not_in(UNDONE)]


@cache
def _last_said(asked: tuple[str, ...]) -> Select[Any]:
    """The last standing line of each analyst on each thing, where the columns `asked` have the values given."""
    return select(VERDICT_LOG).where(VERDICT_LOG.c.id.in_(_newest(asked))).order_by(VERDICT_LOG.c.id)


def _newest(asked: tuple[str, ...]) -> Select[Any]:
    """Numbers of those lines."""
    c = VERDICT_LOG.c
    same = [c[name] == bindparam(name) for name in asked]
    key = [c[name] for name in ("audit_id", "session_id", "posting_id", "analyst", "adjudicates")]
    return select(func.max(c.id)).where(*same, *_standing()).group_by(*key)


def _append(connection: Connection, entry: Entry) -> Stored:
    """Add a line; where the token is there already, return the line that has it."""
    added = insert_if_new(connection, VERDICT_LOG, asdict(entry)).returning(VERDICT_LOG.c.id)
    row = connection.execute(added).first()
    if row is not None:
        return Stored(int(row.id), fresh=True, entry=entry)
    known = connection.execute(select(VERDICT_LOG).where(VERDICT_LOG.c.token == entry.token)).first()
    if known is None:  # the other thing that may stand once only
        raise EnvironmentFault("this verdict has been taken back already; reload the page")
    return Stored(int(known.id), fresh=False, entry=_entry(known))


def _with_tokens(connection: Connection, tokens: Sequence[str]) -> dict[str, Stored]:
    """Lines by token, of those tokens that are there."""
    found: dict[str, Stored] = {}
    for begin in range(0, len(tokens), MOST_TOKENS):
        some = select(VERDICT_LOG).where(VERDICT_LOG.c.token.in_(tokens[begin : begin + MOST_TOKENS]))
        found |= {row.token: Stored(int(row.id), fresh=False, entry=_entry(row)) for row in connection.execute(some)}
    return found


def _entry(row: Row[Any]) -> Entry:
    fields = dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's documented way to a row's columns
    del fields["id"]
    return Entry(**fields)

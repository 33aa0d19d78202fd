"""Rows of a file of verdicts, read and checked one by one: what each says, or why it cannot be used."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from valuation.audit.reasons import VerdictReason
from valuation.audit.tokens import GIG_TOKEN
from valuation.errors import InputError
from valuation.imports.cells import as_text
from valuation.verdicts.entries import ID_LENGTH, MAX_PRICE, NOTE_LENGTH, VERDICTS, check_analyst

if TYPE_CHECKING:
    from collections.abc import Collection, Hashable, Mapping

    from valuation.imports.raw import Cell

COLUMNS = (
    "session_id", "posting_id", "verdict", "price_usd", "better_posting_id", "analyst", "decided_at", "note",
)  # fmt: skip
OPTIONAL = frozenset({"posting_id", "price_usd", "better_posting_id", "note"})
EARLIEST = datetime(1995, 1, 1)  # noqa: DTZ001 - times of the log are UTC without a zone
_DISARMED = re.compile(r"'('*[=+\-@\t\r])")
_NUMBER = re.compile(r"[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]{1,3})?")


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a row cannot be used: the column, what stood there, and the code."""

    column: str
    value: str | None
    reason: VerdictReason


@dataclass(frozen=True, slots=True)
class Row:
    """What a row says.

    Attributes
    ----------
    session_id, posting_id, verdict, analyst, note : str
        An empty posting is the session as a whole.
    price_usd : float or None
    better_posting_id : str or None
    decided_at : datetime
        UTC, without a zone.
    """

    session_id: str
    posting_id: str
    verdict: str
    price_usd: float | None
    better_posting_id: str | None
    analyst: str
    decided_at: datetime
    note: str

    @property
    def key(self) -> tuple[str, str, str]:
        """Session, posting and analyst: what one verdict stands for."""
        return self.session_id, self.posting_id, self.analyst


@dataclass(frozen=True, slots=True)
class Asked:
    """What rows are read with.

    Attributes
    ----------
    sessions : mapping of str to str
        Session of each name that a row may call it by: its own id, or its token on an offline page.
    analyst : str or None
        Of rows that name none.
    decided_at : datetime or None
        Of rows that say none; UTC without a zone.
    now : datetime
        UTC without a zone.
    text : bool
        The file is delimited text, whose cells may be disarmed against spreadsheets.
    """

    sessions: Mapping[str, str]
    analyst: str | None
    decided_at: datetime | None
    now: datetime
    text: bool


def read_row(record: Mapping[Hashable, Cell], asked: Asked) -> Row | Fault:
    """Read one row; what it says of postings is checked later, by `placed`."""
    cells = {name: _cell(name, record.get(name), asked) for name in COLUMNS}
    for check in (_session, _verdict, _analyst, _note):
        if (fault := check(cells, asked)) is not None:
            return fault
    price, decided_at = _price(cells["price_usd"]), _time(cells["decided_at"], asked)
    for found in (price, decided_at):
        if isinstance(found, Fault):
            return found
    assert not isinstance(price, Fault) and isinstance(decided_at, datetime)  # noqa: S101 - for the type checker
    return Row(
        session_id=asked.sessions[cells["session_id"] or ""],
        posting_id=cells["posting_id"] or "",
        verdict=cells["verdict"] or "",
        price_usd=price,
        better_posting_id=cells["better_posting_id"],
        analyst=cells["analyst"] or asked.analyst or "",
        decided_at=decided_at,
        note=cells["note"] or "",
    )


def postings_of(row: Row) -> set[str]:
    """Postings that a row names."""
    return {name for name in (row.posting_id, row.better_posting_id) if name}


def placed(row: Row, known: Collection[str], tokens: Mapping[tuple[str, str], str]) -> Row | Fault:
    """Put postings in the place of tokens, and check that the basket has them.

    Parameters
    ----------
    known : collection of str
        Postings of the basket, among those that the files name.
    tokens : mapping of (session_id, token) to posting_id
    """
    posting, better = (
        _resolved(row.session_id, name, known, tokens) for name in (row.posting_id, row.better_posting_id)
    )
    if row.posting_id and posting is None:
        return Fault("posting_id", row.posting_id, VerdictReason.UNKNOWN_POSTING)
    if row.better_posting_id and better is None:
        return Fault("better_posting_id", row.better_posting_id, VerdictReason.UNKNOWN_BETTER)
    return replace(row, posting_id=posting or "", better_posting_id=better)


def _resolved(
    session_id: str, name: str | None, known: Collection[str], tokens: Mapping[tuple[str, str], str]
) -> str | None:
    if not name or name in known:
        return name or None
    return tokens.get((session_id, name)) if GIG_TOKEN.fullmatch(name) else None


def _cell(name: str, cell: Cell, asked: Asked) -> str | None:
    """A cell as text; a leading apostrophe that kept a spreadsheet from running it is taken away again."""
    as_written = isinstance(cell, str) and (
        name == "note" or "\x00" in cell
    )  # a NUL is refused by what is checked later
    text = (cell or None) if as_written else as_text(cell)
    return _DISARMED.sub(r"\1", text, count=1) if text is not None and asked.text and _DISARMED.match(text) else text


def _session(cells: Mapping[str, str | None], asked: Asked) -> Fault | None:
    session = cells["session_id"]
    if session is None:
        return Fault("session_id", None, VerdictReason.NO_SESSION)
    if session not in asked.sessions:
        return Fault("session_id", session, VerdictReason.UNKNOWN_SESSION)
    for column, reason in (
        ("posting_id", VerdictReason.UNKNOWN_POSTING),
        ("better_posting_id", VerdictReason.UNKNOWN_BETTER),
    ):
        name = cells[column] or ""
        if len(name) > ID_LENGTH or "\x00" in name:
            return Fault(column, name, reason)
    return None


def _verdict(cells: Mapping[str, str | None], asked: Asked) -> Fault | None:
    return None if cells["verdict"] in VERDICTS else Fault("verdict", cells["verdict"], VerdictReason.BAD_VERDICT)


def _analyst(cells: Mapping[str, str | None], asked: Asked) -> Fault | None:
    name = cells["analyst"] or asked.analyst
    if name is None:
        return Fault("analyst", None, VerdictReason.NO_ANALYST)
    try:
        check_analyst(name)
    except InputError:
        return Fault("analyst", name, VerdictReason.BAD_ANALYST)
    return None


def _note(cells: Mapping[str, str | None], asked: Asked) -> Fault | None:
    note = cells["note"] or ""
    return Fault("note", note, VerdictReason.BAD_NOTE) if len(note) > NOTE_LENGTH or "\x00" in note else None


def _price(text: str | None) -> float | None | Fault:
    if text is None:
        return None
    value = float(text) if _NUMBER.fullmatch(text) and len(text) <= 40 else math.nan
    return value if 0 < value <= MAX_PRICE else Fault("price_usd", text, VerdictReason.BAD_PRICE)


def _time(text: str | None, asked: Asked) -> datetime | Fault:
    if text is None:
        return asked.decided_at or Fault("decided_at", None, VerdictReason.NO_DATE)
    try:
        value = utc(datetime.fromisoformat(text))
    except (ValueError, OverflowError):
        return Fault("decided_at", text, VerdictReason.BAD_DATE)
    if value < EARLIEST:
        return Fault("decided_at", text, VerdictReason.BAD_DATE)
    return Fault("decided_at", text, VerdictReason.FUTURE_DATE) if value > asked.now + timedelta(days=1) else value


def utc(time: datetime) -> datetime:
    """Return a time in UTC without a zone, as the log keeps it; one without a zone is UTC already."""
    return time if time.tzinfo is None else time.astimezone(UTC).replace(tzinfo=None)

"""A mark beside a run: which of its postings were deleted since, when and why. Outside the run's identity."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from valuation.errors import InputError
from valuation.tables.files import write_text

if TYPE_CHECKING:
    from pathlib import Path

FILE = "withdrawn.json"


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """One deletion that took postings of a run with it.

    Attributes
    ----------
    source : str
    deleted_at : str
        ISO 8601, UTC.
    retention_hours : float
        The limit that was reached.
    postings : int
        Postings of the run's basket that were deleted, or of which a version was.
    match_rows : int
        Rows of ``matches`` that went with them.
    neighbours : int
        Rows that a matched session had when the run was made.
    """

    source: str
    deleted_at: str
    retention_hours: float
    postings: int
    match_rows: int
    neighbours: int

    @property
    def why(self) -> str:
        """The setting that asked for it."""
        return f"sources.{self.source}.retention_hours = {self.retention_hours:g}"


def read_withdrawn(folder: Path) -> tuple[Withdrawal, ...]:
    """Marks of the run in `folder`, oldest first; none for a run that is whole.

    Raises
    ------
    InputError
        The file is damaged.
    """
    path = folder / FILE
    try:
        return tuple(Withdrawal(**one) for one in json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return ()
    except (OSError, ValueError, TypeError) as error:
        raise InputError(f"{path}: not readable ({error}); delete {folder}, then: valuation run") from error


def write_withdrawn(folder: Path, marks: Sequence[Withdrawal]) -> None:
    """Write the marks of the run in `folder`."""
    write_text(folder / FILE, json.dumps([asdict(one) for one in marks], indent=1, sort_keys=True))


def withdrawn_line(marks: Sequence[Withdrawal]) -> str:
    """The marks in one line, ``''`` for none.

    >>> withdrawn_line([Withdrawal("upwork", "2026-11-22T10:00:00+00:00", 24.0, 12, 30, 25)])
    '12 of its postings were deleted on 2026-11-22 by sources.upwork.retention_hours = 24'
    """
    parts = []
    for why in dict.fromkeys(one.why for one in marks):
        mine = [one for one in marks if one.why == why]
        days = sorted({one.deleted_at[:10] for one in mine})
        when = f"on {days[0]}" if len(days) == 1 else f"from {days[0]} to {days[-1]}"
        n = sum(one.postings for one in mine)
        parts.append(f"{n:,} of its postings {'was' if n == 1 else 'were'} deleted {when} by {why}")
    return "; ".join(parts)

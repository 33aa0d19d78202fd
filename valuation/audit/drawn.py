"""What ``valuation audit draw`` returns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from valuation.audit.plan import ExpectedWidth
    from valuation.audit.strata import Stratum

CAVEAT = (
    "an audit corrects the mean of analysts' values, whatever the pricer does, if those who give no value are like the "
    "others and the audit did not tune the pricer; a relative, coarse measure: never a wage, an invoice or a saving"
)


@dataclass(frozen=True, slots=True)
class MonthDrawn:
    """One audited month: its sessions, those matched, and those drawn."""

    month: str
    sessions: int
    matched: int
    drawn: int


@dataclass(frozen=True, slots=True)
class DrawResult:
    """A design, and whether it was written.

    Attributes
    ----------
    audit_id, run_id, settings_hash : str
    folder : Path
    unchanged : bool
        The same draw was there already; nothing was written.
    dry_run : bool
    months : tuple of MonthDrawn
    kind_by : str
        Column that strata go by; ``''`` for none.
    seed : int
    double_share : float
    reviews : int
        Judgements in all: sessions drawn, and those judged twice once more.
    strata : tuple of Stratum
    coarsened : tuple of str
        How strata were made fewer, a line a month.
    expected : tuple of ExpectedWidth
        Of growth from the first to the last month; empty for one month.
    level : float
        Of the intervals.
    caveat : str
    """

    audit_id: str
    run_id: str
    settings_hash: str
    folder: Path
    unchanged: bool
    dry_run: bool
    months: tuple[MonthDrawn, ...]
    kind_by: str
    seed: int
    double_share: float
    reviews: int
    strata: tuple[Stratum, ...]
    coarsened: tuple[str, ...]
    expected: tuple[ExpectedWidth, ...]
    level: float
    caveat: str = CAVEAT

    def text(self) -> str:
        """Lines for a person."""
        from valuation.audit.draw_text import draw_text

        return draw_text(self)

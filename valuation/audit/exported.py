"""What ``valuation audit export`` returns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

LEAVES = (
    "this page holds texts of sessions and of gigs, with money, links and dates masked: whoever has the file can read "
    "them. Delete it when its verdicts are imported"
)


@dataclass(frozen=True, slots=True)
class AuditExport:
    """What was written.

    Attributes
    ----------
    audit_id : str
    out : Path
    files : tuple of str
        Names in `out`.
    verdicts, adjudications, lines : int
        Standing verdicts, those of them that settle others, and lines of the whole log.
    sessions : int
        Sessions on the offline page; 0 without one.
    warning : str
        What leaves the workspace with the page; ``''`` without one.
    """

    audit_id: str
    out: Path
    files: tuple[str, ...]
    verdicts: int
    adjudications: int
    lines: int
    sessions: int
    warning: str

    def text(self) -> str:
        """Lines for a person."""
        from valuation.audit.draw_text import wrapped

        counts = f"{self.verdicts:,} verdicts, {self.adjudications:,} adjudications, {self.lines:,} lines of the log"
        parts = [f"audit {self.audit_id}: {counts}", "\n".join(f"  {name}" for name in self.files)]
        if self.warning:
            parts.append(wrapped(f"{self.sessions:,} sessions to judge offline: {self.warning}"))
            parts.append(f"next: valuation audit import {self.audit_id} FILE --analyst NAME")
        return "\n".join([*parts, str(self.out)])

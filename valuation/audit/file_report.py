"""What became of one file's verdicts: rows set aside written down, the others counted."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from valuation.audit.imported import VerdictFile, WhySetAside
from valuation.audit.reasons import MEANINGS, VerdictReason
from valuation.audit.set_aside import SetAside, write_set_aside
from valuation.audit.verdict_rows import COLUMNS
from valuation.imports.reasons import excerpt

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from valuation.audit.verdict_rows import Fault
    from valuation.imports.raw import BrokenRow, RawTable, Source
    from valuation.storage import Layout


def file_report(
    layout: Layout, audit_id: str, source: Source, raw: RawTable, faults: Mapping[int, Fault], *, kept: int, key: str
) -> VerdictFile:
    """Write the rows that were set aside, and count.

    Parameters
    ----------
    faults : mapping of int to Fault
        By position in the file's frame.
    kept : int
        Rows that went into the log now.
    key : str
        What the import's id is made of, besides the audit and the file.
    """
    import_id = hashlib.sha256(f"{audit_id}\n{source.sha256}\n{key}".encode()).hexdigest()[:16]
    aside = [
        SetAside(int(raw.rows[at]), fault.column, fault.value, *MEANINGS[fault.reason], fault.reason, at)
        for at, fault in sorted(faults.items())
    ]
    path = write_set_aside(layout, audit_id, import_id, source.name, raw, aside)
    rows_in, n_aside = len(raw.frame) + len(raw.broken), len(aside) + len(raw.broken)
    return VerdictFile(
        file=source.name,
        import_id=import_id,
        rows_in=rows_in,
        kept=kept,
        already_there=rows_in - kept - n_aside,
        quarantined=n_aside,
        reasons=_reasons(aside, raw.broken),
        set_aside=None if path is None else str(path),
        not_read=tuple(str(name) for name in raw.frame.columns if name not in COLUMNS),
        notes=raw.notes,
    )


def _reasons(aside: Sequence[SetAside], broken: Sequence[BrokenRow]) -> tuple[WhySetAside, ...]:
    """Count by code; the first row of each stands for the others."""
    found = [(one.reason.value, one.row, one.column, one.value) for one in aside]
    found += [(VerdictReason.UNREADABLE_ROW.value, one.row, "", one.content) for one in broken]
    by_code: dict[str, list[tuple[str, int, str, str | None]]] = {}
    for one in found:
        by_code.setdefault(one[0], []).append(one)
    reasons = []
    for code, rows in by_code.items():
        _, row, column, value = min(rows, key=lambda one: one[1])
        reasons.append(WhySetAside(code, len(rows), row, column, excerpt(value)))
    return tuple(sorted(reasons, key=lambda one: (-one.rows, one.code)))

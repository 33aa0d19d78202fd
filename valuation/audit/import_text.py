"""What ``valuation audit import`` prints for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from valuation.audit.draw_text import wrapped
from valuation.audit.reasons import MEANINGS, VerdictReason
from valuation.pipeline.plain import plain

if TYPE_CHECKING:
    from valuation.audit.imported import VerdictFile, VerdictImport, WhySetAside


def import_text(result: VerdictImport) -> str:
    """Counts of each file, reasons, and what to do next."""
    parts = [_file(file) for file in result.files]
    if len(result.files) > 1:
        parts.append(f"all {len(result.files)} files\n{_counts(result)}")
    what = "adjudication" if result.adjudicated else "verdict"
    parts.append(f"{result.kept:,} {what}{'' if result.kept == 1 else 's'} added to audit {result.audit_id}")
    return "\n\n".join(parts)


def _file(file: VerdictFile) -> str:
    lines = [plain(file.file, 78), _counts(file)]
    lines += [wrapped(_reason(one)) for one in file.reasons]
    if file.set_aside:
        lines += [f"set aside in {file.set_aside}", "see them: valuation quarantine show verdicts"]
    lines += [wrapped(f"note: {plain(note, 200)}") for note in file.notes]
    if file.not_read:
        lines.append(wrapped(f"columns not read: {', '.join(plain(name, 40) for name in file.not_read)}"))
    return "\n".join(lines)


def _reason(one: WhySetAside) -> str:
    expected, wrong = MEANINGS[VerdictReason(one.code)]
    stood = f", {one.column}" if one.column else ""
    value = "" if one.value is None else f" {plain(one.value, 60)!a}"
    return f"{one.rows:8,d}  {one.code}: {wrong}; expected {expected}; first in row {one.first_row}{stood}{value}"


def _counts(counted: VerdictFile | VerdictImport) -> str:
    pairs = [
        ("rows in", counted.rows_in),
        ("kept", counted.kept),
        ("already there", counted.already_there),
        ("set aside", counted.quarantined),
    ]
    return "\n".join(f"{name:14s}{count:10,d}" for name, count in pairs)

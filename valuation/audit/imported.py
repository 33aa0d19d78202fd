"""What ``valuation audit import`` returns."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class VerdictFile:
    """What one file brought; ``rows_in = kept + already_there + quarantined``.

    Attributes
    ----------
    file, import_id : str
    rows_in, kept, already_there, quarantined : int
    reasons : tuple of (str, int)
        Codes of the rows set aside, the most frequent first.
    set_aside : str or None
        The table that holds them.
    not_read : tuple of str
        Columns of the file that no verdict has.
    notes : tuple of str
        Encoding, delimiter and what else was assumed.
    """

    file: str
    import_id: str
    rows_in: int
    kept: int
    already_there: int
    quarantined: int
    reasons: tuple[tuple[str, int], ...]
    set_aside: str | None
    not_read: tuple[str, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class VerdictImport:
    """An import of verdicts; ``rows_in = kept + already_there + quarantined``."""

    audit_id: str
    adjudicated: bool
    rows_in: int
    kept: int
    already_there: int
    quarantined: int
    files: tuple[VerdictFile, ...]

    def text(self) -> str:
        """Lines for a person."""
        from valuation.audit.import_text import import_text

        return import_text(self)

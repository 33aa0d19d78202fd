"""What ``valuation audit import`` returns."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class WhySetAside:
    """One reason why rows of a file were set aside, with the first row that it holds for.

    Attributes
    ----------
    code : str
    rows : int
        How many.
    first_row : int
        Line or row of the file, as a person counts them there.
    column : str
        What was looked at; ``''`` for the row as a whole.
    value : str or None
        What stood there.
    """

    code: str
    rows: int
    first_row: int
    column: str
    value: str | None


@dataclass(frozen=True, slots=True)
class VerdictFile:
    """What one file brought; ``rows_in = kept + already_there + quarantined``.

    Attributes
    ----------
    file, import_id : str
    rows_in, kept, already_there, quarantined : int
    reasons : tuple of WhySetAside
        The most frequent first.
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
    reasons: tuple[WhySetAside, ...]
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

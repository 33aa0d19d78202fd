"""What an import did, as plain data that a command prints or dumps as JSON."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class FileReport:
    """One file's import. ``rows_in = kept + merged + quarantined``.

    Attributes
    ----------
    file : str
        The file's or folder's name.
    import_id : str
        Hash of content, mapping and exchange rates.
    rows_in, kept, merged, quarantined : int
        Rows read; new in the workspace; same as (or a newer version of) a row that is there; set aside.
    unchanged : bool
        The same file with the same mapping is already here: nothing was written.
    columns : tuple of (ours, theirs)
        Where each field came from; a constant is written ``= value``.
    guessed : bool
        The columns were guessed, not mapped.
    reasons : tuple of (reason, rows)
        Quarantined rows by reason, most frequent first.
    parsed_forms, unparsed_forms : tuple of (form, rows)
        Price texts with digits replaced by 9, those that gave a price and those that did not.
    notes : tuple of str
        What else a reader should know: encoding, sheet, assumed time zone, constants, ids that were not kept.
    not_read : tuple of str
        The file's columns that nothing was taken from.
    """

    file: str
    import_id: str
    rows_in: int
    kept: int
    merged: int
    quarantined: int
    unchanged: bool
    columns: tuple[tuple[str, str], ...]
    guessed: bool
    reasons: tuple[tuple[str, int], ...]
    parsed_forms: tuple[tuple[str, int], ...]
    unparsed_forms: tuple[tuple[str, int], ...]
    notes: tuple[str, ...]
    not_read: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ImportReport:
    """All files of one call."""

    kind: str
    dry_run: bool
    files: tuple[FileReport, ...]

    @property
    def rows_in(self) -> int:
        """Rows read, over all files."""
        return sum(file.rows_in for file in self.files)

    @property
    def kept(self) -> int:
        """Rows that are new, over all files."""
        return sum(file.kept for file in self.files)

    @property
    def merged(self) -> int:
        """Rows merged with one that is there, over all files."""
        return sum(file.merged for file in self.files)

    @property
    def quarantined(self) -> int:
        """Rows set aside, over all files."""
        return sum(file.quarantined for file in self.files)

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return asdict(self)

"""A file's rows before anything is made of them."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from valuation.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

HALVES = re.compile("[\ud800-\udfff]")
Cell = Any  # str, number, bool, date or None, as the format gives it


@dataclass(frozen=True, slots=True)
class BrokenRow:
    """A row that does not fit the header, or is no JSON object.

    Attributes
    ----------
    row : int
        1-based, header not counted.
    content : str
        What stood there.
    message : str
        What is wrong with it.
    """

    row: int
    content: str
    message: str


@dataclass(frozen=True, slots=True)
class RawTable:
    """Rows of a file with their names.

    Attributes
    ----------
    frame : DataFrame
        Columns as the file names them; cells str, number, bool, datetime or None.
    rows : tuple of int
        1-based row number of each row of `frame`, header not counted.
    broken : tuple of BrokenRow
        Rows that could not be read.
    delimiter : str
        Of delimited text; ``''`` for other formats.
    notes : tuple of str
        Encoding, sheet and what else was assumed.
    """

    frame: pd.DataFrame
    rows: tuple[int, ...]
    broken: tuple[BrokenRow, ...]
    delimiter: str
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Source:
    """A file's name and bytes."""

    name: str
    content: bytes

    @property
    def sha256(self) -> str:
        """Hash of the bytes."""
        return hashlib.sha256(self.content).hexdigest()


def object_frame(records: Sequence[dict[str, Cell]]) -> pd.DataFrame:
    """Frame of dicts with all columns of type object, in order of first appearance; missing is None."""
    names = list(dict.fromkeys(name for record in records for name in record))
    return pd.DataFrame(
        {_whole(name): pd.Series([_whole(record.get(name)) for record in records], dtype=object) for name in names},
        index=pd.RangeIndex(len(records)),
    )


def _whole(cell: Cell) -> Cell:
    """Text without the halves of characters that JSON can hold and no table can: each becomes U+FFFD."""
    if not isinstance(cell, str) or not HALVES.search(cell):
        return cell
    return cell.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def table_from_grid(
    grid: Sequence[Sequence[Cell]], *, name: str, header_rows: int | None, skip_rows: int | None, delimiter: str = "",
    notes: tuple[str, ...] = (),
) -> RawTable:  # fmt: skip
    """Find the header in a grid of cells and name the columns.

    Raises
    ------
    InputError
        No row below the header, or a header that names columns twice or not at all.
    """
    filled = [(number, list(row)) for number, row in enumerate(grid, start=1) if any(not _blank(c) for c in row)]
    if skip_rows is not None:
        filled = [(number, row) for number, row in filled if number > skip_rows]
    else:
        skipped = _title_rows([row for _, row in filled])
        notes += (f"{skipped} title row(s) above the header skipped",) if skipped else ()
        filled = filled[skipped:]
    depth = header_rows or 1
    if len(filled) <= depth:
        raise InputError(f"{name}: no rows below the header; is it the right file, or sheet?")
    names = _names([row for _, row in filled[:depth]], [row for _, row in filled[depth:]], name, header_rows)
    return _body(filled[depth:], names, delimiter, notes)


def _body(
    filled: Sequence[tuple[int, list[Cell]]], names: Sequence[str], delimiter: str, notes: tuple[str, ...]
) -> RawTable:
    """Rows under the header; those with another number of fields are broken."""
    good: list[tuple[int, list[Cell]]] = []
    broken: list[BrokenRow] = []
    for row, (_, cells) in enumerate(filled, start=1):
        surplus = cells[len(names) :]
        if (delimiter and len(cells) != len(names)) or any(not _blank(cell) for cell in surplus):
            wrong = f"expected {len(names)} fields, got {len(cells)}"
            broken.append(BrokenRow(row, delimiter.join("" if c is None else str(c) for c in cells), wrong))
        else:
            good.append((row, cells[: len(names)] + [None] * (len(names) - len(cells))))
    data = {
        column: pd.Series([cells[place] for _, cells in good], dtype=object)
        for place, column in enumerate(names)
        if column
    }
    frame = pd.DataFrame(data, index=pd.RangeIndex(len(good)))
    return RawTable(frame, tuple(row for row, _ in good), tuple(broken), delimiter, notes)


def _blank(cell: Cell) -> bool:
    return cell is None or (isinstance(cell, str) and not cell.strip())


def _title_rows(rows: Sequence[Sequence[Cell]]) -> int:
    """Leading rows with a single filled cell, above rows with more: titles, not headers."""
    widths = [sum(not _blank(cell) for cell in row) for row in rows[:20]]
    if not widths or max(widths) < 2:
        return 0
    count = next((place for place, width in enumerate(widths) if width > 1), 0)
    return count if max(widths[count:]) >= 2 else 0


def _names(
    header: Sequence[Sequence[Cell]], body: Sequence[Sequence[Cell]], name: str, header_rows: int | None
) -> list[str]:
    """One name a column; ``''`` for an empty column without a name."""
    width = max(len(row) for row in header)
    lines = [[_label(row[place]) if place < len(row) else "" for place in range(width)] for row in header]
    for line in lines[:-1]:  # merged cells: the name stands over its first column only
        for place in range(1, width):
            line[place] = line[place] or line[place - 1]
    names = [" ".join(dict.fromkeys(line[place] for line in lines if line[place])) for place in range(width)]
    used = [any(place < len(row) and not _blank(row[place]) for row in body[:1000]) for place in range(width)]
    if names and not names[0] and used[0] and width > 1:
        names[0] = "column 1"  # the row numbers that data frames write
    names = [label if label or not used[place] else "" for place, label in enumerate(names)]
    _refuse_bad_names(names, used, name, header_rows)
    return names


def _refuse_bad_names(names: Sequence[str], used: Sequence[bool], name: str, header_rows: int | None) -> None:
    """Refuse a header that leaves columns without a name of their own."""
    nameless = [place + 1 for place, label in enumerate(names) if not label and used[place]]
    doubles = [label for label, count in Counter(label for label in names if label).items() if count > 1]
    if not (nameless or doubles):
        return
    what = f"column {nameless[0]} has no name" if nameless else f"two columns are named {doubles[0][:40]!r}"
    if header_rows is None:
        raise InputError(
            f"{name}: {what}; if the header has two rows, write this line under [options] in a mapping: "
            "header_rows = 2 (and skip_rows = N for rows above it)"
        )
    raise InputError(f"{name}: {what} with header_rows = {header_rows}; name each column once")


def _label(cell: Cell) -> str:
    return "" if _blank(cell) else re.sub(r"\s+", " ", str(cell)).strip()

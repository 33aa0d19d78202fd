"""Single keys out of a long sorted Parquet table: only the row groups that can hold a key are decoded.

A run's tables are ordered by session_id, so the smallest and largest key of each row group say where a session lies.
Memory holds those bounds and the rows asked for last, whatever the table's length.
"""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from valuation.errors import InputError
from valuation.tables.schemas import validate

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from valuation.tables.schemas import Table

ROW_GROUP = 8_192
"""Rows a row group where single sessions are looked up: 5 ms each in 20 million rows, and a footer of 4 MB."""
LARGE = 65_536  # rows; a longer row group, as runs had before, is read in stretches of this many
KEPT_BYTES = 16_000_000  # of rows asked for last


@dataclass(slots=True)
class _Open:
    """An opened file: its mark, the bounds in bytes of its row groups that hold rows, ascending, and their numbers."""

    mark: tuple[int, int, int]
    file: pq.ParquetFile
    first: list[bytes]
    last: list[bytes]
    groups: list[int]
    sizes: list[int]
    kept: OrderedDict[str, pa.Table] = field(default_factory=OrderedDict)
    kept_bytes: int = 0


class SortedTable:
    """Random access by key to a Parquet table that is ordered by it, in the byte order of UTF-8.

    One object serves any number of threads. A file that is replaced meanwhile, as a deletion of postings does, is
    opened anew at the next call.

    Parameters
    ----------
    path : Path
    key : str
        A column of strings; its rows lie together and in order.
    schema : type of Table, optional
        Checked once, for columns and types: a lookup does not check values again.

    Raises
    ------
    InputError
        The file is missing or damaged, lacks the key, is not what `schema` says, or is not in order.
    """

    def __init__(self, path: Path, key: str, schema: type[Table] | None = None) -> None:
        self.path = path
        self.key = key
        self._schema = schema
        self._lock = threading.Lock()
        self._open = self._opened()

    def __len__(self) -> int:
        """Rows of the table."""
        return sum(self._current().sizes)

    def rows(self, key: str) -> pd.DataFrame:
        """Rows of one key, in the file's order and with the types that `read_table` gives; none for an unknown key.

        Raises
        ------
        InputError
            The file is gone, was damaged since, or is not in order.
        """
        return self.rows_of([key])

    def rows_of(self, keys: Iterable[str]) -> pd.DataFrame:
        """Rows of several keys, in the file's order; each row group is decoded once."""
        frame: pd.DataFrame = self._tables_of(keys).to_pandas()
        return frame

    def lists_of(self, key: str) -> dict[str, list[Any]]:
        """Rows of one key as plain lists by column: a tenth of the time that a DataFrame takes to be made."""
        found: dict[str, list[Any]] = self._tables_of([key]).to_pydict()
        return found

    def _tables_of(self, keys: Iterable[str]) -> pa.Table:
        with self._lock:
            open_ = self._current()
            wanted = sorted({one for one in keys if _encodable(one)})
            found = {one: open_.kept[one] for one in wanted if one in open_.kept}
            missing = [one for one in wanted if one not in found]
            if missing:
                for one, rows in self._read(open_, missing).items():
                    found[one] = rows
                    _keep(open_, one, rows)
            for one in wanted:
                open_.kept.move_to_end(one) if one in open_.kept else None
        tables = [found[one] for one in wanted] or [open_.file.schema_arrow.empty_table()]
        return pa.concat_tables(tables)

    def _current(self) -> _Open:
        """The file as it is on disk now."""
        if self._mark() != self._open.mark:
            old, self._open = self._open, self._opened()
            old.file.close()
        return self._open

    def _mark(self) -> tuple[int, int, int]:
        try:
            state = self.path.stat()
        except OSError as error:
            raise InputError(f"{self.path}: no such table; has the step that writes it run?") from error
        return state.st_ino, state.st_mtime_ns, state.st_size

    def _opened(self) -> _Open:
        """Open the file, and find the bounds of its row groups."""
        mark = self._mark()
        try:
            file = pq.ParquetFile(self.path)
            self._check(file)
            sizes = [file.metadata.row_group(group).num_rows for group in range(file.num_row_groups)]
            groups = [group for group, size in enumerate(sizes) if size]
            at = file.metadata.schema.names.index(self.key)
            bounds = [_stated(file, group, at) or self._looked_up(file, group) for group in groups]
            self._check_order(file, groups, bounds)
        except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
            raise self._damaged(error) from error
        return _Open(mark, file, [one[0] for one in bounds], [one[1] for one in bounds], groups, sizes)

    def _check_order(self, file: pq.ParquetFile, groups: list[int], bounds: list[tuple[bytes, bytes]]) -> None:
        """Refuse row groups that go back; statistics may be rounded outwards, so the keys are looked at first."""
        for at in range(1, len(bounds)):
            if bounds[at - 1][1] > bounds[at][0]:
                bounds[at - 1 : at + 1] = (self._looked_up(file, groups[one]) for one in (at - 1, at))
            if bounds[at - 1][1] > bounds[at][0]:
                raise self._unsorted(bounds[at - 1][1], bounds[at][0])

    def _check(self, file: pq.ParquetFile) -> None:
        """Refuse a table without the key, or of other columns than its schema's."""
        columns = file.schema_arrow
        if self.key not in columns.names:
            raise InputError(f"{self.path}: no column {self.key}; its columns are {', '.join(columns.names)[:200]}")
        if not (
            pa.types.is_string(columns.field(self.key).type) or pa.types.is_large_string(columns.field(self.key).type)
        ):
            raise InputError(f"{self.path}: column {self.key} is {columns.field(self.key).type}; expected strings")
        if self._schema is not None:
            validate(columns.empty_table().to_pandas(), self._schema, where=str(self.path))

    def _looked_up(self, file: pq.ParquetFile, group: int) -> tuple[bytes, bytes]:
        """Bounds of a row group from its keys."""
        found = pc.min_max(file.read_row_group(group, columns=[self.key]).column(self.key))
        return str(found["min"]).encode(), str(found["max"]).encode()

    def _read(self, open_: _Open, keys: list[str]) -> dict[str, pa.Table]:
        """Rows of each of some keys, in order."""
        parts: dict[str, list[pa.Table]] = {one: [] for one in keys}
        wanted: dict[int, list[str]] = {}
        for one in keys:
            for group in _candidates(open_, one.encode()):
                wanted.setdefault(group, []).append(one)
        try:
            for group, here in sorted(wanted.items()):
                for table in _stretches(open_, group):
                    column = self._in_order(table)
                    for one in here:
                        begin, end = _place(column, one)
                        if end > begin:
                            parts[one].append(table.take(np.arange(begin, end)))
                    if str(column[-1]) > here[-1]:
                        break
        except (pa.ArrowException, OSError) as error:
            raise self._damaged(error) from error
        empty = open_.file.schema_arrow.empty_table()
        return {one: pa.concat_tables(some) if some else empty for one, some in parts.items()}

    def _in_order(self, table: pa.Table) -> pa.Array:
        """The key of decoded rows, which must not fall."""
        column = table.column(self.key).combine_chunks()
        falls = pc.greater(column[:-1], column[1:])
        if column.null_count or pc.any(falls).as_py():
            at = 0 if column.null_count else pc.index(falls, True).as_py()
            raise self._unsorted(str(column[at]).encode(), str(column[min(at + 1, len(column) - 1)]).encode())
        return column

    def _unsorted(self, before: bytes, after: bytes) -> InputError:
        shown = [one.decode("utf-8", "replace")[:60] for one in (before, after)]
        return InputError(
            f"{self.path}: {self.key} {shown[1]!a} follows {shown[0]!a}; expected rows in the order of {self.key}, as "
            "a run writes them"
        )

    def _damaged(self, error: Exception) -> InputError:
        return InputError(f"{self.path}: not readable as Parquet: {(str(error).splitlines() or [''])[0][:200]}")


def _stated(file: pq.ParquetFile, group: int, column: int) -> tuple[bytes, bytes] | None:
    """Bounds of a row group as its statistics give them; None where they give none."""
    statistics = file.metadata.row_group(group).column(column).statistics
    if statistics is None or not statistics.has_min_max:
        return None
    try:
        lower, upper = statistics.min, statistics.max
    except UnicodeDecodeError:  # cut within a character
        return None
    if not (isinstance(lower, str) and isinstance(upper, str)):
        return None
    return lower.encode(), upper.encode()


def _candidates(open_: _Open, key: bytes) -> Iterator[int]:
    """Row groups that can hold a key; a largest key that was cut short without rounding up still counts."""
    group = bisect_left(open_.last, key)
    while group > 0 and key.startswith(open_.last[group - 1]):
        group -= 1
    while group < len(open_.first) and open_.first[group] <= key:
        yield open_.groups[group]
        group += 1


def _stretches(open_: _Open, group: int) -> Iterator[pa.Table]:
    """Rows of a row group, at most `LARGE` at once."""
    if open_.sizes[group] <= LARGE:
        yield open_.file.read_row_group(group, use_threads=False)
        return
    for batch in open_.file.iter_batches(batch_size=LARGE, row_groups=[group], use_threads=False):
        yield pa.Table.from_batches([batch], schema=open_.file.schema_arrow)


def _place(column: pa.Array, key: str) -> tuple[int, int]:
    """First row of a key, and the row after its last."""
    found = pc.equal(column, key)
    begin = pc.index(found, True).as_py()
    return (0, 0) if begin < 0 else (begin, begin + int(pc.sum(found).as_py()))


def _keep(open_: _Open, key: str, rows: pa.Table) -> None:
    """Remember rows; those not asked for the longest go first."""
    open_.kept[key] = rows
    open_.kept_bytes += rows.nbytes + len(key)
    while open_.kept_bytes > KEPT_BYTES:
        old, table = open_.kept.popitem(last=False)
        open_.kept_bytes -= table.nbytes + len(old)


def _encodable(key: str) -> bool:
    """Whether a key can be in a file at all: half a character cannot."""
    try:
        key.encode()
    except UnicodeEncodeError:
        return False
    return True

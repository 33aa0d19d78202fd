"""Partitioned tables written piece by piece: some of a table's parts replaced at once, whatever their size."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Self

import pyarrow as pa
import pyarrow.parquet as pq

from valuation.errors import EnvironmentFault
from valuation.tables.files import write_text
from valuation.tables.partitions import JOURNAL, NEXT, PART, finish_write, in_order
from valuation.tables.schemas import validate

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

    import pandas as pd

    from valuation.tables.schemas import Table


class PartsWriter:
    """Replaces all parts below one value of a table's first key, such as ``source=github``; others are not touched.

    Rows may come in any number of pieces, in the order they are to stand in; memory holds one piece. Nothing is
    replaced before `commit`; without it everything is as it was.

    Parameters
    ----------
    folder : Path
        The table's.
    schema : type of Table
    keys : (str, str)
        Columns that are folders.
    value : str
        Of the first key.
    """

    def __init__(self, folder: Path, schema: type[Table], keys: tuple[str, str], value: str) -> None:
        self._folder = folder
        self._schema = schema
        self._keys = keys
        self._value = value
        self._open: dict[str, pq.ParquetWriter] = {}

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        """Drop what was not committed."""
        for writer in self._open.values():
            writer.close()
        if (self._folder / JOURNAL).exists():
            return  # a commit that was cut short: the next writer finishes it with what lies here
        for left in self._below().glob(f"*/{NEXT}"):
            left.unlink(missing_ok=True)

    def _below(self) -> Path:
        return self._folder / f"{self._keys[0]}={self._value}"

    def _next(self, value: str) -> Path:
        return self._below() / f"{self._keys[1]}={value}" / NEXT

    def add(self, rows: pd.DataFrame) -> None:
        """Append rows to their parts.

        Raises
        ------
        InputError
            They do not obey the schema.
        EnvironmentFault
            They cannot be written.
        """
        checked = validate(in_order(rows, self._schema), self._schema, where=self._folder.name)
        try:
            for value, part in checked.groupby(self._keys[1], sort=True):
                table = pa.Table.from_pandas(part.drop(columns=list(self._keys)), preserve_index=False)
                self._writer(str(value), table.schema).write_table(table)
        except OSError as error:
            raise EnvironmentFault(f"{self._folder}: cannot be written: {error.strerror}") from error

    def _writer(self, value: str, schema: pa.Schema) -> pq.ParquetWriter:
        if value not in self._open:
            path = self._next(value)
            path.parent.mkdir(parents=True, exist_ok=True)
            self._open[value] = pq.ParquetWriter(path, schema, compression="zstd")
        return self._open[value]

    def commit(self) -> None:
        """Move the new parts into place, all or none; a part that does not change keeps its bytes.

        Raises
        ------
        EnvironmentFault
            They cannot be moved; the next writer finishes it.
        """
        fresh, wanted = [], set()
        for value, writer in sorted(self._open.items()):
            writer.close()
            new = self._next(value)
            part = new.with_name(PART)
            wanted.add(part)
            if part.exists() and part.read_bytes() == new.read_bytes():
                new.unlink()
            else:
                fresh.append(part)
        self._open.clear()
        stale = [part for part in sorted(self._below().glob(f"{self._keys[1]}=*/{PART}")) if part not in wanted]
        if fresh or stale:
            named = {
                "fresh": [path.relative_to(self._folder).as_posix() for path in fresh],
                "stale": [path.relative_to(self._folder).as_posix() for path in stale],
            }
            write_text(self._folder / JOURNAL, json.dumps(named))
            finish_write(self._folder)

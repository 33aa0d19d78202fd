"""Parquet in and out: written to a temporary name, fsynced and renamed, so that no reader sees half a file."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
from typing import TYPE_CHECKING

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from valuation.errors import EnvironmentFault, InputError
from valuation.tables.schemas import validate

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from valuation.tables.schemas import Table


def write_atomic(path: Path, write: Callable[[Path], None]) -> None:
    """Let `write` fill a temporary file beside `path`, then move it into place.

    Parameters
    ----------
    path : Path
        Final name; its folder is made if missing.
    write : callable
        Called with the temporary path, which keeps `path`'s suffix.

    Raises
    ------
    EnvironmentFault
        No space, no permission or a read-only disk; nothing under `path` has changed.
    """
    temporary: Path | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".tmp-{secrets.token_hex(8)}{path.suffix}")
        os.close(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666))  # as the user's umask allows
        write(temporary)
        _fsync(temporary)
        temporary.replace(path)
        _fsync(path.parent)
    except OSError as error:
        reason = "no space left on the disk" if error.errno == errno.ENOSPC else error.strerror or str(error)
        raise EnvironmentFault(f"{path}: cannot be written: {reason}; nothing was changed there") from error
    finally:
        if temporary is not None:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text atomically."""

    def write(to: Path) -> None:
        to.write_text(text, encoding="utf-8")

    write_atomic(path, write)


def _fsync(path: Path) -> None:
    """Push a file's, or a folder's, content to the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_table(frame: pd.DataFrame, path: Path, schema: type[Table], *, rows_a_group: int | None = None) -> None:
    """Check `frame` against `schema` and write it atomically; the same frame gives the same bytes.

    Parameters
    ----------
    rows_a_group : int, optional
        Rows that a reader must decode at once: few (`valuation.tables.lookup.ROW_GROUP`) where single rows are looked
        up. Parquet's default is about a million.
    """
    checked = validate(frame, schema, where=path.name)
    table = pa.Table.from_pandas(checked, preserve_index=False)
    write_atomic(path, lambda to: pq.write_table(table, to, compression="zstd", row_group_size=rows_a_group))


def read_table(path: Path, schema: type[Table]) -> pd.DataFrame:
    """Read a table and check it.

    Raises
    ------
    InputError
        The file is missing, is not Parquet, or does not obey the schema.
    """
    try:
        frame = pq.ParquetFile(path).read().to_pandas()
    except FileNotFoundError:
        raise InputError(f"{path}: no such table; has the step that writes it run?") from None
    except (pa.ArrowInvalid, OSError) as error:
        raise InputError(f"{path}: not readable as Parquet: {str(error).splitlines()[0]}") from error
    return validate(frame, schema, where=str(path))

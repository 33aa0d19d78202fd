"""Partitioned tables: ``key=value/…/part.parquet``, replaced all at once or not at all.

A replacement is prepared beside the parts, named in a journal, and only then moved into place. A process killed before
the journal changes nothing; one killed after it is finished by `finish_write`, which the next writer calls first.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from valuation.errors import EnvironmentFault, InputError
from valuation.tables.files import write_atomic, write_text
from valuation.tables.schemas import empty, validate

if TYPE_CHECKING:
    from valuation.tables.schemas import Table

PART = "part.parquet"
NEXT = "next.parquet"
JOURNAL = ".journal.json"


def _parts(folder: Path, depth: int, first: str = "*=*") -> list[Path]:
    return sorted(folder.glob("/".join([first, *("*=*" for _ in range(depth - 1))]) + f"/{PART}"))


def read_partitions(
    folder: Path, schema: type[Table], keys: tuple[str, ...], order: str | list[str], *, only: str | None = None
) -> pd.DataFrame:
    """Concatenate the parts below `folder`, with the partition's keys as columns, and check the whole.

    With `only`, the parts of that value of the first key.

    Raises
    ------
    InputError
        A part is damaged, or the whole does not obey the schema.
    """
    frames = []
    for part in _parts(folder, len(keys), "*=*" if only is None else f"{keys[0]}={only}"):
        values = dict(piece.split("=", 1) for piece in part.relative_to(folder).parts[:-1])
        try:
            frame = pq.ParquetFile(part).read().to_pandas()
        except (pa.ArrowException, OSError) as error:
            raise InputError(f"{part}: not readable as Parquet: {str(error).splitlines()[0]}") from error
        frames.append(frame.assign(**{key: pd.Series(values[key], index=frame.index, dtype="str") for key in keys}))
    if not frames:
        return empty(schema)
    whole = pd.concat(frames, ignore_index=True).sort_values(order, kind="stable", ignore_index=True)
    return validate(in_order(whole, schema), schema, where=str(folder))


def in_order(frame: pd.DataFrame, schema: type[Table]) -> pd.DataFrame:
    """The schema's columns in its order, then attributes by name: one table has one sequence of bytes."""
    named = list(schema.to_schema().columns)
    extra = sorted(column for column in frame.columns if column not in named)
    return frame[[column for column in named if column in frame.columns] + extra]


def write_partitions(frame: pd.DataFrame, folder: Path, schema: type[Table], keys: tuple[str, ...], order: str) -> None:
    """Replace the parts below `folder` by `frame`, ordered by `order`.

    Raises
    ------
    InputError
        The frame does not obey the schema.
    EnvironmentFault
        It cannot be written; the table is as it was.
    """
    checked = validate(in_order(frame, schema), schema, where=folder.name).sort_values(order, kind="stable")
    wanted, fresh = set(), []
    for values, part in checked.groupby(list(keys), sort=True):
        path = folder.joinpath(*(f"{key}={value}" for key, value in zip(keys, values, strict=True)), PART)
        wanted.add(path)
        table = pa.Table.from_pandas(part.drop(columns=list(keys)), preserve_index=False)
        if not (path.exists() and _same(path, table)):
            _write_next(path.with_name(NEXT), table)
            fresh.append(path)
    stale = [path for path in _parts(folder, len(keys)) if path not in wanted]
    journal = {
        "fresh": [path.relative_to(folder).as_posix() for path in fresh],
        "stale": [path.relative_to(folder).as_posix() for path in stale],
    }
    if fresh or stale:
        write_text(folder / JOURNAL, json.dumps(journal))
        finish_write(folder)


def _write_next(path: Path, table: pa.Table) -> None:
    def write(to: Path) -> None:
        pq.write_table(table, to, compression="zstd")

    write_atomic(path, write)


def finish_write(folder: Path) -> None:
    """Carry out what a journal names, if there is one; done twice, it does no more than once.

    Raises
    ------
    EnvironmentFault
        The parts cannot be moved; the journal stays, and the next writer tries again.
    """
    journal = folder / JOURNAL
    try:
        fresh, stale = _journalled(journal)
    except FileNotFoundError:
        return
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise EnvironmentFault(f"{journal}: not readable ({error}); restore the folder from a copy") from error
    try:
        for path in fresh:
            with contextlib.suppress(FileNotFoundError):  # moved before the process was killed
                path.with_name(NEXT).replace(path)
        for path in stale:
            path.unlink(missing_ok=True)
        journal.unlink()
    except OSError as error:
        raise EnvironmentFault(f"{folder}: cannot be written: {error.strerror}; run the command again") from error


def _journalled(journal: Path) -> tuple[list[Path], list[Path]]:
    """Parts to move into place and parts to remove; a journal that names anything but parts below it is refused."""
    named = json.loads(journal.read_text(encoding="utf-8"))
    for name in [*named["fresh"], *named["stale"]]:
        *folders, last = PurePosixPath(name).parts
        if last != PART or not all("=" in folder for folder in folders):
            raise ValueError(f"{name!a} is no part of a table")
    fresh, stale = ([journal.parent / name for name in named[what]] for what in ("fresh", "stale"))
    return fresh, stale


def _same(path: Path, table: pa.Table) -> bool:
    """Whether the part on disk already holds exactly this table."""
    with contextlib.suppress(pa.ArrowException, OSError):
        return bool(pq.ParquetFile(path).read().equals(table))
    return False


def digest_partitions(folder: Path) -> str:
    """SHA-256 (hex) over the names and bytes of the parts, in order of their names."""
    digest = hashlib.sha256()
    for part in sorted(folder.glob(f"**/{PART}")):
        digest.update(part.relative_to(folder).as_posix().encode() + b"\0")
        digest.update(hashlib.sha256(part.read_bytes()).digest())
    return digest.hexdigest()

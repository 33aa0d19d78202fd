"""Files of any supported form -> `RawTable`: CSV, JSON Lines, JSON arrays, Excel, Parquet; each also gzipped."""

from __future__ import annotations

import gzip
import io
import re
import zipfile
import zlib
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from valuation.errors import InputError

if TYPE_CHECKING:
    from valuation.imports.mapping import Options

from valuation.imports.raw import RawTable, Source, table_from_grid
from valuation.imports.reading_json import read_json
from valuation.imports.reading_text import decode, read_delimited

_GZIP, _ZIP, _OLD_EXCEL, _PARQUET = b"\x1f\x8b", b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"PAR1"
_FORMS = {
    ".csv": "text", ".tsv": "text", ".txt": "text", ".tab": "text", ".psv": "text", ".json": "json", ".jsonl": "json",
    ".ndjson": "json", ".xlsx": "excel", ".xlsm": "excel", ".xlsb": "excel", ".xls": "excel", ".ods": "excel",
    ".parquet": "parquet", ".pq": "parquet",
}  # fmt: skip
_WORDS = {
    "text": "delimited text (CSV)", "json": "JSON", "excel": "an Excel workbook", "parquet": "Parquet", "gzip": "gzip",
}  # fmt: skip

_UNPACKED, _RATIO = 1 << 28, 200  # bytes that any file may unpack to, and times its size that a larger one may
_CELLS = 50_000_000  # of a sheet, from its first to its furthest: the reader lays them all out in memory
_FILLED = re.compile(rb'<(?:\w+:)?c [^>]{0,200}?\br="([A-Z]{1,3})([0-9]{1,7})"')


def fetch(location: str) -> Source:
    """Read a file's bytes; `location` is a path or any URL that fsspec knows.

    Raises
    ------
    InputError
        It is missing, a folder, or cannot be reached.
    """
    name = location.rstrip("/").rsplit("/", 1)[-1].split("?")[0]
    try:
        if "://" in location:
            import fsspec

            with fsspec.open(location, "rb") as file:
                return Source(name, file.read())
        return Source(Path(location).name, Path(location).read_bytes())
    except FileNotFoundError:
        raise InputError(f"{location}: no such file") from None
    except IsADirectoryError:
        raise InputError(f"{location}: is a folder; name the files in it") from None
    except (OSError, ValueError, ImportError) as error:
        raise InputError(f"{location}: cannot be read: {str(error).splitlines()[0][:200]}") from error


def read_source(source: Source, options: Options) -> RawTable:
    """Read a file by its ending, after checking that its bytes are what the ending says.

    Raises
    ------
    InputError
        An empty file, an unknown ending, bytes that are something else, a file that breaks off.
    """
    name, content = source.name, source.content
    if not content:
        raise InputError(f"{name}: the file is empty")
    stem = name.lower()
    if stem.endswith(".gz"):
        content, stem = _gunzip(name, content), stem[:-3]
        if not content:
            raise InputError(f"{name}: the file is empty once unpacked")
    form = _FORMS.get(Path(stem).suffix)
    if form is None:
        known = ", ".join(sorted(_FORMS))
        raise InputError(f"{name}: the ending is not one of {known} (each may be followed by .gz); rename the file")
    found = _signature(content)
    if (found or form) != form or (form in ("excel", "parquet") and not found):
        is_what = _WORDS.get(found, "not") if found else "not"
        raise InputError(f"{name}: the ending says {_WORDS[form]} but the file is {is_what}; mend or rename the file")
    return _READERS[form](name, content, options)


def _gunzip(name: str, content: bytes) -> bytes:
    if not content.startswith(_GZIP):
        raise InputError(f"{name}: the ending says gzip but the file is not; mend or rename the file")
    most = max(_UNPACKED, _RATIO * len(content))
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(content)) as file:
            unpacked = file.read(most + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{name}: the gzip file is damaged or breaks off ({error}); fetch it again") from error
    if len(unpacked) > most:
        raise InputError(f"{name}: unpacks to over {_RATIO} times its size, as no table does; unpack it by hand")
    return unpacked


def _signature(content: bytes) -> str:
    """Form that the first bytes show, ``''`` for text."""
    for start, form in ((_GZIP, "gzip"), (_ZIP, "excel"), (_OLD_EXCEL, "excel"), (_PARQUET, "parquet")):
        if content.startswith(start):
            return form
    return ""


def _read_text(name: str, content: bytes, options: Options) -> RawTable:
    return read_delimited(name, *decode(name, content, options.encoding), options)


def _read_json(name: str, content: bytes, options: Options) -> RawTable:
    return read_json(name, *decode(name, content, options.encoding), options)


def _read_excel(name: str, content: bytes, options: Options) -> RawTable:
    """One sheet of a workbook; with several filled sheets the mapping says which."""
    import python_calamine as calamine

    _refuse_vast(name, content)
    try:
        book = calamine.CalamineWorkbook.from_filelike(io.BytesIO(content))
        sheets = {sheet: book.get_sheet_by_name(sheet).to_python() for sheet in book.sheet_names}
    except Exception as error:  # calamine's own errors share no base with Python's
        raise InputError(f"{name}: not readable as an Excel workbook: {str(error)[:120]}") from error
    filled = [sheet for sheet, grid in sheets.items() if any(any(cell != "" for cell in row) for row in grid)]
    chosen = options.sheet or (filled[0] if len(filled) == 1 else "")
    if options.sheet is not None and options.sheet not in sheets:
        raise InputError(f"{name}: no sheet {options.sheet!r}; sheets are {', '.join(map(repr, sheets))}")
    if not filled:
        raise InputError(f"{name}: the workbook is empty")
    if not chosen:
        lines = " or ".join(f'sheet = "{sheet}"' for sheet in filled)
        raise InputError(f"{name}: several sheets hold rows; write one line under [options] in a mapping: {lines}")
    return table_from_grid(
        sheets[chosen], name=name, header_rows=options.header_rows, skip_rows=options.skip_rows,
        notes=(f"sheet {chosen!r}",),
    )  # fmt: skip


def _refuse_vast(name: str, content: bytes) -> None:
    """Refuse a workbook that would end the process for want of memory: a zip bomb, or one cell far away."""
    if not content.startswith(_ZIP):
        return
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as book:
            if sum(part.file_size for part in book.infolist()) > max(_UNPACKED, _RATIO * len(content)):
                raise InputError(f"{name}: unpacks to over {_RATIO} times its size, as no table does; save it as CSV")
            sheets = [part for part in book.namelist() if part.startswith("xl/worksheets/") and part.endswith(".xml")]
            spans = [_span(book.read(part)) for part in sheets]
    except (zipfile.BadZipFile, zlib.error, OSError, NotImplementedError, RuntimeError) as error:
        raise InputError(f"{name}: not readable as an Excel workbook: {str(error)[:120]}") from error
    for rows, columns in spans:
        if rows * columns > _CELLS:
            raise InputError(
                f"{name}: a sheet reaches to row {rows:,}, column {columns:,}; delete what stands far from the table, "
                "or save the sheet as CSV"
            )


def _span(sheet: bytes) -> tuple[int, int]:
    """Furthest row and column that a cell of a sheet's XML stands in."""
    rows, columns = 0, 0
    for letters, digits in set(_FILLED.findall(sheet)):
        column = 0
        for letter in letters:
            column = 26 * column + letter - ord("A") + 1
        rows, columns = max(rows, int(digits)), max(columns, column)
    return rows, columns


def _read_parquet(name: str, content: bytes, options: Options) -> RawTable:
    """Parquet, nested columns flattened as in JSON."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    from valuation.imports.reading_json import flat_table

    try:
        table = pq.ParquetFile(io.BytesIO(content)).read()
    except (pa.ArrowException, OSError) as error:
        raise InputError(f"{name}: not readable as Parquet: {str(error).splitlines()[0][:120]}") from error
    if table.num_rows == 0:
        raise InputError(f"{name}: the table has no rows")
    twice = [field for field, count in Counter(table.column_names).items() if count > 1]
    if twice:
        raise InputError(f"{name}: two columns are named {twice[0][:40]!r}; name each column once")
    if any(pa.types.is_nested(field.type) for field in table.schema):
        return flat_table(name, table.to_pylist(), (), ())
    frame = pd.DataFrame({field: table[field].to_pandas().astype(object) for field in table.column_names})
    return RawTable(frame, tuple(range(1, len(frame) + 1)), (), "", ())


_READERS = {"text": _read_text, "json": _read_json, "excel": _read_excel, "parquet": _read_parquet}

"""Files of any supported form -> `RawTable`: CSV, JSON Lines, JSON arrays, Excel, Parquet; each also gzipped."""

from __future__ import annotations

import gzip
import io
import zlib
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
    try:
        return gzip.decompress(content)
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{name}: the gzip file is damaged or breaks off ({error}); fetch it again") from error


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
    if any(pa.types.is_nested(field.type) for field in table.schema):
        return flat_table(name, table.to_pylist(), (), ())
    frame = pd.DataFrame({field: table[field].to_pandas().astype(object) for field in table.column_names})
    return RawTable(frame, tuple(range(1, len(frame) + 1)), (), "", ())


_READERS = {"text": _read_text, "json": _read_json, "excel": _read_excel, "parquet": _read_parquet}

"""Delimited text: encoding, delimiter, header."""

from __future__ import annotations

import codecs
import csv
import io
import sys
from collections import Counter
from typing import TYPE_CHECKING

from valuation.errors import InputError
from valuation.imports.raw import RawTable, table_from_grid

if TYPE_CHECKING:
    from valuation.imports.mapping import Options

DELIMITERS = (",", ";", "\t", "|")
_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_SAMPLE = 200  # records that the delimiter is judged by


def decode(name: str, content: bytes, encoding: str | None) -> tuple[str, tuple[str, ...]]:
    """Bytes to text: the mapping's encoding, else a byte order mark, UTF-8, or Windows-1252 with a note.

    Returns
    -------
    (str, tuple of str)
        The text, and a note on any encoding but UTF-8.

    Raises
    ------
    InputError
        The bytes are not text in that encoding.
    """
    marked = next((known for mark, known in _BOMS if content.startswith(mark)), None)
    chosen = encoding or marked or "utf-8"
    try:
        text = content.decode(chosen)
    except UnicodeDecodeError as error:
        if encoding or marked:
            raise InputError(f"{name}: not {chosen} text at byte {error.start}; set encoding under [options]") from None
        text, chosen = _windows(name, content), "cp1252"
    if "\0" in text:
        raise InputError(f"{name}: the bytes are not text (zero bytes); is it UTF-16 without a mark? Set encoding")
    return text, () if chosen in ("utf-8", "utf-8-sig") else (f"encoding {chosen}",)


def _windows(name: str, content: bytes) -> str:
    """Windows-1252, unless the bytes look like anything but text."""
    try:
        text = content.decode("cp1252")
    except UnicodeDecodeError as error:
        raise InputError(f"{name}: the bytes are not text (byte {error.start}); set encoding under [options]") from None
    if any(ord(char) < 32 and char not in "\t\n\r\f\v" for char in text):
        raise InputError(f"{name}: the bytes are not text (control characters); is it the right file?")
    return text


def read_delimited(name: str, text: str, notes: tuple[str, ...], options: Options) -> RawTable:
    """Parse CSV and its relatives; quoted fields may hold line breaks and any length of text."""
    delimiter = options.delimiter or sniff(text)
    grid = _parse(name, text, delimiter)
    if not grid:
        raise InputError(f"{name}: the file is empty")
    shown = {"\t": "tab"}.get(delimiter, delimiter)
    return table_from_grid(
        grid, name=name, header_rows=options.header_rows, skip_rows=options.skip_rows, delimiter=delimiter,
        notes=(*notes, *(() if delimiter == "," else (f"delimiter {shown}",))),
    )  # fmt: skip


def sniff(text: str) -> str:
    """Return the delimiter that splits the most records into the same number of fields, a comma if none does."""
    best, delimiter = (0.0, 0), ","
    for candidate in DELIMITERS:
        widths = Counter(len(row) for row in _sample(text, candidate) if row)
        if not widths:
            continue
        width, count = max(widths.items(), key=lambda item: (item[1] * (item[0] > 1), item[0]))
        if width > 1 and (count / widths.total(), width) > best:
            best, delimiter = (count / widths.total(), width), candidate
    return delimiter


def _sample(text: str, delimiter: str) -> list[list[str]]:
    """First records, however a delimiter splits them."""
    csv.field_size_limit(sys.maxsize)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    rows: list[list[str]] = []
    try:
        for row in reader:
            rows.append(row)
            if len(rows) == _SAMPLE:
                break
    except csv.Error:
        return rows
    return rows


def _parse(name: str, text: str, delimiter: str) -> list[list[str]]:
    """All records; a quote that never closes is an error that names its line."""
    csv.field_size_limit(sys.maxsize)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows: list[list[str]] = []
    last = 0
    try:
        for row in reader:
            rows.append(row)
            last = reader.line_num
    except csv.Error as error:
        raise InputError(
            f"{name}: broken quoting in the record that begins at line {last + 1} ({error}); "
            "close the quote, and double quotes inside a quoted field"
        ) from error
    return rows

"""JSON arrays, JSON Lines and nested records -> flat rows."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from valuation.errors import InputError
from valuation.imports.raw import BrokenRow, Cell, RawTable, object_frame

if TYPE_CHECKING:
    from collections.abc import Sequence

    from valuation.imports.mapping import Options

Record = dict[str, Any]


def read_json(name: str, text: str, notes: tuple[str, ...], options: Options) -> RawTable:
    """Read an array of objects, an object that holds one, or one object a line.

    Raises
    ------
    InputError
        Neither; or several arrays of objects and no ``records`` option.
    """
    if name.lower().removesuffix(".gz").endswith((".jsonl", ".ndjson")):
        return _read_lines(name, text, notes, "see the lines below")
    try:
        whole = json.loads(text.lstrip("\ufeff"))
    except (ValueError, RecursionError) as error:
        return _read_lines(name, text, notes, str(error))
    found = _records(name, whole, options.records)
    return flat_table(name, found, (), notes)


def flat_table(
    name: str,
    records: Sequence[object],
    broken: tuple[BrokenRow, ...],
    notes: tuple[str, ...],
    *,
    first_rows: Sequence[int] = (),
) -> RawTable:
    """Table of records, nested ones flattened; whatever is no object is broken."""
    numbers = first_rows or range(1, len(records) + 1)
    good = [(row, flatten(record)) for row, record in zip(numbers, records, strict=True) if isinstance(record, dict)]
    bad = tuple(
        BrokenRow(row, json.dumps(record)[:200], "not a JSON object")
        for row, record in zip(numbers, records, strict=True)
        if not isinstance(record, dict)
    )
    if not good:
        raise InputError(f"{name}: no JSON objects in it; expected an array of objects or one object a line")
    frame = object_frame([record for _, record in good])
    return RawTable(frame, tuple(row for row, _ in good), (*broken, *bad), "", notes)


def flatten(record: Record, prefix: str = "") -> dict[str, Cell]:
    """Nested objects become dotted names, lists become joined text.

    >>> flatten({"budget": {"min": 5, "max": 9}, "jobs": [{"name": "Python"}, {"name": "SQL"}]})
    {'budget.min': 5, 'budget.max': 9, 'jobs': 'Python, SQL'}
    """
    flat: dict[str, Cell] = {}
    for key, value in record.items():
        if isinstance(value, dict):
            flat.update(flatten(value, f"{prefix}{key}."))
        elif isinstance(value, (list, tuple)):
            flat[f"{prefix}{key}"] = ", ".join(_item(item) for item in value if item is not None) or None
        else:
            flat[f"{prefix}{key}"] = value
    return flat


def _item(value: object) -> str:
    """One member of a list as text: an object by its name, if it has one."""
    if isinstance(value, dict):
        named = next((value[key] for key in ("name", "title", "label") if isinstance(value.get(key), str)), None)
        return named or json.dumps(value, ensure_ascii=False, default=str)
    return json.dumps(value, ensure_ascii=False, default=str) if isinstance(value, list) else str(value)


def _records(name: str, whole: object, path: str | None) -> list[object]:
    """The array of objects in a document."""
    if path is not None:
        for part in path.split("."):
            whole = whole.get(part) if isinstance(whole, dict) else None
        if not isinstance(whole, list):
            raise InputError(f"{name}: records = {path!r} names no array")
    if isinstance(whole, list):
        if not whole:
            raise InputError(f"{name}: the array is empty")
        return whole
    arrays = _arrays(whole) if isinstance(whole, dict) else {}
    if len(arrays) > 1:
        lines = " or ".join(f'records = "{key}"' for key in arrays)
        raise InputError(f"{name}: several arrays of objects; write one line under [options] in a mapping: {lines}")
    if not arrays:
        return [whole]
    return next(iter(arrays.values()))


def _arrays(whole: Record, prefix: str = "") -> dict[str, list[object]]:
    """Arrays of objects in a document by dotted name; arrays inside records are not looked at."""
    found: dict[str, list[object]] = {}
    for key, value in whole.items():
        if isinstance(value, list) and value and all(isinstance(item, dict) for item in value):
            found[f"{prefix}{key}"] = value
        elif isinstance(value, dict):
            found.update(_arrays(value, f"{prefix}{key}."))
    return found


def _read_lines(name: str, text: str, notes: tuple[str, ...], whole_error: str) -> RawTable:
    """One JSON object a line; lines that are none are broken rows."""
    lines = [line for line in text.lstrip("\ufeff").split("\n") if line.strip()]
    numbers: list[int] = []
    records: list[object] = []
    broken: list[BrokenRow] = []
    for row, line in enumerate(lines, start=1):
        try:
            records.append(json.loads(line))
            numbers.append(row)
        except (ValueError, RecursionError) as error:
            broken.append(BrokenRow(row, line, f"not JSON: {error}"))
    if not records or (len(broken) > len(records)):
        raise InputError(f"{name}: not JSON ({whole_error[:100]}), nor one JSON object a line; mend or rename the file")
    return flat_table(name, records, tuple(broken), notes, first_rows=numbers)

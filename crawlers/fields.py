"""Typed access to what servers send: a value of the wrong type is missing, a page of the wrong shape is a fault."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from urllib.parse import urljoin, urlsplit

from crawlers.money_numbers import parse_number

Record = Mapping[str, object]

LONGEST_TEXT = 200_000  # characters of one field; the rest is cut: no posting is that long
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


class ShapeFault(Exception):
    """A response is not what the source documents: where, what was expected, what was there."""

    def __init__(self, where: str, expected: str, got: object) -> None:
        super().__init__(f"{where}: expected {expected}, got {describe(got)}")


class RecordFault(Exception):
    """One record of a page cannot be read; the others can."""


def describe(value: object) -> str:
    """Say in short what a JSON value is, without its content.

    >>> describe({"b": 1, "a": 2}), describe([1, 2]), describe("x"), describe(None)
    ('an object with keys a, b', 'a list of 2', 'a string', 'nothing')
    """
    if isinstance(value, Mapping):
        keys = sorted(_CONTROL.sub("", str(key))[:40] for key in list(value)[:50])[:12]
        return f"an object with keys {', '.join(keys)}" if keys else "an empty object"
    if isinstance(value, str):
        return "a string"
    if isinstance(value, Sequence):
        return f"a list of {len(value)}"
    return "nothing" if value is None else "a boolean" if isinstance(value, bool) else "a number"


def records_of(data: object, *path: str) -> list[object]:
    """List at a path of a page, such as ``records_of(page, "result", "projects")``.

    Raises
    ------
    ShapeFault
        There is no list there.
    """
    found: object = data
    walked = "$"
    for key in path:
        if not isinstance(found, Mapping) or key not in found:
            raise ShapeFault(walked, f"an object with the key {key!r}", found)
        found, walked = found[key], f"{walked}.{key}"
    if not isinstance(found, list):
        raise ShapeFault(walked, "a list", found)
    return found


def text(record: Record, key: str) -> str | None:
    """String at a key, control characters and outer white space removed; None for blank or another type."""
    value = record.get(key)
    if not isinstance(value, str):
        return None
    return _CONTROL.sub("", value[:LONGEST_TEXT]).strip() or None


def identifier(record: Record, key: str) -> str:
    """Id at a key: a number or a short text.

    Raises
    ------
    RecordFault
        There is none.
    """
    value = record.get(key)
    found = str(value) if isinstance(value, int) and not isinstance(value, bool) else text(record, key)
    if not found or len(found) > 500:
        raise RecordFault(f"no id at {key!r}: {describe(value)}")
    return found


def number(record: Record, key: str) -> float | None:
    """Finite number at a key; a text that is nothing but a number counts, a boolean does not.

    >>> number({"a": "1,250.50"}, "a"), number({"a": "1.200"}, "a"), number({"a": True}, "a"), number({"a": -3}, "a")
    (1250.5, None, None, -3.0)
    """
    value = record.get(key)
    if isinstance(value, str):
        negative = value.strip().startswith("-")
        read = parse_number(value.strip().removeprefix("-")) if len(value) <= 40 else None
        value = -read if negative and read is not None else read
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        found = float(value)
    except OverflowError:
        return None
    return found if math.isfinite(found) else None


def whole(record: Record, key: str) -> int | None:
    """Count at a key, >= 0."""
    found = number(record, key)
    return int(found) if found is not None and 0 <= found < 2**53 and found == int(found) else None


def mapping(record: Record, key: str) -> Record:
    """Object at a key; an empty one where there is none."""
    value = record.get(key)
    return value if isinstance(value, Mapping) else {}


def listing(record: Record, key: str) -> list[object]:
    """List at a key; an empty one where there is none."""
    value = record.get(key)
    return value if isinstance(value, list) else []


def names(record: Record, key: str, inner: str = "name") -> tuple[str, ...]:
    """Distinct names in a list of strings or of objects with the key `inner`, in order, at most 100."""
    found = (
        text({"name": item}, "name")
        if isinstance(item, str)
        else text(item, inner)
        if isinstance(item, Mapping)
        else None
        for item in listing(record, key)[:100]
    )
    return tuple(dict.fromkeys(name[:200] for name in found if name))


def web_url(value: object, base: str = "") -> str | None:
    """Absolute http or https URL, relative ones resolved against `base`; None for anything else.

    >>> web_url("/p/1", "https://example.org/x"), web_url("javascript:alert(1)")
    ('https://example.org/p/1', None)
    """
    if not isinstance(value, str) or not value.strip() or len(value) > 2000:
        return None
    try:
        joined = urljoin(base, _CONTROL.sub("", value).strip())
        parts = urlsplit(joined)
        fine = parts.scheme in ("http", "https") and bool(parts.hostname) and not parts.username and (parts.port or 1)
    except ValueError:
        return None
    return joined if fine and not re.search(r"\s", joined) else None

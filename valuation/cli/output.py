r"""Results on standard output: text that fits 80 columns, or exactly one JSON object.

Everything shown may quote untrusted text, so control characters, ANSI escapes and bidirectional overrides are replaced
by their visible escape (``\x1b``) on the way out.
"""

from __future__ import annotations

import dataclasses
import json
import math
import sys
import textwrap
from collections.abc import Mapping, Sequence
from datetime import date
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from valuation.cli.options import Call

WIDTH = 80
EMITTED: list[str] = []  # verbs whose result stands on standard output: no second JSON object may follow it


def clean(text: str) -> str:
    r"""Return `text` on one line with nothing in it that a terminal would obey.

    >>> clean("a\x1b[31mb\nc")
    'a\\x1b[31mb c'
    """
    return "".join(_visible(character) for character in text.replace("\r\n", " "))


def _visible(character: str) -> str:
    """Keep what prints, make any white space a space, and escape the rest."""
    if character.isprintable():
        return character
    return " " if character.isspace() else character.encode("unicode_escape", "backslashreplace").decode("ascii")


def plain(value: object) -> Any:  # noqa: ANN401 - JSON's own types
    """Turn a result into JSON's types: dataclasses by field, tables by row, missing and infinite numbers as null."""
    if value is None or isinstance(value, (str, bool, int)):
        return value
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if hasattr(value, "to_dict"):  # a DataFrame; pandas itself is not imported here
        return plain(value.to_dict("records"))
    return _plain_rest(value)


def _plain_rest(value: object) -> Any:  # noqa: ANN401 - JSON's own types
    if isinstance(value, (Sequence, set, frozenset)) and not isinstance(value, bytes):
        return [plain(item) for item in (sorted(value) if isinstance(value, (set, frozenset)) else value)]
    if isinstance(value, date):  # datetime and pandas' Timestamp too; NaT is not equal to itself
        return value.isoformat() if value == value else None
    if isinstance(value, Enum):
        return plain(value.value)
    if isinstance(value, Path):
        return str(value)
    if hasattr(value, "tolist"):  # numpy
        return plain(value.tolist())
    raise TypeError(f"{type(value).__name__} has no JSON form")


class ReaderGone(Exception):  # noqa: N818 - not an error: nobody reads on, as in `valuation status | head -1`
    """Standard output was closed by its reader."""


def write(text: str) -> None:
    """Write to standard output at once.

    Raises
    ------
    ReaderGone
        Nobody reads it any more.
    """
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        raise ReaderGone from None


def emit(call: Call, verb: str, result: object, text: str) -> None:
    """Print `result`: `text` for people, or with ``--json`` the result's fields beside the command's name."""
    EMITTED.append(verb)
    if call.as_json:
        write_json({"command": verb, **plain(result)})
    else:
        write("".join(f"{clean(line).rstrip()}\n" for line in text.splitlines()))


def write_json(data: Mapping[str, object]) -> None:
    """Print one JSON object on one line; characters outside ASCII are escaped, so any terminal can show it."""
    write(json.dumps(data, allow_nan=False) + "\n")


def grid(headers: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Lay out a table in 80 columns: numbers to the right, the last column wrapped.

    Parameters
    ----------
    headers : sequence of str, length n_columns
    rows : sequence of sequences of length n_columns
        Cells; None is shown as a dash, an int with thousands separators.
    """
    cells = [[_cell(value) for value in row] for row in rows]
    widths = [max(len(row[i]) for row in [list(headers), *cells]) for i in range(len(headers))]
    right = [all(isinstance(row[i], (int, float)) or row[i] is None for row in rows) for i in range(len(headers))]
    room = max(WIDTH - sum(width + 2 for width in widths[:-1]), 24)
    lines: list[str] = []
    for row in [list(headers), *cells]:
        lead = "".join(_pad(row[i], widths[i], right=right[i]) + "  " for i in range(len(row) - 1))
        last = row[-1].rjust(widths[-1]) if right[-1] else row[-1]
        wrapped = textwrap.wrap(last, room, drop_whitespace=not right[-1], break_on_hyphens=False) or [""]
        lines += [(lead if not part else " " * len(lead)) + piece for part, piece in enumerate(wrapped)]
    return "\n".join(line.rstrip() for line in lines)


def indented(text: str) -> str:
    """Set every line two columns in."""
    return textwrap.indent(text, "  ")


def paragraph(text: str) -> str:
    """Break one line of any length at 76 columns, so that it still fits when set in."""
    return "\n".join(textwrap.wrap(clean(text), WIDTH - 4, break_on_hyphens=False))


def _cell(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    return clean(str(value))


def _pad(text: str, width: int, *, right: bool) -> str:
    return text.rjust(width) if right else text.ljust(width)

"""Cells -> texts: one column, or the first of several that is not empty."""

from __future__ import annotations

import math
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from valuation.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from valuation.imports.raw import Cell

EMPTY_WORDS = frozenset({"", "null", "nan", "none", "n/a", "na", "nat", "<na>", "\\n", "-", "—"})


def missing(cell: Cell) -> bool:
    """Whether a cell says nothing."""
    if isinstance(cell, str):
        return len(cell) <= 8 and cell.strip().lower() in EMPTY_WORDS or not cell.strip()
    return cell is None or cell is pd.NaT or cell is pd.NA or (isinstance(cell, float) and math.isnan(cell))


def as_text(cell: Cell) -> str | None:
    """One cell as text: whole numbers without ".0", times in ISO form; None for missing.

    >>> as_text(1500.0), as_text(" a "), as_text("NaN"), as_text(True)
    ('1500', 'a', None, 'true')
    """
    if missing(cell):
        return None
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, (float, np.floating)):
        value = float(cell)
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(cell, (datetime, date)):
        return cell.isoformat()
    return (cell if isinstance(cell, str) else str(cell)).replace("\0", "").strip()


def number_of(cell: Cell) -> float | None:
    """Value of a cell that is a number, not a text that looks like one."""
    if isinstance(cell, bool) or not isinstance(cell, (int, float, Decimal, np.integer, np.floating)):
        return None
    try:
        return float(cell)
    except OverflowError:
        return math.inf


def pick(frame: pd.DataFrame, names: Sequence[str]) -> pd.Series:
    """First cell of `names` that is not missing, row by row; None where all are."""
    chosen: list[Cell] = [None] * len(frame)
    for name in reversed(names):
        chosen = [old if missing(cell) else cell for cell, old in zip(frame[name], chosen, strict=True)]
    return pd.Series(chosen, dtype=object)


def texts(frame: pd.DataFrame, names: Sequence[str], translations: Mapping[str, str] | None = None) -> pd.Series[str]:
    """First text of `names`, row by row, translated by ``[values.<column>]``; missing is NaN."""
    if not names:
        return pd.Series([None] * len(frame), dtype="str")
    cells = frame[names[0]] if len(names) == 1 else pick(frame, names)
    found = [as_text(cell) for cell in cells]
    if translations:
        found = [translations.get(text, text) or None if text is not None else None for text in found]
    return pd.Series(found, dtype="str")


def map_texts(column: pd.Series[str], function: Callable[[str], str | None]) -> pd.Series[str]:
    """Apply `function` once to each distinct text; missing stays missing."""
    known = {text: function(text) for text in column.dropna().unique()}
    return pd.Series([known.get(text) for text in column], dtype="str")


def require_columns(frame: pd.DataFrame, names: Sequence[str], file: str) -> None:
    """Refuse a mapping that names columns the file does not have.

    Raises
    ------
    InputError
        Naming the column and those that there are.
    """
    for name in names:
        if name not in frame.columns:
            there = ", ".join(repr(str(column)[:40]) for column in list(frame.columns)[:30])
            raise InputError(f"{file}: no column {name!r}, which the mapping names; the file has {there}")

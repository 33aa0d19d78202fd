"""Columns that carry our own names: taken as they are where that is safe, and said where it is not."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from valuation.errors import InputError
from valuation.imports.cells import as_text
from valuation.imports.masking import mask
from valuation.tables.schemas import DATE_QUALITIES, PRICE_KINDS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pandas as pd

GIVEN_ID = "given_session_id"
"""Attribute that holds a file's ``session_id`` where it does not become the session's own id."""
MAX_SOURCES = 100
"""Different values from which a column called ``source`` names something else: a page, a campaign."""
LONG_ID = 8
"""Characters from which an id is not taken for a row number."""
_CHOICES = {"date_quality": DATE_QUALITIES, "price_kind": PRICE_KINDS}
_FACTS = {"posting_id": ("title", "description", "posted_at"), "session_id": ("started_at", "summary")}


@dataclass(frozen=True, slots=True)
class Taken:
    """What was taken by its exact name, and what a reader should know about what was not.

    Attributes
    ----------
    columns : dict
        Our name to the file's, which is the same.
    notes : tuple of str
    """

    columns: dict[str, tuple[str, ...]]
    notes: tuple[str, ...]


def take_posting_columns(frame: pd.DataFrame) -> Taken:
    """Columns of postings that no guess by words finds: ids, source, quality of the date, kind of price."""
    columns: dict[str, tuple[str, ...]] = {}
    notes = []
    for name in ("posting_id", "source", "date_quality", "price_kind"):
        values = _values(frame[name]) if name in frame.columns else []
        if not values:
            continue
        if trouble := _trouble(name, values):
            notes.append(
                f"{name} is not taken from the column of that name: {trouble}. To take it all the same, write a "
                f'mapping with {name} = "{name}" under [columns]'
            )
        else:
            columns[name] = (name,)
    return Taken(columns, tuple(notes))


def price_columns(frame: pd.DataFrame) -> pd.DataFrame:
    """The columns to look for prices in: beside both ends and a currency in our names, not what is made of them."""
    ours = {"price_low", "price_high", "currency"} <= set(frame.columns)
    return frame.drop(columns=["price_usd", "price_raw"], errors="ignore") if ours else frame


def _trouble(name: str, values: Sequence[str]) -> str:
    """Why a column of one of our names is not taken as what it says; ``''`` if it is."""
    if name == "posting_id":
        return trouble_with_ids(values)
    if name == "source":
        if len(set(values)) > MAX_SOURCES:
            return f"{len(set(values)):,} different values are more than markets"
        return next(("it holds addresses" for value in values if "://" in value or mask(value) != value), "")
    return "" if set(values) & set(_CHOICES[name]) else f"no row has one of {', '.join(_CHOICES[name])}"


def trouble_with_ids(values: Sequence[str]) -> str:
    """Why a file's ids cannot be kept unasked; ``''`` if they can.

    Ids of eight characters and more are kept: those of them that repeat are quarantined, where their rows differ.
    Shorter ones are kept if none repeats and none is a bare number, which the next file may use for another row.
    """
    secret = sum(mask(value) != value for value in values)
    if secret:
        return f"{secret:,} of {len(values):,} hold an address, a key or a phone number"
    if min(map(len, values)) >= LONG_ID:
        return ""
    numbers = [value for value in values if len(value) < LONG_ID and value.lstrip("#").isdigit()]
    if numbers:
        few = f"such as {min(numbers)[:40]!r}, which the next file may use for other rows"
        return f"{len(numbers):,} of {len(values):,} are numbers of under {LONG_ID} digits, {few}"
    name, count = Counter(values).most_common(1)[0]
    return f"{name[:40]!r} stands in {count:,} rows" if count > 1 else ""


def note_of_ids(frame: pd.DataFrame, column: str) -> str:
    """What to tell of a column of session ids: ``''`` if they are kept, else why not and how to find a session."""
    values = _values(frame[column])
    trouble = trouble_with_ids(values) if values else "the column is empty"
    if not trouble:
        return ""
    shown = GIVEN_ID if column == "session_id" else column
    found = f"; the given ones stand in the sessions' attribute {shown}, to find a session by" if values else ""
    return (
        f'session ids are not kept from the column "{column[:40]}": {trouble}. Ids were made instead{found}. To keep '
        f'the given ids, write a mapping with session_id = "{column[:40]}" under [columns]'
    )


def refuse_clashes(current: pd.DataFrame, incoming: pd.DataFrame, id_column: str, *, file: str, theirs: str) -> None:
    """Refuse given ids, taken unasked, that stand for something else already.

    A row that agrees with the earlier one in any fact of its own (sessions: start or summary; postings: title,
    description or date) is a correction of it. One that agrees in none is another row of the same number.

    Raises
    ------
    InputError
        Naming an id and the lines of a mapping that decide.
    """
    facts = [id_column, *_FACTS[id_column]]
    both = incoming[facts].merge(current[facts], on=id_column, suffixes=("", "_there"))
    other = [(both[fact].isna() | (both[fact] != both[f"{fact}_there"])).to_numpy() for fact in facts[1:]]
    clash = both.loc[np.logical_and.reduce(other), id_column]
    if clash.empty:
        return
    what = "session" if id_column == "session_id" else "posting"
    raise InputError(
        f"{file}: {len(clash):,} of the ids in the column {theirs!r}, such as {clash.iloc[0][:40]!r}, stand for "
        f"another {what} already ({' and '.join(_FACTS[id_column])} differ); nothing was imported. Write a mapping: "
        f'with {id_column} = "{theirs}" under [columns] these rows replace the earlier ones; without that line they '
        "get ids of their own"
    )


def respelled(found: pd.Series[str], slug: pd.Series[str]) -> Iterator[str]:
    """Sources that are written otherwise in the workspace, with their new spelling."""
    pairs = {(old, new) for old, new in zip(found.dropna(), slug[found.notna()].fillna(""), strict=True) if new}
    changed = [f"{old[:40]} as {new}" for old, new in sorted(pairs) if old != new]
    if changed:
        more = f" and {len(changed) - 5:,} more" if len(changed) > 5 else ""  # noqa: PLR2004 - enough to see the rule
        yield f"sources are read as folders' names: {', '.join(changed[:5])}{more}"


def _values(cells: pd.Series) -> list[str]:
    """Filled cells of a column as texts."""
    return [text for cell in cells if (text := as_text(cell)) is not None]

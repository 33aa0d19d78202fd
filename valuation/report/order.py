"""One order of rows for every table: a page may not depend on the order in which rows happened to be written.

Tables are put in the order of their named keys before anything is taken from them, so that "the first row" is always
the same row and sums are always formed in the same order. Neighbours and postings, by far the largest tables, stay as
they are: whatever is taken from them is taken by its identity, never by its place.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from valuation.report.provenance import KEYS

if TYPE_CHECKING:
    from valuation.report.inputs import RunTables

ORDER: dict[str, tuple[str, ...]] = {
    **{name: keys for name, keys in KEYS.items() if name != "matches"},
    "sessions": ("session_id",),
    "decomposition_monthly": KEYS["decomposition"],
    "placebo_draws": ("placebo", "cell", "draw"),
    "tilt_backtest": ("axis", "tilt", "strength"),
}
"""Columns that name a row of each table."""


def ordered(tables: RunTables) -> RunTables:
    """Return the tables with their rows in the order of their keys."""
    return replace(
        tables,
        **{name: getattr(tables, name).sort_values(list(keys), ignore_index=True) for name, keys in ORDER.items()},
    )


def natural(text: object) -> tuple[tuple[int, float, str], ...]:
    """Return a key that sorts names by the numbers in them: ``$200-1,000`` before ``$1,000-5,000``.

    >>> sorted(["2 of 5", "10 of 12", "1 of 5"], key=natural)
    ['1 of 5', '2 of 5', '10 of 12']
    """
    parts = [part for part in re.split(r"([0-9][0-9,]*)", str(text)) if part]
    return tuple((0, float(p.replace(",", "")), "") if p[0] in "0123456789" else (1, 0.0, p) for p in parts)

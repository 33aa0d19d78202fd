"""What may be shown and what may leave: cells under the disclosure minimum, in every table of a run.

`series` says which cells of sessions are under the minimum (too few sessions or users, or one user with more than half
of the weight). Whatever rests on one of them is left out too: growth from or to it, its part of a split, the months'
own figures. What counts postings alone (the pricer card, the tilt backtest) rests on nobody's sessions.

This is primary suppression: a cell that can be worked out from others that are shown is not looked for here.
"""

from __future__ import annotations

import math
from collections.abc import Hashable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeAlias

import pandas as pd

from valuation.report import constants
from valuation.report.disclosure_audit import audit_rules, audit_shown
from valuation.report.inputs import RunTables, setting, span

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Row: TypeAlias = "Mapping[Hashable, Any]"

OF_SESSIONS = ("length_matched", "frozen_sessions", "leave_one_source_out", "users_equal")
"""Placebos whose `n` counts sessions; of the others it counts draws or postings."""


@dataclass(frozen=True, slots=True)
class Cells:
    """Suppressed cells of sessions.

    Attributes
    ----------
    hidden : frozenset of (group_by, group, month)
        Under the minimum.
    columns : frozenset of str
        Columns whose groups have a series: a group of any other column is not known to be large enough.
    least : float
        Sessions that a figure must rest on.
    """

    hidden: frozenset[tuple[str, str, str]]
    columns: frozenset[str]
    least: float

    def rests(self, group_by: str, group: str, *months: str) -> bool:
        """Whether a figure of a group over `months`, each one or two joined by '+', rests on a suppressed cell."""
        if group and group_by not in self.columns:
            return True
        parts = [part for month in months for part in month.split("+")]
        return any((group_by, group, part) in self.hidden for part in parts)


def suppressed_cells(tables: RunTables) -> Cells:
    """Find the cells that `series` marks."""
    rows = tables.series[tables.series["suppressed"].astype(bool)]
    keys = zip(rows["group_by"], rows["group"], rows["month"], strict=True)
    least = setting(tables, "disclosure/min_sessions", constants.MIN_CELL_SESSIONS)
    return Cells(frozenset(keys), frozenset(set(tables.series["group_by"]) - {""}), least)


def publishable(tables: RunTables, *, keep_headline: bool) -> dict[str, pd.Series]:
    """Which rows of each table of figures may be shown: a mask a table.

    Rows of `series` all stay, those of suppressed cells without their numbers. With `keep_headline` the end months of
    growth over all sessions count as large enough for growth and what explains it, though not for a level of their
    own: a report is for those who hold the sessions, and its warnings say how thin the headline is.
    """
    strict, ends = suppressed_cells(tables), span(tables)
    spared = {("", "", ends.base), ("", "", ends.last)} if keep_headline else set()
    cells = replace(strict, hidden=strict.hidden - spared)
    whole = not cells.rests("", "", ends.base, ends.last)
    rules: dict[str, Callable[[Row], bool]] = {
        "growth": lambda row: not cells.rests(*(str(row[k]) for k in ("group_by", "group", "from_month", "to_month"))),
        "decomposition": lambda row: _part(row, cells),
        "decomposition_monthly": lambda row: _part(row, strict),
        "shift_check": lambda row: not strict.rests("", "", str(row["month"])),
        "time_dummies": lambda row: not strict.rests("", "", str(row["month"])),
        "index_numbers": lambda row: not cells.rests("", "", str(row["base_month"]), str(row["month"])),
        "price_volume": lambda row: not cells.rests("", "", str(row["from_month"]), str(row["to_month"])),
        "people": lambda row: not row["suppressed"],
        "placebo": lambda row: _placebo(row, cells, whole),
        "placebo_draws": lambda row: whole,
        "sensitivity": lambda row: _specification(row, cells, whole),
        **audit_rules(tables, strict, cells),
    }
    return {name: _mask(getattr(tables, name), rule) for name, rule in rules.items()}


def _mask(frame: pd.DataFrame, rule: Callable[[Row], bool]) -> pd.Series:
    keep = [rule(row) for row in frame.to_dict("records")]
    return pd.Series(keep, index=frame.index, dtype=bool)


def _part(row: Row, cells: Cells) -> bool:
    """Sums over groups rest on all sessions, a group's own part on its two cells."""
    group = str(row["group"])
    return not cells.rests(str(row["group_by"]) if group else "", group, str(row["from_month"]), str(row["to_month"]))


def _placebo(row: Row, cells: Cells, whole: bool) -> bool:
    counted = row["placebo"] not in OF_SESSIONS or float(row["n"]) >= cells.least or math.isnan(row["estimate"])
    return (whole or row["placebo"] == "tilt_backtest") and counted


def _specification(row: Row, cells: Cells, whole: bool) -> bool:
    """Leave out what rests on few sessions or on one user: under two effective users it has no interval either."""
    return whole and float(row["n_matched"]) >= cells.least and not float(row["effective_users"]) < 2  # noqa: PLR2004


def disclosed(tables: RunTables, *, keep_headline: bool = True) -> RunTables:
    """Return the tables without what a report may not show; it counts, and draws, `decomposition` itself."""
    masks = publishable(tables, keep_headline=keep_headline)
    kept = {name: getattr(tables, name)[mask] for name, mask in masks.items() if name != "decomposition"}
    audit = audit_shown(tables, suppressed_cells(tables))
    return replace(tables, audit=audit, **{name: frame.reset_index(drop=True) for name, frame in kept.items()})


def released(tables: RunTables) -> dict[str, pd.DataFrame]:
    """Return every table of figures without what may not leave; suppressed cells of `series` stay as empty rows."""
    masks = publishable(tables, keep_headline=False)
    kept = {name: getattr(tables, name)[mask].reset_index(drop=True) for name, mask in masks.items()}
    return {"series": _emptied(tables.series), **kept, "validation": tables.validation,
            "tilt_backtest": tables.tilt_backtest}  # fmt: skip


def _emptied(series: pd.DataFrame) -> pd.DataFrame:
    """Suppressed rows without their numbers; groups that are suppressed throughout without their names: no rows."""
    hidden = series["suppressed"].astype(bool)
    shown = set(zip(series["group_by"][~hidden], series["group"][~hidden], strict=True))
    named = [key in shown for key in zip(series["group_by"], series["group"], strict=True)]
    numbers = [str(name) for name in series if pd.api.types.is_numeric_dtype(series[name]) and name != "suppressed"]
    kept = series.assign(**{name: series[name].astype("Float64") for name in numbers})
    kept.loc[hidden, numbers] = pd.NA
    counts = {name: kept[name].astype("Int64") for name in numbers if pd.api.types.is_integer_dtype(series[name])}
    return kept.assign(**counts)[named].reset_index(drop=True)

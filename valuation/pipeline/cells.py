"""Cells of the series: every month, and every month of every group of the columns asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from valuation.errors import ConfigError
from valuation.tables import Sessions

if TYPE_CHECKING:
    from numpy.typing import NDArray

MAX_GROUPS = 100
MISSING = "(missing)"


@dataclass(frozen=True, slots=True)
class Group:
    """One group and its cells, one a month: code, or -1 where it has no matched session."""

    group_by: str
    name: str
    cell: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Cells:
    """Codes of cells.

    Attributes
    ----------
    code : ndarray of int, shape (n_groupings, n_sessions)
        Cell of each session; grouping 0 is the month.
    n_cells : int
    n_months : int
        The first `n_months` cells are the months themselves.
    groups : tuple of Group
        The first is all sessions; ``cell`` has shape (n_months,).
    """

    code: NDArray[np.int64]
    n_cells: int
    n_months: int
    groups: tuple[Group, ...]


def attributes(sessions: pd.DataFrame) -> list[str]:
    """Columns that sessions can be grouped by."""
    named = set(Sessions.to_schema().columns)
    return [str(column) for column in sessions.columns if column not in named]


def labels(sessions: pd.DataFrame, column: str) -> pd.Series:
    """Group of each session, as text; a missing value is a group of its own.

    Raises
    ------
    ConfigError
        No such column, or too many groups.
    """
    known = attributes(sessions)
    if column not in known:
        raise ConfigError(
            f"series.group_by: sessions have no column {column!r}; they have {', '.join(known) or 'no attributes'}"
        )
    found = sessions[column].astype("str").fillna(MISSING)
    if found.nunique() > MAX_GROUPS:
        raise ConfigError(
            f"series.group_by: {column!r} has {found.nunique()} groups, at most {MAX_GROUPS} can be shown; "
            "group by a coarser column"
        )
    return found


def make_cells(sessions: pd.DataFrame, months: tuple[str, ...], group_by: tuple[str, ...]) -> Cells:
    """Number the cells of matched sessions: months first, then group by group."""
    month = np.searchsorted(np.array(months, dtype=object), sessions["month"].to_numpy(dtype=object)).astype(np.int64)
    everyone = np.where(np.isin(np.arange(len(months)), month), np.arange(len(months)), -1)
    codes, groups, following = [month], [Group("", "", everyone)], len(months)
    if len(set(group_by)) < len(group_by):
        raise ConfigError(f"series.group_by: {', '.join(group_by)}: a column is named twice; name each once")
    for column in group_by:
        label = labels(sessions, column)
        code = np.full(len(sessions), -1, dtype=np.int64)
        for name in sorted(label.unique()):
            mine = (label == name).to_numpy()
            code[mine] = following + month[mine]
            cell = following + np.arange(len(months))
            groups.append(Group(column, str(name), np.where(np.isin(cell, code[mine]), cell, -1)))
            following += len(months)
        codes.append(code)
    return Cells(code=np.stack(codes), n_cells=following, n_months=len(months), groups=tuple(groups))

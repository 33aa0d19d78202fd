"""Cells of the series: every month, and every month of every group of the columns asked for.

An entry of ``series.group_by`` is a column of the sessions, or two of them crossed: ``kind x agent``.
"""

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
CROSS = " x "
"""Joins the names of two columns, and those of their groups."""


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


def crossed(name: str, known: list[str]) -> tuple[str, ...]:
    """Columns that an entry of ``series.group_by`` stands for: one, or two crossed.

    Parameters
    ----------
    name : str
        A column, or two joined by ``" x "``; a column that is called so itself comes first.
    known : list of str
        From `attributes`.

    Raises
    ------
    ConfigError
        No such column, a column crossed with itself, or more than two.
    """
    parts = (name,) if name in known else tuple(part.strip() for part in name.split(CROSS))
    if len(parts) > 2:
        raise ConfigError(f"series.group_by: {name!r} crosses {len(parts)} columns; at most two can be crossed")
    for part in parts:
        if part not in known:
            raise ConfigError(
                f"series.group_by: sessions have no column {part!r}; they have {', '.join(known) or 'no attributes'}"
                "; two columns are crossed as 'a x b'"
            )
    if len(set(parts)) < len(parts):
        raise ConfigError(f"series.group_by: {name!r} crosses a column with itself; name it alone")
    return parts


def labels(sessions: pd.DataFrame, column: str) -> pd.Series:
    """Group of each session, as text; a missing value is a group of its own.

    Parameters
    ----------
    sessions : DataFrame
        A Sessions table.
    column : str
        An entry of ``series.group_by`` (see `crossed`); groups of two columns are joined like their names.

    Raises
    ------
    ConfigError
        No such column, too many groups, or names of groups that cannot be told apart when joined.
    """
    parts = crossed(column, attributes(sessions))
    texts = [sessions[part].astype("str").fillna(MISSING) for part in parts]
    found = texts[0] if len(parts) == 1 else texts[0] + CROSS + texts[1]
    count = found.nunique()
    if count > MAX_GROUPS:
        raise ConfigError(
            f"series.group_by: {column!r} has {count} groups, at most {MAX_GROUPS} can be shown; "
            "group by a coarser column"
        )
    if len(parts) > 1 and len(pd.concat(texts, axis=1).drop_duplicates()) > count:
        raise ConfigError(
            f"series.group_by: {column!r} has groups whose names contain {CROSS!r} and cannot be told apart when "
            "joined; rename them"
        )
    return found


def make_cells(sessions: pd.DataFrame, months: tuple[str, ...], group_by: tuple[str, ...]) -> Cells:
    """Number the cells of matched sessions: months first, then group by group.

    Raises
    ------
    ConfigError
        A column is not there, has too many groups, or is named twice.
    """
    month = np.searchsorted(np.array(months, dtype=object), sessions["month"].to_numpy(dtype=object)).astype(np.int64)
    everyone = np.where(np.isin(np.arange(len(months)), month), np.arange(len(months)), -1)
    codes, groups, following = [month], [Group("", "", everyone)], len(months)
    known = attributes(sessions)
    if len({frozenset(crossed(column, known)) for column in group_by}) < len(group_by):
        raise ConfigError(f"series.group_by: {', '.join(group_by)}: a column is named twice; name each once")
    for column in group_by:
        names, position = np.unique(labels(sessions, column).to_numpy(dtype=object), return_inverse=True)
        code = following + position.astype(np.int64) * len(months) + month
        filled = np.isin(following + np.arange(len(names) * len(months)), code)
        for name, there in zip(names, filled.reshape(len(names), len(months)), strict=True):
            groups.append(Group(column, str(name), np.where(there, following + np.arange(len(months)), -1)))
            following += len(months)
        codes.append(code)
    return Cells(code=np.stack(codes), n_cells=following, n_months=len(months), groups=tuple(groups))

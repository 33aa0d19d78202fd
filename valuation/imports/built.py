"""What a file's rows have become: table rows, and faults of the others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from valuation.imports.reasons import Reason, faults, first_faults

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Context:
    """What rows are read with, besides their mapping.

    Attributes
    ----------
    key : bytes
        The workspace's hashing key.
    rates : DataFrame
        The user's exchange rates.
    now : datetime
        Time of the import, UTC.
    """

    key: bytes
    rates: pd.DataFrame
    now: datetime


@dataclass(frozen=True, slots=True)
class Built:
    """Rows of one file in the shape of their table.

    Attributes
    ----------
    table : DataFrame, shape (n_good, …)
        Rows of the Postings or Sessions table, one an id.
    faults : DataFrame
        `reasons.FAULT_COLUMNS`; positions in the raw frame.
    merged : int
        Rows that repeat another row of the file.
    parsed_forms, unparsed_forms : tuple of (form, rows)
        Price texts.
    notes : tuple of str
        What was assumed.
    """

    table: pd.DataFrame
    faults: pd.DataFrame
    merged: int
    parsed_forms: tuple[tuple[str, int], ...] = ()
    unparsed_forms: tuple[tuple[str, int], ...] = ()
    notes: tuple[str, ...] = ()


def settle(
    table: pd.DataFrame, found: Sequence[pd.DataFrame], id_column: str, *, id_source: str, derived: bool
) -> tuple[pd.DataFrame, pd.DataFrame, int]:
    """Set faulty rows aside, then merge rows of one id.

    A derived id is a hash of what identifies the row: its rows are one, and the first in the order of their content is
    kept. A given id whose rows differ is a fault of all of them: nothing says which one is right.

    Returns
    -------
    (DataFrame, DataFrame, int)
        The table, one row an id, ordered by id; the faults; how many rows were merged.
    """
    bad = first_faults(found)
    good = ~np.isin(np.arange(len(table)), bad["position"].to_numpy())
    rows = table.loc[good]
    repeated = rows[id_column].duplicated(keep=False)
    alike = rows[repeated]
    if not derived:
        distinct = alike.drop_duplicates()
        clash = set(distinct.loc[distinct[id_column].duplicated(keep=False), id_column])
        mask = good & table[id_column].isin(clash).to_numpy()
        bad = first_faults([bad, faults(mask, Reason.DUPLICATE_ID, id_source, table[id_column])])
        alike = alike[~alike[id_column].isin(clash)]
    order = alike.astype("str").sort_values(list(alike.columns), kind="stable").index
    firsts = alike.loc[order].drop_duplicates(id_column, keep="first")
    single = pd.concat([rows[~repeated], firsts]).sort_values(id_column, kind="stable", ignore_index=True)
    return single, bad, len(alike) - len(firsts)


def combine(current: pd.DataFrame, incoming: pd.DataFrame, id_column: str, newer: NDArray[np.bool_]) -> pd.DataFrame:
    """Add `incoming` to `current`; where an id is in both, `newer` says whether the incoming row wins.

    Parameters
    ----------
    current, incoming : DataFrame
        Tables of one kind, one row an id.
    newer : ndarray of bool, shape (n_incoming,)
        False keeps the row that is there.
    """
    there = incoming[id_column].isin(current[id_column]).to_numpy()
    entering = incoming[~there | newer]
    staying = current[~current[id_column].isin(entering[id_column])]
    filled = [frame for frame in (staying, entering) if len(frame)]
    whole = pd.concat(filled, ignore_index=True) if filled else current
    return whole.sort_values(id_column, kind="stable", ignore_index=True)

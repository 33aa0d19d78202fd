"""The sessions of a run that an audit is about: their months, users, kinds and values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from valuation.errors import ConfigError, InputError
from valuation.pipeline.cells import CROSS, MISSING, attributes
from valuation.pipeline.finished import read_run_table
from valuation.storage import read_sessions
from valuation.tables import Growth, Values

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from valuation.config import Settings
    from valuation.storage import Layout


@dataclass(frozen=True, slots=True)
class Population:
    """Sessions of the audited months.

    Attributes
    ----------
    months : tuple of str
        Ascending.
    kind_by : str
        The column that strata go by; ``''`` for none.
    sessions : DataFrame
        session_id, month, user, weight, matched, log_value, similarity_max, kind; ordered by session_id.
    """

    months: tuple[str, ...]
    kind_by: str
    sessions: pd.DataFrame


def population(
    layout: Layout, settings: Settings, folder: Path, manifest: dict[str, Any], months: Sequence[str]
) -> Population:
    """Find the sessions of `months`, or of the base and the last complete month.

    Raises
    ------
    ConfigError
        ``audit.stratify_by`` is no column of the sessions.
    InputError
        A month without sessions, or sessions of the run that are not there any more.
    """
    values = read_run_table(folder, "values", Values)
    chosen = tuple(sorted(set(months))) or default_months(folder, manifest)
    there = sorted(values["month"].unique())
    if unknown := [month for month in chosen if month not in there]:
        raise InputError(
            f"--month {unknown[0][:20]!a}: the run has no session in it; its months are {', '.join(there)}"
        )
    sessions = read_sessions(layout)
    sessions = sessions[sessions["session_id"].isin(values["session_id"])].reset_index(drop=True)
    if len(sessions) < len(values):
        gone = values.loc[~values["session_id"].isin(sessions["session_id"]), "session_id"]
        raise InputError(
            f"session {gone.iloc[0][:60]!a} of run {manifest['run_id']}, and {len(gone) - 1:,} more, are not in the "
            "workspace any more; make a new run with: valuation run"
        )
    kind_by = kind_column(sessions, settings, manifest)
    known = pd.DataFrame(
        {"session_id": sessions["session_id"], "user": users(sessions), "kind": kinds(sessions, kind_by)}
    )
    columns = ["session_id", "month", "weight", "matched", "log_value", "similarity_max"]
    joined = values.loc[values["month"].isin(chosen), columns].merge(known, on="session_id", validate="one_to_one")
    return Population(chosen, kind_by, joined.sort_values("session_id", ignore_index=True))


def default_months(folder: Path, manifest: dict[str, Any]) -> tuple[str, ...]:
    """Months that the run's headline growth is between; the base month alone where it has no growth."""
    growth = headline_growth(read_run_table(folder, "growth", Growth), manifest)
    if growth.empty:
        return (str(manifest["base_month"]),)
    row = growth[growth["variation"] == "both"].iloc[0]
    return str(row["from_month"]), str(row["to_month"])


def headline_growth(growth: pd.DataFrame, manifest: dict[str, Any]) -> pd.DataFrame:
    """Rows of the headline growth, one a variation: all sessions, mean log, the configured pricer, month to month."""
    rows: pd.DataFrame = growth[
        (growth["group_by"] == "")
        & (growth["statistic"] == "mean_log")
        & (growth["pricer"] == manifest["settings"]["pricing"]["pricer"])
        & ~growth["from_month"].str.contains("+", regex=False)
    ]
    return rows


def kind_column(sessions: pd.DataFrame, settings: Settings, manifest: dict[str, Any]) -> str:
    """Column, or two crossed, that strata go by; ``''`` for none.

    Raises
    ------
    ConfigError
        The sessions have no such column.
    """
    asked = settings.audit.stratify_by.strip()
    if asked == "auto":
        asked = next(iter(manifest["settings"]["series"]["group_by"]), "")
    known = attributes(sessions)
    for part in _parts(asked, known):
        if part not in known:
            raise ConfigError(
                f"audit.stratify_by = {asked[:60]!a}: sessions have no column {part[:60]!a}; they have "
                f'{", ".join(known) or "no attributes"}; "" leaves kinds out'
            )
    return asked


def _parts(column: str, known: list[str]) -> tuple[str, ...]:
    """Columns that a name stands for, as in ``series.group_by``."""
    if not column:
        return ()
    return (column,) if column in known else tuple(part.strip() for part in column.split(CROSS))


def kinds(sessions: pd.DataFrame, column: str) -> pd.Series:
    """Kind of each session as text; missing is a kind of its own, and without a column all are one."""
    texts = [sessions[part].astype("str").fillna(MISSING) for part in _parts(column, attributes(sessions))]
    if not texts:
        return pd.Series("", index=sessions.index, dtype="str")
    joined = texts[0]
    for text in texts[1:]:
        joined = joined + CROSS + text
    return joined


def users(sessions: pd.DataFrame) -> pd.Series:
    """Each session's user, named by the smallest session_id that the user has; a session without one is its own.

    Parameters
    ----------
    sessions : DataFrame
        A Sessions table, ordered by session_id.
    """
    smallest = sessions["session_id"].groupby(sessions["user_id"]).transform("min")
    return smallest.fillna(sessions["session_id"])

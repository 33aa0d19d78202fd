"""Where the rows of an explanation come from: whole tables for one call, or lookups for pages that answer many."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

from valuation.errors import InputError
from valuation.pipeline.finished import read_run_table
from valuation.pipeline.plain import plain
from valuation.pipeline.workings import errors_path
from valuation.storage import read_postings, read_sessions
from valuation.tables import PostingErrors, Values, read_table

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import pandas as pd

    from valuation.storage import Layout
    from valuation.tables import Table


class Rows(Protocol):
    """Reads what is asked for of one run."""

    def of(self, name: str, schema: type[Table], session_id: str) -> pd.DataFrame:
        """A session's rows of a table of the run; none if it has none.

        Raises
        ------
        InputError
            The table is missing or damaged.
        """

    def summary(self, session_id: str) -> str:
        """The session's text; ``''`` if it is no longer here."""

    def titles(self, posting_ids: Sequence[str]) -> pd.DataFrame:
        """Columns posting_id and title of those that are here."""

    def errors(self) -> tuple[pd.DataFrame | None, list[str]]:
        """The basket's `PostingErrors` with titles, indexed by posting_id; or None and a line that says why."""

    def unknown(self, session_id: str) -> str:
        """What to say where the run has no such session."""


class WholeTables:
    """Reads tables whole: right for one session, wasteful for many."""

    def __init__(self, layout: Layout, folder: Path, manifest: dict[str, Any]) -> None:
        self._layout, self._folder, self._manifest = layout, folder, manifest

    def of(self, name: str, schema: type[Table], session_id: str) -> pd.DataFrame:
        """A session's rows of a table of the run."""
        found = read_run_table(self._folder, name, schema)
        return found[found["session_id"] == session_id]

    def summary(self, session_id: str) -> str:
        """The session's text."""
        sessions = read_sessions(self._layout)
        found = sessions.loc[sessions["session_id"] == session_id, "summary"]
        return str(found.iloc[0]) if len(found) else ""

    @cached_property
    def _titles(self) -> pd.DataFrame:
        return read_postings(self._layout)[["posting_id", "title"]]

    def titles(self, posting_ids: Sequence[str]) -> pd.DataFrame:
        """Columns posting_id and title of those that are here."""
        return self._titles[self._titles["posting_id"].isin(posting_ids)]

    def errors(self) -> tuple[pd.DataFrame | None, list[str]]:
        """The basket's `PostingErrors` with titles."""
        found, missing = read_errors(self._layout, self._manifest)
        return (None if found is None else with_titles(found, self._titles)), missing

    def unknown(self, session_id: str) -> str:
        """What to say where the run has no such session."""
        values = read_run_table(self._folder, "values", Values)
        return (
            f"run {self._manifest['run_id']} has no session {plain(session_id, 60)!r}; "
            f"it has {len(values):,}, such as {plain(values['session_id'].iloc[0], 60)}"
        )


def with_titles(errors: pd.DataFrame, titles: pd.DataFrame) -> pd.DataFrame:
    """Errors with a column ``title``, indexed by posting_id."""
    merged = errors.merge(titles, on="posting_id", how="left", validate="one_to_one")
    return merged.set_index("posting_id", drop=False)


def read_errors(layout: Layout, manifest: dict[str, Any]) -> tuple[pd.DataFrame | None, list[str]]:
    """The postings' errors of a run's basket, or None and why they are not known."""
    what = "the nearest posting, the neighbours' errors and what the single-posting band is made of"
    basket = str(manifest["basket_id"])
    path = errors_path(layout, basket, manifest["settings"])
    if not path.exists():
        gone = f"the run's basket {plain(basket, 20)} is no longer here, as when one of its postings was deleted"
        return None, [f"{what}: {gone}"]
    try:
        return read_table(path, PostingErrors), []
    except InputError as error:
        return None, [f"{what}: {error}; delete {path.parent} and the run, then: valuation run"]

"""``valuation status``: what a workspace holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from valuation.imports import quarantined
from valuation.pipeline.finished import latest_run, read_manifest
from valuation.storage import read_postings, read_sessions
from valuation.tables import Imports, read_table
from valuation.tables.withdrawn import read_withdrawn, withdrawn_line

if TYPE_CHECKING:
    import pandas as pd

    from valuation.storage import Layout


@dataclass(frozen=True, slots=True)
class SourceMonths:
    """Postings of one source: how many, and of which months."""

    source: str
    postings: int
    first_month: str
    last_month: str


@dataclass(frozen=True, slots=True)
class MonthCount:
    """Sessions and users of one month."""

    month: str
    sessions: int
    users: int


@dataclass(frozen=True, slots=True)
class Status:
    """Counts of a workspace.

    Attributes
    ----------
    workspace : str
    postings, sessions, imports, quarantined : int
    sources : tuple of SourceMonths
    months : tuple of MonthCount
    reasons : tuple of (reason, rows)
        Quarantined rows, most frequent first.
    runs : int
    last_run, headline : str or None
    withdrawn : str or None
        Which postings of the last run were deleted since, in one line.
    """

    workspace: str
    postings: int
    sessions: int
    imports: int
    quarantined: int
    sources: tuple[SourceMonths, ...]
    months: tuple[MonthCount, ...]
    reasons: tuple[tuple[str, int], ...]
    runs: int
    last_run: str | None
    headline: str | None
    withdrawn: str | None = None


def status(layout: Layout) -> Status:
    """Count what is there; reads tables, loads no model."""
    postings, sessions = read_postings(layout), read_sessions(layout)
    reasons = {str(reason): int(count) for reason, count in quarantined(layout)["reason"].value_counts().items()}
    last = latest_run(layout)
    manifest = read_manifest(layout.runs / last) if last else None
    return Status(
        workspace=str(layout.root),
        postings=len(postings),
        sessions=len(sessions),
        imports=len(read_table(layout.imports, Imports)) if layout.imports.exists() else 0,
        quarantined=sum(reasons.values()),
        sources=_sources(postings),
        months=_months(sessions),
        reasons=tuple(sorted(reasons.items(), key=lambda pair: (-pair[1], pair[0]))),
        runs=sum(1 for _ in layout.runs.glob("*/manifest.json")),
        last_run=last,
        headline=str(manifest["headline"]) if manifest else None,
        withdrawn=withdrawn_line(read_withdrawn(layout.runs / last)) or None if last else None,
    )


def _sources(postings: pd.DataFrame) -> tuple[SourceMonths, ...]:
    return tuple(
        SourceMonths(str(source), len(part), str(part["month"].min()), str(part["month"].max()))
        for source, part in postings.groupby("source", sort=True)
    )


def _months(sessions: pd.DataFrame) -> tuple[MonthCount, ...]:
    own = sessions["user_id"].fillna("session:" + sessions["session_id"])
    return tuple(
        MonthCount(str(month), len(part), int(part.nunique()))
        for month, part in own.groupby(sessions["month"], sort=True)
    )

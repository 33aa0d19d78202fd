"""What the report is made of: a run's tables, and how they are asked for the headline.

`RunTables.manifest` is the run's ``manifest.json``. The report shows all of it, and uses these entries, each of
which may be missing: ``settings`` (the identity of the settings), ``base_month``, ``months`` (``complete`` and
``partial`` lists), ``s_min``, ``calibration`` (``slope`` and ``intercept`` of y on v, or ``b`` and ``a``), ``basket``
(``clusters``), ``shift_check`` (``from_month``, ``to_month``, ``difference``, ``lower``, ``upper``: D_T - D_0 in log
points with its interval, which the monthly table cannot give because the months share their postings).
`RunTables.truth`, if the world was simulated, holds ``growth``: a number (0.27 is 27 %), or records with ``kind`` ('' =
all), ``expected_growth`` (of the population) and ``growth`` (of the sessions drawn); and may hold ``series`` (records
with ``month`` and ``expected_log_value``).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pandas as pd

from valuation.tables import (
    Decomposition,
    IndexNumbers,
    People,
    Placebo,
    PlaceboDraws,
    PriceVolume,
    Sensitivity,
    TiltBacktest,
    TimeDummies,
    empty,
)
from valuation.tables.audits import AuditAgreement, AuditedSeries, AuditPrecision

if TYPE_CHECKING:
    from collections.abc import Sequence

    from valuation.tables.withdrawn import Withdrawal

STATISTIC_WORDS = {
    "mean_log": "geometric mean",
    "median": "median",
    "mean": "mean price (smeared)",
    "trimmed_mean": "trimmed mean",
}
PRICER_WORDS = {
    "matching": "bias-corrected matching",
    "neighbours": "plain neighbours",
    "hedonic": "hedonic regression",
}
CORE_SESSION_COLUMNS = ("session_id", "user_id", "started_at", "month", "summary", "weight")


@dataclass(frozen=True, slots=True)
class RunTables:
    """A run, as its tables; every table may be empty.

    Attributes
    ----------
    values, matches, series, growth, decomposition, shift_check, validation : DataFrame
        In the schemas of `valuation.tables`.
    sessions : DataFrame
        The Sessions table with its attribute columns.
    postings : DataFrame
        At least posting_id, title, description, source, posted_at, url.
    manifest : mapping
        The run's ``manifest.json``.
    truth : mapping or None
        What a simulated world knows about itself.
    withdrawn : tuple of Withdrawal
        Postings deleted since the run; their rows of `matches` are gone.
    decomposition_monthly, index_numbers, price_volume, time_dummies, people : DataFrame
        What moved, in more detail; written with the run.
    placebo, placebo_draws, tilt_backtest, sensitivity : DataFrame
        Written beside the run by `valuation placebo` and `valuation sensitivity`; empty until then.
    audited, audit_precision, audit_agreement : DataFrame
        What people said, of one audit; empty without any.
    audit : mapping or None
        What its ``estimate.json`` says beside the tables, its ``kind_by``, and the names of ``others``.
    """

    values: pd.DataFrame
    matches: pd.DataFrame
    series: pd.DataFrame
    growth: pd.DataFrame
    decomposition: pd.DataFrame
    shift_check: pd.DataFrame
    validation: pd.DataFrame
    sessions: pd.DataFrame
    postings: pd.DataFrame
    manifest: Mapping[str, Any]
    truth: Mapping[str, Any] | None = None
    withdrawn: tuple[Withdrawal, ...] = ()
    decomposition_monthly: pd.DataFrame = field(default_factory=lambda: empty(Decomposition))
    index_numbers: pd.DataFrame = field(default_factory=lambda: empty(IndexNumbers))
    price_volume: pd.DataFrame = field(default_factory=lambda: empty(PriceVolume))
    time_dummies: pd.DataFrame = field(default_factory=lambda: empty(TimeDummies))
    people: pd.DataFrame = field(default_factory=lambda: empty(People))
    placebo: pd.DataFrame = field(default_factory=lambda: empty(Placebo))
    placebo_draws: pd.DataFrame = field(default_factory=lambda: empty(PlaceboDraws))
    tilt_backtest: pd.DataFrame = field(default_factory=lambda: empty(TiltBacktest))
    sensitivity: pd.DataFrame = field(default_factory=lambda: empty(Sensitivity))
    audited: pd.DataFrame = field(default_factory=lambda: empty(AuditedSeries))
    audit_precision: pd.DataFrame = field(default_factory=lambda: empty(AuditPrecision))
    audit_agreement: pd.DataFrame = field(default_factory=lambda: empty(AuditAgreement))
    audit: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Span:
    """The two months that the headline compares; '' where a run has none."""

    base: str
    last: str


def lookup(tree: Mapping[str, Any] | None, path: str) -> Any:  # noqa: ANN401
    """Return the entry at ``a/b/c`` of nested mappings, None if any part is missing."""
    node: Any = tree
    for part in path.split("/"):
        if not isinstance(node, Mapping) or part not in node:
            return None
        node = node[part]
    return node


def setting(tables: RunTables, path: str, fallback: float) -> float:
    """Return a numeric setting of the run, `fallback` if the manifest does not hold it."""
    found = lookup(tables.manifest, f"settings/{path}")
    return float(found) if isinstance(found, int | float) and not isinstance(found, bool) else fallback


def headline_pricer(tables: RunTables) -> str:
    """Return the pricer of the headline."""
    found = lookup(tables.manifest, "settings/pricing/pricer")
    return found if found in PRICER_WORDS else "matching"


def months_listed(tables: RunTables, kind: str) -> list[str]:
    """Months that the manifest calls ``complete`` or ``partial``, in order."""
    found = lookup(tables.manifest, f"months/{kind}")
    return sorted(str(month) for month in found) if isinstance(found, list | tuple) else []


def select(frame: pd.DataFrame, **keys: str) -> pd.DataFrame:
    """Rows of `frame` whose columns equal `keys`, in the frame's order."""
    keep = pd.Series(True, index=frame.index)
    for column, value in keys.items():
        keep &= frame[column] == value
    return frame[keep]


def series_of(
    tables: RunTables, *, pricer: str = "", statistic: str = "mean_log", group_by: str = "", group: str = ""
) -> pd.DataFrame:
    """Return one series ordered by month; the headline's pricer unless another is named."""
    keys = {"group_by": group_by, "group": group, "statistic": statistic, "pricer": pricer or headline_pricer(tables)}
    return select(tables.series, **keys).sort_values("month", ignore_index=True)


def headline_growth(tables: RunTables, *, variation: str = "both") -> pd.Series | None:
    """Return the growth row of the headline: all sessions, mean log, one month against one month."""
    rows = select(
        tables.growth, group_by="", group="", statistic="mean_log", pricer=headline_pricer(tables), variation=variation
    )
    rows = rows[~rows["from_month"].str.contains("+", regex=False) & ~rows["to_month"].str.contains("+", regex=False)]
    return None if rows.empty else rows.sort_values(["from_month", "to_month"]).iloc[0]


def span(tables: RunTables) -> Span:
    """Return the base month and the last month of growth: of the growth table, else of the manifest."""
    row = headline_growth(tables)
    if row is not None:
        return Span(str(row["from_month"]), str(row["to_month"]))
    base = lookup(tables.manifest, "base_month")
    complete = months_listed(tables, "complete")
    return Span(str(base or ""), complete[-1] if complete else str(base or ""))


def month_range(months: Sequence[str]) -> list[str]:
    """Every month from the first to the last of `months`, so that a missing one leaves a gap."""
    if not months:
        return []
    return [str(period) for period in pd.period_range(min(months), max(months), freq="M")]


def month_words(month: str) -> str:
    """Write ``2026-03`` as ``Mar 2026``; what is no month stays as it is."""
    names = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
    year, _, number = month.partition("-")
    return f"{names[int(number) - 1]} {year}" if number.isdigit() and 1 <= int(number) <= 12 else month


def true_growth(tables: RunTables, kind: str = "", name: str = "expected_growth") -> tuple[str, float] | None:
    """Return where a simulated world's true growth stands and what it is; None if the world does not tell."""
    known = lookup(tables.truth, "growth")
    if isinstance(known, int | float):
        return ("growth", float(known)) if (kind, name) == ("", "expected_growth") else None
    for position, record in enumerate(known if isinstance(known, list) else []):
        found = lookup(record, name)
        if lookup(record, "kind") == kind and isinstance(found, int | float):
            return f"growth,{position},{name}", float(found)
    return None


def true_index_numbers(tables: RunTables) -> dict[str, float]:
    """Return a simulated world's index numbers by month, base month = 100; empty if the world does not tell."""
    records = lookup(tables.truth, "series")
    levels = {
        str(lookup(record, "month")): float(record["expected_log_value"])
        for record in (records if isinstance(records, list) else [])
        if isinstance(lookup(record, "expected_log_value"), int | float)
    }
    base = levels.get(span(tables).base)
    return {} if base is None else {month: 100.0 * math.exp(level - base) for month, level in levels.items()}

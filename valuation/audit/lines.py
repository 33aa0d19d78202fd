"""Plain and audited series: from core's logs to dollars and growth."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from valuation.audit.population import headline_growth
from valuation.audit.result import Apart, Growth, Level, Line
from valuation.core.audit_difference import audited_less_plain
from valuation.core.audit_estimate import AuditedSessions, estimate_audit
from valuation.core.audit_growth import audited_growth
from valuation.pipeline.finished import read_run_table
from valuation.tables import AuditedSeries, SeriesTable, typed
from valuation.tables import Growth as GrowthTable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from valuation.audit.opening import Audit
    from valuation.core.audit_estimate import AuditEstimate
    from valuation.core.audit_growth import AuditedGrowth
    from valuation.core.intervals import Interval


def estimate(audit: Audit, h: Mapping[str, float], *, unmatched: bool, level: float) -> AuditEstimate:
    """Estimate the mean of analysts' values.

    Parameters
    ----------
    h : mapping of str to float
        Analysts' value of each session with a response, log USD.
    unmatched : bool
        Whether the unmatched belong to the population.
    """
    frame = audit.frame
    sessions = AuditedSessions(
        month=month_codes(audit),
        user=user_codes(audit),
        weight=frame["weight"].to_numpy(dtype=np.float64),
        value=np.where(frame["matched"], frame["log_value"], np.nan).astype(np.float64),
        stratum=frame["stratum"].to_numpy(dtype=np.int64),
        audited=frame["sampled"].to_numpy(dtype=bool),
        analyst_value=np.asarray(frame["session_id"].map(dict(h)), dtype=np.float64),
    )
    n_months = len(audit.months)
    return estimate_audit(sessions, n_months=n_months, unmatched=unmatched, method="stratified", level=level)


def month_codes(audit: Audit) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Position of each session's month among the audited ones, in the order of the frame."""
    return np.searchsorted(np.array(audit.months), audit.frame["month"].to_numpy(dtype=str)).astype(np.int64)


def user_codes(audit: Audit) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Code of each session's user, in the order of the frame."""
    return pd.factorize(audit.frame["user"])[0].astype(np.int64)


def growth_of(found: AuditEstimate, audit: Audit) -> AuditedGrowth | None:
    """Growth from the first to the last audited month; None for one month."""
    last = len(audit.months) - 1
    return audited_growth(found, from_month=0, to_month=last) if last else None


def plain_line(folder: Path, manifest: dict[str, Any], audit: Audit) -> Line:
    """The run's own rows for the audited months."""
    table = read_run_table(folder, "series", SeriesTable)
    pricer = manifest["settings"]["pricing"]["pricer"]
    rows = table[(table["group_by"] == "") & (table["statistic"] == "mean_log") & (table["pricer"] == pricer)]
    by_month = rows.set_index("month")
    levels = []
    for month in audit.months:
        if month in by_month.index:
            row = by_month.loc[month]
            figures = (float(row["value"]), float(row["value_lower"]), float(row["value_upper"]))
            levels.append(Level(month, *figures, int(row["n_matched"]), None))
        else:
            levels.append(Level(month, np.nan, np.nan, np.nan, 0, None))
    found = headline_growth(read_run_table(folder, "growth", GrowthTable), manifest)
    first, last = audit.months[0], audit.months[-1]
    found = found[(found["variation"] == "both") & (found["from_month"] == first) & (found["to_month"] == last)]
    if found.empty:
        return Line(tuple(levels), None)
    row = found.iloc[0]
    return Line(tuple(levels), Growth(first, last, float(row["growth"]), float(row["lower"]), float(row["upper"])))


def plain_users_line(found: AuditEstimate, growth: AuditedGrowth | None, audit: Audit) -> Line:
    """The pricer's own means with the sampling of users alone."""
    matched = np.bincount(month_codes(audit)[audit.frame["matched"].to_numpy(dtype=bool)], minlength=len(audit.months))
    levels = _levels(found.plain, audit, matched, None)
    return Line(levels, None if growth is None else _growth(growth.plain, audit))


def audited_line(found: AuditEstimate, growth: AuditedGrowth | None, audit: Audit) -> Line:
    """Means of analysts' values."""
    levels = _levels(found.audited, audit, found.n_sessions, found.n_responses)
    return Line(levels, None if growth is None else _growth(growth.audited, audit))


def _levels(
    interval: Interval, audit: Audit, n_sessions: Sequence[int] | np.ndarray, n_audited: np.ndarray | None
) -> tuple[Level, ...]:
    value, lower, upper = (np.exp(part) for part in (interval.estimate, interval.lower, interval.upper))
    return tuple(
        Level(
            month, float(value[at]), float(lower[at]), float(upper[at]), int(n_sessions[at]),
            None if n_audited is None else int(n_audited[at]),
        )
        for at, month in enumerate(audit.months)
    )  # fmt: skip


def _growth(rate: Any, audit: Audit) -> Growth:  # noqa: ANN401 - core's Rate, of growth and of plain alike
    estimate_, lower, upper = (float(np.expm1(one)) for one in (rate.estimate, rate.lower, rate.upper))
    return Growth(audit.months[0], audit.months[-1], estimate_, lower, upper)


def apart_of(found: AuditEstimate, audit: Audit) -> tuple[Apart, ...]:
    """Audited over the run's, of each month and then of growth from the first to the last."""
    rows = np.eye(len(audit.months))
    wanted = [(month, month, rows[at]) for at, month in enumerate(audit.months)]
    if len(audit.months) > 1:
        wanted.append((audit.months[0], audit.months[-1], rows[-1] - rows[0]))
    apart = []
    for first, last, contrast in wanted:
        rate = audited_less_plain(found, contrast)
        apart.append(Apart(first, last, *(float(np.exp(one)) for one in (rate.estimate, rate.lower, rate.upper))))
    return tuple(apart)


def series_frame(lines: Mapping[str, Line], apart: Sequence[Apart]) -> pd.DataFrame:
    """An AuditedSeries table of several lines, and of audited over the run's with the counts of the audited line."""
    rows: list[tuple[Any, ...]] = []
    for name, line in lines.items():
        rows += [
            (name, "level", one.month, one.month, one.value, one.lower, one.upper, one.n_sessions, one.n_audited or 0)
            for one in line.months
        ]
        if line.growth is not None:
            ends = [line.months[0], line.months[-1]]
            counts = sum(one.n_sessions for one in ends), sum(one.n_audited or 0 for one in ends)
            of = line.growth
            rows.append((name, "growth", of.from_month, of.to_month, of.growth, of.lower, of.upper, *counts))
    counts_of = {(row[2], row[3]): row[-2:] for row in rows if row[0] == "audited"}
    rows += [
        ("audited_over_plain", "level_ratio" if one.from_month == one.to_month else "growth_ratio", one.from_month,
         one.to_month, one.ratio, one.lower, one.upper, *counts_of[one.from_month, one.to_month])
        for one in apart
    ]  # fmt: skip
    names = list(AuditedSeries.to_schema().columns)
    return typed({name: [row[at] for row in rows] for at, name in enumerate(names)}, AuditedSeries)

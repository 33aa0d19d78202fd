"""Numbers of an audit that the report shows: what people said, from its tables and from its ``estimate.json``."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from valuation.report.inputs import RunTables, select
from valuation.report.provenance import key_of, traced

if TYPE_CHECKING:
    import pandas as pd
    from markupsafe import Markup


def number(tables: RunTables, *path: str | int) -> float | None:
    """Return a number of the estimate by its path of keys and places; None where there is none."""
    node: Any = tables.audit
    for part in path:
        if isinstance(part, int):
            node = node[part] if isinstance(node, list | tuple) and part < len(node) else None
        else:
            node = node.get(part) if hasattr(node, "get") else None
    return float(node) if isinstance(node, int | float) and not isinstance(node, bool) else None


def said(tables: RunTables, style: str, *path: str | int) -> Markup:
    """Format a number of the estimate; a dash if it is not there."""
    return traced(number(tables, *path), f"audit:{key_of(*path)}:value", style)


def months_audited(tables: RunTables) -> list[str]:
    """Audited months, in order; each has its place in the estimate's `response`."""
    return [str(one["month"]) for one in tables.audit["response"]] if tables.audit else []


def audited_growth(tables: RunTables, series: str = "audited") -> pd.Series | None:
    """Return the growth row of a line that has a figure."""
    rows = select(tables.audited, series=series, measure="growth")
    rows = rows[rows["estimate"].notna()]
    return None if rows.empty else rows.iloc[0]


def audited_levels(tables: RunTables, series: str = "audited") -> pd.DataFrame:
    """Levels of a line that have a figure, by month."""
    rows = select(tables.audited, series=series, measure="level")
    return rows[rows["estimate"].notna()].sort_values("to_month", ignore_index=True)


def over_plain(tables: RunTables, measure: str) -> pd.DataFrame:
    """Rows of audited over the run's with an interval: by month (``level_ratio``) or of growth (``growth_ratio``)."""
    rows = select(tables.audited, series="audited_over_plain", measure=measure)
    return rows[rows["lower"].notna() & rows["upper"].notna()].sort_values("to_month", ignore_index=True)


def excludes_one(row: pd.Series) -> bool:
    """Whether the interval of a ratio leaves out 1: the pricer is wrong there, by what people said."""
    return bool(row["lower"] > 1.0 or row["upper"] < 1.0)


def precision_overall(tables: RunTables) -> pd.Series | None:
    """Return the row of precision over all sessions, if it has a figure."""
    rows = select(tables.audit_precision, cell_by="all")
    rows = rows[rows["estimate"].notna()]
    return None if rows.empty else rows.iloc[0]


def facts_of_audit(tables: RunTables) -> dict[str, float]:
    """Return the audit's own sums by name: verdicts, matched sessions drawn, and those with an analyst's value."""
    if tables.audit is None:
        return {}
    places = range(len(months_audited(tables)))
    drawn, answered = (
        math.fsum(number(tables, "response", place, name) or 0.0 for place in places) for name in ("drawn", "answered")
    )
    standing = tables.audit["counts"]["standing"]
    verdicts = math.fsum(number(tables, "counts", "standing", name) or 0.0 for name in standing)
    return {"audit_verdicts": verdicts, "audit_drawn": drawn, "audit_answered": answered}

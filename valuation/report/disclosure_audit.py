"""What of an audit may be shown and may leave.

A level or growth by people rests on the sessions that have an analyst's value: under the minimum of sessions or of
users in one of its months it is left out, and so are bounds. Strata are small and named by kind, value and similarity:
they never leave. Agreement is about analysts, not sessions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from valuation.report import constants
from valuation.report.inputs import RunTables, setting
from valuation.report.measures_audit import months_audited, number

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Mapping

    from valuation.report.disclosure import Cells

OF_THE_RUN = ("plain", "plain_users")
"""Lines that rest on all sessions of a month, not on those that people judged."""


def thin_months(tables: RunTables, least: float) -> frozenset[str]:
    """Audited months with too few sessions, or users, that have an analyst's value."""
    fewest = setting(tables, "disclosure/min_users", constants.MIN_CELL_USERS)
    return frozenset(
        month
        for place, month in enumerate(months_audited(tables))
        if (number(tables, "response", place, "answered") or 0.0) < least
        or (number(tables, "response", place, "users") or 0.0) < fewest
    )


def audit_rules(tables: RunTables, strict: Cells, cells: Cells) -> dict[str, Callable[[Mapping[Hashable, Any]], bool]]:
    """Which rows of an audit's tables may be shown.

    Parameters
    ----------
    strict, cells : Cells
        Suppressed cells: all, and without those that the headline is spared.
    """
    thin = thin_months(tables, strict.least)
    return {
        "audited": lambda row: _line(row, strict, cells, thin),
        "audit_precision": lambda row: _precision(row, tables, strict),
        "audit_agreement": lambda row: True,
    }


def _line(row: Mapping[Hashable, Any], strict: Cells, cells: Cells, thin: frozenset[str]) -> bool:
    months = str(row["from_month"]), str(row["to_month"])
    hidden = (cells if row["measure"] in ("growth", "growth_ratio") else strict).rests("", "", *months)
    return not hidden and (row["series"] in OF_THE_RUN or thin.isdisjoint(months))


def _precision(row: Mapping[Hashable, Any], tables: RunTables, strict: Cells) -> bool:
    cell_by, cell = str(row["cell_by"]), str(row["cell"])
    if cell_by == "stratum" or float(row["n_sessions"]) < strict.least:
        return False
    if cell_by == "month":
        return not strict.rests("", "", cell)
    if cell_by != "kind":
        return True
    kind_by = str((tables.audit or {}).get("kind_by", ""))
    return not strict.rests(kind_by, cell, *months_audited(tables))


def audit_shown(tables: RunTables, strict: Cells) -> Mapping[str, Any] | None:
    """Return the estimate without bounds that rest on too few; its counts of sessions drawn and judged stay."""
    if tables.audit is None:
        return None
    thin = thin_months(tables, strict.least)
    hidden = {month for month in months_audited(tables) if month in thin or strict.rests("", "", month)}
    none = {"lower_bound": None, "upper_bound": None}
    response = [{**one, **(none if one["month"] in hidden else {})} for one in tables.audit["response"]]
    bounds = None if hidden else tables.audit["growth_bounds"]
    return {**tables.audit, "response": response, "growth_bounds": bounds}

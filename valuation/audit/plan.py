"""What a design will buy, said before anyone works."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from valuation.core.audit_estimate import AuditedSessions, estimate_audit
from valuation.core.audit_plan import SPREADS, PlannedAudit, audits_for, expected_error
from valuation.core.audit_variance import variance_of
from valuation.pipeline.finished import read_run_table
from valuation.tables import Validation

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

    from valuation.audit.population import Population
    from valuation.core.audit_design import AuditDesign

HELD_OUT = "held-out residual of this run"
ASSUMED = "assumed"


@dataclass(frozen=True, slots=True)
class ExpectedWidth:
    """How wide the interval of audited growth will be if analysts' values scatter by `spread` around the pricer's.

    Attributes
    ----------
    spread : float
        Standard deviation of analyst's less predicted value, log points.
    why : str
        Assumed, or this run's error on held-out postings.
    audits, users : float
        Standard errors of growth, log points: from checking some sessions only, and from the sampling of users alone.
    standard_error : float
        Of both together, with what the spread itself varies between users.
    half_width : float
        Half of the interval, log points: Student's quantile times `standard_error`.
    width : float
        Whole interval around a growth of nought, as growth: 0.5 is from about −0.22 to +0.28.
    half_needs : int or None
        Sessions to draw in each month, matched and unmatched, for half of `standard_error`; None where users alone
        forbid it.
    """

    spread: float
    why: str
    audits: float
    users: float
    standard_error: float
    half_width: float
    width: float
    half_needs: int | None


def expected_widths(
    people: Population, design: AuditDesign, folder: Path, manifest: dict[str, Any]
) -> tuple[ExpectedWidth, ...]:
    """Expect the interval of growth from the first to the last audited month; nothing for one month.

    Every drawn session is taken to get a value. The target is matched sessions, as in the plain series.
    """
    if len(people.months) < 2:
        return ()
    planned = _planned(people, design)
    if planned is None:
        return ()
    level = float(manifest["settings"]["series"]["level"])
    spreads = [(spread, ASSUMED) for spread in SPREADS]
    own = _held_out(folder, manifest)
    spreads += [(own, HELD_OUT)] if own is not None else []
    return tuple(_width(planned, spread, why, level) for spread, why in spreads)


def month_codes(people: Population) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Position of each session's month among the audited ones."""
    return np.searchsorted(np.array(people.months), people.sessions["month"].to_numpy(dtype=str)).astype(np.int64)


def _planned(people: Population, design: AuditDesign) -> PlannedAudit | None:
    """Collect what is known before anyone works; None where an end month has no matched session."""
    sessions, n = people.sessions, len(people.sessions)
    month, last = month_codes(people), len(people.months) - 1
    user = pd.factorize(sessions["user"])[0].astype(np.int64)
    weight = sessions["weight"].to_numpy(dtype=np.float64)
    nobody = AuditedSessions(
        month, user, weight, sessions["log_value"].to_numpy(dtype=np.float64), design.stratum,
        audited=np.zeros(n, dtype=bool), analyst_value=np.full(n, np.nan),
    )  # fmt: skip
    found = estimate_audit(nobody, n_months=last + 1, unmatched=False, method="stratified", level=0.5)
    if not np.isfinite(found.plain.estimate[[0, last]]).all():
        return None
    contrast = np.zeros(last + 1)
    contrast[0], contrast[last] = -1.0, 1.0
    users = variance_of(found.sampled_plain, contrast)
    return PlannedAudit(
        month, user, design.stratum, np.where(sessions["matched"], weight, 0.0), design.inclusion,
        from_month=0, to_month=last, users=users.users, freedom=users.freedom,
    )  # fmt: skip


def _width(planned: PlannedAudit, spread: float, why: str, level: float) -> ExpectedWidth:
    expected = expected_error(planned, spread=spread, response=1.0, level=level)
    needs = audits_for(expected.growth / 2, planned, spread=spread, response=1.0)
    width = float(np.expm1(expected.half_width) - np.expm1(-expected.half_width))
    users = float(np.sqrt(planned.users))
    return ExpectedWidth(spread, why, expected.audits, users, expected.growth, expected.half_width, width, needs)


def _held_out(folder: Path, manifest: dict[str, Any]) -> float | None:
    """Root mean squared error of the run's pricer on held-out postings, if its card has it."""
    card = read_run_table(folder, "validation", Validation)
    rows = card[
        (card["pricer"] == manifest["settings"]["pricing"]["pricer"])
        & (card["sample"] == "natural")
        & (card["cell_by"] == "")
        & (card["measure"] == "root_mean_squared_error")
    ]
    found = rows["estimate"].dropna()
    return float(found.iloc[0]) if len(found) and found.iloc[0] > 0 else None

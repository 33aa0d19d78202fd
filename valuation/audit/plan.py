"""What a design will buy, said before anyone works."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from valuation.core.audit_estimate import AuditedSessions, estimate_audit
from valuation.core.audit_growth import audited_growth
from valuation.core.audit_plan import SPREADS, audits_for, expected_error
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
        Half of the interval, log points.
    width : float
        Whole interval around a growth of nought, as growth: 0.5 is from about −0.22 to +0.28.
    half_needs : int or None
        Audits in each month for an interval half as wide; None where users alone forbid it.
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
    level = float(manifest["settings"]["series"]["level"])
    month = month_codes(people)
    users = _users_variance(people, design, month, level)
    if not np.isfinite(users):
        return ()
    matched = people.sessions["matched"].to_numpy()
    spreads = [(spread, ASSUMED) for spread in SPREADS]
    own = _held_out(folder, manifest)
    spreads += [(own, HELD_OUT)] if own is not None else []
    return tuple(_width(people, design, month, matched, users, spread, why, level) for spread, why in spreads)


def month_codes(people: Population) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Position of each session's month among the audited ones."""
    return np.searchsorted(np.array(people.months), people.sessions["month"].to_numpy(dtype=str)).astype(np.int64)


def _users_variance(people: Population, design: AuditDesign, month: np.ndarray, level: float) -> float:
    """Variance of the plain growth from the sampling of users."""
    n = len(people.sessions)
    found = estimate_audit(
        AuditedSessions(
            month=month,
            user=pd.factorize(people.sessions["user"])[0].astype(np.int64),
            weight=people.sessions["weight"].to_numpy(dtype=np.float64),
            value=people.sessions["log_value"].to_numpy(dtype=np.float64),
            stratum=design.stratum,
            audited=np.zeros(n, dtype=bool),
            analyst_value=np.full(n, np.nan),
        ),
        n_months=len(people.months), unmatched=False, method="stratified", level=level,
    )  # fmt: skip
    return float(audited_growth(found, from_month=0, to_month=len(people.months) - 1).plain_error ** 2)


def _width(
    people: Population, design: AuditDesign, month: np.ndarray, matched: np.ndarray, users: float, spread: float,
    why: str, level: float,
) -> ExpectedWidth:  # fmt: skip
    last = len(people.months) - 1
    weight = people.sessions["weight"].to_numpy(dtype=np.float64)[matched]
    expected = expected_error(
        design.stratum[matched], month[matched], weight, design.inclusion[matched],
        from_month=0, to_month=last, spread=spread, users=users, response=1.0, level=level,
    )  # fmt: skip
    wanted = (expected.growth / 2) ** 2 - (expected.growth**2 - expected.audits**2)
    sizes = int((month[matched] == 0).sum()), int((month[matched] == last).sum())
    needs = audits_for(spread, float(np.sqrt(wanted)), sizes=sizes, response=1.0) if wanted > 0 else None
    width = float(np.expm1(expected.half_width) - np.expm1(-expected.half_width))
    return ExpectedWidth(
        spread, why, expected.audits, float(np.sqrt(users)), expected.growth, expected.half_width, width, needs
    )


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

"""What a placebo finds: rows of the table `placebo`, and the draws behind them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from valuation.tables import Placebo, PlaceboDraws, typed

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

Verdict = Literal["yes", "no", "not_judged"]
NAN = float("nan")


@dataclass(frozen=True, slots=True)
class Finding:
    """One row of `valuation.tables.Placebo`; figures are log points unless the measure says otherwise."""

    placebo: str
    cell: str
    measure: str
    n: int
    estimate: float = NAN
    lower: float = NAN
    upper: float = NAN
    expected: float = NAN
    p_value: float = NAN
    passed: Verdict = "not_judged"
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Draws:
    """Draws of one placebo: growth in log points and growth over its standard error (NaN where not computed)."""

    placebo: str
    growth: NDArray[np.float64]
    studentised: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Found:
    """Everything that one placebo found."""

    findings: tuple[Finding, ...]
    draws: tuple[Draws, ...] = ()


def not_judged(placebo: str, reason: str, *, cell: str = "", measure: str = "growth") -> Found:
    """A placebo that these data do not allow, with the reason."""
    return Found((Finding(placebo, cell, measure, 0, reason=reason),))


def within(value: float, lower: float, upper: float) -> Verdict:
    """Whether a value lies between two ends; not judged where any is missing."""
    if not np.isfinite([value, lower, upper]).all():
        return "not_judged"
    return "yes" if lower <= value <= upper else "no"


def findings_table(found: list[Found]) -> pd.DataFrame:
    """All findings as a `Placebo` table."""
    rows = [asdict(finding) for part in found for finding in part.findings]
    return typed({name: [row[name] for row in rows] for name in Placebo.to_schema().columns} if rows else {}, Placebo)


def draws_table(found: list[Found]) -> pd.DataFrame:
    """All draws as a `PlaceboDraws` table."""
    parts = [part for one in found for part in one.draws]
    if not parts:
        return typed({}, PlaceboDraws)
    return typed(
        {
            "placebo": [part.placebo for part in parts for _ in part.growth],
            "cell": ["" for part in parts for _ in part.growth],
            "draw": np.concatenate([np.arange(part.growth.size) for part in parts]),
            "growth": np.concatenate([part.growth for part in parts]),
            "studentised": np.concatenate([part.studentised for part in parts]),
        },
        PlaceboDraws,
    )

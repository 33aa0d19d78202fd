"""Numbers that the report draws from what `placebo` and `sensitivity` wrote: counts, ranges, shares of a sign."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from valuation.report.inputs import headline_growth
from valuation.report.plots_evidence import drawn, draws_of, left_out, log_growth

if TYPE_CHECKING:
    from valuation.report.inputs import RunTables


@dataclass(frozen=True, slots=True)
class Curve:
    """Growth over all specifications with a figure; 0.27 = 27 %.

    Attributes
    ----------
    n, failed : int
        With a figure, and without.
    same_sign : float
        Share of those with a figure whose growth has the headline's sign, in [0, 1]; NaN where the headline is zero.
    low, median, high : float
        Over those with a figure.
    """

    n: int
    failed: int
    same_sign: float
    low: float
    median: float
    high: float


def curve_of(tables: RunTables) -> Curve | None:
    """Describe the specification curve; None if there is none."""
    known = tables.sensitivity["growth"].dropna().to_numpy(float)
    if known.size == 0:
        return None
    marked = tables.sensitivity.loc[tables.sensitivity["headline"].astype(bool), "growth"].dropna()
    row = headline_growth(tables)
    sign = float(np.sign(marked.iloc[0] if len(marked) else math.nan if row is None else row["growth"]))
    same = float((np.sign(known) == sign).mean()) if sign in (-1.0, 1.0) else math.nan
    middle = float(np.median(known))
    return Curve(known.size, len(tables.sensitivity) - known.size, same, float(known.min()), middle, float(known.max()))


def facts_of_evidence(tables: RunTables) -> dict[str, float]:
    """Return the evidence's own numbers by name."""
    facts: dict[str, float] = {"log_growth": log_growth(tables)}
    facts |= {f"draws,{name}": float(len(draws_of(tables, name))) for name in drawn(tables)}
    if not tables.tilt_backtest.empty:
        facts["tilts"] = float(len(tables.tilt_backtest))
        facts["tilts_least"] = float(tables.tilt_backtest["effective_postings"].min())
    without = left_out(tables)
    if not without.empty:
        facts["left_out_most"] = float(without["n"].max())
    curve = curve_of(tables)
    return facts if curve is None else facts | _curve_facts(tables, curve)


def _curve_facts(tables: RunTables, curve: Curve) -> dict[str, float]:
    table = tables.sensitivity.sort_values("specification")
    matched = table.loc[table["growth"].notna(), "n_matched"]
    return {
        "specifications": float(curve.n),
        "specifications_failed": float(curve.failed),
        "specifications_same_sign": curve.same_sign,
        "specifications_low": curve.low,
        "specifications_median": curve.median,
        "specifications_high": curve.high,
        "specifications_p": float(table["median_p_value"].iloc[0]),
        "specifications_draws": float(table["permutations"].iloc[0]),
        "specifications_least": float(matched.min()),
        "specifications_most": float(matched.max()),
    }

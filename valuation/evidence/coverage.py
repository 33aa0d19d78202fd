"""From worlds to figures: bias, RMSE and coverage of each series for each target, and how often warnings fire."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from valuation.evidence.would_warn import RULES
from valuation.tables import SimulationStudy, typed
from valuation.tables.evidence import SimulationWarnings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from valuation.evidence.worlds import Cell

LIMITS = (0.93, 0.97)
"""Coverage of 95 % intervals that passes (METHOD section 9)."""
APART = "calibration_slope"
"""The one rule that says nothing of growth: the slope also falls with the noise of single values, which means average
out. It is counted apart from the others."""


def study_table(cells: Sequence[Cell], frames: Sequence[pd.DataFrame], *, level: str) -> pd.DataFrame:
    """Summarise worlds in the schema `SimulationStudy`.

    Parameters
    ----------
    cells : sequence of Cell
    frames : sequence of DataFrame
        Rows of each cell's worlds (`valuation.evidence.blocks.WorldRows`).
    level : {"vector", "text"}
    """
    rows = [
        {"world": cell.name, "level": level, "pricer": cell.estimation.pricer, "series": series, "target": target}
        | _figures(group)
        for cell, frame in zip(cells, frames, strict=True)
        for (series, target), group in frame.groupby(["series", "target"], sort=False)
    ]
    return typed({name: [row[name] for row in rows] for name in SimulationStudy.to_schema().columns}, SimulationStudy)


def _figures(rows: pd.DataFrame) -> dict[str, object]:
    """Figures of one series and target; one row a world."""
    known = rows[rows[["estimate", "lower", "upper", "truth"]].notna().all(axis=1)]
    n, error = len(known), (known["estimate"] - known["truth"]).to_numpy()
    inside = known["truth"].between(known["lower"], known["upper"]).to_numpy()
    coverage = float(inside.mean()) if n else np.nan
    return {
        "worlds": len(rows),
        "failed": len(rows) - n,
        "true_growth": _mean(known["truth"].to_numpy()),
        "bias": _mean(error),
        "bias_error": float(error.std(ddof=1) / np.sqrt(n)) if n > 1 else np.nan,
        "rmse": float(np.sqrt(_mean(np.square(error)))),
        "standard_error": _mean(known["standard_error"].to_numpy()),
        "coverage": coverage,
        "coverage_error": float(np.sqrt(coverage * (1.0 - coverage) / n)) if n else np.nan,
        "within_limits": LIMITS[0] <= coverage <= LIMITS[1],
        "warned_share": _mean(rows[[rule for rule in RULES if rule != APART]].any(axis=1).to_numpy()),
        "shift_check_rejects": _mean(rows["shift_check"].to_numpy()),
    }


def _mean(values: np.ndarray) -> float:
    return float(values.mean()) if values.size else np.nan


def warnings_table(cells: Sequence[Cell], frames: Sequence[pd.DataFrame], *, level: str) -> pd.DataFrame:
    """Count in how many worlds each rule fires, in the schema `SimulationWarnings`; parameters as in `study_table`."""
    rows: list[tuple[str, str, str, int, float]] = []
    for cell, frame in zip(cells, frames, strict=True):
        worlds = frame.drop_duplicates("number")
        rows += [(cell.name, level, rule, len(worlds), _mean(worlds[rule].to_numpy())) for rule in RULES]
    names = list(SimulationWarnings.to_schema().columns)
    return typed(dict(zip(names, zip(*rows, strict=True), strict=True)), SimulationWarnings)

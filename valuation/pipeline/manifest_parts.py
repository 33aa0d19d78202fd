"""Parts of a run's manifest that figures are redone from: calibration lines, smearing factors, bands' categories."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from valuation.core.bootstrap import calibration_replicates
from valuation.core.calibration import calibrate
from valuation.core.intervals import effective_number, pointwise, widening
from valuation.core.pricing import PRICERS
from valuation.errors import ThinMatchError

if TYPE_CHECKING:
    from valuation.config import Settings
    from valuation.core.bands import Scores
    from valuation.core.statistics import Smearing
    from valuation.pipeline.model import PriceModel


def calibration_facts(model: PriceModel, settings: Settings) -> dict[str, object]:
    """The held-out calibration lines of all pricers, applied or not, and the interval of the headline's slope.

    A pricer that gives every posting the same value has no line.
    """
    lines = {}
    for name, value in zip(PRICERS, model.value, strict=True):
        try:
            line = calibrate(model.arrays.log_price, value)
        except ThinMatchError:
            continue
        lines[name] = {"intercept": line.intercept, "slope": line.slope}
    facts: dict[str, object] = {"applied": settings.pricing.calibrate, "lines": lines}
    name = settings.pricing.pricer
    if name in lines:
        lower, upper = _slope_interval(model, PRICERS.index(name), settings)
        facts |= {**lines[name], "slope_lower": lower, "slope_upper": upper}
    return facts


def _slope_interval(model: PriceModel, which: int, settings: Settings) -> tuple[float | None, float | None]:
    """Interval of a slope at ``series.level`` from resampled posting units; None where none can be given."""
    level = settings.series.level
    try:
        line = calibration_replicates(
            model.value[which],
            model.arrays.log_price,
            model.arrays.unit,
            unit_key=model.arrays.unit_key,
            seed=settings.bootstrap.seed,
            replicates=settings.bootstrap.replicates,
        )
    except ValueError:  # in some replicate the values do not vary
        return None, None
    stands = np.array([effective_number(np.bincount(model.arrays.unit).astype(np.float64))])
    factor = widening(stands, level=level)
    found = pointwise(np.array([line.slope]), line.slope_deviation[:, None], level=level, factor=factor)
    if np.isnan(factor[0]):
        return None, None
    return float(found.lower[0]), float(found.upper[0])


def smearing_facts(smearing: Smearing) -> dict[str, list[float]]:
    """Cuts of calibrated log value between the fifths, and the factors ``S`` that turn typical into mean prices."""
    return {
        "edges": smearing.edges.tolist(),
        "factor": smearing.factor.tolist(),
        "top_share": smearing.top_share.tolist(),
    }


def category_facts(scores: Scores) -> dict[str, list[float] | list[list[float]] | list[list[int]]]:
    """Where the categories of the single-posting band begin, and which of them were merged.

    ``category[f][t]`` is the merged category of fifth `f` of log value (cut at ``value_cut``) and third `t` of the
    nearest similarity (cut at ``similarity_cut[f]``); a value on a cut lies above it.
    """
    return {
        "value_cut": scores.value_cut.tolist(),
        "similarity_cut": scores.similarity_cut.tolist(),
        "category": scores.merged.tolist(),
    }

"""Two polar readings of growth: sessions move between kinds of work, or along the price axis whatever their words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from valuation.core.bootstrap import calibration_replicates
from valuation.core.calibration import apply
from valuation.core.price_axis import along_price_axis
from valuation.evidence.findings import Finding, Found, not_judged
from valuation.evidence.headline import interval

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from valuation.evidence.headline import Headline
    from valuation.pipeline.reopened import ReopenedRun

NAME = "price_axis"


def slope_on_price(run: ReopenedRun, headline: Headline) -> tuple[float, NDArray[np.float64]]:
    """Slope of held-out value on log price over postings, and its deviations by the run's own posting draws."""
    arrays, boot = run.opened.model.arrays, run.settings.bootstrap
    value = apply(run.opened.model.calibration[headline.which], run.opened.model.value[headline.which])
    line = calibration_replicates(
        arrays.log_price, value, arrays.unit, unit_key=arrays.unit_key, seed=boot.seed, replicates=boot.replicates
    )
    return line.slope, line.slope_deviation


def readings(run: ReopenedRun, headline: Headline) -> Found:
    """Both readings, as a sensitivity; neither is a test."""
    slope, moved = slope_on_price(run, headline)
    if slope <= 0:
        return not_judged(
            NAME, f"held-out values fall as prices rise (slope {slope:.2f}): there is no axis to move along"
        )
    first, n_postings = headline.interval, run.opened.model.arrays.log_price.size
    estimate, deviations = along_price_axis(headline.growth.estimate, headline.growth.both, slope, moved)
    ends = interval(estimate, deviations, level=headline.level, factor=headline.growth.factor)
    of_slope = interval(slope, moved, level=headline.level)
    words = "a reading, not a test: "
    return Found(
        (
            Finding(
                NAME, "between kinds", "growth", headline.n, first.estimate, first.lower, first.upper,
                reason=words + "prices of a kind stay, sessions move between kinds; this is the headline",
            ),
            Finding(
                NAME, "along prices", "growth", headline.n, estimate, ends.lower, ends.upper,
                reason=words + "sessions move along the price axis whatever their words; never the headline",
            ),
            Finding(
                NAME, "", "slope", n_postings, slope, of_slope.lower, of_slope.upper,
                reason="slope of held-out value on log price: what growth along prices is divided by",
            ),
        )
    )  # fmt: skip

"""The words of the pricer card: its measures, the samples of postings, and the cells they are split into."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markupsafe import Markup

if TYPE_CHECKING:
    from collections.abc import Mapping

BIAS = "predicted_over_actual"
MEASURE_WORDS = {
    "squared_correlation": "Squared correlation of log prices",
    "mean_absolute_error": "Mean absolute error, log points",
    "root_mean_squared_error": "Root mean squared error, log points",
    "mean_error": "Mean of actual minus predicted, log points",
    "slope": "Calibration slope",
    "slope_raw": "Calibration slope before the linear correction",
    "intercept_raw": "Intercept before the linear correction, log points",
    "slope_corrected": "Calibration slope after it",
    "intercept_corrected": "Intercept after it, log points",
    BIAS: "Predicted over actual, geometric mean",
    "mean_error_raw": "Mean of actual minus predicted before the linear correction, log points",
    "mean_error_corrected": "Mean of actual minus predicted after it, log points",
    "single_coverage": "Coverage of the single-posting band",
    "single_width": "Median width of the single-posting band, log points",
    "typical_coverage": "Single prices inside the typical band, which is not made to hold them",
    "typical_width": "Median width of the typical band, log points",
    "interval_score": "Interval score, single-posting band (less is better)",
    "interval_score_constant": "Interval score, a band of constant width",
    "interval_score_difference": "Difference of the two scores",
}
"""In the order in which they are shown."""
SAMPLE_WORDS = {
    "natural": "natural mix",
    "tier_weighted": "price tiers balanced",
    "full_text": "fully described",
    "full_text_tier_weighted": "fully described, price tiers balanced",
    "holdout": "held-out file",
    "holdout_tier_weighted": "held-out file, a quarter each tier",
    "holdout_full_text": "held-out file, fully described",
    "holdout_full_text_tier_weighted": "held-out file, fully described, a quarter each tier",
}
CELL_WORDS = {
    "tier": "price tier",
    "predicted": "predicted value",
    "similarity": "similarity",
    "mondrian": "cell of the single-posting band",
    "source": "source",
    "month": "month",
}
CELL_HEADERS: dict[str, Markup] = {
    BIAS: Markup("Predicted over actual <small>geometric mean</small>"),
    "mean_error": Markup("Mean error"),
    "mean_error_raw": Markup("Mean error <small>before</small>"),
    "mean_error_corrected": Markup("Mean error <small>corrected</small>"),
    "slope": Markup("Slope"),
    "slope_raw": Markup("Slope <small>before</small>"),
    "slope_corrected": Markup("Slope <small>corrected</small>"),
    "single_coverage": Markup("Inside the single band"),
    "single_width": Markup("Its width <small>log points</small>"),
    "typical_coverage": Markup("Inside the typical band"),
    "typical_width": Markup("Its width <small>log points</small>"),
}
"""Short headers of the tables by cell, whose sentences say the rest."""
CELL_NOTES = {
    "tier": "Tiers are of the actual price: any pricer that regresses to the mean overprices the cheap and underprices "
    "the dear, and the single-posting band, which covers at its level over all postings and by what can be known "
    "beforehand, can hold far fewer of the dearest.",
    "predicted": "Fifths of the predicted value, from cheap to dear.",
    "similarity": "Thirds of the similarity to the nearest posting, from far to near.",
    "mondrian": "Fifths of the predicted value (first: cheap) crossed with thirds of the similarity to the nearest "
    "posting (first: far): the single-posting band is made in each by itself, so that it holds its level in each. "
    "Cells with few postings are merged and bear the name of the first.",
    "source": "By market, with the market’s own effect in the prediction.",
    "month": "By the month in which the postings were made.",
}


def ranked(known: Mapping[str, object], name: object) -> tuple[int, str]:
    """Return a key that sorts names as `known` has them, and others after those, by name."""
    names = list(known)
    return (names.index(str(name)) if str(name) in known else len(names), str(name))

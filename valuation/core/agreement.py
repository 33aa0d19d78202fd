"""Agreement of several analysts on the same units, corrected for chance; some may have judged only some units.

A table of *counts* has one row a unit and one column a category: how many analysts chose it. Units carry weights, so
that a bootstrap over sessions needs no rows to be copied.

Gwet's AC1 (Gwet 2008, "Computing inter-rater reliability and its variance in the presence of high agreement", British
Journal of Mathematical and Statistical Psychology 61) takes as chance ``Σ_k π_k (1 − π_k)/(q − 1)``, which stays
small where nearly all is one category. Krippendorff's alpha (Krippendorff 2019, Content analysis, 4th edition,
chapter 12) is ``1 − D_o/D_e``, with observed and expected disagreement over the pairable values.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

Scale = Literal["nominal", "ordinal"]


@dataclass(frozen=True, slots=True)
class Agreement:
    """Gwet's AC1.

    Attributes
    ----------
    coefficient : float
        At most 1; 0 is chance. NaN with fewer than two units that two analysts judged.
    standard_error : float
        Gwet's, over units drawn at random and independently; NaN with weights, or fewer than two units.
    observed, chance : float
        Shares of agreement, in [0, 1].
    n_units : int
        Units that two or more analysts judged.
    """

    coefficient: float
    standard_error: float
    observed: float
    chance: float
    n_units: int


def gwet_ac1(counts: NDArray[np.int64], *, weight: NDArray[np.float64] | None = None) -> Agreement:
    """Gwet's AC1 for any number of analysts, missing judgements allowed.

    Parameters
    ----------
    counts : ndarray of int, shape (n_units, n_categories)
        Analysts who chose each category; two or more categories, whether or not anyone used them.
    weight : ndarray, shape (n_units,), optional
        Of each unit, not negative; None: all 1.
    """
    if counts.ndim != 2 or counts.shape[1] < 2:
        raise ValueError(f"counts of shape {counts.shape}, expected one column for each of two or more categories")
    judged = counts.sum(axis=1) > 0
    counts, w = counts[judged], np.ones(counts.shape[0])[judged] if weight is None else weight[judged]
    raters, q = counts.sum(axis=1), counts.shape[1]
    twice = raters >= 2
    n_twice = int(twice.sum())
    if n_twice < 2 or w[twice].sum() <= 0:
        return Agreement(np.nan, np.nan, np.nan, np.nan, n_twice)
    agreed = (counts * (counts - 1)).sum(axis=1) / np.maximum(raters * (raters - 1), 1)
    observed = float((w * agreed)[twice].sum() / w[twice].sum())
    prevalence = (w[:, None] * counts / raters[:, None]).sum(axis=0) / w.sum()
    chance = float((prevalence * (1.0 - prevalence)).sum() / (q - 1))
    coefficient = (observed - chance) / (1.0 - chance)
    error = np.nan if weight is not None else _gwet_error(counts, agreed, prevalence, chance, coefficient)
    return Agreement(float(coefficient), error, observed, chance, n_twice)


def _gwet_error(
    counts: NDArray[np.int64], agreed: NDArray[np.float64], prevalence: NDArray[np.float64], chance: float,
    coefficient: float,
) -> float:  # fmt: skip
    """Standard error by linearisation: what each unit adds through observed and through chance agreement."""
    n, q = counts.shape
    raters = counts.sum(axis=1)
    twice = raters >= 2
    by_unit = np.where(twice, agreed - chance, 0.0) * (n / twice.sum()) / (1.0 - chance)
    own_chance = (counts * (1.0 - prevalence)).sum(axis=1) / raters / (q - 1)
    by_unit = by_unit - 2.0 * (1.0 - coefficient) * (own_chance - chance) / (1.0 - chance)
    return float(np.sqrt(np.square(by_unit - coefficient).sum() / (n * (n - 1))))


def krippendorff_alpha(counts: NDArray[np.int64], *, scale: Scale, weight: NDArray[np.float64]) -> float:
    """Krippendorff's alpha of weighted units, from their counts.

    Parameters
    ----------
    counts : ndarray of int, shape (n_units, n_categories)
        Categories in ascending order where `scale` is ordinal.
    scale : {"nominal", "ordinal"}
    weight : ndarray, shape (n_units,)
        Not negative.

    Returns
    -------
    float
        NaN where nothing is pairable, or all pairable values are one category: agreement cannot be told from chance.
    """
    raters = counts.sum(axis=1)
    pairable = raters >= 2
    values = counts[pairable].astype(np.float64)
    w = weight[pairable] / np.maximum(raters[pairable] - 1.0, 1.0)
    together = values.T @ (w[:, None] * values)
    together -= np.diag((w[:, None] * values).sum(axis=0))
    total = together.sum(axis=1)
    expected = np.outer(total, total) - np.diag(total)
    distance = _distance(total, scale)
    below = float((expected * distance).sum())
    n = float(total.sum())
    return 1.0 - (n - 1.0) * float((together * distance).sum()) / below if below > 0 else np.nan


def _distance(total: NDArray[np.float64], scale: Scale) -> NDArray[np.float64]:
    """Squared differences of categories, shape (n_categories, n_categories)."""
    at = np.arange(total.size)
    if scale == "nominal":
        return np.asarray((at[:, None] != at[None, :]).astype(np.float64))
    middle = np.cumsum(total) - 0.5 * total  # an ordinal difference: the values from one middle to the other
    return np.asarray(np.square(middle[:, None] - middle[None, :]))


def krippendorff_interval(unit: NDArray[np.int64], value: NDArray[np.float64], *, weight: NDArray[np.float64]) -> float:
    """Krippendorff's alpha of numbers, differences squared; memory grows with the values, not with their square.

    Observed disagreement is the variance within units, expected the variance of all pairable values.

    Parameters
    ----------
    unit : ndarray of int, shape (n_values,)
        Unit of each value, in [0, n_units).
    value : ndarray, shape (n_values,)
        Finite.
    weight : ndarray, shape (n_units,)
        Not negative.
    """
    count = np.bincount(unit, minlength=weight.size)
    used = count[unit] >= 2
    unit, value = unit[used], value[used]
    w = weight[unit]
    if w.sum() <= 1:
        return np.nan
    value = value - float((w * value).sum() / w.sum())
    mean = np.bincount(unit, weights=value, minlength=weight.size) / np.maximum(count, 1)
    pairs = count[unit] / (count[unit] - 1.0)
    within = float((w * pairs * np.square(value - mean[unit])).sum()) / float(w.sum())
    below = float((w * np.square(value)).sum()) / float(w.sum() - 1.0)
    return 1.0 - within / below if below > 0 else np.nan

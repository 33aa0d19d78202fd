"""How far postings like a text scatter around the pricer: a regression of absolute residuals on the text's features."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from valuation.core.hedonic import cross_fit, out_of_fold

if TYPE_CHECKING:
    from numpy.typing import NDArray

FLOOR = 0.5
"""Least scale, as a share of the basket's mean absolute residual: a linear fit may come near zero, a scale must not."""

SMOOTHER = 30.0
"""Penalties are this many times those of prices: scatter varies less with the text than its price does, and where it
does not vary at all the scale must be able to fall back to a constant."""


@dataclass(frozen=True, slots=True)
class Scale:
    """A fitted scale: ``σ(x) = max(intercept + x'coefficient, floor)``, log points.

    Attributes
    ----------
    coefficient : ndarray, shape (n_text_features,)
    intercept, floor : float
    """

    coefficient: NDArray[np.float64]
    intercept: float
    floor: float


def fit_scale(
    residual: NDArray[np.float64],
    features: NDArray[np.float64],
    fold: NDArray[np.int64],
    *,
    penalties: tuple[float, ...],
) -> tuple[Scale, NDArray[np.float64]]:
    """Regress ``|ρ_j|`` on the text's features by ridge (Glejser 1969; a normalised score as in Lei et al. 2018, §5.2).

    Parameters
    ----------
    residual : ndarray, shape (n,)
        ``ρ_j`` of the whole pricer, out of fold, log points.
    features : ndarray, shape (n, p)
        Features of the text alone: a text without a market must not be scaled as the average market.
    fold : ndarray of int, shape (n,)
        Cross-fitting folds.
    penalties : tuple of float
        Ridge penalties of the price regression; `SMOOTHER` times these are tried.

    Returns
    -------
    Scale
        Fitted on all rows, for texts from outside.
    ndarray, shape (n,)
        Each row's scale from the fit without its fold, for its own score.
    """
    size = np.abs(residual)
    fit = cross_fit(features, size, fold, penalties=tuple(SMOOTHER * penalty for penalty in penalties))
    floor = max(FLOOR * float(size.mean()), 1e-12)
    whole = Scale(coefficient=fit.coefficient, intercept=fit.intercept, floor=floor)
    return whole, np.maximum(out_of_fold(fit, features), floor)


def scale_of(fitted: Scale, features: NDArray[np.float64]) -> NDArray[np.float64]:
    """Scale ``σ_i`` of texts, shape (n,), log points; `features` of shape (n, n_text_features)."""
    return np.asarray(np.maximum(fitted.intercept + features @ fitted.coefficient, fitted.floor))

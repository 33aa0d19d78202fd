"""How well a pricer prices held-out postings: the measures of the pricer card, with intervals by resampling unit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

TIERS = ((10.0, 200.0), (200.0, 1000.0), (1000.0, 5000.0), (5000.0, 50000.0))
"""Price tiers in USD of the published study; half-open but for the last."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A measure with the ends of its interval."""

    estimate: float
    lower: float
    upper: float


def tier(log_price: NDArray[np.float64]) -> NDArray[np.int64]:
    """Tier of each price: 0..3, or -1 outside $10 to $50,000."""
    price = np.exp(log_price)
    found = np.searchsorted([low for low, _ in TIERS] + [TIERS[-1][1]], price * (1 + 1e-12), side="right") - 1
    found = np.where((found == len(TIERS)) & (price <= TIERS[-1][1] * (1 + 1e-9)), len(TIERS) - 1, found)
    return np.where((found < 0) | (found >= len(TIERS)), -1, found)


def squared_correlation(
    log_price: NDArray[np.float64], value: NDArray[np.float64], weight: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Weighted squared correlation of log prices and log values.

    Parameters
    ----------
    log_price, value : ndarray, shape (n,)
        Log USD.
    weight : ndarray, shape (..., n)
        Non-negative; one answer for each leading entry. NaN where either side does not vary.
    """
    cov, var_y, var_v = _moments(log_price, value, weight)
    known = (var_y > 0) & (var_v > 0)
    return np.asarray(np.divide(cov**2, var_y * var_v, out=np.full_like(cov, np.nan), where=known))


def slope(
    log_price: NDArray[np.float64], value: NDArray[np.float64], weight: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Weighted slope of log price on log value; shapes as in `squared_correlation`."""
    cov, _, var_v = _moments(log_price, value, weight)
    return np.asarray(np.divide(cov, var_v, out=np.full_like(cov, np.nan), where=var_v > 0))


def intercept(
    log_price: NDArray[np.float64], value: NDArray[np.float64], weight: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Weighted intercept of log price on log value, log USD; shapes as in `squared_correlation`."""
    at_mean = slope(log_price, value, weight) * weighted_mean(value, weight)
    return np.asarray(weighted_mean(log_price, weight) - at_mean)


def _moments(
    y: NDArray[np.float64], v: NDArray[np.float64], weight: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Weighted covariance and variances; a variance that is only rounding error is exactly 0."""
    mean_y, mean_v = weighted_mean(y, weight), weighted_mean(v, weight)
    square_y, square_v = weighted_mean(y**2, weight), weighted_mean(v**2, weight)
    var_y, var_v = square_y - mean_y**2, square_v - mean_v**2
    return (
        np.asarray(weighted_mean(y * v, weight) - mean_y * mean_v),
        np.where(var_y > 1e-12 * square_y, var_y, 0.0),
        np.where(var_v > 1e-12 * square_v, var_v, 0.0),
    )


def weighted_mean(values: NDArray[np.float64], weight: NDArray[np.float64]) -> NDArray[np.float64]:
    """Weighted mean, shape of `weight` without its last axis; NaN without weight."""
    total = weight.sum(axis=-1)
    return np.asarray(np.divide(weight @ values, total, out=np.full_like(total, np.nan), where=total > 0))


def with_interval(point: float, replicates: NDArray[np.float64], *, level: float) -> Estimate:
    """Percentile interval of bootstrap replicates around a point estimate."""
    finite = replicates[np.isfinite(replicates)]
    if finite.size == 0 or not np.isfinite(point):
        return Estimate(estimate=point, lower=np.nan, upper=np.nan)
    lower, upper = np.quantile(finite, [(1 - level) / 2, (1 + level) / 2])
    return Estimate(estimate=point, lower=float(lower), upper=float(upper))


def wilson(successes: float, n: int, *, level: float) -> Estimate:
    """Share with the score interval of Wilson (1927)."""
    from scipy.stats import norm

    if n == 0:
        return Estimate(estimate=np.nan, lower=np.nan, upper=np.nan)
    z, share = float(norm.ppf((1 + level) / 2)), successes / n
    middle = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * float(np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2)))
    return Estimate(estimate=share, lower=max(middle - half, 0.0), upper=min(middle + half, 1.0))


def interval_score(
    log_price: NDArray[np.float64], lower: NDArray[np.float64], upper: NDArray[np.float64], *, level: float
) -> NDArray[np.float64]:
    """Interval score of each band (Gneiting and Raftery 2007), shape (n,), log points: smaller is better."""
    miss = np.maximum(lower - log_price, 0.0) + np.maximum(log_price - upper, 0.0)
    return np.asarray(upper - lower + 2 / (1 - level) * miss)

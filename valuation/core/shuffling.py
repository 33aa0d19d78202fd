"""Prices shuffled over posting units and the hedonic regression fitted again: growth when texts say nothing of prices.

Neighbours do not depend on prices and stay. Growth of the mean log value is linear in prices and in the leave-out
slopes, and no Gram matrix depends on prices, so each is decomposed once and all shuffles are fitted together. The
figures are those of `valuation.core.hedonic.cross_fit` and `valuation.core.pricing.price` on shuffled prices.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import linalg

from valuation.core import draws
from valuation.core.influence import neighbour_matrix

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from valuation.core.arrays import BasketModel, PricedSessions
    from valuation.core.pricing import PricerName

UNITS_FROM, CLUSTERS_FROM, UNITS_TO, CLUSTERS_TO = 5, 6, 7, 8
"""Streams of draws, beside those in `valuation.core.draws` and `valuation.core.permutation`."""

BLOCK = 16
"""Shuffles drawn at a time: speed and memory only."""


@dataclass(frozen=True, slots=True)
class GrowthGap:
    """What growth of the mean log value is linear in: ``ΔA'y + Σ_f gap_f'b_f + Δz̄'b``.

    Attributes
    ----------
    weight : ndarray, shape (n_clusters,)
        ``ΔA_j``: weight of each cluster's price in the last month less that in the base month; 0 for ``hedonic``.
    by_fold : ndarray, shape (n_folds, n_features)
        ``Σ_{j∈f} (Σ_i Δp_i w_ij z_i − ΔA_j x_j)``, what the slope without fold f is multiplied by; 0 unless the pricer
        is ``matching``.
    whole : ndarray, shape (n_features,)
        ``Δz̄``, what the slope of the fit on all clusters is multiplied by; 0 unless it is ``hedonic``.
    """

    weight: NDArray[np.float64]
    by_fold: NDArray[np.float64]
    whole: NDArray[np.float64]


def growth_gap(
    sessions: PricedSessions, share: NDArray[np.float64], model: BasketModel, fold: NDArray[np.int64],
    *, pricer: PricerName,
) -> GrowthGap:  # fmt: skip
    """Lay open what growth is linear in.

    Parameters
    ----------
    sessions : PricedSessions
        Matched sessions of the pricer; all-zero neighbour weights for ``hedonic``.
    share : ndarray, shape (n_sessions,)
        Share of weight in the last month less that in the base month; sums to 0.
    model : BasketModel
        The basket.
    fold : ndarray of int, shape (n_clusters,)
        Fold of each cluster.
    pricer : {"matching", "neighbours", "hedonic"}
    """
    n_folds, p = int(fold.max()) + 1, model.features.shape[1]
    by_fold, whole = np.zeros((n_folds, p)), np.zeros(p)
    if pricer == "hedonic":
        return GrowthGap(np.zeros(fold.size), by_fold, share @ sessions.features)
    weights = neighbour_matrix(sessions, fold.size)
    weight = np.asarray(weights.T @ share)
    if pricer == "matching":
        for f in range(n_folds):
            inside = fold == f
            at_sessions = share * (weights @ inside.astype(np.float64))
            by_fold[f] = at_sessions @ sessions.features - weight[inside] @ model.features[inside]
    return GrowthGap(weight, by_fold, whole)


def shuffled_prices(
    log_price: NDArray[np.float64], unit: NDArray[np.int64], *, unit_key: NDArray[np.uint64],
    cluster_key: NDArray[np.uint64], seed: int, count: int,
) -> NDArray[np.float64]:  # fmt: skip
    """Lay prices, unit after unit in one random order, on clusters, unit after unit in another: shape (count, n).

    Prices of one unit so stay together, as far as the units they fall on are as large; where every unit is one cluster,
    it is a plain permutation.

    Parameters
    ----------
    log_price, unit : ndarray, shape (n_clusters,)
        Prices and their resampling units, in [0, n_units).
    unit_key, cluster_key : ndarray of uint64, shapes (n_units,), (n_clusters,)
        Identities of the draws.
    seed, count : int
        Of the draws; shuffles 0 … count − 1.
    """
    out = np.empty((count, log_price.size))
    for first in range(0, count, BLOCK):
        size = min(BLOCK, count - first)
        drawn = [
            draws.exponentials(key, seed=seed, stream=stream, first=first, count=size)
            for stream, key in (
                (UNITS_FROM, unit_key), (CLUSTERS_FROM, cluster_key), (UNITS_TO, unit_key), (CLUSTERS_TO, cluster_key),
            )
        ]  # fmt: skip
        for row in range(size):
            from_order = np.lexsort((drawn[1][row], drawn[0][row][unit]))
            to_order = np.lexsort((drawn[3][row], drawn[2][row][unit]))
            out[first + row, to_order] = log_price[from_order]
    return out


def refitted_growth(
    features: NDArray[np.float64], fold: NDArray[np.int64], log_price: NDArray[np.float64], gap: GrowthGap,
    *, penalties: tuple[float, ...],
) -> NDArray[np.float64]:  # fmt: skip
    """Growth under each row of prices, penalty chosen and regression fitted anew, shape (n_rows,), log points.

    Parameters
    ----------
    features : ndarray, shape (n_clusters, n_features)
        ``x_j``, centred or not.
    fold : ndarray of int, shape (n_clusters,)
        Fold of each cluster.
    log_price : ndarray, shape (n_rows, n_clusters)
        Each row one basket's log prices.
    gap : GrowthGap
        From `growth_gap`.
    penalties : tuple of float
        Ridge penalties to choose from.
    """
    growth = log_price @ gap.weight
    if not (gap.by_fold.any() or gap.whole.any()):
        return np.asarray(growth)
    error, candidate = np.zeros((len(penalties), len(log_price))), np.zeros((len(penalties), len(log_price)))
    for f in np.unique(fold):
        inside = fold == f
        fits = _ridge_path(features[~inside], log_price[:, ~inside], penalties)
        candidate += np.stack([slope.T @ gap.by_fold[f] for slope, _ in fits])
        error += np.stack([_squared(features[inside], log_price[:, inside], *fit) for fit in fits])
    if gap.whole.any():
        candidate += np.stack([slope.T @ gap.whole for slope, _ in _ridge_path(features, log_price, penalties)])
    return np.asarray(growth + np.take_along_axis(candidate, _chosen(error, penalties)[None], axis=0)[0])


def _ridge_path(
    x: NDArray[np.float64], y: NDArray[np.float64], penalties: tuple[float, ...]
) -> list[tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Slopes (n_features, n_rows) and intercepts (n_rows,) of every row of prices, by penalty."""
    centre, level = x.mean(axis=0), y.mean(axis=1)
    centred = x - centre
    value, axes = linalg.eigh(centred.T @ centred)
    moment = axes.T @ (centred.T @ y.T)
    slopes = [axes @ (moment / (np.maximum(value, 0.0) + penalty)[:, None]) for penalty in penalties]
    return [(slope, level - centre @ slope) for slope in slopes]


def _squared(
    x: NDArray[np.float64], y: NDArray[np.float64], slope: NDArray[np.float64], intercept: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Squared error of each row of prices, shape (n_rows,)."""
    return np.asarray(np.square(y.T - x @ slope - intercept).sum(axis=0))


def _chosen(error: NDArray[np.float64], penalties: tuple[float, ...]) -> NDArray[np.int64]:
    """Position of the penalty of least error, the larger of two equal ones, for each row, as in `cross_fit`."""
    best = error <= error.min(axis=0) * (1 + 1e-12)
    chosen: NDArray[np.int64] = np.where(best, np.array(penalties)[:, None], -np.inf).argmax(axis=0)
    return chosen

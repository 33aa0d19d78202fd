"""Prices of sessions: bias-corrected matching, plain neighbours, and the hedonic regression.

``v_i = Σ_j w_ij (y_j + m_-j(z_i) − m_-j(x_j))`` (Abadie and Imbens 2011, with the regression fitted without the
neighbour's fold). Everything here is written once for sessions and for postings that stand in for them: the only
difference is which neighbours are allowed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from valuation.core.hedonic import out_of_fold, twice_out_of_fold
from valuation.core.kernel import kernel_weights

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from valuation.core.hedonic import CrossFit

PricerName = Literal["matching", "neighbours", "hedonic"]
PRICERS: tuple[PricerName, ...] = ("matching", "neighbours", "hedonic")


@dataclass(frozen=True, slots=True)
class Pricer:
    """What is needed to price a text, apart from its neighbours.

    Attributes
    ----------
    log_price : ndarray, shape (n_clusters,)
        ``y_j``, log nominal USD.
    fit : CrossFit
        The hedonic regression.
    residual : ndarray, shape (n_clusters,)
        ``r_j = y_j − m_-j(x_j)``, out of fold.
    left_out_residual : ndarray, shape (n_folds, n_clusters)
        ``y_j`` less its prediction without its own fold and without fold `f`.
    k, tau : int, float
        Neighbours used and their bandwidth in cosine units.
    """

    log_price: NDArray[np.float64]
    fit: CrossFit
    residual: NDArray[np.float64]
    left_out_residual: NDArray[np.float64]
    k: int
    tau: float


@dataclass(frozen=True, slots=True)
class Prices:
    """Log prices of texts under the three pricers.

    Attributes
    ----------
    weight : ndarray, shape (n, stored)
        Weights of the stored neighbours, summing to one; zero beyond the first k.
    value : ndarray, shape (3, n)
        Log value by `PRICERS`, log nominal USD.
    left_out_value : ndarray, shape (3, n_folds, n)
        The same with the pricer fitted, and matched, without each fold.
    """

    weight: NDArray[np.float64]
    value: NDArray[np.float64]
    left_out_value: NDArray[np.float64]


def make_pricer(
    log_price: NDArray[np.float64], features: NDArray[np.float64], fit: CrossFit, *, k: int, tau: float
) -> Pricer:
    """Assemble the pricer from a fitted hedonic regression and the basket it was fitted on."""
    return Pricer(
        log_price=log_price,
        fit=fit,
        residual=log_price - out_of_fold(fit, features),
        left_out_residual=log_price - twice_out_of_fold(fit, features),
        k=k,
        tau=tau,
    )


def price(
    pricer: Pricer, similarity: NDArray[np.float64], row: NDArray[np.int64], features: NDArray[np.float64]
) -> Prices:
    """Price texts from outside the basket.

    Parameters
    ----------
    similarity, row : ndarray, shape (n, stored)
        Stored neighbours, nearest first: similarity in [-1, 1] and basket row. ``2k`` of them let a fold be left
        out without another search.
    features : ndarray, shape (n, p)
        ``z_i``, made like the basket's features.
    """
    fit = pricer.fit
    weight = kernel_weights(similarity, np.ones(row.shape, dtype=bool), k=pricer.k, tau=pricer.tau)
    by_fold = _models_at(fit, features)
    diagonal = np.arange(fit.n_folds)
    value = _three(pricer, weight, row, pricer.residual, by_fold[diagonal, diagonal])
    value[2] = fit.intercept + features @ fit.coefficient
    left_out = np.stack([_without(pricer, similarity, row, by_fold, f) for f in range(fit.n_folds)], axis=1)
    return Prices(weight=weight, value=value, left_out_value=left_out)


def price_basket(
    pricer: Pricer, similarity: NDArray[np.float64], row: NDArray[np.int64], features: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Price each basket cluster by the whole pricer without its fold: ``v_-j(x_j)``.

    Parameters
    ----------
    similarity, row : ndarray, shape (n_clusters, stored)
        The basket's search in itself.
    features : ndarray, shape (n_clusters, p)
        ``x_j``.

    Returns
    -------
    value : ndarray, shape (3, n_clusters)
        Log value by `PRICERS`.
    weight : ndarray, shape (n_clusters, stored)
        Weights of the neighbours outside the cluster's fold.
    """
    fit = pricer.fit
    by_fold = _models_at(fit, features)
    value = np.empty((3, len(row)))
    weight = np.empty(row.shape)
    for f in range(fit.n_folds):
        own = fit.fold == f
        weight[own] = kernel_weights(similarity[own], fit.fold[row[own]] != f, k=pricer.k, tau=pricer.tau)
        value[:, own] = _without(pricer, similarity[own], row[own], by_fold[:, :, own], f)
    return value, weight


def _models_at(fit: CrossFit, features: NDArray[np.float64]) -> NDArray[np.float64]:
    """Predictions of every leave-out fit, shape (n_folds, n_folds, n), log USD."""
    folds, p = fit.n_folds, features.shape[1]
    flat = features @ fit.left_out_coefficient.reshape(folds * folds, p).T
    return flat.T.reshape(folds, folds, len(features)) + fit.left_out_intercept[:, :, None]


def _without(
    pricer: Pricer,
    similarity: NDArray[np.float64],
    row: NDArray[np.int64],
    by_fold: NDArray[np.float64],
    f: int,
) -> NDArray[np.float64]:
    """Price by the three pricers without fold `f`, shape (3, n)."""
    allowed = pricer.fit.fold[row] != f
    weight = kernel_weights(similarity, allowed, k=pricer.k, tau=pricer.tau)
    value = _three(pricer, weight, row, pricer.left_out_residual[f], by_fold[f])
    value[2] = by_fold[f, f]
    alone = ~allowed.any(axis=1)  # every stored neighbour is of that fold: only the regression is left to speak
    value[:2, alone] = value[2, alone]
    return value


def _three(
    pricer: Pricer,
    weight: NDArray[np.float64],
    row: NDArray[np.int64],
    residual: NDArray[np.float64],
    model: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Price by matching and neighbours; the third row is left for the regression.

    ``Σ_j w (r_j + m_-j(z)) = Σ_j w r_j + Σ_g W_g m_-g(z)`` with ``W_g`` the weight that falls on fold g.
    """
    value = np.empty((3, len(row)))
    neighbour_fold = pricer.fit.fold[row]
    value[0] = (weight * residual[row]).sum(axis=1)
    for g in range(pricer.fit.n_folds):
        value[0] += np.where(neighbour_fold == g, weight, 0.0).sum(axis=1) * model[g]
    value[1] = (weight * pricer.log_price[row]).sum(axis=1)
    return value


def session_hedonic(pricer: Pricer, row: NDArray[np.int64], features: NDArray[np.float64]) -> NDArray[np.float64]:
    """``m_-j(z_i)`` for each stored neighbour, shape (n, stored), log USD: a term of the explained arithmetic."""
    folds = np.arange(pricer.fit.n_folds)
    models = features @ pricer.fit.left_out_coefficient[folds, folds].T + pricer.fit.left_out_intercept[folds, folds]
    return np.take_along_axis(models, pricer.fit.fold[row], axis=1)

"""The hedonic regression: ridge on frozen features, cross-fitted by resampling unit.

It is linear so that its sampling error has a closed form. All fits come from one set of sums per fold: leaving a
fold, or two, out is a subtraction, never another pass over the data.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import linalg

from valuation.errors import ThinMatchError

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class CrossFit:
    """Ridge fits on all clusters and without each fold and pair of folds.

    Attributes
    ----------
    centre : ndarray, shape (p,)
        Mean of the features over all clusters.
    penalty : float
        The ridge penalty λ chosen by cross-validation, then frozen.
    fold : ndarray of int, shape (n,)
        Fold of each cluster, in [0, n_folds).
    coefficient, intercept : ndarray, shape (p,) and float
        The fit on all clusters: ``m(x) = intercept + x'coefficient``, for features that are not centred.
    left_out_coefficient, left_out_intercept : ndarray, shape (n_folds, n_folds, p) and (n_folds, n_folds)
        The fit without folds `f` and `g`; on the diagonal, without fold `f` alone.
    gram_inverse : ndarray, shape (p, p)
        ``H⁻¹``, ``H = X'CX + λI`` over all clusters.
    penalty_error : ndarray, shape (n_penalties,)
        Out-of-fold mean squared error of each penalty tried, squared log points.
    """

    centre: NDArray[np.float64]
    penalty: float
    fold: NDArray[np.int64]
    coefficient: NDArray[np.float64]
    intercept: float
    left_out_coefficient: NDArray[np.float64]
    left_out_intercept: NDArray[np.float64]
    gram_inverse: NDArray[np.float64]
    penalty_error: NDArray[np.float64]

    @property
    def n_folds(self) -> int:
        """Number of folds."""
        return len(self.left_out_intercept)


@dataclass(frozen=True, slots=True)
class _Sums:
    """Sums of one fold, additive: count, Σx, Σy, Σxx', Σxy; features centred on the overall mean."""

    n: NDArray[np.float64]
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    xx: NDArray[np.float64]
    xy: NDArray[np.float64]


def cross_fit(
    features: NDArray[np.float64],
    log_price: NDArray[np.float64],
    fold: NDArray[np.int64],
    *,
    penalties: tuple[float, ...],
) -> CrossFit:
    """Fit the hedonic regression with the penalty of least out-of-fold error (the larger of two equal ones).

    Parameters
    ----------
    features : ndarray, shape (n, p)
        Frozen features of the basket's clusters.
    log_price : ndarray, shape (n,)
        ``y_j``, log nominal USD.
    fold : ndarray of int, shape (n,)
        Fold of each cluster; clusters of one unit share a fold.
    penalties : tuple of float
        Ridge penalties to choose from, all above 0.

    Raises
    ------
    ThinMatchError
        Fewer than three folds hold a cluster: nothing can be left out twice.
    """
    n_folds = int(fold.max(initial=-1)) + 1
    if len(np.unique(fold)) < 3:
        raise ThinMatchError(
            f"{len(fold)} distinct postings in {len(np.unique(fold))} folds: too few to price anything; "
            "at least 3 folds must hold a posting, so import more postings"
        )
    centre = features.mean(axis=0)
    sums = _fold_sums(features - centre, log_price, fold, n_folds)
    errors = np.array([_out_of_fold_error(features - centre, log_price, fold, sums, lam) for lam in penalties])
    penalty = max(lam for lam, error in zip(penalties, errors, strict=True) if error <= errors.min() * (1 + 1e-12))
    once = {(f, g): _fit(sums, {f, g}, penalty) for f in range(n_folds) for g in range(f, n_folds)}
    pairs = [[once[min(f, g), max(f, g)] for g in range(n_folds)] for f in range(n_folds)]
    coefficient = np.array([[pair[0] for pair in row] for row in pairs])
    whole, whole_mean = _fit(sums, set(), penalty)
    gram = sums.xx.sum(axis=0) - np.outer(sums.x.sum(axis=0), sums.x.sum(axis=0)) / sums.n.sum()
    return CrossFit(
        centre=centre,
        penalty=penalty,
        fold=fold,
        coefficient=whole,
        intercept=float(whole_mean - centre @ whole),
        left_out_coefficient=coefficient,
        left_out_intercept=np.array([[pair[1] for pair in row] for row in pairs]) - coefficient @ centre,
        gram_inverse=linalg.inv(gram + penalty * np.eye(len(centre))),
        penalty_error=errors,
    )


def _fold_sums(x: NDArray[np.float64], y: NDArray[np.float64], fold: NDArray[np.int64], n_folds: int) -> _Sums:
    """Sum within each fold."""
    members = [np.flatnonzero(fold == f) for f in range(n_folds)]
    return _Sums(
        n=np.array([float(len(rows)) for rows in members]),
        x=np.array([x[rows].sum(axis=0) for rows in members]),
        y=np.array([y[rows].sum() for rows in members]),
        xx=np.array([x[rows].T @ x[rows] for rows in members]),
        xy=np.array([x[rows].T @ y[rows] for rows in members]),
    )


def _fit(sums: _Sums, left_out: set[int], penalty: float) -> tuple[NDArray[np.float64], float]:
    """Ridge with an unpenalised intercept on all folds but `left_out`; features centred on the overall mean."""
    kept = np.array([f not in left_out for f in range(len(sums.n))])
    n, x, y = sums.n[kept].sum(), sums.x[kept].sum(axis=0), sums.y[kept].sum()
    gram = sums.xx[kept].sum(axis=0) - np.outer(x, x) / n
    moment = sums.xy[kept].sum(axis=0) - x * (y / n)
    gram[np.diag_indices_from(gram)] += penalty
    slope: NDArray[np.float64] = linalg.cho_solve(linalg.cho_factor(gram, overwrite_a=True), moment)
    return slope, float(y / n - (x / n) @ slope)


def _out_of_fold_error(
    x: NDArray[np.float64], y: NDArray[np.float64], fold: NDArray[np.int64], sums: _Sums, penalty: float
) -> float:
    """Mean squared error when each fold is predicted from the others."""
    squared = 0.0
    for f in np.unique(fold):
        slope, level = _fit(sums, {int(f)}, penalty)
        rows = fold == f
        squared += float(((y[rows] - level - x[rows] @ slope) ** 2).sum())
    return squared / len(y)


def out_of_fold(fit: CrossFit, features: NDArray[np.float64]) -> NDArray[np.float64]:
    """Predict each cluster by the fit that leaves its fold out: ``m_-j(x_j)``, shape (n,), log USD."""
    prediction = np.empty(len(features))
    for f in range(fit.n_folds):
        rows = fit.fold == f
        prediction[rows] = fit.left_out_intercept[f, f] + features[rows] @ fit.left_out_coefficient[f, f]
    return prediction


def twice_out_of_fold(fit: CrossFit, features: NDArray[np.float64]) -> NDArray[np.float64]:
    """Predict each cluster without its own fold and without fold `f`, for every `f`: shape (n_folds, n), log USD."""
    prediction = np.empty((fit.n_folds, len(features)))
    for g in range(fit.n_folds):
        rows = fit.fold == g
        prediction[:, rows] = fit.left_out_intercept[:, g, None] + fit.left_out_coefficient[:, g] @ features[rows].T
    return prediction

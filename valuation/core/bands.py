"""Two bands of a session's value, on the log scale.

The *typical band* is the sampling error of the value itself; the *single-posting band* is where the price of one such
posting would lie, and is wide because freelance prices of like work differ that much.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse
from scipy.special import stdtrit

from valuation.core.kernel import effective_neighbours

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from valuation.core.arrays import BasketModel

MIN_SCORES = 300
"""Scores a Mondrian category needs; smaller ones are merged (their 90 % ends would be too noisy)."""


@dataclass(frozen=True, slots=True)
class Band:
    """Ends of a band, log nominal USD.

    Attributes
    ----------
    lower, upper : ndarray, shape (n,)
    """

    lower: NDArray[np.float64]
    upper: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Variance:
    """Sampling variance of log values by where it comes from; the three sum to ``se²``, squared log points.

    Attributes
    ----------
    neighbours : ndarray, shape (n,)
        ``Σ_c (Σ_{j∈c} w_ij ρ_j)²``: the prices of the neighbours.
    covariance : ndarray, shape (n,)
        Twice the product of both parts, summed over units; of either sign.
    hedonic : ndarray, shape (n,)
        ``Σ_c (g_i'H⁻¹ Σ_{j∈c} x_j r_j)²``: the regression's coefficients, at ``g_i = z_i − Σ_l w_il x_l``.
    """

    neighbours: NDArray[np.float64]
    covariance: NDArray[np.float64]
    hedonic: NDArray[np.float64]

    @property
    def standard_error(self) -> NDArray[np.float64]:
        """``se_i``, shape (n,), log points."""
        return np.asarray(np.sqrt(np.maximum(self.neighbours + self.covariance + self.hedonic, 0.0)))


def typical_se(
    model: BasketModel,
    residual: NDArray[np.float64],
    weight: NDArray[np.float64],
    row: NDArray[np.int64],
    features: NDArray[np.float64],
    *,
    uses_hedonic: bool,
) -> NDArray[np.float64]:
    """Estimate the standard error of each session's log value, shape (n,), log points; see `typical_variance`."""
    return typical_variance(model, residual, weight, row, features, uses_hedonic=uses_hedonic).standard_error


def typical_variance(
    model: BasketModel,
    residual: NDArray[np.float64],
    weight: NDArray[np.float64],
    row: NDArray[np.int64],
    features: NDArray[np.float64],
    *,
    uses_hedonic: bool,
) -> Variance:
    """Estimate the variance of each session's log value from the sampling of resampling units.

    ``se_i² = Σ_c (Σ_{j∈c} w_ij ρ_j + (z_i − Σ_l w_il x_l)'H⁻¹ Σ_{j∈c} x_j r_j)²``. The square is expanded so that the
    sum over all units is one quadratic form, ``g'(Σ_c b_c b_c')g``: a session costs p², not n_units × p. Where the
    weights do not sum to one (the pricer ``hedonic``), the unpenalised intercept has sampling error too.

    Parameters
    ----------
    residual : ndarray, shape (n_clusters,)
        ``ρ_j``, out-of-fold residual of the whole pricer.
    weight, row : ndarray, shape (n, stored)
        Neighbours' weights and basket rows; all-zero weights for the pricer ``hedonic``.
    features : ndarray, shape (n, p)
        ``z_i``, centred with the model's centre.
    uses_hedonic : bool
        False for the pricer ``neighbours``, whose value has no regression part.
    """
    n_units = len(model.unit_key)
    by_unit = _sparse_rows(weight * residual[row], model.unit[row], n_units)
    neighbours = np.asarray(by_unit.multiply(by_unit).sum(axis=1)).ravel()
    if not uses_hedonic:
        return Variance(neighbours, np.zeros_like(neighbours), np.zeros_like(neighbours))
    moment = np.zeros((n_units, model.features.shape[1] + 1))
    np.add.at(moment[:, :-1], model.unit, model.features * model.hedonic_residual[:, None])
    np.add.at(moment[:, -1], model.unit, model.hedonic_residual / len(model.unit))
    gap = features - _sparse_rows(weight, row, len(model.unit)) @ model.features
    slope = np.column_stack([gap @ model.gram_inverse, 1.0 - weight.sum(axis=1)])
    return Variance(
        neighbours,
        2 * ((by_unit @ moment) * slope).sum(axis=1),
        ((slope @ (moment.T @ moment)) * slope).sum(axis=1),
    )


def _sparse_rows(value: NDArray[np.float64], column: NDArray[np.int64], n_columns: int) -> sparse.csr_matrix:
    """Lay `value` (n, stored) into n sparse rows, summing what falls on one column."""
    n, stored = value.shape
    starts = np.arange(0, n * stored + 1, stored)
    # a copy: summing duplicates sorts each row in place, and would shuffle the caller's weights
    matrix = sparse.csr_matrix((value.ravel(), column.ravel(), starts), shape=(n, n_columns), copy=True)
    matrix.sum_duplicates()
    return matrix


def typical_band(
    log_value: NDArray[np.float64], se: NDArray[np.float64], weight: NDArray[np.float64], *, level: float
) -> Band:
    """Student band with `typical_freedom` degrees of freedom around the log value."""
    half = stdtrit(typical_freedom(effective_neighbours(weight)), (1 + level) / 2) * se
    return Band(lower=log_value - half, upper=log_value + half)


def typical_freedom(effective: NDArray[np.float64]) -> NDArray[np.float64]:
    """Degrees of freedom ``max(k_eff − 1, 3)``, shape (n,); a million where no neighbour has a weight (NaN)."""
    freedom = np.maximum(np.nan_to_num(effective, nan=np.inf) - 1, 3.0)
    return np.where(np.isfinite(freedom), freedom, 1e6)


@dataclass(frozen=True, slots=True)
class Scores:
    """Signed conformity scores of the basket, with the categories they are compared in.

    Attributes
    ----------
    score : ndarray, shape (n_clusters,)
        ``R_j = ρ_j/σ(x_j)``.
    fold : ndarray of int, shape (n_clusters,)
        Fold that the pricer of each score left out.
    category : ndarray of int, shape (n_clusters,)
        Merged Mondrian category.
    value_cut : ndarray, shape (4,)
        Log values between fifths of the predicted value.
    similarity_cut : ndarray, shape (5, 2)
        Similarities between thirds, within each fifth.
    merged : ndarray of int, shape (5, 3)
        Category of each fifth and third.
    """

    score: NDArray[np.float64]
    fold: NDArray[np.int64]
    category: NDArray[np.int64]
    value_cut: NDArray[np.float64]
    similarity_cut: NDArray[np.float64]
    merged: NDArray[np.int64]


def make_scores(
    residual: NDArray[np.float64],
    sigma: NDArray[np.float64],
    value: NDArray[np.float64],
    nearest: NDArray[np.float64],
    fold: NDArray[np.int64],
) -> Scores:
    """Score the basket's own postings out of fold.

    Parameters
    ----------
    residual : ndarray, shape (n,)
        ``ρ_j = y_j − v_-j(x_j)``, log points.
    sigma : ndarray, shape (n,)
        ``σ(x_j)`` from the scale that left the posting's fold out.
    value : ndarray, shape (n,)
        ``v_-j(x_j)``, log USD.
    nearest : ndarray, shape (n,)
        Similarity of the nearest neighbour outside the cluster's fold.
    fold : ndarray of int, shape (n,)
        Fold of each cluster.
    """
    cut = np.quantile(value, [0.2, 0.4, 0.6, 0.8])
    fifth = np.searchsorted(cut, value, side="right")
    inside = [nearest[fifth == f] if (fifth == f).any() else nearest for f in range(5)]
    similarity_cut = np.array([np.quantile(part, [1 / 3, 2 / 3]) for part in inside])
    third = _third(similarity_cut, fifth, nearest)
    merged = _merge(np.array([[np.sum((fifth == f) & (third == t)) for t in range(3)] for f in range(5)]))
    return Scores(
        score=residual / sigma,
        fold=fold,
        category=merged[fifth, third],
        value_cut=cut,
        similarity_cut=similarity_cut,
        merged=merged,
    )


def _third(cut: NDArray[np.float64], fifth: NDArray[np.int64], nearest: NDArray[np.float64]) -> NDArray[np.int64]:
    """Third of similarity within a fifth of value."""
    return np.asarray((nearest >= cut[fifth, 0]).astype(np.int64) + (nearest >= cut[fifth, 1]))


def _merge(count: NDArray[np.int64]) -> NDArray[np.int64]:
    """Merge categories under `MIN_SCORES`: the thirds of a fifth first, then fifths with the next one up."""
    label = np.arange(15).reshape(5, 3)
    thin = count.min(axis=1) < MIN_SCORES
    label[thin] = label[thin, :1]
    groups: list[list[int]] = [[]]
    for fifth in range(5):
        if groups[-1] and count[groups[-1]].sum() >= MIN_SCORES:
            groups.append([])
        groups[-1].append(fifth)
    if len(groups) > 1 and count[groups[-1]].sum() < MIN_SCORES:
        groups[-2:] = [groups[-2] + groups[-1]]
    for group in groups:
        if len(group) > 1:
            label[group] = label[group[0], 0]
    return label


def categories(scores: Scores, value: NDArray[np.float64], nearest: NDArray[np.float64]) -> NDArray[np.int64]:
    """Mondrian category of texts with these log values and nearest similarities, shape (n,)."""
    fifth = np.searchsorted(scores.value_cut, value, side="right")
    return np.asarray(scores.merged[fifth, _third(scores.similarity_cut, fifth, nearest)])


def end_ranks(n: int, *, level: float) -> tuple[int, int]:
    """Ranks of the two ends among `n` points, from 1: ``⌊α/2(n+1)⌋``, 0 where too few; ``⌈(1 − α/2)(n+1)⌉``."""
    first = int(np.floor((1 - level) / 2 * (n + 1) + 1e-9))  # 1 - 0.9 falls just short of 0.1
    return first, int(np.ceil((1 + level) / 2 * (n + 1) - 1e-9))


def single_posting_band(
    scores: Scores,
    value: NDArray[np.float64],
    left_out_value: NDArray[np.float64],
    sigma: NDArray[np.float64],
    nearest: NDArray[np.float64],
    *,
    level: float,
) -> Band:
    """CV+ band (Barber, Candès, Ramdas and Tibshirani 2021) with signed scores, within Mondrian categories.

    Each score of a category is added to the value that leaves the score's fold out; the ends are the
    ``⌊α/2(n+1)⌋``-th and ``⌈(1 − α/2)(n+1)⌉``-th of these. The band covers one posting's price, not a mean. Where a
    category has too few scores for such an end (under 19 at 0.90), no finite band has the level: both ends are NaN.

    Parameters
    ----------
    value : ndarray, shape (n,)
        ``v_i``, log USD: chooses the category.
    left_out_value : ndarray, shape (n_folds, n)
        The value without each fold, log USD.
    sigma : ndarray, shape (n,)
        ``σ_i`` from `valuation.core.scale`.
    nearest : ndarray, shape (n,)
        Similarity of the nearest neighbour.
    level : float
        Such as 0.90.
    """
    lower, upper = np.full(len(value), np.nan), np.full(len(value), np.nan)
    category = categories(scores, value, nearest)
    for which in np.unique(category):
        mine = np.flatnonzero(category == which)
        members = np.flatnonzero(scores.category == which)
        n = len(members)
        first, last = (rank - 1 for rank in end_ranks(n, level=level))
        if first < 0 or last >= n:
            continue
        for block in np.array_split(mine, max(1, len(mine) * n // 4_000_000)):
            points = left_out_value[:, block][scores.fold[members]] + np.outer(scores.score[members], sigma[block])
            ordered = np.partition(points, (first, last), axis=0)
            lower[block], upper[block] = ordered[first], ordered[last]
    return Band(lower=lower, upper=upper)

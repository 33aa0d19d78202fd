"""Does the pricer miss what changed in the sessions? Held-out postings, tilted to resemble each month, answer.

For each month, weights ``π_mj ∝ exp(λ_m'q_j)`` on postings give them the month's mean of ``q`` (entropy balancing,
Hainmueller 2012). ``D_m = Σ_j π_mj ρ_j`` is the pricer's error on such postings, out of fold, and ``θ_m + D_m`` is
doubly robust: right if either the pricer or the tilt is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from valuation.core.balance import Balance, balance
from valuation.core.bootstrap import Replicates, posting_replicates

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class ShiftCheck:
    """The pricer's error on postings like each month's sessions.

    Attributes
    ----------
    difference : Replicates
        ``D_m``, one column a month; NaN where no component could be balanced. `users` is 0 throughout.
    corrected : Replicates
        ``θ_m + D_m``. Its posting part is that of ``D_m`` *in place of* the series'; the users' part stays.
    effective_postings : ndarray, shape (n_months,)
        ``1/Σπ²``.
    components : ndarray of int, shape (n_months,)
        Principal components balanced; 0 where even one failed.
    """

    difference: Replicates
    corrected: Replicates
    effective_postings: NDArray[np.float64]
    components: NDArray[np.int64]


def principal_components(
    posting_vectors: NDArray[np.float64], session_vectors: NDArray[np.float64], *, components: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Coordinates of postings and sessions on the postings' principal components, with unit variance over postings.

    Parameters
    ----------
    posting_vectors, session_vectors : ndarray, shapes (n_clusters, n_dimensions), (n_sessions, n_dimensions)
        Register-centred vectors.
    components : int
        How many, at least 1; fewer are returned if the postings span fewer.

    Returns
    -------
    tuple of ndarray, shapes (n_clusters, components), (n_sessions, components)
        The largest first; the sign of each makes its loading of largest size positive.
    """
    centre = posting_vectors.mean(axis=0)
    centred = (posting_vectors - centre).astype(np.float64)
    variance, axes = np.linalg.eigh(centred.T @ centred / centred.shape[0])
    order = np.argsort(variance, kind="stable")[::-1][:components]
    order = order[variance[order] > 1e-10 * variance.max()]
    axes = axes[:, order]
    axes *= np.sign(axes[np.abs(axes).argmax(axis=0), np.arange(order.size)]) / np.sqrt(variance[order])
    return centred @ axes, (session_vectors - centre) @ axes


def month_means(
    coordinate: NDArray[np.float64], weight: NDArray[np.float64], month: NDArray[np.int64], *, n_months: int
) -> NDArray[np.float64]:
    """Weighted mean coordinates of each month's matched sessions, shape (n_months, components); NaN without sessions.

    Parameters
    ----------
    coordinate : ndarray, shape (n_sessions, components)
        From `principal_components`.
    weight : ndarray, shape (n_sessions,)
        Session weights.
    month : ndarray of int, shape (n_sessions,)
        In [0, n_months), or -1 for none.
    """
    means = np.full((n_months, coordinate.shape[1]), np.nan)
    for code in np.unique(month[month >= 0]):
        inside = month == code
        means[code] = weight[inside] @ coordinate[inside] / weight[inside].sum()
    return means


def shift_check(
    coordinate: NDArray[np.float64], target: NDArray[np.float64], residual: NDArray[np.float64],
    unit: NDArray[np.int64], series: Replicates,
    *, together: NDArray[np.bool_], min_effective: float, unit_key: NDArray[np.uint64], seed: int,
) -> ShiftCheck:  # fmt: skip
    """Tilt held-out postings to each month and average the pricer's errors.

    Components are halved in a month until it balances with at least `min_effective` effective postings; one component
    is kept if it balances at all.

    Parameters
    ----------
    coordinate : ndarray, shape (n_clusters, components)
        ``q_j`` of the postings.
    target : ndarray, shape (n_months, components)
        From `month_means`.
    residual : ndarray, shape (n_clusters,)
        ``ρ_j`` of the whole pricer, out of fold (after calibration if that is applied).
    unit : ndarray of int, shape (n_clusters,)
        Resampling unit of each cluster.
    series : Replicates
        Mean log value by month, columns as the rows of `target`.
    together : ndarray of bool, shape (n_months,)
        Months that are compared (base and last): they share the smallest number of components of any of them.
    min_effective : float
        Least ``1/Σπ²``.
    unit_key, seed
        As in `valuation.core.bootstrap.joint_replicates`: the same draws as the series.
    """
    chosen = [_halved(coordinate, mean, coordinate.shape[1], min_effective) for mean in target]
    common = min((chosen[month].components for month in np.flatnonzero(together)), default=0)
    for month in np.flatnonzero(together):
        if chosen[month].components > common:
            chosen[month] = _halved(coordinate, target[month], common, min_effective)
    weights = np.stack([found.weight for found in chosen])
    failed = np.array([found.components == 0 for found in chosen])
    point = np.where(failed, np.nan, weights @ residual)
    influence = np.zeros((unit_key.size, target.shape[0]))
    np.add.at(influence, unit, (weights * residual).T)
    moved = posting_replicates(influence, unit_key=unit_key, seed=seed, replicates=series.users.shape[0])
    return ShiftCheck(
        Replicates(point, np.zeros_like(moved), moved, moved),
        Replicates(series.point + point, series.users, moved, series.users + moved),
        np.array([found.effective for found in chosen]),
        np.array([found.components for found in chosen], dtype=np.int64),
    )


def _halved(
    coordinate: NDArray[np.float64], target: NDArray[np.float64], components: int, min_effective: float
) -> Balance:
    while components > 0:
        found = balance(coordinate[:, :components], target[:components])
        if found is not None and (found.effective >= min_effective or components == 1):
            return found
        components //= 2
    return Balance(np.zeros(coordinate.shape[0]), 0.0, 0)

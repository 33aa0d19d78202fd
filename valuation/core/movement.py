"""How every session's value moves when posting units are reweighted.

``v_i(b) = v_i + Σ_j w_ij (u_c(j) − 1) ρ_j + (z_i − Σ_j w_ij x_j)'δ_b`` with ``δ_b = H⁻¹X'((u − 1) ∘ r)``: the same
draws, and averaged over a cell the same numbers, as the posting part of the linear form (`valuation.core.bootstrap`).

It is worked out as ``z_i'δ_b + Σ_j w_ij t_jb`` with ``t_jb = (u_c(j) − 1) ρ_j − x_j'δ_b``: one table of clusters for a
block of replicates, so that a session costs its features and its neighbours once, and no second matrix of sessions by
features is held. Sums have one order, so a replicate's figures do not depend on its block or on threads.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numba import prange
from scipy.sparse import csr_array

from valuation.compiling import compiled
from valuation.core import draws
from valuation.core.ordered import ordered_product

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from valuation.core.arrays import BasketModel, PricedSessions

CHUNK = 8_192
"""Sessions worked on at a time: bounds memory; figures do not depend on it."""
GATHERED = 8
"""Sessions whose rows are turned into columns together."""


@dataclass(frozen=True, slots=True)
class Movement:
    """What the values of sessions move with; the same for all replicates.

    Attributes
    ----------
    neighbour, neighbour_weight : ndarray, shape (n_sessions, k)
        As in `PricedSessions`; no columns where no neighbour has weight.
    residual, unit : ndarray, shape (n_clusters,)
        ``ρ_j`` and the resampling unit of each cluster.
    unit_key : ndarray of uint64, shape (n_units,)
        Identities of the draws.
    score : ndarray, shape (n_units, n_features + 1)
        ``Σ_{j∈u} r_j [x_j'H⁻¹, 1/n]``: what a unit adds to the regression's slope and to its intercept; no columns
        without a regression.
    basket : ndarray, shape (n_clusters, n_features)
        ``x_j``.
    features : ndarray, shape (n_sessions, n_features)
        ``z_i``.
    slack : ndarray, shape (n_sessions,)
        ``1 − Σ_j w_ij``: how much of the intercept's error is left in a session's value.
    """

    neighbour: NDArray[np.int64]
    neighbour_weight: NDArray[np.float64]
    residual: NDArray[np.float64]
    unit: NDArray[np.int64]
    unit_key: NDArray[np.uint64]
    score: NDArray[np.float64]
    basket: NDArray[np.float64]
    features: NDArray[np.float64]
    slack: NDArray[np.float64]


def movement(
    sessions: PricedSessions, model: BasketModel, residual: NDArray[np.float64], *, use_hedonic: bool
) -> Movement:
    """Prepare the movement of values; parameters as in `valuation.core.influence.series_influence`."""
    n_clusters, n_units = model.log_price.size, model.unit_key.size
    score = np.empty((n_units, 0))
    if use_hedonic:
        of_unit = csr_array((np.ones(n_clusters), (model.unit, np.arange(n_clusters))), shape=(n_units, n_clusters))
        summed = np.asarray(of_unit @ (model.features * model.hedonic_residual[:, None]), dtype=np.float64)
        level = np.asarray(of_unit @ (model.hedonic_residual / n_clusters))
        score = np.column_stack([ordered_product(summed, model.gram_inverse), level])
    weight = sessions.neighbour_weight
    used = slice(None) if weight.any() else slice(0)
    return Movement(
        sessions.neighbour[:, used], weight[:, used], residual, model.unit, model.unit_key, score, model.features,
        sessions.features, 1.0 - weight.sum(axis=1),
    )  # fmt: skip


def value_deviations(moves: Movement, *, seed: int, first: int, count: int) -> NDArray[np.float64]:
    """Deviations of every session's value in replicates ``first … first + count − 1``, shape (count, n_sessions)."""
    moved = draws.exponentials(moves.unit_key, seed=seed, stream=draws.POSTINGS, first=first, count=count) - 1.0
    table = np.take(moved.T, moves.unit, axis=0) * moves.residual[:, None]
    slope, level = np.zeros((moves.features.shape[1], count)), np.zeros(count)
    if moves.score.shape[1]:
        summed = ordered_product(moved, moves.score)
        slope, level = np.ascontiguousarray(summed[:, :-1].T), summed[:, -1]
        table -= ordered_product(moves.basket, slope)
    out = np.empty((count, moves.slack.size))
    for start in range(0, moves.slack.size, CHUNK):
        rows = slice(start, start + CHUNK)
        base = np.multiply.outer(moves.slack[rows], level)
        if moves.score.shape[1]:
            base += ordered_product(moves.features[rows], slope)
        _add_neighbours(moves.neighbour[rows], moves.neighbour_weight[rows], table, base, out[:, rows])
    return out


@compiled(parallel=True)
def _add_neighbours(
    neighbour: NDArray[np.int64], weight: NDArray[np.float64], table: NDArray[np.float64], base: NDArray[np.float64],
    out: NDArray[np.float64],
) -> None:  # fmt: skip
    """Add ``Σ_j w_ij t_jb`` to `base` (n_sessions, count) and lay the sums into `out`, (count, n_sessions)."""
    sessions, k = neighbour.shape
    count, whole = table.shape[1], k - k % 4
    for group in prange((sessions + GATHERED - 1) // GATHERED):
        first, last = group * GATHERED, min(sessions, (group + 1) * GATHERED)
        for i in range(first, last):
            for rank in range(0, whole, 4):  # four terms at once, still added one after another
                p, q = neighbour[i, rank], neighbour[i, rank + 1]
                r, s = neighbour[i, rank + 2], neighbour[i, rank + 3]
                a, b, c, d = weight[i, rank], weight[i, rank + 1], weight[i, rank + 2], weight[i, rank + 3]
                for j in range(count):
                    base[i, j] = base[i, j] + a * table[p, j] + b * table[q, j] + c * table[r, j] + d * table[s, j]
            for rank in range(whole, k):
                for j in range(count):
                    base[i, j] += weight[i, rank] * table[neighbour[i, rank], j]
        for j in range(count):
            for i in range(first, last):
                out[j, i] = base[i, j]

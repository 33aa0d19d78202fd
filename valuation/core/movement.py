"""How every session's value moves when posting units are reweighted.

``v_i(b) = v_i + Σ_j w_ij (u_c(j) − 1) ρ_j + (z_i − Σ_j w_ij x_j)'δ_b`` with ``δ_b = H⁻¹X'((u − 1) ∘ r)``: the same
draws, and averaged over a cell the same numbers, as the posting part of the linear form (`valuation.core.bootstrap`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numba import prange
from scipy.sparse import csr_array

from valuation.compiling import compiled
from valuation.core import draws
from valuation.core.influence import neighbour_matrix

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from valuation.core.arrays import BasketModel, PricedSessions


@dataclass(frozen=True, slots=True)
class Movement:
    """What the values of sessions move with; the same for all replicates.

    Attributes
    ----------
    neighbour, neighbour_weight : ndarray, shape (n_sessions, k)
        As in `PricedSessions`.
    residual, unit : ndarray, shape (n_clusters,)
        ``ρ_j`` and the resampling unit of each cluster.
    unit_key : ndarray of uint64, shape (n_units,)
        Identities of the draws.
    score : ndarray, shape (n_units, n_features + 1)
        ``Σ_{j∈u} r_j [x_j, 1/n]``: the regression's score and that of its intercept; no columns without a regression.
    loading : ndarray, shape (n_sessions, n_features + 1)
        ``[H⁻¹(z_i − Σ_j w_ij x_j), 1 − Σ_j w_ij]``: how a session's value depends on the scores.
    """

    neighbour: NDArray[np.int64]
    neighbour_weight: NDArray[np.float64]
    residual: NDArray[np.float64]
    unit: NDArray[np.int64]
    unit_key: NDArray[np.uint64]
    score: NDArray[np.float64]
    loading: NDArray[np.float64]


def movement(
    sessions: PricedSessions, model: BasketModel, residual: NDArray[np.float64], *, use_hedonic: bool
) -> Movement:
    """Prepare the movement of values; parameters as in `valuation.core.influence.series_influence`."""
    n_clusters, n_units, n_sessions = model.log_price.size, model.unit_key.size, sessions.log_value.size
    score, loading = np.empty((n_units, 0)), np.empty((n_sessions, 0))
    if use_hedonic:
        weights = neighbour_matrix(sessions, n_clusters)
        gap = (sessions.features - weights @ model.features) @ model.gram_inverse
        loading = np.column_stack([gap, 1.0 - np.asarray(weights.sum(axis=1))])
        of_unit = csr_array((np.ones(n_clusters), (model.unit, np.arange(n_clusters))), shape=(n_units, n_clusters))
        terms = np.column_stack([model.features, np.full(n_clusters, 1.0 / n_clusters)])
        score = np.asarray(of_unit @ (terms * model.hedonic_residual[:, None]))
    return Movement(sessions.neighbour, sessions.neighbour_weight, residual, model.unit, model.unit_key, score, loading)


def value_deviations(moves: Movement, *, seed: int, first: int, count: int) -> NDArray[np.float64]:
    """Deviations of every session's value in replicates ``first … first + count − 1``, shape (count, n_sessions)."""
    moved = draws.exponentials(moves.unit_key, seed=seed, stream=draws.POSTINGS, first=first, count=count) - 1.0
    regression = (moved @ moves.score) @ moves.loading.T
    return regression + _neighbour_part(moved, moves.unit, moves.residual, moves.neighbour, moves.neighbour_weight)


@compiled(parallel=True)
def _neighbour_part(
    moved: NDArray[np.float64], unit: NDArray[np.int64], residual: NDArray[np.float64],
    neighbour: NDArray[np.int64], weight: NDArray[np.float64],
) -> NDArray[np.float64]:  # fmt: skip
    rows, (sessions, k) = moved.shape[0], neighbour.shape
    out = np.empty((rows, sessions))
    for row in prange(rows):
        shifted = moved[row][unit] * residual
        for session in range(sessions):
            total = 0.0
            for rank in range(k):
                total += weight[session, rank] * shifted[neighbour[session, rank]]
            out[row, session] = total
    return out

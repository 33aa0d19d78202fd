"""Means of cells and the influence of every posting unit and user on them, in closed form.

A *cell* is a set of matched sessions with a mean of its own: a month, or a month of one group. Sessions carry a code
for each *grouping*; grouping 0 is the month alone. With ``p_ic`` a session's share of its cell's weight,

- ``A_cj = Σ_i p_ic w_ij`` is the weight of cluster ``j``, ``d_c = Σ_i p_ic z_i − Σ_j A_cj x_j`` the gap of features,
- ``φ_uc = Σ_{j∈u} (A_cj ρ_j + d_c'H⁻¹ x_j r_j)`` what posting unit ``u`` adds to the mean, and
- ``ψ_uc = Σ_{i∈u} p_ic (v_i − θ_c)`` what user ``u`` adds.

These are the linear terms of the reweighted estimator (Otsu and Rai 2017, bootstrap of matching estimators; Kline and
Santos 2012, score bootstrap), with out-of-fold residuals. ``Σφ² + Σψ²`` is the variance of a cell's mean.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import csr_array, diags_array

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from valuation.core.arrays import BasketModel, PricedSessions

BLOCK = 65_536
"""Clusters worked on at a time: bounds memory; the order of sums does not depend on it."""


@dataclass(frozen=True, slots=True)
class Influence:
    """Cell means and their influence functions; cells without sessions have a NaN mean and no influence.

    Attributes
    ----------
    mean : ndarray, shape (n_cells,)
        ``θ_c``: weighted mean of ``v_i``, log nominal USD.
    n_sessions, n_users : ndarray of int, shape (n_cells,)
        Sessions and distinct users of each cell.
    cluster_weight : ndarray, shape (n_cells, n_clusters)
        ``A_cj``; rows sum to 1, or to 0 for the pricer ``hedonic``.
    feature_gap : ndarray, shape (n_cells, n_features)
        ``d_c``; 0 for the pricer ``neighbours``.
    posting : ndarray, shape (n_units, n_cells)
        ``φ``: log points for one more unit of a posting unit's weight.
    user : csr_array, shape (n_users, n_cells)
        ``ψ``: log points for one more unit of a user's weight.
    posting_share : ndarray, shape (n_units, n_cells)
        Weight of each unit's prices in the mean: ``A`` by unit, for ``hedonic`` the regression's weights.
    user_share : csr_array, shape (n_users, n_cells)
        Share of each user in the cell's weight, in [0, 1].
    cell_share : ndarray, shape (n_cells,)
        Share of the cell in its month's weight, in [0, 1].
    share_user : csr_array, shape (n_users, n_cells)
        Influence of users on `cell_share`.
    """

    mean: NDArray[np.float64]
    n_sessions: NDArray[np.int64]
    n_users: NDArray[np.int64]
    cluster_weight: NDArray[np.float64]
    feature_gap: NDArray[np.float64]
    posting: NDArray[np.float64]
    user: csr_array
    posting_share: NDArray[np.float64]
    user_share: csr_array
    cell_share: NDArray[np.float64]
    share_user: csr_array

    @property
    def variance(self) -> NDArray[np.float64]:
        """``Σφ² + Σψ²`` of each cell's mean, shape (n_cells,)."""
        by_user: NDArray[np.float64] = np.asarray(self.user.power(2).sum(axis=0), dtype=np.float64)
        return np.asarray(np.square(self.posting).sum(axis=0) + by_user)


def series_influence(
    sessions: PricedSessions, model: BasketModel, residual: NDArray[np.float64], cell: NDArray[np.int64],
    *, n_cells: int, use_hedonic: bool,
) -> Influence:  # fmt: skip
    """Compute all cells' means and influence functions in one pass.

    Parameters
    ----------
    sessions : PricedSessions
        Matched sessions in canonical order. All-zero neighbour weights mean the pricer ``hedonic``.
    model : BasketModel
        The basket.
    residual : ndarray, shape (n_clusters,)
        ``ρ_j = y_j − v_-j(x_j)`` of the same pricer, out of fold.
    cell : ndarray of int, shape (n_groupings, n_sessions)
        Cell codes in [0, n_cells), or -1 for none; grouping 0 is the month.
    n_cells : int
        Number of cells of all groupings together.
    use_hedonic : bool
        Whether the pricer has the regression in it: False for ``neighbours``.

    Returns
    -------
    Influence
    """
    _check(sessions, model, residual, cell, n_cells)
    member = _membership(cell, n_cells)
    weighted = csr_array(member @ diags_array(sessions.weight))
    total = np.asarray(weighted.sum(axis=1), dtype=np.float64)
    share = csr_array(diags_array(_inverse(total)) @ weighted)
    mean = np.where(total > 0, np.asarray(share @ sessions.log_value), np.nan)
    of_user = _indicator(sessions.user, sessions.user_key.size)
    cluster_weight, gap = _matching_weights(sessions, model, share, use_hedonic)
    posting, posting_share = _posting_influence(model, residual, cluster_weight, gap, total > 0, use_hedonic)
    user_share = csr_array(of_user @ share.T)
    counts = csr_array(of_user @ member.T)
    cell_share, share_user = _shares(cell, total, csr_array(of_user @ weighted.T))
    return Influence(
        mean, _integers(member.sum(axis=1)), _integers((counts > 0).sum(axis=0)), cluster_weight, gap, posting,
        _user_influence(sessions, share, mean, of_user), posting_share, user_share, cell_share, share_user,
    )  # fmt: skip


def _check(
    sessions: PricedSessions, model: BasketModel, residual: NDArray[np.float64], cell: NDArray[np.int64], n_cells: int
) -> None:
    if cell.ndim != 2 or cell.shape[1] != sessions.log_value.size:
        raise ValueError(f"cell codes of shape {cell.shape} for {sessions.log_value.size} sessions")
    if cell.size and not -1 <= cell.min() <= cell.max() < n_cells:
        raise ValueError(f"cell codes from {cell.min()} to {cell.max()}, expected -1 to {n_cells - 1}")
    if residual.shape != model.log_price.shape:
        raise ValueError(f"{residual.size} residuals for {model.log_price.size} clusters")
    if not (np.isfinite(sessions.log_value).all() and (sessions.weight > 0).all()):
        raise ValueError("values must be finite and weights positive: leave unmatched sessions out before")


def _integers(counts: ArrayLike) -> NDArray[np.int64]:
    return np.rint(np.asarray(counts, dtype=np.float64)).astype(np.int64)


def _inverse(total: NDArray[np.float64]) -> NDArray[np.float64]:
    """1/total, 0 where it is 0."""
    return np.divide(1.0, total, out=np.zeros_like(total), where=total > 0)


def _membership(cell: NDArray[np.int64], n_cells: int) -> csr_array:
    """Return the 0/1 matrix, shape (n_cells, n_sessions), of the sessions of each cell."""
    grouping, session = np.nonzero(cell >= 0)
    return csr_array((np.ones(session.size), (cell[grouping, session], session)), shape=(n_cells, cell.shape[1]))


def _indicator(code: NDArray[np.int64], size: int) -> csr_array:
    """Return the 0/1 matrix, shape (size, n), whose product sums rows by `code`."""
    return csr_array((np.ones(code.size), (code, np.arange(code.size))), shape=(size, code.size))


def neighbour_matrix(sessions: PricedSessions, n_clusters: int) -> csr_array:
    """Return the neighbours' weights ``w_ij`` as a sparse matrix, shape (n_sessions, n_clusters)."""
    rows, k = sessions.neighbour.shape
    start = np.arange(rows + 1, dtype=np.int64) * k
    return csr_array((sessions.neighbour_weight.ravel(), sessions.neighbour.ravel(), start), shape=(rows, n_clusters))


def _matching_weights(
    sessions: PricedSessions, model: BasketModel, share: csr_array, use_hedonic: bool
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return ``A`` (n_cells, n_clusters) and ``d`` (n_cells, n_features)."""
    weights = (share @ neighbour_matrix(sessions, model.log_price.size)).toarray()
    if not use_hedonic:
        return weights, np.zeros((share.shape[0], model.features.shape[1]))
    return weights, share @ sessions.features - weights @ model.features


def _posting_influence(
    model: BasketModel, residual: NDArray[np.float64], cluster_weight: NDArray[np.float64],
    gap: NDArray[np.float64], filled: NDArray[np.bool_], use_hedonic: bool,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:  # fmt: skip
    """``φ`` and the units' weights in the mean, both (n_units, n_cells).

    The unpenalised intercept is the mean price, so it moves by ``r_j/n``; it cancels as far as neighbours' weights sum
    to 1, and remains whole for the pricer ``hedonic``.
    """
    n_clusters, n_units = model.log_price.size, model.unit_key.size
    intercept = np.where(filled, 1.0 - cluster_weight.sum(axis=1), 0.0) / n_clusters if use_hedonic else 0.0
    slope = gap @ model.gram_inverse
    influence = np.zeros((n_units, gap.shape[0]))
    share = np.zeros_like(influence)
    for first in range(0, n_clusters, BLOCK):
        rows = slice(first, first + BLOCK)
        of_unit = _indicator(model.unit[rows], n_units)
        matched = cluster_weight[:, rows].T
        regression = model.features[rows] @ slope.T + intercept
        influence += of_unit @ (matched * residual[rows, None] + regression * model.hedonic_residual[rows, None])
        share += of_unit @ (matched if cluster_weight.any() else regression)
    return influence, share


def _user_influence(
    sessions: PricedSessions, share: csr_array, mean: NDArray[np.float64], of_user: csr_array
) -> csr_array:
    """``ψ``, shape (n_users, n_cells)."""
    deviation = share.tocoo()
    centred = sessions.log_value[deviation.col] - mean[deviation.row]
    by_session = csr_array((deviation.data * centred, (deviation.col, deviation.row)), shape=deviation.shape[::-1])
    return csr_array(of_user @ by_session)


def _shares(
    cell: NDArray[np.int64], total: NDArray[np.float64], user_weight: csr_array
) -> tuple[NDArray[np.float64], csr_array]:
    """Return each cell's share of its month's weight, and users' influence on it.

    With ``W_uc`` a user's weight in the cell and ``m`` the cell's month: ``(W_uc − s_c W_um)/W_m``.
    """
    month = np.full(total.size, -1)
    for grouping in cell:
        inside = grouping >= 0
        month[grouping[inside]] = cell[0, inside]
        if (month[grouping[inside]] != cell[0, inside]).any() or (cell[0, inside] < 0).any():
            raise ValueError("a cell spans two months, or a session has a cell but no month")
    filled = np.flatnonzero(month >= 0)
    share, inverse = np.zeros(total.size), np.zeros(total.size)
    share[filled] = total[filled] / total[month[filled]]
    inverse[filled] = 1.0 / total[month[filled]]
    to_month = csr_array((share[filled], (month[filled], filled)), shape=(total.size, total.size))
    influence = (user_weight - user_weight @ to_month) @ diags_array(inverse)
    return share, csr_array(influence)

"""Weights of a session's neighbours."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from valuation.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray


def kernel_weights(
    similarity: NDArray[np.float64], allowed: NDArray[np.bool_], *, k: int, tau: float
) -> NDArray[np.float64]:
    """Weigh the first `k` allowed neighbours by ``exp((s_ij − s_i1)/τ)``, summing to one.

    Parameters
    ----------
    similarity : ndarray, shape (n, stored)
        Cosine similarity in [-1, 1], falling along each row. Not a distance.
    allowed : ndarray of bool, shape (n, stored)
        False for neighbours that must not be used, such as those of a fold left out.
    k : int
        Neighbours used; where fewer are allowed, all of those are.
    tau : float
        Bandwidth, cosine units, above 0.

    Returns
    -------
    ndarray, shape (n, stored)
        Zero where not used; a row without any allowed neighbour is all zero.

    Raises
    ------
    InputError
        Similarities outside [-1, 1], missing or not falling: distances, or unsorted rows.
    """
    if not np.abs(similarity).max(initial=0.0) <= 1 + 1e-6:  # true for NaN too
        raise InputError("similarity outside [-1, 1]: distances or raw inner products?")
    if similarity.shape[1] > 1 and (np.diff(similarity, axis=1) > 1e-9).any():
        raise InputError("similarities must fall along each row: distances or unsorted neighbours?")
    used = allowed & (np.cumsum(allowed, axis=1) <= k)
    nearest = np.where(used, similarity, -np.inf).max(axis=1, initial=-np.inf, keepdims=True)
    closer = np.where(used, similarity, -np.inf) - np.where(np.isfinite(nearest), nearest, 0.0)
    weight = np.exp(closer / tau)
    total = weight.sum(axis=1, keepdims=True)
    return np.asarray(np.divide(weight, total, out=np.zeros_like(weight), where=total > 0))


def effective_neighbours(weight: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return ``k_eff = 1/Σ w²`` of each row, in [1, k]; NaN for a row without weight."""
    square = (weight**2).sum(axis=1)
    return np.asarray(np.divide(1.0, square, out=np.full(len(square), np.nan), where=square > 0))


def nearest_outside(
    similarity: NDArray[np.float64], row: NDArray[np.int64], group: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Similarity of each basket row's nearest neighbour outside its own group.

    Parameters
    ----------
    similarity, row : ndarray, shape (n, stored)
        The basket's search in itself; row `i` holds the neighbours of basket row `i`, itself among them.
    group : ndarray of int, shape (n,)
        Resampling unit of each basket row.

    Returns
    -------
    ndarray, shape (n,)
        NaN where every stored neighbour is of the same group.
    """
    outside = group[row] != group[:, None]
    nearest = np.where(outside, similarity, -np.inf).max(axis=1)
    return np.where(np.isfinite(nearest), nearest, np.nan)

"""Matrix products whose sums have one fixed order: the same bits whatever the threads, blocks or BLAS.

BLAS chooses its order of summation by the shape of its arguments and the number of its threads, so that a replicate
would depend on how many others stand in its block. Here element ``(i, c)`` is summed over the contraction from the
first term to the last, always; what is vectorised runs over columns.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import prange

from valuation.compiling import compiled

if TYPE_CHECKING:
    from numpy.typing import NDArray

TILE = 16
"""Rows that one thread works on at a time: their sums stay in the first-level cache."""


@compiled(parallel=True)
def _add_product(left: NDArray[np.float64], right: NDArray[np.float64], out: NDArray[np.float64]) -> None:
    rows, inner = left.shape
    whole = inner - inner % 8
    for tile in prange((rows + TILE - 1) // TILE):
        first, last = tile * TILE, min(rows, (tile + 1) * TILE)
        for k in range(0, whole, 8):  # eight terms at once, still added one after another
            for i in range(first, last):
                a, b, c, d = left[i, k], left[i, k + 1], left[i, k + 2], left[i, k + 3]
                e, f, g, h = left[i, k + 4], left[i, k + 5], left[i, k + 6], left[i, k + 7]
                for j in range(right.shape[1]):
                    out[i, j] = (
                        out[i, j] + a * right[k, j] + b * right[k + 1, j] + c * right[k + 2, j] + d * right[k + 3, j]
                        + e * right[k + 4, j] + f * right[k + 5, j] + g * right[k + 6, j] + h * right[k + 7, j]
                    )  # fmt: skip
        for k in range(whole, inner):
            for i in range(first, last):
                for j in range(right.shape[1]):
                    out[i, j] += left[i, k] * right[k, j]


def ordered_product(left: NDArray[np.float64], right: NDArray[np.float64]) -> NDArray[np.float64]:
    """Multiply two matrices, each element summed from its first term to its last.

    Parameters
    ----------
    left : ndarray, shape (n, k)
        Rows may be any part of a larger matrix: a row's result does not depend on the others.
    right : ndarray, shape (k, m)
        Contiguous, or copied.

    Returns
    -------
    ndarray, shape (n, m)
    """
    if left.shape[1] != right.shape[0]:
        raise ValueError(f"matrices of shapes {left.shape} and {right.shape} cannot be multiplied")
    out = np.zeros((left.shape[0], right.shape[1]))
    _add_product(np.ascontiguousarray(left), np.ascontiguousarray(right), out)
    return out

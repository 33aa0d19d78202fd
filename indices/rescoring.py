"""Inner products of chosen pairs in float64, one pair at a time.

A matrix product may sum in another order when it has other rows beside it; a pair that is summed alone cannot. This is
what makes a similarity the same in any chunk, and it is exact enough to rank by.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import prange

from valuation.compiling import compiled

if TYPE_CHECKING:
    from numpy.typing import NDArray


@compiled(parallel=True)
def pair_products(
    queries: NDArray[np.float32], vectors: NDArray[np.float32], candidates: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Inner product of each query with each of its candidates.

    Parameters
    ----------
    queries : ndarray of float32, shape (n_queries, dimension)
    vectors : ndarray of float32, shape (n_vectors, dimension)
    candidates : ndarray of int, shape (n_queries, n_candidates)
        Rows of `vectors`.

    Returns
    -------
    ndarray, shape (n_queries, n_candidates)
    """
    found = np.empty(candidates.shape)
    for query in prange(candidates.shape[0]):
        for place in range(candidates.shape[1]):
            row = candidates[query, place]
            total = 0.0
            for axis in range(queries.shape[1]):
                total += np.float64(queries[query, axis]) * np.float64(vectors[row, axis])
            found[query, place] = total
    return found

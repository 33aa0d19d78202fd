"""Neighbours in a part of a basket, found among those already known in the whole of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from indices.neighbours import Neighbours

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from indices.neighbours import NeighbourIndex


def prefix(found: Neighbours, width: int) -> Neighbours:
    """Take the first `width` neighbours of each query, or all."""
    return Neighbours(found.similarity[:, :width], found.row[:, :width])


def narrowed(
    wide: Neighbours, place: NDArray[np.int64], part: NeighbourIndex, queries: NDArray[np.float64], width: int
) -> Neighbours:
    """The first `width` neighbours in a part of the basket, as a search of the part would find them.

    Parameters
    ----------
    wide : Neighbours
        In the whole basket, shape (n_queries, wide).
    place : ndarray of int, shape (n_whole,)
        Row of each of the basket's rows in the part; -1 = left out. Ascending.
    part : NeighbourIndex
        The part.
    queries : ndarray, shape (n_queries, d)
    width : int
        At least 1; fewer where the part is smaller.
    """
    width = min(width, part.card.n)
    row = place[wide.row]
    kept = row >= 0
    first = np.argsort(~kept, axis=1, kind="stable")[:, :width]  # those kept come first, in their order
    found = Neighbours(np.take_along_axis(wide.similarity, first, axis=1), np.take_along_axis(row, first, axis=1))
    short = np.flatnonzero(kept.sum(axis=1) < width)
    if found.row.shape[1] < width:  # the part is wider than what was found: nothing to build on
        return part.search(queries.astype(np.float32), width)
    if short.size:
        again = part.search(queries[short].astype(np.float32), width)
        found.similarity[short], found.row[short] = again.similarity, again.row
    return found

"""Exact nearest neighbours. FAISS's inner products stay inside; similarity in [-1, 1] comes out."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from indices.index_files import IndexCard, build, check_unit, damaged, hash_vectors, read_card, read_ids, read_index
from valuation.errors import InputError, ThinMatchError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from faiss import IndexFlatIP
    from numpy.typing import NDArray

__all__ = ["IndexCard", "NeighbourIndex", "Neighbours", "build"]

MILLION = 1_000_000  # similarities are rounded to 1e-6 before ranking, so that a tie is a tie on every machine
SPARE = 14  # candidates asked for beyond k, so that few ties at the k-th place need a second search
SLACK = 1e-5  # what float32 inner products may be off, with room
CELLS_AT_ONCE = 4_000_000  # candidates compared at once: about 150 MB


class Neighbours(NamedTuple):
    """Neighbours of queries, nearest first; ties by row, which is by posting_id.

    Attributes
    ----------
    similarity : ndarray of float64, shape (n_queries, k)
        Cosine similarity in [-1, 1], rounded to 6 decimals, not increasing along a row.
    row : ndarray of int64, shape (n_queries, k)
        Row of the basket; never negative.
    """

    similarity: NDArray[np.float64]
    row: NDArray[np.int64]


class NeighbourIndex:
    """An opened index; owns the vectors in memory.

    Attributes
    ----------
    card : IndexCard
    ids : tuple of str
        posting_id of each row.
    vectors : ndarray of float32, shape (n, dimension)
    """

    def __init__(
        self, card: IndexCard, ids: tuple[str, ...], neighbour_index: IndexFlatIP, vectors: NDArray[np.float32]
    ) -> None:
        self.card = card
        self.ids = ids
        self.vectors = vectors
        self._index = neighbour_index

    @classmethod
    def open(cls, folder: Path, *, fingerprint: str, label: str) -> NeighbourIndex:
        """Read an index that holds vectors of this encoder under this transformation, and check all of it.

        Raises
        ------
        InputError
            The index is missing, incomplete or damaged, or holds vectors of another encoder or transformation.
        """
        card = read_card(folder, fingerprint=fingerprint, label=label)
        ids = read_ids(folder, card)
        neighbour_index = read_index(folder, card)
        vectors = neighbour_index.reconstruct_n(0, neighbour_index.ntotal)
        if vectors.shape != (card.n, card.dimension) or hash_vectors(vectors) != card.vectors_sha256:
            raise damaged(folder / "index.faiss", "its vectors are not those of its card")
        return cls(card, ids, neighbour_index, vectors)

    def subset(self, rows: NDArray[np.int64]) -> NeighbourIndex:
        """An index in memory over some of the rows, renumbered from 0: what validation searches without a fold.

        Parameters
        ----------
        rows : ndarray of int, shape (n_kept,)
            Ascending, distinct; at least one.
        """
        import faiss

        vectors = np.ascontiguousarray(self.vectors[rows])
        flat = faiss.IndexFlatIP(self.card.dimension)
        flat.add(vectors)
        return NeighbourIndex(replace(self.card, n=len(rows)), tuple(self.ids[row] for row in rows), flat, vectors)

    def search(self, queries: NDArray[np.float32], k: int) -> Neighbours:
        """Find the `k` most similar rows of each query.

        FAISS finds candidates; their similarities are computed again in float64, pair by pair, so that neither the
        number of queries nor the chunks they come in can move a figure. Where the k-th place is tied, candidates are
        added until the tie is whole, and the smallest rows win.

        Parameters
        ----------
        queries : ndarray of float32, shape (n_queries, dimension)
            Unit-norm rows.
        k : int
            From 1 to the number of postings.

        Raises
        ------
        ThinMatchError
            `k` exceeds the number of postings.
        InputError
            `k` below 1, queries of another dimension, or a query that is not of unit length.
        """
        matrix = np.ascontiguousarray(queries, dtype=np.float32)
        if matrix.ndim != 2 or matrix.shape[1] != self.card.dimension:
            raise InputError(f"queries of shape {matrix.shape}; expected (n, {self.card.dimension}), as the postings'")
        if k < 1:
            raise InputError(f"k = {k} neighbours asked for; expected at least 1")
        if k > self.card.n:
            raise ThinMatchError(
                f"{k} neighbours asked for, but the basket holds {self.card.n} postings: lower k or add postings"
            )
        check_unit(matrix, what="query")
        out = Neighbours(np.empty((len(matrix), k)), np.empty((len(matrix), k), dtype=np.int64))
        self._fill(matrix, out)
        return out

    def _fill(self, queries: NDArray[np.float32], out: Neighbours) -> None:
        """Write neighbours into `out`; queries whose k-th place may be tied beyond the candidates get more of them."""
        k, n = out.row.shape[1], self.card.n
        todo, wide = np.arange(len(queries)), min(k + SPARE, n)
        while todo.size:
            unsure = []
            for rows in _chunks(todo, wide):
                found, candidates = self._index.search(queries[rows], wide)
                similarity, row = self._ranked(queries[rows], candidates)
                out.similarity[rows], out.row[rows] = similarity[:, :k], row[:, :k]
                if wide < n:  # a row beyond the candidates could still reach the k-th place
                    unsure.append(rows[found[:, -1] > similarity[:, k - 1] - SLACK])
            todo = np.concatenate(unsure) if unsure else todo[:0]
            wide = min(4 * wide, n)

    def _ranked(self, queries: NDArray[np.float32], candidates: NDArray[np.int64]) -> Neighbours:
        """Candidates by falling rounded similarity, then by row."""
        if (candidates < 0).any():  # FAISS pads with -1, which numpy would read as the last row
            raise InputError("the index gave fewer neighbours than asked for; delete it and build it again")
        from indices.rescoring import pair_products

        exact = np.clip(pair_products(queries, self.vectors, candidates), -1.0, 1.0)
        # One integer a candidate, falling similarity above and row below: sorting it is both orders at once.
        places = np.rint((1.0 - exact) * MILLION).astype(np.int64) << 32 | candidates
        places.sort(axis=1)
        return Neighbours(1.0 - (places >> 32) / MILLION, places & 0xFFFFFFFF)


def _chunks(rows: NDArray[np.int64], cells: int) -> Iterator[NDArray[np.int64]]:
    """Split `rows` so that a chunk, at `cells` numbers a row, stays within bounds."""
    size = max(1, CELLS_AT_ONCE // cells)
    for begin in range(0, rows.size, size):
        yield rows[begin : begin + size]

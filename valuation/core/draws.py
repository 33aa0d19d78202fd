"""Counter-based random draws: each depends only on (seed, stream, replicate, id), never on order, chunks or threads.

The generator is Philox4x32-10 (Salmon, Moraes, Dror and Shaw 2011, "Parallel random numbers: as easy as 1, 2, 3").
One call turns the counter (id, replicate pair, stream) and the key (seed) into two uniforms of 52 bits, so that
replicates 2b and 2b + 1 share a call. Bootstrap weights are standard exponentials, ``-log(uniform)``: mean 1, variance
1 (the Bayesian bootstrap's weights before normalisation).
"""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING

import numpy as np
from numba import prange

from valuation.compiling import compiled

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from scipy.sparse import csr_array

FOLDS, POSTINGS, USERS = 0, 1, 2
"""Streams: what a draw is for. Draws of different streams are independent even for the same id."""

# numba turns a mixed int64/uint64 sum into a float, so every constant is a uint64.
_MULTIPLIER_0, _MULTIPLIER_1 = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
_WEYL_0, _WEYL_1 = np.uint64(0x9E3779B9), np.uint64(0xBB67AE85)
_WORD, _MASK = np.uint64(32), np.uint64(0xFFFFFFFF)
_DROP, _TO_UNIT = np.uint64(12), 2.0**-52
_NONE, _FOLDS = np.uint64(0), np.uint64(FOLDS)


@compiled(parallel=False)
def _philox(
    c0: np.uint64, c1: np.uint64, c2: np.uint64, c3: np.uint64, k0: np.uint64, k1: np.uint64
) -> tuple[np.uint64, np.uint64, np.uint64, np.uint64]:
    """Ten rounds of Philox4x32; every argument and result is a 32-bit word held in 64 bits."""
    for _ in range(10):
        product_0, product_1 = _MULTIPLIER_0 * c0, _MULTIPLIER_1 * c2
        c0, c1 = (product_1 >> _WORD) ^ c1 ^ k0, product_1 & _MASK
        c2, c3 = (product_0 >> _WORD) ^ c3 ^ k1, product_0 & _MASK
        k0, k1 = (k0 + _WEYL_0) & _MASK, (k1 + _WEYL_1) & _MASK
    return c0, c1, c2, c3


@compiled(parallel=False)
def _exponential_pair(key: np.uint64, pair: np.uint64, stream: np.uint64, seed: np.uint64) -> tuple[float, float]:
    """Draws of replicates ``2·pair`` and ``2·pair + 1``; a uniform lies in the middle of its cell, never at 0 or 1."""
    w0, w1, w2, w3 = _philox(key & _MASK, key >> _WORD, pair, stream, seed & _MASK, seed >> _WORD)
    even = (np.float64(((w1 << _WORD) | w0) >> _DROP) + 0.5) * _TO_UNIT
    odd = (np.float64(((w3 << _WORD) | w2) >> _DROP) + 0.5) * _TO_UNIT
    return -np.log(even), -np.log(odd)


@compiled(parallel=False)
def _folds(key: NDArray[np.uint64], seed: np.uint64, folds: np.uint64) -> NDArray[np.int64]:
    out = np.empty(key.size, np.int64)
    for row in range(key.size):
        w0, w1, _, _ = _philox(key[row] & _MASK, key[row] >> _WORD, _NONE, _FOLDS, seed & _MASK, seed >> _WORD)
        out[row] = np.int64(((w1 << _WORD) | w0) % folds)
    return out


@compiled(parallel=True)
def _exponentials(
    key: NDArray[np.uint64], seed: np.uint64, stream: np.uint64, first: int, count: int
) -> NDArray[np.float64]:
    out = np.empty((count, key.size))
    first_pair = first // 2
    for step in prange((first + count + 1) // 2 - first_pair):
        row = 2 * (first_pair + step) - first
        for column in range(key.size):
            even, odd = _exponential_pair(key[column], np.uint64(first_pair + step), stream, seed)
            if row >= 0:
                out[row, column] = even
            if row + 1 < count:
                out[row + 1, column] = odd
    return out


@compiled(parallel=True)
def _replicate_sums(
    key: NDArray[np.uint64], row_start: NDArray[np.int64], column: NDArray[np.int32], value: NDArray[np.float64],
    n_columns: int, seed: np.uint64, stream: np.uint64, replicates: int,
) -> NDArray[np.float64]:  # fmt: skip
    out = np.empty((replicates + 1, n_columns))  # a spare row for the last pair's second replicate
    for pair in prange((replicates + 1) // 2):
        summed = np.zeros((n_columns, 2))  # both replicates side by side: one cache line an addition
        for row in range(key.size):
            if row_start[row] == row_start[row + 1]:
                continue
            even, odd = _exponential_pair(key[row], np.uint64(pair), stream, seed)
            for position in range(row_start[row], row_start[row + 1]):
                summed[column[position], 0] += (even - 1.0) * value[position]
                summed[column[position], 1] += (odd - 1.0) * value[position]
        out[2 * pair], out[2 * pair + 1] = summed[:, 0], summed[:, 1]
    return out[:replicates]


def _word64(seed: int) -> np.uint64:
    if not 0 <= seed < 2**64:
        raise ValueError(f"seed {seed} is outside [0, 2^64)")
    return np.uint64(seed)


def unit_key(ids: Sequence[str]) -> NDArray[np.uint64]:
    """Hash ids to 64 bits (BLAKE2b): the identity that draws and folds are keyed by.

    Parameters
    ----------
    ids : sequence of str
        One id a unit, for example its smallest posting_id.

    Returns
    -------
    ndarray of uint64, shape (n,)
    """
    digests = b"".join(blake2b(name.encode(), digest_size=8).digest() for name in ids)
    return np.frombuffer(digests, dtype="<u8").astype(np.uint64)


def fold_of(key: NDArray[np.uint64], *, folds: int, seed: int) -> NDArray[np.int64]:
    """Deal units into folds by a hash of (seed, unit).

    Parameters
    ----------
    key : ndarray of uint64, shape (n,)
        From `unit_key`.
    folds : int
        Number of folds, at least 1.
    seed : int
        In [0, 2^64).

    Returns
    -------
    ndarray of int, shape (n,)
        Fold of each unit, in [0, folds).
    """
    if folds < 1:
        raise ValueError(f"{folds} folds")
    dealt: NDArray[np.int64] = _folds(key, _word64(seed), np.uint64(folds))
    return dealt


def exponentials(
    key: NDArray[np.uint64], *, seed: int, stream: int, first: int, count: int
) -> NDArray[np.float64]:  # fmt: skip
    """Draw standard exponentials of replicates ``first … first + count − 1``.

    Parameters
    ----------
    key : ndarray of uint64, shape (n,)
        Identity of each unit or user.
    seed : int
        In [0, 2^64).
    stream : int
        `FOLDS`, `POSTINGS` or `USERS`.
    first, count : int
        Which replicates; any cut into calls gives the same draws.

    Returns
    -------
    ndarray, shape (count, n)
        Mean 1, variance 1.
    """
    drawn: NDArray[np.float64] = _exponentials(key, _word64(seed), np.uint64(stream), first, count)
    return drawn


def replicate_sums(
    key: NDArray[np.uint64], influence: csr_array, *, seed: int, stream: int, replicates: int
) -> NDArray[np.float64]:
    """Sum ``(u_c(b) − 1)·influence[c]`` over units ``c`` in every replicate ``b``, without storing the draws.

    A replicate is summed by one thread in the order of rows, so the result does not depend on the number of threads.

    Parameters
    ----------
    key : ndarray of uint64, shape (n,)
        Identity of each row.
    influence : csr_array, shape (n, n_columns)
        What one unit of weight on a row adds to each column.
    seed, stream, replicates : int
        As in `exponentials`, replicates 0 … replicates − 1.

    Returns
    -------
    ndarray, shape (replicates, n_columns)
        Deviations from the point estimate: mean 0, variance ``Σ_c influence²``.
    """
    rows, columns = influence.shape
    if rows != key.size:
        raise ValueError(f"{rows} rows of influence for {key.size} keys")
    summed: NDArray[np.float64] = _replicate_sums(
        key, influence.indptr.astype(np.int64), influence.indices.astype(np.int32), influence.data.astype(np.float64),
        columns, _word64(seed), np.uint64(stream), replicates,
    )  # fmt: skip
    return summed

"""Tokens into pieces, pieces into batches: nothing is cut off, and padding is hardly computed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray


class Encoded(NamedTuple):
    """Vectors of texts.

    Attributes
    ----------
    vectors : ndarray of float32, shape (n_texts, dimension)
        Unit-norm rows.
    pieces : ndarray of int32, shape (n_texts,)
        Pieces that each text was embedded in; above 1 where it is longer than the encoder reads at once.
    """

    vectors: NDArray[np.float32]
    pieces: NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Pieces:
    """Stretches of token sequences.

    Attributes
    ----------
    owner : ndarray of int64, shape (n_pieces,)
        The text each piece belongs to; ascending.
    start, length : ndarray of int64, shape (n_pieces,)
        Where in its text the piece starts, and its number of tokens.
    """

    owner: NDArray[np.int64]
    start: NDArray[np.int64]
    length: NDArray[np.int64]


def cut(n_tokens: NDArray[np.int64], *, limit: int) -> Pieces:
    """Cut texts of `n_tokens` tokens into the fewest pieces of at most `limit` tokens, as even as can be.

    Even pieces leave no short tail, whose vector would say little. A text without tokens is one empty piece.

    Parameters
    ----------
    n_tokens : ndarray of int, shape (n_texts,)
    limit : int
        At least 1.
    """
    count = np.maximum(-(-n_tokens // limit), 1)
    owner = np.repeat(np.arange(n_tokens.size), count)
    within = np.arange(owner.size) - np.repeat(np.cumsum(count) - count, count)
    base, rest = np.divmod(n_tokens, count)
    start = within * base[owner] + np.minimum(within, rest[owner])
    length = base[owner] + (within < rest[owner])
    return Pieces(owner=owner, start=start, length=length)


def batches(lengths: NDArray[np.int64], *, budget: int) -> Iterator[NDArray[np.int64]]:
    """Group positions into batches of like length, longest first.

    Parameters
    ----------
    lengths : ndarray of int, shape (n,)
        Tokens of each piece, special tokens included; at least 1.
    budget : int
        Tokens a batch may hold once every row is padded to its longest; a row above it is a batch of its own.

    Yields
    ------
    ndarray of int64
        Positions in `lengths`; every position comes once. Longest first, so that memory runs out at the start or never.
    """
    order = np.argsort(-lengths, kind="stable")
    at = 0
    while at < order.size:
        rows = max(1, budget // int(lengths[order[at]]))
        yield order[at : at + rows]
        at += rows


def by_size(texts: Sequence[str], *, characters: int) -> Iterator[slice]:
    """Slices of `texts` that hold at most `characters` characters each; a longer text is a slice of its own."""
    begin, held = 0, 0
    for at, text in enumerate(texts):
        if at > begin and held + len(text) > characters:
            yield slice(begin, at)
            begin, held = at, 0
        held += len(text)
    if begin < len(texts):
        yield slice(begin, len(texts))

"""Near-duplicate texts: reposts, and the same text with a word changed. Never all pairs."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

import numpy as np

from valuation.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

SHINGLE = 3  # words
MIN_WORDS = 5  # below it two texts are one only if they are the same once normalised
PERMUTATIONS = 128  # of each text's MinHash
RECALL = 0.999  # of pairs exactly at the threshold, by the choice of bands
ALL_PAIRS_UP_TO = 24  # candidates of one band that are compared with each other; larger groups meet representatives
AT_ONCE = 4096  # shingles hashed at once: bounds memory for a very long text

_NOT_A_WORD = re.compile(r"[\W_]+")


def duplicate_clusters(texts: Sequence[str], *, similarity: float, seed: int) -> NDArray[np.int64]:
    """Cluster near-duplicate texts.

    Two texts are linked if they are the same after case, white space and punctuation are levelled, or if the Jaccard
    similarity of their sets of 3-word shingles is at least `similarity` (texts of five words or more). Clusters are the
    connected components. Candidates come from MinHash signatures in bands (Broder 1997; Leskovec, Rajaraman and Ullman
    2020, section 3.4), and every link is verified with the exact similarity, so there are no false ones; a pair at the
    threshold is missed with probability below 0.001. A band shared by very many texts is searched through
    representatives, which bounds the work.

    Parameters
    ----------
    texts : sequence of str, length n
    similarity : float
        Jaccard similarity in (0, 1].
    seed : int
        Of the hash permutations.

    Returns
    -------
    ndarray of int64, shape (n,)
        Cluster of each text, numbered by first appearance. The clusters do not depend on the order of `texts`.

    Raises
    ------
    InputError
        `similarity` outside (0, 1].
    """
    if not 0 < similarity <= 1:
        raise InputError(f"duplicate similarity {similarity}; expected a number in (0, 1]")
    normal = [normalised(text) for text in texts]
    distinct = sorted(set(normal))
    parent = list(range(len(distinct)))
    long_ = [row for row, text in enumerate(distinct) if text.count(" ") >= MIN_WORDS - 1]
    if similarity < 1 and len(long_) > 1:
        shingles = _shingles([distinct[row] for row in long_])
        _link(long_, shingles, parent, similarity=similarity, seed=seed)
    cluster = {text: _root(parent, row) for row, text in enumerate(distinct)}
    return _by_appearance([cluster[text] for text in normal])


def normalised(text: str) -> str:
    r"""Level case, white space and punctuation; a text that is nothing else keeps its characters.

    >>> normalised("  Logo-Design,\n URGENT!! ")
    'logo design urgent'
    >>> normalised("?!")
    '?!'
    """
    return _NOT_A_WORD.sub(" ", text.casefold()).strip() or text.strip()


def _shingles(texts: list[str]) -> list[NDArray[np.uint64]]:
    """Sorted distinct hashes of each text's 3-word shingles; words are hashed once, then combined."""
    known: dict[str, int] = {}
    found = []
    for text in texts:
        words = text.split(" ")
        for word in words:
            if word not in known:
                known[word] = int.from_bytes(
                    hashlib.blake2b(word.encode("utf-8", "surrogatepass"), digest_size=8).digest()
                )
        code = np.array([known[word] for word in words], dtype=np.uint64)
        mixed = np.zeros(code.size - SHINGLE + 1, dtype=np.uint64)
        for offset in range(SHINGLE):
            mixed = mixed * np.uint64(0x9E3779B97F4A7C15) + code[offset : offset + mixed.size]
            mixed ^= mixed >> np.uint64(31)
        found.append(np.unique(mixed))
    return found


def bands(similarity: float) -> tuple[int, int]:
    """Bands, and rows a band: the longest bands that find a pair at `similarity` with probability 0.999."""
    for rows in range(PERMUTATIONS, 1, -1):
        many = PERMUTATIONS // rows
        if 1 - (1 - similarity**rows) ** many >= RECALL:
            return many, rows
    return PERMUTATIONS, 1


def _signatures(shingles: list[NDArray[np.uint64]], *, seed: int) -> NDArray[np.uint32]:
    """MinHash signature of each set, shape (n, PERMUTATIONS)."""
    from datasketch import MinHash

    blank = MinHash(num_perm=PERMUTATIONS, seed=seed % 2**32, hashfunc=int, scheme="affine32")
    out = np.empty((len(shingles), PERMUTATIONS), dtype=np.uint32)
    for row, codes in enumerate(shingles):
        sketch = blank.copy()
        for begin in range(0, codes.size, AT_ONCE):
            sketch.update_batch((codes[begin : begin + AT_ONCE] >> np.uint64(32)).tolist())
        out[row] = sketch.hashvalues
    return out


def _link(
    rows: list[int], shingles: list[NDArray[np.uint64]], parent: list[int], *, similarity: float, seed: int
) -> None:
    """Join in `parent` the rows whose shingles are similar enough."""
    signatures = _signatures(shingles, seed=seed)
    many, width = bands(similarity)
    for band in range(many):
        for group in _groups(signatures[:, band * width : (band + 1) * width]):
            for here, there in _pairs(group, rows, parent):
                if _jaccard(shingles[here], shingles[there]) >= similarity:
                    parent[_root(parent, rows[there])] = _root(parent, rows[here])


def _groups(keys: NDArray[np.uint32]) -> Iterator[NDArray[np.int64]]:
    """Positions that share a key, where at least two do, each group ascending."""
    _, which = np.unique(keys, axis=0, return_inverse=True)
    order = np.argsort(which.ravel(), kind="stable")
    for group in np.split(order, np.flatnonzero(np.diff(which.ravel()[order])) + 1):
        if group.size > 1:
            yield group


def _pairs(group: NDArray[np.int64], rows: list[int], parent: list[int]) -> Iterator[tuple[int, int]]:
    """Pairs of a group worth comparing: not yet joined, and each text with a bounded number of representatives.

    The first `ALL_PAIRS_UP_TO` texts represent the group, so small groups are compared in full.
    """
    met: list[int] = []
    for there in group.tolist():
        for here in met:
            if _root(parent, rows[here]) != _root(parent, rows[there]):
                yield here, there
        if len(met) < ALL_PAIRS_UP_TO:
            met.append(there)


def _jaccard(one: NDArray[np.uint64], other: NDArray[np.uint64]) -> float:
    """Jaccard similarity of two sorted sets."""
    shared = np.intersect1d(one, other, assume_unique=True).size
    return shared / (one.size + other.size - shared)


def _root(parent: list[int], row: int) -> int:
    """Representative of a row's component."""
    while parent[row] != row:
        parent[row] = parent[parent[row]]
        row = parent[row]
    return row


def _by_appearance(labels: list[int]) -> NDArray[np.int64]:
    """Number labels 0, 1, … in the order they first appear."""
    numbers: dict[int, int] = {}
    return np.array([numbers.setdefault(label, len(numbers)) for label in labels], dtype=np.int64)

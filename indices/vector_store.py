"""Vectors on disk, keyed by the content of their text: a text is embedded once, ever, whatever asks for it.

A folder belongs to one encoder (its fingerprint is the folder's name) and holds segments ``part-<hash>.parquet`` with
the columns ``key`` (16 bytes of SHA-256 of the text), ``vector`` (little-endian float32) and ``pieces``. Segments are
only ever added, each written to a temporary name and renamed, so a run killed at any point resumes from what is there.
`forget` alone takes vectors away: it adds a segment without them, then removes the one that held them.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from valuation.errors import EnvironmentFault, InputError
from valuation.tables import write_atomic

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from indices.encoders import Encoder, EncoderCard

KEY = pa.binary(16)
ROW_GROUP = 1024  # rows read at once around a wanted one
FLUSH_EVERY = 2048  # texts a segment: what a killed run can lose


@dataclass(frozen=True, slots=True)
class Embedded:
    """Vectors of the texts asked for, in their order.

    Attributes
    ----------
    vectors : ndarray of float32, shape (n_texts, dimension)
        Unit-norm rows.
    pieces : ndarray of int32, shape (n_texts,)
        Pieces that each text was embedded in.
    n_new : int
        Distinct texts that were embedded now; the others came from disk.
    long_share : float
        Share, in [0, 1], of the texts that took more than one piece; 0 where there is no text.
    """

    vectors: NDArray[np.float32]
    pieces: NDArray[np.int32]
    n_new: int
    long_share: float


@dataclass(frozen=True, slots=True)
class _Segment:
    """One file of the store: its keys are in memory, its vectors on disk."""

    path: Path
    keys: pa.Array


def content_hash(text: str) -> str:
    """SHA-256 (hex) of a text; lone surrogates have one too."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def embed(
    texts: Sequence[str],
    *,
    folder: Path,
    card: EncoderCard,
    open_: Callable[[], Encoder],
    progress: Callable[[int, int], None] | None = None,
    flush_every: int = FLUSH_EVERY,
) -> Embedded:
    """Vectors of `texts`: from disk where they are known, embedded and kept where they are not.

    New texts are embedded in the order of their hashes, so the order and repetition of `texts` do not matter.

    Parameters
    ----------
    texts : sequence of str
        None blank; repeated ones are embedded once.
    folder : Path
        Store of this encoder and no other; made if missing.
    card : EncoderCard
        The encoder's identity.
    open_ : callable
        Loads the encoder; called only if there is a new text.
    progress : callable, optional
        Called with (texts done, texts to do), of the new ones.
    flush_every : int
        New texts a segment.

    Raises
    ------
    InputError
        A text is blank, or a segment is damaged: by its name, and that it may be deleted.
    EnvironmentFault
        The encoder that was loaded is not the one of `card`; a segment cannot be written.
    """
    keys, which = _distinct(texts)
    segments = _segments(folder)
    at = _positions(keys, segments)
    missing = np.flatnonzero(at < 0)
    if missing.size:
        first = _first_seen(which, keys.size)
        order = sorted(missing.tolist(), key=lambda row: keys.bytes[row])
        _embed_missing(
            [(keys.bytes[row], texts[first[row]]) for row in order], folder, card, open_, progress, flush_every
        )
        segments = _segments(folder)
        at = _positions(keys, segments)
    vectors, pieces = _read(at, segments, dimension=card.dimension)
    long_share = float((pieces[which] > 1).mean()) if which.size else 0.0
    return Embedded(vectors[which], pieces[which], int(missing.size), long_share)


def forget(hashes: Collection[str], *, folder: Path) -> int:
    """Remove the vectors of texts, given by `content_hash`, from one encoder's store; returns how many there were.

    Killed at any point it has lost no other vector, and the same call completes it.

    Raises
    ------
    InputError
        A segment is damaged.
    EnvironmentFault
        The disk refuses.
    """
    unwanted = pa.array(sorted({bytes.fromhex(one)[:16] for one in hashes}), type=KEY)
    removed = 0
    for segment in _segments(folder) if len(unwanted) else []:
        found = pc.is_in(segment.keys, value_set=unwanted)
        if count := int(pc.sum(found).as_py() or 0):
            _write_without(segment, found)
            removed += count
    return removed


def _write_without(segment: _Segment, unwanted: pa.Array) -> None:
    """Replace a segment by one without some of its rows: the new one is whole before the old one goes."""
    try:
        with pq.ParquetFile(segment.path, page_checksum_verification=True) as file:
            kept = file.read().filter(pc.invert(unwanted))
    except (pa.ArrowException, OSError) as error:
        raise _damaged(segment.path, error) from error
    if kept.num_rows:
        _write_segment(segment.path.parent, kept)
    try:
        segment.path.unlink()
    except OSError as error:
        raise EnvironmentFault(f"{segment.path}: cannot be removed: {error.strerror}") from error


@dataclass(frozen=True, slots=True)
class _Keys:
    """Distinct keys, in order of first appearance."""

    bytes: list[bytes]
    array: pa.Array

    @property
    def size(self) -> int:
        return len(self.bytes)


def _distinct(texts: Sequence[str]) -> tuple[_Keys, NDArray[np.int64]]:
    """Distinct keys and, for each text, the position of its key."""
    for row, text in enumerate(texts):
        if not text.strip():
            raise InputError(f"text {row} is empty; only texts with a character that is not a space can be embedded")
    hashed = pa.array([bytes.fromhex(content_hash(text))[:16] for text in texts], type=KEY).dictionary_encode()
    return _Keys(hashed.dictionary.to_pylist(), hashed.dictionary), np.asarray(hashed.indices, dtype=np.int64)


def _first_seen(which: NDArray[np.int64], n: int) -> NDArray[np.int64]:
    """Position in the texts where each distinct key comes first, shape (n,)."""
    first = np.empty(n, dtype=np.int64)
    first[which[::-1]] = np.arange(which.size)[::-1]
    return first


def _segments(folder: Path) -> list[_Segment]:
    """Every segment with its keys, by name."""
    return [_Segment(path, _keys_of(path)) for path in sorted(folder.glob("part-*.parquet"))]


def _keys_of(path: Path) -> pa.Array:
    """Keys of a segment."""
    try:
        with pq.ParquetFile(path, page_checksum_verification=True) as file:
            return file.read(columns=["key"]).column("key").combine_chunks().cast(KEY)
    except (pa.ArrowException, OSError, KeyError) as error:
        raise _damaged(path, error) from error


def _damaged(path: Path, why: object) -> InputError:
    """Name a segment that cannot be used."""
    reason = " ".join(str(why).split())[:120]
    return InputError(f"{path}: damaged ({reason}); delete this file: its texts are embedded again")


def _positions(keys: _Keys, segments: list[_Segment]) -> NDArray[np.int64]:
    """Row of each key in the segments laid end to end; -1 where there is none."""
    if not segments:
        return np.full(keys.size, -1, dtype=np.int64)
    stored = pa.chunked_array([segment.keys for segment in segments], type=KEY)
    found = pc.index_in(keys.array, value_set=stored.combine_chunks())
    return np.asarray(found.fill_null(-1), dtype=np.int64)


def _embed_missing(
    new: list[tuple[bytes, str]],
    folder: Path,
    card: EncoderCard,
    open_: Callable[[], Encoder],
    progress: Callable[[int, int], None] | None,
    flush_every: int,
) -> None:
    """Embed texts and write a segment after each `flush_every` of them."""
    encoder = open_()
    if encoder.card.fingerprint != card.fingerprint:
        raise EnvironmentFault(
            f"encoder {card.name}: identified as {card.fingerprint} but loaded as {encoder.card.fingerprint}; "
            "its files changed in between: run again"
        )
    for begin in range(0, len(new), flush_every):
        if progress is not None:
            progress(begin, len(new))
        chunk = new[begin : begin + flush_every]
        encoded = encoder.encode([text for _, text in chunk])
        _write(folder, [key for key, _ in chunk], encoded.vectors, encoded.pieces)
    if progress is not None:
        progress(len(new), len(new))


def _write(folder: Path, keys: list[bytes], vectors: NDArray[np.float32], pieces: NDArray[np.int32]) -> None:
    """Add one segment."""
    width = 4 * vectors.shape[1]
    rows = pa.Array.from_buffers(
        pa.binary(width), len(keys), [None, pa.py_buffer(np.ascontiguousarray(vectors, dtype="<f4"))]
    )
    table = pa.table({"key": pa.array(keys, type=KEY), "vector": rows, "pieces": pa.array(pieces, type=pa.int32())})
    _write_segment(folder, table)


def _write_segment(folder: Path, table: pa.Table) -> None:
    """Write rows as a segment, which is named by their keys."""
    name = hashlib.sha256(b"".join(table.column("key").to_pylist())).hexdigest()[:16]
    write_atomic(
        folder / f"part-{name}.parquet",
        lambda to: pq.write_table(
            table, to, compression="none", use_dictionary=False, row_group_size=ROW_GROUP, write_page_checksum=True
        ),
    )


def _read(
    at: NDArray[np.int64], segments: list[_Segment], *, dimension: int
) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """Vectors and pieces at rows `at` of the segments laid end to end; only row groups with a wanted row are read."""
    vectors = np.empty((at.size, dimension), dtype=np.float32)
    pieces = np.empty(at.size, dtype=np.int32)
    ends = np.cumsum([len(segment.keys) for segment in segments])
    owner = np.searchsorted(ends, at, side="right")
    for number in np.unique(owner):
        wanted = np.flatnonzero(owner == number)
        begin = ends[number] - len(segments[number].keys)
        vectors[wanted], pieces[wanted] = _read_segment(segments[number].path, at[wanted] - begin, dimension)
    return vectors, pieces


def _read_segment(path: Path, rows: NDArray[np.int64], dimension: int) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """Vectors and pieces of some rows of one segment."""
    try:
        with pq.ParquetFile(path, page_checksum_verification=True) as file:
            sizes = [file.metadata.row_group(group).num_rows for group in range(file.num_row_groups)]
            group = np.searchsorted(np.cumsum(sizes), rows, side="right")
            wanted = np.unique(group)
            table = file.read_row_groups(wanted.tolist(), columns=["vector", "pieces"])
    except (pa.ArrowException, OSError) as error:
        raise _damaged(path, error) from error
    column = table.column("vector").combine_chunks()
    if column.type != pa.binary(4 * dimension):
        raise _damaged(path, f"vectors of type {column.type}, expected {dimension} numbers of 4 bytes")
    skipped = np.cumsum(sizes) - np.cumsum(np.where(np.isin(np.arange(len(sizes)), wanted), sizes, 0))
    here = rows - skipped[group]
    vectors = np.frombuffer(column.buffers()[1], dtype="<f4").reshape(-1, dimension)[here]
    if not np.allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-3):
        raise _damaged(path, "a vector that has not length 1")
    return vectors, np.asarray(table.column("pieces"), dtype=np.int32)[here]

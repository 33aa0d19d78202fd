"""An exact index on disk, and its card: whose vectors it holds, how many, and hashes of all of it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from valuation.errors import EnvironmentFault, InputError
from valuation.tables import write_atomic

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from faiss import IndexFlatIP
    from numpy.typing import NDArray

CODE_VERSION = "1"
INDEX, ROWS, CARD = "index.faiss", "rows.parquet", "card.json"


@dataclass(frozen=True, slots=True)
class IndexCard:
    """What an index holds; all of it is checked when it is opened.

    Attributes
    ----------
    basket : str
        Id of the basket: a hash of the encoder, the transformation, the ids and the vectors.
    fingerprint : str
        Of the encoder.
    label : str
        Transformation of the vectors, such as the register's mode and a hash of its means.
    n, dimension : int
    ids_sha256, vectors_sha256, index_sha256 : str
        Hashes of contents: ids joined by line breaks, float32 vectors row by row, the index file.
    faiss : str
        Version that wrote the index.
    code : str
        Version of this module's format.
    """

    basket: str
    fingerprint: str
    label: str
    n: int
    dimension: int
    ids_sha256: str
    vectors_sha256: str
    index_sha256: str
    faiss: str
    code: str


def build(vectors: NDArray[np.float32], ids: Sequence[str], *, folder: Path, fingerprint: str, label: str) -> IndexCard:
    """Write an exact inner-product index: ``index.faiss``, ``rows.parquet`` (row, posting_id) and, last, ``card.json``.

    Parameters
    ----------
    vectors : ndarray of float32, shape (n, dimension)
        Unit-norm rows.
    ids : sequence of str
        posting_id of each row, ascending and distinct, so that a tie by row is a tie by id.

    Raises
    ------
    InputError
        No rows, unsorted or repeated ids, or a vector that is not of unit length, by its id.
    EnvironmentFault
        The disk refuses.
    """
    import faiss

    matrix = np.ascontiguousarray(vectors, dtype=np.float32)
    check_ids(ids, len(matrix))
    check_unit(matrix, what="posting", names=ids)
    neighbour_index = faiss.IndexFlatIP(matrix.shape[1])
    neighbour_index.add(matrix)
    _withdraw(folder / CARD)
    content = faiss.serialize_index(neighbour_index)
    write_atomic(folder / INDEX, lambda to: content.tofile(to))
    rows = pa.table({"row": pa.array(range(len(ids)), type=pa.int64()), "posting_id": pa.array(ids, type=pa.string())})
    write_atomic(folder / ROWS, lambda to: pq.write_table(rows, to, compression="zstd"))
    card = _card(matrix, ids, fingerprint, label, index_sha256=hashlib.sha256(content.data).hexdigest())
    write_atomic(folder / CARD, lambda to: _write_text(to, json.dumps(asdict(card), indent=1, sort_keys=True)))
    return card


def _card(
    matrix: NDArray[np.float32], ids: Sequence[str], fingerprint: str, label: str, *, index_sha256: str
) -> IndexCard:
    """Describe what is written."""
    import faiss

    known = {"fingerprint": fingerprint, "label": label, "ids": hash_ids(ids), "vectors": hash_vectors(matrix)}
    return IndexCard(
        basket=hashlib.sha256(json.dumps(known, sort_keys=True).encode()).hexdigest()[:16],
        fingerprint=fingerprint,
        label=label,
        n=len(matrix),
        dimension=matrix.shape[1],
        ids_sha256=known["ids"],
        vectors_sha256=known["vectors"],
        index_sha256=index_sha256,
        faiss=faiss.__version__,
        code=CODE_VERSION,
    )


def read_card(folder: Path, *, fingerprint: str, label: str) -> IndexCard:
    """The card of a finished index of this encoder, under this transformation."""
    path = folder / CARD
    try:
        card = IndexCard(**json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        raise damaged(path, "no finished index there") from None
    except (OSError, ValueError, TypeError) as error:
        raise damaged(path, "not a readable card") from error
    if card.code != CODE_VERSION:
        raise damaged(path, f"format {card.code}, expected {CODE_VERSION}")
    for what, here, there in (("encoder", fingerprint, card.fingerprint), ("register", label, card.label)):
        if here != there:
            raise damaged(path, f"holds vectors of {what} {there}, not of {here}")
    return card


def read_ids(folder: Path, card: IndexCard) -> tuple[str, ...]:
    """posting_id of each row, as the card knows them."""
    path = folder / ROWS
    try:
        with pq.ParquetFile(path) as file:
            ids = tuple(file.read(columns=["posting_id"]).column("posting_id").to_pylist())
    except (pa.ArrowException, OSError, KeyError) as error:
        raise damaged(path, "missing or not readable as Parquet") from error
    if len(ids) != card.n or hash_ids(ids) != card.ids_sha256:
        raise damaged(path, "its ids are not those of its card")
    return ids


def read_index(folder: Path, card: IndexCard) -> IndexFlatIP:
    """The FAISS index, as the card knows it."""
    import faiss

    path = folder / INDEX
    try:
        content = np.fromfile(path, dtype=np.uint8)
    except OSError as error:
        raise damaged(path, "missing or not readable") from error
    if hashlib.sha256(content.data).hexdigest() != card.index_sha256:  # checked before FAISS parses it
        raise damaged(path, "not the file its card was written for")
    try:
        neighbour_index = faiss.deserialize_index(content)
    except RuntimeError as error:
        raise damaged(path, "not readable by FAISS") from error
    if not isinstance(neighbour_index, faiss.IndexFlatIP):
        raise damaged(path, "not an exact inner-product index")
    return neighbour_index


def _withdraw(card: Path) -> None:
    """Remove the card of an index about to be replaced, so that a build cut short is not taken for a finished one."""
    try:
        if card.exists():
            card.unlink()
    except OSError as error:
        raise EnvironmentFault(f"{card}: cannot be removed: {error.strerror}; the old index is still there") from error


def check_ids(ids: Sequence[str], n: int) -> None:
    """Refuse ids that do not match the rows or are not strictly ascending."""
    if n == 0 or len(ids) != n:
        raise InputError(f"{len(ids)} ids for {n} vectors; expected as many, and at least one")
    for before, after in zip(ids, ids[1:], strict=False):
        if before >= after:
            raise InputError(f"posting_id {after!a} follows {before!a}; expected ascending, distinct ids")


def check_unit(matrix: NDArray[np.float32], *, what: str, names: Sequence[str] = ()) -> None:
    """Refuse rows that are not finite or not of unit length."""
    norm = np.sqrt(np.einsum("nd,nd->n", matrix, matrix, dtype=np.float64))
    faulty = np.flatnonzero(~(np.abs(norm - 1.0) < 1e-3))
    if faulty.size:
        row = int(faulty[0])
        name = f"{names[row]!a}" if names else str(row)
        raise InputError(f"{what} {name}: its vector has length {norm[row]:.6g}; expected a finite vector of length 1")


def damaged(path: Path, why: str) -> InputError:
    """Name a file of the index that cannot be used."""
    return InputError(f"{path}: {why}; delete {path.parent} and run again to build the basket's index")


def hash_ids(ids: Sequence[str]) -> str:
    """SHA-256 (hex) of ids joined by line breaks."""
    return hashlib.sha256("\n".join(ids).encode()).hexdigest()


def hash_vectors(vectors: NDArray[np.float32]) -> str:
    """SHA-256 (hex) of float32 vectors, row by row."""
    return hashlib.sha256(np.ascontiguousarray(vectors, dtype="<f4").data).hexdigest()


def _write_text(path: Path, text: str) -> None:
    path.write_text(text + "\n", encoding="utf-8")

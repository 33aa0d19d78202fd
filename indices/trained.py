"""Encoders trained here: a folder with a card, the ids of what it learned from, and weights; checked before use.

``trained:NAME`` is such an encoder, ``base:NAME`` the one that it began as. Whoever uses either must leave the texts
that trained it out of what it estimates: the ids travel with the card, so that this holds in any workspace.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from indices.model_files import sha256
from valuation.errors import ConfigError, EnvironmentFault

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

TRAINED, BASE = "trained:", "base:"
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]{0,63}")
RESERVED = ("static",)
CARD = "card.json"
LEARNED_FROM = "learned_from.parquet"
COLUMNS = ("posting_id", "text", "client_id")
BESIDE = (CARD, "check.csv")  # not weights: the card itself, and what was measured afterwards


@dataclass(frozen=True, slots=True)
class TrainedCard:
    """What a trained encoder is made of; ``card.json``. No text and no price is in it.

    Attributes
    ----------
    identity : str
        Hash of data, base model, settings and versions: two fits with the same identity are the same fit.
    base, base_fingerprint : str
        ``encoder.name`` that training began with, and its fingerprint.
    base_max_tokens : int
        ``encoder.max_tokens`` of that fingerprint.
    method : str
        ``whole`` or ``projection``.
    data_sha256 : str
        Of ids, texts, targets and groups learned from.
    postings, clusters, units : int
        Learned from; `units` are resampling units, which never straddle the two parts.
    left : int
        Clusters left for a basket when it was trained.
    share, epochs, batch, learning_rate, seed, max_tokens
        As set; `max_tokens` of each text were read, 0 = all.
    loss : tuple of float
        Mean squared error of the standardised target, by epoch.
    versions : dict of str to str
    threads : int
        With others, or on another machine, the weights may differ in their last digits.
    sha256 : dict of str to str
        Of every file of the model, by its path in the folder.
    """

    identity: str
    base: str
    base_fingerprint: str
    base_max_tokens: int
    method: str
    data_sha256: str
    postings: int
    clusters: int
    units: int
    left: int
    share: float
    epochs: int
    batch: int
    learning_rate: float
    seed: int
    max_tokens: int
    loss: tuple[float, ...]
    versions: dict[str, str]
    threads: int
    precision: str
    sha256: dict[str, str]


@dataclass(frozen=True, slots=True)
class LearnedFrom:
    """Marks of the postings that trained an encoder.

    Attributes
    ----------
    posting_id, text, client_id : frozenset of str
        Ids, hashes of texts, hashed clients (where known).
    """

    posting_id: frozenset[str]
    text: frozenset[str]
    client_id: frozenset[str]


def is_trained(name: str) -> bool:
    """Whether `name` is ``trained:NAME`` or ``base:NAME``."""
    return name.startswith((TRAINED, BASE))


def check_name(name: str) -> str:
    """Return the name of an encoder to be trained, if it can be one: it becomes a folder.

    Raises
    ------
    ConfigError
        It cannot.
    """
    if not NAME.fullmatch(name) or name.endswith(".") or ".." in name or name in RESERVED:
        raise ConfigError(
            f"encoder name {name!a}: expected 1 to 64 letters, digits, dots and dashes that begin with a letter or a "
            f"digit, no two dots together, and not {', '.join(RESERVED)}"
        )
    return name


def folder_of(name: str, models_dir: Path) -> Path:
    """Folder of ``trained:NAME`` or ``base:NAME``.

    Raises
    ------
    ConfigError
        There is none of this name; the message lists those that there are.
    """
    bare = check_name(name.partition(":")[2])
    folder = models_dir / bare
    if not (folder / CARD).is_file():
        known = sorted(path.parent.name for path in models_dir.glob(f"*/{CARD}"))
        raise ConfigError(
            f"encoder.name = {name!r}: no such trained encoder; there are {', '.join(known) or 'none yet'} "
            f"(make one with: valuation train-encoder {bare})"
        )
    return folder


def read_trained(folder: Path) -> TrainedCard:
    """Read the card of a trained encoder and hold every file against it.

    Raises
    ------
    EnvironmentFault
        A file is missing, added or changed, or the card is not readable.
    """
    path = folder / CARD
    advice = f"put the folder there again, or delete {folder} and train it anew"
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
        card = TrainedCard(**{**stored, "loss": tuple(stored["loss"])})
        listed = dict(card.sha256)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise EnvironmentFault(f"{path}: not readable as the card of a trained encoder; {advice}") from error
    actual = hashes(folder)
    for name in sorted(listed.keys() | actual.keys()):
        if listed.get(name) != actual.get(name):
            what = "missing" if name not in actual else "not one of its files" if name not in listed else "damaged"
            raise EnvironmentFault(f"{folder / name}: {what}; {advice}")
    return card


def write_card(folder: Path, card: TrainedCard) -> None:
    """Write the card into a folder whose other files are written."""
    (folder / CARD).write_text(json.dumps(asdict(card), indent=1, sort_keys=True), encoding="utf-8")


def hashes(folder: Path) -> dict[str, str]:
    """SHA-256 of every file of a trained encoder's folder but its card and what was measured, by path in it."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    named = {path.relative_to(folder).as_posix(): path for path in files}
    return {name: sha256(path) for name, path in named.items() if name not in BESIDE}


def card_sha256(folder: Path) -> str:
    """SHA-256 (hex) of the card, which names the hash of every other file: the identity of the whole."""
    return sha256(folder / CARD)


def text_mark(text: str) -> str:
    """Mark of a text by which it is known again under another id: a hash of it with case and punctuation levelled."""
    from indices.duplicates import normalised

    return hashlib.sha256(normalised(text).encode("utf-8", "surrogatepass")).hexdigest()[:32]


def write_learned_from(
    folder: Path, posting_id: Iterable[str], text: Iterable[str], client_id: Iterable[str | None]
) -> None:
    """Write the marks of the postings that trained an encoder, one row each, by posting_id."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = sorted(zip(posting_id, text, client_id, strict=True), key=lambda row: row[0])
    columns = zip(*rows, strict=True) if rows else ((), (), ())
    table = pa.table({
        name: pa.array(list(column), type=pa.string())
        for name, column in zip(COLUMNS, columns, strict=True)
    })  # fmt: skip
    pq.write_table(table, folder / LEARNED_FROM, compression="zstd")


def learned_from(name: str, models_dir: Path) -> LearnedFrom:
    """Marks of the postings that trained ``trained:NAME`` or ``base:NAME``; none for any other encoder.

    Raises
    ------
    ConfigError
        There is no such encoder.
    EnvironmentFault
        It is damaged.
    """
    if not is_trained(name):
        return LearnedFrom(frozenset(), frozenset(), frozenset())
    import pyarrow.parquet as pq

    folder = folder_of(name, models_dir)
    read_trained(folder)  # the file is held against the card
    table = pq.ParquetFile(folder / LEARNED_FROM).read()
    known = [frozenset(one for one in table.column(name).to_pylist() if one is not None) for name in COLUMNS]
    return LearnedFrom(*known)

"""What search by meaning needs, loaded as the run was made: encoder, index, and the means of its registers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from valuation.errors import ConfigError, EnvironmentFault, InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from indices.attribution import TokenEncoder
    from indices.encoders import Encoder, EncoderCard
    from indices.neighbours import NeighbourIndex
    from valuation.storage import Layout

BATCH_TOKENS = 4_096
TEXTS_AT_ONCE = 2_048


@dataclass(frozen=True, slots=True)
class Loaded:
    """What searching needs; `words` is None where the encoder does not average its tokens."""

    index: NeighbourIndex
    embed: Callable[[str], NDArray[np.float64]]
    words: TokenEncoder | None
    means: dict[str, NDArray[np.float64] | None]


def gone(folder: Path) -> str:
    """What to say of a basket that is not there."""
    return (
        f"basket {folder.name} is no longer here, as when one of its postings was deleted; make a new run with: "
        "valuation run"
    )


def load(layout: Layout, manifest: dict[str, Any]) -> Loaded:
    """Load what searching a run's basket needs; where the index is gone, nothing heavy is loaded.

    Raises
    ------
    InputError
        The basket is gone, or a part of it is damaged.
    EnvironmentFault
        The encoder is not the one that the run was made with, or cannot be loaded.
    """
    from indices.neighbours import NeighbourIndex

    folder = layout.indices / str(manifest["basket_id"])
    if not (folder / "basket.json").is_file():
        raise InputError(gone(folder))
    card, mode = _card(layout, manifest), str(manifest["settings"]["register"]["mode"])
    index = NeighbourIndex.open(folder, fingerprint=card.fingerprint, label=mode)
    means: dict[str, NDArray[np.float64] | None] = {"session": None, "posting": None}
    if mode == "centred":
        means = {
            "session": _session_mean(layout.runs / str(manifest["run_id"])),
            "posting": _posting_mean(layout.embeddings / card.fingerprint, folder, card),
        }
    _one_thread(card)
    words, embed = _encoder(layout, card)
    index.search(index.vectors[:1], 1)  # compiled here, not in the first analyst's search
    return Loaded(index, embed, words, means)


def _card(layout: Layout, manifest: dict[str, Any]) -> EncoderCard:
    """The encoder of the run, if this machine still has it."""
    from indices.encoders import identify

    settings, then = manifest["settings"]["encoder"], manifest["encoder"]["fingerprint"]
    card = identify(settings["name"], models_dir=layout.models, max_tokens=settings["max_tokens"])
    if card.fingerprint != then:
        raise EnvironmentFault(
            f"encoder {card.name} is {card.fingerprint} on this machine, but run {manifest['run_id']} was "
            f"made with {then}; put that model where it was, or make a new run"
        )
    return card


def _session_mean(folder: Path) -> NDArray[np.float64]:
    """Mean of the run's session register."""
    from valuation.pipeline.session_register import REGISTER_FILE

    try:
        with np.load(folder / REGISTER_FILE, allow_pickle=False) as stored:
            return np.asarray(stored["vector"], dtype=np.float64)
    except Exception as error:  # a damaged zip can raise nearly anything
        raise InputError(
            f"{folder / REGISTER_FILE}: not readable ({type(error).__name__}); delete {folder}, then: valuation run"
        ) from error


def _posting_mean(store: Path, folder: Path, card: EncoderCard) -> NDArray[np.float64]:
    """Mean of the basket's stored vectors, a part of them in memory at once."""
    from indices.vector_store import embed

    def missing() -> Encoder:
        raise InputError(f"{store}: lacks vectors of the basket; make them again with: valuation run")

    total, n = np.zeros(card.dimension), 0
    for texts in _texts(folder):
        vectors = embed(texts, folder=store, card=card, open_=missing).vectors
        total, n = total + vectors.astype(np.float64).sum(axis=0), n + len(texts)
    return total / n


def _texts(folder: Path) -> Iterator[list[str]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = folder / "basket.parquet"
    try:
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(batch_size=TEXTS_AT_ONCE, columns=["text"]):
                yield batch.column("text").to_pylist()
    except (pa.ArrowException, OSError) as error:
        raise InputError(f"{path}: not readable; delete {path.parent} and it is made anew") from error


def _encoder(layout: Layout, card: EncoderCard) -> tuple[TokenEncoder | None, Callable[[str], NDArray[np.float64]]]:
    """The encoder with its words' shares, or, where it has none, without."""
    from indices.attribution import open_token_encoder
    from indices.encoders import open_encoder

    try:
        words = open_token_encoder(card)
    except ConfigError:
        plain = open_encoder(card.name, models_dir=layout.models, max_tokens=card.max_tokens, batch_tokens=BATCH_TOKENS)
        return None, lambda text: plain.encode([text]).vectors[0].astype(np.float64)
    return words, lambda text: words.read([text])[0].vector


def _one_thread(card: EncoderCard) -> None:
    """One thread for each query: the other cores serve pages."""
    import faiss

    faiss.omp_set_num_threads(1)
    if card.max_tokens:  # a static encoder has no need of torch
        import torch

        torch.set_num_threads(1)

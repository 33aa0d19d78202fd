"""Texts to vectors through the workspace's cache, and the two registers' frozen means."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from valuation.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from indices.encoders import EncoderCard
    from indices.vector_store import Embedded
    from valuation.config import Settings
    from valuation.progress import Progress
    from valuation.storage import Layout


def identify_encoder(layout: Layout, settings: Settings) -> EncoderCard:
    """Tell which model the settings mean, without loading it."""
    from indices.encoders import identify

    return identify(settings.encoder.name, models_dir=layout.models, max_tokens=settings.encoder.max_tokens)


def embed_texts(layout: Layout, settings: Settings, texts: Sequence[str], *, what: str, progress: Progress) -> Embedded:
    """Embed texts, each once ever; the model is loaded only if one of them is new."""
    from indices.encoders import Encoder, open_encoder
    from indices.vector_store import embed

    progress.stage(f"embed {what}")
    card = identify_encoder(layout, settings)

    def open_() -> Encoder:
        return open_encoder(
            settings.encoder.name,
            models_dir=layout.models,
            max_tokens=settings.encoder.max_tokens,
            batch_tokens=settings.encoder.batch_tokens,
            progress=progress.advance,
        )

    folder = layout.embeddings / card.fingerprint
    return embed(texts, folder=folder, card=card, open_=open_, progress=progress.advance)


def to_register(vectors: NDArray[np.float32], mean: NDArray[np.float64]) -> NDArray[np.float64]:
    """Subtract a register's mean vector and bring each row back to length one.

    Parameters
    ----------
    vectors : ndarray, shape (n, d)
        Unit-length rows.
    mean : ndarray, shape (d,)
        Zero for ``register.mode = none``.

    Raises
    ------
    InputError
        A vector equals the mean: its direction is lost.
    """
    moved = vectors.astype(np.float64) - mean
    length = np.linalg.norm(moved, axis=1, keepdims=True)
    if len(moved) and length.min() < 1e-9:
        raise InputError(
            "a text's vector equals the mean of its register, so that its direction is lost: are all texts the same? "
            "set register.mode = none"
        )
    return np.asarray(moved / length)

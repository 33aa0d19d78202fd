"""Encoders: who they are, known without loading them, and how texts become unit vectors.

``bundled`` is all-MiniLM-L6-v2 from an installed package, ``static`` is distilled from it on first use,
``trained:NAME`` was fine-tuned here and ``base:NAME`` is what that began as; anything else is the folder of a
sentence-transformers model or its name in the local cache. Nothing is ever downloaded.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from indices import distilled, trained
from indices.batching import Encoded
from indices.model_files import CODE_VERSION, fingerprint, inspect, locate
from valuation.errors import ConfigError, EnvironmentFault, InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["Encoded", "Encoder", "EncoderCard", "identify", "open_encoder"]


@dataclass(frozen=True, slots=True)
class EncoderCard:
    """Identity of an encoder.

    Attributes
    ----------
    name : str
        ``encoder.name`` as configured.
    fingerprint : str
        32 hex digits over the contents of weights, tokenizer and configuration, `max_tokens` and the version of the
        code that cuts and averages; for ``static`` over its recipe. The same on every machine; no path enters it.
    dimension : int
        Length of its vectors.
    max_tokens : int
        Tokens of a piece, special tokens included; 0 where a text is never cut (static models).
    path : str
        Folder of the model.
    ready : bool
        False for ``static`` before its first use: `open_encoder` makes it.
    """

    name: str
    fingerprint: str
    dimension: int
    max_tokens: int
    path: str
    ready: bool = True


@dataclass(frozen=True, slots=True)
class Encoder:
    """A loaded encoder.

    Attributes
    ----------
    card : EncoderCard
    run : callable
        Embeds a list of non-empty, well-formed texts.
    """

    card: EncoderCard
    run: Callable[[list[str]], Encoded]

    @property
    def dimension(self) -> int:
        """Length of its vectors."""
        return self.card.dimension

    def encode(self, texts: Sequence[str]) -> Encoded:
        """Embed texts; the same text has the same vector in any company, to 1e-5.

        Parameters
        ----------
        texts : sequence of str
            None of them empty or blank.

        Raises
        ------
        InputError
            A text is blank, or one the encoder can make nothing of, by its position.
        """
        for row, text in enumerate(texts):
            if not text.strip():
                raise InputError(f"text {row} is empty; an encoder needs at least one character that is not a space")
        if not texts:
            return Encoded(np.empty((0, self.dimension), dtype=np.float32), np.empty(0, dtype=np.int32))
        encoded = self.run([well_formed(text) for text in texts])
        faulty = np.flatnonzero(~np.isfinite(encoded.vectors).all(axis=1))
        if faulty.size:
            raise InputError(
                f"text {faulty[0]}: the encoder {self.card.name} gives no vector for {texts[faulty[0]][:40]!a}"
            )
        return encoded


def identify(name: str, *, models_dir: Path, max_tokens: int) -> EncoderCard:
    """Say which encoder `name` is, without importing torch: an unchanged run needs no more.

    Parameters
    ----------
    name : str
        ``bundled``, ``static``, ``trained:NAME``, ``base:NAME``, a folder, or a name in the local cache.
    models_dir : Path
        Where models that are made here lie.
    max_tokens : int
        Tokens of a piece, special tokens included.

    Raises
    ------
    ConfigError
        No such folder, a kind of model that is not supported, or `max_tokens` above what it reads.
    EnvironmentFault
        The model is not on this machine, or its files are not what they should be.
    """
    if name == "static":
        folder = models_dir / "static"
        return EncoderCard(
            name, distilled.identity(), distilled.DIMENSION, 0, str(folder), ready=distilled.is_made(folder)
        )
    if trained.is_trained(name):
        return _identify_trained(name, models_dir=models_dir, max_tokens=max_tokens)
    folder = locate(name)
    if (folder / trained.CARD).is_file():
        raise ConfigError(
            f"encoder.name = {name!r}: trained by this program; put its folder into {models_dir} and name it "
            f"trained:{folder.name}, so that what it learned from leaves the basket"
        )
    return _identify_folder(name, folder, max_tokens=max_tokens)


def _identify_folder(name: str, folder: Path, *, max_tokens: int, card_sha256: str = "") -> EncoderCard:
    """Identity of a model in a folder; of a trained one also by its card."""
    files = inspect(folder)
    if files.reads is not None and max_tokens > files.reads:
        raise ConfigError(
            f"encoder.max_tokens = {max_tokens}: the encoder {name} reads at most {files.reads} tokens at once; "
            f"set it to {files.reads} or less (longer texts are embedded in pieces and averaged)"
        )
    limit = 0 if files.static else max_tokens
    what: dict[str, str | int] = {"files": files.digest, "max_tokens": limit, "code": CODE_VERSION}
    mark = fingerprint(what | ({"card": card_sha256} if card_sha256 else {}))
    return EncoderCard(name, mark, files.dimension, limit, str(files.folder))


def _identify_trained(name: str, *, models_dir: Path, max_tokens: int) -> EncoderCard:
    """Identity of ``trained:NAME``, its files held against its card, or of the encoder that it began as."""
    folder = trained.folder_of(name, models_dir)
    card = trained.read_trained(folder)
    if name.startswith(trained.TRAINED):
        mark = trained.card_sha256(folder)
        return _identify_folder(name, folder, max_tokens=max_tokens, card_sha256=mark)
    base = identify(card.base, models_dir=models_dir, max_tokens=max_tokens)
    then = identify(card.base, models_dir=models_dir, max_tokens=card.base_max_tokens or max_tokens)
    if then.fingerprint != card.base_fingerprint:
        raise EnvironmentFault(
            f"encoder.name = {name!r}: {card.base} is {then.fingerprint} on this machine, but {folder.name} was "
            f"trained from {card.base_fingerprint}; put that model where it was, or train {folder.name} anew"
        )
    return replace(base, name=name)


def open_encoder(
    name: str,
    *,
    models_dir: Path,
    max_tokens: int,
    batch_tokens: int,
    progress: Callable[[int, int], None] | None = None,
) -> Encoder:
    """Load an encoder; ``static`` is made first where it is missing.

    Parameters
    ----------
    batch_tokens : int
        Tokens of a batch, padding included: speed and memory only.
    progress : callable, optional
        Called with (0, 1) before and (1, 1) after ``static`` is made; not otherwise.

    Raises
    ------
    ConfigError, EnvironmentFault
        As `identify`, and where the model cannot be loaded.
    """
    card = identify(name, models_dir=models_dir, max_tokens=max_tokens)
    if not card.ready:
        if progress is not None:
            progress(0, 1)
        distilled.make(Path(card.path))
        if progress is not None:
            progress(1, 1)
        card = identify(name, models_dir=models_dir, max_tokens=max_tokens)
    if card.max_tokens == 0:
        from indices.static_model import open_static

        return Encoder(card, open_static(Path(card.path)))
    from indices.transformer_model import open_transformer

    return Encoder(card, open_transformer(Path(card.path), max_tokens=card.max_tokens, batch_tokens=batch_tokens))


def well_formed(text: str) -> str:
    """Replace lone surrogates, which are no characters, by U+FFFD."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text

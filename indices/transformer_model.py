"""Embed with a transformer: tokenised once, cut into pieces, batched by length under a budget of tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from indices.batching import Encoded, Pieces, batches, by_size, cut
from indices.quiet import quiet
from valuation.errors import ConfigError, EnvironmentFault

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray
    from sentence_transformers import SentenceTransformer
    from tokenizers import Tokenizer

TOKENISED_AT_ONCE = 4_000_000  # characters: bounds the tokenizer's memory


def open_transformer(folder: Path, *, max_tokens: int, batch_tokens: int) -> Callable[[list[str]], Encoded]:
    """Load a sentence-transformers model; returns the function that embeds texts.

    Parameters
    ----------
    max_tokens : int
        Tokens of a piece, special tokens included.
    batch_tokens : int
        Tokens of a batch, padding included: speed and memory only.
    """
    model = load_model(folder)
    tokenizer = getattr(model.tokenizer, "backend_tokenizer", None)
    if tokenizer is None:
        raise ConfigError(f"{folder}: its tokenizer has no fast form (tokenizer.json); expected one that has")
    tokenizer.no_padding()
    tokenizer.no_truncation()
    before, after = special_tokens(tokenizer)
    padding = model.tokenizer.pad_token_id or 0
    room = max_tokens - len(before) - len(after)

    def run(texts: list[str]) -> Encoded:
        ids = tokenise(tokenizer, texts)
        pieces = cut(np.array([one.size for one in ids], dtype=np.int64), limit=room)
        vectors = np.empty((pieces.owner.size, model.get_embedding_dimension()), dtype=np.float32)
        whole = pieces.length + len(before) + len(after)
        for rows in batches(whole, budget=batch_tokens):
            parts = [ids[pieces.owner[row]][pieces.start[row] : pieces.start[row] + pieces.length[row]] for row in rows]
            tokens, mask = padded(parts, before=before, after=after, padding=padding)
            vectors[rows] = _forward(model, tokens, mask)
        return _averaged(vectors, pieces, n_texts=len(texts))

    return run


def load_model(folder: Path) -> SentenceTransformer:
    """The model, in float32, for inference."""
    with quiet():
        import torch
        from sentence_transformers import SentenceTransformer

        settings = {"use_safetensors": True, "dtype": torch.float32}
        try:
            return SentenceTransformer(str(folder), local_files_only=True, model_kwargs=settings).eval()
        except Exception as error:  # many libraries, many kinds
            reason = " ".join(str(error).split())[:200]
            raise EnvironmentFault(f"{folder}: the model cannot be loaded: {reason}") from error


def special_tokens(tokenizer: Tokenizer) -> tuple[list[int], list[int]]:
    """Ids that the tokenizer puts before and after a text."""
    bare = tokenizer.encode("a", add_special_tokens=False).ids
    full = tokenizer.encode("a", add_special_tokens=True).ids
    for at in range(len(full) - len(bare) + 1):
        if full[at : at + len(bare)] == bare:
            return full[:at], full[at + len(bare) :]
    return [], []


def tokenise(tokenizer: Tokenizer, texts: list[str]) -> list[NDArray[np.int32]]:
    """Token ids of each whole text, without special tokens."""
    ids: list[NDArray[np.int32]] = []
    for chunk in by_size(texts, characters=TOKENISED_AT_ONCE):
        found = tokenizer.encode_batch_fast(texts[chunk], add_special_tokens=False)
        ids.extend(np.asarray(one.ids, dtype=np.int32) for one in found)
    return ids


def padded(
    parts: list[NDArray[np.int32]], *, before: list[int], after: list[int], padding: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Token ids and attention mask, shape (rows, longest), padded at the end."""
    longest = max(part.size for part in parts) + len(before) + len(after)
    tokens = np.full((len(parts), longest), padding, dtype=np.int64)
    mask = np.zeros_like(tokens)
    for row, part in enumerate(parts):
        whole = np.concatenate([before, part, after])
        tokens[row, : whole.size] = whole
        mask[row, : whole.size] = 1
    return tokens, mask


def _forward(model: SentenceTransformer, tokens: NDArray[np.int64], mask: NDArray[np.int64]) -> NDArray[np.float32]:
    """Vectors of one batch, shape (rows, dimension)."""
    import torch

    features = {"input_ids": torch.from_numpy(tokens), "attention_mask": torch.from_numpy(mask)}
    with torch.inference_mode():
        out = model({name: tensor.to(model.device) for name, tensor in features.items()})
        vectors: NDArray[np.float32] = out["sentence_embedding"].float().cpu().numpy()
    return vectors


def _averaged(vectors: NDArray[np.float32], pieces: Pieces, *, n_texts: int) -> Encoded:
    """Mean of each text's unit piece vectors weighted by their tokens, made a unit vector again."""
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    many = np.bincount(pieces.owner, minlength=n_texts).astype(np.int32)
    sums = np.add.reduceat(unit * np.maximum(pieces.length, 1)[:, None], np.cumsum(many) - many, axis=0)
    return Encoded((sums / np.linalg.norm(sums, axis=1, keepdims=True)).astype(np.float32), many)

"""Embed with a table of token vectors, without importing torch.

A sentence-transformers `StaticEmbedding` is the mean of its tokens' rows. Importing the library takes 6 to 13 seconds,
reading its table a tenth of one, so the table is read here; a test holds the two to the same vectors.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np

from indices.batching import Encoded, by_size
from valuation.errors import EnvironmentFault

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray
    from tokenizers import Tokenizer

TOKENISED_AT_ONCE = 4_000_000  # characters: bounds the tokenizer's memory


def open_static(folder: Path) -> Callable[[list[str]], Encoded]:
    """Read a `StaticEmbedding`'s folder; returns the function that embeds texts.

    Each text's vector is computed by itself, so it is the same bit for bit in any batch.
    """
    from tokenizers import Tokenizer

    table = read_table(folder / "model.safetensors").astype(np.float64)
    path = folder / "tokenizer.json"
    try:
        tokenizer = Tokenizer.from_file(str(path))
        unknown = _unknown(json.loads(path.read_text(encoding="utf-8")), tokenizer)
    except Exception as error:  # the library raises bare Exception
        raise EnvironmentFault(f"{path}: not a readable tokenizer; put the model there again") from error
    tokenizer.no_padding()
    tokenizer.no_truncation()

    def run(texts: list[str]) -> Encoded:
        vectors = np.empty((len(texts), table.shape[1]), dtype=np.float32)
        for chunk in by_size(texts, characters=TOKENISED_AT_ONCE):
            found = tokenizer.encode_batch_fast(texts[chunk], add_special_tokens=False)
            vectors[chunk] = _means([np.asarray(one.ids or [unknown], dtype=np.int32) for one in found], table)
        return Encoded(vectors, np.ones(len(texts), dtype=np.int32))

    return run


def _means(ids: list[NDArray[np.int32]], table: NDArray[np.float64]) -> NDArray[np.float32]:
    """Unit vectors along the mean row of `table` over each text's tokens; NaN where that mean is zero.

    As a sparse product, so that no more than the counts of tokens is held beside the result.
    """
    from scipy.sparse import csr_array

    ends = np.concatenate([[0], np.cumsum([one.size for one in ids])])
    counts = csr_array((np.ones(ends[-1]), np.concatenate(ids), ends), shape=(len(ids), len(table)))
    counts.sum_duplicates()
    sums = np.asarray(counts @ table)
    with np.errstate(invalid="ignore"):
        return np.asarray(sums / np.linalg.norm(sums, axis=1, keepdims=True), dtype=np.float32)


def read_table(path: Path) -> NDArray[np.float32]:
    """One row per token id, in the library's own format or model2vec's (rows, mapping, weights)."""
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        stored = load_file(path)
    except (OSError, SafetensorError) as error:
        raise EnvironmentFault(f"{path}: not readable; put the model there again") from error
    if "embedding.weight" in stored:
        return np.asarray(stored["embedding.weight"], dtype=np.float32)
    table = np.asarray(stored["embeddings"], dtype=np.float32)
    if "mapping" in stored:
        table = table[stored["mapping"].astype(np.int64)]
    weights = np.asarray(stored.get("weights", np.ones(len(table))), dtype=np.float32)
    return np.asarray(table * weights[:, None], dtype=np.float32)


def _unknown(config: dict[str, dict[str, str | int | None]], tokenizer: Tokenizer) -> int:
    """Id that stands for a text in which the tokenizer sees nothing (control characters only): the unknown token's."""
    token = config["model"].get("unk_token")
    found = tokenizer.token_to_id(token) if token else config["model"].get("unk_id")
    return int(found or 0)

"""Which words of a text carry its similarity to another: exact shares, word by word.

Every encoder here takes the mean of its tokens' vectors and scales it to length one, long texts by pieces. So a text's
vector is a sum over tokens, and its inner product with any direction is one, too: a token's contribution is its own
share of the vector times that direction. (With a transformer a token's vector knows its context: what a word
contributes is what it says where it stands.)
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from indices.batching import batches, cut
from valuation.errors import ConfigError, EnvironmentFault, InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray
    from sentence_transformers import SentenceTransformer
    from tokenizers import Tokenizer

    from indices.batching import Pieces
    from indices.encoders import EncoderCard

Whole = TypeVar("Whole", np.int32, np.int64)
BATCH_TOKENS = 4_096  # of a batch, padding included: small, since pages wait for their turn meanwhile
SUMS_TO = 1e-4
"""How far contributions may add up to something else than the similarity: float32 inside the model."""
PROBE = "a website of five pages"
_LONE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class TokenShares:
    """A text's vector as a sum over its tokens.

    Attributes
    ----------
    start, end : ndarray of int64, shape (n_tokens,)
        Where each token stands in the text, in characters; equal for a token of no character, such as a special one.
    vectors : ndarray of float64, shape (n_tokens, dimension)
        They sum to the text's vector, which has length one.
    """

    start: NDArray[np.int64]
    end: NDArray[np.int64]
    vectors: NDArray[np.float64]

    @property
    def vector(self) -> NDArray[np.float64]:
        """The text's vector, shape (dimension,), of length one."""
        return np.asarray(self.vectors.sum(axis=0))


@dataclass(frozen=True, slots=True)
class TokenEncoder:
    """A loaded encoder that shows its tokens' shares; it embeds as the `Encoder` of the same card, to 1e-5.

    Attributes
    ----------
    card : EncoderCard
    read : callable
        Shares of each of some texts, none of them blank.
    """

    card: EncoderCard
    read: Callable[[Sequence[str]], list[TokenShares]]


@dataclass(frozen=True, slots=True)
class WordSpan:
    """A word of a text and its part in the similarity.

    Attributes
    ----------
    start, end : int
        In characters. An empty span at the text's end holds what no word does: special tokens, a register's mean.
    contribution : float
        Of a similarity in [-1, 1]; over a text's spans they sum to it.
    """

    start: int
    end: int
    contribution: float


def open_token_encoder(card: EncoderCard) -> TokenEncoder:
    """Load an encoder so that it shows its tokens' shares.

    Raises
    ------
    ConfigError
        The model does not average its tokens, so that its similarities have no shares.
    EnvironmentFault
        It cannot be loaded, or was not made yet (``static`` before its first use).
    """
    if not card.ready:
        raise EnvironmentFault(f"encoder {card.name}: not made yet; make it with: valuation run")
    if card.max_tokens == 0:
        return TokenEncoder(card, _static_reader(Path(card.path)))
    return TokenEncoder(card, _transformer_reader(card))


def word_contributions(
    encoder: TokenEncoder, text: str, direction: NDArray[np.floating], *, mean: NDArray[np.floating] | None = None
) -> tuple[WordSpan, ...]:
    """What each word of `text` contributes to its similarity with `direction`.

    Parameters
    ----------
    text : str
        Not blank.
    direction : ndarray, shape (dimension,)
        Vector of the other text, in its register, of length one.
    mean : ndarray, shape (dimension,), optional
        Mean of `text`'s register where registers are centred.

    Returns
    -------
    tuple of WordSpan
        In the text's order; they sum to the similarity, to 1e-4.

    Raises
    ------
    InputError
        A direction of another dimension, or a text of which nothing can be made.
    """
    return contributions(text, encoder.read([text])[0], direction, mean=mean)


def contributions(
    text: str, shares: TokenShares, direction: NDArray[np.floating], *, mean: NDArray[np.floating] | None = None
) -> tuple[WordSpan, ...]:
    """As `word_contributions`, of shares that were read before."""
    towards = np.asarray(direction, dtype=np.float64)
    if towards.shape != shares.vectors.shape[1:]:
        raise InputError(f"a direction of shape {towards.shape}; expected {shares.vectors.shape[1:]}, as the text's")
    each, rest = shares.vectors @ towards, 0.0
    if mean is not None:
        middle = np.asarray(mean, dtype=np.float64)
        length = float(np.linalg.norm(shares.vector - middle))
        if length < 1e-9:
            raise InputError("a text's vector equals the mean of its register, so that its direction is lost")
        each, rest = each / length, -float(middle @ towards) / length
    spans: list[list[float]] = []
    for start, end, part in zip(shares.start.tolist(), shares.end.tolist(), each.tolist(), strict=True):
        if start == end:
            rest += part
        elif spans and _one_word(text, int(spans[-1][1]), start):
            spans[-1][1], spans[-1][2] = max(spans[-1][1], end), spans[-1][2] + part
        else:
            spans.append([start, end, part])
    words = tuple(WordSpan(int(start), int(end), part) for start, end, part in spans)
    return (*words, WordSpan(len(text), len(text), rest)) if rest else words


def _one_word(text: str, end: int, start: int) -> bool:
    """Whether a token that begins at `start` goes on with the word that the last one ended at `end`."""
    if start < end:
        return True  # several tokens of one character
    return start == end and 0 < end < len(text) and _in_word(text[end - 1]) and _in_word(text[end])


def _in_word(char: str) -> bool:
    return char.isalnum() or char == "_"


def _static_reader(folder: Path) -> Callable[[Sequence[str]], list[TokenShares]]:
    """Shares of a table of token vectors."""
    from tokenizers import Tokenizer

    from indices.static_model import _unknown, read_table

    table = read_table(folder / "model.safetensors")
    path = folder / "tokenizer.json"
    try:
        tokenizer = Tokenizer.from_file(str(path))
        unknown = _unknown(json.loads(path.read_text(encoding="utf-8")), tokenizer)
    except Exception as error:  # the library raises bare Exception
        raise EnvironmentFault(f"{path}: not a readable tokenizer; put the model there again") from error
    tokenizer.no_padding()
    tokenizer.no_truncation()

    def read(texts: Sequence[str]) -> list[TokenShares]:
        found = []
        for text in texts:
            ids, places = _tokens(tokenizer, text)
            rows = table[ids if ids.size else [unknown]].astype(np.float64)
            start, end = (places.T if ids.size else np.full((2, 1), len(text))).astype(np.int64)
            found.append(_scaled(text, TokenShares(start, end, rows)))
        return found

    return read


def _transformer_reader(card: EncoderCard) -> Callable[[Sequence[str]], list[TokenShares]]:
    """Shares of a transformer's tokens: contextual vectors, pieces weighted as its encoder weights them."""
    from indices.transformer_model import load_model, padded, special_tokens

    model = load_model(Path(card.path))
    tokenizer = model.tokenizer.backend_tokenizer
    tokenizer.no_padding()
    tokenizer.no_truncation()
    before, after = special_tokens(tokenizer)
    room, padding = card.max_tokens - len(before) - len(after), model.tokenizer.pad_token_id or 0
    _check_averages(card, model, np.array([*before, *_tokens(tokenizer, PROBE)[0], *after]))

    def read(texts: Sequence[str]) -> list[TokenShares]:
        found = [_tokens(tokenizer, text) for text in texts]
        pieces = cut(np.array([ids.size for ids, _ in found], dtype=np.int64), limit=room)
        whole = pieces.length + len(before) + len(after)
        parts: list[NDArray[np.float64]] = [np.empty(0)] * whole.size
        for rows in batches(whole, budget=BATCH_TOKENS):
            ids = [_piece(found[pieces.owner[row]][0], pieces, row) for row in rows]
            vectors = _outputs(model, *padded(ids, before=before, after=after, padding=padding))[0]
            for row, vector in zip(rows, vectors, strict=True):
                parts[row] = _share_of_piece(vector[: whole[row]], max(int(pieces.length[row]), 1))
        ends = (len(before), len(after))
        return [
            _assembled(text, places, pieces, np.flatnonzero(pieces.owner == number), parts, ends)
            for number, (text, (_, places)) in enumerate(zip(texts, found, strict=True))
        ]

    return read


def _piece(tokens: NDArray[Whole], pieces: Pieces, row: int) -> NDArray[Whole]:
    """The tokens of one piece of a text."""
    return tokens[pieces.start[row] : pieces.start[row] + pieces.length[row]]


def _assembled(
    text: str,
    places: NDArray[np.int64],
    pieces: Pieces,
    rows: NDArray[np.int64],
    parts: list[NDArray[np.float64]],
    special: tuple[int, int],
) -> TokenShares:
    """Shares of a whole text out of its pieces; special tokens stand at its end, where no character is."""
    nowhere = [np.full((count, 2), len(text), dtype=np.int64) for count in special]
    where = [np.concatenate([nowhere[0], _piece(places, pieces, row), nowhere[1]]) for row in rows]
    start, end = np.concatenate(where).T
    return _scaled(text, TokenShares(start, end, np.concatenate([parts[row] for row in rows])))


def _tokens(tokenizer: Tokenizer, text: str) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Ids of a text's tokens, shape (n,), and where they stand, shape (n, 2)."""
    found = tokenizer.encode(_LONE.sub("\ufffd", text), add_special_tokens=False)
    return np.asarray(found.ids, dtype=np.int32), np.asarray(found.offsets, dtype=np.int64).reshape(-1, 2)


def _outputs(
    model: SentenceTransformer, tokens: NDArray[np.int64], mask: NDArray[np.int64]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Contextual vectors of one batch, shape (rows, longest, dimension), and the model's own vectors of its texts."""
    import torch

    features = {"input_ids": torch.from_numpy(tokens), "attention_mask": torch.from_numpy(mask)}
    with torch.inference_mode():
        out = model({name: tensor.to(model.device) for name, tensor in features.items()})
        tokens_, texts = (out[name].float().cpu().numpy() for name in ("token_embeddings", "sentence_embedding"))
    return tokens_, texts


def _check_averages(card: EncoderCard, model: SentenceTransformer, ids: NDArray[np.int64]) -> None:
    """Refuse a model whose vector is not the mean of its tokens', by trying it."""
    each, whole = _outputs(model, ids[None], np.ones((1, ids.size), dtype=np.int64))
    same_size = each.shape[-1] == whole.shape[-1]
    if not same_size or not np.allclose(
        _share_of_piece(each[0], 1).sum(axis=0), whole[0] / np.linalg.norm(whole), atol=SUMS_TO
    ):
        raise ConfigError(f"encoder {card.name}: does not average its tokens; its similarities have no shares by word")


def _share_of_piece(vectors: NDArray[np.float32], weight: int) -> NDArray[np.float64]:
    """Token vectors of a piece, scaled so that they sum to its unit vector times its weight."""
    exact = vectors.astype(np.float64)
    return np.asarray(exact * (weight / np.linalg.norm(exact.sum(axis=0))))


def _scaled(text: str, shares: TokenShares) -> TokenShares:
    """Shares that sum to a vector of length one."""
    length = float(np.linalg.norm(shares.vector))
    if not length > 0:
        raise InputError(f"the encoder gives no vector for {text[:40]!a}")
    return TokenShares(shares.start, shares.end, shares.vectors / length)

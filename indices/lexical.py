"""Components of TF-IDF over words and pairs of words: what embeddings blur (names of tools, platforms, quantities)."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from valuation.errors import InputError
from valuation.tables import write_atomic

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray
    from scipy.sparse import csr_matrix
    from sklearn.feature_extraction.text import TfidfVectorizer

WORD = r"(?u)\b\w[\w+#]*"  # keeps "c", "c++" and "c#" apart
MIN_TEXTS = 2  # texts a term must occur in
MAX_TERMS = 50_000  # the most frequent terms are kept: bounds the memory of the components


@dataclass(frozen=True, slots=True)
class Lexical:
    """Frozen TF-IDF and its singular vectors.

    Attributes
    ----------
    terms : tuple of str
        Words and pairs of words, sorted.
    idf : ndarray of float64, shape (n_terms,)
    components : ndarray of float64, shape (n_components, n_terms)
    requested : int
        Components asked for; `components` has fewer where the texts do not give as many.
    """

    terms: tuple[str, ...]
    idf: NDArray[np.float64]
    components: NDArray[np.float64]
    requested: int

    @property
    def dimension(self) -> int:
        """Columns that `transform` returns."""
        return len(self.components)

    def transform(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """Components of each text, shape (n_texts, dimension); a text alone or in company gets the same figures."""
        if self.dimension == 0 or not texts:
            return np.zeros((len(texts), self.dimension))
        vectorizer = _vectorizer(vocabulary={term: column for column, term in enumerate(self.terms)})
        vectorizer.idf_ = self.idf
        weights = vectorizer.transform(texts)
        weights.sort_indices()
        return np.asarray(weights @ np.ascontiguousarray(self.components.T), dtype=np.float64)

    def save(self, path: Path) -> None:
        """Write to `path` (``.npz``), atomically and without pickling."""
        terms = np.frombuffer(json.dumps(self.terms, ensure_ascii=False).encode(), dtype=np.uint8)
        buffer = io.BytesIO()
        np.savez(
            buffer,
            terms=terms,
            idf=self.idf,
            components=self.components.astype(np.float32),
            requested=np.int64(self.requested),
        )
        write_atomic(path, lambda to: _write_bytes(to, buffer.getvalue()))

    @classmethod
    def load(cls, path: Path) -> Lexical:
        """Read what `save` wrote.

        Raises
        ------
        InputError
            The file is missing or damaged.
        """
        try:
            with np.load(path, allow_pickle=False) as stored:
                terms = tuple(json.loads(stored["terms"].tobytes()))
                lexical = cls(terms, stored["idf"], stored["components"].astype(np.float64), int(stored["requested"]))
        except FileNotFoundError:
            raise _damaged(path, "no such file") from None
        except Exception as error:  # a damaged zip can raise nearly anything
            raise _damaged(path, f"not readable ({type(error).__name__})") from error
        if lexical.idf.shape != (len(terms),) or lexical.components.shape[1:] != (len(terms),):
            raise _damaged(path, "its parts do not fit together")
        return lexical


def fit_lexical(texts: Sequence[str], *, components: int, seed: int) -> Lexical:
    """Fit TF-IDF of words and pairs of words and its truncated SVD (Halko et al. 2011) on the basket.

    Parameters
    ----------
    texts : sequence of str
        The basket's texts; their order does not matter.
    components : int
        At least 0; reduced to what the texts allow.
    seed : int
        Of the randomised SVD.
    """
    if components < 0:
        raise InputError(f"lexical components {components}; expected 0 or more")
    empty = Lexical((), np.zeros(0), np.zeros((0, 0)), components)
    if components == 0 or not texts:
        return empty
    vectorizer = _vectorizer(vocabulary=None)
    try:
        weights = vectorizer.fit_transform(sorted(texts))
    except ValueError:  # no word occurs in two texts
        return empty
    if weights.shape[1] < 2:
        return empty
    axes = _axes(weights, components=min(components, *weights.shape), seed=seed)
    return Lexical(tuple(vectorizer.get_feature_names_out()), vectorizer.idf_, axes, components)


def _axes(weights: csr_matrix, *, components: int, seed: int) -> NDArray[np.float64]:
    """Right singular vectors with a singular value above zero, shape (up to `components`, n_terms).

    Rounded to float32, so that a saved and loaded fit gives the same figures at half the size.
    """
    from sklearn.decomposition import TruncatedSVD

    with np.errstate(invalid="ignore"):  # texts all alike: shares of no variance, not used here
        svd = TruncatedSVD(n_components=components, random_state=seed % 2**32).fit(weights)
    some = svd.singular_values_ > 1e-9 * svd.singular_values_[0]
    return np.asarray(svd.components_[some], dtype=np.float32).astype(np.float64)


def _vectorizer(vocabulary: dict[str, int] | None) -> TfidfVectorizer:
    """The one way that text becomes weights, for fitting (no vocabulary) and for applying."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    rules = {} if vocabulary is not None else {"min_df": MIN_TEXTS, "max_features": MAX_TERMS}
    return TfidfVectorizer(
        ngram_range=(1, 2), sublinear_tf=True, token_pattern=WORD, vocabulary=vocabulary, dtype=np.float64, **rules
    )


def _write_bytes(path: Path, content: bytes) -> None:
    path.write_bytes(content)


def _damaged(path: Path, why: str) -> InputError:
    """Name a part of the index that cannot be used."""
    return InputError(f"{path}: {why}; delete {path.parent} and run again to build the basket's index")

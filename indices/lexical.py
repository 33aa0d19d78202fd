"""The words of a text as numbers, frozen with the basket: components of TF-IDF, and the amounts of work that it states.

Embeddings blur names of tools, platforms and quantities; these do not. How heavily each part counts against the
embedding is a matter of its scale, since one ridge penalty is laid on all.
"""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from indices.scope import NAMES, scope
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
POWER_STEPS = 2  # of the randomised SVD: more sharpen the smallest components only, and cost as much again each


@dataclass(frozen=True, slots=True)
class Lexical:
    """Frozen TF-IDF with its singular vectors, and the frozen scale of stated scope.

    Attributes
    ----------
    terms : tuple of str
        Words and pairs of words, sorted.
    idf : ndarray of float64, shape (n_terms,)
    components : ndarray of float64, shape (n_components, n_terms)
        Singular vectors of length one.
    requested : int
        Components asked for; `components` has fewer where the texts do not give as many.
    weight : float
        Factor of the components: 2 is a quarter of the penalty that the embedding bears.
    scope_scale : ndarray, shape (n_scope,)
        Factor of each column of `indices.scope.scope`: 0 where the basket's texts are all alike; empty without scope.
    """

    terms: tuple[str, ...]
    idf: NDArray[np.float64]
    components: NDArray[np.float64]
    requested: int
    weight: float
    scope_scale: NDArray[np.float64]

    @property
    def dimension(self) -> int:
        """Columns that `transform` returns: components, then scope."""
        return len(self.components) + len(self.scope_scale)

    def transform(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """Numbers of each text, shape (n_texts, dimension); a text alone or in company gets the same figures."""
        parts = [self.weight * self._components_of(texts)]
        if len(self.scope_scale):
            parts.append(scope(texts) * self.scope_scale)
        return np.hstack(parts)

    def _components_of(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """TF-IDF of each text on the singular vectors, shape (n_texts, n_components)."""
        if len(self.components) == 0 or not texts:
            return np.zeros((len(texts), len(self.components)))
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
            weight=np.float64(self.weight),
            scope_scale=self.scope_scale,
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
                lexical = cls(
                    terms,
                    stored["idf"],
                    stored["components"].astype(np.float64),
                    int(stored["requested"]),
                    float(stored["weight"]),
                    stored["scope_scale"],
                )
        except FileNotFoundError:
            raise _damaged(path, "no such file") from None
        except Exception as error:  # a damaged zip can raise nearly anything
            raise _damaged(path, f"not readable ({type(error).__name__})") from error
        fits = lexical.idf.shape == (len(terms),) and lexical.components.shape[1:] == (len(terms),)
        if not fits or lexical.scope_scale.shape not in {(0,), (len(NAMES),)}:
            raise _damaged(path, "its parts do not fit together")
        return lexical


def fit_lexical(texts: Sequence[str], *, components: int, seed: int, weight: float, scope_weight: float) -> Lexical:
    """Fit TF-IDF of words and pairs of words, its truncated SVD (Halko et al. 2011) and the scale of scope.

    Parameters
    ----------
    texts : sequence of str
        The basket's texts; their order does not matter.
    components : int
        At least 0; reduced to what the texts allow.
    seed : int
        Of the randomised SVD.
    weight : float
        Above 0: factor of the components.
    scope_weight : float
        Standard deviation over the basket that each measure of scope is brought to; 0 leaves scope out.
    """
    if components < 0:
        raise InputError(f"lexical components {components}; expected 0 or more")
    ordered = sorted(texts)
    scale = _scope_scale(ordered, scope_weight)
    empty = Lexical((), np.zeros(0), np.zeros((0, 0)), components, weight, scale)
    if components == 0 or not texts:
        return empty
    vectorizer = _vectorizer(vocabulary=None)
    try:
        weights = vectorizer.fit_transform(ordered)
    except ValueError:  # no word occurs in two texts
        return empty
    if weights.shape[1] < 2:
        return empty
    axes = _axes(weights, components=min(components, *weights.shape), seed=seed)
    return Lexical(tuple(vectorizer.get_feature_names_out()), vectorizer.idf_, axes, components, weight, scale)


def _scope_scale(texts: Sequence[str], scope_weight: float) -> NDArray[np.float64]:
    """Factor that gives each measure of scope the standard deviation `scope_weight`; 0 for one that never varies."""
    if scope_weight == 0:
        return np.zeros(0)
    spread = scope(texts).std(axis=0) if texts else np.zeros(len(NAMES))
    return np.asarray(np.divide(scope_weight, spread, out=np.zeros_like(spread), where=spread > 1e-12))


def _axes(weights: csr_matrix, *, components: int, seed: int) -> NDArray[np.float64]:
    """Right singular vectors with a singular value above zero, shape (up to `components`, n_terms).

    Rounded to float32, so that a saved and loaded fit gives the same figures at half the size.
    """
    from sklearn.decomposition import TruncatedSVD

    with np.errstate(invalid="ignore"):  # texts all alike: shares of no variance, not used here
        svd = TruncatedSVD(n_components=components, n_iter=POWER_STEPS, random_state=seed % 2**32).fit(weights)
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

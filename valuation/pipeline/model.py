"""The price model of a basket: what every run, ``price`` and ``validate`` price texts with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from valuation.core.arrays import BasketModel
from valuation.core.bands import Scores, make_scores
from valuation.core.calibration import IDENTITY, Calibration, apply, calibrate
from valuation.core.draws import fold_of, unit_key
from valuation.core.hedonic import cross_fit
from valuation.core.kernel import nearest_outside
from valuation.core.pricing import PRICERS, Pricer, make_pricer, price_basket
from valuation.core.scale import Scale, fit_scale
from valuation.errors import ConfigError, ThinMatchError

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from indices.lexical import Lexical
    from indices.neighbours import NeighbourIndex
    from valuation.config import Settings
    from valuation.pipeline.basket import Basket, Counts


@dataclass(frozen=True, slots=True)
class FrozenFeatures:
    """How a text becomes features: everything here is fixed by the basket.

    Attributes
    ----------
    vector_mean, lexical_mean : ndarray, shape (d,) and (c,)
        The postings' register means; zero for ``register.mode = none``.
    sources, months : tuple of str
        Order of the dummies.
    source_share, month_share : ndarray
        The basket's frozen mean of each dummy: the market of a text that has none.
    lexical : Lexical
        TF-IDF components fitted on the basket only.
    """

    vector_mean: NDArray[np.float64]
    lexical_mean: NDArray[np.float64]
    sources: tuple[str, ...]
    months: tuple[str, ...]
    source_share: NDArray[np.float64]
    month_share: NDArray[np.float64]
    lexical: Lexical


@dataclass(frozen=True, slots=True)
class PriceModel:
    """A fitted basket.

    Attributes
    ----------
    rows : DataFrame
        The basket's clusters (see `Basket.rows`) in row order of the index.
    unit_id : tuple of str
        Smallest posting_id of each resampling unit.
    counts : Counts
        How postings became the basket.
    lexical : ndarray, shape (n_clusters, c)
        Lexical components before centring.
    frozen : FrozenFeatures
    neighbour_index : NeighbourIndex
    pricer : Pricer
    arrays : BasketModel
    value : ndarray, shape (3, n_clusters)
        ``v_-j(x_j)`` by pricer, before calibration, log USD.
    weight, row, similarity : ndarray, shape (n_clusters, stored)
        Out-of-fold weights, rows and similarities of the basket's search in itself.
    vectors : ndarray, shape (n_clusters, d)
        Register vectors.
    s_min : float
        Similarity under which a session is unmatched.
    calibration : tuple of Calibration
        By pricer; the identity unless configured.
    scale : Scale
    posting_scale : ndarray, shape (n_clusters,)
        ``σ(x_j)`` from the scale that left the cluster's fold out, log points.
    scores : Scores
        Of the headline pricer, after calibration.
    """

    rows: pd.DataFrame
    unit_id: tuple[str, ...]
    counts: Counts
    lexical: NDArray[np.float64]
    frozen: FrozenFeatures
    neighbour_index: NeighbourIndex
    pricer: Pricer
    arrays: BasketModel
    value: NDArray[np.float64]
    weight: NDArray[np.float64]
    row: NDArray[np.int64]
    similarity: NDArray[np.float64]
    vectors: NDArray[np.float64]
    s_min: float
    calibration: tuple[Calibration, ...]
    scale: Scale
    posting_scale: NDArray[np.float64]
    scores: Scores

    def residual(self, which: int) -> NDArray[np.float64]:
        """Out-of-fold residual ``ρ_j`` of a pricer, after calibration, shape (n_clusters,)."""
        return np.asarray(self.arrays.log_price - apply(self.calibration[which], self.value[which]))


def dummies(labels: pd.Series, names: tuple[str, ...]) -> NDArray[np.float64]:
    """One column a name, 1 where the label is it; a label that is not a name gets zeros."""
    return np.asarray(labels.to_numpy()[:, None] == np.array(names, dtype=object)[None, :], dtype=np.float64)


def basket_features(
    vectors: NDArray[np.float64], lexical: NDArray[np.float64], rows: pd.DataFrame, frozen: FrozenFeatures
) -> NDArray[np.float64]:
    """Features ``x_j`` of the basket's own clusters, with their own source and month, shape (n_clusters, p)."""
    return np.hstack(
        [
            vectors,
            lexical - frozen.lexical_mean,
            dummies(rows["source"], frozen.sources),
            dummies(rows["month"], frozen.months),
        ]
    )


def text_features(
    vectors: NDArray[np.float64], lexical: NDArray[np.float64], frozen: FrozenFeatures, *, source: str
) -> NDArray[np.float64]:
    """Features ``z_i`` of texts without a market: the reference source's effect and the basket's mean month.

    Parameters
    ----------
    vectors, lexical : ndarray, shape (n, d) and (n, c)
        In the register's frame: means already subtracted.
    source : str
        A source of the basket; '' = the basket's frozen mean of source effects.

    Raises
    ------
    ConfigError
        The source is not in the basket.
    """
    if source and source not in frozen.sources:
        raise ConfigError(
            f"reference source {source!r} is not in the basket; its sources are {', '.join(frozen.sources)}"
        )
    share = frozen.source_share if not source else np.array([float(name == source) for name in frozen.sources])
    n = len(vectors)
    return np.hstack([vectors, lexical, np.tile(share, (n, 1)), np.tile(frozen.month_share, (n, 1))])


def fit_model(
    basket: Basket,
    vectors: NDArray[np.float64],
    lexical: NDArray[np.float64],
    frozen: FrozenFeatures,
    neighbour_index: NeighbourIndex,
    similarity: NDArray[np.float64],
    row: NDArray[np.int64],
    settings: Settings,
) -> PriceModel:
    """Fit the price model on a basket whose vectors are embedded, indexed and searched in themselves.

    Parameters
    ----------
    vectors, lexical : ndarray, shape (n_clusters, d) and (n_clusters, c)
        Register vectors, and lexical components before centring.
    similarity, row : ndarray, shape (n_clusters, stored)
        The basket's search in itself, itself among its neighbours; 2k + 1 stored, or all.
    """
    rows = basket.rows
    log_price = rows["log_price"].to_numpy(dtype=np.float64)
    key = unit_key(basket.unit_id)
    fold = fold_of(key, folds=settings.pricing.folds, seed=settings.pricing.fold_seed)[basket.unit]
    features = basket_features(vectors, lexical, rows, frozen)
    fit = cross_fit(features, log_price, fold, penalties=settings.pricing.penalties)
    pricer = make_pricer(log_price, features, fit, k=settings.matching.k, tau=settings.matching.tau)
    value, weight = price_basket(pricer, similarity, row, features)
    arrays = BasketModel(
        features=features - fit.centre,
        centre=fit.centre,
        gram_inverse=fit.gram_inverse,
        log_price=log_price,
        hedonic_residual=pricer.residual,
        unit=basket.unit,
        unit_key=key,
    )
    calibration = tuple(calibrate(log_price, v) if settings.pricing.calibrate else IDENTITY for v in value)
    which = PRICERS.index(settings.pricing.pricer)
    headline = apply(calibration[which], value[which])
    text = features[:, : vectors.shape[1] + lexical.shape[1]]
    scale, posting_scale, scores = _scores(headline, log_price - headline, text, similarity, row, fold, settings)
    return PriceModel(
        rows=rows,
        unit_id=basket.unit_id,
        counts=basket.counts,
        lexical=lexical,
        frozen=frozen,
        neighbour_index=neighbour_index,
        pricer=pricer,
        arrays=arrays,
        value=value,
        weight=weight,
        row=row,
        similarity=similarity,
        vectors=vectors,
        s_min=_s_min(settings, similarity, row, basket.unit),
        calibration=calibration,
        scale=scale,
        posting_scale=posting_scale,
        scores=scores,
    )


def _s_min(
    settings: Settings, similarity: NDArray[np.float64], row: NDArray[np.int64], unit: NDArray[np.int64]
) -> float:
    """Return the configured threshold, or the 1st percentile of postings' nearest similarity outside their unit."""
    if settings.matching.s_min != "auto":
        return float(settings.matching.s_min)
    nearest = nearest_outside(similarity, row, unit)
    known = nearest[np.isfinite(nearest)]
    if known.size == 0:
        raise ThinMatchError("no posting has a neighbour of another client or text: the basket is one single unit")
    return float(np.quantile(known, 0.01))


def _scores(
    model_value: NDArray[np.float64],
    residual: NDArray[np.float64],
    features: NDArray[np.float64],
    similarity: NDArray[np.float64],
    row: NDArray[np.int64],
    fold: NDArray[np.int64],
    settings: Settings,
) -> tuple[Scale, NDArray[np.float64], Scores]:
    """Scale, its values at the basket's own postings, and conformity scores of the headline pricer."""
    nearest = np.where(fold[row] != fold[:, None], similarity, -1.0).max(axis=1)
    scale, sigma = fit_scale(residual, features, fold, penalties=settings.pricing.penalties)
    return scale, sigma, make_scores(residual, sigma, model_value, nearest, fold)

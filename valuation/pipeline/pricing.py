"""Texts with vectors in, values with bands out, in chunks: the arrays behind the tables `values` and `matches`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from valuation.core.bands import Band, single_posting_band, typical_band, typical_variance
from valuation.core.calibration import apply
from valuation.core.kernel import effective_neighbours
from valuation.core.pricing import PRICERS, price, session_hedonic
from valuation.core.scale import scale_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from valuation.config import Settings
    from valuation.core.pricing import Prices
    from valuation.pipeline.model import PriceModel
    from valuation.progress import Progress


@dataclass(frozen=True, slots=True)
class BandParts:
    """What the bands of texts are made of.

    Attributes
    ----------
    variance : ndarray, shape (3, n)
        Of the headline's raw value: neighbours, covariance, hedonic, as in `valuation.core.bands.Variance`.
    scale : ndarray, shape (n,)
        ``σ_i``, log points.
    left_out : ndarray, shape (n_folds, n)
        The headline's raw value without each fold, log USD.
    """

    variance: NDArray[np.float64]
    scale: NDArray[np.float64]
    left_out: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class PricedTexts:
    """Texts priced by a model, all in one order.

    Attributes
    ----------
    matched : ndarray of bool, shape (n,)
        The nearest neighbour reaches ``s_min``. Figures of unmatched texts are computed but must not be shown.
    similarity, row, weight : ndarray, shape (n, stored)
        Stored neighbours, nearest first; weights of the first k.
    raw : ndarray, shape (3, n)
        Log values by pricer before calibration.
    value : ndarray, shape (3, n)
        Log values by pricer, log nominal USD.
    session_hedonic : ndarray, shape (n, k)
        ``m_-j(z_i)`` at the first k neighbours.
    typical, single : Band
        Of the headline pricer, log USD.
    effective_neighbours : ndarray, shape (n,)
    parts : BandParts
    """

    matched: NDArray[np.bool_]
    similarity: NDArray[np.float64]
    row: NDArray[np.int64]
    weight: NDArray[np.float64]
    raw: NDArray[np.float64]
    value: NDArray[np.float64]
    session_hedonic: NDArray[np.float64]
    typical: Band
    single: Band
    effective_neighbours: NDArray[np.float64]
    parts: BandParts


def price_texts(
    model: PriceModel,
    vectors: NDArray[np.float64],
    features: NDArray[np.float64],
    settings: Settings,
    progress: Progress,
) -> PricedTexts:
    """Price texts from outside the basket.

    Parameters
    ----------
    vectors : ndarray, shape (n, d)
        Register vectors.
    features : ndarray, shape (n, p)
        From `text_features`.
    """
    step, n = settings.compute.chunk_rows, len(vectors)
    whole = _price_block(model, vectors[:step], features[:step], settings)
    progress.advance(min(step, n), n)
    if n <= step:
        return whole
    whole = _extended(whole, n)
    for start in range(step, n, step):
        rows = slice(start, min(start + step, n))
        _lay(_price_block(model, vectors[rows], features[rows], settings), whole, rows)
        progress.advance(rows.stop, n)
    return whole


def _price_block(
    model: PriceModel, vectors: NDArray[np.float64], features: NDArray[np.float64], settings: Settings
) -> PricedTexts:
    """Price one chunk."""
    k = min(settings.matching.k, len(model.rows))
    found = model.neighbour_index.search(vectors.astype(np.float32), min(2 * k, len(model.rows)))
    prices = price(model.pricer, found.similarity, found.row, features)
    value = np.stack([apply(line, raw) for line, raw in zip(model.calibration, prices.value, strict=True)])
    typical, single, parts = _bands(model, prices, value, found.similarity[:, 0], found.row, features, settings)
    return PricedTexts(
        matched=found.similarity[:, 0] >= model.s_min,
        similarity=found.similarity,
        row=found.row,
        weight=prices.weight,
        raw=prices.value,
        value=value,
        session_hedonic=session_hedonic(model.pricer, found.row[:, :k], features),
        typical=typical,
        single=single,
        effective_neighbours=effective_neighbours(prices.weight),
        parts=parts,
    )


def _bands(
    model: PriceModel,
    prices: Prices,
    value: NDArray[np.float64],
    nearest: NDArray[np.float64],
    row: NDArray[np.int64],
    features: NDArray[np.float64],
    settings: Settings,
) -> tuple[Band, Band, BandParts]:
    """Both bands of the headline pricer, and what they are made of."""
    which, level = PRICERS.index(settings.pricing.pricer), settings.bands.level
    weight = prices.weight if settings.pricing.pricer != "hedonic" else np.zeros_like(prices.weight)
    line = model.calibration[which]
    # the sampling error is that of the raw value; the line stretches it by its slope
    variance = typical_variance(
        model.arrays,
        model.arrays.log_price - model.value[which],
        weight,
        row,
        features - model.arrays.centre,
        uses_hedonic=settings.pricing.pricer != "neighbours",
    )
    typical = typical_band(value[which], abs(line.slope) * variance.standard_error, weight, level=level)
    scale, left_out = scale_of(model.scale, features[:, : len(model.scale.coefficient)]), prices.left_out_value[which]
    single = single_posting_band(model.scores, value[which], apply(line, left_out), scale, nearest, level=level)
    parts = BandParts(np.stack([variance.neighbours, variance.covariance, variance.hedonic]), scale, left_out)
    return typical, single, parts


def _extended(first: PricedTexts, n: int) -> PricedTexts:
    """Arrays for `n` texts that begin with those of the first chunk: nothing is held twice."""

    def longer(part: NDArray[Any], axis: int = 0) -> NDArray[Any]:
        out = np.empty([n if i == axis else size for i, size in enumerate(part.shape)], dtype=part.dtype)
        np.moveaxis(out, axis, 0)[: part.shape[axis]] = np.moveaxis(part, axis, 0)
        return out

    return PricedTexts(
        matched=longer(first.matched),
        similarity=longer(first.similarity),
        row=longer(first.row),
        weight=longer(first.weight),
        raw=longer(first.raw, axis=1),
        value=longer(first.value, axis=1),
        session_hedonic=longer(first.session_hedonic),
        typical=Band(lower=longer(first.typical.lower), upper=longer(first.typical.upper)),
        single=Band(lower=longer(first.single.lower), upper=longer(first.single.upper)),
        effective_neighbours=longer(first.effective_neighbours),
        parts=BandParts(
            variance=longer(first.parts.variance, axis=1),
            scale=longer(first.parts.scale),
            left_out=longer(first.parts.left_out, axis=1),
        ),
    )


def _lay(block: PricedTexts, whole: PricedTexts, rows: slice) -> None:
    """Write a chunk into its rows."""
    for name in ("matched", "similarity", "row", "weight", "session_hedonic", "effective_neighbours"):
        getattr(whole, name)[rows] = getattr(block, name)
    for name in ("raw", "value"):
        getattr(whole, name)[:, rows] = getattr(block, name)
    for name in ("typical", "single"):
        band, part = getattr(whole, name), getattr(block, name)
        band.lower[rows], band.upper[rows] = part.lower, part.upper
    whole.parts.variance[:, rows], whole.parts.scale[rows] = block.parts.variance, block.parts.scale
    whole.parts.left_out[:, rows] = block.parts.left_out

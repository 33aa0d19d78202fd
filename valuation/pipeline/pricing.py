"""Texts with vectors in, values with bands out, in chunks: the arrays behind the tables `values` and `matches`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from valuation.core.bands import Band, single_posting_band, typical_band, typical_se
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
    blocks = []
    for start in range(0, max(n, 1), step):
        rows = slice(start, min(start + step, n))
        blocks.append(_price_block(model, vectors[rows], features[rows], settings))
        progress.advance(rows.stop, n)
    return blocks[0] if len(blocks) == 1 else _joined(blocks)


def _price_block(
    model: PriceModel, vectors: NDArray[np.float64], features: NDArray[np.float64], settings: Settings
) -> PricedTexts:
    """Price one chunk."""
    k = min(settings.matching.k, len(model.rows))
    found = model.neighbour_index.search(vectors.astype(np.float32), min(2 * k, len(model.rows)))
    prices = price(model.pricer, found.similarity, found.row, features)
    value = np.stack([apply(line, raw) for line, raw in zip(model.calibration, prices.value, strict=True)])
    typical, single = _bands(model, prices, value, found.similarity[:, 0], found.row, features, settings)
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
    )


def _bands(
    model: PriceModel,
    prices: Prices,
    value: NDArray[np.float64],
    nearest: NDArray[np.float64],
    row: NDArray[np.int64],
    features: NDArray[np.float64],
    settings: Settings,
) -> tuple[Band, Band]:
    """Both bands of the headline pricer."""
    which, level = PRICERS.index(settings.pricing.pricer), settings.bands.level
    weight = prices.weight if settings.pricing.pricer != "hedonic" else np.zeros_like(prices.weight)
    line = model.calibration[which]
    # the sampling error is that of the raw value; the line stretches it by its slope
    se = abs(line.slope) * typical_se(
        model.arrays,
        model.arrays.log_price - model.value[which],
        weight,
        row,
        features - model.arrays.centre,
        uses_hedonic=settings.pricing.pricer != "neighbours",
    )
    single = single_posting_band(
        model.scores,
        value[which],
        apply(line, prices.left_out_value[which]),
        scale_of(model.scale, features[:, : len(model.scale.coefficient)]),
        nearest,
        level=level,
    )
    return typical_band(value[which], se, weight, level=level), single


def _joined(blocks: list[PricedTexts]) -> PricedTexts:
    """Lay chunks end to end."""

    def flat(name: str, axis: int) -> NDArray[np.float64]:
        return np.concatenate([getattr(block, name) for block in blocks], axis=axis)

    def band(name: str) -> Band:
        parts = [getattr(block, name) for block in blocks]
        return Band(
            lower=np.concatenate([part.lower for part in parts]), upper=np.concatenate([part.upper for part in parts])
        )

    return PricedTexts(
        matched=np.concatenate([block.matched for block in blocks]),
        similarity=flat("similarity", 0),
        row=np.concatenate([block.row for block in blocks]),
        weight=flat("weight", 0),
        raw=flat("raw", 1),
        value=flat("value", 1),
        session_hedonic=flat("session_hedonic", 0),
        typical=band("typical"),
        single=band("single"),
        effective_neighbours=flat("effective_neighbours", 0),
    )

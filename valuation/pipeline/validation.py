"""The pricer card: every posting priced by a model that has seen neither it nor anything of its fold.

Each outer fold is priced by a model built on the others with the code that prices sessions, its inner folds, scores and
bands included: the whole product is validated, not a shortcut.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from valuation.core.bands import categories
from valuation.core.calibration import apply, calibrate
from valuation.core.pricing import PRICERS
from valuation.pipeline.basket import Basket
from valuation.pipeline.model import FrozenFeatures, PriceModel, basket_features, dummies, fit_model
from valuation.pipeline.pricing import price_texts
from valuation.progress import Silent

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from valuation.config import Settings
    from valuation.pipeline.pricing import PricedTexts
    from valuation.progress import Progress


@dataclass(frozen=True, slots=True)
class HeldOut:
    """Held-out postings, their prices and what was predicted; logs of USD.

    Attributes
    ----------
    log_price : ndarray, shape (n,)
    value : ndarray, shape (3, n)
        As the settings ask for it, with or without the linear correction.
    raw, corrected : ndarray, shape (3, n)
        Before the correction, and after that of the model which priced the posting, applied or not.
    single_lower, single_upper, typical_lower, typical_upper : ndarray, shape (n,)
        Ends of the headline pricer's bands.
    constant_lower, constant_upper : ndarray, shape (n,)
        A band of the same width for all.
    similarity : ndarray, shape (n,)
        Of the nearest neighbour.
    category : ndarray of int, shape (n,)
        Mondrian category, ``3 · fifth + third`` of the smallest cell merged into it.
    characters : ndarray of int, shape (n,)
        Length of the text.
    unit, unit_key, source, month : ndarray
        Resampling unit of each posting, the units' draws, its market and month.
    """

    log_price: NDArray[np.float64]
    value: NDArray[np.float64]
    raw: NDArray[np.float64]
    corrected: NDArray[np.float64]
    single_lower: NDArray[np.float64]
    single_upper: NDArray[np.float64]
    typical_lower: NDArray[np.float64]
    typical_upper: NDArray[np.float64]
    constant_lower: NDArray[np.float64]
    constant_upper: NDArray[np.float64]
    similarity: NDArray[np.float64]
    category: NDArray[np.int64]
    characters: NDArray[np.int64]
    unit: NDArray[np.int64]
    unit_key: NDArray[np.uint64]
    source: NDArray[np.str_]
    month: NDArray[np.str_]


def cross_validate(model: PriceModel, settings: Settings, progress: Progress) -> HeldOut:
    """Price every fold by a model built on the others."""
    progress.stage("validate prices")
    fold = model.pricer.fit.fold
    parts = []
    for f in range(model.pricer.fit.n_folds):
        if (fold == f).any():
            parts.append(_price_fold(model, fold != f, settings))
        progress.advance(f + 1, model.pricer.fit.n_folds)
    order = np.argsort(np.concatenate([np.flatnonzero(fold == f) for f in range(model.pricer.fit.n_folds)]))
    joined = {
        name: np.concatenate([getattr(part, name) for part in parts], axis=-1)[..., order]
        for name in HeldOut.__dataclass_fields__
        if name != "unit_key"
    }
    return HeldOut(**joined, unit_key=model.arrays.unit_key)


def _price_fold(model: PriceModel, train: NDArray[np.bool_], settings: Settings) -> HeldOut:
    """Price the rows outside `train` by a model of the rows inside."""
    inside, outside = np.flatnonzero(train), np.flatnonzero(~train)
    part = trained_on(model, inside, settings)
    rows = model.rows.iloc[outside]
    features = basket_features(model.vectors[outside], model.lexical[outside], rows, part.frozen)
    priced = price_texts(part, model.vectors[outside], features, settings, Silent())
    return held_out(part, priced, rows, model.arrays.unit[outside], model.arrays.unit_key, settings)


def held_out(
    model: PriceModel,
    priced: PricedTexts,
    rows: pd.DataFrame,
    unit: NDArray[np.int64],
    unit_key: NDArray[np.uint64],
    settings: Settings,
) -> HeldOut:
    """Set what a model predicted beside what postings it has not seen were priced at.

    Parameters
    ----------
    rows : DataFrame
        Clusters as in `Basket.rows`, in the order of `priced`.
    unit, unit_key : ndarray
        Resampling unit of each row, and the units' draws.
    """
    which, tail = PRICERS.index(settings.pricing.pricer), (1 - settings.bands.level) / 2
    ends = np.quantile(model.residual(which), [tail, 1 - tail])
    lines = [calibrate(model.arrays.log_price, value) for value in model.value]  # of the training postings alone
    return HeldOut(
        log_price=rows["log_price"].to_numpy(dtype=np.float64),
        value=priced.value,
        raw=priced.raw,
        corrected=np.stack([apply(line, raw) for line, raw in zip(lines, priced.raw, strict=True)]),
        single_lower=priced.single.lower,
        single_upper=priced.single.upper,
        typical_lower=priced.typical.lower,
        typical_upper=priced.typical.upper,
        constant_lower=priced.value[which] + ends[0],
        constant_upper=priced.value[which] + ends[1],
        similarity=priced.similarity[:, 0],
        category=categories(model.scores, priced.value[which], priced.similarity[:, 0]),
        characters=np.array([len(text) for text in rows["text"]], dtype=np.int64),
        unit=unit,
        unit_key=unit_key,
        source=rows["source"].to_numpy(dtype=np.str_),
        month=rows["month"].to_numpy(dtype=np.str_),
    )


def trained_on(model: PriceModel, inside: NDArray[np.int64], settings: Settings) -> PriceModel:
    """Fit the model again on some of its rows, with inner folds drawn anew."""
    rows = model.rows.iloc[inside].reset_index(drop=True)
    unit_id = pd.Series(model.unit_id, dtype="str").iloc[model.arrays.unit[inside]].to_numpy().astype(str)
    names, unit = np.unique(unit_id, return_inverse=True)
    basket = Basket(rows=rows, unit=unit.astype(np.int64), unit_id=tuple(names.tolist()), counts=model.counts)
    searchable = model.neighbour_index.subset(inside)
    vectors = model.vectors[inside]
    found = searchable.search(vectors.astype(np.float32), min(2 * settings.matching.k + 1, len(inside)))
    frozen = _refrozen(model.frozen, rows)
    inner = settings.model_copy(
        update={"pricing": settings.pricing.model_copy(update={"fold_seed": settings.pricing.fold_seed + 1})}
    )
    return fit_model(basket, vectors, model.lexical[inside], frozen, searchable, found.similarity, found.row, inner)


def _refrozen(frozen: FrozenFeatures, rows: pd.DataFrame) -> FrozenFeatures:
    """Market shares of a part of the basket; the text features stay as they are."""
    return replace(
        frozen,
        source_share=dummies(rows["source"], frozen.sources).mean(axis=0),
        month_share=dummies(rows["month"], frozen.months).mean(axis=0),
    )

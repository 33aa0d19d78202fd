"""Tables beside the figures: `workings`, `nearby` and `left_out` of a run, `errors-…` of a basket.

``valuation explain`` redoes bands from them, and analysts are shown the gigs nearest to an unmatched session.

What is said of postings lies with the basket, and goes with it when one of them is deleted.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import numpy as np

from valuation.core.pricing import PRICERS
from valuation.tables import LeftOut, Nearby, PostingErrors, Workings, typed, write_table

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import pandas as pd
    from numpy.typing import NDArray

    from valuation.config import Settings
    from valuation.pipeline.model import PriceModel
    from valuation.pipeline.pricing import PricedTexts
    from valuation.storage import Layout

ERRORS_VERSION = 1
"""Raise it when the same basket and settings would give other errors."""


def workings_table(ids: pd.Series, priced: PricedTexts) -> pd.DataFrame:
    """One row a session, in the sessions' order; figures are NaN where it is not matched."""
    parts = priced.parts

    def shown(values: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.where(priced.matched, values, np.nan)

    return typed(
        {
            "session_id": ids,
            "nearest": priced.row[:, 0],
            "log_neighbours": shown(priced.raw[PRICERS.index("neighbours")]),
            "log_hedonic": shown(priced.raw[PRICERS.index("hedonic")]),
            "variance_neighbours": shown(parts.variance[0]),
            "variance_covariance": shown(parts.variance[1]),
            "variance_hedonic": shown(parts.variance[2]),
            "scale": shown(parts.scale),
        },
        Workings,
    )


def nearby_table(ids: pd.Series, priced: PricedTexts) -> pd.DataFrame:
    """The first k neighbours of the sessions that are not matched, in the sessions' order.

    By row of the basket: nothing here says which postings they are once the basket is deleted.
    """
    alone, k = np.flatnonzero(~priced.matched), priced.session_hedonic.shape[1]
    return typed(
        {
            "session_id": ids.iloc[alone].repeat(k),
            "rank": np.tile(np.arange(1, k + 1), len(alone)),
            "row": priced.row[alone, :k].ravel(),
        },
        Nearby,
    )


def left_out_table(ids: pd.Series, priced: PricedTexts) -> pd.DataFrame:
    """The matched sessions' values without each fold, in the sessions' order."""
    matched, folds = np.flatnonzero(priced.matched), len(priced.parts.left_out)
    return typed(
        {
            "session_id": ids.iloc[matched].repeat(folds),
            "fold": np.tile(np.arange(folds), len(matched)),
            "log_value": priced.parts.left_out[:, matched].T.ravel(),
        },
        LeftOut,
    )


def errors_path(layout: Layout, basket_id: str, settings: Mapping[str, Any]) -> Path:
    """Where a basket keeps its postings' errors under a run's settings (`Settings.identity`, as in its manifest)."""
    what = json.dumps([ERRORS_VERSION, settings["matching"], settings["pricing"]], sort_keys=True)
    return layout.indices / basket_id / f"errors-{hashlib.sha256(what.encode()).hexdigest()[:16]}.parquet"


def write_errors(layout: Layout, basket_id: str, model: PriceModel, settings: Settings) -> None:
    """Write the postings' errors under the headline pricer beside their basket."""
    table = typed(
        {
            "posting_id": model.rows["posting_id"],
            "unit": model.arrays.unit,
            "fold": model.pricer.fit.fold,
            "log_price": model.arrays.log_price,
            "log_value": model.value[PRICERS.index(settings.pricing.pricer)],
            "scale": model.posting_scale,
            "score": model.scores.score,
            "category": model.scores.category,
        },
        PostingErrors,
    )
    write_table(table, errors_path(layout, basket_id, settings.identity()), PostingErrors)

"""From priced arrays to the tables `values`, `matches` and the output of ``valuation price``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from valuation.core.pricing import PRICERS
from valuation.tables import Matches, Priced, Values, typed

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from valuation.config import Settings
    from valuation.pipeline.model import PriceModel
    from valuation.pipeline.pricing import PricedTexts

Columns = dict[str, "NDArray[np.float64] | NDArray[np.bool_] | pd.Series"]


def figure_columns(priced: PricedTexts, settings: Settings) -> Columns:
    """The figures of each text: NaN where it is not matched."""
    which = PRICERS.index(settings.pricing.pricer)

    def shown(values: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.where(priced.matched, values, np.nan)

    return {
        "log_value_raw": shown(priced.raw[which]),
        "log_value": shown(priced.value[which]),
        "value_usd": shown(np.exp(priced.value[which])),
        "value_neighbours": shown(np.exp(priced.value[1])),
        "value_hedonic": shown(np.exp(priced.value[2])),
        "typical_lower": shown(np.exp(priced.typical.lower)),
        "typical_upper": shown(np.exp(priced.typical.upper)),
        "single_lower": shown(np.exp(priced.single.lower)),
        "single_upper": shown(np.exp(priced.single.upper)),
        "similarity_max": priced.similarity[:, 0],
        "effective_neighbours": shown(priced.effective_neighbours),
    }


def unmatched_reasons(priced: PricedTexts, s_min: float) -> pd.Series:
    """Why a text has no value; null where it has one."""
    words = [
        None if ok else f"nearest posting has similarity {nearest:.3f}, below {s_min:.3f}"
        for ok, nearest in zip(priced.matched, priced.similarity[:, 0], strict=True)
    ]
    return pd.Series(words, dtype="str")


def values_table(sessions: pd.DataFrame, priced: PricedTexts, model: PriceModel, settings: Settings) -> pd.DataFrame:
    """One row a session, in the sessions' order."""
    return typed(
        {
            "session_id": sessions["session_id"],
            "month": sessions["month"],
            "weight": sessions["weight"],
            "matched": priced.matched,
            "reason": unmatched_reasons(priced, model.s_min),
            **figure_columns(priced, settings),
        },
        Values,
    )


def matches_table(ids: pd.Series, priced: PricedTexts, model: PriceModel, settings: Settings) -> pd.DataFrame:
    """The first k neighbours of each matched session, nearest first, with the arithmetic of its value.

    ``contribution`` follows the headline pricer: for ``matching`` it is
    ``weight × (log_price + log_session_hedonic − log_price_hedonic)``, for ``neighbours`` ``weight × log_price``,
    for ``hedonic`` ``weight × m(z_i)``; it sums to log_value_raw.
    """
    matched = np.flatnonzero(priced.matched)
    k = priced.session_hedonic.shape[1]
    row, weight = priced.row[matched, :k], priced.weight[matched, :k]
    log_price = model.arrays.log_price[row]
    at_posting = log_price - model.pricer.residual[row]
    at_session = priced.session_hedonic[matched]
    whole = np.repeat(priced.raw[2, matched][:, None], k, axis=1)
    term = {"matching": log_price + at_session - at_posting, "neighbours": log_price, "hedonic": whole}
    return typed(
        {
            "session_id": ids.iloc[matched].repeat(k),
            "rank": np.tile(np.arange(1, k + 1), len(matched)),
            "posting_id": model.rows["posting_id"].iloc[row.ravel()],
            "cluster_id": model.rows["cluster_id"].iloc[row.ravel()],
            "similarity": priced.similarity[matched, :k].ravel(),
            "weight": weight.ravel(),
            "price_usd": np.exp(log_price).ravel(),
            "log_price": log_price.ravel(),
            "log_price_hedonic": at_posting.ravel(),
            "log_session_hedonic": at_session.ravel(),
            "contribution": (weight * term[settings.pricing.pricer]).ravel(),
        },
        Matches,
    )


def priced_table(ids: pd.Series, usable: NDArray[np.int64], reasons: pd.Series, figures: Columns) -> pd.DataFrame:
    """The output of ``valuation price``: one row an input row, in input order.

    Parameters
    ----------
    ids : Series, shape (n,)
        Identifiers as given; null where missing.
    usable : ndarray of int, shape (n_usable,)
        Positions of the rows that could be priced.
    reasons : Series, shape (n,)
        Why a row has no figures; null where it has.
    figures : dict
        From `figure_columns` of the usable rows.
    """
    columns: dict[str, object] = {"id": ids, "matched": reasons.isna(), "reason": reasons}
    for name, values in figures.items():
        if name != "log_value_raw":
            spread = np.full(len(ids), np.nan)
            spread[usable] = np.asarray(values, dtype=np.float64)
            columns[name] = spread
    return typed(columns, Priced)

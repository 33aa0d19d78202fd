"""The tables behind a pricer card: one row a held-out cluster, so that others can work the card out again."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from valuation.core.accuracy import TIERS, tier
from valuation.core.pricing import PRICERS
from valuation.pipeline.card import FULL_TEXT, mondrian_name, tier_balance, tier_name
from valuation.tables import HoldoutPredictions, ValidationPredictions, typed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from valuation.pipeline.validation import HeldOut

FILES: dict[str, type[HoldoutPredictions]] = {
    "holdout_predictions.parquet": HoldoutPredictions,
    "validation_predictions.parquet": ValidationPredictions,
}
"""Names of these tables in ``validation/<basket>/``."""


def predictions_table(
    held: HeldOut,
    rows: pd.DataFrame,
    unit_id: Sequence[str],
    members: pd.DataFrame,
    fold: NDArray[np.int64] | None = None,
) -> pd.DataFrame:
    """Lay held-out prices beside what was predicted.

    Parameters
    ----------
    rows : DataFrame
        Clusters as in `Basket.rows`, in the order of `held`.
    unit_id : sequence of str
        Names of the resampling units that ``held.unit`` counts.
    members : DataFrame
        posting_id and cluster_id of every posting; more than those of `rows` may be there.
    fold : ndarray of int, shape (n,), optional
        The fold that each cluster was held out with: gives `ValidationPredictions`, else `HoldoutPredictions`.
    """
    tiers = tier(held.log_price)
    full = held.characters >= FULL_TEXT
    columns = {
        "posting_id": rows["posting_id"],
        "cluster_id": rows["cluster_id"],
        "members": _members(rows["cluster_id"], members),
        "unit": np.asarray(unit_id, dtype=np.str_)[held.unit],
        "source": held.source,
        "month": held.month,
        "tier": [tier_name(t) if 0 <= t < len(TIERS) else None for t in tiers],
        "tier_weight": tier_balance(held, np.ones(len(full), dtype=bool)),
        "characters": held.characters,
        "full_text": full,
        "full_text_tier_weight": tier_balance(held, full),
        "log_price": held.log_price,
    }
    for suffix, values in (("", held.value), ("_raw", held.raw), ("_corrected", held.corrected)):
        columns |= {f"log_value_{name}{suffix}": values[which] for which, name in enumerate(PRICERS)}
    for band in ("single", "typical", "constant"):
        columns |= {f"log_{band}_{end}": getattr(held, f"{band}_{end}") for end in ("lower", "upper")}
    columns |= {"similarity_max": held.similarity, "mondrian": [mondrian_name(one) for one in held.category]}
    if fold is None:
        return typed(columns, HoldoutPredictions)
    return typed(columns | {"fold": fold}, ValidationPredictions)


def _members(cluster_id: pd.Series[str], members: pd.DataFrame) -> list[str]:
    """Ids of each cluster's postings as a JSON list, ascending."""
    ordered = members[members["cluster_id"].isin(cluster_id)].sort_values(["cluster_id", "posting_id"])
    known = {str(name): list(part) for name, part in ordered.groupby("cluster_id", sort=False)["posting_id"]}
    return [json.dumps(known[name], ensure_ascii=False) for name in cluster_id]

"""Schemas of the single predictions that a pricer card is made from: every figure of it can be had from them again."""

from __future__ import annotations

import pandera.pandas as pa
from pandera.typing import Series

from valuation.tables.schemas import MONTH, Table


class HoldoutPredictions(Table):
    """One held-out duplicate cluster a row, its price and what was predicted; logs of nominal USD, no text."""

    posting_id: Series[str] = pa.Field(unique=True, description="latest member of the cluster")
    cluster_id: Series[str] = pa.Field(unique=True, description="smallest posting_id of the cluster")
    members: Series[str] = pa.Field(description="posting_ids of the cluster, a JSON list")
    unit: Series[str] = pa.Field(description="resampling unit: its smallest posting_id")
    source: Series[str]
    month: Series[str] = pa.Field(str_matches=MONTH)
    tier: Series[str] = pa.Field(nullable=True, description="of the true price; null outside $10 to $50,000")
    tier_weight: Series[float] = pa.Field(
        nullable=True, gt=0, description="in tier_weighted: 1 / rows of the tier; null where a tier is empty"
    )
    characters: Series[int] = pa.Field(ge=0, description="length of the text")
    full_text: Series[bool] = pa.Field(description="at least 300 characters")
    full_text_tier_weight: Series[float] = pa.Field(nullable=True, gt=0, description="in full_text_tier_weighted")
    log_price: Series[float] = pa.Field(description="mean over the cluster's members")
    log_value_matching: Series[float] = pa.Field(description="as the settings ask for it")
    log_value_neighbours: Series[float]
    log_value_hedonic: Series[float]
    log_value_matching_raw: Series[float] = pa.Field(description="before the linear correction")
    log_value_neighbours_raw: Series[float]
    log_value_hedonic_raw: Series[float]
    log_value_matching_corrected: Series[float] = pa.Field(description="after it, applied or not")
    log_value_neighbours_corrected: Series[float]
    log_value_hedonic_corrected: Series[float]
    log_single_lower: Series[float] = pa.Field(nullable=True, description="bands are the headline pricer's")
    log_single_upper: Series[float] = pa.Field(nullable=True)
    log_typical_lower: Series[float] = pa.Field(nullable=True)
    log_typical_upper: Series[float] = pa.Field(nullable=True)
    log_constant_lower: Series[float] = pa.Field(nullable=True, description="a band of one width for all")
    log_constant_upper: Series[float] = pa.Field(nullable=True)
    similarity_max: Series[float] = pa.Field(ge=-1, le=1, description="of the nearest neighbour")
    mondrian: Series[str] = pa.Field(description="category of the single-posting band")


class ValidationPredictions(HoldoutPredictions):
    """The same of the basket's own folds, each priced by a model built on the others."""

    fold: Series[int] = pa.Field(ge=0, description="the fold that was held out")

"""Schemas of what a session's figures are made of beside its neighbours; ``valuation explain`` redoes them."""

from __future__ import annotations

import pandera.pandas as pa
from pandera.typing import Series

from valuation.tables.schemas import Table


class Workings(Table):
    """One row a session, matched or not: what its bands and the other pricers' values are made of."""

    session_id: Series[str] = pa.Field(unique=True)
    nearest: Series[int] = pa.Field(ge=0, description="the nearest posting: row of PostingErrors, from 0")
    log_neighbours: Series[float] = pa.Field(nullable=True, description="Σ weight × log_price, before calibration")
    log_hedonic: Series[float] = pa.Field(nullable=True, description="m at the session, before calibration")
    variance_neighbours: Series[float] = pa.Field(
        nullable=True, ge=0, description="of log_value_raw: neighbours' prices"
    )
    variance_covariance: Series[float] = pa.Field(nullable=True, description="twice the covariance of both parts")
    variance_hedonic: Series[float] = pa.Field(nullable=True, description="the regression's coefficients")
    scale: Series[float] = pa.Field(nullable=True, gt=0, description="σ_i of the single-posting band, log points")


class Nearby(Table):
    """The nearest postings of each session that none resembles enough, nearest first; analysts look at them."""

    session_id: Series[str]
    rank: Series[int] = pa.Field(ge=1)
    row: Series[int] = pa.Field(ge=0, description="row of PostingErrors, from 0")


class LeftOut(Table):
    """The headline pricer's value of each matched session without each fold of postings, one row a fold."""

    session_id: Series[str]
    fold: Series[int] = pa.Field(ge=0)
    log_value: Series[float] = pa.Field(description="v_-fold, before calibration, log USD")


class PostingErrors(Table):
    """The basket's postings, one row a cluster, priced by the headline pricer without their own fold."""

    posting_id: Series[str] = pa.Field(unique=True)
    unit: Series[int] = pa.Field(ge=0, description="number of the resampling unit")
    fold: Series[int] = pa.Field(ge=0)
    log_price: Series[float]
    log_value: Series[float] = pa.Field(
        description="v_-fold at the posting, before calibration; error = log_price − it"
    )
    scale: Series[float] = pa.Field(gt=0, description="σ at the posting, fitted without its fold, log points")
    score: Series[float] = pa.Field(description="R = (log_price − log_value after calibration)/scale")
    category: Series[int] = pa.Field(ge=0, description="merged category of the single-posting band")

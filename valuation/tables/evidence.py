"""Schemas of what stands beside a run's main tables: index numbers, prices against volume, placebos, specifications.

The same conventions as in `valuation.tables.schemas`; growth and change are log points unless said otherwise.
"""

from __future__ import annotations

import pandera.pandas as pa
from pandera.typing import Series

from valuation.tables.schemas import MONTH, PRICERS, STATISTICS, Table

INDEX_METHODS = (
    "laspeyres",
    "paasche",
    "fisher",
    "tornqvist",
    "geometric_laspeyres",
    "geometric_paasche",
    "within",
    "geks_tornqvist",
)


class IndexNumbers(Table):
    """Fixed-mix index numbers of the groups of a column, base month = 100: what growth is at an unchanged mix."""

    group_by: Series[str] = pa.Field(description="a column of sessions, or two joined by ' x '")
    method: Series[str] = pa.Field(isin=INDEX_METHODS)
    comparison: Series[str] = pa.Field(isin=("direct", "chained"))
    base_month: Series[str] = pa.Field(str_matches=MONTH)
    month: Series[str] = pa.Field(str_matches=MONTH)
    n_groups: Series[int] = pa.Field(ge=0, description="groups present in both months")
    covered_share: Series[float] = pa.Field(nullable=True, ge=0, le=1, description="least share of weight in those")
    index_number: Series[float] = pa.Field(nullable=True, gt=0)
    lower: Series[float] = pa.Field(nullable=True, ge=0)
    upper: Series[float] = pa.Field(nullable=True, ge=0)


class PriceVolume(Table):
    """Nominal change split into prices of gigs and volume: each month's sessions priced with each month's postings."""

    from_month: Series[str] = pa.Field(str_matches=MONTH)
    to_month: Series[str] = pa.Field(str_matches=MONTH)
    term: Series[str] = pa.Field(isin=("nominal", "price", "volume", "lowe_from", "lowe_to"))
    estimate: Series[float] = pa.Field(nullable=True, description="log points; price + volume = nominal to 1e-9")
    lower: Series[float] = pa.Field(nullable=True)
    upper: Series[float] = pa.Field(nullable=True)
    postings_from: Series[float] = pa.Field(ge=0, description="effective postings of the from month")
    postings_to: Series[float] = pa.Field(ge=0, description="effective postings of the to month")
    reason: Series[str] = pa.Field(nullable=True, description="why there is no figure")


class TimeDummies(Table):
    """Month effects of values given session columns, least squares with month dummies: a cross-check."""

    month: Series[str] = pa.Field(str_matches=MONTH)
    covariates: Series[str] = pa.Field(description="columns held fixed, joined by ' + '; '' = none")
    estimate: Series[float] = pa.Field(nullable=True, description="log points above the base month")
    lower: Series[float] = pa.Field(nullable=True)
    upper: Series[float] = pa.Field(nullable=True)
    standard_error: Series[float] = pa.Field(nullable=True, ge=0, description="of the joint replicates")
    clustered_error: Series[float] = pa.Field(nullable=True, ge=0, description="pyfixest, clustered by user")


class People(Table):
    """Who is behind growth: those who stay, come and go, how much they do and at what value."""

    from_month: Series[str] = pa.Field(str_matches=MONTH)
    to_month: Series[str] = pa.Field(str_matches=MONTH)
    who: Series[str] = pa.Field(isin=("all", "stayers", "entrants", "leavers"))
    measure: Series[str] = pa.Field(
        isin=("log_growth", "users", "sessions_per_user", "value_per_session", "value_per_user_month", "contribution")
    )
    estimate: Series[float] = pa.Field(nullable=True)
    lower: Series[float] = pa.Field(nullable=True)
    upper: Series[float] = pa.Field(nullable=True)
    n_users: Series[int] = pa.Field(ge=0)
    n_sessions: Series[int] = pa.Field(ge=0)
    suppressed: Series[bool]


class Placebo(Table):
    """What should be nothing, and whether it is; and what should be something."""

    placebo: Series[str] = pa.Field(
        isin=(
            "months_permuted",
            "prices_shuffled",
            "basket_halves",
            "length_matched",
            "frozen_sessions",
            "leave_one_source_out",
            "users_equal",
            "tilt_backtest",
            "price_axis",
        )
    )
    cell: Series[str] = pa.Field(description="which half, source, vintage or tilt; '' = the whole")
    measure: Series[str] = pa.Field(description="growth, studentised, difference, slope, … in log points")
    n: Series[int] = pa.Field(ge=0, description="draws, or sessions behind the figure")
    estimate: Series[float] = pa.Field(nullable=True)
    lower: Series[float] = pa.Field(nullable=True)
    upper: Series[float] = pa.Field(nullable=True)
    expected: Series[float] = pa.Field(nullable=True, description="what it should be near, if anything")
    p_value: Series[float] = pa.Field(nullable=True, ge=0, le=1)
    passed: Series[str] = pa.Field(isin=("yes", "no", "not_judged"))
    reason: Series[str] = pa.Field(nullable=True, description="why it was not judged, or what the failure says")


class PlaceboDraws(Table):
    """Every draw behind a placebo's distribution."""

    placebo: Series[str]
    cell: Series[str]
    draw: Series[int] = pa.Field(ge=0)
    growth: Series[float] = pa.Field(nullable=True, description="log points")
    studentised: Series[float] = pa.Field(nullable=True, description="growth over its standard error")


class TiltBacktest(Table):
    """Held-out postings as stand-ins for sessions: pairs of tilted months, true change beside the pricer's."""

    axis: Series[str] = pa.Field(isin=("text", "category", "source", "price"))
    tilt: Series[str] = pa.Field(description="component, category, source or quantile")
    strength: Series[float]
    true_change: Series[float] = pa.Field(description="of mean log price, log points")
    measured_change: Series[float] = pa.Field(description="of mean out-of-fold value, log points")
    effective_postings: Series[float] = pa.Field(ge=0)


class Sensitivity(Table):
    """Growth under every specification, in the order of growth; the headline's is marked."""

    specification: Series[int] = pa.Field(unique=True, ge=1)
    headline: Series[bool]
    pricer: Series[str] = pa.Field(isin=PRICERS)
    k: Series[int] = pa.Field(ge=1)
    tau: Series[float] = pa.Field(gt=0)
    s_min: Series[str] = pa.Field(description="auto, none or a similarity")
    register_mode: Series[str] = pa.Field(isin=("none", "centred"))
    statistic: Series[str] = pa.Field(isin=STATISTICS)
    encoder: Series[str]
    basket: Series[str] = pa.Field(description="all, or which postings are left out")
    truncation: Series[str] = pa.Field(description="none, or the shares of values cut off")
    weighting: Series[str] = pa.Field(isin=("sessions", "users"))
    growth: Series[float] = pa.Field(nullable=True, description="0.27 = 27 %")
    lower: Series[float] = pa.Field(nullable=True)
    upper: Series[float] = pa.Field(nullable=True)
    log_growth: Series[float] = pa.Field(nullable=True)
    n_matched: Series[int] = pa.Field(ge=0)
    effective_users: Series[float] = pa.Field(nullable=True, ge=0)
    effective_postings: Series[float] = pa.Field(nullable=True, ge=0)
    reason: Series[str] = pa.Field(nullable=True, description="why there is no figure")


class SimulationStudy(Table):
    """Monte Carlo: how often intervals of growth cover, in worlds whose truth is known."""

    world: Series[str]
    level: Series[str] = pa.Field(isin=("vector", "text"))
    pricer: Series[str] = pa.Field(isin=PRICERS)
    series: Series[str] = pa.Field(isin=("users", "postings", "joint", "doubly_robust"))
    target: Series[str] = pa.Field(isin=("pricer", "true"), description="the pricer's own target, or the truth")
    worlds: Series[int] = pa.Field(ge=0)
    failed: Series[int] = pa.Field(ge=0, description="worlds without an interval")
    true_growth: Series[float] = pa.Field(nullable=True, description="mean over worlds, log points")
    bias: Series[float] = pa.Field(nullable=True, description="log points")
    rmse: Series[float] = pa.Field(nullable=True, ge=0)
    standard_error: Series[float] = pa.Field(nullable=True, ge=0, description="mean of those claimed")
    coverage: Series[float] = pa.Field(nullable=True, ge=0, le=1)
    coverage_error: Series[float] = pa.Field(nullable=True, ge=0, description="Monte Carlo standard error")
    within_limits: Series[bool] = pa.Field(description="coverage of 95 % intervals lies in 93 to 97 %")
    warned_share: Series[float] = pa.Field(nullable=True, ge=0, le=1, description="worlds in which the product warns")
    shift_check_rejects: Series[float] = pa.Field(nullable=True, ge=0, le=1)

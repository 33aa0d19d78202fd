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
    comparison: Series[str] = pa.Field(
        isin=("direct", "chained", "drift"),
        description="drift = 100 × chained / direct, without interval; geks_tornqvist is direct",
    )
    base_month: Series[str] = pa.Field(str_matches=MONTH)
    month: Series[str] = pa.Field(str_matches=MONTH)
    n_groups: Series[int] = pa.Field(ge=0, description="groups in both months, the fewest of all comparisons made")
    covered_share: Series[float] = pa.Field(ge=0, le=1, description="least share of weight in those")
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
    reason: Series[str] = pa.Field(nullable=True, description="why there is no estimate, or no clustered error")


PEOPLE_LEVELS = ("users", "sessions_per_user", "value_per_session", "value_per_user_month")
PEOPLE_CHANGES = ("log_growth", "log_growth_sessions_per_user", "log_growth_per_user_month", "contribution")


class People(Table):
    """Who is behind growth: those who stay, come and go, how much they do and at what value; matched sessions only."""

    from_month: Series[str] = pa.Field(str_matches=MONTH, description="levels: the same as to_month")
    to_month: Series[str] = pa.Field(str_matches=MONTH)
    who: Series[str] = pa.Field(isin=("all", "stayers", "entrants", "leavers"))
    measure: Series[str] = pa.Field(isin=PEOPLE_LEVELS + PEOPLE_CHANGES)
    estimate: Series[float] = pa.Field(nullable=True, description="levels: users, sessions, USD; changes: log points")
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

    axis: Series[str] = pa.Field(isin=("text", "category", "source", "price", "sessions"))
    tilt: Series[str] = pa.Field(description="component, category, source, fifth of price, or the run's own months")
    strength: Series[float] = pa.Field(description="standard deviations; for groups, the share of work gone over")
    true_change: Series[float] = pa.Field(description="of mean log price, log points")
    measured_change: Series[float] = pa.Field(description="of mean out-of-fold value, log points")
    missed: Series[float] = pa.Field(description="true_change − measured_change")
    lower: Series[float] = pa.Field(nullable=True, description="of missed, simultaneous over the axis")
    upper: Series[float] = pa.Field(nullable=True, description="of missed, simultaneous over the axis")
    effective_postings: Series[float] = pa.Field(ge=0)


class Sensitivity(Table):
    """Growth under every specification, in the order of growth, those without a figure last; the headline is marked."""

    specification: Series[int] = pa.Field(unique=True, ge=1, description="place in that order")
    headline: Series[bool]
    pricer: Series[str] = pa.Field(isin=PRICERS)
    k: Series[int] = pa.Field(ge=1, description="of no consequence for the pricer hedonic, as is tau")
    tau: Series[float] = pa.Field(gt=0)
    s_min: Series[str] = pa.Field(description="auto, none (every session is matched) or a similarity")
    register_mode: Series[str] = pa.Field(isin=("none", "centred"))
    statistic: Series[str] = pa.Field(isin=STATISTICS)
    encoder: Series[str]
    basket: Series[str] = pa.Field(
        description="all, low or high ends of ranges, or which part: without SOURCE, first_half, last_half, full_text"
    )
    truncation: Series[str] = pa.Field(description="none, or the share of postings left out at either end of price")
    weighting: Series[str] = pa.Field(isin=("sessions", "users"))
    growth: Series[float] = pa.Field(nullable=True, description="0.27 = 27 %")
    lower: Series[float] = pa.Field(nullable=True)
    upper: Series[float] = pa.Field(nullable=True)
    log_growth: Series[float] = pa.Field(nullable=True)
    n_matched: Series[int] = pa.Field(ge=0, description="matched sessions of the two months compared")
    effective_users: Series[float] = pa.Field(nullable=True, ge=0)
    effective_postings: Series[float] = pa.Field(nullable=True, ge=0)
    reason: Series[str] = pa.Field(nullable=True, description="why there is no figure")
    permutations: Series[int] = pa.Field(ge=0, description="of months between users, behind median_p_value")
    median_p_value: Series[float] = pa.Field(
        nullable=True, ge=0, le=1, description="of the median over all specifications: the same in every row"
    )
    permuted_lower: Series[float] = pa.Field(nullable=True, description="growth: central share of permuted medians")
    permuted_upper: Series[float] = pa.Field(nullable=True, description="as wide as the level of intervals")


class SimulationStudy(Table):
    """Monte Carlo: how often intervals of growth hold what they should, in worlds whose truth is known."""

    world: Series[str]
    level: Series[str] = pa.Field(isin=("vector", "text"))
    pricer: Series[str] = pa.Field(isin=PRICERS)
    series: Series[str] = pa.Field(
        isin=("users", "postings", "joint", "doubly_robust", "within", "mix"),
        description="what is resampled, and the terms of growth by kind of work (both resampled)",
    )
    target: Series[str] = pa.Field(
        isin=("pricer", "true", "all"), description="the pricer's own target, the truth of the matched, or of all"
    )
    worlds: Series[int] = pa.Field(ge=0)
    failed: Series[int] = pa.Field(ge=0, description="worlds without an interval")
    true_growth: Series[float] = pa.Field(nullable=True, description="the target, mean over worlds, log points")
    bias: Series[float] = pa.Field(nullable=True, description="of the estimate for the target, log points")
    bias_error: Series[float] = pa.Field(nullable=True, ge=0, description="Monte Carlo standard error of the bias")
    rmse: Series[float] = pa.Field(nullable=True, ge=0)
    standard_error: Series[float] = pa.Field(nullable=True, ge=0, description="mean of those claimed")
    coverage: Series[float] = pa.Field(nullable=True, ge=0, le=1)
    coverage_error: Series[float] = pa.Field(nullable=True, ge=0, description="Monte Carlo standard error")
    within_limits: Series[bool] = pa.Field(description="coverage of 95 % intervals lies in 93 to 97 %")
    warned_share: Series[float] = pa.Field(
        nullable=True, ge=0, le=1, description="worlds in which the product warns, the calibration slope apart"
    )
    shift_check_rejects: Series[float] = pa.Field(nullable=True, ge=0, le=1)


class SimulationWarnings(Table):
    """How often each of the report's warnings fires in simulated worlds."""

    world: Series[str]
    level: Series[str] = pa.Field(isin=("vector", "text"))
    rule: Series[str]
    worlds: Series[int] = pa.Field(ge=0)
    share: Series[float] = pa.Field(nullable=True, ge=0, le=1, description="of worlds in which it fires")

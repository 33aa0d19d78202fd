"""Schemas of an audit: who was drawn, from whom, and what the verdicts say."""

from __future__ import annotations

import pandera.pandas as pa
from pandera.typing import Series

from valuation.tables.schemas import MONTH, Table

SERIES = ("plain", "plain_users", "audited", "audited_all", "accepting_all", "audited_over_plain")
MEASURES = ("level", "growth", "level_ratio", "growth_ratio")
PRECISION_CELLS = ("all", "month", "kind", "third", "half", "stratum")
AGREEMENTS = ("alpha_nominal", "ac1_nominal", "alpha_ordinal", "alpha_log_price", "cant_say_share")


class AuditSample(Table):
    """One row a session that analysts judge, in the order of work."""

    session_id: Series[str] = pa.Field(unique=True, str_length={"min_value": 1})
    month: Series[str] = pa.Field(str_matches=MONTH)
    stratum: Series[int] = pa.Field(ge=0, description="as numbered under `strata` in audit.json")
    inclusion_probability: Series[float] = pa.Field(gt=0, le=1, description="of the draw, known before it")
    place: Series[int] = pa.Field(ge=1, unique=True, description="1, 2, …: a random order, so that any start is random")
    reviews: Series[int] = pa.Field(ge=1, le=2, description="analysts who judge it")


class AuditFrame(Table):
    """One row a session of the audited months, drawn or not: what the sample stands for."""

    session_id: Series[str] = pa.Field(unique=True, str_length={"min_value": 1})
    month: Series[str] = pa.Field(str_matches=MONTH)
    user: Series[str] = pa.Field(description="the user's smallest session_id in the run")
    weight: Series[float] = pa.Field(gt=0)
    matched: Series[bool]
    log_value: Series[float] = pa.Field(nullable=True, description="the run's own value when the audit was drawn")
    stratum: Series[int] = pa.Field(ge=0)
    inclusion_probability: Series[float] = pa.Field(gt=0, le=1)
    sampled: Series[bool]


class AuditedSeries(Table):
    """Levels and growth by the run, and as analysts' values correct them."""

    series: Series[str] = pa.Field(
        isin=SERIES,
        description="plain: the run's own rows; plain_users: the same, resampling users alone; audited: matched "
        "sessions; audited_all: with the unmatched; accepting_all: audited, were every judged gig comparable; "
        "audited_over_plain: their ratios, whose intervals leave out the sampling of users that both share",
    )
    measure: Series[str] = pa.Field(
        isin=MEASURES,
        description="USD; growth 0.27 is 27 %; ratios of levels and of 1 + growth: 1 where the pricer is right",
    )
    from_month: Series[str] = pa.Field(str_matches=MONTH)
    to_month: Series[str] = pa.Field(str_matches=MONTH, description="of a level: the month itself")
    estimate: Series[float] = pa.Field(nullable=True)
    lower: Series[float] = pa.Field(nullable=True)
    upper: Series[float] = pa.Field(nullable=True)
    n_sessions: Series[int] = pa.Field(ge=0, description="sessions that it is about")
    n_audited: Series[int] = pa.Field(ge=0, description="of them with an analyst's value; 0 in a plain series")


class AuditPrecision(Table):
    """How often a gig that stands beside a matched session is comparable to it."""

    cell_by: Series[str] = pa.Field(isin=PRECISION_CELLS)
    cell: Series[str]
    n_sessions: Series[int] = pa.Field(ge=0, description="with a verdict on a gig")
    n_gigs: Series[int] = pa.Field(ge=0, description="pairs of session and gig that somebody decided on")
    n_comparable: Series[int] = pa.Field(ge=0, description="of them, called comparable by all who decided")
    n_disagreed: Series[int] = pa.Field(ge=0, description="of them, called comparable by some who decided, not by all")
    n_cant_say: Series[int] = pa.Field(ge=0, description="pairs that nobody decided on")
    estimate: Series[float] = pa.Field(nullable=True, ge=0, le=1)
    lower: Series[float] = pa.Field(nullable=True, ge=0, le=1)
    upper: Series[float] = pa.Field(nullable=True, ge=0, le=1)
    lower_bound: Series[float] = pa.Field(nullable=True, ge=0, le=1, description="every cant_say not comparable")
    upper_bound: Series[float] = pa.Field(nullable=True, ge=0, le=1, description="every cant_say comparable")


class AuditAgreement(Table):
    """How far analysts agree who judged the same thing."""

    measure: Series[str] = pa.Field(isin=AGREEMENTS)
    estimate: Series[float] = pa.Field(nullable=True)
    lower: Series[float] = pa.Field(nullable=True)
    upper: Series[float] = pa.Field(nullable=True)
    n_units: Series[int] = pa.Field(
        ge=0, description="session-gig pairs, or sessions of log values, judged by two or more"
    )
    n_users: Series[int] = pa.Field(ge=0, description="users of their sessions, whom the bootstrap draws")
    reason: Series[str] = pa.Field(nullable=True, description="why there is no figure, or no interval")

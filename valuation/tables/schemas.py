"""The schema of every table. Checked on write and on read, and nowhere else.

Missing numbers are NaN, missing strings are null, missing times are NaT; no column holds a stand-in for "missing".
Times are UTC with microseconds; months are "YYYY-MM"; prices are nominal US dollars; shares lie in [0, 1].
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import pandas as pd
import pandera.pandas as pa
from pandera.errors import SchemaError, SchemaErrors
from pandera.typing import Series

from valuation.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

UTC = Annotated[pd.DatetimeTZDtype, "us", "UTC"]
MONTH = r"^\d{4}-(0[1-9]|1[0-2])$"
PRICE_TYPES = ("fixed", "hourly")
PRICE_KINDS = ("posted", "bid_average", "awarded", "paid")
DATE_QUALITIES = ("exact", "derived", "upper_bound", "stated")
RATE_SOURCES = ("none", "ecb_month_average", "source", "user")
STATISTICS = ("mean_log", "median", "mean", "trimmed_mean")
PRICERS = ("matching", "neighbours", "hedonic")
CARD_SAMPLES = (
    "natural", "tier_weighted", "full_text", "full_text_tier_weighted",
    "holdout", "holdout_tier_weighted", "holdout_full_text", "holdout_full_text_tier_weighted",
)  # fmt: skip


class Table(pa.DataFrameModel):
    """Base of all tables: no unexpected column, no silent cast."""

    class Config:
        """Strict on columns and types; columns in the order written here."""

        strict = True
        coerce = False
        ordered = True


class Postings(Table):
    """One row a posting. Written by imports and crawlers, read by indices and pricing."""

    posting_id: Series[str] = pa.Field(unique=True, str_length={"min_value": 1})
    source: Series[str] = pa.Field(str_matches=r"^[a-z0-9][a-z0-9._-]*$")
    url: Series[str] = pa.Field(nullable=True)
    title: Series[str] = pa.Field(nullable=True)
    description: Series[str] = pa.Field(nullable=True)
    skills: Series[str] = pa.Field(nullable=True)
    posted_at: Series[UTC]
    date_quality: Series[str] = pa.Field(isin=DATE_QUALITIES)
    month: Series[str] = pa.Field(str_matches=MONTH)
    crawled_at: Series[UTC] = pa.Field(nullable=True)
    price_type: Series[str] = pa.Field(isin=PRICE_TYPES)
    price_kind: Series[str] = pa.Field(isin=PRICE_KINDS)
    price_low: Series[float] = pa.Field(gt=0, description="in `currency`")
    price_high: Series[float] = pa.Field(gt=0, description="in `currency`; equals price_low for a point")
    currency: Series[str] = pa.Field(str_matches=r"^[A-Z0-9]{2,10}$")
    price_usd: Series[float] = pa.Field(gt=0, description="geometric mean of the range, nominal USD")
    rate_source: Series[str] = pa.Field(isin=RATE_SOURCES)
    category: Series[str] = pa.Field(nullable=True)
    country: Series[str] = pa.Field(nullable=True)
    client_id: Series[str] = pa.Field(nullable=True, description="hashed with the workspace's key")
    price_raw: Series[str] = pa.Field(nullable=True)


class PostingVersions(Postings):
    """Every content that a crawled posting has had, one row a version: edits and price rises are visible here."""

    posting_id: Series[str] = pa.Field(str_length={"min_value": 1})
    version: Series[int] = pa.Field(ge=1, description="1, 2, … in the order they were seen")
    last_seen_at: Series[UTC] = pa.Field(description="crawled_at is when this version was first seen")
    current: Series[bool] = pa.Field(description="the latest version: the one in `postings/`")


class Sessions(Table):
    """One row a session. Any other column is kept as an attribute to group by."""

    class Config:
        """Extra columns are attributes; the named ones stand first."""

        strict = False
        ordered = True

    session_id: Series[str] = pa.Field(unique=True, str_length={"min_value": 1})
    user_id: Series[str] = pa.Field(nullable=True, description="hashed; null = a user of its own")
    started_at: Series[UTC]
    month: Series[str] = pa.Field(str_matches=MONTH)
    summary: Series[str] = pa.Field(str_length={"min_value": 1})
    weight: Series[float] = pa.Field(gt=0)


class Imports(Table):
    """The ledger of imports: rows_in = kept + merged + quarantined."""

    import_id: Series[str] = pa.Field(unique=True)
    kind: Series[str] = pa.Field(isin=("postings", "sessions"))
    file: Series[str]
    sha256: Series[str] = pa.Field(str_matches=r"^[0-9a-f]{64}$")
    imported_at: Series[UTC]
    rows_in: Series[int] = pa.Field(ge=0)
    kept: Series[int] = pa.Field(ge=0)
    merged: Series[int] = pa.Field(ge=0)
    quarantined: Series[int] = pa.Field(ge=0)

    @pa.dataframe_check(error="rows_in = kept + merged + quarantined")
    @classmethod
    def _nothing_is_lost(cls, frame: pd.DataFrame) -> pd.Series[bool]:
        return frame["rows_in"] == frame["kept"] + frame["merged"] + frame["quarantined"]


class Quarantine(Table):
    """Rows that could not be used, each with its reason."""

    import_id: Series[str]
    file: Series[str]
    row: Series[int] = pa.Field(ge=1, description="1-based, header not counted")
    column: Series[str] = pa.Field(nullable=True)
    value: Series[str] = pa.Field(nullable=True)
    expected: Series[str]
    reason: Series[str]
    message: Series[str]
    raw: Series[str] = pa.Field(description="the row as JSON")


class Matches(Table):
    """The stored neighbours of each matched session, and the arithmetic of its value."""

    session_id: Series[str]
    rank: Series[int] = pa.Field(ge=1)
    posting_id: Series[str]
    cluster_id: Series[str]
    similarity: Series[float] = pa.Field(ge=-1, le=1)
    weight: Series[float] = pa.Field(ge=0, le=1)
    price_usd: Series[float] = pa.Field(gt=0, description="geometric mean over the cluster's members")
    log_price: Series[float]
    log_price_hedonic: Series[float] = pa.Field(description="m_-j at the posting")
    log_session_hedonic: Series[float] = pa.Field(description="m_-j at the session")
    contribution: Series[float] = pa.Field(description="weight × (log_price + log_session_hedonic − log_price_hedonic)")


class Values(Table):
    """One row a session, matched or not."""

    session_id: Series[str] = pa.Field(unique=True)
    month: Series[str] = pa.Field(str_matches=MONTH)
    weight: Series[float] = pa.Field(gt=0)
    matched: Series[bool]
    reason: Series[str] = pa.Field(nullable=True, description="why it is unmatched")
    log_value_raw: Series[float] = pa.Field(nullable=True)
    log_value: Series[float] = pa.Field(nullable=True)
    value_usd: Series[float] = pa.Field(nullable=True, gt=0)
    value_neighbours: Series[float] = pa.Field(nullable=True, gt=0)
    value_hedonic: Series[float] = pa.Field(nullable=True, gt=0)
    typical_lower: Series[float] = pa.Field(nullable=True, gt=0)
    typical_upper: Series[float] = pa.Field(nullable=True, gt=0)
    single_lower: Series[float] = pa.Field(nullable=True, gt=0)
    single_upper: Series[float] = pa.Field(nullable=True, gt=0)
    similarity_max: Series[float] = pa.Field(nullable=True, ge=-1, le=1)
    effective_neighbours: Series[float] = pa.Field(nullable=True, ge=1)


class Priced(Table):
    """The output of ``valuation price``: one row an input row, in input order."""

    id: Series[str] = pa.Field(nullable=True)
    matched: Series[bool]
    reason: Series[str] = pa.Field(nullable=True)
    log_value: Series[float] = pa.Field(nullable=True)
    value_usd: Series[float] = pa.Field(nullable=True, gt=0)
    typical_lower: Series[float] = pa.Field(nullable=True, gt=0)
    typical_upper: Series[float] = pa.Field(nullable=True, gt=0)
    single_lower: Series[float] = pa.Field(nullable=True, gt=0)
    single_upper: Series[float] = pa.Field(nullable=True, gt=0)
    value_neighbours: Series[float] = pa.Field(nullable=True, gt=0)
    value_hedonic: Series[float] = pa.Field(nullable=True, gt=0)
    similarity_max: Series[float] = pa.Field(nullable=True, ge=-1, le=1)
    effective_neighbours: Series[float] = pa.Field(nullable=True, ge=1)


class SeriesTable(Table):
    """The monthly series: levels in USD, index numbers with base 100, pointwise and simultaneous bands."""

    month: Series[str] = pa.Field(str_matches=MONTH)
    group_by: Series[str] = pa.Field(description="'' = all sessions")
    group: Series[str]
    statistic: Series[str] = pa.Field(isin=STATISTICS)
    pricer: Series[str] = pa.Field(isin=PRICERS)
    n_sessions: Series[int] = pa.Field(ge=0)
    n_matched: Series[int] = pa.Field(ge=0)
    n_users: Series[int] = pa.Field(ge=0)
    matched_share: Series[float] = pa.Field(nullable=True, ge=0, le=1)
    value: Series[float] = pa.Field(nullable=True, gt=0)
    value_lower: Series[float] = pa.Field(nullable=True, gt=0)
    value_upper: Series[float] = pa.Field(nullable=True, gt=0)
    index_number: Series[float] = pa.Field(nullable=True, gt=0)
    lower: Series[float] = pa.Field(nullable=True, gt=0)
    upper: Series[float] = pa.Field(nullable=True, gt=0)
    simultaneous_lower: Series[float] = pa.Field(nullable=True, gt=0)
    simultaneous_upper: Series[float] = pa.Field(nullable=True, gt=0)
    suppressed: Series[bool]


class Growth(Table):
    """Growth between two months; 0.27 is 27 %."""

    group_by: Series[str]
    group: Series[str]
    statistic: Series[str] = pa.Field(isin=STATISTICS)
    pricer: Series[str] = pa.Field(isin=PRICERS)
    variation: Series[str] = pa.Field(isin=("users", "postings", "both"))
    from_month: Series[str] = pa.Field(description="a month, or two months joined by '+'")
    to_month: Series[str]
    growth: Series[float] = pa.Field(nullable=True, gt=-1)
    lower: Series[float] = pa.Field(nullable=True, ge=-1)
    upper: Series[float] = pa.Field(nullable=True, ge=-1)
    monthly_growth: Series[float] = pa.Field(nullable=True, gt=-1)
    monthly_lower: Series[float] = pa.Field(nullable=True, ge=-1)
    monthly_upper: Series[float] = pa.Field(nullable=True, ge=-1)
    trend: Series[float] = pa.Field(nullable=True, description="OLS slope, log points a month")
    trend_lower: Series[float] = pa.Field(nullable=True)
    trend_upper: Series[float] = pa.Field(nullable=True)
    effective_users: Series[float] = pa.Field(nullable=True, ge=0)
    effective_postings: Series[float] = pa.Field(nullable=True, ge=0)


class ShiftCheck(Table):
    """What held-out postings resembling each month's sessions say about the pricer's error."""

    month: Series[str] = pa.Field(str_matches=MONTH)
    difference: Series[float] = pa.Field(nullable=True, description="D_m, log points")
    lower: Series[float] = pa.Field(nullable=True)
    upper: Series[float] = pa.Field(nullable=True)
    effective_postings: Series[float] = pa.Field(nullable=True, ge=0)
    corrected_value: Series[float] = pa.Field(nullable=True, gt=0, description="exp(θ_m + D_m), USD")
    corrected_lower: Series[float] = pa.Field(nullable=True, gt=0)
    corrected_upper: Series[float] = pa.Field(nullable=True, gt=0)


class Decomposition(Table):
    """Mix and within, in log points: within + mix = total to 1e-9."""

    group_by: Series[str]
    group: Series[str] = pa.Field(description="'' = the sum over groups")
    from_month: Series[str]
    to_month: Series[str]
    term: Series[str] = pa.Field(isin=("within", "mix", "total"))
    estimate: Series[float] = pa.Field(nullable=True)
    lower: Series[float] = pa.Field(nullable=True)
    upper: Series[float] = pa.Field(nullable=True)


class Validation(Table):
    """The pricer card, one measure a row."""

    pricer: Series[str] = pa.Field(isin=PRICERS)
    sample: Series[str] = pa.Field(
        isin=CARD_SAMPLES,
        description="holdout…: postings of --holdout, else the basket's folds; tier_weighted: each price tier counts "
        "alike; full_text: 300 characters or more",
    )
    cell_by: Series[str] = pa.Field(description="'' | tier | predicted | similarity | source | month | mondrian")
    cell: Series[str]
    n: Series[int] = pa.Field(ge=0)
    measure: Series[str]
    estimate: Series[float] = pa.Field(nullable=True)
    lower: Series[float] = pa.Field(nullable=True)
    upper: Series[float] = pa.Field(nullable=True)


def validate(frame: pd.DataFrame, schema: type[Table], *, where: str) -> pd.DataFrame:
    """Return `frame` if it obeys `schema`.

    Raises
    ------
    InputError
        Naming the table, the first column at fault, the value and what was expected.
    """
    try:
        return schema.validate(frame)
    except SchemaErrors as error:
        first = error.failure_cases.iloc[0]
        fault = f"column {first['column']}: expected {first['check']}, got {first['failure_case']!r}"
        raise InputError(f"{where}: not a {schema.__name__} table: {fault}") from error
    except SchemaError as error:
        raise InputError(f"{where}: not a {schema.__name__} table: {_first_fault(error)}") from error


def _first_fault(error: SchemaError) -> str:
    """One line from pandera's report, at most 200 characters: values are untrusted text."""
    return " ".join(str(error).split())[:200]


def empty(schema: type[Table]) -> pd.DataFrame:
    """Return a table of the schema without rows, with the right columns and types."""
    return typed({}, schema)


def typed(columns: Mapping[str, Any], schema: type[Table]) -> pd.DataFrame:
    """Assemble `columns` in the schema's order and dtypes; a missing or surplus column is an error.

    The place where a stage turns plain arrays and lists into a table: all-null string columns keep their type.
    """
    wanted = schema.to_schema().columns
    if columns and set(columns) != set(wanted):
        raise InputError(
            f"{schema.__name__}: columns {sorted(set(columns) ^ set(wanted))} are missing or not part of the table"
        )
    data = {
        name: pd.Series(columns[name] if columns else [], dtype=_pandas_dtype(spec.dtype)).reset_index(drop=True)
        for name, spec in wanted.items()
    }
    return pd.DataFrame(data)


def _pandas_dtype(dtype: object) -> str:
    """Pandas' own name of a schema's type: its default string type holds NaN for missing."""
    return "str" if str(dtype).startswith("string") else str(dtype)

"""Schema of verdicts as they are exported, imported and estimated from."""

from __future__ import annotations

import pandera.pandas as pa
from pandera.typing import Series

from valuation.tables.schemas import UTC, Table

VERDICT_WORDS = ("comparable", "session_larger", "session_smaller", "wrong_kind", "cant_say")


class Verdicts(Table):
    """One row a standing verdict: of an analyst, on a session beside a posting, or on the session as a whole."""

    session_id: Series[str] = pa.Field(str_length={"min_value": 1})
    posting_id: Series[str] = pa.Field(nullable=True, description="null: the session as a whole")
    verdict: Series[str] = pa.Field(isin=VERDICT_WORDS)
    price_usd: Series[float] = pa.Field(nullable=True, gt=0, description="what the analyst says it is worth")
    better_posting_id: Series[str] = pa.Field(nullable=True, description="the gig that is the right comparison")
    analyst: Series[str] = pa.Field(str_length={"min_value": 1})
    decided_at: Series[UTC]
    note: Series[str] = pa.Field(nullable=True)

"""Standing verdicts as a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from valuation.tables import Verdicts, typed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from valuation.verdicts.entries import Stored


def verdict_frame(stored: Iterable[Stored], *, adjudicates: bool = False) -> pd.DataFrame:
    """Rows of `Verdicts`, ordered by session, posting, analyst and time.

    Parameters
    ----------
    adjudicates : bool
        The verdicts that settle a disagreement, or those that do not.
    """
    chosen = [one.entry for one in stored if one.entry.adjudicates == adjudicates]
    frame = typed(
        {
            "session_id": [one.session_id for one in chosen],
            "posting_id": [one.posting_id or None for one in chosen],
            "verdict": [one.verdict for one in chosen],
            "price_usd": [float("nan") if one.price_usd is None else one.price_usd for one in chosen],
            "better_posting_id": [one.better_posting_id for one in chosen],
            "analyst": [one.analyst for one in chosen],
            "decided_at": pd.to_datetime([one.decided_at for one in chosen], utc=True).as_unit("us"),
            "note": [one.note or None for one in chosen],
        },
        Verdicts,
    )
    order = ["session_id", "posting_id", "analyst", "decided_at"]
    return frame.sort_values(order, na_position="first", kind="stable").reset_index(drop=True)

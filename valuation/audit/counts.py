"""Standing verdicts of an audit, counted: how sessions came to a value, and under what circumstances."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from valuation.audit.result import Counts
from valuation.audit.values import GIGS, PRICE
from valuation.verdicts import CANT_SAY, VERDICTS, WHOLE_SESSION

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from valuation.audit.opening import Audit
    from valuation.audit.values import AnalystValue, SessionVerdicts
    from valuation.verdicts import Entry, Stored


def counts_of(
    audit: Audit, standing: Sequence[Stored], sessions: Mapping[str, SessionVerdicts], values: Sequence[AnalystValue]
) -> Counts:
    """Count standing verdicts.

    Parameters
    ----------
    sessions : mapping of str to SessionVerdicts
        The same verdicts by session.
    values : sequence of AnalystValue
        What they come to.
    """
    said = Counter(str(one.entry.verdict) for one in standing)
    ways: dict[str, str] = {}
    for one in values:
        ways[one.session_id] = max(ways.get(one.session_id, ""), one.way, key=("", PRICE, GIGS).index)
    by_way = Counter(ways.values())
    gone = {one.session_id: one.withdrawn for one in values}
    return Counts(
        sessions=len({one.entry.session_id for one in standing}),
        drawn=len(audit.wanted),
        analysts=len({one.entry.analyst for one in standing}),
        standing={verdict: said.get(verdict, 0) for verdict in VERDICTS},
        settled=sum(one.entry.adjudicates for one in standing),
        not_blind=sum(after_figures(one.entry) for one in standing),
        not_known=sum(one.entry.origin != "page" for one in standing),
        by_gigs=by_way.get(GIGS, 0),
        by_price=by_way.get(PRICE, 0),
        no_response=by_way.get("", 0),
        rejected=sum(_is_rejected(sessions[session]) for session, way in ways.items() if not way),
        withdrawn=sum(gone.values()),
    )


def after_figures(entry: Entry) -> bool:
    """Whether pages had shown the analyst prices or values before the verdict; files do not say."""
    return entry.origin == "page" and not entry.blind


def _is_rejected(verdicts: SessionVerdicts) -> bool:
    """Whether somebody decided on a gig of a session."""
    rows = [*verdicts.settled.values(), *(one for some in verdicts.by_analyst.values() for one in some)]
    return any(one.posting_id != WHOLE_SESSION and one.verdict != CANT_SAY for one in rows)

"""What an audit says so far, for the overview."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Hashable

    from valuation.audit.opening import Audit
    from valuation.review.desk import Desk


@dataclass(frozen=True, slots=True)
class AuditFacts:
    """What an audit says so far.

    Attributes
    ----------
    precision : object or None
        Share of judged gigs that are comparable, with bounds; None before the first verdict.
    cells : list of dict
        The same by stratum and coarser groups, rows of AuditPrecision; none while they could tell of a session.
    """

    precision: Any
    cells: list[dict[Hashable, Any]]


def audit_facts(desk: Desk, audit: Audit, *, whole_only: bool) -> AuditFacts:
    """Work out precision from the verdicts that stand; what was settled counts in the place of what it settles.

    Parameters
    ----------
    whole_only : bool
        Leave the cells out: the count that rises tells who is still judging a session its month, value and similarity.
    """
    from valuation.audit.precision import precision_of  # numba's import is a third of a second: not at the start
    from valuation.audit.values import Prices, by_session, pair_verdicts

    standing = desk.log.standing(audit_id=audit.audit_id)
    if not standing:
        return AuditFacts(None, [])
    no_prices = Prices({}, {})
    pairs = pair_verdicts(by_session(standing, no_prices), no_prices, settled_first=True)
    overall, table = precision_of(audit, pairs, level=desk.settings.series.level)
    return AuditFacts(overall, [] if whole_only else table.to_dict(orient="records"))

"""What an audit could not tell, and why, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from valuation.audit.opening import Audit
    from valuation.audit.result import Counts, Response
    from valuation.core.audit_estimate import AuditEstimate

LEAST = 2
"""Sessions of a month with an analyst's value, so that it has a level."""
MOST_REJECTED = 0.05
"""Share of judged sessions without a value although gigs were decided on, from which it is said."""
TRIED_SESSIONS, TRIED_USERS = 25, 30
"""A month's audited sessions and users from which intervals were tried (docs/audit-method.md)."""


def _thin(audit: Audit, response: Sequence[Response]) -> list[str]:
    """Months with fewer audited sessions or users than intervals were tried with."""
    users = audit.frame[audit.frame["matched"]].groupby("month")["user"].nunique()
    few = [
        f"{one.month} has {one.answered:,} and {int(users.get(one.month, 0)):,}"
        for one in response
        if one.answered >= LEAST and (one.answered < TRIED_SESSIONS or users.get(one.month, 0) < TRIED_USERS)
    ]
    if not few:
        return []
    return [
        f"intervals were tried with {TRIED_SESSIONS} or more sessions with an analyst's value and {TRIED_USERS} or "
        f"more users in a month; {', '.join(few)}"
    ]


def missing_of(
    audit: Audit,
    matched: AuditEstimate,
    everyone: AuditEstimate,
    response: Sequence[Response],
    no_plain_growth: bool,
    counts: Counts,
) -> tuple[str, ...]:
    """What could not be told, and why."""
    said = []
    for which, found, n in (
        ("matched sessions", matched, matched.n_responses),
        ("all sessions, which takes unmatched ones", everyone, everyone.n_responses - matched.n_responses),
    ):
        short = [
            f"{month} has {int(n[at])}"
            for at, month in enumerate(audit.months)
            if not np.isfinite(found.audited.estimate[at])
        ]
        if short:
            said.append(
                f"no audited level of {which}: {', '.join(short)} with an analyst's value, and at least {LEAST} are "
                "needed in a month (gigs accepted as comparable, or a price)"
            )
    if counts.rejected > MOST_REJECTED * counts.sessions:
        said.append(
            f"{counts.rejected:,} of {counts.sessions:,} judged sessions have no comparable gig, no better one and no "
            "price: where the pricer put the wrong gigs beside a session its worth stays unknown, and the audited "
            "figures lean towards the pricer; ask what those sessions are worth, and read the bounds until then"
        )
    said += _thin(audit, response)
    if counts.withdrawn:
        said.append(
            f"{counts.withdrawn:,} accepted gigs have no price any more: their postings were deleted since; the other "
            "gigs of those sessions count, and a session without any has no analyst's value"
        )
    if len(audit.months) > 1 and no_plain_growth:
        said.append(f"the run has no growth from {audit.months[0]} to {audit.months[-1]} to stand beside the audited")
    return tuple(said)

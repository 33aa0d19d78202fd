"""Placebo: months permuted between users."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from valuation.core.permutation import central, permute_growth, two_sided_p
from valuation.evidence.findings import Draws, Finding, Found
from valuation.evidence.headline import interval

if TYPE_CHECKING:
    from valuation.core.permutation import PermutedGrowth
    from valuation.evidence.findings import Verdict
    from valuation.evidence.headline import Headline
    from valuation.pipeline.reopened import ReopenedRun

NAME = "months_permuted"
SIGNIFICANT = 0.05
FEW_EXCHANGEABLE = 0.5
"""Share of exchangeable sessions under which a permutation has too little room to be judged."""


def permuted(run: ReopenedRun, headline: Headline) -> Found:
    """Compare the headline's growth, over its users-only error, with that of permuted months."""
    asked, line = run.settings.placebo, run.opened.model.calibration[headline.which]
    found = permute_growth(
        run.tracked.sessions, headline.month, headline.session_key,
        base=headline.base, last=headline.last, seed=asked.seed, permutations=asked.permutations,
    )  # fmt: skip
    low, high = (abs(line.slope) * end for end in central(found.drawn_growth, level=headline.level))
    t_low, t_high = central(found.drawn_studentised, level=headline.level)
    p = two_sided_p(found.studentised, found.drawn_studentised)
    passed, reason = _verdict(found, p, headline)
    draws = Draws(NAME, line.slope * found.drawn_growth, found.drawn_studentised)
    return Found(
        (
            Finding(
                NAME, "", "mean_growth", asked.permutations, float(draws.growth.mean()), min(low, high), max(low, high),
                0.0, reason=f"shown: {_room(found)}; the others keep the mean from 0",
            ),
            Finding(
                NAME, "", "studentised", asked.permutations, found.studentised, t_low, t_high, 0.0, p, passed, reason
            ),
        ),
        (draws,),
    )  # fmt: skip


def _verdict(found: PermutedGrowth, p: float, headline: Headline) -> tuple[Verdict, str | None]:
    """Real growth should stand out among permuted ones, if its own users-only interval leaves 0 out."""
    if found.exchangeable_share < FEW_EXCHANGEABLE or not np.isfinite(p):
        return "not_judged", f"only {_room(found)}"
    if p <= SIGNIFICANT:
        return "yes", _room(found) if found.exchangeable_share < 1 else None
    users = interval(headline.growth.estimate, headline.growth.users, level=headline.level)
    if users.lower <= 0 <= users.upper:
        return "not_judged", "growth's own users-only interval holds 0: there is nothing to tell from chance"
    return "no", "months dealt at random give as much growth, though its own users-only interval leaves 0 out"


def _room(found: PermutedGrowth) -> str:
    """How much there is to permute."""
    return f"{found.exchangeable_share:.0%} of sessions are of users who have another to exchange months with"

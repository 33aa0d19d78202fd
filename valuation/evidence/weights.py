"""Placebos of the sessions' weights: lengths as in the base month, and users with equal weight."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from valuation.core.lengths import STRATA, change_replicates, correlation_replicates, length_matched, length_strata
from valuation.evidence.baskets import beside
from valuation.evidence.findings import NAN, Finding, Found, not_judged
from valuation.evidence.headline import Moved, cell_replicates, growth_of, interval, widened

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from valuation.core.lengths import Matched
    from valuation.evidence.headline import Headline
    from valuation.pipeline.reopened import ReopenedRun

LENGTH = "length_matched"


def lengths(run: ReopenedRun, headline: Headline) -> Found:
    """Growth with every month's summaries as long as the base month's, and how value and length go together."""
    length = _log_lengths(run)
    matched = _matched(run, headline, length)
    if matched is None:
        return not_judged(LENGTH, "no summary of the last month is as long as one of the base month")
    factor = widened(matched.support, run.settings)
    growth = Moved(matched.growth, matched.users, matched.postings, matched.both, factor)
    rows = beside(LENGTH, "", growth, headline, "at the base month's lengths growth leaves the headline's interval")
    if matched.covered < 1.0 - 1e-9:
        words = f"lengths in common hold {matched.covered:.0%} of the base month"
        rows[0] = replace(rows[0], reason=words if rows[0].reason is None else f"{rows[0].reason}; {words}")
    explained = 1.0 - growth.estimate / headline.growth.estimate if headline.grows else NAN
    words = "a share, not log points; length and size of the job go together, so part of it may be real"
    if not headline.grows:
        words = "growth's own interval holds 0: there is no growth to explain a share of"
    rows.append(Finding(LENGTH, "", "explained_share", headline.n, explained, expected=0.0, reason=words))
    return Found((*rows, *_together(run, headline, length)))


def _log_lengths(run: ReopenedRun) -> NDArray[np.float64]:
    """Log of the number of characters of each matched session's summary."""
    summary = run.sessions.frame["summary"].iloc[run.tracked.matched].str.strip()
    return np.log(np.maximum(summary.str.len().to_numpy(dtype=np.float64), 1.0))


def _matched(run: ReopenedRun, headline: Headline, length: NDArray[np.float64]) -> Matched | None:
    """Growth at the base month's lengths, from cells month × stratum."""
    two, month = headline.two, headline.month
    stratum = length_strata(length, run.tracked.sessions.weight, month == headline.base)
    side = np.where(month == headline.last, 1, 0)
    cell = np.where(two, np.stack([side, 2 + side * STRATA + stratum]), -1)
    found = cell_replicates(
        run.tracked.sessions, run.opened.model, cell, headline.which, run.settings, n_cells=2 + 2 * STRATA
    )
    strata = np.arange(STRATA)
    return length_matched(*found, 2 + strata, 2 + STRATA + strata)


def _together(run: ReopenedRun, headline: Headline, length: NDArray[np.float64]) -> list[Finding]:
    """Correlation of value with log length over all matched sessions, and the change of mean log length."""
    sessions, boot, level = run.tracked.sessions, run.settings.bootstrap, headline.level
    estimate, moved = correlation_replicates(
        sessions.log_value, length, sessions.weight, sessions.user,
        user_key=sessions.user_key, seed=boot.seed, replicates=boot.replicates,
    )  # fmt: skip
    ends = interval(estimate, moved, level=level)
    month = headline.month
    change, drifted = change_replicates(
        length, sessions.weight, sessions.user, month == headline.base, month == headline.last,
        user_key=sessions.user_key, seed=boot.seed, replicates=boot.replicates,
    )  # fmt: skip
    drift = interval(change, drifted, level=level, factor=headline.growth.factor)
    words = "shown: users' variation only"
    return [
        Finding(LENGTH, "", "correlation", length.size, estimate, ends.lower, ends.upper, 0.0, reason=words),
        Finding(LENGTH, "", "length_change", headline.n, change, drift.lower, drift.upper, 0.0, reason=words),
    ]


def users_equal(run: ReopenedRun, headline: Headline) -> Found:
    """Growth with each user counted once a month, however many sessions."""
    sessions, month = run.tracked.sessions, headline.month
    pair = sessions.user * (month.max() + 1) + month
    _, code = np.unique(pair, return_inverse=True)
    weight = sessions.weight / np.bincount(code, sessions.weight)[code]
    found = growth_of(replace(sessions, weight=weight), month, run.opened.model, headline, run.settings)
    words = "with users weighted equally growth leaves the headline's interval: those who work most differ"
    return Found(tuple(beside("users_equal", "", found, headline, words)))

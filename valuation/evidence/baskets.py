"""Placebos of the basket: two halves of it, one source left out, and vintages of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from valuation.core.draws import fold_of
from valuation.core.intervals import series_band
from valuation.errors import ThinMatchError
from valuation.evidence.findings import Finding, Found, not_judged, within
from valuation.evidence.headline import Moved, cell_replicates, growth_of, interval
from valuation.evidence.parts import priced_by

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from valuation.evidence.headline import Headline
    from valuation.pipeline.reopened import ReopenedRun
    from valuation.progress import Progress

Z = 1.96
MIN_POSTINGS = 500
"""Duplicate clusters that a vintage, and what it adds to the first one, must have to be judged."""


def halves(run: ReopenedRun, headline: Headline, progress: Progress) -> Found:
    """Two halves of the basket, by hash of the unit, each pricing the sessions alone."""
    model = run.opened.model
    half = fold_of(model.arrays.unit_key, folds=2, seed=run.settings.placebo.seed)[model.arrays.unit]
    growth = []
    for which in range(2):
        growth.append(_growth(run, headline, half == which))
        progress.advance(which + 1, 2)
    level, name = headline.level, "basket_halves"
    rows = [
        Finding(name, cell, "growth", headline.n, one.estimate, ends.lower, ends.upper, headline.growth.estimate,
                reason="shown: the halves are judged by their difference")
        for cell, one in zip(("first", "second"), growth, strict=True)
        for ends in [interval(one.estimate, one.postings, level=level)]
    ]  # fmt: skip
    difference = growth[1].less(growth[0])
    half_width = Z * float(np.std(difference.postings, ddof=1))
    low, high = difference.estimate - half_width, difference.estimate + half_width
    passed = within(0.0, low, high)
    words = "the halves differ by more than posting prices alone explain" if passed == "no" else None
    last = Finding(name, "", "difference", headline.n, difference.estimate, low, high, 0.0, passed=passed, reason=words)
    return Found((*rows, last))


def sources_out(run: ReopenedRun, headline: Headline, progress: Progress) -> Found:
    """Growth with each source left out of the basket."""
    name, source = "leave_one_source_out", run.opened.model.rows["source"]
    known = sorted(source.unique())
    if len(known) < 2:
        return not_judged(name, f"the basket has one source only, {known[0]}: none can be left out")
    rows: list[Finding] = []
    for done, left_out in enumerate(known, start=1):
        try:
            found = _growth(run, headline, (source != left_out).to_numpy())
        except ThinMatchError as error:
            rows.append(Finding(name, left_out, "growth", 0, reason=f"without {left_out}: {error}"))
        else:
            rows += beside(name, left_out, found, headline, f"growth without {left_out} leaves the headline's interval")
        progress.advance(done, len(known))
    return Found(tuple(rows))


def beside(name: str, cell: str, found: Moved, headline: Headline, words: str) -> list[Finding]:
    """Another figure of growth, judged by whether it stays in the headline's interval, and its paired difference."""
    level, ends = headline.level, headline.interval
    own, difference = found.interval(level), found.less(headline.growth)
    passed, apart = within(found.estimate, ends.lower, ends.upper), difference.interval(level)
    reason = {"yes": None, "no": words, "not_judged": "the headline has no interval to lie in"}[passed]
    return [
        Finding(
            name, cell, "growth", headline.n, found.estimate, own.lower, own.upper, headline.growth.estimate,
            passed=passed, reason=reason,
        ),
        Finding(
            name, cell, "difference", headline.n, difference.estimate, apart.lower, apart.upper, 0.0,
            reason="shown: judged by whether growth stays in the headline's interval",
        ),
    ]  # fmt: skip


def vintages(run: ReopenedRun, headline: Headline, progress: Progress) -> Found:
    """The base month's sessions, frozen, under the postings up to each later month: the drift of prices of gigs."""
    name, posted = "frozen_sessions", run.opened.model.rows["month"].to_numpy(dtype=str)
    months = [month for month in run.tracked.calendar.months if headline.from_month <= month <= headline.to_month]
    counts = {month: int((posted <= month).sum()) for month in months}
    first = counts[headline.from_month]
    fresh = [month for before, month in zip(months, months[1:], strict=False) if counts[month] > counts[before]]
    if not fresh:
        return not_judged(name, f"no posting is dated after {headline.from_month} and by {headline.to_month}: every "
                          "vintage is the same basket", measure="drift")  # fmt: skip
    if first < MIN_POSTINGS:
        return not_judged(name, f"only {first} postings are dated by {headline.from_month}, fewer than {MIN_POSTINGS}",
                          measure="drift")  # fmt: skip
    base = headline.month == headline.base
    start, moved = _level(run, headline, posted <= headline.from_month, base), []
    for done, month in enumerate(fresh, start=1):
        moved.append(_level(run, headline, posted <= month, base).less(start))
        progress.advance(done, len(fresh))
    band = series_band(
        np.array([one.estimate for one in moved]), np.column_stack([one.both for one in moved]), level=headline.level,
        factor=np.array([one.factor for one in moved]),
    )  # fmt: skip
    rows = []
    for i, month in enumerate(fresh):
        added, low, high = counts[month] - first, float(band.lower[i]), float(band.upper[i])
        passed = within(0.0, low, high) if added >= MIN_POSTINGS else "not_judged"
        thin = f"only {added} postings were added since {headline.from_month}, fewer than {MIN_POSTINGS}"
        reason = {"yes": None, "no": "prices of gigs moved: figures of another vintage are not comparable with these",
                  "not_judged": thin}[passed]  # fmt: skip
        n = int(base.sum())
        rows.append(Finding(name, month, "drift", n, moved[i].estimate, low, high, 0.0, passed=passed, reason=reason))
    return Found(tuple(rows))


def _growth(run: ReopenedRun, headline: Headline, clusters: NDArray[np.bool_]) -> Moved:
    """Growth of the headline's sessions priced by a part of the basket."""
    part, sessions = priced_by(run, clusters, headline.two, headline.which)
    return growth_of(sessions, headline.month[headline.two], part, headline, run.settings)


def _level(run: ReopenedRun, headline: Headline, clusters: NDArray[np.bool_], chosen: NDArray[np.bool_]) -> Moved:
    """Mean log value of the chosen sessions priced by a part of the basket; not widened."""
    part, sessions = priced_by(run, clusters, chosen, headline.which)
    cell = np.zeros((1, sessions.log_value.size), dtype=np.int64)
    found, _, _ = cell_replicates(sessions, part, cell, headline.which, run.settings, n_cells=1)
    return Moved(float(found.point[0]), found.users[:, 0], found.postings[:, 0], found.both[:, 0], 1.0)

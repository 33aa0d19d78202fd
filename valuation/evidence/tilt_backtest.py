"""The tilt backtest of a run: true change of tilted held-out postings beside what the pricer measures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from valuation.core.bootstrap import posting_replicates
from valuation.core.calibration import apply
from valuation.core.intervals import series_band, widening
from valuation.core.shift_check import month_means, principal_components
from valuation.core.tilt import Backtest, backtest, exponential_tilt, session_tilts, share_tilt, slope
from valuation.evidence.findings import NAN, Finding, Found, within
from valuation.evidence.headline import interval
from valuation.evidence.readings import slope_on_price
from valuation.storage import read_postings
from valuation.tables import TiltBacktest, typed

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from valuation.evidence.findings import Verdict
    from valuation.evidence.headline import Headline
    from valuation.pipeline.reopened import ReopenedRun
    from valuation.storage import Layout

NAME = "tilt_backtest"
STRENGTHS = (-1.0, -0.5, 0.5, 1.0)
"""Standard deviations by which a component, or the price, is moved."""
GONE_OVER = 0.5
"""Share of all work that goes over to a category, source or fifth of prices."""
MIN_GROUP = 100
"""Duplicate clusters that a category or source needs to be tilted to."""
ABOUT = 0.1
"""A slope is *about* what it should be if its interval comes within this share of it."""


@dataclass(frozen=True, slots=True)
class Tilt:
    """One pair of months: weights of postings before and after; ``start`` None = all alike."""

    axis: str
    name: str
    strength: float
    end: NDArray[np.float64]
    start: NDArray[np.float64] | None = None


@dataclass(frozen=True, slots=True)
class Axis:
    """The tilts of one axis and what they found."""

    name: str
    tilts: tuple[Tilt, ...]
    found: Backtest
    lower: NDArray[np.float64]
    upper: NDArray[np.float64]


def tilt_backtest(run: ReopenedRun, headline: Headline, layout: Layout) -> tuple[Found, pd.DataFrame]:
    """Tilt postings along texts, categories, sources, prices and the run's own months; summary and every tilt."""
    tilts = [*_text(run), *_groups(run, layout), *_price(run), *_sessions(run, headline)]
    axes = {
        name: _axis(run, headline, name, part)
        for name in ("text", "sessions", "category", "source", "price")
        if (part := tuple(tilt for tilt in tilts if tilt.axis == name))
    }
    rows = [row for axis in axes.values() for row in _summary(run, headline, axis)]
    missing = {
        "text": "no component of the postings' vectors can be tilted",
        "sessions": "postings cannot be weighed to resemble the sessions of both months",
        "category": f"no category, or not two of them, with {MIN_GROUP} postings",
        "source": f"not two sources with {MIN_GROUP} postings",
        "price": "prices cannot be tilted",
    }
    rows += [Finding(NAME, name, "slope", 0, reason=why) for name, why in missing.items() if name not in axes]
    return Found(tuple(rows)), _table(list(axes.values()))


def _text(run: ReopenedRun) -> list[Tilt]:
    """Tilts along the principal components of the postings' vectors, both ways."""
    vectors = run.opened.model.vectors
    coordinate, _ = principal_components(vectors, vectors[:1], components=run.settings.shift_check.components)
    return [
        Tilt("text", f"component {column + 1:02d}", strength, weight)
        for column in range(coordinate.shape[1])
        for strength in STRENGTHS
        if (weight := exponential_tilt(coordinate[:, column], strength=strength)) is not None
    ]


def _groups(run: ReopenedRun, layout: Layout) -> list[Tilt]:
    """Tilts towards each category and each source that is large enough, where there are two at least."""
    rows = run.opened.model.rows
    postings = read_postings(layout)[["posting_id", "category"]]
    category = rows[["posting_id"]].merge(postings, how="left", on="posting_id", validate="one_to_one")["category"]
    tilts: list[Tilt] = []
    for axis, label in (("category", category), ("source", rows["source"])):
        counts = label.value_counts()
        large = sorted(counts.index[counts >= MIN_GROUP])
        if label.nunique(dropna=False) > 1:
            tilts += [
                Tilt(axis, name, GONE_OVER, share_tilt((label == name).to_numpy(dtype=bool), strength=GONE_OVER))
                for name in large
            ]
    return tilts


def _price(run: ReopenedRun) -> list[Tilt]:
    """Tilts along the price itself, and towards each fifth of it."""
    price = run.opened.model.arrays.log_price
    if price.std() == 0:
        return []
    tilts = [
        Tilt("price", "log price", strength, weight)
        for strength in STRENGTHS
        if (weight := exponential_tilt(price, strength=strength)) is not None
    ]
    fifth = np.searchsorted(np.quantile(price, [0.2, 0.4, 0.6, 0.8]), price, side="right")
    return tilts + [
        Tilt("price", f"fifth {which + 1}", GONE_OVER, share_tilt(fifth == which, strength=GONE_OVER))
        for which in np.unique(fifth)
    ]


def _sessions(run: ReopenedRun, headline: Headline) -> list[Tilt]:
    """The run's own change: postings weighed to resemble the sessions of the base month, and of the last one."""
    asked, sessions = run.settings.shift_check, run.tracked.sessions
    coordinate, of_sessions = principal_components(
        run.opened.model.vectors, run.sessions.vectors[run.tracked.matched], components=asked.components
    )
    side = np.where(headline.month == headline.base, 0, np.where(headline.month == headline.last, 1, -1))
    target = month_means(of_sessions, sessions.weight, side, n_months=2)
    found = session_tilts(coordinate, target, min_effective=asked.min_effective)
    if found is None:
        return []
    (start, end), components = found
    name = f"{headline.from_month} to {headline.to_month}, {components} components"
    return [Tilt("sessions", name, 1.0, end, start)]


def _axis(run: ReopenedRun, headline: Headline, name: str, tilts: tuple[Tilt, ...]) -> Axis:
    """Backtest the tilts of one axis, with simultaneous bands of what the pricer misses."""
    arrays, boot = run.opened.model.arrays, run.settings.bootstrap
    n, n_units = arrays.log_price.size, arrays.unit_key.size
    start = np.stack([np.full(n, 1.0 / n) if tilt.start is None else tilt.start for tilt in tilts])
    end = np.stack([tilt.end for tilt in tilts])
    value = apply(run.opened.model.calibration[headline.which], run.opened.model.value[headline.which])
    found = backtest(start, end, arrays.log_price, value, arrays.unit, n_units=n_units)
    missed, influence = found.missed()
    moved = posting_replicates(influence, unit_key=arrays.unit_key, seed=boot.seed, replicates=boot.replicates)
    factor = widening(found.effective_postings, level=headline.level)
    band = series_band(missed, moved, level=headline.level, factor=factor)
    return Axis(name, tilts, found, band.lower, band.upper)


def _summary(run: ReopenedRun, headline: Headline, axis: Axis) -> list[Finding]:
    """Slope of true on measured change over the axis, and how many of its tilts the pricer misses."""
    arrays, boot, n = run.opened.model.arrays, run.settings.bootstrap, run.opened.model.arrays.log_price.size
    estimate, influence = slope(axis.found, np.arange(len(axis.tilts)))
    ends = (NAN, NAN)
    if np.isfinite(estimate):
        moved = posting_replicates(
            influence[:, None], unit_key=arrays.unit_key, seed=boot.seed, replicates=boot.replicates
        )
        found = interval(estimate, moved[:, 0], level=headline.level)
        ends = found.lower, found.upper
    if axis.name == "sessions":  # one tilt: what is missed is an amount, a ratio of two small changes says little
        return [_own_shift(axis, n)]
    expected = 1.0 if axis.name != "price" else 1.0 / slope_on_price(run, headline)[0]
    passed = _about(expected, *ends)
    outside = (axis.lower > 0) | (axis.upper < 0)
    line = Finding(
        NAME, axis.name, "slope", n, estimate, *ends, expected, passed=passed, reason=_words(axis, estimate, passed)
    )
    if axis.name == "price":  # every tilt along prices is missed in part: that is what the slope says
        return [line]
    size, missed = len(axis.tilts), float(outside.sum())
    return [line, Finding(NAME, axis.name, "tilts_missed", size, missed, expected=0.0, reason=_worst(axis, outside))]


def _own_shift(axis: Axis, n: int) -> Finding:
    """What the pricer misses when postings change as the run's sessions did."""
    missed, low, high = float(axis.found.missed()[0][0]), float(axis.lower[0]), float(axis.upper[0])
    passed = within(0.0, low, high)
    true, measured = float(axis.found.true_change[0]), float(axis.found.measured_change[0])
    shown = f"postings tilted as the sessions changed move by {true:+.3f}, and are measured to move by {measured:+.3f}"
    return Finding(NAME, axis.name, "missed", n, missed, low, high, 0.0, passed=passed, reason=shown)


def _about(expected: float, low: float, high: float) -> Verdict:
    """Whether the interval of a slope comes within `ABOUT` of what is expected; not judged without one."""
    if not np.isfinite([expected, low, high]).all():
        return "not_judged"
    return "yes" if low <= expected * (1 + ABOUT) and high >= expected * (1 - ABOUT) else "no"


def _words(axis: Axis, estimate: float, passed: Verdict) -> str | None:
    """What a slope that is off says."""
    if passed == "yes":
        return None
    if passed == "not_judged":
        return "the pricer measures no change along this axis"
    if axis.name == "price":
        return "held-out values do not follow prices along a straight line: growth along prices is only rough"
    lean = "understates" if estimate > 1 else "overstates"
    return f"the pricer {lean} changes along this axis: a measured log growth of 0.10 stands for {0.1 * estimate:.2f}"


def _worst(axis: Axis, outside: NDArray[np.bool_]) -> str:
    """Name the tilts whose change is missed most, beyond their simultaneous band."""
    missed = axis.found.missed()[0]
    worst = [row for row in np.argsort(-np.abs(missed), kind="stable") if outside[row]][:3]
    if not worst:
        return "shown: no tilt's change is missed beyond its simultaneous band"
    named = (f"{axis.tilts[row].name} at {axis.tilts[row].strength:+g} by {missed[row]:+.3f}" for row in worst)
    return "shown: missed most beyond the simultaneous band, " + "; ".join(named)


def _table(axes: list[Axis]) -> pd.DataFrame:
    """Every tilt."""
    parts = [
        pd.DataFrame(
            {
                "axis": axis.name,
                "tilt": [tilt.name for tilt in axis.tilts],
                "strength": [tilt.strength for tilt in axis.tilts],
                "true_change": axis.found.true_change,
                "measured_change": axis.found.measured_change,
                "missed": axis.found.missed()[0],
                "lower": axis.lower,
                "upper": axis.upper,
                "effective_postings": axis.found.effective_postings,
            }
        )
        for axis in axes
    ]
    if not parts:
        return typed({}, TiltBacktest)
    whole = pd.concat(parts, ignore_index=True)
    return typed({column: whole[column] for column in whole.columns}, TiltBacktest)

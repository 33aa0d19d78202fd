"""One world of the simulation study: its growth with every interval, what those should hold, what would be warned."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from zlib import crc32

import numpy as np

from valuation.core.bootstrap import VARIATIONS, joint_replicates
from valuation.core.decomposition import decompose
from valuation.core.growth import GrowthEstimate, between, contrast_interval, growth
from valuation.core.influence import series_influence
from valuation.core.intervals import widening
from valuation.core.shift_check import month_means, principal_components, shift_check
from valuation.core.tilt_users import tilted_by_users
from valuation.evidence.observed import observe
from valuation.evidence.targets import targets_of
from valuation.evidence.would_warn import Fired, fired
from valuation.simulation.vectors import vector_world

if TYPE_CHECKING:
    from valuation.core.bootstrap import Replicates, ShareReplicates
    from valuation.core.intervals import Interval
    from valuation.evidence.observed import Observed
    from valuation.evidence.targets import Target
    from valuation.evidence.worlds import Cell, Estimation

ENDS = (np.array([0]), np.array([1]))


@dataclass(frozen=True, slots=True)
class Estimate:
    """An estimate of growth, or of a term of it, with its interval; log points, NaN where the product gives none."""

    series: str
    estimate: float
    lower: float
    upper: float
    standard_error: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one world.

    Attributes
    ----------
    number : int
        Of the world in its cell.
    estimates : tuple of Estimate
        One a series.
    targets : tuple of Target
        What they should hold.
    warned : Fired
        Which warnings its report would show.
    """

    number: int
    estimates: tuple[Estimate, ...]
    targets: tuple[Target, ...]
    warned: Fired


@dataclass(frozen=True, slots=True)
class _Robust:
    """The doubly robust growth, the pricer's error with its interval, components balanced and those there are."""

    corrected: Interval
    difference: Interval
    components: int
    available: int

    @property
    def excludes_zero(self) -> bool:
        return bool(self.difference.lower[0] > 0 or self.difference.upper[0] < 0)


def run_world(cell: Cell, *, number: int, seed: int) -> Outcome:
    """Draw a world of a cell, estimate its growth, and set every interval beside its targets.

    Parameters
    ----------
    cell : Cell
    number : int
        Of the world, from 0; the same number, seed and cell give the same world in any study.
    seed : int
        Of the study.
    """
    source = np.random.SeedSequence([seed, crc32(cell.name.encode()), number])
    rng, own = np.random.default_rng(source), int(source.generate_state(1)[0])
    how, world = cell.estimation, vector_world(cell.options, rng=rng)
    seen = observe(world, how, seed=own)
    influence = series_influence(
        seen.sessions, seen.basket.arrays(), seen.residual, seen.cell, n_cells=2 * (1 + len(cell.options.groups)),
        use_hedonic=how.pricer != "neighbours",
    )  # fmt: skip
    series, shares = joint_replicates(
        influence, unit_key=seen.basket.unit_key, user_key=seen.sessions.user_key, seed=own, replicates=how.replicates
    )
    ends = between(influence.mean.size, *ENDS)
    found = [
        growth(
            series, influence, contrast=ends, months_apart=1.0, trend=np.full(ends.size, np.nan), variation=variation,
            level=how.level,
        )
        for variation in VARIATIONS
    ]  # fmt: skip
    robust = _robust(seen, series, found[-1], how, own)
    estimates = [*map(_of_growth, ("users", "postings", "joint"), found), _of("doubly_robust", robust.corrected, 0)]
    if cell.options.groups:
        estimates += _terms(series, shares, len(cell.options.groups), found[-1].factor, how)
    warned = fired(
        world, seen, influence, found[-1].support, how, shift_excludes_zero=robust.excludes_zero,
        balanced_share=robust.components / robust.available, seed=own,
    )  # fmt: skip
    targets = targets_of(world, seen, how, components=robust.components, rng=rng)
    return Outcome(number, tuple(estimates), tuple(targets), warned)


def _of_growth(series: str, found: GrowthEstimate) -> Estimate:
    change = found.log_growth
    return Estimate(series, change.estimate, change.lower, change.upper, found.standard_error)


def _of(series: str, interval: Interval, at: int) -> Estimate:
    parts = (interval.estimate, interval.lower, interval.upper, interval.standard_error)
    return Estimate(series, *(float(part[at]) for part in parts))


def _robust(seen: Observed, series: Replicates, found: GrowthEstimate, how: Estimation, seed: int) -> _Robust:
    """Shift check and doubly robust growth, as `valuation.pipeline.moved_tables` makes them."""
    postings, sessions = principal_components(
        seen.basket.vectors, seen.vectors[seen.matched], components=how.components
    )
    target = month_means(sessions, seen.sessions.weight, seen.cell[0], n_months=2)
    check = shift_check(
        postings, target, seen.residual, seen.basket.unit, _months(series), together=np.ones(2, dtype=bool),
        min_effective=how.min_effective, unit_key=seen.basket.unit_key, seed=seed,
    )  # fmt: skip
    check = tilted_by_users(check, postings, target, seen.residual, seen.sessions, sessions, seen.cell[0], seed=seed)
    thinnest = float(check.effective_postings.min())
    factors = widening(np.array([thinnest, min(thinnest, found.support.effective_users)]), level=how.level)
    change = between(2, *ENDS)
    return _Robust(
        contrast_interval(check.corrected, change, variation="both", level=how.level, factor=float(factors[1])),
        contrast_interval(check.difference, change, variation="postings", level=how.level, factor=float(factors[0])),
        int(check.components.min()),
        postings.shape[1],
    )


def _months(series: Replicates) -> Replicates:
    """The months' columns alone."""
    return type(series)(series.point[:2], series.users[:, :2], series.postings[:, :2], series.both[:, :2])


def _terms(series: Replicates, shares: ShareReplicates, groups: int, factor: float, how: Estimation) -> list[Estimate]:
    """Within and mix of growth, all groups together."""
    first = 2 + np.arange(groups)
    found = decompose(
        series, shares, from_cells=first, to_cells=first + groups, variation="both", level=how.level, factor=factor
    )
    return [_of("within", found.within, -1), _of("mix", found.mix, -1)]

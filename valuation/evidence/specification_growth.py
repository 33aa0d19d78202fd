"""Growth under every specification of a block: estimates, joint intervals, and growth with months permuted.

Everything comes from the draws that the run's own intervals come from. Specifications with one way and one choice share
influence functions; all of a block share one pass over the draws. Means of logs and their replicates are in linear
form; the median and the trimmed mean move every session's value in every replicate, and so does the mean price, by the
longer way through `valuation.core.nonlinear`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import csr_array, hstack

from valuation.core import draws
from valuation.core.bootstrap import Replicates, calibrated, posting_replicates
from valuation.core.growth import between, growth
from valuation.core.influence import series_influence
from valuation.core.nonlinear import nonlinear_replicates
from valuation.core.permuted_statistics import STATISTICS, permuted_statistics
from valuation.core.specification_replicates import MEDIAN, TRIMMED_MEAN, TwoMonths, joint_statistics, valued
from valuation.evidence.specification_ways import Choice, Way, choice_of, too_thin, value_sessions, way_of, weights_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from valuation.core.arrays import PricedSessions
    from valuation.core.growth import GrowthEstimate
    from valuation.core.influence import Influence
    from valuation.evidence.specification_ways import Frame, ValuedSessions
    from valuation.evidence.specifications import Specification

Case = tuple[Way, Choice]
Asked = tuple[Case, str]
QUICK = {"median": MEDIAN, "trimmed_mean": TRIMMED_MEAN}
"""Statistics with a quick way to their replicates."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """Growth under one specification; NaN with a reason where there is none.

    Attributes
    ----------
    growth, lower, upper : float
        0.27 = 27 %.
    log_growth : float
    n_matched : int
        Matched sessions of the two months.
    effective_users, effective_postings : float
    reason : str
        Why there is no figure; '' where there is one.
    permuted : ndarray, shape (n_permutations,)
        Log growth with months permuted between users; NaN where a month is then empty.
    """

    growth: float
    lower: float
    upper: float
    log_growth: float
    n_matched: int
    effective_users: float
    effective_postings: float
    reason: str
    permuted: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class _Block:
    """What the specifications of a block have in common, by way, choice and both."""

    ways: dict[Way, ValuedSessions]
    weights: dict[Choice, NDArray[np.float64]]
    influence: dict[Case, Influence]


def estimate(frame: Frame, members: Sequence[Specification]) -> list[Estimate]:
    """Estimate every specification of a block, in the order given."""
    ways = value_sessions(frame, dict.fromkeys(map(way_of, members)))
    cases = [(way_of(s), choice_of(s, ways[way_of(s)])) for s in members]
    nearest = ways[cases[0][0]].nearest  # the nearest posting is the same whatever k
    weights = {choice: weights_of(frame, choice, nearest) for _, choice in cases}
    thin = {choice: too_thin(frame, weight) for choice, weight in weights.items()}
    asked = [(case, s.statistic) for case, s in zip(cases, members, strict=True) if not thin[case[1]]]
    influence = {case: _influence(frame, ways[case[0]], case, weights) for case in dict.fromkeys(c for c, _ in asked)}
    block = _Block(ways, weights, influence)
    replicates = _replicates(frame, block, tuple(dict.fromkeys(asked)))
    return [
        missing(thin[case[1]], int((weights[case[1]] > 0).sum()), len(frame.permuted))
        if thin[case[1]]
        else _estimate(frame, block, case, s.statistic, replicates[case, s.statistic])
        for case, s in zip(cases, members, strict=True)
    ]


def missing(reason: str, n_matched: int, permutations: int) -> Estimate:
    """Return the row of a specification without a figure."""
    none = float("nan")
    return Estimate(none, none, none, none, n_matched, none, none, reason, np.full(permutations, none))


def _estimate(frame: Frame, block: _Block, case: Case, statistic: str, replicates: Replicates) -> Estimate:
    """Growth with its joint interval, and under permuted months."""
    rate: GrowthEstimate = growth(
        replicates, block.influence[case], contrast=between(2, np.array([0]), np.array([1])),
        months_apart=frame.ends.apart, trend=np.full(2, np.nan), variation="both", level=frame.settings.series.level,
    )  # fmt: skip
    return Estimate(
        growth=rate.growth.estimate,
        lower=rate.growth.lower,
        upper=rate.growth.upper,
        log_growth=rate.log_growth.estimate,
        n_matched=int((block.weights[case[1]] > 0).sum()),
        effective_users=rate.support.effective_users,
        effective_postings=rate.support.effective_postings,
        reason="",
        permuted=_permuted(frame, block.ways[case[0]], case[1], statistic),
    )


def _permuted(frame: Frame, way: ValuedSessions, choice: Choice, statistic: str) -> NDArray[np.float64]:
    """Log growth of a statistic under every permutation; values and matches stay with their sessions."""
    found = permuted_statistics(
        way.log_value, way.log_price, np.where(way.nearest >= choice.s_min, frame.weight, 0.0), frame.permuted,
        frame.sessions.users.code, base=0, last=1, n_users=frame.sessions.users.key.size,
        users_equal=choice.weighting == "users", trim=frame.settings.series.trim, only=STATISTICS.index(statistic),
    )  # fmt: skip
    return np.asarray(found[:, 1] - found[:, 0])


def _influence(frame: Frame, way: ValuedSessions, case: Case, weights: dict[Choice, NDArray[np.float64]]) -> Influence:
    """Both months' means and influence functions."""
    sessions, cell = _chosen(frame, way, weights[case[1]])
    return series_influence(
        sessions, frame.fitted.model, way.residual, cell, n_cells=2, use_hedonic=case[0].pricer != "neighbours"
    )


def _chosen(frame: Frame, way: ValuedSessions, weight: NDArray[np.float64]) -> tuple[PricedSessions, NDArray[np.int64]]:
    """Sessions that count, with their weights, and the month of each, shape (1, n): 0 or 1."""
    rows = np.flatnonzero(weight > 0)
    every = way.sessions
    sessions = replace(
        every,
        log_value=every.log_value[rows],
        weight=weight[rows],
        user=every.user[rows],
        neighbour=every.neighbour[rows],
        neighbour_weight=every.neighbour_weight[rows],
        features=every.features[rows],
    )
    return sessions, (rows >= frame.split).astype(np.int64)[None]


def _replicates(frame: Frame, block: _Block, asked: tuple[Asked, ...]) -> dict[Asked, Replicates]:
    """Replicates of every case and statistic asked for, each by the shortest way there is."""
    quick = [what for what in asked if what[1] in QUICK and block.ways[what[0][0]].line is None]
    linear = [what for what in asked if what[1] == "mean_log"]
    done = set(quick) | set(linear)
    found = {**_linear(frame, block, linear), **_quick(frame, block, quick)}
    return found | {what: _long(frame, block, what) for what in asked if what not in done}


def _linear(frame: Frame, block: _Block, asked: list[Asked]) -> dict[Asked, Replicates]:
    """Means of logs, all columns in one pass over the draws."""
    if not asked:
        return {}
    of = [block.influence[case] for case, _ in asked]
    drawn = {"seed": frame.settings.bootstrap.seed, "replicates": frame.settings.bootstrap.replicates}
    model = frame.fitted.model
    postings = posting_replicates(np.hstack([part.posting for part in of]), unit_key=model.unit_key, **drawn)
    together = csr_array(hstack([part.user for part in of], format="csr"))
    users = draws.replicate_sums(frame.sessions.users.key, together, stream=draws.USERS, **drawn)
    found = {}
    for i, (what, influence) in enumerate(zip(asked, of, strict=True)):
        columns = slice(2 * i, 2 * i + 2)
        raw = Replicates(
            influence.mean, users[:, columns], postings[:, columns], users[:, columns] + postings[:, columns]
        )
        line = block.ways[what[0][0]].line
        found[what] = raw if line is None else calibrated(raw, line)
    return found


def _quick(frame: Frame, block: _Block, asked: list[Asked]) -> dict[Asked, Replicates]:
    """Medians and trimmed means of all ways and choices in one pass over the draws."""
    if not asked:
        return {}
    ways = list(dict.fromkeys(way for (way, _), _ in asked))
    choices = list(dict.fromkeys(choice for (_, choice), _ in asked))
    model, first = frame.fitted.model, block.ways[ways[0]].sessions
    months = TwoMonths(frame.split, first.user, first.user_key, np.stack([block.weights[choice] for choice in choices]))
    moved = joint_statistics(
        [
            valued(block.ways[way].sessions, model, block.ways[way].residual, use_hedonic=way.pricer != "neighbours")
            for way in ways
        ],
        months, model, trim=frame.settings.series.trim, seed=frame.settings.bootstrap.seed,
        replicates=frame.settings.bootstrap.replicates,
    )  # fmt: skip
    found = {}
    for what in asked:
        (way, choice), statistic = what
        rows = moved[ways.index(way), choices.index(choice), QUICK[statistic]]
        both = (rows[:, 1:] - rows[:, :1]).T
        none = np.empty((0, 2))
        found[what] = Replicates(rows[:, 0], none, none, both)
    return found


def _long(frame: Frame, block: _Block, what: Asked) -> Replicates:
    """Any statistic that is not linear, by the general routine."""
    (way, choice), statistic = what
    valued_so = block.ways[way]
    sessions, cell = _chosen(frame, valued_so, block.weights[choice])
    found = nonlinear_replicates(
        sessions, frame.fitted.model, valued_so.residual, cell, n_cells=2, use_hedonic=way.pricer != "neighbours",
        calibration=valued_so.line, trim=frame.settings.series.trim, seed=frame.settings.bootstrap.seed,
        replicates=frame.settings.bootstrap.replicates,
    )  # fmt: skip
    chosen: Replicates = {"median": found.median, "trimmed_mean": found.trimmed_mean, "mean": found.mean}[statistic]
    return chosen

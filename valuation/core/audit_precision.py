"""Precision of matching: the share of judged gigs that are comparable, with what "can't say" could make of it.

The unit is a session-gig pair, with the share of its analysts who call it comparable, of those who decided: to drop
pairs on which they differ would move the figure away from 1/2. "Can't say" is left out of the figure and counts on
either side in its bounds. Sessions were drawn, not pairs; the gigs of one session, and the sessions of one user, tend
to be right or wrong together.

The figure, of a cell (a stratum, a kind, a month) or of all, is the ratio ``P = Σ c_i/π_i / Σ n_i/π_i`` (Hájek 1971)
with ``n_i`` pairs of session ``i`` and ``c_i`` the sum of their shares. Its variance ``V`` is that of
`valuation.core.audit_variance`, stratified and clustered by user, of ``x_i = (c_i − P n_i)/Σ n/π``, 0 outside the cell
(Särndal, Swensson and Wretman 1992, Model assisted survey sampling, section 5.8, for domains). The interval is Wilson's
with ``P(1 − P)/V`` pairs and Student's quantile (Korn and Graubard 1998, "Confidence intervals for proportions with
small expected number of positive counts estimated from survey data", for the effective number), so that a share of 0 or
1 has a width too: where nothing varies, a user counts as one pair.

``V`` of a cell with few sessions can be small by luck. So a cell's number is at most what the correlation ``ρ`` of
pairs of one session (analysis of variance, one for all cells) leaves, ``(Σ_i n_i/π_i)² / Σ_i (n_i/π_i²)(1 + (n_i − 1)
ρ)``, times ``P(1 − P)`` over the spread of the pairs' shares (1 with one analyst a pair: the mean of several varies
less). With one user ``V`` cannot be told: a cell is one pair then, with the normal quantile.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import ndtri, stdtrit

from valuation.core.audit_response import ResponseStrata, response_strata
from valuation.core.audit_variance import Sampled, variance_of

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

COMPARABLE, NOT_COMPARABLE, CANT_SAY = 1.0, 0.0, -1.0
"""Verdicts on a pair; session larger, session smaller and wrong kind are `NOT_COMPARABLE`."""

NO_VARIANCE = 1e-12
"""A variance of shares that small, or smaller by that to ``P(1 − P)``, is rounding."""


@dataclass(frozen=True, slots=True)
class CheckedSessions:
    """All sessions that could have been drawn, one row each, in any order.

    Attributes
    ----------
    month, user, stratum : ndarray of int, shape (n_sessions,)
        As in `valuation.core.audit_estimate.AuditedSessions`.
    cell : ndarray of int, shape (n_sessions,)
        Group that figures are wanted for, or -1.
    """

    month: NDArray[np.int64]
    user: NDArray[np.int64]
    stratum: NDArray[np.int64]
    cell: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Precision:
    """Shares in [0, 1], one a cell; NaN where no pair was decided.

    Attributes
    ----------
    estimate, lower, upper : ndarray, shape (n_cells,)
        Comparable of all but "can't say", with its interval.
    lower_bound, upper_bound : ndarray, shape (n_cells,)
        With every "can't say" not comparable, and comparable; NaN without any verdict.
    effective_pairs : ndarray, shape (n_cells,)
        Independent pairs that would give the interval.
    n_sessions : ndarray of int, shape (n_cells,)
        Sessions with a verdict on a pair, "can't say" included.
    n_decided, n_cant_say : ndarray of int, shape (n_cells,)
        Pairs with a verdict other than "can't say", and with no other.
    n_disagreed : ndarray of int, shape (n_cells,)
        Pairs, of those decided, that some analysts call comparable and others not.
    """

    estimate: NDArray[np.float64]
    lower: NDArray[np.float64]
    upper: NDArray[np.float64]
    lower_bound: NDArray[np.float64]
    upper_bound: NDArray[np.float64]
    effective_pairs: NDArray[np.float64]
    n_sessions: NDArray[np.int64]
    n_decided: NDArray[np.int64]
    n_cant_say: NDArray[np.int64]
    n_disagreed: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class MatchPrecision:
    """Precision by cell and over all.

    Attributes
    ----------
    cells : Precision
    overall : Precision
        One entry.
    correlation : float
        ``ρ``, in [0, 1]; 1 where it cannot be told: then a session counts as one pair.
    standard_error : float
        Of the overall share, by design; NaN with fewer than two users decided on.
    """

    cells: Precision
    overall: Precision
    correlation: float
    standard_error: float


@dataclass(frozen=True, slots=True)
class _Judged:
    """Sessions with what was said of their pairs, shape (n_sessions,) each.

    ``comparable`` sums the shares of decided pairs and ``squares`` their squares; ``decided``, ``cant_say`` and
    ``disagreed`` count pairs. ``weight`` is ``1/π`` of those ``answered`` ("can't say" is an answer), 0 of others.
    """

    comparable: NDArray[np.float64]
    squares: NDArray[np.float64]
    decided: NDArray[np.float64]
    cant_say: NDArray[np.float64]
    disagreed: NDArray[np.float64]
    weight: NDArray[np.float64]
    user: NDArray[np.int64]
    strata: ResponseStrata
    answered: NDArray[np.bool_]


def match_precision(
    sessions: CheckedSessions, pair_session: NDArray[np.int64], verdict: ArrayLike, *, n_cells: int, level: float
) -> MatchPrecision:
    """Estimate precision by cell and over all sessions, each session with the weight of its pairs.

    Parameters
    ----------
    sessions : CheckedSessions
    pair_session : ndarray of int, shape (n_pairs,)
        Row of each judged pair's session; one row a pair.
    verdict : array_like, shape (n_pairs,)
        Share of those who decided that call the pair comparable, in [0, 1] (`COMPARABLE` and `NOT_COMPARABLE` where
        they agree, or one judged), or `CANT_SAY` where nobody decided.
    n_cells : int
        Number of cells.
    level : float
        Of the intervals, in (0, 1).
    """
    judged = _judged(sessions, pair_session, np.asarray(verdict, dtype=np.float64))
    rho = _correlation(judged, sessions.cell, n_cells)
    cells = _shares(judged, sessions.cell, n_cells)
    effective = _effective_pairs(judged, sessions.cell, cells.estimate, rho)
    quantile = np.full(n_cells, float(ndtri(0.5 + level / 2)))
    for cell in np.flatnonzero(cells.n_decided):
        worth = _worth(judged, sessions.cell == cell, float(cells.estimate[cell]), level)
        pairs, quantile[cell], _ = (1.0, quantile[cell], np.nan) if worth is None else worth
        effective[cell] = min(effective[cell], pairs)
    overall, error = _overall(judged, level)
    return MatchPrecision(_with_interval(cells, effective, quantile), overall, rho, error)


def _judged(sessions: CheckedSessions, at: NDArray[np.int64], verdict: NDArray[np.float64]) -> _Judged:
    """Sums by session, and weights by those with a verdict."""
    decided = verdict != CANT_SAY
    if not ((verdict >= 0.0) & (verdict <= 1.0) | ~decided).all():
        raise ValueError("unknown verdict on a pair")
    n = sessions.month.size
    share = np.where(decided, verdict, 0.0)
    yes, squares, known, open_, differ = (
        np.bincount(at, weights=of, minlength=n).astype(np.float64)
        for of in (share, np.square(share), decided, ~decided, (share > 0.0) & (share < 1.0))
    )
    answered = known + open_ > 0
    strata = response_strata(sessions.stratum, sessions.month, answered)
    inclusion = (strata.responses / strata.size)[strata.stratum]
    weight = np.divide(1.0, inclusion, out=np.zeros(n), where=answered)
    return _Judged(yes, squares, known, open_, differ, weight, sessions.user, strata, answered)


def _shares(judged: _Judged, cell: NDArray[np.int64], n_cells: int) -> Precision:
    """Point figures of each cell."""
    rows = (cell >= 0) & judged.answered
    at, w = cell[rows], judged.weight[rows]
    yes, decided, open_ = (
        np.bincount(at, weights=w * column[rows], minlength=n_cells)
        for column in (judged.comparable, judged.decided, judged.cant_say)
    )
    plain = [
        np.bincount(at, weights=column[rows], minlength=n_cells).astype(np.int64)
        for column in (judged.decided, judged.cant_say, judged.disagreed)
    ]
    nothing = np.full(n_cells, np.nan)
    return Precision(
        _ratio(yes, decided), nothing, nothing, _ratio(yes, decided + open_), _ratio(yes + open_, decided + open_),
        nothing, np.bincount(at, minlength=n_cells).astype(np.int64), *plain,
    )  # fmt: skip


def _ratio(above: ArrayLike, below: ArrayLike) -> NDArray[np.float64]:
    """Quotient; NaN where nothing is below."""
    over, under = np.asarray(above, dtype=np.float64), np.asarray(below, dtype=np.float64)
    return np.asarray(np.divide(over, under, out=np.full(under.shape, np.nan), where=under > 0))


def _worth(judged: _Judged, inside: NDArray[np.bool_], share: float, level: float) -> tuple[float, float, float] | None:
    """Pairs that the sessions `inside` are worth by design, Student's quantile and the standard error of `share`.

    None where fewer than two users have a decided pair. Only strata that reach inside, and have verdicts, take part.
    """
    users = np.unique(judged.user[inside & (judged.decided > 0)]).size
    if users < 2:
        return None
    strata = judged.strata
    reached = np.bincount(strata.stratum[inside], minlength=strata.size.size) * strata.responses > 0
    near = reached[strata.stratum]
    below = float((judged.weight * judged.decided)[inside].sum())
    x = np.where(inside, (judged.comparable - share * judged.decided) / below, 0.0)[near]
    part = inside[near] / np.count_nonzero(inside & near)
    nothing = np.zeros(part.size)
    sampled = Sampled(
        nothing.astype(np.int64), judged.user[near], part, nothing, x, judged.answered[near], strata.stratum[near],
        strata.size, strata.responses,
    )  # fmt: skip
    variance = variance_of(sampled, np.ones(1))
    total, spread = variance.total("stratified"), share * (1.0 - share)
    # where all agree, or agree by luck, how much users differ cannot be told: each is one pair
    varies = total > NO_VARIANCE * spread > 0
    freedom = variance.freedom if varies else users - 1.0
    quantile = float(stdtrit(max(freedom, 1.0), 0.5 + level / 2))
    return spread / total if varies else float(users), quantile, float(np.sqrt(total))


def _overall(judged: _Judged, level: float) -> tuple[Precision, float]:
    """Over all sessions; no interval where one user is all there is."""
    everyone = np.zeros(judged.user.size, dtype=np.int64)
    whole = _shares(judged, everyone, 1)
    worth = _worth(judged, everyone == 0, float(whole.estimate[0]), level)
    if worth is None:
        return whole, np.nan
    pairs, quantile, error = worth
    most = whole.n_decided * _sharper(judged, everyone, whole.estimate)
    return _with_interval(whole, np.minimum(pairs, most), np.array([quantile])), error


def _correlation(judged: _Judged, cell: NDArray[np.int64], n_cells: int) -> float:
    """Correlation of pairs of one session within cells, by analysis of variance, in [0, 1]."""
    rows = (judged.decided > 0) & (cell >= 0)
    n, yes, at = judged.decided[rows], judged.comparable[rows], cell[rows]
    if not n.size:
        return 1.0
    pairs = np.bincount(at, weights=n, minlength=n_cells)
    squares = np.bincount(at, weights=n**2, minlength=n_cells)
    mean = _ratio(np.bincount(at, weights=yes, minlength=n_cells), pairs)
    between, apart = float((n * (yes / n - mean[at]) ** 2).sum()), float(n.size - (pairs > 0).sum())
    within, inner = float((judged.squares[rows] - yes**2 / n).sum()), float((n - 1.0).sum())
    if apart <= 0 or inner <= 0:
        return 1.0
    typical = float((pairs - np.nan_to_num(_ratio(squares, pairs))).sum()) / apart
    between, within = between / apart, within / inner
    whole = between + (typical - 1.0) * within
    return float(np.clip((between - within) / whole, 0.0, 1.0)) if whole > NO_VARIANCE else 1.0


def _effective_pairs(
    judged: _Judged, cell: NDArray[np.int64], share: NDArray[np.float64], rho: float
) -> NDArray[np.float64]:
    """Pairs of each cell that correlation within sessions leaves, in pairs of variance ``P(1 − P)``."""
    rows = (judged.decided > 0) & (cell >= 0)
    n, w, at = judged.decided[rows], judged.weight[rows], cell[rows]
    above = np.bincount(at, weights=w * n, minlength=share.size) ** 2
    below = np.bincount(at, weights=w**2 * n * (1.0 + (n - 1.0) * rho), minlength=share.size)
    return _ratio(above, below) * _sharper(judged, cell, share)


def _sharper(judged: _Judged, cell: NDArray[np.int64], share: NDArray[np.float64]) -> NDArray[np.float64]:
    """``P(1 − P)`` over the mean squared deviation of pairs' shares from ``P``: 1 with one analyst a pair."""
    rows = (judged.decided > 0) & (cell >= 0)
    pairs, squares = (
        np.bincount(cell[rows], weights=(judged.weight * of)[rows], minlength=share.size)
        for of in (judged.decided, judged.squares)
    )
    around = _ratio(squares, pairs) - share**2
    return np.divide(share * (1.0 - share), around, out=np.ones(share.size), where=around > NO_VARIANCE)


def _with_interval(found: Precision, effective: NDArray[np.float64], quantile: NDArray[np.float64]) -> Precision:
    """Wilson's interval (1927, "Probable inference, the law of succession, and statistical inference")."""
    share, squared = found.estimate, quantile**2
    below = 1.0 + squared / effective
    middle = (share + squared / (2.0 * effective)) / below
    half = quantile * np.sqrt(share * (1.0 - share) / effective + squared / (4.0 * effective**2)) / below
    lower, upper = np.clip(middle - half, 0.0, share), np.clip(middle + half, share, 1.0)
    return replace(found, lower=lower, upper=upper, effective_pairs=effective)

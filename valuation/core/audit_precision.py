"""Precision of matching: the share of judged gigs that are comparable, with what "can't say" could make of it.

The unit is a session-gig pair; "can't say" is left out of the figure and counts on either side in its bounds.
Sessions were drawn, not pairs, and the gigs of one session tend to be right or wrong together.

- **In a cell** (a stratum, a kind, a month) pairs are weighted by ``1/π`` of their session and the interval is
  Wilson's with an effective number of pairs, ``(Σ_i n_i/π_i)² / Σ_i (n_i/π_i²)(1 + (n_i − 1) ρ)``: ``n_i`` pairs of
  session ``i``, ``ρ`` the correlation of pairs of one session (analysis of variance, one for all cells: a cell's own
  would rest on two sessions).
- **Over all cells** the figure is the ratio ``Σ c_i/π_i / Σ n_i/π_i`` (Hájek 1971) with the variance of
  `valuation.core.audit_variance`: stratified, clustered by user. The interval is Wilson's with ``P(1 − P)/V`` pairs
  and Student's quantile (Korn and Graubard 1998, "Confidence intervals for proportions with small expected number of
  positive counts estimated from survey data", for the effective number), so that a share of 0 or 1 has a width too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import ndtri, stdtrit

from valuation.core.audit_response import response_strata
from valuation.core.audit_variance import Sampled, variance_of

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

COMPARABLE, NOT_COMPARABLE, CANT_SAY = 1, 0, -1
"""Verdicts on a pair; session larger, session smaller and wrong kind are `NOT_COMPARABLE`."""


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
        Pairs.
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
        Of the overall share, by design; NaN with fewer than two sessions decided.
    """

    cells: Precision
    overall: Precision
    correlation: float
    standard_error: float


@dataclass(frozen=True, slots=True)
class _Counts:
    """Comparable, decided and undecided pairs of each session, shape (n_sessions,)."""

    comparable: NDArray[np.float64]
    decided: NDArray[np.float64]
    cant_say: NDArray[np.float64]


def match_precision(
    sessions: CheckedSessions, pair_session: NDArray[np.int64], verdict: NDArray[np.int64],
    *, n_cells: int, level: float,
) -> MatchPrecision:  # fmt: skip
    """Estimate precision by cell and over all sessions, each session with the weight of its pairs.

    Parameters
    ----------
    sessions : CheckedSessions
    pair_session : ndarray of int, shape (n_pairs,)
        Row of each judged pair's session; one standing verdict a pair.
    verdict : ndarray of int, shape (n_pairs,)
        `COMPARABLE`, `NOT_COMPARABLE` or `CANT_SAY`.
    n_cells : int
        Number of cells.
    level : float
        Of the intervals, in (0, 1).
    """
    if not np.isin(verdict, (COMPARABLE, NOT_COMPARABLE, CANT_SAY)).all():
        raise ValueError("unknown verdict on a pair")
    n = sessions.month.size
    counts = _Counts(
        *(np.bincount(pair_session, weights=of, minlength=n).astype(np.float64)
          for of in (verdict == COMPARABLE, verdict != CANT_SAY, verdict == CANT_SAY))
    )  # fmt: skip
    answered = counts.decided + counts.cant_say > 0
    strata = response_strata(sessions.stratum, sessions.month, answered)
    inclusion = (strata.responses / strata.size)[strata.stratum]
    weight = np.divide(1.0, inclusion, out=np.zeros(n), where=answered)
    rho = _correlation(counts, sessions.cell, n_cells)
    cells = _shares(counts, weight, sessions.cell, n_cells)
    quantile = float(ndtri(0.5 + level / 2))
    effective = _effective_pairs(counts, weight, sessions.cell, n_cells, rho)
    whole = _shares(counts, weight, np.zeros(n, dtype=np.int64), 1)
    sampled = Sampled(
        np.zeros(n, dtype=np.int64), sessions.user, np.full(n, 1.0 / max(n, 1)), np.zeros(n),
        _linear(counts, weight, float(whole.estimate[0])), answered, strata.stratum, strata.size, strata.responses,
    )  # fmt: skip
    overall, error = _overall(whole, counts, sampled, level)
    return MatchPrecision(_with_interval(cells, effective, quantile), overall, rho, error)


def _shares(counts: _Counts, weight: NDArray[np.float64], cell: NDArray[np.int64], n_cells: int) -> Precision:
    """Point figures of each cell."""
    rows = (cell >= 0) & (counts.decided + counts.cant_say > 0)
    at, w = cell[rows], weight[rows]
    yes, decided, open_ = (
        np.bincount(at, weights=w * column[rows], minlength=n_cells)
        for column in (counts.comparable, counts.decided, counts.cant_say)
    )
    plain = [
        np.bincount(at, weights=column[rows], minlength=n_cells).astype(np.int64)
        for column in (counts.decided, counts.cant_say)
    ]
    nothing = np.full(n_cells, np.nan)
    return Precision(
        _ratio(yes, decided), nothing, nothing, _ratio(yes, decided + open_), _ratio(yes + open_, decided + open_),
        nothing, np.bincount(at, minlength=n_cells).astype(np.int64), plain[0], plain[1],
    )  # fmt: skip


def _ratio(above: ArrayLike, below: ArrayLike) -> NDArray[np.float64]:
    """Quotient; NaN where nothing is below."""
    over, under = np.asarray(above, dtype=np.float64), np.asarray(below, dtype=np.float64)
    return np.asarray(np.divide(over, under, out=np.full(under.shape, np.nan), where=under > 0))


def _linear(counts: _Counts, weight: NDArray[np.float64], share: float) -> NDArray[np.float64]:
    """``(c_i − P n_i)/Σ n/π``: what a session adds to the ratio, before its weight."""
    below = float((weight * counts.decided).sum())
    if below <= 0:
        return np.zeros(weight.size)
    return np.asarray((counts.comparable - share * counts.decided) / below)


def _overall(whole: Precision, counts: _Counts, sampled: Sampled, level: float) -> tuple[Precision, float]:
    sessions = int((counts.decided > 0).sum())
    if sessions < 2:
        return whole, np.nan
    variance = variance_of(sampled, np.ones(1))
    total, share = variance.total("stratified"), float(whole.estimate[0])
    spread = share * (1.0 - share)
    # where all agree, or agree by luck, the sessions are the least and the pairs the most that it can be worth
    effective = spread / total if spread > 0 and total > 0 else float(sessions)
    effective = min(effective, float(counts.decided.sum()))
    freedom = variance.freedom if np.isfinite(variance.freedom) else sessions - 1.0
    quantile = float(stdtrit(max(freedom, 1.0), 0.5 + level / 2))
    return _with_interval(whole, np.array([effective]), quantile), float(np.sqrt(total))


def _correlation(counts: _Counts, cell: NDArray[np.int64], n_cells: int) -> float:
    """Correlation of pairs of one session within cells, by analysis of variance, in [0, 1]."""
    rows = (counts.decided > 0) & (cell >= 0)
    n, yes, at = counts.decided[rows], counts.comparable[rows], cell[rows]
    if not n.size:
        return 1.0
    pairs = np.bincount(at, weights=n, minlength=n_cells)
    squares = np.bincount(at, weights=n**2, minlength=n_cells)
    mean = _ratio(np.bincount(at, weights=yes, minlength=n_cells), pairs)
    between, apart = float((n * (yes / n - mean[at]) ** 2).sum()), float(n.size - (pairs > 0).sum())
    within, inner = float((yes * (1.0 - yes / n)).sum()), float((n - 1.0).sum())
    if apart <= 0 or inner <= 0:
        return 1.0
    typical = float((pairs - np.nan_to_num(_ratio(squares, pairs))).sum()) / apart
    between, within = between / apart, within / inner
    whole = between + (typical - 1.0) * within
    return float(np.clip((between - within) / whole, 0.0, 1.0)) if whole > 0 else 1.0


def _effective_pairs(
    counts: _Counts, weight: NDArray[np.float64], cell: NDArray[np.int64], n_cells: int, rho: float
) -> NDArray[np.float64]:
    rows = (counts.decided > 0) & (cell >= 0)
    n, w, at = counts.decided[rows], weight[rows], cell[rows]
    above = np.bincount(at, weights=w * n, minlength=n_cells) ** 2
    return _ratio(above, np.bincount(at, weights=w**2 * n * (1.0 + (n - 1.0) * rho), minlength=n_cells))


def _with_interval(found: Precision, effective: NDArray[np.float64], quantile: float) -> Precision:
    """Wilson's interval (1927, "Probable inference, the law of succession, and statistical inference")."""
    share, squared = found.estimate, quantile**2
    below = 1.0 + squared / effective
    middle = (share + squared / (2.0 * effective)) / below
    half = quantile * np.sqrt(share * (1.0 - share) / effective + squared / (4.0 * effective**2)) / below
    return Precision(
        share, np.clip(middle - half, 0.0, share), np.clip(middle + half, share, 1.0), found.lower_bound,
        found.upper_bound, effective, found.n_sessions, found.n_decided, found.n_cant_say,
    )  # fmt: skip

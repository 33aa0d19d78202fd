"""Mean of analysts' values by month: the pricer's mean, corrected by what people found.

``θ^H_m = λ v̄_m + Σ_{i∈S_m} a_i (h_i − λ v_i)``, ``a_i ∝ p_i/π_i`` with sum 1 in each month, ``p_i`` the session's
share of the month's weight, ``π_i`` the share of its stratum that was checked. Whatever the pricer does, the second
term takes out what it got wrong on average (the difference estimator of survey sampling: Cassel, Särndal and Wretman
1976, "Some results on generalized difference estimation"; prediction-powered inference: Angelopoulos, Duchi and Zrnic
2023, "PPI++"); ``λ`` decides only how much the pricer's variation helps.

**λ** is one for all months and the slope of ``h`` on ``v`` over checked sessions with weights ``a_i``, both centred
by month, clipped to [0, 1]. Centred by month, because ``λ v̄_m`` and ``Σ a λ v`` belong to the same month: what ``v``
does between months cancels and says nothing of how well it explains sessions of one month. One for all months, so
that a change of the slope's noise is never read as growth.

Assumed: verdicts did not tune the pricer; who gives no value is, within a stratum, as those who do (bounds without
that: `valuation.core.audit_growth`); strata and λ vary little from sample to sample. Variance:
`valuation.core.audit_variance`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from valuation.core.audit_response import LEAST, ResponseStrata, response_strata
from valuation.core.audit_variance import Method, Sampled, Variance, variance_of
from valuation.core.intervals import Interval

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class AuditedSessions:
    """All sessions of the audited months, checked or not, one row each, in any order.

    Attributes
    ----------
    month : ndarray of int, shape (n_sessions,)
        In [0, n_months).
    user : ndarray of int, shape (n_sessions,)
        Codes from 0, the same in all months; sessions without a user have codes of their own.
    weight : ndarray, shape (n_sessions,)
        Session weights, positive.
    value : ndarray, shape (n_sessions,)
        ``v_i``, log nominal USD; NaN for the unmatched.
    stratum : ndarray of int, shape (n_sessions,)
        Codes of the design (`valuation.core.audit_design.AuditDesign.stratum`), at least 0.
    audited : ndarray of bool, shape (n_sessions,)
        Drawn for the audit.
    analyst_value : ndarray, shape (n_sessions,)
        ``h_i``, log nominal USD, of audited sessions; NaN without a response and elsewhere.
    """

    month: NDArray[np.int64]
    user: NDArray[np.int64]
    weight: NDArray[np.float64]
    value: NDArray[np.float64]
    stratum: NDArray[np.int64]
    audited: NDArray[np.bool_]
    analyst_value: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class AuditEstimate:
    """Audited levels, and what growth between them is made of.

    Attributes
    ----------
    audited : Interval
        ``θ^H_m``, shape (n_months,), log nominal USD; NaN for months without two analyst's values.
    plain : Interval
        ``v̄_m`` of the matched sessions with the users' sampling error alone.
    users, audits : ndarray, shape (n_months,)
        Parts of the variance of `audited`: `Variance.users` and `Variance.audits`.
    slope : float
        ``λ``, in [0, 1].
    n_sessions, n_audited, n_responses : ndarray of int, shape (n_months,)
        In the population, drawn, and with an analyst's value.
    response_rate : ndarray, shape (n_months,)
        Responses over audited, in [0, 1]; NaN where nothing was drawn.
    joined_strata : int
        Strata that had too few responses and joined a neighbour.
    sampled, sampled_plain : Sampled
        What varies in `audited` and in `plain`.
    sessions : AuditedSessions
        As used: without the unmatched unless they were asked for.
    method : {"stratified", "poisson"}
    level : float
    """

    audited: Interval
    plain: Interval
    users: NDArray[np.float64]
    audits: NDArray[np.float64]
    slope: float
    n_sessions: NDArray[np.int64]
    n_audited: NDArray[np.int64]
    n_responses: NDArray[np.int64]
    response_rate: NDArray[np.float64]
    joined_strata: int
    sampled: Sampled
    sampled_plain: Sampled
    sessions: AuditedSessions
    method: Method
    level: float


@dataclass(frozen=True, slots=True)
class _Means:
    """``v̄_m``, ``Σ a (h − λ v)``; of sessions ``v_i − v̄_m`` (0 for the unmatched), ``a_i``, ``h − λ v``, ``p_i``."""

    plain: NDArray[np.float64]
    correction: NDArray[np.float64]
    deviation: NDArray[np.float64]
    weight: NDArray[np.float64]
    error: NDArray[np.float64]
    share: NDArray[np.float64]


def estimate_audit(
    sessions: AuditedSessions, *, n_months: int, unmatched: bool, method: Method, level: float
) -> AuditEstimate:
    """Estimate the mean of analysts' values in each month.

    Parameters
    ----------
    sessions : AuditedSessions
    n_months : int
        Number of month codes.
    unmatched : bool
        Whether the unmatched belong to the population. Their predicted value is then the month's ``v̄_m``: any constant
        leaves the estimate unbiased.
    method : {"stratified", "poisson"}
        Of the variance. ``stratified`` is the variance of the sample that was drawn; ``poisson`` is ``Σ_u ψ_u²``, too
        large where strata explain the pricer's errors.
    level : float
        Of the intervals, in (0, 1).
    """
    _check(sessions, n_months)
    if not unmatched:
        sessions = _rows(sessions, ~np.isnan(sessions.value))
    responded = sessions.audited & np.isfinite(sessions.analyst_value)
    strata = response_strata(sessions.stratum, sessions.month, responded, ~np.isnan(sessions.value))
    slope = _slope(sessions, strata, responded, n_months)
    means = _means(sessions, strata, responded, slope, n_months)
    audited, plain = _sampled(sessions, strata, responded, means, slope)
    n_responses = _count(sessions.month[responded], n_months)
    n_sessions = _count(sessions.month, n_months)
    n_audited = _count(sessions.month[sessions.audited], n_months)
    usable = _usable(sessions.month, strata, n_sessions)
    parts = [variance_of(audited, row) if usable[at] else None for at, row in enumerate(np.eye(n_months))]
    estimate = np.where(usable, slope * np.nan_to_num(means.plain) + means.correction, np.nan)
    rate = np.divide(n_responses, n_audited, out=np.full(n_months, np.nan), where=n_audited > 0)
    return AuditEstimate(
        _interval(estimate, parts, method, level), _plain_interval(means.plain, plain, n_months, level),
        _part(parts, "users"), _part(parts, "audits"), slope, n_sessions, n_audited, n_responses, rate,
        strata.joined, audited, plain, sessions, method, level,
    )  # fmt: skip


def _usable(month: NDArray[np.int64], strata: ResponseStrata, n_sessions: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Months in which every stratum has two responses or is known whole: no session is stood for by unlike ones."""
    thin = strata.responses < np.minimum(LEAST, strata.size)
    n_thin = np.bincount(month, weights=thin[strata.stratum], minlength=n_sessions.size)
    return np.asarray((n_sessions > 0) & (n_thin == 0))


def _check(sessions: AuditedSessions, n_months: int) -> None:
    if sessions.month.size and not 0 <= sessions.month.min() <= sessions.month.max() < n_months:
        raise ValueError(f"months {sessions.month.min()} to {sessions.month.max()}, expected 0 to {n_months - 1}")
    if not ((sessions.weight > 0).all() and np.isfinite(sessions.weight).all()):
        raise ValueError("weights must be positive")
    if np.isinf(sessions.value).any() or np.isinf(sessions.analyst_value).any():
        raise ValueError("values must be finite, or NaN for none")


def _rows(sessions: AuditedSessions, keep: NDArray[np.bool_]) -> AuditedSessions:
    return AuditedSessions(
        sessions.month[keep], sessions.user[keep], sessions.weight[keep], sessions.value[keep],
        sessions.stratum[keep], sessions.audited[keep], sessions.analyst_value[keep],
    )  # fmt: skip


def _count(month: NDArray[np.int64], n_months: int) -> NDArray[np.int64]:
    return np.bincount(month, minlength=n_months).astype(np.int64)


def _share(weight: NDArray[np.float64], month: NDArray[np.int64], n_months: int) -> NDArray[np.float64]:
    """Weights over their month's sum; 0 in a month without weight."""
    total = np.bincount(month, weights=weight, minlength=n_months)[month]
    return np.divide(weight, total, out=np.zeros_like(weight), where=total > 0)


def _audit_weight(
    sessions: AuditedSessions, strata: ResponseStrata, responded: NDArray[np.bool_], n_months: int
) -> NDArray[np.float64]:
    """``a_i``: share of weight over inclusion probability, summing to 1 in each month; 0 without a response."""
    inclusion = strata.responses / strata.size
    raw = np.where(responded, sessions.weight, 0.0) / np.where(responded, inclusion[strata.stratum], 1.0)
    return _share(raw, sessions.month, n_months)


def _slope(sessions: AuditedSessions, strata: ResponseStrata, responded: NDArray[np.bool_], n_months: int) -> float:
    """``λ``; the unmatched have no say in it. 0 where ``v`` does not vary."""
    used = responded & ~np.isnan(sessions.value)
    weight = _share(np.where(used, _audit_weight(sessions, strata, responded, n_months), 0.0), sessions.month, n_months)
    v, h = (np.where(used, column, 0.0) for column in (sessions.value, sessions.analyst_value))
    v = v - np.bincount(sessions.month, weights=weight * v, minlength=n_months)[sessions.month]
    h = h - np.bincount(sessions.month, weights=weight * h, minlength=n_months)[sessions.month]
    below = float((weight * v * v).sum())
    return float(np.clip((weight * v * h).sum() / below, 0.0, 1.0)) if below > 0 else 0.0


def _means(
    sessions: AuditedSessions, strata: ResponseStrata, responded: NDArray[np.bool_], slope: float, n_months: int
) -> _Means:
    matched, month = ~np.isnan(sessions.value), sessions.month
    v = np.where(matched, sessions.value, 0.0)
    own = _share(np.where(matched, sessions.weight, 0.0), month, n_months)
    plain = np.where(
        _count(month[matched], n_months) > 0, np.bincount(month, weights=own * v, minlength=n_months), np.nan
    )
    v = np.where(matched, v, np.nan_to_num(plain)[month])
    weight = _audit_weight(sessions, strata, responded, n_months)
    error = np.where(responded, sessions.analyst_value - slope * v, 0.0)
    correction = np.bincount(month, weights=weight * error, minlength=n_months).astype(np.float64)
    return _Means(
        plain, correction, v - np.nan_to_num(plain)[month], weight, error, _share(sessions.weight, month, n_months)
    )


def _sampled(
    sessions: AuditedSessions, strata: ResponseStrata, responded: NDArray[np.bool_], means: _Means, slope: float
) -> tuple[Sampled, Sampled]:
    """What varies in the audited and in the plain levels."""
    inclusion = (strata.responses / strata.size)[strata.stratum]
    residual = means.error - means.correction[sessions.month]
    x = np.where(responded, means.weight * inclusion * residual, 0.0)
    audited = Sampled(
        sessions.month, sessions.user, means.share, slope * means.share * means.deviation, x, responded,
        strata.stratum, strata.size, strata.responses,
    )  # fmt: skip
    matched = ~np.isnan(sessions.value)
    share = _share(np.where(matched, sessions.weight, 0.0), sessions.month, means.plain.size)
    nobody = np.zeros(matched.size, dtype=bool)
    plain = Sampled(
        sessions.month, sessions.user, share, share * means.deviation, np.zeros(matched.size), nobody,
        strata.stratum, strata.size, strata.size,
    )  # fmt: skip
    return audited, plain


def _plain_interval(estimate: NDArray[np.float64], sampled: Sampled, n_months: int, level: float) -> Interval:
    """Levels of the pricer alone, users resampled."""
    parts = [
        variance_of(sampled, row) if np.isfinite(estimate[at]) else None for at, row in enumerate(np.eye(n_months))
    ]
    return _interval(estimate, parts, "stratified", level)


def _part(parts: list[Variance | None], name: str) -> NDArray[np.float64]:
    return np.array([np.nan if part is None else getattr(part, name) for part in parts])


def _interval(estimate: NDArray[np.float64], parts: list[Variance | None], method: Method, level: float) -> Interval:
    error = np.array([np.nan if part is None else np.sqrt(part.total(method)) for part in parts])
    half = np.array([np.nan if part is None else part.half_width(method, level) for part in parts])
    return Interval(estimate, error, estimate - half, estimate + half)

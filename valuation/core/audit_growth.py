"""Growth between two audited months: interval, bounds for non-response, and what more audits would buy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from valuation.core.audit_variance import variance_of
from valuation.core.growth import Rate

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from valuation.core.audit_estimate import AuditEstimate
    from valuation.core.audit_variance import Variance

TAILS = (0.1, 0.9)
"""Percentiles of analysts' values that stand in for those not given."""


@dataclass(frozen=True, slots=True)
class Halving:
    """What halving an interval would take.

    Attributes
    ----------
    more_audits : int or None
        Sessions to draw beyond those drawn, both months together, in proportion to today's strata and at today's
        response; None where checking every session would not do it, or at today's response would not give enough.
    floor : float
        Standard error that remains if every session of the months is checked: the users'.
    waiting : int
        Sessions of both months that are drawn and not judged: their responses are counted on before `more_audits`.
    too_few : bool
        Whether it is the response that forbids it: with a value for every session it could be done.
    """

    more_audits: int | None
    floor: float
    waiting: int = 0
    too_few: bool = False


@dataclass(frozen=True, slots=True)
class AuditedGrowth:
    """Growth in log points; ``exp(x) − 1`` is growth.

    Attributes
    ----------
    audited : Rate
        ``θ^H_T − θ^H_0``; NaN where a month has no level.
    standard_error : float
        Of `audited`.
    plain : Rate
        ``v̄_T − v̄_0`` with the users' sampling error alone.
    plain_error : float
        Its standard error.
    users, audits : float
        Parts of the variance of `audited`.
    lower_bound, upper_bound : float
        Growth with missing analysts' values at `TAILS`: the extreme two of four combinations.
    halving : Halving
        Of the interval of `audited`.
    """

    audited: Rate
    standard_error: float
    plain: Rate
    plain_error: float
    users: float
    audits: float
    lower_bound: float
    upper_bound: float
    halving: Halving


@dataclass(frozen=True, slots=True)
class Bounds:
    """Levels with missing analysts' values at `TAILS`, shape (n_months,), never inside of the estimate."""

    lower: NDArray[np.float64]
    upper: NDArray[np.float64]


def audited_growth(found: AuditEstimate, *, from_month: int, to_month: int) -> AuditedGrowth:
    """Compare two months.

    Parameters
    ----------
    found : AuditEstimate
    from_month, to_month : int
        Codes of the months.
    """
    contrast = np.zeros(found.n_sessions.size)
    contrast[from_month], contrast[to_month] = -1.0, 1.0
    bounds = level_bounds(found)
    level, plain = found.audited.estimate, found.plain.estimate
    nothing = Rate(np.nan, np.nan, np.nan)
    before = variance_of(found.sampled_plain, contrast) if np.isfinite(plain[[from_month, to_month]]).all() else None
    plain_rate = _rate(plain[to_month] - plain[from_month], before, found, "stratified") if before else nothing
    plain_error = float(np.sqrt(before.total("stratified"))) if before else np.nan
    if not np.isfinite(level[[from_month, to_month]]).all():
        lost = Halving(None, np.nan)
        return AuditedGrowth(nothing, np.nan, plain_rate, plain_error, np.nan, np.nan, np.nan, np.nan, lost)
    variance = variance_of(found.sampled, contrast)
    return AuditedGrowth(
        _rate(level[to_month] - level[from_month], variance, found, found.method),
        float(np.sqrt(variance.total(found.method))), plain_rate, plain_error, variance.users, variance.audits,
        float(bounds.lower[to_month] - bounds.upper[from_month]),
        float(bounds.upper[to_month] - bounds.lower[from_month]),
        halving(found, variance, from_month=from_month, to_month=to_month),
    )  # fmt: skip


def _rate(estimate: float, variance: Variance, found: AuditEstimate, method: str) -> Rate:
    half = variance.half_width("poisson" if method == "poisson" else "stratified", found.level)
    return Rate(float(estimate), float(estimate - half), float(estimate + half))


def level_bounds(found: AuditEstimate) -> Bounds:
    """Levels if those without an analyst's value had the 10th, or the 90th percentile of those with one.

    One pair of percentiles for all months, weighted as the sessions of the design; ``λ`` stays.
    """
    sessions, months = found.sessions, found.n_sessions.size
    inclusion = np.bincount(sessions.stratum, weights=sessions.audited) / np.maximum(np.bincount(sessions.stratum), 1)
    a = np.where(sessions.audited, sessions.weight, 0.0)
    a = a / np.where(sessions.audited, inclusion[sessions.stratum], 1.0)
    total = np.bincount(sessions.month, weights=a, minlength=months)
    a = np.divide(a, total[sessions.month], out=np.zeros_like(a), where=total[sessions.month] > 0)
    responded = sessions.audited & np.isfinite(sessions.analyst_value)
    if not responded.any():
        return Bounds(np.full(months, np.nan), np.full(months, np.nan))
    plain = np.nan_to_num(found.plain.estimate)
    v = np.where(np.isnan(sessions.value), plain[sessions.month], sessions.value)
    ends = []
    for tail in TAILS:
        missing = _percentile(sessions.analyst_value[responded], a[responded], tail)
        h = np.where(responded, sessions.analyst_value, missing)
        error = np.bincount(sessions.month, weights=a * (h - found.slope * v), minlength=months)
        ends.append(found.slope * plain + error)
    level = found.audited.estimate
    return Bounds(np.minimum(ends[0], level), np.maximum(ends[1], level))


def _percentile(values: NDArray[np.float64], weight: NDArray[np.float64], share: float) -> float:
    """Smallest value with at least `share` of the weight at or below it."""
    order = np.argsort(values, kind="stable")
    below = np.cumsum(weight[order])
    return float(values[order][np.searchsorted(below, share * below[-1] * (1 - 1e-12))])


def halving(
    found: AuditEstimate, variance: Variance, *, from_month: int, to_month: int,
    judged: NDArray[np.int64] | None = None,
) -> Halving:  # fmt: skip
    """Find how many more audits would halve the standard error.

    Every stratum's responses are multiplied by one factor, up to all of its sessions, until ``V1 + V2`` is a quarter.

    Parameters
    ----------
    found : AuditEstimate
    variance : Variance
        Of growth between the months.
    from_month, to_month : int
        Codes of the months.
    judged : ndarray of int, shape (n_months,), optional
        Audited sessions that analysts are done with, with a value or without: work that is not done yet says nothing
        of the response, and its sessions need not be drawn again. None: all that were drawn.
    """
    ends = [from_month, to_month]
    done = int((found.n_audited if judged is None else judged)[ends].sum())
    waiting = int(found.n_audited[ends].sum()) - done
    floor, wanted = float(np.sqrt(variance.users)), variance.total(found.method) / 4
    if variance.users >= wanted:
        return Halving(None, floor, waiting)
    size, now = found.sampled.size.astype(np.float64), found.sampled.audits.astype(np.float64)
    involved = variance.per_audit > 0
    per_audit, size, now = variance.per_audit[involved], size[involved], now[involved]
    low, high = 1.0, float((size / now).max(initial=1.0))
    for _ in range(100):
        middle = 0.5 * (low + high)
        left = variance.users + float((per_audit * (1.0 / np.minimum(middle * now, size) - 1.0 / size)).sum())
        low, high = (middle, high) if left > wanted else (low, middle)
    more = float((np.ceil(np.minimum(high * now, size) - 1e-9) - now).sum())
    rate = float(found.n_responses[ends].sum() / max(done, 1))
    more_audits = max(int(np.ceil(more / rate - 1e-9)) - waiting, 0)
    if more_audits > int((found.n_sessions - found.n_audited)[ends].sum()):
        return Halving(None, floor, waiting, too_few=True)
    return Halving(more_audits, floor, waiting)

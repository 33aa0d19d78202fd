"""Variance of a mean over sessions of which a second phase checks some.

Two phases of sampling stand between the mean of analysts' values and what is known of it. First users come with all
their sessions; then a stratified sample of these sessions is checked. With ``x_i`` a checked session's deviation
times its share of the weight, and ``g_i`` what all sessions add through the predicted value, a user adds ``ψ_u =
Σ_{i∈u} (g_i + x_i/π_i)`` and

``V = V1 + V2``,  ``V2 = Σ_h N_h² (1 − n_h/N_h) s²_h(x)/n_h``,
``V1 = Σ_u ψ_u² − Σ_i x_i² (1 − π_i)/π_i² − Σ_u Σ_{i≠j∈u∩h} x_i x_j (π_ij − π_i π_j)/(π_i π_j π_ij)``.

``Σψ²`` is unbiased for ``V1 + Σ_u Var₂(Σ_{i∈u} x_i/π_i)``, the sum of users' own second-phase variances: right if
sessions were checked independently of each other (Poisson sampling), too large if strata explain ``x``. What is
subtracted estimates that second part without bias (Horvitz and Thompson 1952, "A generalization of sampling without
replacement"), so that ``V1`` is the users' part, and ``V2`` puts in its place the variance of the sample that was
drawn (Särndal, Swensson and Wretman 1992, Model assisted survey sampling, section 9.3, two-phase sampling). ``V1``
below 0 counts as 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from scipy.special import stdtrit

if TYPE_CHECKING:
    from numpy.typing import NDArray

Method = Literal["stratified", "poisson"]


@dataclass(frozen=True, slots=True)
class Sampled:
    """What varies in the estimates of some months: one row a session, checked or not.

    Attributes
    ----------
    month, user : ndarray of int, shape (n_sessions,)
        Codes from 0. A user may have sessions in several months.
    share : ndarray, shape (n_sessions,)
        Of its month's weight; sums to 1 in each month.
    known : ndarray, shape (n_sessions,)
        ``g_i``.
    checked : ndarray, shape (n_sessions,)
        ``x_i``, 0 for sessions that were not checked.
    is_checked : ndarray of bool, shape (n_sessions,)
    stratum : ndarray of int, shape (n_sessions,)
        In [0, n_strata); a stratum lies in one month.
    size, audits : ndarray of int, shape (n_strata,)
        ``N_h`` and ``n_h``; ``n_h = N_h`` or at least 2.
    """

    month: NDArray[np.int64]
    user: NDArray[np.int64]
    share: NDArray[np.float64]
    known: NDArray[np.float64]
    checked: NDArray[np.float64]
    is_checked: NDArray[np.bool_]
    stratum: NDArray[np.int64]
    size: NDArray[np.int64]
    audits: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Variance:
    """Variance of one contrast of months, in squares of its unit.

    Attributes
    ----------
    users : float
        ``V1``: what remains if every session of these months is checked.
    audits : float
        ``V2``: what more audits reduce.
    poisson : float
        ``Σψ²``, the whole under independent checking.
    freedom : float
        Degrees of freedom of ``V1 + V2`` (Satterthwaite 1946, "An approximate distribution of estimates of variance
        components").
    per_audit : ndarray, shape (n_strata,)
        ``N_h² s²_h``: stratum ``h`` adds ``per_audit (1/n_h − 1/N_h)`` to `audits`.
    """

    users: float
    audits: float
    poisson: float
    freedom: float
    per_audit: NDArray[np.float64]

    def total(self, method: Method) -> float:
        """``V1 + V2``, or ``Σψ²`` and not below ``V2``."""
        return self.users + self.audits if method == "stratified" else max(self.poisson, self.audits)

    def half_width(self, method: Method, level: float) -> float:
        """Student's quantile times the standard error."""
        return float(stdtrit(max(self.freedom, 1.0), 0.5 + level / 2) * np.sqrt(self.total(method)))


def variance_of(sampled: Sampled, contrast: NDArray[np.float64]) -> Variance:
    """Variance of the weighted sum of months' estimates.

    Parameters
    ----------
    sampled : Sampled
    contrast : ndarray, shape (n_months,)
        Weight of each month: 1 for its level, 1 and -1 for growth.
    """
    factor = contrast[sampled.month]
    inside = np.flatnonzero(factor != 0)
    factor, user, stratum = factor[inside], sampled.user[inside], sampled.stratum[inside]
    here = sampled.is_checked[inside]
    x = factor * sampled.checked[inside]
    share = sampled.audits[stratum] / sampled.size[stratum]
    share = np.where(here, share, 1.0)
    larger = _larger(sampled)[inside]
    by_user = np.bincount(user, weights=larger * (factor * sampled.known[inside] + x / share))
    poisson = float(np.square(by_user).sum())
    own = float((np.square(larger * x / share) * (1.0 - share)).sum())
    per_audit = _between_sessions(x[here], stratum[here], sampled)
    second = per_audit * (1.0 / np.maximum(sampled.audits, 1) - 1.0 / sampled.size)
    first = max(poisson - own - _pairs((larger * x)[here], user[here], stratum[here], sampled), 0.0)
    freedom = _freedom(first, float(second.sum()), sampled, contrast)
    return Variance(first, float(second.sum()), poisson, freedom, per_audit)


def _larger(sampled: Sampled) -> NDArray[np.float64]:
    """``(1 − s_um)^-½`` with a user's share ``s_um`` of the month, shape (n_sessions,).

    A user's deviation from a mean that has the user in it is too small by ``1 − s_um`` in expected squares (Bell and
    McCaffrey 2002, "Bias reduction in standard errors for linear regression with multi-stage samples"); with users of
    one size this is ``G/(G − 1)``. Shares over one half count as one half: such a month is not published.
    """
    n_months = int(sampled.month.max(initial=-1)) + 1
    at = sampled.user * n_months + sampled.month
    share = np.bincount(at, weights=sampled.share)[at] if at.size else np.zeros(0)
    return np.asarray(1.0 / np.sqrt(1.0 - np.minimum(share, 0.5)))


def _between_sessions(x: NDArray[np.float64], stratum: NDArray[np.int64], sampled: Sampled) -> NDArray[np.float64]:
    """``N_h² s²_h`` of each stratum; 0 where one session is all there is, or outside the contrast."""
    n = sampled.size.size
    count = np.bincount(stratum, minlength=n)
    mean = np.bincount(stratum, weights=x, minlength=n) / np.maximum(count, 1)
    squares = np.bincount(stratum, weights=np.square(x - mean[stratum]), minlength=n)
    return np.asarray(np.square(sampled.size) * squares / np.maximum(count - 1, 1))


def _pairs(x: NDArray[np.float64], user: NDArray[np.int64], stratum: NDArray[np.int64], sampled: Sampled) -> float:
    """Second-phase covariance of sessions of one user and stratum that counts in ``Σψ²``: negative where x agree.

    ``π_ij = n(n − 1)/(N(N − 1))``, so that ``(π_ij − π_i π_j)/(π_i π_j π_ij) = −(N − n) N/(n² (n − 1))``.
    """
    n_strata = sampled.size.size
    _, pair = np.unique(user * n_strata + stratum, return_inverse=True)
    pair = pair.ravel()
    both = np.bincount(pair, weights=x) ** 2 - np.bincount(pair, weights=np.square(x))
    at = np.zeros(both.size, dtype=np.int64)
    at[pair] = stratum
    size, audits = sampled.size[at].astype(np.float64), sampled.audits[at].astype(np.float64)
    factor = (size - audits) * size / (np.square(audits) * np.maximum(audits - 1.0, 1.0))
    return -float((both * factor).sum())


def _freedom(first: float, second: float, sampled: Sampled, contrast: NDArray[np.float64]) -> float:
    """Satterthwaite's degrees of freedom of the two parts together, ``V²/Σ (squares of what they are uncertain by)``.

    They are those that the parts would have if every user's mean, and every session's deviation, had the same spread:
    what is estimated of single users, or of strata with two audits, would make them vary with the standard error
    itself. ``V1`` is uncertain by ``(V1² + 2 V1 V2)/f_users + κ V2²``, ``V2`` by ``V2²/f_audits``. Users of unequal
    size count by the square of their share, as in the variance (Carter, Schnepel and Steigerwald 2017, "Asymptotic
    behavior of a t-test robust to cluster heterogeneity"); a user's sizes in two months add. ``κ`` is the part of
    ``(Σψ²)²`` from products of different checked sessions of one user: noise in ``V1`` however little users differ.
    """
    inside = contrast[sampled.month] != 0
    month, user, stratum = sampled.month[inside], sampled.user[inside], sampled.stratum[inside]
    share = sampled.share[inside] * contrast[month]
    n_users = int(user.max(initial=-1)) + 1
    by_user = np.bincount(user * contrast.size + month, weights=share, minlength=n_users * contrast.size)
    users = _effective(np.square(by_user).reshape(-1, contrast.size).sum(axis=1)) - 1.0
    down = (first**2 + 2.0 * first * second) / max(users, 1.0)
    if second > 0:
        audits = sampled.audits
        squares = np.bincount(stratum, weights=np.square(share), minlength=sampled.size.size)
        by_stratum = sampled.size * squares * (1.0 / np.maximum(audits, 1) - 1.0 / sampled.size)
        alone = float((np.square(by_stratum) / np.maximum(audits - 1, 1)).sum() / by_stratum.sum() ** 2)
        checked = sampled.is_checked[inside]
        inclusion = (audits / sampled.size)[stratum[checked]]
        own = np.square(share[checked] / inclusion) * (1.0 - inclusion)
        together = np.square(np.bincount(user[checked], weights=own)).sum() - np.square(own).sum()
        down += second**2 * (alone + float(together) / own.sum() ** 2)
    return float((first + second) ** 2 / down) if down > 0 else np.inf


def _effective(part: NDArray[np.float64]) -> float:
    """``(Σ part)²/Σ part²``, 0 for no parts."""
    squares = float(np.square(part).sum())
    return float(part.sum() ** 2 / squares) if squares > 0 else 0.0

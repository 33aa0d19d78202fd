"""What an audit will buy, before anyone works."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import stdtrit

if TYPE_CHECKING:
    from numpy.typing import NDArray

SPREADS = (1.3, 0.9, 0.6)
"""Standard deviations of analyst's less predicted value that a plan is shown for: single postings scatter by 1.3 around
a predicted price; analysts who agree with a good pricer leave 0.6."""


@dataclass(frozen=True, slots=True)
class PlannedAudit:
    """What is known of an audit of two months before anyone works: one row a session, drawn or not.

    Attributes
    ----------
    month, user : ndarray of int, shape (n_sessions,)
        Codes from 0.
    stratum : ndarray of int, shape (n_sessions,)
        Of the design, -1 outside.
    weight : ndarray, shape (n_sessions,)
        Session weights; 0 where a session has no part in the mean (the unmatched). They are drawn all the same.
    inclusion : ndarray, shape (n_sessions,)
        ``π_i`` of the design; not read outside of it.
    from_month, to_month : int
    users, freedom : float
        Variance of the plain growth from sampling users, squares of log points, and its degrees of freedom.
    """

    month: NDArray[np.int64]
    user: NDArray[np.int64]
    stratum: NDArray[np.int64]
    weight: NDArray[np.float64]
    inclusion: NDArray[np.float64]
    from_month: int
    to_month: int
    users: float
    freedom: float


@dataclass(frozen=True, slots=True)
class ExpectedError:
    """Standard errors of growth between two months, log points.

    Attributes
    ----------
    spread : float
        Standard deviation of ``h − λ v`` assumed.
    audits : float
        From checking some sessions only: what more audits reduce.
    growth : float
        In all, with the sampling of users.
    freedom : float
        Degrees of freedom of `growth`, at least 1.
    half_width : float
        Of the interval of growth: Student's quantile times `growth`.
    """

    spread: float
    audits: float
    growth: float
    freedom: float
    half_width: float


def expected_error(planned: PlannedAudit, *, spread: float, response: float, level: float) -> ExpectedError:
    """Expect the error of growth for a design and a spread of analysts' around predicted values.

    The users' part of analysts' values is that of predicted values and the spread's own: with errors independent
    between sessions, the whole is ``V1(v) + σ² Σ_i p_i²/π_i``, of which the audits' part is ``σ² Σ_i p_i² (1/π_i −
    1)``. Errors that sessions of one user share add to the users' part and are not in it.

    Parameters
    ----------
    planned : PlannedAudit
    spread : float
        ``σ``, log points.
    response : float
        Share of audited sessions expected to get a value, in (0, 1].
    level : float
        Of the interval.
    """
    here = (planned.stratum >= 0) & np.isin(planned.month, (planned.from_month, planned.to_month))
    month, weight = planned.month[here], planned.weight[here]
    squares = np.square(weight / np.bincount(month, weights=weight)[month])
    left = squares * (1.0 / (planned.inclusion[here] * response) - 1.0)
    first, second = planned.users + spread**2 * float(squares.sum()), spread**2 * float(left.sum())
    noise = _noise(left, planned.stratum[here], planned.user[here], planned.inclusion[here] * response)
    freedom = max(_freedom(first, second, max(planned.freedom, 1.0), noise), 1.0)
    error = float(np.sqrt(first + second))
    half_width = float(stdtrit(freedom, 0.5 + level / 2)) * error
    return ExpectedError(spread, float(np.sqrt(second)), error, freedom, half_width)


def _noise(
    left: NDArray[np.float64], stratum: NDArray[np.int64], user: NDArray[np.int64], reached: NDArray[np.float64]
) -> float:
    """What the audits' part is uncertain by over its square: strata with few audits, and users with several.

    The terms of `valuation.core.audit_variance`, in expectation over the draw instead of for the sessions drawn.
    """
    total = float(left.sum())
    if total <= 0:
        return 0.0
    audits = np.bincount(stratum, weights=reached)
    alone = np.square(np.bincount(stratum, weights=left)) / np.maximum(audits - 1.0, 1.0)
    together = np.square(np.bincount(user, weights=left)).sum() - np.square(left).sum()
    return float((alone.sum() + together) / total**2)


def _freedom(first: float, second: float, users: float, noise: float) -> float:
    """Satterthwaite's degrees of freedom of both parts, as `valuation.core.audit_variance` has them."""
    down = (first**2 + 2.0 * first * second) / users + second**2 * noise
    return (first + second) ** 2 / down if down > 0 else np.inf


def audits_for(standard_error: float, planned: PlannedAudit, *, spread: float, response: float) -> int | None:
    """Sessions to draw in each of two months for a standard error of growth, by `expected_error`.

    Every inclusion probability is multiplied by one factor, up to 1: the answer for the error that a design is
    expected to have is its own number of sessions.

    Parameters
    ----------
    standard_error : float
        Wanted of growth, users' part and all, log points.
    planned : PlannedAudit
        Strata and weights, and the inclusion probabilities that are multiplied.
    spread : float
        ``σ``, log points.
    response : float
        Share of audited sessions expected to get a value, in (0, 1].

    Returns
    -------
    int or None
        Matched and unmatched together, of the month with more of them; None where drawing every session is not enough:
        the users' part is larger than what is wanted, or too few respond.
    """
    if not (spread > 0 and standard_error > 0 and 0 < response <= 1):
        raise ValueError(f"spread {spread}, standard error {standard_error}, response {response}: expected above 0")
    here = (planned.stratum >= 0) & np.isin(planned.month, (planned.from_month, planned.to_month))
    inclusion = np.where(here, planned.inclusion, 1.0)

    def enough(factor: float) -> bool:
        more = replace(planned, inclusion=np.minimum(factor * inclusion, 1.0))
        return expected_error(more, spread=spread, response=response, level=0.5).growth <= standard_error

    low, high = 0.0, float((1.0 / inclusion).max(initial=1.0))
    if not enough(high):
        return None
    for _ in range(45):
        middle = 0.5 * (low + high)
        low, high = (low, middle) if enough(middle) else (middle, high)
    drawn = np.bincount(planned.month[here], weights=np.minimum(high * inclusion[here], 1.0))
    return int(np.ceil(drawn.max() * (1 - 1e-9)))

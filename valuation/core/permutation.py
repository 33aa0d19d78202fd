"""Months permuted between users: what growth is when the months of sessions say nothing.

Whole vectors of months are exchanged among users with as many sessions, and a received vector is dealt at random over
the user's own sessions, so that every month keeps its sessions per user (permutation of clusters; Romano and Wolf 2005,
"Exact and approximate stepdown methods for multiple hypothesis testing", studentise in the same way). Draws are keyed
by (seed, replicate, id): the order of rows moves nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from valuation.core import draws

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from valuation.core.arrays import PricedSessions

PERMUTED_USERS, PERMUTED_SESSIONS = 3, 4
"""Streams of draws, beside those in `valuation.core.draws`."""
CELLS_AT_ONCE = 8_000_000
"""Sessions × permutations worked on at a time: memory only."""


@dataclass(frozen=True, slots=True)
class PermutedGrowth:
    """Growth of the mean log value, real and with months permuted between users.

    Attributes
    ----------
    growth, studentised : float
        Real ``θ_T − θ_0``, log points, and the same over its users-only standard error.
    drawn_growth, drawn_studentised : ndarray, shape (n_permutations,)
        Of every permutation, each over its own standard error; NaN where that is 0.
    exchangeable_share : float
        Share of the two months' sessions whose user has another with as many to exchange months with, in [0, 1]. What
        the others add to growth is the same in every permutation, apart from how their own months are dealt.
    """

    growth: float
    studentised: float
    drawn_growth: NDArray[np.float64]
    drawn_studentised: NDArray[np.float64]
    exchangeable_share: float


def permuted_months(
    month: NDArray[np.int64], user: NDArray[np.int64], *, user_key: NDArray[np.uint64],
    session_key: NDArray[np.uint64], seed: int, first: int, count: int,
) -> NDArray[np.int64]:  # fmt: skip
    """Exchange months among users with as many sessions, in permutations ``first … first + count − 1``.

    Parameters
    ----------
    month, user : ndarray of int, shape (n_sessions,)
        Month of each session, and its user in [0, n_users).
    user_key, session_key : ndarray of uint64, shapes (n_users,), (n_sessions,)
        Identities of the draws.
    seed, first, count : int
        As in `valuation.core.draws.exponentials`.

    Returns
    -------
    ndarray of int, shape (count, n_sessions)
        Permuted months: over all users with as many sessions, the same vectors of months as before.
    """
    n_sessions = np.bincount(user, minlength=user_key.size)
    alike = np.lexsort((user_key, n_sessions))  # users with as many sessions side by side, however they are numbered
    start = np.cumsum(n_sessions) - n_sessions
    sorted_months = month[np.lexsort((month, user))]  # each user's months, laid end to end
    by_user = _uniform(user_key, seed, PERMUTED_USERS, first, count)
    by_session = _uniform(session_key, seed, PERMUTED_SESSIONS, first, count)
    out = np.empty((count, month.size), dtype=np.int64)
    donor = np.empty(user_key.size, dtype=np.int64)
    own = np.repeat(start, n_sessions)
    within = np.arange(month.size) - own
    for row in range(count):
        donor[alike] = np.argsort(n_sessions + by_user[row], kind="stable")
        dealt = np.argsort(user + by_session[row], kind="stable")  # each user's sessions in random order
        out[row, dealt] = sorted_months[np.repeat(start[donor], n_sessions) + within]
    return out


def _uniform(key: NDArray[np.uint64], seed: int, stream: int, first: int, count: int) -> NDArray[np.float64]:
    """Uniform draws in [0, 1), short of 1 by enough that a whole number and its draw never round up to the next."""
    drawn = draws.exponentials(key, seed=seed, stream=stream, first=first, count=count)
    return np.asarray((1.0 - 2.0**-20) * -np.expm1(-drawn))


def permute_growth(
    sessions: PricedSessions, month: NDArray[np.int64], session_key: NDArray[np.uint64],
    *, base: int, last: int, seed: int, permutations: int,
) -> PermutedGrowth:  # fmt: skip
    """Compare growth from month `base` to month `last` with what permuted months give.

    Parameters
    ----------
    sessions : PricedSessions
        Matched sessions; values, weights and users are used.
    month : ndarray of int, shape (n_sessions,)
        Month of each session; all months take part in the exchange.
    session_key : ndarray of uint64, shape (n_sessions,)
        Hash of each session_id.
    base, last : int
        Codes of the months compared; both hold sessions.
    seed, permutations : int
        Of the draws.
    """
    real = _growth(sessions, month[None], base, last)
    step = max(1, CELLS_AT_ONCE // month.size)
    blocks = [
        _growth(
            sessions,
            permuted_months(
                month, sessions.user, user_key=sessions.user_key, session_key=session_key, seed=seed,
                first=begin, count=min(step, permutations - begin),
            ),
            base, last,
        )
        for begin in range(0, permutations, step)
    ]  # fmt: skip
    growth, studentised = np.concatenate(blocks, axis=1)
    two = (month == base) | (month == last)
    share = _exchangeable(sessions.user, sessions.user_key.size)[two].mean()
    return PermutedGrowth(float(real[0, 0]), float(real[1, 0]), growth, studentised, float(share))


def _growth(sessions: PricedSessions, month: NDArray[np.int64], base: int, last: int) -> NDArray[np.float64]:
    """Growth and growth over its users-only standard error, shape (2, n_rows), for rows of months."""
    out = np.empty((2, len(month)))
    n_users = sessions.user_key.size
    for row, months in enumerate(month):
        growth, influence = 0.0, np.zeros(n_users)
        for code, sign in ((last, 1.0), (base, -1.0)):
            inside = np.flatnonzero(months == code)
            share = sessions.weight[inside] / sessions.weight[inside].sum()
            mean = share @ sessions.log_value[inside]
            growth += sign * mean
            part = sign * share * (sessions.log_value[inside] - mean)
            influence += np.bincount(sessions.user[inside], part, minlength=n_users)
        error = np.sqrt(np.square(influence).sum())
        out[:, row] = growth, growth / error if error > 0 else np.nan
    return out


def _exchangeable(user: NDArray[np.int64], n_users: int) -> NDArray[np.bool_]:
    """Sessions whose user has another user with as many sessions, shape (n_sessions,)."""
    n_sessions = np.bincount(user, minlength=n_users)
    return np.asarray((np.bincount(n_sessions)[n_sessions] > 1)[user])


def two_sided_p(real: float, drawn: NDArray[np.float64]) -> float:
    """Twice the smaller tail of the draws beyond `real`, itself counted among them, at most 1.

    Equal tails, since draws need not lie around 0: users whom nobody can exchange months with shift all of them. A draw
    that is NaN counts in both tails. Phipson and Smyth (2010), "Permutation p-values should never be zero".
    """
    if not np.isfinite(real):
        return float("nan")
    above, below = (~(drawn < real)).sum(), (~(drawn > real)).sum()
    return float(min(1.0, 2.0 * (1 + min(above, below)) / (1 + drawn.size)))


def central(drawn: NDArray[np.float64], *, level: float) -> tuple[float, float]:
    """Ends of the central `level` of draws: of 999 at 0.95, the 25th and the 975th; NaN where a draw is missing."""
    tail = 0.5 - level / 2
    low, high = np.quantile(drawn, [tail, 1.0 - tail], method="weibull")
    return float(low), float(high)

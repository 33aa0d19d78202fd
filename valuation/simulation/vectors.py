"""Worlds of vectors with a known truth: postings with prices, sessions by users, months that shift.

A world starts where the embeddings end, so that hundreds can be priced in a minute. Postings and sessions are Gaussian
vectors; the log price is ``f(x) + noise`` with ``f(x) = level + β'x + bend·((γ'x)² − 1)``, ``γ`` orthogonal to ``β``.
Month ``m`` moves the sessions' mean along ``β`` (growth that a regression can see), along ``γ`` (growth through the
curved part, that it cannot) and along a third direction that prices do not care for. The mean of ``f`` in each month is
known exactly.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class WorldOptions:
    """The make of a world.

    Attributes
    ----------
    postings, sessions, users, months, dimensions : int
        Sizes; at least 1, `dimensions` at least 3.
    unit_size : int
        Postings by one client, with an error of price in common.
    noise : float
        Standard deviation of the log price around ``f``.
    signal : float
        Standard deviation of ``β'x`` over postings.
    growth : float
        Log growth of the mean of ``f`` from the first to the last month through ``β``.
    bend : float
        Weight of the curved part of ``f``.
    curved_growth : float
        Log growth through the curved part; needs ``bend > 0``.
    user_share : float
        Share of a session's variance that is the user's, in [0, 1).
    heavy : float
        0 = users equally likely; otherwise the log-normal spread of how much they work.
    """

    postings: int = 1000
    sessions: int = 1000
    users: int = 250
    months: int = 7
    dimensions: int = 12
    unit_size: int = 1
    noise: float = 1.3
    signal: float = 0.8
    growth: float = 0.25
    bend: float = 0.0
    curved_growth: float = 0.0
    user_share: float = 0.3
    heavy: float = 0.0


@dataclass(frozen=True, slots=True)
class VectorWorld:
    """One drawn world.

    Attributes
    ----------
    posting_vectors, session_vectors : ndarray, shape (n, dimensions)
        Not normalised: ``f`` is linear in them apart from its bend.
    log_price : ndarray, shape (n_postings,)
        ``y_j``.
    unit : ndarray of int, shape (n_postings,)
        Client of each posting.
    user, month : ndarray of int, shape (n_sessions,)
        User and month of each session; months from 0.
    true_value : ndarray, shape (n_sessions,)
        ``f(z_i)``.
    true_mean : ndarray, shape (n_months,)
        Mean of ``f`` over all sessions that could have been, exactly.
    """

    posting_vectors: NDArray[np.float64]
    session_vectors: NDArray[np.float64]
    log_price: NDArray[np.float64]
    unit: NDArray[np.int64]
    user: NDArray[np.int64]
    month: NDArray[np.int64]
    true_value: NDArray[np.float64]
    true_mean: NDArray[np.float64]


LEVEL = 5.0
"""Mean log price: about 150 USD."""


def vector_world(options: WorldOptions, *, rng: np.random.Generator) -> VectorWorld:
    """Draw a world.

    Parameters
    ----------
    options : WorldOptions
        The make.
    rng : numpy.random.Generator
        All randomness.
    """
    beta, gamma, idle = np.linalg.qr(rng.normal(size=(options.dimensions, 3)))[0].T
    path = np.linspace(0.0, 1.0, options.months) if options.months > 1 else np.zeros(1)
    curve = np.sqrt(options.curved_growth / options.bend) if options.bend > 0 else 0.0
    shift = options.growth / options.signal * path[:, None] * beta + np.sqrt(path)[:, None] * curve * gamma
    shift += 0.5 * path[:, None] * idle

    def price_of(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(LEVEL + options.signal * (vectors @ beta) + options.bend * (np.square(vectors @ gamma) - 1.0))

    postings = rng.normal(size=(options.postings, options.dimensions))
    unit = np.arange(options.postings) // options.unit_size
    error = np.sqrt(0.5) * rng.normal(size=unit.max() + 1)[unit] + np.sqrt(0.5) * rng.normal(size=unit.size)
    user, month = _work(options, rng)
    own = np.sqrt(options.user_share) * rng.normal(size=(options.users, options.dimensions))
    rest = np.sqrt(1.0 - options.user_share) * rng.normal(size=(options.sessions, options.dimensions))
    sessions = own[user] + rest + shift[month]
    return VectorWorld(
        postings, sessions, price_of(postings) + options.noise * error, unit, user, month, price_of(sessions),
        LEVEL + options.growth * path + options.curved_growth * path,
    )  # fmt: skip


def _work(options: WorldOptions, rng: np.random.Generator) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Who worked when: sessions sorted by user, their months dealt at random."""
    rate = np.exp(options.heavy * rng.normal(size=options.users))
    user = np.sort(rng.choice(options.users, size=options.sessions, p=rate / rate.sum()))
    return user.astype(np.int64), rng.integers(0, options.months, options.sessions)

"""Worlds of vectors with a known truth: postings with prices, sessions by users, months that shift.

A world starts where the embeddings end, so that hundreds can be priced in a minute. Postings and sessions are Gaussian
vectors; the log price is ``f(x) + noise`` with ``f(x) = level + β'x + bend·((γ'x)² − 1)``, ``γ`` orthogonal to ``β``.
Month ``m`` moves the sessions' mean along ``β`` (growth that a regression can see), along ``γ`` (growth through the
curved part, that it cannot) and along a third direction that prices do not care for. The mean of ``f`` in each month is
known exactly. Sessions may come in groups, some may be unlike any posting, and what is seen of all of them may be
displaced (a register of their own).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from valuation.errors import ConfigError

if TYPE_CHECKING:
    from numpy.typing import NDArray

LEVEL = 5.0
"""Mean log price: about 150 USD."""
AWAY = 8.0
"""How far from every posting a session lies that resembles none, in standard deviations of a posting's coordinate."""


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
    skew : float
        0 = normal noise; otherwise noise is a centred log-normal variable of this spread (1 has skewness 6), so that
        log prices have a long upper tail.
    signal : float
        Standard deviation of ``β'x`` over postings.
    growth : float
        Log growth of the mean of ``f`` from the first to the last month through ``β``.
    bend : float
        Weight of the curved part of ``f``.
    curved_growth : float
        Log growth through the curved part; needs ``bend > 0``.
    unseen_growth : float
        Log growth of sessions' worth that no vector shows: the same words come to mean bigger jobs.
    user_share : float
        Share of a session's variance that is the user's, in [0, 1).
    heavy : float
        0 = users equally likely; otherwise the log-normal spread of how much they work.
    groups : tuple of float
        Centre of each group of sessions along ``β``; empty = one group at 0.
    shares_first, shares_last : tuple of float
        Share of each group in the first and last month, each adding up to 1; linear between.
    away_first, away_last : float
        Share of sessions that resemble no posting in the first and last month, in [0, 1); linear between.
    away_value : float
        What those are worth above the others, log points.
    gap : float
        Displacement of all sessions' seen vectors, half of it (in squares) along ``β``: another register.
    """

    postings: int = 1000
    sessions: int = 1000
    users: int = 250
    months: int = 7
    dimensions: int = 12
    unit_size: int = 1
    noise: float = 1.3
    skew: float = 0.0
    signal: float = 0.8
    growth: float = 0.25
    bend: float = 0.0
    curved_growth: float = 0.0
    unseen_growth: float = 0.0
    user_share: float = 0.3
    heavy: float = 0.0
    groups: tuple[float, ...] = ()
    shares_first: tuple[float, ...] = ()
    shares_last: tuple[float, ...] = ()
    away_first: float = 0.0
    away_last: float = 0.0
    away_value: float = 0.0
    gap: float = 0.0

    def __post_init__(self) -> None:
        """Refuse groups without shares and shares that are none."""
        for shares in (self.shares_first, self.shares_last):
            if len(shares) != len(self.groups) or (self.groups and abs(sum(shares) - 1.0) > 1e-9):
                raise ConfigError(f"{len(self.groups)} groups of sessions with shares {shares}: one each, sum 1")

    @property
    def strays(self) -> bool:
        """Whether some sessions resemble no posting."""
        return max(self.away_first, self.away_last) > 0


@dataclass(frozen=True, slots=True)
class Landscape:
    """What is true of a world before anything is drawn in it but its directions.

    Attributes
    ----------
    options : WorldOptions
    beta, gamma, idle : ndarray, shape (dimensions,)
        Orthonormal: what prices rise along, what they bend along, what they do not care for.
    path : ndarray, shape (n_months,)
        From 0 to 1.
    shift : ndarray, shape (n_months, dimensions)
        Mean of the sessions.
    """

    options: WorldOptions
    beta: NDArray[np.float64]
    gamma: NDArray[np.float64]
    idle: NDArray[np.float64]
    path: NDArray[np.float64]
    shift: NDArray[np.float64]

    @property
    def shares(self) -> NDArray[np.float64]:
        """Share of each group in each month, shape (n_months, n_groups)."""
        first, last = (np.array(s or (1.0,)) for s in (self.options.shares_first, self.options.shares_last))
        return np.asarray(first + self.path[:, None] * (last - first))

    @property
    def away(self) -> NDArray[np.float64]:
        """Share of sessions that resemble no posting, shape (n_months,)."""
        return np.asarray(self.options.away_first + self.path * (self.options.away_last - self.options.away_first))

    @property
    def centres(self) -> NDArray[np.float64]:
        """Centre of each group along ``β``, shape (n_groups,)."""
        return np.array(self.options.groups or (0.0,))

    @property
    def true_mean(self) -> NDArray[np.float64]:
        """Mean true value of all sessions that could be, exactly, shape (n_months,)."""
        options = self.options
        moved = self.path * (options.growth + options.curved_growth + options.unseen_growth)
        return np.asarray(
            LEVEL + moved + options.signal * (self.shares @ self.centres) + options.away_value * self.away
        )

    def price(self, vectors: NDArray[np.float64]) -> NDArray[np.float64]:
        """``f`` at vectors of shape (n, dimensions)."""
        bent = self.options.bend * (np.square(vectors @ self.gamma) - 1.0)
        return np.asarray(LEVEL + self.options.signal * (vectors @ self.beta) + bent)

    def worth(
        self, vectors: NDArray[np.float64], month: NDArray[np.int64], away: NDArray[np.bool_]
    ) -> NDArray[np.float64]:
        """True value of sessions with these vectors before displacement, shape (n,)."""
        return self.price(vectors) + self.options.unseen_growth * self.path[month] + self.options.away_value * away

    def seen(self, vectors: NDArray[np.float64], away: NDArray[np.bool_]) -> NDArray[np.float64]:
        """What an encoder makes of sessions, shape (n, dimensions), and one more column where some resemble none."""
        displaced = vectors + self.options.gap * np.sqrt(0.5) * (self.beta + self.idle)
        return np.column_stack([displaced, AWAY * away]) if self.options.strays else displaced


@dataclass(frozen=True, slots=True)
class VectorWorld:
    """One drawn world.

    Attributes
    ----------
    posting_vectors, session_vectors : ndarray, shape (n, dimensions)
        Not normalised: ``f`` is linear in them apart from its bend. One more column if some sessions resemble none.
    log_price : ndarray, shape (n_postings,)
        ``y_j``.
    unit : ndarray of int, shape (n_postings,)
        Client of each posting.
    user, month : ndarray of int, shape (n_sessions,)
        User and month of each session; months from 0.
    true_value : ndarray, shape (n_sessions,)
        ``f(z_i)``, and what no vector shows.
    true_mean : ndarray, shape (n_months,)
        Mean of the true value over all sessions that could have been, exactly.
    expected_price : ndarray, shape (n_postings,)
        ``f(x_j)``: log prices without their noise.
    group : ndarray of int, shape (n_sessions,)
        Group of each session; 0 if there are none.
    landscape : Landscape
    """

    posting_vectors: NDArray[np.float64]
    session_vectors: NDArray[np.float64]
    log_price: NDArray[np.float64]
    unit: NDArray[np.int64]
    user: NDArray[np.int64]
    month: NDArray[np.int64]
    true_value: NDArray[np.float64]
    true_mean: NDArray[np.float64]
    expected_price: NDArray[np.float64]
    group: NDArray[np.int64]
    landscape: Landscape


def make_landscape(options: WorldOptions, *, rng: np.random.Generator) -> Landscape:
    """Draw a world's directions."""
    beta, gamma, idle = np.linalg.qr(rng.normal(size=(options.dimensions, 3)))[0].T
    path = np.linspace(0.0, 1.0, options.months) if options.months > 1 else np.zeros(1)
    curve = np.sqrt(options.curved_growth / options.bend) if options.bend > 0 else 0.0
    shift = options.growth / options.signal * path[:, None] * beta + np.sqrt(path)[:, None] * curve * gamma
    shift += 0.5 * path[:, None] * idle
    return Landscape(options, beta, gamma, idle, path, shift)


def vector_world(options: WorldOptions, *, rng: np.random.Generator) -> VectorWorld:
    """Draw a world.

    Parameters
    ----------
    options : WorldOptions
        The make.
    rng : numpy.random.Generator
        All randomness.
    """
    land = make_landscape(options, rng=rng)
    postings = rng.normal(size=(options.postings, options.dimensions))
    unit = np.arange(options.postings) // options.unit_size
    error = np.sqrt(0.5) * rng.normal(size=unit.max() + 1)[unit] + np.sqrt(0.5) * rng.normal(size=unit.size)
    user, month = _work(options, rng)
    own = np.sqrt(options.user_share) * rng.normal(size=(options.users, options.dimensions))
    rest = np.sqrt(1.0 - options.user_share) * rng.normal(size=(options.sessions, options.dimensions))
    group, away = _kinds(land, month, rng)
    sessions = own[user] + rest + land.shift[month] + land.centres[group][:, None] * land.beta
    expected = land.price(postings)
    return VectorWorld(
        np.column_stack([postings, np.zeros(options.postings)]) if options.strays else postings,
        land.seen(sessions, away), expected + options.noise * _skewed(error, options.skew), unit, user, month,
        land.worth(sessions, month, away), land.true_mean, expected, group, land,
    )  # fmt: skip


def _work(options: WorldOptions, rng: np.random.Generator) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Who worked when: sessions sorted by user, their months dealt at random."""
    rate = np.exp(options.heavy * rng.normal(size=options.users))
    user = np.sort(rng.choice(options.users, size=options.sessions, p=rate / rate.sum()))
    return user.astype(np.int64), rng.integers(0, options.months, options.sessions)


def _kinds(
    land: Landscape, month: NDArray[np.int64], rng: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Group of each session, and whether it resembles no posting; drawn only where the options ask for it."""
    group = np.zeros(month.size, dtype=np.int64)
    if land.options.groups:
        edges = np.cumsum(land.shares, axis=1)[:, :-1]
        group = (rng.random(month.size)[:, None] > edges[month]).sum(axis=1).astype(np.int64)
    away = rng.random(month.size) < land.away[month] if land.options.strays else np.zeros(month.size, dtype=bool)
    return group, away


def _skewed(error: NDArray[np.float64], spread: float) -> NDArray[np.float64]:
    """Standard normal errors, or log-normal ones of mean 0 and variance 1."""
    if spread == 0.0:
        return error
    middle = np.exp(spread**2 / 2)
    return np.asarray((np.exp(spread * error) - middle) / (middle * np.sqrt(np.expm1(spread**2))))

"""A world of vectors as the engine sees and prices it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from valuation.core.arrays import PricedSessions
from valuation.core.draws import unit_key
from valuation.core.kernel import kernel_weights
from valuation.core.pricing import PRICERS
from valuation.simulation.vector_pricing import FittedBasket, fit_basket, nearest, value_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from valuation.evidence.worlds import Estimation
    from valuation.simulation.vectors import VectorWorld


@dataclass(frozen=True, slots=True)
class Observed:
    """A world's basket and sessions, priced.

    Attributes
    ----------
    basket : FittedBasket
    residual : ndarray, shape (n_postings,)
        ``ρ_j`` of the pricer, out of fold.
    offset : ndarray, shape (dimensions,)
        What was subtracted from sessions' vectors.
    vectors : ndarray, shape (n_sessions, dimensions)
        Of all sessions, in the register's frame.
    matched : ndarray of bool, shape (n_sessions,)
    sessions : PricedSessions
        The matched ones.
    cell : ndarray of int, shape (1 or 2, n_matched)
        Month, and group within month where there are groups.
    """

    basket: FittedBasket
    residual: NDArray[np.float64]
    offset: NDArray[np.float64]
    vectors: NDArray[np.float64]
    matched: NDArray[np.bool_]
    sessions: PricedSessions
    cell: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Match:
    """Neighbours of texts.

    Attributes
    ----------
    row, weight : ndarray, shape (n, k)
        Weights are all zero for the pricer ``hedonic``.
    matched : ndarray of bool, shape (n,)
    """

    row: NDArray[np.int64]
    weight: NDArray[np.float64]
    matched: NDArray[np.bool_]


def match_texts(basket: FittedBasket, vectors: NDArray[np.float64], how: Estimation) -> Match:
    """Find the neighbours of texts in the register's frame, shape (n, dimensions)."""
    similarity, row = nearest(vectors, basket.vectors, count=how.k)
    weight = kernel_weights(similarity, np.ones(row.shape, dtype=bool), k=how.k, tau=how.tau)
    return Match(row, weight if how.pricer != "hedonic" else np.zeros_like(weight), similarity[:, 0] >= basket.s_min)


def observe(world: VectorWorld, how: Estimation, *, seed: int) -> Observed:
    """Price a world as a run would: its register's frame, its basket, its matched sessions.

    Parameters
    ----------
    world : VectorWorld
        Of two months.
    how : Estimation
    seed : int
        Of the folds.
    """
    world, offset = _framed(world, how)
    basket = fit_basket(world, k=how.k, tau=how.tau, penalties=how.penalties, seed=seed)
    match = match_texts(basket, world.session_vectors, how)
    matched, row, weight = match.matched, match.row, match.weight
    value = value_of(basket, row, weight, world.session_vectors, pricer=how.pricer)
    user, known = np.unique(world.user, return_inverse=True)
    sessions = PricedSessions(
        value[matched], np.ones(int(matched.sum())), known[matched].astype(np.int64),
        unit_key([f"user:{name:06d}" for name in user]), row[matched], weight[matched],
        world.session_vectors[matched] - basket.fit.centre,
    )  # fmt: skip
    month, groups = world.month[matched], len(world.landscape.options.groups)
    cell = month[None]
    if groups:
        cell = np.stack([month, 2 + groups * month + world.group[matched]])
    residual = basket.engine.log_price - basket.held_out[PRICERS.index(how.pricer)]
    return Observed(basket, residual, offset, world.session_vectors, matched, sessions, cell)


def _framed(world: VectorWorld, how: Estimation) -> tuple[VectorWorld, NDArray[np.float64]]:
    """The world with each register's mean subtracted, if configured: postings', and base-month users' means' mean."""
    if how.register == "none":
        return world, np.zeros(world.session_vectors.shape[1])
    base = world.month == 0
    _, user = np.unique(world.user[base], return_inverse=True)
    share = 1.0 / np.bincount(user)[user]
    offset = np.average(world.session_vectors[base], axis=0, weights=share)
    postings = world.posting_vectors - world.posting_vectors.mean(axis=0)
    return replace(world, posting_vectors=postings, session_vectors=world.session_vectors - offset), offset

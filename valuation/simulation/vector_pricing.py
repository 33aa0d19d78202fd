"""Price a world of vectors by the engine's own parts: neighbours, cross-fitted regression, three pricers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from valuation.core.arrays import BasketModel, PricedSessions
from valuation.core.draws import fold_of, unit_key
from valuation.core.hedonic import cross_fit
from valuation.core.pricing import PRICERS, make_pricer, price, price_basket

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from valuation.core.pricing import PricerName
    from valuation.simulation.vectors import VectorWorld

FOLDS = 5


@dataclass(frozen=True, slots=True)
class PricedWorld:
    """A world as the series sees it under one pricer.

    Attributes
    ----------
    model : BasketModel
        The basket.
    sessions : PricedSessions
        All sessions, matched.
    residual : ndarray, shape (n_postings,)
        ``ρ_j`` of the pricer, out of fold.
    penalty : float
        The ridge penalty chosen.
    """

    model: BasketModel
    sessions: PricedSessions
    residual: NDArray[np.float64]
    penalty: float


def nearest(
    queries: NDArray[np.float64], vectors: NDArray[np.float64], *, count: int
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Cosine similarity and rows of the `count` nearest vectors by brute force, nearest first, both (n, count).

    Similarities are rounded to 1e-6; ties go to the lower row, so every rank is a whole number of its own.
    """
    unit = [rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in (queries, vectors)]
    millionths = np.rint(1e6 * (unit[0] @ unit[1].T)).astype(np.int64)
    rank = np.arange(len(vectors)) - len(vectors) * millionths
    row = np.argpartition(rank, count - 1, axis=1)[:, :count]
    row = np.take_along_axis(row, np.argsort(np.take_along_axis(rank, row, axis=1), axis=1), axis=1)
    return np.take_along_axis(millionths, row, axis=1) / 1e6, row


def price_world(
    world: VectorWorld, *, pricer: PricerName, k: int, tau: float, penalties: tuple[float, ...], seed: int
) -> PricedWorld:
    """Price a world's sessions; the vectors themselves are the regression's features.

    Parameters
    ----------
    world : VectorWorld
        From `vector_world`.
    pricer, k, tau, penalties
        As in the configuration.
    seed : int
        Of the folds.
    """
    key = unit_key([f"posting:{unit:06d}" for unit in range(int(world.unit.max()) + 1)])
    fold = fold_of(key, folds=FOLDS, seed=seed)[world.unit]
    fit = cross_fit(world.posting_vectors, world.log_price, fold, penalties=penalties)
    engine = make_pricer(world.log_price, world.posting_vectors, fit, k=k, tau=tau)
    among, among_row = nearest(world.posting_vectors, world.posting_vectors, count=2 * k)
    held_out, _ = price_basket(engine, among, among_row, world.posting_vectors)
    similarity, row = nearest(world.session_vectors, world.posting_vectors, count=2 * k)
    prices = price(engine, similarity, row, world.session_vectors)
    which = PRICERS.index(pricer)
    weight = np.zeros_like(prices.weight) if pricer == "hedonic" else prices.weight
    user, known = np.unique(world.user, return_inverse=True)
    return PricedWorld(
        BasketModel(
            world.posting_vectors - fit.centre, fit.centre, fit.gram_inverse, world.log_price, engine.residual,
            world.unit, key,
        ),
        PricedSessions(
            prices.value[which], np.ones(world.user.size), known.astype(np.int64),
            unit_key([f"user:{name:06d}" for name in user]), row, weight, world.session_vectors - fit.centre,
        ),
        world.log_price - held_out[which], fit.penalty,
    )  # fmt: skip

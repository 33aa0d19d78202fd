"""Price a world of vectors by the engine's own parts: neighbours, cross-fitted regression, three pricers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from valuation.core.arrays import BasketModel, PricedSessions
from valuation.core.draws import fold_of, unit_key
from valuation.core.hedonic import cross_fit
from valuation.core.kernel import nearest_outside
from valuation.core.pricing import PRICERS, make_pricer, price, price_basket, session_hedonic

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from valuation.core.hedonic import CrossFit
    from valuation.core.pricing import Pricer, PricerName
    from valuation.simulation.vectors import VectorWorld

FOLDS = 5
UNMATCHED = 0.01
"""Quantile of postings' nearest similarity outside their unit under which a session is unmatched."""


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


@dataclass(frozen=True, slots=True)
class FittedBasket:
    """A basket of vectors with its pricers; the vectors themselves are the regression's features.

    Attributes
    ----------
    vectors : ndarray, shape (n_postings, dimensions)
    fit : CrossFit
    engine : Pricer
    held_out : ndarray, shape (3, n_postings)
        ``v_-j(x_j)`` by `PRICERS`.
    similarity, row : ndarray, shape (n_postings, 2k)
        The basket's search in itself.
    unit : ndarray of int, shape (n_postings,)
    unit_key : ndarray of uint64, shape (n_units,)
    s_min : float
        Similarity under which a session is unmatched.
    """

    vectors: NDArray[np.float64]
    fit: CrossFit
    engine: Pricer
    held_out: NDArray[np.float64]
    similarity: NDArray[np.float64]
    row: NDArray[np.int64]
    unit: NDArray[np.int64]
    unit_key: NDArray[np.uint64]
    s_min: float

    def arrays(self) -> BasketModel:
        """The basket as the series takes it."""
        return BasketModel(
            self.vectors - self.fit.centre, self.fit.centre, self.fit.gram_inverse, self.engine.log_price,
            self.engine.residual, self.unit, self.unit_key,
        )  # fmt: skip

    def repriced(self, log_price: NDArray[np.float64]) -> FittedBasket:
        """The same basket, neighbours, folds and penalty with other prices: the pricer is linear in them."""
        fit = cross_fit(self.vectors, log_price, self.fit.fold, penalties=(self.fit.penalty,))
        engine = make_pricer(log_price, self.vectors, fit, k=self.engine.k, tau=self.engine.tau)
        held_out, _ = price_basket(engine, self.similarity, self.row, self.vectors)
        return FittedBasket(
            self.vectors, fit, engine, held_out, self.similarity, self.row, self.unit, self.unit_key, self.s_min
        )


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


def fit_basket(world: VectorWorld, *, k: int, tau: float, penalties: tuple[float, ...], seed: int) -> FittedBasket:
    """Search the basket in itself and fit its pricers; parameters as in `price_world`."""
    key = unit_key([f"posting:{unit:06d}" for unit in range(int(world.unit.max()) + 1)])
    fold = fold_of(key, folds=FOLDS, seed=seed)[world.unit]
    vectors = world.posting_vectors
    fit = cross_fit(vectors, world.log_price, fold, penalties=penalties)
    engine = make_pricer(world.log_price, vectors, fit, k=k, tau=tau)
    similarity, row = nearest(vectors, vectors, count=2 * k)
    held_out, _ = price_basket(engine, similarity, row, vectors)
    outside = nearest_outside(similarity, row, world.unit)
    s_min = float(np.quantile(outside[np.isfinite(outside)], UNMATCHED))
    return FittedBasket(vectors, fit, engine, held_out, similarity, row, world.unit, key, s_min)


def value_of(
    basket: FittedBasket, row: NDArray[np.int64], weight: NDArray[np.float64], vectors: NDArray[np.float64],
    *, pricer: PricerName,
) -> NDArray[np.float64]:  # fmt: skip
    """Price texts by one pricer, shape (n,): the same figures as `valuation.core.pricing.price`, nothing left out.

    Parameters
    ----------
    basket : FittedBasket
    row, weight : ndarray, shape (n, k)
        Neighbours, and their weights from `valuation.core.kernel.kernel_weights`; not looked at for ``hedonic``.
    vectors : ndarray, shape (n, dimensions)
    pricer : {"matching", "neighbours", "hedonic"}
    """
    engine = basket.engine
    if pricer == "hedonic":
        return np.asarray(basket.fit.intercept + vectors @ basket.fit.coefficient)
    if pricer == "neighbours":
        return np.asarray((weight * engine.log_price[row]).sum(axis=1))
    corrected = engine.residual[row] + session_hedonic(engine, row, vectors)
    return np.asarray((weight * corrected).sum(axis=1))


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
    basket = fit_basket(world, k=k, tau=tau, penalties=penalties, seed=seed)
    similarity, row = nearest(world.session_vectors, world.posting_vectors, count=2 * k)
    prices = price(basket.engine, similarity, row, world.session_vectors)
    which = PRICERS.index(pricer)
    weight = np.zeros_like(prices.weight) if pricer == "hedonic" else prices.weight
    user, known = np.unique(world.user, return_inverse=True)
    return PricedWorld(
        basket.arrays(),
        PricedSessions(
            prices.value[which], np.ones(world.user.size), known.astype(np.int64),
            unit_key([f"user:{name:06d}" for name in user]), row, weight, world.session_vectors - basket.fit.centre,
        ),
        world.log_price - basket.held_out[which], basket.fit.penalty,
    )  # fmt: skip

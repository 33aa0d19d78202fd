"""Price level of gigs against volume of work: each month's sessions priced with each month's postings.

``A(s, t)`` is the mean log value of month ``s``'s sessions when only month ``t``'s postings price them. Nominal change
``A(T,T) − A(0,0)`` is price, ``½[A(T,T) − A(T,0) + A(0,T) − A(0,0)]``, plus volume,
``½[A(T,0) − A(0,0) + A(T,T) − A(0,T)]`` (Bennet 1920, "The theory of measurement of changes in cost of living"). One
session set priced twice is a Lowe-type index (ILO and others 2004, chapter 1): ``A(0,T) − A(0,0)`` for the base
month's, ``A(T,T) − A(T,0)`` for the last month's; the price term is their mean.

A month's pricer takes its neighbours from that month alone. Its regression is the basket's, fitted once on all months
with an effect of each posting month, at that month's effect: a month has too few postings for hundreds of features, and
what the regression misses in a month the month's own residuals put right.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from valuation.core.intervals import effective_number
from valuation.core.kernel import kernel_weights
from valuation.core.pricing import PRICERS, session_hedonic

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from valuation.core.pricing import Pricer, PricerName

TERMS = ("nominal", "price", "volume", "lowe_from", "lowe_to")
CONTRASTS = np.array(
    [[-1, 0, 0, 1], [-0.5, -0.5, 0.5, 0.5], [-0.5, 0.5, -0.5, 0.5], [-1, 0, 1, 0], [0, -1, 0, 1]], dtype=np.float64
)
"""Rows by `TERMS`; columns are the cells A(0,0), A(T,0), A(0,T), A(T,T): 2 × month of postings + month of sessions."""


@dataclass(frozen=True, slots=True)
class MonthValues:
    """Texts priced with the postings of one month.

    Attributes
    ----------
    value : ndarray, shape (n,)
        Log USD, before calibration.
    weight : ndarray, shape (n, k)
        Weights of the neighbours, summing to 1.
    """

    value: NDArray[np.float64]
    weight: NDArray[np.float64]


def effective_postings(unit: NDArray[np.int64]) -> float:
    """Return the effective number of resampling units among a month's clusters: that of clusters if none share one."""
    return effective_number(np.bincount(unit).astype(np.float64)) if unit.size else 0.0


def restricted(pricer: Pricer, rows: NDArray[np.int64]) -> Pricer:
    """Return the pricer whose neighbours are some rows of the basket, renumbered from 0, with the same regression.

    Parameters
    ----------
    pricer : Pricer
        Of the basket.
    rows : ndarray of int, shape (n_kept,)
        Ascending.
    """
    return replace(
        pricer,
        log_price=pricer.log_price[rows],
        fit=replace(pricer.fit, fold=pricer.fit.fold[rows]),
        residual=pricer.residual[rows],
        left_out_residual=pricer.left_out_residual[:, rows],
    )


def month_features(features: NDArray[np.float64], position: int, *, n_months: int) -> NDArray[np.float64]:
    """Features of texts at one posting month's effect.

    Parameters
    ----------
    features : ndarray, shape (n, p)
        ``z_i``; the last `n_months` columns are the posting months' dummies.
    position : int
        The month's column among those.
    """
    moved = features.copy()
    moved[:, features.shape[1] - n_months :] = np.eye(1, n_months, position)
    return moved


def month_values(
    pricer: Pricer, which: PricerName, similarity: NDArray[np.float64], row: NDArray[np.int64],
    features: NDArray[np.float64],
) -> MonthValues:  # fmt: skip
    """Price texts with a restricted pricer.

    Parameters
    ----------
    pricer : Pricer
        From `restricted`.
    which : {"matching", "neighbours", "hedonic"}
        All of `valuation.core.pricing.PRICERS`.
    similarity, row : ndarray, shape (n, k)
        The nearest of the pricer's rows, nearest first.
    features : ndarray, shape (n, p)
        From `month_features`.
    """
    weight = kernel_weights(similarity, np.ones(row.shape, dtype=bool), k=pricer.k, tau=pricer.tau)
    if which == PRICERS[0]:
        return MonthValues(
            (weight * (pricer.residual[row] + session_hedonic(pricer, row, features))).sum(axis=1), weight
        )
    if which == PRICERS[1]:
        return MonthValues((weight * pricer.log_price[row]).sum(axis=1), weight)
    return MonthValues(pricer.fit.intercept + features @ pricer.fit.coefficient, np.zeros_like(weight))

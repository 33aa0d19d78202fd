"""All sessions that could be in a world of vectors: what its users and months are a sample of.

A population stands as a few hundred points with weights. The points are antithetic and have exactly unit covariance, so
that means of linear and quadratic functions over them are those of the Gaussian population, and means of a smooth
pricer nearly so.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from valuation.simulation.vectors import Landscape


@dataclass(frozen=True, slots=True)
class Population:
    """The sessions that a month could have.

    Attributes
    ----------
    vectors : ndarray, shape (n, dimensions)
        As seen: like a world's `session_vectors`.
    weight : ndarray, shape (n,)
        Positive, sum 1.
    group : ndarray of int, shape (n,)
    true_value : ndarray, shape (n,)
        Log value.
    """

    vectors: NDArray[np.float64]
    weight: NDArray[np.float64]
    group: NDArray[np.int64]
    true_value: NDArray[np.float64]


def even_points(n: int, dimensions: int, *, rng: np.random.Generator) -> NDArray[np.float64]:
    """Standard normal points in pairs of opposite sign with mean 0 and covariance 1 exactly.

    Parameters
    ----------
    n : int
        Points, even and above ``2·dimensions``.
    dimensions : int
        At least 1.
    rng : numpy.random.Generator
        All randomness.
    """
    if n % 2 or n <= 2 * dimensions:
        raise ValueError(f"{n} points in {dimensions} dimensions: expected an even number above {2 * dimensions}")
    half = rng.normal(size=(n // 2, dimensions))
    spread = np.linalg.cholesky(half.T @ half / (n // 2))
    half = np.linalg.solve(spread, half.T).T
    return np.concatenate([half, -half])


def population(land: Landscape, month: int, points: NDArray[np.float64]) -> Population:
    """Lay out the population of a month; the same points in two months are the same people's kinds of work.

    Parameters
    ----------
    land : Landscape
        Of the world.
    month : int
        In [0, months).
    points : ndarray, shape (n, dimensions)
        From `even_points`.
    """
    shares, away = land.shares[month], float(land.away[month])
    strata = [(g, stray) for g in range(shares.size) for stray in ((False, True) if away > 0 else (False,))]
    group = np.repeat([g for g, _ in strata], len(points))
    strays = np.repeat([stray for _, stray in strata], len(points))
    vectors = np.tile(points, (len(strata), 1)) + land.shift[month] + land.centres[group][:, None] * land.beta
    weight = shares[group] * np.where(strays, away, 1.0 - away) / len(points)
    when = np.full(group.size, month)
    kept = weight > 0
    return Population(
        land.seen(vectors, strays)[kept], weight[kept], group[kept], land.worth(vectors, when, strays)[kept]
    )

"""Entropy balancing: the weights on rows, closest to equal ones, that give them stated means.

Hainmueller (2012), "Entropy balancing for causal effects: a multivariate reweighting method to produce balanced
samples in observational studies". The dual is smooth and convex, ``min_λ log Σ_j exp(λ'(q_j − t))``, and solved by
damped Newton steps.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

STEPS = 100
"""Newton steps before a target counts as out of reach."""
TOLERANCE = 1e-9
"""Largest distance of a balanced mean from its target, in standard deviations of the coordinate."""
LARGEST_STEP = 50.0
"""Most that one step may move the log of a weight: far targets fail slowly instead of overflowing."""


@dataclass(frozen=True, slots=True)
class Balance:
    """Weights that balance.

    Attributes
    ----------
    weight : ndarray, shape (n,)
        ``π``, positive, sum 1.
    effective : float
        ``1/Σπ²``.
    components : int
        Number of coordinates balanced.
    """

    weight: NDArray[np.float64]
    effective: float
    components: int


def balance(coordinate: NDArray[np.float64], target: NDArray[np.float64]) -> Balance | None:
    """Find the weights, or None where the target is not inside the rows' convex hull.

    Parameters
    ----------
    coordinate : ndarray, shape (n, components)
        Of about unit variance.
    target : ndarray, shape (components,)
        Means to reach.
    """
    if not np.isfinite(target).all():
        return None
    centred = coordinate - target
    tilt = np.zeros(target.size)
    value, weight = _dual(centred, tilt)
    for _ in range(STEPS):
        gradient = weight @ centred
        if np.abs(gradient).max() < TOLERANCE:
            return Balance(weight, float(1.0 / np.square(weight).sum()), target.size)
        hessian = (centred * weight[:, None]).T @ centred - np.outer(gradient, gradient)
        ridge = 1e-12 * max(float(np.trace(hessian)), 1e-300) * np.eye(target.size)
        step = np.asarray(np.linalg.solve(hessian + ridge, gradient), dtype=np.float64)
        tilt, moved = _descend(centred, tilt, step, value, float(gradient @ step))
        if moved is None:
            return None
        value, weight = moved
    return None


def _dual(centred: NDArray[np.float64], tilt: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
    """Return the dual objective and its weights, shifted by the largest exponent against overflow."""
    exponent = centred @ tilt
    largest = exponent.max()
    mass = np.exp(exponent - largest)
    total = mass.sum()
    return float(largest + np.log(total)), mass / total


def _descend(
    centred: NDArray[np.float64], tilt: NDArray[np.float64], step: NDArray[np.float64], value: float, decrease: float
) -> tuple[NDArray[np.float64], tuple[float, NDArray[np.float64]] | None]:
    """Halve the Newton step until it lowers the objective enough (Armijo); None where none does."""
    largest = float(np.abs(centred @ step).max())
    damping = min(1.0, LARGEST_STEP / largest) if np.isfinite(largest) and largest > 0 else 1.0
    for _ in range(40):
        candidate = tilt - damping * step
        found = _dual(centred, candidate)
        # The second allowance lets the last steps through, whose gain drowns in rounding.
        if found[0] <= value - 1e-4 * damping * decrease + 1e-13 * max(1.0, abs(value)):
            return candidate, found
        damping *= 0.5
    return tilt, None

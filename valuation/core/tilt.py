"""The tilt backtest: held-out postings stand in for sessions, and "months" are made by weighing them differently.

For postings both the true price ``y`` and the out-of-fold value ``v`` are known. Between two weightings, the true
change of mean ``y`` is set beside the change of mean ``v`` that the pricer measures: the only check of *growth* on real
prices. Its errors are those of resampling posting units with values held fixed, in linear form.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import csr_array

from valuation.core.balance import balance

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Backtest:
    """True and measured changes under tilts, and what each posting unit adds to them.

    Attributes
    ----------
    true_change, measured_change : ndarray, shape (n_tilts,)
        Of mean ``y`` and mean ``v``, log points.
    true_influence, measured_influence : ndarray, shape (n_units, n_tilts)
        Log points for one more unit of a posting unit's weight.
    effective_postings : ndarray, shape (n_tilts,)
        ``1/Σπ²`` of the thinner of the two weightings.
    """

    true_change: NDArray[np.float64]
    measured_change: NDArray[np.float64]
    true_influence: NDArray[np.float64]
    measured_influence: NDArray[np.float64]
    effective_postings: NDArray[np.float64]

    def missed(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """True less measured change of each tilt, shape (n_tilts,), and its influence, (n_units, n_tilts)."""
        return self.true_change - self.measured_change, self.true_influence - self.measured_influence


def exponential_tilt(coordinate: NDArray[np.float64], *, strength: float) -> NDArray[np.float64] | None:
    """Weights ``∝ exp(λ q_j)`` that move the mean of ``q`` by `strength` standard deviations; None if out of reach.

    Parameters
    ----------
    coordinate : ndarray, shape (n_clusters,)
        ``q``; not all equal.
    strength : float
        Standard deviations, of either sign.

    Returns
    -------
    ndarray, shape (n_clusters,), or None
        Sum 1.
    """
    standard = (coordinate - coordinate.mean()) / coordinate.std()
    found = balance(standard[:, None], np.array([strength]))
    return None if found is None else found.weight


def share_tilt(member: NDArray[np.bool_], *, strength: float) -> NDArray[np.float64]:
    """Weights of a month in which the share `strength` of all work has gone over to the group: shape (n_clusters,).

    Parameters
    ----------
    member : ndarray of bool, shape (n_clusters,)
        Who is in the group; at least one.
    strength : float
        In [0, 1].
    """
    return np.asarray((1.0 - strength) / member.size + strength * member / member.sum())


def session_tilts(
    coordinate: NDArray[np.float64], target: NDArray[np.float64], *, min_effective: float
) -> tuple[NDArray[np.float64], int] | None:
    """Weights that give postings the sessions' mean coordinates in two months, by as many components as both allow.

    Parameters
    ----------
    coordinate : ndarray, shape (n_clusters, components)
        From `valuation.core.shift_check.principal_components`.
    target : ndarray, shape (2, components)
        Mean coordinates of the base and of the last month.
    min_effective : float
        Least ``1/Σπ²``; components are halved until both months have it. One component is kept if it balances.

    Returns
    -------
    tuple of ndarray, shape (2, n_clusters), and int, or None
        The weights and the number of components; None if not even one can be balanced.
    """
    components = coordinate.shape[1]
    while components > 0:
        found = [balance(coordinate[:, :components], mean[:components]) for mean in target]
        first, second = found
        if first is not None and second is not None:
            if components == 1 or min(first.effective, second.effective) >= min_effective:
                return np.stack([first.weight, second.weight]), components
        components //= 2
    return None


def backtest(
    start: NDArray[np.float64], end: NDArray[np.float64], log_price: NDArray[np.float64], value: NDArray[np.float64],
    unit: NDArray[np.int64], *, n_units: int,
) -> Backtest:  # fmt: skip
    """Set true beside measured change for pairs of weightings.

    Parameters
    ----------
    start, end : ndarray, shape (n_tilts, n_clusters)
        Weights of the two "months" of each pair; rows sum to 1.
    log_price, value : ndarray, shape (n_clusters,)
        ``y_j`` and ``v_-j(x_j)``, log nominal USD.
    unit : ndarray of int, shape (n_clusters,)
        Resampling unit of each cluster, in [0, n_units).
    n_units : int
        Number of units.
    """
    of_unit = csr_array((np.ones(unit.size), (unit, np.arange(unit.size))), shape=(n_units, unit.size))

    def change(of: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        first, second = start @ of, end @ of
        influence = end.T * (of[:, None] - second) - start.T * (of[:, None] - first)
        return second - first, np.asarray(of_unit @ influence)

    true, true_influence = change(log_price)
    measured, measured_influence = change(value)
    effective = 1.0 / np.maximum(np.square(start).sum(axis=1), np.square(end).sum(axis=1))
    return Backtest(true, measured, true_influence, measured_influence, effective)


def slope(found: Backtest, rows: NDArray[np.int64]) -> tuple[float, NDArray[np.float64]]:
    """Slope through the origin of true on measured change over tilts, and its influence by unit, shape (n_units,).

    No change is no change, so the line has no intercept; and a component's sign then does not matter. NaN where the
    pricer measures no change at all.

    Parameters
    ----------
    found : Backtest
        From `backtest`.
    rows : ndarray of int, shape (n_chosen,)
        Tilts that enter.
    """
    true, measured = found.true_change[rows], found.measured_change[rows]
    square = float(measured @ measured)
    if square <= 1e-20:
        return float("nan"), np.full(found.true_influence.shape[0], np.nan)
    estimate = float(true @ measured) / square
    moved_true = found.true_influence[:, rows] @ measured
    moved_measured = found.measured_influence[:, rows] @ (true - 2.0 * estimate * measured)
    return estimate, np.asarray((moved_true + moved_measured) / square)

"""The users' part of the doubly robust series: the tilt follows the month's sessions, so other users tilt it elsewhere.

``D_m = Σ_j π_mj ρ_j`` depends on the sessions through their mean ``q̄_m``, which the weights reproduce. For entropy
balancing the derivative is ``∂D_m/∂q̄_m = Cov_π(q)⁻¹ Cov_π(q, ρ) = γ_m``, the slope of the residuals on ``q`` among the
tilted postings (differentiate ``Σ_j π_j q_j = q̄`` in ``λ``; the linearisation of calibration estimators, Deville and
Särndal 1992, "Calibration estimators in survey sampling"). A user therefore moves ``θ_m + D_m`` by
``Σ_{i∈u} p_im [(v_i − θ_m) + γ_m'(q_i − q̄_m)]``. Without the second term intervals are too short exactly where the
check matters: where the pricer misses something that varies between sessions.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import csr_array

from valuation.core import draws
from valuation.core.balance import balance
from valuation.core.bootstrap import Replicates

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from valuation.core.arrays import PricedSessions
    from valuation.core.shift_check import ShiftCheck


def tilted_by_users(
    check: ShiftCheck, coordinate: NDArray[np.float64], target: NDArray[np.float64], residual: NDArray[np.float64],
    sessions: PricedSessions, session_coordinate: NDArray[np.float64], month: NDArray[np.int64], *, seed: int,
) -> ShiftCheck:  # fmt: skip
    """Add to the doubly robust series' replicates what users move through the tilt.

    Parameters
    ----------
    check : ShiftCheck
        From `valuation.core.shift_check.shift_check`.
    coordinate, target, residual
        What it was made from.
    sessions : PricedSessions
        Matched sessions; their weights, users and keys are used.
    session_coordinate : ndarray, shape (n_sessions, components)
        ``q_i``, from `valuation.core.shift_check.principal_components`.
    month : ndarray of int, shape (n_sessions,)
        In [0, n_months), or -1 for none.
    seed : int
        As in `valuation.core.bootstrap.joint_replicates`: the same draws as the series.

    Returns
    -------
    ShiftCheck
        `corrected` with its users' part completed; all else unchanged.
    """
    influence = np.zeros((sessions.user_key.size, target.shape[0]))
    for code in np.unique(month[month >= 0]):
        n = int(check.components[code])
        slope = _slope(coordinate[:, :n], target[code, :n], residual)
        inside = month == code
        share = sessions.weight[inside] / sessions.weight[inside].sum()
        moved = share * ((session_coordinate[inside, :n] - target[code, :n]) @ slope)
        influence[:, code] = np.bincount(sessions.user[inside], weights=moved, minlength=sessions.user_key.size)
    before = check.corrected
    users = before.users + draws.replicate_sums(
        sessions.user_key, csr_array(influence), seed=seed, stream=draws.USERS, replicates=before.users.shape[0]
    )
    return replace(check, corrected=Replicates(before.point, users, before.postings, users + before.postings))


def _slope(
    coordinate: NDArray[np.float64], target: NDArray[np.float64], residual: NDArray[np.float64]
) -> NDArray[np.float64]:
    """``γ``: slope of residuals on coordinates among postings tilted to the target; none where nothing balanced."""
    found = balance(coordinate, target) if target.size else None
    if found is None:
        return np.zeros(target.size)
    centred = coordinate - target
    spread = (centred * found.weight[:, None]).T @ centred
    return np.asarray(np.linalg.lstsq(spread, centred.T @ (found.weight * residual), rcond=None)[0])

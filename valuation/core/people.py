"""Who is behind growth: users who stay, come and go.

``Δθ = (θ_S,T − θ_S,0) + ε (θ_E,T − θ_S,T) + λ (θ_S,0 − θ_L,0)`` with stayers S, entrants E of share ``ε`` of the last
month's weight, and leavers L of share ``λ`` of the base month's (Melitz and Polanec 2015, "Dynamic Olley-Pakes
productivity decomposition with entry and exit", RAND Journal of Economics 46). Stayers are the yardstick of each month:
entrants add if they are above the stayers of their month, leavers if they were below those of theirs.

Per user: ``ln(W_m/U_m)``, weight of matched sessions over users with any, moves with a user's weight by
``W_um/W_m − 1_um/U_m``. A user's standing (stays, comes, goes) is held fixed in replicates.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import csr_array, diags_array, hstack

from valuation.core.linear import Columns

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from valuation.core.influence import Influence

ALL_FROM, ALL_TO, STAYERS_FROM, STAYERS_TO, LEAVERS, ENTRANTS = range(6)
N_CELLS = 6
"""Cells of `who_cells`: everyone in the two months, then stayers in the two, leavers and entrants."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A log figure and its derivatives.

    Attributes
    ----------
    value : float
        Log points, log USD, or the log of sessions per user; NaN where it does not exist.
    weights : ndarray, shape (3 * N_CELLS,)
        Derivatives by mean log value, log sessions per user, and share of the month, of each cell in turn.
    """

    value: float
    weights: NDArray[np.float64]


def who_cells(user: NDArray[np.int64], side: NDArray[np.int64], *, n_users: int) -> NDArray[np.int64]:
    """Cells of the sessions of two months.

    Parameters
    ----------
    user : ndarray of int, shape (n_sessions,)
        In [0, n_users).
    side : ndarray of int, shape (n_sessions,)
        0 = base month, 1 = last month.

    Returns
    -------
    ndarray of int, shape (2, n_sessions)
        Everyone's month, and the user's standing in it.
    """
    there = np.zeros((2, n_users), dtype=bool)
    there[side, user] = True
    stays = (there[0] & there[1])[user]
    return np.stack([side, np.where(stays, STAYERS_FROM + side, np.where(side == 0, LEAVERS, ENTRANTS))])


def who_columns(influence: Influence, weight: NDArray[np.float64], cell: NDArray[np.int64]) -> Columns:
    """Mean log value, log sessions per user, and share of the month of every cell: 18 columns.

    Parameters
    ----------
    influence : Influence
        Of `cell`, from `valuation.core.influence.series_influence`.
    weight : ndarray, shape (n_sessions,)
        Session weights.
    cell : ndarray of int, shape (2, n_sessions)
        From `who_cells`.
    """
    share = influence.user_share
    users = np.maximum(influence.n_users, 1).astype(np.float64)
    total = np.bincount(cell.ravel(), weights=np.tile(weight, 2), minlength=N_CELLS)
    per_user = np.log(np.where(total > 0, total, np.nan) / users)
    active = csr_array((share > 0).astype(np.float64) @ diags_array(1.0 / users))
    still = np.zeros((influence.posting.shape[0], 2 * N_CELLS))
    return Columns(
        np.concatenate([influence.mean, per_user, influence.cell_share]),
        np.hstack([influence.posting, still]),
        csr_array(hstack([influence.user, csr_array(share - active), influence.share_user], format="csr")),
    )


def level(point: NDArray[np.float64], cell: int, *, value: bool, sessions: bool) -> Figure:
    """Mean log value, log sessions per user, or their sum: the log of typical value times sessions per user.

    Parameters
    ----------
    point : ndarray, shape (3 * N_CELLS,)
        Of `who_columns`.
    cell : int
        Of `who_cells`.
    value, sessions : bool
        Which of the two enter.
    """
    weights = np.zeros(3 * N_CELLS)
    weights[cell], weights[N_CELLS + cell] = float(value), float(sessions)
    used = weights > 0
    return Figure(float(point[used].sum()), weights)


def change(point: NDArray[np.float64], first: int, second: int, *, value: bool, sessions: bool) -> Figure:
    """Growth of `level` from cell `first` to cell `second`, log points."""
    after, before = (level(point, cell, value=value, sessions=sessions) for cell in (second, first))
    return Figure(after.value - before.value, after.weights - before.weights)


def contributions(point: NDArray[np.float64]) -> dict[str, Figure]:
    """What stayers, entrants and leavers add to growth; they sum to it.

    Parameters
    ----------
    point : ndarray, shape (3 * N_CELLS,)
        Of `who_columns`. A group without sessions adds nothing; without stayers nothing can be told apart.
    """
    mean, share = point[:N_CELLS], point[2 * N_CELLS :]
    found = {"stayers": change(point, STAYERS_FROM, STAYERS_TO, value=True, sessions=False)}
    for name, cell, yardstick, sign in (
        ("entrants", ENTRANTS, STAYERS_TO, 1.0),
        ("leavers", LEAVERS, STAYERS_FROM, -1.0),
    ):
        weights = np.zeros(3 * N_CELLS)
        if share[cell] > 0:
            weights[[cell, yardstick]] = sign * share[cell], -sign * share[cell]
            weights[2 * N_CELLS + cell] = sign * (mean[cell] - mean[yardstick])
            found[name] = Figure(sign * share[cell] * (mean[cell] - mean[yardstick]), weights)
        else:
            found[name] = Figure(0.0 if share[STAYERS_FROM] > 0 else np.nan, weights)
    return found

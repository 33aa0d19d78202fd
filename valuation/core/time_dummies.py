"""Time-dummy hedonic: month effects on values when columns of sessions are held fixed (weighted least squares).

``v_i = δ_month + Σ_c γ_c,group + e_i``: a month's effect is a weighted sum of values, ``δ_m − δ_0 = Σ_i a_im v_i``, so
that its error has the same linear form as everything else, with ``a`` in place of shares (the method: de Haan and
Diewert 2013, "Hedonic regression methods", Handbook on Residential Property Price Indices, chapter 5; the users' part:
Liang and Zeger 1986). Without columns it is the difference of the months' means.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import csr_array, diags_array, hstack

from valuation.core.linear import Columns, posting_influence

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from valuation.core.arrays import BasketModel, PricedSessions

TOLERANCE = 1e-10
"""Relative size under which a direction of the design counts as absent."""
SEEN = 1e-6
"""Part of a contrast that may lie along absent directions: rounding."""


@dataclass(frozen=True, slots=True)
class MonthEffects:
    """Effects of months above the first.

    Attributes
    ----------
    estimate : ndarray, shape (n_months,)
        Log points; 0 for the first, NaN where no group links a month to the first one.
    session_weight : csr_array, shape (n_months, n_sessions)
        ``a_im``: the estimate is ``a @ v``; 0 where there is none.
    residual : ndarray, shape (n_sessions,)
        ``e_i``, log points.
    """

    estimate: NDArray[np.float64]
    session_weight: csr_array
    residual: NDArray[np.float64]


def month_effects(
    log_value: NDArray[np.float64], weight: NDArray[np.float64], month: NDArray[np.int64],
    group: NDArray[np.int64], *, n_months: int,
) -> MonthEffects:  # fmt: skip
    """Regress values on months and columns.

    Parameters
    ----------
    log_value, weight : ndarray, shape (n_sessions,)
        ``v_i``, log USD; weights above 0.
    month : ndarray of int, shape (n_sessions,)
        In [0, n_months); month 0 is the one compared with.
    group : ndarray of int, shape (n_columns, n_sessions)
        Group of each session in each column, from 0; no column: month means.
    """
    design = _design(month, group, n_months)
    weighted = csr_array(design.T @ diags_array(weight))
    gram = np.asarray((weighted @ design).todense())
    size = np.sqrt(np.maximum(np.diag(gram), np.finfo(float).tiny))
    value, vector = np.linalg.eigh(gram / np.outer(size, size))
    kept = value > TOLERANCE * value.max()
    inverse = (vector[:, kept] / value[kept]) @ vector[:, kept].T / np.outer(size, size)
    contrast = np.eye(n_months, gram.shape[0])
    contrast[:, 0] -= 1.0
    linked = _in_reach(contrast / size, vector[:, ~kept])
    coefficient = inverse @ (weighted @ log_value)
    estimate = np.where(linked, contrast @ coefficient, np.nan)
    reached = csr_array(np.where(linked[:, None], contrast @ inverse, 0.0))
    return MonthEffects(estimate, csr_array(reached @ weighted), log_value - design @ coefficient)


def _in_reach(contrast: NDArray[np.float64], absent: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Tell contrasts that the data can see: those without a part along directions that the design does not have."""
    part = np.linalg.norm(contrast @ absent, axis=1)
    return np.asarray(part <= SEEN * np.linalg.norm(contrast, axis=1))


def _design(month: NDArray[np.int64], group: NDArray[np.int64], n_months: int) -> csr_array:
    """Dummies of every month and every group, shape (n_sessions, p); more than can be told apart."""
    rows, ones = np.arange(month.size), np.ones(month.size)
    blocks = [csr_array((ones, (rows, month)), shape=(month.size, n_months))]
    blocks += [csr_array((ones, (rows, code)), shape=(month.size, int(code.max()) + 1)) for code in group]
    return csr_array(hstack(blocks, format="csr"))


def effect_columns(
    effects: MonthEffects, sessions: PricedSessions, model: BasketModel, residual: NDArray[np.float64],
    *, use_hedonic: bool,
) -> Columns:  # fmt: skip
    """Estimates with their influence functions, one column a month.

    Parameters
    ----------
    effects : MonthEffects
        Of these sessions.
    sessions, model, residual, use_hedonic
        As in `valuation.core.influence.series_influence`; `residual` is that of the pricer.
    """
    posting = posting_influence(sessions, model, residual, effects.session_weight, use_hedonic=use_hedonic)
    n = sessions.log_value.size
    of_user = csr_array((effects.residual, (sessions.user, np.arange(n))), shape=(sessions.user_key.size, n))
    return Columns(effects.estimate, posting, csr_array(of_user @ effects.session_weight.T))

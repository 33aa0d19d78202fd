"""Estimates with their influence functions, whatever they are, and one joint draw for all of them.

The counterpart of `valuation.core.influence` for figures that are not means of cells: an effect in a regression, the
log of sessions per user, a share. Columns of several parts are drawn together, so that each user and posting unit is
drawn once for all.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import csr_array, hstack

from valuation.core import draws
from valuation.core.bootstrap import Replicates, posting_replicates
from valuation.core.growth import effective, support
from valuation.core.influence import neighbour_matrix
from valuation.core.intervals import Interval, pointwise, widening

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from valuation.core.arrays import BasketModel, PricedSessions
    from valuation.core.bootstrap import Variation
    from valuation.core.influence import Influence


@dataclass(frozen=True, slots=True)
class Columns:
    """Estimates and what one more unit of weight of a posting unit or user adds to each.

    Attributes
    ----------
    point : ndarray, shape (n_columns,)
        NaN where there is none.
    posting : ndarray, shape (n_units, n_columns)
        0 for columns that prices do not enter.
    user : csr_array, shape (n_users, n_columns)
    """

    point: NDArray[np.float64]
    posting: NDArray[np.float64]
    user: csr_array


def joint_columns(
    parts: Sequence[Columns], *, unit_key: NDArray[np.uint64], user_key: NDArray[np.uint64], seed: int, replicates: int
) -> list[Replicates]:
    """Draw every column of every part from the same users and posting units as the series.

    Parameters
    ----------
    parts : sequence of Columns
        At least one.
    unit_key, user_key, seed, replicates
        As in `valuation.core.bootstrap.joint_replicates`.

    Returns
    -------
    list of Replicates
        One a part.
    """
    by_user = csr_array(hstack([part.user for part in parts], format="csr"))
    users = draws.replicate_sums(user_key, by_user, seed=seed, stream=draws.USERS, replicates=replicates)
    by_unit = np.hstack([part.posting for part in parts])
    postings = posting_replicates(by_unit, unit_key=unit_key, seed=seed, replicates=replicates)
    ends = np.cumsum([part.point.size for part in parts])[:-1]
    return [
        Replicates(part.point, of_users, of_postings, of_users + of_postings)
        for part, of_users, of_postings in zip(
            parts, np.split(users, ends, axis=1), np.split(postings, ends, axis=1), strict=True
        )
    ]


def posting_influence(
    sessions: PricedSessions, model: BasketModel, residual: NDArray[np.float64], session_weight: csr_array,
    *, use_hedonic: bool,
) -> NDArray[np.float64]:  # fmt: skip
    """``φ`` of weighted sums of sessions' values: that of a mean with any weights in place of its shares.

    Parameters
    ----------
    sessions, model, residual, use_hedonic
        As in `valuation.core.influence.series_influence`.
    session_weight : csr_array, shape (n_sums, n_sessions)
        Weights ``a`` of ``Σ_i a_i v_i``; of either sign, any sum.

    Returns
    -------
    ndarray, shape (n_units, n_sums)
    """
    n_clusters, n_units = model.log_price.size, model.unit_key.size
    matched = (session_weight @ neighbour_matrix(sessions, n_clusters)).toarray()
    moved = matched.T * residual[:, None]
    if use_hedonic:
        gap = session_weight @ sessions.features - matched @ model.features
        intercept = (np.asarray(session_weight.sum(axis=1)) - matched.sum(axis=1)) / n_clusters
        moved += (model.features @ (gap @ model.gram_inverse).T + intercept) * model.hedonic_residual[:, None]
    of_unit = csr_array((np.ones(n_clusters), (model.unit, np.arange(n_clusters))), shape=(n_units, n_clusters))
    return np.asarray(of_unit @ moved)


def combination(
    replicates: Replicates, estimate: float, weights: NDArray[np.float64],
    *, variation: Variation, level: float, factor: float,
) -> Interval:  # fmt: skip
    """Interval of a figure that moves as a weighted sum of columns; arrays of shape (1,).

    Columns of weight 0 do not matter, even where they are NaN.

    Parameters
    ----------
    replicates : Replicates
        Of the columns.
    estimate : float
        The figure, on the scale of the columns (logs); a function of them.
    weights : ndarray, shape (n_columns,)
        Its derivatives.
    variation, level, factor
        As in `valuation.core.growth.contrast_interval`.
    """
    used = np.flatnonzero(weights)
    moved = replicates.deviations(variation)[:, used] @ weights[used]
    return pointwise(np.array([estimate]), moved[:, None], level=level, factor=np.array([factor]))


def few_factor(influence: Influence, contrast: NDArray[np.float64], *, variation: Variation, level: float) -> float:
    """Widening of the interval of a contrast of cells, for the users and postings that stand behind it."""
    return float(widening(np.array([effective(support(influence, contrast), variation)]), level=level)[0])

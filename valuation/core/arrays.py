"""The arrays that the numerical rooms share, joined and aligned by the pipeline."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class BasketModel:
    """The basket's clusters with the fitted hedonic regression: what prices sessions, and with what error.

    Attributes
    ----------
    features : ndarray, shape (n_clusters, n_features)
        Frozen features ``x_j``, centred on their mean over clusters (the intercept is unpenalised).
    centre : ndarray, shape (n_features,)
        The mean that was subtracted; subtract it from session features too.
    gram_inverse : ndarray, shape (n_features, n_features)
        ``H⁻¹`` with ``H = X'CX + λI``.
    log_price : ndarray, shape (n_clusters,)
        ``y_j``, log nominal USD.
    hedonic_residual : ndarray, shape (n_clusters,)
        ``r_j = y_j − m_-j(x_j)``, out of fold.
    unit : ndarray of int, shape (n_clusters,)
        Resampling unit of each cluster, in [0, n_units).
    unit_key : ndarray of uint64, shape (n_units,)
        Hash of each unit's smallest posting_id: the identity that bootstrap draws are keyed by.
    """

    features: NDArray[np.float64]
    centre: NDArray[np.float64]
    gram_inverse: NDArray[np.float64]
    log_price: NDArray[np.float64]
    hedonic_residual: NDArray[np.float64]
    unit: NDArray[np.int64]
    unit_key: NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class PricedSessions:
    """Matched sessions under one pricer, ordered by session_id.

    Attributes
    ----------
    log_value : ndarray, shape (n_sessions,)
        ``v_i``, log nominal USD; finite (unmatched sessions are left out before).
    weight : ndarray, shape (n_sessions,)
        Positive session weights.
    user : ndarray of int, shape (n_sessions,)
        User of each session, in [0, n_users).
    user_key : ndarray of uint64, shape (n_users,)
        Hash of each user's smallest session_id.
    neighbour : ndarray of int, shape (n_sessions, k)
        Rows of the basket.
    neighbour_weight : ndarray, shape (n_sessions, k)
        ``w_ij``, summing to 1 in each row; all zero for the pricer ``hedonic``.
    features : ndarray, shape (n_sessions, n_features)
        ``z_i``, centred with the basket's `centre`.
    """

    log_value: NDArray[np.float64]
    weight: NDArray[np.float64]
    user: NDArray[np.int64]
    user_key: NDArray[np.uint64]
    neighbour: NDArray[np.int64]
    neighbour_weight: NDArray[np.float64]
    features: NDArray[np.float64]

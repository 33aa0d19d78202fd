"""The second polar reading of growth: sessions move along the price axis, whatever their words."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def along_price_axis(
    growth: float, moved: NDArray[np.float64], slope: float, slope_moved: NDArray[np.float64]
) -> tuple[float, NDArray[np.float64]]:
    """Divide growth by the slope of value on price, and carry the error of both.

    Held-out values move by only `slope` where prices move by one, so that sessions which became dearer at unchanged
    words show that much less growth. The deviations are those of the ratio to first order.

    Parameters
    ----------
    growth : float
        ``θ_T − θ_0``, log points.
    moved : ndarray, shape (n_replicates,)
        Its deviations.
    slope : float
        Of ``v_-j(x_j)`` on ``y_j`` over postings; not 0.
    slope_moved : ndarray, shape (n_replicates,)
        Its deviations, from the same draws.

    Returns
    -------
    tuple of float and ndarray, shape (n_replicates,)
    """
    return growth / slope, moved / slope - growth * slope_moved / slope**2

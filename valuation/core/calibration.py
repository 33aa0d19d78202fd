"""The straight line that turns the pricer's log value into held-out postings' mean log price."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from valuation.errors import ThinMatchError

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Calibration:
    """Least-squares line of ``y`` on the out-of-fold ``v``: ``E[y | v] ≈ intercept + slope · v``, log USD."""

    intercept: float
    slope: float


IDENTITY = Calibration(intercept=0.0, slope=1.0)


def calibrate(log_price: NDArray[np.float64], value: NDArray[np.float64]) -> Calibration:
    """Fit the line on held-out postings, shape (n,) each, log USD.

    Raises
    ------
    ThinMatchError
        The values do not vary: a slope does not exist.
    """
    spread = value - value.mean()
    square = float(spread @ spread)
    if square <= 1e-12 * len(value):
        raise ThinMatchError("calibration: the pricer gives every held-out posting the same value; no slope exists")
    slope = float(spread @ (log_price - log_price.mean())) / square
    return Calibration(intercept=float(log_price.mean() - slope * value.mean()), slope=slope)


def apply(calibration: Calibration, value: NDArray[np.float64]) -> NDArray[np.float64]:
    """Move log values onto the line, any shape."""
    return calibration.intercept + calibration.slope * value

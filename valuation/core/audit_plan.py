"""What an audit will buy, before anyone works."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import ndtri

if TYPE_CHECKING:
    from numpy.typing import NDArray

SPREADS = (1.3, 0.9, 0.6)
"""Standard deviations of analyst's less predicted value that a plan is shown for: single postings scatter by 1.3 around
a predicted price; analysts who agree with a good pricer leave 0.6."""


@dataclass(frozen=True, slots=True)
class ExpectedError:
    """Standard errors of growth between two months, log points.

    Attributes
    ----------
    spread : float
        Standard deviation of ``h − λ v`` assumed.
    audits : float
        From checking some sessions only: what more audits reduce.
    growth : float
        In all, with the sampling of users.
    half_width : float
        Of the interval of growth: the normal quantile times `growth`.
    """

    spread: float
    audits: float
    growth: float
    half_width: float


def expected_error(
    stratum: NDArray[np.int64], month: NDArray[np.int64], weight: NDArray[np.float64], inclusion: NDArray[np.float64],
    *, from_month: int, to_month: int, spread: float, users: float, response: float, level: float,
) -> ExpectedError:  # fmt: skip
    """Expect the error of growth for a design and a spread of analysts' around predicted values.

    The users' part of analysts' values is that of predicted values and the spread's own: with errors independent
    between sessions, the whole is ``V1(v) + σ² Σ_i p_i²/π_i``, of which the audits' part is ``σ² Σ_i p_i² (1/π_i −
    1)``.

    Parameters
    ----------
    stratum : ndarray of int, shape (n_sessions,)
        Of the design, -1 outside.
    month : ndarray of int, shape (n_sessions,)
    weight : ndarray, shape (n_sessions,)
        Session weights.
    inclusion : ndarray, shape (n_sessions,)
        ``π_i`` of the design.
    from_month, to_month : int
    spread : float
        ``σ``, log points.
    users : float
        Variance of the plain growth from sampling users.
    response : float
        Share of audited sessions expected to get a value, in (0, 1].
    level : float
        Of the interval.
    """
    audits, whole = 0.0, users
    for code in (from_month, to_month):
        rows = (month == code) & (stratum >= 0)
        squares = np.square(weight[rows] / weight[rows].sum())
        reached = inclusion[rows] * response
        audits += spread**2 * float((squares * (1.0 / reached - 1.0)).sum())
        whole += spread**2 * float((squares / reached).sum())
    error = float(np.sqrt(whole))
    return ExpectedError(spread, float(np.sqrt(audits)), error, float(ndtri(0.5 + level / 2)) * error)


def audits_for(spread: float, standard_error: float, *, sizes: tuple[int, int] | None, response: float) -> int | None:
    """Audits in each of two months for a standard error of growth from audits alone, ``σ √(2/n)``.

    Parameters
    ----------
    spread : float
        ``σ``, log points.
    standard_error : float
        Wanted, log points.
    sizes : tuple of int, optional
        Sessions of the two months: checking all of a month leaves no error. None: far more than will be checked.
    response : float
        Share of audited sessions expected to get a value, in (0, 1].

    Returns
    -------
    int or None
        None where even checking all that respond is not enough.
    """
    if not (spread > 0 and standard_error > 0 and 0 < response <= 1):
        raise ValueError(f"spread {spread}, standard error {standard_error}, response {response}: expected above 0")
    if sizes is None:
        return int(np.ceil(2.0 * (spread / standard_error) ** 2 / response - 1e-9))
    size = np.array(sizes, dtype=np.float64)

    def error(n: int) -> float:
        return float(spread * np.sqrt((1.0 / (np.minimum(n, size) * response) - 1.0 / size).sum()))

    low, high = 1, int(size.max())
    if error(high) > standard_error:
        return None
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if error(middle) <= standard_error else (middle + 1, high)
    return low

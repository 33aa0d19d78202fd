"""Which of the report's warnings a simulated world would set off: the rules of `valuation.report`, on arrays.

Only rules that bear on whether growth's interval may be believed; each mirrors the rule of the same name, with the same
threshold (`valuation.report.constants`).
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np

from valuation.core.bootstrap import calibration_replicates
from valuation.core.intervals import pointwise
from valuation.report import constants as limits

if TYPE_CHECKING:
    from valuation.core.growth import Support
    from valuation.core.influence import Influence
    from valuation.evidence.observed import Observed
    from valuation.evidence.worlds import Estimation
    from valuation.simulation.vectors import VectorWorld


@dataclass(frozen=True, slots=True)
class Fired:
    """Which warnings fire.

    Attributes
    ----------
    shift_check : bool
        The interval of ``D_T − D_0`` leaves out 0.
    few_components : bool
        The shift check balanced few of the directions that it was asked for.
    calibration_slope : bool
        The slope of held-out log prices on values is far from 1, whatever its error.
    matched_fall : bool
        The matched share falls.
    few_users, one_user : bool
        In the base or the last month.
    few_postings, hubs : bool
        Growth, or all matching, rests on few postings.
    """

    shift_check: bool
    few_components: bool
    calibration_slope: bool
    matched_fall: bool
    few_users: bool
    one_user: bool
    few_postings: bool
    hubs: bool

    @property
    def any(self) -> bool:
        """Whether the report warns at all."""
        return any(getattr(self, rule) for rule in RULES)


RULES = tuple(field.name for field in fields(Fired))


def fired(
    world: VectorWorld, seen: Observed, influence: Influence, stands: Support, how: Estimation,
    *, shift_excludes_zero: bool, balanced_share: float, seed: int,
) -> Fired:  # fmt: skip
    """Apply the rules.

    Parameters
    ----------
    world : VectorWorld
        Of two months.
    seen : Observed
        The same world, priced.
    influence : Influence
        Of its cells; cells 0 and 1 are the months.
    stands : Support
        Of growth.
    how : Estimation
    shift_excludes_zero : bool
        From the shift check.
    balanced_share : float
        Of the components there are, those that the shift check balanced; 0..1.
    seed : int
        Of the draws behind the slope's interval.
    """
    months = influence.user_share.toarray()[:, :2]
    before, after = (float(seen.matched[world.month == month].mean()) for month in (0, 1))
    low, high = _slope_interval(seen, how, seed)
    return Fired(
        shift_check=shift_excludes_zero,
        few_components=balanced_share < limits.BALANCED_LEAST,
        calibration_slope=high < limits.SLOPE_LOW or low > limits.SLOPE_HIGH,
        matched_fall=before - after > limits.MATCHED_FALL,
        few_users=bool((1.0 / np.square(months).sum(axis=0)).min() < limits.MIN_EFFECTIVE),
        one_user=bool(months.max() > limits.ONE_USER),
        few_postings=stands.effective_postings < limits.MIN_EFFECTIVE,
        hubs=_hub_share(seen) > limits.HUB_SHARE,
    )


def _slope_interval(seen: Observed, how: Estimation, seed: int) -> tuple[float, float]:
    """Interval of the slope of held-out log prices on values."""
    basket = seen.basket
    found = calibration_replicates(
        basket.engine.log_price - seen.residual, basket.engine.log_price, basket.unit,
        unit_key=basket.unit_key, seed=seed, replicates=how.replicates,
    )  # fmt: skip
    ends = pointwise(np.array([found.slope]), found.slope_deviation[:, None], level=how.level, factor=np.ones(1))
    return float(ends.lower[0]), float(ends.upper[0])


def _hub_share(seen: Observed) -> float:
    """Share of all matching weight on the top 1 % of the basket's postings; NaN without neighbours' weights."""
    size = seen.basket.vectors.shape[0]
    mass = np.bincount(seen.sessions.neighbour.ravel(), weights=seen.sessions.neighbour_weight.ravel(), minlength=size)
    if mass.sum() == 0:
        return float("nan")
    return float(np.sort(mass)[::-1][: max(1, round(size / 100))].sum() / mass.sum())

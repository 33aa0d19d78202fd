"""Audited less plain levels with an interval of their own: whether the pricer is wrong, and in which month.

That the plain figure lies inside the audited interval says less: both rest on the same users, whose sampling error is
in that interval and not in the difference (Schenker and Gentleman 2001, "On judging the significance
of differences by examining the overlap between confidence intervals").
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from valuation.core.audit_variance import variance_of
from valuation.core.growth import Rate

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from valuation.core.audit_estimate import AuditEstimate


def audited_less_plain(found: AuditEstimate, contrast: NDArray[np.float64]) -> Rate:
    """Weighted sum of months' ``θ^H_m − v̄_m`` in log points; NaN where a month that counts has no level.

    Parameters
    ----------
    found : AuditEstimate
        Of matched sessions.
    contrast : ndarray, shape (n_months,)
        Weight of each month: 1 for its level, −1 and 1 for growth.
    """
    apart = found.audited.estimate - found.plain.estimate
    if not np.isfinite(apart[contrast != 0]).all():
        return Rate(np.nan, np.nan, np.nan)
    estimate = float(apart[contrast != 0] @ contrast[contrast != 0])
    sampled = replace(found.sampled, known=found.sampled.known - found.sampled_plain.known)
    half = variance_of(sampled, contrast).half_width(found.method, found.level)
    return Rate(estimate, estimate - half, estimate + half)

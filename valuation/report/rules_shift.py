"""Warning rules about how much the shift check can see: how many directions it balances, how wide its interval is.

Each rule is a pure function of the run's tables; thresholds and their reasons are in `constants`.
"""

from __future__ import annotations

import math

from markupsafe import Markup

from valuation.report import constants as limits
from valuation.report import measures
from valuation.report.inputs import RunTables, headline_growth, lookup
from valuation.report.provenance import constant
from valuation.report.warning import Warning_, warning


def few_components(tables: RunTables) -> list[Warning_]:
    """Warn if postings could be made to resemble the end months' sessions in few of the directions asked for.

    The two end months share their number of components, the smaller of the two (`valuation.core.shift_check`).
    """
    balanced = lookup(tables.manifest, "shift_check/components")
    asked = lookup(tables.manifest, "settings/shift_check/components")
    if not _whole(balanced) or not _whole(asked) or not balanced < limits.BALANCED_LEAST * asked:
        return []
    text = (
        "The shift check weights postings until they resemble the sessions of the two end months in {asked} main "
        "directions of the texts; here it could do so in {balanced} (limit: {limit} of them), since few postings are "
        "like those sessions. A shift in the other directions goes unseen, and the doubly robust interval, which "
        "leaves it out, can be too short."
    )
    numbers = {"asked": (float(asked), "count"), "balanced": (float(balanced), "count")}
    words = {"limit": constant("balanced_least", "level")}
    return [warning("few_components", "caution", "Shift check sees few directions", text, numbers, words)]


def _whole(number: object) -> bool:
    return isinstance(number, int) and not isinstance(number, bool)


def blind_shift_check(tables: RunTables) -> list[Warning_]:
    """Warn if a shift large enough to undo what the headline says would be missed more often than not.

    That is a shift as large as measured growth, or, where growth's interval includes zero, as its half-width. A check
    that does exclude zero has seen something and is not called blind.
    """
    found, row = measures.shift(tables), headline_growth(tables)
    if found is None or row is None or not found.lower <= 0 <= found.upper:
        return []
    half = (found.upper - found.lower) / 2
    growth, margin = _growth_and_margin(float(row["growth"]), float(row["lower"]), float(row["upper"]))
    matters = max(abs(growth), margin)
    if not (math.isfinite(half) and math.isfinite(matters)) or half < matters:
        return []
    text = (
        "The shift check finds no shift between the end months, but it could hardly have found one: its interval "
        "reaches {half} log points either way, and {what} is {matters}. A shift of that size would be missed at least "
        "half of the time, so that none was found says little."
    )
    what = "measured growth" if abs(growth) >= margin else "the margin of error of growth itself"
    numbers = {"half": (half, "ln"), "matters": (matters, "ln")}
    words = {"what": Markup("{}").format(what)}
    return [warning("blind_shift_check", "caution", "Shift check is nearly blind", text, numbers, words)]


def _growth_and_margin(growth: float, lower: float, upper: float) -> tuple[float, float]:
    """Growth and the half-width of its interval in log points; a missing interval has no width."""
    if not -1 < growth < math.inf:
        return math.nan, math.nan
    known = -1 < lower <= upper < math.inf
    return math.log1p(growth), (math.log1p(upper) - math.log1p(lower)) / 2 if known else 0.0

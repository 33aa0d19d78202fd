"""Warning rules about the estimates: matching, growth, the pricer and the postings under it.

Each rule is a pure function of the run's tables; thresholds and their reasons are in `constants`.
"""

from __future__ import annotations

import math

from markupsafe import Markup

from valuation.report import constants as limits
from valuation.report import measures
from valuation.report.inputs import (
    RunTables,
    headline_growth,
    headline_pricer,
    lookup,
    select,
    series_of,
    setting,
    span,
)
from valuation.report.provenance import constant, month, traced
from valuation.report.rules_sessions import months_in_words
from valuation.report.warning import Warning_, warning


def nothing_matched(tables: RunTables) -> list[Warning_]:
    """Warn if no session at all could be priced."""
    if tables.values.empty or tables.values["matched"].any():
        return []
    minimum = lookup(tables.manifest, "s_min")
    text = (
        "None of the {sessions} sessions is similar enough to any posting (the least similarity accepted is "
        "{minimum}): no value is given."
    )
    numbers = {"sessions": (float(len(tables.values)), "count")}
    level = traced(float(minimum) if isinstance(minimum, int | float) else math.nan, "manifest:s_min:value", "number")
    return [warning("nothing_matched", "serious", "Nothing matched", text, numbers, {"minimum": level})]


def sums_off(tables: RunTables) -> list[Warning_]:
    """Warn if neighbours' contributions do not add up to the values: the tables do not belong together."""
    gaps = measures.sum_gaps(tables)
    off = gaps[~(gaps <= limits.SUM_GAP)]
    if off.empty:
        return []
    text = (
        "The neighbours’ contributions of {sessions} sessions do not add up to their log value (largest gap {gap} log "
        "points): the tables of this run do not belong together; run it again."
    )
    numbers = {"sessions": (float(len(off)), "count"), "gap": (float(off.max()), "number")}
    return [warning("sums_off", "serious", "Sums do not add up", text, numbers)]


def no_growth(tables: RunTables) -> list[Warning_]:
    """Warn if there is no pair of complete months, or no matched session, to compare."""
    row = headline_growth(tables)
    if row is not None and math.isfinite(row["growth"]):
        return []
    text = "It takes two complete months with matched sessions to estimate growth; this run has {months} with sessions."
    numbers = {"months": (float(tables.values["month"].nunique()), "count")}
    return [warning("no_growth", "serious", "No growth figure", text, numbers)]


def shift_excludes_zero(tables: RunTables) -> list[Warning_]:
    """Warn if the pricer's error on comparable postings moved between the end months."""
    found = measures.shift(tables)
    if found is None or found.lower <= 0 <= found.upper:
        return []
    text = (
        "On postings that resemble each month's sessions, actual prices moved by {difference} log points ({lower} to "
        "{upper}) relative to the pricer between the end months. If they are a guide to sessions, the headline "
        "{misses} growth by that much; the doubly robust series shows what remains.{note}"
    )
    misses = Markup("understates" if found.difference > 0 else "overstates")
    note = Markup("" if found.joint else " (The two months' errors are treated as if dependent in the worst way.)")
    numbers = {"difference": (found.difference, "log"), "lower": (found.lower, "log"), "upper": (found.upper, "log")}
    return [
        warning("shift_check", "serious", "Shift check excludes zero", text, numbers, {"misses": misses, "note": note})
    ]


def matched_fall(tables: RunTables) -> list[Warning_]:
    """Warn if the matched share fell between the end months."""
    shares = series_of(tables).set_index("month")["matched_share"]
    ends = span(tables)
    if not {ends.base, ends.last} <= set(shares.index):
        return []
    before, after = float(shares[ends.base]), float(shares[ends.last])
    if not before - after > limits.MATCHED_FALL + 1e-9:
        return []
    text = (
        "The matched share fell from {before} in {base} to {after} in {last} (limit: {limit} of sessions): those "
        "that left the comparison may not be like those that stayed."
    )
    numbers = {"before": (before, "share"), "after": (after, "share")}
    words = {"base": month(ends.base), "last": month(ends.last), "limit": constant("matched_fall", "level")}
    return [warning("matched_fall", "serious", "Matched share falls", text, numbers, words)]


def few_postings(tables: RunTables) -> list[Warning_]:
    """Warn if growth rests on few effective postings."""
    row = headline_growth(tables)
    if row is None or not row["effective_postings"] < limits.MIN_EFFECTIVE:
        return []
    text = "The change between the end months rests on {effective} effective postings (limit {limit})."
    numbers = {"effective": (float(row["effective_postings"]), "index")}
    return [
        warning(
            "few_postings",
            "serious",
            "Few effective postings",
            text,
            numbers,
            {"limit": constant("min_effective", "count")},
        )
    ]


def includes_zero(tables: RunTables) -> list[Warning_]:
    """Warn if the growth interval includes zero."""
    row = headline_growth(tables)
    if row is None or not row["lower"] <= 0 <= row["upper"]:
        return []
    text = "The interval of growth, {lower} to {upper}, includes zero: these data do not tell growth from decline."
    numbers = {"lower": (float(row["lower"]), "growth"), "upper": (float(row["upper"]), "growth")}
    return [warning("includes_zero", "caution", "Growth not told from zero", text, numbers)]


def calibration_slope(tables: RunTables) -> list[Warning_]:
    """Warn if on held-out postings, prices do not move one for one with predicted values, and nothing corrects that.

    The slope's whole interval must lie outside the accepted range: in simulated worlds with a sound pricer and 600
    postings, the slope alone was outside in most.
    """
    found = measures.calibration(tables)
    corrected = lookup(tables.manifest, "calibration/applied") is True  # the slope is that of values before correction
    if found is None or corrected:
        return []
    low, high = (lookup(tables.manifest, f"calibration/{name}") for name in ("slope_lower", "slope_upper"))
    if not isinstance(low, int | float) or not isinstance(high, int | float):
        low = high = found[1]  # a run of before slopes had intervals
    if high >= limits.SLOPE_LOW and low <= limits.SLOPE_HIGH:
        return []
    text = (
        "On held-out postings the slope of log price on predicted log value is {slope} (interval {lower} to {upper}; "
        "accepted: {low} to {high}): differences between sessions are {direction}."
    )
    direction = Markup("understated" if found[1] > 1 else "overstated")
    words = {"low": constant("slope_low", "number"), "high": constant("slope_high", "number"), "direction": direction}
    numbers = {"slope": (found[1], "number"), "lower": (float(low), "number"), "upper": (float(high), "number")}
    return [warning("calibration_slope", "caution", "Calibration slope", text, numbers, words)]


def coverage(tables: RunTables) -> list[Warning_]:
    """Warn if the single-posting band covers too few or too many held-out prices."""
    keys = {"pricer": headline_pricer(tables), "sample": "natural", "cell_by": "", "measure": "single_coverage"}
    rows = select(tables.validation, **keys)
    rows = rows[rows["estimate"].notna()]
    level = setting(tables, "bands/level", limits.BAND_LEVEL)
    if rows.empty or abs(float(rows.iloc[0]["estimate"]) - level) <= limits.COVERAGE_MISS + 1e-9:
        return []
    text = "The single-posting band holds {share} of held-out prices; it should hold {level}, give or take {limit}."
    numbers = {"share": (float(rows.iloc[0]["estimate"]), "share"), "level": (level, "level")}
    return [
        warning(
            "coverage",
            "caution",
            "Coverage off its level",
            text,
            numbers,
            {"limit": constant("coverage_miss", "level")},
        )
    ]


def hubs(tables: RunTables) -> list[Warning_]:
    """Warn if a few postings carry much of the weight."""
    share = measures.hub_share(tables)
    if not share > limits.HUB_SHARE:
        return []
    text = (
        "The top {top} of the basket's postings carry {share} of all matching weight (limit {limit}): a few prices "
        "count a lot."
    )
    words = {"top": constant("hub_top", "level"), "limit": constant("hub_share", "level")}
    return [warning("hubs", "caution", "Hubs among the postings", text, {"share": (share, "share")}, words)]


def suppressed(tables: RunTables) -> list[Warning_]:
    """Warn if months of the headline series under the disclosure minimum."""
    rows = series_of(tables)
    names = sorted(rows.loc[rows["suppressed"], "month"])
    if not names:
        return []
    text = "Under the disclosure minimum, and left out: {months}."
    return [warning("suppressed", "note", "Months suppressed", text, {}, {"months": months_in_words(names)})]

"""Warning rules about the sessions: who they are, what they mix, how they are written.

Each rule is a pure function of the run's tables; thresholds and their reasons are in `constants`.
"""

from __future__ import annotations

import math

from markupsafe import Markup

from valuation.report import constants as limits
from valuation.report import measures
from valuation.report.inputs import RunTables, headline_growth, month_range, months_listed, setting, span
from valuation.report.provenance import constant, month, quoted
from valuation.report.warning import Severity, Warning_, warning


def withdrawn(tables: RunTables) -> list[Warning_]:
    """Warn of each limit by which postings of the run were deleted since."""
    fired = []
    for why in dict.fromkeys(mark.why for mark in tables.withdrawn):
        marks = [mark for mark in tables.withdrawn if mark.why == why]
        days = sorted({mark.deleted_at[:10] for mark in marks})
        text = (
            "{postings} of this run’s postings were deleted since it was made, as {why} asks (last on {day}), and with "
            "them {rows} of its match rows. Figures stand as they were computed; what this page says of single "
            "neighbours covers those that are left. A new run does without them."
        )
        numbers = {
            "postings": (float(sum(mark.postings for mark in marks)), "count"),
            "rows": (float(sum(mark.match_rows for mark in marks)), "count"),
        }
        words = {"why": quoted(why, 80), "day": quoted(days[-1])}
        fired.append(warning("withdrawn", "caution", "Postings deleted since", text, numbers, words, marks[0].source))
    return fired


def mix_jump(tables: RunTables) -> list[Warning_]:
    """Warn if an attribute's mix jumps between consecutive months."""
    fired = []
    for jump in measures.mix_jumps(tables):
        if jump.distance <= limits.MIX_DISTANCE + 1e-9:
            continue
        text = (
            "Between {earlier} and {later} the mix of {attribute} changed by {distance} (total variation distance; "
            "limit {limit}): {category} went from {before} to {after}. Growth across that point compares different "
            "things; read growth within {attribute}."
        )
        numbers = {
            "distance": (jump.distance, "share"),
            "before": (jump.share_earlier, "share"),
            "after": (jump.share_later, "share"),
        }
        words = {
            "earlier": month(jump.earlier),
            "later": month(jump.later),
            "attribute": quoted(jump.attribute),
            "category": quoted(jump.category),
            "limit": constant("mix_distance", "level"),
        }
        fired.append(warning("mix_jump", "serious", "Mix jumps", text, numbers, words, jump.attribute))
    return fired


def length_drift(tables: RunTables) -> list[Warning_]:
    """Warn if summaries became longer or shorter between the end months."""
    lengths, ends = measures.median_lengths(tables), span(tables)
    if not {ends.base, ends.last} <= set(lengths.index) or ends.base == ends.last:
        return []
    before, after = float(lengths[ends.base]), float(lengths[ends.last])
    if abs(after / before - 1) <= limits.LENGTH_CHANGE:
        return []
    text = (
        "The median summary went from {before} characters in {base} to {after} in {last} ({change}; limit {limit} "
        "either way), and log length correlates {correlation} with log value: part of the movement may be the "
        "writing, not the work."
    )
    correlation = measures.length_correlation(tables)
    numbers = {
        "before": (before, "count"),
        "after": (after, "count"),
        "change": (after / before - 1, "growth"),
        "correlation": (correlation, "number"),
    }
    words = {"base": month(ends.base), "last": month(ends.last), "limit": constant("length_change", "level")}
    drift = warning("length_drift", "caution", "Summary length drifts", text, numbers, words)
    return [drift, *_length_confounds(tables)] if abs(correlation) > limits.LENGTH_CORRELATION else [drift]


def _length_confounds(tables: RunTables) -> list[Warning_]:
    """Length goes with value and it changed: say how much of growth length alone would bring."""
    effect, row = measures.length_effect(tables), headline_growth(tables)
    if row is None or not math.isfinite(effect) or not math.isfinite(row["growth"]):
        return []
    text = (
        "Summaries became longer or shorter, and length goes with value: within a month values follow length so that "
        "the change of length alone would move the mean by {effect} log points, beside measured growth of {growth} log "
        "points. Growth and the writing cannot be told apart here; the command valuation placebo holds length fixed."
    )
    numbers = {"effect": (effect, "log"), "growth": (math.log1p(float(row["growth"])), "log")}
    return [warning("length_confounds", "serious", "Length changes and goes with value", text, numbers)]


def length_value(tables: RunTables) -> list[Warning_]:
    """Warn if longer summaries are priced differently."""
    correlation = measures.length_correlation(tables)
    if not math.isfinite(correlation) or abs(correlation) <= limits.LENGTH_CORRELATION:
        return []
    text = (
        "Log length of the summary correlates {correlation} with log value (limit {limit} either way): values respond "
        "to how much is written. Compare groups and months whose summaries are of similar length."
    )
    words = {"limit": constant("length_correlation", "number")}
    return [
        warning(
            "length_value", "caution", "Value follows length", text, {"correlation": (correlation, "number")}, words
        )
    ]


def few_users(tables: RunTables) -> list[Warning_]:
    """Warn if a month rests on few users: the base and the last month each, the others of the series together."""
    effective, ends = measures.effective_users(tables), span(tables)
    counts = measures.with_users(tables).groupby("month")["user"].nunique()
    least = setting(tables, "disclosure/min_users", limits.MIN_CELL_USERS)
    thin = [str(name) for name in effective.index if effective[name] < limits.MIN_EFFECTIVE]
    limit = {"limit": constant("min_effective", "count")}
    fired = []
    for name in (name for name in dict.fromkeys((ends.base, ends.last)) if name in thin):
        numbers = {"users": (float(counts[name]), "count"), "effective": (float(effective[name]), "index")}
        text = (
            "{month} has {users} users, {effective} effective ones (limit {limit}): its level is largely theirs, and "
            "intervals of so few are widened by Student’s t, not made reliable."
        )
        severity: Severity = "serious" if counts[name] < least else "caution"
        fired.append(warning("few_users", severity, "Few users", text, numbers, limit | {"month": month(name)}, name))
    others = [name for name in thin if name not in (ends.base, ends.last)]
    if others:
        numbers = {
            "users": (float(counts[others].min()), "count"),
            "effective": (float(effective[others].min()), "index"),
        }
        text = (
            "Months between or beside the end months rest on few users too (limit {limit} effective ones): {months}; "
            "the fewest are {users}, and {effective} effective ones."
        )
        words = limit | {"months": months_in_words(others)}
        fired.append(warning("few_users", "caution", "Few users in other months", text, numbers, words))
    return fired


def one_user(tables: RunTables) -> list[Warning_]:
    """Warn if one user holds more than half of a month that growth uses."""
    largest, ends = measures.largest_user(tables), span(tables)
    fired = []
    for name in dict.fromkeys((ends.base, ends.last)):
        if name not in largest.index or largest[name] <= limits.ONE_USER:
            continue
        text = (
            "One user holds {share} of the weight of {month} (limit {limit}): the level of that month is one person's."
        )
        words = {"month": month(name), "limit": constant("one_user", "level")}
        numbers = {"share": (float(largest[name]), "share")}
        fired.append(warning("one_user", "serious", "One user dominates", text, numbers, words, name))
    return fired


def user_overlap(tables: RunTables) -> list[Warning_]:
    """Warn if few users appear in both end months: growth compares different people."""
    both, either, single = measures.user_overlap(tables)
    ends = span(tables)
    enough = either > 0 and both / either >= limits.OVERLAP and both >= limits.COMMON_USERS
    if ends.base == ends.last or either == 0 or enough:
        return []
    text = (
        "Of the {either} users of {base} or {last}, {both} appear in both ({share}; limits {limit} and {least} "
        "users), and {single} of all users appear in one month only: growth compares different people, not the same "
        "people over time."
    )
    numbers = {
        "either": (either, "count"),
        "both": (both, "count"),
        "share": (both / either, "share"),
        "single": (single, "share"),
    }
    words = {"base": month(ends.base), "last": month(ends.last), "limit": constant("overlap", "level")}
    words["least"] = constant("common_users", "count")
    return [warning("user_overlap", "caution", "Different users at the two ends", text, numbers, words)]


def missing_months(tables: RunTables) -> list[Warning_]:
    """Warn if months without sessions inside the series."""
    present = set(tables.values["month"])
    missing = [name for name in month_range(sorted(present)) if name not in present]
    if not missing:
        return []
    text = "No session falls into {months}: the series has gaps there, which nothing fills."
    return [warning("missing_months", "caution", "Months missing", text, {}, {"months": months_in_words(missing)})]


def partial_months(tables: RunTables) -> list[Warning_]:
    """Warn if partial months are shown but stay out of growth."""
    partial = months_listed(tables, "partial")
    if not partial:
        return []
    text = "Partial months are shown with open markers and stay out of growth: {months}."
    return [warning("partial_months", "note", "Partial months", text, {}, {"months": months_in_words(partial)})]


def months_in_words(names: list[str]) -> Markup:
    """List months, each traced."""
    return Markup(", ").join(month(name) for name in names)

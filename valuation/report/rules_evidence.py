"""Warning rules about the evidence: clusters, placebos, specifications, the tilt backtest, the unmatched.

Each rule is a pure function of the run's tables; thresholds and their reasons are in `constants`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from markupsafe import Markup

from valuation.report import constants as limits
from valuation.report.inputs import RunTables, headline_growth, lookup, series_of, span
from valuation.report.measures_evidence import curve_of
from valuation.report.provenance import DASH, cell, constant, interval, month, quoted, traced
from valuation.report.warning import Severity, Warning_, warning
from valuation.report.words import AXIS_WORDS, MEASURE_WORDS, PLACEBO_WORDS, in_words, measure_style

if TYPE_CHECKING:
    import pandas as pd

GRAVE = ("months_permuted", "prices_shuffled")
"""Placebos that ask whether there is growth at all."""


def few_clusters(tables: RunTables) -> list[Warning_]:
    """Warn if growth rests on few effective users: even widened intervals then cover too little."""
    row = headline_growth(tables)
    if row is None or not row["effective_users"] < limits.MIN_EFFECTIVE:
        return []
    text = (
        "Growth rests on {effective} effective users (limit {limit}), so few that the bootstrap by user is too "
        "sure: its interval is widened by Student’s t and still a lower bound of the uncertainty. Read it with the "
        "permutation of months between users (the command valuation placebo), which few users do not bias{weak}."
    )
    very = bool(row["effective_users"] < limits.VERY_FEW)
    weak = Markup("; under {} no interval is to be relied on").format(constant("very_few", "count")) if very else ""
    words = {"limit": constant("min_effective", "count"), "weak": Markup("{}").format(weak)}
    severity: Severity = "serious" if very else "caution"
    numbers = {"effective": (float(row["effective_users"]), "index")}
    return [warning("few_clusters", severity, "Few effective users behind growth", text, numbers, words)]


def unmatched_rising(tables: RunTables) -> list[Warning_]:
    """Warn if many sessions have no value in the last month, and more than in the base month; small rises only.

    A fall of the matched share by more than `MATCHED_FALL` is a rule of its own.
    """
    shares, ends = series_of(tables).set_index("month")["matched_share"], span(tables)
    if not {ends.base, ends.last} <= set(shares.index):
        return []
    before, after = 1.0 - float(shares[ends.base]), 1.0 - float(shares[ends.last])
    rise = after - before
    rising = limits.UNMATCHED_RISE + 1e-9 < rise <= limits.MATCHED_FALL + 1e-9
    if not rising or after <= limits.UNMATCHED_HIGH + 1e-9:
        return []
    text = (
        "{after} of the sessions of {last} have no posting similar enough, after {before} in {base} (limits: {high}, "
        "and a rise of {rise}): growth is that of the others. {bounds}"
    )
    words = {
        "base": month(ends.base), "last": month(ends.last), "high": constant("unmatched_high", "level"),
        "rise": constant("unmatched_rise", "level"), "bounds": _bounds(tables),
    }  # fmt: skip
    numbers = {"before": (before, "share"), "after": (after, "share")}
    return [warning("unmatched_rising", "caution", "Many unmatched, and rising", text, numbers, words)]


def much_unmatched(tables: RunTables) -> list[Warning_]:
    """Warn if a large part of an end month has no value, whether or not that part grows."""
    shares, ends = series_of(tables).set_index("month")["matched_share"], span(tables)
    if not {ends.base, ends.last} <= set(shares.index):
        return []
    before, after = 1.0 - float(shares[ends.base]), 1.0 - float(shares[ends.last])
    if not max(before, after) > limits.UNMATCHED_MUCH + 1e-9 or max(before, after) >= 1.0:  # all: `nothing_matched`
        return []
    text = (
        "{before} of the sessions of {base} and {after} of those of {last} have no posting similar enough (limit: "
        "{limit}): the figures are about the other sessions alone. {bounds}"
    )
    words = {
        "base": month(ends.base), "last": month(ends.last), "limit": constant("unmatched_much", "level"),
        "bounds": _bounds(tables),
    }  # fmt: skip
    numbers = {"before": (before, "share"), "after": (after, "share")}
    return [warning("much_unmatched", "caution", "Much is unmatched", text, numbers, words)]


def _bounds(tables: RunTables) -> Markup:
    """Say between which bounds the unmatched could put growth, if the run worked it out."""
    found = lookup(tables.manifest, "unmatched_bounds/growth")
    if not isinstance(found, list | tuple) or len(found) < 2:  # noqa: PLR2004 - two ends
        return Markup("Their bounds are not known.")
    ends = [traced(float(found[i]), f"manifest:unmatched_bounds,growth,{i}:value", "growth") for i in (0, 1)]
    return Markup("With them as cheap or as dear as may be, it lies between {} and {}.").format(*ends)


def placebo_failed(tables: RunTables) -> list[Warning_]:
    """Warn of each kind of placebo with a verdict of no; slopes of the tilt backtest have a rule of their own."""
    rows = tables.placebo[(tables.placebo["passed"] == "no") & ~_slopes(tables.placebo)]
    fired = []
    for name in (known for known in PLACEBO_WORDS if known in set(rows["placebo"])):
        failed = rows[rows["placebo"] == name].sort_values(["cell", "measure"])
        text = "{placebo}: {findings}. {grave}"
        grave = "The method finds growth where there is none, or none where it should." if name in GRAVE else ""
        words = {
            "placebo": Markup("{}").format(PLACEBO_WORDS[name]),
            "findings": Markup("; ").join(_finding(row) for _, row in failed.iterrows()),
            "grave": Markup("{}").format(grave),
        }
        severity: Severity = "serious" if name in GRAVE else "caution"
        fired.append(warning("placebo_failed", severity, "A placebo failed", text, {}, words, name))
    return fired


def _finding(row: pd.Series) -> Markup:
    """One failure: what was found, where, what was expected, and what that says."""
    style = measure_style(str(row["measure"]))
    where = Markup(" ({})").format(quoted(row["cell"], 40)) if row["cell"] else ""
    ends = interval("placebo", row, ("lower", "upper"), style)
    why = Markup(" ({})").format(quoted(row["reason"], 200)) if isinstance(row["reason"], str) else ""
    return Markup("{measure}{where} {estimate}{ends}{expected}{why}").format(
        measure=in_words({name: words for name, (words, _) in MEASURE_WORDS.items()}, row["measure"]),
        where=where,
        estimate=cell("placebo", row, "estimate", style),
        ends="" if ends == DASH else Markup(", {}").format(ends),
        expected=_expected(row, style),
        why=why,
    )


def _expected(row: pd.Series, style: str) -> Markup:
    found = cell("placebo", row, "expected", style)
    return Markup("") if found == DASH else Markup(", {} expected").format(found)


def _slopes(placebo: pd.DataFrame) -> pd.Series:
    """Rows with a slope of the tilt backtest that should be one: all axes but the price's."""
    at = (placebo["placebo"] == "tilt_backtest") & (placebo["measure"] == "slope") & (placebo["cell"] != "price")
    return at.astype(bool)


def tilt_slope(tables: RunTables) -> list[Warning_]:
    """Warn if measured change of tilted postings is not the true one: beyond the limits, or so judged."""
    rows = tables.placebo[_slopes(tables.placebo) & tables.placebo["estimate"].notna()]
    off = (rows["estimate"] < limits.TILT_LOW) | (rows["estimate"] > limits.TILT_HIGH) | (rows["passed"] == "no")
    fired = []
    for _, row in rows[off].sort_values("cell").iterrows():
        text = (
            "On held-out postings tilted {axis}, the true change of prices is {slope} times the measured one "
            "({ends}; accepted: {low} to {high}): growth along that axis is {misses}."
        )
        words = {
            "axis": in_words(AXIS_WORDS, row["cell"]),
            "slope": cell("placebo", row, "estimate", "number"),
            "ends": interval("placebo", row, ("lower", "upper"), "number"),
            "low": constant("tilt_low", "number"),
            "high": constant("tilt_high", "number"),
            "misses": Markup("understated" if row["estimate"] > 1 else "overstated"),
        }
        fired.append(warning("tilt_slope", "caution", "Backtest slope off one", text, {}, words, str(row["cell"])))
    return fired


def sign_changes(tables: RunTables) -> list[Warning_]:
    """Warn if the specification curve changes sign."""
    curve = curve_of(tables)
    if curve is None or not curve.same_sign < limits.SAME_SIGN - 1e-9:
        return []
    text = (
        "Of {n} specifications, {same} have growth of the headline’s sign (limit {limit}); they range from {low} to "
        "{high}. Which way value went depends on choices that no interval covers."
    )
    numbers = {
        "n": (float(curve.n), "count"), "same": (curve.same_sign, "share"), "low": (curve.low, "growth"),
        "high": (curve.high, "growth"),
    }  # fmt: skip
    words = {"limit": constant("same_sign", "level")}
    severity: Severity = "serious" if curve.same_sign < limits.SIGN_SERIOUS else "caution"
    return [warning("sign_changes", severity, "Sign depends on the specification", text, numbers, words)]

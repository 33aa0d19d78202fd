"""Warning rules about what people said: each is silent without an audit.

Each rule is a pure function of the run's tables; thresholds and their reasons are in `constants`.
"""

from __future__ import annotations

import math

from markupsafe import Markup

from valuation.report import constants as limits
from valuation.report.inputs import RunTables, select
from valuation.report.measures_audit import (
    audited_growth,
    excludes_one,
    months_audited,
    number,
    over_plain,
    precision_overall,
    said,
)
from valuation.report.provenance import cell, constant, interval, month, quoted
from valuation.report.warning import Severity, Warning_, warning


def audit_differs(tables: RunTables) -> list[Warning_]:
    """Warn if the interval of audited over the run's growth excludes 1: users, whom both rest on, are not in it."""
    people, run = audited_growth(tables), audited_growth(tables, "plain")
    apart = over_plain(tables, "growth_ratio")
    if people is None or run is None or apart.empty or not excludes_one(apart.iloc[0]):
        return []
    text = (
        "By what people said of a random sample, growth from {base} to {last} is {audited} ({level} interval {ends}), "
        "the run’s own {plain} ({run_ends}). The ratio of both, growth factor to growth factor, is {ratio} "
        "({ratio_ends}), which excludes one: the pricer errs differently in the two months."
    )
    words = {
        "base": month(str(people["from_month"])), "last": month(str(people["to_month"])),
        "audited": cell("audited", people, "estimate", "growth"), "level": said(tables, "level", "level"),
        "ends": interval("audited", people, ("lower", "upper"), "growth"),
        "plain": cell("audited", run, "estimate", "growth"),
        "run_ends": interval("audited", run, ("lower", "upper"), "growth"),
        "ratio": cell("audited", apart.iloc[0], "estimate", "number"),
        "ratio_ends": interval("audited", apart.iloc[0], ("lower", "upper"), "number"),
    }  # fmt: skip
    return [warning("audit_differs", "serious", "People contradict the run’s growth", text, {}, words)]


def audit_response(tables: RunTables) -> list[Warning_]:
    """Warn if many audited sessions have no analyst's value, or more in one end month than in the other."""
    months = months_audited(tables)
    rates = [number(tables, "response", place, "rate") for place in range(len(months))]
    known = [rate for rate in rates if rate is not None]
    if len(known) < len(months) or not known:
        return []
    apart = abs(known[-1] - known[0])
    if min(known) >= limits.RESPONSE_LEAST - 1e-9 and apart <= limits.RESPONSE_APART + 1e-9:
        return []
    listed = Markup(", ").join(
        Markup("{} in {}").format(said(tables, "share", "response", place, "rate"), month(name))
        for place, name in enumerate(months)
    )
    text = (
        "Of the matched sessions drawn, {listed} have an analyst’s value (limits: {least}, and {apart} between the end "
        "months): audited figures hold only if the others are like them. The bounds say what else they could be."
    )
    words = {
        "listed": listed, "least": constant("response_least", "level"), "apart": constant("response_apart", "level"),
    }  # fmt: skip
    return [warning("audit_response", "caution", "Audited sessions without a value", text, {}, words)]


def few_audited(tables: RunTables) -> list[Warning_]:
    """Warn if a month has few sessions with an analyst's value."""
    counts = [
        (place, name, number(tables, "response", place, "answered") or 0.0)
        for place, name in enumerate(months_audited(tables))
    ]
    few = [(place, name) for place, name, count in counts if count < limits.AUDITED_LEAST]
    if not few:
        return []
    listed = Markup(", ").join(
        Markup("{} in {}").format(said(tables, "count", "response", place, "answered"), month(name))
        for place, name in few
    )
    text = (
        "Matched sessions with an analyst’s value: {listed} (limit {limit} a month). Simulations have not tried how "
        "well intervals from much fewer cover."
    )
    words = {"listed": listed, "limit": constant("audited_least", "count")}
    return [warning("few_audited", "caution", "Few audited sessions", text, {}, words)]


def low_precision(tables: RunTables) -> list[Warning_]:
    """Warn if most gigs that people judged are not comparable; serious if the whole interval says so."""
    row = precision_overall(tables)
    if row is None or not row["estimate"] < limits.PRECISION_LEAST:
        return []
    text = (
        "{share} of the gigs that stand beside sessions are comparable ({level} interval {ends}; limit {limit}), by "
        "what people said of {n}: most prices are those of other work."
    )
    words = {
        "share": cell("audit_precision", row, "estimate", "share"), "level": said(tables, "level", "level"),
        "ends": interval("audit_precision", row, ("lower", "upper"), "share"),
        "limit": constant("precision_least", "level"), "n": cell("audit_precision", row, "n_gigs", "count"),
    }  # fmt: skip
    severity: Severity = "serious" if row["upper"] < limits.PRECISION_LEAST else "caution"
    return [warning("low_precision", severity, "Most gigs are not comparable", text, {}, words)]


def analysts_disagree(tables: RunTables) -> list[Warning_]:
    """Warn if analysts agree little on what both judged, or if that was not measured."""
    rows = select(tables.audit_agreement, measure="alpha_nominal")
    if tables.audit is None:
        return []
    if rows.empty or not math.isfinite(rows.iloc[0]["estimate"]):
        reason = rows.iloc[0]["reason"] if len(rows) else None
        why = Markup(": {}").format(quoted(reason, 200)) if isinstance(reason, str) else Markup("")
        text = "Whether two analysts would say the same of a gig is not known{why}. Verdicts of one are one opinion."
        return [warning("analysts_disagree", "note", "Agreement not measured", text, {}, {"why": why})]
    row = rows.iloc[0]
    if not row["estimate"] < limits.AGREEMENT_LEAST:
        return []
    text = (
        "Krippendorff’s alpha of what several analysts said of the same gig is {alpha} ({level} interval {ends}; limit "
        "{limit}; n = {n} pairs). Where nearly all verdicts are one, alpha is low although analysts agree: see AC₁."
    )
    words = {
        "alpha": cell("audit_agreement", row, "estimate", "number"), "level": said(tables, "level", "level"),
        "ends": interval("audit_agreement", row, ("lower", "upper"), "number"),
        "limit": constant("agreement_least", "number"), "n": cell("audit_agreement", row, "n_units", "count"),
    }  # fmt: skip
    return [warning("analysts_disagree", "caution", "Analysts agree little", text, {}, words)]

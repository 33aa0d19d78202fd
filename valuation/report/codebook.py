"""The codebook: every table of figures that may leave a run, and what each of its columns means, with its unit.

Labels are at most 80 characters and names at most 32, which is what Stata holds.
"""

from __future__ import annotations

from valuation.report.codebook_audit import AUDIT_SHEETS
from valuation.report.sheet import Sheet

GROUP = {
    "group_by": "Column of sessions that they are grouped by; empty = all sessions",
    "group": "Value of that column; empty = all sessions, or the sum over groups",
}
SPAN = {"from_month": "First month, YYYY-MM; two joined by + are averaged", "to_month": "Last month, YYYY-MM, likewise"}
WHAT = {
    "statistic": "mean_log (geometric mean), median, mean (price, smeared), trimmed_mean",
    "pricer": "matching (bias-corrected), neighbours (plain), hedonic (regression)",
}
RESTS = {
    "effective_users": "Effective number of users, 1/sum of squared shares",
    "effective_postings": "Effective number of postings, 1/sum of squared shares",
}
LOG_ENDS = {
    "lower": "Lower end of the interval, unit of the estimate",
    "upper": "Upper end of the interval, unit of the estimate",
}
PART = {
    **GROUP,
    **SPAN,
    "term": "within, mix or total; within + mix = total",
    "estimate": "Contribution to log growth, log points",
    **LOG_ENDS,
}
GROWTH_ENDS = {
    "lower": "Lower end of the interval of growth; 0.27 = 27 %",
    "upper": "Upper end of the interval of growth; 0.27 = 27 %",
}
INDEX_ENDS = {
    "lower": "Lower end of the pointwise interval of the index number",
    "upper": "Upper end of the pointwise interval of the index number",
}

SHEETS: tuple[Sheet, ...] = (
    Sheet(
        "series",
        "Monthly value of a session: levels in USD and index numbers",
        {
            "month": "Month, YYYY-MM, UTC",
            **GROUP,
            **WHAT,
            "n_sessions": "Sessions of the month, matched or not",
            "n_matched": "Matched sessions",
            "n_users": "Users with matched sessions",
            "matched_share": "Share of sessions' weight that is matched, 0 to 1",
            "value": "Typical value of a session, USD: nominal, or constant under pricing.deflator",
            "value_lower": "Lower end of its pointwise interval, USD",
            "value_upper": "Upper end of its pointwise interval, USD",
            "index_number": "Index number, base month = 100",
            **INDEX_ENDS,
            "simultaneous_lower": "Lower end of the band that holds all months at once",
            "simultaneous_upper": "Upper end of the band that holds all months at once",
            "suppressed": "Under the disclosure minimum: figures are left out",
        },
        ("month", "group_by", "group", "statistic", "pricer", "n_matched", "value", "index_number", "lower", "upper"),
    ),
    Sheet(
        "growth",
        "Growth of the value of a session between two months",
        {
            **GROUP,
            **WHAT,
            "variation": "What is resampled: users, postings or both",
            **SPAN,
            "growth": "Growth; 0.27 = 27 %",
            **GROWTH_ENDS,
            "monthly_growth": "Average growth a month; 0.01 = 1 %",
            "monthly_lower": "Lower end of its interval; 0.01 = 1 %",
            "monthly_upper": "Upper end of its interval; 0.01 = 1 %",
            "trend": "Least squares slope over complete months, log points a month",
            "trend_lower": "Lower end of its interval, log points a month",
            "trend_upper": "Upper end of its interval, log points a month",
            **RESTS,
        },
        ("group_by", "group", "statistic", "pricer", "variation", "from_month", "to_month", "growth", "lower", "upper"),
    ),
    Sheet(
        "decomposition",
        "Log growth split into mix and within (Kitagawa, Bennet form)",
        PART,
        ("group_by", "group", "term", "estimate", "lower", "upper"),
    ),
    Sheet(
        "decomposition_monthly",
        "The same split from month to month",
        PART,
        ("group_by", "group", "from_month", "to_month", "term", "estimate", "lower", "upper"),
    ),
    Sheet(
        "shift_check",
        "Shift check: the pricer's error on postings like each month's sessions",
        {
            "month": "Month, YYYY-MM, UTC",
            "difference": "Actual minus predicted log price on similar postings, log points",
            "lower": "Lower end of its interval, log points",
            "upper": "Upper end of its interval, log points",
            "effective_postings": "Effective number of postings that carry the tilt",
            "corrected_value": "Doubly robust typical value, USD",
            "corrected_lower": "Lower end of its interval, USD",
            "corrected_upper": "Upper end of its interval, USD",
        },
        (
            "month", "difference", "lower", "upper", "effective_postings", "corrected_value", "corrected_lower",
            "corrected_upper",
        ),
    ),
    Sheet(
        "index_numbers",
        "Fixed-mix index numbers of the groups of a column",
        {
            "group_by": "Column of sessions, or two crossed (joined by ' x ')",
            "method": "laspeyres, paasche, fisher, tornqvist, geometric forms, within, GEKS",
            "comparison": "direct, chained month by month, or drift = 100 x chained / direct",
            "base_month": "Base month, YYYY-MM",
            "month": "Month compared with it, YYYY-MM",
            "n_groups": "Groups in both months",
            "covered_share": "Least share of either month's weight in those groups, 0 to 1",
            "index_number": "Index number, base month = 100",
            **INDEX_ENDS,
        },
        ("group_by", "method", "comparison", "month", "index_number", "lower", "upper"),
    ),
    Sheet(
        "price_volume",
        "Nominal change split into prices of gigs and volume of work",
        {
            **SPAN,
            "term": "nominal, price, volume (price + volume = nominal), or Lowe indices",
            "estimate": "Change, log points",
            **LOG_ENDS,
            "postings_from": "Effective postings of the first month",
            "postings_to": "Effective postings of the last month",
            "reason": "Why there is no figure",
        },
        ("term", "estimate", "lower", "upper", "postings_from", "postings_to"),
    ),
    Sheet(
        "time_dummies",
        "Month effects of log value given columns of the sessions (least squares)",
        {
            "month": "Month, YYYY-MM, UTC",
            "covariates": "Columns held fixed, joined by ' + '; empty = none",
            "estimate": "Log points above the base month",
            **LOG_ENDS,
            "standard_error": "Standard error from the joint replicates, log points",
            "clustered_error": "Standard error clustered by user alone, log points",
            "reason": "Why there is no estimate, or no clustered error",
        },
        ("covariates", "month", "estimate", "lower", "upper", "standard_error", "clustered_error"),
    ),
    Sheet(
        "people",
        "Who is behind growth: stayers, entrants and leavers",
        {
            "from_month": "First month, YYYY-MM; levels: the same as to_month",
            "to_month": "Last month, YYYY-MM",
            "who": "all, stayers (both months), entrants (last alone), leavers (first alone)",
            "measure": "Levels: users, sessions, USD; log_growth and contribution: log points",
            "estimate": "Estimate, in the unit of the measure",
            **LOG_ENDS,
            "n_users": "Users behind it",
            "n_sessions": "Matched sessions behind it",
            "suppressed": "Under the disclosure minimum: such rows are left out",
        },
        ("who", "measure", "from_month", "to_month", "estimate", "lower", "upper", "n_users"),
    ),
    Sheet(
        "validation",
        "Pricer card: how well prices of held-out postings are predicted",
        {
            "pricer": WHAT["pricer"],
            "sample": "natural, tier_weighted, full_text (300+ characters); holdout_ = of a file",
            "cell_by": "Split by tier, predicted, similarity, mondrian, source or month; empty = all",
            "cell": "Which part; mondrian: fifth of value, third of similarity; empty = all",
            "n": "Held-out postings",
            "measure": "Measure; raw = before, corrected = after the linear correction of values",
            "estimate": "Estimate; errors, intercepts, widths, scores: log points; coverage: a share",
            **LOG_ENDS,
        },
        ("pricer", "sample", "cell_by", "cell", "n", "measure", "estimate", "lower", "upper"),
    ),
    Sheet(
        "placebo",
        "Placebos: what should be nothing, and what should be something",
        {
            "placebo": "Placebo",
            "cell": "Which half, source, vintage or tilt; empty = the whole",
            "measure": "Measure; log points unless a slope, a share, a count or studentised",
            "n": "Draws, sessions or postings behind it",
            "estimate": "Found, in the unit of the measure",
            **LOG_ENDS,
            "expected": "What it should be near, in the same unit",
            "p_value": "Share of draws as far out, two-sided",
            "passed": "Verdict by rule: yes, no, not_judged",
            "reason": "Why it was not judged, or what a failure says",
        },
        ("placebo", "cell", "measure", "n", "estimate", "lower", "upper", "expected", "p_value", "passed"),
        "valuation placebo",
    ),
    Sheet(
        "placebo_draws",
        "Every draw behind the placebos' distributions",
        {
            "placebo": "Placebo",
            "cell": "Which part; empty = the whole",
            "draw": "Number of the draw",
            "growth": "Growth in that draw, log points",
            "studentised": "Growth over its standard error",
        },
        ("placebo", "cell", "draw", "growth", "studentised"),
        "valuation placebo",
    ),
    Sheet(
        "tilt_backtest",
        "Held-out postings as stand-ins for sessions: true and measured change",
        {
            "axis": "Tilted by text, category, source, price, or as the sessions changed",
            "tilt": "Component, category, source, fifth of price, or the run's own months",
            "strength": "Standard deviations; for groups the share of work gone over",
            "true_change": "True change of mean log price, log points",
            "measured_change": "Change that the pricer measures, log points",
            "missed": "True minus measured, log points",
            "lower": "Lower end of its band, simultaneous over the axis, log points",
            "upper": "Upper end of its band, simultaneous over the axis, log points",
            "effective_postings": "Effective number of postings",
        },
        ("axis", "tilt", "strength", "true_change", "measured_change", "lower", "upper", "effective_postings"),
        "valuation placebo",
    ),
    Sheet(
        "sensitivity",
        "Specification curve: growth under every specification",
        {
            "specification": "Place in the order of growth",
            "headline": "The headline's specification",
            "pricer": WHAT["pricer"],
            "k": "Neighbours",
            "tau": "Bandwidth of the neighbours' weights, cosine units",
            "s_min": "Least similarity: auto, none, or a number",
            "register_mode": "none, or centred: each register's mean vector subtracted",
            "statistic": WHAT["statistic"],
            "encoder": "Encoder",
            "basket": "Postings used: all, or which part; or all at the ends of their price ranges",
            "truncation": "Share of postings left out at either end of price; none = none",
            "weighting": "sessions, or users: each with the same weight in a month",
            "growth": "Growth; 0.27 = 27 %",
            **GROWTH_ENDS,
            "log_growth": "Growth, log points",
            "n_matched": "Matched sessions of the two months compared",
            **RESTS,
            "reason": "Why there is no figure",
            "permutations": "Permutations of months between users, behind median_p_value",
            "median_p_value": "Permutation p-value of the median of all specifications",
            "permuted_lower": "Lower end of the central permuted medians, growth; 0.27 = 27 %",
            "permuted_upper": "Upper end of the central permuted medians, growth; 0.27 = 27 %",
        },
        ("specification", "headline", "pricer", "k", "tau", "s_min", "statistic", "basket", "growth", "lower", "upper"),
        "valuation sensitivity",
    ),
    *AUDIT_SHEETS,
)  # fmt: skip

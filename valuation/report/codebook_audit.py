"""The codebook of what people said: audited figures, precision, agreement."""

from __future__ import annotations

from valuation.report.sheet import Sheet

MADE_BY = "valuation audit estimate"

AUDIT_SHEETS: tuple[Sheet, ...] = (
    Sheet(
        "audited",
        "Levels and growth by the run, and as analysts' values correct them",
        {
            "series": "plain, plain_users, audited, audited_all, accepting_all, audited_over_plain",
            "measure": "level (USD), growth (0.27 = 27 %); level_ratio, growth_ratio (of 1 + growth)",
            "from_month": "First month, YYYY-MM; of a level the month itself",
            "to_month": "Last month, YYYY-MM; of a level the month itself",
            "estimate": "Estimate, in the unit of the measure",
            "lower": "Lower end of the interval, unit of the estimate",
            "upper": "Upper end of the interval, unit of the estimate",
            "n_sessions": "Sessions that it is about",
            "n_audited": "Sessions of them with an analyst's value; 0 in a plain series",
        },
        ("series", "measure", "from_month", "to_month", "estimate", "lower", "upper", "n_sessions", "n_audited"),
        MADE_BY,
    ),
    Sheet(
        "audit_precision",
        "How often a gig beside a matched session is comparable, by what people said",
        {
            "cell_by": "all, month, kind, third (of value) or half (of similarity)",
            "cell": "Which part; thirds and halves count from the low end; empty = all",
            "n_sessions": "Sessions with a verdict on a gig",
            "n_gigs": "Pairs of session and gig that somebody decided on",
            "n_comparable": "Of them, called comparable by all who decided",
            "n_disagreed": "Of them, called comparable by some who decided, not by all",
            "n_cant_say": "Pairs that nobody decided on",
            "estimate": "Share of gigs that are comparable, 0 to 1, weighted by the design",
            "lower": "Lower end of its interval, 0 to 1",
            "upper": "Upper end of its interval, 0 to 1",
            "lower_bound": "The share with every can't say not comparable, 0 to 1",
            "upper_bound": "The share with every can't say comparable, 0 to 1",
        },
        ("cell_by", "cell", "n_sessions", "n_gigs", "n_cant_say", "estimate", "lower", "upper"),
        MADE_BY,
    ),
    Sheet(
        "audit_agreement",
        "How far analysts agree on what several of them judged",
        {
            "measure": "alpha (nominal, ordinal, log price), ac1_nominal, cant_say_share",
            "estimate": "Coefficient, at most 1, 0 = chance; cant_say_share: 0 to 1",
            "lower": "Lower end of its interval",
            "upper": "Upper end of its interval",
            "n_units": "Pairs of session and gig judged by two or more; log price: sessions",
            "n_users": "Users of their sessions",
            "reason": "Why there is no figure, or no interval",
        },
        ("measure", "estimate", "lower", "upper", "n_units", "n_users", "reason"),
        MADE_BY,
    ),
)

"""The words of the evidence tables: index numbers, terms, people, placebos and their measures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markupsafe import Markup

from valuation.report.provenance import quoted

if TYPE_CHECKING:
    from collections.abc import Mapping

INDEX_WORDS = {
    "laspeyres": "Laspeyres",
    "paasche": "Paasche",
    "fisher": "Fisher",
    "tornqvist": "Törnqvist",
    "geometric_laspeyres": "Geometric, base month’s counts",
    "geometric_paasche": "Geometric, last month’s counts",
    "within": "Geometric, mean of both counts (within)",
    "geks_tornqvist": "GEKS-Törnqvist, over all months",
}
TERM_WORDS = {
    "nominal": "Nominal change",
    "price": "Prices of gigs",
    "volume": "Volume: what sessions do",
    "lowe_from": "The first month’s sessions, repriced (Lowe)",
    "lowe_to": "The last month’s sessions, repriced (Lowe)",
}
WHO_WORDS = {"all": "All", "stayers": "Stayers", "entrants": "Entrants", "leavers": "Leavers"}
PEOPLE_WORDS = {
    "log_growth": ("Growth of value per session, log points", "log"),
    "contribution": ("Part of total growth, log points", "log"),
    "log_growth_sessions_per_user": ("Growth of sessions per user, log points", "log"),
    "log_growth_per_user_month": ("Growth of value per user, log points", "log"),
    "users": ("Users", "count"),
    "sessions_per_user": ("Sessions per user", "number"),
    "value_per_session": ("Value per session", "usd"),
    "value_per_user_month": ("Value per user and month", "usd"),
}
PLACEBO_WORDS = {
    "months_permuted": "Months dealt anew among users",
    "prices_shuffled": "Prices shuffled between postings",
    "basket_halves": "Two halves of the basket",
    "length_matched": "Sessions of matched length",
    "frozen_sessions": "One set of sessions under each vintage of postings",
    "leave_one_source_out": "One source of postings left out",
    "users_equal": "Every user with the same weight",
    "tilt_backtest": "Held-out postings as stand-ins for sessions",
    "price_axis": "Sessions move along the price axis",
}
MEASURE_WORDS = {
    "growth": ("growth, log points", "log"),
    "difference": ("difference, log points", "log"),
    "studentised": ("growth over its standard error", "number"),
    "mean_growth": ("mean growth over draws, log points", "log"),
    "drift": ("drift of the level, log points", "log"),
    "missed": ("true minus measured change, log points", "log"),
    "length_change": ("change of log length", "log"),
    "correlation": ("correlation of log length and log value", "number"),
    "explained_share": ("share of growth explained", "share"),
    "tilts_missed": ("tilts missed beyond their band", "count"),
    "slope": ("slope", "number"),
}
VERDICT_WORDS = {"yes": "passed", "no": "failed", "not_judged": "not judged"}
AXIS_WORDS = {
    "text": "by text",
    "category": "by category",
    "source": "by source",
    "price": "by price",
    "sessions": "as the sessions changed",
}


def in_words(known: Mapping[str, str], name: object) -> Markup:
    """Return the words for `name`; a name without any is shown as it is, marked as not ours."""
    words = known.get(str(name))
    return quoted(str(name).replace("_", " ")) if words is None else Markup("{}").format(words)


def counted(count: float, one: str, more: str) -> str:
    """Return the form of a word that goes with a number.

    >>> counted(1, "group is", "groups are")
    'group is'
    """
    return one if count == 1 else more


def measure_style(measure: str) -> str:
    """Return how a placebo's measure is written: log points unless said otherwise."""
    return MEASURE_WORDS.get(measure, ("", "log"))[1]

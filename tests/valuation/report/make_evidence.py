"""Synthetic tables of what stands beside a run: placebos, specifications, index numbers, people."""

import itertools

import numpy as np
import pandas as pd

from valuation.tables import (
    Decomposition,
    IndexNumbers,
    People,
    Placebo,
    PlaceboDraws,
    PriceVolume,
    Sensitivity,
    TiltBacktest,
    TimeDummies,
    typed,
    validate,
)
from valuation.tables.evidence import INDEX_METHODS

HIDDEN_LEVEL = 7654321.5
HOSTILE_CELL = '=HYPERLINK("https://evil.example","<b>&x_1#%")'


def table(rows, schema):
    """Turn a list of rows into a table that obeys `schema`."""
    columns = list(schema.to_schema().columns)
    frame = pd.DataFrame([dict(zip(columns, row, strict=True)) if isinstance(row, tuple) else row for row in rows])
    return validate(typed({c: frame[c] for c in columns}, schema), schema, where="test")


def make_evidence(months, group_by, hostile=False):
    """All eight tables, or none for a single month."""
    if len(months) < 2:
        return {}
    source = HOSTILE_CELL if hostile else "market-a"
    return {
        "decomposition_monthly": monthly(months, group_by) if group_by else table_or_empty(Decomposition),
        "index_numbers": index_numbers(months, group_by) if group_by else table_or_empty(IndexNumbers),
        "price_volume": price_volume(months),
        "time_dummies": time_dummies(months, group_by),
        "people": people(months),
        "placebo": placebo(months, source),
        "placebo_draws": placebo_draws(),
        "tilt_backtest": tilt_backtest(),
        "sensitivity": sensitivity(source),
    }


def table_or_empty(schema):
    return typed({}, schema)


def monthly(months, group_by):
    rows = [
        (group_by, group, start, end, term, 0.01 * (i + 1), 0.0, 0.1)
        for start, end in itertools.pairwise(months)
        for group in ("build", "")
        for i, term in enumerate(("within", "mix", "total"))
    ]
    return table(rows, Decomposition)


def index_numbers(months, group_by):
    rows = []
    for by in (group_by, f"{group_by} x agent"):
        for shift, method in enumerate(INDEX_METHODS):
            for comparison in ("direct", "chained", "drift"):
                if comparison != "direct" and method == "geks_tornqvist":
                    continue
                for i, month in enumerate(months):
                    number = 100 * np.exp(0.03 * i + 0.002 * shift * i + 0.001 * i * (comparison == "chained"))
                    number = 100 * np.exp(0.001 * i) if comparison == "drift" else number
                    ends = (number * np.exp(-0.02 * i), number * np.exp(0.02 * i))
                    rows.append((by, method, comparison, months[0], month, 4, 0.97, number, *ends))
    return table(rows, IndexNumbers)


def price_volume(months):
    terms = {"nominal": 0.2, "price": 0.05, "volume": 0.15, "lowe_from": 0.04, "lowe_to": 0.06}
    return table(
        [(months[0], months[-1], t, e, e - 0.05, e + 0.05, 800.0, 900.0, None) for t, e in terms.items()], PriceVolume
    )


def no_price_volume(months):
    reason = "market-a has 12 effective postings in 2026-04; 500 are needed"
    nan = float("nan")
    rows = [(months[0], months[-1], t, nan, nan, nan, 800.0, 12.0, reason) for t in ("nominal", "price", "volume")]
    return table(rows, PriceVolume)


def time_dummies(months, group_by):
    rows = []
    for covariates in ("", f"{group_by} + length"):
        for i, month in enumerate(months[1:], start=1):
            effect = 0.04 * i - 0.005 * len(covariates) / 10
            rows.append((month, covariates, effect, effect - 0.05, effect + 0.05, 0.025, 0.021, None))
    return table(rows, TimeDummies)


def people(months):
    """Levels at both ends, changes between them; leavers are under the disclosure minimum."""
    rows = []
    there = {"all": months[:1] + months[-1:], "stayers": months[:1] + months[-1:], "entrants": months[-1:],
             "leavers": months[:1]}  # fmt: skip
    for i, (who, ends) in enumerate(there.items()):
        hidden = who == "leavers"
        for j, month in enumerate(ends):
            for measure, level in (
                ("users", 50.0), ("sessions_per_user", 1.5), ("value_per_session", 150.0),
                ("value_per_user_month", 300.0),
            ):  # fmt: skip
                level = HIDDEN_LEVEL if hidden else level + i + j
                ends_of = (np.nan, np.nan) if measure == "users" else (0.9 * level, 1.1 * level)
                rows.append((month, month, who, measure, level, *ends_of, 50 - i, 80 - i, hidden))
        if len(ends) == 2:
            for measure in ("log_growth_sessions_per_user", "log_growth", "log_growth_per_user_month"):
                rows.append((months[0], months[-1], who, measure, 0.1 + i, i, 0.2 + i, 50 - i, 80 - i, hidden))
        if who != "all":
            rows.append((months[0], months[-1], who, "contribution", 0.06 * i, 0.0, 0.5, 50 - i, 80 - i, hidden))
    return table(rows, People)


def placebo(months, source):
    nan = float("nan")
    rows = [
        ("months_permuted", "", "mean_growth", 999, 0.01, -0.1, 0.1, 0.0, nan, "not_judged", "shown, not judged"),
        ("months_permuted", "", "studentised", 999, 4.1, -2.0, 2.0, 0.0, 0.003, "yes", None),
        ("prices_shuffled", "", "growth", 99, 0.01, -0.1, 0.12, 0.0, nan, "yes", None),
        ("basket_halves", "", "difference", 140, 0.03, -0.05, 0.11, 0.0, nan, "yes", None),
        ("length_matched", "", "growth", 180, 0.2, 0.1, 0.3, nan, nan, "not_judged", "no length to expect"),
        ("length_matched", "", "explained_share", 180, 0.12, nan, nan, 0.0, nan, "not_judged", None),
        ("tilt_backtest", "text", "slope", 40, 0.98, 0.9, 1.06, 1.0, nan, "yes", None),
        ("tilt_backtest", "text", "tilts_missed", 40, 3.0, nan, nan, 0.0, nan, "not_judged", "shown: component 01"),
        ("tilt_backtest", "price", "slope", 10, 1.9, 1.7, 2.1, 1.8, nan, "yes", None),
        ("tilt_backtest", "sessions", "missed", 900, 0.03, -0.05, 0.11, 0.0, nan, "yes", None),
        ("users_equal", "", "growth", 265, 0.19, 0.05, 0.33, 0.22, nan, "yes", None),
        ("price_axis", "between kinds", "growth", 265, 0.2, 0.1, 0.3, nan, nan, "not_judged", "a reading"),
        ("price_axis", "along prices", "growth", 265, 0.4, 0.2, 0.6, nan, nan, "not_judged", "a reading"),
        ("leave_one_source_out", source, "growth", 260, 0.2, 0.1, 0.3, 0.22, nan, "yes", None),
        ("leave_one_source_out", source, "difference", 260, 0.02, -0.1, 0.1, 0.0, nan, "not_judged", None),
        ("leave_one_source_out", "market-b", "growth", 250, 0.25, 0.12, 0.38, 0.22, nan, "yes", None),
        ("leave_one_source_out", "market-c", "growth", 0, nan, nan, nan, nan, nan, "not_judged", "too few postings"),
        ("frozen_sessions", months[-1], "drift", 40, 0.02, -0.1, 0.14, 0.0, nan, "yes", None),
        ("frozen_sessions", months[0], "drift", 9, HIDDEN_LEVEL, -0.1, 0.14, 0.0, nan, "yes", None),
    ]
    return table(rows, Placebo)


def placebo_draws():
    rng = np.random.default_rng(5)
    rows = [("months_permuted", "", i, g, g / 0.06) for i, g in enumerate(0.06 * rng.normal(size=200))]
    rows += [("prices_shuffled", "", i, g, g / 0.05) for i, g in enumerate(0.05 * rng.normal(size=99))]
    return table(rows, PlaceboDraws)


def tilt_backtest():
    rng = np.random.default_rng(6)
    rows = []
    for axis, slope, n in (
        ("text", 1.0, 40),
        ("category", 1.05, 12),
        ("source", 0.95, 6),
        ("price", 1.9, 10),
        ("sessions", 1.0, 1),
    ):
        for i in range(n):
            x = 0.3 * rng.normal()
            missed = (slope - 1) * x + 0.02 * rng.normal()
            rows.append((axis, f"t{i}", 1.0, x + missed, x, missed, missed - 0.05, missed + 0.05, 250.0 + i))
    return table(rows, TiltBacktest)


def sensitivity(source):
    rows = []
    for pricer in ("matching", "neighbours", "hedonic"):
        for k in (10, 25, 50):
            for statistic in ("mean_log", "median"):
                for basket in ("all", f"without {source}"):
                    growth = 0.27 + 0.01 * (k / 10) - 0.1 * (pricer == "hedonic") - 0.02 * (basket != "all")
                    rows.append((pricer, k, statistic, basket, growth))
    rows.sort(key=lambda row: row[-1])
    return table(
        [
            {
                "specification": i, "headline": row[:4] == ("matching", 50, "mean_log", "all"), "pricer": row[0],
                "k": row[1], "tau": 0.1, "s_min": "auto", "register_mode": "none", "statistic": row[2],
                "encoder": "bundled", "basket": row[3], "truncation": "none", "weighting": "sessions",
                "growth": row[4], "lower": row[4] - 0.12, "upper": row[4] + 0.12, "log_growth": np.log1p(row[4]),
                "n_matched": 260 + i % 5, "effective_users": 45.0, "effective_postings": 88.0, "reason": None,
                "permutations": 199, "median_p_value": 0.01, "permuted_lower": -0.1, "permuted_upper": 0.1,
            }
            for i, row in enumerate(rows, start=1)
        ],
        Sensitivity,
    )  # fmt: skip

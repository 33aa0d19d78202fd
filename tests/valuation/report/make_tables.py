"""Synthetic run tables for the report's tests: consistent in their arithmetic, hostile in their texts."""

from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd
from make_evidence import make_evidence

from valuation.report.inputs import RunTables
from valuation.tables import (
    Decomposition,
    Growth,
    Matches,
    SeriesTable,
    Sessions,
    ShiftCheck,
    Validation,
    Values,
    empty,
    typed,
    validate,
)

MONTHS = ["2025-10", "2025-11", "2025-12", "2026-01", "2026-02", "2026-03", "2026-04"]
KINDS = ["build", "fix", "operate", "write"]
PRICERS = ("matching", "neighbours", "hedonic")
STATISTICS = ("mean_log", "median", "mean", "trimmed_mean")
K = 8

HOSTILE = (
    "<script>alert(1)</script><img src=x onerror=alert(2)>",
    '"><svg onload=alert(3)>\'" style="background:url(https://evil.example/x)" ',
    "invoice \u202egnp.exe\u202c zero\u200bwidth \x00\x07\x1b[31m bell \ufeff \U000e0041tag",
    "{{ 7 * 7 }} {% raw %} $\\frac{1}{0}$ ]]> --> <!-- <style>*{display:none}</style> &lt;b&gt;",
    "</title></desc></style></svg><iframe srcdoc='<script>alert(4)</script>'></iframe>",
)
HOSTILE_URLS = (
    "javascript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "https://user:pw@evil.example/",
    " https://x.example",
    'https://ok.example/a?b="onmouseover=alert(1)',
    "HTTPS://ok.example/fine",
    "//evil.example/x",
    "https://ok.example/\u202eevil",
    "java\nscript:alert(1)",
)


def make_tables(**recipe) -> RunTables:
    """Build a run once for each recipe (see `_make`): tests replace tables, they never write into them."""
    return _made(tuple(sorted((name, tuple(v) if isinstance(v, list) else v) for name, v in recipe.items())))


@cache
def _made(recipe):
    return _make(**{name: list(v) if name == "months" and v is not None else v for name, v in recipe})


def _make(  # noqa: C901 (one linear recipe)
    *,
    n: int = 280,
    users: int = 60,
    months: list[str] | None = None,
    hostile: bool = False,
    partial: tuple[str, ...] = (),
    group_by: str = "kind",
    evidence: bool = True,
    seed: int = 0,
) -> RunTables:
    """Build a run: values rise 4 % a month; every table obeys its schema.

    With `evidence` it has what stands beside a run too, if it has two months or more.
    """
    rng = np.random.default_rng(seed)
    months = MONTHS if months is None else months
    ids = [f"s{i:05d}" for i in range(n)]
    month = np.array([months[i % len(months)] for i in range(n)])
    kind = np.array([KINDS[(i * 7 // 3) % 4] for i in range(n)])
    position = np.array([months.index(m) for m in month])
    matched = rng.random(n) > 0.05
    posting_ids = [f"p{j:05d}" for j in range(120)]
    posting_logs = rng.normal(5.0, 1.0, 120)
    rows = []
    raw = np.full(n, np.nan)
    for i in np.flatnonzero(matched):
        chosen = rng.choice(120, K, replace=False)
        similarity = np.sort(rng.uniform(0.4, 0.9, K))[::-1]
        weight = np.exp((similarity - similarity[0]) / 0.1)
        weight /= weight.sum()
        at_session = 5 + 0.04 * position[i] + 0.2 * KINDS.index(kind[i]) + rng.normal(0, 0.05, K)
        at_posting = 0.5 * posting_logs[chosen] + 2.5
        contribution = weight * (posting_logs[chosen] + at_session - at_posting)
        raw[i] = contribution.sum()
        rows.append(
            pd.DataFrame(
                {
                    "session_id": ids[i],
                    "rank": np.arange(1, K + 1),
                    "posting_id": [posting_ids[j] for j in chosen],
                    "cluster_id": [posting_ids[j] for j in chosen],
                    "similarity": similarity,
                    "weight": weight,
                    "price_usd": np.exp(posting_logs[chosen]),
                    "log_price": posting_logs[chosen],
                    "log_price_hedonic": at_posting,
                    "log_session_hedonic": at_session,
                    "contribution": contribution,
                }
            )
        )
    values = _values(ids, month, matched, raw, rng)
    sessions = _sessions(ids, month, kind, users, rng, hostile)
    series, growth = _estimates(values, sessions, months, partial, group_by, rng)
    return RunTables(
        values=values,
        matches=validate(pd.concat(rows, ignore_index=True), Matches, where="test"),
        series=series,
        growth=growth,
        decomposition=_decomposition(months, group_by, hostile),
        shift_check=_shift(months),
        validation=_validation(),
        sessions=sessions,
        postings=_postings(posting_ids, hostile),
        manifest=_manifest(months, partial, group_by),
        truth=None,
        **(make_evidence(months, group_by, hostile) if evidence else {}),
    )


def _values(ids, month, matched, raw, rng):
    n = len(ids)
    width = np.where(matched, rng.uniform(0.2, 0.5, n), np.nan)
    usd = np.exp(raw)
    columns = {
        "session_id": ids, "month": month, "weight": np.ones(n), "matched": matched,
        "reason": [None if m else "too far" for m in matched], "log_value_raw": raw, "log_value": raw,
        "value_usd": usd, "value_neighbours": usd * 1.1, "value_hedonic": usd * 0.9,
        "typical_lower": usd * np.exp(-width), "typical_upper": usd * np.exp(width),
        "single_lower": usd / 9, "single_upper": usd * 9,
        "similarity_max": np.where(matched, rng.uniform(0.4, 0.9, n), rng.uniform(0.1, 0.3, n)),
        "effective_neighbours": np.where(matched, rng.uniform(2, K, n), np.nan),
    }  # fmt: skip
    return validate(typed(columns, Values), Values, where="test")


def _sessions(ids, month, kind, users, rng, hostile):
    n = len(ids)
    user = [f"u{rng.integers(users):03d}" if i % 20 else None for i in range(n)]
    summary = [HOSTILE[i % len(HOSTILE)] if hostile else "words " * int(rng.integers(40, 60)) for i in range(n)]
    frame = pd.DataFrame(
        {
            "session_id": pd.Series(ids, dtype="str"),
            "user_id": pd.Series(user, dtype="str"),
            "started_at": pd.to_datetime([f"{m}-10T00:00:00Z" for m in month], utc=True).astype("datetime64[us, UTC]"),
            "month": pd.Series(month, dtype="str"),
            "summary": pd.Series(summary, dtype="str"),
            "weight": np.ones(n),
            "kind": pd.Series([HOSTILE[KINDS.index(k)] if hostile else k for k in kind], dtype="str"),
            "agent": pd.Series(["one" if i % 3 else "two" for i in range(n)], dtype="str"),
        }
    )
    return validate(frame, Sessions, where="test")


def _estimates(values, sessions, months, partial, group_by, rng):
    joined = values.merge(sessions[["session_id", "user_id", "kind", "agent"]], on="session_id")
    cells = [("", "", joined)]
    if group_by:
        cells += [(group_by, name, part) for name, part in joined.groupby(group_by)]
    series, growth = [], []
    complete = [m for m in months if m not in partial]
    for by, name, part in cells:
        for statistic in STATISTICS:
            for shift, pricer in enumerate(PRICERS):
                theta = {m: 5.0 + 0.1 * shift + 0.04 * i + 0.02 * rng.normal() for i, m in enumerate(months)}
                base = theta[complete[0]]
                for m in months:
                    here = part[part["month"] == m]
                    series.append(_series_row(m, by, name, statistic, pricer, here, theta[m], base))
                if len(complete) > 1:
                    change = theta[complete[-1]] - base
                    for variation, se in (("users", 0.05), ("postings", 0.03), ("both", 0.06)):
                        growth.append(_growth_row(by, name, statistic, pricer, variation, complete, change, se))
    series = pd.DataFrame(series)
    typed_series = typed({c: series[c] for c in series}, SeriesTable)
    growths = pd.DataFrame(growth)
    typed_growth = typed({c: growths[c] for c in growths}, Growth) if growth else empty(Growth)
    return validate(typed_series, SeriesTable, where="test"), validate(typed_growth, Growth, where="test")


def _series_row(m, by, name, statistic, pricer, here, theta, base):
    number = 100 * np.exp(theta - base)
    small = len(here) < 5
    return {
        "month": m, "group_by": by, "group": name, "statistic": statistic, "pricer": pricer, "n_sessions": len(here),
        "n_matched": int(here["matched"].sum()), "n_users": int(here["user_id"].nunique()),
        "matched_share": float(here["matched"].mean()) if len(here) else np.nan, "value": np.exp(theta),
        "value_lower": np.exp(theta - 0.1), "value_upper": np.exp(theta + 0.1), "index_number": number,
        "lower": number * np.exp(-0.08), "upper": number * np.exp(0.08), "simultaneous_lower": number * np.exp(-0.12),
        "simultaneous_upper": number * np.exp(0.12), "suppressed": small,
    }  # fmt: skip


def _growth_row(by, name, statistic, pricer, variation, complete, change, se):
    span = len(complete) - 1
    return {
        "group_by": by, "group": name, "statistic": statistic, "pricer": pricer, "variation": variation,
        "from_month": complete[0], "to_month": complete[-1], "growth": np.expm1(change),
        "lower": np.expm1(change - 1.96 * se), "upper": np.expm1(change + 1.96 * se),
        "monthly_growth": np.expm1(change / span), "monthly_lower": np.expm1((change - 1.96 * se) / span),
        "monthly_upper": np.expm1((change + 1.96 * se) / span), "trend": change / span,
        "trend_lower": change / span - 0.02, "trend_upper": change / span + 0.02,
        "effective_users": 45.5, "effective_postings": 88.25,
    }  # fmt: skip


def _decomposition(months, group_by, hostile):
    if not group_by or len(months) < 2:
        return empty(Decomposition)
    names = [HOSTILE[i] if hostile else kind for i, kind in enumerate(KINDS)]
    rows = []
    for term, scale in (("within", 0.04), ("mix", 0.02)):
        for i, name in enumerate(names):
            rows.append((group_by, name, months[0], months[-1], term, scale * (i + 1)))
    rows += [(group_by, name, months[0], months[-1], "total", 0.06 * (i + 1)) for i, name in enumerate(names)]
    rows += [(group_by, "", months[0], months[-1], t, e) for t, e in (("within", 0.4), ("mix", 0.2), ("total", 0.6))]
    frame = pd.DataFrame(rows, columns=["group_by", "group", "from_month", "to_month", "term", "estimate"])
    frame = frame.assign(lower=frame["estimate"] - 0.03, upper=frame["estimate"] + 0.03)
    return validate(typed({c: frame[c] for c in frame}, Decomposition), Decomposition, where="test")


def _shift(months):
    rows = [
        {
            "month": m, "difference": 0.01 * i, "lower": 0.01 * i - 0.1, "upper": 0.01 * i + 0.1,
            "effective_postings": 300.0 + i, "corrected_value": 150.0 + i, "corrected_lower": 130.0,
            "corrected_upper": 175.0,
        }
        for i, m in enumerate(months)
    ]  # fmt: skip
    frame = pd.DataFrame(rows)
    return validate(typed({c: frame[c] for c in frame}, ShiftCheck), ShiftCheck, where="test")


def _validation():
    nan = np.nan
    rows = []
    for i, pricer in enumerate(PRICERS):
        for sample, n in (
            ("natural", 900), ("tier_weighted", 900), ("full_text", 300), ("full_text_tier_weighted", 300),
        ):  # fmt: skip
            rows.append((pricer, sample, "", "", n, "squared_correlation", 0.3 - 0.01 * i, 0.25, 0.35))
        rows.append((pricer, "natural", "", "", 900, "slope", 0.98, 0.9, 1.06))
        rows.append((pricer, "natural", "", "", 900, "mean_absolute_error", 0.95, nan, nan))
        for state, slope in (("raw", 0.98), ("corrected", 1.01)):
            rows.append((pricer, "natural", "", "", 900, f"slope_{state}", slope, 0.9, 1.1))
            rows.append((pricer, "natural", "", "", 900, f"intercept_{state}", 0.02, -0.1, 0.1))
    rows.append(("matching", "natural", "", "", 900, "single_coverage", 0.905, 0.88, 0.92))
    rows.append(("matching", "natural", "", "", 900, "typical_coverage", 0.36, 0.33, 0.39))
    for j, tier in enumerate(("$10-200", "$200-1,000", "$1,000-5,000", "$5,000-50,000")):
        bias = (2.1 / (j + 1), 1.0 / (j + 1), 3.0 / (j + 1))
        rows.append(("matching", "natural", "tier", tier, 200 - 40 * j, "predicted_over_actual", *bias))
        rows.append(("matching", "natural", "tier", tier, 200 - 40 * j, "single_coverage", 0.95 - 0.1 * j, 0.5, 0.99))
    for j in range(15):
        cell = f"fifth {j // 3 + 1}, third {j % 3 + 1}"
        rows.append(("matching", "natural", "mondrian", cell, 60, "single_coverage", 0.9, 0.8, 0.95))
        rows.append(("matching", "natural", "mondrian", cell, 60, "typical_width", 0.8, nan, nan))
    for j in range(18):
        month = f"{2024 + j // 12}-{j % 12 + 1:02d}"
        rows.append(("matching", "natural", "month", month, 20 + j, "mean_error_raw", 0.01 * j, -0.3, 0.5))
        rows.append(("matching", "natural", "month", month, 20 + j, "slope_corrected", 1.0, 0.5, 1.5))
    columns = ["pricer", "sample", "cell_by", "cell", "n", "measure", "estimate", "lower", "upper"]
    frame = pd.DataFrame(rows, columns=columns)
    return validate(typed({c: frame[c] for c in frame}, Validation), Validation, where="test")


def _postings(ids, hostile):
    n = len(ids)
    return pd.DataFrame(
        {
            "posting_id": pd.Series(ids, dtype="str"),
            "title": pd.Series([HOSTILE[j % len(HOSTILE)] if hostile else f"Job {j}" for j in range(n)], dtype="str"),
            "description": pd.Series(["A longer text"] * n, dtype="str"),
            "source": pd.Series(["market-a"] * n, dtype="str"),
            "posted_at": pd.to_datetime(["2025-09-01T00:00:00Z"] * n, utc=True),
            "url": pd.Series(
                [HOSTILE_URLS[j % len(HOSTILE_URLS)] if hostile else f"https://jobs.example/{j}" for j in range(n)],
                dtype="str",
            ),
        }
    )


def _manifest(months, partial, group_by):
    return {
        "run_id": "0123456789abcdef",
        "code_version": "0.1.0",
        "settings": {
            "series": {"level": 0.95, "group_by": [group_by] if group_by else []},
            "bands": {"level": 0.9},
            "matching": {"k": K, "tau": 0.1, "s_min": "auto"},
            "pricing": {"pricer": "matching", "calibrate": False},
            "disclosure": {"min_sessions": 15, "min_users": 5},
            "report": {"examples": 10},
            "shift_check": {"components": 20},
        },
        "inputs": {"postings": {"sha256": "ab" * 32, "rows": 150}, "sessions": {"sha256": "cd" * 32, "rows": 280}},
        "basket": {"postings": 150, "filtered": 130, "clusters": 120, "units": 110},
        "calibration": {"applied": False, "intercept": 0.02, "slope": 0.98},
        "s_min": 0.312345,
        "shift_check": {"components": 20},
        "base_month": next(m for m in months if m not in partial),
        "months": {"complete": [m for m in months if m not in partial], "partial": list(partial)},
        "packages": {"numpy": "2.3.1"},
    }


def without_rows(tables: RunTables, *names: str) -> RunTables:
    """Empty the named tables."""
    return replace(tables, **{name: getattr(tables, name).iloc[:0] for name in names})


def with_manifest(tables: RunTables, **entries: object) -> RunTables:
    """Replace top-level entries of the manifest."""
    return replace(tables, manifest={**tables.manifest, **entries})

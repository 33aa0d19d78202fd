"""Synthetic tables of what people said of a run, consistent with its series."""

from dataclasses import replace

import numpy as np
from make_evidence import table

from valuation.report.inputs import RunTables, headline_growth, series_of, span
from valuation.tables import AuditAgreement, AuditedSeries, AuditPrecision

HOSTILE_KIND = "<script>alert(1)</script><img src=x onerror=alert(2)>"
HIDDEN_LEVEL = 9876543.25
"""The level of a line in a month that has too few audited sessions."""


def with_audit(tables: RunTables, *, answered=(58, 57), hostile=False, wrong=False, **said) -> RunTables:
    """Add an audit of the two end months to a run.

    Parameters
    ----------
    answered : (int, int)
        Matched sessions of either month with an analyst's value, of 60 drawn.
    hostile : bool
        Texts of the estimate, and a kind, are hostile.
    wrong : bool
        Audited growth is far below the run's, precision low, agreement poor.
    **said
        Entries of the estimate to replace.
    """
    ends, kind = span(tables), HOSTILE_KIND if hostile else "build"
    bad = "\u202e{{ 7 * 7 }} <b>$\\frac{1}{0}$" if hostile else "no audited level of all sessions"
    months = (ends.base, ends.last)
    audit = {
        "audit_id": "june", "run_id": "0123456789abcdef", "level": 0.95, "power": 0.625,
        "growth_bounds": [-0.0525, 0.3125],
        "response": [
            {"month": month, "drawn": 60, "judged": 59, "answered": n, "users": n - 8, "rate": n / 60,
             "lower_bound": 101.5, "upper_bound": 161.5}
            for month, n in zip(months, answered, strict=True)
        ],
        "audits_to_halve": 231, "halving": "231 more audits, over all 2 months, at today's response",
        "counts": {"sessions": 118, "drawn": 120, "analysts": 3, "settled": 2, "not_blind": 7, "not_known": 9,
                   "standing": {"comparable": 200, "session_larger": 80, "session_smaller": 40, "wrong_kind": 30,
                                "cant_say": 20}},
        "left_out": {"adjudications": 0, "after_figures": 0},
        "missing": [bad], "kind_by": "kind", "others": ["may", "april"],
    }  # fmt: skip
    return replace(
        tables,
        audited=_audited(tables, months, answered, -0.35 if wrong else -0.02),
        audit_precision=_precision(months, kind, 0.35 if wrong else 0.6),
        audit_agreement=_agreement(0.22 if wrong else 0.71, bad if hostile else None),
        audit={**audit, **said},
    )


def _audited(tables, months, answered, change):
    """Every line; the audited ones lie `change` log points off the run's growth, and their ratio has half the width."""
    run = series_of(tables).set_index("month")
    growth, rows = headline_growth(tables), []
    for name, off, n_audited in (("plain", 0.0, (0, 0)), ("plain_users", 0.0, (0, 0)), ("audited", change, answered),
                                 ("audited_all", change - 0.01, tuple(n + 2 for n in answered)),
                                 ("accepting_all", 0.01, answered)):  # fmt: skip
        for at, month in enumerate(months):
            level = run.loc[month, "value"] * np.exp(off * at)
            n = int(run.loc[month, "n_matched"])
            rows.append((name, "level", month, month, level, level * 0.9, level * 1.1, n, n_audited[at]))
        log = np.log1p(growth["growth"]) + off
        ends = (np.expm1(log - 0.15), np.expm1(log + 0.15))
        n = int(run.loc[list(months), "n_matched"].sum())
        rows.append((name, "growth", *months, np.expm1(log), *ends, n, sum(n_audited)))
    for measure, *ends in (("level_ratio", months[0], months[0], 0.0), ("level_ratio", months[1], months[1], change),
                           ("growth_ratio", *months, change)):  # fmt: skip
        ratio = np.exp(np.array([0.0, -0.08, 0.08]) + ends[2])
        rows.append(("audited_over_plain", measure, *ends[:2], *ratio, n, sum(answered)))
    return table(rows, AuditedSeries)


def _precision(months, kind, share):
    nan = float("nan")
    cells = [("all", "", 110), ("month", months[0], 55), ("month", months[1], 55), ("kind", kind, 40),
             ("kind", "few", 14), ("kind", "other kinds", 15), ("third", "1", 36), ("half", "2", 50)]  # fmt: skip
    rows = [
        (
            cell_by,
            cell,
            n,
            3 * n,
            int(3 * n * share),
            n // 10,
            7,
            share,
            share - 0.08,
            share + 0.08,
            share - 0.02,
            share + 0.02,
        )
        for cell_by, cell, n in cells
    ]
    rows += [("third", "3", 0, 0, 0, 0, 0, nan, nan, nan, nan, nan),
             ("stratum", f"{months[0]}, {kind}", 30, 60, 30, 2, 1, 0.5, 0.4, 0.6, 0.49, 0.51)]  # fmt: skip
    return table(rows, AuditPrecision)


def _agreement(alpha, reason):
    nan = float("nan")
    rows = [
        ("alpha_nominal", alpha, alpha - 0.2, alpha + 0.1, 63, 19, None),
        ("ac1_nominal", alpha + 0.05, alpha - 0.1, alpha + 0.15, 63, 19, None),
        ("alpha_ordinal", alpha + 0.01, alpha - 0.2, alpha + 0.2, 55, 18, None),
        ("alpha_log_price", nan, nan, nan, 1, 1, reason or "1 judged twice, 2 needed"),
        ("cant_say_share", 0.0875, nan, nan, 70, 0, None),
    ]
    return table(rows, AuditAgreement)

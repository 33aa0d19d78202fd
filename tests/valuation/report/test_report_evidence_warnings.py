"""Warning rules about the evidence: each fires past its threshold and not at it."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
from make_evidence import sensitivity, table
from make_tables import make_tables, with_manifest, without_rows

from valuation.report import rules_estimates, rules_evidence, rules_sessions
from valuation.report.measures import length_effect
from valuation.report.warnings import RULES, warnings_of
from valuation.tables import Placebo


@pytest.fixture(scope="module")
def clean():
    """Forty users who all come every month, with equal texts, all matched; evidence that passes."""
    tables = make_tables(n=280)
    user = pd.Series([f"u{i // 7:03d}" for i in range(280)], dtype="str")
    values = tables.values.assign(matched=True, log_value=tables.values["log_value"].fillna(5.0))
    return dataclasses.replace(
        tables,
        values=values,
        sessions=tables.sessions.assign(user_id=user, summary="x" * 100),
        series=tables.series.assign(matched_share=0.95),
        growth=tables.growth.assign(effective_users=40.0),
    )


RULE = {
    "few_clusters": rules_evidence.few_clusters,
    "length_drift": rules_sessions.length_drift,
    "length_confounds": rules_sessions.length_drift,
    "length_value": rules_sessions.length_value,
    "matched_fall": rules_estimates.matched_fall,
    "unmatched_rising": rules_evidence.unmatched_rising,
    "much_unmatched": rules_evidence.much_unmatched,
    "placebo_failed": rules_evidence.placebo_failed,
    "tilt_slope": rules_evidence.tilt_slope,
    "sign_changes": rules_evidence.sign_changes,
}


def fired(tables, code, subject=""):
    """Apply the one rule that can fire: all of them take too long for so many cases."""
    found = [w for w in RULE[code](tables) if (w.code, w.subject) == (code, subject)]
    return found[0] if found else None


def test_every_rule_is_applied():
    assert set(RULE.values()) <= set(RULES)


def test_evidence_that_passes_fires_nothing(clean):
    assert [w.code for w in warnings_of(clean)] == []


@pytest.mark.parametrize(("users", "severity"), [(30.0, None), (29.9, "caution"), (10.0, "caution"), (9.9, "serious")])
def test_few_effective_users_behind_growth(clean, users, severity):
    found = fired(dataclasses.replace(clean, growth=clean.growth.assign(effective_users=users)), "few_clusters")
    assert (found.severity if found else None) == severity
    if found:
        assert found.numbers == {"effective": users}
        said = found.sentence.striptags()
        assert "lower bound of the uncertainty" in said and "valuation placebo" in said
        assert ("no interval is to be relied on" in said) == (severity == "serious")


def lengths(clean, slope, change):
    """Log value follows log length by `slope` within months; the last month's texts are `change` times as long."""
    rank = clean.sessions.groupby("month").cumcount()
    size = (100 * np.where(rank % 2 == 0, 1.0, 2.0)).astype(int)
    size = np.where(clean.sessions["month"] == "2026-04", (size * change).astype(int), size)
    log_value = 5.0 + slope * np.log(size) + 0.001 * rank
    return dataclasses.replace(
        clean,
        sessions=clean.sessions.assign(summary=pd.Series(["x" * int(n) for n in size], dtype="str")),
        values=clean.values.assign(log_value=log_value),
    )


@pytest.mark.parametrize(
    ("slope", "change", "drifts", "follows", "both"),
    [
        (0.5, 0.5, True, True, True),
        (-0.5, 2.0, True, True, True),
        (0.0, 0.5, True, False, False),
        (0.5, 1.0, False, True, False),
    ],
)
def test_length_that_changes_and_goes_with_value(clean, slope, change, drifts, follows, both):
    tables = lengths(clean, slope, change)
    assert (fired(tables, "length_drift") is not None) == drifts
    assert (fired(tables, "length_value") is not None) == follows
    found = fired(tables, "length_confounds")
    assert (found is not None) == both
    if both:
        assert found.severity == "serious"
        assert found.numbers["effect"] == pytest.approx(slope * np.log(change), abs=0.01)
        row = tables.growth.query("group_by == '' and statistic == 'mean_log' and pricer == 'matching'").iloc[0]
        assert found.numbers["growth"] == pytest.approx(np.log1p(row["growth"]))


def test_the_effect_of_length_needs_lengths_that_vary(clean):
    assert np.isnan(length_effect(clean))
    assert length_effect(lengths(clean, 0.5, 0.5)) == pytest.approx(0.5 * np.log(0.5), abs=0.01)


@pytest.mark.parametrize(
    ("before", "after", "fires"),
    [(0.14, 0.16, False), (0.13, 0.16, True), (0.12, 0.15, False), (0.10, 0.16, False), (0.30, 0.31, False)],
)
def test_many_unmatched_and_rising(clean, before, after, fires):
    """Over 15 %, and two to five points more; beyond five the fall of the matched share is the warning."""
    share = clean.series["month"].map({"2025-10": 1 - before, "2026-04": 1 - after}).fillna(0.9)
    tables = dataclasses.replace(clean, series=clean.series.assign(matched_share=share))
    found = fired(tables, "unmatched_rising")
    assert (found is not None) == fires
    assert (fired(tables, "matched_fall") is not None) == (after - before > 0.05)
    if fires:
        assert found.numbers == {"before": pytest.approx(before), "after": pytest.approx(after)}
        assert "bounds are not known" in found.sentence
        known = fired(with_manifest(tables, unmatched_bounds={"growth": [-0.1, 0.5]}), "unmatched_rising")
        assert known.sentence.striptags().endswith("it lies between −10.0 % and +50.0 %.")


@pytest.mark.parametrize(
    ("before", "after", "fires"),
    [(0.3, 0.3, False), (0.31, 0.31, True), (0.1, 0.31, True), (0.31, 0.1, True), (1.0, 1.0, False)],
)
def test_much_unmatched_in_an_end_month_however_steady(clean, before, after, fires):
    share = clean.series["month"].map({"2025-10": 1 - before, "2026-04": 1 - after}).fillna(0.2)
    found = fired(dataclasses.replace(clean, series=clean.series.assign(matched_share=share)), "much_unmatched")
    assert (found is not None) == fires
    if fires:
        assert found.numbers == {"before": pytest.approx(before), "after": pytest.approx(after)}


def verdict(clean, placebo, measure, passed, cell="", estimate=0.5):
    row = (placebo, cell, measure, 99, estimate, 0.4, 0.6, 0.0, np.nan, passed, "<b>because</b>")
    return dataclasses.replace(clean, placebo=table([row], Placebo))


@pytest.mark.parametrize(
    ("placebo", "measure", "severity"),
    [
        ("months_permuted", "studentised", "serious"),
        ("prices_shuffled", "growth", "serious"),
        ("basket_halves", "difference", "caution"),
        ("leave_one_source_out", "growth", "caution"),
    ],
)
def test_a_placebo_that_failed(clean, placebo, measure, severity):
    found = fired(verdict(clean, placebo, measure, "no"), "placebo_failed", placebo)
    assert found.severity == severity
    assert "&lt;b&gt;because" in found.sentence and "<b>" not in found.sentence
    assert "+0.500" in found.sentence or "0.50" in found.sentence
    for passed in ("yes", "not_judged"):
        assert fired(verdict(clean, placebo, measure, passed), "placebo_failed", placebo) is None


def test_failures_of_one_placebo_are_one_warning(clean):
    rows = [("leave_one_source_out", c, "growth", 99, 0.1, 0.0, 0.2, 0.5, np.nan, "no", None) for c in ("b", "a")]
    tables = dataclasses.replace(clean, placebo=table(rows, Placebo))
    found = rules_evidence.placebo_failed(tables)
    assert len(found) == 1
    said = found[0].sentence.striptags()
    assert said.index("(a)") < said.index("(b)")


@pytest.mark.parametrize(
    ("slope", "passed", "word"),
    [
        (0.85, "yes", None), (0.84, "yes", "overstated"), (1.15, "yes", None), (1.16, "not_judged", "understated"),
        (1.1, "no", "understated"),
    ],
)  # fmt: skip
def test_backtest_slope_away_from_one(clean, slope, passed, word):
    tables = verdict(clean, "tilt_backtest", "slope", passed, "text", slope)
    found = fired(tables, "tilt_slope", "text")
    assert (found is None) if word is None else word in found.sentence
    assert fired(tables, "placebo_failed", "tilt_backtest") is None, "it has a rule of its own"


def test_a_price_tilt_is_not_held_to_a_slope_of_one(clean):
    assert fired(verdict(clean, "tilt_backtest", "slope", "yes", "price", 1.9), "tilt_slope", "price") is None
    failed = verdict(clean, "tilt_backtest", "slope", "no", "price", 1.9)
    assert fired(failed, "placebo_failed", "tilt_backtest") is not None
    missed = verdict(clean, "tilt_backtest", "missed", "no", "sessions", 0.2)
    assert fired(missed, "placebo_failed", "tilt_backtest") is not None


@pytest.mark.parametrize(
    ("negative", "severity"), [(1, None), (2, "caution"), (9, "caution"), (10, "serious"), (36, "serious")]
)
def test_a_specification_curve_that_changes_sign(clean, negative, severity):
    """Of 36 specifications 1, 2 (0.944), 9 (0.75) or 10 (0.72) have the other sign."""
    curve = sensitivity("market-a").sort_values("headline", ignore_index=True)
    growth = np.where(np.arange(36) < negative, -0.1, 0.2)
    growth[curve["headline"]] = 0.2
    found = fired(dataclasses.replace(clean, sensitivity=curve.assign(growth=growth)), "sign_changes")
    assert (found.severity if found else None) == severity
    if found:
        assert found.numbers["n"] == 36
        assert found.numbers["same"] == pytest.approx(1 - min(negative, 35) / 36)
        assert (found.numbers["low"], found.numbers["high"]) == (-0.1, 0.2)


def test_specifications_without_a_figure_do_not_count(clean):
    curve = sensitivity("market-a").sort_values("headline", ignore_index=True)
    growth = np.where(np.arange(36) < 5, np.nan, 0.2)
    assert fired(dataclasses.replace(clean, sensitivity=curve.assign(growth=growth)), "sign_changes") is None
    nothing = dataclasses.replace(clean, sensitivity=curve.assign(growth=np.nan))
    assert fired(nothing, "sign_changes") is None
    assert fired(without_rows(clean, "sensitivity"), "sign_changes") is None


def test_the_confounded_kind_of_data_warns_by_rule(clean):
    """One agent takes over, summaries shrink and follow value, nine users at both ends, few users."""
    late = clean.sessions["month"] >= "2026-03"
    position = clean.sessions.groupby("month").cumcount()
    first = clean.sessions["month"] == "2025-10"
    user = pd.Series(np.where(first, "f", "l"), dtype="str") + (position % 20).astype(str)
    user = user.where(position >= 9, "both" + position.astype(str))
    size = (np.where(late, 0.5, 1.0) * np.where(position % 2 == 0, 400, 800)).astype(int)
    tables = dataclasses.replace(
        clean,
        sessions=clean.sessions.assign(
            user_id=user,
            agent=pd.Series(np.where(late, "new", "old"), dtype="str"),
            summary=pd.Series(["x" * n for n in size], dtype="str"),
        ),
        values=clean.values.assign(log_value=2 + 0.5 * np.log(size)),
        growth=clean.growth.assign(effective_users=14.9),
    )
    expected = {"mix_jump", "length_drift", "length_value", "length_confounds", "user_overlap", "few_users"}
    assert expected | {"few_clusters"} <= {w.code for w in warnings_of(tables)}

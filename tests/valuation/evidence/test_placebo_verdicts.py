"""Verdicts of placebos: what passes, what fails, and what these data cannot tell."""

import numpy as np
import pytest

from valuation.cli.output import plain
from valuation.core.permutation import PermutedGrowth
from valuation.evidence import permutations, shuffles, tilt_backtest
from valuation.evidence.baskets import beside
from valuation.evidence.findings import Draws, Finding, Found, draws_table, findings_table, not_judged, within
from valuation.evidence.headline import Headline, Moved
from valuation.evidence.placebo import NAMES, PlaceboResult
from valuation.tables import Placebo, PlaceboDraws
from valuation.tables.schemas import validate


def moved(estimate, error, *, factor=1.0, seed=0, users=1.0):
    drawn = np.random.default_rng(seed).normal(size=(2, 999))
    drawn = (drawn - drawn.mean(axis=1, keepdims=True)) / drawn.std(axis=1, ddof=1, keepdims=True) * error
    return Moved(estimate, users * drawn[0], drawn[1], drawn[0], factor)


def headline(estimate=0.2, error=0.05, **how):
    return Headline(
        "matching", 0, 0, 3, "2026-01", "2026-04", np.array([0, 0, 3, 1]), np.arange(4, dtype=np.uint64),
        moved(estimate, error, **how), 3, 0.95,
    )  # fmt: skip


def permuted(studentised, share=1.0):
    return PermutedGrowth(0.2, studentised, np.zeros(99), np.zeros(99), share)


def test_the_headline_knows_its_interval_and_its_sessions():
    found = headline()
    assert (found.interval.lower, found.interval.upper) == pytest.approx((0.1, 0.3), abs=0.01)
    assert found.grows is True and headline(0.05).grows is False and headline(factor=np.nan).grows is None
    assert headline(-0.2).grows is True
    assert found.two.tolist() == [True, True, True, False]
    assert headline(factor=2.0).interval.lower == pytest.approx(0.0, abs=0.02)


def test_permuted_months():
    verdict = permutations._verdict
    assert verdict(permuted(4.0), 0.02, headline()) == ("yes", None)
    assert verdict(permuted(4.0, 0.6), 0.02, headline()) == (
        "yes", "60% of sessions are of users who have another to exchange months with"
    )  # fmt: skip
    assert verdict(permuted(1.0), 0.4, headline())[0] == "no"
    passed, reason = verdict(permuted(1.0), 0.4, headline(0.05))
    assert passed == "not_judged" and "nothing to tell" in reason
    assert verdict(permuted(1.0), 0.4, headline(users=9.0))[0] == "not_judged"  # the users-only interval decides
    passed, reason = verdict(permuted(4.0, 0.3), 0.01, headline())
    assert passed == "not_judged" and reason.startswith("only 30% of sessions")
    assert verdict(permuted(np.nan), np.nan, headline())[0] == "not_judged"


def test_shuffled_prices():
    verdict = shuffles._verdict
    assert verdict(0.2, (-0.1, 0.1), headline()) == ("yes", None)
    assert verdict(-0.2, (-0.1, 0.1), headline(-0.2)) == ("yes", None)
    assert verdict(0.2, (-0.3, 0.3), headline())[0] == "no"
    assert "holds 0" in verdict(0.05, (-0.3, 0.3), headline(0.05))[1]
    passed, reason = verdict(0.2, (-0.3, 0.3), headline(factor=np.nan))
    assert passed == "not_judged" and "no interval" in reason


def test_shares_of_the_two_months_cancel():
    share = shuffles._share(headline(), np.array([1.0, 3.0, 2.0, 9.0]))
    assert share.tolist() == [-0.25, -0.75, 1.0, 0.0]


def test_other_growth_is_judged_by_the_headlines_interval():
    near, apart = beside("users_equal", "", moved(0.25, 0.05), headline(), "words")
    assert (near.passed, near.reason, near.expected, near.n) == ("yes", None, 0.2, 3)
    assert apart.estimate == pytest.approx(0.05) and apart.passed == "not_judged"
    assert (apart.lower, apart.upper) == pytest.approx((0.05, 0.05))  # the same draws: their errors cancel
    far, _ = beside("users_equal", "", moved(0.35, 0.05), headline(), "words")
    assert (far.passed, far.reason) == ("no", "words")
    unknown, apart = beside("users_equal", "", moved(0.35, 0.05), headline(factor=np.nan), "words")
    assert unknown.passed == "not_judged" and "no interval" not in str(apart.reason)
    assert np.isnan(apart.lower)


def test_slopes_are_about_what_they_should_be():
    about = tilt_backtest._about
    assert about(1.0, 0.95, 1.2) == "yes"
    assert about(1.0, 1.05, 1.2) == "yes"  # within a tenth
    assert about(1.0, 1.11, 1.2) == "no" and about(1.0, 0.5, 0.89) == "no"
    assert about(3.0, 3.2, 3.4) == "yes" and about(3.0, 3.31, 3.4) == "no"
    assert about(1.0, np.nan, np.nan) == "not_judged" and about(np.nan, 0.9, 1.1) == "not_judged"


def test_ends_are_inside_and_missing_ones_are_not_judged():
    assert within(0.0, 0.0, 1.0) == "yes" and within(1.0, 0.0, 1.0) == "yes" and within(1.1, 0.0, 1.0) == "no"
    assert within(-0.1, 0.0, 1.0) == "no"
    assert within(np.nan, 0.0, 1.0) == within(0.0, np.nan, 1.0) == "not_judged"


def test_findings_become_tables():
    found = [
        not_judged("basket_halves", "too thin"),
        Found((Finding("users_equal", "", "growth", 3, 0.1, 0.0, 0.2, passed="yes"),),
              (Draws("prices_shuffled", np.array([0.1, 0.2]), np.array([1.0, np.nan])),)),
    ]  # fmt: skip
    table = validate(findings_table(found), Placebo, where="here")
    assert table["reason"].tolist()[0] == "too thin" and table["reason"].isna().tolist() == [False, True]
    assert table["passed"].tolist() == ["not_judged", "yes"]
    drawn = validate(draws_table(found), PlaceboDraws, where="here")
    assert drawn["draw"].tolist() == [0, 1] and drawn["growth"].tolist() == [0.1, 0.2]
    assert len(draws_table([found[0]])) == 0


def result(found, growth=0.22):
    table = findings_table(found)
    from pathlib import Path

    here = Path("/w/placebo.parquet")
    return PlaceboResult("abc", here.parent, here, here, here, growth, 0.1, 0.3, 1, 1, 1, table)


def test_the_text_names_units_intervals_counts_and_the_caveat():
    found = [
        Found((
            Finding("months_permuted", "", "studentised", 999, 3.1, -2.0, 2.0, 0.0, 0.002, "yes"),
            Finding("users_equal", "", "growth", 1234, 0.5, 0.4, 0.6, 0.2, passed="no", reason="users differ"),
            Finding("length_matched", "", "difference", 5, 0.1, 0.0, 0.2, 0.0, reason="shown: beside"),
        )),
        not_judged("basket_halves", "too thin"),
    ]  # fmt: skip
    text = result(found).text()
    flat = " ".join(text.split())
    assert "growth +22.0%, joint interval +10.0% to +30.0%" in flat
    assert (
        "yes months permuted, studentised: 3.100 standard errors [-2.000, 2.000], expected 0, p = 0.002; n = 999"
        in flat
    )
    assert "NO users equal, growth: 0.500 [0.400, 0.600], expected 0.2; n = 1,234 (users differ)" in flat
    assert "beside" not in text and "- basket halves, growth: none; n = 0 (too thin)" in flat
    assert "never a wage" in text and max(map(len, text.splitlines())) <= 80
    assert "no growth figure" in result(found, growth=np.nan).text()
    assert plain(result(found))["table"][1]["passed"] == "no"


def test_every_placebo_of_the_schema_has_its_name():
    assert set(NAMES) == set(Placebo.to_schema().columns["placebo"].checks[0].statistics["allowed_values"])

"""Audited less plain, with an interval that leaves out what both share."""

from __future__ import annotations

import numpy as np
import pytest

from valuation.core.audit_difference import audited_less_plain
from valuation.core.audit_estimate import AuditedSessions, estimate_audit


def sessions(rng, *, off=(0.0, 0.0), noise=0.0, checked=1.0, n=400, users=80):
    month = np.repeat([0, 1], n // 2)
    user = rng.integers(0, users, n)
    value = rng.normal(4, 0.5, n) + 0.6 * rng.normal(0, 1, users)[user]
    audited = rng.uniform(size=n) < checked
    h = np.where(audited, value + np.array(off)[month] + noise * rng.normal(0, 1, n), np.nan)
    return AuditedSessions(month, user, rng.uniform(0.5, 2, n), value, month, audited, h)


def found(given):
    return estimate_audit(given, n_months=2, unmatched=False, method="stratified", level=0.95)


def test_a_pricer_that_is_off_by_the_same_everywhere_is_found_exactly():
    estimate = found(sessions(np.random.default_rng(1), off=(0.2, 0.5)))
    for contrast, apart in (([1.0, 0.0], 0.2), ([0.0, 1.0], 0.5), ([-1.0, 1.0], 0.3)):
        rate = audited_less_plain(estimate, np.array(contrast))
        assert [rate.estimate, rate.lower, rate.upper] == pytest.approx([apart] * 3, abs=1e-6)


def test_with_everything_checked_the_interval_is_that_of_a_clustered_mean_of_differences():
    given = sessions(np.random.default_rng(2), off=(0.3, 0.1), noise=0.7)
    estimate = found(given)
    rate = audited_less_plain(estimate, np.array([0.0, 1.0]))
    here = given.month == 1
    share = given.weight[here] / given.weight[here].sum()
    apart = (given.analyst_value - given.value)[here]
    mean = share @ apart
    variance = 0.0
    for user in np.unique(given.user[here]):
        own = given.user[here] == user
        variance += (share[own] @ (apart[own] - mean)) ** 2 / (1 - share[own].sum())
    assert rate.estimate == pytest.approx(mean, abs=1e-12)
    half = (rate.upper - rate.lower) / 2
    assert half == pytest.approx(2.0 * np.sqrt(variance), rel=0.05)  # Student's quantile of some 60 degrees of freedom
    assert half < estimate.audited.upper[1] - estimate.audited.estimate[1]


def test_a_month_without_a_level_has_no_difference():
    given = sessions(np.random.default_rng(3), noise=0.2)
    given.analyst_value[given.month == 0] = np.nan
    estimate = found(given)
    assert np.isnan(audited_less_plain(estimate, np.array([-1.0, 1.0])).estimate)
    assert np.isfinite(audited_less_plain(estimate, np.array([0.0, 1.0])).estimate)


@pytest.mark.slow
@pytest.mark.parametrize("drift", [0.0, 0.3])
def test_it_covers_and_finds_more_than_whether_the_run_lies_in_the_audited_interval(drift):
    inside, told, told_before = [], [], []
    for seed in range(300):
        rng = np.random.default_rng(seed)
        estimate = found(sessions(rng, off=(0.0, drift), noise=0.6, checked=0.3))
        rate = audited_less_plain(estimate, np.array([0.0, 1.0]))
        inside.append(rate.lower <= drift <= rate.upper)
        told.append(not rate.lower <= 0 <= rate.upper)
        told_before.append(not estimate.audited.lower[1] <= estimate.plain.estimate[1] <= estimate.audited.upper[1])
    assert 0.92 <= np.mean(inside) <= 0.985
    if drift:
        assert np.mean(told) > np.mean(told_before) + 0.1
    else:
        assert np.mean(told) <= 0.08

"""Two-phase variance: exact in small populations by listing all samples, and against formulas done by hand."""

from dataclasses import replace
from itertools import combinations, product

import numpy as np
import pytest

from valuation.core.audit_variance import Sampled, variance_of

SIZE, AUDITS = np.array([4, 5]), np.array([2, 3])
STRATUM = np.repeat([0, 1], SIZE)
USER = np.array([0, 0, 1, 2, 0, 1, 1, 2, 3])
X = np.array([0.3, -0.1, 0.5, 0.2, -0.4, 0.1, 0.6, -0.2, 0.3])
KNOWN = np.array([0.1, 0.2, -0.1, 0.05, 0.0, -0.2, 0.1, 0.1, -0.25])


def sampled(rows, **more):
    """A sample of `rows` from nine sessions of one month in two strata; shares too small for a user's own leverage."""
    checked = np.isin(np.arange(9), rows)
    return replace(
        Sampled(np.zeros(9, dtype=np.int64), USER, np.full(9, 1e-12), KNOWN, np.where(checked, X, 0.0), checked,
                STRATUM, SIZE, AUDITS), **more,
    )  # fmt: skip


def all_samples():
    return [[*one, *two] for one, two in product(combinations(range(4), 2), combinations(range(4, 9), 3))]


def test_parts_are_unbiased_over_all_samples():
    """Σψ², less what is subtracted, is on average the users' part of complete data; V2 the variance of the estimate."""
    found = [variance_of(sampled(rows), np.ones(1)) for rows in all_samples()]
    inclusion = (AUDITS / SIZE)[STRATUM]
    totals = [(X / inclusion)[rows].sum() for rows in all_samples()]
    assert np.mean([one.audits for one in found]) == pytest.approx(np.var(totals))
    complete = np.square(np.bincount(USER, weights=KNOWN + X)).sum()
    by_user = [np.bincount(USER[rows], weights=(X / inclusion)[rows], minlength=4) for rows in all_samples()]
    assert np.mean([one.poisson for one in found]) == pytest.approx(complete + np.var(by_user, axis=0).sum())
    raw = [one.poisson - _subtracted(rows) for one, rows in zip(found, all_samples(), strict=True)]
    assert np.mean(raw) == pytest.approx(complete)
    np.testing.assert_allclose([one.users for one in found], np.maximum(raw, 0.0))
    assert min(raw) < 0  # some are cut off here: the part is as noisy as the audit is small


def _subtracted(rows):
    """Horvitz and Thompson's estimate of users' own second-phase variances, pair by pair."""
    inclusion, summed = (AUDITS / SIZE)[STRATUM], 0.0
    for i in rows:
        for j in rows:
            if USER[i] != USER[j] or (i != j and STRATUM[i] != STRATUM[j]):
                continue
            n, size = AUDITS[STRATUM[i]], SIZE[STRATUM[i]]
            both = inclusion[i] if i == j else n * (n - 1) / (size * (size - 1))
            own = inclusion[i] * inclusion[j]
            summed += X[i] * X[j] * (both - own) / (own * both)
    return summed


def test_checking_everything_leaves_the_users_part():
    every = sampled(range(9), audits=SIZE)
    found = variance_of(every, np.ones(1))
    assert found.audits == 0.0
    assert found.users == found.poisson == pytest.approx(np.square(np.bincount(USER, weights=KNOWN + X)).sum())
    assert found.total("stratified") == found.total("poisson")


def test_strata_that_explain_everything_leave_no_second_phase():
    level = np.array([0.4, -0.3])[STRATUM]
    rows = [0, 1, 4, 5, 6]
    found = variance_of(sampled(rows, checked=np.where(np.isin(np.arange(9), rows), level, 0.0)), np.ones(1))
    assert found.audits == pytest.approx(0.0)
    assert found.poisson > 0.5  # independent checking would have let the strata's sizes vary


def test_a_month_of_growth_counts_with_its_sign_and_users_meet_across_months():
    """Twice the same month: growth between copies of the same users has no users' part, only the audits' twice."""
    one = sampled(range(9), audits=SIZE)
    two = Sampled(
        np.repeat([0, 1], 9), np.tile(one.user, 2), np.tile(one.share, 2), np.tile(one.known, 2),
        np.tile(one.checked, 2), np.tile(one.is_checked, 2), np.concatenate([STRATUM, STRATUM + 2]),
        np.tile(SIZE, 2), np.tile(SIZE, 2),
    )  # fmt: skip
    assert variance_of(two, np.array([-1.0, 1])).poisson == pytest.approx(0.0)
    assert variance_of(two, np.array([1.0, 1])).poisson == pytest.approx(4 * variance_of(one, np.ones(1)).poisson)
    apart = replace(two, user=np.concatenate([USER, USER + 4]))
    assert variance_of(apart, np.array([-1.0, 1])).poisson == pytest.approx(2 * variance_of(one, np.ones(1)).poisson)
    part = replace(two, audits=np.tile(AUDITS, 2), is_checked=np.tile(np.isin(np.arange(9), [0, 1, 4, 5, 6]), 2))
    half = sampled([0, 1, 4, 5, 6])
    twice = variance_of(replace(part, checked=np.tile(half.checked, 2)), np.array([-1.0, 1]))
    assert twice.audits == pytest.approx(2 * variance_of(half, np.ones(1)).audits)
    np.testing.assert_allclose(variance_of(part, np.array([0.0, 1])).per_audit[:2], 0.0)


def test_a_user_s_own_leverage_is_given_back():
    """With G users of one size the sum of squares is G/(G − 1) times as large."""
    share = np.full(8, 1 / 8)
    data = Sampled(np.zeros(8, dtype=np.int64), np.repeat(np.arange(4), 2), share, np.arange(8.0) - 3.5, np.zeros(8),
                   np.zeros(8, dtype=bool), np.zeros(8, dtype=np.int64), np.array([8]), np.array([8]))  # fmt: skip
    squares = np.square(np.bincount(np.repeat(np.arange(4), 2), weights=np.arange(8.0) - 3.5)).sum()
    found = variance_of(data, np.ones(1))
    assert found.users == pytest.approx(squares * 4 / 3)
    assert found.freedom == pytest.approx(3.0)


def test_freedom_of_audits_is_that_of_strata_of_equal_spread():
    """Two strata of one size with two and three audits, users apart, nothing known: f = (a + b)²/(a²/1 + b²/2)."""
    size, audits = np.array([5, 5]), np.array([2, 3])
    checked = np.isin(np.arange(10), [0, 1, 5, 6, 7])
    x = np.where(checked, [0.1, -0.1, 0, 0, 0, 0.1, 0, -0.1, 0, 0], 0.0)
    data = Sampled(np.zeros(10, dtype=np.int64), np.arange(10), np.full(10, 0.1), np.zeros(10), x, checked,
                   np.repeat([0, 1], 5), size, audits)  # fmt: skip
    found = variance_of(replace(data, checked=x), np.ones(1))
    a, b = 1 / 2 - 1 / 5, 1 / 3 - 1 / 5
    alone = (a**2 / 1 + b**2 / 2) / (a + b) ** 2
    first, second = found.users, found.audits
    down = (first**2 + 2 * first * second) / 9 + second**2 * alone
    assert found.freedom == pytest.approx((first + second) ** 2 / down)
    met = variance_of(replace(data, user=np.array([0, 1, 2, 3, 4, 5, 0, 7, 8, 9])), np.ones(1))
    first, second = met.users, met.audits
    users = 1.0 / (8 * 0.1**2 + 0.2**2) ** 2 * (8 * 0.1**4 + 0.2**4)  # 1/(effective users): one has twice the sessions
    q = np.array([(5 / 2) ** 2 * 3 / 5, (5 / 3) ** 2 * 2 / 5])  # of sessions checked at 2 of 5 and at 3 of 5
    kappa = 2 * q[0] * q[1] / (2 * q[0] + 3 * q[1]) ** 2
    down = (first**2 + 2 * first * second) / (1 / users - 1) + second**2 * (alone + kappa)
    assert met.freedom == pytest.approx((first + second) ** 2 / down)
    wide = found.half_width("stratified", 0.95) / np.sqrt(found.total("stratified"))
    assert 1.96 < wide < 12.8


def test_poisson_is_never_below_the_second_phase():
    nothing = sampled([0, 1, 4, 5, 6], checked=np.where(np.isin(np.arange(9), [0, 1, 4, 5, 6]), X, 0.0))
    found = variance_of(nothing, np.ones(1))
    low = replace(found, poisson=0.0)
    assert low.total("poisson") == found.audits

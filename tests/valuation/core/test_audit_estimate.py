"""Audited levels and growth: formulas redone by loops, invariances, non-response, bounds, what halving takes."""

from dataclasses import fields, replace

import numpy as np
import pytest

from valuation.core.audit_design import draw_audit
from valuation.core.audit_estimate import AuditedSessions, estimate_audit
from valuation.core.audit_growth import audited_growth, halving, level_bounds
from valuation.core.audit_response import response_strata
from valuation.core.audit_variance import variance_of

HOW = {"n_months": 2, "unmatched": False, "method": "stratified", "level": 0.95}


def world(audits=60, n=1200, seed=0, unmatched=0.0, missing=0.0, noise=0.6):
    rng = np.random.default_rng(seed)
    month, user, kind = rng.integers(0, 2, n), rng.integers(0, 90, n), rng.integers(0, 3, n)
    value = rng.normal(5, 1, n)
    analyst = (
        1.0 + 0.8 * value + 0.5 * (kind == 1) + rng.normal(0, noise, n) + 0.2 * month + rng.normal(0, 0.4, 90)[user]
    )
    value[rng.random(n) < unmatched] = np.nan
    design = draw_audit(rng.permutation(n).astype(np.uint64), month, kind, value, rng.random(n),
                        audits=np.full(2, audits), seed=seed)  # fmt: skip
    given = design.chosen & (rng.random(n) >= missing)
    return AuditedSessions(month, user, rng.lognormal(0, 0.5, n), value, design.stratum, design.chosen,
                           np.where(given, analyst, np.nan))  # fmt: skip


def taken(sessions, rows):
    return AuditedSessions(*(getattr(sessions, field.name)[rows] for field in fields(AuditedSessions)))


def by_hand(sessions):
    """Level and slope by loops over sessions, every audited session with a value; matched ones only."""
    n = sessions.month.size
    inclusion = {h: sessions.audited[sessions.stratum == h].mean() for h in set(sessions.stratum.tolist())}
    a, plain = np.zeros(n), np.zeros(2)
    for m in range(2):
        rows = [i for i in range(n) if sessions.month[i] == m]
        plain[m] = sum(sessions.weight[i] * sessions.value[i] for i in rows) / sum(sessions.weight[i] for i in rows)
        raw = {i: sessions.weight[i] / inclusion[sessions.stratum[i]] for i in rows if sessions.audited[i]}
        for i, one in raw.items():
            a[i] = one / sum(raw.values())
    above = below = 0.0
    h, v = np.nan_to_num(sessions.analyst_value), sessions.value
    for m in range(2):
        rows = [i for i in range(n) if sessions.month[i] == m]
        mean_v, mean_h = (sum(a[i] * of[i] for i in rows) for of in (v, h))
        above += sum(a[i] * (v[i] - mean_v) * (h[i] - mean_h) for i in rows)
        below += sum(a[i] * (v[i] - mean_v) ** 2 for i in rows)
    slope = min(max(above / below, 0.0), 1.0)
    level = [slope * plain[m] + sum(a[i] * (h[i] - slope * v[i]) for i in range(n) if sessions.month[i] == m)
             for m in range(2)]  # fmt: skip
    return slope, np.array(level), a


def test_levels_are_those_of_the_formula():
    sessions = world()
    found = estimate_audit(sessions, **HOW)
    slope, level, _ = by_hand(sessions)
    assert 0 < slope < 1 and found.slope == pytest.approx(slope)
    np.testing.assert_allclose(found.audited.estimate, level, rtol=1e-12)
    growth = audited_growth(found, from_month=0, to_month=1)
    assert growth.audited.estimate == pytest.approx(level[1] - level[0])
    assert audited_growth(found, from_month=1, to_month=0).audited.estimate == pytest.approx(level[0] - level[1])


def test_poisson_variance_is_that_of_the_formula():
    """ψ_u = Σ λ p (v − v̄) + a (h − λ v − mean), users' own share given back."""
    sessions = world()
    found = estimate_audit(sessions, **(HOW | {"method": "poisson"}))
    slope, _, a = by_hand(sessions)
    for m in range(2):
        rows = np.flatnonzero(sessions.month == m)
        p = sessions.weight[rows] / sessions.weight[rows].sum()
        v = sessions.value[rows]
        error = np.nan_to_num(sessions.analyst_value[rows]) - slope * v
        mean = (a[rows] * error).sum()
        psi, share = np.zeros(90), np.zeros(90)
        np.add.at(psi, sessions.user[rows], slope * p * (v - (p * v).sum()) + a[rows] * (error - mean))
        np.add.at(share, sessions.user[rows], p)
        assert found.audited.standard_error[m] == pytest.approx(np.sqrt((psi**2 / (1 - share)).sum()))


def test_second_phase_is_that_of_a_stratified_sample():
    sessions = world()
    found = estimate_audit(sessions, **HOW)
    slope, _, a = by_hand(sessions)
    for m in range(2):
        error = np.nan_to_num(sessions.analyst_value) - slope * sessions.value
        mean = (a * error)[sessions.month == m].sum()
        summed = 0.0
        for h in np.unique(sessions.stratum[sessions.month == m]):
            rows = np.flatnonzero((sessions.stratum == h) & sessions.audited)
            size, n = (sessions.stratum == h).sum(), rows.size
            summed += size**2 * (1 - n / size) * np.var((a * (error - mean))[rows] * n / size, ddof=1) / n
        assert found.audits[m] == pytest.approx(summed)
        assert found.audited.standard_error[m] == pytest.approx(np.sqrt(found.users[m] + summed))


def test_order_of_rows_does_not_matter():
    sessions = world(unmatched=0.05, missing=0.3)
    order = np.random.default_rng(3).permutation(sessions.month.size)
    one, two = (audited_growth(estimate_audit(these, **HOW), from_month=0, to_month=1)
                for these in (sessions, taken(sessions, order)))  # fmt: skip
    assert one.audited.estimate == pytest.approx(two.audited.estimate, abs=1e-12)
    assert one.standard_error == pytest.approx(two.standard_error, abs=1e-12)
    assert one.halving.more_audits == two.halving.more_audits
    assert (one.lower_bound, one.upper_bound) == pytest.approx((two.lower_bound, two.upper_bound), abs=1e-12)


def test_what_the_pricer_gets_wrong_in_a_month_does_not_matter():
    sessions = world()
    wrong = replace(sessions, value=sessions.value - 3.0 * sessions.month)
    one, two = estimate_audit(sessions, **HOW), estimate_audit(wrong, **HOW)
    assert two.slope == pytest.approx(one.slope)  # centred by month
    np.testing.assert_allclose(two.audited.estimate, one.audited.estimate, atol=1e-12)
    np.testing.assert_allclose(two.audited.standard_error, one.audited.standard_error, atol=1e-12)
    np.testing.assert_allclose(two.plain.estimate, one.plain.estimate - [0, 3], atol=1e-12)


def test_analysts_values_move_the_level_one_for_one():
    sessions = world()
    moved = replace(sessions, analyst_value=sessions.analyst_value + 2.0)
    np.testing.assert_allclose(
        estimate_audit(moved, **HOW).audited.estimate, estimate_audit(sessions, **HOW).audited.estimate + 2.0
    )


def test_weights_count_relative_to_each_other():
    sessions = world()
    one, two = (estimate_audit(replace(sessions, weight=sessions.weight * by), **HOW) for by in (1.0, 7.0))
    np.testing.assert_allclose(one.audited.estimate, two.audited.estimate)
    np.testing.assert_allclose(one.audited.standard_error, two.audited.standard_error)


def test_a_pricer_off_by_a_constant_leaves_only_the_users():
    sessions = world(noise=0.0)
    exact = replace(sessions, analyst_value=np.where(sessions.audited, sessions.value + 1.5, np.nan))
    found = estimate_audit(exact, **HOW)
    assert found.slope == 1.0
    np.testing.assert_allclose(found.audited.estimate, found.plain.estimate + 1.5)
    np.testing.assert_allclose(found.audits, 0.0, atol=1e-20)
    np.testing.assert_allclose(found.audited.standard_error, found.plain.standard_error)


def test_checking_everything_gives_the_mean_of_analysts_whatever_the_pricer_says():
    sessions = world(audits=10_000)
    assert sessions.audited.all()
    rng = np.random.default_rng(1)
    for value in (sessions.value, rng.normal(0, 9, sessions.month.size)):
        found = estimate_audit(replace(sessions, value=value), **HOW)
        for m in range(2):
            rows = sessions.month == m
            expected = np.average(sessions.analyst_value[rows], weights=sessions.weight[rows])
            assert found.audited.estimate[m] == pytest.approx(expected)
        np.testing.assert_allclose(found.audits, 0.0, atol=1e-20)


@pytest.mark.parametrize(("by", "expected"), [(-0.5, 0.0), (2.0, 1.0), (0.4, 0.4), (0.0, 0.0)])
def test_slope_lies_between_nought_and_one(by, expected):
    sessions = world()
    straight = replace(sessions, analyst_value=np.where(sessions.audited, by * sessions.value, np.nan))
    assert estimate_audit(straight, **HOW).slope == pytest.approx(expected, abs=1e-12)


def test_one_slope_serves_all_months():
    """Slope 0 in one month and 1 in the other gives one between, and both levels use it."""
    sessions = world(audits=100)
    h = np.where(sessions.month == 1, sessions.value, 4.0)
    found = estimate_audit(replace(sessions, analyst_value=np.where(sessions.audited, h, np.nan)), **HOW)
    assert 0.3 < found.slope < 0.7
    assert (found.audits > 1e-4).all()  # a slope of its own would leave neither month an error


def test_a_pricer_without_variation_has_slope_nought():
    sessions = replace(world(), value=np.full(1200, 5.0))
    found = estimate_audit(sessions, **HOW)
    assert found.slope == 0.0 and np.isfinite(found.audited.standard_error).all()


def test_unmatched_sessions_enter_when_asked_for():
    sessions = world(unmatched=0.2)
    matched, everyone = (estimate_audit(sessions, **(HOW | {"unmatched": flag})) for flag in (False, True))
    out = np.isnan(sessions.value)
    assert (everyone.n_sessions - matched.n_sessions).tolist() == np.bincount(sessions.month[out]).tolist()
    assert everyone.slope == pytest.approx(matched.slope, abs=0.05)
    richer = replace(sessions, analyst_value=np.where(out, sessions.analyst_value + 10.0, sessions.analyst_value))
    np.testing.assert_array_equal(estimate_audit(richer, **HOW).audited.estimate, matched.audited.estimate)
    moved = estimate_audit(richer, **(HOW | {"unmatched": True})).audited.estimate - everyone.audited.estimate
    share = [np.average(out[sessions.month == m], weights=sessions.weight[sessions.month == m]) for m in range(2)]
    np.testing.assert_allclose(moved, 10 * np.array(share), rtol=0.35)  # the audit's own weights estimate the share
    np.testing.assert_array_equal(everyone.plain.estimate, matched.plain.estimate)


def test_constant_of_the_unmatched_is_their_month_s_mean():
    """Redone with those values written in: the level is the same up to what λ makes of them."""
    sessions = world(unmatched=0.2)
    found = estimate_audit(sessions, **(HOW | {"unmatched": True}))
    value = np.where(np.isnan(sessions.value), found.plain.estimate[sessions.month], sessions.value)
    a = sessions.weight * sessions.audited / _inclusion(sessions)
    for m in range(2):
        rows = sessions.month == m
        error = np.nan_to_num(sessions.analyst_value[rows]) - found.slope * value[rows]
        expected = found.slope * found.plain.estimate[m] + np.average(error, weights=a[rows])
        assert found.audited.estimate[m] == pytest.approx(expected)


def _inclusion(sessions):
    return (np.bincount(sessions.stratum, sessions.audited) / np.bincount(sessions.stratum))[sessions.stratum]


def test_those_who_answer_stand_for_their_stratum():
    """A stratum where half give no value weighs what it weighed."""
    sessions = world(audits=200)
    gone = np.flatnonzero(sessions.audited & (sessions.stratum == 0))[::2]
    some = replace(sessions, analyst_value=np.where(np.isin(np.arange(1200), gone), np.nan, sessions.analyst_value))
    found = estimate_audit(some, **HOW)
    assert found.n_responses[0] == 200 - gone.size and found.response_rate[0] == 1 - gone.size / 200
    inclusion = (np.bincount(some.stratum, np.isfinite(some.analyst_value)) / np.bincount(some.stratum))[some.stratum]
    a = np.where(np.isfinite(some.analyst_value), some.weight / inclusion, 0.0) * (some.month == 0)
    error = np.nan_to_num(some.analyst_value) - found.slope * some.value
    expected = found.slope * found.plain.estimate[0] + np.average(error, weights=a)
    assert found.audited.estimate[0] == pytest.approx(expected)
    assert found.joined_strata == 0


def test_strata_without_two_responses_join_the_smaller_neighbour():
    stratum = np.repeat([3, 5, 6, 9, 12], [6, 3, 4, 5, 1])
    month = np.repeat([0, 0, 0, 0, 1], [6, 3, 4, 5, 1])
    responded = np.zeros(19, dtype=bool)
    responded[[0, 1, 6, 9, 10, 13, 14, 18]] = True  # the second has one of three
    found = response_strata(stratum, month, responded)
    assert found.size.tolist() == [6, 7, 5, 1] and found.responses.tolist() == [2, 3, 2, 1]
    assert found.joined == 1
    assert found.stratum.tolist() == [0] * 6 + [1] * 7 + [2] * 5 + [3]
    lonely = response_strata(stratum, month, np.zeros(19, dtype=bool))
    assert lonely.size.tolist() == [18, 1] and lonely.responses.tolist() == [0, 0]
    whole = response_strata(np.array([0, 1, 1, 1]), np.zeros(4, dtype=np.int64), np.array([True, True, True, False]))
    assert whole.joined == 0  # one of one is all there is
    with pytest.raises(ValueError, match="sessions of two months"):
        response_strata(np.zeros(2, dtype=np.int64), np.array([0, 1]), np.ones(2, dtype=bool))


def test_months_without_responses_have_no_level_and_no_growth():
    sessions = world()
    none = replace(sessions, analyst_value=np.where(sessions.month == 1, np.nan, sessions.analyst_value))
    found = estimate_audit(none, **HOW)
    assert np.isfinite(found.audited.estimate[0]) and np.isnan(found.audited.estimate[1])
    assert np.isnan([found.audited.lower[1], found.users[1], found.audits[1]]).all()
    assert found.response_rate.tolist() == [1.0, 0.0] and np.isfinite(found.plain.estimate).all()
    growth = audited_growth(found, from_month=0, to_month=1)
    assert np.isnan([growth.audited.estimate, growth.standard_error, growth.lower_bound]).all()
    assert np.isfinite(growth.plain.estimate) and growth.halving.more_audits is None
    empty = estimate_audit(taken(sessions, sessions.month == 0), **HOW)
    assert np.isnan(empty.audited.estimate[1]) and np.isnan(empty.plain.estimate[1])
    assert np.isnan(empty.response_rate[1]) and np.isfinite(empty.audited.estimate[0])


def test_bounds_put_the_missing_at_the_tenth_and_ninetieth_percentile():
    sessions = world(audits=200)
    gone = np.flatnonzero(sessions.audited & (sessions.month == 1))[::4]
    some = replace(sessions, analyst_value=np.where(np.isin(np.arange(1200), gone), np.nan, sessions.analyst_value))
    found = estimate_audit(some, **HOW)
    bounds = level_bounds(found)
    assert bounds.lower[0] == bounds.upper[0] == pytest.approx(found.audited.estimate[0])  # all gave a value
    share = some.weight / _inclusion(some) * (some.month == 1)
    missing = share[gone].sum() / share[some.audited].sum()
    answered = np.isfinite(some.analyst_value)
    low, high = np.quantile(some.analyst_value[answered], [0.1, 0.9])
    assert bounds.upper[1] - bounds.lower[1] == pytest.approx(missing * (high - low), rel=0.1)
    assert bounds.lower[1] < found.audited.estimate[1] < bounds.upper[1]
    growth = audited_growth(found, from_month=0, to_month=1)
    assert growth.lower_bound == pytest.approx(bounds.lower[1] - bounds.upper[0])
    assert growth.upper_bound == pytest.approx(bounds.upper[1] - bounds.lower[0])
    back = audited_growth(found, from_month=1, to_month=0)
    assert (back.lower_bound, back.upper_bound) == pytest.approx((-growth.upper_bound, -growth.lower_bound))


def test_halving_names_the_audits_that_would_do_it():
    sessions = world(audits=40, n=6000)
    found = estimate_audit(sessions, **HOW)
    growth = audited_growth(found, from_month=0, to_month=1)
    more = growth.halving.more_audits
    assert growth.standard_error**2 == pytest.approx(growth.users + growth.audits)
    assert growth.halving.floor == pytest.approx(np.sqrt(growth.users))
    factor = (80 + more) / 80
    left = growth.users + growth.audits / factor
    assert left == pytest.approx(growth.standard_error**2 / 4, rel=0.1)  # but for finite strata and roundings
    missing = replace(sessions, analyst_value=np.where(np.arange(6000) % 2 == 0, np.nan, sessions.analyst_value))
    there = estimate_audit(missing, **HOW)
    rate = there.n_responses.sum() / 80
    again = audited_growth(there, from_month=0, to_month=1)
    if again.halving.more_audits is not None:
        assert again.halving.more_audits > 2 * there.n_responses.sum() / rate


def half_done():
    """40 of 100 drawn in each month are judged; every fourth of those without a value."""
    sessions = world(audits=100, n=6000)
    judged = np.zeros(6000, dtype=bool)
    for m in range(2):
        judged[np.flatnonzero(sessions.audited & (sessions.month == m))[:40]] = True
    valued = judged & (np.cumsum(judged) % 4 != 0)
    return replace(sessions, analyst_value=np.where(valued, sessions.analyst_value, np.nan)), valued, judged


def test_work_that_waits_is_not_taken_for_non_response():
    sessions, valued, judged = half_done()
    found = estimate_audit(sessions, **HOW)
    variance = variance_of(found.sampled, np.array([-1.0, 1.0]))
    how = {"from_month": 0, "to_month": 1}
    as_if_done, told = (halving(found, variance, judged=counts, **how)
                        for counts in (None, np.bincount(sessions.month[judged], minlength=2)))  # fmt: skip
    responses = as_if_done.more_audits * valued.sum() / 200  # what either says are wanted
    assert (as_if_done.waiting, told.waiting) == (0, 120)
    assert told.more_audits == pytest.approx(responses / 0.75 - 120, abs=2)  # 3 of 4 judged have a value
    assert 0 < told.more_audits < as_if_done.more_audits - 200
    assert as_if_done == audited_growth(found, **how).halving
    assert halving(found, variance, judged=found.n_audited, **how) == as_if_done


def test_enough_may_be_drawn_already():
    sessions, _, judged = half_done()
    more = replace(sessions, audited=sessions.audited | (np.arange(6000) % 3 == 0))
    found = estimate_audit(more, **HOW)
    told = halving(found, variance_of(found.sampled, np.array([-1.0, 1.0])), from_month=0, to_month=1,
                   judged=np.bincount(more.month[judged], minlength=2))  # fmt: skip
    assert told.more_audits == 0 and told.waiting == more.audited.sum() - 80


def test_halving_is_of_the_two_months_alone():
    """A third month between them, audited or not, changes neither number."""
    two = estimate_audit(world(audits=40, n=6000), **HOW)
    sessions = world(audits=40, n=6000)
    extra = taken(sessions, sessions.month == 0)
    extra = replace(extra, month=extra.month + 1, stratum=extra.stratum + 1000, user=extra.user + 1000)
    moved = replace(sessions, month=2 * sessions.month, stratum=sessions.stratum + 2000 * sessions.month)
    joined = AuditedSessions(*(np.concatenate([getattr(one, field.name) for one in (moved, extra)])
                               for field in fields(AuditedSessions)))  # fmt: skip
    three = estimate_audit(joined, **(HOW | {"n_months": 3}))
    first, second = (
        audited_growth(found, from_month=0, to_month=last).halving for found, last in ((two, 1), (three, 2))
    )
    assert second.more_audits == pytest.approx(first.more_audits, rel=0.1)  # but for the one slope of all months
    drawn = 40 * (1 + np.arange(3) % 2 * 100)
    told = halving(three, variance_of(three.sampled, np.array([-1.0, 0.0, 1.0])), from_month=0, to_month=2,
                   judged=np.minimum(three.n_audited, drawn))  # fmt: skip
    assert told == second


def test_no_more_are_asked_for_than_there_are():
    found = estimate_audit(world(audits=40, n=6000), **HOW)
    variance, how = variance_of(found.sampled, np.array([-1.0, 1.0])), {"from_month": 0, "to_month": 1}
    told = halving(found, variance, **how)
    just = replace(found, n_sessions=found.n_audited + np.array([told.more_audits, 0]))
    assert halving(just, variance, **how) == told and not told.too_few
    short = halving(replace(just, n_sessions=just.n_sessions - np.array([0, 1])), variance, **how)
    assert (short.more_audits, short.too_few, short.floor) == (None, True, told.floor)


def test_halving_is_refused_where_users_forbid_it():
    found = estimate_audit(world(audits=400), **HOW)
    growth = audited_growth(found, from_month=0, to_month=1)
    assert growth.users > growth.standard_error**2 / 4
    assert growth.halving.more_audits is None and not growth.halving.too_few
    assert growth.halving.floor > growth.standard_error / 2


def test_wrong_arrays_are_refused():
    sessions = world()
    with pytest.raises(ValueError, match="weights must be positive"):
        estimate_audit(replace(sessions, weight=np.zeros(1200)), **HOW)
    with pytest.raises(ValueError, match="months 0 to 1, expected 0 to 0"):
        estimate_audit(sessions, **(HOW | {"n_months": 1}))
    with pytest.raises(ValueError, match="finite"):
        estimate_audit(replace(sessions, analyst_value=np.full(1200, np.inf)), **HOW)

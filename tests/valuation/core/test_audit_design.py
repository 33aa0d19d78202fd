"""The audit's design: strata, allocation, selection, and what it says it will buy."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from valuation.core.audit_design import OTHER, allocate, draw_audit
from valuation.core.audit_estimate import AuditedSessions, estimate_audit
from valuation.core.audit_plan import PlannedAudit, audits_for, expected_error
from valuation.core.audit_variance import variance_of
from valuation.core.draws import unit_key
from valuation.errors import InputError

KINDS = [0.26, 0.25, 0.17, 0.10, 0.07, 0.07, 0.03, 0.03, 0.02]


def sessions(n=4000, months=2, unmatched=0.03, seed=0):
    rng = np.random.default_rng(seed)
    value = rng.normal(5, 1, n)
    value[rng.random(n) < unmatched] = np.nan
    return {
        "key": unit_key([f"s{at}" for at in range(n)]), "month": rng.integers(0, months, n),
        "kind": rng.choice(9, n, p=KINDS), "value": value, "similarity": rng.random(n),
    }  # fmt: skip


def drawn(columns, *audits, seed=1, **more):
    return draw_audit(**columns, audits=np.array(audits), seed=seed, **more)


@pytest.mark.parametrize("audits", [4, 5, 25, 50, 100, 500, 1999, 2500])
def test_every_session_can_be_drawn_and_every_stratum_has_two(audits):
    columns = sessions()
    found = drawn(columns, audits, audits)
    here = np.bincount(columns["month"])
    assert np.bincount(columns["month"][found.chosen]).tolist() == np.minimum(audits, here).tolist()
    assert (found.inclusion > 0).all() and (found.inclusion <= 1).all() and (found.stratum >= 0).all()
    assert (found.audits >= np.minimum(2, found.size)).all() and (found.audits <= found.size).all()
    np.testing.assert_array_equal(np.bincount(found.stratum), found.size)
    np.testing.assert_array_equal(np.bincount(found.stratum[found.chosen], minlength=found.size.size), found.audits)
    np.testing.assert_allclose(found.inclusion, (found.audits / found.size)[found.stratum])
    if audits >= here.max():
        assert found.chosen.all() and (found.inclusion == 1).all()


def test_strata_are_months_kinds_thirds_and_halves():
    columns = sessions()
    found = drawn(columns, 2000, 0)
    inside, value, similarity = columns["month"] == 0, columns["value"], columns["similarity"]
    assert (found.stratum[~inside] == -1).all() and np.isnan(found.inclusion[~inside]).all()
    assert not found.chosen[~inside].any()
    assert found.unmatched.tolist() == [False] * (found.size.size - 1) + [True]
    assert (found.stratum[inside & np.isnan(value)] == found.size.size - 1).all()
    for kind in range(9):
        cells = np.flatnonzero(found.kind == kind)
        assert [(found.third[at], found.half[at]) for at in cells] == [(t, h) for t in range(3) for h in range(2)]
        assert np.ptp(found.size[cells]) <= 2
        rows = [inside & (found.stratum == at) for at in cells]
        assert all((columns["kind"][one] == kind).all() for one in rows)
        for low, high in ((0, 2), (2, 4)):
            assert max(value[rows[low]].max(), value[rows[low + 1]].max()) <= value[rows[high]].min()
        for low in (0, 2, 4):
            assert similarity[rows[low]].max() <= similarity[rows[low + 1]].min()


def test_few_audits_give_up_halves_then_pool_rare_kinds_and_cut_only_large_ones():
    found = drawn(sessions(), 25, 0)
    labels = [(int(kind), int(third), int(half), bool(out))
              for kind, third, half, out
              in zip(found.kind, found.third, found.half, found.unmatched, strict=True)]  # fmt: skip
    assert labels[-2:] == [(OTHER, OTHER, OTHER, False), (OTHER, OTHER, OTHER, True)]
    assert {label[0] for label in labels} == {0, 1, 2, 3, OTHER}  # a tenth of 25 is two and a half
    assert (found.half == OTHER).all()
    at_hundred = drawn(sessions(), 100, 0)
    assert set(at_hundred.kind[~at_hundred.unmatched]) == set(range(9))  # even 2.6 % of 97 are two
    assert (at_hundred.half[at_hundred.kind == 0] >= 0).all()  # 26 audits fill six cells
    assert (at_hundred.half[at_hundred.kind == 4] == OTHER).all() and (
        at_hundred.third[at_hundred.kind == 4] >= 0
    ).all()


def test_inclusion_is_nearly_equal():
    """Proportional sizes: no session's weight is far from another's, but for strata raised to two."""
    columns = sessions()
    found = drawn(columns, 100, 100)
    matched = ~np.isnan(columns["value"])
    assert found.inclusion[matched].max() / found.inclusion[matched].min() < 1.6


def test_order_of_rows_does_not_matter():
    columns = sessions()
    found = drawn(columns, 60, 40)
    order = np.random.default_rng(5).permutation(4000)
    again = drawn({name: column[order] for name, column in columns.items()}, 60, 40)
    for name in ("stratum", "inclusion", "chosen"):
        np.testing.assert_array_equal(getattr(again, name), getattr(found, name)[order])
    for name in ("month", "kind", "third", "half", "unmatched", "size", "audits"):
        np.testing.assert_array_equal(getattr(again, name), getattr(found, name))


def test_ties_do_not_depend_on_the_order_of_rows():
    columns = sessions() | {"value": np.full(4000, 5.0), "similarity": np.full(4000, 0.5)}
    found = drawn(columns, 100, 100)
    again = drawn({name: column[::-1] for name, column in columns.items()}, 100, 100)
    np.testing.assert_array_equal(again.stratum, found.stratum[::-1])
    np.testing.assert_array_equal(again.chosen, found.chosen[::-1])


def test_another_seed_draws_others_of_the_same_strata():
    columns = sessions()
    one, two = drawn(columns, 100, 100), drawn(columns, 100, 100, seed=2)
    np.testing.assert_array_equal(one.stratum, two.stratum)
    assert 0 < (one.chosen & two.chosen).sum() < 25


def test_inclusion_probabilities_are_those_of_many_draws():
    columns = sessions(n=300, months=1)
    found = [drawn(columns, 30, seed=seed) for seed in range(300)]
    share = np.mean([one.chosen for one in found], axis=0)
    expected = found[0].inclusion
    error = np.sqrt(expected * (1 - expected) / 300)
    assert (np.abs(share - expected) < 4.5 * error + 1e-12).all()
    # and of pairs: two sessions of a stratum come together less often than independent ones would
    first, second = np.flatnonzero(found[0].stratum == 0)[:2]
    n, size = found[0].audits[0], found[0].size[0]
    together = np.mean([one.chosen[first] and one.chosen[second] for one in found])
    pair = n * (n - 1) / (size * (size - 1))
    assert abs(together - pair) < 4.5 * np.sqrt(pair * (1 - pair) / 300)


def test_a_stratum_of_one_session_is_taken_whole():
    columns = sessions(n=200, months=1, unmatched=0.0)
    columns["value"][7] = np.nan
    found = drawn(columns, 20)
    assert (found.size[-1], found.audits[-1]) == (1, 1) and found.chosen[7] and found.inclusion[7] == 1.0


def test_spread_sends_audits_where_errors_are_large():
    columns = sessions()
    spread = np.where(columns["kind"] == 3, 3.0, 1.0)
    plain, moved = drawn(columns, 400, 400), drawn(columns, 400, 400, spread=spread)
    np.testing.assert_array_equal(plain.stratum, moved.stratum)
    there = plain.kind == 3
    assert moved.audits[there].sum() == pytest.approx(400 * 2 * 0.3 / 1.2, rel=0.1)
    assert moved.audits.sum() == plain.audits.sum() == 800
    assert moved.audits[there].sum() > 2 * plain.audits[there].sum()


def test_months_without_unmatched_or_without_matched_sessions():
    columns = sessions(n=50, months=1, unmatched=0.0)
    assert not drawn(columns, 2).unmatched.any()
    columns["value"][:] = np.nan
    found = drawn(columns, 2)
    assert found.unmatched.tolist() == [True] and found.chosen.sum() == 2


@pytest.mark.parametrize("audits", [1, 2, 3])
def test_too_few_audits_are_refused(audits):
    with pytest.raises(InputError, match=rf"{audits} audits in a month, expected at least 4 \(2 of the matched and 2"):
        drawn(sessions(), 100, audits)


def test_wrong_arrays_are_refused():
    columns = sessions(n=20)
    with pytest.raises(ValueError, match="same key"):
        drawn(columns | {"key": np.zeros(20, dtype=np.uint64)}, 10, 10)
    with pytest.raises(ValueError, match="differ in length"):
        drawn(columns | {"kind": np.zeros(3, dtype=np.int64)}, 10, 10)
    with pytest.raises(ValueError, match="months 0 to 1, expected 0 to 0"):
        drawn(columns, 10)
    with pytest.raises(ValueError, match="kind -1, expected codes from 0"):
        drawn(columns | {"kind": np.full(20, -1)}, 10, 10)
    with pytest.raises(InputError, match="-1 audits in a month, expected 0 or more"):
        drawn(columns, 10, -1)


def test_no_month_gives_nothing():
    found = drawn(sessions(n=20), 0, 0)
    assert found.size.size == 0 and not found.chosen.any() and np.isnan(found.inclusion).all()


def test_allocation_by_largest_remainder():
    size = np.array([50, 30, 20])
    assert allocate(size, 11, relative=size * 1.0).tolist() == [6, 3, 2]  # 5.5, 3.3, 2.2: the half gets the one left
    assert allocate(size, 10, relative=size * 1.0).tolist() == [5, 3, 2]
    assert allocate(np.array([90, 5, 5]), 10, relative=np.array([90.0, 5, 5])).tolist() == [6, 2, 2]
    assert allocate(np.array([2, 1, 100]), 10, relative=np.array([50.0, 1, 1])).tolist() == [2, 1, 7]
    with pytest.raises(InputError, match="5 audits for 3 strata; expected at least 6"):
        allocate(size, 5, relative=size * 1.0)


@given(st.lists(st.tuples(st.integers(1, 400), st.floats(0, 5)), min_size=1, max_size=30), st.integers(0, 3000))
def test_allocation_sums_and_keeps_to_its_limits(strata, more):
    size, spread = np.array([one[0] for one in strata]), np.array([one[1] for one in strata])
    audits = int(np.minimum(size, 2).sum()) + more
    found = allocate(size, audits, relative=size * spread)
    assert found.sum() == min(audits, size.sum())
    assert (found >= np.minimum(2, size)).all() and (found <= size).all()
    one, two = np.argsort(size * spread, kind="stable")[[0, -1]]
    if size[one] <= size[two]:
        assert found[one] <= found[two] + 1


def planned(columns, found, *, weight=None, user=None, users=0.0, freedom=np.inf):
    n = columns["key"].size
    weight = np.where(np.isnan(columns["value"]), 0.0, np.ones(n) if weight is None else weight)
    user = np.arange(n) if user is None else user
    return PlannedAudit(columns["month"], user, found.stratum, weight, found.inclusion, 0, 1, users, freedom)


def expected(columns, found, *, spread=1.3, response=1.0, **more):
    return expected_error(planned(columns, found, **more), spread=spread, response=response, level=0.95)


def one_stratum(audits, *sizes):
    """Both months of equal sessions, one stratum each, `audits` drawn from either."""
    sizes = np.array(sizes if len(sizes) == 2 else sizes * 2)
    month = np.repeat([0, 1], sizes)
    inclusion = np.minimum(audits / sizes, 1.0)[month]
    return PlannedAudit(month, np.arange(month.size), month, np.ones(month.size), inclusion, 0, 1, 0.0, np.inf)


@pytest.mark.parametrize(("spread", "published"), [(1.3, 530), (0.9, 255), (0.6, 115)])
def test_audits_for_the_method_s_standard_error(spread, published):
    needed = audits_for(0.08, one_stratum(50, 20_000), spread=spread, response=1.0)
    assert -(-needed // 5) * 5 == published
    assert spread * np.sqrt(2 / needed) <= 0.08 < spread * np.sqrt(2 / (needed - 1))


def test_audits_for_counts_what_is_all_checked_and_who_answers():
    some = one_stratum(50, 2_000)
    assert audits_for(0.08, some, spread=1.3, response=0.5) == 1057
    assert audits_for(1.3 * np.sqrt(1 / 100 + 1 / 400), one_stratum(50, 100, 2_000), spread=1.3, response=1.0) == 400
    assert audits_for(0.04, some, spread=1.3, response=1.0) is None  # all 2,000 leave 0.041
    assert audits_for(0.08, dataclasses.replace(some, users=0.08**2), spread=0.1, response=1.0) is None
    assert audits_for(0.08, dataclasses.replace(some, users=0.07**2), spread=0.1, response=1.0) is not None
    with pytest.raises(ValueError, match="spread 0, standard error 0.08"):
        audits_for(0.08, some, spread=0, response=1.0)


@pytest.mark.parametrize("unmatched", [0.0, 0.25])
@pytest.mark.parametrize("sd", [0.0, 1.0])
@pytest.mark.parametrize("users", [0.0, 0.05])
def test_the_same_error_takes_the_same_audits(unmatched, sd, users):
    """In sessions drawn, matched or not, and with the weights that the error has."""
    columns = sessions(n=20_000, unmatched=unmatched)
    weight = np.random.default_rng(1).lognormal(0, sd, 20_000)
    plan, larger = (planned(columns, drawn(columns, n, n), weight=weight, users=users**2) for n in (100, 400))
    now = expected_error(plan, spread=1.3, response=1.0, level=0.95).growth
    assert audits_for(now, plan, spread=1.3, response=1.0) == 100
    assert audits_for(now * 1.0001, plan, spread=1.3, response=1.0) <= 100
    wanted = expected_error(larger, spread=1.3, response=1.0, level=0.95).growth
    assert audits_for(wanted, plan, spread=1.3, response=1.0) == pytest.approx(400, rel=0.05)  # but for strata's cuts


def test_expected_error_is_the_method_s():
    columns = sessions(n=40_000, unmatched=0.0)
    found = drawn(columns, 530, 530)
    told = expected(columns, found)
    assert told.growth == pytest.approx(0.08, abs=0.0005)  # with strata's roundings
    assert told.audits == pytest.approx(0.08 * np.sqrt(1 - 530 / 20_000), abs=0.0005)
    assert told.half_width == pytest.approx(1.959964 * told.growth, rel=0.005)
    with_users = expected(columns, found, users=0.06**2)
    assert with_users.growth == pytest.approx(np.hypot(told.growth, 0.06)) and with_users.audits == told.audits
    assert expected(columns, found, response=0.5).growth == pytest.approx(np.sqrt(2) * told.growth)
    assert expected(columns, found, spread=0.65).growth == pytest.approx(told.growth / 2)
    uneven = np.random.default_rng(1).lognormal(0, 0.7, 40_000)
    assert expected(columns, found, weight=uneven).growth == pytest.approx(told.growth * np.exp(0.7**2 / 2), rel=0.05)


@pytest.mark.parametrize(("freedom", "t"), [(4.0, 2.7764), (0.2, 12.7062), (np.inf, 1.9600)])
def test_few_users_widen_what_is_expected(freedom, t):
    """With the audits' part gone, Student's quantile is that of the users' degrees of freedom, at least 1."""
    columns = sessions(n=400, unmatched=0.0)
    told = expected(columns, drawn(columns, 400, 400), users=0.3**2, freedom=freedom)
    assert told.half_width == pytest.approx(t * told.growth, rel=1e-4)
    assert told.freedom == max(freedom, 1.0)


@pytest.mark.parametrize(("n_users", "audits", "apart"), [(6, 40, 0.05), (60, 20, 0.02), (60, 100, 0.02)])
def test_the_expected_interval_has_the_quantile_that_the_estimate_will_have(n_users, audits, apart):
    columns = sessions(n=2_000, unmatched=0.0)
    expectations, found = [], []
    for seed in range(8):
        rng = np.random.default_rng(seed)
        user = rng.choice(n_users, 2_000, p=rng.dirichlet(np.full(n_users, 3.0)))
        value = columns["value"] + rng.normal(0, 0.3, n_users)[user]
        design = drawn(columns | {"value": value}, audits, audits, seed=seed)
        analyst = np.where(design.chosen, value + rng.normal(0, 1.3, 2_000), np.nan)
        those = AuditedSessions(columns["month"], user, np.ones(2_000), value, design.stratum, design.chosen, analyst)
        estimate = estimate_audit(those, n_months=2, unmatched=False, method="stratified", level=0.95)
        plain, audited = (variance_of(of, np.array([-1.0, 1.0])) for of in (estimate.sampled_plain, estimate.sampled))
        told = expected(columns, design, user=user, users=plain.users, freedom=plain.freedom)
        expectations.append(told.half_width / told.growth)
        found.append(audited.half_width("stratified", 0.95) / np.sqrt(audited.total("stratified")))
    assert np.median(expectations) == pytest.approx(np.median(found), rel=apart)
    assert np.median(found) > 2.0


def test_nothing_is_left_to_audits_when_all_are_checked():
    columns = sessions(n=400, unmatched=0.0)
    told = expected(columns, drawn(columns, 400, 400), spread=0.6)
    assert told.audits == 0.0 and told.growth == pytest.approx(0.6 * np.sqrt(1 / 200 + 1 / 200), rel=0.02)

"""Precision of matching: shares, bounds, clustered gigs, design weights, and coverage of its intervals."""

import numpy as np
import pytest
from scipy.special import expit, stdtrit

from valuation.core.accuracy import wilson
from valuation.core.audit_precision import (
    CANT_SAY,
    COMPARABLE,
    NOT_COMPARABLE,
    CheckedSessions,
    match_precision,
)

HOW = {"n_cells": 2, "level": 0.95}


def checked(stratum, user=None, month=None, cell=None):
    stratum = np.asarray(stratum)
    n = stratum.size
    return CheckedSessions(
        np.zeros(n, dtype=np.int64) if month is None else month, np.arange(n) if user is None else user, stratum,
        stratum if cell is None else cell,
    )  # fmt: skip


def test_shares_bounds_and_counts_by_hand():
    """Ten sessions in each of two strata; three and two are judged."""
    sessions = checked(np.repeat([0, 1], 10))
    pair = np.array([0, 0, 0, 1, 1, 1, 2, 2, 2, 10, 10, 11])
    verdict = np.array([1, 1, 0, 1, 1, -1, 0, 0, 1, 1, -1, 0])
    found = match_precision(sessions, pair, verdict, **HOW)
    cells = found.cells
    assert cells.n_sessions.tolist() == [3, 2] and cells.n_decided.tolist() == [8, 2]
    assert cells.n_cant_say.tolist() == [1, 1]
    np.testing.assert_allclose(cells.estimate, [5 / 8, 1 / 2])
    np.testing.assert_allclose(cells.lower_bound, [5 / 9, 1 / 3])
    np.testing.assert_allclose(cells.upper_bound, [6 / 9, 2 / 3])
    weight = np.array([10 / 3, 5.0])  # 1/π
    expected = (weight @ [5, 1]) / (weight @ [8, 2])
    assert found.overall.estimate[0] == pytest.approx(expected)
    assert found.overall.lower_bound[0] == pytest.approx((weight @ [5, 1]) / (weight @ [9, 3]))
    assert found.overall.upper_bound[0] == pytest.approx((weight @ [6, 2]) / (weight @ [9, 3]))
    assert (cells.lower < cells.estimate).all() and (cells.estimate < cells.upper).all()


def by_hand(judged, size):
    """Pairs that judged sessions of a stratum are worth, a user each: of ``P(1 − P)``, both phases of sampling."""
    return 1 / ((1 - judged / size) / (judged - 1) + 1 / (size - 1))


def test_one_gig_a_session_gives_nearly_wilson_s_interval():
    sessions = checked(np.zeros(1000, dtype=np.int64), cell=np.zeros(1000, dtype=np.int64))
    verdict = np.array([COMPARABLE] * 30 + [NOT_COMPARABLE] * 10)
    found = match_precision(sessions, np.arange(40), verdict, n_cells=1, level=0.95)
    assert found.cells.effective_pairs[0] == pytest.approx(by_hand(40, 1000))  # 39.04
    simple = wilson(30, 40, level=0.95)
    assert simple.lower - 0.02 < found.cells.lower[0] < simple.lower  # Student's quantile
    assert simple.upper < found.cells.upper[0] < simple.upper + 0.02


def test_gigs_that_agree_within_sessions_count_as_one():
    sessions = checked(np.zeros(500, dtype=np.int64), cell=np.zeros(500, dtype=np.int64))
    whole = np.repeat(np.arange(40) < 30, 5).astype(np.int64)
    found = match_precision(sessions, np.repeat(np.arange(40), 5), whole, n_cells=1, level=0.95)
    assert found.correlation == 1.0 and found.cells.effective_pairs[0] == pytest.approx(by_hand(40, 500))
    mixed = np.tile([1, 1, 1, 1, 0], 40)
    apart = match_precision(sessions, np.repeat(np.arange(40), 5), mixed, n_cells=1, level=0.95)
    assert apart.correlation == 0.0 and apart.cells.effective_pairs[0] == 40  # no two users differ: one pair each


def test_sessions_of_a_user_that_agree_count_as_one_in_a_cell_too():
    """Two months of 20 users with five sessions each, all judged: in each cell 20 users are all there is."""
    month, user = np.repeat([0, 1], 100), np.tile(np.arange(20).repeat(5), 2)
    verdict = (user < 15).astype(np.int64)
    sessions = checked(month, user=user, month=month)
    found = match_precision(sessions, np.arange(200), verdict, **HOW)
    np.testing.assert_allclose(found.cells.effective_pairs, 19)
    narrow = 15 / 20 - wilson(75, 100, level=0.95).lower
    assert (15 / 20 - found.cells.lower > 2 * narrow).all()
    assert found.cells.lower[0] == pytest.approx(found.overall.lower[0])  # the second month says nothing new
    # everyone alike: 20 users, not 100 sessions
    alike = match_precision(sessions, np.arange(200), np.ones(200), **HOW)
    np.testing.assert_allclose(alike.cells.lower, 20 / (20 + stdtrit(19, 0.975) ** 2))
    assert alike.cells.upper.tolist() == [1.0, 1.0]


def test_a_month_is_as_the_whole_of_that_month_alone():
    rng = np.random.default_rng(2)
    month, user = np.repeat([0, 1], 200), rng.integers(0, 15, 400)
    stratum = 2 * month + rng.integers(0, 2, 400)
    rows = np.sort(rng.choice(400, 120, replace=False))
    verdict = (rng.random(120) < np.where(user[rows] < 8, 0.9, 0.3)).astype(np.int64)
    cells = match_precision(checked(stratum, user, month, month), rows, verdict, **HOW).cells
    for code in range(2):
        mine, judged = month == code, month[rows] == code
        alone = checked(stratum[mine], user[mine], month[mine], np.full(200, -1))
        whole = match_precision(alone, rows[judged] - 200 * code, verdict[judged], **HOW).overall
        for name in ("estimate", "lower", "upper", "effective_pairs"):
            assert getattr(cells, name)[code] == pytest.approx(getattr(whole, name)[0])


@pytest.mark.parametrize("seed", range(40))
def test_a_cell_is_worth_no_more_than_its_sessions_leave(seed):
    rng = np.random.default_rng(seed)
    n, cell = 60, rng.integers(0, 6, 60)
    rows = rng.choice(n, 25, replace=False)
    pair = rng.choice(rows, 60)
    verdict = rng.integers(0, 2, 60)
    sessions = checked(np.zeros(n, dtype=np.int64), user=rng.integers(0, 40, n), cell=cell)
    found = match_precision(sessions, pair, verdict, n_cells=6, level=0.95)
    for code in np.flatnonzero(found.cells.n_decided):
        gigs = np.unique(pair[cell[pair] == code], return_counts=True)[1]
        most = gigs.sum() ** 2 / (gigs * (1 + (gigs - 1) * found.correlation)).sum()
        assert 0 < found.cells.effective_pairs[code] <= most * (1 + 1e-9)
    some = found.cells.n_decided > 0
    assert ((found.cells.lower <= found.cells.estimate) & (found.cells.estimate <= found.cells.upper))[some].all()
    assert (found.cells.upper - found.cells.lower)[some].min() > 0.1


def test_a_cell_of_one_user_is_one_pair():
    sessions = checked(np.repeat([0, 1], 10), user=np.repeat([0, 1], 10))
    found = match_precision(sessions, np.array([0, 1, 2, 3, 10]), np.ones(5), **HOW)
    assert found.cells.effective_pairs.tolist() == [1.0, 1.0]
    assert found.cells.lower[0] == pytest.approx(wilson(1, 1, level=0.95).lower)
    alone = checked(np.zeros(10, dtype=np.int64), user=np.zeros(10, dtype=np.int64))
    whole = match_precision(alone, np.arange(4), np.array([1, 1, 0, 1]), **HOW)
    assert whole.overall.estimate[0] == 0.75 and np.isnan([whole.overall.lower[0], whole.standard_error]).all()


def test_pairs_on_which_analysts_differ_count_by_the_share_that_accepts():
    sessions = checked(np.zeros(50, dtype=np.int64))
    found = match_precision(sessions, np.array([0, 0, 1, 2, 3]), np.array([1, 0.5, 1 / 3, 0, CANT_SAY]), **HOW)
    assert found.cells.estimate[0] == found.overall.estimate[0] == pytest.approx((1 + 0.5 + 1 / 3) / 4)
    assert found.overall.lower_bound[0] == pytest.approx((1 + 0.5 + 1 / 3) / 5)
    assert found.overall.upper_bound[0] == pytest.approx((1 + 0.5 + 1 / 3 + 1) / 5)
    counts = (found.overall.n_decided, found.overall.n_cant_say, found.overall.n_disagreed, found.overall.n_sessions)
    assert [int(one[0]) for one in counts] == [4, 1, 2, 4]
    assert found.cells.n_disagreed.tolist() == [2, 0]
    # 40 pairs that two analysts judged independently of each other tell as much as 80 of one
    twice = match_precision(sessions, np.arange(40), np.tile([1, 0.5, 0.5, 0], 10), **HOW)
    assert 1.9 < twice.overall.effective_pairs[0] / by_hand(40, 50) < 2.1
    halves = match_precision(sessions, np.arange(40), np.full(40, 0.5), **HOW)
    assert halves.overall.estimate[0] == 0.5 and halves.overall.effective_pairs[0] == 40


def test_all_alike_still_has_a_width():
    sessions = checked(np.zeros(500, dtype=np.int64), cell=np.zeros(500, dtype=np.int64))
    found = match_precision(sessions, np.repeat(np.arange(10), 3), np.ones(30, dtype=np.int64), n_cells=1, level=0.95)
    for figures in (found.cells, found.overall):
        assert figures.estimate[0] == figures.upper[0] == 1.0
        assert figures.effective_pairs[0] == pytest.approx(10)
        assert figures.lower[0] == pytest.approx(10 / (10 + stdtrit(9, 0.975) ** 2))  # 0.66


def test_cells_without_verdicts_say_so():
    sessions = checked(np.repeat([0, 1], 10))
    found = match_precision(sessions, np.array([0, 1, 2]), np.array([CANT_SAY] * 3), **HOW)
    assert np.isnan(found.cells.estimate).all() and np.isnan(found.overall.estimate).all()
    assert found.cells.n_sessions.tolist() == [3, 0] and found.cells.n_cant_say.tolist() == [3, 0]
    assert (found.cells.lower_bound[0], found.cells.upper_bound[0]) == (0.0, 1.0)
    assert np.isnan([found.cells.lower_bound[1], found.cells.lower[0], found.standard_error]).all()
    nothing = match_precision(sessions, np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64), **HOW)
    assert np.isnan(nothing.overall.estimate).all() and nothing.overall.n_decided.tolist() == [0]
    outside = checked(np.repeat([0, 1], 10), cell=np.full(20, -1))
    found = match_precision(outside, np.array([0, 1]), np.array([1, 0]), **HOW)
    assert found.cells.n_decided.tolist() == [0, 0] and found.overall.estimate[0] == 0.5
    with pytest.raises(ValueError, match="unknown verdict"):
        match_precision(sessions, np.array([0]), np.array([7]), **HOW)
    with pytest.raises(ValueError, match="unknown verdict"):
        match_precision(sessions, np.array([0]), np.array([np.nan]), **HOW)


def test_order_of_rows_and_pairs_does_not_matter():
    rng = np.random.default_rng(1)
    sessions = checked(np.sort(rng.integers(0, 2, 100)), user=rng.integers(0, 20, 100))
    pair, verdict = np.repeat(np.arange(0, 100, 2), 3), rng.integers(-1, 2, 150)
    one = match_precision(sessions, pair, verdict, **HOW)
    order, mixed = rng.permutation(100), rng.permutation(150)
    place = np.argsort(order)
    moved = CheckedSessions(
        *(column[order] for column in (sessions.month, sessions.user, sessions.stratum, sessions.cell))
    )
    two = match_precision(moved, place[pair][mixed], verdict[mixed], **HOW)
    for name in ("estimate", "lower", "upper", "effective_pairs"):
        np.testing.assert_allclose(getattr(one.cells, name), getattr(two.cells, name))
        np.testing.assert_allclose(getattr(one.overall, name), getattr(two.overall, name))


@pytest.mark.slow
def test_intervals_hold_precision_in_many_audits():
    """Users and sessions that are well or badly matched as a whole, unequal inclusion: 600 audits."""
    held, by_cell = [], []
    for seed in range(600):
        rng = np.random.default_rng(seed)
        n, user = 2000, rng.integers(0, 150, 2000)
        stratum = np.where(rng.random(n) < 0.2, 1, 0)
        level = 0.6 - 0.3 * stratum + 0.1 * rng.normal(size=150)[user]
        chance = np.clip(level + np.where(rng.random(n) < 0.5, 0.2, -0.2), 0, 1)
        rows = np.concatenate([rng.choice(np.flatnonzero(stratum == h), 50, replace=False) for h in range(2)])
        pair = np.repeat(rows, 4)
        verdict = (rng.random(400) < chance[pair]).astype(np.int64)
        found = match_precision(checked(stratum, user=user), pair, verdict, **HOW)
        held.append(found.overall.lower[0] <= 0.8 * 0.6 + 0.2 * 0.3 <= found.overall.upper[0])
        by_cell.append((found.cells.lower <= [0.6, 0.3]) & (found.cells.upper >= [0.6, 0.3]))
    error = np.sqrt(0.95 * 0.05 / 600)
    assert abs(np.mean(held) - 0.95) < 3 * error
    assert (np.abs(np.mean(by_cell, axis=0) - 0.95) < 3 * error).all()


def users_world(seed):
    """30 users, 20 sessions a month each, three months; users differ by 1.2 in logits, kinds lie across strata."""
    rng = np.random.default_rng(seed)
    month, user = np.repeat(np.arange(3), 600), np.tile(np.arange(30).repeat(20), 3)
    stratum, kind = 3 * month + rng.integers(0, 3, 1800), rng.integers(0, 2, 1800)
    chance = expit(1.4 + 1.2 * rng.normal(size=30))[user]
    rows = np.concatenate([rng.choice(np.flatnonzero(stratum == h), 33, replace=False) for h in range(9)])
    pair = np.repeat(rows, 2)
    verdict = (rng.random(pair.size) < chance[pair]).astype(np.int64)
    return [
        match_precision(CheckedSessions(month, user, stratum, cell), pair, verdict, n_cells=n, level=0.95)
        for cell, n in ((month, 3), (kind, 2))
    ]


@pytest.mark.slow
def test_intervals_of_cells_hold_where_users_differ():
    """500 audits; by sessions alone those of months would cover 0.83."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(80)
    truth = float(weights @ expit(1.4 + 1.2 * nodes) / weights.sum())
    by_month, by_kind, narrower = [], [], []
    for seed in range(500):
        months, kinds = users_world(seed)
        for found, held in ((months, by_month), (kinds, by_kind)):
            held.append((found.cells.lower <= truth) & (truth <= found.cells.upper))
        whole = months.overall.upper - months.overall.lower
        narrower.append((months.cells.upper - months.cells.lower < whole).mean())
    assert 0.92 < np.mean(by_month) < 0.98
    assert 0.92 < np.mean(by_kind) < 0.98
    assert np.mean(narrower) < 0.2

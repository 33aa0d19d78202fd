"""Precision of matching: shares, bounds, clustered gigs, design weights, and coverage of its intervals."""

import numpy as np
import pytest

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


def test_one_gig_a_session_gives_wilson_s_interval():
    sessions = checked(np.zeros(1000, dtype=np.int64), cell=np.zeros(1000, dtype=np.int64))
    verdict = np.array([COMPARABLE] * 30 + [NOT_COMPARABLE] * 10)
    found = match_precision(sessions, np.arange(40), verdict, n_cells=1, level=0.95)
    expected = wilson(30, 40, level=0.95)
    assert (found.cells.lower[0], found.cells.upper[0]) == pytest.approx((expected.lower, expected.upper))


def test_gigs_that_agree_within_sessions_count_as_one():
    sessions = checked(np.zeros(500, dtype=np.int64), cell=np.zeros(500, dtype=np.int64))
    whole = np.repeat(np.arange(40) < 30, 5).astype(np.int64)
    found = match_precision(sessions, np.repeat(np.arange(40), 5), whole, n_cells=1, level=0.95)
    assert found.correlation == 1.0 and found.cells.effective_pairs[0] == pytest.approx(40)
    expected = wilson(30, 40, level=0.95)
    assert (found.cells.lower[0], found.cells.upper[0]) == pytest.approx((expected.lower, expected.upper))
    mixed = np.tile([1, 1, 1, 1, 0], 40)
    apart = match_precision(sessions, np.repeat(np.arange(40), 5), mixed, n_cells=1, level=0.95)
    assert apart.correlation == 0.0 and apart.cells.effective_pairs[0] == pytest.approx(200)


def test_all_alike_still_has_a_width():
    sessions = checked(np.zeros(500, dtype=np.int64), cell=np.zeros(500, dtype=np.int64))
    found = match_precision(sessions, np.repeat(np.arange(10), 3), np.ones(30, dtype=np.int64), n_cells=1, level=0.95)
    assert found.cells.estimate[0] == found.overall.estimate[0] == 1.0
    assert found.cells.effective_pairs[0] == found.overall.effective_pairs[0] == pytest.approx(10)
    assert found.cells.lower[0] == pytest.approx(wilson(10, 10, level=0.95).lower)
    assert found.overall.lower[0] < found.cells.lower[0] < 0.8 and found.overall.upper[0] == 1.0  # Student's quantile


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

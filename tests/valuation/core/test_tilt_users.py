"""The users' part of the doubly robust series: against tilting again with other weights of users."""

import numpy as np

from valuation.core import draws
from valuation.core.arrays import PricedSessions
from valuation.core.balance import balance
from valuation.core.bootstrap import Replicates
from valuation.core.shift_check import month_means, shift_check
from valuation.core.tilt_users import tilted_by_users

RNG = np.random.default_rng(0)
POSTINGS = RNG.normal(size=(900, 3))
RESIDUAL = 0.3 * POSTINGS[:, 0] + 0.4 * POSTINGS[:, 1] ** 2 + RNG.normal(size=900)
USER = np.arange(120) % 30
MONTH = np.where(np.arange(120) < 7, -1, np.arange(120) % 2)
SESSIONS = 0.3 * RNG.normal(size=(120, 3)) + 0.2
WEIGHT = RNG.uniform(0.5, 2.0, size=120)
KEYS = draws.unit_key([f"user:{u}" for u in range(30)])
UNIT_KEYS = draws.unit_key([f"posting:{j}" for j in range(900)])


def made(least=50.0, target=None):
    series = Replicates(np.zeros(2), *(RNG.normal(size=(3, 99, 2))))
    target = month_means(SESSIONS, WEIGHT, MONTH, n_months=2) if target is None else target
    check = shift_check(
        POSTINGS, target, RESIDUAL, np.arange(900), series, together=np.ones(2, dtype=bool), min_effective=least,
        unit_key=UNIT_KEYS, seed=3,
    )  # fmt: skip
    priced = PricedSessions(
        np.zeros(120), WEIGHT, USER, KEYS, np.zeros((120, 1), dtype=np.int64), np.ones((120, 1)), np.zeros((120, 1))
    )
    return check, tilted_by_users(check, POSTINGS, target, RESIDUAL, priced, SESSIONS, MONTH, seed=3)


def tilted_error(weight, month, components):
    inside = MONTH == month
    mean = np.average(SESSIONS[inside], axis=0, weights=weight[inside])[:components]
    return balance(POSTINGS[:, :components], mean).weight @ RESIDUAL


def test_a_user_moves_the_tilt_as_much_as_tilting_again_says():
    before, after = made()
    added = after.corrected.users - before.corrected.users
    drawn = draws.exponentials(KEYS, seed=3, stream=draws.USERS, first=0, count=99) - 1
    step = 1e-5
    derivative = np.array([
        [(tilted_error(WEIGHT * (1 + step * (USER == u)), m, 3) - tilted_error(WEIGHT, m, 3)) / step for m in (0, 1)]
        for u in range(30)
    ])  # fmt: skip
    assert np.abs(derivative).max() > 1e-3
    np.testing.assert_allclose(added, drawn @ derivative, atol=1e-4)
    np.testing.assert_allclose(derivative.sum(axis=0), 0.0, atol=1e-6)  # all users together move nothing


def test_nothing_else_changes():
    before, after = made()
    for part in ("point", "users", "postings", "both"):
        np.testing.assert_array_equal(getattr(before.difference, part), getattr(after.difference, part))
    np.testing.assert_array_equal(before.corrected.point, after.corrected.point)
    np.testing.assert_array_equal(before.corrected.postings, after.corrected.postings)
    np.testing.assert_allclose(after.corrected.both, after.corrected.users + after.corrected.postings)
    np.testing.assert_array_equal(before.components, after.components)


def test_only_balanced_components_count_and_a_month_out_of_reach_adds_nothing():
    check, after = made(least=880.0)
    assert check.components.tolist() == [1, 1]
    added = after.corrected.users - check.corrected.users
    drawn = draws.exponentials(KEYS, seed=3, stream=draws.USERS, first=0, count=99) - 1
    step = 1e-5
    derivative = np.array([
        (tilted_error(WEIGHT * (1 + step * (USER == u)), 0, 1) - tilted_error(WEIGHT, 0, 1)) / step for u in range(30)
    ])  # fmt: skip
    np.testing.assert_allclose(added[:, 0], drawn @ derivative, atol=1e-4)
    check, after = made(target=np.array([[5.0, 5.0, 5.0], [0.2, 0.2, 0.2]]))
    assert check.components.tolist()[0] == 0
    np.testing.assert_array_equal(after.corrected.users[:, 0], check.corrected.users[:, 0])

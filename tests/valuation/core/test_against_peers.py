"""Our uncertainty against other people's code, on the cases that they can do.

- Bootstrap of users: `arch` 8.0 (Sheppard; IIDBootstrap over users' sums) and `scipy.stats.bootstrap` (1.17). Both
  resample with replacement, we draw exponential weights: equal to first order, so standard errors must agree within
  Monte-Carlo error and a term of the order of one over the number of users.
- Clustering: `pyfixest` 0.60 (CRV1 of Liang and Zeger 1986). ``Σψ²`` times its small-sample factor is its variance.
- Conformal bands: `crepes` 0.9 (Boström 2022), normalised Mondrian conformal predictive systems. The same scores give
  the same ends.
- Percentiles, medians, trimmed means: numpy 2.4, scipy 1.17.
- Few users: no package; a simulation says why Student's t with effective users is enough (see `widening`).
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.sparse import csr_array

from valuation.core import draws
from valuation.core.arrays import BasketModel, PricedSessions
from valuation.core.bands import Scores, single_posting_band
from valuation.core.bootstrap import Replicates, joint_replicates
from valuation.core.growth import between, growth
from valuation.core.influence import Influence, series_influence
from valuation.core.intervals import effective_number, pointwise, widening
from valuation.core.nonlinear import nonlinear_replicates
from valuation.core.statistics import sorted_median, sorted_trimmed_mean

SEED, REPLICATES = 5, 2000
MONTE_CARLO = 4 / np.sqrt(REPLICATES)
"""Four standard errors of the ratio of two bootstrap standard errors, each good to ``1/√(2·REPLICATES)``."""
BASKET = BasketModel(
    np.zeros((4, 1)), np.zeros(1), np.eye(1), np.full(4, 5.0), np.zeros(4), np.arange(4), draws.unit_key("abcd")
)
"""Postings without errors: what is left is the sampling of users."""


@dataclass(frozen=True)
class Work:
    """Sessions with values, weights, users and months: two months apart by 0.2."""

    value: np.ndarray
    weight: np.ndarray
    user: np.ndarray
    month: np.ndarray

    @property
    def sessions(self) -> PricedSessions:
        n, users = self.value.size, int(self.user.max()) + 1
        return PricedSessions(
            self.value, self.weight, self.user, draws.unit_key([f"user:{i}" for i in range(users)]),
            np.zeros((n, 1), dtype=np.int64), np.ones((n, 1)), np.zeros((n, 1)),
        )  # fmt: skip


def work(*, users=250, sessions=1500, months=2, seed=0):
    rng = np.random.default_rng(seed)
    user = np.sort(np.concatenate([np.arange(users), rng.integers(0, users, sessions - users)]))
    month = rng.integers(0, months, sessions)
    value = 5 + 0.7 * rng.normal(size=users)[user] + 0.2 * month + rng.normal(size=sessions)
    return Work(value, rng.uniform(0.5, 2.0, sessions), user, month)


def users_only(made: Work) -> tuple[Influence, Replicates]:
    influence = series_influence(
        made.sessions, BASKET, np.zeros(4), made.month[None], n_cells=int(made.month.max()) + 1, use_hedonic=False
    )
    series, _ = joint_replicates(
        influence, unit_key=BASKET.unit_key, user_key=made.sessions.user_key, seed=SEED, replicates=REPLICATES
    )
    return influence, series


def test_users_bootstrap_of_growth_is_that_of_arch():
    from arch.bootstrap import IIDBootstrap

    made = work()
    influence, series = users_only(made)
    by_user = (int(made.user.max()) + 1, 2)
    mass = csr_array((made.weight, (made.user, made.month)), shape=by_user).toarray()
    total = csr_array((made.weight * made.value, (made.user, made.month)), shape=by_user).toarray()

    def change(weight, value):
        mean = value.sum(axis=0) / weight.sum(axis=0)
        return np.array([mean[1] - mean[0]])

    boot = IIDBootstrap(mass, total, seed=np.random.default_rng(1))
    theirs = boot.apply(change, reps=REPLICATES).std(ddof=1)
    lower, upper = boot.conf_int(change, reps=REPLICATES, method="percentile", size=0.95).ravel()
    ends = between(2, np.array([0]), np.array([1]))
    found = growth(
        series, influence, contrast=ends, months_apart=1.0, trend=ends, variation="users", level=0.95
    ).log_growth
    ours = (series.users @ ends).std(ddof=1)
    assert series.point @ ends == pytest.approx(change(mass, total)[0], abs=1e-12)
    assert ours == pytest.approx(theirs, rel=MONTE_CARLO + 1 / by_user[0])
    assert np.sqrt(((influence.user @ ends) ** 2).sum()) == pytest.approx(theirs, rel=MONTE_CARLO + 1 / by_user[0])
    # quantiles of 2,000 replicates are good to about 0.06 standard errors, 4 of them for either end and either side
    assert (found.lower, found.upper) == pytest.approx((lower, upper), abs=0.25 * theirs)


@pytest.mark.parametrize("statistic", ["mean", "median", "trimmed_mean"])
def test_bootstrap_of_one_session_a_user_is_scipys(statistic):
    rng = np.random.default_rng(2)
    value, month = rng.normal(5, 1, 800), np.repeat([0, 1], 400)
    made = Work(value, np.ones(800), np.arange(800), month)
    by_hand = {
        "mean": lambda part: part.mean(axis=-1),
        "median": lambda part: np.log(np.median(part, axis=-1)),
        "trimmed_mean": lambda part: np.log(stats.trim_mean(part, 0.05, axis=-1)),
    }[statistic]
    late, early = (value[month == m] if statistic == "mean" else np.exp(value[month == m]) for m in (1, 0))
    theirs = stats.bootstrap(
        (late, early), lambda late, early, axis: by_hand(late) - by_hand(early),
        n_resamples=REPLICATES, method="basic", vectorized=True, rng=np.random.default_rng(3), batch=200,
    )  # fmt: skip
    if statistic == "mean":
        series = users_only(made)[1]
    else:
        series = getattr(
            nonlinear_replicates(
                made.sessions, BASKET, np.zeros(4), month[None], n_cells=2, use_hedonic=False, calibration=None,
                trim=0.05, seed=SEED, replicates=REPLICATES,
            ),
            statistic,
        )  # fmt: skip
    change, moved = series.point[1] - series.point[0], series.users[:, 1] - series.users[:, 0]
    assert change == pytest.approx(by_hand(late) - by_hand(early), abs=1e-12)
    assert moved.std(ddof=1) == pytest.approx(theirs.standard_error, rel=MONTE_CARLO + 5 / 400)
    found = pointwise(np.array([change]), moved[:, None], level=0.95, factor=np.ones(1))
    low, high = theirs.confidence_interval
    # a median's replicates are skewed: our symmetric interval has the width of theirs, not each end
    assert found.upper[0] - found.lower[0] == pytest.approx(high - low, abs=0.35 * theirs.standard_error)
    if statistic != "median":
        assert (found.lower[0], found.upper[0]) == pytest.approx((low, high), abs=0.25 * theirs.standard_error)
    np.testing.assert_array_equal(series.postings, 0.0)


@pytest.mark.parametrize("small_sample", [False, True])
def test_users_variance_is_pyfixests_crv1(small_sample):
    """Months saturated: coefficients are means, and CRV1 is Σψ² times G/(G − 1), of levels and of growth."""
    import pyfixest

    made = work(users=40, sessions=400, months=3)
    influence, _ = users_only(made)
    frame = pd.DataFrame({"v": made.value, "w": made.weight, "u": made.user, "m": made.month.astype(str)})
    rule = pyfixest.ssc(k_adj=small_sample, G_adj=True)
    fitted = pyfixest.feols("v ~ C(m)", data=frame, weights="w", vcov={"CRV1": "u"}, ssc=rule)
    users, n = 40, made.value.size
    factor = users / (users - 1) * ((n - 1) / (n - 3) if small_sample else 1.0)
    first, last = np.eye(1, 3)[0], between(3, np.array([0]), np.array([2]))
    for name, contrast in (("Intercept", first), ("C(m)[T.2]", last)):
        ours = np.sqrt(factor * ((influence.user @ contrast) ** 2).sum())
        assert influence.mean @ contrast == pytest.approx(fitted.coef()[name], abs=1e-8)
        assert ours == pytest.approx(fitted.se()[name], abs=1e-8), name


def scored(n, rng):
    """Scores in four categories of value, one similarity."""
    value, sigma = rng.normal(5, 1, n), rng.uniform(0.5, 2.0, n)
    cut = np.quantile(value, [0.2, 0.4, 0.6, 0.8])
    merged = np.repeat(np.array([0, 1, 2, 3, 3])[:, None], 3, axis=1)
    category = merged[np.searchsorted(cut, value, side="right"), 0]
    error = sigma * (1 + category) * rng.standard_t(5, n)
    return value, sigma, error, Scores(
        error / sigma, rng.integers(0, 5, n), category, cut, np.zeros((5, 2)), merged
    )  # fmt: skip


def test_ends_of_the_band_are_those_of_crepes():
    from crepes import ConformalPredictiveSystem

    rng = np.random.default_rng(4)
    _, sigma, error, scores = scored(2017, rng)
    system = ConformalPredictiveSystem().fit(error, sigmas=sigma, bins=scores.category)
    value, spread, nearest = rng.normal(5, 1.5, 300), rng.uniform(0.5, 2.0, 300), rng.uniform(0, 1, 300)
    category = scores.merged[np.searchsorted(scores.value_cut, value, side="right"), 0]
    for level in (0.5, 0.8, 0.9):
        tails = {"lower_percentiles": 50 * (1 - level), "higher_percentiles": 50 * (1 + level)}
        theirs = system.predict_percentiles(value, sigmas=spread, bins=category, **tails)
        band = single_posting_band(scores, value, np.tile(value, (5, 1)), spread, nearest, level=level)
        np.testing.assert_allclose(np.column_stack([band.lower, band.upper]), theirs, atol=1e-12)


def test_coverage_is_neither_too_low_nor_too_high_and_that_of_crepes():
    from crepes import ConformalPredictiveSystem

    rng = np.random.default_rng(6)
    inside, theirs, narrow = [], [], []
    for _ in range(40):
        value, sigma, error, scores = scored(1000, rng)
        new, spread, wrong, _ = scored(500, rng)
        band = single_posting_band(scores, new, np.tile(new, (5, 1)), spread, np.zeros(500), level=0.90)
        inside.append(np.mean((band.lower <= new + wrong) & (new + wrong <= band.upper)))
        narrow.append(np.mean(np.abs(wrong) <= 0.4 * (band.upper - band.lower)))
        system = ConformalPredictiveSystem().fit(error, sigmas=sigma, bins=scores.category)
        category = scores.merged[np.searchsorted(scores.value_cut, new, side="right"), 0]
        ends = system.predict_int(new, sigmas=spread, bins=category, confidence=0.90)
        theirs.append(np.mean((ends[:, 0] <= new + wrong) & (new + wrong <= ends[:, 1])))
    error = 4 * np.sqrt(0.09 * (1 / 500 + 1 / 1000) / 40)
    assert inside == theirs
    # crepes and we take whole order statistics outward: up to 2/(n_c + 1) over, with about 200 scores a category
    assert 0.90 - error <= np.mean(inside) <= 0.90 + error + 2 / 200
    assert np.mean(narrow) < 0.90 - error  # the test can fail


def test_the_quantile_of_replicates_is_weibulls():
    """``scipy.stats.mstats.mquantiles(alphap=0, betap=0)``: the q(B + 1)-th of B ordered values."""
    moved = np.random.default_rng(7).normal(size=(999, 3)) * [1.0, 2.0, 3.0]
    found = pointwise(np.zeros(3), moved, level=0.9, factor=np.ones(3))
    error = moved.std(axis=0, ddof=1)
    theirs = stats.mstats.mquantiles(np.abs(moved) / error, 0.9, alphap=0, betap=0, axis=0)
    np.testing.assert_allclose(found.upper / error, np.asarray(theirs)[0], rtol=1e-12)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.floats(0.1, 1e4), min_size=1, max_size=60), st.randoms())
def test_medians_and_trimmed_means_are_those_of_numpy_and_scipy(drawn, shuffle):
    value = np.sort(np.array(drawn))
    one, twentieth = np.ones(value.size), value.repeat(20)
    assert sorted_median(value, one) == pytest.approx(np.quantile(value, 0.5, method="hazen"))
    theirs = stats.trim_mean(twentieth, 0.05)  # 20 copies: scipy's whole values are then exactly 5 % of the weight
    assert sorted_trimmed_mean(value, one, 0.05) == pytest.approx(theirs)
    weight = np.array([shuffle.uniform(0.1, 3.0) for _ in value])
    found = sorted_median(value, weight)
    place = int(np.searchsorted(value, np.quantile(value, 0.5, method="inverted_cdf", weights=weight)))
    assert (
        value[max(place - 1, 0)] - 1e-9 <= found <= value[min(place + 1, value.size - 1)] + 1e-9
        or np.unique(value).size < value.size
    )


def covered(users, *, heavy, share, drift, worlds, seed):
    """Share of worlds without growth whose users-only interval holds 0; and the same without any widening."""
    rng, level, count = np.random.default_rng(seed), 0.95, 299
    key, hits = draws.unit_key([f"user:{i}" for i in range(users)]), []
    for world in range(worlds):
        rate = np.exp(heavy * rng.normal(size=users))
        rate[0] = share / (1 - share) * rate[1:].sum() if share else rate[0]
        n = max(60, 8 * users)
        user, month = rng.choice(users, n, p=rate / rate.sum()), rng.permutation(np.arange(n) % 2)
        value = (0.3 * rng.normal(size=users)[user] + (drift * rng.normal(size=(users, 2)))[user, month]
                 + rng.normal(size=n))  # fmt: skip
        share_of = np.stack([np.bincount(user[month == m], minlength=users) / (n / 2) for m in (0, 1)])
        mean = np.array([value[month == m].mean() for m in (0, 1)])
        off = (value - mean[month]) / (n / 2) * (2 * month - 1)
        influence = csr_array(np.bincount(user, off, users)[:, None])
        moved = draws.replicate_sums(key, influence, seed=world, stream=draws.USERS, replicates=count)
        factor = widening(np.array([min(map(effective_number, share_of))]), level=level)
        found = [pointwise(mean[1:] - mean[:1], moved, level=level, factor=f) for f in (factor, np.ones(1))]
        if np.isfinite(factor[0]):  # under 2 effective users there is no interval
            hits.append([part.lower[0] <= 0 <= part.upper[0] for part in found])
    return np.mean(hits, axis=0)


@pytest.mark.slow
@pytest.mark.parametrize("users", [5, 10, 20, 40])
def test_few_users_are_covered(users):
    """Equal, log-normal and half-of-all-by-one workers: Student's t with effective users covers, 1.96 does not.

    Under one heavy worker the interval is honest but wide, up to covering always; see `widening` for finer figures.
    """
    worlds = 400
    error = 3 * np.sqrt(0.05 * 0.95 / worlds)
    for heavy, share in ((0.0, 0.0), (1.0, 0.0), (0.0, 0.5)):
        wide, plain = covered(users, heavy=heavy, share=share, drift=0.6, worlds=worlds, seed=users)
        assert wide >= 0.95 - error, (heavy, share, wide)
        assert wide <= 0.95 + error or heavy or share, (heavy, share, wide)
        if users <= 5 or share:
            assert plain < 0.95 - error, (heavy, share, plain)  # the widening is needed

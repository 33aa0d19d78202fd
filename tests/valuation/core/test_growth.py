"""Growth: contrasts, rates, trend, and what stands behind them."""

import numpy as np
import pytest
from scipy.sparse import csr_array

from valuation.core.bootstrap import VARIATIONS, Replicates
from valuation.core.growth import between, contrast_interval, effective, growth, slope, support
from valuation.core.influence import Influence

MEAN = np.array([4.0, 4.1, 4.5, np.nan])  # the fourth cell is empty
POSTING_SHARE = np.array([[0.5, 0.5, 0.1, 0.0], [0.5, 0.3, 0.3, 0.0], [0.0, 0.2, 0.6, 0.0]])
USER_SHARE = np.array([[0.5, 0.2, 0.1, 0], [0.5, 0.2, 0.1, 0]] + [[0.0, 0.06, 0.08, 0]] * 10)


def influence(posting_share=POSTING_SHARE, user_share=USER_SHARE):
    nothing, count = np.zeros(4), np.zeros(4, np.int64)
    return Influence(
        MEAN, count, count, np.zeros((4, 0)), np.zeros((4, 0)), posting_share, csr_array(user_share), posting_share,
        csr_array(user_share), nothing, csr_array(user_share),
    )  # fmt: skip


def replicates():
    rng = np.random.default_rng(0)
    users, postings = 0.10 * rng.normal(size=(4999, 4)), 0.05 * rng.normal(size=(4999, 4))
    return Replicates(MEAN, users, postings, users + postings)


def estimate(variation="both", **shares):
    return growth(
        replicates(), influence(**shares), contrast=between(4, np.array([0]), np.array([2])), months_apart=2,
        trend=slope(4, np.array([0, 1, 2]), np.array([10, 11, 12])), variation=variation, level=0.95,
    )  # fmt: skip


MANY = {"posting_share": np.abs(np.random.default_rng(1).normal(size=(500, 4))), "user_share": np.full((500, 4), 0.002)}


def test_growth_is_the_ratio_of_the_typical_values():
    found = estimate(**MANY)
    assert found.log_growth.estimate == pytest.approx(0.5)
    assert found.growth.estimate == pytest.approx(np.exp(4.5) / np.exp(4.0) - 1)
    assert (1 + found.monthly.estimate) ** 2 == pytest.approx(1 + found.growth.estimate)
    assert (1 + found.monthly.lower) ** 2 == pytest.approx(1 + found.growth.lower)
    assert (1 + found.monthly.upper) ** 2 == pytest.approx(1 + found.growth.upper)
    assert found.factor == 1.0


def test_trend_is_the_least_squares_line_over_calendar_months():
    assert estimate(**MANY).trend.estimate == pytest.approx(np.polyfit([10, 11, 12], MEAN[:3], 1)[0])
    gap = slope(4, np.array([0, 1, 2]), np.array([10, 11, 15]))
    assert gap[:3] @ MEAN[:3] == pytest.approx(np.polyfit([10, 11, 15], MEAN[:3], 1)[0])
    assert np.isnan(slope(4, np.array([2]), np.array([10]))).all()


@pytest.mark.parametrize(("variation", "sd"), [("users", 0.10), ("postings", 0.05), ("both", np.hypot(0.1, 0.05))])
def test_intervals_come_from_the_variation_asked_for(variation, sd):
    found = estimate(variation, **MANY)
    assert found.standard_error == pytest.approx(np.sqrt(2) * sd, rel=0.03)
    assert np.log1p(found.growth.upper) - 0.5 == pytest.approx(1.96 * np.sqrt(2) * sd, rel=0.05)
    assert 0.5 - np.log1p(found.growth.lower) == pytest.approx(1.96 * np.sqrt(2) * sd, rel=0.05)
    assert np.log1p(found.minimum_detectable) == pytest.approx(2.8 * found.standard_error)
    assert found.trend.upper - found.trend.estimate == pytest.approx(1.96 * sd / np.sqrt(2), rel=0.05)


def test_two_months_against_two():
    contrast = between(4, np.array([0, 1]), np.array([1, 2]))
    np.testing.assert_allclose(contrast, [-0.5, 0.0, 0.5, 0.0])
    found = contrast_interval(replicates(), contrast, variation="users", level=0.95, factor=1.0)
    assert found.estimate[0] == pytest.approx(0.25)


def test_a_contrast_with_an_empty_cell_is_missing_and_others_are_not():
    assert np.isnan(
        contrast_interval(
            replicates(), between(4, np.array([0]), np.array([3])), variation="both", level=0.95, factor=1.0
        ).estimate[0]
    )
    assert np.isfinite(estimate(**MANY).growth.lower)


def test_support_counts_users_of_the_thinner_month_and_postings_of_the_contrast():
    found = support(influence(), between(4, np.array([0]), np.array([2])))
    assert found.effective_users == pytest.approx(2.0)  # two users made all of month 0
    difference = np.abs(POSTING_SHARE[:, 2] - POSTING_SHARE[:, 0])
    assert found.effective_postings == pytest.approx(difference.sum() ** 2 / (difference**2).sum())
    assert found.hub_weight == pytest.approx(0.6 / 1.2)  # the largest of three is 1 % of them, rounded up
    one = support(influence(), np.array([0.0, 0.0, 1.0, 0.0]))
    assert one.effective_users == pytest.approx(1 / (2 * 0.01 + 10 * 0.0064))
    assert one.effective_postings == pytest.approx(1 / (0.01 + 0.09 + 0.36))


def test_hubs_are_one_per_cent_of_the_basket():
    share = np.ones((500, 4))
    share[:5, 2] = 100.0
    found = support(influence(share), np.array([0.0, 0.0, 1.0, 0.0]))
    assert found.hub_weight == pytest.approx(500 / 995)


def test_a_contrast_of_equal_months_rests_on_no_posting_in_particular():
    found = support(influence(np.full((7, 4), 1 / 7)), between(4, np.array([0]), np.array([2])))
    assert (found.effective_postings, found.hub_weight) == (7.0, 0.0)
    nobody = support(influence(), between(4, np.array([1]), np.array([1])))
    assert nobody.effective_users == 0.0


def test_few_users_or_postings_widen_what_they_limit():
    stands = support(influence(), between(4, np.array([0]), np.array([2])))
    assert [effective(stands, variation) for variation in VARIATIONS] == [
        stands.effective_users, stands.effective_postings, min(stands.effective_users, stands.effective_postings),
    ]  # fmt: skip
    few_users = estimate("both", posting_share=MANY["posting_share"])
    assert few_users.factor == pytest.approx(12.7062 / 1.95996, rel=1e-4)  # t(0.975; 1)
    many = estimate("both", **MANY)
    width = (np.log1p(few_users.growth.upper) - 0.5) / (np.log1p(many.growth.upper) - 0.5)
    assert width == pytest.approx(few_users.factor)
    assert estimate("postings", posting_share=MANY["posting_share"]).factor == 1.0


def test_one_user_in_an_end_month_leaves_no_interval():
    alone = USER_SHARE.copy()
    alone[:, 0] = np.eye(12)[0]
    found = estimate("both", posting_share=MANY["posting_share"], user_share=alone)
    assert found.growth.estimate == pytest.approx(np.expm1(0.5))
    assert np.isnan([found.growth.lower, found.growth.upper, found.minimum_detectable]).all()

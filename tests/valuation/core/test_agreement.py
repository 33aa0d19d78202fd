"""Agreement: published examples, perfect and chance agreement, weights that stand for copies."""

import krippendorff
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from valuation.core.agreement import gwet_ac1, krippendorff_alpha, krippendorff_interval

NONE = np.nan
RATINGS = np.array(
    [  # 4 analysts, 12 units, 5 categories: Krippendorff's example, used in Gwet's Handbook of inter-rater reliability
        [1, 2, 3, 3, 2, 1, 4, 1, 2, NONE, NONE, NONE],
        [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, NONE, 3],
        [NONE, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, NONE],
        [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, NONE],
    ]
)


def counted(ratings, categories):
    return (np.asarray(ratings, dtype=float).T[:, :, None] == np.asarray(categories)).sum(axis=1)


COUNTS = counted(RATINGS, range(1, 6))
ONE = np.ones(12)
tables = st.lists(st.lists(st.integers(0, 3), min_size=3, max_size=3), min_size=4, max_size=12).map(np.array)


def test_ac1_of_the_published_example():
    found = gwet_ac1(COUNTS)
    assert found.coefficient == pytest.approx(0.77544, abs=5e-6)
    assert found.standard_error == pytest.approx(0.14295, abs=5e-6)
    assert found.observed == pytest.approx(0.81818, abs=5e-6)
    assert found.chance == pytest.approx(0.19032, abs=5e-6)
    assert found.n_units == 11  # the twelfth was judged once, and still says how often 3 is chosen


def test_ac1_stays_high_where_nearly_all_is_one_category():
    """Gwet's two raters of 125: 118 both positive, 5 and 2 split, 0 both negative; chance 2·p·(1 − p)."""
    counts = np.array([[2, 0]] * 118 + [[1, 1]] * 7)
    p = (2 * 118 + 7) / 250
    chance = 2 * p * (1 - p)
    assert gwet_ac1(counts).coefficient == pytest.approx((118 / 125 - chance) / (1 - chance))
    assert gwet_ac1(counts).coefficient > 0.93
    assert krippendorff_alpha(counts, scale="nominal", weight=np.ones(125)) < 0


def test_alpha_of_the_published_example():
    assert krippendorff_alpha(COUNTS, scale="nominal", weight=ONE) == pytest.approx(0.743, abs=5e-4)
    assert krippendorff_alpha(COUNTS, scale="ordinal", weight=ONE) == pytest.approx(0.815, abs=5e-4)
    unit, rater = np.nonzero(np.isfinite(RATINGS.T))
    assert krippendorff_interval(unit, RATINGS.T[unit, rater], weight=ONE) == pytest.approx(0.849, abs=5e-4)


@given(tables)
def test_alphas_are_those_of_the_package(counts):
    pairable = counts[counts.sum(axis=1) >= 2]
    if (pairable.sum(axis=0) > 0).sum() < 2:
        assert np.isnan(krippendorff_alpha(counts, scale="nominal", weight=np.ones(len(counts))))
        return
    for scale in ("nominal", "ordinal"):
        expected = krippendorff.alpha(value_counts=counts, level_of_measurement=scale)
        assert krippendorff_alpha(counts, scale=scale, weight=np.ones(len(counts))) == pytest.approx(expected)
    unit, place = np.repeat(np.indices(counts.shape).reshape(2, -1), counts.ravel(), axis=1)
    expected = krippendorff.alpha(value_counts=counts, level_of_measurement="interval")
    assert krippendorff_interval(unit, 1.0 * place, weight=np.ones(len(counts))) == pytest.approx(expected)


@given(tables, st.integers(0, 3))
def test_a_weight_of_two_is_a_unit_twice(counts, row):
    weight = np.ones(len(counts))
    weight[row] = 2.0
    twice = np.vstack([counts, counts[[row]]])
    alone = np.ones(len(twice))
    for scale in ("nominal", "ordinal"):
        np.testing.assert_allclose(
            krippendorff_alpha(counts, scale=scale, weight=weight),
            krippendorff_alpha(twice, scale=scale, weight=alone), atol=1e-12,
        )  # fmt: skip
    if (counts.sum(axis=1) >= 2).sum() >= 2:
        found, expected = gwet_ac1(counts, weight=weight), gwet_ac1(twice)
        assert found.coefficient == pytest.approx(expected.coefficient)
        assert np.isnan(found.standard_error) and found.n_units <= expected.n_units
    unit, place = np.repeat(np.indices(twice.shape).reshape(2, -1), twice.ravel(), axis=1)
    expected = krippendorff_interval(unit, 1.0 * place, weight=alone)
    first = unit < len(counts)
    found = krippendorff_interval(unit[first], 1.0 * place[first], weight=weight)
    np.testing.assert_allclose(found, expected, atol=1e-12)


def test_perfect_agreement_is_one():
    counts = np.array([[3, 0], [0, 3], [3, 0], [0, 2]])
    assert gwet_ac1(counts).coefficient == 1.0
    assert krippendorff_alpha(counts, scale="nominal", weight=np.ones(4)) == 1.0
    assert krippendorff_interval(np.repeat([0, 1], 2), np.array([3.0, 3, 5, 5]), weight=np.ones(2)) == 1.0


def test_chance_agreement_is_nought():
    rng = np.random.default_rng(1)
    ratings = rng.integers(0, 4, (3, 20_000))
    counts = counted(ratings, range(4))
    assert abs(gwet_ac1(counts).coefficient) < 0.01
    assert abs(krippendorff_alpha(counts, scale="nominal", weight=np.ones(20_000))) < 0.01
    assert abs(krippendorff_alpha(counts, scale="ordinal", weight=np.ones(20_000))) < 0.01
    found = krippendorff_interval(np.repeat(np.arange(20_000), 3), rng.normal(size=60_000), weight=np.ones(20_000))
    assert abs(found) < 0.01


def test_standard_error_is_that_of_many_samples():
    rng = np.random.default_rng(2)
    true = rng.choice(4, (2_000, 60), p=[0.6, 0.2, 0.1, 0.1])
    found = [gwet_ac1(counted(np.where(rng.random((3, 60)) < 0.7, row, rng.integers(0, 4, (3, 60))), range(4)))
             for row in true]  # fmt: skip
    claimed = np.sqrt(np.mean([one.standard_error**2 for one in found]))
    assert claimed == pytest.approx(np.std([one.coefficient for one in found]), rel=0.06)


def test_too_little_says_nothing():
    once = gwet_ac1(np.array([[1, 0], [0, 1], [2, 0], [0, 0]]))
    assert np.isnan(once.coefficient) and once.n_units == 1
    assert np.isnan(krippendorff_alpha(np.array([[1, 0], [0, 1]]), scale="nominal", weight=np.ones(2)))
    assert np.isnan(krippendorff_alpha(np.array([[2, 0], [2, 0]]), scale="ordinal", weight=np.ones(2)))
    assert np.isnan(krippendorff_interval(np.array([0, 1]), np.array([1.0, 2]), weight=np.ones(2)))
    with pytest.raises(ValueError, match=r"shape \(3, 1\), expected one column for each of two"):
        gwet_ac1(np.ones((3, 1), dtype=np.int64))

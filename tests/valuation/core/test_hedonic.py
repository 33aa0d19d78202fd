"""The cross-fitted ridge against plain augmented least squares, fitted again for every set of folds."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from valuation.core.draws import fold_of, unit_key
from valuation.core.hedonic import cross_fit, out_of_fold, twice_out_of_fold
from valuation.errors import ThinMatchError

PENALTIES = (0.1, 1.0, 10.0, 100.0)


def ridge(x, y, penalty):
    """Minimise ``Σ(y − a − x'b)² + λ b'b``: extra rows √λ·I, none for the intercept."""
    p = x.shape[1]
    rows = np.vstack(
        [np.column_stack([np.ones(len(x)), x]), np.column_stack([np.zeros(p), np.sqrt(penalty) * np.eye(p)])]
    )
    solution = np.linalg.lstsq(rows, np.concatenate([y, np.zeros(p)]), rcond=None)[0]
    return solution[0], solution[1:]


def basket(seed=0, n=60, p=4, folds=4):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, p)) + 3.0
    y = 6.0 + x @ rng.normal(size=p) + rng.normal(size=n)
    return x, y, rng.permutation(np.arange(n) % folds)


def test_every_fit_is_least_squares_with_an_unpenalised_intercept():
    x, y, fold = basket()
    fit = cross_fit(x, y, fold, penalties=(2.5,))
    intercept, coefficient = ridge(x, y, 2.5)
    assert fit.intercept == pytest.approx(intercept, abs=1e-10)
    assert_allclose(fit.coefficient, coefficient, atol=1e-10)
    assert fit.n_folds == 4
    for f in range(4):
        for g in range(4):
            kept = (fold != f) & (fold != g)
            intercept, coefficient = ridge(x[kept], y[kept], 2.5)
            assert fit.left_out_intercept[f, g] == pytest.approx(intercept, abs=1e-10)
            assert_allclose(fit.left_out_coefficient[f, g], coefficient, atol=1e-10)


def test_predictions_leave_out_one_fold_and_two():
    x, y, fold = basket(1)
    fit = cross_fit(x, y, fold, penalties=(1.5,))
    once, twice = out_of_fold(fit, x), twice_out_of_fold(fit, x)
    assert twice.shape == (4, 60)
    for j in range(60):
        for f in range(4):
            kept = (fold != f) & (fold != fold[j])
            intercept, coefficient = ridge(x[kept], y[kept], 1.5)
            assert twice[f, j] == pytest.approx(intercept + x[j] @ coefficient, abs=1e-9)
        assert once[j] == pytest.approx(twice[fold[j], j], abs=1e-12)


def error_of(x, y, fold, penalty):
    total = 0.0
    for j in range(len(y)):
        intercept, coefficient = ridge(x[fold != fold[j]], y[fold != fold[j]], penalty)
        total += (y[j] - intercept - x[j] @ coefficient) ** 2
    return total / len(y)


@pytest.mark.parametrize("seed", range(4))
def test_the_penalty_has_the_least_out_of_fold_error(seed):
    x, y, fold = basket(seed, n=30, p=8, folds=3)
    y = y + (2.0 * seed) * np.random.default_rng(seed + 50).normal(size=30)  # more noise wants more penalty
    fit = cross_fit(x, y, fold, penalties=PENALTIES)
    errors = [error_of(x, y, fold, penalty) for penalty in PENALTIES]
    assert_allclose(fit.penalty_error, errors, rtol=1e-10)
    assert fit.penalty == PENALTIES[int(np.argmin(errors))]
    assert cross_fit(x, y, fold, penalties=PENALTIES[::-1]).penalty == fit.penalty


def test_the_penalties_chosen_above_are_not_all_the_same():
    chosen = set()
    for seed in range(4):
        x, y, fold = basket(seed, n=30, p=8, folds=3)
        y = y + (2.0 * seed) * np.random.default_rng(seed + 50).normal(size=30)
        chosen.add(cross_fit(x, y, fold, penalties=PENALTIES).penalty)
    assert len(chosen) > 1


@pytest.mark.parametrize("penalties", [(1.0, 30.0, 3.0), (30.0, 3.0, 1.0)])
def test_the_larger_of_two_equally_good_penalties_is_taken(penalties):
    _, y, fold = basket(3)
    assert cross_fit(np.zeros((60, 2)), y, fold, penalties=penalties).penalty == 30.0


def test_the_gram_matrix_is_inverted_with_centred_features():
    x, y, fold = basket(4)
    fit = cross_fit(x, y, fold, penalties=(0.7,))
    centred = x - x.mean(axis=0)
    assert_allclose(fit.gram_inverse @ (centred.T @ centred + 0.7 * np.eye(4)), np.eye(4), atol=1e-10)
    assert_allclose(fit.centre, x.mean(axis=0))


def test_moving_prices_or_features_moves_the_intercept_alone():
    x, y, fold = basket(5)
    fit, dearer = (cross_fit(x, prices, fold, penalties=(50.0,)) for prices in (y, y + 100.0))
    assert_allclose(dearer.coefficient, fit.coefficient, atol=1e-9)
    assert dearer.intercept == pytest.approx(fit.intercept + 100.0)
    assert_allclose(out_of_fold(dearer, x), out_of_fold(fit, x) + 100.0)
    moved = cross_fit(x - 7.0, y, fold, penalties=(50.0,))
    assert_allclose(out_of_fold(moved, x - 7.0), out_of_fold(fit, x), atol=1e-8)


def test_a_unit_lies_in_one_fold_and_never_predicts_itself():
    rng = np.random.default_rng(6)
    unit = np.repeat(np.arange(40), 3)
    fold = fold_of(unit_key([f"posting-{u}" for u in range(40)]), folds=5, seed=1)[unit]
    assert all(len(set(fold[unit == u])) == 1 for u in range(40))
    x, y = rng.normal(size=(120, 3)), rng.normal(size=120)
    wild = np.where(unit == 11, y + 1000.0 * rng.normal(size=120), y)
    before, after = (out_of_fold(cross_fit(x, prices, fold, penalties=(1.0,)), x) for prices in (y, wild))
    assert_allclose(after[fold == fold[unit == 11][0]], before[fold == fold[unit == 11][0]], atol=1e-9)
    assert np.abs(after - before)[fold != fold[unit == 11][0]].min() > 1e-3


def test_row_order_does_not_matter():
    x, y, fold = basket(7)
    order = np.random.default_rng(8).permutation(60)
    fit, shuffled = (
        cross_fit(x, y, fold, penalties=PENALTIES),
        cross_fit(x[order], y[order], fold[order], penalties=PENALTIES),
    )
    assert shuffled.penalty == fit.penalty
    assert_allclose(shuffled.left_out_coefficient, fit.left_out_coefficient, atol=1e-10)


def test_empty_folds_leave_nothing_out():
    x, y, fold = basket(9, folds=3)
    gaps = np.array([0, 2, 5])[fold]
    fit = cross_fit(x, y, gaps, penalties=(1.0,))
    assert fit.n_folds == 6
    assert_allclose(fit.left_out_coefficient[1, 1], fit.coefficient, atol=1e-12)
    assert_allclose(out_of_fold(fit, x), out_of_fold(cross_fit(x, y, fold, penalties=(1.0,)), x), atol=1e-10)


@pytest.mark.parametrize(
    ("fold", "said"), [([], "0 distinct postings in 0 folds"), ([0, 0, 4, 4], "4 distinct postings in 2 folds")]
)
def test_two_folds_are_too_few(fold, said):
    n = len(fold)
    with pytest.raises(ThinMatchError, match=f"{said}.*at least 3 folds.*import more postings"):
        cross_fit(np.zeros((n, 2)), np.zeros(n), np.array(fold, dtype=np.int64), penalties=(1.0,))

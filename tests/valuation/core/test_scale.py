"""The scale regression: against least squares, and against a world whose scatter is known."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from valuation.core.scale import FLOOR, SMOOTHER, fit_scale, scale_of


def world(seed=0, n=4000):
    rng = np.random.default_rng(seed)
    features = rng.uniform(-1, 1, (n, 2))
    sigma = 1.0 + 0.4 * features[:, 0]
    return features, sigma, sigma * rng.normal(size=n), rng.integers(0, 5, n)


def test_a_known_scatter_is_recovered_up_to_its_unit():
    features, sigma, residual, fold = world()
    scale, own = fit_scale(residual, features, fold, penalties=(0.01, 0.1))
    unit = np.sqrt(2 / np.pi)  # E|N(0, 1)|
    assert np.abs(scale_of(scale, features) / (unit * sigma) - 1).max() < 0.1
    assert np.corrcoef(own, sigma)[0, 1] > 0.98


def test_each_rows_own_scale_does_not_see_its_fold():
    features, _, residual, fold = world(1, 600)
    _, before = fit_scale(residual, features, fold, penalties=(1.0,))
    loud = np.where(fold == 2, 50.0, residual)
    _, after = fit_scale(loud, features, fold, penalties=(1.0,))
    floor = FLOOR * np.abs(loud).mean()
    assert_allclose(after[fold == 2], np.maximum(before[fold == 2], floor), rtol=1e-9)
    assert (after[fold == 3] > before[fold == 3]).all()


def test_out_of_fold_scale_is_ridge_on_the_other_folds():
    features, _, residual, fold = world(2, 300)
    _, own = fit_scale(residual, features, fold, penalties=(3.0,))
    train = fold != 4
    x, y = features[train], np.abs(residual[train])
    centred = x - x.mean(axis=0)
    slope = np.linalg.solve(centred.T @ centred + 3.0 * SMOOTHER * np.eye(2), centred.T @ (y - y.mean()))
    expected = y.mean() + (features[~train] - x.mean(axis=0)) @ slope
    assert_allclose(own[~train], np.maximum(expected, FLOOR * np.abs(residual).mean()), rtol=1e-9)


def test_the_scale_never_falls_under_its_floor():
    features, _, residual, fold = world(3)
    scale, own = fit_scale(residual, features, fold, penalties=(1.0,))
    far = scale_of(scale, np.array([[-50.0, 0.0]]))
    assert far[0] == pytest.approx(FLOOR * np.abs(residual).mean()) and own.min() >= far[0]


def test_residuals_that_are_all_zero_still_have_a_scale():
    features, _, _, fold = world(4, 300)
    _, own = fit_scale(np.zeros(300), features, fold, penalties=(1.0,))
    assert (own > 0).all()


def test_scatter_that_does_not_vary_gives_nearly_a_constant():
    rng = np.random.default_rng(6)
    features, residual, fold = rng.normal(size=(500, 60)) / 8, rng.normal(size=500), np.arange(500) % 5
    _, own = fit_scale(residual, features, fold, penalties=(0.3, 3.0, 100.0))
    _, rough = fit_scale(residual, features, fold, penalties=(0.01,))
    assert own.std() < 0.5 * rough.std()

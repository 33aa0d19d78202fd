"""Prices against the formula in plain loops, with everything fitted and searched again where a fold is left out."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from valuation.core.hedonic import cross_fit
from valuation.core.pricing import PRICERS, make_pricer, price, price_basket, session_hedonic

K, TAU, PENALTY, FOLDS = 5, 0.15, 1.7, 4


def ridge(x, y):
    """Ridge with an unpenalised intercept by augmented least squares: a function of x."""
    p = x.shape[1]
    rows = np.vstack(
        [np.column_stack([np.ones(len(x)), x]), np.column_stack([np.zeros(p), np.sqrt(PENALTY) * np.eye(p)])]
    )
    solution = np.linalg.lstsq(rows, np.concatenate([y, np.zeros(p)]), rcond=None)[0]
    return lambda at: solution[0] + at @ solution[1:]


def world(seed=0, n=44, sessions=9):
    """Basket and session vectors on the sphere; features are the vectors and one more column."""
    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(n + sessions, 3))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    features = np.column_stack([vectors, rng.normal(size=n + sessions)])
    y = 5.0 + 2.0 * vectors[:n, 0] + 1.5 * np.abs(vectors[:n, 1]) + rng.normal(size=n)
    unit = np.sort(rng.integers(0, 20, n))
    fold = rng.permutation(np.arange(20) % FOLDS)[unit]
    return vectors[:n], features[:n], y, fold, vectors[n:], features[n:]


def search(queries, basket, stored):
    similarity = queries @ basket.T
    row = np.argsort(-similarity, axis=1, kind="stable")[:, :stored]
    return np.take_along_axis(similarity, row, axis=1), row


def literal(basket, x, y, fold, query, z):
    """Price one text by the definition: matching, neighbours, hedonic."""
    similarity = basket @ query
    nearest = sorted(range(len(y)), key=lambda j: -similarity[j])[:K]
    raw = [np.exp((similarity[j] - similarity[nearest[0]]) / TAU) for j in nearest]
    matching = neighbours = 0.0
    for j, part in zip(nearest, raw, strict=True):
        w = part / sum(raw)
        m = ridge(x[fold != fold[j]], y[fold != fold[j]])
        matching += w * (y[j] + m(z) - m(x[j]))
        neighbours += w * y[j]
    return matching, neighbours, ridge(x, y)(z)


def pricer_of(x, y, fold):
    return make_pricer(y, x, cross_fit(x, y, fold, penalties=(PENALTY,)), k=K, tau=TAU)


def test_the_pricers_are_in_this_order():
    assert PRICERS == ("matching", "neighbours", "hedonic")


def test_prices_are_the_formula_term_by_term():
    basket, x, y, fold, queries, z = world()
    similarity, row = search(queries, basket, 2 * K)
    found = price(pricer_of(x, y, fold), similarity, row, z)
    for i in range(len(z)):
        assert_allclose(found.value[:, i], literal(basket, x, y, fold, queries[i], z[i]), atol=1e-9)
    assert_allclose(found.weight.sum(axis=1), 1.0)
    assert (found.weight[:, K:] == 0).all()
    assert np.ptp(found.value, axis=0).min() > 1e-3  # three different pricers


def test_leaving_a_fold_out_is_fitting_and_searching_again_without_it():
    basket, x, y, fold, queries, z = world(1)
    similarity, row = search(queries, basket, len(y))
    found = price(pricer_of(x, y, fold), similarity, row, z)
    assert found.left_out_value.shape == (3, FOLDS, len(z))
    for f in range(FOLDS):
        kept = fold != f
        for i in range(len(z)):
            expected = literal(basket[kept], x[kept], y[kept], fold[kept], queries[i], z[i])
            assert_allclose(found.left_out_value[:, f, i], expected, atol=1e-9)


def test_the_basket_is_priced_without_its_own_fold():
    basket, x, y, fold, _, _ = world(2)
    similarity, row = search(basket, basket, len(y))
    value, weight = price_basket(pricer_of(x, y, fold), similarity, row, x)
    for j in range(len(y)):
        kept = fold != fold[j]
        assert_allclose(value[:, j], literal(basket[kept], x[kept], y[kept], fold[kept], basket[j], x[j]), atol=1e-9)
        assert (weight[j][fold[row[j]] == fold[j]] == 0).all()
    assert_allclose(weight.sum(axis=1), 1.0)


@pytest.mark.parametrize("f", range(FOLDS))
def test_no_price_of_a_fold_reaches_the_values_of_that_fold(f):
    basket, x, y, fold, queries, z = world(3)
    similarity, row = search(basket, basket, 4 * K)
    moved = np.where(fold == f, y + 10.0 * np.random.default_rng(4).normal(size=len(y)), y)
    before, after = (price_basket(pricer_of(x, prices, fold), similarity, row, x)[0] for prices in (y, moved))
    assert_allclose(after[:, fold == f], before[:, fold == f], atol=1e-10)
    assert np.abs(after - before)[[0, 2]][:, fold != f].min() > 1e-4  # the others do move
    similarity, row = search(queries, basket, 4 * K)
    before, after = (price(pricer_of(x, prices, fold), similarity, row, z).left_out_value for prices in (y, moved))
    assert_allclose(after[:, f], before[:, f], atol=1e-10)
    assert np.abs(after - before)[0][[g for g in range(FOLDS) if g != f]].min() > 1e-4


def test_only_neighbours_of_the_fold_left_out_leave_the_regression():
    basket, x, y, fold, _, _ = world(5)
    row = np.array([np.flatnonzero(fold == 2)[:3]])
    similarity = np.array([[0.9, 0.8, 0.7]])
    found = price(pricer_of(x, y, fold), similarity, row, x[:1])
    kept = fold != 2
    assert_allclose(found.left_out_value[:, 2, 0], ridge(x[kept], y[kept])(x[0]))
    assert found.left_out_value[1, 0, 0] == pytest.approx(found.value[1, 0])


def test_residuals_are_price_less_prediction():
    _, x, y, fold, _, _ = world(6)
    pricer = pricer_of(x, y, fold)
    for j in range(len(y)):
        own = fold != fold[j]
        assert pricer.residual[j] == pytest.approx(y[j] - ridge(x[own], y[own])(x[j]))
        both = own & (fold != 1)
        assert pricer.left_out_residual[1, j] == pytest.approx(y[j] - ridge(x[both], y[both])(x[j]))


def test_the_explained_terms_sum_to_the_value():
    basket, x, y, fold, queries, z = world(7)
    similarity, row = search(queries, basket, K)
    pricer = pricer_of(x, y, fold)
    found = price(pricer, similarity, row, z)
    at_session = session_hedonic(pricer, row, z)
    for i in range(len(z)):
        for place, j in enumerate(row[i]):
            own = fold != fold[j]
            assert at_session[i, place] == pytest.approx(ridge(x[own], y[own])(z[i]))
    terms = found.weight * (y[row] + at_session - (y - pricer.residual)[row])
    assert_allclose(terms.sum(axis=1), found.value[0])


def test_a_price_level_moves_every_value_by_the_same_factor():
    basket, x, y, fold, queries, z = world(8)
    similarity, row = search(queries, basket, 2 * K)
    cheap, dear = (price(pricer_of(x, prices, fold), similarity, row, z) for prices in (y, y + np.log(3.0)))
    assert_allclose(dear.value, cheap.value + np.log(3.0))
    assert_allclose(dear.left_out_value, cheap.left_out_value + np.log(3.0))


def test_batches_and_order_do_not_matter():
    basket, x, y, fold, queries, z = world(9)
    similarity, row = search(queries, basket, 2 * K)
    pricer = pricer_of(x, y, fold)
    whole = price(pricer, similarity, row, z)
    for i in range(len(z)):
        one = price(pricer, similarity[[i]], row[[i]], z[[i]])
        assert_allclose(one.value[:, 0], whole.value[:, i], atol=1e-12)
        assert_allclose(one.left_out_value[:, :, 0], whole.left_out_value[:, :, i], atol=1e-12)


# near-duplicates: a client's reposts, alike in text and price, whose prices say nothing about anybody else's


def squared_correlation_of(basket, y, unit):
    fold = np.random.default_rng(11).permutation(np.arange(unit.max() + 1) % 5)[unit]
    similarity, row = search(basket, basket, 41)
    fit = cross_fit(basket, y, fold, penalties=(PENALTY,))
    value, _ = price_basket(make_pricer(y, basket, fit, k=10, tau=0.05), similarity, row, basket)
    return [np.corrcoef(y, v)[0, 1] ** 2 for v in value]


def test_near_duplicates_in_one_unit_do_not_flatter_the_pricer():
    rng = np.random.default_rng(10)
    honest = rng.normal(size=(210, 6))
    texts = rng.normal(size=(15, 6))
    planted = np.repeat(texts, 6, axis=0) + 0.01 * rng.normal(size=(90, 6))  # 30 % of the basket
    vectors = np.vstack([honest, planted])
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    y = np.concatenate([5 + 1.5 * vectors[:210, 0] + rng.normal(size=210), np.repeat(5 + rng.normal(size=15), 6)])
    clean = squared_correlation_of(vectors[:210], y[:210], np.arange(210))
    by_unit = squared_correlation_of(vectors, y, np.concatenate([np.arange(210), np.full(90, 210)]))
    ignored = squared_correlation_of(vectors, y, np.arange(300))
    assert by_unit[0] <= clean[0] and by_unit[1] <= clean[1]
    assert ignored[0] > clean[0] + 0.1 and ignored[1] > clean[1] + 0.1  # what ignoring units would report

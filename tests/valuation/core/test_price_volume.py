"""Price level against volume: the identity, who prices whom, and the terms' meaning."""

import numpy as np
import pytest

from valuation.core.arrays import BasketModel, PricedSessions
from valuation.core.draws import fold_of, unit_key
from valuation.core.hedonic import cross_fit, out_of_fold
from valuation.core.influence import series_influence
from valuation.core.price_volume import (
    CONTRASTS,
    TERMS,
    effective_postings,
    month_features,
    month_values,
    restricted,
)  # fmt: skip
from valuation.core.pricing import PRICERS, make_pricer, price, price_basket
from valuation.simulation.vector_pricing import nearest

RISE = 0.5
"""Log points by which the second month's postings are dearer."""


@pytest.fixture(scope="module")
def market():
    """Postings of two months, the same work but dearer in the second; features end in the months' dummies."""
    rng = np.random.default_rng(6)
    vectors, month = rng.normal(size=(900, 4)), np.repeat([0, 1], 450)
    log_price = 5 + vectors @ [0.6, 0.3, 0, 0] + RISE * month + 0.05 * rng.normal(size=900)
    features = np.hstack([vectors, np.eye(2)[month]])
    fold = fold_of(unit_key([f"p{i:04d}" for i in range(900)]), folds=5, seed=1)
    pricer = make_pricer(log_price, features, cross_fit(features, log_price, fold, penalties=(0.3,)), k=10, tau=0.1)
    return vectors, month, features, pricer, rng.normal(size=(200, 4))


def cells(market, which, shift):
    """A(s, t) in the order of the contrasts; the second month's sessions are `shift` along the dear direction."""
    vectors, month, _, pricer, work = market
    found = []
    for at in (0, 1):
        rows = np.flatnonzero(month == at)
        part = restricted(pricer, rows)
        for sessions in (work, work + [shift, 0, 0, 0]):
            similarity, row = nearest(sessions, vectors[rows], count=10)
            features = month_features(np.hstack([sessions, np.full((200, 2), 0.5)]), at, n_months=2)
            found.append(month_values(part, which, similarity, row, features).value.mean())
    return np.array(found)


@pytest.mark.parametrize("which", PRICERS)
def test_terms_add_up_and_say_what_moved(market, which):
    terms = dict(zip(TERMS, CONTRASTS @ cells(market, which, 0.0), strict=True))
    assert terms["price"] + terms["volume"] == pytest.approx(terms["nominal"], abs=1e-12)
    assert terms["price"] == pytest.approx(0.5 * (terms["lowe_from"] + terms["lowe_to"]), abs=1e-12)
    assert terms["price"] == pytest.approx(RISE, abs=0.03) and terms["volume"] == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize("which", ["matching", "hedonic"])
def test_more_valuable_work_is_volume(market, which):
    terms = dict(zip(TERMS, CONTRASTS @ cells(market, which, 0.5), strict=True))
    assert terms["price"] == pytest.approx(RISE, abs=0.03)
    assert terms["volume"] == pytest.approx(0.3, abs=0.03)
    assert terms["nominal"] == pytest.approx(RISE + 0.3, abs=0.05)


def test_contrasts_by_hand():
    """A(0,0), A(T,0), A(0,T), A(T,T) = 1, 2, 4, 9."""
    found = CONTRASTS @ np.array([1.0, 2.0, 4.0, 9.0])
    assert found.tolist() == [8.0, 0.5 * (9 - 2 + 4 - 1), 0.5 * (2 - 1 + 9 - 4), 3.0, 7.0]


def test_a_restricted_pricer_over_all_rows_is_the_pricer(market):
    vectors, _, features, pricer, work = market
    similarity, row = nearest(work, vectors, count=20)
    at = np.hstack([work, np.full((200, 2), 0.5)])
    whole, everything = price(pricer, similarity, row, at), restricted(pricer, np.arange(900))
    for i, which in enumerate(PRICERS):
        np.testing.assert_allclose(
            month_values(everything, which, similarity, row, at).value, whole.value[i], atol=1e-12
        )
    among, among_row = nearest(vectors, vectors, count=20)
    np.testing.assert_allclose(
        price_basket(everything, among, among_row, features)[0], price_basket(pricer, among, among_row, features)[0]
    )


def test_restriction_keeps_rows_and_folds(market):
    _, month, _, pricer, _ = market
    rows = np.flatnonzero(month == 1)[::3]
    part = restricted(pricer, rows)
    np.testing.assert_array_equal(part.log_price, pricer.log_price[rows])
    np.testing.assert_array_equal(part.residual, pricer.residual[rows])
    np.testing.assert_array_equal(part.fit.fold, pricer.fit.fold[rows])
    np.testing.assert_array_equal(part.left_out_residual, pricer.left_out_residual[:, rows])


def test_features_at_a_month():
    found = month_features(np.array([[7.0, 8.0, 0.2, 0.3, 0.5]]), 1, n_months=3)
    assert found.tolist() == [[7.0, 8.0, 0.0, 1.0, 0.0]]


def test_effective_postings():
    assert effective_postings(np.array([4, 9, 2])) == pytest.approx(3)
    assert effective_postings(np.array([4, 4, 4, 2])) == pytest.approx(16 / 10)
    assert effective_postings(np.array([], dtype=np.int64)) == 0.0


@pytest.mark.slow
@pytest.mark.parametrize("which", PRICERS)
def test_the_postings_part_of_errors_is_that_of_redrawn_prices(market, which):
    """Prices drawn 200 times with everything else as it was: the spread of each term is its closed-form error.

    The residuals are out of fold, which overstates by the error of the fits they come from: at most a sixth here.
    """
    vectors, month, features, _, work = market
    rng = np.random.default_rng(8)
    at = [np.flatnonzero(month == t) for t in (0, 1)]
    sets = (work, work + [0.5, 0, 0, 0])
    near = {(s, t): nearest(sets[s], vectors[at[t]], count=10) for s in (0, 1) for t in (0, 1)}
    own = [nearest(vectors[rows], vectors[rows], count=21) for rows in at]
    key = unit_key([f"p{i:04d}" for i in range(900)])
    fold = fold_of(key, folds=5, seed=1)
    drawn, error = [], None
    for draw in range(200):
        log_price = 5 + vectors @ [0.6, 0.3, 0, 0] + RISE * month + rng.normal(size=900)
        fit = cross_fit(features, log_price, fold, penalties=(0.3,))
        parts = [restricted(make_pricer(log_price, features, fit, k=10, tau=0.1), rows) for rows in at]
        priced = {
            (s, t): month_values(parts[t], which, *near[s, t], month_features(_with_months(sets[s]), t, n_months=2))
            for t in (0, 1)
            for s in (0, 1)
        }
        order = [(0, 0), (1, 0), (0, 1), (1, 1)]
        drawn.append(CONTRASTS @ [priced[cell].value.mean() for cell in order])
        if draw == 0:
            error = _closed_form(parts, priced, order, near, own, at, sets, features, fit, log_price, key, which)
    np.testing.assert_allclose(error / np.std(drawn, axis=0, ddof=1), 1.0, atol=0.17)


def _with_months(sessions):
    return np.hstack([sessions, np.full((len(sessions), 2), 0.5)])


def _closed_form(parts, priced, order, near, own, at, sets, features, fit, log_price, key, which):
    """The square root of Σφ² of every term."""
    residual = np.zeros(900)
    for part, rows, (similarity, row) in zip(parts, at, own, strict=True):
        held_out, _ = price_basket(part, similarity, row, features[rows])
        residual[rows] = log_price[rows] - held_out[PRICERS.index(which)]
    model = BasketModel(
        features - fit.centre, fit.centre, fit.gram_inverse, log_price, log_price - out_of_fold(fit, features),
        np.arange(900), key,
    )  # fmt: skip
    sessions = PricedSessions(
        np.concatenate([priced[cell].value for cell in order]), np.ones(800), np.arange(800),
        unit_key([str(i) for i in range(800)]), np.concatenate([at[t][near[s, t][1]] for s, t in order]),
        np.concatenate([priced[cell].weight for cell in order]),
        np.concatenate([month_features(_with_months(sets[s]), t, n_months=2) for s, t in order]) - fit.centre,
    )  # fmt: skip
    found = series_influence(
        sessions, model, residual, np.repeat(np.arange(4), 200)[None, :], n_cells=4, use_hedonic=which != "neighbours"
    )
    return np.sqrt(np.square(found.posting @ CONTRASTS.T).sum(axis=0))

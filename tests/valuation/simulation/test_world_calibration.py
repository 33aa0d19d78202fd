"""With a real encoder the demo world is as hard as it should be, and its growth can be recovered."""

from functools import cache

import numpy as np
import pytest

from indices.encoders import open_encoder
from valuation.simulation.settings import WorldSettings
from valuation.simulation.world import simulate_world

pytestmark = pytest.mark.slow
K, TAU, PENALTY = 50, 0.1, 3.0


@pytest.fixture(scope="module")
def encode(static_models):
    encoder = open_encoder("static", models_dir=static_models, max_tokens=256, batch_tokens=8192)

    @cache
    def vectors(texts):
        return np.asarray(encoder.encode(list(texts)).vectors, dtype=np.float64)

    return vectors


def unit(vectors):
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def ridge(x, y):
    mean = x.mean(axis=0)
    slope = np.linalg.solve((x - mean).T @ (x - mean) + PENALTY * np.eye(x.shape[1]), (x - mean).T @ (y - y.mean()))
    return lambda z: (z - mean) @ slope + y.mean()


def out_of_fold(x, y, folds):
    fitted = np.empty(len(y))
    for fold in np.unique(folds):
        fitted[folds == fold] = ridge(x[folds != fold], y[folds != fold])(x[folds == fold])
    return fitted


def matched_price(z, x, y, fitted_x, fitted_z):
    similarity = z @ x.T
    near = np.argsort(-similarity, axis=1)[:, :K]
    s = np.take_along_axis(similarity, near, axis=1)
    weight = np.exp((s - s[:, :1]) / TAU)
    weight /= weight.sum(axis=1, keepdims=True)
    return (weight * (y - fitted_x)[near]).sum(axis=1) + fitted_z, near, s[:, 0]


def prepared(settings, seed, encode):
    """Basket and sessions as vectors centred by register, with their truth; sound rows only."""
    world = simulate_world(settings, seed=seed)
    truth = world.truth.postings
    basket = truth[~truth["hourly"] & (truth["repost_of"] == "") & truth["log_price"].between(*np.log([10, 50_000]))]
    raw = world.postings.drop_duplicates("job_ref").set_index("job_ref").loc[basket["job_ref"]]
    texts = tuple("\n".join(filter(None, row)) for row in raw[["headline", "details", "tags"]].itertuples(index=False))
    sessions = world.truth.sessions
    summaries = world.sessions.drop_duplicates("session_id").set_index("session_id")["summary"]
    x, z = encode(texts), encode(tuple(summaries.loc[sessions["session_id"]]))
    base = (sessions["month"] == sessions["month"].min()).to_numpy()
    return basket, sessions, unit(x - x.mean(axis=0)), unit(z - z[base].mean(axis=0))


def growth(settings, seed, encode):
    """Estimated and true growth of log value over matchable sessions, first to last month."""
    basket, sessions, x, z = prepared(settings, seed, encode)
    y = basket["log_price"].to_numpy(float)
    fitted = out_of_fold(x, y, np.random.default_rng(0).integers(0, 5, len(y)))
    value, _, _ = matched_price(z, x, y, fitted, ridge(x, y)(z))
    work = sessions.assign(value=value)[sessions["matchable"]]
    means = work.groupby("month")[["value", "log_value"]].mean()
    return tuple(means.iloc[-1] - means.iloc[0])


def test_a_pricer_sees_a_third_to_a_half_of_the_price(encode):
    basket, _, x, _ = prepared(WorldSettings(), 1, encode)
    y = basket["log_price"].to_numpy(float)
    folds = np.random.default_rng(0).integers(0, 5, len(y))
    value = np.empty(len(y))
    for fold in range(5):
        test = folds == fold
        inner = out_of_fold(x[~test], y[~test], folds[~test])
        value[test] = matched_price(x[test], x[~test], y[~test], inner, ridge(x[~test], y[~test])(x[test]))[0]
    assert 0.3 < np.corrcoef(value, y)[0, 1] ** 2 < 0.55
    assert 0.85 < np.polyfit(value, y, 1)[0] < 1.15


def test_the_right_kind_of_job_is_among_ten_neighbours_in_most_sessions_not_in_all(encode):
    basket, sessions, x, z = prepared(WorldSettings(), 1, encode)
    work = sessions["matchable"].to_numpy()
    near = np.argsort(-(z[work] @ x.T), axis=1)[:, :10]
    alike = np.ones(near.shape, dtype=bool)
    for column in ("kind", "object", "size"):  # a kind of job: the same work on the same thing in the same size
        alike &= basket[column].to_numpy()[near] == sessions.loc[work, column].to_numpy()[:, None]
    assert 0.4 < alike.any(axis=1).mean() < 0.8


def test_personal_sessions_stay_unmatched_and_work_does_not(encode):
    _, sessions, x, z = prepared(WorldSettings(), 1, encode)
    own = x @ x.T
    np.fill_diagonal(own, -1)
    threshold = np.quantile(own.max(axis=1), 0.01)
    unmatched = (z @ x.T).max(axis=1) < threshold
    work = sessions["matchable"].to_numpy()
    assert unmatched[~work].mean() > 0.95
    assert unmatched[work].mean() < 0.12


def test_growth_is_recovered_and_doubles_with_the_truth(encode):
    found = {
        scale: np.mean([growth(WorldSettings(growth_scale=scale), seed, encode) for seed in (1, 2, 3)], axis=0)
        for scale in (0.0, 1.0, 2.0)
    }
    for estimate, truth in found.values():
        assert estimate == pytest.approx(truth, abs=0.12)
    steps = [found[1.0] - found[0.0], found[2.0] - found[1.0]]
    for estimate, truth in steps:
        assert 0.75 < estimate / truth < 1.1

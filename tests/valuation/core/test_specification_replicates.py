"""Many specifications from one pass over the draws: the same figures as one at a time by the general routine."""

from dataclasses import replace

import numpy as np
import pytest

from valuation.core import specification_replicates
from valuation.core.nonlinear import nonlinear_replicates
from valuation.core.specification_replicates import MEDIAN, TRIMMED_MEAN, TwoMonths, joint_statistics, valued
from valuation.simulation.vector_pricing import price_world
from valuation.simulation.vectors import WorldOptions, vector_world

OPTIONS = WorldOptions(postings=150, sessions=160, users=40, months=2, dimensions=5, unit_size=2)
DRAWN = {"trim": 0.1, "seed": 7, "replicates": 70}  # more than one block


@pytest.fixture(scope="module")
def two_months():
    """Three pricers of one world, its sessions with the base month's first, and three rows of weights."""
    world = vector_world(OPTIONS, rng=np.random.default_rng(4))
    order = np.argsort(world.month, kind="stable")
    ways = {}
    for pricer in ("matching", "neighbours", "hedonic"):
        priced = price_world(world, pricer=pricer, k=10, tau=0.1, penalties=(3.0,), seed=1)
        ways[pricer] = replace(priced, sessions=taken(priced.sessions, order))
    rng = np.random.default_rng(5)
    weight = np.stack(
        [np.ones(order.size), rng.uniform(0.5, 2.0, order.size), np.where(rng.random(order.size) < 0.3, 0.0, 1.0)]
    )
    return ways, (world.month[order] == 0).sum(), weight


def taken(sessions, rows, weight=None):
    parts = {
        name: getattr(sessions, name)[rows]
        for name in ("log_value", "user", "neighbour", "neighbour_weight", "features")
    }
    return replace(sessions, weight=sessions.weight[rows] if weight is None else weight[rows], **parts)


def all_at_once(two_months):
    ways, split, weight = two_months
    any_way = ways["matching"]
    months = TwoMonths(int(split), any_way.sessions.user, any_way.sessions.user_key, weight)
    prepared = [
        valued(way.sessions, way.model, way.residual, use_hedonic=pricer != "neighbours")
        for pricer, way in ways.items()
    ]
    return joint_statistics(prepared, months, any_way.model, **DRAWN)


def test_all_at_once_is_one_at_a_time(two_months):
    ways, split, weight = two_months
    found = all_at_once(two_months)
    assert found.shape == (3, 3, 2, 2, 71)
    for at, (pricer, way) in enumerate(ways.items()):
        for choice, row in enumerate(weight):
            kept = np.flatnonzero(row > 0)
            one = nonlinear_replicates(
                taken(way.sessions, kept, row), way.model, way.residual, (kept >= split).astype(np.int64)[None],
                n_cells=2, use_hedonic=pricer != "neighbours", calibration=None, **DRAWN,
            )  # fmt: skip
            for statistic, expected in ((MEDIAN, one.median), (TRIMMED_MEAN, one.trimmed_mean)):
                assert found[at, choice, statistic, :, 0] == pytest.approx(expected.point, abs=1e-10)
                moved = found[at, choice, statistic, :, 1:] - found[at, choice, statistic, :, :1]
                np.testing.assert_allclose(moved.T, expected.both, atol=1e-9)


def test_blocks_of_replicates_move_nothing(two_months, monkeypatch):
    whole = all_at_once(two_months)
    monkeypatch.setattr(specification_replicates, "BLOCK", 9)
    np.testing.assert_allclose(all_at_once(two_months), whole, atol=1e-12)


def test_a_month_without_weight_has_no_figure(two_months):
    ways, split, weight = two_months
    nothing = np.where(np.arange(weight.shape[1]) < split, 0.0, 1.0)[None]
    found = all_at_once((ways, split, nothing))
    assert np.isnan(found[:, :, :, 0]).all() and np.isfinite(found[:, :, :, 1]).all()


def test_trim_out_of_range_is_refused(two_months):
    ways, split, weight = two_months
    months = TwoMonths(int(split), ways["matching"].sessions.user, ways["matching"].sessions.user_key, weight)
    with pytest.raises(ValueError, match=r"trim 0.5 is outside \[0, 0.5\)"):
        joint_statistics([], months, ways["matching"].model, trim=0.5, seed=1, replicates=1)

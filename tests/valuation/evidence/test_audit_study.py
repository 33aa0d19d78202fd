"""Worlds of the audit, and that audited intervals hold in them what plain ones miss."""

from dataclasses import replace

import numpy as np
import pytest

from valuation.errors import ConfigError
from valuation.evidence.audit_study import SEED, SERIES, as_markdown, audit_study
from valuation.evidence.audit_worlds import AUDIT_CELLS, UNPROMISED, audit_cells_named, audit_world
from valuation.progress import Silent

NAMES = [cell.name for cell in (*AUDIT_CELLS, *UNPROMISED)]


def by_series(figures):
    return {figure.series: figure for figure in figures}


@pytest.mark.parametrize("name", NAMES)
def test_worlds_are_what_they_say(name):
    """The mean of what analysts would say of very many users is the truth given in closed form."""
    (cell,) = audit_cells_named((name,))
    rng = np.random.default_rng(5)
    big = replace(cell, users=4_000 if cell.users > 100 else 1_000, audits=10**9, missing="none")
    world = audit_world(big, rng=rng)
    sessions = world.sessions
    assert sessions.audited.all()
    for month in range(2):
        rows = sessions.month == month
        found = np.average(sessions.analyst_value[rows], weights=sessions.weight[rows])
        assert found == pytest.approx(world.truth[month], abs=0.06)
    if not cell.unmatched:
        assert np.isfinite(sessions.value).all()


def test_pricers_are_wrong_in_the_ways_named():
    growth, slope = {}, {}
    for name in ("right", "shifted", "curved", "wrong_by_kind", "noise", "opposite"):
        figures = audit_study(8, 3, (name,), Silent())
        growth[name] = by_series(figures)["plain growth"].bias
        slope[name] = figures[0].slope
    truth = 0.185  # 0.15 within kinds, and the mix of kinds
    assert abs(growth["right"]) < 0.08
    assert truth + growth["shifted"] < -0.1 and truth + growth["opposite"] < 0
    assert -0.2 < growth["curved"] < -0.02 and -0.2 < growth["wrong_by_kind"] < -0.01
    assert growth["noise"] == pytest.approx(-truth, abs=0.08)
    assert slope["noise"] < 0.1 and slope["opposite"] == 0.0 and slope["right"] > 0.8


def test_without_a_value_where_gigs_are_far_off_the_audited_leans_towards_the_pricer():
    found = by_series(audit_study(60, 3, ("missing_by_error",), Silent()))
    assert -0.22 < found["audited growth"].bias < -0.07  # a third of the pricer's own
    assert found["plain growth"].bias == pytest.approx(-0.4, abs=0.05)
    assert found["audited growth"].bounds > 0.95 and not found["audited growth"].promised


def test_worlds_are_keyed_by_kind_and_number():
    three, two = (audit_study(worlds, SEED, ("right", "noise"), Silent()) for worlds in (3, 2))
    assert [figure.cell for figure in three] == ["right"] * len(SERIES) + ["noise"] * len(SERIES)
    alone = audit_study(3, SEED, ("noise",), Silent())
    assert repr(alone) == repr(three[len(SERIES) :])
    assert repr(audit_study(2, SEED, ("right", "noise"), Silent())) == repr(two)
    assert repr(audit_study(3, SEED + 1, ("right", "noise"), Silent())) != repr(three)


def test_tables_show_every_kind_and_mark_what_is_outside():
    figures = audit_study(3, SEED, ("right", "missing"), Silent())
    text = as_markdown(figures)
    assert text.count("| `right` |") == text.count("| `missing` |") == 2
    assert "(outside)" in text  # three worlds cannot cover 93 to 97 %
    bounds = by_series(figures[len(SERIES) :])["audited growth"].bounds
    assert 0 <= bounds <= 1 and np.isnan(by_series(figures[: len(SERIES)])["audited growth"].bounds)


def test_unknown_kinds_are_refused():
    with pytest.raises(ConfigError, match="unknown kind of audit world 'wrong', expected one of right, shifted"):
        audit_study(2, 1, ("wrong",), Silent())


@pytest.mark.slow
@pytest.mark.parametrize("name", ["shifted", "wrong_by_kind", "audits_25", "missing"])
def test_audited_intervals_hold_the_truth_and_plain_ones_miss_it(name):
    """1,000 worlds of the published study: neither too low nor too high."""
    found = by_series(audit_study(1000, SEED, (name,), Silent()))
    for series in ("audited growth", "audited level"):
        assert 0.93 <= found[series].coverage <= 0.97, series
        assert 0.94 < found[series].error_ratio < 1.06
        assert abs(found[series].bias) < 4 * found[series].spread / np.sqrt(1000)
    assert found["plain growth"].coverage < 0.8
    if name == "wrong_by_kind":  # strata explain the errors: independent checking would claim too much
        assert found["audited growth, poisson"].error_ratio > 1.1

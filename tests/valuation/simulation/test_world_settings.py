"""Settings are refused by name, value and what was expected."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from valuation.errors import ConfigError
from valuation.simulation import model
from valuation.simulation.settings import COUNTS, KIND_NAMES, SHARES, WorldSettings, as_record, month_names, scaled


def test_the_default_world_is_as_large_as_promised():
    settings = WorldSettings()
    assert settings.postings >= 3000 and settings.sessions >= 3000
    assert settings.users == 300
    assert month_names(settings.first_month, settings.months) == (
        "2026-01", "2026-02", "2026-03", "2026-04", "2026-05", "2026-06", "2026-07",
    )  # fmt: skip


def test_the_default_mix_and_growth_are_the_known_ones():
    settings = WorldSettings()
    start = dict(zip(KIND_NAMES, settings.mix_start, strict=True))
    end = dict(zip(KIND_NAMES, settings.mix_end, strict=True))
    growth = dict(zip(KIND_NAMES, settings.growth, strict=True))
    assert (start["fix"], end["fix"]) == (0.33, 0.19)
    assert (start["operate"], end["operate"]) == (0.14, 0.21)
    assert start["write"] + start["analyse"] == pytest.approx(0.10)
    assert end["write"] + end["analyse"] == pytest.approx(0.20)
    assert (growth["build"], growth["operate"], growth["fix"], growth["communicate"]) == (0.43, 0.34, 0.32, 0.02)


def test_months_cross_the_year():
    assert month_names("2025-11", 4) == ("2025-11", "2025-12", "2026-01", "2026-02")


@given(st.sampled_from(sorted(COUNTS)), st.integers(-5, 10**8))
def test_counts_out_of_range_are_refused_by_name(name, value):
    low, high = COUNTS[name]
    changed = {"users": 2, name: value} if name == "sessions" else {name: value}
    if low <= value <= high and (name != "users" or value <= WorldSettings().sessions // 2):
        assert getattr(replace(WorldSettings(), **changed), name) == value
    else:
        with pytest.raises(ConfigError, match=rf"world\.{name} = {value}: expected"):
            replace(WorldSettings(), **changed)


@given(st.sampled_from(SHARES), st.floats())
def test_shares_out_of_range_are_refused_by_name(name, value):
    if 0 <= value <= 0.5:
        assert getattr(replace(WorldSettings(), **{name: value}), name) == value
    else:
        with pytest.raises(ConfigError, match=rf"world\.{name} = .*: expected a number from 0 to 0\.5"):
            replace(WorldSettings(), **{name: value})


@given(st.lists(st.floats(0, 1), min_size=10, max_size=10).filter(lambda xs: sum(xs) > 0.01))
def test_a_mix_adds_up_to_one(shares):
    total = sum(shares)
    fair = tuple(share / total for share in shares)
    assert replace(WorldSettings(), mix_end=fair).mix_end == fair
    if not math.isclose(total, 1, abs_tol=1e-8):
        with pytest.raises(ConfigError, match=r"world\.mix_end: the shares add up to .*, expected 1"):
            replace(WorldSettings(), mix_end=tuple(shares))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"first_month": "2026-13"}, "world.first_month = '2026-13': expected YYYY-MM"),
        ({"postings_from": "July"}, "world.postings_from = 'July': expected YYYY-MM"),
        ({"postings": 3200.0}, "world.postings = 3200.0: expected a whole number from 50 to 5000000"),
        ({"users": True}, "world.users = True: expected a whole number"),
        ({"users": 1700}, "world.users = 1700: expected at most half of the 3200 sessions"),
        ({"growth": (0.1,) * 9}, "world.growth: expected 10 numbers, one a kind of work, got 9"),
        ({"growth": (5.0,) * 10}, "world.growth = 5.0: expected a number from -0.5 to 1"),
        ({"price_noise": float("nan")}, "world.price_noise = nan: expected a number from 0 to 3"),
        ({"growth_scale": 7}, "world.growth_scale = 7: expected a number from -3 to 3"),
    ],
)
def test_messages(changes, message):
    with pytest.raises(ConfigError) as caught:
        replace(WorldSettings(), **changes)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_world_scales_in_rows_and_people():
    large = scaled(WorldSettings(), 10)
    assert (large.postings, large.sessions, large.users) == (32_000, 32_000, 3000)
    assert replace(large, postings=3200, sessions=3200, users=300) == WorldSettings()
    with pytest.raises(ConfigError, match=r"world\.scale = 0"):
        scaled(WorldSettings(), 0)


def test_settings_are_recorded_whole():
    assert WorldSettings(**as_record(WorldSettings(postings=77))) == WorldSettings(postings=77)


@given(st.floats(-0.8, 1.5))
def test_scope_shares_reach_any_lift(lift):
    shares = model.scope_shares(lift)
    effects = model.SIZE_EFFECTS[:, None] + model.COMPLEXITY_EFFECTS[None, :]
    assert shares.min() >= 0
    assert shares.sum() == pytest.approx(1)
    assert float((shares * effects).sum()) == pytest.approx(model.scope_mean() + lift, abs=1e-9)


def test_growth_that_no_scope_can_carry_is_refused():
    with pytest.raises(ConfigError, match=r"a lift of 5\.00 log points is out of reach"):
        model.scope_shares(5.0)


def test_market_effects_average_to_nothing():
    from valuation.simulation.postings import MARKET_EFFECTS, MARKET_SHARES

    assert float(MARKET_EFFECTS @ MARKET_SHARES) == pytest.approx(0, abs=1e-12)
    for shares in (model.DOMAIN_SHARES, model.SIZE_SHARES, model.COMPLEXITY_SHARES, MARKET_SHARES):
        assert float(np.sum(shares)) == pytest.approx(1)

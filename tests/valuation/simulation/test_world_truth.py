"""The truth agrees with the rows, and the rows with what the settings promise."""

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from valuation.errors import ConfigError
from valuation.simulation import model
from valuation.simulation.postings import MARKET_EFFECTS, MARKETS
from valuation.simulation.prices import SIGNS, USD_PER, fixed_budget, human
from valuation.simulation.settings import KIND_NAMES, WorldSettings, scaled
from valuation.simulation.truth import bennet
from valuation.simulation.world import simulate_world


@pytest.fixture(scope="module")
def world():
    return simulate_world(WorldSettings(), seed=11)


@pytest.fixture(scope="module")
def large():
    return simulate_world(scaled(WorldSettings(), 3), seed=5)


def effect(frame, column, names, effects):
    return frame[column].map(dict(zip(names, effects, strict=True))).to_numpy(float)


def f_of(frame):
    """The true log value, from the published tables alone."""
    return (
        model.BASE
        + effect(frame, "kind", KIND_NAMES, model.KIND_EFFECTS)
        + effect(frame, "domain", model.DOMAIN_NAMES, model.DOMAIN_EFFECTS)
        + effect(frame, "size", model.SIZE_NAMES, model.SIZE_EFFECTS)
        + effect(frame, "complexity", model.COMPLEXITY_NAMES, model.COMPLEXITY_EFFECTS)
        + model.URGENT_EFFECT * frame["urgent"].to_numpy(float)
    )


def test_every_row_has_its_true_value(world):
    sessions = world.truth.sessions
    work = sessions[sessions["matchable"]]
    assert work["log_value"].to_numpy() == pytest.approx(f_of(work), abs=1e-12)
    assert sessions.loc[~sessions["matchable"], "log_value"].isna().all()
    postings = world.truth.postings
    market = effect(postings, "market", MARKETS, MARKET_EFFECTS)
    assert postings["log_price_mean"].to_numpy() == pytest.approx(f_of(postings) + market, abs=1e-12)


def test_series_growth_and_parts_come_from_the_rows(world):
    truth = world.truth
    work = truth.sessions[truth.sessions["matchable"]]
    means = work.groupby("month")["log_value"].mean()
    assert truth.series["log_value"].to_numpy() == pytest.approx(means.to_numpy(), abs=1e-12)
    change = means.iloc[-1] - means.iloc[0]
    growth = truth.growth.set_index("kind")["growth"]
    assert np.log1p(growth[""]) == pytest.approx(change, abs=1e-12)
    fix = work[work["kind"] == "fix"].groupby("month")["log_value"].mean()
    assert np.log1p(growth["fix"]) == pytest.approx(fix.iloc[-1] - fix.iloc[0], abs=1e-12)
    parts = truth.decomposition[truth.decomposition["kind"] == ""].set_index("term")["estimate"]
    assert parts["within"] + parts["mix"] == pytest.approx(change, abs=1e-9)
    assert parts["total"] == pytest.approx(change, abs=1e-9)
    kinds = truth.decomposition[truth.decomposition["kind"] != ""].pivot(
        index="kind", columns="term", values="estimate"
    )
    assert kinds.sum()["within"] == pytest.approx(parts["within"], abs=1e-12)
    assert kinds.sum()["mix"] == pytest.approx(parts["mix"], abs=1e-12)


def test_shares_are_within_binomial_error(large):
    kinds = large.truth.kinds
    n = kinds.groupby("month")["n_sessions"].transform("sum")
    p = kinds["expected_share"]
    z = (kinds["share"] - p) / np.sqrt(p * (1 - p) / n)
    assert z.abs().max() < 4.2  # 70 cells
    assert 0.75 < z.std() < 1.25  # too exact would be as wrong as too far
    series = large.truth.series
    q = series["expected_matchable_share"]
    z = (series["matchable_share"] - q) / np.sqrt(q * (1 - q) / series["n_sessions"])
    assert z.abs().max() < 3.5
    assert (series["expected_matchable_share"].diff().dropna() < 0).all()


def test_means_are_within_sampling_error_of_what_is_expected(large):
    sessions = large.truth.sessions
    kinds = large.truth.kinds
    work = sessions[sessions["matchable"]].assign(log_value=lambda d: d["log_value"].astype(float))
    sd = work["log_value"].std()
    z = (kinds["log_value"] - kinds["expected_log_value"]) / (sd / np.sqrt(kinds["n_sessions"]))
    assert z.abs().max() < 4.2
    assert 0.7 < z.std() < 1.3


def test_expected_growth_is_the_settings_growth(world):
    growth = world.truth.growth.set_index("kind")["expected_growth"]
    for kind, wanted in zip(KIND_NAMES, WorldSettings().growth, strict=True):
        assert growth[kind] == pytest.approx(wanted, abs=1e-9)
    assert 0.25 < growth[""] < 0.35


@pytest.mark.parametrize("scale", [-1.0, 0.0, 2.0])
def test_growth_scale_multiplies_log_growth_within_kinds(scale):
    one = simulate_world(WorldSettings(), seed=3).truth
    other = simulate_world(WorldSettings(growth_scale=scale), seed=3).truth
    first = np.log1p(one.growth.set_index("kind")["expected_growth"])
    second = np.log1p(other.growth.set_index("kind")["expected_growth"])
    assert second[list(KIND_NAMES)].to_numpy() == pytest.approx(scale * first[list(KIND_NAMES)].to_numpy(), abs=1e-9)
    base = one.series["expected_log_value"].iloc[0]
    assert other.series["expected_log_value"].iloc[0] == pytest.approx(base, abs=1e-12)
    within = one.decomposition.query("kind == '' and term == 'within'")["expected"].item()
    scaled_within = other.decomposition.query("kind == '' and term == 'within'")["expected"].item()
    assert scaled_within == pytest.approx(scale * within, abs=1e-9)


def test_settings_of_sessions_leave_the_postings_alone():
    one = simulate_world(WorldSettings(), seed=3)
    other = simulate_world(WorldSettings(growth_scale=2.0, users=200), seed=3)
    pd.testing.assert_frame_equal(one.postings, other.postings)
    assert not one.sessions["summary"].equals(other.sessions["summary"])


def test_prices_scatter_about_their_mean_as_told(large):
    postings = large.truth.postings
    fixed = postings[~postings["hourly"] & (postings["repost_of"] == "")]
    error = fixed["log_price"] - fixed["log_price_mean"]
    assert abs(error.mean()) < 4 * error.std() / np.sqrt(len(error) / 2)  # clients share a part of it
    assert error.std() == pytest.approx(WorldSettings().price_noise, rel=0.05)
    assert (fixed["log_price"] < np.log(10)).mean() < 0.01  # hardly any falls out of the default basket
    assert (fixed["log_price"] > np.log(50_000)).mean() < 0.01


def test_attributes_explain_about_half_of_the_price(world):
    postings = world.truth.postings[~world.truth.postings["hourly"]]
    share = np.corrcoef(postings["log_price_mean"], postings["log_price"])[0, 1] ** 2
    assert 0.45 < share < 0.62


def read_amounts(budget):
    sign = next(currency for currency, symbol in SIGNS.items() if symbol in budget)
    return sign, [float(number.replace(",", "")) for number in re.findall(r"[\d,]+(?:\.\d+)?", budget)]


def test_the_budget_as_typed_means_the_true_price(world):
    sound = world.postings.set_index("job_ref")
    for row in world.truth.postings.iloc[::7].itertuples():
        budget = sound.loc[row.job_ref, "budget"]
        if not isinstance(budget, str) or not world.postings["job_ref"].eq(row.job_ref).sum() == 1:
            continue
        currency, amounts = read_amounts(budget)
        assert row.log_price == pytest.approx(np.mean(np.log([amounts[0], amounts[-1]])) + np.log(USD_PER[currency]))
        assert budget.endswith(" /hr") == row.hourly


@given(st.floats(0.01, 1e6))
def test_human_amounts_are_near_and_stay(amount):
    rounded = human(amount)
    assert abs(np.log(rounded / amount)) < 0.15
    assert human(rounded) == rounded


def test_budgets_are_typed_like_people_type_them():
    assert fixed_budget(np.log(247.0), "USD", 0.0) == ("$250", pytest.approx(np.log(250)))
    assert fixed_budget(np.log(1500.0), "USD", 0.0)[0] == "$1,500"
    typed, meant = fixed_budget(np.log(116.0), "EUR", 0.35)
    assert typed == "€70 - €150"
    assert meant == pytest.approx(np.log(np.sqrt(70 * 150) * 1.16))


def test_people_are_many_and_unequal(world):
    sessions = world.truth.sessions
    counts = sessions["user"].value_counts()
    assert len(counts) == 300
    assert counts.iloc[:30].sum() / counts.sum() > 0.35
    months = sessions.groupby("user")["month"].nunique()
    assert (months == 7).mean() > 0.1
    assert (months <= 2).mean() > 0.25
    busy = months[counts.reindex(months.index) >= 15]
    assert (busy <= 3).sum() >= 3  # some come for a short while and do much: chance alone would spread them out


def test_people_prefer_some_kinds_and_domains(world):
    work = world.truth.sessions[world.truth.sessions["matchable"]]
    busy = work.groupby("user").filter(lambda rows: len(rows) >= 15)
    for column in ("kind", "domain"):
        overall = (work[column].value_counts(normalize=True) ** 2).sum()
        own = busy.groupby("user")[column].apply(lambda c: (c.value_counts(normalize=True) ** 2).sum())
        n = busy.groupby("user").size()
        corrected = ((own * n - 1) / (n - 1)).mean()  # unbiased chance that two sessions of one user agree
        assert corrected > 1.2 * overall


def test_postings_have_clients_markets_and_reposts(world):
    truth = world.truth.postings
    settings = world.settings
    assert len(truth) == settings.postings
    assert (truth["repost_of"] != "").sum() == round(settings.reposts * settings.postings)
    raw = world.postings.drop_duplicates("job_ref").set_index("job_ref")
    copies = truth[truth["repost_of"] != ""]
    assert (raw.loc[copies["job_ref"], "client"].to_numpy() == raw.loc[copies["repost_of"], "client"].to_numpy()).all()
    assert (
        raw.loc[copies["job_ref"], "tags"].to_numpy() == raw.loc[copies["repost_of"], "tags"].to_numpy()
    ).mean() > 0.97
    assert truth["market"].value_counts(normalize=True).loc[list(MARKETS)].to_numpy() == pytest.approx(
        [0.5, 0.3, 0.2], abs=0.04
    )
    assert truth["hourly"].mean() == pytest.approx(settings.hourly, abs=0.025)
    assert sorted(truth["month"].unique())[0] == "2025-08" and sorted(truth["month"].unique())[-1] == "2026-07"
    assert raw["budget"].str.contains("€|£").mean() == pytest.approx(settings.foreign, abs=0.03)
    assert raw["client"].value_counts().gt(1).sum() > 300


@given(
    arrays(float, (2, 4), elements=st.floats(0.01, 1)),
    arrays(float, (2, 4), elements=st.floats(-3, 3)),
    st.sets(st.tuples(st.integers(0, 1), st.integers(0, 3)), max_size=2),
)
def test_mix_and_within_add_up_also_with_absent_groups(weights, values, absent):
    weights, values = weights.copy(), values.copy()
    for month, group in absent:
        if not np.isnan(values[1 - month, group]):
            weights[month, group], values[month, group] = 0.0, np.nan
    shares = weights / weights.sum(axis=1, keepdims=True)
    overall = (shares * np.nan_to_num(values)).sum(axis=1)
    parts = bennet(shares, values)
    assert parts[:, 2].sum() == pytest.approx(overall[1] - overall[0], abs=1e-9)
    for _, group in absent:
        assert parts[group, 0] == pytest.approx(0, abs=1e-12)


def test_within_is_what_values_add_at_average_shares():
    shares = np.array([[0.6, 0.4], [0.2, 0.8]])
    values = np.array([[1.0, 2.0], [1.5, 2.0]])
    assert bennet(shares, values).tolist() == [
        pytest.approx([0.2, 0.16, 0.36]),
        pytest.approx([0.0, 0.14, 0.14]),
    ]


@pytest.mark.parametrize("seed", [-1, 1.5, True])
def test_a_bad_seed_is_refused(seed):
    with pytest.raises(ConfigError, match="expected a whole number, 0 or more"):
        simulate_world(WorldSettings(), seed=seed)


def test_within_needs_no_price_noise():
    quiet = simulate_world(replace(WorldSettings(), price_noise=0.0), seed=2).truth.postings
    fixed = quiet[~quiet["hourly"]]
    assert (fixed["log_price"] - fixed["log_price_mean"]).abs().max() < 0.2  # rounding to human prices alone

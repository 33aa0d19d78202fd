"""The tables of what moved, from runs on simulated worlds: identities between them and with the other tables."""

import json

import numpy as np
import pandas as pd
import pytest

from valuation.core.index_numbers import METHODS
from valuation.pipeline.time_dummies import NOT_LINKED, covariate_sets
from valuation.storage import read_sessions
from valuation.tables import (
    Decomposition,
    Growth,
    IndexNumbers,
    People,
    PriceVolume,
    SeriesTable,
    TimeDummies,
    Values,
    read_table,
)  # fmt: skip
from valuation.workspace import Workspace

SCHEMAS = {
    "decomposition": Decomposition, "decomposition_monthly": Decomposition, "growth": Growth,
    "index_numbers": IndexNumbers, "people": People, "price_volume": PriceVolume, "series": SeriesTable,
    "time_dummies": TimeDummies, "values": Values,
}  # fmt: skip


def tables_of(folder):
    return {name: read_table(folder / f"{name}.parquet", schema) for name, schema in SCHEMAS.items()}


@pytest.fixture(scope="module")
def tables(work):
    return tables_of(work.run_folder())


@pytest.fixture(scope="module")
def log_growth(tables):
    growth = tables["growth"].query("group_by == '' and statistic == 'mean_log' and pricer == 'matching'")
    row = growth[(growth["variation"] == "both") & ~growth["from_month"].str.contains("+", regex=False)].iloc[0]
    return np.log1p(row[["growth", "lower", "upper"]].astype(float))


def whole(frame, term="total"):
    return frame[(frame["group"] == "") & (frame["term"] == term)].set_index(["from_month", "to_month"])


def test_the_total_is_growth_and_terms_add_up(tables, log_growth):
    total = whole(tables["decomposition"])
    assert len(total) == 1
    np.testing.assert_allclose(total[["estimate", "lower", "upper"]].iloc[0], log_growth, atol=1e-9)
    for frame in (tables["decomposition"], tables["decomposition_monthly"]):
        wide = frame.pivot_table(index=["from_month", "group"], columns="term", values="estimate")
        np.testing.assert_allclose(wide["within"] + wide["mix"], wide["total"], atol=1e-9)
        groups = wide[wide.index.get_level_values("group") != ""].groupby("from_month").sum()
        np.testing.assert_allclose(groups, wide.xs("", level="group").loc[groups.index], atol=1e-9)


def test_months_chain_to_the_whole(tables):
    total, steps = whole(tables["decomposition"]), whole(tables["decomposition_monthly"])
    first, last = total.index[0]
    months = [pair[0] for pair in steps.index] + [steps.index[-1][1]]
    assert (months[0], months[-1]) == (first, last) and months == sorted(months) and len(months) > 2
    assert steps["estimate"].sum() == pytest.approx(total["estimate"].iloc[0], abs=1e-9)


def test_index_numbers_agree_with_the_decomposition(tables):
    found, within = tables["index_numbers"], whole(tables["decomposition"], "within").iloc[0]
    assert set(found["method"]) == {*METHODS, "geks_tornqvist"}
    last = found[found["month"] == found["month"].max()].set_index(["method", "comparison"])
    row = last.loc[("within", "direct")]
    for column, part in (("index_number", "estimate"), ("lower", "lower"), ("upper", "upper")):
        assert np.log(row[column] / 100) == pytest.approx(within[part], abs=1e-9)
    if row["covered_share"] == pytest.approx(1):
        pair = [last.loc[(name, "direct"), "index_number"] for name in ("geometric_laspeyres", "geometric_paasche")]
        assert np.sqrt(np.prod(pair)) == pytest.approx(row["index_number"], abs=1e-9)
    drift = 100 * last.xs("chained", level=1)["index_number"] / last.xs("direct", level=1)["index_number"]
    shown = last.xs("drift", level=1)["index_number"]
    np.testing.assert_allclose(shown, drift.loc[shown.index], rtol=1e-12)
    drifts = found["comparison"] == "drift"
    assert found.loc[drifts, ["lower", "upper"]].isna().all().all() and found.loc[~drifts, "lower"].notna().all()
    base = found[(found["month"] == found["base_month"]) & ~drifts]
    assert (base[["index_number", "lower", "upper"]] == 100).all().all()


def test_index_numbers_by_hand_from_the_series(tables):
    """Laspeyres and Paasche from the published cells: matched sessions are shares, values are prices."""
    series = tables["series"].query("group_by == 'kind' and statistic == 'mean_log' and pricer == 'matching'")
    found = tables["index_numbers"].query("comparison == 'direct'").set_index(["method", "month"])
    first, last = found["base_month"].iloc[0], found.index.get_level_values("month").max()
    at = {month: series[series["month"] == month].set_index("group") for month in (first, last)}
    both = at[first].index.intersection(at[last].index)
    price, count = ({month: part.loc[both, column] for month, part in at.items()} for column in ("value", "n_matched"))
    laspeyres = (count[first] * price[last]).sum() / (count[first] * price[first]).sum()
    paasche = (count[last] * price[last]).sum() / (count[last] * price[first]).sum()
    assert found.loc[("laspeyres", last), "index_number"] == pytest.approx(100 * laspeyres)
    assert found.loc[("paasche", last), "index_number"] == pytest.approx(100 * paasche)
    assert found.loc[("fisher", last), "index_number"] == pytest.approx(100 * np.sqrt(laspeyres * paasche))
    covered = min(part.loc[both, "n_matched"].sum() / part["n_matched"].sum() for part in at.values())
    assert found.loc[("fisher", last), ["n_groups", "covered_share"]].tolist() == pytest.approx([len(both), covered])


def test_time_dummies_without_columns_are_growth(tables, log_growth):
    alone = tables["time_dummies"].query("covariates == ''")
    np.testing.assert_allclose(alone[["estimate", "lower", "upper"]].iloc[-1], log_growth, atol=1e-9)
    held = tables["time_dummies"].query("covariates == 'kind'")
    assert held["month"].tolist() == alone["month"].tolist()
    assert held["reason"].isna().all() and (held["standard_error"] > held["clustered_error"] / 1.05).all()


def test_time_dummies_are_least_squares_on_the_values_table(work, tables):
    values, held = tables["values"], tables["time_dummies"].query("covariates == 'kind'").set_index("month")
    kind = read_sessions(work.layout)["kind"].astype("str").fillna("(missing)")
    first = tables["index_numbers"]["base_month"].iloc[0]
    inside = values["matched"] & values["month"].isin([first, *held.index])
    design = pd.get_dummies(pd.DataFrame({"m": values["month"], "k": kind})[inside], dtype=float)
    root = np.sqrt(values.loc[inside, "weight"].to_numpy())
    found = np.linalg.lstsq(
        design.to_numpy() * root[:, None], values.loc[inside, "log_value"].to_numpy() * root, rcond=None
    )[0]
    effect = dict(zip(design.columns, found, strict=True))
    for month, row in held.iterrows():
        assert row["estimate"] == pytest.approx(effect[f"m_{month}"] - effect[f"m_{first}"], abs=1e-8)


def test_people_add_up(work, tables, log_growth):
    found = tables["people"].set_index(["who", "measure", "from_month", "to_month"])["estimate"]
    first, last = (tables["people"][column].iloc[-1] for column in ("from_month", "to_month"))
    contributions = [found[who, "contribution", first, last] for who in ("stayers", "entrants", "leavers")]
    assert sum(contributions) == pytest.approx(log_growth["growth"], abs=1e-9)
    everyone = tables["people"].query("who == 'all' and measure == 'log_growth'").iloc[0]
    np.testing.assert_allclose(everyone[["estimate", "lower", "upper"]].astype(float), log_growth, atol=1e-9)
    for month in (first, last):
        parts = [found["all", name, month, month] for name in ("sessions_per_user", "value_per_session")]
        assert np.prod(parts) == pytest.approx(found["all", "value_per_user_month", month, month])
    assert found["all", "log_growth_per_user_month", first, last] == pytest.approx(
        found["all", "log_growth", first, last] + found["all", "log_growth_sessions_per_user", first, last]
    )
    sessions, matched = read_sessions(work.layout), tables["values"]["matched"].to_numpy()
    user = sessions["user_id"].fillna("session:" + sessions["session_id"])
    months = {month: set(user[matched & (sessions["month"] == month)]) for month in (first, last)}
    assert found["all", "users", first, first] == len(months[first])
    assert found["stayers", "users", last, last] == len(months[first] & months[last])
    assert found["entrants", "users", last, last] == len(months[last] - months[first])
    assert found["leavers", "users", first, first] == len(months[first] - months[last])


def test_people_below_the_disclosure_minimum_are_marked(tables):
    people = tables["people"]
    stayers = people[(people["who"] == "stayers") & (people["measure"] == "users")].iloc[0]
    assert stayers["lower"] != stayers["lower"]  # a count has no interval
    assert (people["n_sessions"] >= 15).where(~people["suppressed"], True).all()
    few = people["who"].map(people[people["measure"] == "users"].groupby("who")["n_users"].min()) < 5
    assert people.loc[few, "suppressed"].all()


def test_too_few_postings_of_the_months_is_said(tables):
    found = tables["price_volume"]
    assert found["term"].tolist() == ["nominal", "price", "volume", "lowe_from", "lowe_to"]
    assert found[["estimate", "lower", "upper"]].isna().all().all()
    assert (
        found["reason"]
        .str.match(r"a month needs 500 effective postings of the base month's sources; 2026-0\d has \d+")
        .all()
    )


def test_sets_of_columns():
    assert covariate_sets(()) == [()]
    assert covariate_sets(("kind",)) == [(), (0,)]
    assert covariate_sets(("kind", "agent", "kind x agent")) == [(), (0,), (1,), (2,), (0, 1)]


@pytest.fixture(scope="module")
def dense(tmp_path_factory, fast):
    """Two months of sessions in which each month has enough postings to price alone."""
    from valuation.imports import import_postings, import_sessions
    from valuation.simulation import WorldSettings, simulate_world, write_world

    settings = WorldSettings(
        postings=2500, sessions=360, users=60, months=2, first_month="2026-01", postings_from="2026-01",
        posting_months=2, rows_per_fault=0, unmatched_start=0.0, unmatched_end=0.0,
    )  # fmt: skip
    files = write_world(simulate_world(settings, seed=7), tmp_path_factory.mktemp("dense-world"))
    root = tmp_path_factory.mktemp("dense") / "work"
    work = Workspace.create(root)
    for which, bring in (("postings", import_postings), ("sessions", import_sessions)):
        path, mapping = str(getattr(files, which)), getattr(files, f"{which}_map")
        bring(work.layout, [path], settings=work.settings, mapping=mapping, dry_run=False)
    work = Workspace(root, overrides=[*fast, "series.group_by=kind,kind x tool", "pricing.calibrate=true"])
    work.run()
    return work


@pytest.mark.slow
def test_price_and_volume_add_up_to_nominal(dense):
    found = tables_of(dense.run_folder())["price_volume"].set_index("term")
    assert found["reason"].isna().all() and (found[["postings_from", "postings_to"]] >= 500).all().all()
    estimate = found["estimate"]
    assert estimate["price"] + estimate["volume"] == pytest.approx(estimate["nominal"], abs=1e-9)
    assert 0.5 * (estimate["lowe_from"] + estimate["lowe_to"]) == pytest.approx(estimate["price"], abs=1e-9)
    assert (found["lower"] < estimate).all() and (estimate < found["upper"]).all()
    assert found.loc["price", "lower"] < 0 < found.loc["price", "upper"]  # prices of gigs do not move in this world


@pytest.mark.slow
def test_identities_hold_with_calibration_and_crossed_columns(dense):
    tables = tables_of(dense.run_folder())
    total = whole(tables["decomposition"])
    assert len(total) == 2 and total["estimate"].iloc[0] == pytest.approx(total["estimate"].iloc[1], abs=1e-9)
    people = tables["people"]
    everyone = people[(people["who"] == "all") & (people["measure"] == "log_growth")].iloc[0]
    alone = tables["time_dummies"].query("covariates == ''").iloc[-1]
    for part in ("estimate", "lower", "upper"):
        assert everyone[part] == pytest.approx(total[part].iloc[0], abs=1e-9)
        assert alone[part] == pytest.approx(total[part].iloc[0], abs=1e-9)
    assert people.loc[people["measure"] == "contribution", "estimate"].sum() == pytest.approx(
        total["estimate"].iloc[0], abs=1e-9
    )
    assert tables["time_dummies"]["covariates"].unique().tolist() == ["", "kind", "kind x tool"]
    manifest = json.loads((dense.run_folder() / "manifest.json").read_text())
    assert manifest["settings"]["series"]["group_by"] == ["kind", "kind x tool"]
    unlinked = tables["time_dummies"]["estimate"].isna()
    assert (tables["time_dummies"].loc[unlinked, "reason"] == NOT_LINKED).all()

from __future__ import annotations

import json
import math
import shutil
from datetime import datetime

import numpy as np
import pandas as pd
import pytest

from tests.valuation.audit.conftest import at, prices_by
from valuation.audit.counts import after_figures
from valuation.audit.opening import open_audit
from valuation.errors import InputError, ThinMatchError
from valuation.verdicts import Entry, open_log, review_url
from valuation.workspace import Workspace


@pytest.fixture
def drawn(home):
    home.audit_draw(per_month=20, name="a", double_share=0.2)
    return open_audit(home.layout)


def theta(audit, h, *, matched_only=True):
    """θ^H by month and λ, straight from the formula, in loops."""
    frame = audit.frame[audit.frame["matched"]] if matched_only else audit.frame
    rows = frame.to_dict("records")
    inside = [one for one in rows if one["sampled"] and one["session_id"] in h]
    n_h, size = {}, {}
    for one in rows:
        size[one["stratum"]] = size.get(one["stratum"], 0) + 1
    for one in inside:
        n_h[one["stratum"]] = n_h.get(one["stratum"], 0) + 1
    assert all(n_h[s] >= min(2, size[s]) for s in size), "a stratum would be joined"
    mean, a = {}, {}
    for month in audit.months:
        values = [one["log_value"] for one in rows if one["month"] == month and one["matched"]]
        mean[month] = sum(values) / len(values)
        total = sum(size[one["stratum"]] / n_h[one["stratum"]] for one in inside if one["month"] == month)
        for one in inside:
            if one["month"] == month:
                a[one["session_id"]] = size[one["stratum"]] / n_h[one["stratum"]] / total
    above = below = 0.0
    for month in audit.months:
        mine = [one for one in inside if one["month"] == month and one["matched"]]
        weight = sum(a[one["session_id"]] for one in mine)
        v_bar = sum(a[one["session_id"]] * one["log_value"] for one in mine) / weight
        h_bar = sum(a[one["session_id"]] * h[one["session_id"]] for one in mine) / weight
        for one in mine:
            share = a[one["session_id"]] / weight
            above += share * (one["log_value"] - v_bar) * (h[one["session_id"]] - h_bar)
            below += share * (one["log_value"] - v_bar) ** 2
    slope = min(max(above / below, 0.0), 1.0)
    found = {}
    for month in audit.months:
        mine = [one for one in inside if one["month"] == month]
        value = {one["session_id"]: one["log_value"] if one["matched"] else mean[month] for one in mine}
        found[month] = slope * mean[month] + sum(a[s] * (h[s] - slope * value[s]) for s in value)
    return found, slope


def test_levels_and_growth_are_those_of_the_formula(home, drawn, brought, truth):
    rows = prices_by(truth, list(drawn.wanted), noise=0.5)
    brought(home, "a", rows)
    h = dict(zip(rows["session_id"], np.log(rows["price_usd"]), strict=True))
    result = home.audit_estimate()
    expected, slope = theta(drawn, h)
    assert result.power == pytest.approx(slope, rel=1e-9)
    for level in result.audited.months:
        assert level.value == pytest.approx(math.exp(expected[level.month]), rel=1e-9)
        assert level.lower < level.value < level.upper
    first, last = (expected[month] for month in drawn.months)
    assert result.audited.growth.growth == pytest.approx(math.expm1(last - first), rel=1e-9)
    assert result.audited.growth.lower < result.audited.growth.growth < result.audited.growth.upper
    everyone, _ = theta(drawn, h, matched_only=False)
    assert [one.value for one in result.audited_all.months] == pytest.approx(
        [math.exp(one) for one in everyone.values()]
    )
    assert [one.n_sessions for one in result.audited_all.months] == drawn.frame.groupby("month").size().tolist()
    matched = set(drawn.frame.loc[drawn.frame["matched"], "session_id"]) & set(drawn.wanted)
    assert sum(one.n_audited for one in result.audited.months) == len(matched)


@pytest.mark.slow
def test_plain_is_the_runs_own_and_users_alone_stand_beside_it(home, drawn, brought, truth):
    brought(home, "a", prices_by(truth, list(drawn.wanted)))
    result = home.audit_estimate("a")
    folder = home.run_folder()
    series = pd.read_parquet(folder / "series.parquet").query("group_by == '' and statistic == 'mean_log'")
    series = series[series["pricer"] == "matching"].set_index("month")
    growth = pd.read_parquet(folder / "growth.parquet").query("group_by == '' and statistic == 'mean_log'")
    growth = growth[(growth["pricer"] == "matching") & ~growth["from_month"].str.contains("+", regex=False)]
    both = growth[growth["variation"] == "both"].iloc[0]
    for level, users in zip(result.plain.months, result.plain_users.months, strict=True):
        row = series.loc[level.month]
        assert (level.value, level.lower, level.upper) == (row["value"], row["value_lower"], row["value_upper"])
        assert (level.n_sessions, level.n_audited, users.n_sessions) == (row["n_matched"], None, row["n_matched"])
        assert users.value == pytest.approx(row["value"], rel=1e-9)
        assert users.lower < users.value < users.upper
    assert (result.plain.growth.growth, result.plain.growth.lower) == (both["growth"], both["lower"])
    assert result.plain_users.growth.growth == pytest.approx(both["growth"], rel=1e-9)
    users = growth[growth["variation"] == "users"].iloc[0]
    width = math.log1p(users["upper"]) - math.log1p(users["lower"])
    ours = math.log1p(result.plain_users.growth.upper) - math.log1p(result.plain_users.growth.lower)
    assert ours == pytest.approx(width, rel=0.15)


@pytest.mark.slow
def test_gigs_come_before_prices_and_duplicates_count_once(home, drawn, brought, truth):
    matches = pd.read_parquet(home.run_folder() / "matches.parquet").sort_values(["session_id", "rank"])
    rows = prices_by(truth, list(drawn.wanted))
    brought(home, "a", rows)
    session = next(one for one in drawn.wanted if one in set(matches["session_id"]))
    near = matches[matches["session_id"] == session].head(3)
    gigs = (
        rows[rows["session_id"] == session]
        .iloc[[0, 0]]
        .assign(posting_id=near["posting_id"].to_list()[:2], price_usd=None, decided_at=at(500))
    )
    brought(home, "a", gigs, name="gigs.csv")
    h = dict(zip(rows["session_id"], np.log(rows["price_usd"]), strict=True))
    h[session] = near["log_price"].head(2).mean()
    expected, _ = theta(drawn, h)
    result = home.audit_estimate()
    assert [one.value for one in result.audited.months] == pytest.approx([math.exp(one) for one in expected.values()])
    assert (result.counts.by_gigs, result.counts.by_price) == (1, len(rows) - 1)


@pytest.mark.slow
def test_a_member_of_a_cluster_has_its_clusters_price(home, drawn, brought, truth):
    manifest = json.loads((home.run_folder() / "manifest.json").read_text())
    folder = home.layout.indices / manifest["basket_id"]
    members = pd.read_parquet(folder / "members.parquet")
    basket = pd.read_parquet(folder / "basket.parquet")
    other = members[~members["posting_id"].isin(basket["posting_id"])].iloc[0]  # not the one in the index
    brought(home, "a", prices_by(truth, list(drawn.wanted)))
    session = next(iter(drawn.wanted))
    row = prices_by(truth, [session]).assign(
        verdict="cant_say", better_posting_id=other["posting_id"], decided_at=at(900)
    )
    brought(home, "a", row, name="better.csv")
    log_price = basket.set_index("cluster_id").loc[other["cluster_id"], "log_price"]
    rows = prices_by(truth, list(drawn.wanted))
    h = dict(zip(rows["session_id"], np.log(rows["price_usd"]), strict=True)) | {session: log_price}
    expected, _ = theta(drawn, h, matched_only=False)
    result = home.audit_estimate()
    assert [one.value for one in result.audited_all.months] == pytest.approx(
        [math.exp(one) for one in expected.values()]
    )


def test_undone_verdicts_do_not_count_and_adjudications_do(home, drawn, brought, truth):
    rows = prices_by(truth, list(drawn.wanted))
    brought(home, "a", rows)
    before = home.audit_estimate()
    last = list(drawn.wanted)[-1]
    log = open_log(review_url(home.layout, home.settings))
    undone = log.undo(analyst="Ada", audit_id="a", token="u", decided_at=pd.Timestamp("2026-07-02").to_pydatetime())
    log.close()
    assert undone.entry.session_id == last
    after = home.audit_estimate()
    assert (before.counts.sessions, after.counts.sessions) == (len(rows), len(rows) - 1)
    settled = prices_by(truth + 3.0, [last])
    brought(home, "a", settled, name="s.csv", adjudicated=True)
    h = dict(zip(rows["session_id"], np.log(rows["price_usd"]), strict=True))
    h[last] = truth[last] + 3.0
    expected, _ = theta(drawn, h, matched_only=False)
    result = home.audit_estimate()
    assert [one.value for one in result.audited_all.months] == pytest.approx(
        [math.exp(one) for one in expected.values()]
    )
    assert (result.counts.settled, result.counts.sessions) == (1, len(rows))
    without = home.audit_estimate(settled_first=False)
    assert without.audited == after.audited
    assert (without.counts.settled, without.left_out) == (0, {"adjudications": 1, "after_figures": 0})
    assert "left out as asked: 1 adjudications" in without.text() and "left out" not in result.text()


def test_verdicts_after_figures_can_be_left_out(home, drawn, brought, truth):
    first, second = list(drawn.wanted)[:-1], list(drawn.wanted)[-1]
    brought(home, "a", prices_by(truth, first))
    before = home.audit_estimate()
    log = open_log(review_url(home.layout, home.settings))
    how = {"session_id": second, "analyst": "Bo", "decided_at": datetime(2026, 7, 3), "audit_id": "a",
           "run_id": drawn.run_id, "settings_hash": drawn.settings_hash, "verdict": "session_larger"}  # fmt: skip
    log.append(Entry(token="t", price_usd=9_000.0, origin="page", blind=False, **how))
    log.close()
    everyone, blind = home.audit_estimate(), home.audit_estimate(blind_only=True)
    assert blind.audited == before.audited != everyone.audited
    assert (everyone.counts.not_blind, blind.counts.not_blind) == (1, 0)
    assert blind.left_out == {"adjudications": 0, "after_figures": 1}
    assert json.loads((blind.folder / "estimate.json").read_text())["left_out"]["after_figures"] == 1
    with pytest.raises(ThinMatchError, match="none is left: 1 verdicts given after figures were seen were left out"):
        _nothing_else(home, how)


def _nothing_else(home, how):
    home.audit_draw(per_month=20, name="b")
    log = open_log(review_url(home.layout, home.settings))
    session = next(iter(open_audit(home.layout, "b").wanted))
    log.append(Entry(token="u", price_usd=9.0, origin="page", **(how | {"audit_id": "b", "session_id": session})))
    log.close()
    home.audit_estimate("b", blind_only=True)


@pytest.mark.slow
def test_non_response_is_counted_by_month_with_bounds(home, drawn, brought, truth):
    rows = prices_by(truth, list(drawn.wanted), noise=0.3)
    silent = [one for at_, one in enumerate(drawn.wanted) if at_ % 5 == 0]
    rows.loc[rows["session_id"].isin(silent), ["price_usd", "verdict"]] = [None, "cant_say"]
    brought(home, "a", rows)
    result = home.audit_estimate()
    frame = drawn.frame.query("matched and sampled")
    for one in result.response:
        mine = frame[frame["month"] == one.month]
        quiet = mine["session_id"].isin(silent).sum()
        assert (one.drawn, one.judged, one.answered) == (len(mine), len(mine), len(mine) - quiet)
        assert one.users == mine.loc[~mine["session_id"].isin(silent), "user"].nunique()
        assert one.rate == pytest.approx(1 - quiet / len(mine))
        level = next(level for level in result.audited.months if level.month == one.month)
        assert one.lower_bound < level.value < one.upper_bound
    assert result.counts.no_response == len(silent)
    low, high = result.growth_bounds
    assert low < result.audited.growth.growth < high


def test_precision_with_design_weights(home, drawn, brought):
    matches = pd.read_parquet(home.run_folder() / "matches.parquet")
    near = matches[matches["session_id"].isin(drawn.wanted) & (matches["rank"] <= 2)].reset_index(drop=True)
    said = ["comparable", "wrong_kind", "cant_say", "comparable", "session_larger"]
    rows = [
        {"session_id": one.session_id, "posting_id": one.posting_id, "verdict": said[place % 5], "analyst": "Ada",
         "decided_at": at(place)}
        for place, one in enumerate(near.itertuples())
    ]  # fmt: skip
    brought(home, "a", rows)
    result = home.audit_estimate()
    weight = (1 / drawn.sample.set_index("session_id")["inclusion_probability"])[near["session_id"]].to_numpy()
    verdict = np.array([row["verdict"] for row in rows])
    yes, open_ = verdict == "comparable", verdict == "cant_say"
    assert result.precision.estimate == pytest.approx(weight[yes].sum() / weight[~open_].sum())
    assert result.precision.lower_bound == pytest.approx(weight[yes].sum() / weight.sum())
    assert result.precision.upper_bound == pytest.approx(weight[yes | open_].sum() / weight.sum())
    assert 0 < result.precision.lower < result.precision.estimate < result.precision.upper < 1
    table = result.precision_table
    assert table.iloc[0][["cell_by", "n_gigs", "n_comparable", "n_cant_say"]].tolist() == [
        "all", int((~open_).sum()), int(yes.sum()), int(open_.sum())
    ]  # fmt: skip
    for cell_by in ("month", "stratum"):
        assert table.loc[table["cell_by"] == cell_by, "n_gigs"].sum() == (~open_).sum()
    strata = drawn.strata.set_index("label")["stratum"]
    of = drawn.sample.set_index("session_id")["stratum"][near["session_id"]].to_numpy()
    for row in table[(table["cell_by"] == "stratum") & (table["n_gigs"] > 0)].to_dict("records"):
        mine = of == strata[row["cell"]]
        assert row["estimate"] == pytest.approx((yes & mine).sum() / (~open_ & mine).sum())


@pytest.mark.slow
def test_precision_is_shown_where_values_are_missing(home, drawn, brought):
    matches = pd.read_parquet(home.run_folder() / "matches.parquet")
    near = matches[matches["session_id"].isin(drawn.wanted) & (matches["rank"] == 1)]
    rows = [
        {"session_id": one.session_id, "posting_id": one.posting_id, "verdict": "wrong_kind", "analyst": "Ada",
         "decided_at": at(0)}
        for one in near.itertuples()
    ]  # fmt: skip
    brought(home, "a", rows)
    result = home.audit_estimate()
    assert result.precision.estimate == 0.0
    assert all(math.isnan(level.value) for level in result.audited.months)
    first, last = drawn.months
    assert (
        f"no audited level of matched sessions: {first} has 0, {last} has 0 with an analyst's value"
        in result.missing[0]
    )
    assert "missing: no audited level" in result.text()
    data = json.loads((result.folder / "estimate.json").read_text())
    assert data["audited"]["months"][0]["value"] is None
    assert data["precision"]["estimate"] == 0.0


@pytest.mark.slow
def test_gigs_on_which_two_differ_count_as_a_half_and_are_told_of(home, drawn, brought):
    matches = pd.read_parquet(home.run_folder() / "matches.parquet")
    near = matches[matches["session_id"].isin(drawn.wanted) & (matches["rank"] <= 2)].reset_index(drop=True)
    rows = [
        {"session_id": one.session_id, "posting_id": one.posting_id, "analyst": who, "decided_at": at(place),
         "verdict": "comparable" if who == "Ada" and place % 3 else "wrong_kind"}
        for place, one in enumerate(near.itertuples())
        for who in ("Ada", "Bo")
    ]  # fmt: skip
    brought(home, "a", rows)
    result = home.audit_estimate()
    differ = np.arange(len(near)) % 3 > 0
    weight = (1 / drawn.sample.set_index("session_id")["inclusion_probability"])[near["session_id"]].to_numpy()
    assert result.precision.estimate == pytest.approx(0.5 * weight[differ].sum() / weight.sum())
    table = result.precision_table
    assert table.iloc[0][["n_gigs", "n_comparable", "n_disagreed"]].tolist() == [len(near), 0, int(differ.sum())]
    assert table.loc[table["cell_by"] == "month", "n_disagreed"].sum() == differ.sum()
    said = (
        f"analysts differ on {differ.sum():,} of {len(near):,} gigs decided, each counted as the share of them who call"
    )
    assert said in " ".join(result.text().split())
    settled = [{**row, "analyst": "Cy", "verdict": "comparable"} for row in rows[2:4]]
    brought(home, "a", settled, name="s.csv", adjudicated=True)
    after = home.audit_estimate()
    assert after.precision.n_disagreed == differ.sum() - 1
    assert after.precision.estimate == pytest.approx((0.5 * weight[differ].sum() + 0.5 * weight[1]) / weight.sum())
    left_out = home.audit_estimate(settled_first=False)
    assert left_out.precision.estimate == pytest.approx(result.precision.estimate)


@pytest.mark.slow
def test_agreement_of_what_two_judged(home, drawn, brought):
    matches = pd.read_parquet(home.run_folder() / "matches.parquet")
    near = matches[matches["session_id"].isin(drawn.wanted) & (matches["rank"] <= 2)].reset_index(drop=True)
    kinds = ["comparable", "wrong_kind", "session_larger", "session_smaller"]
    rows = [
        {"session_id": one.session_id, "posting_id": one.posting_id, "analyst": who, "decided_at": at(place),
         "verdict": kinds[(place + (who == "Bo" and place % 7 == 0)) % 4]}
        for place, one in enumerate(near.itertuples())
        for who in ("Ada", "Bo")
    ]  # fmt: skip
    brought(home, "a", rows)
    table = home.audit_estimate().agreement_table.set_index("measure")
    assert table.loc["alpha_nominal", "n_units"] == len(near)
    share = 1 - len(range(0, len(near), 7)) / len(near)
    assert table.loc["alpha_nominal", "estimate"] == pytest.approx(1 - (1 - share) / 0.75, abs=0.03)
    assert table.loc["alpha_nominal", "lower"] < table.loc["alpha_nominal", "estimate"] < 1
    assert table.loc["cant_say_share", "estimate"] == 0.0


@pytest.mark.slow
def test_verdicts_that_were_not_blind_have_no_part_in_agreement(home, drawn, brought):
    from dataclasses import replace

    matches = pd.read_parquet(home.run_folder() / "matches.parquet")
    near = matches[matches["session_id"].isin(drawn.wanted) & (matches["rank"] == 1)]
    rows = [{"session_id": one.session_id, "posting_id": one.posting_id, "analyst": "Ada", "decided_at": at(0),
             "verdict": "comparable"} for one in near.itertuples()]  # fmt: skip
    brought(home, "a", rows)
    log = open_log(review_url(home.layout, home.settings))
    seen = [one.entry for one in log.standing(audit_id="a")]
    log.append_all([replace(one, analyst="Bo", token=f"b{at_}", origin="page") for at_, one in enumerate(seen)])
    log.close()
    result = home.audit_estimate()
    assert result.agreement_table["n_units"].tolist() == [0] * 5
    assert result.counts.not_blind == len(near)
    assert f"{len(near)} verdicts were given on a page after figures were seen" in " ".join(result.text().split())


@pytest.mark.slow
def test_nothing_judged_says_how_many_are_needed(home, drawn):
    with pytest.raises(ThinMatchError, match="no verdict stands in audit a; at least 2 sessions of each month"):
        home.audit_estimate()
    assert not (drawn.folder / "estimate.json").exists()


@pytest.mark.slow
def test_a_run_that_is_gone(home, drawn):
    shutil.rmtree(home.run_folder())
    with pytest.raises(InputError, match="which is not in the workspace any more"):
        home.audit_estimate("a")


@pytest.mark.slow
def test_gigs_whose_postings_were_deleted_are_said(home, drawn, brought, truth):
    """A basket that retention took, and match rows with it: what is left still counts."""
    rows = prices_by(truth, list(drawn.wanted))
    matches = pd.read_parquet(home.run_folder() / "matches.parquet")
    session = next(one for one in drawn.wanted if one in set(matches["session_id"]))
    near = matches[matches["session_id"] == session].sort_values("rank")["posting_id"].tolist()
    rows = pd.concat([rows, rows[rows["session_id"] == session].assign(posting_id=near[0], price_usd=None)])
    brought(home, "a", rows)
    assert home.audit_estimate().counts.by_gigs == 1
    manifest = json.loads((home.run_folder() / "manifest.json").read_text())
    shutil.rmtree(home.layout.indices / manifest["basket_id"])
    assert home.audit_estimate().counts.by_gigs == 1  # its row of matches still has the price
    matches[matches["posting_id"] != near[0]].to_parquet(home.run_folder() / "matches.parquet", index=False)
    result = home.audit_estimate()
    assert (result.counts.by_gigs, result.counts.withdrawn) == (0, 1)
    assert any("1 accepted gigs have no price any more" in line for line in result.missing)


@pytest.mark.slow
def test_the_files_say_what_the_result_says(home, drawn, brought, truth):
    brought(home, "a", prices_by(truth, list(drawn.wanted), noise=0.3))
    result = home.audit_estimate()
    data = json.loads((result.folder / "estimate.json").read_text())
    assert data["audited"]["growth"]["growth"] == result.audited.growth.growth
    assert data["plain"]["growth"]["growth"] == result.plain.growth.growth
    assert (data["run_id"], data["settings_hash"]) == (drawn.run_id, drawn.settings_hash)
    table = pd.read_parquet(result.folder / "audited.parquet")
    growth = table[table["measure"] == "growth"].set_index("series")["estimate"]
    assert growth["audited"] == result.audited.growth.growth
    assert growth["plain_users"] == result.plain_users.growth.growth
    levels = table[(table["measure"] == "level") & (table["series"] == "audited_all")]
    assert levels["estimate"].tolist() == [one.value for one in result.audited_all.months]
    assert len(table) == 6 * 3
    ratios = table[table["series"] == "audited_over_plain"]
    assert ratios["measure"].tolist() == ["level_ratio", "level_ratio", "growth_ratio"]
    assert ratios[["estimate", "lower", "upper"]].to_numpy() == pytest.approx(
        np.array([(one.ratio, one.lower, one.upper) for one in result.apart])
    )
    counts = table[table["series"] == "audited"][["to_month", "n_sessions", "n_audited"]].to_numpy().tolist()
    assert ratios[["to_month", "n_sessions", "n_audited"]].to_numpy().tolist() == counts
    text = result.text()
    assert max(len(line) for line in text.splitlines()[:-1]) <= 80
    assert text.splitlines()[-2] == f"the run's report shows this after: valuation report {drawn.run_id}"
    again = (result.folder / "estimate.json").read_bytes()
    home.audit_estimate()
    assert (result.folder / "estimate.json").read_bytes() == again


@pytest.mark.parametrize(
    ("entry", "counts"),
    [
        ({}, True), ({"blind": True}, False), ({"origin": "import"}, False), ({"adjudicates": True}, True),
    ],
)  # fmt: skip
def test_what_counts_as_given_after_figures(entry, counts):
    when = datetime(2026, 7, 1)  # noqa: DTZ001 - as in the log
    said = Entry(token="t", session_id="s1", analyst="Ada", decided_at=when, verdict="comparable", **entry)
    assert after_figures(said) == counts


@pytest.mark.slow
def test_the_report_and_exports_show_the_estimate_after(home, drawn, brought, truth, tmp_path):
    before = home.report().read_text()
    assert "What people said" not in before
    brought(home, "a", prices_by(truth, list(drawn.wanted), noise=0.3))
    result = home.audit_estimate()
    assert home.run_folder().joinpath("report.html").read_text() == before, "an estimate does not rewrite it"
    page = home.report().read_text()
    assert "What people said" in page
    value = repr(result.audited.growth.growth)
    assert f'<data value="{value}" data-source="audited:audited,growth,' in page
    assert not any(one in page.split("What people said")[1].split("Why did it move?")[0] for one in drawn.wanted)
    found = home.export(tmp_path / "out", tables=["csv"], figures=[])
    assert "tables/audited.csv" in found.tables and "tables/audit_agreement.csv" in found.tables
    table = pd.read_csv(tmp_path / "out/tables/audited.csv").set_index(["series", "measure", "to_month"])
    assert table.loc[("audited", "growth", drawn.months[1]), "estimate"] == result.audited.growth.growth
    (result.folder / "estimate.json").unlink()
    assert home.report().read_text() == before


@pytest.mark.slow
def test_a_pricer_made_wrong_is_found_out(work, tmp_path, truth, brought):
    """A pricer that adds 60 % to the last month: its interval misses the truth, the audited one holds it."""
    root = tmp_path / "wrong"
    shutil.copytree(work.layout.root, root)
    home = Workspace(root)
    folder = home.run_folder()
    values = pd.read_parquet(folder / "values.parquet")
    growth = pd.read_parquet(folder / "growth.parquet")
    last = growth.iloc[0]["to_month"]
    values.loc[values["month"] == last, "log_value"] += 0.6
    values.to_parquet(folder / "values.parquet", index=False)
    for column in ("growth", "lower", "upper"):
        growth[column] = np.expm1(np.log1p(growth[column]) + 0.6)
    growth.to_parquet(folder / "growth.parquet", index=False)
    home.audit_draw(per_month=60, name="a")
    audit = open_audit(home.layout)
    brought(home, "a", prices_by(truth, list(audit.wanted), noise=0.3, seed=4))
    result = home.audit_estimate()
    matched = audit.frame[audit.frame["matched"]]
    true = truth[matched["session_id"]].groupby(matched["month"].to_numpy()).mean()
    target = math.expm1(true[audit.months[1]] - true[audit.months[0]])
    assert not result.plain.growth.lower < target < result.plain.growth.upper
    assert result.audited.growth.lower < target < result.audited.growth.upper
    assert abs(result.audited.growth.growth - target) < abs(result.plain.growth.growth - target) / 2

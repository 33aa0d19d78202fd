"""``valuation placebo`` on a small world: every placebo speaks, figures can be redone by hand, thin data say so."""

import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from valuation.core.bootstrap import calibration_replicates
from valuation.errors import ThinMatchError
from valuation.evidence import baskets, placebo, tilt_backtest, weights
from valuation.evidence.headline import headline_of
from valuation.evidence.parts import priced_by
from valuation.evidence.readings import readings
from valuation.evidence.shuffles import shuffled
from valuation.pipeline.reopened import reopen
from valuation.progress import Silent
from valuation.tables import Growth, Placebo, PlaceboDraws, TiltBacktest, Values, read_table
from valuation.workspace import Workspace

pytestmark = pytest.mark.slow
SETTINGS = ("placebo.permutations=99", "placebo.refits=19", "shift_check.components=5")


@pytest.fixture(scope="module")
def copied(work, fast, tmp_path_factory):
    root = tmp_path_factory.mktemp("placebo") / "work"
    shutil.copytree(work.layout.root, root)
    return Workspace(root, overrides=[*fast, *SETTINGS])


@pytest.fixture(scope="module")
def run(copied):
    return reopen(copied.layout, copied.settings, Silent())


@pytest.fixture(scope="module")
def headline(run):
    return headline_of(run)


@pytest.fixture(scope="module")
def result(copied, run):
    with pytest.MonkeyPatch.context() as patch:  # the run is opened once for all tests here
        patch.setattr(placebo, "reopen", lambda *_: run)
        return copied.placebo()


def rows(result, name, measure="growth", cell=None):
    found = result.table[(result.table["placebo"] == name) & (result.table["measure"] == measure)]
    return found if cell is None else found[found["cell"] == cell].iloc[0]


def test_every_placebo_has_a_figure_and_the_tables_are_written(result, run):
    assert set(result.table["placebo"]) == set(placebo.NAMES)
    assert result.folder == run.folder and result.path == run.folder / "placebo.parquet"
    pd.testing.assert_frame_equal(read_table(result.path, Placebo), result.table)
    counts = result.table["passed"].value_counts()
    assert [result.n_passed, result.n_failed, result.n_not_judged] == [
        counts.get(name, 0) for name in ("yes", "no", "not_judged")
    ]
    judged = result.table[result.table["passed"] != "not_judged"]
    assert judged["estimate"].notna().all()
    assert result.table.loc[result.table["passed"] == "no", "reason"].notna().all()
    assert (run.folder / "report.html").exists()


def test_the_headline_is_that_of_the_run(result, run, headline):
    growth = read_table(run.folder / "growth.parquet", Growth)
    row = growth[(growth["group_by"] == "") & (growth["statistic"] == "mean_log") & (growth["variation"] == "both")]
    row = row[(row["pricer"] == "matching") & ~row["from_month"].str.contains("+", regex=False)].iloc[0]
    assert [result.growth, result.lower, result.upper] == pytest.approx([row["growth"], row["lower"], row["upper"]])
    assert (headline.from_month, headline.to_month) == (row["from_month"], row["to_month"])
    assert rows(result, "price_axis", cell="between kinds")["estimate"] == pytest.approx(np.log1p(row["growth"]))


def test_users_counted_once_a_month(result, run, headline):
    values = read_table(run.folder / "values.parquet", Values)
    known = values.assign(user=run.sessions.users.code)[values["matched"]]
    means = known.groupby(["month", "user"])["log_value"].mean().groupby("month").mean()
    assert rows(result, "users_equal").iloc[0]["estimate"] == pytest.approx(
        means[headline.to_month] - means[headline.from_month], abs=1e-9
    )


def test_readings_divide_by_the_slope(result, run, headline):
    kinds, prices = (rows(result, "price_axis", cell=cell) for cell in ("between kinds", "along prices"))
    slope = rows(result, "price_axis", "slope", "")
    fitted = np.polyfit(run.opened.model.arrays.log_price, run.opened.model.value[0], 1)[0]
    assert slope["estimate"] == pytest.approx(fitted)
    assert prices["estimate"] == pytest.approx(kinds["estimate"] / fitted)
    model, boot = run.opened.model, run.settings.bootstrap
    line = calibration_replicates(
        model.arrays.log_price, model.value[0], model.arrays.unit,
        unit_key=model.arrays.unit_key, seed=boot.seed, replicates=boot.replicates,
    )  # fmt: skip
    deviations = headline.growth.both / fitted - kinds["estimate"] * line.slope_deviation / fitted**2
    half = np.quantile(np.abs(deviations), 0.95, method="weibull") * headline.growth.factor
    assert [prices["lower"], prices["upper"]] == pytest.approx([prices["estimate"] - half, prices["estimate"] + half])
    assert set(rows(result, "price_axis")["passed"]) == {"not_judged"}


def test_draws_stand_behind_the_figures(result):
    drawn = read_table(result.draws_path, PlaceboDraws)
    shuffles, permuted = (drawn[drawn["placebo"] == name] for name in ("prices_shuffled", "months_permuted"))
    assert (len(shuffles), len(permuted)) == (19, 99)
    assert rows(result, "prices_shuffled", "mean_growth", "")["estimate"] == pytest.approx(shuffles["growth"].mean())
    assert permuted["studentised"].notna().all() and shuffles["studentised"].isna().all()
    studentised = rows(result, "months_permuted", "studentised", "")
    assert studentised["lower"] < permuted["studentised"].median() < studentised["upper"]


def test_halves_differ_by_what_their_own_postings_explain(result):
    first, second = (rows(result, "basket_halves", cell=cell) for cell in ("first", "second"))
    apart = rows(result, "basket_halves", "difference", "")
    assert apart["estimate"] == pytest.approx(second["estimate"] - first["estimate"])
    errors = [(row["upper"] - row["lower"]) / 2 / 1.96 for row in (first, second)]
    assert (apart["upper"] - apart["lower"]) / 2 / 1.96 == pytest.approx(np.hypot(*errors), rel=0.2)
    assert (apart["passed"] == "yes") == (apart["lower"] <= 0 <= apart["upper"])


def test_each_source_is_left_out_once(result, run):
    known = sorted(run.opened.model.rows["source"].unique())
    assert rows(result, "leave_one_source_out")["cell"].tolist() == known and len(known) > 1


def test_every_tilt_is_in_the_table_and_misses_what_it_says(result):
    tilts = read_table(result.tilts_path, TiltBacktest)
    assert {"text", "category", "source", "price", "sessions"} >= set(tilts["axis"]) >= {"text", "price"}
    text = tilts[tilts["axis"] == "text"]
    assert text["tilt"].nunique() == 5 and sorted(text["strength"].unique()) == [-1.0, -0.5, 0.5, 1.0]
    assert np.allclose(tilts["missed"], tilts["true_change"] - tilts["measured_change"])
    assert (tilts["lower"] <= tilts["missed"]).all() and (tilts["missed"] <= tilts["upper"]).all()
    slope = rows(result, "tilt_backtest", "slope", "text")["estimate"]
    through_origin = (text["true_change"] * text["measured_change"]).sum() / (text["measured_change"] ** 2).sum()
    assert slope == pytest.approx(through_origin)


def test_a_part_of_the_basket_prices_with_its_own_postings_only(run, headline):
    keep = (run.opened.model.rows["source"] != sorted(run.opened.model.rows["source"].unique())[0]).to_numpy()
    part, sessions = priced_by(run, keep, headline.two, 0)
    assert len(part.rows) == keep.sum() and sessions.neighbour.max() < keep.sum()
    assert sessions.log_value.size == headline.two.sum()
    assert part.arrays.unit_key.size <= run.opened.model.arrays.unit_key.size
    everything, whole = priced_by(run, np.ones(keep.size, dtype=bool), headline.two, 1)  # no regression, so no folds
    np.testing.assert_allclose(whole.log_value, run.priced.raw[1, run.tracked.matched[headline.two]], atol=1e-12)
    np.testing.assert_array_equal(np.sort(everything.arrays.unit_key), np.sort(run.opened.model.arrays.unit_key))


def with_rows(run, **columns):
    model = run.opened.model
    return replace(run, opened=replace(run.opened, model=replace(model, rows=model.rows.assign(**columns))))


def only(found):
    assert len(found.findings) == 1
    row = found.findings[0]
    assert row.passed == "not_judged" and np.isnan(row.estimate)
    return row.reason


def test_what_the_data_do_not_allow_is_not_judged(run, headline, copied):
    assert "one source only, one" in only(baskets.sources_out(with_rows(run, source="one"), headline, Silent()))
    assert "no posting is dated after" in only(baskets.vintages(with_rows(run, month="2019-01"), headline, Silent()))
    late = with_rows(run, month=headline.to_month)
    assert "only 0 postings are dated by" in only(baskets.vintages(late, headline, Silent()))
    lone = with_rows(run, source="one", posting_id=[f"other{i}" for i in range(len(run.opened.model.rows))])
    found, tilts = tilt_backtest.tilt_backtest(lone, headline, copied.layout)
    reasons = {row.cell: row.reason for row in found.findings if row.measure == "slope" and np.isnan(row.estimate)}
    assert set(reasons) >= {"category", "source"} and "source" not in set(tilts["axis"])
    model = run.opened.model
    blind = replace(model, value=-model.value)
    opened = replace(run, opened=replace(run.opened, model=blind))
    assert "fall as prices rise" in only(readings(opened, headline))


def test_a_thin_vintage_is_shown_and_not_judged(run, headline):
    months = np.where(np.arange(len(run.opened.model.rows)) % 10 == 0, headline.to_month, headline.from_month)
    found = baskets.vintages(with_rows(run, month=months), headline, Silent()).findings
    assert [row.cell for row in found] == [headline.to_month] and found[0].passed == "not_judged"
    assert "postings were added since" in found[0].reason and np.isfinite([found[0].lower, found[0].upper]).all()


def test_a_part_too_thin_to_fit_is_a_row_with_its_reason(run, headline, monkeypatch):
    def thin(*_):
        raise ThinMatchError("3 distinct postings in 2 folds")

    monkeypatch.setattr(baskets, "priced_by", thin)
    found = baskets.sources_out(run, headline, Silent()).findings
    assert all("3 distinct postings in 2 folds" in row.reason and row.passed == "not_judged" for row in found)
    monkeypatch.setattr(placebo, "shuffled", thin)
    every, _ = placebo._all(run, headline, run_layout(run), Silent())
    reasons = [part.findings[0].reason for part in every if part.findings[0].placebo == "prices_shuffled"]
    assert reasons == ["3 distinct postings in 2 folds"]


def run_layout(run):
    from valuation.storage import open_layout

    return open_layout(run.folder.parent.parent)


def test_without_growth_every_placebo_says_why(copied, run, monkeypatch):
    monkeypatch.setattr(placebo, "reopen", lambda *_: run)
    monkeypatch.setattr(placebo, "headline_of", lambda _: None)
    monkeypatch.setattr(placebo, "write_report", lambda *_: None)
    found = placebo.placebo(copied.layout, copied.settings, Silent())
    assert found.table["placebo"].tolist() == list(placebo.NAMES) and found.n_not_judged == len(placebo.NAMES)
    assert found.table["reason"].str.contains("no growth to test").all()
    assert np.isnan(found.growth) and "no growth figure" in found.text()


def test_prices_that_lean_fail(run, headline, monkeypatch):
    monkeypatch.setattr("valuation.evidence.shuffles.refitted_growth", lambda *_, **__: 0.1 + 0.01 * np.arange(19.0))
    mean, real = shuffled(run, headline).findings
    assert mean.passed == "no" and "an error of the engine" in mean.reason
    assert real.estimate == pytest.approx(headline.growth.estimate)


def test_lengths_in_common_are_named(run, headline, monkeypatch):
    found = weights.lengths(run, headline).findings
    assert [row.measure for row in found] == [
        "growth", "difference", "explained_share", "correlation", "length_change"
    ]  # fmt: skip
    length = np.log(run.sessions.frame["summary"].iloc[run.tracked.matched].str.strip().str.len().to_numpy(float))
    value, weight = run.tracked.sessions.log_value, run.tracked.sessions.weight
    covariance = np.cov(value, length, aweights=weight)
    assert found[3].estimate == pytest.approx(covariance[0, 1] / np.sqrt(covariance[0, 0] * covariance[1, 1]))
    assert found[4].estimate == pytest.approx(
        np.average(length[headline.month == headline.last], weights=weight[headline.month == headline.last])
        - np.average(length[headline.month == headline.base], weights=weight[headline.month == headline.base])
    )
    assert found[1].estimate == pytest.approx(found[0].estimate - headline.growth.estimate)

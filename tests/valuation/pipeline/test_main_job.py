"""The main job from files to tables: what must hold between the tables of a run."""

import json
import re
import shutil

import numpy as np
import pandas as pd
import pytest

from valuation.errors import ConfigError, EnvironmentFault, InputError, ThinMatchError
from valuation.pipeline import outputs
from valuation.storage import held, read_postings, read_sessions, write_postings, write_sessions
from valuation.tables import Decomposition, Growth, Matches, SeriesTable, Validation, Values, read_table
from valuation.workspace import Workspace

SCHEMAS = {
    "values": Values,
    "matches": Matches,
    "series": SeriesTable,
    "growth": Growth,
    "decomposition": Decomposition,
    "validation": Validation,
}


@pytest.fixture(scope="module")
def tables(work):
    folder = work.run_folder()
    return {name: read_table(folder / f"{name}.parquet", schema) for name, schema in SCHEMAS.items()}


def copied(work, tmp_path, overrides) -> Workspace:
    shutil.copytree(work.layout.root, tmp_path / "copy")
    return Workspace(tmp_path / "copy", overrides=overrides)


def test_every_session_has_a_row_matched_or_not(work, tables):
    sessions, values = read_sessions(work.layout), tables["values"]
    assert values["session_id"].tolist() == sessions["session_id"].tolist()
    assert values["month"].tolist() == sessions["month"].tolist()
    assert values["matched"].sum() + (~values["matched"]).sum() == len(sessions)
    unmatched = values[~values["matched"]]
    assert unmatched["reason"].notna().all() and unmatched["value_usd"].isna().all()
    assert values.loc[values["matched"], ["value_usd", "typical_lower", "single_upper"]].notna().all().all()


def test_contributions_sum_to_the_value(tables):
    matches, values = tables["matches"], tables["values"].set_index("session_id")
    formula = matches["weight"] * (matches["log_price"] + matches["log_session_hedonic"] - matches["log_price_hedonic"])
    assert np.allclose(matches["contribution"], formula, atol=1e-12)
    summed = matches.groupby("session_id")["contribution"].sum()
    assert np.abs(summed - values.loc[summed.index, "log_value_raw"]).max() < 1e-9
    assert np.allclose(matches.groupby("session_id")["weight"].sum(), 1, atol=1e-12)
    assert np.allclose(np.exp(matches["log_price"]), matches["price_usd"])
    assert (matches.groupby("session_id")["rank"].apply(list).map(lambda r: r == list(range(1, 11)))).all()
    assert (matches.groupby("session_id")["similarity"].diff().dropna() <= 1e-12).all()


def test_matched_means_at_least_s_min(work, tables):
    manifest = json.loads((work.run_folder() / "manifest.json").read_text())
    values = tables["values"]
    assert (values["matched"] == (values["similarity_max"] >= manifest["s_min"])).all()
    assert 0 < (~values["matched"]).sum() < len(values) / 2


def test_bands_are_nested_and_ordered(tables):
    values = tables["values"][tables["values"]["matched"]]
    assert (values["typical_lower"] < values["value_usd"]).all() and (
        values["value_usd"] < values["typical_upper"]
    ).all()
    assert (values["single_lower"] < values["single_upper"]).all()
    typical = np.log(values["typical_upper"] / values["typical_lower"])
    single = np.log(values["single_upper"] / values["single_lower"])
    assert typical.median() < single.median()


def test_series_is_the_mean_of_values(tables):
    values = tables["values"][tables["values"]["matched"]]
    by_month = values.groupby("month").apply(lambda part: np.average(part["log_value"], weights=part["weight"]))
    series = tables["series"]
    head = series[(series["group_by"] == "") & (series["statistic"] == "mean_log") & (series["pricer"] == "matching")]
    assert np.allclose(np.log(head.set_index("month")["value"]), by_month.loc[head["month"]], atol=1e-9)
    base = head[head["lower"] == head["upper"]]
    assert base["index_number"].tolist() == [100.0]
    assert np.allclose(head["index_number"], 100 * head["value"] / base["value"].iloc[0], rtol=1e-12), (
        "the index number is the level over the base month's"
    )
    assert (head["simultaneous_upper"] >= head["upper"] - 1e-9).all()
    neighbours = series[(series["pricer"] == "neighbours") & (series["group_by"] == "")].set_index("month")["value"]
    plain = values.groupby("month")["value_neighbours"].apply(lambda part: np.exp(np.log(part).mean()))
    assert np.allclose(neighbours, plain.loc[neighbours.index])


def test_counts_of_groups_add_up(work, tables):
    series, sessions = tables["series"], read_sessions(work.layout)
    head = series[(series["statistic"] == "mean_log") & (series["pricer"] == "matching")]
    whole = head[head["group_by"] == ""].set_index("month")
    groups = head[head["group_by"] == "kind"].groupby("month")["n_matched"].sum()
    assert groups.tolist() == whole.loc[groups.index, "n_matched"].tolist()
    assert whole["n_sessions"].tolist() == sessions.groupby("month").size().loc[whole.index].tolist()
    values = tables["values"]
    share = values.groupby("month")["matched"].mean().loc[whole.index]
    assert np.allclose(whole["matched_share"], share)


def test_growth_and_decomposition_agree(tables):
    growth, parts = tables["growth"], tables["decomposition"]
    row = growth[
        (growth["group_by"] == "") & (growth["statistic"] == "mean_log") & (growth["pricer"] == "matching")
    ].iloc[0]
    whole = parts[(parts["group"] == "")].set_index("term")["estimate"]
    assert whole["within"] + whole["mix"] == pytest.approx(whole["total"], abs=1e-9)
    assert whole["total"] == pytest.approx(np.log1p(row["growth"]), abs=1e-9)
    series = tables["series"]
    head = series[(series["group_by"] == "") & (series["statistic"] == "mean_log") & (series["pricer"] == "matching")]
    level = head.set_index("month")["value"]
    assert row["growth"] == pytest.approx(level[row["to_month"]] / level[row["from_month"]] - 1, abs=1e-9)
    assert {"users", "postings", "both"} == set(growth["variation"])
    widths = growth[(growth["group_by"] == "") & (growth["statistic"] == "mean_log")].assign(
        width=lambda g: np.log1p(g["upper"]) - np.log1p(g["lower"])
    )
    wide = widths[widths["pricer"] == "matching"].groupby("variation")["width"].first()
    assert wide["both"] > max(wide["users"], wide["postings"]) > 0


def test_unchanged_run_does_nothing_and_says_so(work):
    folder = work.run_folder()
    before = {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}
    again = work.run()
    assert again.unchanged and again.folder == folder
    assert {path.name: path.stat().st_mtime_ns for path in folder.iterdir()} == before


@pytest.mark.slow
def test_another_setting_is_another_run(work, fast, tmp_path):
    copy = copied(work, tmp_path, [*fast, "bootstrap.seed=1"])
    first = copy.run_folder()
    second = copy.run()
    assert second.folder != first and first.is_dir() and not second.unchanged
    assert copy.run_folder() == second.folder
    values = [read_table(folder / "values.parquet", Values) for folder in (first, second.folder)]
    pd.testing.assert_frame_equal(*values)


@pytest.mark.slow
def test_chunks_do_not_move_figures(work, fast, tmp_path):
    copy = copied(work, tmp_path, [*fast, "compute.chunk_rows=17"])
    folder = copy.run_folder()
    shutil.rmtree(folder)
    assert copy.run().folder.name == folder.name, "chunks are outside the identity of a run"
    for name, schema in SCHEMAS.items():
        ours = read_table(folder / f"{name}.parquet", schema)
        theirs = read_table(work.run_folder() / f"{name}.parquet", schema)
        pd.testing.assert_frame_equal(ours, theirs, rtol=1e-9, atol=1e-9)


@pytest.mark.slow
def test_row_order_does_not_move_figures(work, fast, tmp_path):
    copy = copied(work, tmp_path, fast)
    for path in (copy.layout.runs, copy.layout.indices):
        shutil.rmtree(path)
    write_postings(copy.layout, read_postings(copy.layout).sample(frac=1, random_state=0))
    write_sessions(copy.layout, read_sessions(copy.layout).sample(frac=1, random_state=0))
    result = copy.run()
    assert result.run_id == work.run_folder().name
    for name in SCHEMAS:
        ours = (result.folder / f"{name}.parquet").read_bytes()
        assert ours == (work.run_folder() / f"{name}.parquet").read_bytes(), name


@pytest.mark.slow
def test_a_run_that_dies_leaves_nothing_half_written(work, fast, tmp_path, monkeypatch):
    copy = copied(work, tmp_path, [*fast, "bootstrap.seed=2"])
    before = sorted(path.name for path in copy.layout.runs.iterdir())

    def dies(*_args, **_kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(outputs, "write_report", dies)
    with pytest.raises(KeyboardInterrupt):
        copy.run()
    assert sorted(path.name for path in copy.layout.runs.iterdir()) == before
    monkeypatch.undo()
    assert not copy.run().unchanged


def test_two_writers_at_once_are_refused(work):
    with held(work.layout, "run"), pytest.raises(EnvironmentFault, match=r"in use by `valuation run` \(process \d+"):
        work.run()


def test_a_damaged_basket_is_refused_with_what_to_do(work, fast, tmp_path):
    copy = copied(work, tmp_path, [*fast, "bootstrap.seed=3"])
    part = next(copy.layout.indices.glob("*/arrays.npz"))
    part.write_bytes(part.read_bytes()[:-100])
    with pytest.raises(InputError, match="delete the folder and it is made anew"):
        copy.run()


def test_group_by_names_the_columns_there_are(work, fast):
    with pytest.raises(ConfigError, match=r"no column 'team'; they have kind, language, tool"):
        Workspace(work.layout.root, overrides=[*fast, "series.group_by=team"]).run()


def test_all_sessions_unmatched_is_one_clear_line(work, fast):
    with pytest.raises(ThinMatchError, match=r"none of 4\d\d sessions resembles a posting.*set matching.s_min"):
        Workspace(work.layout.root, overrides=[*fast, "matching.s_min=1"]).run()


def test_a_base_month_nobody_has_is_refused_by_name(work, fast):
    with pytest.raises(ConfigError, match="series.base_month = '2020-01'"):
        Workspace(work.layout.root, overrides=[*fast, "series.base_month=2020-01"]).run()


def test_an_empty_basket_says_where_the_postings_went(work, fast):
    with pytest.raises(ThinMatchError, match=r"none of these from 40000 to 50000 USD"):
        Workspace(work.layout.root, overrides=[*fast, "basket.min_usd=40000"]).run()


def test_explained_arithmetic_can_be_redone_by_hand(work, tables):
    chosen = tables["values"].query("matched")["session_id"].iloc[3]
    text = work.explain(chosen).text()
    lines = re.findall(
        r"^ +\d+ +[\d.-]+ +([\d.]+) +[\d.,]+ +([\d.-]+) \+ +([\d.-]+) - +([\d.-]+) = +[\d.-]+ +([\d.-]+) ", text, re.M
    )
    assert len(lines) == 10
    numbers = np.array(lines, dtype=float)
    by_hand = (numbers[:, 0] * (numbers[:, 1] + numbers[:, 2] - numbers[:, 3])).sum()
    stated = float(re.search(r"sum of contributions +([\d.]+)", text)[1])
    value = float(re.search(r"= ([\d,.]+) USD", text)[1].replace(",", ""))
    assert by_hand == pytest.approx(stated, abs=1e-4) and value == pytest.approx(np.exp(stated), abs=0.01)


def test_explain_of_an_unmatched_session_says_why(work, tables):
    chosen = tables["values"].query("~matched")["session_id"].iloc[0]
    assert "not matched: nearest posting has similarity" in work.explain(chosen).text()


def test_explain_names_a_session_that_is_there(work):
    with pytest.raises(InputError, match="has no session 'nobody'; it has 4\\d\\d, such as"):
        work.explain("nobody")


def test_report_again_gives_the_same_bytes(work):
    path = work.run_folder() / "report.html"
    before = path.read_bytes()
    assert work.report() == path and path.read_bytes() == before

"""The specification curve of a run: its rows are what runs with those settings give, and nothing is done twice."""

import shutil

import numpy as np
import pandas as pd
import pytest

from valuation.errors import ConfigError
from valuation.evidence import sensitivity as module
from valuation.storage import read_postings, write_postings
from valuation.tables import Growth, Sensitivity, read_table
from valuation.workspace import Workspace

pytestmark = pytest.mark.slow
GRID = {
    "pricer": "matching,neighbours,hedonic", "k": "5", "tau": "0.1", "s_min": "auto,none", "register": "none,centred",
    "statistic": "mean_log,median,trimmed_mean,mean", "basket": "all,each_source_out", "truncation": "0.05",
    "weighting": "sessions,users", "permutations": "19",
}  # fmt: skip
FIGURES = ["growth", "lower", "upper", "effective_users", "effective_postings"]


def chosen(**lists):
    return [f"sensitivity.{name}={found}" for name, found in (GRID | lists).items()]


@pytest.fixture(scope="module")
def fast_alone(fast):
    return [item for item in fast if not item.startswith("series.group_by")]


@pytest.fixture(scope="module")
def curve(work, fast_alone, tmp_path_factory):
    """A copy of the small workspace with a wide grid estimated: its workspace and the result."""
    root = tmp_path_factory.mktemp("curve") / "copy"
    shutil.copytree(work.layout.root, root)
    workspace = Workspace(root, overrides=[*fast_alone, *chosen(statistic="mean_log,median", basket="all")])
    return workspace, workspace.sensitivity()


def growth_of(folder, **keys):
    """The growth row, over all sessions and both variations, from the base to the last month."""
    growth = read_table(folder / "growth.parquet", Growth)
    rows = growth[(growth["group_by"] == "") & (growth["variation"] == "both")]
    rows = rows[~rows["from_month"].str.contains("+", regex=False)]
    for column, value in keys.items():
        rows = rows[rows[column] == value]
    assert len(rows) == 1
    return rows.iloc[0]


def row_of(table, **keys):
    own = table[table["headline"]].iloc[0]
    fixed = ["pricer", "k", "s_min", "register_mode", "statistic", "basket", "truncation", "weighting"]
    rows = table[(table[fixed] == pd.Series({name: keys.get(name, own[name]) for name in fixed})).all(axis=1)]
    assert len(rows) == 1
    return rows.iloc[0]


def test_the_headline_is_the_run_and_so_is_every_statistic_the_run_has(curve):
    workspace, result = curve
    assert result.folder == workspace.run_folder() and result.run_id == result.folder.name
    own = result.table[result.table["headline"]].iloc[0]
    expected = growth_of(result.folder, pricer="matching", statistic="mean_log")
    np.testing.assert_allclose(own[FIGURES].astype(float), expected[FIGURES].astype(float), rtol=0, atol=1e-9)
    assert result.headline == own["growth"]
    for keys in ({"pricer": "neighbours"}, {"pricer": "hedonic"}, {"statistic": "median"}):
        expected = growth_of(result.folder, **{"pricer": "matching", "statistic": "mean_log"} | keys)
        found = row_of(result.table, **keys)
        np.testing.assert_allclose(found[FIGURES].astype(float), expected[FIGURES].astype(float), rtol=0, atol=1e-9)


def test_another_row_is_a_run_with_its_settings(curve, fast_alone):
    workspace, result = curve
    settings = ["matching.k=5", "register.mode=centred"]
    other = Workspace(workspace.layout.root, overrides=[*fast_alone, *settings])
    folder = other.run().folder
    for statistic in ("mean_log", "median"):
        expected = growth_of(folder, pricer="matching", statistic=statistic)
        found = row_of(result.table, k=5, register_mode="centred", statistic=statistic)
        assert expected["from_month"] == growth_of(result.folder, pricer="matching", statistic=statistic)["from_month"]
        np.testing.assert_allclose(found[FIGURES].astype(float), expected[FIGURES].astype(float), rtol=0, atol=1e-8)
    other = Workspace(workspace.layout.root, overrides=[*fast_alone, "matching.s_min=-1"])
    expected = growth_of(other.run().folder, pricer="matching", statistic="mean_log")
    found = row_of(result.table, s_min="none")
    np.testing.assert_allclose(found[FIGURES].astype(float), expected[FIGURES].astype(float), rtol=0, atol=1e-9)
    assert found["n_matched"] > row_of(result.table)["n_matched"]


def test_every_specification_has_a_row_and_the_files_are_there(curve):
    _, result = curve
    assert result.specifications == len(result.table) == (2 + 2 + 1) * 2 * 2 * 2 * 2 * 2
    assert not result.table["growth"].isna().any() and result.without_figure == 0
    assert result.lowest <= result.median <= result.highest and 0 < result.p_value <= 1
    assert result.table["growth"].nunique() > 100
    pd.testing.assert_frame_equal(read_table(result.path, Sensitivity), result.table)
    assert result.figure.read_text().startswith("<?xml") and "Growth, %" in result.figure.read_text()


def test_users_weighted_equally_move_the_figure_as_by_hand(curve, work):
    _, result = curve
    values = pd.read_parquet(result.folder / "values.parquet").merge(
        pd.read_parquet(work.layout.sessions)[["session_id", "user_id"]], on="session_id"
    )
    row = growth_of(result.folder, pricer="matching", statistic="mean_log")
    matched = values[values["matched"]].assign(user=lambda v: v["user_id"].fillna(v["session_id"]))
    means = matched.groupby(["month", "user"]).apply(lambda u: np.average(u["log_value"], weights=u["weight"]))
    by_month = means.groupby("month").mean()
    expected = np.expm1(by_month[row["to_month"]] - by_month[row["from_month"]])
    assert row_of(result.table, weighting="users")["growth"] == pytest.approx(expected, abs=1e-9)


def test_nothing_is_done_again(curve, monkeypatch):
    workspace, result = curve
    monkeypatch.setattr(module, "open_room", lambda *_: pytest.fail("opened"))
    again = workspace.sensitivity()
    assert again.unchanged and not result.unchanged
    assert (again.headline, again.p_value, again.median) == (result.headline, result.p_value, result.median)
    pd.testing.assert_frame_equal(again.table, result.table)
    assert again.text().splitlines()[-2] == "nothing had changed"


def test_an_interrupted_grid_goes_on(curve, fast_alone, monkeypatch):
    workspace, result = curve
    grid = chosen(statistic="mean_log,median", basket="all", seed="7", permutations="9")
    other = Workspace(workspace.layout.root, overrides=[*fast_alone, *grid])
    done, block = [], module._block

    def interrupted(job, which, *rest):
        if len(done) == 2:
            raise KeyboardInterrupt
        done.append(which)
        return block(job, which, *rest)

    monkeypatch.setattr(module, "_block", interrupted)
    with pytest.raises(KeyboardInterrupt):
        other.sensitivity()
    monkeypatch.setattr(module, "_block", lambda job, which, *rest: done.append(which) or block(job, which, *rest))
    found = other.sensitivity()
    assert len(done) == len(set(done)) == 4  # two rooms, whole and truncated: each made once
    columns = [name for name in result.table.columns if not name.startswith(("permut", "median_p"))]
    pd.testing.assert_frame_equal(found.table[columns], result.table[columns])
    assert found.permutations == 9


def test_the_mean_price_and_calibration_take_the_long_way_to_the_same_figures(curve, fast_alone):
    workspace, _ = curve
    narrow = chosen(
        pricer="matching", k="10", s_min="auto", register="none", basket="all", truncation="0", permutations="9"
    )
    other = Workspace(workspace.layout.root, overrides=[*fast_alone, "pricing.calibrate=true", *narrow])
    result = other.sensitivity()
    assert result.specifications == 4 * 2
    for statistic in ("mean_log", "median", "trimmed_mean", "mean"):
        expected = growth_of(result.folder, pricer="matching", statistic=statistic)
        found = row_of(result.table, statistic=statistic)
        np.testing.assert_allclose(found[FIGURES].astype(float), expected[FIGURES].astype(float), rtol=0, atol=1e-9)
    assert row_of(result.table)["growth"] == result.headline


def test_a_source_left_out_is_a_run_without_its_postings(curve, fast_alone, tmp_path):
    """On sources that share no cluster; components of TF-IDF, which a part keeps from the whole, are switched off."""
    workspace, _ = curve
    root = tmp_path / "parted"
    shutil.copytree(workspace.layout.root, root, ignore=shutil.ignore_patterns("runs", "indices"))
    plain = [*fast_alone, "pricing.lexical_components=0"]
    narrow = chosen(
        pricer="neighbours,hedonic", k="10", s_min="auto", register="none", truncation="0", permutations="0"
    )
    whole = Workspace(root, overrides=[*plain, *narrow, "sensitivity.statistic=mean_log"])
    postings = read_postings(whole.layout)
    by_text = postings.groupby("description")["source"].transform("nunique")
    write_postings(whole.layout, postings[by_text == 1].reset_index(drop=True))
    result = whole.sensitivity()
    assert np.isnan(result.p_value) and result.permutations == 0
    source = result.table.loc[result.table["basket"] != "all", "basket"].iloc[0].removeprefix("without ")
    kept = read_postings(whole.layout)
    write_postings(whole.layout, kept[kept["source"] != source].reset_index(drop=True))
    folder = Workspace(root, overrides=plain).run().folder
    for pricer in ("neighbours", "hedonic"):
        expected = growth_of(folder, pricer=pricer, statistic="mean_log")
        found = row_of(result.table, pricer=pricer, basket=f"without {source}")
        assert found["growth"] == pytest.approx(expected["growth"], abs=1e-9)


def test_parts_too_thin_have_a_row_with_the_reason(curve, fast_alone):
    workspace, _ = curve
    narrow = chosen(
        pricer="neighbours", k="10", s_min="auto,0.999", register="none", basket="all", truncation="0.4999",
        statistic="mean_log", permutations="9",
    )  # fmt: skip
    result = Workspace(workspace.layout.root, overrides=[*fast_alone, *narrow]).sensitivity()
    assert result.specifications == 2 * 2 * 2 * 2 == len(result.table)
    missing = result.table[result.table["growth"].isna()]
    assert result.without_figure == len(missing) > 0
    thin = missing.loc[missing["s_min"] == "0.999", "reason"]
    assert thin.str.contains(r"matched sessions of \d+ users in \d{4}-\d\d; at least \d+ of \d+ are needed").any()
    cut = missing.loc[missing["truncation"] != "none", "reason"]
    assert cut.str.contains("too few to price anything|are needed|no posting is left").all() and len(cut)


def test_an_encoder_that_is_not_there_is_a_mistake_of_the_settings(curve, fast_alone):
    workspace, _ = curve
    with pytest.raises(ConfigError, match="nowhere"):
        Workspace(workspace.layout.root, overrides=[*fast_alone, "sensitivity.encoder=same,nowhere"]).sensitivity()

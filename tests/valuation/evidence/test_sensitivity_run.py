"""The specification curve of a run: its rows are what runs with those settings give, and nothing is done twice."""

import shutil
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from valuation.errors import EnvironmentFault
from valuation.evidence import sensitivity as module
from valuation.evidence import specification_blocks
from valuation.imports import import_postings, import_sessions
from valuation.pipeline import outputs
from valuation.pipeline.model_store import open_model
from valuation.pipeline.pricing import price_texts
from valuation.pipeline.run import prepare_sessions
from valuation.pipeline.series_tables import growth_table
from valuation.pipeline.tracking import track
from valuation.progress import Silent
from valuation.report import plots_sensitivity
from valuation.storage import read_postings, write_postings
from valuation.tables import Growth, Sensitivity, read_table
from valuation.workspace import Workspace

pytestmark = pytest.mark.slow
GRID = {
    "pricer": "matching,neighbours,hedonic", "k": "5", "tau": "0.1", "s_min": "auto,none", "register": "none,centred",
    "statistic": "mean_log,median", "basket": "all", "truncation": "0.05", "weighting": "sessions,users",
    "permutations": "19",
}  # fmt: skip
AXES = ["pricer", "k", "tau", "s_min", "register_mode", "statistic", "basket", "truncation", "weighting"]
WIDEST = 5  # times that the high end of a range is its geometric mean, and this the low end
FIGURES = ["growth", "lower", "upper", "effective_users", "effective_postings"]


def chosen(**lists):
    return [f"sensitivity.{name}={found}" for name, found in (GRID | lists).items()]


@pytest.fixture(scope="module")
def fast_alone(fast):
    return [*(item for item in fast if not item.startswith("series.group_by")), "bootstrap.replicates=99"]


@pytest.fixture(scope="module")
def reported():
    """Folders whose report was written: drawing it takes longer than the rest of a run, and is tested elsewhere."""
    with pytest.MonkeyPatch.context() as patch:
        folders = []
        patch.setattr(outputs, "write_report", lambda _, folder, *__: folders.append(folder))
        yield folders


@pytest.fixture(scope="module")
def root(tmp_path_factory, world_files):
    """A workspace whose sources share no text and no client, so that one can be taken away and no unit changes."""
    layout = Workspace.create(tmp_path_factory.mktemp("curve") / "work").layout
    settings = Workspace(layout.root).settings
    for which, bring in (("postings", import_postings), ("sessions", import_sessions)):
        mapping = getattr(world_files, f"{which}_map")
        bring(layout, [str(getattr(world_files, which))], settings=settings, mapping=mapping, dry_run=False)
    postings = read_postings(layout)
    of_one = postings.groupby("description")["source"].transform("nunique") == 1
    postings["client_id"] = postings["source"] + "/" + postings["client_id"]
    fits = postings["price_usd"].between(10 * WIDEST, 50_000 / WIDEST)  # either end alone is in the basket too
    times = np.where(fits, 1.0 + np.arange(len(postings)) % WIDEST, 1.0)
    postings["price_low"], postings["price_high"] = postings["price_low"] / times, postings["price_high"] * times
    write_postings(layout, postings[of_one].reset_index(drop=True))
    return layout.root


@pytest.fixture(scope="module")
def curve(root, fast_alone, reported):
    """A wide grid estimated: the workspace and the result."""
    workspace = Workspace(root, overrides=[*fast_alone, *chosen()])
    result = workspace.sensitivity()
    assert reported[-1] == result.folder and len(reported) == 2  # the run's, and again with the curve in it
    return workspace, result


@pytest.fixture(autouse=True)
def undrawn(curve, monkeypatch):
    """The first curve is drawn, the others are not: drawing takes as long as the grids of this file."""
    monkeypatch.setattr(plots_sensitivity, "specification_curve", lambda *_: Figure())


@pytest.fixture(scope="module")
def without(root, tmp_path_factory):
    """The same workspace without the postings of one source: its folder and the source."""
    copy = tmp_path_factory.mktemp("without") / "work"
    shutil.copytree(root, copy, ignore=shutil.ignore_patterns("runs", "indices"))
    layout = Workspace(copy).layout
    postings = read_postings(layout)
    source = postings["source"].value_counts().index[0]
    write_postings(layout, postings[postings["source"] != source].reset_index(drop=True))
    return SimpleNamespace(root=copy, source=source)


@pytest.fixture(scope="module")
def ended(root, fast_alone, reported):
    """The whole basket, and its ranges at their low and at their high ends."""
    narrow = chosen(
        k="10", s_min="auto", register="none", truncation="0", permutations="0", basket="low_ends,high_ends",
        weighting="sessions",
    )  # fmt: skip
    return Workspace(root, overrides=[*fast_alone, *narrow]).sensitivity()


def as_a_run(root, settings):
    """The growth table that `valuation run` writes, without the rest of what it makes."""
    work = Workspace(root, overrides=settings)
    model = open_model(work.layout, work.settings, Silent()).model
    sessions = prepare_sessions(work.layout, work.settings, model, Silent())
    priced = price_texts(model, sessions.vectors, sessions.features, work.settings, Silent())
    return growth_table(
        track(sessions.frame, sessions.users, sessions.calendar, priced, sessions.features, model, work.settings),
        work.settings,
    )


def ends_of(growth, **keys):
    """The row, over all sessions and both variations, from the base to the last month."""
    rows = growth[(growth["group_by"] == "") & (growth["variation"] == "both")]
    rows = rows[~rows["from_month"].str.contains("+", regex=False)]
    for column, value in keys.items():
        rows = rows[rows[column] == value]
    assert len(rows) == 1
    return rows.iloc[0]


def growth_of(folder, **keys):
    return ends_of(read_table(folder / "growth.parquet", Growth), **keys)


def row_of(table, **keys):
    own = table[table["headline"]].iloc[0]
    wanted = pd.Series({name: keys.get(name, own[name]) for name in AXES})
    rows = table[(table[AXES] == wanted).all(axis=1)]
    assert len(rows) == 1
    return rows.iloc[0]


def same(found, expected, atol):
    np.testing.assert_allclose(found[FIGURES].astype(float), expected[FIGURES].astype(float), rtol=0, atol=atol)


def test_the_headline_is_the_run_and_so_is_every_statistic_the_run_has(curve):
    workspace, result = curve
    assert result.folder == workspace.run_folder() and result.run_id == result.folder.name
    own = result.table[result.table["headline"]].iloc[0]
    same(own, growth_of(result.folder, pricer="matching", statistic="mean_log"), 1e-9)
    assert result.headline == own["growth"]
    for keys in ({"pricer": "neighbours"}, {"pricer": "hedonic"}, {"statistic": "median"}):
        expected = growth_of(result.folder, **{"pricer": "matching", "statistic": "mean_log"} | keys)
        same(row_of(result.table, **keys), expected, 1e-9)


def test_another_row_is_a_run_with_its_settings(curve, fast_alone):
    workspace, result = curve
    for settings, keys in (
        (["matching.k=5", "register.mode=centred"], {"k": 5, "register_mode": "centred"}),
        (["matching.s_min=-1"], {"s_min": "none"}),
    ):
        growth = as_a_run(workspace.layout.root, [*fast_alone, *settings])
        for statistic in ("mean_log", "median"):
            expected = ends_of(growth, pricer="matching", statistic=statistic)
            ends = growth_of(result.folder, pricer="matching", statistic=statistic)
            assert expected["from_month"] == ends["from_month"] and expected["to_month"] == ends["to_month"]
            same(row_of(result.table, statistic=statistic, **keys), expected, 1e-8)
    assert row_of(result.table, s_min="none")["n_matched"] > row_of(result.table)["n_matched"]


def test_every_specification_has_a_row_and_the_files_are_there(curve):
    _, result = curve
    assert result.specifications == len(result.table) == (2 + 2 + 1) * 2 * 2 * 2 * 2 * 2
    assert not result.table["growth"].isna().any() and result.without_figure == 0
    assert result.lowest <= result.median <= result.highest and 0 < result.p_value <= 1
    assert result.table["growth"].nunique() > 100
    pd.testing.assert_frame_equal(read_table(result.path, Sensitivity), result.table)
    assert result.figure.read_text().startswith("<?xml") and "Growth, %" in result.figure.read_text()


def test_users_weighted_equally_move_the_figure_as_by_hand(curve):
    workspace, result = curve
    values = pd.read_parquet(result.folder / "values.parquet").merge(
        pd.read_parquet(workspace.layout.sessions)[["session_id", "user_id"]], on="session_id"
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
    narrow = chosen(pricer="neighbours", s_min="auto", weighting="sessions", permutations="9")
    other = Workspace(workspace.layout.root, overrides=[*fast_alone, *narrow])
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
    assert found.permutations == 9 and len(found.table) == 2 * 2 * 2 * 2 * 2
    wide = found.table.merge(result.table, on=AXES, suffixes=("", "_of_the_wide_grid"), validate="one_to_one")
    assert len(wide) == len(found.table)
    for name in [*FIGURES, "log_growth", "n_matched", "headline"]:
        assert (wide[name] == wide[f"{name}_of_the_wide_grid"]).all(), name


def test_the_mean_price_and_calibration_take_the_long_way_to_the_same_figures(curve, fast_alone):
    workspace, _ = curve
    narrow = chosen(
        pricer="matching", k="10", s_min="auto", register="none", truncation="0", permutations="9",
        statistic="mean_log,median,trimmed_mean,mean",
    )  # fmt: skip
    other = Workspace(workspace.layout.root, overrides=[*fast_alone, "pricing.calibrate=true", *narrow])
    result = other.sensitivity()
    assert result.specifications == 4 * 2
    for statistic in ("mean_log", "median", "trimmed_mean", "mean"):
        expected = growth_of(result.folder, pricer="matching", statistic=statistic)
        same(row_of(result.table, statistic=statistic), expected, 1e-9)
    assert row_of(result.table)["growth"] == result.headline


def test_a_source_left_out_is_a_run_without_its_postings(root, without, fast_alone, reported):
    """All figures, where texts are known by embeddings and stated scope: nothing is learned from the whole basket."""
    plain = [*fast_alone, "pricing.lexical_components=0"]
    narrow = chosen(
        k="10", s_min="auto", register="none", truncation="0", permutations="0", basket="all,each_source_out",
        statistic="mean_log,median,mean",
    )  # fmt: skip
    result = Workspace(root, overrides=[*plain, *narrow]).sensitivity()
    assert np.isnan(result.p_value) and result.permutations == 0
    growth = as_a_run(without.root, plain)
    for pricer in ("neighbours", "hedonic", "matching"):
        expected = ends_of(growth, pricer=pricer, statistic="mean_log")
        assert expected["growth"] != pytest.approx(row_of(result.table, pricer=pricer)["growth"], abs=1e-4)
        same(row_of(result.table, pricer=pricer, basket=f"without {without.source}"), expected, 1e-9)
    for statistic in ("median", "mean"):
        expected = ends_of(growth, pricer="matching", statistic=statistic)
        same(row_of(result.table, statistic=statistic, basket=f"without {without.source}"), expected, 1e-9)


def test_the_low_ends_of_ranges_are_a_run_on_postings_at_their_low_ends(root, ended, fast_alone, tmp_path):
    """All pricers, where clusters hold ranges of several widths and single amounts."""
    copy = tmp_path / "work"
    shutil.copytree(root, copy, ignore=shutil.ignore_patterns("runs", "indices"))
    layout = Workspace(copy).layout
    postings = read_postings(layout)
    down = np.sqrt(postings["price_low"] / postings["price_high"])
    assert 0.2 < (down < 1).mean() < 0.9
    at = {"price_usd": postings["price_usd"] * down, "price_high": postings["price_low"]}
    write_postings(layout, postings.assign(**at))
    growth = as_a_run(copy, fast_alone)
    for keys in ({"pricer": "neighbours"}, {"pricer": "hedonic"}, {}, {"statistic": "median"}):
        keys = {"pricer": "matching", "statistic": "mean_log"} | keys
        expected = ends_of(growth, **keys)
        assert expected["growth"] != pytest.approx(growth_of(ended.folder, **keys)["growth"], abs=1e-4)
        same(row_of(ended.table, **keys, basket="low ends of ranges"), expected, 1e-9)


def test_high_ends_lie_as_far_from_the_middle_as_low_ends(ended):
    """Plain neighbours are linear in log prices; the other pricers move too."""
    assert ended.specifications == 3 * 3 * 2 and ended.without_figure == 0 and ended.note == ""
    for pricer in ("neighbours", "hedonic", "matching"):
        low, middle, high = (
            row_of(ended.table, pricer=pricer, basket=basket)["log_growth"]
            for basket in ("low ends of ranges", "all", "high ends of ranges")
        )
        assert abs(high - middle) > 1e-4
        if pricer == "neighbours":
            assert low + high == pytest.approx(2 * middle, abs=1e-9)


def test_without_ranges_their_ends_are_left_out_and_it_is_said(root, fast_alone, monkeypatch):
    monkeypatch.setattr(specification_blocks, "half_ranges", lambda rows, *_: np.zeros(len(rows)))
    narrow = chosen(
        pricer="matching", k="10", s_min="auto", register="none", statistic="mean_log", truncation="0",
        weighting="sessions", permutations="0", basket="low_ends",
    )  # fmt: skip
    work = Workspace(root, overrides=[*fast_alone, *narrow])
    first, again = work.sensitivity(), work.sensitivity()
    assert first.table["basket"].tolist() == ["all"] and again.unchanged
    for result in (first, again):
        assert "no price of the basket is a range, so its low and high ends say nothing" in result.text()


def test_what_is_learned_from_the_whole_basket_moves_a_part_little(root, without, fast_alone, reported):
    """Components of TF-IDF and the register's means stay the whole basket's: a fraction of the interval, not more."""
    narrow = chosen(
        k="10", s_min="auto", truncation="0", permutations="0", basket="all,each_source_out", statistic="mean_log",
        weighting="sessions",
    )  # fmt: skip
    result = Workspace(root, overrides=[*fast_alone, *narrow]).sensitivity()
    for mode, pricers in (("none", ("matching", "hedonic")), ("centred", ("matching", "neighbours", "hedonic"))):
        growth = as_a_run(without.root, [*fast_alone, f"register.mode={mode}"])
        for pricer in pricers:
            expected = ends_of(growth, pricer=pricer, statistic="mean_log")
            found = row_of(result.table, pricer=pricer, register_mode=mode, basket=f"without {without.source}")
            apart = abs(found["growth"] - expected["growth"]) / (expected["upper"] - expected["lower"])
            assert 0 < apart < 0.1, (mode, pricer)
    exact = ends_of(as_a_run(without.root, fast_alone), pricer="neighbours", statistic="mean_log")
    same(row_of(result.table, pricer="neighbours", basket=f"without {without.source}"), exact, 1e-9)


def test_parts_too_thin_have_a_row_with_the_reason(curve, fast_alone):
    workspace, _ = curve
    narrow = chosen(
        pricer="neighbours", k="10", s_min="auto,0.999", register="none", truncation="0.4999",
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


@pytest.mark.parametrize("name", ["encoder.name=nowhere", "sensitivity.encoder=same,nowhere"])
def test_an_encoder_that_is_not_there_is_said_before_anything_is_run(root, fast_alone, monkeypatch, name):
    """The fault that a run with this encoder has, and where the name stands."""
    monkeypatch.setattr(module, "run", lambda *_: pytest.fail("run"))
    where = "^in sensitivity.encoder, as " if name.startswith("sensitivity") else "^"
    with pytest.raises(EnvironmentFault, match=where + "encoder.name = 'nowhere': neither a folder nor a model"):
        Workspace(root, overrides=[*fast_alone, name]).sensitivity()

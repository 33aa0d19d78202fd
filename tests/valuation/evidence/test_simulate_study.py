"""The simulation study: counting, blocks, and the published page."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from valuation.errors import ConfigError, InputError
from valuation.evidence import blocks, make_page, text_worlds
from valuation.evidence.coverage import study_table, warnings_table
from valuation.evidence.simulate import simulate
from valuation.evidence.worlds import CELLS, cells_named
from valuation.evidence.would_warn import RULES
from valuation.progress import Silent
from valuation.simulation import WorldSettings, simulate_world
from valuation.tables import Growth, SimulationStudy, read_table, validate

DOCS = Path(__file__).parents[3] / "docs"
PLAIN = cells_named(("plain",))


def frame(estimate, truth, half, **fired):
    n = len(estimate)
    estimate, truth = np.array(estimate, dtype=float), np.array(truth, dtype=float)
    columns = {
        "number": np.arange(n), "series": "joint", "target": "true", "estimate": estimate, "lower": estimate - half,
        "upper": estimate + half, "standard_error": half / 2, "truth": truth,
    }  # fmt: skip
    return pd.DataFrame(columns | {rule: fired.get(rule, [False] * n) for rule in RULES})


def test_figures_are_those_of_the_worlds_with_an_interval():
    rows = frame([0.1, 0.3, np.nan, 0.2], [0.2, 0.2, 0.2, 0.2], 0.1,
                 shift_check=[True, False, False, False], calibration_slope=[True] * 4,
                 few_users=[True, False, True, False])  # fmt: skip
    rows["lower"] = rows["estimate"] - np.array([0.1, 0.09, 0.1, 0.0])
    found = study_table(PLAIN, [rows], level="vector").iloc[0]
    validate(study_table(PLAIN, [rows], level="vector"), SimulationStudy, where="here")
    assert (found["world"], found["pricer"], found["series"], found["target"]) == ("plain", "matching", "joint", "true")
    assert (found["worlds"], found["failed"]) == (4, 1)
    assert found["bias"] == pytest.approx(0.0)
    assert found["bias_error"] == pytest.approx(0.1 / np.sqrt(3))
    assert found["rmse"] == pytest.approx(np.sqrt(0.02 / 3))
    assert found["coverage"] == pytest.approx(2 / 3)  # ends count as inside
    assert found["coverage_error"] == pytest.approx(np.sqrt(2 / 3 / 3 / 3))
    assert not found["within_limits"]
    assert found["standard_error"] == pytest.approx(0.05)
    assert found["warned_share"] == 0.5  # the calibration slope is counted apart
    assert found["shift_check_rejects"] == 0.25
    fired = warnings_table(PLAIN, [rows], level="vector").set_index("rule")["share"]
    assert fired.loc[["shift_check", "calibration_slope", "few_users", "hubs"]].tolist() == [0.25, 1.0, 0.5, 0.0]


@pytest.mark.parametrize(("inside", "passes"), [(92, False), (93, True), (97, True), (98, False)])
def test_coverage_of_93_to_97_in_100_passes(inside, passes):
    rows = frame(np.zeros(100), np.where(np.arange(100) < inside, 0.0, 1.0), 0.5)
    found = study_table(PLAIN, [rows], level="vector").iloc[0]
    assert found["coverage"] == pytest.approx(inside / 100)
    assert found["within_limits"] == passes


def drawn(out, worlds, cells=("plain",), seed=1, processes=1):
    return simulate(
        out, worlds=worlds, cells=cells, seed=seed, processes=processes, text=False, progress=Silent()
    )  # fmt: skip


def test_a_study_that_was_stopped_goes_on_and_finished_worlds_are_not_drawn_again(tmp_path, monkeypatch):
    monkeypatch.setattr(blocks, "BLOCK", 1)
    draw, made = blocks.draw_block, []

    def stopping(cell, first, last, seed):
        made.append((cell.name, first))
        if len(made) == 3:
            raise KeyboardInterrupt
        return draw(cell, first, last, seed)

    monkeypatch.setattr(blocks, "draw_block", stopping)
    with pytest.raises(KeyboardInterrupt):
        drawn(tmp_path, 2, cells=("plain", "no_growth"))
    assert made == [("plain", 0), ("no_growth", 0), ("plain", 1)]  # every kind has its first worlds first
    assert not list(tmp_path.rglob(".tmp*")) and not (tmp_path / "simulation.parquet").exists()
    whole = drawn(tmp_path, 2, cells=("plain", "no_growth"))
    assert made[3:] == [("plain", 1), ("no_growth", 1)]
    assert whole.path == tmp_path / "simulation.parquet"
    again = drawn(tmp_path / "fresh", 2, cells=("plain", "no_growth"))
    pd.testing.assert_frame_equal(whole.table, again.table)
    assert (whole.table["worlds"] == 2).all()
    assert "a relative, coarse measure: never a wage, an invoice or a saving" in whole.text()
    assert "log points" in whole.text() and "2 to 2 worlds" in whole.text()
    before = len(made)
    drawn(tmp_path, 2, seed=2)
    assert len(made) == before + 2  # another seed is another study


@pytest.mark.slow
def test_figures_do_not_depend_on_the_number_of_processes(tmp_path, monkeypatch):
    monkeypatch.setattr(blocks, "BLOCK", 2)
    one, two = (drawn(tmp_path / str(n), 4, processes=n) for n in (1, 2))
    pd.testing.assert_frame_equal(one.table, two.table, check_exact=True)


def test_an_unknown_kind_of_world_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="no kind of world 'plane'; there are plain, no_growth"):
        drawn(tmp_path, 2, cells=("plane",))
    with pytest.raises(ConfigError, match="no kind of world of texts 'plain'; there are texts, texts_mix"):
        simulate(tmp_path, worlds=2, cells=("plain",), seed=1, processes=1, text=True, progress=Silent())
    assert not list(tmp_path.iterdir())


def published(name):
    return make_page.read_csv(DOCS, name)


def test_the_page_says_what_the_tables_beside_it_say():
    page = (DOCS / "evidence.md").read_text(encoding="utf-8")
    assert make_page.filled(page, published("simulation"), published("simulation_warnings")) == page
    changed = published("simulation").assign(coverage=0.5)
    assert make_page.filled(page, changed, published("simulation_warnings")) != page
    with pytest.raises(InputError, match="expected the markers <!-- worlds: made by make evidence -->"):
        make_page.filled("# nothing", published("simulation"), published("simulation_warnings"))


def test_the_published_study_has_every_kind_of_world_series_and_target():
    study = published("simulation")
    assert study["world"].drop_duplicates().tolist() == [cell.name for cell in CELLS]
    for world, rows in study.groupby("world"):
        pairs = set(zip(rows["series"], rows["target"], strict=True))
        series = ("users", "postings", "joint", "doubly_robust")
        assert {(name, target) for name in series for target in ("pricer", "true")} <= pairs, world
    assert study["worlds"].nunique() == 1 and study["worlds"].iloc[0] >= 1000
    own = study[(study["target"] == "pricer") & (study["series"] == "joint")]
    assert own["coverage"].between(0.9, 1.0).all()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["plain", "pure_mix", "neighbours"])
def test_a_row_of_each_published_table_is_drawn_again(name):
    """The first worlds of a kind, from the study's seed: the figures that the page's tables were made with."""
    cells = cells_named((name,))
    rows = [blocks.draw_block(cells[0], 0, make_page.CHECKED, make_page.SEED)]
    for table, made in (
        ("simulation_first", study_table(cells, rows, level="vector")),
        ("simulation_warnings_first", warnings_table(cells, rows, level="vector")),
    ):
        kept = published(table)
        kept = kept[kept["world"] == name].reset_index(drop=True)
        assert len(kept) > 0
        pd.testing.assert_frame_equal(made, kept, check_dtype=False, rtol=0, atol=1.01e-4)


@pytest.mark.slow
def test_a_run_on_texts_is_read_as_its_tables_have_it(work):
    settings = WorldSettings(postings=700, sessions=420, users=60, months=4, rows_per_fault=1)
    world = simulate_world(settings, seed=5)  # that of the fixture `work`
    folder = work.run_folder()
    rows = text_worlds.rows_of_run(work.layout, work.settings, folder, world, 7).set_index("series")
    growth = read_table(folder / "growth.parquet", Growth)
    headline = growth[(growth["group_by"] == "") & (growth["statistic"] == "mean_log")
                      & (growth["pricer"] == "matching") & (growth["from_month"].str.len() == 7)]  # fmt: skip
    for series, variation in (("users", "users"), ("postings", "postings"), ("joint", "both")):
        row = headline.set_index("variation").loc[variation]
        for name, column in (("estimate", "growth"), ("lower", "lower"), ("upper", "upper")):
            assert rows.loc[series, name] == pytest.approx(np.log1p(row[column]))
    drawn, expected = (world.truth.growth.set_index("kind").loc["", name] for name in ("growth", "expected_growth"))
    assert rows.loc["postings", "truth"] == pytest.approx(np.log1p(drawn))
    for series in ("users", "joint", "doubly_robust"):
        assert rows.loc[series, "truth"] == pytest.approx(np.log1p(expected))
    assert drawn != expected
    assert rows.loc["doubly_robust", "lower"] < rows.loc["doubly_robust", "upper"]
    assert rows["number"].tolist() == [7] * 4
    assert rows["few_users"].all()  # 60 people, a few of whom do most


@pytest.mark.slow
def test_a_world_of_texts_is_run_whole_and_kept(tmp_path, monkeypatch, tiny_encoder):
    small = WorldSettings(postings=250, sessions=160, users=70, months=2, rows_per_fault=0)
    cells = tuple(replace(cell, settings=small) for cell in text_worlds.TEXT_CELLS)
    quick = f'[encoder]\nname = "{tiny_encoder}"\n[pricing]\nlexical_components = 8\n[bootstrap]\nreplicates = 99\n'
    monkeypatch.setattr(text_worlds, "TEXT_CELLS", cells)
    monkeypatch.setattr(text_worlds, "SETTINGS", quick)
    asked = {"worlds": 2, "cells": ("texts",), "seed": 1, "processes": 1, "text": True, "progress": Silent()}
    monkeypatch.setattr(text_worlds, "text_world", only_the_first(text_worlds.text_world))
    found = simulate(tmp_path, **asked)
    assert found.path == tmp_path / "simulation_text.parquet"
    assert found.table["series"].tolist() == ["users", "postings", "joint", "doubly_robust"]
    assert set(found.table["target"]) == {"true"} and set(found.table["level"]) == {"text"}
    assert 0.1 < found.table["true_growth"].iloc[0] < 0.5  # the demo's world grows by 0.26 in logs
    monkeypatch.setattr(text_worlds, "text_world", None)  # finished worlds are not run again
    pd.testing.assert_frame_equal(simulate(tmp_path, **asked).table, found.table)


def only_the_first(make):
    """Run world 0; the others are its rows again."""
    kept = []

    def first(cell, *, number, seed):
        kept.append(make(cell, number=0, seed=seed) if not kept else kept[0].assign(number=number))
        return kept[-1]

    return first

"""The curve as table, sentence and figure; finished blocks on disk; the joint test of the median."""

import io
import json
import re

import numpy as np
import pytest

from valuation.config import load
from valuation.evidence.curve import Curve, JointTest, curve_table, kept_result, summarise
from valuation.evidence.sensitivity import joint_test
from valuation.evidence.specification_growth import Estimate, missing
from valuation.evidence.specification_store import block_path, save
from valuation.evidence.specification_store import load as load_block
from valuation.evidence.specifications import grid
from valuation.report.drawing import NARROW, WIDE, sober
from valuation.report.plots_sensitivity import board_rows, caption, specification_curve
from valuation.tables import Sensitivity, validate

SOURCES = ("one", "two", "three", "four", "five", "six")


def an_estimate(growth, half=0.1):
    change = np.log1p(growth)
    drawn = np.array([change / 2, -change])
    return Estimate(growth, growth - half, growth + half, change, 40, 12.5, 90.0, "", drawn)


@pytest.fixture(scope="module")
def specifications():
    return grid(load(None, []), SOURCES, ranges=False)


@pytest.fixture(scope="module")
def table(specifications):
    """The default grid with growth from -20 to +40 %, a tenth of it without a figure."""
    rng = np.random.default_rng(6)
    estimates = [
        missing("3 matched sessions of 2 users in 2025-01", 3, 2) if i % 10 == 9 else an_estimate(growth)
        for i, growth in enumerate(rng.uniform(-0.2, 0.4, len(specifications)))
    ]
    return curve_table(Curve(specifications, tuple(estimates), JointTest(0.25, -0.05, 0.07, 3)))


def test_rows_lie_in_the_order_of_growth_and_none_is_lost(specifications, table):
    validate(table, Sensitivity, where="table")
    assert len(table) == len(specifications) == 640
    shown = table[table["growth"].notna()]
    assert shown["growth"].is_monotonic_increasing and shown.index[-1] == len(shown) - 1
    assert table["specification"].tolist() == list(range(1, 641))
    rest = table[table["growth"].isna()]
    assert len(rest) == 64 and rest["reason"].eq("3 matched sessions of 2 users in 2025-01").all()
    assert shown["reason"].isna().all() and rest[["lower", "upper", "effective_users"]].isna().all().all()
    columns = [
        "pricer",
        "k",
        "tau",
        "s_min",
        "register_mode",
        "statistic",
        "encoder",
        "basket",
        "truncation",
        "weighting",
    ]
    assert not table.duplicated(columns).any()


def test_the_headline_is_marked_once_and_is_the_run(table):
    own = table[table["headline"]]
    assert len(own) == 1
    told = own.iloc[0][
        ["pricer", "k", "tau", "s_min", "register_mode", "statistic", "basket", "truncation", "weighting"]
    ]
    assert told.tolist() == ["matching", 50, 0.1, "auto", "none", "mean_log", "all", "none", "sessions"]


def test_the_summary_counts_what_is_shown(table, tmp_path):
    found = summarise(tmp_path / "0123456789abcdef", table, unchanged=False, note="")
    growth = table["growth"].dropna()
    own = table[table["headline"]].iloc[0]
    assert (found.specifications, found.without_figure, found.run_id) == (640, 64, "0123456789abcdef")
    assert (found.lowest, found.highest, found.median) == (growth.min(), growth.max(), growth.median())
    assert found.same_sign_share == pytest.approx((growth * own["growth"] > 0).mean())
    assert found.excluding_zero_share == pytest.approx((growth.abs() > 0.1).mean())
    assert found.headline == own["growth"] and found.headline_rank == (growth <= own["growth"]).sum()
    text = found.text()
    assert "under 576 specifications (64 more give no figure; the table says why)" in text
    assert "joint permutation p of the median 0.250 (3 permutations of months between users" in text
    assert "medians lie from -5.0% to +7.0%" in text and "run 0123456789abcdef" in text
    assert "never a wage, an invoice or a saving" in text
    noted = summarise(tmp_path / "0123456789abcdef", table, unchanged=False, note="no range").text().splitlines()
    assert [line for line in noted if line not in text.splitlines()] == ["no range"]


def test_without_permutations_the_text_has_no_p_value(specifications, tmp_path):
    none = float("nan")
    made = curve_table(Curve(specifications[:1], (an_estimate(0.1),), JointTest(none, none, none, 0)))
    assert "no permutations were asked for" in summarise(tmp_path, made, unchanged=False, note="").text()


def test_the_joint_test_is_of_the_median():
    growth = np.array([0.1, 0.3, 0.2, np.nan])
    drawn = np.array([[0.1, 0.0, -0.5], [0.1, 0.0, 0.1], [0.3, 0.2, -0.5], [9.0, 9.0, 9.0]])
    found = joint_test(growth, drawn, level=0.5)  # medians 0.1, 0.0, -0.5 against 0.2
    assert found.p_value == (1 + 1) / (1 + 3)
    assert found.permutations == 3
    assert [found.lower, found.upper] == pytest.approx(np.expm1([-0.5, 0.1]))


@pytest.mark.parametrize(("growth", "drawn"), [([np.nan], [[0.1]]), ([0.1], [[]])])
def test_without_figures_or_permutations_there_is_no_joint_test(growth, drawn):
    found = joint_test(np.array(growth), np.array(drawn), level=0.95)
    assert np.isnan([found.p_value, found.lower, found.upper]).all()


def test_a_block_comes_back_from_disk_as_it_was(tmp_path, specifications):
    estimates = [an_estimate(0.1), missing("why not: 3 sessions", 7, 2), an_estimate(-0.2)]
    path = block_path(tmp_path, specifications[:3], "run")
    save(path, estimates)
    found = load_block(path, 3)
    for one, other in zip(found, estimates, strict=True):
        assert one.reason == other.reason and one.n_matched == other.n_matched
        np.testing.assert_array_equal(one.permuted, other.permuted)
        np.testing.assert_array_equal([one.growth, one.lower, one.upper], [other.growth, other.lower, other.upper])
    assert load_block(path, 2) is None
    path.write_bytes(path.read_bytes()[:100])
    assert load_block(path, 3) is None and load_block(tmp_path / "nothing.npz", 3) is None


def test_a_block_is_known_by_all_that_moves_it(tmp_path, specifications):
    paths = [
        block_path(tmp_path, specifications[:3], "run", [1]),
        block_path(tmp_path, specifications[:2], "run", [1]),
        block_path(tmp_path, specifications[:3], "another", [1]),
        block_path(tmp_path, specifications[:3], "run", [2]),
    ]
    assert len(set(paths)) == 4 and paths[0] == block_path(tmp_path, specifications[:3], "run", [1])


@pytest.mark.parametrize("mark", ["", "[]", "{}", '{"identity": "other"}'])
def test_a_mark_that_is_not_ours_keeps_nothing(tmp_path, mark):
    (tmp_path / "sensitivity.json").write_text(mark)
    assert kept_result(tmp_path, "ours") is None
    (tmp_path / "sensitivity.json").write_text(json.dumps({"identity": "ours"}))
    assert kept_result(tmp_path, "ours") is None  # nothing of what it speaks of is there


def test_the_caption_gives_count_range_and_sign(table):
    text = caption(table)
    growth = table["growth"].dropna()
    assert text.startswith("n = 576 specifications (64 without a figure); ")
    assert f"{100 * growth.min():+.1f} %".replace("-", "−") in text
    assert re.search(r"\d+ % with the headline’s sign$", text)
    assert max(map(len, caption(table, line=46).splitlines())) <= 46
    assert caption(table[table["growth"].isna()]) == "n = 64 specifications, none of which gives a figure"


def test_the_board_shows_what_was_varied_and_leaves_hedonic_out_of_k(table):
    shown = table[table["growth"].notna()].reset_index(drop=True)
    rows = board_rows(shown)
    assert {row.choice for row in rows} == {
        "pricer", "k", "s_min", "register_mode", "statistic", "basket", "truncation", "weighting",
    }  # fmt: skip
    by = {(row.choice, row.level): row for row in rows}
    assert [row.level for row in rows if row.choice == "k"] == ["25", "50"]
    fifty = by["k", "50"].places
    assert (shown["pricer"].iloc[fifty] != "hedonic").all() and (shown["k"].iloc[fifty] == 50).all()
    users = by["weighting", "users"]
    assert users.median == shown.loc[shown["weighting"] == "users", "growth"].median()
    assert [row.level for row in rows if row.choice == "basket"][0] == "all"


@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_the_figure_marks_the_headline_and_zero_and_is_small(table, width):
    buffer = io.BytesIO()
    with sober("curve"):
        figure = specification_curve(table, width)
        curve, board = figure.axes
        lines = {line.get_label(): line for line in curve.get_lines()}
        own = table[table["headline"]].iloc[0]
        assert lines["headline"].get_xydata().tolist() == [[own["specification"] - 1, 100 * own["growth"]]]
        assert any(np.all(np.asarray(line.get_ydata()) == 0) for line in curve.get_lines())
        points = [line for name, line in lines.items() if name.startswith("interval")]
        assert sum(len(line.get_xdata()) for line in points) == 576
        assert "Weight" in [tick.get_text() for tick in board.get_yticklabels()]
        figure.savefig(buffer, format="svg", metadata={"Date": None})
    assert len(buffer.getvalue()) < 400_000


def test_a_table_without_figures_is_drawn_empty(table):
    with sober("curve"):
        figure = specification_curve(table[table["growth"].isna()], WIDE)
    assert "none of which gives a figure" in figure.get_suptitle()

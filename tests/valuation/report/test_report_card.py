"""The pricer card in plain words: whatever the engine writes has a name and a place, in every order of rows."""

import ast
import dataclasses
import inspect

import pandas as pd
import pytest
from make_tables import make_tables

from valuation.pipeline import card
from valuation.report import constants, section_card, section_cells
from valuation.report.facts import card_cells, card_rows
from valuation.report.order import natural, ordered
from valuation.report.render import context_of
from valuation.report.words_card import CELL_HEADERS, CELL_NOTES, CELL_WORDS, MEASURE_WORDS, SAMPLE_WORDS, ranked
from valuation.tables.schemas import CARD_SAMPLES


@pytest.fixture(scope="module")
def context():
    return context_of(make_tables())


def written() -> set[str]:
    """Every literal of the module that makes the card, and the names it puts together."""
    found = {n.value for n in ast.walk(ast.parse(inspect.getsource(card))) if isinstance(n, ast.Constant)}
    names = {name for name in found if isinstance(name, str)}
    pairs = {f"{a}_{b}" for a in ("slope", "intercept", "mean_error") for b in ("raw", "corrected")}
    return names | pairs | {f"{band}_{what}" for band in ("single", "typical") for what in ("coverage", "width")}


def test_all_words_are_of_what_the_engine_writes():
    assert set(MEASURE_WORDS) <= written()
    assert set(CELL_WORDS) <= written() and set(CELL_NOTES) == set(CELL_WORDS)
    assert set(SAMPLE_WORDS) == set(CARD_SAMPLES)
    assert set(CELL_HEADERS) <= set(MEASURE_WORDS)
    assert constants.FULL_TEXT == card.FULL_TEXT


def test_no_setting_name_stands_where_words_would_do(context):
    grid = section_card.blocks(context)[0]
    text = " ".join(str(value) for row in grid.rows for value in row[:2])
    assert "_" not in text and "raw" not in text and "full text" not in text
    assert "fully described, price tiers balanced" in text
    assert "Single prices inside the typical band, which is not made to hold them" in text


def test_measures_come_in_the_order_of_their_words_and_no_slope_twice(context):
    grid = section_card.blocks(context)[0]
    shown = [(row[0].striptags(), row[1].striptags()) for row in grid.rows]
    assert shown[:4] == [("Squared correlation of log prices", SAMPLE_WORDS[s]) for s in (
        "natural", "tier_weighted", "full_text", "full_text_tier_weighted")]  # fmt: skip
    assert "Calibration slope" not in {measure for measure, _ in shown}
    assert {"Calibration slope before the linear correction", "Calibration slope after it"} <= {m for m, _ in shown}
    assert len(shown) == len(set(shown))
    assert "before any correction" in grid.sentence


def test_every_kind_of_cell_has_a_table_with_its_note(context):
    section = section_cells.section(context)
    titles = [block.title for block in section.blocks if block.kind == "table"]
    assert titles == [f"Pricer card by {CELL_WORDS[name]}" for name in ("tier", "mondrian", "month")]
    by_title = {block.title: block for block in section.blocks if block.kind == "table"}
    tiers = [row[0].striptags() for row in by_title["Pricer card by price tier"].rows]
    assert tiers == ["$10-200", "$200-1,000", "$1,000-5,000", "$5,000-50,000"]
    assert "underprices" in by_title["Pricer card by price tier"].sentence
    cells = by_title["Pricer card by cell of the single-posting band"]
    assert len(cells.rows) == 15 and "Of " not in cells.sentence.striptags().split("merged")[1]
    months = by_title["Pricer card by month"]
    assert [row[0].striptags() for row in months.rows][:2] == ["Mar 2024", "Apr 2024"], "the sixteen largest, by time"
    assert "Of 18 cells, the 16 with the most postings are shown." in months.sentence.striptags()


def test_the_natural_sample_is_shown_whatever_comes_first():
    tables = make_tables()
    held, own = tables.validation.assign(sample="holdout"), ordered(tables).validation
    for pair in ([own, held], [held, own]):
        frame = pd.concat(pair, ignore_index=True)
        rows = card_rows(dataclasses.replace(tables, validation=frame), "tier")
        assert set(rows["sample"]) == {"natural"}
        assert card_cells(rows)[0] == "$10-200"


def test_names_sort_by_their_numbers_and_unknown_ones_last():
    assert sorted(["10 of 12", "2 of 12"], key=natural) == ["2 of 12", "10 of 12"]
    assert sorted(["market-b", "market-a"], key=natural) == ["market-a", "market-b"]
    assert sorted(["z", "holdout", "a", "natural"], key=lambda n: ranked(SAMPLE_WORDS, n)) == [
        "natural", "holdout", "a", "z",
    ]  # fmt: skip

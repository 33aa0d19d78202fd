"""``valuation price``: one row out for each row in."""

import numpy as np
import pandas as pd
import pytest

from valuation.errors import ConfigError, InputError
from valuation.storage import read_postings
from valuation.tables import Priced, read_table
from valuation.workspace import Workspace

TEXTS = ["Fix the checkout of our online shop", "", None, "Write ten product descriptions", "   ", "zxqv qqvx"]


@pytest.fixture
def texts(tmp_path):
    path = tmp_path / "texts.parquet"
    pd.DataFrame({"id": list("fedcba"), "text": TEXTS}).to_parquet(path)
    return str(path)


@pytest.fixture(scope="module")
def work(work, fast):
    """The same workspace, with every text matched."""
    return Workspace(work.layout.root, overrides=[*fast, "matching.s_min=-1"])


def test_one_row_a_text_in_input_order(work, texts, tmp_path):
    result = work.price(texts, str(tmp_path / "out.parquet"), register="posting")
    table = read_table(tmp_path / "out.parquet", Priced)
    assert table["id"].tolist() == list("fedcba")
    assert table["reason"].isna().tolist() == table["matched"].tolist()
    assert table.loc[[1, 2, 4], "reason"].tolist() == ["no text"] * 3
    assert table.loc[[1, 2, 4]].drop(columns=["id", "matched", "reason"]).isna().all().all()
    assert (result.rows, result.unusable, result.matched + result.unmatched) == (6, 3, 3)
    assert table.loc[0, "value_usd"] == pytest.approx(np.exp(table.loc[0, "log_value"]))


def test_a_text_like_no_posting_has_no_figures_but_a_reason(work, fast, texts, tmp_path):
    strict = Workspace(work.layout.root, overrides=[*fast, "matching.s_min=0.99"])
    assert strict.price(texts, str(tmp_path / "out.parquet"), register="posting").unmatched == 3
    table = read_table(tmp_path / "out.parquet", Priced)
    assert table["value_usd"].isna().all() and table["similarity_max"].notna().sum() == 3
    assert table.loc[0, "reason"].endswith("below 0.990")


def test_needs_no_sessions(work, fast, world_files, texts, tmp_path):
    bare = Workspace.create(tmp_path / "bare")
    bare.import_postings([str(world_files.postings)], mapping=world_files.postings_map)
    alone = Workspace(bare.layout.root, overrides=[*fast, "matching.s_min=-1"])
    result = alone.price(texts, str(tmp_path / "bare.csv"), register="posting")
    work.price(texts, str(tmp_path / "full.csv"), register="posting")
    assert result.matched == 3
    assert (tmp_path / "bare.csv").read_bytes() == (tmp_path / "full.csv").read_bytes()


def test_source_moves_the_level_by_its_effect_alone(work, texts, tmp_path):
    source = sorted(read_postings(work.layout)["source"].unique())[0]
    work.price(texts, str(tmp_path / "a.parquet"), register="posting")
    work.price(texts, str(tmp_path / "b.parquet"), register="posting", source=source)
    a, b = (read_table(tmp_path / f"{name}.parquet", Priced) for name in "ab")
    moved = (b["log_value"] - a["log_value"]).dropna()
    assert np.ptp(moved) < 0.05 and abs(moved.iloc[0]) > 1e-6
    assert np.allclose(a["value_neighbours"].dropna(), b["value_neighbours"].dropna())


def test_an_unknown_source_lists_those_there_are(work, texts, tmp_path):
    with pytest.raises(ConfigError, match="'nowhere' is not in the basket; its sources are "):
        work.price(texts, str(tmp_path / "a.parquet"), source="nowhere")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"text_column": "body"}, "no column 'body'; its columns are id, text; name the right one with --text"),
        ({"id_column": "key"}, "no column 'key'; its columns are id, text; name the right one with --id"),
    ],
)
def test_a_missing_column_is_named(work, texts, tmp_path, options, message):
    with pytest.raises(InputError, match=message):
        work.price(texts, str(tmp_path / "a.parquet"), **options)


def test_an_unknown_ending_is_refused_before_any_work(work, texts, tmp_path):
    with pytest.raises(ConfigError, match=r"expected a name ending in \.parquet, \.csv"):
        work.price(texts, str(tmp_path / "a.docx"))


@pytest.mark.slow
def test_centred_register_uses_the_run_and_says_so(work, fast, texts, tmp_path):
    centred = Workspace(work.layout.root, overrides=[*fast, "register.mode=centred"])
    first = centred.price(texts, str(tmp_path / "a.parquet"))
    assert "centred on the mean of these texts" in first.note
    run = centred.run()
    assert f"as in run {run.run_id}" in centred.price(texts, str(tmp_path / "a.parquet")).note

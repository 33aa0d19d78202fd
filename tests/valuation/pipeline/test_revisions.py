"""Under a fixed basket a new month revises nothing: point figures of past months stay as they were."""

import shutil

import numpy as np
import pandas as pd
import pytest

from valuation.storage import read_sessions, write_sessions
from valuation.tables import SeriesTable, Values, read_table
from valuation.workspace import Workspace

POINTS = ["n_sessions", "n_matched", "n_users", "matched_share", "value", "index_number"]
KEYS = ["month", "group_by", "group", "statistic", "pricer"]


@pytest.fixture(scope="module")
def revised(work, fast, tmp_path_factory):
    """A run up to the third month, then one with the fourth month added, in one workspace: (before, after)."""
    root = tmp_path_factory.mktemp("revised") / "work"
    shutil.copytree(work.layout.root, root)
    whole = read_sessions(work.layout)
    months = sorted(whole["month"].unique())
    shutil.rmtree(root / "runs")
    shutil.rmtree(root / "embeddings")  # each month's texts are embedded when they come
    found = []
    for last in (months[2], months[3]):
        here = Workspace(root, overrides=[*fast, f"series.base_month={months[0]}", "register.mode=none"])
        write_sessions(here.layout, whole[whole["month"] <= last])
        found.append(here.run().folder)
    return found, months


@pytest.mark.slow
def test_past_months_keep_their_point_figures(revised):
    (before, after), months = revised
    old, new = (read_table(folder / "series.parquet", SeriesTable).set_index(KEYS) for folder in (before, after))
    assert old.index.get_level_values("month").unique().tolist() == months[:3]
    assert new.index.get_level_values("month").unique().tolist() == months
    assert (old.index.get_level_values("group_by") == "kind").any()
    same = new.loc[old.index, POINTS].astype(float)
    np.testing.assert_allclose(same, old[POINTS].astype(float), rtol=1e-12, atol=0)


@pytest.mark.slow
def test_past_sessions_keep_their_values_and_bands(revised):
    (before, after), _ = revised
    old, new = (read_table(folder / "values.parquet", Values).set_index("session_id") for folder in (before, after))
    assert len(new) > len(old) > 200
    columns = [name for name in old.columns if pd.api.types.is_float_dtype(old[name])]
    np.testing.assert_allclose(new.loc[old.index, columns], old[columns], rtol=1e-12, atol=0)
    assert (new.loc[old.index, "matched"] == old["matched"]).all()

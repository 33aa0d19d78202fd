"""The postings nearest to sessions that none resembles enough, kept for analysts."""

from __future__ import annotations

import shutil

import pytest

from valuation.pipeline.finished import read_manifest
from valuation.pipeline.workings import errors_path
from valuation.review.meaning import MeaningSearch
from valuation.storage import read_sessions
from valuation.tables import Nearby, PostingErrors, Values, Workings, read_table
from valuation.workspace import Workspace


@pytest.fixture(scope="module")
def picky(work, fast, tmp_path_factory):
    """A run in which half of the sessions are not matched."""
    root = tmp_path_factory.mktemp("picky") / "work"
    shutil.copytree(work.layout.root, root, ignore=shutil.ignore_patterns("runs", ".lock*"))
    usual = read_table(work.run_folder() / "values.parquet", Values)["similarity_max"].median()
    made = Workspace(root, overrides=[*fast, f"matching.s_min={usual:.4f}"])
    made.run()
    return made


@pytest.mark.slow
def test_they_are_those_that_a_search_finds_and_of_the_unmatched_only(picky):
    folder = picky.run_folder()
    manifest = read_manifest(folder)
    values, nearby = read_table(folder / "values.parquet", Values), read_table(folder / "nearby.parquet", Nearby)
    alone = values.loc[~values["matched"], "session_id"].tolist()
    assert len(alone) > 100
    assert nearby["session_id"].drop_duplicates().tolist() == alone
    assert nearby["rank"].tolist() == list(range(1, 11)) * len(alone)  # matching.k
    rows = nearby.groupby("session_id")["row"].agg(list)
    first = read_table(folder / "workings.parquet", Workings).set_index("session_id")["nearest"]
    assert {one: rows[one][0] for one in alone} == {one: first[one] for one in alone}

    postings = read_table(errors_path(picky.layout, manifest["basket_id"], manifest["settings"]), PostingErrors)
    sessions = read_sessions(picky.layout)
    summaries = dict(zip(sessions["session_id"], sessions["summary"], strict=True))
    search = MeaningSearch(picky.layout, manifest)
    search.start()
    assert search.wait().name == "ready"
    for session in alone[:: len(alone) // 12]:
        found = [hit.posting_id for hit in search.search(summaries[session], 10)]
        assert postings["posting_id"].iloc[rows[session]].tolist() == found

"""Search by meaning: the run's own ranks again, in its registers, without anything heavy before it is asked for."""

import subprocess
import sys

import numpy as np
import pytest

from valuation.errors import InputError
from valuation.pipeline.finished import read_manifest
from valuation.review.meaning import MeaningSearch, NotReady
from valuation.storage import read_sessions
from valuation.tables import Matches, read_table


def opened(work, manifest):
    search = MeaningSearch(work.layout, manifest)
    search.start()
    search.start()
    state = search.wait(60)
    assert (state.name, state.reason) == ("ready", "")
    return search


@pytest.fixture(scope="module")
def run(work):
    folder = work.run().folder
    return work, folder, read_manifest(folder)


@pytest.fixture(scope="module")
def search(run):
    return opened(run[0], run[2])


def check_ranks(search, run, n=5):
    """The first neighbours of a run's sessions are found again, in order."""
    work, folder, _ = run
    matches = read_table(folder / "matches.parquet", Matches)
    summary = read_sessions(work.layout).set_index("session_id")["summary"]
    for session_id, mine in list(matches.groupby("session_id"))[:n]:
        mine = mine.sort_values("rank").head(8)
        hits = search.search(summary[session_id], len(mine))
        assert [hit.posting_id for hit in hits] == mine["posting_id"].tolist()
        np.testing.assert_allclose([hit.similarity for hit in hits], mine["similarity"], atol=2e-6)
        assert [search.rank_of(summary[session_id], hit.posting_id).rank for hit in hits] == mine["rank"].tolist()


def test_the_runs_own_neighbours_are_found_again(search, run):
    check_ranks(search, run)


def test_ranks_agree_with_a_search_of_the_whole_basket(search):
    n = search._loaded.index.card.n
    text = "Build a website for a small shop"
    hits = search.search(text, n + 50)
    assert len(hits) == n
    assert [hit.rank for hit in hits] == list(range(1, n + 1))
    for hit in hits[:: n // 20]:
        assert search.rank_of(text, hit.posting_id) == hit
        assert search.rank_of(search.vector(text), hit.posting_id) == hit
    assert search.rank_of(text, "no such posting") is None
    assert search.rank_of(text, "") is None


def test_blank_texts_find_nothing(search):
    assert search.search("  \n", 5) == []
    assert search.search("shop", 0) == []
    with pytest.raises(InputError, match="an empty text has no meaning"):
        search.vector(" ")


def test_words_contributions_sum_to_the_similarity(search):
    gigs = ["Build a website", "", "Translate a page"]
    first, blank, last = search.words_of("I made a website", gigs)
    assert blank == ()
    for text, words in ((gigs[0], first), (gigs[2], last)):
        similarity = float(search.vector("I made a website") @ search.vector(text, "posting"))
        assert sum(word.contribution for word in words) == pytest.approx(similarity, abs=1e-4)
    assert search.words_of("I made a website", gigs) == [first, blank, last]
    assert search.words_of(" ", gigs) == [(), (), ()]


def test_nothing_is_found_before_it_is_loaded(run):
    waiting = MeaningSearch(run[0].layout, run[2])
    assert waiting.state.name == "waiting"
    with pytest.raises(NotReady, match="still loading"):
        waiting.search("shop", 5)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"basket_id": "0" * 16}, "basket 0000000000000000 is no longer here"),
        ({"encoder": {"fingerprint": "0" * 32}}, "was made with 00000000000000000000000000000000"),
    ],
)
def test_a_run_that_cannot_be_searched_says_why(run, change, reason):
    search = MeaningSearch(run[0].layout, run[2] | change)
    search.start()
    state = search.wait(60)
    assert state.name == "failed"
    assert reason in state.reason
    with pytest.raises(NotReady, match=reason):
        search.search("shop", 5)


def test_a_basket_deleted_later_is_searched_no_more(run):
    search = opened(run[0], run[2])
    card = run[0].layout.indices / run[2]["basket_id"] / "basket.json"
    content = card.read_bytes()
    try:
        card.unlink()
        with pytest.raises(NotReady, match="is no longer here"):
            search.search("shop", 5)
        assert search.state.name == "failed"
        assert search._loaded is None
    finally:
        card.write_bytes(content)


def test_importing_loads_nothing_heavy():
    code = (
        "import sys, valuation.review.meaning, valuation.review.marks\n"
        "print([name for name in ('torch', 'faiss', 'sentence_transformers', 'numba') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.slow
def test_centred_registers_are_those_of_the_run(tmp_path, world_files, fast):
    from valuation.workspace import Workspace

    plain = _filled(tmp_path / "ws", world_files, fast)
    work = Workspace(plain.layout.root, overrides=[*fast, "register.mode=centred"])
    folder = work.run().folder
    run = work, folder, read_manifest(folder)
    search = opened(work, run[2])
    assert search._loaded.means["posting"] is not None
    check_ranks(search, run)
    words = search.words_of("I made a website", ["Build a website"])[0]
    similarity = float(search.vector("I made a website") @ search.vector("Build a website", "posting"))
    assert sum(word.contribution for word in words) == pytest.approx(similarity, abs=1e-4)


def _filled(root, files, overrides):
    from valuation.imports import import_postings, import_sessions
    from valuation.workspace import Workspace

    work = Workspace.create(root)
    for which, bring in (("postings", import_postings), ("sessions", import_sessions)):
        paths, mapping = [str(getattr(files, which))], getattr(files, f"{which}_map")
        bring(work.layout, paths, settings=work.settings, mapping=mapping, dry_run=False)
    return Workspace(root, overrides=overrides)

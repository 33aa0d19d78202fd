"""Crawls that are stopped, killed or repeated end with the same tables, row by row, as one that was left alone."""

from __future__ import annotations

import importlib.util
import signal
import sqlite3
import time
from pathlib import Path

import pytest

from crawlers.replay import ReplaySettings, serve

pytestmark = pytest.mark.slow

_spec = importlib.util.spec_from_file_location("crawling_tools", Path(__file__).with_name("crawling_tools.py"))
tools = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(tools)

SOURCES = ["github", "jobposting", "freelancehunt"]
SMALL_PAGES = ("sources.github.page_size=5", "sources.freelancehunt.page_size=5")
PACED = (*SMALL_PAGES, *(f"sources.{name}.requests_per_minute=1200" for name in SOURCES))


@pytest.fixture(scope="module")
def server():
    with serve(ReplaySettings(postings=120)) as running:
        yield running


@pytest.fixture(scope="module")
def whole(server, tmp_path_factory):
    """A workspace of an uninterrupted crawl."""
    root = tools.make(tmp_path_factory.mktemp("whole") / "work")
    result, _ = tools.crawl(root, server.url, SOURCES, *SMALL_PAGES)
    assert result["good"]
    assert {one["source"]: one["records_in"] > 100 for one in result["sources"]} == dict.fromkeys(SOURCES, True)
    return root


def crawls(root: Path, source: str) -> list[tuple[str, str, str]]:
    with sqlite3.connect(root / "crawl" / source / "store.db") as db:
        return db.execute("SELECT crawl_id, outcome, reason FROM crawls ORDER BY started_at").fetchall()


def test_an_orderly_stop_is_gone_on_with_where_it_was(server, whole, tmp_path):
    root = tools.make(tmp_path / "work")
    for answers in (4, 6):
        process = tools.start(root, server.url, SOURCES, *PACED)
        tools.wait_for_answers(root, "jobposting", answers, process)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
        assert process.returncode == 130, out + err
        assert "the same command goes on" in err
    asked = len(server.log)
    result, _ = tools.crawl(root, server.url, SOURCES, *SMALL_PAGES)
    assert result["good"]
    tools.assert_same_tables(root, whole)
    stopped_and_resumed = crawls(root, "jobposting")
    assert [one[1:] for one in stopped_and_resumed] == [("finished", "finished")]  # one crawl, in three pieces
    total = sum(1 for line in server.log if line["path"].startswith("/jobs/"))
    assert len(server.log) - asked < total  # what was read before the stop was not asked for again


@pytest.mark.parametrize("answers", [3, 20])
def test_a_killed_crawl_is_made_good_by_the_next(server, whole, tmp_path, answers):
    root = tools.make(tmp_path / "work")
    process = tools.start(root, server.url, SOURCES, *PACED)
    tools.wait_for_answers(root, "jobposting", answers, process)
    process.kill()
    process.communicate(timeout=60)
    time.sleep(0.5)
    before = len(server.log)
    time.sleep(0.7)
    assert len(server.log) == before  # the sources' processes are gone with it
    result, _ = tools.crawl(root, server.url, SOURCES, *SMALL_PAGES)
    assert result["good"]
    tools.assert_same_tables(root, whole)


def test_a_sigterm_is_an_orderly_stop_too(server, tmp_path):
    root = tools.make(tmp_path / "work")
    process = tools.start(root, server.url, SOURCES, *PACED)
    tools.wait_for_answers(root, "github", 4, process)
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, out + err
    assert {outcome for source in SOURCES for _, outcome, _ in crawls(root, source)} <= {"stopped", "finished"}
    assert tools.tables(root)[0]["posting_id"].is_unique  # what was collected is in the tables
    assert len(tools.tables(root)[0]) > 0


def test_a_rerun_asks_only_for_what_may_have_changed(server, whole, tmp_path):
    root = tools.make(tmp_path / "work")
    first, _ = tools.crawl(root, server.url, ["github"], *SMALL_PAGES)
    postings = tools.tables(root)[0]
    bytes_before = {path: path.read_bytes() for path in (root / "postings").rglob("*.parquet")}
    again, _ = tools.crawl(root, server.url, ["github"], *SMALL_PAGES)
    source = again["sources"][0]
    assert source["kind"] == "rerun"
    assert source["new"] == source["changed"] == 0
    assert 0 < source["requests"] < first["sources"][0]["requests"] / 2
    assert tools.tables(root)[0].equals(postings)
    assert {path: path.read_bytes() for path in (root / "postings").rglob("*.parquet")} == bytes_before


def test_a_full_disk_is_said_and_nothing_stored_is_lost(server, whole, tmp_path):
    root = tools.make(tmp_path / "work")
    line = tools.command(root, server.url, "github", sources=["github"], settings=SMALL_PAGES)
    limited = ["bash", "-c", 'ulimit -f 300; exec "$@"', "bash", *line]  # no file over 300 kB
    done = tools.subprocess.run(limited, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "cannot be written" in done.stderr
    assert "Traceback" not in done.stderr
    tools.crawl(root, server.url, SOURCES, *SMALL_PAGES)
    tools.assert_same_tables(root, whole)


def test_robots_txt_that_fails_on_the_way_costs_nothing(server, whole, tmp_path):
    root = tools.make(tmp_path / "work")
    process = tools.start(root, server.url, SOURCES, *PACED)
    tools.wait_for_answers(root, "jobposting", 4, process)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    server.set_faults(["robots_500"])
    try:
        result, err = tools.crawl(root, server.url, SOURCES, *SMALL_PAGES, status=3)
    finally:
        server.set_faults([])
    assert {one["reason"] for one in result["sources"]} <= {"robots_unreachable", "finished"}
    assert "robots_unreachable" in err
    tools.crawl(root, server.url, SOURCES, *SMALL_PAGES)
    tools.assert_same_tables(root, whole)


def test_a_query_added_later_is_asked_for_from_the_beginning(server, tmp_path):
    root = tools.make(tmp_path / "work")
    one = "sources.github.queries=['is:issue repo:Expensify/App']"
    first, _ = tools.crawl(root, server.url, ["github"], one)
    both, _ = tools.crawl(root, server.url, ["github"])
    assert both["sources"][0]["kind"] == "full"
    assert both["sources"][0]["new"] > 10
    again, _ = tools.crawl(root, server.url, ["github"])
    assert again["sources"][0]["kind"] == "rerun"

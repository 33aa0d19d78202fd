"""The ledger of a crawl: when the high-water mark moves, what it stands for, and a store that cannot be written."""

import sqlite3

import pytest
from crawling import DAY, T0, make_job, posting

from crawlers.engine.ledger import Ledger, asked
from crawlers.job import Window, changed_since, now
from crawlers.store import open_store, stamp


def crawl(folder, *, window=None, published=T0, crawl_id="c1", outcome="finished", lost=0, queries=None):
    """One crawl that has seen one posting."""
    overrides = ["sources.github.base_url=http://127.0.0.1:1"]
    job = make_job(folder, *overrides, crawl_id=crawl_id, window=window)
    if queries is not None:
        job = make_job(folder, *overrides, f"sources.github.queries={queries}", crawl_id=crawl_id, window=window)
    ledger = Ledger(job, resumed=False)
    number = int(crawl_id[1:])
    ledger.add(posting("1", published=published), response_id=number, position=1, seen_at=now())
    ledger.count("failed", "status", lost) if lost else None
    ledger.end(outcome, "finished" if outcome == "finished" else "shutdown", {})
    return state(folder)


def state(folder):
    store = open_store(folder / "store.db")
    found = {key: store.state(key) for key in ("mark", "asked", "retention_hours")}
    store.close()
    return found


def test_a_complete_crawl_moves_the_mark_to_the_newest_date(tmp_path):
    assert crawl(tmp_path)["mark"] == stamp(T0)
    assert crawl(tmp_path, crawl_id="c2", published=T0 + DAY)["mark"] == stamp(T0 + DAY)
    assert crawl(tmp_path, crawl_id="c3", published=T0 - DAY)["mark"] == stamp(T0 + DAY)  # it never goes back


@pytest.mark.parametrize("how", [{"outcome": "stopped"}, {"lost": 1}, {"window": Window(until=T0 + DAY)}])
def test_an_incomplete_crawl_leaves_the_mark_where_it_was(tmp_path, how):
    assert crawl(tmp_path, **how)["mark"] is None
    assert crawl(tmp_path, crawl_id="c2")["mark"] == stamp(T0)
    assert crawl(tmp_path, crawl_id="c3", published=T0 + DAY, **{**how, **_later(how)})["mark"] == stamp(T0)


def _later(how):
    return {"window": Window(until=T0 + 5 * DAY)} if "window" in how else {}


def test_a_window_that_begins_after_the_mark_would_leave_a_gap_and_does_not_move_it(tmp_path):
    crawl(tmp_path, window=Window(since=T0 - 9 * DAY))
    assert state(tmp_path)["mark"] == stamp(T0)  # a first crawl may begin where the user says
    crawl(tmp_path, crawl_id="c2", window=Window(since=T0 + 3 * DAY), published=T0 + 4 * DAY)
    assert state(tmp_path)["mark"] == stamp(T0)
    crawl(tmp_path, crawl_id="c3", window=Window(since=T0), published=T0 + 4 * DAY)
    assert state(tmp_path)["mark"] == stamp(T0 + 4 * DAY)


def test_a_mark_stands_for_what_was_asked(tmp_path):
    first = crawl(tmp_path)["asked"]
    assert crawl(tmp_path, crawl_id="c2", queries="other")["asked"] != first
    source = make_job(tmp_path).source
    assert asked(source) == asked(source.model_copy(update={"base_url": "http://127.0.0.1:9", "min_items": 7}))


def test_a_rerun_starts_its_look_back_before_the_mark_and_never_ahead_of_now():
    source = make_job().source.model_copy(update={"look_back_days": 7.0})
    assert changed_since(None, source) is None
    assert changed_since(T0, source) == T0 - 7 * DAY
    ahead = changed_since(now() + 400 * DAY, source)
    assert abs((now() - 7 * DAY - ahead).total_seconds()) < 5


def test_the_limit_that_held_at_the_crawl_outlives_the_settings(tmp_path):
    assert crawl(tmp_path)["retention_hours"] == "unlimited"


def test_a_store_that_cannot_be_written_is_remembered(tmp_path):
    ledger = Ledger(make_job(tmp_path), resumed=False)
    ledger.store.db.execute("PRAGMA max_page_count = 1")
    with pytest.raises(sqlite3.Error, match="full"):
        for one in range(2000):
            ledger.add(posting(str(one), text="x" * 2000), response_id=1, position=1, seen_at=T0)
    assert "full" in str(ledger.broken)

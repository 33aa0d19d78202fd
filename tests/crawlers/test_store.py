"""A source's file: what is in it, what never is, what a killed process leaves, and what a damaged file says."""

import doctest
import multiprocessing
import os
import sqlite3
import stat
import zlib
from datetime import UTC, datetime, timedelta, timezone

import pytest
from crawling import DAY, HOUR, T0, begin, keep, new_store, posting, rows
from hypothesis import given
from hypothesis import strategies as st

import crawlers.store.store
from crawlers.store import open_store, stamp, unstamp
from crawlers.store.store import COMMIT_EVERY, FAULTS_KEPT, SCHEMA_VERSION
from valuation.errors import EnvironmentFault


@pytest.fixture
def store(tmp_path):
    found = new_store(tmp_path)
    yield found
    found.close()


def test_the_examples_in_the_module_hold():
    assert doctest.testmod(crawlers.store.store).failed == 0


ZONES = st.integers(-14, 14).map(lambda hours: timezone(timedelta(hours=hours)))


@given(st.lists(st.datetimes(timezones=ZONES), max_size=6))
def test_stamps_sort_as_times_do_and_come_back(times):
    known = [time for time in times if 1 < time.year < 9999]
    assert [stamp(time) for time in sorted(known)] == sorted(stamp(time) for time in known)
    assert [unstamp(stamp(time)) for time in known] == known
    assert (unstamp(None), unstamp("")) == (None, None)


def test_the_file_is_for_its_owner_alone_whatever_the_umask(tmp_path):
    before = os.umask(0)
    try:
        store = new_store(tmp_path / "deep" / "er")
        keep(store)
        store.commit()
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in store.path.parent.iterdir()}
        store.close()
    finally:
        os.umask(before)
    assert set(modes.values()) == {0o600}
    assert "store.db" in modes and "store.db-wal" in modes


def test_a_missing_file_is_not_made_by_reading(tmp_path):
    with pytest.raises(EnvironmentFault, match=r"store\.db: nothing has been crawled here yet$"):
        open_store(tmp_path / "store.db")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", [b"this is no database" * 100, b"SQLite format 3\0" + b"\xff" * 4096])
def test_a_damaged_file_is_named_with_what_to_do(tmp_path, content):
    path = tmp_path / "store.db"
    path.write_bytes(content)
    with pytest.raises(
        EnvironmentFault, match=r"store\.db: cannot be opened: .*; restore it from a copy, or move it away$"
    ):
        open_store(path)
    assert path.read_bytes() == content


def test_a_file_of_a_newer_version_is_left_alone(tmp_path):
    new_store(tmp_path).close()
    with sqlite3.connect(tmp_path / "store.db") as db:
        db.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    with pytest.raises(
        EnvironmentFault, match=rf"made by a newer version of this program \(layout {SCHEMA_VERSION + 1}\)"
    ):
        open_store(tmp_path / "store.db")


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(EnvironmentFault, match="cannot be opened"):
        open_store(tmp_path / "file" / "store.db", create=True)


def test_opening_twice_keeps_what_is_there(tmp_path):
    store = new_store(tmp_path)
    begin(store).add(posting(), response_id=keep(store), position=1, seen_at=T0)
    before = rows(store, "versions")
    store.close()
    for create in (True, False):
        again = open_store(tmp_path / "store.db", create=create)
        assert rows(again, "versions") == before
        again.close()


def test_an_answer_comes_back_as_it_was(store):
    body = "<p>Grüße \U0001f48e</p>".encode()
    number = keep(
        store, body=body, url="https://example.org/x?q=ü", status=404, method="POST", callback="parse_item",
        cb_kwargs={"page": 2, "words": ["ä"]}, optional=True, headers=[("Content-Type", "text/html"), ("X", "caf\xe9")],
    )  # fmt: skip
    (found,) = store.responses("response_id = ?", (number,))
    assert (found.body, found.url, found.status, found.method) == (body, "https://example.org/x?q=ü", 404, "POST")
    assert (found.callback, found.cb_kwargs, found.optional) == ("parse_item", {"page": 2, "words": ["ä"]}, True)
    assert found.headers == (("Content-Type", "text/html"), ("X", "caf\xe9"))
    assert (found.fetched_at, found.crawl_id, found.response_id) == (T0, "c1", number)


def test_headers_that_hold_secrets_are_not_stored(store):
    secret = "s3cret-value"
    names = ["Set-Cookie", "SET-COOKIE2", "Authorization", "WWW-Authenticate", "set-cookie"]
    keep(store, headers=[*((name, secret) for name in names), ("X-Fine", "1")])
    (found,) = store.responses()
    assert found.headers == (("X-Fine", "1"),)
    store.close()
    assert secret.encode() not in b"".join(path.read_bytes() for path in store.path.parent.iterdir())
    store.db = open_store(store.path).db  # for the fixture to close


def test_a_body_is_stored_once_and_compressed(store):
    body = b"the same answer " * 1000
    first, second = keep(store, body=body), keep(store, body=body, url="https://example.org/other")
    keep(store, body=b"another")
    assert [found.body for found in store.responses()] == [body, body, b"another"]
    assert first != second
    contents = [content for _, content in rows(store, "bodies")]
    assert len(contents) == 2
    assert sum(map(len, contents)) < len(body) / 10
    assert sorted(zlib.decompress(content) for content in contents) == sorted([body, b"another"])


def test_answers_come_in_the_order_they_were_stored(store):
    for n in range(30):
        keep(store, body=str(n).encode(), at=T0 - n * HOUR)
    assert [found.body for found in store.responses()] == [str(n).encode() for n in range(30)]
    late = store.responses("fetched_at > ?", (stamp(T0 - 3 * HOUR),))
    assert [found.body for found in late] == [b"0", b"1", b"2"]


def test_counts_add_up_over_commits_and_openings(tmp_path):
    store = new_store(tmp_path)
    for _ in range(3):
        store.count("c1", "http", "200")
        store.count("c1", "bytes", n=10)
        store.commit()
        store.count("c2", "http", "200")
    store.close()
    store = open_store(tmp_path / "store.db")
    store.count("c1", "http", "200", n=4)
    assert store.counts("c1") == {("http", "200"): 7, ("bytes", ""): 30}
    assert store.counts("c2") == {("http", "200"): 3}
    assert store.counts("c3") == {}
    store.close()


def test_faults_are_all_counted_but_only_the_first_are_kept(store):
    for n in range(FAULTS_KEPT + 25):
        store.fault("c1", "shape", f"fault {n} " + "x" * 900, url=None)
    store.fault("c2", "cap", "of another crawl", url="https://example.org", response_id=7)
    found = store.faults("c1")
    assert len(found) == FAULTS_KEPT
    assert [found[0][3][:8], found[-1][3][:10], len(found[0][3])] == ["fault 0 ", "fault 999 ", 500]
    assert store.counts("c1") == {("fault", "shape"): FAULTS_KEPT + 25}
    assert store.faults("c2") == [(7, "https://example.org", "cap", "of another crawl")]


def test_state_holds_the_latest_value(store):
    assert store.state("mark") is None
    store.set_state("mark", "a")
    store.set_state("mark", "b")
    store.set_state("other", "c")
    assert (store.state("mark"), store.state("other")) == ("b", "c")


def everything(store):
    tables = ("crawls", "bodies", "responses", "versions", "dropped", "counts", "faults", "state")
    return {table: rows(store, table) for table in tables}


def test_all_or_nothing_undoes_rows_counts_and_faults(store):
    records = begin(store)
    records.add(posting(), response_id=keep(store), position=1, seen_at=T0)
    before, boom = everything(store), RuntimeError("boom")
    with pytest.raises(RuntimeError) as caught, store.all_or_nothing():
        store.db.execute("DELETE FROM versions")
        for n in range(COMMIT_EVERY + 5):  # more than are otherwise committed at once
            records.add(posting(f"x{n}"), response_id=keep(store), position=1, seen_at=T0)
            store.fault("c1", "shape", "bad", url=None)
        store.set_state("mark", "later")
        assert len(list(store.responses())) == COMMIT_EVERY + 6
        raise boom
    assert caught.value is boom
    assert everything(store) == before
    records.add(posting("2"), response_id=keep(store), position=1, seen_at=T0)
    assert [row[0] for row in rows(store, "versions")] == ["github:1", "github:2"]
    assert store.counts("c1")[("record", "new")] == 2


def test_all_or_nothing_is_seen_by_others_only_as_a_whole(store):
    reader = sqlite3.connect(store.path)
    with store.all_or_nothing():
        keep(store)
        store.count("c1", "http", "200")
        store.commit()
        assert reader.execute("SELECT count(*) FROM responses").fetchone() == (0,)
    assert reader.execute("SELECT count(*) FROM responses").fetchone() == (1,)
    assert reader.execute("SELECT n FROM counts").fetchone() == (1,)
    reader.close()


def crawl_until_killed(folder, kill_after):
    store = new_store(folder)
    records, done = begin(store), 0
    for answer in range(200):
        number = keep(store, body=str(answer).encode())
        for position in range(1, 8):
            records.add(posting(f"{answer}-{position}"), response_id=number, position=position, seen_at=T0)
            done += 1
            if done == kill_after:
                os._exit(137)
    store.close()
    os._exit(0)


@pytest.mark.parametrize("kill_after", [1, 300, 777, 1399])
def test_a_killed_process_leaves_whole_records_and_counts_of_just_these(tmp_path, kill_after):
    child = multiprocessing.get_context("fork").Process(target=crawl_until_killed, args=(tmp_path, kill_after))
    child.start()
    child.join(60)
    assert child.exitcode == 137
    store = open_store(tmp_path / "store.db")
    versions = rows(store, "versions")
    assert kill_after - COMMIT_EVERY <= len(versions) <= kill_after
    known = {row[0] for row in rows(store, "responses")}
    assert {row[7] for row in versions} <= known
    assert store.counts("c1").get(("record", "new"), 0) == len(versions)
    assert store.db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert len(list(store.responses())) == len(known)  # every body is there
    store.close()


def test_a_crawl_commits_now_and_then(store):
    records = begin(store)
    for n in range(3 * COMMIT_EVERY):
        records.add(posting(str(n)), response_id=1, position=1, seen_at=T0)
    reader = sqlite3.connect(store.path)
    assert reader.execute("SELECT count(*) FROM versions").fetchone()[0] >= 2 * COMMIT_EVERY
    reader.close()


def test_what_is_deleted_is_overwritten(store):
    assert store.db.execute("PRAGMA secure_delete").fetchone() == (1,)
    assert store.db.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_a_time_of_another_zone_is_stored_in_utc(store):
    keep(store, at=datetime.fromisoformat("2026-03-10T14:00:00+02:00"))
    (found,) = store.responses()
    assert (found.fetched_at, found.fetched_at.tzinfo, found.fetched_at + DAY) == (T0, UTC, T0 + DAY)

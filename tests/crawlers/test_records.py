"""Records into versions: every edit is kept, nothing is counted twice or not at all, interruptions change no row."""

import dataclasses
import json
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from crawling import DAY, HOUR, T0, begin, end, keep, new_store, posting, price, rows
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crawlers.job import Window
from crawlers.posting import Dropped
from crawlers.store import Records, open_store, stamp

OUTCOMES = {"new", "changed", "unchanged", "repeated", "dropped", "duplicate_id", "outside_window"}


@pytest.fixture
def store(tmp_path):
    found = new_store(tmp_path)
    yield found
    found.close()


def see(store, records, *found, at=T0, body=None, url="https://example.org/list"):
    """Records of one answer; what became of each."""
    number = keep(store, records.crawl_id, body=body or repr((found, at)).encode(), at=at, url=url)
    return [
        records.add(one, response_id=number, position=position, seen_at=at)
        for position, one in enumerate(found, start=1)
    ]


def versions(store, name="github:1"):
    """(version, price, first seen, last seen) of a posting."""
    found = [row for row in rows(store, "versions") if row[0] == name]
    return [(row[1], json.loads(row[3])["price"]["low"], row[5], row[6]) for row in found]


def test_a_posting_is_new_once_then_repeated_then_unchanged(store):
    first = begin(store, "c1", at=T0)
    assert see(store, first, posting(), at=T0 + HOUR) == ["new"]
    assert see(store, first, posting(), at=T0 + 2 * HOUR) == ["repeated"]
    second = begin(store, "c2", at=T0 + DAY)
    assert see(store, second, posting(), at=T0 + DAY) == ["unchanged"]
    assert see(store, second, posting(), at=T0 + DAY + HOUR) == ["repeated"]
    assert versions(store) == [(1, 250.0, stamp(T0 + HOUR), stamp(T0 + DAY + HOUR))]


def test_a_price_rise_is_a_version_and_going_back_is_a_third(store):
    low, high = posting(paid=price(250.0)), posting(paid=price(500.0))
    for day, (one, outcome) in enumerate([(low, "new"), (high, "changed"), (low, "changed"), (low, "unchanged")]):
        at = T0 + day * DAY
        assert see(store, begin(store, f"c{day}", at=at), one, at=at) == [outcome]
    assert [found[:2] for found in versions(store)] == [(1, 250.0), (2, 500.0), (3, 250.0)]
    assert versions(store)[0][2:] == (stamp(T0), stamp(T0))
    assert versions(store)[2][2:] == (stamp(T0 + 2 * DAY), stamp(T0 + 3 * DAY))


def test_more_bids_and_a_later_edit_time_are_no_version(store):
    one = posting(bids=1, date_modified=T0 - DAY, date_modified_raw="a")
    see(store, begin(store), one)
    again = dataclasses.replace(one, bids=30, date_modified=T0, date_modified_raw="b")
    later = begin(store, "c2", at=T0 + DAY)
    assert see(store, later, again, at=T0 + DAY) == ["unchanged"]
    assert len(versions(store)) == 1


def test_one_answer_with_two_postings_of_one_id_keeps_the_first_and_says_so(store):
    records = begin(store)
    twins = posting(title="A"), posting(title="B"), posting(title="A")
    assert see(store, records, *twins) == ["new", "duplicate_id", "repeated"]
    assert see(store, begin(store, "c2", at=T0 + DAY), *twins, at=T0 + DAY) == ["unchanged", "duplicate_id", "repeated"]
    assert len(versions(store)) == 1
    ((name, reason, value, url, _, position, _),) = rows(store, "dropped")
    assert (name, reason, value, position) == ("github:1#2", "no_id", "an id of two postings", 2)
    assert url == "https://example.org/p/1"
    assert store.counts("c1")[("record", "duplicate_id")] == 1
    assert not [key for key in store.counts("c1") if key[0] == "dropped"]


def test_the_same_id_with_another_content_on_a_later_page_is_an_edit(store):
    records = begin(store)
    assert see(store, records, posting(title="A")) == ["new"]
    assert see(store, records, posting(title="B"), at=T0 + HOUR) == ["changed"]


@pytest.mark.parametrize(
    ("published", "outcome"),
    [
        (T0 - 2 * DAY, "new"), (T0 - 2 * DAY - timedelta(microseconds=1), "outside_window"), (T0, "outside_window"),
        (T0 - timedelta(microseconds=1), "new"), (None, "new"),
    ],
)  # fmt: skip
def test_a_posting_outside_the_window_is_counted_and_left(store, published, outcome):
    records = begin(store, window=Window(T0 - 2 * DAY, T0))
    assert see(store, records, posting(published=published)) == [outcome]
    assert len(rows(store, "versions")) == (outcome == "new")
    assert store.counts("c1")[("record", outcome)] == 1
    assert bool([key for key in store.counts("c1") if key[0] in ("price", "field")]) == (outcome == "new")


def test_a_record_that_becomes_a_posting_leaves_the_dropped(store):
    records = begin(store)
    assert see(store, records, Dropped("1", None, "not_a_posting")) == ["dropped"]
    assert [row[0] for row in rows(store, "dropped")] == ["github:1"]
    assert see(store, records, posting(), at=T0 + HOUR) == ["new"]
    assert rows(store, "dropped") == []


def test_a_posting_that_becomes_something_else_keeps_its_history(store):
    records = begin(store)
    see(store, records, posting())
    before = versions(store)
    assert see(store, records, Dropped("1", None, "gone", "HTTP 410"), at=T0 + HOUR) == ["dropped"]
    assert (versions(store), rows(store, "dropped")) == (before, [])
    assert store.counts("c1")[("dropped", "gone")] == 1
    assert see(store, begin(store, "c2", at=T0 + DAY), posting(), at=T0 + DAY) == ["unchanged"]


def test_a_record_is_dropped_once_with_its_latest_reason(store):
    records = begin(store)
    see(store, records, Dropped("1", "https://a.org", "not_a_posting", "x" * 900))
    see(store, records, Dropped("1", None, "gone", None), at=T0 + HOUR)
    ((name, reason, value, url, response, position, seen),) = rows(store, "dropped")
    assert (name, reason, value, url, response, position) == ("github:1", "gone", None, None, 2, 1)
    assert seen == stamp(T0 + HOUR)


def test_a_long_value_is_cut(store):
    see(store, begin(store), Dropped("1", None, "unreadable_record", "x" * 900))
    assert rows(store, "dropped")[0][2] == "x" * 200


def test_records_without_an_id_are_kept_apart(store):
    bad = Dropped(None, None, "unreadable_record", "expected an object, got a string")
    see(store, begin(store), bad, bad, bad)
    see(store, begin(store, "c2"), bad, url="https://example.org/list?page=2")
    assert len(rows(store, "dropped")) == 4
    assert len({row[0] for row in rows(store, "dropped")}) == 4


def test_the_same_answer_again_does_not_multiply_records_without_an_id(store):
    """Else a crawl that was killed and run again has other tables than one that was not."""
    bad, missing = Dropped(None, None, "no_id", "no id at 'id': nothing"), Dropped(None, "https://a.org/9", "gone")
    for day in range(3):
        records = begin(store, f"c{day}", at=T0 + day * DAY)
        assert see(store, records, bad, missing, bad, at=T0 + day * DAY) == ["dropped"] * 3
    found = rows(store, "dropped")
    assert len(found) == 3
    assert {row[6] for row in found} == {stamp(T0 + 2 * DAY)}


def test_half_characters_from_json_do_not_lose_a_record(store):
    records = begin(store)
    made = see(store, records, posting(title="a\ud800b"), Dropped("2", "https://a.org/\udfff", "no_id", "x\ud83d"))
    assert made == ["new", "dropped"]
    assert json.loads(rows(store, "versions")[0][3])["job_title"] == "ab"
    assert rows(store, "dropped")[0][2].startswith("x")


def test_an_answer_from_the_cache_does_not_turn_time_back(store):
    see(store, begin(store), posting(), at=T0)
    see(store, begin(store, "c2", at=T0 + DAY), posting(), at=T0 + DAY)
    cached = begin(store, "c3", at=T0 + 2 * DAY)
    assert see(store, cached, posting(), at=T0) == ["unchanged"]
    assert versions(store) == [(1, 250.0, stamp(T0), stamp(T0 + DAY))]


def test_records_are_counted_by_the_day_they_were_posted(store):
    records = begin(store)
    see(
        store,
        records,
        posting("1", published=T0 - 3 * DAY),
        posting("2", published=T0 - 3 * DAY),
        posting("3", published=None),
    )
    see(store, records, Dropped("4", None, "gone"), posting("1", published=T0 - 3 * DAY), at=T0 + DAY)
    days = {key: n for key, n in store.counts("c1").items() if key[0].startswith("day:")}
    assert days == {
        ("day:new", "2026-03-07"): 2, ("day:new", "2026-03-10"): 1,
        ("day:dropped", "2026-03-11"): 1, ("day:repeated", "2026-03-07"): 1,
    }  # fmt: skip


def test_what_expectations_are_judged_by_is_counted(store):
    records = begin(store)
    see(
        store, records,
        posting("1", skills=("a",), category="web", hiring_organization="Acme"),
        posting("2", title=None, text=None, skills=("a",), url=None, published=None, paid=price(fault="zero")),
        posting("3", title=None, text=None, paid=price(fault="none")),
        posting("1", skills=("a",), category="web", hiring_organization="Acme"),
    )  # fmt: skip
    counted = {key: n for key, n in store.counts("c1").items() if key[0] in ("field", "price")}
    assert counted == {
        ("price", "read"): 2, ("price", "zero"): 1, ("price", "none"): 1, ("field", "job_title"): 2,
        ("field", "description"): 2, ("field", "date_published"): 3, ("field", "url"): 3, ("field", "skills"): 3,
        ("field", "hiring_organization"): 2, ("field", "category"): 2, ("field", "text"): 3,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("times", "newest"),
    [
        ([T0 - 5 * DAY, T0 - DAY, T0 - 3 * DAY], T0 - DAY),
        ([T0 + DAY], T0),  # a clock ahead of ours: the mark is never ahead of the answer
        ([T0 + DAY + timedelta(microseconds=1)], None),
        ([datetime(9999, 1, 1, tzinfo=UTC), T0 - DAY], T0 - DAY),
        ([None], None),
    ],
)
def test_the_mark_is_the_newest_date_that_is_not_in_the_future(store, times, newest):
    for which in ("published", "date_modified"):
        records = begin(store, which)
        for n, time in enumerate(times):
            more = {"published": time} if which == "published" else {"published": None, "date_modified": time}
            see(store, records, posting(f"{which}{n}", **more))
        assert records.newest == newest


def test_a_posting_that_is_not_taken_does_not_move_the_mark(store):
    records = begin(store, window=Window(until=T0 - DAY))
    see(store, records, posting(published=T0))
    assert records.newest is None


# --- the same answers in one long crawl, in several stores' openings, in pieces -----------------------------------

ids = st.sampled_from(["1", "2", "3"])
changes = st.builds(
    lambda id_, low, bids, title: posting(id_, paid=price(low), bids=bids, title=title),
    ids, st.sampled_from([100.0, 200.0]), st.integers(0, 2), st.sampled_from(["A", "B"]),
)  # fmt: skip
losses = st.builds(
    Dropped, st.none() | ids, st.none(), st.sampled_from(["gone", "no_id", "not_a_posting"]), st.just("v")
)
pages = st.lists(st.lists(changes | losses, max_size=4), max_size=8)


def tables(store):
    return {table: rows(store, table) for table in ("versions", "dropped", "counts")}


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(pages, st.sets(st.integers(0, 7)))
def test_interruptions_and_reopenings_change_no_row(tmp_path_factory, answers, breaks):
    whole, broken = (new_store(tmp_path_factory.mktemp(name)) for name in ("whole", "broken"))
    records = begin(whole)
    outcomes = Counter()
    for n, page in enumerate(answers):
        outcomes.update(see(whole, records, *page, at=T0 + n * HOUR, body=str(n).encode()))
    other = begin(broken)
    for n, page in enumerate(answers):
        if n in breaks:
            broken.close()
            broken = open_store(broken.path)
            other = Records(broken, source="github", crawl_id="c1", started_at=T0, window=Window())
        see(broken, other, *page, at=T0 + n * HOUR, body=str(n).encode())
    assert tables(whole) == tables(broken)
    counted = {key: n for (name, key), n in whole.counts("c1").items() if name == "record"}
    assert counted == dict(outcomes)
    assert set(counted) <= OUTCOMES
    assert sum(counted.values()) == sum(map(len, answers))
    by_day = sum(n for (name, _), n in whole.counts("c1").items() if name.startswith("day:"))
    assert by_day == sum(map(len, answers))
    for store in (whole, broken):
        store.close()


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(pages)
def test_versions_are_numbered_from_one_and_neighbours_differ(tmp_path_factory, answers):
    store = new_store(tmp_path_factory.mktemp("s"))
    for n, page in enumerate(answers):
        see(store, begin(store, f"c{n}", at=T0 + n * DAY), *page, at=T0 + n * DAY)
    found = rows(store, "versions")
    for name in {row[0] for row in found}:
        mine = [row for row in found if row[0] == name]
        assert [row[1] for row in mine] == list(range(1, len(mine) + 1))
        assert all(a[2] != b[2] for a, b in zip(mine, mine[1:], strict=False))
        assert all(row[5] <= row[6] for row in mine)
        assert all(a[6] <= b[5] for a, b in zip(mine, mine[1:], strict=False))
    assert not {row[0] for row in found} & {row[0] for row in rows(store, "dropped")}
    end(store)
    store.close()

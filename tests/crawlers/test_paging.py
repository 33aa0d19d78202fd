"""Slices by time and pages: every record within reach is read once, and no server keeps the crawl going for ever."""

import doctest
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawlers import paging
from crawlers.fields import ShapeFault
from crawlers.paging import Cursor, day_after, expect_keys, page_mark, step

CAP = 10


def walk(times, *, cap=CAP, size=4, end=1023, answer=None, limit=5000):
    """Crawl a listing of the given times; what came, the faults and the number of requests."""
    queue, came, faults, requests = [Cursor(0, end, 1)], [], [], 0
    while queue:
        cursor = Cursor.from_json(json.loads(json.dumps(queue.pop().to_json())))
        requests += 1
        assert requests <= limit, "the crawl does not end"
        inside = [(t, n) for n, t in enumerate(times) if cursor.start <= t <= cursor.end]
        shown = sorted(inside)[:cap][(cursor.page - 1) * size : cursor.page * size]
        total, ids = answer(cursor, inside, shown) if answer else (len(inside), shown)
        todo = step(cursor, total, ids, cap=cap, size=size)
        came += ids if todo.read else []
        faults += todo.faults
        queue += [*todo.slices, *([todo.next] if todo.next else [])]
    return came, faults, requests


@given(
    st.lists(st.integers(0, 1023), max_size=80)
    | st.lists(st.sampled_from([0, 1, 511, 512, 513, 1022, 1023]), max_size=80),
    st.integers(1, 6),
)
def test_every_record_within_reach_comes_exactly_once(times, size):
    came, faults, _ = walk(times, size=size)
    crowded = {t for t in times if times.count(t) > CAP}
    lost = sum(times.count(t) - CAP for t in crowded)
    assert len(came) == len(set(came)) == len(times) - lost
    assert len(faults) == len(crowded)


def test_a_second_with_more_than_the_cap_is_a_fault_with_its_numbers():
    came, faults, _ = walk([512] * 13 + [3])
    assert len(came) == 11
    assert faults == ["13 records within one second, the source shows 10: 3 are out of reach"]


def test_all_records_in_one_corner_are_found_without_a_fault():
    came, faults, requests = walk([1020 + n % 4 for n in range(30)])
    assert (len(came), faults) == (30, [])
    assert requests < 60


def test_a_server_that_ignores_dates_ends_in_one_fault_and_its_first_records():
    everything = [(n, n) for n in range(50)]

    def answer(cursor, inside, shown):
        return 50, everything[:CAP][(cursor.page - 1) * 4 : cursor.page * 4]

    came, faults, requests = walk([], answer=answer)
    assert came == everything[:CAP]
    assert requests == 5  # the whole, two halves, two more pages
    assert faults == [
        "both halves of a slice of 50 records announce as many (50 and 50): the server ignores the dates asked for, "
        "records after the first 10 are out of reach"
    ]


def test_a_server_that_ignores_dates_and_grows_meanwhile_is_found_out_too():
    totals = iter(range(50, 5000))
    _, faults, requests = walk([], answer=lambda cursor, inside, shown: (next(totals), [(cursor.page, 0)]), limit=50)
    assert len([fault for fault in faults if "ignores the dates" in fault]) == 1
    assert requests < 20


def test_a_page_that_repeats_the_one_before_stops_the_listing():
    came, faults, requests = walk([1] * 9, answer=lambda cursor, inside, shown: (9, ["a", "b"]))
    assert came == ["a", "b"]
    assert requests == 2
    assert faults == ["page 2 repeats the page before it: no page after it was read"]


@pytest.mark.parametrize(
    ("total", "pages", "fault"),
    [
        (9, [["a", "b", "c", "d"], []], "9 records are announced, 4 came: the pages end early"),
        (3, [[]], "3 records are announced, 0 came: the pages end early"),
        (7, [["a", "b", "c", "d"], []], None),  # three closed meanwhile: less than a page
        (0, [[]], None),
    ],
)
def test_pages_that_end_early_are_a_fault(total, pages, fault):
    left = iter(pages)
    _, faults, requests = walk([], answer=lambda *_: (total, next(left)))
    assert faults == ([fault] if fault else [])
    assert requests == len(pages)


def test_a_link_is_followed_past_the_announced_total_but_not_past_the_cap():
    assert step(Cursor(0, 9, 1), 2, [1, 2], cap=CAP, size=2, linked=True).next == Cursor(0, 9, 2, 2, page_mark([1, 2]))
    assert step(Cursor(0, 9, 1), 2, [1, 2], cap=CAP, size=2).next is None
    assert step(Cursor(0, 9, 5, 8, "x"), 99, [1, 2], cap=CAP, size=2, linked=True).next is None
    assert step(Cursor(0, 9, 2, 2, "x"), 2, [], cap=CAP, size=2, linked=True).next is None


def test_the_halves_of_a_slice_touch_and_do_not_overlap():
    left = step(Cursor(10, 20, 0), 11, [1], cap=CAP, size=4).slices[0]
    assert left == Cursor(10, 15, 0, parent=11, later=(16, 20))
    right = step(left, 5, [1], cap=CAP, size=4)
    assert right.slices == (Cursor(16, 20, 0, parent=11),)
    assert right.read
    waiting = step(left, 11, [1], cap=CAP, size=4)
    assert (waiting.read, waiting.slices) == (False, (Cursor(16, 20, 0, parent=11, earlier=(10, 15, 11)),))


def test_a_day_that_has_begun_ends_the_crawl_at_the_same_second_all_day():
    assert day_after(86_400 * 3 + 5) == day_after(86_400 * 3 + 86_399) == 86_400 * 4


def test_a_key_counts_as_there_if_one_record_has_it_even_as_null():
    expect_keys([{"a": None}, {}, 7], "$", ["a"])
    expect_keys([], "$", ["a"])
    with pytest.raises(ShapeFault, match=r"^\$\.x: expected an object with the key b, got an object with keys a$"):
        expect_keys([{"a": 1}], "$.x", ["a", "b"])


def test_the_examples_in_the_documentation_hold():
    assert doctest.testmod(paging).failed == 0

"""Slices by time and pages: every record within reach is read once, and no server keeps the crawl going for ever."""

import doctest
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawlers import paging
from crawlers.fields import ShapeFault
from crawlers.paging import Cursor, day_after, ends_early, expect_keys, is_full, page_mark, step

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
        (7, [["a", "b", "c", "d"], []], "7 records are announced, 4 came: the pages end early"),  # less than a page
        (6, [["a", "b", "c", "d"], []], None),  # two closed meanwhile
        (0, [[]], None),
    ],
)
def test_pages_that_end_early_are_a_fault(total, pages, fault):
    left = iter(pages)
    _, faults, requests = walk([], answer=lambda *_: (total, next(left)))
    assert faults == ([fault] if fault else [])
    assert requests == len(pages)


def test_a_link_is_followed_past_the_announced_total_but_not_past_the_cap():
    onward = step(Cursor(0, 9, 1), 2, [1, 2], cap=CAP, size=3, linked=True).next
    assert onward == Cursor(0, 9, 2, 2, page_mark([1, 2]), width=2, announced=2)
    assert step(Cursor(0, 9, 1), 2, [1, 2], cap=CAP, size=3).next is None
    assert step(Cursor(0, 9, 5, 8, "x"), 99, [1, 2], cap=CAP, size=2, linked=True).next is None
    assert step(Cursor(0, 9, 2, 2, "x"), 2, [], cap=CAP, size=2, linked=True).next is None


def listing(count, *, shown, total, ends=10**9):
    """A server that shows `shown` records at once, whatever was asked for, and nothing from page `ends` on."""

    def answer(cursor, inside, _):
        first = (cursor.page - 1) * shown
        return total, list(range(count))[first : first + shown] if cursor.page < ends else []

    return answer


def test_pages_that_end_within_the_first_page_asked_for_are_a_fault():
    came, faults, requests = walk([], cap=1000, size=1000, answer=listing(900, shown=100, total=900, ends=4))
    assert (len(came), requests) == (300, 4)
    assert faults == ["900 records are announced, 300 came: the pages end early"]
    _, faults, _ = walk([], cap=1000, size=100, answer=listing(301, shown=100, total=400))
    assert faults == ["400 records are announced, 301 came: the pages end early"]


def test_pages_shorter_than_asked_for_are_read_to_the_end():
    came, faults, requests = walk([], cap=1000, size=1000, answer=listing(950, shown=100, total=950))
    assert (came, faults, requests) == (list(range(950)), [], 10)
    came, faults, requests = walk([], cap=1000, size=1000, answer=listing(1000, shown=100, total=1000))
    assert (came, faults, requests) == (list(range(1000)), [], 10)


@pytest.mark.parametrize("size", [100, 1000])
def test_a_full_page_earns_one_more_request_whatever_is_announced(size):
    came, faults, requests = walk([], cap=1000, size=size, answer=listing(250, shown=100, total=120))
    assert (came, faults, requests) == (list(range(250)), [], 3)
    came, faults, requests = walk([], cap=1000, size=100, answer=listing(200, shown=100, total=200))
    assert (came, faults, requests) == (list(range(200)), [], 3)
    assert walk([], cap=1000, size=100, answer=listing(99, shown=100, total=99))[2] == 1


def test_endless_full_pages_end_at_the_cap():
    came, faults, requests = walk([], cap=1000, size=100, answer=listing(10**5, shown=100, total=5))
    assert (len(came), faults, requests) == (1000, [], 10)


def test_a_server_that_answers_every_page_alike_is_a_fault_unless_it_showed_all_it_announced():
    def answer(total, count):
        return lambda *_: (total, list(range(count)))

    assert walk([], cap=1000, size=4, answer=answer(4, 4)) == ([0, 1, 2, 3], [], 2)
    for total in (3, 5):
        came, faults, requests = walk([], cap=1000, size=4, answer=answer(total, 4))
        assert (came, requests) == ([0, 1, 2, 3], 2)
        assert faults == ["page 2 repeats the page before it: no page after it was read"]
    cursor = Cursor(0, 9, 2, 2, page_mark([1, 2]), 2, 2)
    assert len(step(cursor, 2, [1, 2], cap=CAP, size=2, linked=True).faults) == 1


def test_what_earlier_pages_announced_still_counts_when_the_last_announces_nothing():
    pages = iter([(900, list(range(100))), (0, [])])
    _, faults, _ = walk([], cap=1000, size=1000, answer=lambda *_: next(pages))
    assert faults == ["900 records are announced, 100 came: the pages end early"]


@pytest.mark.parametrize(("announced", "tolerated"), [(3, 2), (50, 2), (100, 2), (150, 3), (900, 18), (1000, 20)])
def test_few_records_may_be_missing(announced, tolerated):
    assert not ends_early(announced, announced - tolerated)
    assert ends_early(announced, announced - tolerated - 1)
    assert not ends_early(announced, announced + 5)


def test_a_listing_that_shows_nothing_ends_early_however_little_it_announced():
    assert (ends_early(1, 0), ends_early(2, 0), ends_early(0, 0)) == (True, True, False)


def test_a_page_is_full_as_the_longest_before_it():
    assert [is_full(count, 100, width) for count, width in [(100, 0), (99, 0), (30, 30), (29, 30), (100, 200)]] == [
        True, False, True, False, True,
    ]  # fmt: skip


def test_a_page_shorter_than_any_before_it_is_the_last_once_all_announced_came():
    pages = iter([["a", "b", "c", "d"], ["e", "f"], ["g", "h"]])
    assert walk([], cap=1000, size=1000, answer=lambda *_: (7, next(pages))) == (list("abcdefgh"), [], 3)


def test_a_cursor_stored_before_widths_were_kept_is_read():
    stored = Cursor(0, 9, 2, 2, "x").to_json()
    del stored["width"], stored["announced"]
    assert Cursor.from_json(stored) == Cursor(0, 9, 2, 2, "x")


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

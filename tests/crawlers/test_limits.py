"""How long an answer asks to wait, and when the next request may go."""

import doctest
import os
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from crawling import make_job
from hypothesis import given
from hypothesis import strategies as st

from crawlers.engine import limits
from crawlers.engine.limits import Limits, says_limit, wait_of

AT = datetime(2026, 3, 5, tzinfo=UTC)
EPOCH = int(AT.timestamp())


def test_the_examples_in_the_module_hold():
    assert doctest.testmod(limits).failed == 0


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("7", 7.0), ("0", 0.0), (" 7 ", 7.0), ("1.5", 1.5), ("120", 120.0), ("99999999", 99999999.0),
        ("Thu, 05 Mar 2026 00:01:00 GMT", 60.0), ("Thu, 05 Mar 2026 00:01:00 +0000", 60.0),
        ("Thu, 05 Mar 2026 02:01:00 +0200", 60.0), ("Thursday, 05-Mar-26 00:01:00 GMT", 60.0),
        ("Thu Mar  5 00:01:00 2026", 60.0), ("Wed, 04 Mar 2026 23:00:00 GMT", 0.0),
        ("", None), ("-5", None), ("soon", None), (".", None), ("1.2.3", None), ("5,5", None), ("0x10", None),
        ("1e3", None), ("\xb2", None), ("\u0663", None), ("Thu, 99 Mar 2026 00:01:00 GMT", None), ("2026-03-05", None),
        ("\x00", None), ("inf", None), ("nan", None),
    ],
)  # fmt: skip
def test_retry_after(value, seconds):
    assert wait_of({"retry-after": value}, AT) == seconds


def test_a_huge_wait_is_huge_and_no_error():
    assert wait_of({"retry-after": "9" * 400}, AT) > 1e300
    assert wait_of({"x-ratelimit-reset": "9" * 400}, AT) > 1e300


@pytest.mark.skipif(not hasattr(time, "tzset"), reason="needs tzset")
def test_a_date_without_a_zone_is_utc_wherever_we_are(monkeypatch):
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    try:
        assert wait_of({"retry-after": "Thu Mar  5 00:01:00 2026"}, AT) == 60.0
        assert wait_of({"retry-after": "Thu, 05 Mar 2026 00:01:00 -0000"}, AT) == 60.0
    finally:
        monkeypatch.undo()
        os.environ.pop("TZ", None) if "TZ" not in os.environ else None
        time.tzset()


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (str(EPOCH + 90), 90.0), (str(EPOCH), 0.0), (str(EPOCH - 90), 0.0), ("90", 90.0), ("0", 0.0), ("1.5", 1.5),
        (f"{EPOCH + 90}.5", 90.5), ("", None), ("-90", None), ("soon", None), ("\xb3", None),
    ],
)  # fmt: skip
def test_rate_limit_reset(value, seconds):
    assert wait_of({"x-ratelimit-reset": value}, AT) == seconds


def test_retry_after_goes_first_unless_it_says_nothing():
    both = {"retry-after": "7", "x-ratelimit-reset": str(EPOCH + 90)}
    assert wait_of(both, AT) == 7.0
    assert wait_of(both | {"retry-after": "garbage"}, AT) == 90.0
    assert wait_of({}, AT) is None


@given(st.text(max_size=40), st.text(max_size=40))
def test_any_header_gives_a_wait_that_is_not_negative_or_none(after, reset):
    found = wait_of({"retry-after": after, "x-ratelimit-reset": reset}, AT)
    assert found is None or found >= 0


@pytest.mark.parametrize(
    ("headers", "limit"),
    [
        ({}, False), ({"retry-after": "5"}, True), ({"x-ratelimit-remaining": "0"}, True),
        ({"x-ratelimit-remaining": "5"}, False), ({"x-ratelimit-reset": "5"}, False),
    ],
)  # fmt: skip
def test_whether_a_403_is_a_limit(headers, limit):
    assert says_limit(headers) is limit


# --- turns --------------------------------------------------------------------------------------------------------


class Clock:
    def __init__(self):
        self.time = 1000.0

    def monotonic(self):
        return self.time


@pytest.fixture
def clock(monkeypatch):
    found = Clock()
    monkeypatch.setattr(limits.time, "monotonic", found.monotonic)
    return found


def made(*overrides):
    return Limits(make_job(Path(), *overrides))


def test_requests_go_an_interval_apart(clock):
    turns = made("sources.github.requests_per_minute=30")
    assert turns.interval == 2.0
    assert [turns.book() for _ in range(3)] == [1000.0, 1002.0, 1004.0]
    clock.time = 1003.0
    assert turns.book() == 1006.0
    clock.time = 1100.0  # a pause earns no burst
    assert [turns.book(), turns.book()] == [1100.0, 1102.0]


def test_without_a_rate_requests_go_at_once(clock):
    for turns in (made("sources.github.requests_per_minute=0"), made("crawl.throttle=false")):
        assert [turns.book() for _ in range(3)] == [1000.0] * 3


def test_a_hold_moves_all_that_follow(clock):
    turns = made("sources.github.requests_per_minute=30")
    turns.book()
    turns.hold(60)
    assert [turns.book(), turns.book()] == [1060.0, 1062.0]
    assert turns.held_until() == 1060.0
    turns.hold(5)  # a shorter wait does not shorten a longer one
    assert turns.held_until() == 1060.0


def test_a_crawl_delay_only_slows_down(clock):
    turns = made("sources.github.requests_per_minute=30")
    turns.slow_down(1.0)
    assert turns.interval == 2.0
    turns.slow_down(9.0)
    assert [turns.book(), turns.book()] == [1000.0, 1009.0]
    free = made("crawl.throttle=false")
    free.slow_down(9.0)
    assert free.interval == 0.0


@given(st.lists(st.floats(0, 10), max_size=30), st.floats(1, 600))
def test_no_two_requests_are_nearer_than_the_interval(steps, rate):
    clock, real = Clock(), limits.time.monotonic
    limits.time.monotonic = clock.monotonic
    try:
        turns = made(f"sources.github.requests_per_minute={rate}")
        booked = []
        for step in steps:
            clock.time += step
            booked.append(turns.book())
    finally:
        limits.time.monotonic = real
    assert all(b - a >= 60 / rate - 1e-9 for a, b in zip(booked, booked[1:], strict=False))

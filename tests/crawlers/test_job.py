"""A crawl as data: what goes to the worker comes back the same, the token shows nowhere, windows hold their ends."""

import doctest
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from crawling import DAY, T0, make_job
from hypothesis import given
from hypothesis import strategies as st

import crawlers.job
from crawlers.job import Job, Window, changed_since, now
from valuation.config import load

moments = st.none() | st.datetimes(timezones=st.just(UTC))


@given(moments, moments, moments)
def test_a_job_survives_its_json(since, until, changed):
    job = make_job(Path("/tmp/x"), "sources.github.min_items=7", window=Window(since, until, changed), token="t0ken")
    assert Job.from_json(job.to_json()) == job
    assert "\n" not in job.to_json()


def test_every_source_survives_its_json():
    for name in load().sources:
        job = make_job(name=name)
        assert Job.from_json(job.to_json()) == job


def test_a_job_that_is_printed_does_not_show_its_token():
    assert "s3cret" not in repr(make_job(token="s3cret"))


@pytest.mark.parametrize(
    ("since", "until", "time", "inside"),
    [
        (None, None, T0, True), (T0, None, T0, True), (T0, None, T0 - timedelta(microseconds=1), False),
        (None, T0, T0, False), (None, T0, T0 - timedelta(microseconds=1), True), (T0, T0 + DAY, T0, True),
        (T0, T0 + DAY, T0 + DAY, False), (T0, T0 + DAY, None, True),
    ],
)  # fmt: skip
def test_a_window_holds_its_first_moment_and_not_its_last(since, until, time, inside):
    assert Window(since, until).holds(time) is inside


def test_what_was_changed_since_does_not_put_a_posting_outside():
    assert Window(None, None, changed_since=T0).holds(T0 - 300 * DAY)


@pytest.mark.parametrize(
    ("since", "changed", "start"),
    [(None, None, None), (T0, None, T0), (None, T0, T0), (T0, T0 + DAY, T0 + DAY), (T0 + DAY, T0, T0 + DAY)],
)
def test_a_listing_may_stop_at_the_later_start(since, changed, start):
    assert Window(since, None, changed).start == start


def test_a_rerun_starts_at_the_mark_less_the_look_back():
    source = make_job(Path(), "sources.github.look_back_days=1.5").source
    assert changed_since(T0, source) == T0 - timedelta(hours=36)
    assert changed_since(None, source) is None


def test_the_clock_is_utc():
    assert now().utcoffset() == timedelta()
    assert abs(now() - datetime.now(UTC)) < timedelta(seconds=60)
    assert doctest.testmod(crawlers.job).failed == 0

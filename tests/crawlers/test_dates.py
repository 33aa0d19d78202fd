"""Dates as sources write them."""

import doctest
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawlers import dates
from crawlers.dates import day_first_evidence, parse_age, parse_date, parse_epoch

READ = [
    ("2024-03-05", (2024, 3, 5)),
    ("2024-03-05 12:30:15", (2024, 3, 5, 12, 30, 15)),
    ("2024-03-05T12:00:00Z", (2024, 3, 5, 12)),
    ("2024-03-05T12:00:00+02:00", (2024, 3, 5, 10)),
    ("2024-03-05T23:30:00-0500", (2024, 3, 6, 4, 30)),
    ("2026-01-01 10:00:00.123456789+00:00", (2026, 1, 1, 10, 0, 0, 123456)),
    ("2024/3/5", (2024, 3, 5)),
    ("20240305", (2024, 3, 5)),
    ("2024-03", (2024, 3, 1)),
    ("25/12/2024", (2024, 12, 25)),
    ("12/25/2024", (2024, 12, 25)),
    ("25.12.2024 14:05", (2024, 12, 25, 14, 5)),
    ("03/03/2024", (2024, 3, 3)),
    ("5 January 2024", (2024, 1, 5)),
    ("5. Januar 2024", (2024, 1, 5)),
    ("12 de marzo de 2024", (2024, 3, 12)),
    ("Jan 5, 2024", (2024, 1, 5)),
    ("January 5th, 2024 3:04 PM", (2024, 1, 5, 15, 4)),
    ("Fri, 05 Jan 2024 10:00:00 +0000", (2024, 1, 5, 10)),
    ("5-Jan-2024", (2024, 1, 5)),
    ("Jan 5, 2024 12:00 AM", (2024, 1, 5, 0)),
]
NOT_READ = [
    "", "2024", "03/04/2024", "25/12/24", "2024-02-30", "13/13/2024", "0000-00-00", "yesterday", "soon", "12:30",
    "2024-03-05 25:00", "5 Foo 2024", "10-30", "2024-03-05 and later",
]  # fmt: skip


@pytest.mark.parametrize(("text", "parts"), READ)
def test_dates_that_read_one_way(text, parts):
    assert parse_date(text) == datetime(*parts, tzinfo=UTC)


@pytest.mark.parametrize("text", NOT_READ)
def test_dates_that_do_not(text):
    assert parse_date(text) is None


def test_the_order_of_day_and_month_is_told_not_guessed():
    assert parse_date("03/04/2024", day_first=True) == datetime(2024, 4, 3, tzinfo=UTC)
    assert parse_date("03/04/2024", day_first=False) == datetime(2024, 3, 4, tzinfo=UTC)
    assert parse_date("13/01/24", day_first=True) == datetime(2024, 1, 13, tzinfo=UTC)


def test_a_zone_applies_to_texts_without_one_only():
    berlin = ZoneInfo("Europe/Berlin")
    assert parse_date("2024-07-01 12:00", zone=berlin) == datetime(2024, 7, 1, 10, tzinfo=UTC)
    assert parse_date("2024-07-01 12:00Z", zone=berlin) == datetime(2024, 7, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "shown"),
    [("25/12/2024", "day"), ("12/25/2024", "month"), ("03/04/2024", "either"), ("2024-03-04", "none"), ("x", "none")],
)
def test_evidence_of_the_order(text, shown):
    assert day_first_evidence(text) == shown


@pytest.mark.parametrize(
    ("text", "age"),
    [
        ("Posted 22 minutes ago", timedelta(minutes=22)),
        ("Fixed-price - Est. Budget: $5 - Posted 9 hours ago", timedelta(hours=9)),
        ("Renewed 2 days ago", timedelta(days=2)),
        ("an hour ago", timedelta(hours=1)),
        ("2d ago", timedelta(days=2)),
        ("3 weeks ago", timedelta(weeks=3)),
        ("5 mins ago", timedelta(minutes=5)),
        ("yesterday", timedelta(days=1)),
        ("Posted yesterday", timedelta(days=1)),
        ("just now", timedelta()),
    ],
)
def test_ages(text, age):
    assert parse_age(text) == age


@pytest.mark.parametrize("text", ["30+ days ago", "last month", "ago", "2 days", "1 day ago, renewed 2 hours ago", ""])
def test_texts_that_are_no_age(text):
    assert parse_age(text) is None


@given(st.datetimes(datetime(1995, 1, 1), datetime(2100, 1, 1)))
def test_iso_texts_and_stamps_are_read_back(moment):
    aware = moment.replace(tzinfo=UTC)
    assert parse_date(aware.isoformat()) == aware
    seconds = aware.replace(microsecond=0).timestamp()
    for scale in (1, 1e3, 1e6):
        assert parse_epoch(seconds * scale) == aware.replace(microsecond=0)


@pytest.mark.parametrize("value", [0, 45000, 20240105, -5, 1e21])
def test_numbers_that_are_no_stamp(value):
    assert parse_epoch(value) is None


def test_examples_in_docstrings():
    assert doctest.testmod(dates).failed == 0

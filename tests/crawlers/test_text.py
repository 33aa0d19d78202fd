"""HTML to text and dates: scripts never survive, hostile markup takes no time, no time is guessed."""

import doctest
import time
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawlers import text
from crawlers.text import plain_text, read_time

SEEN = datetime(2026, 3, 5, 12, tzinfo=UTC)


def test_the_examples_in_the_module_hold():
    assert doctest.testmod(text).failed == 0


@pytest.mark.parametrize(
    ("markup", "expected"),
    [
        (None, None),
        ("", None),
        (" \n\t ", None),
        ("<p></p><!-- x -->", None),
        ("&nbsp;&nbsp;", None),
        ("a < b and 1 > 0", "a < b and 1 > 0"),
        ("5 & 6; R&D", "5 & 6; R&D"),
        ("line one\nline two", "line one\nline two"),
        ("<p>one</p><p>two</p>", "one\n\ntwo"),
        ("one<br>two<br/>three", "one\ntwo\nthree"),
        ("<ul><li>one</li><li>two</li></ul>", "one\ntwo"),
        ("Tom &amp; Jerry &#36;250 &#x20AC;5", "Tom & Jerry $250 €5"),
        ("&lt;script&gt;alert(1)&lt;/script&gt;", "<script>alert(1)</script>"),
        ("<script>alert(1)</script>ok<style>p{}</style>", "ok"),
        ("<img src=x onerror=alert(1)>hi<svg onload=alert(1)></svg>", "hi"),
        ("<?xml version='1.0' encoding='utf-8'?><p>x</p>", "x"),
        ("<p>unclosed <b>bold", "unclosed bold"),
        ("<a href='javascript:alert(1)'>click</a> me", "click me"),
        ("<P>UPPER</P>", "UPPER"),
        ("<p>a\x00b</p>", "ab"),
    ],
)
def test_text_of_markup(markup, expected):
    assert plain_text(markup) == expected


def test_a_lone_surrogate_in_markup_does_not_cost_the_record():
    assert (plain_text("<p>a\ud800b</p>"), plain_text("a\ud800b"), plain_text("\ud800")) == ("ab", "ab", None)


@pytest.mark.parametrize(
    "bomb",
    ["<a" * 100_000, "<!" * 100_000, "</" * 100_000, "&a" * 100_000, "<div>" * 40_000 + "x", "<a b='" * 30_000],
    ids=["tags without end", "declarations", "ends", "entities", "deep", "quotes"],
)
def test_markup_built_to_be_slow_is_not(bomb):
    began = time.process_time()
    plain_text(bomb)
    assert time.process_time() - began < 2


@given(st.text())
def test_text_survives_any_input_and_holds_no_scripts(found):
    made = plain_text(f"<p>{found}</p><script>zzqq</script>")
    assert made is None or made == made.strip() and "zzqq" not in made or "zzqq" in found or "<" in found


@given(st.text(alphabet=st.characters(blacklist_characters="<&", blacklist_categories=["Cs"])))
def test_plain_text_stays_what_it_is(found):
    assert plain_text(found) == (found.strip() or None)


@pytest.mark.parametrize(
    ("value", "zone", "expected"),
    [
        ("2026-03-05T12:00:00+02:00", "UTC", "2026-03-05T10:00:00"),
        ("2026-03-05T12:00:00Z", "Europe/Kyiv", "2026-03-05T12:00:00"),
        ("2026-03-05T12:00:00", "Europe/Kyiv", "2026-03-05T10:00:00"),
        ("2026-07-05T12:00:00", "Europe/Kyiv", "2026-07-05T09:00:00"),  # summer time
        ("2026-03-05", "UTC", "2026-03-05T00:00:00"),
        ("2026-03-05", "America/New_York", "2026-03-05T05:00:00"),
        ("Thu, 05 Mar 2026 10:00:00 GMT", "Asia/Tokyo", "2026-03-05T10:00:00"),
        ("5 марта 2026", "UTC", "2026-03-05T00:00:00"),
        ("March 5th, 2026 3:30 PM", "UTC", "2026-03-05T15:30:00"),
        (1772700000, "Europe/Kyiv", "2026-03-05T08:40:00"),
        (1772700000.5, "UTC", "2026-03-05T08:40:00.500000"),
        ("1772700000", "UTC", "2026-03-05T08:40:00"),
        (1772700000000, "UTC", "2026-03-05T08:40:00"),
        (" 2026-03-05 ", "UTC", "2026-03-05T00:00:00"),
    ],
)
def test_times_that_are_stated(value, zone, expected):
    assert read_time(value, zone=zone) == datetime.fromisoformat(expected).replace(tzinfo=UTC)
    assert read_time(value, zone=zone, seen_at=SEEN) == read_time(value, zone=zone)


@pytest.mark.parametrize(
    "value",
    [
        None, True, False, [], {}, "", "  ", "soon", "2026", "10:00", "March 2026", "Monday", "03/04/2026", "1/2/26",
        "2026-13-45", "0000-00-00", float("nan"), float("inf"), -5, 0, 45000, "x" * 61,
        "2026-03-05 " * 10, "1" * 21, "$1500", "+44 20 7946 0958",
    ],
)  # fmt: skip
@pytest.mark.parametrize("seen_at", [None, SEEN], ids=["asked never", "asked"])
def test_what_states_no_time_gives_none(value, seen_at):
    assert read_time(value, seen_at=seen_at) is None


def test_a_number_too_large_for_any_clock_is_no_time():
    assert [read_time(value) for value in (10**400, -(10**400), 1e300)] == [None, None, None]


@pytest.mark.parametrize(
    ("age", "back"),
    [
        ("3 days ago", timedelta(days=3)),
        ("2 hours ago", timedelta(hours=2)),
        ("yesterday", timedelta(days=1)),
        ("vor 3 Tagen", timedelta(days=3)),
        ("just now", timedelta()),
    ],
)
@pytest.mark.parametrize("zone", ["UTC", "Europe/Kyiv", "America/New_York"])
def test_ages_count_back_from_when_the_source_was_asked(age, back, zone):
    assert read_time(age, zone=zone, seen_at=SEEN) == SEEN - back
    assert read_time(age, zone=zone) is None


@settings(max_examples=40, deadline=None)
@given(st.text(max_size=70) | st.integers() | st.floats() | st.from_regex(r"[0-9/.: \-]{1,30}", fullmatch=True))
def test_any_value_gives_a_time_in_utc_or_none(value):
    found = read_time(value, zone="Europe/Kyiv", seen_at=SEEN)
    assert found is None or found.utcoffset() == timedelta()

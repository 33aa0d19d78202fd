"""Postings: names as zyte-common-items has them, one text for equal contents, and which changes make a new version."""

import dataclasses
import doctest
import json
import math
from datetime import UTC, datetime, timedelta, timezone

import attrs
import pytest
from crawling import T0, posting, price
from hypothesis import given
from hypothesis import strategies as st
from zyte_common_items import JobPosting

import crawlers.posting
from crawlers.posting import (
    Posting,
    Price,
    content_hash,
    from_json,
    price_from_numbers,
    price_from_text,
    to_json,
)  # fmt: skip

OURS = {"price", "skills", "category", "duration", "bids", "date_quality"}
FAULTS = ["none", "unclear", "several", "zero", "negative", "infinite", "reversed", "open", "other_unit"]

texts = st.none() | st.text(alphabet=st.characters(blacklist_categories=["Cs"]), max_size=30)
times = st.none() | st.datetimes(
    min_value=datetime(1900, 1, 1),
    max_value=datetime(2200, 1, 1),
    timezones=st.just(UTC),  # noqa: DTZ001
)
amounts = st.none() | st.floats(min_value=1e-9, max_value=1e15)
prices = st.builds(
    Price,
    raw=texts,
    type=st.sampled_from(["fixed", "hourly", None]),
    kind=st.sampled_from(["posted", "bid_average", "awarded", "paid"]),
    low=amounts,
    high=amounts,
    currency=texts,
    currency_raw=texts,
    fault=st.sampled_from([None, *FAULTS]),
)
postings = st.builds(
    Posting,
    job_posting_id=st.text(alphabet="abc019-_", min_size=1, max_size=9),
    url=texts, job_title=texts, description=texts, date_published=times, price=prices, date_published_raw=texts,
    date_quality=st.sampled_from(["exact", "derived", "upper_bound"]), date_modified=times, date_modified_raw=texts,
    valid_through=times, valid_through_raw=texts, skills=st.lists(st.text(max_size=5), max_size=3).map(tuple),
    employment_type=texts, job_location=texts, hiring_organization=texts, category=texts, duration=texts,
    bids=st.none() | st.integers(0, 2**53),
)  # fmt: skip


def snake(name):
    return "".join(f"_{char.lower()}" if char.isupper() else char for char in name)


def test_the_examples_in_the_module_hold():
    assert doctest.testmod(crawlers.posting).failed == 0


def test_names_are_those_of_zyte_common_items_and_ours_are_listed():
    theirs = {snake(field.name) for field in attrs.fields(JobPosting)}
    named = {field.name for field in dataclasses.fields(Posting)}
    assert named - theirs == OURS
    assert {name for name in named if name.endswith("_raw")} <= theirs


@given(postings)
def test_a_posting_survives_its_json_exactly(one):
    content = to_json(one)
    assert from_json(content) == one
    assert to_json(from_json(content)) == content
    content.encode("utf-8")


def test_equal_times_in_other_zones_give_equal_texts():
    kyiv = timezone(timedelta(hours=2))
    assert to_json(posting(published=T0)) == to_json(posting(published=T0.astimezone(kyiv)))
    assert json.loads(to_json(posting(published=T0)))["date_published"] == "2026-03-10T12:00:00.000000+00:00"


def test_half_a_character_can_be_stored_as_none():
    """JSON can hold lone surrogates; neither SQLite nor Parquet can."""
    one = posting("1", title="a\ud800b", text="\udfff", skills=("x\ud83d",), paid=price(raw="\ud800 $5"))
    content = to_json(one)
    content.encode("utf-8")
    assert from_json(content).job_title.replace("?", "").replace("\ufffd", "") == "ab"
    assert content_hash(content) == content_hash(to_json(from_json(content)))


SAME = {"bids": 9, "date_modified": T0, "date_modified_raw": "now"}
OTHER = {
    "job_posting_id": "2", "url": "https://example.org/other", "job_title": "Other", "description": "Other",
    "date_published": T0, "price": price(300.0), "date_published_raw": "raw", "date_quality": "derived",
    "valid_through": T0, "valid_through_raw": "raw", "skills": ("python",), "employment_type": "FREELANCE",
    "job_location": "Kyiv", "hiring_organization": "Acme", "category": "web", "duration": "2 weeks",
}  # fmt: skip


def test_every_field_either_makes_a_version_or_does_not():
    assert {*SAME, *OTHER} == {field.name for field in dataclasses.fields(Posting)}


@pytest.mark.parametrize("name", sorted(SAME))
def test_what_changes_while_the_offer_stays_makes_no_new_version(name):
    one = posting()
    other = dataclasses.replace(one, **{name: SAME[name]})
    assert to_json(other) != to_json(one)
    assert content_hash(to_json(other)) == content_hash(to_json(one))


@pytest.mark.parametrize("name", sorted(OTHER))
def test_any_other_change_is_a_new_version(name):
    one = posting()
    assert content_hash(to_json(dataclasses.replace(one, **{name: OTHER[name]}))) != content_hash(to_json(one))


def test_a_price_rise_is_a_new_version():
    seen = {content_hash(to_json(posting(paid=price(low)))) for low in (250.0, 500.0, 1000.0)}
    assert len(seen) == 3


def test_a_hash_is_stable_from_one_program_to_the_next():
    plain = Posting("1", None, "t", None, None, Price(None, None, "posted", fault="none"))
    assert content_hash(to_json(plain)) == "ee4f8844de039082f4178fb3d5b7f4c4098d07857c2c802cd9c9c30a40a8e2bd"


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (30, 250, (30.0, 250.0, None)), (30, 30, (30.0, 30.0, None)), (None, None, (None, None, "none")),
        (30, None, (None, None, "open")), (None, 30, (None, None, "open")), (0, 0, (None, None, "zero")),
        (0, 30, (None, None, "zero")), (0, None, (None, None, "zero")), (-1, 30, (None, None, "negative")),
        (30, -1, (None, None, "negative")), (30.01, 30, (None, None, "reversed")),
        (math.nan, 30, (None, None, "infinite")), (30, math.inf, (None, None, "infinite")),
        (-math.inf, None, (None, None, "infinite")), (math.nan, 0, (None, None, "infinite")),
    ],
)  # fmt: skip
def test_prices_given_as_numbers(low, high, expected):
    found = price_from_numbers(low, high, kind="posted", type_="fixed", currency=" usd ")
    assert (found.low, found.high, found.fault) == expected
    assert (found.currency, found.currency_raw, found.type, found.kind) == ("USD", " usd ", "fixed", "posted")


def test_the_raw_twin_of_a_price_shows_the_numbers_or_what_the_source_wrote():
    make = dict(kind="awarded", type_="hourly")
    assert price_from_numbers(30, 250.5, currency="EUR", **make).raw == "30 - 250.5 EUR"
    assert price_from_numbers(30, None, currency=None, **make).raw == "30"
    assert price_from_numbers(None, None, currency="EUR", **make).raw is None
    assert price_from_numbers(30, 40, currency="EUR", raw="30..40", **make).raw == "30..40"
    assert price_from_numbers(30, 40, currency="  ", **make).currency is None


@given(st.none() | st.floats(), st.none() | st.floats())
def test_a_price_has_both_ends_in_order_or_a_fault(low, high):
    found = price_from_numbers(low, high, kind="posted", type_=None, currency=None)
    if found.fault is None:
        assert 0 < found.low <= found.high < math.inf
    else:
        assert (found.low, found.high) == (None, None)


@pytest.mark.parametrize(
    ("text", "more", "expected"),
    [
        ("[$250] Fix", {"type_": "fixed"}, (250.0, 250.0, "USD", "fixed", None)),
        ("$20 - $30 / hour", {"type_": "fixed"}, (20.0, 30.0, "USD", "hourly", None)),
        ("500", {"currency": "UAH", "type_": "fixed"}, (500.0, 500.0, "UAH", "fixed", None)),
        ("€500", {"currency": "UAH"}, (500.0, 500.0, "EUR", None, None)),
        ("Free", {"type_": "fixed"}, (None, None, None, "fixed", "zero")),
        ("negotiable", {}, (None, None, None, None, "none")),
        ("", {}, (None, None, None, None, "none")),
        (None, {}, (None, None, None, None, "none")),
    ],
)
def test_prices_given_as_text(text, more, expected):
    found = price_from_text(text, kind="paid", **more)
    assert (found.low, found.high, found.currency, found.type) == expected[:4]
    assert (found.fault is None) == (expected[4] is None)
    assert (found.raw, found.kind) == (text or None, "paid")

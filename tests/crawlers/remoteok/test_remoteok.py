"""RemoteOK: its feed into postings with hourly references."""

import doctest
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from scrapy.http import TextResponse

from crawlers.fields import ShapeFault
from crawlers.job import Job, Window
from crawlers.posting import Dropped
from crawlers.remoteok import parse
from crawlers.remoteok.spider import RemoteokSpider
from valuation.config import load

PAGE = (Path(__file__).parent / "jobs.json").read_bytes()


def spider():
    settings = load()
    folder = Path("unused")
    return RemoteokSpider.offline(
        Job("remoteok", "c1", settings.sources["remoteok"], settings.crawl, Window(), *[folder] * 3)
    )


def read(body=PAGE):
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return list(spider().parse_feed(TextResponse("https://remoteok.com/api", body=raw)))


def test_doctests():
    assert doctest.testmod(parse).failed == 0


def test_asks_once():
    assert [request.url for request in spider().first_requests()] == ["https://remoteok.com/api"]


def test_values():
    first, second, third = read()  # the legal notice is none of them
    assert first.job_posting_id == "1120345"
    assert first.url == "https://remoteok.com/remote-jobs/remote-go-engineer-larkfield-1120345"
    assert (first.job_title, first.description) == ("Go Engineer", "Write Go.\n\nSleep well.")
    assert first.date_published == datetime(2026, 11, 21, 8, tzinfo=UTC)
    assert first.date_published_raw == "2026-11-21T08:00:00+00:00"
    assert (first.hiring_organization, first.job_location) == ("Larkfield & Sons", "Worldwide")
    assert first.skills == ("golang", "backend")
    price = first.price
    assert (price.low, price.high, price.currency, price.type) == (50, 100, "USD", "hourly")
    assert (price.raw, price.kind, price.fault) == ("104000 - 208000 USD a year", "posted", None)

    assert (second.job_posting_id, second.url) == ("1120344", "https://remoteok.com/remote-jobs/1120344")
    assert second.date_published == datetime(2026, 11, 20, 7, tzinfo=UTC)  # no epoch: the date
    assert (second.price.fault, second.price.raw, second.price.currency) == ("none", None, None)
    assert isinstance(third, Dropped)
    assert third.reason == "no_id"


@pytest.mark.parametrize(
    ("low", "high", "read_low", "fault"),
    [
        (41_600, 62_400, 20, None),
        ("41600", "62400", 20, None),
        (41_600, 0, None, "open"),
        (0, 62_400, None, "open"),
        (None, None, None, "none"),
        (62_400, 41_600, None, "reversed"),
        (-5, 41_600, None, "negative"),
        ("many", {}, None, "none"),
    ],
)
def test_salaries(low, high, read_low, fault):
    price = parse.salary({"salary_min": low, "salary_max": high}, kind="posted")
    assert (price.low, price.fault, price.type) == (read_low, fault, "hourly")


@pytest.mark.parametrize(
    ("page", "message"),
    [
        ({"jobs": []}, r"\$: expected a list, got an object with keys jobs"),
        (b"[1, 2", "expected JSON"),
        (b"null", r"\$: expected a list, got nothing"),
    ],
)
def test_another_shape_is_loud(page, message):
    with pytest.raises(ShapeFault, match=message):
        read(page)


def test_the_notice_alone_is_no_record():
    assert read([{"legal": "API Terms of Service"}]) == []


def test_renamed_keys_are_no_postings():
    (found,) = read([{"legal": "x"}, {"job_id": 5, "title": "A"}])
    assert isinstance(found, Dropped)
    assert (found.reason, found.value) == ("no_id", "no id at 'id': nothing")

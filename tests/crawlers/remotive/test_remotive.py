"""Remotive: its feed into postings with hourly references."""

import doctest
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from scrapy.http import TextResponse

from crawlers.fields import ShapeFault
from crawlers.job import Job, Window
from crawlers.posting import Dropped
from crawlers.remotive import parse
from crawlers.remotive.spider import RemotiveSpider
from valuation.config import load

PAGE = (Path(__file__).parent / "jobs.json").read_bytes()


def spider(zone="UTC"):
    settings = load(overrides=[f"sources.remotive.timezone={zone}"])
    folder = Path("unused")
    return RemotiveSpider.offline(
        Job("remotive", "c1", settings.sources["remotive"], settings.crawl, Window(), *[folder] * 3)
    )


def read(body=PAGE, **made):
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return list(spider(**made).parse_feed(TextResponse("https://remotive.com/api/remote-jobs", body=raw)))


def test_doctests():
    assert doctest.testmod(parse).failed == 0


def test_asks_once():
    assert [request.url for request in spider().first_requests()] == ["https://remotive.com/api/remote-jobs"]


def test_values():
    first, second, third, fourth, fifth = read()
    assert first.job_posting_id == "1988001"
    assert first.url == "https://remotive.com/remote-jobs/software-dev/platform-engineer-1988001"
    assert first.job_title == "Platform Engineer"
    assert first.description == "Run our clusters.\n\nR&D included."
    assert first.date_published == datetime(2026, 11, 18, 9, 30, tzinfo=UTC)
    assert first.date_published_raw == "2026-11-18T09:30:00"
    assert (first.category, first.employment_type) == ("Software Development", "full_time")
    assert (first.job_location, first.hiring_organization) == ("Europe", "Northbeam")
    assert first.skills == ("kubernetes", "go")
    price = first.price
    assert (price.low, price.high, price.currency, price.type) == (50, 75, "USD", "hourly")
    assert (price.raw, price.kind, price.fault) == ("$104k - $156k", "posted", None)

    assert second.job_title == "Editor & Proofreader"
    assert (second.price.low, second.price.high, second.price.currency) == (30, 45, "EUR")
    assert (third.price.fault, third.price.raw, third.description, third.skills) == ("none", None, None, ())
    assert third.date_published == datetime(2026, 11, 17, tzinfo=UTC)
    assert (fourth.price.fault, fourth.price.raw) == ("none", "Competitive")
    assert (fourth.date_published, fourth.date_published_raw) == (None, "yesterday")
    assert isinstance(fifth, Dropped)
    assert fifth.reason == "no_id"


def test_dates_are_in_the_zone_of_the_source():
    assert read(zone="Europe/Paris")[0].date_published == datetime(2026, 11, 18, 8, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("salary", "low", "fault"),
    [(104_000, 50, None), ("104000", 50, None), (25, None, "unclear"), (None, None, "none"), ([], None, "none")],
)
def test_salaries_of_other_types(salary, low, fault):
    price = parse.parse_job({"id": 1, "salary": salary}, kind="posted", zone="UTC").price
    assert (price.low, price.fault) == (low, fault)


@pytest.mark.parametrize(
    ("page", "message"),
    [
        ({"0-legal-notice": "x", "results": []}, "expected an object with the key 'jobs'"),
        ({"jobs": {}}, r"\$.jobs: expected a list, got an empty object"),
        (b"Too many requests", "expected JSON"),
    ],
)
def test_another_shape_is_loud(page, message):
    with pytest.raises(ShapeFault, match=message):
        read(page)


def test_no_jobs_are_no_records():
    assert read({"job-count": 0, "jobs": []}) == []

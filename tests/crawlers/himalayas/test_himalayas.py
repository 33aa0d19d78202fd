"""Himalayas: pages of its feed into postings with hourly references."""

import doctest
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
import scrapy
from scrapy.http import TextResponse

from crawlers.fields import ShapeFault
from crawlers.himalayas import parse
from crawlers.himalayas.spider import HimalayasSpider
from crawlers.job import Job, Window
from crawlers.paging import page_mark
from crawlers.posting import Dropped, Fault, Posting
from valuation.config import load

PAGE = (Path(__file__).parent / "jobs_0.json").read_bytes()
DAY = 86_400
NEWEST = 1_795_248_000  # 21 November 2026, 08:00 UTC


def spider(window=None):
    settings = load()
    folder = Path("unused")
    return HimalayasSpider.offline(
        Job("himalayas", "c1", settings.sources["himalayas"], settings.crawl, window or Window(), *[folder] * 3)
    )


def read(body=PAGE, *, window=None, **state):
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return list(spider(window).parse_page(TextResponse("https://himalayas.app/jobs/api", body=raw), **state))


def jobs(*ages, first_id=0, **page):
    made = [{"guid": f"g{first_id + n}", "title": "A", "pubDate": NEWEST - age * DAY} for n, age in enumerate(ages)]
    return {"jobs": made, **page}


def test_doctests():
    assert doctest.testmod(parse).failed == 0


def test_begins_at_the_newest():
    (request,) = spider().first_requests()
    assert request.url == "https://himalayas.app/jobs/api?limit=20&offset=0"


def test_values():
    first, second, third, request = read()
    assert first.job_posting_id == first.url == "https://himalayas.app/companies/larkfield/jobs/senior-backend-engineer"
    assert first.job_title == "Senior Backend Engineer"
    assert first.description == "Own the billing services.\n\nGo\nPostgres"
    assert first.date_published == datetime(2026, 11, 21, 8, tzinfo=UTC)
    assert first.date_published_raw == "1795248000"
    assert first.valid_through == datetime(2026, 12, 21, 8, tzinfo=UTC)
    assert (first.employment_type, first.hiring_organization) == ("Full Time", "Larkfield")
    assert (first.job_location, first.category) == ("Canada, United States", "Developer")
    assert first.skills == ("Backend-Engineer", "Go")
    assert (first.price.low, first.price.high, first.price.currency) == (50, 75, "USD")
    assert (first.price.type, first.price.kind, first.price.raw) == ("hourly", "posted", "104000 - 156000 USD a year")

    assert (second.job_posting_id, second.url) == (
        "himalayas-88", "https://himalayas.app/companies/owlpost/jobs/support-agent",
    )  # fmt: skip
    assert second.description == "Answer tickets at night."
    assert second.date_published == datetime(2026, 11, 21, 6, tzinfo=UTC)  # a stamp in milliseconds
    assert (second.price.low, second.price.high, second.price.currency) == (18, 22, "EUR")
    assert second.job_location == "Portugal"
    assert (third.url, third.price.fault, third.price.low, third.price.raw) == (None, "none", None, None)

    assert request.url == "https://himalayas.app/jobs/api?limit=20&offset=3"  # as many as came
    mark = page_mark([first.job_posting_id, "himalayas-88", "himalayas-87"])
    assert request.cb_kwargs == {"offset": 3, "previous": mark, "empty": 0, "announced": 45}


@pytest.mark.parametrize(
    ("salary", "low", "high", "fault"),
    [
        ({"minSalary": 41600, "maxSalary": 62400}, 20, 30, None),
        ({"minSalary": 41600, "maxSalary": 62400, "salaryPeriod": "annual"}, 20, 30, None),
        ({"minSalary": 800, "maxSalary": 1600, "salaryPeriod": "weekly"}, 20, 40, None),
        ({"minSalary": 1600, "maxSalary": 1600, "salaryPeriod": "fortnightly"}, 20, 20, None),
        ({"minSalary": "52,000", "maxSalary": "104,000"}, 25, 50, None),
        ({"minSalary": 41600}, None, None, "open"),
        ({"minSalary": None, "maxSalary": 41600}, None, None, "open"),
        ({"minSalary": 62400, "maxSalary": 41600}, None, None, "reversed"),
        ({"minSalary": 0, "maxSalary": 41600}, None, None, "zero"),
        ({"minSalary": True, "maxSalary": []}, None, None, "none"),
        ({"minSalary": 5, "maxSalary": 6, "salaryPeriod": "per word"}, None, None, "unclear"),
    ],
)
def test_salaries(salary, low, high, fault):
    price = parse.salary({**salary, "currency": "USD"}, kind="posted")
    assert (price.low, price.high, price.fault, price.type) == (low, high, fault, "hourly")


@pytest.mark.parametrize(
    ("page", "offset", "url"),
    [
        (jobs(0, 1), 0, "?limit=20&offset=2"),
        (jobs(0, 1, totalCount=3), 0, "?limit=20&offset=2"),
        (jobs(0, 1, totalCount=2), 0, None),
        (jobs(0, 1, totalCount=42), 40, None),
        (jobs(0, nextCursor="abc=", totalCount=90), 0, "?limit=20&cursor=abc%3D"),
        (jobs(0, nextCursor=None, totalCount=90), 89, None),
        (jobs(0, nextCursor=None, totalCount=3), 0, None),
        (jobs(0, nextCursor=None, totalCount=1000), 979, None),  # 20 left: 2 %
        (jobs(), 0, None),
        (jobs(totalCount=42), 40, None),
    ],
)
def test_following_page(page, offset, url):
    *_, last = [None, *read(page, offset=offset)]
    expected = url and f"https://himalayas.app/jobs/api{url}"
    assert (last.url if isinstance(last, scrapy.Request) else None) == expected
    assert not isinstance(last, Fault)


def test_stops_when_a_whole_page_is_older():
    window = Window(changed_since=datetime.fromtimestamp(NEWEST - 5 * DAY, UTC))
    assert [type(one) for one in read(jobs(6, 7), window=window)] == [Posting, Posting]
    assert isinstance(read(jobs(5, 6), window=window)[-1], scrapy.Request)
    assert isinstance(read(jobs(7, 6), window=window)[-1], scrapy.Request)  # not in order: newer ones may follow
    assert isinstance(read({"jobs": [{"guid": "a"}]}, window=window)[-1], scrapy.Request)


def test_a_page_that_repeats_is_told():
    (fault,) = read(jobs(0, 1, totalCount=90), offset=20, previous=page_mark(["g0", "g1"]))
    assert fault == Fault("cap", "offset 20 repeats the page before it: 20 of 90 jobs read")


def test_a_feed_that_ends_early_is_told():
    (fault,) = read(jobs(totalCount=90), offset=40)
    assert fault == Fault("cap", "the feed ends after 40 of 90 jobs")
    assert read(jobs(), offset=40, announced=90) == read(jobs(totalCount=0), offset=40, announced=90) == [fault]
    (_, fault) = read(jobs(0, nextCursor=None, totalCount=1000), offset=978)
    assert fault == Fault("cap", "the feed ends after 979 of 1000 jobs")
    (_, fault) = read(jobs(0, nextCursor=None, totalCount=4), offset=0)
    assert fault == Fault("cap", "the feed ends after 1 of 4 jobs")


def test_an_empty_first_page():
    assert read(jobs(totalCount=0)) == read(jobs()) == []
    assert read(jobs(totalCount=90)) == [Fault("cap", "the feed ends after 0 of 90 jobs")]


def test_an_empty_page_that_names_a_next_one_is_followed():
    (request,) = read(jobs(nextCursor="n", totalCount=90), offset=40, previous="abc", empty=1)
    assert request.url == "https://himalayas.app/jobs/api?limit=20&cursor=n"
    assert request.cb_kwargs == {"offset": 40, "previous": "abc", "empty": 2, "announced": 90}
    (fault,) = read(jobs(nextCursor="n", totalCount=90), offset=40, empty=2)
    assert fault == Fault("cap", "3 pages in a row hold no job and name a next one: 40 of 90 jobs read")
    *_, request = read(jobs(0, nextCursor="n"), offset=40, empty=2)
    assert request.cb_kwargs["empty"] == 0


def test_what_travels_with_a_request_is_short():
    *_, request = read(jobs(*range(500)))
    assert len(json.dumps(request.cb_kwargs)) < 120


@pytest.mark.parametrize(
    ("page", "message"),
    [
        ({"data": []}, "expected an object with the key 'jobs', got an object with keys data"),
        ({"jobs": None}, r"\$.jobs: expected a list, got nothing"),
        ([], "expected an object with the key 'jobs', got a list of 0"),
        (b"<html></html>", "expected JSON"),
    ],
)
def test_another_shape_is_loud(page, message):
    with pytest.raises(ShapeFault, match=message):
        read(page)


def test_records_of_another_shape():
    first, second, third, _ = read({"jobs": [{"id": 5, "title": "A"}, "x", {"guid": 6, "name": "A", "salary": 5}]})
    assert isinstance(first, Dropped) and isinstance(second, Dropped)
    assert (first.reason, second.reason) == ("no_id", "unreadable_record")
    assert (third.job_posting_id, third.job_title, third.price.fault) == ("6", None, "none")

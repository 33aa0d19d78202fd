"""Freelancehunt: pages of projects into postings."""

import doctest
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
import scrapy
from scrapy.http import TextResponse

from crawlers.fields import ShapeFault
from crawlers.freelancehunt import parse
from crawlers.freelancehunt.spider import FreelancehuntSpider
from crawlers.job import Job, Window
from crawlers.paging import page_mark
from crawlers.posting import Dropped, Fault, Posting
from valuation.config import load

PAGE = (Path(__file__).parent / "projects_1.json").read_bytes()
FIRST = "https://api.freelancehunt.com/v2/projects?page%5Bnumber%5D=1"


def spider(*, base="https://api.freelancehunt.com", window=None):
    settings = load(overrides=[f"sources.freelancehunt.base_url={base}"])
    folder = Path("unused")
    return FreelancehuntSpider.offline(
        Job("freelancehunt", "c1", settings.sources["freelancehunt"], settings.crawl, window or Window(), *[folder] * 3)
    )


def read(body=PAGE, *, url=FIRST, previous="", empty=0, **made):
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return list(spider(**made).parse_page(TextResponse(url, body=raw), previous=previous, empty=empty))


def projects(*dates, following=None, first_id=1):
    data = [
        {"id": first_id + n, "type": "project", "attributes": {"name": "A", "published_at": date}}
        for n, date in enumerate(dates)
    ]
    return {"data": data, "links": {"next": following}}


def test_doctests():
    assert doctest.testmod(parse).failed == 0


def test_begins_with_the_newest():
    (request,) = spider(base="http://127.0.0.1:8123").first_requests()
    assert request.url == "http://127.0.0.1:8123/v2/projects?page%5Bnumber%5D=1"
    assert request.callback.__name__ == "parse_page"


def test_values():
    first, second, third, request = read()
    assert isinstance(first, Posting)
    assert first.job_posting_id == "1299165"
    assert first.url == "https://freelancehunt.com/project/verstka-lendingu/1299165.html"
    assert first.job_title == "Верстка лендингу & форма"
    assert first.description == "Потрібно зверстати сторінку за макетом.\nТермін: 5 днів."
    assert first.date_published == datetime(2026, 11, 20, 17, 51, 53, tzinfo=UTC)
    assert first.date_published_raw == "2026-11-20T19:51:53+02:00"
    assert first.valid_through == datetime(2026, 11, 27, 14, 51, 53, tzinfo=UTC)
    assert first.skills == ("HTML та CSS", "JavaScript")
    assert (first.bids, first.hiring_organization, first.job_location) == (12, "olena-k", None)
    price = first.price
    assert (price.type, price.kind, price.low, price.high) == ("fixed", "posted", 4500, 4500)
    assert (price.currency, price.raw, price.fault) == ("UAH", "4500 UAH", None)

    assert second.job_posting_id == "1299160"
    assert second.url is None  # a link that is no web address
    assert second.description == "Przetłumaczyć 30 opisów\nz polskiego na angielski."
    assert second.date_published == datetime(2026, 11, 19, 8, 0, tzinfo=UTC)  # no zone stated: Kyiv
    assert second.job_location == "Kraków, Poland"
    assert (second.price.fault, second.price.type, second.price.raw, second.bids) == ("none", "fixed", None, 0)

    assert isinstance(third, Dropped)
    assert (third.reason, third.value) == ("no_id", "no id at 'id': nothing")
    assert request.url == "https://api.freelancehunt.com/v2/projects?page%5Bnumber%5D=2"
    assert request.cb_kwargs == {"previous": page_mark(["1299165", "1299160"]), "empty": 0}


@pytest.mark.parametrize(
    ("following", "url"),
    [
        (None, None),
        ("", None),
        (FIRST, None),
        ("https://api.freelancehunt.com/v2/projects?page[number]=1", None),
        ("?page%5Bnumber%5D=2", "https://api.freelancehunt.com/v2/projects?page%5Bnumber%5D=2"),
        ({"href": "/v2/projects?page%5Bnumber%5D=2"}, "https://api.freelancehunt.com/v2/projects?page%5Bnumber%5D=2"),
        ("https://other.example/v2/projects?page[number]=2", "https://api.freelancehunt.com/v2/projects?page%5Bnumber%5D=2"),
        ("https://other.example/x", None),
        ("javascript:alert(1)", None),
        (17, None),
    ],
)  # fmt: skip
def test_next_page(following, url):
    *_, last = read(projects("2026-11-20", following=following))
    assert (last.url if isinstance(last, scrapy.Request) else None) == url


def test_next_page_stays_on_a_server_that_stands_in():
    *_, last = read(
        projects("2026-11-20", following="https://api.freelancehunt.com/v2/projects?page[number]=7"),
        base="http://127.0.0.1:8123", url="http://127.0.0.1:8123/v2/projects?page%5Bnumber%5D=6",
    )  # fmt: skip
    assert last.url == "http://127.0.0.1:8123/v2/projects?page%5Bnumber%5D=7"


def test_stops_when_a_whole_page_is_older():
    window = Window(changed_since=datetime(2026, 11, 10, tzinfo=UTC))
    older = read(projects("2026-11-09", "2026-11-08", following="?page=2"), window=window)
    assert [type(one) for one in older] == [Posting, Posting]
    mixed = read(projects("2026-11-08", "2026-11-10T12:00:00+02:00", following="?page=2"), window=window)
    assert isinstance(mixed[-1], scrapy.Request)
    undated = read(projects(None, None, following="?page=2"), window=window)
    assert isinstance(undated[-1], scrapy.Request)
    without = read(projects("2020-01-01", following="?page=2"))
    assert isinstance(without[-1], scrapy.Request)


def test_a_page_that_repeats_is_told():
    (fault,) = read(projects("2026-11-20", following="?page=3"), previous=page_mark(["1"]))
    assert isinstance(fault, Fault)
    assert fault.kind == "cap"
    assert "repeats the one before" in fault.message


def test_an_empty_page_without_a_next_one_ends():
    assert read({"data": [], "links": {"next": None}}) == read({"data": []}, empty=2) == []


def test_an_empty_page_that_names_a_next_one_is_followed():
    body = {"data": [], "links": {"next": "?page%5Bnumber%5D=3"}}
    (request,) = read(body, previous="abc", empty=1)
    assert request.url == "https://api.freelancehunt.com/v2/projects?page%5Bnumber%5D=3"
    assert request.cb_kwargs == {"previous": "abc", "empty": 2}  # the page before the empty ones may still repeat
    (fault,) = read(body, empty=2)
    assert fault == Fault("cap", f"3 pages in a row hold no project and name a next one: stopped at {FIRST}")
    *_, request = read(projects("2026-11-20", following="?page%5Bnumber%5D=3"), empty=2)
    assert request.cb_kwargs["empty"] == 0


def test_what_travels_with_a_request_is_short():
    *_, request = read(projects(*["2026-11-20"] * 500, following="?page%5Bnumber%5D=3"))
    assert len(json.dumps(request.cb_kwargs)) < 100


@pytest.mark.parametrize(
    ("budget", "low", "currency", "fault", "raw"),
    [
        ({"amount": 300, "currency": "PLN"}, 300, "PLN", None, "300 PLN"),
        ({"amount": "1500", "currency": "rub"}, 1500, "RUB", None, "1500 RUB"),
        ({"amount": 12.5, "currency": "EUR"}, 12.5, "EUR", None, "12.5 EUR"),
        ({"amount": 1234567, "currency": "UAH"}, 1234567, "UAH", None, "1234567 UAH"),
        ({"amount": 0, "currency": "UAH"}, None, "UAH", "zero", "0 UAH"),
        ({"amount": -5, "currency": "UAH"}, None, "UAH", "negative", "-5 UAH"),
        ({"amount": None, "currency": "UAH"}, None, "UAH", "none", None),
        ({"amount": "договірна", "currency": "UAH"}, None, "UAH", "unclear", "договірна UAH"),
        ({"amount": 300}, 300, None, None, "300"),
        ({}, None, None, "none", None),
        ("5000 UAH", 5000, "UAH", None, "5000 UAH"),
        ([], None, None, "unclear", "[]"),
        (True, None, None, "unclear", "True"),
    ],
)
def test_budgets(budget, low, currency, fault, raw):
    price = parse.budget_price(budget, kind="posted")
    assert (price.low, price.high, price.currency, price.fault, price.raw) == (low, low, currency, fault, raw)
    assert price.type == "fixed"


@pytest.mark.parametrize(
    ("page", "message"),
    [
        ({"items": []}, r"\$: expected an object with the key 'data', got an object with keys items"),
        ({"data": {"1": {}}}, r"\$.data: expected a list, got an object with keys 1"),
        ([], r"\$: expected an object with the key 'data', got a list of 0"),
        (b"<html>down for maintenance</html>", r"\$: expected JSON"),
        (PAGE[:200], r"\$: expected JSON"),
    ],
)
def test_another_shape_is_loud(page, message):
    with pytest.raises(ShapeFault, match=message):
        read(page)


def test_records_of_another_shape():
    drifted = {
        "data": [{"id": 1, "attrs": {"name": "A"}}, {"id": 2, "type": "contest", "attributes": {"name": "A"}}, 7]
    }
    found = read(drifted)
    assert [(one.record_id, one.reason) for one in found] == [
        ("1", "unreadable_record"), ("2", "not_a_posting"), (None, "unreadable_record"),
    ]  # fmt: skip

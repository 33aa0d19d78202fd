"""Upwork: pages of its GraphQL search into postings, and searches that are too large."""

import doctest
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
import scrapy
from scrapy.http import TextResponse

from crawlers.fields import RecordFault, ShapeFault
from crawlers.job import Job, Window
from crawlers.posting import Dropped, Fault, Posting
from crawlers.upwork import parse, query
from crawlers.upwork.spider import UpworkSpider
from valuation.config import load

PAGE = (Path(__file__).parent / "search_1.json").read_bytes()
FIXED, HOURLY = {"jobType_eq": "FIXED"}, {"jobType_eq": "HOURLY"}


def spider(*overrides, window=None):
    settings = load(overrides=list(overrides))
    folder = Path("unused")
    return UpworkSpider.offline(
        Job("upwork", "c1", settings.sources["upwork"], settings.crawl, window or Window(), *[folder] * 3)
    )


def read(body=PAGE, *overrides, window=None, filters=None, **state):
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    response = TextResponse("https://api.upwork.com/graphql", body=raw)
    return list(spider(*overrides, window=window).parse_page(response, filters=filters or {}, **state))


def page(*times, total=None, more=False, cursor="9", **answer):
    edges = [{"node": {"id": f"j{n}", "title": "A", "createdDateTime": time}} for n, time in enumerate(times)]
    info = {"hasNextPage": more, "endCursor": cursor}
    found = {"totalCount": len(times) if total is None else total, "edges": edges, "pageInfo": info}
    return {"data": {"marketplaceJobPostingsSearch": found}, **answer}


def asked(request):
    return json.loads(request.body)["variables"]["marketPlaceJobFilter"]


def test_doctests():
    assert doctest.testmod(parse).failed == doctest.testmod(query).failed == 0


def test_asks_for_everything_newest_first():
    (request,) = spider("sources.upwork.base_url=http://127.0.0.1:8123").first_requests()
    body = json.loads(request.body)
    assert (request.method, request.url) == ("POST", "http://127.0.0.1:8123/graphql")
    assert body["variables"] == {
        "marketPlaceJobFilter": {"pagination_eq": {"first": 100}},
        "searchType": "USER_JOBS_SEARCH",
        "sortAttributes": [{"field": "RECENCY"}],
    }
    assert "marketplaceJobPostingsSearch(" in body["query"]
    assert body["query"].count("{") == body["query"].count("}")


def test_one_search_for_each_expression():
    requests = list(spider('sources.upwork.queries=["python", "logo"]').first_requests())
    assert [asked(request)["searchExpression_eq"] for request in requests] == ["python", "logo"]
    assert requests[0].cb_kwargs["filters"] == {"searchExpression_eq": "python"}


def test_values():
    first, second, third, fourth, request = read()
    assert first.job_posting_id == "2064871231552000001"
    assert first.url == "https://www.upwork.com/jobs/~022064871231552000001"
    assert first.job_title == "Logo for a bakery & café"
    assert first.description == "A simple logo.\nTwo rounds of changes."
    assert first.date_published == datetime(2026, 11, 22, 9, 15, 30, tzinfo=UTC)
    assert first.date_published_raw == "2026-11-22T09:15:30+0000"
    assert first.skills == ("Logo Design", "illustration")
    assert (first.category, first.job_location, first.bids) == ("logo_design", "Portugal", 14)
    price = first.price
    assert (price.type, price.kind, price.low, price.high) == ("fixed", "posted", 150, 150)
    assert (price.currency, price.raw, price.fault) == ("USD", "150.0 USD", None)

    assert second.date_published == datetime(2026, 11, 22, 7, tzinfo=UTC)
    assert (second.price.type, second.price.low, second.price.high) == ("hourly", 25, 60.5)
    assert (second.price.raw, second.price.currency) == ("25.0 - 60.5 USD", "USD")
    assert (second.duration, second.employment_type, second.category) == (
        "3 to 6 months", "Less than 30 hrs/week", "it_networking",
    )  # fmt: skip
    assert (third.url, third.price.fault, third.price.type, third.skills) == (None, "none", None, ())
    assert isinstance(fourth, Dropped)
    assert fourth.reason == "no_id"

    assert asked(request) == {"pagination_eq": {"first": 100, "after": "4"}}
    assert request.cb_kwargs == {"filters": {}, "after": "4", "read": 4}


def money(value, currency="USD"):
    return {"rawValue": value, "currency": currency}


@pytest.mark.parametrize(
    ("job", "expected"),
    [
        ({"amount": money("300.0")}, ("fixed", 300, 300, "USD", None)),
        ({"amount": 300}, ("fixed", 300, 300, None, None)),
        ({"amount": "1,500.00"}, ("fixed", 1500, 1500, None, None)),
        ({"amount": {"displayValue": "$1.5K"}}, ("fixed", 1500, 1500, "USD", None)),
        ({"amount": {"amount": 20, "currencyCode": "EUR"}}, ("fixed", 20, 20, "EUR", None)),
        ({"amount": money("-3")}, ("fixed", None, None, "USD", "negative")),
        ({"amount": money([1])}, ("fixed", None, None, None, "none")),
        ({"amount": 0, "hourlyBudgetMin": money("9"), "hourlyBudgetMax": money("9")}, ("hourly", 9, 9, "USD", None)),
        ({"amount": None, "hourlyBudgetMin": 20, "hourlyBudgetMax": 30}, ("hourly", 20, 30, None, None)),
        ({"hourlyBudget": {"min": 20, "max": 30, "currency": "USD"}}, ("hourly", 20, 30, "USD", None)),
        ({"hourlyBudget": {"min": money("20"), "max": money("30", "EUR")}}, ("hourly", 20, 30, "USD", None)),
        ({"amount": 0, "hourlyBudgetMin": money("0"), "hourlyBudgetMax": money("0")}, (None, None, None, None, "none")),
        ({"hourlyBudgetMin": money("20"), "hourlyBudgetMax": None}, ("hourly", None, None, "USD", "open")),
        ({"hourlyBudgetMin": money("20"), "hourlyBudgetMax": money("0.0")}, ("hourly", None, None, "USD", "open")),
        ({"hourlyBudgetMin": money("40"), "hourlyBudgetMax": money("30")}, ("hourly", None, None, "USD", "reversed")),
        ({"hourlyBudgetMin": money("low"), "hourlyBudgetMax": money("30")}, ("hourly", None, None, "USD", "unclear")),
        ({"amount": 30, "hourlyBudgetMin": money("2"), "hourlyBudgetMax": money("3")}, ("fixed", 30, 30, None, None)),
        (
            {"amount": money("300"), "hourlyBudgetMin": money("20"), "hourlyBudgetMax": money("30"),
             "job": {"contractTerms": {"contractType": "HOURLY"}}},
            ("hourly", 20, 30, "USD", None),
        ),
        ({"amount": 0, "job": {"contractTerms": {"contractType": "FIXED"}}}, ("fixed", None, None, None, "none")),
        ({}, (None, None, None, None, "none")),
    ],
)  # fmt: skip
def test_prices(job, expected):
    price = parse.job_price(job, kind="posted")
    assert (price.type, price.low, price.high, price.currency, price.fault) == expected


def test_nothing_stands_in_for_a_missing_id():
    with pytest.raises(RecordFault, match="no id at 'id'"):
        parse.parse_job({"ciphertext": "~01ab"}, kind="posted", zone="UTC")


def test_stops_when_a_whole_page_is_older():
    window = Window(changed_since=datetime(2026, 11, 21, tzinfo=UTC))
    older = page("2026-11-20T10:00:00+0000", "2026-11-19T10:00:00+0000", more=True, total=9)
    assert [type(one) for one in read(older, window=window)] == [Posting, Posting]
    mixed = page("2026-11-21T10:00:00+0000", "2026-11-19T10:00:00+0000", more=True, total=9)
    assert isinstance(read(mixed, window=window)[-1], scrapy.Request)
    assert isinstance(read(older)[-1], scrapy.Request)


def test_the_last_page_ends():
    assert [type(one) for one in read(page("2026-11-20", total=101), after="100", read=100)] == [Posting]


def test_a_large_search_is_cut_by_job_type_then_by_level():
    *_, request = read(page("2026-11-20", total=12_000, more=True))
    assert asked(request) == {**HOURLY, "pagination_eq": {"first": 100}}
    assert request.cb_kwargs == {"filters": HOURLY, "after": None, "parts": [FIXED], "whole_count": 12_000}
    _, sibling, following = read(page("2026-11-20", total=4_000, more=True), **request.cb_kwargs)
    assert asked(sibling) == {**FIXED, "pagination_eq": {"first": 100}}
    assert (sibling.cb_kwargs["counted"], sibling.cb_kwargs["parts"]) == (4_000, [])
    assert asked(following) == {**HOURLY, "pagination_eq": {"first": 100, "after": "9"}}
    assert "parts" not in following.cb_kwargs  # parts are asked for once
    *_, deeper = read(page("2026-11-20", total=8_000, more=True), **sibling.cb_kwargs)
    assert asked(deeper) == {**FIXED, "experienceLevel_eq": "ENTRY_LEVEL", "pagination_eq": {"first": 100}}
    assert [part["experienceLevel_eq"] for part in deeper.cb_kwargs["parts"]] == ["INTERMEDIATE", "EXPERT"]
    assert deeper.cb_kwargs["whole_count"] == 8_000


def test_what_belongs_to_no_part_is_told():
    filters = {**FIXED, "experienceLevel_eq": "EXPERT"}
    found = read(page("2026-11-20", total=1_000), filters=filters, parts=[], counted=6_000, whole_count=8_000)
    assert found[1:] == [Fault("cap", "1000 of 8000 results carry no experience level: out of reach")]
    close = read(page("2026-11-20", total=1_950), filters=filters, parts=[], counted=6_000, whole_count=8_000)
    assert [type(one) for one in close] == [Posting]


def test_what_lies_behind_the_cap_is_told():
    filters = {**FIXED, "experienceLevel_eq": "EXPERT"}
    found = read(page(*["2026-11-20"] * 100, total=7_300, more=True), filters=filters, after="4900", read=4_900)
    assert found[100:] == [Fault("cap", "2300 of 7300 results lie behind the first 5000")]
    silent = read(page(*["2026-11-20"] * 100, total=7_300), filters=filters, after="4900", read=4_900)
    assert silent[100:] == found[100:]
    whole = read(page(*["2026-11-20"] * 100, total=5_000), filters=filters, after="4900", read=4_900)
    assert [type(one) for one in whole] == [Posting] * 100


def test_never_asks_beyond_the_cap():
    *_, request = read(page(*["2026-11-20"] * 30, total=5_000, more=True), after="4950", read=4_950)
    assert asked(request)["pagination_eq"] == {"first": 20, "after": "9"}


def test_a_cursor_that_stands_still_is_told():
    *_, fault = read(page("2026-11-20", total=300, more=True, cursor="100"), after="100", read=100)
    assert fault == Fault("cap", "no way on after 101 of 300 results: the cursor does not move")
    *_, fault = read(page("2026-11-20", total=300, more=True, cursor=None))
    assert fault.kind == "cap"


def test_errors_are_loud_and_short():
    errors = [{"message": "Not\x00 allowed:\n\x1b[31m" + "x" * 500}, {"message": "again"}, {"code": 1}]
    with pytest.raises(ShapeFault) as caught:
        read({"data": None, "errors": errors})
    message = str(caught.value)
    assert message.startswith("$.data.marketplaceJobPostingsSearch: expected an object (the API says: Not")
    assert "; again)" in message
    assert len(message) < 400 and message.isprintable()


def test_errors_beside_results_keep_the_results():
    found = read(page("2026-11-20", errors=[{"message": "amount is null"}]))
    assert [type(one) for one in found] == [Fault, Posting]
    assert found[0] == Fault("shape", "the answer is incomplete: amount is null")
    assert read(page(errors=["?"]))[0].message == "the answer is incomplete: errors without a message"


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ({}, "expected an object, got nothing"),
        ({"data": {"jobs": []}}, r"\$.data.marketplaceJobPostingsSearch: expected an object, got nothing"),
        ({"data": {"marketplaceJobPostingsSearch": {"nodes": []}}}, "expected an object with the key 'edges'"),
        ({"data": {"marketplaceJobPostingsSearch": {"edges": {}}}}, "edges: expected a list, got an empty object"),
        ({"data": {"marketplaceJobPostingsSearch": {"edges": [], "totalCount": 3}}}, "the key 'hasNextPage'"),
        ([], "expected an object, got nothing"),
        (b"<html>", "expected JSON"),
    ],
)
def test_another_shape_is_loud(answer, message):
    with pytest.raises(ShapeFault, match=message):
        read(answer)

"""Freelancer.com's projects: budgets, bids, pages by offset."""

import copy
import dataclasses
import doctest
import json
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import scrapy
from hypothesis import given, settings
from hypothesis import strategies as st
from scrapy.http import JsonResponse

from crawlers.fields import ShapeFault
from crawlers.freelancer import parse
from crawlers.freelancer.spider import FreelancerSpider
from crawlers.job import Job, Window
from crawlers.posting import Dropped, Fault, Posting, Price, from_json, to_json
from valuation.config import load

PAGE = json.loads((Path(__file__).parent / "active.json").read_text(encoding="utf-8"))
PROJECTS = PAGE["result"]["projects"]
URL = "https://www.freelancer.com/api/projects/0.1/projects/active/?offset=0"


def make(window=Window(), *overrides):  # noqa: B008
    found = load(overrides=overrides)
    return FreelancerSpider.offline(
        Job("freelancer", "c1", found.sources["freelancer"], found.crawl, window, Path(), Path(), Path())
    )


def read(data, *, spider=None, offset=0, mark="", **before):
    content = data if isinstance(data, bytes) else json.dumps(data).encode()
    return list((spider or make()).read(JsonResponse(URL, body=content), offset=offset, mark=mark, **before))


def crawl(answer, limit=20):
    """Crawl a listing; `answer` gives projects and total at an offset. Ids that came, faults, number of requests."""
    spider, came, faults, requests = make(), [], [], 0
    queue = list(spider.first_requests())
    while queue:
        request = queue.pop()
        requests += 1
        assert requests <= limit, "the crawl does not end"
        kwargs = json.loads(json.dumps(request.cb_kwargs))
        ids, total = answer(kwargs["offset"])
        projects = None if ids is None else [PROJECTS[0] | {"id": one} for one in ids]
        for one in read(page(projects, total), spider=spider, **kwargs):
            if isinstance(one, scrapy.Request):
                queue.append(one)
            elif isinstance(one, Fault):
                faults.append(one.message)
            else:
                came.append(int(one.job_posting_id))
    return came, faults, requests


def page(projects, total):
    return {"status": "success", "result": {"projects": projects, "total_count": total}}


def asked(request):
    return {key: values[0] for key, values in parse_qs(urlsplit(request.url).query).items()}


def test_the_first_request_and_the_header_of_the_token():
    (first,) = make(Window(), "sources.freelancer.page_size=5000").first_requests()
    assert urlsplit(first.url).path == "/api/projects/0.1/projects/active/"
    assert asked(first) == {
        "limit": "100", "offset": "0", "full_description": "true", "job_details": "true", "location_details": "true",
        "sort_field": "time_updated",
    }  # fmt: skip
    assert FreelancerSpider.token_header == ("freelancer-oauth-v1", "{}")


def test_a_window_and_a_rerun_are_times_of_the_question():
    since, until, changed = (datetime(2026, month, 1, tzinfo=UTC) for month in (1, 5, 3))
    (first,) = make(Window(since, until, changed)).first_requests()
    assert asked(first)["from_time"] == str(int(changed.timestamp()))
    assert asked(first)["to_time"] == str(int(until.timestamp()))
    (first,) = make(Window(changed_since=changed)).first_requests()
    assert asked(first)["from_time"] == str(int(changed.timestamp()))
    (first,) = make(Window(since)).first_requests()
    assert asked(first)["from_time"] == str(int(since.timestamp()))


def test_every_field_of_a_project():
    first = read(PAGE)[0]
    assert first == Posting(
        job_posting_id="501",
        url="https://www.freelancer.com/projects/php/build-a-shop",
        job_title="Build a shop",
        description="Full text.\nSecond line.",
        date_published=datetime(2026, 3, 3, 9, 43, 20, tzinfo=UTC),
        date_published_raw="1772531000",
        date_modified=datetime(2026, 3, 3, 10, tzinfo=UTC),
        date_modified_raw="1772532000",
        valid_through=datetime(2026, 3, 10, 9, 43, 20, tzinfo=UTC),
        valid_through_raw="7",
        price=Price("30 - 250 USD", "fixed", "posted", 30.0, 250.0, "USD", "USD"),
        skills=("PHP", "MySQL"),
        hiring_organization="1401",
        bids=12,
    )
    assert from_json(to_json(first)) == first


def test_the_saved_page_gives_these_prices_in_this_order():
    found = read(PAGE)
    assert [(one.price.type, one.price.low, one.price.high, one.price.currency, one.price.fault)
            for one in found if isinstance(one, Posting)] == [
        ("fixed", 30.0, 250.0, "USD", None),
        ("hourly", 12.0, 18.0, "EUR", None),
        ("fixed", None, None, "USD", "open"),
        ("fixed", None, None, "USD", "reversed"),
        ("fixed", 30.0, 250.0, "AUD", None),
    ]  # fmt: skip
    assert found[4] == Dropped("505", "https://www.freelancer.com/projects/php/gone", "gone", "a deleted project")
    assert found[1].duration == "40 hours a week, one to three months"
    assert (found[2].description, found[2].bids) == ("Full te", 0)
    assert (found[5].job_location, found[5].url) == ("Perth, Australia", None)
    assert parse.location_of(PROJECTS[5] | {"local": False}) is None  # where its owner is, not where the work is
    assert (found[0].job_location, found[0].duration) == (None, None)


def test_the_average_of_bids_is_another_price_and_none_without_bids():
    found = read(PAGE, spider=make(Window(), 'sources.freelancer.price_kind="bid_average"'))
    assert found[0].price == Price("140.5 - 140.5 USD", "fixed", "bid_average", 140.5, 140.5, "USD", "USD")
    assert (found[2].price.kind, found[2].price.fault) == ("bid_average", "none")


BUDGETS = [
    ({"minimum": 0, "maximum": 100}, "zero"),
    ({"minimum": -5, "maximum": 100}, "negative"),
    ({"minimum": None, "maximum": 100}, "open"),
    ({"minimum": "ten", "maximum": True}, "none"),
    ({}, "none"),
    (None, "none"),
]


@pytest.mark.parametrize(("budget", "fault"), BUDGETS)
def test_budgets_that_are_no_price(budget, fault):
    price = parse.price_of({"type": "fixed", "budget": budget, "currency": {"code": "USD"}}, kind="posted")
    assert (price.low, price.fault) == (None, fault)


def test_words_that_are_no_type_and_no_currency_say_nothing():
    budget = {"minimum": 10, "maximum": 20}
    price = parse.price_of({"type": "contest", "budget": budget, "currency": {"code": "<b>"}}, kind="posted")
    assert (price.type, price.currency, price.low) == (None, None, 10.0)
    assert parse.price_of({"type": "HOURLY", "budget": budget}, kind="posted").type == "hourly"


def test_pages_follow_by_offset_until_all_announced_have_come():
    found = read(page(PROJECTS, 20), offset=100)
    assert len(found) == 6  # the total was reached long ago
    found = read(page(PROJECTS, 200), offset=100)
    assert asked(found[-1])["offset"] == "106"
    assert found[-1].cb_kwargs["offset"] == 106
    assert not isinstance(read(page(PROJECTS, 106), offset=100)[-1], scrapy.Request)
    assert read(page([], 108), offset=106) == []


def test_an_announced_number_that_is_missing_ends_with_an_empty_page():
    data = {"status": "success", "result": {"projects": PROJECTS}}
    assert asked(read(data)[-1])["offset"] == "6"
    assert read({"status": "success", "result": {"projects": []}}, offset=6) == []


def test_a_page_that_repeats_stops_the_listing():
    onward = read(page(PROJECTS, 200))[-1]
    assert read(page(PROJECTS, 200), **onward.cb_kwargs) == [
        Fault("cap", "the page at offset 6 repeats the page before it: no page after it was read")
    ]


def test_pages_that_end_a_page_early_are_a_fault():
    assert read(page([], 9)) == [Fault("cap", "9 projects are announced, 0 came: the pages end early")]
    assert read(page([], 300), offset=100) == [
        Fault("cap", "300 projects are announced, 100 came: the pages end early")
    ]


@pytest.mark.parametrize("shown", [50, 100])
def test_a_full_page_earns_one_more_request_whatever_is_announced(shown):
    found = crawl(lambda offset: (range(1, 251)[offset : offset + shown], 120))
    assert found == (list(range(1, 251)), [], 250 // shown + 1)  # the last is empty, or shorter than the others


def test_all_announced_on_full_pages_ends_with_an_empty_one_null_or_not():
    for end in ([], None):
        found = crawl(lambda offset, end=end: (range(1, 201)[offset : offset + 100] or end, 200))
        assert found == (list(range(1, 201)), [], 3)


def test_pages_shorter_than_asked_for_are_read_to_the_end():
    found = crawl(lambda offset: (range(1, 131)[offset : offset + 20], 130))
    assert found == (list(range(1, 131)), [], 7)


def test_a_page_shorter_than_any_before_it_is_the_last_once_all_announced_came():
    pages = {0: range(1, 5), 4: range(5, 7), 6: range(7, 9)}
    assert crawl(lambda offset: (pages[offset], 7)) == (list(range(1, 9)), [], 3)


def test_pages_that_end_less_than_a_page_early_are_a_fault():
    for end in ([], None):
        came, faults, _ = crawl(lambda offset, end=end: (range(1, 151)[offset : offset + 100] or end, 199))
        assert (len(came), faults) == (150, ["199 projects are announced, 150 came: the pages end early"])
    came, faults, _ = crawl(lambda offset: (range(1, 197)[offset : offset + 100], 200))
    assert (len(came), faults) == (196, [])  # four closed meanwhile
    _, faults, _ = crawl(lambda offset: (range(1, 151)[offset : offset + 100], 300 if offset < 150 else 0))
    assert faults == ["300 projects are announced, 150 came: the pages end early"]
    _, faults, _ = crawl(lambda offset: (range(1, 151)[offset : offset + 100] or None, 300 if offset < 150 else None))
    assert faults == ["300 projects are announced, 150 came: the pages end early"]


def test_a_server_that_answers_every_offset_alike_ends_at_the_second_page():
    assert crawl(lambda offset: (range(1, 101), 100)) == (list(range(1, 101)), [], 2)
    for total in (90, 300, None):
        came, faults, requests = crawl(lambda offset, total=total: (range(1, 101), total))
        assert (len(came), requests) == (100, 2)
        assert faults == ["the page at offset 100 repeats the page before it: no page after it was read"]


def test_a_list_that_is_null_is_the_end_past_the_first_page_alone():
    assert read(page(None, 100), offset=100) == []
    with pytest.raises(ShapeFault, match=r"^\$\.result\.projects: expected a list, got nothing$"):
        read(page(None, 0))
    for wrong in ({"result": {}}, {"result": None}, {"result": {"projects": {}}}, {"result": {"projects": False}}):
        with pytest.raises(ShapeFault):
            read(wrong, offset=100)


def test_an_error_names_its_code_and_nothing_else():
    data = {"status": "error", "message": "secret words", "error_code": "RestExceptionCodes.NOT_AUTHENTICATED"}
    with pytest.raises(ShapeFault, match=r"RestExceptionCodes\.NOT_AUTHENTICATED") as raised:
        read(data)
    assert "secret" not in str(raised.value)
    with pytest.raises(ShapeFault, match="no error_code"):
        read({"status": "error", "result": {"projects": []}})


WRONG = [b"<html>", b"[]", b"7", b'{"status": "success"}', b'{"result": {"projects": {}}}', b'{"result": []}']


@pytest.mark.parametrize("content", WRONG)
def test_a_page_of_another_shape_is_loud(content):
    with pytest.raises(ShapeFault):
        read(content)


@pytest.mark.parametrize("key", ["id", "title", "type", "budget", "currency"])
def test_a_renamed_key_is_loud(key):
    drifted = copy.deepcopy(PAGE)
    for project in drifted["result"]["projects"]:
        project[f"new_{key}"] = project.pop(key)
    with pytest.raises(ShapeFault, match=key):
        read(drifted)


def test_keys_renamed_in_groups_and_within_budgets_are_loud():
    for gone in (("description", "preview_description"), ("time_submitted", "submitdate")):
        with pytest.raises(ShapeFault, match=" or ".join(gone)):
            read(page([{key: value for key, value in PROJECTS[0].items() if key not in gone}], 1))
    with pytest.raises(ShapeFault, match="minimum or maximum, got an object with keys max, min"):
        read(page([PROJECTS[0] | {"budget": {"min": 1, "max": 2}}], 1))


def test_missing_dates_and_texts_leave_the_fields_empty():
    project = {key: value for key, value in PROJECTS[0].items() if "time" not in key and "desc" not in key}
    del project["submitdate"]
    found = read(page([project, PROJECTS[0]], 2))[0]
    assert (found.date_published, found.description, found.valid_through) == (None, None, None)


def test_records_that_cannot_be_read_do_not_cost_the_others():
    good = PROJECTS[0]
    found = read(page([7, good | {"id": {}}, good | {"title": None}, good], 4))
    assert [getattr(one, "reason", "kept") for one in found] == [
        "unreadable_record", "no_id", "unreadable_record", "kept",
    ]  # fmt: skip


def test_an_older_stamp_will_do_and_markup_is_removed():
    project = PROJECTS[0] | {
        "time_submitted": None,
        "title": "<b>Fix</b> it",
        "description": "a<br>b<script>x</script>",
    }
    (found,) = read(page([project], 1))
    assert (found.date_published.year, found.job_title, found.description) == (2026, "Fix it", "a\nb")


values = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
INSIDE = {
    "budget": ("minimum", "maximum"), "currency": ("code",), "bid_stats": ("bid_count", "bid_avg"),
    "hourly_project_info": ("commitment", "duration_enum"), "location": ("city", "country"),
}  # fmt: skip
TYPES = {
    "job_posting_id": str, "url": str, "job_title": str, "description": str, "date_published": datetime,
    "date_modified": datetime, "valid_through": datetime, "price": Price, "skills": tuple, "hiring_organization": str,
    "date_published_raw": str, "date_modified_raw": str, "valid_through_raw": str, "job_location": str,
    "date_quality": str, "duration": str, "bids": int,
}  # fmt: skip


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(sorted(PROJECTS[0])), st.integers(0, 5), values, st.data())
def test_any_value_in_any_field_gives_a_sound_record_or_none(key, row, value, data):
    if key in INSIDE and data.draw(st.booleans()):
        value = {data.draw(st.sampled_from(INSIDE[key])): value}
    project = PROJECTS[row] | {key: value, "local": value if key == "local" else True}
    for one in read(page([project, PROJECTS[0]], 2)):
        assert isinstance(one, Posting | Dropped)
        for field in dataclasses.fields(one) if isinstance(one, Posting) else ():
            found = getattr(one, field.name)
            assert found is None or isinstance(found, TYPES.get(field.name, type(None))), field.name
        if isinstance(one, Posting):
            assert all(isinstance(skill, str) for skill in one.skills)
            assert one.price.low is None or 0 < one.price.low <= one.price.high < float("inf")


@settings(max_examples=60, deadline=None)
@given(values)
def test_any_page_is_read_or_a_shape_fault(data):
    for content in (data, page(data, 3), page([], data), {"result": data}, {"status": data, "result": data}):
        try:
            found = read(content)
        except ShapeFault:
            continue
        assert all(isinstance(one, Posting | Dropped | Fault | scrapy.Request) for one in found)


def test_the_examples_in_the_documentation_hold():
    assert doctest.testmod(parse).failed == 0

"""GitHub's search of issues: which are bounties, what they pay, and which pages follow."""

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
from crawlers.github import body, parse
from crawlers.github.spider import GitHubSpider, next_link
from crawlers.job import Job, Window
from crawlers.paging import Cursor
from crawlers.posting import Dropped, Fault, Posting, Price, from_json, to_json
from valuation.config import load

PAGE = json.loads((Path(__file__).parent / "search_page.json").read_text(encoding="utf-8"))
SINCE, UNTIL = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC)
A, B = int(SINCE.timestamp()), int(UNTIL.timestamp()) - 1
URL = "https://api.github.com/search/issues?q=x&page=1"


def make(window=Window(SINCE, UNTIL), *overrides):  # noqa: B008
    found = load(overrides=overrides)
    return GitHubSpider.offline(
        Job("github", "c1", found.sources["github"], found.crawl, window, Path(), Path(), Path())
    )


def read(data, *, spider=None, cursor=None, again=False, headers=None, url=URL, field="created"):
    content = data if isinstance(data, bytes) else json.dumps(data).encode()
    response = JsonResponse(url, body=content, headers=headers or {})
    cursor = json.loads(json.dumps((cursor or Cursor(A, B, 1)).to_json()))
    return list((spider or make()).read(response, query="is:issue", field=field, cursor=cursor, again=again))


def asked(request):
    return {key: values[0] for key, values in parse_qs(urlsplit(request.url).query).items()}


def requests_of(results):
    return [one for one in results if isinstance(one, scrapy.Request)]


def test_the_saved_page_gives_these_records_in_this_order():
    found = read(PAGE)
    assert [(type(one).__name__, getattr(one, "job_title", None) or one.value) for one in found] == [
        ("Posting", "iOS - Total shows $10 instead of $12"),
        ("Posting", "Webhooks are retried for ever"),
        ("Posting", "Export to CSV drops the last row"),
        ("Posting", "Dark mode for the editor"),
        ("Dropped", "an issue without a bounty"),
        ("Dropped", "a pull request"),
        ("Posting", "Payment for #11"),
        ("Posting", "Two amounts"),
    ]
    assert {one.reason for one in found if isinstance(one, Dropped)} == {"not_a_posting"}


def test_every_field_of_an_issue():
    first = read(PAGE)[0]
    assert first == Posting(
        job_posting_id="1800000011",
        url="https://github.com/Expensify/App/issues/11",
        job_title="iOS - Total shows $10 instead of $12",
        description="## Action Performed\n1. Open the cart\n2. Look at `List<Price>`\n\n"
        "**Expected:** $12\n**Actual:** $10",
        date_published=datetime(2026, 3, 2, 9, 15, tzinfo=UTC),
        date_published_raw="2026-03-02T09:15:00Z",
        date_modified=datetime(2026, 3, 9, 10, tzinfo=UTC),
        date_modified_raw="2026-03-09T10:00:00Z",
        valid_through=datetime(2026, 3, 12, tzinfo=UTC),
        valid_through_raw="2026-03-12T00:00:00Z",
        price=Price("[$500]", "fixed", "posted", 500.0, 500.0, "USD", "$"),
        skills=("iOS",),
        hiring_organization="Expensify",
    )
    assert from_json(to_json(first)) == first


def test_prices_of_the_saved_page():
    prices = [one.price for one in read(PAGE) if isinstance(one, Posting)]
    assert [(p.low, p.fault, p.raw) for p in prices] == [
        (500.0, None, "[$500]"),
        (1500.0, None, "$1,500"),
        (300.0, None, "$300"),
        (None, "none", None),
        (None, "none", None),
        (None, "several", "[$250] [$400] Two amounts"),
    ]
    assert {(p.type, p.kind) for p in prices} == {("fixed", "posted")}


def test_scripts_comments_and_robots_do_not_reach_the_text_and_no_login_does():
    texts = [to_json(one) for one in read(PAGE) if isinstance(one, Posting)]
    for word in ("alert", "guide first", "upwork", "Issue Owner", "@someone", "a-reporter"):
        assert not any(word in text for text in texts), word
    assert "See `retry.py`." in texts[1]


PRICES = [
    # title, labels, body, low (or fault), or None where it is no posting
    ("[$250] Fix", ("$500",), "", 250.0),  # the title is what a rise rewrites
    ("Fix", ("bounty", "$1k"), "", 1000.0),
    ("Fix", ("$100", "$200"), "", "several"),
    ("Fix", ("$100", "bounty: $100"), "", 100.0),
    ("Fix", ("bounty",), "/bounty $75", 75.0),
    ("Fix", ("bounty",), "Reward: **$80**", 80.0),
    ("Fix", ("bounty",), "Bounty: $80\nBounty: $90", "several"),
    ("Fix", ("bounty",), "Price: $80", "none"),  # what some page shows
    ("Fix", (), "Upwork Automation\n<li>Price: $80</li>", 80.0),
    ("Fix", (), "Upwork Automation\nPrice increased from $80 to $160", 160.0),
    ("Fix", (), "Upwork Automation\nLast Price Increase: 2024-04-18", "none"),
    ("Fix", (), "Reward: $80", None),
    ("Fix", ("good first issue 2",), "It costs $5", None),
    ("[$0] Fix", (), "", "zero"),
    ("[up to $500] Fix", (), "", "open"),
    ("[up to $500] Fix", ("$300",), "", 300.0),
    ("Add a bounty page", (), "", None),
]


@pytest.mark.parametrize(("title", "labels", "content", "expected"), PRICES)
def test_bounties(title, labels, content, expected):
    price = parse.price_of(title, labels, content, kind="posted")
    assert (price and (price.fault or price.low)) == expected


TITLES = [
    ("[Due for payment 2025-03-21] [Due for payment 2025-03-17] [$250] Reports - hold", "Reports - hold"),
    ("[HOLD #123] CRITICAL: [Whisper] [$250] After selection", "CRITICAL: [Whisper] After selection"),
    ("[Holding company] Name", "[Holding company] Name"),
    ("【$50】 Fix it", "Fix it"),
    ("Fix the login - $250", "Fix the login - $250"),
    ("[$1,000 bounty] - Fix", "Fix"),
]


@pytest.mark.parametrize(("title", "expected"), TITLES)
def test_titles_lose_prices_and_states_of_payment_alone(title, expected):
    assert parse.clean_title(title) == expected


def test_states_of_the_work_are_no_skills():
    labels = ("Overdue", "help wanted", "🐛 bug", "Priority: High", "P1", "type/feature", "reward", "C++", "backend")
    assert parse.skills_of(labels) == ("C++", "backend")


@pytest.mark.parametrize(
    "content", ["<!--" * 40_000, "<script" * 20_000, "<details><summary>upwork automation" * 2000, "[" * 70_000]
)
def test_a_body_made_to_be_slow_is_read_at_once(content):
    begin = datetime.now(UTC)
    body.body_text(content)
    body.bounty_in_body(content)
    parse.clean_title(content[:1000])
    assert (datetime.now(UTC) - begin).total_seconds() < 2


def test_text_after_a_comment_that_never_closes_stays():
    assert body.body_text("Use `<!--` here\nand there") == "Use `<!--` here\nand there"


def test_the_first_crawl_asks_by_creation_for_each_query():
    spider = make(Window(SINCE, UNTIL), 'sources.github.queries=["one", "two"]', "sources.github.page_size=500")
    first, second = spider.first_requests()
    assert asked(first) == {
        "q": "one created:2026-01-01T00:00:00Z..2026-03-31T23:59:59Z",
        "sort": "created", "order": "asc", "per_page": "100", "page": "1",
    }  # fmt: skip
    assert asked(second)["q"].startswith("two created:")
    assert urlsplit(first.url).path == "/search/issues"
    assert first.headers["Accept"] == b"application/vnd.github+json"


def test_a_window_without_ends_reaches_from_the_sites_first_year_to_the_end_of_the_day():
    q = asked(next(iter(make(Window()).first_requests())))["q"]
    start, end = q.rpartition("created:")[2].split("..")
    assert start == "2008-01-01T00:00:00Z"
    assert end.endswith("T00:00:00Z")
    assert datetime.fromisoformat(end) > datetime.now(UTC)
    assert list(make(Window(UNTIL, SINCE)).first_requests()) == []


def test_a_rerun_asks_for_what_was_updated_within_the_window():
    changed = datetime(2026, 3, 20, 6, tzinfo=UTC)
    found = asked(next(iter(make(Window(changed_since=changed)).first_requests())))
    assert found["sort"] == "updated"
    assert " updated:2026-03-20T06:00:00Z.." in found["q"]
    assert "created:" not in found["q"]
    found = asked(next(iter(make(Window(SINCE, UNTIL, changed)).first_requests())))
    assert " created:2026-01-01T00:00:00Z..2026-03-31T23:59:59Z updated:2026-03-20T06:00:00Z.." in found["q"]


def test_a_search_over_the_cap_is_halved_and_its_page_not_read():
    (left,) = read(PAGE | {"total_count": 1001})
    middle = (A + B) // 2
    assert left.cb_kwargs["cursor"] == Cursor(A, middle, 1, parent=1001, later=(middle + 1, B)).to_json()
    assert asked(left)["q"] == "is:issue created:2026-01-01T00:00:00Z..2026-02-14T23:59:59Z"
    assert all(isinstance(one, Posting | Dropped) for one in read(PAGE | {"total_count": 8}))


def test_a_second_over_the_cap_is_a_fault_and_its_first_records_are_read():
    found = read(PAGE | {"total_count": 1500}, cursor=Cursor(A, A, 1))
    assert found[0] == Fault(
        "cap",
        "created 2026-01-01T00:00:00Z..2026-01-01T00:00:00Z: 1500 records within one second, the source shows 1000: "
        "500 are out of reach",
    )
    assert len(found) == 1 + 8 + 1
    assert asked(found[-1])["page"] == "2"


def test_incomplete_results_are_asked_for_once_more_and_then_a_fault():
    data = PAGE | {"incomplete_results": True}
    (again,) = read(data)
    assert (again.url, again.dont_filter, again.cb_kwargs["again"]) == (URL, True, True)
    found = read(data, again=True)
    assert found[0].kind == "cap"
    assert "incomplete_results twice" in found[0].message
    assert len(found) == 9


def link(url, rel="next"):
    return {"Link": f'<https://api.github.com/search/issues?q=x&page=9>; rel="last", <{url}>; rel="{rel}"'}


def test_the_next_page_is_the_one_that_the_server_names_if_it_is_of_the_same_endpoint():
    named = "https://api.github.com/search/issues?q=x&page=2"
    found = read(PAGE | {"total_count": 20}, headers=link(named))
    assert requests_of(found)[0].url == named
    assert requests_of(found)[0].cb_kwargs["cursor"]["seen"] == 8
    for other in ("https://evil.example/search/issues?page=2", "https://api.github.com/user?page=2", "http://[", named):
        headers = link(other, "next" if other != named else "prev")
        assert next_link(JsonResponse(URL, headers=headers)) == ""
        (own,) = requests_of(read(PAGE | {"total_count": 20}, headers=headers))
        assert (asked(own)["page"], asked(own)["q"].split()[0]) == ("2", "is:issue")
    assert requests_of(read(PAGE)) == []
    assert requests_of(read(PAGE, headers=link(named)))[0].url == named  # the announced total may be too low


def many(ids, total):
    return {"total_count": total, "items": [PAGE["items"][1] | {"id": one} for one in ids]}


def crawl(answer, limit=20):
    """Crawl without Link headers; `answer` gives ids and total of a page. Number read, faults, number of requests."""
    came, faults, cursor = 0, [], Cursor(A, B, 1)
    for requests in range(1, limit):
        found = read(many(*answer(cursor.page)), cursor=cursor)
        came += sum(isinstance(one, Posting) for one in found)
        faults += [one.message.partition(": ")[2] for one in found if isinstance(one, Fault)]
        if not requests_of(found):
            return came, faults, requests
        cursor = Cursor.from_json(requests_of(found)[0].cb_kwargs["cursor"])
    raise AssertionError("the crawl does not end")


def test_pages_that_end_less_than_a_page_early_are_a_fault():
    lack = "299 records are announced, 200 came: the pages end early"
    assert crawl(lambda number: (range(200)[number * 100 - 100 : number * 100], 299)) == (200, [lack], 3)
    assert crawl(lambda number: (range(295)[number * 100 - 100 : number * 100], 300)) == (295, [], 4)


def test_a_full_page_earns_one_more_request_where_no_header_names_it():
    assert crawl(lambda number: (range(250)[number * 100 - 100 : number * 100], 100)) == (250, [], 3)
    assert crawl(lambda number: (range(90)[number * 30 - 30 : number * 30], 90)) == (90, [], 4)  # 30 at once, not 100
    assert crawl(lambda number: (range(99), 99)) == (99, [], 1)


def test_a_page_that_repeats_is_read_once():
    onward = requests_of(read(PAGE | {"total_count": 20}))[0]
    (fault,) = read(PAGE | {"total_count": 20}, cursor=Cursor.from_json(onward.cb_kwargs["cursor"]))
    assert "repeats the page before" in fault.message


WRONG = [b"<html>", b"[]", b"null", b'{"items": {}}', b'{"items": []}', b'{"total_count": "x", "items": []}', b'{"a']


@pytest.mark.parametrize("content", WRONG)
def test_a_page_of_another_shape_is_loud(content):
    with pytest.raises(ShapeFault):
        read(content)


@pytest.mark.parametrize("key", ["id", "title", "body", "labels", "created_at"])
def test_a_renamed_key_is_loud(key):
    drifted = copy.deepcopy(PAGE)
    for item in drifted["items"]:
        item[f"{key}_text"] = item.pop(key)
    with pytest.raises(ShapeFault, match=key):
        read(drifted)


def test_renamed_names_of_labels_are_loud():
    drifted = copy.deepcopy(PAGE)
    for item in drifted["items"]:
        item["labels"] = [{"title": label["name"]} for label in item["labels"]]
    with pytest.raises(ShapeFault, match=r"labels\[\*\]: expected an object with the key name"):
        read(drifted)
    plain = copy.deepcopy(PAGE)
    for item in plain["items"]:
        item["labels"] = [label["name"] for label in item["labels"]]
    assert read(plain) == read(PAGE)


def test_records_that_cannot_be_read_do_not_cost_the_others():
    good = PAGE["items"][1]
    bad = [7, {}, good | {"id": None}, good | {"title": 3}, good | {"labels": "bug"}]
    found = read({"total_count": 6, "items": [*bad, good]})
    assert [getattr(one, "reason", "kept") for one in found] == [
        "unreadable_record", "no_id", "no_id", "unreadable_record", "unreadable_record", "kept",
    ]  # fmt: skip


def test_links_that_are_no_web_pages_are_no_urls():
    assert read({"total_count": 1, "items": [PAGE["items"][1] | {"html_url": "javascript:alert(1)"}]})[0].url is None


values = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
TYPES = {
    "job_posting_id": str, "url": str, "job_title": str, "description": str, "date_published": datetime,
    "date_modified": datetime, "valid_through": datetime, "price": Price, "skills": tuple, "hiring_organization": str,
    "date_published_raw": str, "date_modified_raw": str, "valid_through_raw": str,
}  # fmt: skip


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(sorted(PAGE["items"][0])), st.integers(0, 7), values)
def test_any_value_in_any_field_gives_a_sound_record_or_none(key, row, value):
    item = PAGE["items"][row] | {key: value}
    for one in read({"total_count": 2, "items": [item, PAGE["items"][1]]}):
        assert isinstance(one, Posting | Dropped | Fault)
        for field in dataclasses.fields(one) if isinstance(one, Posting) else ():
            found = getattr(one, field.name)
            assert found is None or isinstance(found, TYPES.get(field.name, object)), field.name
            assert found is None or field.name in {**TYPES, "date_quality": str}, field.name


@settings(max_examples=60, deadline=None)
@given(values)
def test_any_page_is_read_or_a_shape_fault(data):
    for page in (data, {"total_count": 3, "items": data}, {"total_count": data, "items": []}):
        try:
            read(page)
        except ShapeFault:
            continue


@pytest.mark.parametrize("module", [parse, body])
def test_the_examples_in_the_documentation_hold(module):
    assert doctest.testmod(module).failed == 0

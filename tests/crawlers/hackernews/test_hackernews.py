"""Freelancer threads of Hacker News: which comments are postings, what they pay, and what is asked for next."""

import copy
import dataclasses
import doctest
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import scrapy
from hypothesis import given, settings
from hypothesis import strategies as st
from scrapy.http import JsonResponse

from crawlers.fields import ShapeFault
from crawlers.hackernews import parse
from crawlers.hackernews.spider import HackerNewsSpider
from crawlers.job import Job, Window
from crawlers.paging import Cursor
from crawlers.posting import Dropped, Fault, Posting, Price, from_json, to_json
from valuation.config import load

HERE = Path(__file__).parent
COMMENTS = json.loads((HERE / "comments.json").read_text(encoding="utf-8"))
THREADS = json.loads((HERE / "threads.json").read_text(encoding="utf-8"))
SINCE, UNTIL = datetime(2026, 2, 20, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC)
A, B = int(SINCE.timestamp()), int(UNTIL.timestamp()) - 1
URL = "https://hn.algolia.com/api/v1/search_by_date?page=0"
STORY = 4100


def make(window=Window(SINCE, UNTIL), *overrides):  # noqa: B008
    found = load(overrides=overrides)
    return HackerNewsSpider.offline(
        Job("hackernews", "c1", found.sources["hackernews"], found.crawl, window, Path(), Path(), Path())
    )


def response(data):
    return JsonResponse(URL, body=data if isinstance(data, bytes) else json.dumps(data).encode())


def threads(data, spider=None, cursor=None):
    return list((spider or make()).read_threads(response(data), cursor=(cursor or Cursor(A, B, 0)).to_json(), end=B))


def comments(data, spider=None, cursor=None):
    cursor = json.loads(json.dumps((cursor or Cursor(A, B, 0)).to_json()))
    return list((spider or make()).read_comments(response(data), story=STORY, cursor=cursor))


def asked(request):
    return {key: values[0] for key, values in parse_qs(urlsplit(request.url).query).items()}


def comment(html, **more):
    return COMMENTS["hits"][0] | {"comment_text": html} | more


def test_the_crawl_begins_with_the_threads_in_which_comments_of_the_window_may_stand():
    (first,) = make().first_requests()
    assert urlsplit(first.url).path == "/api/v1/search_by_date"
    begin = int((SINCE - timedelta(days=45)).timestamp())
    assert asked(first) == {
        "tags": "story,author_whoishiring", "query": "freelancer", "hitsPerPage": "1000", "page": "0",
        "numericFilters": f"created_at_i>{begin - 1},created_at_i<{B + 1}",
    }  # fmt: skip


def test_a_rerun_looks_back_from_what_may_have_changed():
    changed = datetime(2026, 3, 25, tzinfo=UTC)
    spider = make(Window(SINCE, UNTIL, changed))
    (first,) = spider.first_requests()
    assert asked(first)["numericFilters"].startswith(f"created_at_i>{int(changed.timestamp()) - 45 * 86400 - 1},")
    (march, _) = threads(THREADS, spider)
    assert asked(march)["numericFilters"] == f"created_at_i>{int(changed.timestamp()) - 1},created_at_i<{B + 1}"


def test_a_crawl_without_a_window_asks_for_all_threads():
    (first,) = make(Window()).first_requests()
    assert asked(first)["numericFilters"].startswith("created_at_i>1159660799,created_at_i<")
    assert list(make(Window(None, datetime(2005, 1, 1, tzinfo=UTC))).first_requests()) == []


def test_only_freelancer_threads_are_read_each_from_its_first_day():
    found = threads(THREADS, make(Window(None, UNTIL)))
    assert [asked(one)["tags"] for one in found] == ["comment,story_4100", "comment,story_3100"]
    assert asked(found[0]) == {
        "tags": "comment,story_4100", "hitsPerPage": "1000", "page": "0",
        "numericFilters": f"created_at_i>{1772467200 - 86400 - 1},created_at_i<{B + 1}",
    }  # fmt: skip
    assert found[0].cb_kwargs["story"] == STORY


def test_threads_on_further_pages_are_asked_for():
    onward = [one for one in threads(THREADS | {"nbHits": 9}) if "story," in one.url or "story%2C" in one.url]
    assert [asked(one)["page"] for one in onward] == ["1"]
    assert onward[0].cb_kwargs["end"] == B
    (half,) = threads(THREADS | {"nbHits": 1001})
    assert (asked(half)["tags"], half.cb_kwargs["cursor"]["parent"]) == ("story,author_whoishiring", 1001)


def test_the_saved_comments_give_these_records_in_this_order():
    found = comments(COMMENTS)
    assert [getattr(one, "reason", None) or one.job_title for one in found] == [
        "Acme & Co | Remote (EU) | $60-80/hr",
        "landing page",
        "A compiler needs a back end. Mail us: jobs@example.org",
        "not_a_posting",
        "not_a_posting",
        "gone",
        "not_a_posting",
    ]
    assert [one.value for one in found[3:]] == [
        "a comment that does not seek a freelancer", "a reply", "a comment without text",
        "a comment that does not seek a freelancer",
    ]  # fmt: skip


def test_every_field_of_a_comment():
    first = comments(COMMENTS)[0]
    assert first == Posting(
        job_posting_id="4101",
        url="https://news.ycombinator.com/item?id=4101",
        job_title="Acme & Co | Remote (EU) | $60-80/hr",
        description="SEEKING FREELANCER | Acme & Co | Remote (EU) | $60-80/hr\n\nWe need help with Django.\n\n"
        "We raised $5M last year.",
        date_published=datetime(2026, 3, 3, 9, 43, 20, tzinfo=UTC),
        date_published_raw="2026-03-03T09:43:20Z",
        price=Price("$60-80/hr", "hourly", "posted", 60.0, 80.0, "USD", "$"),
        job_location="Remote (EU)",
        hiring_organization="hirer",
    )
    assert from_json(to_json(first)) == first


PRICES = [
    # text after the first line, low, high, type or fault
    ("Budget: $3,000", 3000, 3000, "fixed"),
    ("We pay $500 for this.", 500, 500, None),
    ("$80/hr", 80, 80, "hourly"),
    ("Rate: €50-70 per hour", 50, 70, "hourly"),
    ("| ~$5k |", 5000, 5000, None),
    ("Fixed price: $900. Start: now.", 900, 900, "fixed"),
    ("$60 an hour | we raised $5M", 60, 60, "hourly"),
    ("Hourly work | budget $500 | we raised $5M", 500, 500, None),  # whose is the hour?
    ("Hourly work | budget $50", 50, 50, "hourly"),
    ("Budget $3k. We raised $2M in seed money.", 3000, 3000, "fixed"),
    ("Budget: $3k. Again: the budget is $3,000.", 3000, 3000, "fixed"),
    ("Budget: $3k.\nRate: $60 an hour.", None, None, "several"),
    ("Pay: $8k per month", None, None, "other_unit"),
    ("Budget: up to $500", None, None, "open"),
    ("We raised $5M. Our revenue is $2M ARR.", None, None, "none"),
    ("Our plan costs customers $20.", None, None, "none"),
    ("Rebuild the page that shows $20.", None, None, "none"),
    ("Budget: to be agreed, 10-20 hours a week, call 555-0100.", None, None, "none"),
    ("Started in 2019.\n5\n3 people", None, None, "none"),
]


@pytest.mark.parametrize(("content", "low", "high", "word"), PRICES)
def test_prices(content, low, high, word):
    price = parse.price_in(f"SEEKING FREELANCER | Remote\n\n{content}", kind="posted")
    assert (price.low, price.high, price.fault or price.type) == (low, high, word)


STARTS = [
    ("SEEKING FREELANCER | Remote", True),
    ("  **Seeking   Freelancers** for a week", True),
    ("SEEKING FREELANCER\u200b", True),
    ("Seeking: freelancer", True),
    ("SEEKING A FREELANCE DEVELOPER", True),
    ("SEEKING FREELANCER WORK", False),
    ("SEEKING FREELANCE WORK", False),
    ("SEEKING WORK, FREELANCER", False),
    ("We are SEEKING FREELANCER", False),
    ("Seeking freelancerhunt", False),
]


@pytest.mark.parametrize(("content", "expected"), STARTS)
def test_who_seeks_whom(content, expected):
    assert parse.seeks_freelancer(content) is expected


def test_a_long_first_line_is_cut_at_a_word_and_stays_whole_in_the_text():
    line = "SEEKING FREELANCER " + "word " * 100
    (found,) = comments({"nbHits": 1, "hits": [comment(line)]})
    assert len(found.job_title) <= 200
    assert found.job_title.endswith("word")
    assert found.description == line.strip()
    assert parse.first_line("x" * 300) == "x" * 200


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"comment_text": ""}, "gone"),
        ({"comment_text": "[deleted]"}, "gone"),
        ({"deleted": True}, "gone"),
        ({"comment_text": 7}, "unreadable_record"),
        ({"parent_id": None}, "unreadable_record"),
        ({"parent_id": 4101}, "not_a_posting"),
        ({"objectID": None}, "no_id"),
    ],
)
def test_what_is_dropped_and_why(change, reason):
    (found,) = comments({"nbHits": 1, "hits": [COMMENTS["hits"][0] | change]})
    assert found.reason == reason


def test_a_date_in_words_will_do_where_the_stamp_is_missing():
    (found,) = comments({"nbHits": 1, "hits": [COMMENTS["hits"][0] | {"created_at_i": None}]})
    assert found.date_published == datetime(2026, 3, 3, 9, 43, 20, tzinfo=UTC)


def test_a_thread_over_the_cap_is_halved_and_further_pages_are_asked_for():
    (left,) = comments(COMMENTS | {"nbHits": 1001})
    assert asked(left)["numericFilters"] == f"created_at_i>{A - 1},created_at_i<{(A + B) // 2 + 1}"
    assert left.cb_kwargs["story"] == STORY
    found = comments(COMMENTS | {"nbHits": 12})
    assert asked(found[-1])["page"] == "1"
    assert found[-1].cb_kwargs["cursor"]["seen"] == 7
    (fault,) = comments(COMMENTS | {"nbHits": 12}, cursor=Cursor.from_json(found[-1].cb_kwargs["cursor"]))
    assert fault == Fault("cap", "thread 4100: page 1 repeats the page before it: no page after it was read")
    over = comments(COMMENTS | {"nbHits": 1200}, cursor=Cursor(A, A, 0))
    assert over[0].message.startswith("thread 4100: 1200 records within one second")
    assert len(over) == 9


def crawl(answer, limit=20):
    """Crawl a thread; `answer` gives ids and the rest of a page. Ids that came, faults, number of requests."""
    spider, came, faults, requests = make(), [], [], 0
    queue = [Cursor(A, B, 0)]
    while queue:
        cursor = queue.pop()
        requests += 1
        assert requests <= limit, "the crawl does not end"
        ids, more = answer(cursor.page)
        hits = [comment("SEEKING FREELANCER | x", objectID=str(one)) for one in ids]
        for one in comments({"hits": hits} | more, spider=spider, cursor=cursor):
            if isinstance(one, scrapy.Request):
                queue.append(Cursor.from_json(one.cb_kwargs["cursor"]))
            elif isinstance(one, Fault):
                faults.append(one.message)
            else:
                came.append(int(one.job_posting_id))
    return came, faults, requests


def test_fewer_hits_at_once_than_asked_for_are_read_to_the_end_and_an_early_end_is_told():
    more = {"nbHits": 900, "hitsPerPage": 100, "nbPages": 9}
    found = crawl(lambda number: (range(1, 901)[number * 100 : number * 100 + 100], more))
    assert found == (list(range(1, 901)), [], 9 + 1)
    came, faults, requests = crawl(lambda number: (range(1, 301)[number * 100 : number * 100 + 100], more))
    assert (len(came), requests) == (300, 4)
    assert faults == ["thread 4100: 900 records are announced, 300 came: the pages end early"]


@pytest.mark.parametrize("more", [{"nbPages": 3}, {"hitsPerPage": 100}, {"nbPages": "x", "hitsPerPage": 100}])
def test_an_approximate_number_of_hits_does_not_end_the_reading(more):
    found = crawl(lambda number: (range(1, 251)[number * 100 : number * 100 + 100], {"nbHits": 100} | more))
    assert found == (list(range(1, 251)), [], 3)


def test_threads_beyond_the_announced_number_are_asked_for_too():
    hits = {"hits": THREADS["hits"], "nbHits": len(THREADS["hits"]), "nbPages": 2}
    last = [asked(threads(hits | {"nbPages": pages})[-1]) for pages in (2, 1)]
    assert [(one["tags"].partition(",")[0], one["page"]) for one in last] == [("story", "1"), ("comment", "0")]


def test_a_number_of_pages_without_end_stops_at_the_cap_or_an_empty_page():
    more = {"nbHits": 10, "hitsPerPage": 100, "nbPages": 500_000}
    came, faults, requests = crawl(lambda number: (range(number * 100 + 1, number * 100 + 101), more))
    assert (len(came), faults, requests) == (1000, [], 10)
    assert crawl(lambda number: (range(1, 11) if number == 0 else [], more)) == (list(range(1, 11)), [], 2)


@pytest.mark.parametrize("content", [b"<p>", b"[]", b'{"hits": 3}', b'{"hits": []}', b'{"hits": [], "nbHits": -1}'])
def test_a_page_of_another_shape_is_loud(content):
    for read in (threads, comments):
        with pytest.raises(ShapeFault):
            read(content)


@pytest.mark.parametrize("key", ["objectID", "comment_text", "parent_id", "created_at_i"])
def test_a_renamed_key_is_loud(key):
    drifted = copy.deepcopy(COMMENTS)
    for hit in drifted["hits"]:
        hit[f"new_{key}"] = hit.pop(key)
        hit.pop("created_at" if key == "created_at_i" else "", None)
    with pytest.raises(ShapeFault, match=key):
        comments(drifted)


def test_a_renamed_title_of_threads_is_loud():
    with pytest.raises(ShapeFault, match="title"):
        threads({"nbHits": 1, "hits": [{"objectID": "1", "name": "Ask HN: Freelancer? Seeking freelancer?"}]})


values = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
TYPES = {
    "job_posting_id": str, "url": str, "job_title": str, "description": str, "date_published": datetime,
    "price": Price, "skills": tuple, "hiring_organization": str, "date_published_raw": str, "job_location": str,
    "date_quality": str,
}  # fmt: skip


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(sorted(COMMENTS["hits"][0])), st.integers(0, 6), values)
def test_any_value_in_any_field_gives_a_sound_record_or_none(key, row, value):
    hit = COMMENTS["hits"][row] | {key: value}
    for one in comments({"nbHits": 2, "hits": [hit, COMMENTS["hits"][0]]}):
        assert isinstance(one, Posting | Dropped | Fault)
        for field in dataclasses.fields(one) if isinstance(one, Posting) else ():
            found = getattr(one, field.name)
            assert found is None or isinstance(found, TYPES[field.name]), field.name


@settings(max_examples=60, deadline=None)
@given(values)
def test_any_page_is_read_or_a_shape_fault(data):
    for page in (data, {"nbHits": 3, "hits": data}, {"nbHits": data, "hits": []}):
        for read in (threads, comments):
            try:
                found = read(page)
            except ShapeFault:
                continue
            assert all(isinstance(one, Posting | Dropped | Fault | scrapy.Request) for one in found)


def test_the_examples_in_the_documentation_hold():
    assert doctest.testmod(parse).failed == 0

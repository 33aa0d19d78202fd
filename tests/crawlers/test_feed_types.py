"""Whatever JSON stands in a field: a posting with fields of the right types, a dropped record, or a `ShapeFault`."""

import dataclasses
import json
from datetime import datetime
from pathlib import Path

import pytest
import scrapy
from hypothesis import given, settings
from hypothesis import strategies as st
from scrapy.http import HtmlResponse, TextResponse

from crawlers.fields import ShapeFault
from crawlers.freelancehunt.spider import FreelancehuntSpider
from crawlers.himalayas.spider import HimalayasSpider
from crawlers.job import Job, Window
from crawlers.jobposting.spider import JobPostingSpider
from crawlers.posting import Dropped, Fault, Posting, from_json, to_json
from crawlers.remoteok.spider import RemoteokSpider
from crawlers.remotive.spider import RemotiveSpider
from crawlers.upwork.spider import UpworkSpider
from valuation.config import load

HERE = Path(__file__).parent
SETTINGS = load(overrides=["sources.jobposting.base_url=https://jobs.example.org"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
    | st.sampled_from([10**400, -1, 0, "0", "1e999", "<p>x", "javascript:x", "\ud800", "\x00", "9" * 30, "$5"]),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.sampled_from(["value", "name", "web", "amount", "rawValue", "@id"]), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip

NONE = type(None)
TYPES = {
    "job_posting_id": str, "date_published": (datetime, NONE), "date_modified": (datetime, NONE),
    "valid_through": (datetime, NONE), "bids": (int, NONE), "skills": tuple, "price": object, "date_quality": str,
}  # fmt: skip
PRICE = {"low": (float, NONE), "high": (float, NONE), "kind": str}


def spider(kind):
    folder = Path("unused")
    job = Job(kind.name, "c1", SETTINGS.sources[kind.name], SETTINGS.crawl, Window(), *[folder] * 3)
    return kind.offline(job)


def read(kind, callback, page, **state):
    body = json.dumps(page).encode() if not isinstance(page, bytes) else page
    response = (HtmlResponse if kind is JobPostingSpider else TextResponse)("https://jobs.example.org/x", body=body)
    return list(getattr(spider(kind), callback)(response, **state))


def saved(name):
    return json.loads((HERE / name).read_text(encoding="utf-8"))


def posting_page(data):
    return b'<script type="application/ld+json">' + json.dumps(data).replace("</", "<\\/").encode() + b"</script>"


JOB = {
    "@type": "JobPosting", "title": "A", "description": "B", "identifier": {"value": "1"}, "datePosted": "2026-11-01",
    "validThrough": "2026-12-01", "employmentType": ["X"], "hiringOrganization": {"name": "C"}, "skills": ["D"],
    "jobLocation": {"address": {"addressLocality": "E", "addressCountry": {"name": "F"}}}, "industry": "G",
    "baseSalary": {"currency": "EUR", "value": {"minValue": 1, "maxValue": 2, "unitText": "HOUR"}}, "url": "/x",
}  # fmt: skip
CASES = {
    "freelancehunt": (FreelancehuntSpider, "parse_page", saved("freelancehunt/projects_1.json"), {}),
    "himalayas": (HimalayasSpider, "parse_page", saved("himalayas/jobs_0.json"), {}),
    "remotive": (RemotiveSpider, "parse_feed", saved("remotive/jobs.json"), {}),
    "remoteok": (RemoteokSpider, "parse_feed", saved("remoteok/jobs.json"), {}),
    "upwork": (UpworkSpider, "parse_page", saved("upwork/search_1.json"), {"filters": {}}),
    "jobposting": (JobPostingSpider, "parse_page", JOB, {}),
}


def places(value, path=()):
    """Path of every value in a page, the page itself first."""
    yield path
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in inner:
        yield from places(one, (*path, key))


def put(value, path, new):
    """Copy of a page with another value at one place."""
    if not path:
        return new
    key, *rest = path
    items = dict(value) if isinstance(value, dict) else list(value)
    items[key] = put(items[key], rest, new)
    return items


def check(one):
    assert isinstance(one, (Posting, Dropped, Fault, scrapy.Request))
    if isinstance(one, scrapy.Request):
        assert one.url.startswith("https://")
        json.dumps(one.cb_kwargs)
    if isinstance(one, Posting):
        for field in dataclasses.fields(one):
            assert isinstance(getattr(one, field.name), TYPES.get(field.name, (str, NONE))), field.name
        for field in dataclasses.fields(one.price):
            assert isinstance(getattr(one.price, field.name), PRICE.get(field.name, (str, NONE))), field.name
        assert all(isinstance(skill, str) and skill for skill in one.skills)
        assert (one.price.fault is None) == (one.price.low is not None)
        assert one.url is None or one.url.startswith(("http://", "https://"))
        assert from_json(to_json(one)) == one
        to_json(one).encode()  # no half characters


@pytest.mark.parametrize("name", CASES)
@settings(max_examples=150, deadline=None)
@given(data=st.data(), new=JSON)
def test_any_json_in_any_place(name, data, new):
    kind, callback, page, state = CASES[name]
    changed = put(page, data.draw(st.sampled_from(list(places(page)))), new)
    try:
        found = read(kind, callback, posting_page(changed) if kind is JobPostingSpider else changed, **state)
    except ShapeFault as fault:
        assert len(str(fault)) < 700
        return
    for one in found:
        check(one)


@pytest.mark.parametrize("name", CASES)
def test_reading_twice_gives_the_same(name):
    kind, callback, page, state = CASES[name]
    body = posting_page(page) if kind is JobPostingSpider else page

    def plain(one):
        return (one.url, one.body, one.cb_kwargs) if isinstance(one, scrapy.Request) else one

    first, again = ([plain(one) for one in read(kind, callback, body, **state)] for _ in range(2))
    assert first == again
    assert any(isinstance(one, Posting) for one in first)


@pytest.mark.parametrize("name", CASES)
@settings(max_examples=40, deadline=None)
@given(body=st.binary(max_size=200) | JSON.map(lambda value: json.dumps(value).encode()))
def test_any_answer_is_read_or_refused(name, body):
    kind, callback, _, state = CASES[name]
    try:
        found = read(kind, callback, body, **state)
    except ShapeFault:
        return
    for one in found:
        check(one)

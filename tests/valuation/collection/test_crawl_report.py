"""The crawl report: every count in the JSON, a page that shows them, and nothing of a source's that runs in it."""

import json
from html.parser import HTMLParser

import pytest
from crawling import DAY, HOUR, T0, begin, end, keep, make_job, posting, price

from crawlers.posting import Dropped
from crawlers.store import open_store
from valuation.collection.crawl import SourceResult
from valuation.collection.export import export
from valuation.collection.judged import judge_crawl
from valuation.collection.report import DAYS_SHOWN, days, page, source_data, write_crawl_report
from valuation.collection.sources import source_states
from valuation.config import load
from valuation.storage import make_workspace

SETTINGS = load()
EVIL = "<script>alert(1)</script><img src=x onerror=alert(1)>\"'"


@pytest.fixture
def layout(tmp_path):
    return make_workspace(tmp_path / "work")


def crawled(layout, *records, name="github", fault=None):
    """A crawl of one answer, as the worker leaves it."""
    store = open_store(layout.crawl_store(name), create=True)
    writer = begin(store, "c1", source=name)
    number = keep(store, "c1", body=b'{"items": []}', url="https://example.org/list?" + EVIL)
    for position, one in enumerate(records, start=1):
        writer.add(one, response_id=number, position=position, seen_at=T0 + HOUR)
    for key, n in {
        ("requests", ""): 3,
        ("http", "200"): 2,
        ("http", "500"): 1,
        ("bytes", ""): 99,
        ("refused", "429"): 1,
    }.items():
        store.count("c1", *key, n)
    if fault:
        store.fault("c1", "shape", fault, url="https://example.org/" + fault, response_id=number)
    end(store, "c1", at=T0 + 2 * HOUR)
    judged = judge_crawl(store, name, "c1", make_job(name=name).source)
    store.close()
    return SourceResult(judged, export(layout, SETTINGS, name))


RECORDS = [
    posting("1"), posting("2", published=T0 - 3 * DAY), posting("3", paid=price(fault="zero")),
    posting("1", title="other"),
    Dropped("4", None, "not_a_posting"), Dropped("5", None, "gone"), posting("2", published=T0 - 3 * DAY),
]  # fmt: skip


def test_every_count_is_in_the_data(layout):
    found = source_data(crawled(layout, *RECORDS))
    assert found["records_in"] == 7 == sum(found["records"].values())
    assert found["records"] == {
        "new": 3, "changed": 0, "unchanged": 0, "repeated": 1, "dropped": 2, "duplicate_id": 1, "outside_window": 0
    }  # fmt: skip
    assert found["dropped"] == {"gone": 1, "not_a_posting": 1}
    assert found["prices"] == {"read": 3, "zero": 1}
    assert found["fields"]["date_published"] == 1.0
    assert (found["requests"], found["answers_by_status"], found["bytes"], found["refused"]) == (
        3, {"200": 2, "500": 1}, 99, {"429": 1}
    )  # fmt: skip
    assert (found["postings"], found["versions"]) == (2, 2)
    assert found["quarantined"] == {"gone": 1, "no_id": 1, "not_a_posting": 1, "zero_price": 1}
    assert (found["source"], found["kind"], found["outcome"], found["good"]) == ("github", "full", "finished", False)
    assert found["days"] == [
        {"day": "2026-03-07", "new": 1, "changed": 0, "unchanged": 0, "dropped": 0},
        {"day": "2026-03-09", "new": 2, "changed": 0, "unchanged": 0, "dropped": 0},
        {"day": "2026-03-10", "new": 0, "changed": 0, "unchanged": 0, "dropped": 2},
    ]  # fmt: skip
    missed = [one["name"] for one in found["expectations"] if not one["met"]]
    assert missed == ["unreadable records"]


def test_days_are_in_order_and_take_in_all_kinds():
    counts = {
        ("day:new", "2026-03-09"): 1,
        ("day:changed", "2026-03-07"): 2,
        ("day:unchanged", "2026-03-07"): 3,
        ("record", "new"): 9,
    }
    assert [(one.day, one.new, one.changed, one.unchanged, one.dropped) for one in days(counts)] == [
        ("2026-03-07", 0, 2, 3, 0), ("2026-03-09", 1, 0, 0, 0)
    ]  # fmt: skip


class Tags(HTMLParser):
    def __init__(self):
        super().__init__()
        self.names, self.links, self.handlers = [], [], []

    def handle_starttag(self, tag, attrs):
        self.names.append(tag)
        self.links += [value for name, value in attrs if name in ("href", "src")]
        self.handlers += [name for name, _ in attrs if name.startswith("on")]


def test_nothing_that_a_source_sent_runs_in_the_page(layout):
    found = source_data(crawled(layout, *RECORDS, fault=EVIL))
    html = page([found | {"reason": EVIL, "dropped": {EVIL: 1}, "quarantined": {EVIL: 1}, "failed": {EVIL: 2}}])
    tags = Tags()
    tags.feed(html)
    assert "script" not in tags.names and "img" not in tags.names
    assert tags.handlers == []
    assert all(link.startswith("#") for link in tags.links), tags.links
    assert "&lt;script&gt;" in html


def test_both_files_are_written_and_the_newest_is_named(layout):
    result = crawled(layout, *RECORDS)
    first = write_crawl_report(layout, [result])
    second = write_crawl_report(layout, [result])
    assert first != second and first.is_file()
    assert (layout.crawl / "reports" / "latest").read_text() == f"{second.parent.name}\n"
    found = json.loads((second.parent / "report.json").read_text(encoding="utf-8"))
    assert found == {"sources": [json.loads(json.dumps(source_data(result)))]}
    html = second.read_text(encoding="utf-8")
    for shown in ("github", "below expectation", "2026-03-07", "unreadable records", "zero_price"):
        assert shown in html
    assert "Lovelace" not in html


def test_a_good_crawl_is_called_good_and_names_no_answer(layout):
    found = source_data(crawled(layout, *[posting(str(n)) for n in range(12)]))
    assert (found["good"], found["first_differing"], found["faults"]) == (True, None, [])
    assert "below expectation" not in page([found])


def test_an_empty_report_and_very_many_days_can_be_shown(layout):
    write_crawl_report(layout, [])
    found = source_data(crawled(layout, *[posting(str(n), published=T0 - n * DAY) for n in range(DAYS_SHOWN + 30)]))
    assert len(found["days"]) == DAYS_SHOWN + 30
    html = page([found])
    assert found["days"][-1]["day"] in html
    assert found["days"][0]["day"] not in html


def test_every_source_is_listed_with_what_is_here(layout):
    crawled(layout, posting("1"), posting("2"), posting("2", title="x"))
    states = {one.name: one for one in source_states(layout, SETTINGS)}
    assert list(states) == sorted(SETTINGS.sources)
    here = states["github"]
    assert (here.postings, here.enabled, here.note, here.retention, here.mark) == (2, True, "", "unlimited", None)
    assert here.last_crawl.startswith("2026-03-10T12:00")
    assert (states["upwork"].retention, states["upwork"].last_crawl, states["upwork"].postings) == ("24 h", None, 0)
    assert states["freelancer"].note == SETTINGS.sources["freelancer"].why_off
    assert states["jobposting"].note == "name a site: sources.jobposting.base_url"
    assert "never neighbours" in states["remotive"].note
    assert states["github"].terms_read_on == "2026-11-10"

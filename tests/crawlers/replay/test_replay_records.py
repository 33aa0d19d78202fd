"""Faults of pages and records: shapes, drift, endless listings, hostile texts, prices that nobody can read."""

import json
import re

import pytest

from crawlers.replay import NASTY_PRICES, SOURCES

FEEDS = [source for source in SOURCES if source != "jobposting"]
MAP = "/sitemaps/jobs-1.xml"


def check_shape_object(ask, put):
    put("shape_object")
    assert [ask.source(source).json for source in FEEDS] == [{}] * 8


def check_shape_list(ask, put):
    put("shape_list")
    assert [ask.source(source).json for source in FEEDS] == [[]] * 8


def check_shape_null(ask, put):
    page = ask.job_page()
    put("shape_null")
    assert [ask.source(source).json for source in FEEDS] == [None] * 8
    assert b'<script type="application/ld+json">null</script>' in ask(page).body


def check_shape_string(ask, put):
    put("shape_string")
    assert [ask.source(source).json for source in FEEDS] == ["maintenance"] * 8


def lists(ask):
    return {source: ask.listed(source) for source in FEEDS}


def check_records_object(ask, put):
    put("records_object")
    assert all(isinstance(rows, dict) and rows["0"] for rows in lists(ask).values())


def check_records_null(ask, put):
    put("records_null")
    assert set(lists(ask).values()) == {None}


def check_records_string(ask, put):
    put("records_string")
    assert set(lists(ask).values()) == {"none today"}


def check_null_records(ask, put):
    before = lists(ask)
    put("null_records")
    for source, rows in lists(ask).items():
        start = 1 if source == "remoteok" else 0
        assert (
            rows[start:][::2] == [None] * len(rows[start:][::2]) and rows[start:][1::2] == before[source][start:][1::2]
        )


def check_duplicate_records(ask, put):
    before = lists(ask)
    put("duplicate_records")
    for source, rows in lists(ask).items():
        start = 1 if source == "remoteok" else 0
        assert rows[start::2] == before[source][start:] and len(rows) == 2 * len(before[source]) - start


def check_endless_same(ask, put):
    put("endless_same")
    for source, far in FAR.items():
        assert ask.records(source) == ask.records(source, far) != []
    assert "page=78" in ask(FAR["github"]).headers["Link"]
    assert ask(FAR["freelancehunt"]).json["links"]["next"] and ask(FAR["himalayas"]).json["totalCount"] == 10_000_000
    assert ask.source("upwork").json["data"]["marketplaceJobPostingsSearch"]["pageInfo"]["hasNextPage"]
    assert b"/sitemaps/jobs-1.xml" in ask("/sitemaps/jobs-1.xml").body


def check_endless_fresh(ask, put):
    put("endless_fresh")
    for source, far in FAR.items():
        ids = [str(sorted(record.items())) for path in (None, far) for record in ask.records(source, path)]
        assert len(set(ids)) == len(ids) >= 20
    assert 'page=78>; rel="next"' in ask(FAR["github"]).headers["Link"]
    assert b"/sitemaps/jobs-78.xml" in ask("/sitemaps/jobs-77.xml").body
    assert ask(FAR["hackernews"]).json["nbPages"] == 500_000


FAR = {
    "github": "/search/issues?q=is:issue&page=77",
    "hackernews": "/api/v1/search_by_date?tags=comment&page=77&numericFilters=created_at_i<1000",
    "freelancer": "/api/projects/0.1/projects/active/?full_description=true&offset=70000",
    "freelancehunt": "/v2/projects?page[number]=77",
    "himalayas": "/jobs/api?offset=70000",
}


def check_many_items(ask, put):
    put("many_items")
    for source in ("github", "remoteok"):
        reply = ask.source(source)
        ids = re.findall(rb'"id":"?(777\d+)', reply.body)
        assert len(ids) == len(set(ids)) == 100_000
    assert len(reply.json) == 100_001 and "legal" in reply.json[0] and len(reply.body) < 2e8
    assert ask(MAP).body.count(b"<loc>") == 100_000


def check_hostile_text(ask, put):
    before = {source: ask.records(source)[0] for source in FEEDS}
    put("hostile_text")
    for source in FEEDS:
        record, old = ask.records(source)[0], before[source]
        text = (
            record.get("description")
            or record.get("comment_text")
            or record.get("body")
            or record["attributes"]["name"]
        )
        assert all(piece in text for piece in ("<script>", "\u202e", "\u200b", "\x00", "DROP TABLE"))
        key = {"hackernews": "objectID", "himalayas": "guid"}.get(source, "id")
        assert record[key] == old[key] and set(record) == set(old)
    page = ask(ask.job_page()).body.decode()
    assert "<\\/script>" in page and json.loads(re.search(r'ld\+json">(.*?)</script>', page, re.S)[1])


def check_wrong_types(ask, put):
    before = {source: ask.records(source)[0] for source in FEEDS}
    put("wrong_types")
    for source in FEEDS:
        record = ask.records(source)[0]
        assert set(record) == set(before[source])
        assert not any(type(record[key]) is type(value) for key, value in before[source].items())


def check_bad_links(ask, put):
    put("bad_links")
    links = {record["url"] for record in ask.records("remotive")}
    assert {"javascript:alert(1)", "../../etc/passwd", "//elsewhere.example/x"} <= links
    assert not any(link.startswith("http://127") or link.startswith("https://") for link in links)


def check_future_dates(ask, put):
    put("future_dates")
    assert {record["created_at"][:4] for record in ask.records("github")} == {"2124"}
    assert all(record["pubDate"] > 4.8e9 for record in ask.records("himalayas"))
    assert all(record["attributes"]["published_at"][:4] == "2124" for record in ask.records("freelancehunt"))


def check_reversed_price(ask, put):
    put("reversed_price")
    rows = {row.id: row for row in ask.server.truth("freelancer")}
    for project in ask.records("freelancer"):
        low, high = project["budget"]["minimum"], project["budget"]["maximum"]
        assert (rows[str(project["id"])].why == "reversed") == (high is not None and low > high)
    titles = [item["title"] for item in ask.records("github")]
    assert any("[$500 - $100]" in title for title in titles)
    assert sum(row.why == "reversed" for row in ask.server.truth("github")) > 50


def check_nasty_prices(ask, put):
    put("nasty_prices")
    texts = {quote.text for quote in NASTY_PRICES}
    assert {job["salary"] for job in ask.records("remotive")} == texts
    rows = {row.id: row for row in ask.server.truth("remotive")}
    readings = {quote.text: (quote.low, quote.high, quote.currency, quote.why) for quote in NASTY_PRICES}
    for job in ask.records("remotive"):
        row = rows[str(job["id"])]
        assert (row.low, row.high, row.currency, row.why) == readings[job["salary"]]
    found = {
        re.search(r"<p>Budget: (.*?)<p>|<p>Budget: (.*)$", hit["comment_text"]) for hit in ask.records("hackernews")
    }
    assert found - {None} and all((match[1] or match[2]) in texts for match in found if match)


def check_empty(ask, put):
    put("empty")
    assert [ask.records(source) for source in FEEDS] == [[]] * 8
    totals = (
        ask("/jobs/api").json["totalCount"],
        ask("/search/issues?q=is:issue").json["total_count"],
        ask("/search/issues?q=is:issue").headers["Link"],
    )
    assert totals == (0, 0, None) and "next" not in ask("/v2/projects").json["links"]
    assert b"<loc>" not in ask(MAP).body and b"<urlset" in ask(MAP).body


def check_drift_list_key(ask, put):
    before = {source: ask.records(source) for source in FEEDS}
    put("drift_list_key")
    for source in FEEDS:
        inner = ask.source(source).json
        *path, last = ask.lists[source] or [""]
        for key in path:
            inner = inner[key]
        assert len(inner["entries"]) >= len(before[source]) and last not in inner


def keys(record):
    found = set()
    for key, value in record.items():
        found |= {key} | ({f"{key}.{inner}" for inner in value} if isinstance(value, dict) else set())
    return found


def renamed(ask, put, name, gone):
    before = {source: keys(ask.records(source)[0]) for source in gone}
    put(name)
    for source, key in gone.items():
        after = keys(ask.records(source)[0])
        assert key in before[source] and key not in after and after - before[source]


def check_drift_title(ask, put):
    gone = {"github": "title", "hackernews": "comment_text", "freelancer": "title", "upwork": "title",
            "freelancehunt": "attributes.name", "remoteok": "position", "himalayas": "title"}  # fmt: skip
    renamed(ask, put, "drift_title", gone)


def check_drift_price(ask, put):
    renamed(ask, put, "drift_price", {"freelancer": "budget.minimum", "upwork": "amount", "himalayas": "minSalary",
                                      "remotive": "salary", "remoteok": "salary_max"})  # fmt: skip
    assert not any("[$" in item["title"] for item in ask.records("github"))


def check_drift_date(ask, put):
    gone = {"github": "created_at", "hackernews": "created_at_i", "freelancer": "time_submitted",
            "freelancehunt": "attributes.published_at", "upwork": "createdDateTime", "himalayas": "pubDate",
            "remotive": "publication_date", "remoteok": "epoch"}  # fmt: skip
    renamed(ask, put, "drift_date", gone)


def check_drift_ids(ask, put):
    renamed(ask, put, "drift_ids", {"github": "id", "hackernews": "objectID", "freelancer": "id", "himalayas": "guid"})


def check_drift_microdata(ask, put):
    page = ask.job_page()
    put("drift_microdata")
    body = ask(page).body
    assert (
        b"ld+json" not in body and b'itemtype="https://schema.org/JobPosting"' in body and b'itemprop="title"' in body
    )
    assert set(ask("/jobs/api").json) == {"version", "payload"}


CHECKS = {name.removeprefix("check_"): check for name, check in list(globals().items()) if name.startswith("check_")}
SLOW = {"gzip_bomb", "many_items"}


@pytest.mark.parametrize("name", [pytest.param(name, marks=[pytest.mark.slow] * (name in SLOW)) for name in CHECKS])
def test_fault(ask, put, name):
    CHECKS[name](ask, put)
    assert not [entry for entry in ask.server.log if entry["status"] == 599]

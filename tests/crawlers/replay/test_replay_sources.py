"""Boards, feeds and a site on the wire: paging, slices and caps; every row against the truth."""

import gzip
import json
import re
from dataclasses import replace
from datetime import datetime

import pytest

from crawlers.replay import ReplaySettings, truth

QUERY = """query Jobs($filter: MarketplaceJobPostingsSearchFilter) {
  marketplaceJobPostingsSearch(marketPlaceJobFilter: $filter, sortAttributes: [{field: RECENCY}]) {
    totalCount
    edges { node { id title createdDateTime amount { rawValue }
                   hourlyBudgetMin { rawValue } hourlyBudgetMax { rawValue } } }
    pageInfo { hasNextPage endCursor }
  }
}"""
FREELANCER = "/api/projects/0.1/projects"


def rows_of(server, source, kind="posting"):
    return {row.id: row for row in server.truth(source) if row.kind == kind}


def seconds(text):
    return int(datetime.fromisoformat(text).timestamp())


def freelancer_pages(ask, listing="active", more=""):
    found, total = [], 1
    while len(found) < min(total, 1000):
        result = ask(f"{FREELANCER}/{listing}/?limit=50&offset={len(found)}{more}").json["result"]
        total = result["total_count"]
        found += result["projects"]
    return found


def test_freelancer_projects_agree_with_the_truth(server, ask):
    projects, rows = (
        freelancer_pages(ask, more="&full_description=true&job_details=true"),
        rows_of(server, "freelancer"),
    )
    assert [str(project["id"]) for project in projects] == list(rows)[::-1]
    for project in projects:
        row = rows[str(project["id"])]
        assert (project["title"], project["time_submitted"], project["currency"]["code"]) == (
            row.title,
            row.created,
            row.currency,
        )
        assert project["type"] == {"hour": "hourly", "fixed": "fixed"}[row.unit]
        if row.why == "open":
            assert project["budget"]["maximum"] is None and row.low is None
        else:
            assert (project["budget"]["minimum"], project["budget"]["maximum"]) == (row.low, row.high)
        assert project["jobs"][0]["name"] and project["description"].startswith(project["preview_description"])
    assert {row.why for row in rows.values()} == {"", "open"}


def test_freelancer_gives_details_only_when_asked_and_limits_pages(ask):
    project = ask(f"{FREELANCER}/active").json["result"]["projects"][0]
    assert (project["description"], project["jobs"]) == (None, None) and len(project["preview_description"]) == 100
    assert len(ask(f"{FREELANCER}/active/?limit=500").json["result"]["projects"]) == 100
    assert ask(f"{FREELANCER}/active/?offset=5000").json["result"]["projects"] == []
    assert ask(f"{FREELANCER}/active/?from_time=soon").status == 400


def test_freelancer_slices_by_time_and_keeps_closed_projects_in_all(server, ask):
    every = freelancer_pages(ask)
    low, high = every[60]["time_submitted"], every[20]["time_submitted"]
    part = freelancer_pages(ask, more=f"&from_time={low}&to_time={high}")
    assert [project["id"] for project in part] == [project["id"] for project in every[20:61]]
    server.set_edition(2)
    active, everything = freelancer_pages(ask), freelancer_pages(ask, "all")
    assert {project["status"] for project in everything} == {"active", "closed"}
    assert [project["id"] for project in everything if project["status"] == "active"] == [
        project["id"] for project in active
    ]


def test_freelancehunt_pages_agree_with_the_truth(server, ask):
    path, found = "/v2/projects?page[size]=25", []
    while path and len(found) < 1000:
        page = ask(path).json
        found += page["data"]
        path = page["links"].get("next")
    rows = rows_of(server, "freelancehunt")
    assert [str(project["id"]) for project in found] == list(rows)[::-1]
    for project in found:
        row, inner = rows[str(project["id"])], project["attributes"]
        shown = (inner["budget"]["amount"], inner["budget"]["currency"]) if inner["budget"] else (None, None)
        assert (inner["name"], seconds(inner["published_at"]), *shown) == (
            row.title,
            row.created,
            row.low,
            row.currency,
        )
        assert project["links"]["self"]["web"] == row.url and re.search("[а-яі]", inner["description"])
        assert inner["published_at"][-6:] in ("+02:00", "+03:00")
    assert len({row.currency for row in rows.values()}) > 3
    assert len(ask("/v2/projects").json["data"]) == 10 and ask("/v2/projects?page[number]=99").json["data"] == []
    assert (ask("/v2/projects").json["meta"]["total"], len(ask("/v2/projects?page[size]=25").json["data"])) == (120, 25)


def upwork_pages(ask, size=50, most=1000):
    found, after = [], None
    while len(found) < most:
        reply = ask.graphql(QUERY, {"filter": {"pagination_eq": {"after": after, "first": size}}})
        page = reply.json["data"]["marketplaceJobPostingsSearch"]
        found += [edge["node"] for edge in page["edges"]]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            return found, page["totalCount"]
    return found, None


def test_upwork_pages_agree_with_the_truth_and_hold_only_what_was_asked(server, ask):
    nodes, total = upwork_pages(ask)
    rows = rows_of(server, "upwork")
    assert total == 120 and [node["id"] for node in nodes] == list(rows)[::-1]
    for node in nodes:
        row = rows[node["id"]]
        low, high = node["hourlyBudgetMin"], node["hourlyBudgetMax"]
        if row.unit == "fixed":
            assert (float(node["amount"]["rawValue"]), low) == (row.low, None)
        elif row.low:
            assert (float(low["rawValue"]), float(high["rawValue"]), node["amount"]["rawValue"]) == (
                row.low,
                row.high,
                "0.0",
            )
        else:
            assert (row.why, low, high) == ("none", None, None)
        assert set(node) == {"id", "title", "createdDateTime", "amount", "hourlyBudgetMin", "hourlyBudgetMax"}
        assert seconds(node["createdDateTime"]) == row.created


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("query { marketplaceJobPostingsSearch { edges { node { id salary } } } }", "Field 'salary' is undefined"),
        ("query { marketplaceJobPostingsSearch { edges { node } } }", "needs a selection"),
        ("query { marketplaceJobPostingsSearch { totalCount { x } } }", "plain value"),
        ("query { jobs { id } }", "Field 'jobs' is undefined"),
        ("query { marketplaceJobPostingsSearch { edges ", "<EOF>"),
        ("", "<EOF>"),
    ],
)
def test_upwork_reports_a_wrong_query_as_an_array_of_errors(ask, query, message):
    reply = ask.graphql(query)
    assert reply.status == 200 and reply.json["data"] is None and message in reply.json["errors"][0]["message"]


def test_upwork_reads_arguments_written_in_the_query_and_stops_at_five_thousand(server, ask):
    inline = QUERY.replace(
        "marketPlaceJobFilter: $filter", 'marketPlaceJobFilter: {pagination_eq: {after: "3", first: 2}}'
    )
    page = ask.graphql(inline).json["data"]["marketplaceJobPostingsSearch"]
    assert (len(page["edges"]), page["pageInfo"]["endCursor"]) == (2, "5")
    server.set(ReplaySettings(postings=6000))
    late = ask.graphql(QUERY, {"filter": {"pagination_eq": {"after": "4960", "first": 100}}}).json
    page = late["data"]["marketplaceJobPostingsSearch"]
    assert (len(page["edges"]), page["pageInfo"]["hasNextPage"], page["totalCount"]) == (40, False, 6000)
    assert (
        "out of range"
        in ask.graphql(QUERY, {"filter": {"pagination_eq": {"after": "5000"}}}).json["errors"][0]["message"]
    )


def test_feeds_agree_with_the_truth(server, ask):
    found, start = [], 0
    while len(found) < 1000 and (page := ask(f"/jobs/api?limit=50&offset={start}").json["jobs"]):
        assert len(page) == 20
        found, start = found + page, start + len(page)
    rows = rows_of(server, "himalayas")
    assert [job["guid"] for job in found] == list(rows)[::-1]
    for job in found:
        row = rows[job["guid"]]
        assert (job["title"], job["minSalary"], job["maxSalary"], job["pubDate"]) == (
            row.title,
            row.low,
            row.high,
            row.created,
        )
    remotive, rows = ask("/api/remote-jobs").json, rows_of(server, "remotive")
    assert remotive["job-count"] == len(remotive["jobs"]) == len(rows) and "0-legal-notice" in remotive
    for job in remotive["jobs"]:
        row = rows[str(job["id"])]
        assert (job["url"], job["title"], bool(re.search(r"\d", job["salary"]))) == (
            row.url,
            row.title,
            row.low is not None,
        )
    assert "legal" in ask("/api").json[0]
    for job in ask("/api").json[1:]:
        row = rows_of(server, "remoteok")[job["id"]]
        assert (job["salary_min"], job["salary_max"], job["epoch"]) == (row.low or 0, row.high or 0, row.created)


def test_himalayas_cursor_walks_the_same_pages_as_the_offset(ask):
    page, cursor = ask("/jobs/api").json, 20
    while page["nextCursor"] and cursor < 1000:
        page = ask(f"/jobs/api?cursor={page['nextCursor']}").json
        assert page["jobs"] == ask(f"/jobs/api?offset={cursor}").json["jobs"]
        cursor += 20
    assert (cursor, page["totalCount"]) == (120, 120)


def locations(reply):
    body = gzip.decompress(reply.body) if reply.body[:2] == b"\x1f\x8b" else reply.body
    return re.findall(r"<loc>(.*?)</loc>", body.decode()), re.findall(r"<lastmod>(.*?)</lastmod>", body.decode())


def job_posting(value):
    if isinstance(value, list):
        return next(filter(None, map(job_posting, value)), None)
    if isinstance(value, dict):
        return value if "JobPosting" in str(value.get("@type")) else job_posting(value.get("@graph"))
    return None


def site_pages(ask):
    index, _ = locations(ask("/sitemap.xml"))
    return [location for part in index for location in locations(ask(part))[0]]


def site_jobs(ask):
    found = {}
    for location in site_pages(ask):
        if "/jobs/" in location:
            texts = re.findall(r'<script type="application/ld\+json">(.*?)</script>', ask(location).body.decode(), re.S)
            found[location] = next((job for text in texts if (job := job_posting(json.loads(text)))), None)
    return found


def amounts(salary):
    """Low, high, currency and unit of the shapes that schema.org and Google document."""
    salary = salary[0] if isinstance(salary, list) else salary
    inner = salary.get("value") if isinstance(salary.get("value"), dict) else salary
    low, high = inner.get("minValue", inner.get("value")), inner.get("maxValue", inner.get("value"))
    return float(low), float(high), salary["currency"], inner.get("unitText", "").lower()


def test_site_has_an_index_one_packed_map_a_forbidden_page_and_others_without_a_job(ask):
    index, _ = locations(ask("/sitemap.xml"))
    assert [location.rsplit("/", 1)[1] for location in index] == ["jobs-1.xml", "jobs-2.xml.gz", "pages.xml"]
    assert ask(index[1]).headers["Content-Type"] == "application/gzip"
    pages = site_pages(ask)
    assert sum("/jobs/" in page for page in pages) == 120 and pages[-1].endswith("/private/job-0")
    robots = ask("/robots.txt").body.decode()
    assert (
        "Disallow: /private/" in robots and f"Sitemap: {ask.url}/sitemap.xml" in robots and "Crawl-delay" not in robots
    )
    assert (
        ask("/about").status == 200 and ask("/jobs/no-such-job-7").status == ask("/sitemaps/jobs-9.xml").status == 404
    )


def test_site_pages_agree_with_the_truth_in_every_shape(server, ask):
    rows = {row.url: row for row in server.truth("jobposting")}
    jobs, shapes = site_jobs(ask), set()
    assert {location.removeprefix(ask.url) for location, job in jobs.items() if job} == set(rows)
    for location, job in jobs.items():
        if not job:
            continue
        row = rows[location.removeprefix(ask.url)]
        assert (job["title"], job["identifier"]["value"]) == (row.title, row.id)
        if "baseSalary" not in job:
            assert row.why == "none"
            continue
        assert amounts(job["baseSalary"]) == (row.low, row.high, row.currency, row.unit)
        shapes.add(re.sub(r'"[^"]*"(?!:)|[\d.]+', "x", json.dumps(job["baseSalary"])))
    assert len(shapes) > 6 and {row.unit for row in rows.values()} == {"hour", "day", "week", "month", "year", ""}
    descriptions = [job["description"] for job in jobs.values() if job]
    assert any(text.startswith("&lt;p&gt;") for text in descriptions) and any(
        text.startswith("<p>") for text in descriptions
    )
    assert None in jobs.values()


def test_site_crawl_delay_and_closed_jobs(server, ask):
    server.set(replace(server.settings, crawl_delay=0.5, edition=1))
    assert "Crawl-delay: 0.5" in ask("/robots.txt").body.decode()
    before = [page for page in site_pages(ask) if "/jobs/" in page]
    server.set_edition(2)
    after = [page for page in site_pages(ask) if "/jobs/" in page]
    gone = set(before) - set(after)
    assert gone and {ask(page).status for page in gone} == {410} and set(after) - set(before)


@pytest.mark.parametrize(
    "source", ["github", "hackernews", "freelancer", "freelancehunt", "upwork", "jobposting", "himalayas"]
)
def test_truth_over_the_wire_is_the_truth_of_the_settings(server, ask, source):
    wire = ask(f"/_replay/truth?source={source}").json
    assert [row["id"] for row in wire] == [row.id for row in truth(server.settings, source)] != []

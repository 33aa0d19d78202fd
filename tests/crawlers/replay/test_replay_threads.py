"""GitHub and Hacker News on the wire: qualifiers, slices, caps, trees; every row against the truth."""

import html
import re
from datetime import datetime
from urllib.parse import quote

import pytest

from crawlers.replay import ReplaySettings

BOUNTY = "\N{GEM STONE} Bounty"


def rows_of(server, source, kind="posting"):
    return {row.id: row for row in server.truth(source) if row.kind == kind}


def issues_of(server):
    """Rows of all GitHub issues: bounties, and those without one."""
    return {row.id: row for row in server.truth("github") if "/issues/" in row.url}


def seconds(text):
    return int(datetime.fromisoformat(text).timestamp())


def link(reply, name):
    found = re.search(rf'<([^>]*)>; rel="{name}"', reply.headers.get("Link") or "")
    return found and found[1]


def github_pages(ask, query, *, size=30, more=""):
    path, found = f"/search/issues?q={quote(query)}&per_page={size}{more}", []
    while path and len(found) < 50:
        reply = ask(path)
        assert reply.status == 200, reply.body
        found.append(reply.json)
        path = link(reply, "next")
    return found


def github_items(ask, query, **options):
    return [item for page in github_pages(ask, query, **options) for item in page["items"]]


def test_github_pages_hold_every_issue_once_newest_first(server, ask):
    items = github_items(ask, "is:issue", size=25)
    times = [item["created_at"] for item in items]
    assert sorted(times, reverse=True) == times
    assert {str(item["id"]) for item in items} == set(issues_of(server))
    assert len(items) == len(issues_of(server)) > len(rows_of(server, "github"))
    assert {page["total_count"] for page in github_pages(ask, "is:issue")} == {len(items)}
    assert not any("pull_request" in item for item in items)


def test_github_titles_labels_and_amounts_agree_with_the_truth(server, ask):
    rows = issues_of(server)
    for item in github_items(ask, "is:issue", size=100):
        row = rows[str(item["id"])]
        found = re.search(r"\[\$(\d+)\]", item["title"])
        labels = [label["name"] for label in item["labels"]]
        amounts = [float(name[1:].replace(",", "")) for name in labels if name.startswith("$")]
        amounts += [float(found[1])] if found else []
        assert amounts == ([row.low] if row.low else [])
        assert (item["title"], item["html_url"], seconds(item["created_at"])) == (row.title, row.url, row.created)
        assert (row.why == "none") == (not amounts) == (row.kind == "not_a_posting")


def test_github_pull_requests_are_marked_and_only_in_listings_of_both(server, ask):
    pulls = {row.id for row in server.truth("github") if "/pull/" in row.url}
    listed = ask("/repos/Expensify/App/issues?state=all&per_page=100").json
    assert {str(item["id"]) for item in listed if "pull_request" in item} == pulls != set()
    assert {str(item["id"]) for item in github_items(ask, "is:pr", size=100)} == pulls


@pytest.mark.parametrize(
    ("query", "holds"),
    [
        ("is:issue repo:Expensify/App", lambda item: "/Expensify/App/" in item["html_url"]),
        (f'is:issue label:"{BOUNTY}"', lambda item: BOUNTY in [label["name"] for label in item["labels"]]),
        ("is:issue is:closed", lambda item: item["state"] == "closed" and item["closed_at"]),
        ("is:issue -label:Bug", lambda item: "Bug" not in [label["name"] for label in item["labels"]]),
        ("is:issue created:2026-02-01..2026-03-31", lambda item: item["created_at"][:7] in ("2026-02", "2026-03")),
        ("is:issue created:>=2026-08-15", lambda item: item["created_at"] >= "2026-08-15"),
        ("is:issue created:<2025-12-05", lambda item: item["created_at"] < "2025-12-05"),
        ("is:issue created:2026-01-01T00:00:00Z..2026-01-10T12:00:00+00:00",
         lambda item: "2026-01-01" <= item["created_at"] <= "2026-01-10T12:00:00Z"),
        ("is:issue updated:>=2026-07-01", lambda item: item["updated_at"] >= "2026-07-01"),
        ("is:issue invoice in:title", lambda item: "invoice" in item["title"].lower()),
    ],
)  # fmt: skip
def test_github_qualifiers_select_what_they_say_and_nothing_less(ask, query, holds):
    every = {item["id"] for item in github_items(ask, "is:issue", size=100) if holds(item)}
    assert {item["id"] for item in github_items(ask, query, size=100)} == every != set()


def test_github_answers_at_most_a_thousand_results_and_slices_reach_the_rest(server, ask):
    server.set(ReplaySettings(postings=3000))
    first = github_pages(ask, "is:issue", size=100)
    assert (len(first), first[0]["total_count"] > 2800, len(first[-1]["items"])) == (10, True, 100)
    refused = ask("/search/issues?q=is:issue&per_page=100&page=11")
    assert (refused.status, refused.json["message"]) == (422, "Only the first 1000 search results are available")
    slices = [
        "created:*..2026-01-31",
        "created:2026-02-01..2026-04-30",
        "created:2026-05-01..2026-07-31",
        "created:>=2026-08-01",
    ]
    found = [item["id"] for span in slices for item in github_items(ask, f"is:issue {span}", size=100)]
    assert len(found) == len(set(found)) == first[0]["total_count"]


def test_github_refuses_a_search_without_terms_and_a_date_that_is_none(ask):
    assert ask("/search/issues").status == 422
    assert "invalid date" in ask("/search/issues?q=created:soon").json["errors"][0]["message"]


def test_github_listing_filters_by_state_labels_and_since(server, ask):
    everything = ask("/repos/Expensify/App/issues?state=all&per_page=100").json
    closed = ask("/repos/Expensify/App/issues?state=closed&per_page=100").json
    opened = ask("/repos/Expensify/App/issues?per_page=100").json
    assert len(everything) == len(closed) + len(opened) and closed and opened
    helped = ask("/repos/Expensify/App/issues?state=all&per_page=100&labels=Help%20Wanted,Bug").json
    assert 0 < len(helped) < len(everything)
    server.set_edition(2)
    recent = ask("/repos/Expensify/App/issues?state=all&per_page=100&since=2026-10-01T00:00:00Z").json
    assert {item["updated_at"][:7] for item in recent} == {"2026-10"} and len(recent) < len(everything)
    assert ask("/repos/no/such/issues").status == 404
    assert ask("/repos/Expensify/App/issues?since=soon").status == 422


def hn(ask, **params):
    text = "&".join(f"{name}={quote(str(value))}" for name, value in params.items())
    return ask(f"/api/v1/search_by_date?{text}").json


def test_hackernews_threads_are_found_by_author(ask):
    found = hn(ask, tags="story,author_whoishiring", hitsPerPage=100)
    titles = [hit["title"] for hit in found["hits"]]
    assert (found["nbHits"], titles[2]) == (33, "Ask HN: Freelancer? Seeking freelancer? (September 2026)")
    assert sorted((hit["created_at_i"] for hit in found["hits"]), reverse=True) == [
        hit["created_at_i"] for hit in found["hits"]
    ]
    only = hn(ask, tags="story,author_whoishiring", query="freelancer", hitsPerPage=100)["hits"]
    assert len(only) == 11 and all("Seeking freelancer?" in hit["title"] for hit in only)


def freelancer_threads(ask):
    return [
        hit["objectID"] for hit in hn(ask, tags="story,author_whoishiring", query="freelancer", hitsPerPage=100)["hits"]
    ]


def test_hackernews_comments_agree_with_the_truth(server, ask):
    wanted, others = rows_of(server, "hackernews"), rows_of(server, "hackernews", "not_a_posting")
    hits = [
        hit
        for story in freelancer_threads(ask)
        for hit in hn(ask, tags=f"comment,story_{story}", hitsPerPage=1000)["hits"]
    ]
    assert {hit["objectID"] for hit in hits} == set(wanted) | set(others)
    for hit in hits:
        text = html.unescape(hit["comment_text"])
        assert text.startswith("SEEKING FREELANCER") == (hit["objectID"] in wanted)
        row = {**wanted, **others}[hit["objectID"]]
        assert (hit["created_at_i"], seconds(hit["created_at"])) == (row.created, row.created)
        if row.low:
            price = text.split("<p>Budget: ")[1].split("<p>")[0]
            numbers = [float(n.replace(",", "")) for n in re.findall(r"\d[\d,]*(?:\.\d+)?", price)]
            numbers = [number * (1000 if price.endswith("k") else 1) for number in numbers]
            assert (numbers[0], numbers[-1]) == (row.low, row.high)


def test_hackernews_replies_name_their_parent_and_trees_hold_deleted_ones(ask):
    story = freelancer_threads(ask)[4]
    hits = {hit["objectID"]: hit for hit in hn(ask, tags=f"comment,story_{story}", hitsPerPage=1000)["hits"]}
    tree = ask(f"/api/v1/items/{story}").json
    nodes, stack = {}, list(tree["children"])
    while stack:
        node = stack.pop()
        nodes[str(node["id"])] = node
        assert all(child["parent_id"] == node["id"] for child in node["children"])
        stack += node["children"]
    assert set(hits) == {identity for identity, node in nodes.items() if node["text"] is not None}
    assert all(node["author"] is None for node in nodes.values() if node["text"] is None)
    for identity, hit in hits.items():
        assert (hit["parent_id"], hit["comment_text"]) == (nodes[identity]["parent_id"], nodes[identity]["text"])
    assert ask("/api/v1/items/7").status == 404


def test_hackernews_tree_holds_a_deleted_comment_somewhere(ask):
    trees = [ask(f"/api/v1/items/{story}").body for story in freelancer_threads(ask)]
    assert any(b'"text":null' in tree.split(b'"children"', 1)[1] for tree in trees)


def test_hackernews_filters_by_time_and_gives_a_thousand_hits_at_most(server, ask):
    server.set(ReplaySettings(postings=20_000))
    story = freelancer_threads(ask)[3]
    first = hn(ask, tags=f"comment,story_{story}", hitsPerPage=1000)
    assert (len(first["hits"]), first["nbPages"]) == (1000, 1) and first["nbHits"] > 1500
    assert hn(ask, tags=f"comment,story_{story}", hitsPerPage=1000, page=1)["hits"] == []
    small = hn(ask, tags=f"comment,story_{story}", hitsPerPage=300, page=3)
    assert (len(small["hits"]), small["nbPages"]) == (100, 4)
    seen, before = [], 2**33
    for _ in range(4):
        older = f"created_at_i<{before}"
        page = hn(ask, tags=f"comment,story_{story}", hitsPerPage=1000, numericFilters=older)["hits"]
        seen += [hit["objectID"] for hit in page]
        before = page[-1]["created_at_i"] if page else 0
    assert len(seen) == len(set(seen)) == first["nbHits"]
    low, high = page_ends = (first["hits"][500]["created_at_i"], first["hits"][100]["created_at_i"])
    inner = hn(
        ask, tags=f"comment,story_{story}", hitsPerPage=1000, numericFilters=f"created_at_i>{low},created_at_i<={high}"
    )
    assert [hit["created_at_i"] for hit in inner["hits"]] == [hit["created_at_i"] for hit in first["hits"][100:500]], (
        page_ends
    )


def test_hackernews_search_by_relevance_is_not_by_date_and_or_tags_work(ask):
    dated = hn(ask, tags="(story,comment)", hitsPerPage=1000)["hits"]
    ranked = ask("/api/v1/search?tags=(story,comment)&hitsPerPage=1000").json["hits"]
    assert {hit["objectID"] for hit in dated} == {hit["objectID"] for hit in ranked} and dated != ranked
    assert ask("/api/v1/search?numericFilters=created_at_i~5").status == 400

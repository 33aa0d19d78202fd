"""Tokens and rate limits: who is refused, when, and what the answer says."""

import time
from dataclasses import replace
from email.utils import parsedate_to_datetime

import pytest

from crawlers.replay import ReplaySettings

PATHS = {
    "freelancer": "/api/projects/0.1/projects/active/",
    "freelancehunt": "/v2/projects",
    "upwork": "/graphql",
    "github": "/search/issues?q=is:issue",
    "himalayas": "/jobs/api",
}


def get(ask, source, headers):
    method, body = (
        ("POST", '{"query": "{ marketplaceJobPostingsSearch { totalCount } }"}')
        if source == "upwork"
        else ("GET", None)
    )
    return ask(PATHS[source], method=method, body=body, headers=headers)


def token(source, text):
    return {"freelancer-oauth-v1": text} if source == "freelancer" else {"Authorization": f"Bearer {text}"}


@pytest.mark.parametrize("source", ["freelancer", "freelancehunt", "upwork"])
def test_sources_with_a_token_refuse_none_and_a_wrong_one(server, ask, source):
    server.set(ReplaySettings(token="good"))
    assert get(ask, source, {}).status == 401
    assert get(ask, source, token(source, "bad")).status == 401
    assert get(ask, source, token(source, "good")).status == 200


def test_refusals_have_their_source_s_form(server, ask):
    refused = {source: get(ask, source, {}).json for source in ("freelancer", "freelancehunt", "upwork")}
    assert (refused["freelancer"]["status"], "request_id" in refused["freelancer"]) == ("error", True)
    assert refused["freelancehunt"]["error"]["status"] == 401
    assert refused["upwork"]["errors"][0]["extensions"]["classification"] == "UNAUTHENTICATED"


def test_bearer_sources_want_a_bearer_token(ask):
    assert ask("/v2/projects", headers={"Authorization": "t"}).status == 401


def test_github_works_without_a_token_but_not_with_a_bad_one(server, ask):
    server.set(ReplaySettings(token="good"))
    assert [get(ask, "github", headers).status for headers in ({}, {"Authorization": "token good"})] == [200, 200]
    assert get(ask, "github", token("github", "bad")).json["message"] == "Bad credentials"


def test_open_sources_ignore_tokens(server, ask):
    server.set(ReplaySettings(token="good", token_requests=1))
    assert [get(ask, "himalayas", token("himalayas", "bad")).status for _ in range(3)] == [200, 200, 200]


def test_a_token_expires_after_its_requests_and_another_one_works(server, ask):
    server.set(ReplaySettings(token_requests=3))
    seen = [get(ask, "freelancehunt", token("freelancehunt", "one")).status for _ in range(5)]
    assert seen == [200, 200, 200, 401, 401]
    assert get(ask, "freelancehunt", token("freelancehunt", "two")).status == 200


def limited(server, ask, style, source="github", window=60.0):
    server.set(ReplaySettings(rate_limit=2, rate_window=window, rate_style=style))
    replies = [get(ask, source, token(source, "t")) for _ in range(3)]
    assert [reply.status for reply in replies[:2]] == [200, 200]
    return replies


def test_over_the_limit_429_says_how_many_seconds_to_wait(server, ask):
    refused = limited(server, ask, "seconds")[2]
    assert refused.status == 429 and 1 <= int(refused.headers["Retry-After"]) <= 61


def test_over_the_limit_429_can_name_a_time(server, ask):
    refused = limited(server, ask, "date")[2]
    wait = parsedate_to_datetime(refused.headers["Retry-After"]).timestamp() - time.time()
    assert refused.status == 429 and 0 < wait <= 61 and refused.headers["Retry-After"].endswith("GMT")


def test_over_the_limit_403_names_the_reset(server, ask):
    refused = limited(server, ask, "reset")[2]
    assert (refused.status, refused.headers["X-RateLimit-Remaining"], refused.headers["Retry-After"]) == (
        403,
        "0",
        None,
    )
    assert 0 < int(refused.headers["X-RateLimit-Reset"]) - time.time() <= 62


def test_limits_are_counted_by_source_and_start_again_with_the_window(server, ask):
    limited(server, ask, "seconds", window=1.0)
    assert get(ask, "freelancehunt", token("freelancehunt", "t")).status == 200
    time.sleep(1.05)
    assert get(ask, "github", {}).status == 200


def test_headers_count_down_where_there_is_a_limit(server, ask):
    first, second, third = limited(server, ask, "seconds")
    assert [reply.headers["X-RateLimit-Remaining"] for reply in (first, second, third)] == ["1", "0", "0"]
    assert first.headers["X-RateLimit-Limit"] == "2"


def test_headers_never_say_none_left_where_there_is_no_limit(server, ask):
    left = {get(ask, "github", {}).headers["X-RateLimit-Remaining"] for _ in range(4)}
    assert left == {"29"} and get(ask, "himalayas", {}).headers["X-RateLimit-Limit"] is None


def test_robots_and_control_are_neither_limited_nor_refused(server, ask):
    server.set(replace(server.settings, rate_limit=1, token="good"))
    assert {ask("/robots.txt", headers={}).status for _ in range(4)} == {200}

"""One replay server for all tests here, put back to its defaults before each; and a client without manners."""

from __future__ import annotations

import http.client
import json
import re
from dataclasses import dataclass

import pytest

from crawlers.replay import ReplaySettings, serve

TOKENS = {"Authorization": "Bearer t", "freelancer-oauth-v1": "t"}

PATHS = {
    "github": "/search/issues?q=is:issue",
    "hackernews": "/api/v1/search_by_date?tags=comment",
    "freelancer": "/api/projects/0.1/projects/active/?full_description=true",
    "freelancehunt": "/v2/projects",
    "upwork": "/graphql",
    "jobposting": "/sitemaps/jobs-1.xml",
    "himalayas": "/jobs/api",
    "remotive": "/api/remote-jobs",
    "remoteok": "/api",
}
LISTS = {
    "github": ["items"], "hackernews": ["hits"], "freelancer": ["result", "projects"], "freelancehunt": ["data"],
    "upwork": ["data", "marketplaceJobPostingsSearch", "edges"], "himalayas": ["jobs"], "remotive": ["jobs"],
    "remoteok": [],
}  # fmt: skip
QUERY = """{ marketplaceJobPostingsSearch { totalCount pageInfo { hasNextPage endCursor } edges { node {
  id title description createdDateTime amount { rawValue }
  hourlyBudgetMin { rawValue } hourlyBudgetMax { rawValue } } } } }"""


@dataclass(frozen=True)
class Reply:
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def json(self):
        return json.loads(self.body)


class Client:
    """Asks the server, with a token unless told otherwise; follows nothing, repeats nothing."""

    lists = LISTS

    def __init__(self, server, url):
        self.server, self.url = server, url

    def __call__(self, path, *, method="GET", body=None, headers=TOKENS, timeout=20):
        connection = http.client.HTTPConnection(self.url.removeprefix("http://"), timeout=timeout)
        try:
            connection.request(
                method, path.removeprefix(self.url).replace(" ", "%20"), body=body, headers=dict(headers)
            )
            answer = connection.getresponse()
            return Reply(answer.status, answer.headers, answer.read())
        finally:
            connection.close()

    def source(self, source, path=None):
        """One page of a source."""
        if source == "upwork":
            return self.graphql(QUERY)
        return self(path or PATHS[source])

    def listed(self, source, path=None):
        """List of records in a page, whatever it is."""
        inner = self.source(source, path).json
        for key in LISTS[source]:
            inner = inner[key]
        return inner

    def records(self, source, path=None):
        """Records of a page."""
        inner = self.listed(source, path)
        if source == "upwork":
            return [edge["node"] for edge in inner]
        return inner[1:] if source == "remoteok" else inner

    def job_page(self):
        """A page of the site that holds a job."""
        pages = re.findall(r"<loc>(.*?)</loc>", self.source("jobposting").body.decode())
        return next(page for page in pages if b"ld+json" in self(page).body)

    def graphql(self, query, variables=None, headers=TOKENS):
        return self(
            "/graphql", method="POST", body=json.dumps({"query": query, "variables": variables or {}}), headers=headers
        )


@pytest.fixture(scope="session")
def one_server():
    with serve(ReplaySettings(postings=120)) as server:
        yield server


@pytest.fixture
def server(one_server):
    one_server.set(ReplaySettings(postings=120))
    one_server.clear_log()
    return one_server


@pytest.fixture
def ask(server):
    return Client(server, server.url)


@pytest.fixture
def put(server):
    """Puts faults in force and forgets the log."""

    def set_faults(*faults):
        server.set_faults(faults)
        server.clear_log()

    return set_faults

"""Asks for issues, slice by slice of time, page by page."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from crawlers.fields import ShapeFault, listing, records_of, whole
from crawlers.github.parse import parse_issue
from crawlers.job import now
from crawlers.paging import Cursor, day_after, expect_keys, step
from crawlers.posting import Fault
from crawlers.spider import SourceSpider

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import scrapy
    from scrapy.http import Response

    from crawlers.posting import Dropped, Posting

CAP = 1000  # records that a search shows, whatever the page
LARGEST_PAGE = 100
FIRST_DAY = datetime(2008, 1, 1, tzinfo=UTC)  # no issue is older: the site opened in 2008
KEYS = ("id", "title", "body", "labels", "created_at")  # every issue has them, if only as null
_LINK = re.compile(r"<([^<>]{1,2000})>([^<>]{0,500})")
_HEADERS = {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"}


class GitHubSpider(SourceSpider):
    """Issues of ``/search/issues`` for each of the source's queries."""

    name = "github"

    @property
    def page_size(self) -> int:
        """Issues asked for at once."""
        return min(self.source.page_size, LARGEST_PAGE)

    def first_requests(self) -> Iterator[scrapy.Request]:
        """Ask for each query over the whole window: by creation, on a rerun by last change."""
        since, until = self.window.since or FIRST_DAY, self.window.until
        last = int(until.timestamp()) - 1 if until else day_after(now().timestamp())
        created = (int(since.timestamp()), last)
        if created[0] > created[1]:
            return
        changed = self.window.changed_since
        for query in self.source.queries:
            if changed is None:
                yield self.ask(query, "created", Cursor(*created, page=1))
                continue
            if self.window.since or until:
                query = f"{query} created:{_span(*created)}"
            yield self.ask(query, "updated", Cursor(int(changed.timestamp()), day_after(now().timestamp()), page=1))

    def ask(self, query: str, field: str, cursor: Cursor, url: str = "", again: bool = False) -> scrapy.Request:
        """Request one page; `field` is the date that slices it, `url` the page's address where the server named it."""
        params = {
            "q": f"{query} {field}:{_span(cursor.start, cursor.end)}",
            "sort": field,
            "order": "asc",
            "per_page": self.page_size,
            "page": cursor.page,
        }
        asked: dict[str, Any] = {"query": query, "field": field, "cursor": cursor.to_json(), "again": again}
        request = self.get(
            url or "/search/issues", self.read, params=None if url else params, headers=_HEADERS, **asked
        )
        return request.replace(dont_filter=True) if again else request

    def read(
        self, response: Response, query: str, field: str, cursor: Mapping[str, Any], again: bool
    ) -> Iterator[Posting | Dropped | Fault | scrapy.Request]:
        """Read one page of issues, and ask for what follows it."""
        items, total, incomplete = self._shape(response)
        here = Cursor.from_json(cursor)
        if incomplete and not again:  # the search timed out; asked again it is often complete
            yield self.ask(query, field, here, response.url, again=True)
            return
        if incomplete:
            yield Fault("cap", f"{field} {_span(here.start, here.end)}: incomplete_results twice, issues are missing")
        link = next_link(response)
        ids = [item.get("id") if isinstance(item, dict) else None for item in items]
        todo = step(here, total, ids, cap=CAP, size=self.page_size, linked=bool(link))
        for fault in todo.faults:
            yield Fault("cap", f"{field} {_span(here.start, here.end)}: {fault}")
        if todo.read:
            yield from self.records(items, partial(parse_issue, kind=self.source.price_kind, zone=self.source.timezone))
        for cut in todo.slices:
            yield self.ask(query, field, cut)
        if todo.next:
            yield self.ask(query, field, todo.next, link)

    def _shape(self, response: Response) -> tuple[list[object], int, bool]:
        """Issues, announced number and incompleteness of a page; a page of another shape is a `ShapeFault`."""
        data = self.json(response)
        items = records_of(data, "items")
        total = whole(data, "total_count")
        if total is None:
            raise ShapeFault("$.total_count", "a count", data.get("total_count"))
        expect_keys(items, "$.items[*]", KEYS)
        labels = [label for item in items if isinstance(item, dict) for label in listing(item, "labels")]
        expect_keys(labels, "$.items[*].labels[*]", ("name",))
        return items, total, data.get("incomplete_results") is True


def next_link(response: Response) -> str:
    """Address of the next page as the ``Link`` header names it, if it is the same endpoint; else ``''``."""
    here = urlsplit(response.url)
    for header in response.headers.getlist("Link"):
        for address, rest in _LINK.findall(header.decode("latin-1")):
            if not re.search(r";\s*rel\s*=\s*\"?next\b", rest):
                continue
            try:
                there = urlsplit(address)
            except ValueError:
                continue
            if (there.scheme, there.netloc, there.path) == (here.scheme, here.netloc, here.path) and there.query:
                return str(address)
    return ""


def _span(start: int, end: int) -> str:
    """Both ends of a slice as the search language writes them; both belong to it."""
    return "..".join(f"{datetime.fromtimestamp(second, UTC):%Y-%m-%dT%H:%M:%SZ}" for second in (start, end))

"""Asks for the threads, then for each thread's comments, slice by slice of time, page by page."""

from __future__ import annotations

import re
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from crawlers.fields import ShapeFault, records_of, text, whole
from crawlers.hackernews.parse import parse_comment
from crawlers.job import now
from crawlers.paging import Cursor, Step, day_after, expect_keys, step
from crawlers.posting import Fault
from crawlers.spider import SourceSpider

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import scrapy
    from scrapy.http import Response

    from crawlers.posting import Dropped, Posting

CAP = 1000  # hits that a question shows, whatever the page
FIRST_SECOND = 1_159_660_800  # October 2006: the site's first month
DAY = 86_400  # seconds
OPEN_FOR = timedelta(days=45)  # a month's thread takes no comments later than this
KEYS = ("objectID", "comment_text", "parent_id", ("created_at_i", "created_at"))  # every comment has them
_PATH = "/api/v1/search_by_date"
_THREAD = re.compile(r"freelancers?\s*\?\s*seeking\s+(?:a\s+)?freelancers?\s*\?", re.IGNORECASE)


class HackerNewsSpider(SourceSpider):
    """Comments of the monthly freelancer threads."""

    name = "hackernews"

    @property
    def page_size(self) -> int:
        """Hits asked for at once."""
        return min(self.source.page_size, CAP)

    def first_requests(self) -> Iterator[scrapy.Request]:
        """Ask for the threads in which a comment of the window may stand."""
        until = self.window.until
        end = int(until.timestamp()) - 1 if until else day_after(now().timestamp())
        start = self.window.start
        first = int((start - OPEN_FOR).timestamp()) if start else FIRST_SECOND
        if first <= end:
            yield self.ask_threads(Cursor(first, end, page=0), end)

    def ask_threads(self, cursor: Cursor, end: int) -> scrapy.Request:
        """Request one page of threads; `end` is the last second of the window."""
        params = {"tags": "story,author_whoishiring", "query": "freelancer", **self._paging(cursor)}
        return self.get(_PATH, self.read_threads, params=params, cursor=cursor.to_json(), end=end)

    def ask_comments(self, story: int, cursor: Cursor) -> scrapy.Request:
        """Request one page of a thread's comments."""
        params = {"tags": f"comment,story_{story}", **self._paging(cursor)}
        return self.get(_PATH, self.read_comments, params=params, story=story, cursor=cursor.to_json())

    def _paging(self, cursor: Cursor) -> dict[str, object]:
        """Slice and page as parameters. Times are whole seconds: "greater than the one before" is "from it on"."""
        return {
            "numericFilters": f"created_at_i>{cursor.start - 1},created_at_i<{cursor.end + 1}",
            "hitsPerPage": self.page_size,
            "page": cursor.page,
        }

    def read_threads(self, response: Response, cursor: Mapping[str, Any], end: int) -> Iterator[Fault | scrapy.Request]:
        """Ask for the comments of each thread on a page, and for what follows the page."""
        hits, todo = self._page(response, ("objectID", "title"), Cursor.from_json(cursor))
        yield from (Fault("cap", f"threads: {fault}") for fault in todo.faults)
        start = int(self.window.start.timestamp()) if self.window.start else 0
        for hit in hits if todo.read else []:
            if not isinstance(hit, dict) or not _THREAD.search(text(hit, "title") or ""):
                continue
            story = whole(hit, "objectID")
            if story:
                begin = max(start, (whole(hit, "created_at_i") or FIRST_SECOND) - DAY)
                yield self.ask_comments(story, Cursor(begin, max(begin, end), page=0))
        for cut in (*todo.slices, *([todo.next] if todo.next else [])):
            yield self.ask_threads(cut, end)

    def read_comments(
        self, response: Response, story: int, cursor: Mapping[str, Any]
    ) -> Iterator[Posting | Dropped | Fault | scrapy.Request]:
        """Read one page of comments, and ask for what follows it."""
        hits, todo = self._page(response, KEYS, Cursor.from_json(cursor))
        yield from (Fault("cap", f"thread {story}: {fault}") for fault in todo.faults)
        if todo.read:
            kind, zone = self.source.price_kind, self.source.timezone
            yield from self.records(hits, partial(parse_comment, story=story, kind=kind, zone=zone))
        for cut in (*todo.slices, *([todo.next] if todo.next else [])):
            yield self.ask_comments(story, cut)

    def _page(
        self, response: Response, keys: tuple[str | tuple[str, ...], ...], cursor: Cursor
    ) -> tuple[list[object], Step]:
        """Hits of a page and what follows it; a page of another shape is a `ShapeFault`.

        The server may show fewer hits at once than asked for: it states how many, and how many pages that makes.
        """
        data = self.json(response)
        hits = records_of(data, "hits")
        total = whole(data, "nbHits")
        if total is None:
            raise ShapeFault("$.nbHits", "a count", data.get("nbHits"))
        expect_keys(hits, "$.hits[*]", keys)
        size = min(self.page_size, whole(data, "hitsPerPage") or self.page_size)
        more = cursor.page + 1 < (whole(data, "nbPages") or 0)
        return hits, step(cursor, total, _ids(hits), cap=CAP, size=size, linked=more)


def _ids(hits: list[object]) -> list[object]:
    return [hit.get("objectID") if isinstance(hit, dict) else None for hit in hits]

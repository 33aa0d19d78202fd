"""Pages of ``/jobs/api``, newest first."""

from __future__ import annotations

from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING

import scrapy

from crawlers.fields import records_of, text, whole
from crawlers.himalayas.parse import parse_job
from crawlers.posting import Dropped, Fault, Posting
from crawlers.spider import SourceSpider

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scrapy.http import Response

PATH = "/jobs/api"


class HimalayasSpider(SourceSpider):
    """Remote jobs of Himalayas."""

    name = "himalayas"

    def first_requests(self) -> Iterator[scrapy.Request]:
        """Begin with the newest."""
        yield self._page(offset=0)

    def _page(self, *, offset: int, cursor: str | None = None, previous: list[str] | None = None) -> scrapy.Request:
        where = {"offset": offset} if cursor is None else {"cursor": cursor}
        params = {"limit": self.source.page_size, **where}
        return self.get(PATH, self.parse_page, params=params, offset=offset, previous=previous or [])

    def parse_page(
        self, response: Response, offset: int = 0, previous: list[str] | None = None
    ) -> Iterator[Posting | Dropped | Fault | scrapy.Request]:
        """Read one page; go on until a whole page is older than what is wanted, or all are read."""
        page = self.json(response)
        items = records_of(page, "jobs")
        found = list(self.records(items, partial(parse_job, kind=self.source.price_kind, zone=self.source.timezone)))
        ids = [one.job_posting_id for one in found if isinstance(one, Posting)]
        total, read = whole(page, "totalCount"), offset + len(items)
        if ids and ids == previous:
            yield Fault(
                "cap", f"offset {offset} repeats the page before it: {offset} of {total or 'unknown'} jobs read"
            )
            return
        yield from found
        if not items:
            if total is not None and offset and total - offset > self.source.page_size:
                yield Fault("cap", f"the feed ends after {offset} of {total} jobs")
            return
        if self._too_old(found):
            return
        cursor = text(page, "nextCursor")
        if cursor is None and ("nextCursor" in page or (total is not None and read >= total)):
            return
        yield self._page(offset=read, cursor=cursor, previous=ids)

    def _too_old(self, found: list[Posting | Dropped]) -> bool:
        """Whether nothing wanted can follow: all of a page is older than the window, and the page is in order."""
        start = self.window.start
        dates = [one.date_published for one in found if isinstance(one, Posting) and one.date_published]
        if start is None or not dates or max(dates) >= start:
            return False
        return all(earlier >= later for earlier, later in pairwise(dates))

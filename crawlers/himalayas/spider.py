"""Pages of ``/jobs/api``, newest first."""

from __future__ import annotations

from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING

import scrapy

from crawlers.fields import Record, records_of, text, whole
from crawlers.himalayas.parse import parse_job
from crawlers.paging import ends_early, page_mark
from crawlers.posting import Dropped, Fault, Posting
from crawlers.spider import SourceSpider

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scrapy.http import Response

PATH = "/jobs/api"
MOST_EMPTY = 3  # pages without a job in a row, each naming a next one


class HimalayasSpider(SourceSpider):
    """Remote jobs of Himalayas."""

    name = "himalayas"

    def first_requests(self) -> Iterator[scrapy.Request]:
        """Begin with the newest."""
        yield self._page(offset=0)

    def _page(self, *, offset: int, cursor: str | None = None, **state: str | int) -> scrapy.Request:
        where = {"offset": offset} if cursor is None else {"cursor": cursor}
        params = {"limit": self.source.page_size, **where}
        request = self.get(PATH, self.parse_page, params=params)
        return request.replace(cb_kwargs={"offset": offset, **state})

    def parse_page(
        self, response: Response, offset: int = 0, previous: str = "", empty: int = 0, announced: int = 0
    ) -> Iterator[Posting | Dropped | Fault | scrapy.Request]:
        """Read one page; go on until a whole page is older than what is wanted, or all are read.

        Parameters
        ----------
        response : Response
        offset : int
            Jobs on the pages before this one.
        previous : str
            `page_mark` of the last page with jobs before this one.
        empty : int
            Pages without a job that came right before this one.
        announced : int
            Jobs that the page before this one announced, 0 for none: an empty page may announce nothing.
        """
        page = self.json(response)
        items = records_of(page, "jobs")
        found = list(self.records(items, partial(parse_job, kind=self.source.price_kind, zone=self.source.timezone)))
        ids = [one.job_posting_id for one in found if isinstance(one, Posting)]
        total = whole(page, "totalCount") or announced
        mark = page_mark(ids) if ids else previous
        if ids and mark == previous:
            yield Fault(
                "cap", f"offset {offset} repeats the page before it: {offset} of {total or 'unknown'} jobs read"
            )
            return
        yield from found
        if not self._too_old(found):
            yield from self._following(page, offset + len(items), total, 0 if items else empty + 1, mark)

    def _following(
        self, page: Record, read: int, total: int, empty: int, mark: str
    ) -> Iterator[Fault | scrapy.Request]:
        """Request the next page; without one, say so if the feed has announced more jobs than came."""
        cursor = text(page, "nextCursor")
        if cursor is None and ("nextCursor" in page or empty or 0 < total <= read):
            if ends_early(total, read):
                yield Fault("cap", f"the feed ends after {read} of {total} jobs")
        elif empty >= MOST_EMPTY:
            message = f"{empty} pages in a row hold no job and name a next one"
            yield Fault("cap", f"{message}: {read} of {total or 'unknown'} jobs read")
        else:
            yield self._page(offset=read, cursor=cursor, previous=mark, empty=empty, announced=total)

    def _too_old(self, found: list[Posting | Dropped]) -> bool:
        """Whether nothing wanted can follow: all of a page is older than the window, and the page is in order."""
        start = self.window.start
        dates = [one.date_published for one in found if isinstance(one, Posting) and one.date_published]
        if start is None or not dates or max(dates) >= start:
            return False
        return all(earlier >= later for earlier, later in pairwise(dates))

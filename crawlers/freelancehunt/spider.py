"""Pages of ``/v2/projects``, newest first."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import scrapy

from crawlers.fields import Record, mapping, records_of, web_url
from crawlers.freelancehunt.parse import parse_project
from crawlers.paging import page_mark
from crawlers.posting import Dropped, Fault, Posting
from crawlers.spider import SourceSpider

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scrapy.http import Response

PATH = "/v2/projects"
NUMBER = "page[number]"
MOST_EMPTY = 3  # pages without a project in a row, each naming a next one


class FreelancehuntSpider(SourceSpider):
    """Open projects of Freelancehunt."""

    name = "freelancehunt"

    def first_requests(self) -> Iterator[scrapy.Request]:
        """Begin with the newest."""
        yield self.get(PATH, self.parse_page, params={NUMBER: 1})

    def parse_page(
        self, response: Response, previous: str = "", empty: int = 0
    ) -> Iterator[Posting | Dropped | Fault | scrapy.Request]:
        """Read one page; go on until a whole page is older than what is wanted.

        Parameters
        ----------
        response : Response
        previous : str
            `page_mark` of the last page with projects before this one.
        empty : int
            Pages without a project that came right before this one.
        """
        page = self.json(response)
        parse = partial(parse_project, kind=self.source.price_kind, zone=self.source.timezone)
        found = list(self.records(records_of(page, "data"), parse))
        ids = [one.job_posting_id for one in found if isinstance(one, Posting)]
        mark = page_mark(ids) if ids else previous
        if ids and mark == previous:
            yield Fault("cap", f"a page repeats the one before it: reading stopped at {response.url}")
            return
        yield from found
        following = self._next(page, response.url)
        if self._too_old(found) or following is None or following.url == response.url:
            return
        empty = 0 if found else empty + 1
        if empty >= MOST_EMPTY:
            yield Fault("cap", f"{empty} pages in a row hold no project and name a next one: stopped at {response.url}")
            return
        yield following.replace(cb_kwargs={"previous": mark, "empty": empty})

    def _too_old(self, found: list[Posting | Dropped]) -> bool:
        dates = [one.date_published for one in found if isinstance(one, Posting) and one.date_published]
        start = self.window.start
        return start is not None and bool(dates) and max(dates) < start

    def _next(self, page: Record, current: str) -> scrapy.Request | None:
        """Request the page that ``links.next`` names: as it stands on this site, by its number if it names another."""
        link = mapping(page, "links").get("next")
        url = web_url(link.get("href") if isinstance(link, dict) else link, current)
        if url is None:
            return None
        if urlsplit(url).netloc == urlsplit(current).netloc:
            return self.get(url, self.parse_page)
        number = parse_qs(urlsplit(url).query).get(NUMBER, [""])[0]
        return self.get(PATH, self.parse_page, params={NUMBER: number}) if number.isdecimal() else None

"""Pages of ``/v2/projects``, newest first."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import scrapy

from crawlers.fields import Record, mapping, records_of, web_url
from crawlers.freelancehunt.parse import parse_project
from crawlers.posting import Dropped, Fault, Posting
from crawlers.spider import SourceSpider

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scrapy.http import Response

PATH = "/v2/projects"
NUMBER = "page[number]"


class FreelancehuntSpider(SourceSpider):
    """Open projects of Freelancehunt."""

    name = "freelancehunt"

    def first_requests(self) -> Iterator[scrapy.Request]:
        """Begin with the newest."""
        yield self.get(PATH, self.parse_page, params={NUMBER: 1})

    def parse_page(
        self, response: Response, previous: list[str] | None = None
    ) -> Iterator[Posting | Dropped | Fault | scrapy.Request]:
        """Read one page; go on until a whole page is older than what is wanted."""
        page = self.json(response)
        parse = partial(parse_project, kind=self.source.price_kind, zone=self.source.timezone)
        found = list(self.records(records_of(page, "data"), parse))
        ids = [one.job_posting_id for one in found if isinstance(one, Posting)]
        if ids and ids == previous:
            yield Fault("cap", f"a page repeats the one before it: reading stopped at {response.url}")
            return
        yield from found
        if not found or self._too_old(found):
            return
        following = self._next(page, response.url)
        if following is not None and following.url != response.url:
            yield following.replace(cb_kwargs={"previous": ids})

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

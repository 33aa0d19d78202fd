"""The one page of ``/api``."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import scrapy

from crawlers.fields import records_of
from crawlers.posting import Dropped, Posting
from crawlers.remoteok.parse import is_notice, parse_job
from crawlers.spider import SourceSpider

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scrapy.http import Response


class RemoteokSpider(SourceSpider):
    """Remote jobs of RemoteOK."""

    name = "remoteok"

    def first_requests(self) -> Iterator[scrapy.Request]:
        """Ask for everything: there are no pages."""
        yield self.get("/api", self.parse_feed)

    def parse_feed(self, response: Response) -> Iterator[Posting | Dropped]:
        """Read every element but the legal notice."""
        source = self.source
        parse = partial(parse_job, kind=source.price_kind, zone=source.timezone, base=source.base_url)
        jobs = [item for item in records_of(self.json(response)) if not is_notice(item)]
        yield from self.records(jobs, parse)

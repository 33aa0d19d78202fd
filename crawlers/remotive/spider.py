"""The one page of ``/api/remote-jobs``."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import scrapy

from crawlers.fields import records_of
from crawlers.posting import Dropped, Posting
from crawlers.remotive.parse import parse_job
from crawlers.spider import SourceSpider

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scrapy.http import Response


class RemotiveSpider(SourceSpider):
    """Remote jobs of Remotive."""

    name = "remotive"

    def first_requests(self) -> Iterator[scrapy.Request]:
        """Ask for everything: there are no pages."""
        yield self.get("/api/remote-jobs", self.parse_feed)

    def parse_feed(self, response: Response) -> Iterator[Posting | Dropped]:
        """Read every job; the legal notice beside ``jobs`` is none."""
        parse = partial(parse_job, kind=self.source.price_kind, zone=self.source.timezone)
        yield from self.records(records_of(self.json(response), "jobs"), parse)

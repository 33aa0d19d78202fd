"""From a site's robots.txt to its sitemaps to its pages."""

from __future__ import annotations

import hashlib
from functools import partial
from typing import TYPE_CHECKING

import scrapy
from scrapy.http import TextResponse

from crawlers.fields import web_url
from crawlers.jobposting.jsonld import read_page
from crawlers.jobposting.parse import parse_posting
from crawlers.jobposting.sitemap import inflate, read_sitemap, same_site
from crawlers.posting import Dropped, Fault, Posting
from crawlers.spider import SourceSpider

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scrapy.http import Response

    from crawlers.jobposting.sitemap import Entry

DEEPEST = 3  # sitemaps within sitemaps


class JobPostingSpider(SourceSpider):
    """Pages of a site that hold a schema.org JobPosting."""

    name = "jobposting"

    def first_requests(self) -> Iterator[scrapy.Request]:
        """Ask where the sitemaps are; a site without robots.txt has them at the usual place."""
        request = self.get("/robots.txt", self.parse_robots)
        yield request.replace(meta={**request.meta, "handle_httpstatus_list": [404, 410]})

    def parse_robots(self, response: Response) -> Iterator[scrapy.Request]:
        """Follow the ``Sitemap:`` lines of this site, else ``/sitemap.xml``."""
        from scrapy.utils.sitemap import sitemap_urls_from_robots

        named = sitemap_urls_from_robots(response.body, response.url) if response.status == 200 else ()
        urls = [url for line in named if (url := web_url(line)) and same_site(url, self.source.base_url)]
        for url in list(dict.fromkeys(urls)) or ["/sitemap.xml"]:
            yield self.get(url, self.parse_sitemap, depth=1)

    def parse_sitemap(self, response: Response, depth: int = 1) -> Iterator[Fault | scrapy.Request]:
        """Follow what a sitemap lists on this site, unless it says that it has not changed.

        The latest page is read whatever it says: a site that stops working is noticed though nothing has changed.
        """
        limit = int(self.job.crawl.max_response_mb * 1e6)
        sitemap = read_sitemap(inflate(response.body, limit), zone=self.source.timezone)
        if not sitemap.complete:
            yield Fault("shape", f"a sitemap is cut off after {len(sitemap.entries)} entries: {response.url}")
        if sitemap.is_index and sitemap.entries and depth >= DEEPEST:
            yield Fault("cap", f"sitemaps nest deeper than {DEEPEST}: {len(sitemap.entries)} left at {response.url}")
            return
        wanted = [entry for entry in sitemap.entries if self._wanted(entry, sitemap.is_index)]
        dated = [entry for entry in wanted if entry.modified is not None]
        latest = max(dated, key=lambda entry: (entry.modified, entry.url), default=None)
        since = self.window.changed_since
        for entry in wanted:
            old = since is not None and entry.modified is not None and entry.modified < since
            if old and entry is not latest:
                continue
            if sitemap.is_index:
                yield self.get(entry.url, self.parse_sitemap, priority=1, depth=depth + 1)
            else:
                yield self.get(entry.url, self.parse_page, optional=True)

    def _wanted(self, entry: Entry, is_index: bool) -> bool:
        """Whether an entry lies on the site, and is a page that the source's `queries` ask for."""
        if not same_site(entry.url, self.source.base_url):
            return False
        return is_index or not self.source.queries or any(piece in entry.url for piece in self.source.queries)

    def parse_page(self, response: Response) -> Iterator[Posting | Dropped]:
        """Read every JobPosting of a page."""
        name = hashlib.sha256(response.url.encode("utf-8", "replace")).hexdigest()[:24]
        if not isinstance(response, TextResponse):
            yield Dropped(name, response.url, "not_a_posting", "not a page of text")
            return
        found = read_page(response)
        if found.broken:
            yield Dropped(f"{name}-broken", response.url, "unreadable_record", f"{found.broken} scripts are no JSON")
        elif not found.postings:
            yield Dropped(name, response.url, "not_a_posting", "no JobPosting")
        source = self.source
        parse = partial(
            parse_posting,
            page=response.url,
            alone=len(found.postings) == 1,
            kind=source.price_kind,
            zone=source.timezone,
        )
        yield from self.records(found.postings, parse)

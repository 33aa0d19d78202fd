"""From a site's robots.txt to its sitemaps to its pages."""

from __future__ import annotations

import hashlib
from collections import Counter
from functools import partial
from typing import TYPE_CHECKING

import scrapy
from scrapy.http import TextResponse

from crawlers.fields import web_url
from crawlers.jobposting.jsonld import read_page
from crawlers.jobposting.parse import parse_posting
from crawlers.jobposting.sitemap import host_of, inflate, read_sitemap
from crawlers.posting import Dropped, Fault, Posting
from crawlers.spider import SourceSpider

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from scrapy.http import Response

    from crawlers.jobposting.sitemap import Entry

DEEPEST = 3  # sitemaps within sitemaps
MOST_HOSTS = 20  # other hosts of one sitemap that are named


class JobPostingSpider(SourceSpider):
    """Pages of a site that hold a schema.org JobPosting."""

    name = "jobposting"

    def first_requests(self) -> Iterator[scrapy.Request]:
        """Ask where the sitemaps are; a site without robots.txt has them at the usual place."""
        request = self.get("/robots.txt", self.parse_robots)
        yield request.replace(meta={**request.meta, "handle_httpstatus_list": [404, 410]})

    def parse_robots(self, response: Response) -> Iterator[Dropped | scrapy.Request]:
        """Follow the ``Sitemap:`` lines of this site, else ``/sitemap.xml``."""
        from scrapy.utils.sitemap import sitemap_urls_from_robots

        named = sitemap_urls_from_robots(response.body, response.url) if response.status == 200 else ()
        urls = list(dict.fromkeys(url for line in named if (url := web_url(line))))
        yield from self._elsewhere(urls, "sitemaps", response.url)
        for url in [url for url in urls if self._is_here(url)] or ["/sitemap.xml"]:
            yield self.get(url, self.parse_sitemap, depth=1)

    def parse_sitemap(self, response: Response, depth: int = 1) -> Iterator[Dropped | Fault | scrapy.Request]:
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
        asked = [entry for entry in sitemap.entries if sitemap.is_index or self._asked_for(entry)]
        yield from self._elsewhere(
            [one.url for one in asked], "sitemaps" if sitemap.is_index else "pages", response.url
        )
        yield from self._entries([one for one in asked if self._is_here(one.url)], sitemap.is_index, depth)

    def _entries(self, wanted: list[Entry], is_index: bool, depth: int) -> Iterator[scrapy.Request]:
        """Request the entries of a sitemap that may have changed."""
        dated = [entry for entry in wanted if entry.modified is not None]
        latest = max(dated, key=lambda entry: (entry.modified, entry.url), default=None)
        since = self.window.changed_since
        for entry in wanted:
            old = since is not None and entry.modified is not None and entry.modified < since
            if old and entry is not latest:
                continue
            if is_index:
                yield self.get(entry.url, self.parse_sitemap, priority=1, depth=depth + 1)
            else:
                yield self.get(entry.url, self.parse_page, optional=True)

    def _asked_for(self, entry: Entry) -> bool:
        """Whether an entry is a page that the source's `queries` ask for."""
        return not self.source.queries or any(piece in entry.url for piece in self.source.queries)

    def _is_here(self, url: str) -> bool:
        """Whether a URL is on the very host that a crawl of this source may ask."""
        return host_of(url) == host_of(self.source.base_url)

    def _elsewhere(self, urls: Iterable[str], what: str, listed_at: str) -> Iterator[Dropped]:
        """Name the hosts of what is not read because it is on another one: ``base_url`` may lack the ``www.``."""
        hosts = Counter(host_of(url)[:100] for url in urls if not self._is_here(url)).most_common()
        for host, count in hosts[:MOST_HOSTS]:
            told = f"{count} {what} on {host}: set base_url to that site"
            yield Dropped(_name_of(f"{listed_at} {host}"), listed_at, "not_a_posting", told)
        if rest := hosts[MOST_HOSTS:]:
            count = sum(count for _, count in rest)
            told = f"{count} {what} on {len(rest)} other hosts"
            yield Dropped(_name_of(f"{listed_at} others"), listed_at, "not_a_posting", told)

    def parse_page(self, response: Response) -> Iterator[Posting | Dropped]:
        """Read every JobPosting of a page."""
        name = _name_of(response.url)
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


def _name_of(url: str) -> str:
    """Id of what a URL is about that is no posting: one line in the quarantine, however often it is read."""
    return hashlib.sha256(url.encode("utf-8", "replace")).hexdigest()[:24]

"""robots.txt: Scrapy's middleware, with RFC 9309's reading of failures, and the crawl delay obeyed."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from scrapy.downloadermiddlewares.robotstxt import RobotsTxtMiddleware
from scrapy.exceptions import IgnoreRequest

from crawlers.engine.keeping import stop
from crawlers.engine.parts import parts_of

if TYPE_CHECKING:
    from scrapy.http import Request, Response
    from scrapy.robotstxt import RobotParser

_CLOSED = b"User-agent: *\nDisallow: /"


class Robots(RobotsTxtMiddleware):
    """What robots.txt forbids is not asked for.

    While it cannot be had (5xx, no answer) nothing is asked at all: the crawl ends in order, to be gone on with. Where
    there is none (4xx), everything is allowed.
    """

    _unreachable = False

    async def process_request(self, request: Request) -> Request | None:  # type: ignore[override]
        """Let it pass, forbid it (`IgnoreRequest`), or give it back to the queue of a crawl that ends here."""
        if not request.meta.get("dont_obey_robotstxt"):
            await self.robot_parser(request)
            if self._unreachable:
                return request.replace(dont_filter=True)
        await super().process_request(request)
        return None

    async def _parse_robots(self, response: Response, netloc: str, request: Request) -> None:
        if response.status >= 500 or response.status == 429:
            self._end(f"robots.txt answered HTTP {response.status}", response.url)
            response = response.replace(status=200, body=_CLOSED)
        elif response.status >= 400:
            response = response.replace(body=b"")
        await super()._parse_robots(response, netloc, request)
        parser = getattr(self._parsers[netloc], "rp", None)
        delay = parser.crawl_delay(self._default_useragent) if parser is not None else None
        if delay:
            self._slow_down(float(delay), response.url)

    def _slow_down(self, delay: float, url: str) -> None:
        """Obey the delay; one that is longer than we wait ends the crawl."""
        longest = parts_of(self.crawler).job.crawl.max_wait_seconds
        if not math.isfinite(delay) or delay > longest:
            self._end(f"robots.txt asks for {delay:g} s between requests, more than crawl.max_wait_seconds", url)
        elif delay > 0:
            parts_of(self.crawler).limits.slow_down(delay)

    def _robots_error(self, exc: Exception, netloc: str) -> None:
        super()._robots_error(exc, netloc)
        if not isinstance(exc, IgnoreRequest):
            self._end(f"robots.txt cannot be had: {type(exc).__name__}", f"http://{netloc}/robots.txt")
            closed: RobotParser = self._parserimpl.from_crawler(self.crawler, _CLOSED)
            self._parsers[netloc] = closed

    def _end(self, why: str, url: str) -> None:
        self._unreachable = True
        parts_of(self.crawler).ledger.fault("robots_unreachable", why, url=url)
        stop(self.crawler, "robots_unreachable")

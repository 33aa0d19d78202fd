"""How fast we ask, and whom: the site itself and no other, no faster than it says, waiting as long as it asks.

Nothing here evades anything: a limit that would take too long to wait out ends the crawl in order, to be gone on with
later.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from scrapy.exceptions import IgnoreRequest

from crawlers.engine.keeping import stop
from crawlers.engine.limits import says_limit, wait_of
from crawlers.engine.parts import parts_of
from crawlers.job import now

if TYPE_CHECKING:
    from typing import Self

    from scrapy.crawler import Crawler
    from scrapy.http import Request, Response

    from crawlers.job import Job

BACK_OFF = 5.0  # seconds after the first refusal that names no time; doubled after each further one
LONGEST_BACK_OFF = 60.0
MOST_REFUSALS = 30  # in a row, whatever the waits they ask for
SECONDARY = b"rate limit"  # GitHub's secondary limit is a 403 that says so in its body alone: wait a minute at least
TICK = 0.2  # seconds between looks at whether the crawl is being stopped


class OffSite(IgnoreRequest):
    """A request to another site than the source's."""


class SameSite:
    """Downloader middleware: requests to the source's own host and port only, and no more than its maximum."""

    def __init__(self, crawler: Crawler) -> None:
        self._job = parts_of(crawler).job
        self._ledger = parts_of(crawler).ledger
        self._crawler = crawler
        self._asked = 0

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Take the crawl's job."""
        return cls(crawler)

    def process_request(self, request: Request) -> None:
        """Refuse other sites, count requests."""
        if not same_site(request.url, self._job.source.base_url):
            raise OffSite("a link to another site")
        self._asked += 1
        self._ledger.count("requests")
        if self._asked == self._job.source.max_requests:
            message = f"{self._asked} requests, as many as sources.{self._job.name}.max_requests allows"
            self._ledger.fault("max_requests", message, url=None)
            stop(self._crawler, "max_requests")


class Token:
    """Downloader middleware nearest to the network: the token is on a request only while it is out.

    Requests that wait on disk, are retried or redirected, never carry it.
    """

    def __init__(self, crawler: Crawler) -> None:
        self._job = parts_of(crawler).job
        self._crawler = crawler

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Take the crawl's token."""
        return cls(crawler)

    def _header(self) -> tuple[str, str]:
        found: tuple[str, str] = self._crawler.spider.token_header  # type: ignore[union-attr]
        return found

    def process_request(self, request: Request) -> None:
        """Add it."""
        if self._job.token and not request.meta.get("dont_obey_robotstxt"):
            name, form = self._header()
            request.headers[name] = form.format(self._job.token)

    def process_response(self, request: Request, response: Response) -> Response:
        """Remove it."""
        request.headers.pop(self._header()[0], None)
        return response

    def process_exception(self, request: Request, exception: Exception) -> None:
        """Remove it."""
        request.headers.pop(self._header()[0], None)


class RefusedToken:
    """Downloader middleware: stop at a refused token; the request goes back to the queue, for a new one."""

    def __init__(self, crawler: Crawler) -> None:
        self._job = parts_of(crawler).job
        self._ledger = parts_of(crawler).ledger
        self._crawler = crawler

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Take the crawl's job."""
        return cls(crawler)

    def process_response(self, request: Request, response: Response) -> Request | Response:
        """No further request can succeed."""
        if response.status != 401 or request.meta.get("dont_obey_robotstxt") or self._job.source.token == "none":
            return response  # a page behind a log-in of a site that knows no tokens is one lost page
        self._ledger.fault("token", f"HTTP 401: {token_advice(self._job)}", url=request.url)
        stop(self._crawler, "token_refused")
        return request.replace(dont_filter=True)


def token_advice(job: Job) -> str:
    """What to do about a token that is missing or refused."""
    name = f"VALUATION_{job.name.upper()}_TOKEN"
    return f"the token in {name} was refused; set a valid one" if job.token else f"a token is needed: set {name}"


def same_site(url: str, base_url: str) -> bool:
    """Whether a URL lies on the source's host and port; https in place of http is the same site.

    >>> same_site("https://a.org/x", "http://a.org"), same_site("http://a.org:81/", "http://a.org")
    (True, False)
    """
    try:
        here, base = urlsplit(url), urlsplit(base_url)
        if here.scheme not in ("http", "https") or (here.scheme == "http" and base.scheme == "https"):
            return False
        if "@" in here.netloc or "\\" in here.netloc or not base.hostname:  # programs differ on which host is meant
            return False
        ports = {"http": 80, "https": 443}
        same_port = (here.port or ports[here.scheme]) == (base.port or ports[base.scheme])
        upgraded = here.scheme == "https" != base.scheme and here.port in (None, 443) and base.port in (None, 80)
        return here.hostname == base.hostname and (same_port or upgraded)
    except ValueError:
        return False


class RateLimit:
    """Downloader middleware: keep the source's rate, and wait as long as an answer asks."""

    def __init__(self, crawler: Crawler) -> None:
        self._job = parts_of(crawler).job
        self._ledger = parts_of(crawler).ledger
        self._limits = parts_of(crawler).limits
        self._crawler = crawler
        self._refusals = 0

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Take the crawl's limits."""
        return cls(crawler)

    async def process_request(self, request: Request) -> Request | None:
        """Wait for this request's turn; a crawl that is being stopped gives it back to the queue."""
        at = self._limits.book()
        while (wait := max(at, self._limits.held_until()) - time.monotonic()) > 0:
            await asyncio.sleep(min(wait, TICK))
            if self._closing():
                return request.replace(dont_filter=True)
        return None

    def _closing(self) -> bool:
        slot = getattr(self._crawler.engine, "_slot", None)
        return slot is not None and slot.closing is not None

    def process_response(self, request: Request, response: Response) -> Request | Response:
        """Ask again after the wait that a refusal names; hold back when the last allowed request is spent."""
        sent = response.headers.items()  # Latin-1 reads any byte: a header in another encoding is no reason to fail
        headers = {name.decode("latin-1").lower(): values[0].decode("latin-1") for name, values in sent if values}
        hidden = response.status == 403 and not says_limit(headers) and SECONDARY in response.body[:5000].lower()
        refused = response.status in (429, 503) or (response.status == 403 and says_limit(headers)) or hidden
        if not refused:
            self._refusals = 0
            if headers.get("x-ratelimit-remaining") == "0" and response.status < 400:
                self._hold_or_stop(wait_of(headers, now()))
            return response
        wait = LONGEST_BACK_OFF if hidden else wait_of(headers, now())
        if response.status == 503 and wait is None:
            return response  # an error like others: retried as such
        self._refusals += 1
        self._ledger.count("refused", str(response.status))
        if self._refusals > MOST_REFUSALS:
            self._ledger.fault("refused", f"{MOST_REFUSALS} refusals in a row", url=request.url)
            stop(self._crawler, "rate_limited")
        else:
            back_off = min(BACK_OFF * 2 ** (self._refusals - 1), LONGEST_BACK_OFF)
            self._hold_or_stop(back_off if wait is None else wait)
        return request.replace(dont_filter=True)

    def _hold_or_stop(self, wait: float | None) -> None:
        if wait is None:
            return
        if wait > self._job.crawl.max_wait_seconds:
            message = f"a wait of {wait:.0f} s is asked for, more than crawl.max_wait_seconds"
            self._ledger.fault("refused", message, url=None)
            stop(self._crawler, "rate_limited")
        self._limits.hold(wait)

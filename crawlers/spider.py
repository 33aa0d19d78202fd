"""`SourceSpider`: what every source's spider shares. A spider builds requests and maps fields; nothing else.

A callback yields `Posting`, `Dropped`, `Fault` and further requests. It depends on its response and ``cb_kwargs``
alone: so ``valuation crawl reparse`` can call it again on stored responses, without the network.
"""

from __future__ import annotations

import json
import traceback
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import urlencode

import scrapy

from crawlers.fields import RecordFault, ShapeFault, describe
from crawlers.posting import Dropped, Posting

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
    from typing import Self

    from scrapy.crawler import Crawler
    from scrapy.http import Response
    from twisted.python.failure import Failure

    from crawlers.fields import Record
    from crawlers.job import Job, Window
    from valuation.config import SourceSettings


class SourceSpider(scrapy.Spider):
    """Base of all spiders: one package a source, ``crawlers/<name>/spider.py``, class attribute ``name``.

    A subclass defines `first_requests` and its callbacks.

    Attributes
    ----------
    token_header : (str, str)
        Name and form of the header that carries the token.
    """

    token_header: ClassVar[tuple[str, str]] = ("Authorization", "Bearer {}")
    job: Job

    @classmethod
    def from_crawler(cls, crawler: Crawler, *args: Any, **kwargs: Any) -> Self:  # noqa: ANN401  # Scrapy's signature
        """Make the spider of the crawl's job."""
        spider = super().from_crawler(crawler, *args, **kwargs)
        spider.job = crawler.parts.job  # type: ignore[attr-defined]
        return spider

    @classmethod
    def offline(cls, job: Job) -> Self:
        """Make a spider for reading stored responses."""
        spider = cls()
        spider.job = job
        return spider

    @property
    def source(self) -> SourceSettings:
        """Settings of the source."""
        return self.job.source

    @property
    def window(self) -> Window:
        """What this crawl is to cover."""
        return self.job.window

    async def start(self) -> AsyncIterator[scrapy.Request]:
        """Begin the crawl."""
        for request in self.first_requests():
            yield request

    def first_requests(self) -> Iterable[scrapy.Request]:
        """Requests that a crawl starts from."""
        raise NotImplementedError

    def get(
        self,
        path: str,
        callback: Callable[..., Any],
        *,
        params: Mapping[str, object] | None = None,
        headers: Mapping[str, str] | None = None,
        priority: int = 0,
        optional: bool = False,
        **cb_kwargs: Any,  # noqa: ANN401  # plain JSON values, handed to the callback
    ) -> scrapy.Request:
        """Request a path of the source, or a whole URL on it.

        Requests to other hosts are refused later, and the token is added later: neither is a spider's business. With
        `optional`, an answer of 404 or 410 means that the page is gone, which is no error.
        """
        url = path if path.startswith(("http://", "https://")) else self.source.base_url + path
        if params:
            url += ("&" if "?" in url else "?") + urlencode([(key, str(value)) for key, value in params.items()])
        return scrapy.Request(
            url,
            callback,
            errback=self.failed,
            headers=dict(headers or {}),
            priority=priority,
            meta={"optional": optional},
            cb_kwargs=cb_kwargs,
        )

    def post(
        self,
        path: str,
        callback: Callable[..., Any],
        *,
        data: object,
        **cb_kwargs: Any,  # noqa: ANN401  # plain JSON values, handed to the callback
    ) -> scrapy.Request:
        """Request a path of the source with a JSON body."""
        return scrapy.Request(
            self.source.base_url + path,
            callback,
            errback=self.failed,
            method="POST",
            body=json.dumps(data),
            headers={"Content-Type": "application/json"},
            cb_kwargs=cb_kwargs,
        )

    def failed(self, failure: Failure) -> None:
        """Write down a request that was given up."""
        self.crawler.parts.ledger.failed(failure)  # type: ignore[attr-defined]

    def json(self, response: Response) -> Any:  # noqa: ANN401  # whatever the server sent
        """Body of a response as JSON.

        Raises
        ------
        ShapeFault
            It is none.
        """
        try:
            return json.loads(self._decoded(response))
        except (ValueError, RecursionError) as error:
            raise ShapeFault("$", f"JSON ({str(error)[:80]})", None) from error

    def _decoded(self, response: Response) -> str:
        """Text of a body: UTF-8, else the stated character set, else with what cannot be read replaced and reported."""
        stated = (response.headers.get("Content-Type") or b"").decode("latin-1").partition("charset=")[2].strip("\"' ;")
        for encoding in ("utf-8-sig", stated):
            try:
                return response.body.decode(encoding)
            except (UnicodeDecodeError, LookupError):
                continue
        if hasattr(self, "crawler"):  # in a crawl, not in a reparse of it
            message = "the body is not in the character set that is stated; unreadable characters were replaced"
            ledger = self.crawler.parts.ledger  # type: ignore[attr-defined]
            ledger.fault("charset", message, url=response.url, response_id=response.meta.get("response_id"))
        return response.body.decode("utf-8", "replace")

    def records(
        self, items: Iterable[object], parse: Callable[[Record], Posting | Dropped]
    ) -> Iterator[Posting | Dropped]:
        """Read each record of a page; one that cannot be read does not cost the others."""
        for item in items:
            if not isinstance(item, dict):
                yield Dropped(None, None, "unreadable_record", f"expected an object, got {describe(item)}")
                continue
            try:
                yield parse(item)
            except RecordFault as error:
                yield Dropped(None, None, "no_id", str(error))
            except (
                TypeError,
                ValueError,
                KeyError,
                AttributeError,
                IndexError,
                OverflowError,
                RecursionError,
            ) as error:
                where = "".join(traceback.format_tb(error.__traceback__))  # not its text, which may quote the record
                self.logger.error("a record could not be read: %s\n%s", type(error).__name__, where)
                yield Dropped(None, None, "unreadable_record", f"{type(error).__name__} in the parser")

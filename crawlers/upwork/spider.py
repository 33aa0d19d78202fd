"""Searches of Upwork's GraphQL API, newest first, cut into parts where one shows too little."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, Any

import scrapy

from crawlers.fields import Record, ShapeFault, listing, mapping, records_of, text, whole
from crawlers.posting import Dropped, Fault, Posting
from crawlers.spider import SourceSpider
from crawlers.upwork.parse import parse_job
from crawlers.upwork.query import CAP, parts_of, search

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scrapy.http import Response

NAME = "marketplaceJobPostingsSearch"
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


class UpworkSpider(SourceSpider):
    """Job postings of Upwork's marketplace."""

    name = "upwork"

    def first_requests(self) -> Iterator[scrapy.Request]:
        """One search for each expression in ``queries``, or one for everything."""
        for expression in self.source.queries or ("",):
            yield self._page({"searchExpression_eq": expression} if expression else {})

    def _page(self, filters: dict[str, str], *, after: str | None = None, **state: Any) -> scrapy.Request:  # noqa: ANN401
        body = search(filters, size=min(self.source.page_size, CAP - state.get("read", 0)), after=after)
        return self.post("/graphql", self.parse_page, data=body, filters=filters, after=after, **state)

    def parse_page(
        self,
        response: Response,
        filters: dict[str, str],
        after: str | None = None,
        read: int = 0,
        parts: list[dict[str, str]] | None = None,
        counted: int = 0,
        whole_count: int = 0,
    ) -> Iterator[Posting | Dropped | Fault | scrapy.Request]:
        """Read one page of a search.

        Parameters
        ----------
        response : Response
        filters : dict
            Of this search.
        after : str, optional
            Cursor that this page begins after.
        read : int
            Results on the search's pages before.
        parts : list of dict, optional
            Filters of the searches still to be made beside this one.
        counted, whole_count : int
            Results of the parts before this one, and of the search that they are parts of.
        """
        data = self.json(response)
        errors = _errors(data)
        found = _connection(data, errors)
        if errors:
            yield Fault("shape", f"the answer is incomplete: {errors}")
        edges = records_of(found, "edges")
        nodes = [edge["node"] if isinstance(edge, dict) and "node" in edge else edge for edge in edges]
        records = list(self.records(nodes, partial(parse_job, kind=self.source.price_kind, zone=self.source.timezone)))
        yield from records
        total = whole(found, "totalCount")
        if after is None:
            yield from self._beside(total or 0, parts, counted, whole_count)
        if self._too_old(records):
            return
        if after is None and (total or 0) > CAP and (smaller := parts_of(filters)):
            yield self._page(smaller[0], parts=smaller[1:], whole_count=total)
            return
        yield from self._next(found, filters, after=after, read=read + len(edges), total=total)

    def _beside(
        self, total: int, parts: list[dict[str, str]] | None, counted: int, whole_count: int
    ) -> Iterator[Fault | scrapy.Request]:
        """Go on with the next part; after the last one, say what belongs to none of them."""
        counted += total
        if parts:
            yield self._page(parts[0], parts=parts[1:], counted=counted, whole_count=whole_count)
        elif parts is not None and counted < 0.99 * whole_count:  # 1 in 100 may come or go between two requests
            missing = whole_count - counted
            yield Fault("cap", f"{missing} of {whole_count} results carry no experience level: out of reach")

    def _next(
        self, found: Record, filters: dict[str, str], *, after: str | None, read: int, total: int | None
    ) -> Iterator[Fault | scrapy.Request]:
        """Request the following page, if there is one within reach."""
        info = mapping(found, "pageInfo")
        more, cursor = info.get("hasNextPage") is True, text(info, "endCursor")
        if more and read < CAP:
            if cursor is None or cursor == after:
                yield Fault("cap", f"no way on after {read} of {total or 'unknown'} results: the cursor does not move")
                return
            yield self._page(filters, after=cursor, read=read)
        elif read >= CAP and (more or (total or 0) > read):
            yield Fault("cap", f"{(total or read) - read} of {total or 'unknown'} results lie behind the first {read}")
        elif "hasNextPage" not in info:
            raise ShapeFault(f"$.data.{NAME}.pageInfo", "an object with the key 'hasNextPage'", found.get("pageInfo"))

    def _too_old(self, records: list[Posting | Dropped]) -> bool:
        start = self.window.start
        dates = [one.date_published for one in records if isinstance(one, Posting) and one.date_published]
        return start is not None and bool(dates) and max(dates) < start


def _errors(data: object) -> str:
    """What a GraphQL answer complains of, on one short line; ``''`` for nothing."""
    if not isinstance(data, dict) or not data.get("errors"):
        return ""
    found = [text(one, "message") for one in listing(data, "errors")[:3] if isinstance(one, dict)]
    said = "; ".join(_CONTROL.sub(" ", message).strip()[:120] for message in found if message)
    return said or "errors without a message"


def _connection(data: object, errors: str) -> Record:
    """Object that holds a search's results.

    Raises
    ------
    ShapeFault
        There is none; with what the API says about it.
    """
    inner = data.get("data") if isinstance(data, dict) else None
    found = inner.get(NAME) if isinstance(inner, dict) else None
    if isinstance(found, dict):
        return found
    raise ShapeFault(f"$.data.{NAME}", f"an object{f' (the API says: {errors})' if errors else ''}", found)

"""Asks for active projects, page by page of offsets."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from crawlers.fields import ShapeFault, mapping, records_of, text, whole
from crawlers.freelancer.parse import parse_project
from crawlers.paging import expect_keys, page_mark
from crawlers.posting import Fault
from crawlers.spider import SourceSpider

if TYPE_CHECKING:
    from collections.abc import Iterator

    import scrapy
    from scrapy.http import Response

    from crawlers.posting import Dropped, Posting

LARGEST_PAGE = 100
KEYS = (  # every project has them
    "id", "title", "type", "budget", "currency",
    ("description", "preview_description"), ("time_submitted", "submitdate"),
)  # fmt: skip
_PATH = "/api/projects/0.1/projects/active/"


class FreelancerSpider(SourceSpider):
    """Projects of ``/projects/active/``."""

    name = "freelancer"
    token_header: ClassVar[tuple[str, str]] = ("freelancer-oauth-v1", "{}")

    @property
    def page_size(self) -> int:
        """Projects asked for at once."""
        return min(self.source.page_size, LARGEST_PAGE)

    def first_requests(self) -> Iterator[scrapy.Request]:
        """Ask for the first page."""
        yield self.ask(0, "")

    def ask(self, offset: int, mark: str) -> scrapy.Request:
        """Request a page. Newest first: what is posted meanwhile pushes projects to later pages, it hides none."""
        params: dict[str, object] = {
            "limit": self.page_size,
            "offset": offset,
            "full_description": "true",
            "job_details": "true",
            "location_details": "true",
            "sort_field": "time_updated",
        }
        if self.window.start:
            params["from_time"] = int(self.window.start.timestamp())
        if self.window.until:
            params["to_time"] = int(self.window.until.timestamp())
        return self.get(_PATH, self.read, params=params, offset=offset, mark=mark)

    def read(self, response: Response, offset: int, mark: str) -> Iterator[Posting | Dropped | Fault | scrapy.Request]:
        """Read one page, and ask for the next unless this one is the last."""
        projects, total = self._shape(response)
        mark_here = page_mark(project.get("id") if isinstance(project, dict) else None for project in projects)
        if projects and mark_here == mark:
            yield Fault("cap", f"the page at offset {offset} repeats the page before it: no page after it was read")
            return
        yield from self.records(
            projects, partial(parse_project, kind=self.source.price_kind, zone=self.source.timezone)
        )
        after = offset + len(projects)
        if projects and (total is None or after < total):
            yield self.ask(after, mark_here)
        elif total is not None and (total - after >= self.page_size or (after == 0 and total > 0)):
            # Projects close while pages are read; a whole page that is missing is no such accident.
            yield Fault("cap", f"{total} projects are announced, {after} came: the pages end early")

    def _shape(self, response: Response) -> tuple[list[object], int | None]:
        """Projects and announced number of a page; an error, or a page of another shape, is a `ShapeFault`."""
        data = self.json(response)
        if isinstance(data, dict) and data.get("status", "success") != "success":
            code = re.sub(r"[^\w.-]", "", text(data, "error_code") or "")[:80] or "no error_code"
            raise ShapeFault(f"$.status ({code})", "'success'", data.get("status"))
        projects = records_of(data, "result", "projects")
        expect_keys(projects, "$.result.projects[*]", KEYS)
        budgets = [project.get("budget") for project in projects if isinstance(project, dict)]
        expect_keys(budgets, "$.result.projects[*].budget", [("minimum", "maximum")])
        return projects, whole(mapping(data, "result"), "total_count")

"""Asks for active projects, page by page of offsets."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from crawlers.fields import ShapeFault, mapping, records_of, text, whole
from crawlers.freelancer.parse import parse_project
from crawlers.paging import ends_early, expect_keys, is_full, page_mark
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

    def ask(self, offset: int, mark: str, width: int = 0, announced: int = 0) -> scrapy.Request:
        """Request a page. Newest first: what is posted meanwhile pushes projects to later pages, it hides none.

        `mark`, `width` and `announced` tell of the pages before it, as in `crawlers.paging.Cursor`.
        """
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
        return self.get(_PATH, self.read, params=params, offset=offset, mark=mark, width=width, announced=announced)

    def read(
        self, response: Response, offset: int, mark: str, width: int = 0, announced: int = 0
    ) -> Iterator[Posting | Dropped | Fault | scrapy.Request]:
        """Read one page, and ask for the next unless this one is the last."""
        projects, total = self._shape(response, offset)
        announced = max(announced, total or 0)
        mark_here = page_mark(project.get("id") if isinstance(project, dict) else None for project in projects)
        if projects and mark_here == mark:
            if total is not None and offset == announced:  # asked for on the mere suspicion that there are more
                return
            yield Fault("cap", f"the page at offset {offset} repeats the page before it: no page after it was read")
            return
        yield from self.records(
            projects, partial(parse_project, kind=self.source.price_kind, zone=self.source.timezone)
        )
        after = offset + len(projects)
        if projects and (total is None or after < announced or is_full(len(projects), self.page_size, width)):
            yield self.ask(after, mark_here, max(width, len(projects)), announced)
        elif ends_early(announced, after):
            yield Fault("cap", f"{announced} projects are announced, {after} came: the pages end early")

    def _shape(self, response: Response, offset: int) -> tuple[list[object], int | None]:
        """Projects and announced number of a page; an error, or a page of another shape, is a `ShapeFault`.

        Past the last project the list may be null.
        """
        data = self.json(response)
        if isinstance(data, dict) and data.get("status", "success") != "success":
            code = re.sub(r"[^\w.-]", "", text(data, "error_code") or "")[:80] or "no error_code"
            raise ShapeFault(f"$.status ({code})", "'success'", data.get("status"))
        result = mapping(data, "result") if isinstance(data, dict) else {}
        past_the_end = offset > 0 and "projects" in result and result["projects"] is None
        projects = [] if past_the_end else records_of(data, "result", "projects")
        expect_keys(projects, "$.result.projects[*]", KEYS)
        budgets = [project.get("budget") for project in projects if isinstance(project, dict)]
        expect_keys(budgets, "$.result.projects[*].budget", [("minimum", "maximum")])
        return projects, whole(result, "total_count")

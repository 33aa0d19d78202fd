"""JSON-LD of a page -> its JobPosting objects, wherever they stand."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from scrapy.http import TextResponse

    from crawlers.fields import Record

TYPE = "JobPosting"


@dataclass(frozen=True, slots=True)
class Found:
    """What the scripts of a page hold.

    Attributes
    ----------
    postings : tuple of mapping
        In the order of the page.
    broken : int
        Scripts that speak of a JobPosting but are no JSON.
    """

    postings: tuple[Record, ...]
    broken: int


def read_page(response: TextResponse) -> Found:
    """Read every JSON-LD script by itself: a broken one does not cost the others."""
    from extruct.jsonld import JsonLdExtractor  # type: ignore[import-untyped]

    extractor = JsonLdExtractor()
    postings: list[Record] = []
    broken = 0
    kind = "translate(@type, 'ACDIJLNOPST', 'acdijlnopst')"
    for script in response.xpath(f"//script[contains({kind}, 'application/ld+json')]"):
        content = "".join(script.xpath("text()").getall())
        if TYPE not in content:
            continue
        try:
            items = extractor.extract(f'<script type="application/ld+json">{content}</script>')
        except (ValueError, RecursionError):
            broken += 1
            continue
        postings.extend(job_postings(items))
    return Found(tuple(postings), broken)


def job_postings(items: object) -> list[Record]:
    """JobPosting objects at any depth, in order; inside one, no others are looked for.

    >>> graph = {"@graph": [{"@type": "WebPage"}, {"@type": ["Thing", "https://schema.org/JobPosting"], "title": "A"}]}
    >>> [found["title"] for found in job_postings([graph, {"@type": "JobPosting", "title": "B"}])]
    ['A', 'B']
    """
    found: list[Record] = []
    left = [items]
    while left:  # not recursive: a page may nest as deep as it likes
        item = left.pop()
        if isinstance(item, dict):
            if _is_posting(item.get("@type")):
                found.append(item)
            else:
                left.extend(reversed(list(item.values())))
        elif isinstance(item, list):
            left.extend(reversed(item))
    return found


def _is_posting(kind: object) -> bool:
    kinds = kind if isinstance(kind, list) else [kind]
    return any(isinstance(one, str) and re.split(r"[/#:]", one.strip())[-1] == TYPE for one in kinds)

"""All sources behind one door: which one a path belongs to, its answer, its truth."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from crawlers.replay import boards, feeds, github, github_records, hackernews, sites, upwork
from crawlers.replay.exchange import Answer, Ask, Truth, View
from crawlers.replay.jobs import nasty
from crawlers.replay.settings import MOST_POSTINGS, SOURCES, ReplaySettings
from crawlers.replay.world import World

Handler = Callable[[Ask, View], Answer | None]
HANDLERS: dict[str, Handler] = {
    "github": github.handle,
    "hackernews": hackernews.handle,
    "freelancer": boards.freelancer,
    "freelancehunt": boards.freelancehunt,
    "upwork": upwork.handle,
    "himalayas": feeds.himalayas,
    "remotive": feeds.remotive,
    "remoteok": feeds.remoteok,
    "jobposting": sites.handle,
}
_STARTS = (
    ("/search/issues", "github"), ("/repos/", "github"), ("/api/v1/", "hackernews"), ("/api/projects/", "freelancer"),
    ("/v2/", "freelancehunt"), ("/graphql", "upwork"), ("/jobs/api", "himalayas"), ("/api/remote-jobs", "remotive"),
)  # fmt: skip
_SITE = ("/sitemap", "/jobs/", "/private/", "/about", "/blog/")


def source_of(path: str) -> str:
    """Source that a path belongs to; ``''`` where it is nobody's.

    >>> source_of("/jobs/api"), source_of("/jobs/fix-a-page-3"), source_of("/robots.txt")
    ('himalayas', 'jobposting', '')
    """
    if path.rstrip("/") == "/api":
        return "remoteok"
    found = next((source for start, source in _STARTS if path.startswith(start)), "")
    return found or ("jobposting" if path.startswith(_SITE) else "")


def world_of(settings: ReplaySettings, source: str, endless: str = "") -> World:
    """World of a source under these settings."""
    size = min(settings.postings, MOST_POSTINGS.get(source, settings.postings))
    return World(settings.seed, source, size, settings.edition, endless)


def truth(settings: ReplaySettings, source: str) -> Iterator[Truth]:
    """Records that a perfect crawl of one edition ends with, oldest first.

    Where the fault ``nasty_prices`` or ``reversed_price`` is in force for the whole source, prices are those that it
    gives; for sources with prices in number fields, a crawl may leave a price text in such a field unread.

    Raises
    ------
    ValueError
        No such source.
    """
    if source not in SOURCES:
        raise ValueError(f"source {source!r}: expected one of {', '.join(SOURCES)}")
    world = world_of(settings, source)
    names = {fault.name for fault in settings.faults if fault.source in ("", source) and not fault.times}
    for number in range(world.count):
        row = _row(world, source, number, is_nasty="nasty_prices" in names)
        if row is None:
            continue
        if "reversed_price" in names:
            row = _reversed(world, source, number, row)
        yield row


def _reversed(world: World, source: str, number: int, row: Truth) -> Truth:
    """Row as ``reversed_price`` leaves it: only prices that are ranges, or texts, can be reversed."""
    fixed_fields = source == "freelancehunt" or (source == "upwork" and row.unit != "hour")
    in_label = source == "github" and github_records.family(world, number) != "expensify"
    if row.kind != "posting" or row.why or fixed_fields or in_label:
        return row
    return replace(row, low=None, high=None, why="reversed")


def _row(world: World, source: str, number: int, *, is_nasty: bool) -> Truth | None:
    if source == "github":
        row = github_records.truth(world, number)
        quote = nasty(number)
        priced = github_records.family(world, number) == "expensify"
        if not (is_nasty and priced):
            return row
        return replace(row, low=quote.low, high=quote.high, currency=quote.currency, unit=quote.unit, why=quote.why)
    if source == "hackernews":
        return hackernews.truth(world, number, is_nasty=is_nasty)
    if source == "jobposting":
        return sites.truth(world, number, is_nasty=is_nasty)
    if source == "remotive":
        return feeds.remotive_truth(world, number, is_nasty=is_nasty)
    plain: dict[str, Callable[[World, int], Truth | None]] = {
        "freelancer": boards.freelancer_truth,
        "freelancehunt": boards.freelancehunt_truth,
        "upwork": upwork.truth,
        "himalayas": feeds.himalayas_truth,
        "remoteok": feeds.remoteok_truth,
    }
    return plain[source](world, number)

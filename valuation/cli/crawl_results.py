"""What the crawl verbs print for people, from what the workspace returns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from valuation.cli.output import grid, indented, paragraph

if TYPE_CHECKING:
    from pathlib import Path

    from crawlers.scaffold import NewSource
    from valuation.collection.crawl import CrawlResult, SourceResult
    from valuation.collection.judged import Differing
    from valuation.collection.sources import SourceState
    from valuation.pipeline.retention import RetentionReport


@dataclass(frozen=True, slots=True)
class CrawledSource:
    """One source; ``records_in`` = new + changed + unchanged + repeated + dropped."""

    source: str
    good: bool
    kind: str
    outcome: str
    reason: str
    records_in: int
    new: int
    changed: int
    unchanged: int
    repeated: int
    dropped: int
    dropped_reasons: dict[str, int]
    prices: dict[str, int]
    requests: int
    postings: int
    versions: int
    quarantined: int
    waiting_for_rate: int
    missed: tuple[str, ...]
    first_differing: str | None


@dataclass(frozen=True, slots=True)
class Crawled:
    """A crawl, or a reparse."""

    good: bool
    interrupted: bool
    sources: tuple[CrawledSource, ...]
    report: Path


@dataclass(frozen=True, slots=True)
class Sources:
    """All sources."""

    sources: tuple[SourceState, ...]


def crawled(result: CrawlResult) -> Crawled:
    """Bring a result into the shape that is printed."""
    return Crawled(result.good, result.interrupted, tuple(_source(one) for one in result.sources), result.report)


def _source(one: SourceResult) -> CrawledSource:
    judged, counts = one.judged, one.judged.counts
    differing = judged.differing
    dropped = counts.by_key("dropped") | {
        name: n for name in ("duplicate_id", "outside_window") if (n := counts.of("record", name))
    }
    return CrawledSource(
        source=judged.name,
        good=judged.good,
        kind=judged.kind,
        outcome=counts.outcome,
        reason=counts.reason,
        records_in=counts.records,
        new=counts.of("record", "new"),
        changed=counts.of("record", "changed"),
        unchanged=counts.of("record", "unchanged"),
        repeated=counts.of("record", "repeated"),
        dropped=sum(dropped.values()),
        dropped_reasons=dropped,
        prices=counts.by_key("price"),
        requests=counts.of("requests"),
        postings=one.exported.postings,
        versions=one.exported.versions,
        quarantined=sum(n for _, n in one.exported.quarantined),
        waiting_for_rate=dict(one.exported.quarantined).get("no_rate", 0),
        missed=tuple(f"{one.name}: {one.found}, expected {one.expected}" for one in judged.verdicts if not one.met),
        first_differing=_differing(differing) if differing else None,
    )


def _differing(found: Differing) -> str:
    status = f"HTTP {found.status}" if found.status else "no complete answer"
    return f"{found.url} ({status}): {found.what}"


def crawl(result: Crawled) -> str:
    """Counts by source, what was missed, where the report lies."""
    headers = ("source", "in", "new", "versions", "known", "dropped", "postings", "result")
    rows = [
        (
            one.source, one.records_in, one.new, one.changed, one.unchanged + one.repeated, one.dropped, one.postings,
            "good" if one.good else one.reason if one.outcome == "stopped" else "below expectation",
        )
        for one in result.sources
    ]  # fmt: skip
    lines = [grid(headers, rows)] if rows else []
    for one in result.sources:
        lines += [indented(paragraph(f"{one.source}: {missed}")) for missed in one.missed]
        if one.waiting_for_rate:
            text = (
                f"{one.waiting_for_rate:,} postings have no exchange rate; give it in currency.rates_file, then reparse"
            )
            lines.append(indented(paragraph(f"{one.source}: {text}")))
        if one.first_differing:
            lines.append(indented(paragraph(f"{one.source}: first differing answer: {one.first_differing}")))
    return "\n".join([*lines, str(result.report)])


def sources(result: Sources) -> str:
    """One row a source; why it is off below."""
    headers = ("source", "on", "token", "retention", "postings", "last crawl")
    rows = [
        (one.name, one.enabled, one.token, one.retention, one.postings, (one.last_crawl or "-")[:16])
        for one in result.sources
    ]
    notes = [indented(paragraph(f"{one.name}: {one.note}")) for one in result.sources if one.note]
    return "\n".join([grid(headers, rows), *notes])


def expired(result: RetentionReport) -> str:
    """What was deleted."""
    return paragraph(str(result))


def made(result: NewSource) -> str:
    """The new files, and what to do next."""
    return "\n".join([*(str(path) for path in result.files), paragraph(result.next_step)])

"""The crawl report: ``crawl/reports/<time>/report.json`` for programs, ``report.html`` for people."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from importlib import resources
from typing import TYPE_CHECKING, Any

from crawlers.job import now
from valuation.tables import write_text

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from valuation.collection.crawl import SourceResult
    from valuation.storage import Layout

DAYS_SHOWN = 120  # the latest; all are in report.json
NAMES = {
    "new": "new",
    "changed": "new version of a known posting",
    "unchanged": "known, unchanged",
    "repeated": "seen twice in this crawl",
    "dropped": "no posting, or unreadable",
    "duplicate_id": "a second posting under one id",
    "outside_window": "outside --since and --until",
}


@dataclass(frozen=True, slots=True)
class Day:
    """Records of one day, by the date they were posted (dropped ones: seen)."""

    day: str
    new: int
    changed: int
    unchanged: int
    dropped: int


def write_crawl_report(layout: Layout, results: Sequence[SourceResult]) -> Path:
    """Write both files; returns the path of the page."""
    folder = layout.crawl / "reports" / now().strftime("%Y%m%dT%H%M%S%fZ")
    data = [source_data(result) for result in results]
    folder.mkdir(parents=True, exist_ok=True)
    write_text(folder / "report.json", json.dumps({"sources": data}, indent=1, ensure_ascii=False) + "\n")
    write_text(folder / "report.html", page(data))
    write_text(layout.crawl / "reports" / "latest", folder.name + "\n")
    return folder / "report.html"


def source_data(result: SourceResult) -> dict[str, Any]:
    """One source's part of the report, as plain data."""
    judged, counts = result.judged, result.judged.counts
    return {
        "source": judged.name,
        "crawl_id": judged.crawl_id,
        "kind": judged.kind,
        "good": judged.good,
        "outcome": counts.outcome,
        "reason": counts.reason,
        "started_at": judged.started_at,
        "ended_at": judged.ended_at,
        "window": dict(judged.window),
        "requests": counts.of("requests"),
        "answers_by_status": counts.by_key("http"),
        "bytes": counts.of("bytes"),
        "retried": counts.of("scrapy", "retry/count"),
        "refused": counts.by_key("refused"),
        "failed": counts.by_key("failed"),
        "not_asked": counts.by_key("not_asked"),
        "records_in": counts.records,
        "records": {name: counts.of("record", name) for name in NAMES},
        "dropped": counts.by_key("dropped"),
        "prices": counts.by_key("price"),
        "fields": {name: counts.share("field", name) for name in counts.by_key("field")},
        "days": [asdict(day) for day in days(counts.counts)],
        "expectations": [asdict(verdict) for verdict in judged.verdicts],
        "first_differing": asdict(judged.differing) if judged.differing else None,
        "faults": [asdict(fault) for fault in judged.faults],
        "postings": result.exported.postings,
        "versions": result.exported.versions,
        "quarantined": dict(result.exported.quarantined),
    }


def days(counts: Any) -> list[Day]:  # noqa: ANN401  # mapping of (name, key) to int
    """Records by day, in order."""
    known = sorted({key for name, key in counts if name.startswith("day:")})
    kinds = ("new", "changed", "unchanged", "dropped")
    return [Day(day, *(counts.get((f"day:{kind}", day), 0) for kind in kinds)) for day in known]


def page(data: Sequence[dict[str, Any]]) -> str:
    """Render the page; everything that came from a source is escaped."""
    from jinja2 import Environment

    text = resources.files("valuation.collection").joinpath("crawl_report.html").read_text(encoding="utf-8")
    environment = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    return environment.from_string(text).render(sources=data, names=NAMES, shown=DAYS_SHOWN)

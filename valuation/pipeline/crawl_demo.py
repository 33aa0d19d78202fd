"""``valuation demo --crawl``: a local internet, crawled twice for real, and the whole way to a report."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from valuation.collection.crawl import CrawlResult, crawl
from valuation.config import load
from valuation.errors import BelowExpectation
from valuation.pipeline.run import run
from valuation.storage import held, make_workspace, open_layout

if TYPE_CHECKING:
    from valuation.config import Settings
    from valuation.progress import Progress
    from valuation.storage import Layout

SEED = 20261122
POSTINGS = 600  # of each source
SETTINGS = """# Settings of the crawl demo: a fast encoder. Its sources stood on a server of this machine.
[encoder]
name = "static"

[matching]
s_min = 0.5  # stated: the local internet's texts are far more alike than real ones, which "auto" would take as the rule

[series]
group_by = ["kind"]
"""


@dataclass(frozen=True, slots=True)
class CrawlDemo:
    """The demo's run, and its two crawls.

    Attributes
    ----------
    run_id : str
    folder : Path
        Of the run.
    reports : tuple of Path
        Crawl reports, in order.
    text : str
        What was found.
    """

    run_id: str
    folder: Path
    reports: tuple[Path, ...]
    text: str


def crawl_demo(root: Path, *, progress: Progress) -> CrawlDemo:
    """Start the replay server, crawl all sources, let a month pass, crawl again, import sessions, run.

    Parameters
    ----------
    root : Path
        A new or empty folder: it becomes a workspace. A demo that is there already goes on.

    Raises
    ------
    BelowExpectation
        A crawl did less than it should.
    """
    from crawlers.replay import ReplaySettings, serve
    from valuation.imports import import_sessions
    from valuation.simulation import WorldSettings, simulate_world, write_world

    layout = _workspace(root)
    settings = load(layout.settings)
    with held(layout, "demo --crawl"), serve(ReplaySettings(postings=POSTINGS, seed=SEED)) as server:
        local = _on(server.url, settings)
        crawls = []
        if not (layout.crawl / "reports").exists():  # else a demo goes on that has been there
            crawls.append(_crawled(layout, local, progress))
        server.set_edition(2)
        crawls.append(_crawled(layout, local, progress))
        progress.stage("import sessions")
        files = write_world(simulate_world(WorldSettings(postings=400), seed=SEED), layout.root / "input")
        import_sessions(layout, [str(files.sessions)], settings=settings, mapping=files.sessions_map, dry_run=False)
        result = run(layout, settings, progress)
    text = "\n".join(_line(one) for one in crawls)
    return CrawlDemo(result.run_id, result.folder, tuple(one.report for one in crawls), text)


def _workspace(root: Path) -> Layout:
    settings = root.expanduser() / "valuation.toml"
    begun = settings.is_file() and settings.read_text(encoding="utf-8", errors="replace") == SETTINGS
    return open_layout(root) if begun else make_workspace(root, settings=SETTINGS)


def _on(url: str, settings: Settings) -> Settings:
    """Settings with every source on a local server, and every source on: no live host is asked for anything."""
    sources = {
        name: source.model_copy(
            update={"base_url": url, "enabled": True, "requests_per_minute": 0.0, "requests_per_day": 0}
        )
        for name, source in settings.sources.items()
    }
    return settings.model_copy(update={"sources": sources})


def _crawled(layout: Layout, settings: Settings, progress: Progress) -> CrawlResult:
    """Crawl all sources with tokens that only the local server knows."""
    names = sorted(settings.sources)
    needing = [name for name in names if settings.sources[name].token == "required"]
    tokens = {f"VALUATION_{name.upper()}_TOKEN": "local" for name in needing}
    before = {variable: os.environ.get(variable) for variable in tokens}
    os.environ.update(tokens)
    try:
        result = crawl(layout, settings, names, since=None, until=None, progress=progress)
    finally:
        for variable, value in before.items():
            if value is None:
                del os.environ[variable]
            else:
                os.environ[variable] = value
    if result.interrupted:
        raise KeyboardInterrupt
    if not result.good:
        raise BelowExpectation(f"a crawl of the local server did less than it should; the report: {result.report}")
    return result


def _line(result: CrawlResult) -> str:
    """What a crawl brought, in one line."""
    counts = [source.judged.counts for source in result.sources]
    kind = "rerun" if all(source.judged.kind == "rerun" for source in result.sources) else "first crawl"
    records, new = sum(one.records for one in counts), sum(one.of("record", "new") for one in counts)
    changed, asked = sum(one.of("record", "changed") for one in counts), sum(one.of("requests") for one in counts)
    return f"{kind:11s} {records:7,} records, {new:6,} new, {changed:5,} new versions, {asked:5,} requests"

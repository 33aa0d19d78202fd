"""``valuation demo``: a simulated world with a known truth, the whole way to a report."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from valuation.config import load
from valuation.pipeline.run import run
from valuation.storage import held, make_workspace, open_layout
from valuation.tables import Growth, Validation, read_table, write_text

if TYPE_CHECKING:
    import pandas as pd

    from valuation.progress import Progress
    from valuation.simulation import WorldSettings
    from valuation.storage import Layout

SEED = 20260603
SETTINGS = """# Settings of the demo: a fast encoder, and a series for each kind of work.
[encoder]
name = "static"

[series]
group_by = ["kind"]
"""


@dataclass(frozen=True, slots=True)
class DemoResult:
    """The demo's run, with truth beside estimate."""

    run_id: str
    folder: Path
    text: str


def demo(root: Path, *, progress: Progress, world: WorldSettings | None = None) -> DemoResult:
    """Simulate a world, import its files, run, and compare with the truth.

    Parameters
    ----------
    root : Path
        A new or empty folder: it becomes a workspace, with the world's files under ``input/``. A demo that is there
        already is finished where it stopped, or found unchanged.
    world : WorldSettings, optional
        Another world than the demo's own, such as a smaller one.
    """
    from valuation.imports import import_postings, import_sessions
    from valuation.simulation import WorldSettings, simulate_world, write_world

    layout = open_layout(root) if _is_demo(root.expanduser()) else make_workspace(root, settings=SETTINGS)
    settings = load(layout.settings)
    with held(layout, "demo"):
        progress.stage("simulate a world")
        files = write_world(simulate_world(world or WorldSettings(), seed=SEED), layout.root / "input")
        write_text(layout.root / "truth.json", files.truth.read_text(encoding="utf-8"))
        progress.stage("import")
        import_postings(layout, [str(files.postings)], settings=settings, mapping=files.postings_map, dry_run=False)
        import_sessions(layout, [str(files.sessions)], settings=settings, mapping=files.sessions_map, dry_run=False)
        result = run(layout, settings, progress)
    return DemoResult(result.run_id, result.folder, _compare(layout, result.folder))


def _is_demo(folder: Path) -> bool:
    """Whether a demo has begun in `folder`: with its world written, or stopped before that."""
    settings = folder / "valuation.toml"
    begun = settings.is_file() and settings.read_text(encoding="utf-8", errors="replace") == SETTINGS
    return begun or (folder / "truth.json").is_file()


def _compare(layout: Layout, folder: Path) -> str:
    """Truth beside estimate, a line each."""
    truth: dict[str, Any] = json.loads((layout.root / "truth.json").read_text(encoding="utf-8"))
    growth = read_table(folder / "growth.parquet", Growth)
    both = growth[
        (growth["variation"] == "both") & (growth["pricer"] == "matching") & (growth["statistic"] == "mean_log")
    ]
    lines = [f"{'growth, first to last month':28s} {'truth':>8s} {'estimate':>9s}   95 % interval"]
    lines.append(_line("all work", truth["growth"], both[both["group_by"] == ""]))
    for kind, rate in sorted(truth["growth_by_group"].items()):
        lines.append(_line(f"  {kind}", rate, both[(both["group_by"] == "kind") & (both["group"] == kind)]))
    card = read_table(folder / "validation.parquet", Validation)
    fit = card[
        (card["measure"] == "squared_correlation") & (card["sample"] == "natural") & (card["pricer"] == "matching")
    ]
    if len(fit):
        lines.append(f"squared correlation of log prices on held-out postings: {fit['estimate'].iloc[0]:.2f}")
    lines.append("a relative, coarse measure: never a wage, an invoice or a saving")
    return "\n".join(lines)


def _line(name: str, truth: float, rows: pd.DataFrame) -> str:
    """One comparison; a dash where the group is too small for a figure."""
    if rows.empty:
        return f"{name:28s} {truth:+8.1%} {'–':>9s}   too few sessions or users"
    row = rows.iloc[0]
    return f"{name:28s} {truth:+8.1%} {row['growth']:+9.1%}   {row['lower']:+.1%} to {row['upper']:+.1%}"

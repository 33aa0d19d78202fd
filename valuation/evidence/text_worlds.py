"""The simulation study on worlds of texts: two exports, imported, embedded and run whole, a world at a time."""

from __future__ import annotations

import hashlib
import json
import tempfile
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from valuation.errors import ConfigError
from valuation.evidence.blocks import WorldRows
from valuation.evidence.worlds import STUDY_VERSION, Cell, Estimation
from valuation.evidence.would_warn import RULES
from valuation.simulation import WorldSettings, simulate_world, write_world
from valuation.simulation.vectors import WorldOptions
from valuation.tables import Growth, read_table, typed, write_table

if TYPE_CHECKING:
    from valuation.config import Settings
    from valuation.progress import Progress
    from valuation.simulation import World
    from valuation.storage import Layout

SETTINGS = '[encoder]\nname = "static"\n'
"""The bundled small encoder: the study asks about intervals, not about encoders."""
SMALL = WorldSettings(postings=600, sessions=400, users=160, months=2, rows_per_fault=0)


@dataclass(frozen=True, slots=True)
class TextCell:
    """A kind of world of texts."""

    name: str
    what: str
    settings: WorldSettings

    def path(self, out: Path, number: int, seed: int) -> Path:
        """Where a finished world's rows are kept."""
        made = json.dumps([STUDY_VERSION, SETTINGS, asdict(self.settings)], sort_keys=True)
        digest = hashlib.sha256(made.encode()).hexdigest()[:16]
        return out / "worlds" / f"text-{self.name}-{digest}-{seed}" / f"{number:06d}.parquet"


TEXT_CELLS = (
    TextCell("texts", "the demo's world, smaller: growth within kinds of work, and their mix moves", SMALL),
    TextCell("texts_mix", "the same without growth within kinds", replace(SMALL, growth_scale=0.0)),
)


def text_worlds_of(
    out: Path, *, worlds: int, cells: tuple[str, ...], seed: int, progress: Progress
) -> tuple[list[Cell], list[pd.DataFrame]]:
    """Rows of every world of texts, in the schema `WorldRows`; finished ones are read.

    Raises
    ------
    ConfigError
        An unknown kind of world.
    """
    known = {cell.name: cell for cell in TEXT_CELLS}
    unknown = [name for name in cells if name not in known]
    if unknown:
        raise ConfigError(f"no kind of world of texts {unknown[0]!r}; there are {', '.join(known)}")
    chosen, out = [cell for cell in TEXT_CELLS if not cells or cell.name in cells], out.expanduser()
    wanted = [(cell, number) for number in range(worlds) for cell in chosen]
    missing = [(cell, number) for cell, number in wanted if not cell.path(out, number, seed).exists()]
    progress.stage("run worlds of texts")
    for done, (cell, number) in enumerate(missing):
        write_table(text_world(cell, number=number, seed=seed), cell.path(out, number, seed), WorldRows)
        progress.advance(done + 1, len(missing))
    frames = [
        pd.concat([read_table(cell.path(out, n, seed), WorldRows) for n in range(worlds)], ignore_index=True)
        for cell in chosen
    ]
    return [Cell(cell.name, cell.what, WorldOptions(), Estimation()) for cell in chosen], frames


def text_world(cell: TextCell, *, number: int, seed: int) -> pd.DataFrame:
    """Simulate a world of texts, run it in a workspace of its own, and read what the run says."""
    from valuation.config import load
    from valuation.imports import import_postings, import_sessions
    from valuation.pipeline.run import run
    from valuation.progress import Silent
    from valuation.storage import held, make_workspace

    world = simulate_world(cell.settings, seed=int(np.random.SeedSequence([seed, number]).generate_state(1)[0]))
    with tempfile.TemporaryDirectory() as scratch:
        layout = make_workspace(Path(scratch) / "workspace", settings=SETTINGS)
        settings = load(layout.settings)
        with held(layout, "simulate"):
            files = write_world(world, Path(scratch) / "input")
            for bring, file, mapping in (
                (import_postings, files.postings, files.postings_map),
                (import_sessions, files.sessions, files.sessions_map),
            ):
                bring(layout, [str(file)], settings=settings, mapping=mapping, dry_run=False)
            return rows_of_run(layout, settings, run(layout, settings, Silent()).folder, world, number)


def rows_of_run(layout: Layout, settings: Settings, folder: Path, world: World, number: int) -> pd.DataFrame:
    """A run's growth beside its world's, and its report's warnings, in the schema `WorldRows`."""
    from valuation.pipeline.finished import read_manifest
    from valuation.pipeline.outputs import report_tables
    from valuation.report.warnings import warnings_of
    from valuation.storage import read_sessions

    manifest = read_manifest(folder)
    codes = {found.code for found in warnings_of(report_tables(layout, folder, manifest, read_sessions(layout)))}
    truth = world.truth.growth.set_index("kind").loc[""]
    growth = read_table(folder / "growth.parquet", Growth)
    headline = growth[
        (growth["group_by"] == "")
        & (growth["statistic"] == "mean_log")
        & (growth["pricer"] == settings.pricing.pricer)
        & ~growth["from_month"].str.contains("+", regex=False)
    ].set_index("variation")
    found = [
        (name, *headline.loc[variation, ["growth", "lower", "upper"]], truth[which])
        for name, variation, which in (
            ("users", "users", "expected_growth"),
            ("postings", "postings", "growth"),
            ("joint", "both", "expected_growth"),
        )
    ]
    found.append(("doubly_robust", *_robust(manifest), truth["expected_growth"]))
    series, *figures = zip(*found, strict=True)
    estimate, lower, upper, target = (np.log1p(np.array(part, dtype=np.float64)) for part in figures)
    columns: dict[str, object] = {
        "number": [number] * len(found),
        "series": list(series),
        "target": ["true"] * len(found),
        "estimate": estimate,
        "lower": lower,
        "upper": upper,
        "standard_error": (upper - lower) / (2 * 1.96),
        "truth": target,
    }
    return typed(columns | {rule: [rule in codes] * len(found) for rule in RULES}, WorldRows)


def _robust(manifest: dict[str, Any]) -> tuple[float, float, float]:
    """The doubly robust growth with its interval; NaN where the run gives none."""
    check = manifest["shift_check"]
    values = (check.get(name) for name in ("corrected_growth", "corrected_lower", "corrected_upper"))
    first, second, third = (float("nan") if value is None else float(value) for value in values)
    return first, second, third

"""Worlds in blocks: each is drawn once, kept in a file, and worked on by as many processes as there are."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pandera.pandas as pa
from pandera.typing import Series
from threadpoolctl import threadpool_limits

from valuation.evidence.study import Outcome, run_world
from valuation.evidence.would_warn import RULES
from valuation.tables import Table, read_table, typed, write_table

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from valuation.evidence.worlds import Cell
    from valuation.progress import Progress

BLOCK = 50
"""Worlds in a file: what an interruption can lose of each process's work."""


class WorldRows(Table):
    """One row an interval and target of a world; the warnings of a world stand in each of its rows."""

    number: Series[int] = pa.Field(ge=0)
    series: Series[str]
    target: Series[str]
    estimate: Series[float] = pa.Field(nullable=True, description="log points")
    lower: Series[float] = pa.Field(nullable=True)
    upper: Series[float] = pa.Field(nullable=True)
    standard_error: Series[float] = pa.Field(nullable=True)
    truth: Series[float] = pa.Field(nullable=True, description="what the interval should hold")
    shift_check: Series[bool]
    few_components: Series[bool]
    calibration_slope: Series[bool]
    matched_fall: Series[bool]
    few_users: Series[bool]
    one_user: Series[bool]
    few_postings: Series[bool]
    hubs: Series[bool]


@dataclass(frozen=True, slots=True)
class _Block:
    """Worlds ``first … last − 1`` of a cell."""

    cell: Cell
    first: int
    last: int
    seed: int

    def path(self, out: Path) -> Path:
        """Where it is kept: another seed, another make of the cell or another range is another file."""
        folder = out / "worlds" / f"{self.cell.name}-{self.cell.digest}-{self.seed}"
        return folder / f"{self.first:06d}-{self.last:06d}.parquet"


def worlds_of(
    out: Path, cells: tuple[Cell, ...], *, worlds: int, seed: int, processes: int, progress: Progress
) -> list[pd.DataFrame]:
    """Rows of every cell's worlds, in the schema `WorldRows`, ordered by world: read where they are, else made.

    Parameters
    ----------
    out : Path
        Folder of the study; finished blocks are kept under ``worlds/``.
    cells, worlds, seed, processes, progress
        As in `valuation.evidence.simulate.simulate`.
    """
    out = out.expanduser()
    by_round = [
        _Block(cell, first, min(first + BLOCK, worlds), seed) for first in range(0, worlds, BLOCK) for cell in cells
    ]  # all cells get their first worlds before any gets its next ones: a study that is stopped has something of each
    missing = [block for block in by_round if not block.path(out).exists()]
    progress.stage("draw worlds")
    with _at_work(missing, processes) as frames:
        for done, (block, frame) in enumerate(frames):
            write_table(frame, block.path(out), WorldRows)
            progress.advance(done + 1, len(missing))
    return [
        pd.concat(
            [read_table(block.path(out), WorldRows) for block in by_round if block.cell is cell], ignore_index=True
        )
        for cell in cells
    ]


@contextmanager
def _at_work(blocks: list[_Block], processes: int) -> Iterator[Iterator[tuple[_Block, pd.DataFrame]]]:
    """Blocks as they are finished, by this process alone or by several."""
    if processes == 1 or len(blocks) < 2:  # noqa: PLR2004
        with threadpool_limits(1):
            yield ((block, draw_block(block.cell, block.first, block.last, block.seed)) for block in blocks)
        return
    pool = ProcessPoolExecutor(min(processes, len(blocks)), mp_context=get_context("spawn"), initializer=_alone)
    try:
        running = {pool.submit(draw_block, block.cell, block.first, block.last, block.seed): block for block in blocks}
        yield ((running[future], future.result()) for future in as_completed(running))
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _alone() -> None:
    """Keep a process to one thread: more would only wait for each other. Ctrl-C ends it at once: it writes nothing."""
    import signal

    import numba

    signal.signal(signal.SIGINT, signal.SIG_DFL)
    numba.set_num_threads(1)
    threadpool_limits(1)


def draw_block(cell: Cell, first: int, last: int, seed: int) -> pd.DataFrame:
    """Worlds ``first … last − 1`` of a cell as rows in the schema `WorldRows`."""
    return _rows([run_world(cell, number=number, seed=seed) for number in range(first, last)])


def _rows(outcomes: list[Outcome]) -> pd.DataFrame:
    found = [
        (outcome, estimate, target)
        for outcome in outcomes
        for estimate in outcome.estimates
        for target in outcome.targets
        if target.series == estimate.series
    ]
    columns: dict[str, object] = {
        "number": [outcome.number for outcome, _, _ in found],
        "series": [estimate.series for _, estimate, _ in found],
        "target": [target.target for _, _, target in found],
        "truth": np.array([target.change for _, _, target in found], dtype=np.float64),
    }
    for name in ("estimate", "lower", "upper", "standard_error"):
        columns[name] = np.array([getattr(estimate, name) for _, estimate, _ in found], dtype=np.float64)
    columns |= {rule: [getattr(outcome.warned, rule) for outcome, _, _ in found] for rule in RULES}
    return typed(columns, WorldRows)

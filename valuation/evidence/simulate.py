"""``valuation simulate``: many worlds of each kind, and how often the intervals held what they should."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from valuation.evidence.blocks import worlds_of
from valuation.evidence.coverage import study_table, warnings_table
from valuation.evidence.shown_study import as_text
from valuation.evidence.worlds import cells_named
from valuation.tables import SimulationStudy, write_table
from valuation.tables.evidence import SimulationWarnings

if TYPE_CHECKING:
    import pandas as pd

    from valuation.progress import Progress


@dataclass(frozen=True, slots=True)
class SimulationResult:
    """A finished study.

    Attributes
    ----------
    path : Path
        The table SimulationStudy, Parquet; how often each warning fires stands beside it, in ``…_warnings.parquet``.
    worlds : int
        Worlds a cell.
    table : DataFrame
        In that schema.
    """

    path: Path
    worlds: int
    table: pd.DataFrame

    def text(self) -> str:
        """The table for people: coverage with its Monte Carlo error, bias and RMSE."""
        return as_text(self.table)


def simulate(
    out: Path, *, worlds: int, cells: tuple[str, ...], seed: int, processes: int, text: bool, progress: Progress
) -> SimulationResult:
    """Draw worlds whose truth is known and count how often the intervals hold it.

    What is drawn depends on (seed, cell, number of the world) alone: a study that was stopped goes on where it was, one
    of more worlds begins with those of one of fewer, and figures do not depend on `processes`.

    Parameters
    ----------
    out : Path
        Folder of the table and of finished blocks of worlds; made if missing.
    worlds : int
        Worlds a cell, at least 2.
    cells : tuple of str
        Names of kinds of world; empty = all.
    seed : int
        Of the study, at least 0.
    processes : int
        Worlds worked on at once; worlds of texts go one after another.
    text : bool
        Worlds of texts, imported and run whole, instead of worlds of vectors.
    progress : Progress

    Raises
    ------
    ConfigError
        An unknown kind of world.
    EnvironmentFault
        The folder cannot be written to.
    """
    if text:
        from valuation.evidence.text_worlds import text_worlds_of

        chosen, frames = text_worlds_of(out, worlds=worlds, cells=cells, seed=seed, progress=progress)
    else:
        chosen = list(cells_named(cells))
        frames = worlds_of(out, tuple(chosen), worlds=worlds, seed=seed, processes=processes, progress=progress)
    level = "text" if text else "vector"
    table = study_table(chosen, frames, level=level)
    name = "simulation_text" if text else "simulation"
    path = out.expanduser() / f"{name}.parquet"
    write_table(table, path, SimulationStudy)
    write_table(warnings_table(chosen, frames, level=level), path.with_stem(f"{name}_warnings"), SimulationWarnings)
    return SimulationResult(path, worlds, table)

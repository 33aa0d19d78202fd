"""``valuation placebo``: what should be nothing and whether it is, and what should be something."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from valuation.core.growth import Rate
from valuation.errors import ThinMatchError
from valuation.evidence.baskets import halves, sources_out, vintages
from valuation.evidence.findings import Found, draws_table, findings_table, not_judged
from valuation.evidence.headline import headline_of
from valuation.evidence.permutations import permuted
from valuation.evidence.readings import readings
from valuation.evidence.shuffles import shuffled
from valuation.evidence.tilt_backtest import tilt_backtest
from valuation.evidence.weights import lengths, users_equal
from valuation.pipeline.finished import read_manifest
from valuation.pipeline.outputs import write_report
from valuation.pipeline.reopened import reopen
from valuation.tables import Placebo, PlaceboDraws, TiltBacktest, typed, write_table

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pandas as pd

    from valuation.config import Settings
    from valuation.evidence.headline import Headline
    from valuation.pipeline.reopened import ReopenedRun
    from valuation.progress import Progress
    from valuation.storage import Layout

NAMES = (
    "months_permuted", "prices_shuffled", "basket_halves", "length_matched", "frozen_sessions", "leave_one_source_out",
    "users_equal", "tilt_backtest", "price_axis",
)  # fmt: skip
UNITS = {
    "slope": "", "studentised": " standard errors", "correlation": "", "explained_share": " of growth",
    "tilts_missed": " tilts",
}  # fmt: skip
"""Units of measures that are not log points."""
MARKS = {"yes": "yes", "no": "NO ", "not_judged": " - "}
WIDTH = 76


@dataclass(frozen=True, slots=True)
class PlaceboResult:
    """The placebos of a run.

    Attributes
    ----------
    run_id : str
    folder : Path
        Of the run.
    path, draws_path, tilts_path : Path
        The tables `placebo`, `placebo_draws` and `tilt_backtest`.
    growth, lower, upper : float
        The headline that they are about: growth (0.27 = 27 %) and its joint interval; NaN where there is none.
    n_passed, n_failed, n_not_judged : int
        Rows by verdict.
    table : DataFrame
        A `Placebo` table.
    """

    run_id: str
    folder: Path
    path: Path
    draws_path: Path
    tilts_path: Path
    growth: float
    lower: float
    upper: float
    n_passed: int
    n_failed: int
    n_not_judged: int
    table: pd.DataFrame

    def text(self) -> str:
        """Every figure for a person, with its verdict: as it should be, not so, or shown without one."""
        growth = "no growth figure"
        if np.isfinite(self.growth):
            growth = f"growth {self.growth:+.1%}, joint interval {self.lower:+.1%} to {self.upper:+.1%}"
        lines = [
            f"placebos of run {self.run_id}",
            growth,
            f"{self.n_passed} as they should be (yes), {self.n_failed} not (NO), {self.n_not_judged} shown without a "
            "verdict (-)",
            "log points where no unit is named; in brackets intervals, or what the draws span",
        ]
        lines += [line for row in self.table.itertuples(index=False) for line in _lines(row)]
        lines += ["a relative, coarse measure: never a wage, an invoice or a saving", str(self.path.resolve())]
        return "\n".join(lines)


def _lines(row: Any) -> list[str]:  # noqa: ANN401 - a row of `Placebo`, by name
    """One row of the table: verdict and figure, then the reason where it has one."""
    name = ", ".join(part for part in (row.placebo.replace("_", " "), row.cell, row.measure.replace("_", " ")) if part)
    figure = f"{row.estimate:.3f}{UNITS.get(row.measure, '')}" if np.isfinite(row.estimate) else "none"
    if np.isfinite([row.lower, row.upper]).all():
        figure += f" [{row.lower:.3f}, {row.upper:.3f}]"
    if np.isfinite(row.expected):
        figure += f", expected {row.expected:.3g}"
    if np.isfinite(row.p_value):
        figure += f", p = {row.p_value:.3g}"
    whole = f"{MARKS[row.passed]}  {name}: {figure}; n = {row.n:,}"
    if isinstance(row.reason, str) and not row.reason.startswith("shown"):
        whole += f" ({row.reason})"
    return textwrap.wrap(whole, WIDTH, subsequent_indent="     ", break_on_hyphens=False)


def placebo(layout: Layout, settings: Settings, progress: Progress) -> PlaceboResult:
    """Run every placebo on the run with these settings, which is made if it is not there.

    A placebo that the data do not allow is a row `not_judged` with the reason.

    Raises
    ------
    InputError
        No sessions, or a damaged table.
    ThinMatchError
        Too few postings, sessions or users for a run at all.
    """
    run = reopen(layout, settings, progress)
    headline = headline_of(run)
    if headline is None:
        why = "fewer than two complete months with enough sessions and users: there is no growth to test"
        found, tilts = [not_judged(name, why) for name in NAMES], typed({}, TiltBacktest)
    else:
        found, tilts = _all(run, headline, layout, progress)
    return _write(layout, run, headline, found, tilts)


def _all(run: ReopenedRun, headline: Headline, layout: Layout, progress: Progress) -> tuple[list[Found], pd.DataFrame]:
    """Every placebo in turn."""
    parts: dict[str, Callable[[], Found]] = {
        "months_permuted": lambda: permuted(run, headline),
        "prices_shuffled": lambda: shuffled(run, headline),
        "basket_halves": lambda: halves(run, headline, progress),
        "length_matched": lambda: lengths(run, headline),
        "frozen_sessions": lambda: vintages(run, headline, progress),
        "leave_one_source_out": lambda: sources_out(run, headline, progress),
        "users_equal": lambda: users_equal(run, headline),
        "price_axis": lambda: readings(run, headline),
    }
    found = []
    for name, part in parts.items():
        progress.stage(f"placebo: {name.replace('_', ' ')}")
        try:
            found.append(part())
        except ThinMatchError as error:
            found.append(not_judged(name, str(error)))
    progress.stage("placebo: tilt backtest")
    tilted, tilts = tilt_backtest(run, headline, layout)
    return [*found, tilted], tilts


def _write(
    layout: Layout, run: ReopenedRun, headline: Headline | None, found: list[Found], tilts: pd.DataFrame
) -> PlaceboResult:
    """Write the three tables beside the run's, and its report again."""
    table = findings_table(found)
    paths = [run.folder / f"{name}.parquet" for name in ("placebo", "placebo_draws", "tilt_backtest")]
    write_table(table, paths[0], Placebo)
    write_table(draws_table(found), paths[1], PlaceboDraws)
    write_table(tilts, paths[2], TiltBacktest)
    write_report(layout, run.folder, read_manifest(run.folder), run.sessions.frame)
    ends = headline.interval if headline is not None else Rate(np.nan, np.nan, np.nan)
    counts = table["passed"].value_counts()
    return PlaceboResult(
        run_id=run.run_id,
        folder=run.folder,
        path=paths[0],
        draws_path=paths[1],
        tilts_path=paths[2],
        growth=float(np.expm1(ends.estimate)),
        lower=float(np.expm1(ends.lower)),
        upper=float(np.expm1(ends.upper)),
        n_passed=int(counts.get("yes", 0)),
        n_failed=int(counts.get("no", 0)),
        n_not_judged=int(counts.get("not_judged", 0)),
        table=table,
    )

"""How often the audit's intervals hold the truth, in worlds whose pricer is wrong on purpose.

``python -m valuation.evidence.audit_study [WORLDS]`` prints the table of docs/audit-method.md.
"""

from __future__ import annotations

import sys
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING
from zlib import crc32

import numba
import numpy as np

from valuation.core.audit_estimate import estimate_audit
from valuation.core.audit_growth import audited_growth
from valuation.core.audit_variance import variance_of
from valuation.evidence.audit_worlds import AUDIT_CELLS, audit_cells_named, audit_world
from valuation.evidence.coverage import LIMITS
from valuation.progress import Silent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from valuation.evidence.audit_worlds import AuditCell
    from valuation.progress import Progress

LEVEL = 0.95
SEED = 1
SERIES = ("plain growth", "audited growth", "audited growth, poisson", "plain level", "audited level")
"""What is looked at in each world; levels are the last month's."""
CONTRAST = np.array([-1.0, 1.0])


@dataclass(frozen=True, slots=True)
class AuditFigures:
    """What came of a series in the worlds of one kind, log points.

    Attributes
    ----------
    cell, series : str
    worlds : int
    bias : float
        Mean error.
    spread : float
        Standard deviation of the estimates' errors.
    error_ratio : float
        Root mean square of standard errors over `spread`: 1 = as large as they should be.
    width : float
        Mean width of the interval.
    coverage, coverage_error : float
        Share of intervals with the truth inside, and its Monte Carlo error.
    slope : float
        Mean ``λ``.
    bounds : float
        Share of worlds where the bounds for non-response hold true growth; NaN for other series, and where all respond.
    promised : bool
        Whether coverage should lie in `LIMITS`.
    """

    cell: str
    series: str
    worlds: int
    bias: float
    spread: float
    error_ratio: float
    width: float
    coverage: float
    coverage_error: float
    slope: float
    bounds: float
    promised: bool

    @property
    def within_limits(self) -> bool:
        """Whether coverage is neither too low nor too high."""
        return bool(LIMITS[0] <= self.coverage <= LIMITS[1])


def audit_study(worlds: int, seed: int, cells: tuple[str, ...], progress: Progress) -> tuple[AuditFigures, ...]:
    """Draw worlds of each kind, audit them, and count how often intervals hold the truth.

    Parameters
    ----------
    worlds : int
        A kind, at least 2; more begin with the same ones.
    seed : int
        Of the study.
    cells : tuple of str
        Names of kinds; empty = all.
    progress : Progress

    Raises
    ------
    ConfigError
        An unknown kind.
    """
    chosen = audit_cells_named(cells)
    progress.stage("audit worlds")
    found: list[AuditFigures] = []
    with _one_thread():
        for at, cell in enumerate(chosen):
            rows = np.array([_audited(cell, number, seed) for number in range(worlds)])
            found += [_figures(cell, series, rows[:, place]) for place, series in enumerate(SERIES)]
            progress.advance(at + 1, len(chosen))
    return tuple(found)


@contextmanager
def _one_thread() -> Iterator[None]:
    """Draws of a small world take less time than waking a second thread does."""
    before = numba.get_num_threads()
    numba.set_num_threads(1)
    try:
        yield
    finally:
        numba.set_num_threads(before)


def _audited(cell: AuditCell, number: int, seed: int) -> NDArray[np.float64]:
    """Error, standard error, lower and upper end less the truth, λ, and whether bounds hold: shape (n_series, 6)."""
    rng = np.random.default_rng(np.random.SeedSequence([seed, crc32(cell.name.encode()), number]))
    world = audit_world(cell, rng=rng)
    found = estimate_audit(world.sessions, n_months=2, unmatched=cell.unmatched, method="stratified", level=LEVEL)
    growth = audited_growth(found, from_month=0, to_month=1)
    truth = float(world.truth[1] - world.truth[0])
    variance = variance_of(found.sampled, CONTRAST)
    poisson, half = np.sqrt(variance.total("poisson")), variance.half_width("poisson", LEVEL)
    held = float(growth.lower_bound <= truth <= growth.upper_bound)
    audited, plain = growth.audited, growth.plain
    rows = [
        (plain.estimate, growth.plain_error, plain.lower, plain.upper, truth),
        (audited.estimate, growth.standard_error, audited.lower, audited.upper, truth),
        (audited.estimate, poisson, audited.estimate - half, audited.estimate + half, truth),
        *(
            (of.estimate[1], of.standard_error[1], of.lower[1], of.upper[1], world.truth[1])
            for of in (found.plain, found.audited)
        ),
    ]
    return np.array([(e - t, s, low - t, up - t, found.slope, held) for e, s, low, up, t in rows])


def _figures(cell: AuditCell, series: str, rows: NDArray[np.float64]) -> AuditFigures:
    """Summarise worlds, shape (n_worlds, 6)."""
    error, claimed, lower, upper, slope, held = rows.T
    coverage = float(((lower <= 0) & (upper >= 0)).mean())
    spread = float(error.std(ddof=1))
    return AuditFigures(
        cell.name, series, len(rows), float(error.mean()), spread, float(np.sqrt(np.square(claimed).mean()) / spread),
        float((upper - lower).mean()), coverage, float(np.sqrt(coverage * (1 - coverage) / len(rows))),
        float(slope.mean()), float(held.mean()) if series == "audited growth" and cell.missing != "none" else np.nan,
        cell in AUDIT_CELLS and series in ("audited growth", "audited level"),
    )  # fmt: skip


def as_markdown(figures: tuple[AuditFigures, ...]) -> str:
    """The figures as two tables: growth, and the levels of the last month."""
    cells = list(dict.fromkeys(figure.cell for figure in figures))
    by = {(figure.cell, figure.series): figure for figure in figures}
    lines = [
        "| world | λ | plain: bias | coverage | audited: bias | error | claimed/error | width | coverage "
        "| Poisson: claimed/error | coverage | bounds hold |",
        "| --- " * 12 + "|",
    ]
    for cell in cells:
        plain, audited, poisson = (by[cell, series] for series in SERIES[:3])
        lines.append(
            f"| `{cell}` | {audited.slope:.2f} | {plain.bias:+.3f} | {_share(plain)} | {audited.bias:+.3f} "
            f"| {audited.spread:.3f} | {audited.error_ratio:.2f} | {audited.width:.2f} | **{_share(audited)}** "
            f"| {poisson.error_ratio:.2f} | {_share(poisson)} "
            f"| {'' if np.isnan(audited.bounds) else f'{audited.bounds:.3f}'} |"
        )
    lines += ["", "| world | plain: bias | coverage | audited: bias | error | claimed/error | coverage |"]
    lines.append("| --- " * 7 + "|")
    for cell in cells:
        plain, audited = (by[cell, series] for series in SERIES[3:])
        lines.append(
            f"| `{cell}` | {plain.bias:+.3f} | {_share(plain)} | {audited.bias:+.3f} | {audited.spread:.3f} "
            f"| {audited.error_ratio:.2f} | **{_share(audited)}** |"
        )
    return "\n".join(lines)


def _share(figure: AuditFigures) -> str:
    missed = "" if figure.within_limits or not figure.promised else " (outside)"
    return f"{figure.coverage:.3f}{missed}"


if __name__ == "__main__":
    drawn = audit_study(int(sys.argv[1]) if len(sys.argv) > 1 else 1000, SEED, (), Silent())
    sys.stdout.write(as_markdown(drawn) + "\n")

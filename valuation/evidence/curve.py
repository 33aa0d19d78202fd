"""The specification curve as a table, a figure and a sentence, and how it is kept beside its run."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from valuation.pipeline.finished import read_manifest, read_run_table
from valuation.tables import Sensitivity, typed, write_atomic, write_table, write_text

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from valuation.evidence.specification_growth import Estimate
    from valuation.evidence.specifications import Specification
    from valuation.progress import Progress
    from valuation.storage import Layout

NAME, FIGURE, MARK = "sensitivity", "specification-curve.svg", "sensitivity.json"
CAVEAT = "a relative, coarse measure: never a wage, an invoice or a saving"


@dataclass(frozen=True, slots=True)
class JointTest:
    """The median over specifications against months permuted between users.

    Attributes
    ----------
    p_value : float
        Twice the smaller share of permutations whose median lies beyond the real one, itself counted among them.
    lower, upper : float
        Ends of the central share of permuted medians, growth. They need not lie around 0: who works most, and when,
        is kept by a permutation as far as nobody works as much.
    permutations : int
        With none, the figures are NaN.
    """

    p_value: float
    lower: float
    upper: float
    permutations: int


@dataclass(frozen=True, slots=True)
class Curve:
    """Specifications with their estimates, the headline first.

    Attributes
    ----------
    specifications : tuple of Specification
    estimates : tuple of Estimate
        In the same order.
    joint : JointTest
    """

    specifications: tuple[Specification, ...]
    estimates: tuple[Estimate, ...]
    joint: JointTest


@dataclass(frozen=True, slots=True)
class SensitivityResult:
    """Growth over all specifications; growth is a share (0.27 = 27 %).

    Attributes
    ----------
    run_id : str
        Identity of the headline's configuration and inputs: fixed before any other specification is seen.
    folder, path, figure : Path
        The run, its table ``sensitivity`` and the figure of the curve.
    specifications, without_figure : int
        All, and those of them that give no figure; the table says why.
    same_sign_share : float
        Share, of those with a figure, whose growth has the headline's sign.
    excluding_zero_share : float
        Share, of those with a figure, whose interval excludes zero; no interval excludes nothing.
    median, lowest, highest : float
        Growth.
    headline, headline_lower, headline_upper : float
        Growth of the run with its interval.
    headline_rank : int
        Its place in the order of growth, 1 = lowest.
    p_value : float
        Joint permutation p of the median; NaN without permutations.
    permuted_lower, permuted_upper : float
        Central share of the median's growth with months permuted between users.
    permutations : int
    unchanged : bool
        Nothing had changed since the last call.
    note : str
        What was asked for and is not there, and why; '' if nothing.
    table : DataFrame
        A Sensitivity table.
    """

    run_id: str
    folder: Path
    path: Path
    figure: Path
    specifications: int
    without_figure: int
    same_sign_share: float
    excluding_zero_share: float
    median: float
    lowest: float
    highest: float
    headline: float
    headline_lower: float
    headline_upper: float
    headline_rank: int
    p_value: float
    permuted_lower: float
    permuted_upper: float
    permutations: int
    unchanged: bool
    note: str
    table: pd.DataFrame

    def text(self) -> str:
        """Return what a person reads."""
        shown = self.specifications - self.without_figure
        missing = f" ({self.without_figure} more give no figure; the table says why)" if self.without_figure else ""
        chance = (
            f"joint permutation p of the median {self.p_value:.3f} ({self.permutations} permutations of months between "
            f"users, whose medians lie from {_percent(self.permuted_lower)} to {_percent(self.permuted_upper)})"
            if np.isfinite(self.p_value)
            else "no permutations were asked for"
        )
        lines = [
            f"growth of value per session under {shown} specifications{missing}: median {_percent(self.median)}, "
            f"from {_percent(self.lowest)} to {_percent(self.highest)}",
            f"headline {_percent(self.headline)} (interval {_percent(self.headline_lower)} to "
            f"{_percent(self.headline_upper)}), place {self.headline_rank} of {shown}, fixed beforehand as run "
            f"{self.run_id}",
            f"{self.same_sign_share:.0%} have its sign; {self.excluding_zero_share:.0%} have an interval without zero; "
            f"{chance}",
            *filter(None, [self.note]),
            CAVEAT,
            "nothing had changed" if self.unchanged else f"figure: {self.figure}",
            str(self.path),
        ]
        return "\n".join(lines)


def curve_table(curve: Curve) -> pd.DataFrame:
    """One row a specification, in the order of growth; equal ones in the order of the grid, those without last."""
    growth = np.array([found.growth for found in curve.estimates])
    order = np.argsort(growth, kind="stable")  # NaN goes last
    chosen = [curve.specifications[i] for i in order]
    found = [curve.estimates[i] for i in order]
    return typed(
        {
            "specification": np.arange(1, len(order) + 1),
            "headline": order == 0,
            "pricer": [s.pricer for s in chosen],
            "k": [s.k for s in chosen],
            "tau": [s.tau for s in chosen],
            "s_min": [s.s_min for s in chosen],
            "register_mode": [s.block.register_mode for s in chosen],
            "statistic": [s.statistic for s in chosen],
            "encoder": [s.block.encoder for s in chosen],
            "basket": [s.block.basket for s in chosen],
            "truncation": [f"{s.block.truncation:g}" if s.block.truncation else "none" for s in chosen],
            "weighting": [s.weighting for s in chosen],
            "growth": growth[order],
            "lower": [e.lower for e in found],
            "upper": [e.upper for e in found],
            "log_growth": [e.log_growth for e in found],
            "n_matched": [e.n_matched for e in found],
            "effective_users": [e.effective_users for e in found],
            "effective_postings": [e.effective_postings for e in found],
            "reason": [e.reason or None for e in found],
            "permutations": np.full(len(order), curve.joint.permutations),
            "median_p_value": np.full(len(order), curve.joint.p_value),
            "permuted_lower": np.full(len(order), curve.joint.lower),
            "permuted_upper": np.full(len(order), curve.joint.upper),
        },
        Sensitivity,
    )


def kept_result(folder: Path, mark: str) -> SensitivityResult | None:
    """Return the result of the last call, if nothing has changed since and all that it wrote is there."""
    try:
        known = json.loads((folder / MARK).read_text(encoding="utf-8"))
        same, note = known["identity"] == mark, str(known.get("note", ""))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    if not same or not (folder / f"{NAME}.parquet").exists() or not (folder / FIGURE).exists():
        return None
    return summarise(folder, read_run_table(folder, NAME, Sensitivity), unchanged=True, note=note)


def write_result(
    layout: Layout, folder: Path, table: pd.DataFrame, *, mark: str, note: str, progress: Progress
) -> SensitivityResult:
    """Write the table, the figure, the report again and, last, the mark that all of it is there."""
    from valuation.pipeline.outputs import write_report
    from valuation.report.drawing import WIDE, sober
    from valuation.report.plots_sensitivity import specification_curve
    from valuation.storage import read_sessions

    progress.stage("report")
    (folder / MARK).unlink(missing_ok=True)
    write_table(table, folder / f"{NAME}.parquet", Sensitivity)
    with sober("specification-curve"):
        figure = specification_curve(table, WIDE)
        quiet = {"Date": None, "Creator": None}
        write_atomic(folder / FIGURE, lambda to: figure.savefig(to, format="svg", metadata=quiet))
    write_report(layout, folder, read_manifest(folder), read_sessions(layout))
    write_text(folder / MARK, json.dumps({"identity": mark, "note": note}))
    return summarise(folder, table, unchanged=False, note=note)


def summarise(folder: Path, table: pd.DataFrame, *, unchanged: bool, note: str) -> SensitivityResult:
    """Count and compare the rows of a Sensitivity table."""
    own, shown = table[table["headline"]].iloc[0], table[table["growth"].notna()]
    sign = np.sign(shown["growth"].to_numpy())
    excluding = (shown["lower"] > 0) | (shown["upper"] < 0)
    return SensitivityResult(
        run_id=folder.name,
        folder=folder,
        path=folder / f"{NAME}.parquet",
        figure=folder / FIGURE,
        specifications=len(table),
        without_figure=len(table) - len(shown),
        same_sign_share=float((sign == np.sign(own["growth"])).mean()),
        excluding_zero_share=float(excluding.mean()),
        median=float(shown["growth"].median()),
        lowest=float(shown["growth"].min()),
        highest=float(shown["growth"].max()),
        headline=float(own["growth"]),
        headline_lower=float(own["lower"]),
        headline_upper=float(own["upper"]),
        headline_rank=int(own["specification"]),
        p_value=float(own["median_p_value"]),
        permuted_lower=float(own["permuted_lower"]),
        permuted_upper=float(own["permuted_upper"]),
        permutations=int(own["permutations"]),
        unchanged=unchanged,
        note=note,
        table=table,
    )


def _percent(share: float) -> str:
    """A signed percentage; a change that rounds to nothing has no sign of its own."""
    return "none" if np.isnan(share) else f"{share if abs(share) >= 5e-4 else 0.0:+.1%}"  # noqa: PLR2004

"""The verbs that say why a run may be believed, and that carry it elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from valuation.cli.options import Call, with_call
from valuation.cli.output import emit
from valuation.cli.shown import opened, progress


@with_call
def placebo(call: Call) -> None:
    """Ask what growth would be where there is none: months permuted, prices shuffled, halves of the basket, and more.

    The run with these settings is made if it is not there. Writes placebo, placebo_draws and tilt_backtest beside the
    run's tables, and its report again.
    """
    with opened(call) as workspace:
        result = workspace.placebo()
    emit(call, "placebo", result, result.text())


@with_call
def sensitivity(call: Call) -> None:
    """Growth under every specification of [sensitivity]: the specification curve, with the headline marked.

    Neighbours and vectors are found once and used by all. Writes sensitivity beside the run's tables, and its report
    again.
    """
    with opened(call) as workspace:
        result = workspace.sensitivity()
    emit(call, "sensitivity", result, result.text())


@with_call
def simulate(
    call: Call,
    out: Annotated[Path, typer.Option(metavar="DIR", help="Where the tables go.")],
    worlds: Annotated[int, typer.Option(min=2, help="Worlds a cell.")] = 1000,
    cell: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Only this kind of world; may be given again.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the worlds.")] = 20260607,
    processes: Annotated[int, typer.Option(min=1, help="Worlds worked on at once; figures do not depend on it.")] = 1,
    text: Annotated[
        bool, typer.Option("--text", help="Worlds of texts, embedded and run whole: hours for many.")
    ] = False,
) -> None:
    """Draw worlds whose truth is known and count how often the intervals cover it: bias, RMSE, coverage.

    Needs no workspace. Stopped and started again, it goes on where it was.
    """
    call.without_workspace("simulate")
    from valuation.evidence.simulate import simulate as run_simulation

    with progress(quiet=call.quiet) as shown:
        result = run_simulation(
            out, worlds=worlds, cells=tuple(cell or ()), seed=seed, processes=processes, text=text, progress=shown
        )
    emit(call, "simulate", result, result.text())


@with_call
def train_encoder(
    call: Call,
    name: Annotated[str, typer.Argument(metavar="NAME", help="Of the new encoder: letters, digits, dots, dashes.")],
) -> None:
    """Fit an encoder that knows prices, on a part of the postings that then leaves the basket.

    Use it with --set encoder.name=trained:NAME. Off by default: that it prices postings better does not show that it
    prices sessions better.
    """
    with opened(call) as workspace:
        result = workspace.train_encoder(name)
    emit(call, "train-encoder", result, result.text())


@with_call
def export(
    call: Call,
    out: Annotated[Path, typer.Option(metavar="DIR", help="Where the files go.")],
    run_id: Annotated[str | None, typer.Argument(metavar="RUN", help="The run. Default: the last one.")] = None,
    tables: Annotated[
        str, typer.Option(metavar="LIST", help="Formats of tables, joined by commas: csv, parquet, dta, tex.")
    ] = "csv,parquet,dta,tex",
    figures: Annotated[
        str, typer.Option(metavar="LIST", help="Formats of figures, joined by commas: svg, pdf, png.")
    ] = "svg,pdf,png",
) -> None:
    """Write a run's tables for a spreadsheet, R, Stata and LaTeX, and its figures for print.

    No text and no single session leaves: only the tables of the series and of the evidence are written.
    """
    from valuation.cli.options import listed

    with opened(call) as workspace:
        result = workspace.export(out, run_id=run_id, tables=listed(tables), figures=listed(figures))
    emit(call, "export", result, result.text())

"""The verbs. Each parses, calls one function of the workspace and prints what it returns."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from valuation import __version__
from valuation.cli import data, evidence, results
from valuation.cli.auditing import auditing
from valuation.cli.crawling import crawling
from valuation.cli.options import Call, with_call
from valuation.cli.output import emit, write
from valuation.cli.reviewing import review
from valuation.cli.shown import opened, progress
from valuation.errors import ConfigError

MAIN_HELP = """What is work done in AI-assistant sessions worth, and is it growing?

Freelance postings and sessions in; values, bands and a monthly series out.

--workspace, --set, --json and --quiet may stand before or after the verb.

Exit status: 0 done; 1 input, data or environment; 2 usage or settings; 3 below an expectation; 70 a bug of ours;
130 interrupted.
"""

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False, help=MAIN_HELP)


def _version(asked: bool) -> None:
    if asked:
        write(f"valuation {__version__}\n")
        raise typer.Exit


@app.callback()
@with_call
def valuation(
    call: Call,
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    """Take the options that stand before the verb."""


@app.command(short_help="A simulated world with a known truth, the whole way to a report.")
@with_call
def demo(
    call: Call,
    directory: Annotated[str, typer.Argument(metavar="DIR", help="A new or empty folder.")] = "demo",
    crawl: Annotated[
        bool, typer.Option("--crawl", help="Collect the postings by crawling a server on this machine, twice.")
    ] = False,
) -> None:
    """Simulate a world with a known truth and take it the whole way to a report: about a minute, no network.

    DIR becomes a workspace like any other. The estimate is printed beside the truth. With --crawl the postings come
    from a local internet instead, crawled for real; there is no truth to compare with.
    """
    call.without_workspace("demo")
    if crawl:
        _crawl_demo(call, directory)
        return
    with progress(quiet=call.quiet) as shown:
        from valuation.pipeline.demo import demo as run_demo

        result = run_demo(Path(directory), progress=shown)
    emit(call, "demo", result, results.demo(result))


def _crawl_demo(call: Call, directory: str) -> None:
    with progress(quiet=call.quiet) as shown:
        from valuation.pipeline.crawl_demo import crawl_demo

        result = crawl_demo(Path(directory), progress=shown)
    emit(call, "demo", result, f"{result.text}\n{result.folder}")


@app.command(short_help="Make a workspace.")
@with_call
def init(
    call: Call,
    directory: Annotated[str, typer.Argument(metavar="DIR", help="The folder to make, or an empty one.")],
    key_file: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Hash names with this key (16 bytes or more) instead of a fresh random one."),
    ] = None,
) -> None:
    """Make a workspace: a folder with a commented valuation.toml and the key that names are hashed with."""
    call.without_workspace("init")
    from valuation.workspace import Workspace

    layout = Workspace.create(directory, key_file=key_file).layout
    made = results.Made(workspace=layout.root, settings=layout.settings, key=layout.key_file)
    emit(call, "init", made, results.made(made))


app.add_typer(crawling, name="crawl")
app.add_typer(auditing, name="audit")
app.add_typer(data.importing, name="import")
app.add_typer(data.quarantine, name="quarantine")


@app.command(short_help="What the workspace holds, what is wrong, the last run.")
@with_call
def status(call: Call) -> None:
    """Show what the workspace holds: postings and sessions by month, rows set aside, the last run."""
    with opened(call) as workspace:
        result = workspace.status()
    emit(call, "status", result, results.status(result))


@app.command(short_help="Price the sessions, make the series and the report.")
@with_call
def run(
    call: Call,
    engine: Annotated[
        Literal["local", "ray"], typer.Option(help="Where to compute; ray is not available yet.")
    ] = "local",
) -> None:
    """Embed, match, value, track and report; only what changed is done again.

    The last line printed is the run folder's absolute path. An unchanged second run does nothing and says so.
    """
    if engine == "ray":
        raise ConfigError("--engine ray is not available yet; use --engine local, whose figures it will share")
    with opened(call) as workspace:
        result = workspace.run(engine=engine)
    emit(call, "run", result, results.run(result))


@app.command(short_help="Price the texts of a table.")
@with_call
def price(
    call: Call,
    file: Annotated[
        str, typer.Argument(metavar="FILE", help="A table of texts: .csv, .jsonl, .json, .xlsx or .parquet.")
    ],
    out: Annotated[str, typer.Option(metavar="FILE", help="Where the values go: .csv, .jsonl, .json or .parquet.")],
    register: Annotated[
        Literal["session", "posting"], typer.Option(help="How the texts are written: reports of work, or job offers.")
    ] = "session",
    source: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="The market to price in. Default: pricing.reference_source."),
    ] = None,
    id_column: Annotated[str, typer.Option("--id", metavar="COLUMN", help="The column that names a row.")] = "id",
    text_column: Annotated[str, typer.Option("--text", metavar="COLUMN", help="The column to price.")] = "text",
) -> None:
    """Price the texts of a table with the workspace's postings; needs no sessions.

    One row out for each row in, in the same order; a row that cannot be used has empty figures and a reason.
    """
    with opened(call) as workspace:
        result = workspace.price(
            file, out, register=register, source=source, id_column=id_column, text_column=text_column
        )
    emit(call, "price", result, results.price(result))


@app.command(short_help="The neighbours and the arithmetic behind one session's value.")
@with_call
def explain(
    call: Call,
    session_id: Annotated[str, typer.Argument(metavar="SESSION_ID", help="As in the sessions table.")],
    run_id: Annotated[
        str | None, typer.Option("--run", metavar="RUN", help="The run to explain. Default: the last one.")
    ] = None,
) -> None:
    """Show a session's neighbours, weights and prices, and what its value and both bands are made of.

    So that each figure can be redone by hand; what cannot be shown is said with its reason.
    """
    with opened(call) as workspace:
        result = workspace.explain(session_id, run_id=run_id)
    emit(call, "explain", result.data(), result.text())


@app.command(short_help="Measure the pricers on held-out postings.")
@with_call
def validate(
    call: Call,
    holdout: Annotated[
        str | None, typer.Option(metavar="FILE", help="Postings kept apart, to be priced and compared.")
    ] = None,
    mapping: Annotated[
        Path | None, typer.Option("--map", metavar="MAP.toml", help="How to read the columns of --holdout.")
    ] = None,
) -> None:
    """Measure the pricers on held-out postings: the pricer card."""
    if mapping is not None and holdout is None:
        raise ConfigError(f"--map {mapping} says how to read --holdout FILE, which is not given")
    with opened(call) as workspace:
        result = workspace.validate(holdout=holdout, mapping=mapping)
    emit(call, "validate", result, result.text())


@app.command(short_help="Write a run's report again.")
@with_call
def report(
    call: Call,
    run_id: Annotated[str | None, typer.Argument(metavar="RUN", help="The run to show. Default: the last one.")] = None,
) -> None:
    """Write a run's report again: one HTML file that opens without a network. Prints its path."""
    with opened(call) as workspace:
        made = results.Page(report=workspace.report(run_id).resolve())
    emit(call, "report", made, str(made.report))


app.command("placebo", short_help="What growth would be where there is none.")(evidence.placebo)
app.command("sensitivity", short_help="Growth under every specification.")(evidence.sensitivity)
app.command("simulate", short_help="How often the intervals cover, in worlds whose truth is known.")(evidence.simulate)
app.command("train-encoder", short_help="Fit an encoder that knows prices.")(evidence.train_encoder)
app.command("export", short_help="A run's tables and figures for other programs.")(evidence.export)
app.command("review", short_help="The pages on which analysts check matches.")(review)

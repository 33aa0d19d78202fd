"""The verbs that bring data in, and that show what could not be used."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from valuation.cli import results
from valuation.cli.options import Call, with_call
from valuation.cli.output import emit
from valuation.cli.shown import opened

importing = typer.Typer(rich_markup_mode=None, help="Bring postings or sessions into the workspace.")
quarantine = typer.Typer(rich_markup_mode=None, help="Rows that could not be used: show, export, read again.")

Kind = Literal["postings", "sessions"]
Held = Literal["postings", "sessions", "verdicts"]
MapOption = Annotated[
    Path | None,
    typer.Option(
        "--map", metavar="MAP.toml", help="Which column is which, and what the file does not say. Default: guessed."
    ),
]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Read and show everything, write nothing.")]


@importing.callback()
@with_call
def _importing(call: Call) -> None:
    """Bring postings or sessions into the workspace."""


@importing.command("postings", short_help="Postings, from files.")
@with_call
def import_postings(
    call: Call,
    files: Annotated[
        list[str], typer.Argument(metavar="FILE", help=".csv, .jsonl, .json, .xlsx or .parquet, .gz too.")
    ],
    mapping: MapOption = None,
    dry_run: DryRunOption = False,
) -> None:
    """Import postings from CSV, JSON Lines, JSON, Excel or Parquet files, gzip too.

    The guessed columns are shown. Two candidates for a price or a currency are shown and refused without a mapping.
    """
    with opened(call) as workspace:
        result = results.imported(workspace.import_postings(files, mapping=mapping, dry_run=dry_run))
    emit(call, "import postings", result, results.imports(result))


@importing.command("sessions", short_help="Sessions, from files or folders of transcripts.")
@with_call
def import_sessions(
    call: Call,
    paths: Annotated[list[str], typer.Argument(metavar="FILE-or-DIR", help="Tables, or folders of transcripts.")],
    mapping: MapOption = None,
    file_format: Annotated[
        str, typer.Option("--format", metavar="FORMAT", help="auto, table or claude-code.")
    ] = "auto",
    dry_run: DryRunOption = False,
) -> None:
    """Import sessions from tables, or from folders of transcripts."""
    with opened(call) as workspace:
        done = workspace.import_sessions(paths, mapping=mapping, file_format=file_format, dry_run=dry_run)
        result = results.imported(done)
    emit(call, "import sessions", result, results.imports(result))


@quarantine.callback()
@with_call
def _quarantine(call: Call) -> None:
    """Rows that could not be used: show, export, read again."""


@quarantine.command("show", short_help="How many rows, why, and the first of them.")
@with_call
def quarantine_show(
    call: Call,
    kind: Annotated[Held | None, typer.Argument(metavar="KIND", help="Only these.")] = None,
    rows: Annotated[int, typer.Option(min=0, metavar="N", help="How many single rows to show.")] = 10,
) -> None:
    """Show how many rows were set aside, why, and the first of them."""
    with opened(call) as workspace:
        result = results.set_aside(workspace.quarantined(kind), kind=kind, limit=rows)
    emit(call, "quarantine show", result, results.show(result))


@quarantine.command("export", short_help="Write all of them to a file.")
@with_call
def quarantine_export(
    call: Call,
    out: Annotated[Path, typer.Option(metavar="FILE", help="A .csv, .jsonl, .json or .parquet file.")],
    kind: Annotated[Held | None, typer.Argument(metavar="KIND", help="Only these.")] = None,
) -> None:
    """Write all rows that were set aside, with their reasons and their raw content, to a file."""
    with opened(call) as workspace:
        result = results.export(workspace.quarantined(kind), out)
    emit(call, "quarantine export", result, f"rows  {result.rows:,}\n{result.out}")


@quarantine.command("retry", short_help="Read them again with a corrected mapping.")
@with_call
def quarantine_retry(
    call: Call,
    kind: Annotated[Kind, typer.Argument(metavar="KIND", help="Which rows.")],
    mapping: Annotated[Path, typer.Option("--map", metavar="MAP.toml", help="The corrected mapping.")],
) -> None:
    """Read the rows that were set aside again, and only them, with a corrected mapping."""
    with opened(call) as workspace:
        result = results.imported(workspace.retry(kind, mapping=mapping))
    emit(call, "quarantine retry", result, results.imports(result))

"""``valuation audit``: draw a sample, take it out and bring verdicts in, estimate."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from valuation.cli.options import Call, listed, with_call
from valuation.cli.output import emit
from valuation.cli.shown import opened

auditing = typer.Typer(
    rich_markup_mode=None,
    short_help="People check a random sample of matches.",
    help="People check a random sample of matches, and their verdicts correct the series.",
)

AuditArgument = Annotated[
    str | None, typer.Argument(metavar="AUDIT", help="The audit's name. Default: the newest.", show_default=False)
]


@auditing.callback()
@with_call
def _auditing(call: Call) -> None:
    """People check a random sample of matches, and their verdicts correct the series.

    draw a sample, judge it with `valuation review` or an exported page, import, estimate.
    """


@auditing.command("draw", short_help="Draw a random sample, and say first what it will buy.")
@with_call
def draw(
    call: Call,
    run_id: Annotated[
        str | None, typer.Option("--run", metavar="RUN", help="The run to audit. Default: the last one.")
    ] = None,
    per_month: Annotated[
        int | None, typer.Option(metavar="N", help="Sessions a month. Default: audit.per_month.")
    ] = None,
    month: Annotated[
        list[str] | None,
        typer.Option(metavar="YYYY-MM", help="A month to audit; repeatable. Default: the base and the last month."),
    ] = None,
    name: Annotated[
        str | None, typer.Option(metavar="ID", help="The audit's name. Default: 12 digits of its design.")
    ] = None,
    double: Annotated[
        float | None,
        typer.Option(metavar="SHARE", help="Share that two analysts judge. Default: audit.double_share."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the design and write nothing.")] = False,
) -> None:
    """Draw a random sample of a run's sessions with known probabilities, and say first what it will buy.

    Strata: month, kind of work, thirds of the predicted value, halves of the similarity; the unmatched are their own.
    The same draw again changes nothing; an audit is never overwritten.
    """
    with opened(call) as workspace:
        result = workspace.audit_draw(
            run_id, months=month or [], per_month=per_month, name=name, double_share=double, dry_run=dry_run
        )
    emit(call, "audit draw", result, result.text())


@auditing.command("export", short_help="Verdicts for other programs, and a page to judge on offline.")
@with_call
def export(
    call: Call,
    audit_id: AuditArgument = None,
    *,
    out: Annotated[Path, typer.Option(metavar="DIR", help="Where the files go.")],
    formats: Annotated[str, typer.Option(metavar="LIST", help="Some of csv, parquet, html.")] = "csv,parquet,html",
    analyst: Annotated[str | None, typer.Option(metavar="NAME", help="Whose name stands on the page.")] = None,
) -> None:
    """Write an audit's verdicts as tables, and one page that opens without a network, on which to judge its sample.

    The page holds texts of sessions and gigs, masked, and no price; it saves its verdicts to a file for `audit import`.
    """
    with opened(call) as workspace:
        result = workspace.audit_export(audit_id, out, formats=listed(formats), analyst=analyst)
    emit(call, "audit export", result, result.text())


@auditing.command("import", short_help="Bring verdicts from files in.")
@with_call
def import_(
    call: Call,
    audit_id: Annotated[str, typer.Argument(metavar="AUDIT", help="The audit's name.")],
    files: Annotated[list[str], typer.Argument(metavar="FILE", help="CSV, Parquet, JSON Lines, JSON or Excel.")],
    analyst: Annotated[str | None, typer.Option(metavar="NAME", help="Who judged, in rows that do not say.")] = None,
    decided_at: Annotated[
        str | None, typer.Option(metavar="TIME", help="When, in rows that do not say: 2026-06-30T14:05:00Z.")
    ] = None,
    adjudicated: Annotated[
        bool, typer.Option("--adjudicated", help="These verdicts settle what others disagree on.")
    ] = False,
) -> None:
    """Bring verdicts from files into the log: columns session_id, posting_id, verdict, price_usd, analyst, and so on.

    Every row is kept, was there already, or is set aside with its reason. The same file again adds nothing.
    """
    with opened(call) as workspace:
        result = workspace.audit_import(
            audit_id, files, analyst=analyst, decided_at=decided_at, adjudicated=adjudicated
        )
    emit(call, "audit import", result, result.text())


@auditing.command("estimate", short_help="The audited beside the plain series.")
@with_call
def estimate(
    call: Call,
    audit_id: AuditArgument = None,
    adjudicated_first: Annotated[
        bool,
        typer.Option(
            "--adjudicated-first/--without-adjudications", help="Whether adjudications settle what they are on."
        ),
    ] = True,
    blind_only: Annotated[
        bool, typer.Option("--blind-only", help="Leave out verdicts given after figures were seen.")
    ] = False,
) -> None:
    """Estimate levels and growth from analysts' values, beside the run's own; precision, agreement, what more buys.

    Writes audited, precision and agreement beside the sample, and estimate.json.
    """
    with opened(call) as workspace:
        result = workspace.audit_estimate(audit_id, settled_first=adjudicated_first, blind_only=blind_only)
    emit(call, "audit estimate", result, result.text())

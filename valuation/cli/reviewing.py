"""The verb that opens the analysts' pages."""

from __future__ import annotations

from typing import Annotated

import typer

from valuation.cli.options import Call, with_call
from valuation.cli.output import emit
from valuation.cli.shown import opened


@with_call
def review(
    call: Call,
    host: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="Where to listen. Default: review.host, this machine only.")
    ] = None,
    port: Annotated[
        int | None, typer.Option(min=0, max=65_535, help="Default: review.port; 0 takes any free one.")
    ] = None,
) -> None:
    """Open the pages on which analysts check matches, and serve them until Ctrl-C.

    Prints the link to sign in by. Verdicts go to review.db in the workspace, or to review.database.
    """
    from dataclasses import replace

    given = [f"review.host={host}"] if host is not None else []
    given += [f"review.port={port}"] if port is not None else []
    with opened(replace(call, overrides=(*call.overrides, *given))) as workspace:
        workspace.review(announce=lambda where: emit(call, "review", where, where.text()))

"""``valuation``: run one verb, turn what goes wrong into one line and an exit status."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def program() -> int:
    """Run the command line as a process of its own, which may set how it collects garbage."""
    import atexit
    import gc

    # Importing the numerical libraries makes some hundred thousand objects that stay: by default garbage is looked for
    # among them hundreds of times, and again at the exit, which took a tenth of a run's time and a second at its end.
    gc.set_threshold(50_000, 20, 50)
    atexit.register(_leave_garbage)
    return main()


def _leave_garbage() -> None:
    """Spare the search at the exit, except where DuckDB is loaded: it counts what is left, and complains."""
    import gc

    if "_duckdb" not in sys.modules:
        gc.freeze()


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    argv : sequence of str, optional
        Arguments after the program's name; the process's own by default.

    Returns
    -------
    int
        The exit status; see `valuation.cli.faults`.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    _survive_any_terminal()
    _begin_output()
    try:
        _dispatch(arguments)
    except (Exception, KeyboardInterrupt) as error:
        return _failed(error, arguments)
    return 0


def _begin_output() -> None:
    """Forget what an earlier call in this process has printed."""
    from valuation.cli.output import EMITTED

    EMITTED.clear()


def _dispatch(arguments: list[str]) -> None:
    """Parse and run, letting every exception through: typer's own `main` would turn some into exit statuses."""
    import typer

    from valuation.cli.verbs import app

    command = typer.main.get_command(app)
    try:
        with command.make_context("valuation", list(arguments)) as context:
            command.invoke(context)
    except typer.Exit as done:  # after --help and --version
        if done.exit_code:
            raise


def _failed(error: BaseException, arguments: list[str]) -> int:
    from valuation.cli import faults
    from valuation.cli.output import EMITTED, ReaderGone

    if isinstance(error, ReaderGone):
        return _reader_has_gone()
    return faults.report(error, root=_root(arguments), as_json="--json" in arguments and not EMITTED)


def _root(arguments: list[str]) -> str:
    """Find the workspace in arguments that may not have been parsed: only to know where a trace-back goes."""
    for i, argument in enumerate(arguments):
        if argument in ("-w", "--workspace") and i + 1 < len(arguments):
            return arguments[i + 1]
        if argument.startswith("--workspace="):
            return argument.partition("=")[2]
    return os.environ.get("VALUATION_WORKSPACE") or "."


def _survive_any_terminal() -> None:
    """Show what the terminal's encoding lacks as an escape; an odd character must not end a run."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def _reader_has_gone() -> int:
    """End quietly, as in ``valuation status | head -1``: what is left in the buffer goes nowhere."""
    devnull = os.open(os.devnull, os.O_WRONLY)
    os.dup2(devnull, sys.stdout.fileno())
    return 0

"""What goes wrong, as one line and an exit status.

====== =======================================================================
0      done
1      input, data or environment: a file, a row, a lock, the disk, memory
2      usage or configuration: a flag, a setting, a mapping
3      below an expectation
70     our fault: one line, and a trace-back in a file (or shown with VALUATION_DEBUG=1)
130    interrupted
====== =======================================================================
"""

from __future__ import annotations

import contextlib
import errno
import os
import sys
import tempfile
import traceback
from datetime import UTC, datetime
from pathlib import Path

import typer

from valuation.cli.output import clean, write_json
from valuation.errors import ValuationError

OUR_FAULT = 70
INTERRUPTED = 130
LONGEST = 2000  # characters of a message: enough for any of ours, too little for a pasted file


def exit_status(error: BaseException) -> int:
    """Return the exit status of what was raised."""
    if isinstance(error, ValuationError):
        return error.exit_status
    if isinstance(error, typer.TyperException):
        return 2
    if isinstance(error, KeyboardInterrupt):
        return INTERRUPTED
    if isinstance(error, MemoryError):
        return 1
    if isinstance(error, OSError) and (error.filename is not None or error.errno == errno.ENOSPC):
        return 1
    return OUR_FAULT


def report(error: BaseException, *, root: str, as_json: bool) -> int:
    """Tell what went wrong on standard error, and with ``--json`` as an object on standard output too.

    Parameters
    ----------
    error : BaseException
        What reached the command line.
    root : str
        The workspace's folder, where the trace-back of an error of ours is kept.
    as_json : bool
        Whether ``--json`` was given.

    Returns
    -------
    int
        The exit status.
    """
    status = exit_status(error)
    message = clean(_message(error, status, root))[:LONGEST]
    with contextlib.suppress(OSError, ValueError):
        sys.stderr.write(f"error: {message}\n")
        sys.stderr.flush()
    if as_json:
        with contextlib.suppress(OSError, ValueError):
            write_json({"error": message, "kind": _kind(error, status), "exit_status": status})
            sys.stdout.flush()
    return status


def _kind(error: BaseException, status: int) -> str:
    """Name the branch of the error tree, so that a script need not read the message."""
    if isinstance(error, ValuationError):
        return type(error).__name__
    return {1: "EnvironmentFault", 2: "UsageError", INTERRUPTED: "Interrupted"}.get(status, "InternalError")


def _message(error: BaseException, status: int, root: str) -> str:
    if isinstance(error, ValuationError):
        return str(error)
    if isinstance(error, typer.TyperException):
        return f"{error.format_message()} See: {_help_of(error)}"
    if status == INTERRUPTED:
        return "interrupted; finished tables are whole, and the same command goes on from there"
    if isinstance(error, MemoryError):
        return "not enough memory; try a smaller compute.chunk_rows, such as --set compute.chunk_rows=512"
    if isinstance(error, OSError) and status == 1:
        reason = "no space left on the disk" if error.errno == errno.ENOSPC else error.strerror or str(error)
        return f"{error.filename}: {reason}" if error.filename is not None else reason
    return _our_fault(error, root)


def _help_of(error: typer.TyperException) -> str:
    """Name the help page of the verb that was misused."""
    context = getattr(error, "ctx", None)
    return f"{context.command_path if context is not None else 'valuation'} --help"


def _our_fault(error: BaseException, root: str) -> str:
    """One line; the trace-back goes to a file, or to standard error with VALUATION_DEBUG=1."""
    trace = "".join(traceback.format_exception(error))
    what = f"a bug in valuation, not in your data: {type(error).__name__}: {error}"[:300]
    if os.environ.get("VALUATION_DEBUG") == "1":
        with contextlib.suppress(OSError, ValueError):
            sys.stderr.write(trace)
        return f"{what}. Please report it with the trace-back above where you got this program"
    kept = _keep(trace, root)
    where = f"the file {kept}" if kept else "its trace-back (set VALUATION_DEBUG=1 to see it)"
    return f"{what}. Please report it where you got this program, with {where}"


def _keep(trace: str, root: str) -> Path | None:
    """Write the trace-back into the workspace's ``faults/``, or the temporary folder where there is no workspace."""
    with contextlib.suppress(OSError):
        workspace = Path(root).expanduser()
        inside = (workspace / "valuation.toml").is_file()
        folder = workspace / "faults" if inside else Path(tempfile.mkdtemp(prefix="valuation-"))
        folder.mkdir(exist_ok=True)
        path = folder / f"{datetime.now(UTC):%Y-%m-%dT%H%M%S}-{os.getpid()}.txt"
        path.write_text(trace, encoding="utf-8", errors="backslashreplace")
        return path.resolve()
    return None

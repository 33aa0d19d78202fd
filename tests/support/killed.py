"""Runs the command line in a child process that is killed just before its n-th step on the disk.

``python killed.py N ARGUMENT…``: steps are fsync, rename and unlink. Exit status 137 where it was killed (as a shell
says of SIGKILL), else the command line's own. Many children may be wanted, so this process loads the modules once:
``python killed.py --serve`` reads one JSON list ``[N, ARGUMENT…]`` a line and answers each with a status.
"""

from __future__ import annotations

import json
import os
import signal
import sys


def kill_at(step: int) -> None:
    """Make the `step`-th change on the disk the one that never happens; 0 = never."""
    left = [step]

    def before(function):
        def counted(*args, **kwargs):
            left[0] -= 1
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return function(*args, **kwargs)

        return counted

    for name in ("fsync", "replace", "unlink", "rename"):
        setattr(os, name, before(getattr(os, name)))


def child(step: int, arguments: list[str]) -> int:
    """Fork, run, and tell how it ended."""
    pid = os.fork()
    if pid == 0:
        from valuation.cli.main import main

        silent = os.open(os.devnull, os.O_WRONLY)
        os.dup2(silent, 1)
        kill_at(step)
        os._exit(main(arguments))
    _, status = os.waitpid(pid, 0)
    return 128 + os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)


def serve() -> None:
    import valuation.cli.verbs
    import valuation.imports
    import valuation.workspace  # noqa: F401 - loaded before the forks
    from valuation.tables import Imports, Quarantine, Sessions, empty, validate

    for schema in (Imports, Quarantine, Sessions):
        validate(empty(schema), schema, where="warm-up")
    for line in sys.stdin:
        step, *arguments = json.loads(line)
        sys.stdout.write(f"{child(step, arguments)}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    if sys.argv[1:] == ["--serve"]:
        serve()
    else:
        sys.exit(child(int(sys.argv[1]), sys.argv[2:]))

"""Progress for people, on standard error: a bar on a terminal, a line a stage elsewhere, nothing with ``--quiet``."""

from __future__ import annotations

import contextlib
import sys
from typing import TYPE_CHECKING

from valuation.cli.output import clean
from valuation.progress import Silent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.progress import Progress as Bars

    from valuation.cli.options import Call
    from valuation.progress import Progress
    from valuation.workspace import Workspace


class Lines:
    """One line when a stage begins."""

    def stage(self, name: str) -> None:
        """Print the stage's name; a reader who has gone away does not stop the work."""
        with contextlib.suppress(OSError, ValueError):
            sys.stderr.write(f"{clean(name)}\n")
            sys.stderr.flush()

    def advance(self, done: int, total: int) -> None:
        """Show nothing within a stage."""

    def note(self, text: str) -> None:
        """Show nothing within a stage."""


class Bar:
    """A bar a stage."""

    def __init__(self, bars: Bars) -> None:
        self._bars = bars

    def stage(self, name: str) -> None:
        """Fill the bar before and begin a new one."""
        self.close()
        self._bars.add_task(clean(name), total=None)

    def advance(self, done: int, total: int) -> None:
        """Move the bar."""
        if self._bars.tasks:
            self._bars.update(self._bars.tasks[-1].id, completed=done, total=total)

    def note(self, text: str) -> None:
        """Show the words beside the bar."""
        if self._bars.tasks:
            self._bars.update(self._bars.tasks[-1].id, description=clean(text))

    def close(self) -> None:
        """Fill the current bar."""
        if self._bars.tasks:
            task = self._bars.tasks[-1]
            total = task.total or 1
            self._bars.update(task.id, completed=total, total=total)
            self._bars.stop_task(task.id)


@contextlib.contextmanager
def progress(*, quiet: bool) -> Iterator[Progress]:
    """Show progress while the block runs."""
    if quiet:
        yield Silent()
    elif not sys.stderr.isatty():
        yield Lines()
    else:
        with _bars() as bars:
            bar = Bar(bars)
            yield bar
            bar.close()


def _bars() -> Bars:
    """Rich's bars on standard error, imported only when a terminal is there to show them."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=Console(stderr=True),
    )


@contextlib.contextmanager
def opened(call: Call) -> Iterator[Workspace]:
    """Open the workspace that the call means and show progress while it works."""
    with progress(quiet=call.quiet) as shown:
        from valuation.workspace import Workspace

        yield Workspace(call.root, overrides=call.overrides, progress=shown)

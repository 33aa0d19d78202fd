"""The sources' processes: started, watched, stopped in order. Each dies with us, whatever happens to us."""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from crawlers.job import Job
    from valuation.progress import Progress

LOOK = 0.2  # seconds between looks at the processes
GRACE = 60.0  # seconds that an orderly stop may take: an answer under way is waited for


@dataclass(slots=True)
class Child:
    """One source's process and what it last said."""

    job: Job
    process: subprocess.Popen[str]
    records: int = 0
    responses: int = 0
    error: str = ""


@dataclass(frozen=True, slots=True)
class Ended:
    """A process that has ended: its source, and what went wrong in the process itself, ``''`` if nothing did."""

    name: str
    error: str


class Interrupts:
    """Ctrl-C and SIGTERM while processes run: the first asks for an orderly end, the second is an interrupt as ever."""

    def __init__(self) -> None:
        self.asked = False
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Self:
        """Take the signals over, where this thread may."""
        if threading.current_thread() is threading.main_thread():
            self._before = {one: signal.signal(one, self._take) for one in (signal.SIGINT, signal.SIGTERM)}
        return self

    def __exit__(self, *_: object) -> None:
        """Give them back."""
        for one, handler in self._before.items():
            signal.signal(one, handler)

    def _take(self, number: int, frame: object) -> None:
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True


def run_children(jobs: Sequence[Job], interrupts: Interrupts, *, parallel: int, progress: Progress) -> Iterator[Ended]:
    """Run the jobs, at most `parallel` at once; yields each as it ends.

    Once an interrupt is asked for, no further one is started and those that run are stopped in order.
    """
    waiting, running = list(jobs), list[Child]()
    told = False
    try:
        while running or (waiting and not interrupts.asked):
            while waiting and len(running) < parallel and not interrupts.asked:
                running.append(_start(waiting.pop(0)))
            if interrupts.asked and not told:
                told = True
                _ask_to_stop(running)
            time.sleep(LOOK)
            progress.note(_shown(running, len(waiting)))
            for child in [one for one in running if one.process.poll() is not None]:
                running.remove(child)
                yield _ended(child, told)
    finally:
        _kill(running)


def _start(job: Job) -> Child:
    process = subprocess.Popen(
        [sys.executable, "-m", "crawlers.engine.worker"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,  # Ctrl-C reaches us alone; we ask the processes to stop, once
    )
    child = Child(job, process)
    assert process.stdin is not None and process.stdout is not None
    with contextlib.suppress(BrokenPipeError):
        process.stdin.write(job.to_json() + "\n")
        process.stdin.flush()  # and left open: its end tells the process that we are gone
    threading.Thread(target=_listen, args=(child, process.stdout), daemon=True).start()
    return child


def _listen(child: Child, pipe: IO[str]) -> None:
    """Follow what a process says of itself."""
    for line in pipe:
        with contextlib.suppress(ValueError):
            said = json.loads(line)
            child.records = int(said.get("records", child.records))
            child.responses = int(said.get("responses", child.responses))
            child.error = str(said.get("error", child.error))


def _ended(child: Child, interrupted: bool) -> Ended:
    if child.process.stdin is not None:
        with contextlib.suppress(OSError):
            child.process.stdin.close()
    status = child.process.returncode
    if interrupted and status == -signal.SIGTERM:  # asked to stop before it had begun
        return Ended(child.job.name, "")
    if status and not child.error:
        child.error = f"its process ended with status {status}; the log is {child.job.log}"
    return Ended(child.job.name, child.error)


def _shown(running: Sequence[Child], waiting: int) -> str:
    parts = [f"{child.job.name} {child.records:,} records, {child.responses:,} answers" for child in running]
    return "crawl " + "; ".join(parts) + (f"; {waiting} waiting" if waiting else "")


def _ask_to_stop(running: Sequence[Child]) -> None:
    """Ask each process once to stop in order; one that does not within the grace is ended."""
    for child in running:
        child.process.send_signal(signal.SIGTERM)
    late = threading.Timer(GRACE, _kill, args=(list(running),))
    late.daemon = True  # it must not keep us once all have ended
    late.start()


def _kill(running: Sequence[Child]) -> None:
    for child in running:
        if child.process.poll() is None:
            child.process.kill()

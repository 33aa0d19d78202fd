"""Run the replay server: in this process for the command line, in a child process for tests."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, TextIO

from crawlers.replay.exchange import Truth
from crawlers.replay.settings import Fault, ReplaySettings, fault_from_text, from_json, to_json
from crawlers.replay.sources import truth

START_SECONDS = 60.0


class Replay:
    """A replay server in a child process.

    Attributes
    ----------
    url, elsewhere : str
        Where it listens; `elsewhere` is the port that no crawler should be led to.
    settings : ReplaySettings
        In force.
    pid : int
    """

    def __init__(self, process: subprocess.Popen[str], url: str, settings: ReplaySettings) -> None:
        self._process, self.url, self.settings = process, url, settings
        self.pid = process.pid
        self.elsewhere: str = self._call("GET", "/_replay/info")["elsewhere"]

    @property
    def log(self) -> list[dict[str, Any]]:
        """Requests so far, oldest first: time, method, path, query, headers, source, status, faults and more."""
        found: list[dict[str, Any]] = self._call("GET", "/_replay/log")
        return found

    def clear_log(self) -> None:
        """Forget the requests so far."""
        self._call("DELETE", "/_replay/log")

    def set(self, settings: ReplaySettings) -> None:
        """Put other settings in force; counters of faults, tokens and limits start again."""
        self._call("POST", "/_replay/settings", to_json(settings))
        self.settings = settings

    def set_edition(self, edition: int) -> None:
        """Show the first or the second edition."""
        self.set(replace(self.settings, edition=edition))

    def set_faults(self, faults: Iterable[Fault | str]) -> None:
        """Put faults in force instead of those before; none: all is well again."""
        found = tuple(fault if isinstance(fault, Fault) else fault_from_text(fault) for fault in faults)
        self.set(replace(self.settings, faults=found))

    def truth(self, source: str) -> list[Truth]:
        """Records that a perfect crawl of a source ends with."""
        return list(truth(self.settings, source))

    def _call(self, method: str, path: str, body: str | None = None) -> Any:  # noqa: ANN401  # JSON
        host = self.url.removeprefix("http://")
        connection = http.client.HTTPConnection(host, timeout=60)
        try:
            connection.request(method, path, body=body)
            answer = connection.getresponse()
            data = json.loads(answer.read())
        finally:
            connection.close()
        if answer.status != 200:
            raise ValueError(f"{path}: {data}")
        return data


@contextmanager
def serve(settings: ReplaySettings | None = None) -> Iterator[Replay]:
    """Run a server in a child process for as long as the block lasts; it also ends when this process does.

    Raises
    ------
    RuntimeError
        It did not start.
    """
    settings = settings or ReplaySettings()
    command = [sys.executable, "-m", "crawlers.replay", "--from-stdin"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8")
    try:
        assert process.stdin is not None and process.stdout is not None
        process.stdin.write(to_json(settings) + "\n")
        process.stdin.flush()
        guard = threading.Timer(START_SECONDS, process.kill)
        guard.start()
        url = process.stdout.readline().strip()
        guard.cancel()
        if not url.startswith("http://"):
            raise RuntimeError(
                f"the replay server did not start (exit status {process.wait()}); see its standard error"
            )
        yield Replay(process, url, settings)
    finally:
        _end(process)


def _end(process: subprocess.Popen[str]) -> None:
    if process.stdin is not None:
        process.stdin.close()  # the child ends when its standard input does
    try:
        process.wait(timeout=5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout is not None:
        process.stdout.close()


def run_here(settings: ReplaySettings, out: TextIO) -> None:
    """Serve in this process until it is stopped; the URL goes to `out` once the server listens."""
    from twisted.web import server

    from crawlers.replay.delivery import loop
    from crawlers.replay.wire import Door, Elsewhere

    site: Any = server.Site  # untyped

    address = "127.0.0.1" if settings.host == "localhost" else settings.host
    shown = f"[{settings.host}]" if ":" in settings.host else settings.host
    door = Door(settings, url="", elsewhere="")
    main = loop.listenTCP(settings.port, site(door, timeout=3600), interface=address)
    other = loop.listenTCP(0, site(Elsewhere(door.log)), interface=address)
    door.url = f"http://{shown}:{main.getHost().port}"
    door.elsewhere = f"http://{shown}:{other.getHost().port}"
    out.write(door.url + "\n")
    out.flush()
    loop.run()


def run_for_parent() -> None:
    """Serve for the process that started this one: settings from standard input, whose end is the server's end."""
    line = sys.stdin.readline()
    settings = from_json(line)
    parent = os.getppid()

    def watch_input() -> None:
        sys.stdin.read()
        os._exit(0)

    def watch_parent() -> None:
        while os.getppid() == parent:  # an orphan gets another parent, even where somebody else holds its input
            time.sleep(1)
        os._exit(0)

    for watch in (watch_input, watch_parent):
        threading.Thread(target=watch, daemon=True).start()
    run_here(settings, sys.stdout)

"""A real server that can be killed, and analysts who send forms to it over real connections."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx

from ..support.postgres import free_port

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

CSRF = re.compile(r'name="csrf" value="(\w+)"')


class Server:
    """`valuation review` on a port of its own; started again on the same one after it was killed."""

    def __init__(self, root: Path, *settings: str) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        given = [f"review.port={self.port}", *settings]
        self._command = [sys.executable, "-m", "valuation.cli", "review", "-w", str(root), "--json"]
        self._command += [part for one in given for part in ("--set", one)]
        self.sign_in = ""

    def start(self) -> dict[str, Any]:
        """Start, and wait until it says where it is."""
        quiet = os.environ | {"VALUATION_WORKSPACE": "", "PYTHONWARNINGS": "ignore"}
        self.process = subprocess.Popen(
            self._command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=quiet
        )
        line = self.process.stdout.readline()
        assert line, f"the pages did not start: {self.process.stderr.read()}"
        said = json.loads(line)
        self.sign_in = said["sign_in"]
        return said

    def kill(self) -> None:
        """End at once, as a power cut would."""
        self.process.send_signal(signal.SIGKILL)
        self.process.communicate(timeout=30)

    def stop(self) -> None:
        """End as Ctrl-C does; nothing may have gone wrong."""
        self.process.send_signal(signal.SIGINT)
        _, errors = self.process.communicate(timeout=30)
        assert "Traceback" not in errors, errors


@dataclass
class Sender:
    """An analyst who sends forms one after another, and again what got no answer."""

    server: Server
    name: str
    client: httpx.Client = field(init=False)
    csrf: str = field(init=False)

    def __post_init__(self) -> None:
        self.client = httpx.Client(base_url=self.server.url, timeout=60)
        key = httpx.URL(self.server.sign_in).params["key"]
        answer = self.client.post("/sign-in", data={"key": key, "name": self.name})
        assert answer.status_code == 303 and "valuation_review" in self.client.cookies
        self.csrf = CSRF.search(self.client.get("/", follow_redirects=True).text)[1]

    def send(self, form: dict[str, str]) -> bool:
        """Whether the form was acknowledged; anything but an acknowledgement or a broken connection is a fault."""
        try:
            answer = self.client.post("/verdicts", data={"csrf": self.csrf, **form})
        except httpx.TransportError:
            return False
        assert answer.status_code == 303, (answer.status_code, answer.text[-400:])
        return True


def at_once(work: Callable[[Any], Any], items: Iterable[Any]) -> list[Any]:
    """Do work on all items, each in a thread of its own."""
    given = list(items)
    with ThreadPoolExecutor(len(given)) as threads:
        return list(threads.map(work, given))


def send_all(
    senders: list[Sender], forms: dict[str, list[dict[str, str]]], *, kill_after: int, server: Server
) -> tuple[set[str], int]:
    """Send every analyst's forms at once, kill the server after `kill_after` answers, and stop there.

    Returns
    -------
    acknowledged : set of str
        Nonces of the forms that were answered.
    n_cut : int
        Forms that were on their way.
    """
    acknowledged: set[str] = set()
    cut: list[str] = []
    reached, lock = threading.Event(), threading.Lock()

    def work(sender: Sender) -> None:
        for form in forms[sender.name]:
            if not sender.send(form):
                cut.append(form["nonce"])
                return
            with lock:
                acknowledged.add(form["nonce"])
            if len(acknowledged) >= kill_after:
                reached.set()

    killer = threading.Thread(target=lambda: (reached.wait(120), time.sleep(0.01), server.kill()))
    killer.start()
    at_once(work, senders)
    killer.join()
    return acknowledged, len(cut)

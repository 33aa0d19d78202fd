"""Every byte that the server sends to a browser, written down on its way."""

from __future__ import annotations

import contextlib
import socket
import socketserver
import threading
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .browser import Served


class Wire(socketserver.ThreadingTCPServer):
    """Passes connections on to a port, and keeps what comes back."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, port: int) -> None:
        super().__init__(("127.0.0.1", 0), _Link)
        self.port = port
        self._lock = threading.Lock()
        self._kept = bytearray()

    def keep(self, data: bytes) -> None:
        with self._lock:
            self._kept += data

    def cut(self) -> bytes:
        """What the browser has received since the last cut."""
        with self._lock:
            kept, self._kept = bytes(self._kept), bytearray()
        return kept


class _Link(socketserver.BaseRequestHandler):
    server: Wire

    def handle(self) -> None:
        with socket.create_connection(("127.0.0.1", self.server.port)) as upstream:
            back = threading.Thread(target=self._pass, args=(upstream, self.request, self.server.keep), daemon=True)
            back.start()
            self._pass(self.request, upstream, lambda data: None)
            back.join()

    @staticmethod
    def _pass(source: socket.socket, to: socket.socket, seen: Callable[[bytes], None]) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65_536):
                seen(data)
                to.sendall(data)
        with contextlib.suppress(OSError):
            to.shutdown(socket.SHUT_WR)


@contextlib.contextmanager
def listening(served: Served) -> Iterator[tuple[Wire, Served]]:
    """The same pages by an address at which every byte is kept."""
    with Wire(urlsplit(served.url).port or 0) as wire:
        threading.Thread(target=wire.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{wire.server_address[1]}"
        try:
            yield wire, replace(served, url=address, sign_in=served.sign_in.replace(served.url, address))
        finally:
            wire.shutdown()

"""What stands between the pages and the web: hosts, headers, origins, sizes. Plain ASGI, so that it sees every byte."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

MOST_BYTES = 65_536
LOOPBACK = ("127.0.0.1", "localhost", "::1")
CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "content-security-policy": CSP,
    "x-frame-options": "DENY",
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",  # with "no-referrer" browsers would hide a form's origin from us, too
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
READS = ("GET", "HEAD", "OPTIONS")
_HOST = re.compile(r"(?:\[([0-9a-f:.]{2,45})\]|([a-z0-9._-]{1,253}))(?::\d{1,5})?", re.ASCII)


class Shield:
    """Refuses what did not come from these pages, and says in every answer what browsers may do with it.

    Parameters
    ----------
    app : ASGIApp
    hosts : iterable of str
        Names that browsers may call the pages by; another one may be a name that an attacker points here.
    """

    def __init__(self, app: ASGIApp, *, hosts: Iterable[str]) -> None:
        self._app = app
        self._hosts = {host.strip("[]").lower() for host in (*LOOPBACK, *hosts)}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self._app(scope, receive, send)
            return  # no web sockets here

        headers: dict[bytes, list[bytes]] = {}
        for name, value in scope["headers"]:
            headers.setdefault(name.lower(), []).append(value)

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                kept = scope["path"].startswith("/static/") and message["status"] in (200, 304)
                message["headers"] = _with_headers(message["headers"], kept=kept)
            await send(message)

        refused = self._refusal(scope["method"], headers)
        if refused:
            await _answer(guarded, *refused)
            return
        await self._app(scope, _bounded(receive), guarded)

    def _refusal(self, method: str, headers: dict[bytes, list[bytes]]) -> tuple[int, str] | None:
        """Status and reason of a request that goes no further."""
        hosts = headers.get(b"host", [])
        if len(hosts) != 1 or _host(hosts[0]) not in self._hosts:
            return 400, "unknown host; use the address that was printed, or set review.allowed_hosts"
        if method in READS:
            return None
        sites, origins = headers.get(b"sec-fetch-site", []), headers.get(b"origin", [])
        if any(site not in (b"same-origin", b"none") for site in sites):
            return 403, "this form was sent from another site"
        if any(origin.lower().partition(b"://")[2] != hosts[0].lower() for origin in origins):
            return 403, "this form was sent from another site"
        length = headers.get(b"content-length", [b"0"])[0].lstrip(b"0") or b"0"
        if not length.isdigit() or len(length) > len(str(MOST_BYTES)) or int(length) > MOST_BYTES:
            return 413, f"more than {MOST_BYTES:,} bytes were sent"
        return None


def _host(header: bytes) -> str:
    """Host of a Host header, without port and brackets; ``''`` where it is none."""
    found = _HOST.fullmatch(header.decode("latin-1").lower())
    return (found[1] or found[2]) if found else ""


def _with_headers(given: Iterable[tuple[bytes, bytes]], *, kept: bool) -> list[tuple[bytes, bytes]]:
    """An answer's headers with ours; pages are not kept by any cache: a blind page would stay after the verdict."""
    theirs = [(name, value) for name, value in given if name.lower() not in (b"server", b"cache-control")]
    added = {**HEADERS, "cache-control": "public, max-age=3600" if kept else "no-store"}
    return [*theirs, *((name.encode(), value.encode()) for name, value in added.items())]


def _bounded(receive: Receive) -> Receive:
    """Stop reading a body at `MOST_BYTES`, whatever length was announced."""
    seen = 0

    async def bounded() -> Message:
        nonlocal seen
        message = await receive()
        if message["type"] == "http.request":
            seen += len(message.get("body", b""))
            if seen > MOST_BYTES:
                return {"type": "http.disconnect"}
        return message

    return bounded


async def _answer(send: Send, status: int, text: str) -> None:
    body = f"{text}\n".encode()
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})

"""How an answer travels: at once, in drips, half, never, or as two gigabytes."""

from __future__ import annotations

import gzip
import zlib
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Protocol

from twisted.internet import reactor

from crawlers.replay.exchange import Answer

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

loop: Any = reactor  # its methods come from interfaces that type checkers cannot see


class Request(Protocol):
    """As much of Twisted's request as is used here."""

    channel: Any
    _disconnected: bool
    setResponseCode: Callable[[int], None]
    setHeader: Callable[[str, str], None]
    write: Callable[[bytes], None]
    finish: Callable[[], None]
    registerProducer: Callable[[object, bool], None]
    unregisterProducer: Callable[[], None]
    notifyFinish: Callable[[], Any]


HUGE = 2 * 1024**3  # bytes
BOMB = 1024**3  # bytes, unpacked
_CHUNK = b'{"items": [' + b" " * (65536 - 11)
DRIP = 10  # bytes, twice a second


def send(request: Request, answer: Answer, names: Collection[str], extra: dict[str, str]) -> None:
    """Send an answer as the faults `names` have it."""
    request.setResponseCode(answer.status)
    for name, value in {"Content-Type": answer.media, **extra, **answer.headers}.items():
        request.setHeader(name, value)
    if "huge_body" in names or "huge_body_chunked" in names:
        if "huge_body" in names:
            request.setHeader("Content-Length", str(HUGE))
        _Stream(request, _CHUNK, HUGE)
        return
    body = answer.encoded()
    if "gzip_bomb" in names:
        request.setHeader("Content-Encoding", "gzip")
        body = bomb()
    request.setHeader("Content-Length", str(len(body)))
    half = body[: len(body) // 2]
    if "slow_drip" in names:
        _drip(request, body)
    elif "hang_mid_body" in names:
        request.write(half)
    elif "reset_mid_body" in names:
        request.write(half)
        loop.callLater(0.05, _abort, request)
    elif "short_body" in names:
        request.write(half)
        loop.callLater(0.05, _close, request)
    else:
        request.write(body)
        request.finish()


class _Stream:
    """A pull producer: writes a chunk again and again, as fast as the other side reads."""

    def __init__(self, request: Request, chunk: bytes, size: int) -> None:
        self._request, self._chunk, self._left = request, chunk, size
        request.registerProducer(self, False)

    def resumeProducing(self) -> None:  # noqa: N802  # Twisted's name
        """Write the next piece."""
        piece = self._chunk[: min(len(self._chunk), self._left)]
        self._left -= len(piece)
        self._request.write(piece)
        if self._left <= 0:
            self._request.unregisterProducer()
            self._request.finish()

    def stopProducing(self) -> None:  # noqa: N802  # Twisted's name
        """Forget the rest: the other side is gone."""
        self._left = 0


def _drip(request: Request, body: bytes) -> None:
    if request._disconnected:
        return
    request.write(body[:DRIP])
    if len(body) > DRIP:
        loop.callLater(0.5, _drip, request, body[DRIP:])
    else:
        request.finish()


def _abort(request: Request) -> None:
    if request.channel is not None and request.channel.transport is not None:
        request.channel.transport.abortConnection()


def _close(request: Request) -> None:
    if request.channel is not None and request.channel.transport is not None:
        request.channel.transport.loseConnection()


@lru_cache(maxsize=1)
def bomb() -> bytes:
    """About a megabyte of gzip that unpacks to `BOMB` spaces."""
    block = b" " * 2**20
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    once = packer.compress(block) + packer.flush(zlib.Z_FULL_FLUSH)  # can stand behind itself any number of times
    check = 0
    for _ in range(BOMB // len(block)):
        check = zlib.crc32(block, check)
    head = gzip.compress(b"", mtime=0)[:10]
    tail = packer.flush() + check.to_bytes(4, "little") + (BOMB % 2**32).to_bytes(4, "little")
    return head + once * (BOMB // len(block)) + tail

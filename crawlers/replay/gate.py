"""Who gets in: tokens that are missing, wrong or used up, and rate limits with the headers that sources send."""

from __future__ import annotations

import math
import time
from collections import Counter
from dataclasses import replace
from email.utils import formatdate

from crawlers.replay.exchange import Answer, Ask
from crawlers.replay.settings import NEEDS_TOKEN, ReplaySettings
from crawlers.replay.upwork import failure

_COUNTED = {"github": 30, "freelancehunt": 60}  # sources that always say how much is left, and of how much


class Gate:
    """Counts requests by token and by source."""

    def __init__(self, settings: ReplaySettings) -> None:
        self._settings = settings
        self._uses: Counter[str] = Counter()
        self._windows: dict[str, tuple[float, int]] = {}

    def refusal(self, ask: Ask, source: str) -> Answer | None:
        """Answer to a request that is not let in; None where it is."""
        if not source:
            return None
        refused = self._token(ask, source)
        if refused:
            return refused
        started, count = self._count(source)
        if self._settings.rate_limit and count > self._settings.rate_limit:
            return self._too_many(source, started)
        return None

    def headers(self, source: str) -> dict[str, str]:
        """Headers that say how much of the limit is left."""
        limit = self._settings.rate_limit or _COUNTED.get(source, 0)
        if not limit or (source not in _COUNTED and not self._settings.rate_limit):
            return {}
        started, count = self._windows.get(source, (time.time(), 1))
        left = max(0, limit - count) if self._settings.rate_limit else limit - 1
        reset = math.ceil(started + self._settings.rate_window)
        return {"X-RateLimit-Limit": str(limit), "X-RateLimit-Remaining": str(left), "X-RateLimit-Reset": str(reset),
                "X-RateLimit-Used": str(limit - left), "X-RateLimit-Resource": "search"}  # fmt: skip

    def _token(self, ask: Ask, source: str) -> Answer | None:
        header = ask.headers.get("freelancer-oauth-v1" if source == "freelancer" else "authorization", "")
        token = header.removeprefix("Bearer ").removeprefix("token ").strip()
        if not token:
            return _unauthorized(source, "no token") if source in NEEDS_TOKEN else None
        if source not in NEEDS_TOKEN and source != "github":
            return None
        if source in ("freelancehunt", "upwork") and not header.startswith("Bearer "):
            return _unauthorized(source, "not a bearer token")
        self._uses[token] += 1
        if self._settings.token and token != self._settings.token:
            return _unauthorized(source, "unknown token")
        if self._settings.token_requests and self._uses[token] > self._settings.token_requests:
            return _unauthorized(source, "expired token")
        return None

    def _count(self, source: str) -> tuple[float, int]:
        now = time.time()
        started, count = self._windows.get(source, (now, 0))
        if now - started >= self._settings.rate_window:
            started, count = now, 0
        self._windows[source] = started, count + 1
        return started, count + 1

    def _too_many(self, source: str, started: float) -> Answer:
        reset = math.ceil(started + self._settings.rate_window)
        wait = max(1, math.ceil(reset - time.time()))
        answer = Answer(429, {"message": "API rate limit exceeded", "documentation_url": "https://docs.example.org"})
        if self._settings.rate_style == "reset":
            return replace(answer, status=403)
        shown = str(wait) if self._settings.rate_style == "seconds" else formatdate(reset, usegmt=True)
        return replace(answer, headers={"Retry-After": shown})


def _unauthorized(source: str, why: str) -> Answer:
    if source == "freelancer":
        data: object = {"status": "error", "message": f"You must be logged in to perform this request ({why}).",
                        "error_code": "RestExceptionCodes.NOT_AUTHENTICATED", "request_id": "0" * 32}  # fmt: skip
        return Answer(401, data)
    if source == "freelancehunt":
        return Answer(401, {"error": {"status": 401, "title": "Unauthorized", "detail": why}})
    if source == "upwork":
        return replace(failure(f"Authentication failed: {why}", "UNAUTHENTICATED"), status=401)
    return Answer(401, {"message": "Bad credentials", "documentation_url": "https://docs.github.com/rest"})

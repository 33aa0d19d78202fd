"""When the next request may go, and how long an answer asks to wait."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from crawlers.job import Job

_NUMBER = re.compile(r"[0-9]+(?:\.[0-9]*)?")
_EPOCH = 1e9  # X-RateLimit-Reset above it is a Unix time, below it seconds to wait


class Limits:
    """When the next request may go: shared by the middlewares of one crawl."""

    def __init__(self, job: Job) -> None:
        rate = job.source.requests_per_minute if job.crawl.throttle else 0.0
        self.interval = 60.0 / rate if rate else 0.0
        self._obey_delay = job.crawl.throttle
        self._next = 0.0
        self._held_until = 0.0

    def slow_down(self, interval: float) -> None:
        """Take at least this many seconds between requests."""
        if self._obey_delay:
            self.interval = max(self.interval, interval)

    def hold(self, seconds: float) -> None:
        """Send nothing for this long."""
        self._held_until = max(self._held_until, time.monotonic() + seconds)

    def book(self) -> float:
        """Monotonic time at which a request may go; the one after it goes an interval later."""
        at = max(time.monotonic(), self._next, self._held_until)
        self._next = at + self.interval
        return at

    def held_until(self) -> float:
        """Monotonic time until which nothing goes."""
        return self._held_until


def says_limit(headers: Mapping[str, str]) -> bool:
    """Whether a 403 is a rate limit rather than a refusal for good."""
    return "retry-after" in headers or headers.get("x-ratelimit-remaining") == "0"


def wait_of(headers: Mapping[str, str], at: datetime) -> float | None:
    """Seconds that an answer asks to wait, None where it names no time.

    Parameters
    ----------
    headers : mapping
        Lower-case names. ``Retry-After`` (seconds or a date) goes before ``X-RateLimit-Reset`` (Unix time or seconds).

    >>> wait_of({"retry-after": "7"}, datetime(2026, 3, 5, tzinfo=UTC))
    7.0
    """
    after, reset = headers.get("retry-after", "").strip(), headers.get("x-ratelimit-reset", "").strip()
    if after:
        if _NUMBER.fullmatch(after):
            return float(after)
        try:
            named = parsedate_to_datetime(after)
            named = named if named.tzinfo else named.replace(tzinfo=UTC)  # HTTP's dates are UTC, whatever they say
            return max(0.0, (named - at).total_seconds())
        except (ValueError, TypeError, OverflowError):
            pass
    if _NUMBER.fullmatch(reset):
        value = float(reset)
        return max(0.0, value - at.timestamp()) if value > _EPOCH else value
    return None

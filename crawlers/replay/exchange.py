"""What is asked and what is answered, apart from how it travels."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from crawlers.replay.world import World

Record = dict[str, Any]
Touch = Callable[[Record, int], Record]
"""What the faults in force do to a record that is about to be sent."""


@dataclass(frozen=True, slots=True)
class Ask:
    """One request. Names of headers are in lower case; `base` is the server as the client named it."""

    method: str
    path: str
    query: Mapping[str, list[str]]
    headers: Mapping[str, str]
    body: bytes = b""
    base: str = "http://127.0.0.1"

    def one(self, name: str, default: str = "") -> str:
        """Last value of a parameter."""
        return (self.query.get(name) or [default])[-1]

    def number(self, name: str, default: int, low: int, high: int) -> int:
        """Parameter as a whole number within bounds; what is none counts as absent."""
        text = self.one(name)
        try:
            return min(max(int(text), low), high)
        except ValueError:
            return default


@dataclass(frozen=True, slots=True)
class Answer:
    """One response.

    Attributes
    ----------
    data : object
        What is sent as JSON, unless `body` is given.
    place : tuple of keys, or None
        Where in `data` the list of records is; None where there is none.
    """

    status: int = 200
    data: object = None
    body: bytes | None = None
    media: str = "application/json; charset=utf-8"
    headers: Mapping[str, str] = field(default_factory=dict)
    place: tuple[str, ...] | None = None

    def encoded(self) -> bytes:
        """Body as sent."""
        return self.body if self.body is not None else encode(self.data)


@dataclass(frozen=True, slots=True)
class View:
    """What a source's handler works on: its world, and what to do to each record."""

    world: World
    touch: Touch | None = None

    def show(self, record: Record, number: int) -> Record:
        """Record as the faults in force leave it."""
        return self.touch(record, number) if self.touch else record


def encode(data: object) -> bytes:
    """JSON as sent."""
    return json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")


@dataclass(frozen=True, slots=True)
class Truth:
    """What a perfect crawl must know of one record.

    Attributes
    ----------
    id : str
        As the source gives it.
    url : str
        Path of its page on the source's own site, or ``''``.
    title : str or None
    kind : {"posting", "not_a_posting"}
    created : int
        Seconds, UTC.
    low, high : float or None
    currency : str or None
    unit : str
        fixed, hour, day, week, month, year, or ``''``.
    why : str
        Why there is no price, in the words of `crawlers.replay.quotes.Quote`; ``''`` where there is one.
    """

    id: str
    url: str
    title: str | None
    kind: str
    created: int
    low: float | None
    high: float | None
    currency: str | None
    unit: str
    why: str

"""What the sources would hold: a timeline of postings, numbered from the oldest, and what changes between two editions.

Everything is a function of (seed, source, number, edition): nothing is stored, so two hundred thousand postings cost
nothing until somebody asks for a page of them.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Literal

from crawlers.replay.draws import base_of, mix

Change = Literal["", "edit", "raise", "close"]


def epoch(year: int, month: int, day: int, hour: int = 0) -> int:
    """Seconds since 1970, UTC."""
    return int(datetime(year, month, day, hour, tzinfo=UTC).timestamp())


FIRST = epoch(2025, 11, 3)  # the first edition's postings lie from here
LAST = epoch(2026, 10, 1)  # to here
NEW_FIRST, NEW_LAST = epoch(2026, 10, 3), epoch(2026, 10, 31)  # and the second edition's new ones here
EDITED_FIRST, EDITED_LAST = epoch(2026, 10, 2), epoch(2026, 10, 30)  # where the second edition changed old ones
ENDLESS = 10_000_000  # records that a listing without end claims to have

EDITED_WHILE_NEW = ("hackernews", "freelancer", "freelancehunt")
"""Sources that list by date of publication alone, so that nobody can find an edit of an old posting again."""
RECENT_DAYS = 10  # how old a posting of such a source may be when it is edited

_CHANGES: tuple[tuple[int, Change], ...] = ((3, "edit"), (8, "raise"), (11, "close"))  # of 100
_CHANGES_WHILE_NEW: tuple[tuple[int, Change], ...] = ((15, "edit"), (35, "raise"), (50, "close"))  # of 100
_ONE_OF_EACH: tuple[Change, ...] = ("edit", "raise", "close")  # a small world has one of each


@dataclass(frozen=True, slots=True)
class World:
    """One source's postings as they stand in one edition.

    Attributes
    ----------
    seed : int
    source : str
    size : int
        Postings of the first edition, >= 1.
    edition : {1, 2}
    endless : {"", "same", "fresh"}
        Whether listings end, or always have another page with the same or with fresh records.
    """

    seed: int
    source: str
    size: int
    edition: int
    endless: str = ""

    @property
    def base(self) -> int:
        """64 bits that stand for this source under this seed, in both editions."""
        return base_of(self.seed, self.source)

    @property
    def count(self) -> int:
        """How many postings there are; numbers run from 0 to one less."""
        return self.size if self.edition == 1 else self.size + max(2, self.size // 20)

    def created(self, number: int) -> int:
        """When a posting was made, seconds UTC; grows with its number."""
        if number >= self.count:
            number %= self.count
        jitter = 0.1 + 0.8 * (mix(self.base ^ 1, number) / 2**64)
        if number < self.size:
            return int(FIRST + (number + jitter) * (LAST - FIRST) / self.size)
        added = self.count - self.size
        return int(NEW_FIRST + (number - self.size + jitter) * (NEW_LAST - NEW_FIRST) / added)

    def change(self, number: int) -> Change:
        """What the second edition did to a posting of the first."""
        if self.edition == 1 or number >= self.size:
            return ""
        recent = self.source in EDITED_WHILE_NEW
        place = self.size - 1 - number if recent else number
        if place < len(_ONE_OF_EACH):
            return _ONE_OF_EACH[place]
        if recent and self.created(number) < LAST - RECENT_DAYS * 86_400:
            return ""
        share = (mix(self.base ^ 2, number) >> 20) % 100
        chances = _CHANGES_WHILE_NEW if recent else _CHANGES
        return next((change for below, change in chances if share < below), "")

    def updated(self, number: int) -> int:
        """When a posting last changed, seconds UTC."""
        if self.change(number):
            return EDITED_FIRST + mix(self.base ^ 3, number) % (EDITED_LAST - EDITED_FIRST)
        return self.created(number)

    def select(self, name: str, wanted: Callable[[int], bool]) -> Sequence[int]:
        """Numbers that `wanted` accepts, ascending; remembered under `name`."""
        return _selected(self, name, wanted)


class _Asked:
    """A function that does not count when selections are told apart: their name does."""

    __slots__ = ("wanted",)

    def __init__(self, wanted: Callable[[int], bool]) -> None:
        self.wanted = wanted

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Asked)

    def __hash__(self) -> int:
        return 0


def _selected(world: World, name: str, wanted: Callable[[int], bool]) -> array[int]:
    return _select(world, name, _Asked(wanted))


@lru_cache(maxsize=128)
def _select(world: World, name: str, asked: _Asked) -> array[int]:
    return array("q", (number for number in range(world.count) if asked.wanted(number)))


@lru_cache(maxsize=32)
def update_times(world: World) -> array[int]:
    """`World.updated` of every number."""
    return array("q", (world.updated(number) for number in range(world.count)))


def between(world: World, numbers: Sequence[int], low: float, high: float) -> tuple[int, int]:
    """Where in ascending `numbers` the postings made in [low, high] lie: first position, and one past the last."""
    from bisect import bisect_left, bisect_right

    return (
        bisect_left(numbers, low, key=world.created),
        bisect_right(numbers, high, key=world.created),
    )


def part(world: World, numbers: Sequence[int], start: int, size: int, *, newest_first: bool) -> tuple[list[int], int]:
    """One page of `numbers`, and how many there are in all, as the listing claims."""
    total = len(numbers)
    if world.endless == "same":
        start = 0
    elif world.endless == "fresh" and total:
        return [world.count + start + step for step in range(size)], ENDLESS
    if newest_first:
        stop = max(total - start, 0)
        page = list(numbers[max(stop - size, 0) : stop])[::-1]
    else:
        page = list(numbers[start : start + size])
    return page, ENDLESS if world.endless else total


def iso(seconds: float, form: str = "%Y-%m-%dT%H:%M:%SZ") -> str:
    """Time as text, UTC.

    >>> iso(0)
    '1970-01-01T00:00:00Z'
    """
    return datetime.fromtimestamp(seconds, UTC).strftime(form)

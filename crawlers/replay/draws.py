"""Seeded draws that need no state: record 17 of a source is the same whether or not records 0 to 16 were ever made."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import lru_cache
from typing import TypeVar

T = TypeVar("T")

_MASK = (1 << 64) - 1
_STEP = 0x9E3779B97F4A7C15


@lru_cache(maxsize=4096)
def base_of(*key: int | str) -> int:
    """64 bits that stand for a key."""
    text = "\x1f".join(str(part) for part in key)
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")


def mix(base: int, number: int) -> int:
    """64 well-mixed bits of a number (splitmix64).

    >>> mix(1, 2) == mix(1, 2) != mix(1, 3)
    True
    """
    x = (base + (number + 1) * _STEP) & _MASK
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & _MASK
    return x ^ (x >> 31)


class Draw:
    """A run of draws that belongs to one number."""

    __slots__ = ("_base", "_turn")

    def __init__(self, base: int, number: int) -> None:
        self._base = mix(base, number)
        self._turn = 0

    def bits(self) -> int:
        """Draw 64 bits."""
        self._turn += 1
        return mix(self._base, self._turn)

    def pick(self, options: Sequence[T]) -> T:
        """One of the options, all equally likely."""
        return options[self.bits() % len(options)]

    def between(self, low: int, high: int) -> int:
        """Whole number from `low` to `high`, both included."""
        return low + self.bits() % (high - low + 1)

    def chance(self, share: float) -> bool:
        """Whether something happens that happens in `share` of all cases."""
        return self.bits() < share * 2.0**64

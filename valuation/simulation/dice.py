"""Fast seeded choices for text."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy as np

Item = TypeVar("Item")
BLOCK = 65_536


class Dice:
    """A stream of uniforms, drawn in blocks: one numpy call for each choice would take most of the time."""

    def __init__(self, rng: np.random.Generator) -> None:
        """Take ownership of `rng`."""
        self._rng = rng
        self._stream: Iterator[float] = iter(())

    def uniform(self) -> float:
        """Return the next uniform in [0, 1)."""
        for value in self._stream:
            return value
        self._stream = iter(self._rng.random(BLOCK).tolist())
        return next(self._stream)

    def pick(self, options: Sequence[Item]) -> Item:
        """Return one of the options, each as likely."""
        return options[int(self.uniform() * len(options))]

    def chance(self, probability: float) -> bool:
        """Return True with this probability."""
        return self.uniform() < probability

    def between(self, low: int, high: int) -> int:
        """Return a whole number from `low` to `high`, both included."""
        return low + int(self.uniform() * (high - low + 1))

    def shuffled(self, items: Sequence[Item]) -> list[Item]:
        """Return the items in random order."""
        keyed = [(self.uniform(), position) for position in range(len(items))]
        return [items[position] for _, position in sorted(keyed)]

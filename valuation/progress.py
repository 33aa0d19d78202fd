"""How a long job tells what it is doing, without knowing who listens."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Told by the pipeline, shown by the command line; never part of a result."""

    def stage(self, name: str) -> None:
        """Begin a stage, such as ``embed postings``; the one before it is over."""

    def advance(self, done: int, total: int) -> None:
        """Tell how much of the current stage is done, ``0 <= done <= total``, in whatever it counts."""

    def note(self, text: str) -> None:
        """Tell in words how far a stage of unknown length is."""


class Silent:
    """Shows nothing: the default of every function that takes a `Progress`."""

    def stage(self, name: str) -> None:
        """Ignore the stage."""

    def advance(self, done: int, total: int) -> None:
        """Ignore the count."""

    def note(self, text: str) -> None:
        """Ignore the words."""

"""Compiled loops: one way to ask numba for machine code, wherever the loop stands."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from numba import njit

Compiled = TypeVar("Compiled", bound=Callable[..., Any])


def compiled(*, parallel: bool) -> Callable[[Compiled], Compiled]:
    """Compile with numba and keep the machine code on disk where that is possible.

    A read-only installation, or a function without a source file, has nowhere to keep it: compiled in each process.
    """

    def decorate(function: Compiled) -> Compiled:
        try:
            fast: Compiled = njit(cache=True, nogil=True, parallel=parallel)(function)
        except RuntimeError:  # numba's "no locator available": no writable cache folder
            fast = njit(nogil=True, parallel=parallel)(function)
        return fast

    return decorate

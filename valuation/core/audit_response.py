"""Audited sessions without an analyst's value: weights by those that have one, in strata that have enough of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

LEAST = 2
"""Responses of a stratum, so that its spread can be estimated."""


@dataclass(frozen=True, slots=True)
class ResponseStrata:
    """Strata after those with too few responses joined a neighbour.

    Attributes
    ----------
    stratum : ndarray of int, shape (n_sessions,)
        In [0, n_strata).
    size, responses : ndarray of int, shape (n_strata,)
        Sessions, and those with an analyst's value.
    joined : int
        Strata that were given up.
    """

    stratum: NDArray[np.int64]
    size: NDArray[np.int64]
    responses: NDArray[np.int64]
    joined: int


def response_strata(
    stratum: NDArray[np.int64],
    month: NDArray[np.int64],
    responded: NDArray[np.bool_],
    matched: NDArray[np.bool_] | None = None,
) -> ResponseStrata:
    """Join strata until each has two responses, or is known whole, or is the last of its month and kind.

    A stratum joins the smaller of its neighbours in order of code within its month: the design numbers like strata
    next to each other. Matched and unmatched sessions never stand for each other. The same rows in another order give
    the same strata.

    Parameters
    ----------
    stratum : ndarray of int, shape (n_sessions,)
        Codes of the design, at least 0.
    month : ndarray of int, shape (n_sessions,)
    responded : ndarray of bool, shape (n_sessions,)
        Checked, with an analyst's value.
    matched : ndarray of bool, shape (n_sessions,), optional
        Whether the pricer gives the session a value; by default all alike.
    """
    codes, first, at = np.unique(stratum, return_index=True, return_inverse=True)
    at = at.ravel()
    size = np.bincount(at, minlength=codes.size)
    responses = np.bincount(at, weights=responded, minlength=codes.size).astype(np.int64)
    of_month = month[first]
    if (of_month[at] != month).any():
        raise ValueError("a stratum has sessions of two months")
    matched = np.ones(month.size, dtype=bool) if matched is None else matched
    if (matched[first][at] != matched).any():
        raise ValueError("a stratum has matched and unmatched sessions")
    together = 2 * of_month + matched[first]
    target = np.arange(codes.size)
    for code in np.unique(together):
        _join(np.flatnonzero(together == code), size, responses, target)
    kept, new = np.unique(target, return_inverse=True)
    new = new.ravel()
    return ResponseStrata(
        new[at], np.bincount(new, weights=size).astype(np.int64),
        np.bincount(new, weights=responses).astype(np.int64), int(codes.size - kept.size),
    )  # fmt: skip


def _join(
    members: NDArray[np.int64], size: NDArray[np.int64], responses: NDArray[np.int64], target: NDArray[np.int64]
) -> None:
    """Point the strata of one month at the one they join, in place."""
    groups = [[int(member)] for member in members]
    while len(groups) > 1:
        sizes = [int(size[group].sum()) for group in groups]
        counts = [int(responses[group].sum()) for group in groups]
        thin = [place for place, n in enumerate(counts) if n < min(LEAST, sizes[place])]
        if not thin:
            break
        place = thin[0]
        beside = [other for other in (place - 1, place + 1) if 0 <= other < len(groups)]
        other = min(beside, key=lambda candidate: (sizes[candidate], candidate))
        low, high = sorted((place, other))
        groups[low : high + 1] = [groups[low] + groups[high]]
    for group in groups:
        target[group] = group[0]

"""Which sessions people check: strata, how many from each, and which ones.

Strata are month × kind of work × thirds of the predicted value × halves of the similarity, the unmatched of a month
their own. Thirds are cut within a month's kind, halves within a third: the parts of a cut are then equally large, and
a rare kind is not spread over cells with nobody in them. A month with few audits cannot fill all cells. Its strata
are coarsened until each can expect `LEAST` audits in proportion to its size:

1. kinds that cannot expect `LEAST` audits are pooled (`OTHER`), rarest first;
2. of the kinds left, those that can expect ``6·LEAST`` are cut into thirds and halves, those that can expect
   ``3·LEAST`` into thirds, the others not at all.

Kinds are kept longer than thirds because the estimate takes out what is linear in the predicted value by itself.
Sizes in proportion keep inclusion probabilities nearly equal, which no other rule beats for all figures at once; a
given spread gives Neyman's sizes instead (Neyman 1934, "On the two different aspects of the representative method").

Within a stratum a simple random sample without replacement is drawn: the sessions whose keyed draws are smallest. A
draw depends on (seed, session) alone, so neither the order of rows nor other strata matter.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from valuation.core.draws import exponentials
from valuation.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

AUDITS = 16
"""Stream of the draws (`valuation.core.draws`)."""
LEAST = 2
"""Audits of a stratum, so that its spread can be estimated; a stratum of one session has one."""
OTHER = -1
"""Code of the pooled kinds, and of "not cut" for thirds and halves."""
THIRDS, HALVES = 3, 2


@dataclass(frozen=True, slots=True)
class AuditDesign:
    """Strata and the sample drawn from them.

    Attributes
    ----------
    stratum : ndarray of int, shape (n_sessions,)
        In [0, n_strata); -1 in months that are not audited. Strata that follow each other are alike.
    inclusion : ndarray, shape (n_sessions,)
        ``π_i``, the audits of the stratum over its sessions: in (0, 1], NaN in months that are not audited.
    chosen : ndarray of bool, shape (n_sessions,)
        The sample.
    month : ndarray of int, shape (n_strata,)
        Month code of each stratum, ascending.
    kind : ndarray of int, shape (n_strata,)
        Code of the kind, `OTHER` for the pooled kinds and for the unmatched.
    third : ndarray of int, shape (n_strata,)
        0 (lowest predicted values) to 2, or `OTHER` where not cut.
    half : ndarray of int, shape (n_strata,)
        0 (less similar) or 1, or `OTHER` where not cut.
    unmatched : ndarray of bool, shape (n_strata,)
        Whether these are a month's unmatched sessions.
    size, audits : ndarray of int, shape (n_strata,)
        Sessions and audits.
    """

    stratum: NDArray[np.int64]
    inclusion: NDArray[np.float64]
    chosen: NDArray[np.bool_]
    month: NDArray[np.int64]
    kind: NDArray[np.int64]
    third: NDArray[np.int64]
    half: NDArray[np.int64]
    unmatched: NDArray[np.bool_]
    size: NDArray[np.int64]
    audits: NDArray[np.int64]


def draw_audit(
    key: NDArray[np.uint64], month: NDArray[np.int64], kind: NDArray[np.int64], value: NDArray[np.float64],
    similarity: NDArray[np.float64], *, audits: NDArray[np.int64], seed: int,
    spread: NDArray[np.float64] | None = None,
) -> AuditDesign:  # fmt: skip
    """Lay strata over the sessions of the audited months and draw from each.

    Parameters
    ----------
    key : ndarray of uint64, shape (n_sessions,)
        Hashes of session ids (`valuation.core.draws.unit_key`), all different.
    month : ndarray of int, shape (n_sessions,)
        In [0, n_months).
    kind : ndarray of int, shape (n_sessions,)
        Code of the kind of work, at least 0; all 0 where there are no kinds.
    value : ndarray, shape (n_sessions,)
        Predicted value, logs; NaN for the unmatched.
    similarity : ndarray, shape (n_sessions,)
        Of the nearest posting, in [-1, 1].
    audits : ndarray of int, shape (n_months,)
        Sessions to draw from each month: 0 leaves it out, more than it has takes all.
    seed : int
        In [0, 2^64).
    spread : ndarray, shape (n_sessions,), optional
        Expected size of each session's deviation (its weight times the standard deviation of analyst's less predicted
        value): strata get audits in proportion to their size times its root mean square. None: to their size.

    Raises
    ------
    InputError
        Fewer audits in a month than `LEAST` of the matched and of the unmatched.
    """
    _check(key, month, kind, value, similarity, audits)
    parts = _strata(key, month, kind, value, similarity, audits)
    rows = np.flatnonzero(parts[:, 0] >= 0)
    stratum = np.full(key.size, -1, dtype=np.int64)
    pooled = int(kind.max(initial=-1)) + 1
    size_of = (audits.size, 2, pooled + 1, THIRDS + 1, HALVES + 1)
    codes = np.ravel_multi_index(tuple((parts[rows] - [0, 0, 0, OTHER, OTHER]).T), size_of)
    there, stratum[rows] = np.unique(codes, return_inverse=True)
    cells = np.stack(np.unravel_index(there, size_of), axis=1).astype(np.int64)
    cells[:, 3:] += OTHER
    size = np.bincount(stratum[rows], minlength=len(cells)).astype(np.int64)
    squares = np.bincount(
        stratum[rows], weights=None if spread is None else np.square(spread[rows]), minlength=len(cells)
    )
    relative = size * np.sqrt(squares / size)
    drawn = np.zeros(len(cells), dtype=np.int64)
    for code in np.unique(cells[:, 0]):
        here = cells[:, 0] == code
        drawn[here] = allocate(size[here], int(audits[code]), relative=relative[here])
    inclusion = np.full(key.size, np.nan)
    inclusion[rows] = (drawn / size)[stratum[rows]]
    kinds = np.where(cells[:, 2] == pooled, OTHER, cells[:, 2])
    return AuditDesign(
        stratum, inclusion, _select(key, stratum, drawn, seed),
        cells[:, 0], kinds, cells[:, 3], cells[:, 4], cells[:, 1] == 1, size, drawn,
    )  # fmt: skip


def allocate(size: NDArray[np.int64], audits: int, *, relative: NDArray[np.float64]) -> NDArray[np.int64]:
    """Share a month's audits out over its strata: in proportion, at least `LEAST`, at most all, by largest remainder.

    Parameters
    ----------
    size : ndarray of int, shape (n_strata,)
        Sessions.
    audits : int
        Of the month.
    relative : ndarray, shape (n_strata,)
        What the shares are proportional to: `size`, or size times spread. Not negative.

    Returns
    -------
    ndarray of int, shape (n_strata,)
        Sums to `audits`, or to all sessions if they are fewer.
    """
    total = min(audits, int(size.sum()))
    least = np.minimum(size, LEAST)
    if least.sum() > total:
        raise InputError(f"{audits} audits for {size.size} strata; expected at least {least.sum()} in this month")
    relative = np.maximum(relative, 1e-12 * max(float(relative.max(initial=0.0)), 1.0))  # an end of the search exists
    low, high = 0.0, float((size / relative).max())
    for _ in range(60):  # the factor at which clipped shares sum to the total
        middle = 0.5 * (low + high)
        if np.minimum(np.maximum(middle * relative, least), size).sum() < total:
            low = middle
        else:
            high = middle
    share = np.clip(high * relative, least, size)
    whole = np.floor(share + 1e-9).astype(np.int64)
    remainder = np.round(share - whole, 9)
    order = np.lexsort((np.arange(size.size), -remainder))
    order = order[whole[order] < size[order]]
    whole[order[: total - int(whole.sum())]] += 1
    return whole


def _check(
    key: NDArray[np.uint64], month: NDArray[np.int64], kind: NDArray[np.int64], value: NDArray[np.float64],
    similarity: NDArray[np.float64], audits: NDArray[np.int64],
) -> None:  # fmt: skip
    if len({key.size, month.size, kind.size, value.size, similarity.size}) != 1:
        raise ValueError("sessions' arrays differ in length")
    if np.unique(key).size != key.size:
        raise ValueError("two sessions have the same key")
    if month.size and not 0 <= month.min() <= month.max() < audits.size:
        raise ValueError(f"months {month.min()} to {month.max()}, expected 0 to {audits.size - 1}")
    if kind.size and kind.min() < 0:
        raise ValueError(f"kind {kind.min()}, expected codes from 0")
    if audits.size and audits.min() < 0:
        raise InputError(f"{audits.min()} audits in a month, expected 0 or more")
    for code in np.flatnonzero(audits > 0):
        unmatched = np.isnan(value[month == code])
        least = min(LEAST, int(unmatched.sum())) + min(LEAST, int((~unmatched).sum()))
        if audits[code] < least:
            raise InputError(
                f"{audits[code]} audits in a month, expected at least {least} "
                f"({LEAST} of the matched and {LEAST} of the unmatched sessions), or 0 to leave it out"
            )


def _strata(
    key: NDArray[np.uint64], month: NDArray[np.int64], kind: NDArray[np.int64], value: NDArray[np.float64],
    similarity: NDArray[np.float64], audits: NDArray[np.int64],
) -> NDArray[np.int64]:  # fmt: skip
    """Month, unmatched, kind, third and half of each session, shape (n_sessions, 5); all -1 in months left out.

    The pooled kinds have the largest code here, so that strata in order of code put them after the others.
    """
    parts, last = np.full((key.size, 5), -1, dtype=np.int64), int(kind.max(initial=-1)) + 1
    for code in np.flatnonzero(audits > 0):
        here = np.flatnonzero(month == code)
        matched = here[~np.isnan(value[here])]
        parts[here, 0], parts[here, 1] = code, 1
        parts[here, 2] = last
        parts[matched, 1] = 0
        n_unmatched, total = here.size - matched.size, min(int(audits[code]), here.size)
        apart = max(min(LEAST, n_unmatched), total * n_unmatched / max(here.size, 1))
        per_session = (total - apart) / max(matched.size, 1)
        pooled = _pooled(kind[matched], per_session, last)
        parts[matched, 2] = pooled
        for group in np.unique(pooled):
            rows = matched[pooled == group]
            parts[rows, 3:] = _cuts(key[rows], value[rows], similarity[rows], per_session * rows.size)
    return parts


def _pooled(kind: NDArray[np.int64], per_session: float, last: int) -> NDArray[np.int64]:
    """Kinds, with those that cannot expect `LEAST` audits made `last`; too few even so, the next rarest joins them."""
    codes, at, count = np.unique(kind, return_inverse=True, return_counts=True)
    order = np.lexsort((codes, count))
    enough = LEAST - 1e-9  # two of two must not fail by a rounding
    rare = int((count * per_session < enough).sum())
    while 0 < rare < codes.size and count[order[:rare]].sum() * per_session < enough:
        rare += 1
    codes[order[:rare]] = last
    return np.asarray(codes[at.ravel()])


def _cuts(
    key: NDArray[np.uint64], value: NDArray[np.float64], similarity: NDArray[np.float64], expected: float
) -> NDArray[np.int64]:
    """Third and half of each session of one kind, shape (n, 2), as far as its expected audits go."""
    parts = np.full((key.size, 2), OTHER, dtype=np.int64)
    if expected < THIRDS * LEAST - 1e-9:
        return parts
    parts[:, 0] = _part(value, key, THIRDS)
    if expected < HALVES * THIRDS * LEAST - 1e-9:
        return parts
    for third in range(THIRDS):
        rows = parts[:, 0] == third
        parts[rows, 1] = _part(similarity[rows], key[rows], HALVES)
    return parts


def _part(values: NDArray[np.float64], key: NDArray[np.uint64], parts: int) -> NDArray[np.int64]:
    """Cut into equal parts by rank, ties by key."""
    rank = np.empty(values.size, dtype=np.int64)
    rank[np.lexsort((key, values))] = np.arange(values.size)
    return rank * parts // max(values.size, 1)


def _select(
    key: NDArray[np.uint64], stratum: NDArray[np.int64], drawn: NDArray[np.int64], seed: int
) -> NDArray[np.bool_]:
    """Choose the sessions with the smallest draws of each stratum."""
    chosen = np.zeros(key.size, dtype=bool)
    rows = np.flatnonzero(stratum >= 0)
    draw = exponentials(key[rows], seed=seed, stream=AUDITS, first=0, count=1)[0]
    order = rows[np.lexsort((key[rows], draw, stratum[rows]))]
    first = np.searchsorted(stratum[order], np.arange(drawn.size))
    place = np.arange(order.size) - first[stratum[order]] if drawn.size else np.zeros(0, dtype=np.int64)
    chosen[order] = place < drawn[stratum[order]] if drawn.size else False
    return chosen

"""Users and clients: who did a session, who wrote a posting."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from valuation.simulation.model import DOMAIN_NAMES
from valuation.simulation.settings import KIND_NAMES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from valuation.simulation.model import Attributes

ACTIVITY_SPREAD = 1.1  # standard deviation of log activity: the busiest tenth does nearly half of the sessions
PREFERENCE = 5.0  # a favourite kind or domain is this many times as likely
FAVOURITES = 2
ALWAYS_SHARE = 0.35  # active in all months
BRIEF_SHARE = 0.35  # active in one or two; the others in a run of three or more
CLIENT_SHARE = 0.7  # clients a posting
CLIENT_SKEW = 1.3


@dataclass(frozen=True, slots=True)
class Users:
    """What n people are like.

    Attributes
    ----------
    activity : ndarray, shape (n,)
        Relative number of sessions a month.
    active : ndarray of bool, shape (n, months)
    kinds, domains : ndarray, shape (n, kinds), (n, domains)
        How much likelier than others to do such work, >= 1.
    """

    activity: NDArray[np.float64]
    active: NDArray[np.bool_]
    kinds: NDArray[np.float64]
    domains: NDArray[np.float64]


def draw_users(count: int, months: int, *, rng: np.random.Generator) -> Users:
    """Draw `count` people; every month has at least one of them."""
    activity = np.exp(ACTIVITY_SPREAD * rng.standard_normal(count))
    style, place = rng.random(count), rng.random(count)
    brief = rng.integers(1, 3, count)
    length = np.where(
        style < ALWAYS_SHARE, months, np.where(style > 1 - BRIEF_SHARE, brief, rng.integers(3, 3 + months, count))
    )
    length = np.clip(length, 1, months)
    start = np.floor(place * (months - length + 1)).astype(np.int64)
    month = np.arange(months)
    active = (month >= start[:, None]) & (month < (start + length)[:, None])
    active[np.argmax(activity)] = True
    return Users(
        activity, active, _preferences(count, len(KIND_NAMES), rng), _preferences(count, len(DOMAIN_NAMES), rng)
    )


def _preferences(count: int, options: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Return 1, or `PREFERENCE` for each person's favourites, shape (count, options)."""
    favourite = rng.random((count, options)).argsort(axis=1) < FAVOURITES
    return np.where(favourite, PREFERENCE, 1.0)


def assign_users(
    attributes: Attributes, month: NDArray[np.int64], users: Users, *, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Return who did each session, shape (n,): given month, kind and domain, so that these keep their true shares.

    Afterwards people without a session take one over from the busiest: everybody has at least one.
    """
    n = len(month)
    kinds, domains = len(KIND_NAMES), len(DOMAIN_NAMES)
    cell = (month * kinds + attributes.kind) * domains + attributes.domain
    uniform = rng.random(n)
    owner = np.empty(n, dtype=np.int64)
    order = np.argsort(cell, kind="stable")
    for rows in np.split(order, np.flatnonzero(np.diff(cell[order])) + 1):
        first = rows[0]
        weight = (
            users.activity
            * users.active[:, month[first]]
            * users.kinds[:, attributes.kind[first]]
            * users.domains[:, attributes.domain[first]]
        )
        total = np.cumsum(weight)
        owner[rows] = np.searchsorted(total[:-1], uniform[rows] * total[-1], side="right")
    return _everybody(owner, month, users, rng)


def _everybody(
    owner: NDArray[np.int64], month: NDArray[np.int64], users: Users, rng: np.random.Generator
) -> NDArray[np.int64]:
    result = owner.copy()
    counts = np.bincount(result, minlength=len(users.activity))
    for user in np.flatnonzero(counts == 0):
        rows = np.flatnonzero(users.active[user, month] & (counts[result] > 1))
        rows = rows if len(rows) else np.flatnonzero(counts[result] > 1)
        busiest = rows[counts[result[rows]] == counts[result[rows]].max()]
        row = busiest[int(rng.random() * len(busiest))]
        counts[result[row]] -= 1
        counts[user] += 1
        result[row] = user
    return result


def assign_clients(postings: int, *, rng: np.random.Generator) -> NDArray[np.int64]:
    """Return who wrote each posting, shape (postings,): most clients once or twice, a few often."""
    clients = max(1, round(CLIENT_SHARE * postings))
    return np.floor(clients * rng.random(postings) ** CLIENT_SKEW).astype(np.int64)

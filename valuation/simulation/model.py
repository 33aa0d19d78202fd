"""The true price model: what an attribute is worth, and how attributes are drawn.

``f = BASE + kind + domain + size + complexity + urgency`` in log US dollars; a posting adds its market's effect and
noise. Growth within a kind comes through size and complexity alone, so that it stands in the text.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from valuation.errors import ConfigError
from valuation.simulation.settings import KIND_NAMES
from valuation.simulation.words_domains import DOMAINS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from valuation.simulation.settings import WorldSettings

BASE = math.log(420.0)
KIND_EFFECTS = np.array([-0.25, 0.35, 0.05, -0.55, -0.25, 0.15, 0.40, 0.10, -0.10, -0.35])
DOMAIN_NAMES = tuple(DOMAINS)
DOMAIN_EFFECTS = np.array([0.0, -0.65, -0.05, 0.45, 0.05, 0.30, 0.65, 0.35, 0.0, -0.15, -0.95, -0.35, 0.80, 0.40])
DOMAIN_SHARES = np.array([0.09, 0.10, 0.09, 0.09, 0.08, 0.08, 0.08, 0.08, 0.06, 0.07, 0.06, 0.05, 0.04, 0.03])
SIZE_NAMES = ("small", "medium", "large")
SIZE_EFFECTS = np.array([-1.15, 0.0, 1.15])
SIZE_SHARES = np.array([0.40, 0.38, 0.22])
COMPLEXITY_NAMES = ("plain", "moderate", "advanced")
COMPLEXITY_EFFECTS = np.array([-0.4, 0.0, 0.4])
COMPLEXITY_SHARES = np.array([0.35, 0.42, 0.23])
URGENT_EFFECT = 0.2
URGENT_SHARE = 0.15
# Log points by which postings are larger than the sessions of the first month, so that the basket covers the last too.
POSTING_LIFT = 0.15


@dataclass(frozen=True, slots=True)
class Attributes:
    """Latent attributes of n rows.

    Attributes
    ----------
    kind, domain, thing, size, complexity : ndarray of int, shape (n,)
        Positions in `KIND_NAMES`, `DOMAIN_NAMES`, the domain's objects, `SIZE_NAMES`, `COMPLEXITY_NAMES`.
    urgent : ndarray of bool, shape (n,)
    """

    kind: NDArray[np.int64]
    domain: NDArray[np.int64]
    thing: NDArray[np.int64]
    size: NDArray[np.int64]
    complexity: NDArray[np.int64]
    urgent: NDArray[np.bool_]

    def take(self, rows: NDArray[np.int64]) -> Attributes:
        """Return the attributes of `rows`, in that order."""
        return Attributes(
            self.kind[rows], self.domain[rows], self.thing[rows], self.size[rows], self.complexity[rows],
            self.urgent[rows],
        )  # fmt: skip


def log_value(attributes: Attributes) -> NDArray[np.float64]:
    """Return f, the true conditional mean log price, log USD, shape (n,)."""
    value: NDArray[np.float64] = (
        BASE
        + KIND_EFFECTS[attributes.kind]
        + DOMAIN_EFFECTS[attributes.domain]
        + SIZE_EFFECTS[attributes.size]
        + COMPLEXITY_EFFECTS[attributes.complexity]
        + URGENT_EFFECT * attributes.urgent
    )
    return value


def object_names(attributes: Attributes) -> NDArray[np.object_]:
    """Return what each row's work is done to, by the first of its names, shape (n,)."""
    names = [[asked[0] for asked, _ in DOMAINS[domain].objects] for domain in DOMAIN_NAMES]
    pairs = zip(attributes.domain.tolist(), attributes.thing.tolist(), strict=True)
    return np.array([names[domain][thing] for domain, thing in pairs], dtype=object)


def expected_log_value(kind: int, lift: float) -> float:
    """Return the mean of f over sessions of a kind whose scope is lifted by `lift` log points."""
    return float(
        BASE + KIND_EFFECTS[kind] + DOMAIN_SHARES @ DOMAIN_EFFECTS + scope_mean() + lift + URGENT_EFFECT * URGENT_SHARE
    )


def kind_shares(settings: WorldSettings) -> NDArray[np.float64]:
    """Return the share of each kind among matchable sessions, shape (months, kinds); rows sum to 1."""
    step = np.linspace(0.0, 1.0, settings.months)[:, None]
    return np.asarray((1 - step) * np.array(settings.mix_start) + step * np.array(settings.mix_end), dtype=np.float64)


def unmatched_shares(settings: WorldSettings) -> NDArray[np.float64]:
    """Return the share of sessions that no posting resembles, shape (months,), in [0, 1]."""
    return np.linspace(settings.unmatched_start, settings.unmatched_end, settings.months)


def lifts(settings: WorldSettings) -> NDArray[np.float64]:
    """Return by how many log points each kind has grown by each month, shape (months, kinds)."""
    step = np.linspace(0.0, 1.0, settings.months)[:, None]
    return np.asarray(step * np.log1p(np.array(settings.growth)) * settings.growth_scale, dtype=np.float64)


def scope_mean() -> float:
    """Return the mean effect of size and complexity before any growth, log points."""
    return float(SIZE_SHARES @ SIZE_EFFECTS + COMPLEXITY_SHARES @ COMPLEXITY_EFFECTS)


def scope_shares(lift: float) -> NDArray[np.float64]:
    """Return shares of size × complexity whose mean effect is `lift` above the base, shape (3, 3), sum 1.

    The base shares are tilted exponentially along the effect, the smallest change (in relative entropy) that
    reaches the mean.

    Raises
    ------
    ConfigError
        No shares reach it.
    """
    effects = SIZE_EFFECTS[:, None] + COMPLEXITY_EFFECTS[None, :]
    base = SIZE_SHARES[:, None] * COMPLEXITY_SHARES[None, :]
    target = scope_mean() + lift
    if not effects.min() + 0.05 < target < effects.max() - 0.05:
        raise ConfigError(f"world.growth: a lift of {lift:.2f} log points is out of reach; lower growth_scale")
    low, high = -40.0, 40.0
    for _ in range(80):
        middle = (low + high) / 2
        tilted = base * np.exp(middle * effects)
        tilted /= tilted.sum()
        low, high = (middle, high) if float((tilted * effects).sum()) < target else (low, middle)
    return np.asarray(tilted, dtype=np.float64)


def draw_attributes(kind: NDArray[np.int64], lift: NDArray[np.float64], *, rng: np.random.Generator) -> Attributes:
    """Draw what is not the kind.

    Parameters
    ----------
    kind : ndarray of int, shape (n,)
    lift : ndarray, shape (n,)
        Log points by which the row's scope exceeds the base; few distinct values.
    rng : numpy Generator
    """
    n = len(kind)
    domain = draw(DOMAIN_SHARES, n, rng=rng)
    things = np.array([len(DOMAINS[name].objects) for name in DOMAIN_NAMES])
    thing = np.floor(rng.random(n) * things[domain]).astype(np.int64)
    cell = np.empty(n, dtype=np.int64)
    uniform = rng.random(n)
    for value in np.unique(lift):
        rows = lift == value
        cell[rows] = np.searchsorted(_cumulative(scope_shares(float(value)).ravel()), uniform[rows], side="right")
    return Attributes(kind, domain, thing, cell // 3, cell % 3, rng.random(n) < URGENT_SHARE)


def draw(shares: NDArray[np.float64], n: int, *, rng: np.random.Generator) -> NDArray[np.int64]:
    """Draw n positions with the given shares, shape (n,)."""
    return np.searchsorted(_cumulative(shares), rng.random(n), side="right").astype(np.int64)


def _cumulative(shares: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return inner cumulative bounds: the last one is left out, so that no draw falls past the end."""
    return np.cumsum(shares / shares.sum())[:-1]


def posting_kind_shares(settings: WorldSettings) -> NDArray[np.float64]:
    """Return the kinds' shares among postings: half the sessions' own, half even, so that rare kinds have a price."""
    own = (np.array(settings.mix_start) + np.array(settings.mix_end)) / 2
    return np.asarray(0.5 * own + 0.5 / len(KIND_NAMES), dtype=np.float64)

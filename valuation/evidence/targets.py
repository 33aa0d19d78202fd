"""What the intervals of a simulated world should hold.

The *pricer's own target* is what an estimate would be on average over what its interval lets vary, given where the
postings lie (their texts, clients, folds and the penalty chosen):

- ``users``: over all users and sessions that could be, at the prices drawn;
- ``postings``: over the postings' prices, for the sessions drawn;
- ``joint`` and ``doubly_robust``: over both.

The pricer is linear in log prices, so its mean over them is the same pricer fitted to the expected prices ``f(x_j)``;
its mean over sessions is taken over each month's `Population`. The tilt of the doubly robust series is then that of the
population's mean. The *true* target is the change of the matched sessions' true values: of all that could be, or for
``postings`` of those drawn. ``all`` counts the unmatched too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from valuation.core.balance import balance
from valuation.core.decomposition import mix_within
from valuation.core.pricing import PRICERS
from valuation.core.shift_check import principal_components
from valuation.evidence.observed import match_texts
from valuation.simulation.populations import even_points, population
from valuation.simulation.vector_pricing import value_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from valuation.evidence.observed import Observed
    from valuation.evidence.worlds import Estimation
    from valuation.simulation.populations import Population
    from valuation.simulation.vector_pricing import FittedBasket
    from valuation.simulation.vectors import VectorWorld


@dataclass(frozen=True, slots=True)
class Target:
    """What the intervals of a series should hold: a change between the two months, log points."""

    series: str
    target: str
    change: float


@dataclass(frozen=True, slots=True)
class _People:
    """A month's population as priced; arrays of shape (n,): who is matched, values at drawn and expected prices."""

    every: Population
    matched: NDArray[np.bool_]
    drawn: NDArray[np.float64]
    expected: NDArray[np.float64]
    vectors: NDArray[np.float64]

    @property
    def weight(self) -> NDArray[np.float64]:
        """Weights of the matched, 0 elsewhere, sum 1."""
        kept = self.every.weight * self.matched
        return np.asarray(kept / kept.sum())

    def true_mean(self, overall: float) -> float:
        """Mean true value of the matched; `overall` is that of all, known exactly, so only the unmatched are summed."""
        lost = self.every.weight * ~self.matched
        return float((overall - lost @ self.every.true_value) / (1.0 - lost.sum()))


def targets_of(
    world: VectorWorld, seen: Observed, how: Estimation, *, components: int, rng: np.random.Generator
) -> list[Target]:
    """Work out every target of a world.

    Parameters
    ----------
    world : VectorWorld
    seen : Observed
        The same world, priced.
    how : Estimation
    components : int
        Principal components that the shift check balanced; 0 = none, and the doubly robust target is NaN.
    rng : numpy.random.Generator
        Of the population's points.
    """
    expected = seen.basket.repriced(world.expected_price)
    points = even_points(how.points, world.landscape.options.dimensions, rng=rng)
    people = [_people(world, seen, expected, how, month, points) for month in (0, 1)]
    exactly = world.landscape.true_mean
    own = _change([float(part.weight @ part.expected) for part in people])
    true = _change([part.true_mean(exactly[month]) for month, part in enumerate(people)])
    drawn = _of_drawn(world, seen, expected, how)
    error = _robust_part(seen, expected, world, people, how, components)
    found = [
        Target("users", "pricer", _change([float(part.weight @ part.drawn) for part in people])),
        Target("users", "true", true),
        *drawn,
        Target("joint", "pricer", own),
        Target("joint", "true", true),
        Target("doubly_robust", "pricer", own + error),
        Target("doubly_robust", "true", true),
    ]
    if world.landscape.options.strays:
        found += [Target(series, "all", _change(list(exactly))) for series in ("joint", "doubly_robust")]
    return found + (_terms(world, people) if world.landscape.options.groups else [])


def _change(pair: list[float]) -> float:
    return float(pair[1] - pair[0])


def _people(
    world: VectorWorld, seen: Observed, expected: FittedBasket, how: Estimation, month: int,
    points: NDArray[np.float64],
) -> _People:  # fmt: skip
    """Price a month's population at drawn and at expected prices."""
    every = population(world.landscape, month, points)
    vectors = every.vectors - seen.offset
    match = match_texts(seen.basket, vectors, how)
    drawn, clean = (
        value_of(basket, match.row, match.weight, vectors, pricer=how.pricer) for basket in (seen.basket, expected)
    )
    return _People(every, match.matched, drawn, clean, vectors)


def _of_drawn(world: VectorWorld, seen: Observed, expected: FittedBasket, how: Estimation) -> list[Target]:
    """Targets of the postings-only interval: the sessions drawn, at expected prices and at their true values."""
    sessions, month = seen.sessions, seen.cell[0]
    clean = value_of(
        expected, sessions.neighbour, sessions.neighbour_weight, seen.vectors[seen.matched], pricer=how.pricer
    )
    true = world.true_value[seen.matched]
    return [
        Target("postings", name, _change([values[month == code].mean() for code in (0, 1)]))
        for name, values in (("pricer", clean), ("true", true))
    ]


def _robust_part(
    seen: Observed, expected: FittedBasket, world: VectorWorld, people: list[_People], how: Estimation, components: int
) -> float:
    """``D_T − D_0`` at expected prices, tilted to the populations' means."""
    if components == 0:
        return float("nan")
    residual = world.expected_price - expected.held_out[PRICERS.index(how.pricer)]
    errors = []
    for part in people:
        postings, coordinate = principal_components(seen.basket.vectors, part.vectors, components=components)
        found = balance(postings, part.weight @ coordinate)
        errors.append(float("nan") if found is None else float(found.weight @ residual))
    return _change(errors)


def _terms(world: VectorWorld, people: list[_People]) -> list[Target]:
    """Within and mix of the change: of the pricer's mean values, and of the true ones."""
    n = len(world.landscape.options.groups)
    member = [part.weight * (part.every.group == np.arange(n)[:, None]) for part in people]
    share = [rows.sum(axis=1) for rows in member]
    found = []
    for name, values in (
        ("pricer", [part.expected for part in people]),
        ("true", [part.every.true_value for part in people]),
    ):
        mean = [rows @ value / rows.sum(axis=1) for rows, value in zip(member, values, strict=True)]
        terms = mix_within(share[0], mean[0], share[1], mean[1])
        found += [
            Target("within", name, float(terms.within.sum())),
            Target("mix", name, float(terms.mix.sum())),
        ]
    return found

"""The named kinds of world of the simulation study: what is true in each, and how it is priced."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Literal

from valuation.errors import ConfigError
from valuation.simulation.vectors import WorldOptions

if TYPE_CHECKING:
    from valuation.core.pricing import PricerName

STUDY_VERSION = 2
"""Raise it when the same seeds would give other figures: blocks of worlds made before are then not used."""
PENALTIES = (1.0, 10.0, 100.0)


@dataclass(frozen=True, slots=True)
class Estimation:
    """How a world is priced and its growth estimated: the engine's defaults, but for fewer replicates.

    Attributes
    ----------
    pricer : {"matching", "neighbours", "hedonic"}
    k, tau, penalties
        As in the configuration.
    register : {"none", "centred"}
        Whether each register's mean vector is subtracted.
    replicates : int
        Of the joint bootstrap. The quantile of ``B`` replicates is exact at 0.95 for ``B + 1`` a multiple of 20.
    components, min_effective
        Of the shift check.
    level : float
        Of the intervals.
    points : int
        Points a stratum of the population that targets are means over: even, above twice the dimensions.
    """

    pricer: PricerName = "matching"
    k: int = 50
    tau: float = 0.1
    penalties: tuple[float, ...] = PENALTIES
    register: Literal["none", "centred"] = "none"
    replicates: int = 399
    components: int = 20
    min_effective: float = 200.0
    level: float = 0.95
    points: int = 200


@dataclass(frozen=True, slots=True)
class Cell:
    """One kind of world.

    Attributes
    ----------
    name, what : str
        What is special in it, in a word and in a sentence.
    options : WorldOptions
    estimation : Estimation
    """

    name: str
    what: str
    options: WorldOptions
    estimation: Estimation = field(default_factory=Estimation)

    @property
    def digest(self) -> str:
        """Sixteen hexadecimal digits that change with anything that could move the cell's figures."""
        made = json.dumps([STUDY_VERSION, self.name, asdict(self.options), asdict(self.estimation)], sort_keys=True)
        return hashlib.sha256(made.encode()).hexdigest()[:16]


BASE = WorldOptions(postings=600, sessions=400, users=120, months=2)
"""600 postings by as many clients; 400 sessions of 120 people in two months; log growth 0.25 that the text shows."""
KINDS = (-0.6, -0.2, 0.2, 0.6)
SHARES, LATER = (0.4, 0.3, 0.2, 0.1), (0.1, 0.2, 0.3, 0.4)

CELLS = (
    Cell("plain", "growth of 0.25 in logs that the text shows", BASE),
    Cell("no_growth", "sessions change, their values do not", replace(BASE, growth=0.0)),
    Cell(
        "pure_mix", "shares of four kinds of work move, values within each do not",
        replace(BASE, growth=0.0, groups=KINDS, shares_first=SHARES, shares_last=LATER),
    ),
    Cell(
        "pure_within", "shares of four kinds of work stay, values within each grow",
        replace(BASE, groups=KINDS, shares_first=SHARES, shares_last=SHARES),
    ),
    Cell("heavy_users", "some people do fifty times as much as others", replace(BASE, users=240, heavy=1.0)),
    Cell("few_users", "24 people", replace(BASE, users=24, sessions=240)),
    Cell("skewed_prices", "log prices with a long upper tail (skewness 3.3)", replace(BASE, skew=0.75)),
    Cell("clients", "clients post four times, with an error of price in common", replace(BASE, unit_size=4)),
    Cell(
        "unmatched_rising", "sessions unlike any posting, worth 1 less in logs, rise from 5 to 25 %",
        replace(BASE, away_first=0.05, away_last=0.25, away_value=-1.0),
    ),
    Cell("register_gap", "sessions in a register of their own: all their vectors displaced", replace(BASE, gap=1.2)),
    Cell(
        "register_centred", "the same, each register's mean subtracted", replace(BASE, gap=1.2),
        Estimation(register="centred"),
    ),
    Cell(
        "miscalibrated", "a regression shrunk to a fifth: values differ less than prices do", BASE,
        Estimation(penalties=(3000.0,)),
    ),
    Cell("neighbours", "plain neighbours as the pricer", BASE, Estimation(pricer="neighbours", points=600)),
    Cell(
        "curved_half", "half of growth through a curved part of prices that the regression misses",
        replace(BASE, postings=2500, bend=0.3, growth=0.125, curved_growth=0.125),
    ),
    Cell(
        "unseen", "half of growth in nothing that any text shows: the same words mean bigger jobs",
        replace(BASE, growth=0.125, unseen_growth=0.125),
    ),
)  # fmt: skip


def cells_named(names: tuple[str, ...]) -> tuple[Cell, ...]:
    """Cells of these names in the study's order; all for none.

    Raises
    ------
    ConfigError
        A name is not one of the study's.
    """
    known = {cell.name: cell for cell in CELLS}
    unknown = [name for name in names if name not in known]
    if unknown:
        raise ConfigError(f"no kind of world {unknown[0]!r}; there are {', '.join(known)}")
    return tuple(cell for cell in CELLS if not names or cell.name in names)

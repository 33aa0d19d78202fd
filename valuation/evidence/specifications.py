"""The grid of specifications as pure data: the product of the settings' lists, less what says nothing of its own.

Four rules, and no other, leave a combination out:

1. `k` and `tau` do not enter the pricer ``hedonic``: it keeps the headline's.
2. A part of the basket, an end of its ranges and a truncation of its prices are three ways to take its postings; each
   is varied while the others are as in the headline, which has none.
3. Ends of ranges are taken with the headline's encoder and register: texts have no part in them.
4. What is then equal is one specification.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

    from valuation.config import Settings
    from valuation.core.pricing import PricerName

WHOLE = "all"
"""The basket without a filter."""
WITHOUT = "without "
"""How a basket that lacks one source is named."""
ENDS = {"low_ends": "low ends of ranges", "high_ends": "high ends of ranges"}
"""How the whole basket is named whose stated ranges count as one of their ends, by the setting that asks for it."""


class Block(NamedTuple):
    """Specifications that share their vectors, their postings and the fitted regression.

    Attributes
    ----------
    encoder : str
        As in ``encoder.name``.
    register_mode : str
        none or centred.
    basket : str
        all, "without SOURCE", first_half, last_half, full_text, or one of `ENDS`.
    truncation : float
        Share of postings left out at either end of log price, in [0, 0.5).
    """

    encoder: str
    register_mode: str
    basket: str
    truncation: float

    @property
    def title(self) -> str:
        """In words, for those who wait."""
        cut = f", {self.truncation:.3g} of prices cut off each tail" if self.truncation else ""
        return f"register {self.register_mode}, basket {self.basket}{cut}"


@dataclass(frozen=True, slots=True)
class Specification:
    """One way to measure growth.

    Attributes
    ----------
    block : Block
        What is embedded and fitted.
    pricer : {"matching", "neighbours", "hedonic"}
    k : int
        Neighbours.
    tau : float
        Their bandwidth, cosine units.
    s_min : str
        auto, none (every session is matched) or a similarity.
    statistic : str
        mean_log, median, trimmed_mean or mean.
    weighting : str
        sessions, or users: each with weight 1 a month.
    """

    block: Block
    pricer: PricerName
    k: int
    tau: float
    s_min: str
    statistic: str
    weighting: str


def headline(settings: Settings) -> Specification:
    """Return the specification that the run itself has: fixed before any other is seen."""
    matching = settings.matching
    return Specification(
        block=Block(settings.encoder.name, settings.register_.mode, WHOLE, 0.0),
        pricer=settings.pricing.pricer,
        k=matching.k,
        tau=matching.tau,
        s_min=_threshold(matching.s_min),
        statistic="mean_log",
        weighting="sessions",
    )


def grid(settings: Settings, sources: Iterable[str], *, ranges: bool) -> tuple[Specification, ...]:
    """List every specification once, the headline first, then in the order of the lists.

    Parameters
    ----------
    settings : Settings
        Of the run; ``[sensitivity]`` holds the lists, to each of which the headline's own value is added.
    sources : iterable of str
        Sources in the basket: each is left out once where ``each_source_out`` is asked for and there are two or more.
    ranges : bool
        Some price of the basket is a range: without any, its ends would be the headline again, and are left out.
    """
    want, own = settings.sensitivity, headline(settings)
    axes = (
        [own.block.encoder, *(own.block.encoder if name == "same" else name for name in want.encoder)],
        [own.block.register_mode, *want.register_],
        [WHOLE, *_baskets(want.basket, sorted(set(sources)), ranges=ranges)],
        [0.0, *want.truncation],
        [own.pricer, *want.pricer],
        [own.k, *want.k],
        [own.tau, *want.tau],
        [own.s_min, *map(_threshold, want.s_min)],
        [own.statistic, *want.statistic],
        [own.weighting, *want.weighting],
    )
    found = {own: None}  # a dict keeps the order and drops repeats
    for encoder, mode, basket, cut, pricer, k, tau, s_min, statistic, weighting in product(*axes):
        if basket != WHOLE and cut > 0:
            continue
        if basket in ENDS.values() and (encoder, mode) != own.block[:2]:
            continue
        if pricer == "hedonic":
            k, tau = own.k, own.tau
        block = Block(encoder, mode, basket, cut)
        found[Specification(block, pricer, k, tau, s_min, statistic, weighting)] = None
    return tuple(found)


def blocks(specifications: Iterable[Specification]) -> dict[Block, tuple[Specification, ...]]:
    """Specifications by block, blocks of one encoder and register side by side, in the order of the grid."""
    found: dict[Block, list[Specification]] = {}
    for specification in specifications:
        found.setdefault(specification.block, []).append(specification)
    rooms = {(block.encoder, block.register_mode): None for block in found}
    return {
        block: tuple(members)
        for room in rooms
        for block, members in found.items()
        if (block.encoder, block.register_mode) == room
    }


def _baskets(names: Iterable[str], sources: list[str], *, ranges: bool) -> list[str]:
    """Spell out ``each_source_out`` and the ends of ranges; nothing where one source, or no range, is all there is."""
    spelled = {"each_source_out": [WITHOUT + source for source in sources] if len(sources) > 1 else []}
    spelled |= {asked: [name] if ranges else [] for asked, name in ENDS.items()}
    return [name for asked in names for name in spelled.get(asked, [asked])]


def _threshold(s_min: str | float) -> str:
    return s_min if isinstance(s_min, str) else f"{s_min:.12g}"

"""What only an open match page knows: figures, the way from the neighbours' prices to the value, all neighbours."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from valuation.pipeline.explained_values import line_of
from valuation.review.blind_text import visible_text
from valuation.review.cards import Neighbour, effects, facts_of
from valuation.review.figures import Axis, PriceFigure, Step, price_figure, waterfall
from valuation.tables.withdrawn import read_withdrawn, withdrawn_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from valuation.review.desk import ReviewRun
    from valuation.review.gigs import Gig

INTERNAL = (
    "session_id", "summary", "log_value_raw", "log_value", "typical_width", "deviation", "matched", "reason",
    "value_usd", "value_neighbours", "value_hedonic", "typical_lower", "typical_upper", "single_lower", "single_upper",
    "similarity_max", "effective_neighbours",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class NeighbourRow:
    """A line of the table of all neighbours."""

    rank: int
    posting_id: str
    title: str
    source: str
    posted: str
    url: str | None
    price_usd: float
    similarity: float
    weight: float
    without_usd: float


@dataclass(frozen=True, slots=True)
class Numbers:
    """What only an open page knows of a session.

    Attributes
    ----------
    value : dict
        The session's row of the lists: its row of `values`, missing as None, and its attributes.
    attributes : list of (name, value)
        The session's other columns, as text.
    withdrawn : str
        Which postings of the run were deleted since, in one line; ``''`` if none.
    figure : PriceFigure or None
        None where the session is unmatched.
    steps : tuple of Step
    steps_axis : Axis or None
    neighbours : list of NeighbourRow
    """

    value: dict[str, Any]
    attributes: list[tuple[str, str]]
    withdrawn: str
    figure: PriceFigure | None
    steps: tuple[Step, ...]
    steps_axis: Axis | None
    neighbours: list[NeighbourRow]


def numbers_of(run: ReviewRun, row: dict[str, Any], neighbours: Sequence[Neighbour], gigs: dict[str, Gig]) -> Numbers:
    """Figures of an open page."""
    attributes = [(name, _shown(value)) for name, value in row.items() if name not in INTERNAL and value is not None]
    withdrawn = withdrawn_line(read_withdrawn(run.folder))
    if not row["matched"]:
        return Numbers(row, attributes, withdrawn, None, (), None, [])
    pricer, value = str(run.manifest["settings"]["pricing"]["pricer"]), float(row["value_usd"])
    applied = bool(run.manifest["calibration"]["applied"])
    slope = line_of(run.manifest, pricer).slope if applied else 1.0
    # the regression's value rests on no single neighbour
    moved = [0.0] * len(neighbours) if pricer == "hedonic" else effects(neighbours, value, slope)
    typical, single = (
        None if row[f"{name}_lower"] is None else (row[f"{name}_lower"], row[f"{name}_upper"])
        for name in ("typical", "single")
    )
    prices, weights = [one.price_usd for one in neighbours], [one.weight for one in neighbours]
    figure = price_figure(prices, weights, value, typical, single)
    steps, steps_axis = waterfall(_stations(row, neighbours, pricer, applied=applied))
    return Numbers(row, attributes, withdrawn, figure, steps, steps_axis, _rows(neighbours, gigs, moved))


def _stations(
    row: dict[str, Any], neighbours: Sequence[Neighbour], pricer: str, *, applied: bool
) -> list[tuple[str, float]]:
    """From the neighbours' weighted mean price to the value."""
    raw, value = math.exp(float(row["log_value_raw"])), float(row["value_usd"])
    if pricer != "hedonic" and neighbours:
        mean = math.fsum(one.weight * one.log_price for one in neighbours)
        stations = [("neighbours' weighted mean price", math.exp(mean))]
    else:
        stations = [("price by the regression alone", raw)]
    if pricer == "matching":
        stations.append(("adjustment: what the regression says of session and gigs", raw))
    if applied:
        stations.append(("calibration", value))
    return [*stations, ("value of the session", value)]


def _rows(neighbours: Sequence[Neighbour], gigs: dict[str, Gig], moved: list[float]) -> list[NeighbourRow]:
    rows = []
    for one, effect in zip(neighbours, moved, strict=True):
        gig = gigs.get(one.posting_id)
        facts = None if gig is None else facts_of(gig, one)
        rows.append(
            NeighbourRow(
                rank=one.rank,
                posting_id=one.posting_id,
                title=visible_text(gig.title or "(no title)") if gig is not None else "(deleted since)",
                source="" if facts is None else facts.source,
                posted="" if facts is None else facts.posted,
                url=None if facts is None else facts.url,
                price_usd=one.price_usd,
                similarity=one.similarity,
                weight=one.weight,
                without_usd=effect,
            )
        )
    return rows


def _shown(value: object) -> str:
    """An attribute as text."""
    return visible_text(f"{value:g}" if isinstance(value, float) else str(value))[:200]

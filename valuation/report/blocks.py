"""What a report is built from: sections of figures, tables, examples and notes, each with its sentence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from markupsafe import Markup

from valuation.report.drawing import NARROW, WIDE, svg
from valuation.report.inputs import RunTables, lookup
from valuation.report.provenance import constant, traced

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from matplotlib.figure import Figure

    from valuation.report.warning import Warning_

GROWTH = (
    "no_growth", "nothing_matched", "shift_check", "mix_jump", "few_users", "one_user", "length_drift", "user_overlap",
    "few_postings", "matched_fall", "includes_zero", "hubs",
)  # fmt: skip
SERIES = (*GROWTH, "missing_months", "partial_months", "suppressed")
# Which rules matter for what a block shows.
CONCERNS: dict[str, tuple[str, ...]] = {
    "index": SERIES,
    "levels": SERIES,
    "growth": GROWTH,
    "variation": ("few_users", "one_user", "few_postings", "hubs", "user_overlap"),
    "shift": ("shift_check", "calibration_slope"),
    "matched": ("matched_fall", "nothing_matched", "missing_months", "partial_months"),
    "groups": ("mix_jump", "few_users", "length_drift", "missing_months", "partial_months"),
    "decomposition": ("mix_jump", "few_users", "includes_zero"),
    "values": ("length_value", "length_drift", "few_users"),
    "similarity": ("nothing_matched", "matched_fall"),
    "widths": ("coverage",),
    "card": ("calibration_slope", "coverage"),
    "otherwise": GROWTH,
    "examples": ("sums_off", "hubs", "length_value", "withdrawn"),
}


@dataclass(frozen=True, slots=True)
class Picture:
    """A figure: drawn for a page and for a phone, with its sentence and the numbers of its warnings."""

    title: str
    wide: Markup
    narrow: Markup
    sentence: Markup
    warnings: tuple[int, ...]
    kind: str = "figure"


@dataclass(frozen=True, slots=True)
class Grid:
    """A table: header, rows of finished cells, a sentence."""

    title: str
    header: tuple[str | Markup, ...]
    rows: tuple[tuple[Markup, ...], ...]
    sentence: Markup
    warnings: tuple[int, ...]
    compact: bool = False
    kind: str = "table"


@dataclass(frozen=True, slots=True)
class Note:
    """A paragraph."""

    sentence: Markup
    kind: str = "note"


@dataclass(frozen=True, slots=True)
class Neighbour:
    """One posting of an example."""

    title: str
    url: str
    source: str
    cells: tuple[Markup, ...]


@dataclass(frozen=True, slots=True)
class Example:
    """One session, its nearest postings and the arithmetic of its value."""

    session_id: str
    lead: Markup
    summary: str
    neighbours: tuple[Neighbour, ...]
    arithmetic: Markup
    kind: str = "example"


Block = Picture | Grid | Note | Example


@dataclass(frozen=True, slots=True)
class Section:
    """A question and the blocks that answer it."""

    title: str
    lead: Markup
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Context:
    """What every section needs: the tables, the report's own numbers, the warnings that fired."""

    tables: RunTables
    facts: Mapping[str, float]
    warnings: tuple[Warning_, ...]

    def fact(self, name: str, style: str) -> Markup:
        """Format one of the report's own numbers."""
        return traced(self.facts.get(name), f"fact:{name}:value", style)

    def level(self, section: str) -> Markup:
        """Format the level of the series' intervals (``series``) or of a session's bands (``bands``)."""
        found = lookup(self.tables.manifest, f"settings/{section}/level")
        if isinstance(found, int | float):
            return traced(float(found), f"manifest:settings,{section},level:value", "level")
        return constant("series_level" if section == "series" else "band_level", "level")

    def manifest(self, path: str, style: str) -> Markup:
        """Format a number of the manifest; a dash if it is not there."""
        found = lookup(self.tables.manifest, path)
        number = float(found) if isinstance(found, int | float) and not isinstance(found, bool) else None
        return traced(number, f"manifest:{path.replace('/', ',')}:value", style)

    def manifest_item(self, path: str, position: int, style: str) -> Markup:
        """Format a number of a list in the manifest; a dash if it is not there."""
        found = lookup(self.tables.manifest, path)
        known = isinstance(found, list | tuple) and position < len(found) and isinstance(found[position], int | float)
        source = f"manifest:{path.replace('/', ',')},{position}:value"
        return traced(float(found[position]) if known else None, source, style)

    def concerning(self, block: str) -> tuple[int, ...]:
        """Positions of the warnings that matter for `block`."""
        return tuple(i for i, found in enumerate(self.warnings) if found.code in CONCERNS[block])

    def picture(
        self, block: str, title: str, draw: Callable[[float], Figure], sentence: Markup, name: str = ""
    ) -> Picture:
        """Draw a figure at both widths."""
        spoken = Markup(sentence).striptags()
        wide, narrow = (svg(name or block, title, spoken, draw, width) for width in (WIDE, NARROW))
        return Picture(title, wide, narrow, sentence, self.concerning(block))

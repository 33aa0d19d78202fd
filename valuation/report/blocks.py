"""What a report is built from: sections of figures, tables, examples and notes, each with its sentence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from markupsafe import Markup

from valuation.report.drawing import NARROW, WIDE, foot, svg
from valuation.report.inputs import RunTables, lookup
from valuation.report.provenance import constant, traced

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from matplotlib.figure import Figure

    from valuation.report.warning import Warning_

GROWTH = (
    "no_growth", "nothing_matched", "shift_check", "mix_jump", "length_confounds", "few_clusters", "few_users",
    "one_user", "length_drift", "user_overlap", "few_postings", "matched_fall", "unmatched_rising", "much_unmatched",
    "placebo_failed", "tilt_slope", "sign_changes", "includes_zero", "hubs", "audit_differs",
)  # fmt: skip
SERIES = (*GROWTH, "missing_months", "partial_months", "suppressed")
# Which rules matter for what a block shows.
CONCERNS: dict[str, tuple[str, ...]] = {
    "index": SERIES,
    "levels": SERIES,
    "growth": GROWTH,
    "variation": ("few_clusters", "few_users", "one_user", "few_postings", "hubs", "user_overlap"),
    "shift": ("shift_check", "few_components", "blind_shift_check", "calibration_slope", "tilt_slope"),
    "matched": (
        "matched_fall",
        "unmatched_rising",
        "much_unmatched",
        "nothing_matched",
        "missing_months",
        "partial_months",
    ),
    "audit": ("audit_differs", "audit_response", "few_audited"),
    "audit_response": ("audit_response", "few_audited"),
    "audit_precision": ("low_precision", "few_audited"),
    "audit_agreement": ("analysts_disagree",),
    "groups": ("mix_jump", "few_users", "length_drift", "missing_months", "partial_months"),
    "decomposition": ("mix_jump", "few_users", "few_clusters", "includes_zero"),
    "monthly": ("mix_jump", "few_users", "few_clusters", "missing_months"),
    "index_numbers": ("mix_jump", "few_users", "few_clusters"),
    "prices": ("few_postings", "few_clusters"),
    "people": ("user_overlap", "few_clusters", "few_users"),
    "dummies": ("mix_jump", "length_confounds", "few_clusters"),
    "placebo": ("placebo_failed", "few_clusters", "user_overlap"),
    "tilt": ("tilt_slope", "calibration_slope", "shift_check"),
    "specifications": ("sign_changes", "few_clusters", "unmatched_rising", "much_unmatched", "matched_fall"),
    "sources": ("hubs", "few_postings"),
    "values": ("length_value", "length_drift", "length_confounds", "few_users"),
    "similarity": ("nothing_matched", "matched_fall"),
    "widths": ("coverage",),
    "card": ("calibration_slope", "coverage"),
    "otherwise": (*GROWTH, "few_components"),
    "examples": ("sums_off", "hubs", "length_value", "withdrawn"),
}


@dataclass(frozen=True, slots=True)
class Picture:
    """A figure: how it is drawn at a width in inches, with its sentence and the numbers of its warnings.

    `name` marks its parts in a page; `slug` says what it shows, for a file's name.
    """

    title: str
    name: str
    slug: str
    draw: Callable[[float], Figure]
    sentence: Markup
    warnings: tuple[int, ...]
    kind: str = "figure"

    @property
    def wide(self) -> Markup:
        """As drawn for a page."""
        return svg(self.name, self.title, Markup(self.sentence).striptags(), self.draw, WIDE)

    @property
    def narrow(self) -> Markup:
        """As drawn for a phone."""
        return svg(self.name, self.title, Markup(self.sentence).striptags(), self.draw, NARROW)


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
        self,
        block: str,
        title: str,
        draw: Callable[[float], Figure],
        sentence: Markup,
        *,
        slug: str,
        name: str = "",
        basis: str = "",
    ) -> Picture:
        """Make a figure that carries, drawn, what it rests on (by default sessions and users) and the caveat."""
        stands = basis or f"n = {self.facts['matched']:,.0f} matched sessions of {self.facts['users']:,.0f} users"
        return Picture(
            title, name or block, slug, lambda width: foot(draw(width), stands), sentence, self.concerning(block)
        )

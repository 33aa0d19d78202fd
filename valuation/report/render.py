"""A run's tables in, one HTML page out."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from markupsafe import Markup

from valuation.errors import InputError
from valuation.report import (
    section_audit,
    section_cells,
    section_certainty,
    section_compare,
    section_examples,
    section_growth,
    section_manifest,
    section_otherwise,
    section_reasons,
)
from valuation.report.blocks import Context, Picture, Section
from valuation.report.disclosure import disclosed
from valuation.report.facts import facts_of
from valuation.report.files_figures import FIGURE_FORMATS, save_figure
from valuation.report.inputs import RunTables, lookup, series_of
from valuation.report.order import ordered
from valuation.report.plots_series import shown
from valuation.report.provenance import constant, month
from valuation.report.text import clean
from valuation.report.warnings import warnings_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from jinja2 import Template

REVIEW_PAGES = "http://127.0.0.1:8765"  # review.host and review.port as shipped; a report knows no others
SECTIONS = (
    section_growth,
    section_certainty,
    section_audit,
    section_reasons,
    section_compare,
    section_otherwise,
    section_cells,
    section_examples,
    section_manifest,
)


@cache
def _template() -> Template:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    loader = PackageLoader("valuation.report", "templates")
    environment = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.get_template("report.html.j2")


def context_of(tables: RunTables, *, keep_headline: bool = True) -> Context:
    """Set aside what may not be shown (see `disclosure.publishable`), order the rest, compute what sections need."""
    shown_tables = ordered(disclosed(tables, keep_headline=keep_headline))
    return Context(shown_tables, facts_of(shown_tables), tuple(warnings_of(shown_tables)))


def sections_of(context: Context) -> list[Section]:
    """Build every section that the run has, in the order in which an economist asks."""
    built = (module.section(context) for module in SECTIONS)
    return [section for section in built if section is not None]


def pictures_in(sections: Sequence[Section]) -> list[Picture]:
    """Return every figure, in the report's order; each draws itself when asked."""
    return [block for section in sections for block in section.blocks if isinstance(block, Picture)]


def render(tables: RunTables) -> str:
    """Return the report of a run as one self-contained HTML page.

    Parameters
    ----------
    tables : RunTables
        Tables of the run; any may be empty. Texts in them are untrusted: they are cleaned, escaped, never executed.

    Returns
    -------
    str
        HTML without script and without any address that a browser loads; the same for equal tables.
    """
    context = context_of(tables)
    return _template().render(
        context=context,
        headline=section_growth.headline(context),
        truth=section_growth.truth(context),
        sections=sections_of(context),
        run_id=clean(str(lookup(tables.manifest, "run_id") or "")),
        review=_review_address(tables),
        css=Markup(_css()),  # noqa: S704 (a file of this package)
        month=month,
        constant=constant,
    )


def _review_address(tables: RunTables) -> str:
    """Where the review pages show this run on the reader's own machine, as shipped; ``''`` without a run."""
    run_id = str(lookup(tables.manifest, "run_id") or "")
    return f"{REVIEW_PAGES}/runs/{run_id}" if re.fullmatch("[0-9a-f]{16}", run_id) else ""


@cache
def _css() -> str:
    from importlib.resources import files

    return files("valuation.report").joinpath("templates/report.css").read_text(encoding="utf-8")


def has_main_figure(tables: RunTables) -> bool:
    """Whether a month of the run has a value that may be shown."""
    return not shown(series_of(tables)).empty


def save_main_figure(tables: RunTables, path: Path) -> None:
    """Write the report's main figure as SVG, PDF or PNG, by the suffix of `path`; the same bytes for equal tables.

    Raises
    ------
    InputError
        Another suffix, or no month that may be shown.
    """
    kind = path.suffix.lower().lstrip(".")
    if kind not in FIGURE_FORMATS:
        known = ", ".join(f".{name}" for name in FIGURE_FORMATS)
        raise InputError(f"{path}: a figure can be saved as {known}, not as {path.suffix or 'that'}")
    if not has_main_figure(tables):
        raise InputError("there is no main figure: no month of this run has a value that may be shown")
    save_figure(pictures_in([section_growth.section(context_of(tables))])[0], path)

"""The one way a number enters the page: formatted, and carrying where it comes from.

``<data value="0.2709" data-source="growth:,,mean_log,matching,both,2025-10,2026-04:growth">+27.1 %</data>``

A source is ``table:row:column``; the row is the table's key columns, percent-encoded and joined by commas. Besides
the run's tables there are ``fact`` (computed by `valuation.report.facts`), ``warning``, ``manifest``, ``truth`` and
``audit`` (their row is the path of keys), and ``constant``.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING
from urllib.parse import quote

from markupsafe import Markup

from valuation.report.constants import CONSTANTS
from valuation.report.inputs import month_words
from valuation.report.text import excerpt

if TYPE_CHECKING:
    import pandas as pd

KEYS: dict[str, tuple[str, ...]] = {
    "values": ("session_id",),
    "matches": ("session_id", "rank"),
    "series": ("month", "group_by", "group", "statistic", "pricer"),
    "growth": ("group_by", "group", "statistic", "pricer", "variation", "from_month", "to_month"),
    "decomposition": ("group_by", "group", "from_month", "to_month", "term"),
    "shift_check": ("month",),
    "validation": ("pricer", "sample", "cell_by", "cell", "measure"),
    "index_numbers": ("group_by", "method", "comparison", "base_month", "month"),
    "price_volume": ("from_month", "to_month", "term"),
    "time_dummies": ("month", "covariates"),
    "people": ("from_month", "to_month", "who", "measure"),
    "placebo": ("placebo", "cell", "measure"),
    "sensitivity": ("specification",),
    "audited": ("series", "measure", "from_month", "to_month"),
    "audit_precision": ("cell_by", "cell"),
    "audit_agreement": ("measure",),
}
NBSP = "\u00a0"  # so that a line never ends between a number and its percent sign
PERCENT = frozenset({"share", "share_bare", "growth", "growth_bare", "level"})
DASH = Markup('<span class="none">–</span>')


def key_of(*parts: object) -> str:
    """Join the parts of a row's key, percent-encoded so that any text survives in an attribute."""
    return ",".join(quote(str(part), safe="") for part in parts)


def source_of(table: str, row: pd.Series, column: str) -> str:
    """Return ``table:row:column`` of a cell."""
    return f"{table}:{key_of(*(row[name] for name in KEYS[table]))}:{column}"


def traced(value: float | None, source: str, style: str) -> Markup:
    """Format a number and mark where it comes from; a missing one is a dash."""
    if value is None or not math.isfinite(value):
        return DASH
    number = float(value)
    exact = str(int(number)) if number.is_integer() and abs(number) < 2**53 else repr(number)
    scale = Markup(' data-scale="100"') if style in PERCENT else ""
    return Markup('<data value="{}" data-source="{}"{}>{}</data>').format(exact, source, scale, styled(number, style))


def cell(table: str, row: pd.Series, column: str, style: str) -> Markup:
    """Format one cell of a table."""
    return traced(row[column], source_of(table, row, column), style)


def interval(table: str, row: pd.Series, columns: tuple[str, str], style: str) -> Markup:
    """Format an interval as ``low to high``, a percent sign only at its end; a dash if either end is missing."""
    low = cell(table, row, columns[0], f"{style}_bare" if f"{style}_bare" in PERCENT else style)
    high = cell(table, row, columns[1], style)
    return DASH if DASH in (low, high) else Markup('<span class="interval">{} to {}</span>').format(low, high)


def constant(name: str, style: str) -> Markup:
    """Format a named constant."""
    return traced(CONSTANTS[name], f"constant:{name}:value", style)


def month(value: str) -> Markup:
    """Write a month, or two joined by '+', in words; the machine's form stands in the attribute."""
    if not value:
        return DASH
    parts = (Markup('<time datetime="{}">{}</time>').format(part, month_words(part)) for part in value.split("+"))
    return Markup(" and ").join(parts)


def quoted(text: object, length: int = 60) -> Markup:
    """Show text that came with the data: cleaned, escaped, cut to `length` characters, and marked as not ours."""
    return Markup('<span class="quoted">{}</span>').format(excerpt(text, length))


def styled(number: float, style: str) -> str:
    """Write a number in one of the report's styles.

    ``count`` 1,234 · ``usd`` $123 · ``share`` 12.3 % · ``growth`` +27.1 % · ``index`` 127.1 · ``log`` +0.123 ·
    ``ln``, ``se``, ``p`` 5.123 · ``number`` 0.38 · ``factor`` ×2.39 · ``plain`` as it is.
    """
    written = {
        "count": lambda: f"{number:,.0f}",
        "usd": lambda: _usd(number),
        "share": lambda: f"{100 * number:.1f}{NBSP}%",
        "share_bare": lambda: f"{100 * number:.1f}",
        "growth_bare": lambda: f"{100 * number:+,.1f}",
        "level": lambda: f"{100 * number:.4g}{NBSP}%",
        "growth": lambda: f"{100 * number:+,.1f}{NBSP}%",
        "index": lambda: f"{number:,.1f}",
        "log": lambda: f"{number:+.3f}",
        "ln": lambda: f"{number:.3f}",
        "number": lambda: f"{number:.2f}",
        "se": lambda: f"{number:.3f}",
        "p": lambda: f"{number:.3f}",
        "factor": lambda: f"×{number:.2f}" if number < 10 else f"×{number:.1f}",
        "plain": lambda: f"{number:,.0f}" if number.is_integer() and abs(number) < 1e15 else f"{number:.6g}",
    }[style]()
    zero = written.strip(f"+-$×%{NBSP}").replace("0", "").replace(".", "") == ""
    return (written.lstrip("+-") if zero else written).replace("-", "\u2212")


def _usd(number: float) -> str:
    digits = 2 if abs(number) < 10 else 0
    return f"${number:,.{digits}f}"

"""Tables in LaTeX: booktabs rules, everything escaped, pages broken by longtable."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pandas as pd
from markupsafe import Markup

from valuation.report.constants import CAVEAT
from valuation.report.provenance import NBSP
from valuation.report.text import excerpt

if TYPE_CHECKING:
    from valuation.report.blocks import Grid
    from valuation.report.sheet import Sheet

PREAMBLE = "% \\usepackage{booktabs,longtable}, UTF-8; names in other scripts need XeLaTeX or LuaLaTeX\n"
HELD = "\ue000"  # a character of private use: texts that come with the data have lost theirs
TEXT_LENGTH = 40  # characters of a text in a cell
# What LaTeX obeys, and what pdfLaTeX does not know by itself.
SPECIAL = str.maketrans(
    {
        "\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "&": r"\&", "%": r"\%",
        "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}", "<": r"\textless{}", ">": r"\textgreater{}",
        "\u2212": "$-$", "×": r"$\times$", "÷": r"$\div$", "\u2013": "--", "\u2014": "---", "’": "'", "‘": "`",
        "“": "``", "”": "''", "\u00a0": "~", "…": r"\ldots{}", "\u00ad": "", "²": "$^2$", "₁": "$_1$",
        "[": "{[}", "]": "{]}", "*": "{*}", '"': "''",
    }
)  # fmt: skip


def latex_table(frame: pd.DataFrame, sheet: Sheet) -> str:
    """Write the printed columns of a table, with a caption, a label, and notes with units and the caveat."""
    shown = pd.DataFrame({_header(name): _column(frame[name], sheet.columns[name]) for name in sheet.printed})
    units = "; ".join(f"{_header(name)}: {_lower(sheet.columns[name])}" for name in sheet.printed)
    note = f"n = {len(frame):,} rows. {units}. {CAVEAT}"
    numeric = {_header(name) for name in sheet.printed if pd.api.types.is_numeric_dtype(frame[name])}
    return _longtable(shown, sheet.title, f"tab:{sheet.name}", note, numeric)


def latex_grid(grid: Grid, label: str) -> str:
    """Write a table of the report as it reads there: figures in their units, intervals in brackets."""
    names: list[str] = []
    for name in grid.header:
        text = _cell(name)
        names.append(text + " " * names.count(text))  # a name used twice stays one to read, and two to pandas
    frame = pd.DataFrame([[_cell(value) for value in row] for row in grid.rows], columns=names, dtype=object)
    note = f"{Markup(grid.sentence).striptags()} {CAVEAT}"
    return _longtable(frame, grid.title, f"tab:{label}", note, set(names[1:]))


def _longtable(frame: pd.DataFrame, title: str, label: str, note: str, right: set[str]) -> str:
    """Lay texts out; `right` names the columns set flush right."""
    columns = "".join("r" if name in right else "l" for name in frame.columns)
    safe = frame.map(escape).set_axis([escape(str(name)) for name in frame.columns], axis=1)
    body = safe.style.hide(axis="index").to_latex(
        environment="longtable", hrules=True, column_format=columns, caption=escape(title), label=label
    )
    head, foot = PREAMBLE + "\\begingroup\\footnotesize\n", f"\\noindent {escape(note)}\\par\n\\endgroup\n"
    return head + body + foot


def escape(text: str) -> str:
    r"""Make any text safe and printable in LaTeX.

    >>> escape("50 % of A_1 & {B}")
    '50 \\% of A\\_1 \\& \\{B\\}'
    """
    return str(text).translate(SPECIAL)


def _cell(value: str | Markup) -> str:
    """Return a finished cell of the report as plain text: what stands below a figure goes in brackets."""
    marked = re.sub(r"<small[^>]*>(.*?)</small>", r" [\1]", str(value), flags=re.DOTALL)
    held = marked.replace(NBSP, HELD)  # which striptags would take for white space
    return " ".join(Markup(held).striptags().split()).replace(HELD, NBSP)  # noqa: S704 - the report's own cells


def _header(name: str) -> str:
    return {"n": "n", "k": "k", "tau": "tau"}.get(name, name.removeprefix("n_").replace("_", " ").capitalize())


def _lower(label: str) -> str:
    return label[0].lower() + label[1:]


def _column(column: pd.Series, label: str) -> pd.Series:
    """Write numbers with the digits that their unit deserves; missing ones as a dash."""
    if pd.api.types.is_bool_dtype(column):
        return column.map({True: "yes", False: "no"})
    if not pd.api.types.is_numeric_dtype(column):
        return column.map(lambda text: excerpt(text, TEXT_LENGTH))
    if pd.api.types.is_integer_dtype(column):
        return column.map(lambda number: "\u2013" if pd.isna(number) else f"{number:,}".replace("-", "\u2212"))
    digits = 2 if "USD" in label else 1 if "ndex number" in label or "Effective" in label else 3
    return column.map(lambda number: "\u2013" if pd.isna(number) else f"{number:.{digits}f}".replace("-", "\u2212"))

"""What the codebook says of one table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table of figures.

    Attributes
    ----------
    name : str
        Its file's name without ending.
    title : str
        What it holds, at most 80 characters: Stata's label of the data set, the caption in LaTeX.
    columns : mapping of str to str
        Label of each column, at most 80 characters, with its unit.
    printed : tuple of str
        Columns of the LaTeX table: those that fit on a page.
    made_by : str
        The command that makes it.
    """

    name: str
    title: str
    columns: Mapping[str, str]
    printed: tuple[str, ...]
    made_by: str = "valuation run"

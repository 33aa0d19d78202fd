"""A simulation study's table in words and columns, for the terminal and for the page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

CAVEAT = "a relative, coarse measure: never a wage, an invoice or a saving"
HEADER = (
    f"{'world':17s} {'series':13s} {'target':7s} {'growth':>7s} {'bias (MC error)':>16s} {'RMSE':>6s} {'se':>6s} "
    f"{'coverage (MC error)':>20s}  {'warned':>6s}"
)


def as_text(table: pd.DataFrame) -> str:
    """Lines for people; growth, bias and errors are log points, coverage is of 95 % intervals.

    Parameters
    ----------
    table : DataFrame
        In the schema `SimulationStudy`.
    """
    worlds = f"{int(table['worlds'].min())} to {int(table['worlds'].max())}"
    lines = [
        f"{worlds} worlds a kind; growth, bias, RMSE and the standard error claimed (se) in log points;",
        "coverage of 95 % intervals of growth: 93 to 97 % passes, anything else is marked *",
        "",
        HEADER,
    ]
    lines += [_line({str(name): value for name, value in row.items()}) for row in table.to_dict("records")]
    return "\n".join([*lines, "", CAVEAT])


def _line(row: dict[str, Any]) -> str:
    """One series and target."""
    bias = f"{_number(row['bias'], '+.4f')} ({_number(row['bias_error'], '.4f')})"
    coverage = f"{_number(row['coverage'], '.1%')} ({_number(row['coverage_error'], '.1%')})"
    return (
        f"{row['world']:17s} {row['series']:13s} {row['target']:7s} {_number(row['true_growth'], '+.3f'):>7s} "
        f"{bias:>16s} {_number(row['rmse'], '.3f'):>6s} {_number(row['standard_error'], '.3f'):>6s} {coverage:>20s}"
        f"{' ' if row['within_limits'] else '*'} {_number(row['warned_share'], '.0%'):>6s}"
        + (f"  {row['failed']} without an interval" if row["failed"] else "")
    )


def _number(value: float, style: str) -> str:
    """A figure, or a dash where there is none."""
    return format(value, style) if np.isfinite(value) else "–"

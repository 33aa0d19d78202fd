"""Reads what an explanation is made of beside neighbours; what is not there is told in a line, never by an error."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from valuation.errors import InputError
from valuation.pipeline.explained_bands import single_parts, typical_parts
from valuation.pipeline.explained_values import other_value
from valuation.tables import LeftOut, Workings

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from valuation.pipeline.explained_bands import SingleParts, TypicalParts
    from valuation.pipeline.explained_rows import Rows
    from valuation.pipeline.explained_values import OtherValue
    from valuation.tables import Table

OTHERS = ("neighbours", "hedonic")
"""Pricers that are reported beside the headline."""


@dataclass(frozen=True, slots=True)
class Nearest:
    """The nearest posting: its similarity decides whether a session is matched."""

    posting_id: str
    title: str | None
    similarity: float


@dataclass(frozen=True, slots=True)
class Parts:
    """What a session's figures are made of, as far as it is known.

    Attributes
    ----------
    nearest : Nearest or None
    other_pricers : tuple of OtherValue
    typical_band : TypicalParts or None
    single_posting_band : SingleParts or None
    errors : DataFrame or None
        The basket's `PostingErrors`, with titles, indexed by posting_id.
    not_shown : tuple of str
        A line for each part that is not known, with the reason.
    """

    nearest: Nearest | None = None
    other_pricers: tuple[OtherValue, ...] = ()
    typical_band: TypicalParts | None = None
    single_posting_band: SingleParts | None = None
    errors: pd.DataFrame | None = None
    not_shown: tuple[str, ...] = ()


def open_parts(rows: Rows, folder: Path, manifest: dict[str, Any], value: pd.Series) -> Parts:
    """Collect the parts of one session.

    Parameters
    ----------
    rows : Rows
        Of the run.
    folder : Path
        The run's.
    value : Series
        The session's row of `values`.
    """
    session_id, missing = str(value["session_id"]), []
    try:
        working = _rows(rows, folder, "workings", Workings, session_id).iloc[0]
    except InputError as error:
        return Parts(not_shown=(f"what the bands and the other pricers' values are made of: {error}",))
    errors, fault = rows.errors()
    missing += fault
    nearest = None if errors is None else _nearest(errors.iloc[int(working["nearest"])], value)
    if not value["matched"]:
        return Parts(nearest=nearest, errors=errors, not_shown=tuple(missing))
    single = None
    if errors is not None:
        try:
            left_out = _rows(rows, folder, "left_out", LeftOut, session_id).sort_values("fold")
            single = single_parts(value, working, left_out, errors, manifest)
        except InputError as error:
            missing.append(f"what the single-posting band is made of: {error}")
    pricer = manifest["settings"]["pricing"]["pricer"]
    return Parts(
        nearest=nearest,
        other_pricers=tuple(other_value(value, working, name, manifest) for name in OTHERS if name != pricer),
        typical_band=typical_parts(value, working, manifest),
        single_posting_band=single,
        errors=errors,
        not_shown=tuple(missing),
    )


def _rows(rows: Rows, folder: Path, name: str, schema: type[Table], session_id: str) -> pd.DataFrame:
    """A session's rows of a table of the run.

    Raises
    ------
    InputError
        The table is missing or damaged, or has no such session.
    """
    if not (folder / f"{name}.parquet").exists():
        raise InputError(
            f"the run has no {name}.parquet: an earlier version made it; make a new one with: valuation run"
        )
    mine = rows.of(name, schema, session_id)
    if mine.empty:
        raise InputError(f"{folder / f'{name}.parquet'}: has no such session; delete {folder}, then: valuation run")
    return mine


def _nearest(posting: pd.Series, value: pd.Series) -> Nearest:
    title = posting["title"] if isinstance(posting["title"], str) else None
    return Nearest(str(posting["posting_id"]), title, float(value["similarity_max"]))


def with_errors(matches: pd.DataFrame, errors: pd.DataFrame | None) -> pd.DataFrame:
    """Neighbours with their resampling unit, fold and error (log price less the value without their fold, raw)."""
    if errors is None:
        return matches.assign(unit=float("nan"), fold=float("nan"), error=float("nan"))
    mine = errors.reindex(matches["posting_id"])  # by its index: a merge would hash the whole basket again
    error = (mine["log_price"] - mine["log_value"]).to_numpy()
    return matches.assign(unit=mine["unit"].to_numpy(), fold=mine["fold"].to_numpy(), error=error)

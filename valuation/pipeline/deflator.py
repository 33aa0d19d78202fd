"""A price series of the user's own, by which log prices of postings are put into constant dollars."""

from __future__ import annotations

import hashlib
import io
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from valuation.errors import ConfigError, InputError
from valuation.tables.schemas import MONTH

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from valuation.config import Settings
    from valuation.storage import Layout

COLUMNS = ["month", "index_number"]


@dataclass(frozen=True, slots=True)
class Deflator:
    """A monthly series of prices in general.

    Attributes
    ----------
    name : str
        The setting, for messages.
    log_index : Series of float
        ``ln(index_number)``, above its value in the last month; indexed by month.
    month : str
        The last month of the series: whose dollars prices are in.
    sha256 : str
        Of the file's content.
    """

    name: str
    log_index: pd.Series[float]
    month: str
    sha256: str

    def data(self) -> dict[str, Any]:
        """Return plain data for a manifest."""
        return {"month": self.month, "months": len(self.log_index), "sha256": self.sha256}


def deflator_sha256(layout: Layout, settings: Settings) -> str:
    """SHA-256 of the content of the series, ``''`` without one: part of what a basket and a run are known by."""
    return hashlib.sha256(_content(layout, settings)).hexdigest() if settings.pricing.deflator else ""


def read_deflator(layout: Layout, settings: Settings) -> Deflator | None:
    """Read the series that ``pricing.deflator`` names, ``month,index_number``; None where it is empty.

    Raises
    ------
    ConfigError
        There is no such file.
    InputError
        It is no such series; the message names the row, counted from 1 below the header.
    """
    if not settings.pricing.deflator:
        return None
    name, content = f"pricing.deflator = {settings.pricing.deflator}", _content(layout, settings)
    try:
        frame = pd.read_csv(
            io.BytesIO(content), dtype="str", encoding="utf-8-sig", keep_default_na=False, skipinitialspace=True
        )
    except ValueError as error:
        raise InputError(f"{name}: not readable as CSV: {str(error).splitlines()[0][:120]}") from error
    if list(frame.columns) != COLUMNS:
        raise InputError(f"{name}: expected the header {','.join(COLUMNS)}, got {_shown(','.join(frame.columns))}")
    if frame.empty:
        raise InputError(f"{name}: no row; expected such as 2026-03,131.2")
    number = pd.to_numeric(frame["index_number"], errors="coerce").to_numpy(dtype=np.float64)
    good = frame["month"].str.fullmatch(MONTH).to_numpy() & np.isfinite(number) & (number > 0)
    if not good.all():
        row = int(np.flatnonzero(~good)[0])
        shown = _shown(",".join(frame.iloc[row].astype(str)))
        raise InputError(f"{name}: row {row + 1}: expected a month and a number above 0, as 2026-03,131.2, got {shown}")
    if (twice := frame.duplicated("month").to_numpy()).any():
        row = int(np.flatnonzero(twice)[0])
        raise InputError(f"{name}: row {row + 1}: a second number for {frame['month'].iloc[row]}; keep one")
    log_index = pd.Series(np.log(number), index=frame["month"].to_numpy()).sort_index()
    month = str(log_index.index[-1])
    return Deflator(name, log_index - log_index[month], month, hashlib.sha256(content).hexdigest())


def log_prices(price_usd: pd.Series[float], month: pd.Series[str], deflator: Deflator | None) -> NDArray[np.float64]:
    """``ln(price)``, less how far prices in general stood above the last month's: log USD of that month.

    Parameters
    ----------
    price_usd, month : Series, shape (n_postings,)
        Nominal USD, and the posting's month.
    deflator : Deflator or None
        None: nominal dollars.

    Raises
    ------
    InputError
        The series lacks a posting's month.
    """
    log_price = np.log(price_usd.to_numpy(dtype=np.float64))
    if deflator is None:
        return np.asarray(log_price)
    above = month.map(deflator.log_index).to_numpy(dtype=np.float64)
    if (lacking := month[np.isnan(above)]).size:
        first = min(lacking)
        raise InputError(
            f"{deflator.name}: no index_number for {first}, the month of {int((lacking == first).sum())} postings "
            f"({lacking.nunique()} of the basket's months are missing); add {'them' if lacking.nunique() > 1 else 'it'}"
        )
    return np.asarray(log_price - above)


def with_dollars(manifest: dict[str, Any], deflator: Deflator | None) -> dict[str, Any]:
    """A run's manifest that says, where prices are deflated, in which dollars they are: as an entry and in words."""
    if deflator is None:
        return manifest
    words = f"{manifest['headline']}, in constant dollars of {deflator.month}"
    return manifest | {"headline": words, "constant_dollars": deflator.data()}


def _content(layout: Layout, settings: Settings) -> bytes:
    path = layout.root / Path(settings.pricing.deflator).expanduser()
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigError(f"pricing.deflator = {path}: cannot be read: {error.strerror}") from error


def _shown(text: str) -> str:
    """A piece of somebody's file, fit for one line."""
    return re.sub(r"[^\x20-\x7e]", " ", text)[:60]

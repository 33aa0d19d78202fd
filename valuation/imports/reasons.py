"""Why a row could not be used: a closed list of codes, and how a fault is written down."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


class Reason(StrEnum):
    """Codes of the quarantine's ``reason`` column."""

    UNREADABLE_ROW = "unreadable_row"
    NO_TEXT = "no_text"
    NO_SOURCE = "no_source"
    NO_DATE = "no_date"
    BAD_DATE = "bad_date"
    FUTURE_DATE = "future_date"
    NO_PRICE = "no_price"
    UNPARSED_PRICE = "unparsed_price"
    SEVERAL_PRICES = "several_prices"
    OPEN_RANGE = "open_range"
    OTHER_UNIT = "other_unit"
    ZERO_PRICE = "zero_price"
    NEGATIVE_PRICE = "negative_price"
    INFINITE_PRICE = "infinite_price"
    MIN_ABOVE_MAX = "min_above_max"
    NO_PRICE_TYPE = "no_price_type"
    TYPE_CONFLICT = "type_conflict"
    NO_CURRENCY = "no_currency"
    BAD_CURRENCY = "bad_currency"
    CURRENCY_CONFLICT = "currency_conflict"
    NO_RATE = "no_rate"
    BAD_VALUE = "bad_value"
    DUPLICATE_ID = "duplicate_id"
    NOT_A_POSTING = "not_a_posting"
    NO_ID = "no_id"
    GONE = "gone"


_PRICE = "a price above zero: a number, a range, or a text that states one"
MEANINGS: dict[Reason, tuple[str, str]] = {
    # reason: (what was expected, what is wrong)
    Reason.UNREADABLE_ROW: ("as many fields as the header has, or one JSON object a line", "the row cannot be read"),
    Reason.NO_TEXT: ("a title, a description or a summary", "the row has no text"),
    Reason.NO_SOURCE: ("a source name of letters, digits, '.', '_' or '-'", "the row has no source"),
    Reason.NO_DATE: ("a date, or a stated one under [constants] in the mapping", "the row has no date"),
    Reason.BAD_DATE: ("a date between 1995 and today, written in one readable way", "the date cannot be read"),
    Reason.FUTURE_DATE: ("a date not after the import, or the crawl, plus one day", "the date lies in the future"),
    Reason.NO_PRICE: (_PRICE, "the row states no price"),
    Reason.UNPARSED_PRICE: (_PRICE, "the price cannot be read in one way only"),
    Reason.SEVERAL_PRICES: (_PRICE, "the text states several prices, or currencies that differ"),
    Reason.OPEN_RANGE: (_PRICE, "the price has only one end, such as 'up to' or '+'"),
    Reason.OTHER_UNIT: ("a price of the whole task or of an hour", "the price is for something else, or for both"),
    Reason.ZERO_PRICE: (_PRICE, "the price, or one end of it, is zero"),
    Reason.NEGATIVE_PRICE: (_PRICE, "the price is negative"),
    Reason.INFINITE_PRICE: (_PRICE, "the price is infinite"),
    Reason.MIN_ABOVE_MAX: ("a range whose low end is not above its high end", "the minimum is above the maximum"),
    Reason.NO_PRICE_TYPE: ("fixed or hourly", "nothing says whether the price is for the task or for an hour"),
    Reason.TYPE_CONFLICT: ("a price whose unit agrees with its price type", "the price type and the price disagree"),
    Reason.NO_CURRENCY: ("a currency code, sign or column", "nothing says in which currency the price is"),
    Reason.BAD_CURRENCY: ("a currency code such as USD", "the currency is not known"),
    Reason.CURRENCY_CONFLICT: ("one currency", "the currency column and the price's own sign disagree"),
    Reason.NO_RATE: (
        "a currency quoted by the ECB in the posting's month, or a rate in currency.rates_file",
        "there is no exchange rate",
    ),
    Reason.BAD_VALUE: ("one of the values that the column allows", "the value is not allowed"),
    Reason.DUPLICATE_ID: ("an id that stands for one row only", "the id stands for rows that differ"),
    Reason.NOT_A_POSTING: ("an offer of paid work", "the record is something else"),
    Reason.NO_ID: ("an id, one a posting", "the record has none of its own"),
    Reason.GONE: ("a page that is still there", "the source has removed it"),
}

FAULT_COLUMNS = ("position", "column", "value", "reason")
_FAULT_TYPES = {"position": "int64", "column": "str", "value": "str", "reason": "str"}
_NO_FAULTS = pd.DataFrame({name: pd.Series([], dtype=kind) for name, kind in _FAULT_TYPES.items()})


def faults(
    mask: NDArray[np.bool_], reason: Reason | pd.Series[str], column: str, values: pd.Series | None = None
) -> pd.DataFrame:
    """Write down the rows of `mask` as faulty.

    Parameters
    ----------
    mask : ndarray of bool, shape (n_rows,)
        The faulty rows.
    reason : Reason, or Series of codes, shape (n_rows,)
        One for all, or one a row.
    column : str
        The file's column at fault; ``''`` where it is none in particular.
    values : Series, shape (n_rows,), optional
        What stood there.

    Returns
    -------
    DataFrame
        `FAULT_COLUMNS`, one row a faulty row, in row order.
    """
    position = np.flatnonzero(mask)
    if not len(position):
        return _NO_FAULTS
    codes = [str(reason)] * len(position) if isinstance(reason, Reason) else [str(c) for c in reason.to_numpy()[mask]]
    shown = [None] * len(position) if values is None else [excerpt(value) for value in values.to_numpy()[mask]]
    data = {"position": position, "column": [column or None] * len(position), "value": shown, "reason": codes}
    return pd.DataFrame(data).astype(_FAULT_TYPES)


def first_faults(found: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """One fault a row: the first in the order of `found`; sorted by position."""
    filled = [frame for frame in found if len(frame)]
    if not filled:
        return _NO_FAULTS
    whole = pd.concat(filled, ignore_index=True).drop_duplicates("position", keep="first")
    return whole.sort_values("position", kind="stable", ignore_index=True)


def excerpt(value: object, width: int = 80) -> str | None:
    """Short, printable form of untrusted text; None for missing."""
    if value is None or (isinstance(value, float) and np.isnan(value)) or value is pd.NaT or value is pd.NA:
        return None
    text = str(value)[: 2 * width]
    text = "".join(char if char.isprintable() else " " for char in text)
    return text if len(text) <= width else text[: width - 1] + "…"

"""Price columns -> low, high, currency and unit of each row, or the reason why there is none."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from crawlers.money import Budget, price_form, read_budget, read_number
from crawlers.money_marks import currency_code
from crawlers.money_numbers import DecimalEvidence, decimal_evidence
from valuation.errors import InputError
from valuation.imports.cells import as_text, number_of, pick
from valuation.imports.masking import mask
from valuation.imports.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Sequence

    from valuation.imports.mapping import PriceColumns
    from valuation.imports.raw import Cell

_SIGN = re.compile(r"[^\W\d_]+|[$€£¥₹₽₴₺₩₪₱₦₫฿]")
REASON_OF = {
    "none": Reason.NO_PRICE,
    "unclear": Reason.UNPARSED_PRICE,
    "several": Reason.SEVERAL_PRICES,
    "zero": Reason.ZERO_PRICE,
    "negative": Reason.NEGATIVE_PRICE,
    "infinite": Reason.INFINITE_PRICE,
    "reversed": Reason.MIN_ABOVE_MAX,
    "open": Reason.OPEN_RANGE,
    "other_unit": Reason.OTHER_UNIT,
}


@dataclass(frozen=True, slots=True)
class Quotes:
    """Prices as the file states them.

    Attributes
    ----------
    frame : DataFrame, shape (n, 8)
        ``low``, ``high`` (NaN without a price), ``currency`` (ISO code or missing), ``mark`` (as written), ``unit``
        (``fixed``, ``hour`` or missing), ``raw`` (the text), ``column`` (theirs), ``reason`` (missing with a price).
    parsed_forms, unparsed_forms : tuple of (form, rows)
        Texts with digits replaced by 9, most frequent first.
    """

    frame: pd.DataFrame
    parsed_forms: tuple[tuple[str, int], ...]
    unparsed_forms: tuple[tuple[str, int], ...]


def read_prices(frame: pd.DataFrame, columns: PriceColumns, decimal_comma: bool | None) -> Quotes:
    """Read one price a row from a price column, the first of several that states one, or two ends.

    Parameters
    ----------
    frame : DataFrame, shape (n, any)
        The file's rows.
    columns : PriceColumns
        Which columns; ``currency`` is not looked at here.
    decimal_comma : bool or None
        From `decimal_comma_of`.
    """
    if columns.price:
        tried = [_column(frame[name], name, decimal_comma) for name in columns.price]
        chosen = tried[0]
        for other in tried[1:]:
            better = chosen["low"].isna() & (other["low"].notna() | (chosen["reason"] == Reason.NO_PRICE))
            chosen = chosen.where(~better, other)
    elif columns.price_low:
        chosen = _range(frame, columns, decimal_comma)
    else:
        chosen = _column(pd.Series([None] * len(frame), dtype=object), "", decimal_comma)
    return Quotes(chosen, *forms(chosen))


def decimal_comma_of(
    frame: pd.DataFrame, names: Sequence[str], *, stated: bool | None, delimiter: str, file: str
) -> bool | None:
    """How the file writes numbers: as the mapping says, else as some number of its price columns shows.

    Raises
    ------
    InputError
        Numbers such as "1.200" can be read either way, and nothing in the columns decides it.
    """
    if stated is not None:
        return stated
    texts = {cell for name in names for cell in frame[name] if isinstance(cell, str)}
    by_mark: dict[str, set[str]] = {}
    for text in texts:  # "1.500 €" is not settled by "$1,500.00" beside it
        marks = sorted({code for word in _SIGN.findall(text[:200]) if (code := currency_code(word))})
        by_mark.setdefault("".join(marks), set()).add(text)
    shown = [decimal_evidence(group) for group in by_mark.values()]
    commas = {one.comma for one in shown if one.point != one.comma}
    settled = len(commas) == 1 and not any(one.point and one.comma for one in shown)
    open_ones = [one.either_point or (one.either_comma if delimiter == ";" or True in commas else "") for one in shown]
    unsettled = [text for text, one in zip(open_ones, shown, strict=True) if text and not _own(one, settled)]
    either = min(unsettled, default="")
    if not either:
        return commas.pop() if settled else None
    shape = price_form(either, width=30)
    raise InputError(
        f"{file}: prices such as {shape!r} can be read either way; write one line under "
        "[options] in a mapping: decimal_comma = true (1.200,50) or decimal_comma = false (1,200.50)"
    )


def _own(shown: DecimalEvidence, settled: bool) -> bool:
    """Whether texts with one currency sign show their decimal mark themselves, and no others contradict them."""
    return settled and shown.point != shown.comma


def forms(quotes: pd.DataFrame) -> tuple[tuple[tuple[str, int], ...], tuple[tuple[str, int], ...]]:
    """Count the forms of price texts, those that gave a price and those that did not."""
    stated = quotes["raw"].notna()
    priced = quotes["low"].notna()
    return _count_forms(quotes.loc[stated & priced, "raw"]), _count_forms(quotes.loc[stated & ~priced, "raw"])


def _count_forms(texts: pd.Series[str]) -> tuple[tuple[str, int], ...]:
    """Forms of texts with their counts, most frequent first."""
    counts: Counter[str] = Counter()
    for text, count in zip(*np.unique(texts.to_numpy(dtype=object).astype(str), return_counts=True), strict=True):
        counts[mask(price_form(str(text)))] += int(count)
    return tuple(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def _column(cells: pd.Series, name: str, decimal_comma: bool | None) -> pd.DataFrame:
    """Quotes of one column."""
    known: dict[object, tuple[object, ...]] = {}
    rows = []
    for cell in cells:
        key = (type(cell), cell)
        if key not in known:
            known[key] = _quote(cell, decimal_comma)
        rows.append(known[key])
    return _quotes_frame(rows, name)


def _quotes_frame(rows: list[tuple[object, ...]], name: str) -> pd.DataFrame:
    """Frame of `Quotes` from rows of (low, high, currency, mark, unit, raw, reason)."""
    frame = pd.DataFrame(rows, columns=["low", "high", "currency", "mark", "unit", "raw", "reason"])
    kinds = {"low": float, "high": float} | {text: "str" for text in ("currency", "mark", "unit", "raw", "reason")}
    return frame.astype(kinds).assign(column=pd.Series([name or None] * len(rows), dtype="str"))


def _quote(cell: Cell, decimal_comma: bool | None) -> tuple[object, ...]:
    """(low, high, currency, mark, unit, raw, reason) of one cell."""
    raw = as_text(cell)
    number = number_of(cell)
    found = read_number(number) if number is not None else read_budget(raw or "", decimal_comma=decimal_comma)
    if isinstance(found, Budget):
        return found.low, found.high, found.currency, found.mark, found.unit, raw, None
    return np.nan, np.nan, None, None, None, raw, str(REASON_OF[found])


def _range(frame: pd.DataFrame, columns: PriceColumns, decimal_comma: bool | None) -> pd.DataFrame:
    """Quotes of two columns, the ends of a range."""
    low = _column(pick(frame, columns.price_low), columns.price_low[0], decimal_comma)
    high = _column(pick(frame, columns.price_high), columns.price_high[0], decimal_comma)
    reason = low["reason"].where(low["reason"].notna(), high["reason"])
    one_missing = (low["reason"] == Reason.NO_PRICE) ^ (high["reason"] == Reason.NO_PRICE)
    reason = reason.mask(one_missing & (low["low"].notna() | high["low"].notna()), str(Reason.OPEN_RANGE))
    reason = reason.mask(reason.isna() & (low["low"] > high["high"]), str(Reason.MIN_ABOVE_MAX))
    differ = (low["currency"] != high["currency"]) & low["currency"].notna() & high["currency"].notna()
    reason = reason.mask(reason.isna() & differ, str(Reason.SEVERAL_PRICES))
    raw = (low["raw"].fillna("") + " - " + high["raw"].fillna("")).where(low["raw"].notna() | high["raw"].notna())
    good = reason.isna()
    return low.assign(
        low=low["low"].where(good),
        high=high["high"].where(good),
        currency=low["currency"].where(low["currency"].notna(), high["currency"]),
        mark=low["mark"].where(low["mark"].fillna("") != "", high["mark"]),
        unit=low["unit"].where(low["unit"].notna(), high["unit"]),
        raw=raw.astype("str"),
        reason=reason.astype("str"),
    )


def merge_quotes(parts: Sequence[tuple[np.ndarray, Quotes]], n: int, several: np.ndarray) -> Quotes:
    """Quotes of rows that take their prices from different columns, by price type.

    Parameters
    ----------
    parts : sequence of (ndarray of bool, Quotes)
        Disjoint rows, and quotes of all rows read from that type's columns.
    n : int
        Number of rows; those of no part have no price.
    several : ndarray of bool, shape (n,)
        Rows of no part that state more than one price.
    """
    whole = _quotes_frame([(np.nan, np.nan, None, None, None, None, str(Reason.NO_PRICE))] * n, "")
    for rows, quotes in parts:
        whole = whole.where(~pd.Series(rows), quotes.frame)
    whole = whole.assign(reason=whole["reason"].mask(several, str(Reason.SEVERAL_PRICES)))
    return replace(parts[0][1], frame=whole, parsed_forms=forms(whole)[0], unparsed_forms=forms(whole)[1])

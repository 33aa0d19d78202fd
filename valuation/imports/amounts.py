"""Prices of rows: type, currency and US dollars, with the faults of each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from crawlers.money import unit_of
from crawlers.money_marks import currency_code, may_mean
from valuation.errors import InputError
from valuation.imports.cells import map_texts, texts
from valuation.imports.prices import Quotes, decimal_comma_of, merge_quotes, read_prices
from valuation.imports.rates import usd_rates
from valuation.imports.reasons import Reason, faults

if TYPE_CHECKING:
    from valuation.imports.mapping import PostingsMapping
    from valuation.imports.raw import RawTable


@dataclass(frozen=True, slots=True)
class PriceRows:
    """Price columns of the Postings table.

    Attributes
    ----------
    columns : dict of Series, shape (n,) each
        ``price_type``, ``price_low``, ``price_high``, ``currency``, ``price_usd``, ``rate_source``, ``price_raw``.
    faults : tuple of DataFrame
        In order of precedence.
    parsed_forms, unparsed_forms : tuple of (form, rows)
        Price texts.
    notes : tuple of str
        What was assumed.
    """

    columns: dict[str, pd.Series]
    faults: tuple[pd.DataFrame, ...]
    parsed_forms: tuple[tuple[str, int], ...]
    unparsed_forms: tuple[tuple[str, int], ...]
    notes: tuple[str, ...]


def price_rows(
    raw: RawTable, mapping: PostingsMapping, month: pd.Series[str], *, file: str, rates: pd.DataFrame
) -> PriceRows:
    """Read prices, decide type and currency, convert to US dollars.

    Raises
    ------
    InputError
        No price column; nothing in the file says what the prices are for, or in which currency.
    """
    typed = texts(raw.frame, mapping.columns.price_type, mapping.values.get("price_type"))
    quotes, stated, currency_columns = _quotes(raw, mapping, typed, file)
    frame = quotes.frame
    price_type, type_faults = _types(frame, typed, stated, mapping, file)
    currency, currency_faults, original = _currencies(raw, frame, mapping, currency_columns, file)
    converted = usd_rates(month, currency, rates)
    rate = converted["usd_per_unit"]
    middle = (np.sqrt(frame["low"]) * np.sqrt(frame["high"])).where(frame["low"] != frame["high"], frame["low"])
    usd = middle * rate  # a single amount in dollars stays exactly what it is
    no_rate = (frame["low"].notna() & currency.notna() & month.notna() & rate.isna()).to_numpy()
    source = converted["rate_source"].mask((original != "USD").to_numpy() & original.notna().to_numpy(), "source")
    columns = {
        "price_type": price_type,
        "price_low": frame["low"],
        "price_high": frame["high"],
        "currency": currency,
        "price_usd": usd,
        "rate_source": source if mapping.options.amount_is_usd else converted["rate_source"],
        "price_raw": frame["raw"],
    }
    unpriced = faults(frame["low"].isna().to_numpy(), frame["reason"], "", frame["raw"])
    unpriced = unpriced.assign(column=frame["column"].to_numpy()[unpriced["position"].to_numpy()])
    found = (unpriced, *type_faults, *currency_faults, faults(no_rate, Reason.NO_RATE, "", currency))
    return PriceRows(columns, found, quotes.parsed_forms, quotes.unparsed_forms, _dollar_note(frame))


def _dollar_note(frame: pd.DataFrame) -> tuple[str, ...]:
    """Say that a bare "$" was read as US dollars."""
    bare = int(((frame["mark"] == "$") & frame["low"].notna()).sum())
    return (f'a bare "$" is read as the currency stated for the row, else USD ({bare} rows)',) if bare else ()


def _quotes(
    raw: RawTable, mapping: PostingsMapping, typed: pd.Series[str], file: str
) -> tuple[Quotes, pd.Series[str], tuple[str, ...]]:
    """Quotes of all rows, the unit that each row's column stands for, and the currency columns."""
    columns = mapping.columns
    blocks = [(name, getattr(columns, name)) for name in ("fixed", "hourly")]
    blocks = [(name, block) for name, block in blocks if block.price or block.price_low]
    sets = [block for _, block in blocks] or [columns]
    names = [name for block in sets for name in (*block.price, *block.price_low, *block.price_high)]
    if not names:
        raise InputError(f'{file}: no price; write one line under [columns] in a mapping: price = "COLUMN"')
    comma = decimal_comma_of(raw.frame, names, stated=mapping.options.decimal_comma, delimiter=raw.delimiter, file=file)
    no_type = pd.Series([None] * len(raw.frame), dtype="str")
    if not blocks:
        return read_prices(raw.frame, columns, comma), no_type, columns.currency
    read = [(name, read_prices(raw.frame, block, comma)) for name, block in blocks]
    kinds = map_texts(typed, type_of) if columns.price_type else _types_by_column(read)
    parts = [((kinds == name).to_numpy(), quotes) for name, quotes in read]
    currency = tuple(dict.fromkeys(name for _, block in blocks for name in block.currency)) or columns.currency
    twice = np.sum([quotes.frame["low"].notna() for _, quotes in read], axis=0) > 1
    several = twice & kinds.isna().to_numpy() & (not columns.price_type)
    return merge_quotes(parts, len(raw.frame), several), kinds, currency


def _types_by_column(read: list[tuple[str, Quotes]]) -> pd.Series[str]:
    """Type of each row by which of the types' columns states a price; where none does, by which states anything."""
    names = np.array([*(name for name, _ in read), None], dtype=object)
    priced = np.array([quotes.frame["low"].notna() for _, quotes in read])
    filled = np.array([quotes.frame["reason"] != Reason.NO_PRICE for _, quotes in read])
    deciding = np.where(priced.any(axis=0), priced, filled)
    return pd.Series(names[np.where(deciding.sum(axis=0) == 1, deciding.argmax(axis=0), -1)], dtype="str")


def type_of(text: str) -> str | None:
    """Price type that a text names, None for neither or both.

    >>> type_of("Hourly: $15.00 - $25.00"), type_of("fixed_price"), type_of("Hourly/Fixed")
    ('hourly', 'fixed', None)
    """
    return {"hour": "hourly", "fixed": "fixed"}.get(unit_of(text) or "")


def _types(
    frame: pd.DataFrame, typed: pd.Series[str], stated: pd.Series[str], mapping: PostingsMapping, file: str
) -> tuple[pd.Series[str], tuple[pd.DataFrame, ...]]:
    """Fixed or hourly: the row's own price, its type column, then the mapping's constant."""
    own = frame["unit"].map({"hour": "hourly", "fixed": "fixed"}).astype("str")
    column = stated.fillna(map_texts(typed, type_of))
    priced = frame["low"].notna()
    conflict = (priced & own.notna() & column.notna() & (own != column)).to_numpy()
    decided = own.fillna(column)
    if mapping.constants.price_type is not None:  # for rows that say nothing, not for those that say something else
        decided = decided.where(decided.notna() | typed.notna(), mapping.constants.price_type)
    unread = (priced & decided.isna() & typed.notna()).to_numpy()
    unknown = (priced & decided.isna() & typed.isna()).to_numpy()
    if unknown.any() and not (priced & decided.notna()).any():
        raise InputError(
            f"{file}: nothing says whether prices are for a task or an hour; write one line under [constants] in a "
            'mapping: price_type = "fixed" or price_type = "hourly" (or under [columns]: price_type = "COLUMN")'
        )
    theirs = (mapping.columns.price_type or ("",))[0]
    return decided, (
        faults(conflict, Reason.TYPE_CONFLICT, theirs, typed),
        faults(unread, Reason.BAD_VALUE, theirs, typed),
        faults(unknown, Reason.NO_PRICE_TYPE, theirs, typed),
    )


def _currencies(
    raw: RawTable, frame: pd.DataFrame, mapping: PostingsMapping, names: tuple[str, ...], file: str
) -> tuple[pd.Series[str], tuple[pd.DataFrame, ...], pd.Series[str]]:
    """Currency of each row's amounts, the faults, and the currency that the row names."""
    said = texts(raw.frame, names, mapping.values.get("currency"))
    named = map_texts(said, _named_currency)
    theirs = names[0] if names else ""
    if mapping.options.amount_is_usd:
        return pd.Series(["USD"] * len(frame), dtype="str"), (), named.fillna("USD")
    fallback = named.fillna(mapping.constants.currency) if mapping.constants.currency else named
    agrees = pd.Series([_agrees(mark, code) for mark, code in zip(frame["mark"], fallback, strict=True)], dtype=bool)
    priced = frame["low"].notna()
    conflict = (priced & named.notna() & ~agrees).to_numpy()
    decided = fallback.where(agrees & fallback.notna(), frame["currency"])
    unknown = (priced & decided.isna() & said.isna()).to_numpy()
    if unknown.any() and not (priced & decided.notna()).any():
        raise InputError(
            f'{file}: nothing says in which currency the prices are; write one line in a mapping: currency = "USD" '
            'under [constants], or currency = "COLUMN" under [columns]'
        )
    found = (
        faults((priced & said.notna() & named.isna()).to_numpy(), Reason.BAD_CURRENCY, theirs, said),
        faults(conflict, Reason.CURRENCY_CONFLICT, theirs, said),
        faults(unknown, Reason.NO_CURRENCY, theirs, frame["raw"]),
    )
    return decided.astype("str"), found, named


def _named_currency(text: str) -> str | None:
    """Code in a currency column: known signs and words, else whatever looks like a code."""
    upper = text.upper()
    return currency_code(text) or (upper if upper.isalnum() and upper.isascii() and 2 <= len(upper) <= 10 else None)


def _agrees(mark: object, code: object) -> bool:
    """Whether a price's own sign can stand for the row's currency; no sign agrees with any."""
    return not isinstance(mark, str) or not mark or not isinstance(code, str) or may_mean(mark, code)

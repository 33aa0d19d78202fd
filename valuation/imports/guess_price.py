"""Which columns hold the price: by name, checked by content; more than one is a question for the user."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from crawlers.money import Budget, read_budget
from crawlers.money_marks import currency_in_name
from valuation.imports.cells import missing, number_of
from valuation.imports.names import (
    FIXED_WORDS,
    HIGH_WORDS,
    HOURLY_WORDS,
    LOW_WORDS,
    NOT_PRICES,
    PRICE_WORDS,
    words_of,
)

if TYPE_CHECKING:
    import pandas as pd

    from valuation.imports.raw import Cell

SAMPLE = 500  # filled cells that a column's content is judged by


@dataclass(frozen=True, slots=True)
class PriceGuess:
    """Where prices stand.

    Attributes
    ----------
    columns : dict
        ``price``, or ``price_low`` and ``price_high``, to the file's names.
    currency, price_type : str
        What the name says: "Budget (EUR)", "hourly_rate"; ``''`` for nothing.
    questions : tuple of (what, lines)
        What is left open; one of the lines belongs into a mapping.
    """

    columns: dict[str, tuple[str, ...]]
    currency: str
    price_type: str
    questions: tuple[tuple[str, tuple[str, ...]], ...]


def guess_price(frame: pd.DataFrame) -> PriceGuess:
    """Find the one price column, or the one pair of columns with a range's ends."""
    named = [str(name) for name in frame.columns if is_price_name(str(name)) and _has_prices(frame[name])]
    lows = [name for name in named if LOW_WORDS & set(words_of(name))]
    highs = [name for name in named if HIGH_WORDS & set(words_of(name)) and name not in lows]
    singles = [name for name in named if name not in lows and name not in highs]
    if not named:
        singles = [str(name) for name in frame.columns if _is_marked(frame[name])]
        if len(singles) != 1:
            lines = tuple(f'price = "{name}"' for name in singles or ["COLUMN"])
            what = "more than one candidate for the price" if singles else "no column of prices"
            return PriceGuess({}, "", "", ((what, lines),))
    pairs = [(low, high) for low in lows for high in highs if _stem(low) == _stem(high)]
    if len(singles) + len(pairs) != 1 or len(lows) != len(pairs) or len(highs) != len(pairs):
        lines = tuple(f'price = "{name}"' for name in singles)
        lines += tuple(f'price_low = "{low}" with price_high = "{high}"' for low, high in pairs)
        alone = [name for name in lows + highs if not any(name in pair for pair in pairs)]
        lines += tuple(f'price = "{name}"' for name in alone)
        return PriceGuess({}, "", "", (("more than one candidate for the price", lines),))
    names: tuple[str, ...] = tuple(singles) if singles else pairs[0]
    currency = {code for name in names if (code := currency_in_name(name))}
    if len(currency) > 1:
        return PriceGuess({}, "", "", (("the ends' names state two currencies", ('price = "COLUMN"',)),))
    columns: dict[str, tuple[str, ...]] = {"price": names}
    if pairs:
        columns = {"price_low": names[:1], "price_high": names[1:]}
    return PriceGuess(columns, next(iter(currency), ""), _type_in(names[0]), ())


def is_price_name(name: str) -> bool:
    """Whether a column goes by a price's name.

    >>> [is_price_name(n) for n in ("Budget (EUR)", "hourly_min", "fixed_usd", "Total Spent", "Hourly/Fixed")]
    [True, True, True, False, False]
    """
    words = set(words_of(name))
    if words & NOT_PRICES:
        return False
    typed = words & (HOURLY_WORDS | FIXED_WORDS)
    ends = words & (LOW_WORDS | HIGH_WORDS)
    currency = currency_in_name(name) is not None
    return bool(words & PRICE_WORDS) or bool(typed and (ends or currency)) or (currency and not words - {name.lower()})


def _type_in(name: str) -> str:
    """Price type that a column's name states."""
    words = set(words_of(name))
    hourly, fixed = bool(words & HOURLY_WORDS), bool(words & FIXED_WORDS)
    return "" if hourly == fixed else "hourly" if hourly else "fixed"


def _stem(name: str) -> tuple[str, ...]:
    """Words of an end's name without the end."""
    return tuple(word for word in words_of(name) if word not in LOW_WORDS | HIGH_WORDS)


def _has_prices(cells: pd.Series) -> bool:
    """Whether some cell states money, in however bad a form."""
    return any(_found(cell) != "none" for cell in [cell for cell in cells if not missing(cell)][:SAMPLE])


def _is_marked(cells: pd.Series) -> bool:
    """Whether most filled cells state one price with a currency mark."""
    sample = [cell for cell in cells if not missing(cell)][:SAMPLE]
    read = [_found(cell) for cell in sample if isinstance(cell, str)]
    return bool(sample) and sum(isinstance(one, Budget) and bool(one.mark) for one in read) > len(sample) / 2


def _found(cell: Cell) -> Budget | str:
    if number_of(cell) is not None:
        return "number"
    return read_budget(str(cell)[:2000], decimal_comma=None)

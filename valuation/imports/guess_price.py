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
    from collections.abc import Mapping

    import pandas as pd

    from valuation.imports.raw import Cell

SAMPLE = 500  # filled cells that a column's content is judged by


@dataclass(frozen=True, slots=True)
class PriceGuess:
    """Where prices stand.

    Attributes
    ----------
    columns : dict
        ``price``, or ``price_low`` and ``price_high``, to the file's names; or these under ``fixed`` and ``hourly``.
    currency, price_type : str
        What the name says: "Budget (EUR)", "hourly_rate"; ``''`` for nothing.
    questions : tuple of (what, lines)
        What is left open; one of the lines belongs into a mapping.
    """

    columns: Mapping[str, tuple[str, ...] | dict[str, tuple[str, ...]]]
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
        known = [str(name) for name in frame.columns if not NOT_PRICES & set(words_of(str(name)))]
        singles = [name for name in known if _is_marked(frame[name])]
        if len(singles) != 1:
            lines = tuple(f'price = "{name}"' for name in singles or ["COLUMN"])
            what = "more than one candidate for the price" if singles else "no column of prices"
            return PriceGuess({}, "", "", ((what, lines),))
    pairs = [(low, high) for low in lows for high in highs if _stem(low) == _stem(high)]
    whole = len(lows) == len(highs) == len(pairs)
    candidates: list[tuple[str, ...]] = [*((name,) for name in singles), *pairs]
    if not whole or not _one_meaning(candidates):
        lines = tuple(_line(names) for names in candidates)
        lines += tuple(f'price = "{name}"' for name in lows + highs if not whole)
        return PriceGuess({}, "", "", (("more than one candidate for the price", lines),))
    currency = {code for names in candidates for name in names if (code := currency_in_name(name))}
    if len(currency) > 1:
        return PriceGuess({}, "", "", (("the prices' names state two currencies", ('price = "COLUMN"',)),))
    stated = next(iter(currency), "")
    if len(candidates) == 1:
        return PriceGuess(_columns(candidates[0]), stated, _type_in(candidates[0][0]), ())
    return PriceGuess({_type_in(names[0]): _columns(names) for names in candidates}, stated, "", ())


def _one_meaning(candidates: list[tuple[str, ...]]) -> bool:
    """Whether there is one candidate, or one for fixed prices and one for hourly ones."""
    return len(candidates) == 1 or sorted(_type_in(names[0]) for names in candidates) == ["fixed", "hourly"]


def _columns(names: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    """One column, or the two ends of a range, as a mapping has them."""
    return {"price": names} if len(names) == 1 else {"price_low": names[:1], "price_high": names[1:]}


def _line(names: tuple[str, ...]) -> str:
    """Line of a mapping that takes these columns."""
    one = f'price = "{names[0]}"' if len(names) == 1 else f'price_low = "{names[0]}" with price_high = "{names[1]}"'
    kind = _type_in(names[0])
    return f"{one} (under [columns.{kind}])" if kind else one


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

r"""Budgets in free text -> low, high, currency and unit, or nothing. Never a guess, never 0.

A text gives a budget only if it holds exactly one expression of money: a number with a currency mark, or nothing but
a number; a range counts as one. Prices of something else than the whole task or an hour (a word, a month, each
milestone), open ranges ("up to $500", "$70k+"), levels ("($$$)"), durations and phone numbers give nothing, with a
reason (`NoBudget`).

>>> parse_budget("Est. budget:\n$9,999.99")
Budget(low=9999.99, high=9999.99, currency='USD', mark='$', unit=None)
>>> parse_budget("500 - 1,000 USD / hour")
Budget(low=500.0, high=1000.0, currency='USD', mark='USD', unit='hour')
>>> parse_budget("Hourly - Expert ($$$) - Est. Time: 1 to 3 months, 10-30 hrs/week") is None
True
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from crawlers import money_patterns as say
from crawlers.money_clean import MAX_LENGTH, clean_text
from crawlers.money_marks import currency_code, may_mean
from crawlers.money_numbers import parse_number, scale_of
from crawlers.money_words import digits_for_words

if TYPE_CHECKING:
    from collections.abc import Iterable

Unit = Literal["fixed", "hour"]
NoBudget = Literal["none", "unclear", "several", "zero", "negative", "infinite", "reversed", "open", "other_unit"]

MOST_AMOUNTS = 40  # a text with more amounts than this is a price list


@dataclass(frozen=True, slots=True)
class Budget:
    """What a text says of money.

    Attributes
    ----------
    low, high : float
        Ends of the range, positive, in `currency`; equal for a single amount.
    currency : str or None
        ISO code; None where the text does not say, or its mark is shared ("kr", "¥").
    mark : str
        The currency as written; ``''`` where there is none.
    unit : {"fixed", "hour"} or None
        None where the text does not say what the money is for.
    """

    low: float
    high: float
    currency: str | None
    mark: str
    unit: Unit | None


def parse_budget(text: str, *, decimal_comma: bool | None = None) -> Budget | None:
    """Return the one budget that `text` states, else None.

    Parameters
    ----------
    text : str
        A budget field, or a line that holds one.
    decimal_comma : bool, optional
        How numbers are written in this source. None: each number must say it itself ("1.200" then gives nothing).

    >>> parse_budget("$1.5K")
    Budget(low=1500.0, high=1500.0, currency='USD', mark='$', unit=None)
    >>> parse_budget("€ 1.200,50").low
    1200.5
    >>> parse_budget("Free") is parse_budget("0") is parse_budget("up to $500") is None
    True
    """
    found = read_budget(text, decimal_comma=decimal_comma)
    return found if isinstance(found, Budget) else None


def read_budget(text: str, *, decimal_comma: bool | None = None) -> Budget | NoBudget:
    """Return the budget, or why there is none.

    >>> read_budget("$500 - $100"), read_budget("$0"), read_budget("negotiable")
    ('reversed', 'zero', 'none')
    """
    clean = clean_text(text)
    if not clean or say.NOTHING.fullmatch(clean):
        return "none"
    if len(clean) > MAX_LENGTH:
        return "unclear"
    if say.INFINITE.fullmatch(clean) or say.SCIENTIFIC.fullmatch(clean):
        return read_number(float(clean.replace(" ", "").replace("∞", "inf")))
    clean = say.NAMED_CURRENCY.sub(r"\1 \2 ", digits_for_words(clean))
    found = [match for match in say.EXPRESSION.finditer(clean) if _marks(match)]
    if not found:
        return _read_bare(clean, decimal_comma)
    if len(found) > MOST_AMOUNTS:
        return "several"
    values = [(match, _evaluate(match, clean, decimal_comma)) for match in found]
    labelled = [value for match, value in values if say.LABEL.search(clean[: match.start()].lower())]
    stated = labelled or [value for _, value in values]
    return same_or_several([value for value in stated if value != "none"])


def read_number(value: float) -> Budget | NoBudget:
    """Return the budget that a plain number is, in whatever currency its column is in.

    >>> read_number(12.5), read_number(-1.0), read_number(float("nan"))
    (Budget(low=12.5, high=12.5, currency=None, mark='', unit=None), 'negative', 'none')
    """
    if math.isnan(value):
        return "none"
    if math.isinf(value):
        return "infinite"
    return Budget(value, value, None, "", None) if value > 0 else "negative" if value < 0 else "zero"


def price_form(text: str, *, width: int = 80) -> str:
    r"""Return the shape of a price text: digits replaced by 9, whitespace collapsed, cut at `width`.

    >>> price_form("Est. budget:\n$1,250.00")
    'Est. budget: $9,999.99'
    """
    shown = "".join(char if char.isprintable() else " " for char in text[: 4 * width])
    return re.sub(r"\d", "9", " ".join(shown.split()))[:width]


def has_mark(text: str) -> bool:
    """Whether some number in a text carries a currency mark.

    >>> has_mark("[$250] Fix it"), has_mark("($$$) 3 weeks")
    (True, False)
    """
    return bool(marked_amounts(text))


def marked_amounts(clean: str) -> list[tuple[int, int]]:
    """Where the amounts and ranges with a currency mark stand in a text.

    >>> marked_amounts("$50 - $100, then 200 EUR")
    [(0, 10), (17, 24)]
    """
    return [match.span() for match in say.EXPRESSION.finditer(clean[:MAX_LENGTH]) if _marks(match)]


def same_or_several(found: Iterable[Budget | NoBudget]) -> Budget | NoBudget:
    """What all of several readings say; "none" without one.

    >>> same_or_several([]), same_or_several(["zero", "zero"]), same_or_several(["zero", "open"])
    ('none', 'zero', 'several')
    """
    distinct = {_comparable(one): one for one in found}
    return "several" if len(distinct) > 1 else next(iter(distinct.values()), "none")


def _marks(match: re.Match[str]) -> set[str]:
    """Currency marks of an expression, as written."""
    return {
        mark for name in ("pre1", "post1", "pre2", "post2") if match[name] for mark in say.MARK.findall(match[name])
    }


def _evaluate(whole: re.Match[str], clean: str, decimal_comma: bool | None) -> Budget | NoBudget:
    """Read one expression in its surroundings."""
    match = _money_of(whole)
    if match is None:
        return "unclear"
    lower = clean.lower() if len(clean.lower()) == len(clean) else clean
    before, after = lower[: match.start()], match.string[match.end() :].lower()
    if say.NOT_THE_PRICE.match(after) or say.NOT_THE_PRICE_BEFORE.search(before):
        return "none"
    if _ambiguous(match, before, after):
        return "unclear"
    if match["join"] == "and" and not say.BETWEEN.search(before):
        return "several"
    hours = say.AFTER_HOURS.match(after)
    open_after = say.OPEN_AFTER.match(after, hours.end() if hours else 0)
    if open_after or (match["num2"] is None and say.OPEN_BEFORE.search(before)):
        return "open"
    unit = _unit(match, lower, before, after)
    if unit == "other_unit":
        return unit
    currency = _currency(_marks(match))
    if currency is None:
        return "several"
    ends = _ends(match, decimal_comma)
    return ends if isinstance(ends, str) else Budget(*ends, *currency, unit)


def _money_of(match: re.Match[str]) -> re.Match[str] | None:
    """Leave out a half of a range that is no money: "$500 - 10 days", "iOS 17 - $250"; None where that is open."""
    if match["num2"] is None:
        return match
    text, after = match.string, match.string[match.end() :].lower()
    lasting = None if match["pre2"] or match["post2"] else say.DURATION.match(after)
    if lasting and not say.PER_HOURS.match(after):
        return say.EXPRESSION.match(text[: match.start("join")], match.start()) if lasting["days"] else None
    if match["pre1"] or match["post1"] or not (match["pre2"] or match["post2"]):
        return match
    before = text[: match.start()].lower()
    apart = text[match.start("join") - 1 : match.end("join") + 1] == " - "
    numbered = say.WORD_BEFORE.search(before) and not say.PRICE_WORD_BEFORE.search(before)
    if match["pre2"]:  # "iOS 17 - $250" is one amount, "500 - $700" may be two
        return say.EXPRESSION.match(text, match.start("pre2")) if apart and numbered else None
    return None if apart and numbered else match  # "iOS 17 - 250 USD"


def _ambiguous(match: re.Match[str], before: str, after: str) -> bool:
    """Whether the amount can be cut out of its text in more than one way."""
    shared = say.SHARED_BEFORE.search(before)
    if shared and (not match["pre1"] or shared["join"] not in "/&,;"):  # "500 or 700 USD", not "2024, $800"
        return True
    number = say.NUMBER_BEFORE.search(before)
    if number and match["pre1"]:  # "500 USD 40 pages", not "2 $40 shirts"
        return not number["spaced"] or match.end("pre1") != match.start("num1")
    if any(say.ODD_COMMA.search(match[name] or "") for name in ("num1", "num2")):
        return True
    if " " in match["num1"] and not match["num2"]:  # "$20 500 words", "page 10 500 USD"
        numbered = not match["pre1"] and say.NUMBERED_BEFORE.search(before)
        return bool(numbered or (not match["post1"] and say.PIECES.match(after)))
    return bool(say.MORE_AFTER.match(after))


def _currency(marks: set[str]) -> tuple[str | None, str] | None:
    """Currency and its most telling mark: "$40 CAD" is CAD; None where marks contradict each other."""
    if len(marks) < 2:
        mark = next(iter(marks), "")
        return (currency_code(mark) if mark else None), mark
    agreed = [(code, mark) for mark in sorted(marks, key=len, reverse=True) if (code := currency_code(mark))]
    return next((pair for pair in agreed if all(may_mean(mark, pair[0]) for mark in marks)), None)


def _ends(match: re.Match[str], decimal_comma: bool | None) -> tuple[float, float] | NoBudget:
    """Both ends of the range, or what is wrong with them."""
    if any(match[name] for name in ("sign1", "neg1", "sign2", "neg2")):
        return "negative"
    low = parse_number(match["num1"], decimal_comma=decimal_comma)
    high = low if match["num2"] is None else parse_number(match["num2"], decimal_comma=decimal_comma)
    if low is None or high is None:
        return "unclear"
    scale1, scale2 = scale_of(match["scale1"]), scale_of(match["scale2"] if match["num2"] else match["scale1"])
    shared = scale1 is None and scale2 is not None and low < high  # "5-10k" means 5k to 10k, "500-1k" does not
    low, high = low * ((scale2 if shared else scale1) or 1.0), high * (scale2 or 1.0)
    if low == 0 or high == 0:
        return "zero"
    if not (math.isfinite(low) and math.isfinite(high)):
        return "infinite"
    return "reversed" if low > high else (low, high)


def _unit(match: re.Match[str], lower: str, before: str, after: str) -> Unit | Literal["other_unit"] | None:
    """What the money is for, from the words around it."""
    by_hour = bool(match["gap"] or say.AFTER_HOURS.match(after))
    hourly = by_hour or bool(say.HOURLY.search(lower) or say.HOURLY_AFTER.match(after))
    other = None if say.AFTER_HOURS.match(after) else say.OTHER_UNIT.match(after)
    whole = bool(other and say.WHOLE.fullmatch(other["w"]))
    each = say.EACH_BEFORE.search(before) and not by_hour  # "2 hours at $20", but "40 hours at $20/hr"
    part = each or say.PERIODIC.search(lower) or say.PART_BEFORE.search(before)
    if (other and not whole) or part:
        return "other_unit"
    fixed = whole or bool(say.FIXED.search(lower) or say.FIXED_AFTER.match(after))
    if hourly and fixed:
        return "other_unit"
    return "hour" if hourly else "fixed" if fixed else None


def _read_bare(clean: str, decimal_comma: bool | None) -> Budget | NoBudget:
    """Read a text without a currency mark: nothing but a number, or a range, and words of budgets."""
    found = list(say.EXPRESSION.finditer(clean))
    if not found:
        return "none"
    match = found[0]
    lower = clean.lower() if len(clean.lower()) == len(clean) else clean
    outside = lower[: match.start()], lower[match.end() :]
    if len(found) > 1 or not all(say.BARE_AROUND.fullmatch(part) for part in outside):
        return "unclear" if re.fullmatch(r"[\d\W_]+", clean) else "none"
    if say.BARE_HOURS.match(outside[1]):
        return "none"
    return _evaluate(match, clean, decimal_comma)


def _comparable(value: Budget | NoBudget) -> object:
    """Budgets that say the same are one."""
    return (value.low, value.high, value.currency, value.unit) if isinstance(value, Budget) else value


def unit_of(text: str) -> Unit | None:
    """What a text says a price is for, whether or not it states one.

    >>> unit_of("Hourly"), unit_of("Fixed-price - Expert"), unit_of("fixed_price"), unit_of("Hourly/Fixed")
    ('hour', 'fixed', 'fixed', None)
    """
    lower = clean_text(text).lower().replace("_", " ")
    hourly, fixed = bool(say.TYPE_HOURLY.search(lower)), bool(say.TYPE_FIXED.search(lower))
    return None if hourly == fixed else "hour" if hourly else "fixed"

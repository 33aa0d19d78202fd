"""Amounts of work that a text states: pages, words, hours, pieces. Texts in, numbers out.

Nothing here has seen a price, and sums of money are removed first: a budget named in a posting is its price, and a
session never names one. How long a text is, is not measured: that is its writer's register, not its work.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

_CURRENCY = r"(?:usd|usdc|usdt|dai|xdai|eth|btc|eur|euros?|gbp|pounds?|dollars?|bucks|inr|rs|aud|cad|us\$)"
_SUM = r"\d[\d,.]{0,15}\s?[km]?\b"  # bounded: an unbounded run of digits would be tried from each of its places
_MONEY = re.compile(
    rf"[$€£₹¥]\s?{_SUM}(?:\s?(?:-|–|to)\s?[$€£₹¥]?\s?{_SUM})?"
    rf"|\b\d[\d,.]{{0,15}}\s?k?(?:\s?(?:-|–|to)\s?\d[\d,.]{{0,15}}\s?k?)?\s?(?:[$€£₹¥]|{_CURRENCY}\b)"
    rf"|\b{_CURRENCY}\.?\s?\d[\d,.]{{0,15}}",
    re.IGNORECASE,
)
_ADDRESS = re.compile(r"(?:https?://|www\.)\S+", re.IGNORECASE)
_NUMBER = r"(?<![\w.])(\d{1,3}(?:,\d{3}){1,3}|\d{1,9}(?:\.\d{1,9})?)\s?(k)?\s?\+?"
_GAP = r"[\s-]{0,2}(?:[a-z]+\s){0,1}"  # "12 blog articles", "3-page"

_UNITS: tuple[tuple[str, str], ...] = (
    ("pages", r"pages?|pgs?|screens?|slides?|sections?|chapters?|tabs?"),
    ("words", r"words?"),
    ("minutes", r"min(?:ute)?s?|seconds?|secs?"),
    ("hours", r"hours?|hrs?"),
    ("days", r"days?"),
    ("weeks", r"weeks?|wks?|months?"),
    ("pieces", r"articles?|posts?|blogs?|videos?|images?|photos?|pictures?|logos?|icons?|designs?|illustrations?"
               r"|banners?|products?|items?|listings?|reviews?|songs?|tracks?|scripts?|emails?|flyers?|characters?"),
    ("records", r"rows?|records?|leads?|contacts?|companies|entries|files?|documents?|urls?|links?|profiles?|names?"),
    ("people", r"people|persons?|developers?|designers?|writers?|users?|testers?|participants?|freelancers?"),
    ("platforms", r"platforms?|sites?|websites?|apps?|languages?|modules?|features?|tables?|endpoints?|apis?|levels?"),
)  # fmt: skip
"""Units of work and the words for them; a number counts for the unit that follows it, one word between them at most."""

NAMES: tuple[str, ...] = tuple(f"{unit}_{what}" for unit, _ in _UNITS for what in ("stated", "log_amount"))
"""What each column of `scope` measures, in order."""

_AMOUNTS = re.compile(
    _NUMBER + _GAP + r"(?:" + "|".join(f"(?P<{name}>{words})" for name, words in _UNITS) + r")\b", re.IGNORECASE
)
_DIGIT = re.compile(r"\d")
_LARGEST = 1e6  # a longer run of digits is an identifier, no amount of work


def without_money(text: str) -> str:
    """Take sums of money and web addresses out of a text.

    >>> without_money("Fix 3 pages, $50-100 or 40 EUR")
    'Fix 3 pages,   or  '
    """
    return _MONEY.sub(" ", _ADDRESS.sub(" ", text))


def scope(texts: Sequence[str]) -> NDArray[np.float64]:
    """Measure how much work each text states.

    Returns
    -------
    ndarray, shape (n_texts, len(NAMES))
        For each unit whether an amount of it is stated (0 or 1), and the natural log of one plus the largest one (0
        where none is). A text in company gets the same figures as alone.
    """
    measured = np.zeros((len(texts), len(NAMES)))
    for line, text in zip(measured, texts, strict=True):
        if not _DIGIT.search(text):
            continue
        for found in _AMOUNTS.finditer(without_money(text)):
            amount = float(found[1].replace(",", "")) * (1000.0 if found[2] else 1.0)
            at = NAMES.index(f"{found.lastgroup}_stated")
            if amount <= _LARGEST:
                line[at], line[at + 1] = 1.0, max(line[at + 1], np.log1p(amount))
    return measured

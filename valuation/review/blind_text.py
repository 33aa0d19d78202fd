"""Texts as an analyst may see them blind: without money, links and dates, and without what cannot be seen.

What comes out is plain text, never markup: a template escapes it.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from crawlers.dates import MONTH_NUMBERS
from valuation.review.blind_money import money_spans
from valuation.review.blind_spelling import original, spell, visible_text, windows

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["AMOUNT", "DATE", "LINK", "mask_blind", "mask_money", "visible_text"]

LONGEST_KEPT = 5_000  # characters of a text whose masked form is remembered
AMOUNT, LINK, DATE = "[amount]", "[link]", "[date]"

_ENDINGS = (
    "com|org|net|io|co|me|info|biz|dev|app|ai|xyz|gg|ly|to|tv|fm|us|uk|de|fr|es|it|nl|pl|ru|ua|in|pk|bd|cn|jp|kr|br|mx"
    "|au|nz|ca|ch|at|be|se|no|dk|fi|eu|ae|sa|il|tr|za|ng|ke|id|my|sg|ph|vn|th|hk|tw|edu|gov|online|site|store|shop|tech"
    "|website|cloud|agency|link|page|blog|pro|club|space|studio|design|digital|media|works|world|network|finance|eth|gl"
)
_LINK = re.compile(
    r"(?:https?|ftp|hxxps?|ipfs|tg|mailto)\s?:\s?/?/?\s?[^\s<>\"]++"
    r"|(?<![^\W_])www\s?\.[^\s<>\"]++"
    r"|(?<![\w.+-])[\w.+-]{1,64}\s?(?:@|[\[({]\s?at\s?[\])}])\s?[\w-]{1,63}(?:\s?(?:\.|[\[({]\s?dot\s?[\])}])\s?[\w-]{1,63}){1,5}"
    rf"|(?<![\w.@-])(?:[\w-]{{1,63}}\.){{1,5}}(?:{_ENDINGS})(?![\w-])(?::\d{{1,5}})?(?:[/?#][^\s<>\"]*+)?"
    r"|(?<![\w.@/-])(?:[\w-]{1,63}\.){1,5}[a-z]{2,10}/[^\s<>\"]*+"
    r"|(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?::\d{1,5})?(?:/[^\s<>\"]*+)?(?![\w.])",
    re.IGNORECASE,
)
_IN_LINKS = re.compile(r"@|\.\w|:\s?/|(?:ipfs|tg|mailto)\s?:|[\[({]\s?at\s?[\])}]", re.IGNORECASE)
_IN_DATES = re.compile(r"\d")
_NAMES = sorted({spell(name).text for name in MONTH_NUMBERS}, key=lambda name: (-len(name), name))
_SLAVIC = (
    "январ[ья] феврал[ья] марта? апрел[ья] ма[йя] июн[ья] июл[ья] августа? сентябр[ья] октябр[ья] ноябр[ья] декабр[ья]"
)
_MONTH = rf"(?:{'|'.join([*_NAMES, *(spell(name).text for name in _SLAVIC.split())])})"
_ENGLISH = (
    r"(?:january|february|march|april|june|july|august|september|october|november|december|jan|feb|apr|jun|jul|aug|sept?"
    r"|oct|nov|dec|(?-i:May|MAY|Mar|MAR))"
)  # names that are words besides count with a day only when written as names
_DAY = r"(?:0?[1-9]|[12]\d|3[01])(?:st|nd|rd|th|\.)?(?!\d)"
_YEAR = r"(?:(?:19|20)\d\d|'\d\d)(?!\d)"
_B, _E = r"(?<![^\W_])", r"(?![^\W_])"
_GAP = r"[\s.,/-]{0,3}(?:de\s|of\s)?"
_TIME = (
    r"(?:[T\s,]{1,2}(?:at\s)?\d{1,2}:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:\s?[ap]\.?m\b\.?)?"
    rf"(?:Z|\s?(?:UTC|GMT)|[+-]\d\d:?\d\d)?{_E})?"
)
_DATES = re.compile(
    rf"{_B}(?:(?:19|20)\d\d[-/.](?:0?[1-9]|1[0-2])[-/.](?:0?[1-9]|[12]\d|3[01])(?!\d){_TIME}"
    rf"|(?:0?[1-9]|[12]\d|3[01])([-/.])(?:0?[1-9]|[12]\d|3[01])\1(?:(?:19|20)\d\d|\d\d)(?![\d.]){_TIME}"
    rf"|(?:19|20)\d\d-(?:0[1-9]|1[0-2])(?![\d-])|(?:0[1-9]|1[0-2])/(?:19|20)\d\d(?!\d)"
    rf"|{_DAY}(?:\s?-\s?{_DAY})?{_GAP}{_MONTH}{_E}(?:{_GAP}{_YEAR}){_TIME}"
    rf"|{_MONTH}{_E}{_GAP}{_DAY}(?:\s?-\s?{_DAY})?[\s,]{{1,3}}{_YEAR}{_TIME}"
    rf"|{_MONTH}{_E}{_GAP}{_YEAR}|{_YEAR}{_GAP}{_MONTH}{_E}"
    rf"|{_DAY}{_GAP}{_ENGLISH}{_E}|{_ENGLISH}{_E}\.?\s?{_DAY}{_E}"
    rf"|(?:q[1-4]|h[12]|[1-4]q|kw\s?\d{{1,2}}|week\s\d{{1,2}})[\s,/'-]{{0,3}}(?:of\s)?{_YEAR}|{_YEAR}[\s,/-]{{0,3}}(?:q[1-4]|h[12]){_E}"
    rf"|(?:spring|summer|autumn|fall|winter|early|mid|late|christmas|easter)[\s,-]{{1,2}}(?:of\s)?(?:19|20)\d\d{_E}"
    r"|(?:19|20)\d\d\s?年(?:\s?\d{1,2}\s?月)?(?:\s?\d{1,2}\s?日)?|\d{1,2}\s?月\s?\d{1,2}\s?日)",
    re.IGNORECASE,
)


def mask_money(text: str, known: Iterable[float] = ()) -> str:
    r"""Put ``[amount]`` in the place of every sum of money.

    Parameters
    ----------
    text : str
        Anything at all.
    known : iterable of float
        The posting's own figures, in its own currency: masked wherever they stand, unless they count things.

    >>> mask_money("Budget: 300-500 fixed, for 12 pages"), mask_money("5\u200b00 USD, later $20/hr")
    ('Budget: [amount] fixed, for 12 pages', '[amount], later [amount]/hr')
    >>> mask_money("Python 3.11, 40 screens, since 2019"), mask_money("five hundred dollars")
    ('Python 3.11, 40 screens, since 2019', '[amount]')
    """
    spelt = spell(text)
    figures = [one for one in known if one is not None]
    spans = [(*original(spelt, *span), AMOUNT) for span in money_spans(spelt.text, figures)]
    return _replaced(text, spans)


def mask_blind(text: str, known: Iterable[float] = ()) -> str:
    """Put ``[link]``, ``[date]`` and ``[amount]`` in the place of addresses, calendar dates and sums of money.

    >>> mask_blind("Due 12 March 2025, see www.example.com/x or a@b.org: $40")
    'Due [date], see [link] or [link]: [amount]'
    >>> mask_blind("From Q3 2024 to Jan 2025, node.js 18")
    'From [date] to [date], node.js 18'
    """
    figures = tuple(one for one in known if one is not None)
    return _blind(text, figures) if len(text) <= LONGEST_KEPT else _blind.__wrapped__(text, figures)


@lru_cache(maxsize=4_096)
def _blind(text: str, known: tuple[float, ...]) -> str:
    """The same, once for a text that is shown again and again."""
    return mask_money(_masked(_masked(text, _LINK, _IN_LINKS, LINK), _DATES, _IN_DATES, DATE), known)


def _masked(text: str, pattern: re.Pattern[str], trigger: re.Pattern[str], instead: str) -> str:
    """Replace what a pattern finds in the spelt text, near what no match is without."""
    spelt = spell(text)
    near = windows(spelt.text, trigger, before=90, after=60)
    found = (one.span() for part in near for one in pattern.finditer(spelt.text, *part))
    return _replaced(text, [(*original(spelt, *span), instead) for span in found])


def _replaced(text: str, spans: list[tuple[int, int, str]]) -> str:
    """A text with stretches replaced; they are ascending and do not overlap."""
    out, at = [], 0
    for start, end, instead in spans:
        out += [text[at : max(start, at)], instead]
        at = max(end, at)
    return "".join([*out, text[at:]])

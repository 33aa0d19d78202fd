"""Patterns of money in text: an amount with its mark, a range, and the words around it that change what it says."""

from __future__ import annotations

import re

from crawlers.money_marks import CODES, MARKS, WORDS

_SIGNS = "|".join(sorted((re.escape(mark) for mark in MARKS), key=len, reverse=True))
_NAMES = "|".join(sorted((re.escape(name) for name in {*CODES, *WORDS}), key=len, reverse=True))
_MARK = rf"(?:{_SIGNS}|(?<![^\W\d_])(?i:{_NAMES})(?![^\W\d_]))"
_NUMBER = r"(?:\d{1,3}(?:\ \d{3})+(?:[.,]\d{1,2})?(?!\d)|\d+(?:[.,'_]\d+)*)"
_SCALE = r"(?:\s?(?i:k|mn|mio|m|million|thousand|lakhs?|crores?)(?![^\W\d_]))?"
_HOURS = r"(?:/\s?|per\s|an?\s|p\.?\s?/?|pro\s|par\s|por\s)\s*(?:hours?|hrs?|h|std|stunde|heure|hora)(?![a-z])"


def _money(n: int) -> str:
    """Pattern of one amount; `n` numbers its groups."""
    return (
        rf"(?P<sign{n}>(?<![\w.,-])-)?(?P<pre{n}>{_MARK})?\s*(?P<neg{n}>-)?"
        rf"(?P<num{n}>(?<![\d.,'_])(?<!\d\ ){_NUMBER})(?P<scale{n}>{_SCALE})(?:\s*(?P<post{n}>{_MARK})(?!\s*\d))?"
    )


EXPRESSION = re.compile(
    rf"{_money(1)}(?P<gap>\s*(?i:{_HOURS}))?(?:\s*(?:-|~|(?i:to|and|bis|until|à))\s*(?!-){_money(2)})?"
)
OPEN_BEFORE = re.compile(
    r"(?:up to|under|below|max(?:imum)?\.?|less than|at most|from|starting (?:at|from)|min(?:imum)?\.?|at least"
    r"|over|more than|above|upwards of|[<>≤≥])[\s:]*$"
)
OPEN_AFTER = re.compile(r"\s*(?:\+|or (?:more|less|above|below)|and (?:up|above|below|more)|max\b|min\b|plus\b)")
LABEL = re.compile(
    r"(?:budget|price|rate|fee|amount|hourly|fixed(?:[ -]price)?|reward|bounty|pays?|payment)[^\w$]{0,6}$"
)
NOT_THE_PRICE = re.compile(r"\s*(?:spent|earned|raised|revenue|in sales|turnover|\S{0,3}%)")
PERIODIC = re.compile(r"\b(?:monthly|weekly|daily|yearly|annual(?:ly)?|salary|p\.?\s?a\.?|commission|revenue share)\b")
OTHER_UNIT = re.compile(
    r"\s*(?:/\s?|per\s|each\b|apiece\b|a\s(?=day|week|month|year|word|page|piece)|every\s)(?P<w>\w*)"
)
EACH_BEFORE = re.compile(r"(?:\d\s+\w+\s+(?:of|at|@|x)|\beach|\bper\s\w+|\d\s*[x×@])[\s:]*$")
AFTER_HOURS = re.compile(rf"\s*{_HOURS}")
WHOLE = re.compile(r"\s*(?:project|job|gig|task|contract|total|fixed|assignment)?\b")
HOURLY = re.compile(
    rf"\bhourly\b|\bstundensatz\b|^(?:pro stunde|par heure|por hora)$|(?<=[\d\s]){_HOURS}|\bper\s+hour\b"
    r"|/\s?h(?:ou)?rs?\b(?!\s*/)"
)
FIXED = re.compile(r"\bfixed\b|\bflat\b|\bfestpreis\b|\bpauschal\b|\bforfait\b")
HOUR_WORD = re.compile(r"(?:per )?(?:hour|hr)s?|per hour|time and materials?")
BARE_AROUND = re.compile(
    r"(?:[\s:;,.()~≈/-]|\b(?:est|estimated|budget|price|fixed|hourly|rate|fee|amount|total|approx|approximately|about|circa|ca"
    r"|around|flat|between|project|per|an?|p|hours?|hrs?|h|only|cost|is|the)\b)*"
)
DURATION = re.compile(r"\s*\+?\s*(?:(?P<hours>hours?|hrs?)|minutes?|days?|weeks?|months?|years?|people|persons?|%)\b")
PER_HOURS = re.compile(r"\s*(?:/|per\b|an?\b)")
SCIENTIFIC = re.compile(r"[+-]?\d+(?:\.\d+)?[eE][+-]?\d+")
NOTHING = re.compile(r"[\s\W_]*|n\s?/?\s?a|nan|null|none|nil|unknown|not (?:stated|specified|given)", re.IGNORECASE)

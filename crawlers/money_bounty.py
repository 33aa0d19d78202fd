"""Bounties of issues: the amount that a title or a label names, or nothing.

An issue's title is about software, and software is full of amounts ("Total shows $10 instead of $12"). So an amount
counts only in square brackets (``[$250]``), beside a word or sign of bounties ("$250 bounty"), or at an end of the
title, set off by a dash, a bar or round brackets ("Fix the login - $250").
"""

from __future__ import annotations

import re

from crawlers.money import Budget, NoBudget, has_mark, marked_amounts, read_budget, same_or_several
from crawlers.money_clean import clean_text

LONGEST = 400  # characters; GitHub allows 256 in a title and 50 in a label

_SIGN = "[💰💎💵💶💷💴💸🪙🤑]"
_WORD = rf"(?:\bbount(?:y|ies)\b|\breward\b|\bprize\b|{_SIGN})"
_SQUARE = re.compile(r"[\[【]([^\[\]【】]{1,80})[\]】]")
_BOUNTY_BEFORE = re.compile(
    rf"(?:\bbount(?:y|ies)\b|{_SIGN}|\b(?:reward|prize)\s?:)[^\w$]{{0,4}}(?:of|up to|max\.?|from|at least)?\s?\Z",
    re.IGNORECASE,
)
_BOUNTY_AFTER = re.compile(rf"[\s-]{{0,2}}(?:bounty\b|{_SIGN})", re.IGNORECASE)
_START = re.compile(r"\s?\(?")
_AFTER_START = re.compile(r"(?:\)\s?:?|\s?\||\s-|:)\s")
_BEFORE_END = re.compile(r"\s(?:\(|\|\s?|-\s)\Z")
_END = re.compile(r"\s?\)?\s?")
_BARE_LABEL = re.compile(
    rf"(?:{_WORD}[\s:/=-]*)+(?P<a>\d[\d.,']*k?)(?:\s*{_WORD})?|(?P<b>\d[\d.,']*k?)[\s-]*{_WORD}", re.IGNORECASE
)
_LABEL_DASH = re.compile(rf"({_WORD})\s?[-/:=]+\s?(?=\S)", re.IGNORECASE)
_YEAR = re.compile(r"(?:19|20)\d\d")


def bounty_in_title(title: str) -> Budget | NoBudget:
    """Bounty that the title of an issue names, or why there is none.

    Parameters
    ----------
    title : str
        As on the site.

    Returns
    -------
    Budget or str
        "several" where two different amounts claim to be the bounty.

    >>> bounty_in_title("[HOLD for payment 2024-05-20] [$250] Total shows $10 instead of $12").low
    250.0
    >>> bounty_in_title("Fix the login ($1,500)").low, bounty_in_title("💰 $1k bounty: fix the login").low
    (1500.0, 1000.0)
    >>> bounty_in_title("[$250] [$500] Fix it"), bounty_in_title("Total shows $10"), bounty_in_title("[#250] Fix it")
    ('several', 'none', 'none')
    """
    clean = clean_text(title[:LONGEST])
    bracketed = [read_budget(inner) for inner in _SQUARE.findall(clean) if has_mark(inner)]
    return same_or_several(bracketed or _said(clean) or _at_an_end(clean))


def label_amount(label: str) -> Budget | NoBudget:
    """Amount that a label of an issue names, or why there is none.

    A number without a currency counts beside a word or sign of bounties only, and has no currency then: a bag of money
    is none. A number that may be a year does not count.

    Parameters
    ----------
    label : str
        Name of the label.

    >>> label_amount("bounty-$500").low, label_amount("$1k").low, label_amount("💵 $1,500").currency
    (500.0, 1000.0, 'USD')
    >>> label_amount("💰 250")
    Budget(low=250.0, high=250.0, currency=None, mark='', unit=None)
    >>> label_amount("💎 Bounty"), label_amount("good first issue 2"), label_amount("bounty-2024")
    ('none', 'none', 'unclear')
    """
    clean = _LABEL_DASH.sub(r"\1: ", clean_text(label[:LONGEST]).replace("_", " "))
    if has_mark(clean):
        return read_budget(clean)
    bare = _BARE_LABEL.fullmatch(clean)
    if not bare:
        return "none"
    number = (bare["a"] or bare["b"]).rstrip(".,'")
    return "unclear" if _YEAR.fullmatch(number) else read_budget(number)


def _said(clean: str) -> list[Budget | NoBudget]:
    """Amounts beside a word or sign of bounties."""
    found = []
    spans = marked_amounts(clean)
    for n, (start, end) in enumerate(spans):
        opens, closes = spans[n - 1][1] if n else 0, spans[n + 1][0] if n + 1 < len(spans) else len(clean)
        if _BOUNTY_BEFORE.search(clean[:start]):
            found.append(read_budget(clean[max(opens, start - 12) : min(closes, end + 16)]))
        elif _BOUNTY_AFTER.match(clean[end:]):
            found.append(read_budget(clean[max(opens, start - 12) : end]))
    return found


def _at_an_end(clean: str) -> list[Budget | NoBudget]:
    """Amounts alone at the start or the end of the title."""
    return [
        read_budget(clean[start:end])
        for start, end in marked_amounts(clean)
        if (_START.fullmatch(clean[:start]) and _AFTER_START.match(clean[end:]))
        or (_BEFORE_END.search(clean[:start]) and _END.fullmatch(clean[end:]))
    ]

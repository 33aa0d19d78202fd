"""One comment of a freelancer thread -> a posting, if it seeks a freelancer."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from crawlers.fields import identifier, text, whole
from crawlers.money import Budget, marked_amounts, read_budget, same_or_several, unit_of
from crawlers.money_clean import clean_text
from crawlers.posting import Dropped, Posting, Price, PriceType
from crawlers.text import plain_text, read_time

if TYPE_CHECKING:
    from crawlers.fields import Record
    from crawlers.money import NoBudget, Unit
    from crawlers.posting import PriceKind

LONGEST_READ = 50_000  # characters in which a price is looked for
LONGEST_TITLE = 200  # characters; some first lines are the whole text
_SEEKING = re.compile(
    r"[\W_]{0,20}seeking[\W_]{1,5}(?:an?\s|the\s)?freelanc(?:ers?|e)\b"
    r"(?![\W_]{1,3}(?:works?|jobs?|projects?|gigs?|roles?|positions?|opportunit\w+|clients?)\b)",
    re.IGNORECASE,
)
_GONE = re.compile(r"\[(?:deleted|flagged|dead|removed)\]", re.IGNORECASE)
_PLACE = re.compile(r"\b(?:remote|on-?site|hybrid|anywhere|worldwide)\b", re.IGNORECASE)
_SENTENCE = re.compile(r"\s?\|\s?|(?<=[.!?;])\s+")
# An amount is a price only where the sentence speaks of pay, or is nothing else but the amount ("| $80/hr |").
_PAY = re.compile(
    r"\b(?:budget\w*|rates?|pay\w*|paid|pric\w+|fixed|flat|compensat\w+|offering|reward|bounty|fees?|hourly|spend(?:ing)?"
    r"|total|hours?|hrs?|h|day|week|month|monthly|weekly|daily|salary)\b|(?:per|/|for\s(?:the|this|a))\s?project\b",
    re.IGNORECASE,
)
_NOT_PAY = re.compile(
    r"\b(?:rais(?:e|ed|ing)|fund(?:s|ed|ing)?|revenues?|arr|mrr|gmv|valu(?:ed|ation)|series\s[a-e]|seed|backed|invest\w*"
    r"|sales|market|turnover|sav(?:e|ed|es|ing|ings)|users?|customers?|credits?|donat\w+|budgets\sof|deals?|profits?"
    r"|earn\w*|clients?\s(?:with|have|pay)|assets?|equity)\b",
    re.IGNORECASE,
)
_NO_WORDS = re.compile(r"(?:[\W\d_]|\b(?:about|around|approx|up to|from|starting at)\b)*", re.IGNORECASE)
_HOURS = re.compile(r"\bhours?\b|\bhourly\b|\bhrs?\b", re.IGNORECASE)
_SUM = re.compile(r"\b(?:budget|total|bounty|reward)\b", re.IGNORECASE)
_TYPES: dict[Unit, PriceType] = {"fixed": "fixed", "hour": "hourly"}


def parse_comment(record: Record, *, story: int, kind: PriceKind, zone: str) -> Posting | Dropped:
    """Map one hit; `story` is the thread's id.

    Raises
    ------
    RecordFault
        It has no id.
    """
    record_id = identifier(record, "objectID")
    url = f"https://news.ycombinator.com/item?id={record_id}" if record_id.isascii() and record_id.isdigit() else None
    parent = whole(record, "parent_id")
    content = plain_text(text(record, "comment_text"))
    if content is None and not isinstance(record.get("comment_text"), (str, type(None))):
        return Dropped(record_id, url, "unreadable_record", "a comment whose text is none")
    if content is None or _GONE.fullmatch(content) or record.get("deleted") is True or record.get("dead") is True:
        return Dropped(record_id, url, "gone", "a comment without text")
    if parent is None:
        return Dropped(record_id, url, "unreadable_record", "a comment that does not say what it answers")
    if parent != story:
        return Dropped(record_id, url, "not_a_posting", "a reply")
    if not seeks_freelancer(content):
        return Dropped(record_id, url, "not_a_posting", "a comment that does not seek a freelancer")
    moment = record.get("created_at_i")
    published = read_time(moment, zone=zone) or read_time(record.get("created_at"), zone=zone)
    return Posting(
        record_id, url, first_line(content), content, published, price_in(content, kind=kind),
        date_published_raw=text(record, "created_at") or (str(moment) if whole(record, "created_at_i") else None),
        job_location=location_of(content),
        hiring_organization=text(record, "author"),
    )  # fmt: skip


def seeks_freelancer(content: str) -> bool:
    """Whether a comment begins as those of people who hire.

    >>> [seeks_freelancer(t) for t in ("SEEKING FREELANCER | EU", "* Seeking freelancers", "[SEEKING A FREELANCER]")]
    [True, True, True]
    >>> [seeks_freelancer(t) for t in ("SEEKING WORK - Freelancer", "Seeking freelance work", "Hi, seeking freelancer")]
    [False, False, False]
    """
    return bool(_SEEKING.match(content))


def first_line(content: str) -> str:
    r"""First line of a text without its "SEEKING FREELANCER", cut at a word where it is long.

    >>> first_line("SEEKING FREELANCER | Acme | Remote\n\nWe need ...")
    'Acme | Remote'
    >>> first_line("Seeking freelancer\n\nWe need a parser.")
    'We need a parser.'
    """
    rest = _SEEKING.sub("", content, count=1).lstrip("|:;,.-–—*_)] \n\t\u200b") or content
    line = rest.split("\n", 1)[0].strip()
    if len(line) <= LONGEST_TITLE:
        return line
    return line[: LONGEST_TITLE + 1].rpartition(" ")[0] or line[:LONGEST_TITLE]


def location_of(content: str) -> str | None:
    """Field of the first line that says where, if it says it plainly.

    >>> location_of("SEEKING FREELANCER | Acme | Remote (US only) | $80/hr")
    'Remote (US only)'
    >>> location_of("SEEKING FREELANCER | Acme") is None
    True
    """
    fields = content.split("\n", 1)[0].split("|")[1:]
    return next((field.strip() for field in fields if len(field) <= 80 and _PLACE.search(field)), None)


def price_in(content: str, *, kind: PriceKind) -> Price:
    r"""Read the one price that a text states: different ones are "several", none is guessed.

    >>> price_in("SEEKING FREELANCER | Remote | $60-80/hr\nWe raised $5M.", kind="posted").high
    80.0
    >>> price_in("SEEKING FREELANCER\nBudget: $3k", kind="posted").type
    'fixed'
    >>> price_in("SEEKING FREELANCER\nBudget: $3k. Or $60 an hour.", kind="posted").fault
    'several'
    >>> price_in("SEEKING FREELANCER\nWe raised $5M from investors.", kind="posted").fault
    'none'
    """
    stated: dict[str, tuple[Budget | NoBudget, Unit | None]] = {}
    for line in content[:LONGEST_READ].splitlines():
        unit = unit_of(line) if len(marked_amounts(line)) == 1 else None  # of several, whose is the hour?
        for piece in map(clean_text, _SENTENCE.split(line)):
            if speaks_of_pay(piece):
                stated[piece] = (read_budget(piece), unit)
    found = same_or_several(budget for budget, _ in stated.values())
    raw = " | ".join(stated)[:500] or None
    if not isinstance(found, Budget):
        return Price(raw, None, kind, fault=found)
    unit = found.unit or next(unit for budget, unit in stated.values())
    if unit is None and _SUM.search(next(iter(stated))) and not _HOURS.search(content):
        unit = "fixed"  # "Budget: $3k": a sum set aside for the work, not a rate
    return Price(
        next(iter(stated)), _TYPES[unit] if unit else None, kind, found.low, found.high, found.currency, found.mark
    )


def speaks_of_pay(piece: str) -> bool:
    """Whether a sentence holds an amount of money as what is paid for the work.

    >>> [speaks_of_pay(t) for t in ("$80/hr", "~$5k", "Our budget is $3,000", "We can pay EUR 500")]
    [True, True, True, True]
    >>> [speaks_of_pay(t) for t in ("We raised $5M", "our $20 plan", "a fund pays $1M", "Budget to be agreed")]
    [False, False, False, False]
    """
    spans = marked_amounts(piece)
    if not spans or _NOT_PAY.search(piece):
        return False
    around, position = "", 0
    for start, end in spans:
        around, position = around + piece[position:start], end
    return bool(_PAY.search(piece) or _NO_WORDS.fullmatch(around + piece[position:]))

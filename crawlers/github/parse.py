"""One issue of GitHub's search -> a posting, if it carries a bounty."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

from crawlers.fields import identifier, names, text, web_url
from crawlers.github.body import body_text, bounty_in_body, has_job_block
from crawlers.money import Budget, has_mark, same_or_several
from crawlers.money_bounty import bounty_in_title, label_amount
from crawlers.posting import Dropped, Posting, Price
from crawlers.text import read_time

if TYPE_CHECKING:
    from crawlers.fields import Record
    from crawlers.money import NoBudget
    from crawlers.posting import PriceKind

LONGEST_TITLE = 1000  # characters; GitHub allows 256
_BRACKETS = re.compile(r"\[([^\[\]]{1,80})\]|【([^【】]{1,80})】")
_STATUS = re.compile(r"(?:on )?hold\b.*|(?:due for|awaiting|waiting for) payment\b.*|paid\b.*", re.IGNORECASE)
_BOUNTY_LABEL = re.compile(r"\bbount(?:y|ies)\b|\breward\b|[💎💰💵💸]", re.IGNORECASE)
_OWNER = re.compile(r"https?://[^/]+/(?:(?:api/v3/)?repos/)?([^/?#\s]{1,100})/[^/?#\s]+(?:/issues/\d+)?/?")
_WORKFLOW = frozenset(
    """
    hourly|daily|weekly|monthly|overdue|exported|reviewing|external|internal|engineering|planning|not a priority|
    help wanted|good first issue|first timers only|hacktoberfest|up for grabs|bug|enhancement|improvement|feature|
    feature request|new feature|question|duplicate|invalid|wontfix|won't fix|stale|blocked|blocker|deployblocker|
    deployblockercash|critical|urgent|awaiting payment|needs reproduction|needs triage|triage|in progress|in review|
    rewarded|retest weekly|hot pick|auto-assigner|task|epic|discussion|confirmed|accepted|ready
    """.replace("\n", "").replace("    ", "").split("|")
)  # fmt: skip
_WORKFLOW_SPACE = re.compile(
    r"(?:status|state|priority|prio|type|kind|severity|triage|effort|size|resolution|difficulty)\s?[:/=-].*|p[0-5]",
    re.IGNORECASE,
)


def parse_issue(record: Record, *, kind: PriceKind, zone: str) -> Posting | Dropped:
    """Map one item of ``items``.

    Raises
    ------
    RecordFault
        It has no id.
    """
    record_id = identifier(record, "id")
    url = web_url(record.get("html_url"))
    title = text(record, "title")
    if title is None or not isinstance(record.get("labels"), list):
        return Dropped(record_id, url, "unreadable_record", "an issue without a title or a list of labels")
    if record.get("pull_request"):
        return Dropped(record_id, url, "not_a_posting", "a pull request")
    title = title[:LONGEST_TITLE]
    body, labels = text(record, "body") or "", names(record, "labels")
    price = price_of(title, labels, body, kind=kind)
    if price is None:
        return Dropped(record_id, url, "not_a_posting", "an issue without a bounty")
    created, updated, closed = (text(record, key) for key in ("created_at", "updated_at", "closed_at"))
    return Posting(
        record_id, url, clean_title(title), body_text(body), read_time(created, zone=zone), price,
        date_published_raw=created,
        date_modified=read_time(updated, zone=zone), date_modified_raw=updated,
        valid_through=read_time(closed, zone=zone), valid_through_raw=closed,
        skills=skills_of(labels),
        hiring_organization=owner_of(record),
    )  # fmt: skip


def price_of(title: str, labels: tuple[str, ...], body: str, *, kind: PriceKind) -> Price | None:
    """Bounty of an issue; None where nothing marks one.

    The title's amount wins over a label's: after a price rise the title is what is rewritten (``[$250]`` to
    ``[$500]``), by people and by Expensify's automation alike, while labels are added and seldom taken away. The body
    is asked last: it tells of amounts of all kinds.

    >>> price_of("[$500] Fix it", ("$250",), "", kind="posted").low
    500.0
    >>> price_of("Fix it", ("Bounty", "$250"), "", kind="posted").raw
    '$250'
    >>> price_of("Fix it", ("Bounty",), "It shows $10", kind="posted").fault
    'none'
    >>> price_of("Fix it", ("Bug",), "It shows $10", kind="posted") is None
    True
    """
    titled = bounty_in_title(title)
    if isinstance(titled, Budget):
        return _price(titled, _price_marks(title) or title, kind)
    amounts = {label: found for label in labels if (found := _amount(label)) != "none"}
    labelled = same_or_several(amounts.values())
    if isinstance(labelled, Budget):
        return _price(labelled, next(iter(amounts)), kind)
    marked = any(_BOUNTY_LABEL.search(label.replace("_", " ")) for label in labels)
    if not (marked or titled != "none" or labelled != "none" or has_job_block(body)):
        return None
    written, raw = bounty_in_body(body)
    if written != "none":
        return _price(written, raw, kind)
    if titled != "none":
        return _price(titled, title, kind)
    return _price(labelled, " ".join(amounts) or None, kind)


def _price(found: Budget | NoBudget, raw: str | None, kind: PriceKind) -> Price:
    """Price of a whole task, unless the text says that it is for an hour."""
    if not isinstance(found, Budget):
        return Price(raw, "fixed", kind, fault=found)
    unit: Literal["fixed", "hourly"] = "hourly" if found.unit == "hour" else "fixed"
    return Price(raw, unit, kind, found.low, found.high, found.currency, found.mark or None)


def clean_title(title: str) -> str:
    """Title without bracketed amounts and states of payment: they change while the work stays the same.

    >>> clean_title("[HOLD for payment 2024-05-20] [$250] [Web] Login fails for [$5] plans - iOS")
    '[Web] Login fails for plans - iOS'
    >>> clean_title("[$250]")
    '[$250]'
    """
    kept = _BRACKETS.sub(lambda match: " " if _is_price(_inner(match)) or _is_state(_inner(match)) else match[0], title)
    return " ".join(kept.split()).strip(" -:|") or title


def _price_marks(title: str) -> str:
    """Bracketed amounts of a title as written; ``''`` where the amount stands elsewhere."""
    return " ".join(match[0] for match in _BRACKETS.finditer(title) if _is_price(_inner(match)))


def _inner(match: re.Match[str]) -> str:
    return (match[1] or match[2] or "").strip()


def _is_price(inner: str) -> bool:
    return has_mark(inner) and bounty_in_title(f"[{inner}]") != "none"


def _is_state(inner: str) -> bool:
    return bool(_STATUS.fullmatch(inner))


def skills_of(labels: tuple[str, ...]) -> tuple[str, ...]:
    """Labels that may say what the work is about: neither price nor bounty, nor a state of the work.

    States come and go ("Overdue", "Reviewing"): kept, each would be a new version of an unchanged offer.

    >>> skills_of(("Bug", "Daily", "External", "$250", "💎 Bounty", "react-native", "priority: high", "iOS"))
    ('react-native', 'iOS')
    """
    return tuple(label for label in labels if _is_skill(label))


@lru_cache(maxsize=4096)  # a site has few labels and many issues
def _is_skill(label: str) -> bool:
    return (
        re.sub(r"^\W+|\W+$", "", label).casefold() not in _WORKFLOW
        and not _WORKFLOW_SPACE.fullmatch(label.strip())
        and not _BOUNTY_LABEL.search(label.replace("_", " "))
        and _amount(label) == "none"
    )


@lru_cache(maxsize=4096)
def _amount(label: str) -> Budget | NoBudget:
    return label_amount(label)


def owner_of(record: Record) -> str | None:
    """Owner of the repository, who pays; never the person who wrote the issue.

    >>> owner_of({"repository_url": "https://api.github.com/repos/acme/shop", "user": {"login": "jo"}})
    'acme'
    >>> owner_of({"html_url": "https://github.com/acme/shop/issues/12"})
    'acme'
    """
    for key in ("repository_url", "html_url"):
        if match := _OWNER.fullmatch(text(record, key) or ""):
            return match[1]
    return None

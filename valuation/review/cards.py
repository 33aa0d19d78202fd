"""Gigs as the pages show them: blind ones, which hold nothing that is hidden, and open ones."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from valuation.review.blind_text import mask_blind, visible_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from valuation.review.gigs import Gig
    from valuation.verdicts import Stored

LONGEST = 6_000
LEAD = 420
_QUOTED = re.compile(r"'([^']*)'|\"([^\"]*)\"")
SCHEMES = ("https://", "http://")


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A session's row of `matches`."""

    posting_id: str
    rank: int
    similarity: float
    weight: float
    price_usd: float
    log_price: float
    contribution: float


@dataclass(frozen=True, slots=True)
class OpenFacts:
    """What a blind page does not know of a gig.

    Attributes
    ----------
    posting_id, source : str
    url : str or None
        Of http or https, else None.
    posted : str
        Date, with what it is worth.
    price_usd : float
        Geometric mean over the cluster's members, USD.
    price_note : str
        The posting's own price in its currency.
    similarity, weight : float or None
        None outside of a session's neighbours.
    rank : int or None
    without_usd : float or None
        Value less the value without this neighbour, USD.
    n_members : int
    """

    posting_id: str
    source: str
    url: str | None
    posted: str
    price_usd: float | None
    price_note: str
    similarity: float | None = None
    weight: float | None = None
    rank: int | None = None
    without_usd: float | None = None
    n_members: int = 1


@dataclass(frozen=True, slots=True)
class Said:
    """A standing verdict as a page shows it."""

    verdict: str
    analyst: str
    note: str
    price_usd: float | None
    better_posting_id: str | None
    blind: bool


@dataclass(frozen=True, slots=True)
class Card:
    """A gig beside a session.

    Attributes
    ----------
    token : str
        Names it in forms: opaque on blind pages, the posting_id on open ones.
    number : int
        Place on the page, from 1.
    title, lead, rest, skills : str
        Plain text; on blind pages masked.
    mine : Said or None
        The analyst's own standing verdict.
    others : tuple of Said
        Empty on blind pages.
    facts : OpenFacts or None
        None on blind pages.
    """

    token: str
    number: int
    title: str
    lead: str
    rest: str
    skills: str
    mine: Said | None
    others: tuple[Said, ...] = ()
    facts: OpenFacts | None = None


def blind_card(gig: Gig, *, token: str, number: int, mine: Said | None) -> Card:
    """Make a card without anything that is hidden: own amounts are masked wherever they stand in the text."""
    known = tuple(one for one in (gig.price_low, gig.price_high) if one is not None)
    title, description, skills = (
        visible_text(mask_blind(text or "", known)) for text in (gig.title, gig.description, listed(gig.skills))
    )
    lead, rest = split(description)
    return Card(token, number, title.strip() or "(no title)", lead, rest, skills, mine)


def open_card(gig: Gig, *, number: int, facts: OpenFacts, mine: Said | None, others: tuple[Said, ...]) -> Card:
    """Make a card with everything."""
    title, description, skills = (visible_text(text or "") for text in (gig.title, gig.description, listed(gig.skills)))
    lead, rest = split(description)
    return Card(
        gig.posting_id, number, title.strip() or "(no title)", lead, rest, skills, mine, others=others, facts=facts
    )


def listed(skills: str | None) -> str:
    """Write skills that a source gave as a printed list, ``['a', 'b']``, as people do; others stay as they are.

    >>> listed("['Data Science', 'R']")
    'Data Science, R'
    """
    text = (skills or "").strip()
    if not (text.startswith("[") and text.endswith("]")):
        return text
    parts = _QUOTED.findall(text)
    return ", ".join(single or double for single, double in parts) if parts else text[1:-1]


def split(text: str) -> tuple[str, str]:
    """Cut a long text at a space, into what is shown at once and what is folded away."""
    text = text.strip()
    if len(text) > LONGEST:
        text = text[:LONGEST].rstrip() + " […]"
    if len(text) <= LEAD + 80:
        return text, ""
    at = text.rfind(" ", LEAD - 60, LEAD + 60)
    at = LEAD if at < 0 else at
    return text[:at], text[at:].lstrip()


def facts_of(gig: Gig, match: Neighbour | None = None, *, without_usd: float | None = None) -> OpenFacts:
    """What a page that hides nothing tells of a gig; `match`: its row of `matches`, if it is a neighbour."""
    price = math.exp(gig.log_price) if gig.log_price is not None else None
    return OpenFacts(
        posting_id=gig.posting_id,
        source=visible_text(gig.source),
        url=safe_url(gig.url),
        posted=_posted(gig),
        price_usd=price if match is None else match.price_usd,
        price_note=_price_note(gig),
        similarity=None if match is None else match.similarity,
        weight=None if match is None else match.weight,
        rank=None if match is None else match.rank,
        without_usd=without_usd,
        n_members=gig.n_members or 1,
    )


def safe_url(url: str | None) -> str | None:
    """Return an address that a browser may follow: http or https and nothing that does not print."""
    if url is None or not url.lower().startswith(SCHEMES) or not url.isprintable() or " " in url:
        return None
    return url if len(url) <= 2_000 else None  # noqa: PLR2004 - what no browser takes


def _posted(gig: Gig) -> str:
    day = gig.posted_at.strftime("%Y-%m-%d") if gig.posted_at is not None else gig.month
    quality = gig.date_quality or "exact"
    return day if quality == "exact" else f"{day} ({quality.replace('_', ' ')})"


def _price_note(gig: Gig) -> str:
    if gig.price_low is None or gig.price_high is None:
        return ""
    kind = (gig.price_kind or "posted").replace("_", " ")
    low, high, currency = f"{gig.price_low:,.0f}", f"{gig.price_high:,.0f}", visible_text(gig.currency or "")
    return f"{kind} {low} {currency}" if low == high else f"{kind} {low} to {high} {currency}"


def said(stored: Stored) -> Said:
    """A standing verdict as a page shows it."""
    one = stored.entry
    return Said(
        verdict=str(one.verdict),
        analyst=one.analyst,
        note=visible_text(one.note),
        price_usd=one.price_usd,
        better_posting_id=one.better_posting_id,
        blind=one.blind,
    )


def effects(neighbours: Sequence[Neighbour], value_usd: float, slope: float) -> list[float]:
    """Each neighbour's leave-one-out effect: the value less what it would be without it, USD; NaN for the only one.

    Without neighbour j the others' weights are brought back to sum 1: ``v_-j = (v − c_j)/(1 − w_j)`` before
    calibration, ``c_j`` its contribution.

    Parameters
    ----------
    neighbours : sequence of Neighbour
        All of a session.
    value_usd : float
    slope : float
        Of the calibration line; 1 where none is applied.
    """
    raw = math.fsum(one.contribution for one in neighbours)
    moved = []
    for one in neighbours:
        rest = 1 - one.weight
        without = (raw - one.contribution) / rest if rest > 0 else math.nan
        moved.append(value_usd - value_usd * math.exp(slope * (without - raw)) if rest > 0 else math.nan)
    return moved

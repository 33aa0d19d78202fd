"""One line of the log: what an analyst said, when, of what, and what was shown."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from valuation.errors import InputError

if TYPE_CHECKING:
    from datetime import datetime

COMPARABLE, CANT_SAY = "comparable", "cant_say"
VERDICTS = (COMPARABLE, "session_larger", "session_smaller", "wrong_kind", CANT_SAY)
"""What may be said of a session beside a gig, or beside the gigs shown taken together."""
WHOLE_SESSION = ""
"""Stands for posting_id in the log where a verdict is on the session as a whole; null in tables."""
ACTIONS = ("verdict", "undo")
MAX_PRICE = 1e7
NOTE_LENGTH, NAME_LENGTH, ID_LENGTH, KEY_LENGTH = 4_000, 60, 400, 64
# Unprintable characters, marks of direction and zero-width characters have no place in a name that is shown to others.
_HALVES = re.compile("[\ud800-\udfff]")
_NAME = re.compile(r"[^\W_](?:[\w .'@+-]{0,58}[\w.])?", re.UNICODE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A line to append.

    Attributes
    ----------
    token : str
        Made by whoever appends; the same token twice is one line, so that a form sent again counts once.
    action : str
        ``verdict``, or ``undo`` of the line `undoes`.
    audit_id : str
        ``''`` outside audits.
    run_id, settings_hash : str
        The run whose match was judged, and SHA-256 (hex) of its settings.
    session_id : str
    posting_id : str
        ``''``: the session as a whole.
    verdict : str or None
        One of `VERDICTS`; None where `action` is not ``verdict``.
    price_usd : float or None
        What the analyst says that the session is worth, nominal USD.
    better_posting_id : str or None
        The gig that would have been the right comparison.
    better_rank : int or None
        Its rank among the session's neighbours, from 1; None: not among them.
    note : str
    analyst : str
    adjudicates : bool
        Settles what others disagree on.
    blind : bool
        Prices, values, similarities, links and dates were hidden.
    shown : str
        JSON: the gigs on the page, in their order, and the version of the page.
    decided_at : datetime
        UTC, without a zone.
    origin : str
        ``page`` or ``import``.
    undoes : int or None
    """

    token: str
    session_id: str
    analyst: str
    decided_at: datetime
    action: str = "verdict"
    audit_id: str = ""
    run_id: str = ""
    settings_hash: str = ""
    posting_id: str = WHOLE_SESSION
    verdict: str | None = None
    price_usd: float | None = None
    better_posting_id: str | None = None
    better_rank: int | None = None
    note: str = ""
    adjudicates: bool = False
    blind: bool = False
    shown: str = ""
    origin: str = "page"
    undoes: int | None = None

    def __post_init__(self) -> None:
        """Refuse what no verdict can be.

        Raises
        ------
        InputError
            Naming the value and what was expected.
        """
        if self.action not in ACTIONS:
            raise InputError(f"action {self.action!a}: expected one of {', '.join(ACTIONS)}")
        if (self.action == "verdict") != (self.verdict is not None):
            raise InputError(f"verdict {self.verdict!a} with action {self.action}: a verdict has one, nothing else has")
        if self.verdict is not None and self.verdict not in VERDICTS:
            raise InputError(f"verdict {self.verdict[:40]!a}: expected one of {', '.join(VERDICTS)}")
        if self.price_usd is not None and not (math.isfinite(self.price_usd) and 0 < self.price_usd <= MAX_PRICE):
            raise InputError(f"price_usd {self.price_usd}: expected US dollars above 0 and up to {MAX_PRICE:,.0f}")
        check_analyst(self.analyst)
        for name, text, most in (
            ("note", self.note, NOTE_LENGTH),
            ("session_id", self.session_id, ID_LENGTH),
            ("posting_id", self.posting_id, ID_LENGTH),
            ("better_posting_id", self.better_posting_id or "", ID_LENGTH),
            ("token", self.token, KEY_LENGTH),
            ("audit_id", self.audit_id, KEY_LENGTH),
            ("run_id", self.run_id, KEY_LENGTH),
            ("settings_hash", self.settings_hash, KEY_LENGTH),
        ):
            _check_text(name, text, most)
        if not self.session_id:
            raise InputError("session_id is empty; a verdict is on a session")


@dataclass(frozen=True, slots=True)
class Stored:
    """A line as it lies in the log.

    Attributes
    ----------
    id : int
        Ascending in the order in which lines were accepted.
    fresh : bool
        False where the token was there already, and nothing was added.
    entry : Entry
    """

    id: int
    fresh: bool
    entry: Entry = field(repr=False)


def _check_text(name: str, text: str, most: int) -> None:
    if len(text) > most:
        raise InputError(f"{name} has {len(text):,} characters; at most {most:,} are kept")
    if "\x00" in text:
        raise InputError(f"{name} holds a NUL character, which no database keeps")
    if _HALVES.search(text):
        raise InputError(f"{name} holds half a character (a lone surrogate), which no database keeps")


def check_analyst(name: str) -> str:
    """Return `name` if it may stand for an analyst.

    Raises
    ------
    InputError
        Empty, too long, or with characters that do not print.
    """
    if not _NAME.fullmatch(name) or not name.isprintable():
        raise InputError(
            f"analyst {name[:40]!a}: expected 1 to {NAME_LENGTH} letters, digits, spaces or .'@+-, beginning with a "
            "letter or digit"
        )
    return name

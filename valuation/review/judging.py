"""From a form to a line of the log: what was judged, was it blind, is the session done."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from valuation.audit.done import is_done
from valuation.errors import InputError
from valuation.review.desk import now
from valuation.review.match import BLIND_PAGE, OPEN_PAGE, WHOLE, neighbours_of, place_of, shown_gigs
from valuation.review.progress import disagreements
from valuation.review.tokens import gig_of, shuffled
from valuation.verdicts import VERDICTS, WHOLE_SESSION, Entry

if TYPE_CHECKING:
    from collections.abc import Sequence

    from valuation.audit.opening import Audit
    from valuation.review.cards import Neighbour
    from valuation.review.desk import Desk, ReviewRun
    from valuation.verdicts import Stored

_PRICE = re.compile(r"(?:\d{1,3}(?:([, \u00a0\u202f])\d{3})(?:\1\d{3})*|\d+)(?:\.\d{1,2})?", re.ASCII)
_SIGNS = re.compile(r"^(?:US ?)?\$|(?:USD|\$)$|^USD", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """What a verdict's form sends.

    Attributes
    ----------
    nonce : str
        Of the page that it was on; with the content it makes the line's token, so that a form sent twice is one
        line, and another verdict from the same page a line of its own.
    session_id : str
    gig : str
        A gig's token or posting_id, or `WHOLE`.
    verdict, price, note, better : str
    adjudicates : bool
    """

    nonce: str
    session_id: str
    gig: str
    verdict: str
    price: str = ""
    note: str = ""
    better: str = ""
    adjudicates: bool = False


def judge(desk: Desk, run: ReviewRun, audit: Audit | None, form: Form, analyst: str) -> Stored:
    """Append a verdict to the log, and mark the session as finished where that completes it.

    Raises
    ------
    InputError
        The form holds what no verdict can be; nothing was kept.
    EnvironmentFault
        The database refuses; nothing was kept.
    """
    audit_id = "" if audit is None else audit.audit_id
    if run.items.one(form.session_id) is None:
        raise InputError(run.rows.unknown(form.session_id))
    if form.verdict not in VERDICTS:
        raise InputError("no verdict was chosen: choose one of the five, and the rest of the form goes with it")
    if form.adjudicates:
        _may_settle(desk, audit, form.session_id, analyst)
    elif audit is not None:
        _take_in_hand(desk, audit, form.session_id, analyst)
    blind = audit is not None and _is_blind(desk, audit, form.session_id, analyst)
    place = place_of(audit_id, form.session_id, analyst)
    neighbours = neighbours_of(run, form.session_id)
    shown = shown_gigs(run, neighbours, form.session_id, desk.settings.review.gigs)
    posting = WHOLE_SESSION if form.gig == WHOLE else _posting(desk, run, form.gig, place)
    if posting not in (WHOLE_SESSION, *shown, *(one.posting_id for one in neighbours)):
        raise InputError("this gig does not stand beside this session; reload the page and choose again")
    better = _posting(desk, run, form.better, place) if form.better else None
    stored = desk.log.append(
        Entry(
            token=_token(form, audit_id, analyst),
            session_id=form.session_id,
            analyst=analyst,
            decided_at=now(),
            audit_id=audit_id,
            run_id=run.run_id,
            settings_hash=run.settings_hash,
            posting_id=posting,
            verdict=form.verdict,
            price_usd=read_price(form.price),
            better_posting_id=better,
            better_rank=_rank(neighbours, better),
            note=form.note.strip(),
            adjudicates=form.adjudicates,
            blind=blind,
            shown=json.dumps(
                {
                    "gigs": shuffled(desk.key, place, shown) if blind else shown,
                    "page": BLIND_PAGE if blind else OPEN_PAGE,
                }
            ),
        )
    )
    if desk.log.is_undone(stored):
        raise InputError("this verdict has been taken back; reload the page to give it again")
    if audit is not None and not form.adjudicates:
        settle(desk, run, audit, form.session_id, analyst)
    return stored


def settle(desk: Desk, run: ReviewRun, audit: Audit, session_id: str, analyst: str) -> bool:
    """Mark a session as finished by the analyst, or not, by what stands; returns whether it is."""
    standing = desk.log.standing(audit_id=audit.audit_id, session_id=session_id, analyst=analyst)
    said = {one.entry.posting_id: str(one.entry.verdict) for one in standing if not one.entry.adjudicates}
    done = is_done(said, shown_gigs(run, neighbours_of(run, session_id), session_id, desk.settings.review.gigs))
    desk.log.assignments.finish(audit.audit_id, session_id, analyst=analyst, at=now() if done else None)
    return done


def read_price(text: str) -> float | None:
    """Read a price in US dollars as people write it; nothing is None. What could be two prices is not guessed at.

    Raises
    ------
    InputError
        It is not a number above 0, or one in another country's way: ``1,5``, ``1.250``.

    >>> read_price("$1,250.50"), read_price(" ")
    (1250.5, None)
    """
    if not text.strip():
        return None
    plain = _SIGNS.sub("", text.strip()).strip()
    price = float(re.sub(r"[^\d.]", "", plain)) if _PRICE.fullmatch(plain) else 0.0
    if not price > 0:
        raise InputError(f"price {text.strip()[:40]!a}: expected US dollars above 0, such as 250 or 1,250.50")
    return price


def undo_token(nonce: str, audit_id: str, analyst: str) -> str:
    """Token of the line that takes a verdict back: one a page, an audit and an analyst."""
    return hashlib.sha256(json.dumps(["undo", nonce, audit_id, analyst]).encode()).hexdigest()


def _take_in_hand(desk: Desk, audit: Audit, session_id: str, analyst: str) -> None:
    """Let nobody add a review that is not wanted; who has begun one may go on until others have finished theirs.

    Raises
    ------
    InputError
        Others have all reviews that are wanted.
    """
    held = desk.log.assignments.hold(
        audit.audit_id, session_id, audit.wanted[session_id], analyst=analyst, now=now(), lease=desk.lease
    )
    if held:
        return
    if session_id in desk.log.assignments.closed_to(audit.audit_id, audit.wanted, analyst):
        raise InputError("others have finished this session meanwhile; go on to the next one")
    if not desk.log.standing(audit_id=audit.audit_id, session_id=session_id, analyst=analyst):
        raise InputError("another analyst has this session in hand; go on to the next one")


def _may_settle(desk: Desk, audit: Audit | None, session_id: str, analyst: str) -> None:
    """Let only those settle who may see what others said.

    Raises
    ------
    InputError
        It is not of an audit, or the analyst has yet to judge it.
    """
    if audit is None or desk.must_hide(session_id, analyst) is not None:
        raise InputError("only a session of an audit is settled, by somebody who need not judge it any more")
    differ = {one.session_id: one for one in disagreements(desk.log.standing(audit_id=audit.audit_id))}
    if session_id not in differ:
        raise InputError("nobody differs on this session; there is nothing to settle")
    if analyst in differ[session_id].analysts:
        raise InputError("you are one of those who differ on this session; a third person settles it")


def _is_blind(desk: Desk, audit: Audit, session_id: str, analyst: str) -> bool:
    """Whether the analyst has not seen the session's figures on these pages."""
    return not desk.log.seen.has(analyst, session_id)


def _posting(desk: Desk, run: ReviewRun, given: str, place: str) -> str:
    """The posting that a form means: by its token on a blind page, by its id on an open one.

    Raises
    ------
    InputError
        It is neither, or not in the basket.
    """
    try:
        posting = gig_of(desk.key, place, given)
    except InputError:
        posting = given
    if posting not in run.gigs.get([posting]):
        raise InputError("this gig is not in the run's basket; reload the page and choose again")
    return posting


def _rank(neighbours: Sequence[Neighbour], posting_id: str | None) -> int | None:
    """Rank of a gig among the session's neighbours, from 1; None if it is not among them."""
    return next((one.rank for one in neighbours if one.posting_id == posting_id), None)


def _token(form: Form, audit_id: str, analyst: str) -> str:
    said = (
        form.nonce, audit_id, analyst, form.session_id, form.gig, form.verdict, form.price, form.note, form.better,
        form.adjudicates,
    )  # fmt: skip
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()

"""Audits: the sample judged blind, one session after another; disagreements settled."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import RedirectResponse, Response

from valuation.review.desk import NotFoundHere, now
from valuation.review.judging import settle
from valuation.review.match import adjudication_view, blind_view, open_view, place_of
from valuation.review.pages import address, page
from valuation.review.progress import disagreements, progress_of
from valuation.review.session import Open, Signed
from valuation.review.tokens import gig_of

if TYPE_CHECKING:
    from valuation.audit.opening import Audit
    from valuation.review.desk import Desk

router = APIRouter()
Id = Annotated[str, Query(max_length=400)]


@router.get("/audits/{audit_id}", response_model=None)
def audit_page(request: Request, analyst: Signed, desk: Open, audit_id: str) -> Response:
    """How far an audit is, and the way into it."""
    audit = desk.audit(audit_id)
    differ = disagreements(desk.log.standing(audit_id=audit_id))
    open_ = [one for one in differ if not one.settled_by]
    return page(
        "audit.html.j2", request, analyst, audit=audit, run_id=audit.run_id, n_disagreements=len(open_),
        progress=progress_of(desk, audit, analyst.name), gigs=desk.settings.review.gigs,
    )  # fmt: skip


@router.get("/audits/{audit_id}/next", response_model=None)
def next_item(request: Request, analyst: Signed, desk: Open, audit_id: str, after: Id = "") -> Response:
    """Take the next session in hand and show it."""
    audit = desk.audit(audit_id)
    session = _claimed(desk, audit, analyst.name)
    while session is not None and settle(desk, desk.run(audit.run_id), audit, session, analyst.name):
        session = _claimed(desk, audit, analyst.name)  # its last verdict was kept just before the program was killed
    if session is None:
        return RedirectResponse(address(f"/audits/{audit_id}", done=1, after=after), status_code=303)
    return RedirectResponse(address(f"/audits/{audit_id}/item", id=session, after=after), status_code=303)


@router.get("/audits/{audit_id}/item", response_model=None)
def item(
    request: Request,
    analyst: Signed,
    desk: Open,
    audit_id: str,
    id: Id = "",  # noqa: A002 - the address's own word
    after: Id = "",
    better: Annotated[str, Query(max_length=2_000)] = "",
    reveal: bool = False,
    undone: bool = False,
) -> Response:
    """One session of the sample: blind until the analyst has judged it, and open when they then ask for it."""
    audit = desk.audit(audit_id)
    _in_sample(audit, id)
    run = desk.run(audit.run_id)
    held = desk.log.assignments.hold(audit_id, id, audit.wanted[id], analyst=analyst.name, now=now(), lease=desk.lease)
    hidden = id in desk.hidden_in(audit, analyst.name)
    if hidden and not held:
        return page("taken.html.j2", request, analyst, audit=audit, run_id=audit.run_id, session_id=id)
    picked = gig_of(desk.key, place_of(audit_id, id, analyst.name), better) if better else None
    mine = desk.log.assignments.of(audit_id, id, analyst.name)
    seen = desk.log.seen.has(analyst.name, id)
    if not hidden and (reveal or seen or mine is None) and desk.must_hide(id, analyst.name) is None:
        desk.note_seen([id], analyst.name)
        view = open_view(desk, run, id, analyst.name, audit_id=audit_id, better=picked)
    else:
        view = blind_view(desk, run, audit_id, id, analyst.name, better=picked)
    return page(
        "match.html.j2", request, analyst, run=run, view=view, audit=audit, run_id=audit.run_id, after=None,
        before=None, back="", at=0, gigs=desk.settings.review.gigs, progress=progress_of(desk, audit, analyst.name),
        adjudicates=False, judged_before=after if after != id and desk.must_hide(after, analyst.name) is None else "",
        done=mine is not None and mine.finished, undone=undone, can_reveal=desk.must_hide(id, analyst.name) is None,
        place=_place(audit, id) if view.blind else "",
    )  # fmt: skip


@router.get("/audits/{audit_id}/disagreements", response_model=None)
def disagreement_list(request: Request, analyst: Signed, desk: Open, audit_id: str) -> Response:
    """Sessions on which analysts say different things."""
    audit = desk.audit(audit_id)
    hidden = desk.hidden_in(audit, analyst.name)
    found = disagreements(desk.log.standing(audit_id=audit_id))
    shown = [one for one in found if one.session_id not in hidden]
    return page(
        "disagreements.html.j2", request, analyst, audit=audit, run_id=audit.run_id, found=shown,
        n_hidden=len(found) - len(shown),
    )  # fmt: skip


@router.get("/audits/{audit_id}/adjudicate", response_model=None)
def adjudicate(
    request: Request,
    analyst: Signed,
    desk: Open,
    audit_id: str,
    id: Id = "",  # noqa: A002 - the address's own word
    undone: bool = False,
) -> Response:
    """Settle a disagreement: both analysts' verdicts are shown, figures are not."""
    audit = desk.audit(audit_id)
    _in_sample(audit, id)
    hiding = desk.must_hide(id, analyst.name)  # also for another audit's sake: what others said leads there, too
    if hiding is not None:
        return RedirectResponse(address(f"/audits/{hiding.audit_id}/item", id=id), status_code=303)
    run = desk.run(audit.run_id)
    view = adjudication_view(desk, run, audit_id, id, analyst.name)
    return page(
        "match.html.j2", request, analyst, run=run, view=view, audit=audit, run_id=audit.run_id, after=None,
        before=None, back="", at=0, gigs=desk.settings.review.gigs, progress=None, adjudicates=True,
        judged_before="", done=False, undone=undone, can_reveal=False, place=_place(audit, id),
    )  # fmt: skip


def _place(audit: Audit, session_id: str) -> str:
    """What a blind page calls a session: its place in the order of work; an id may tell when it was."""
    return f"{list(audit.wanted).index(session_id) + 1} of {len(audit.wanted)}"


def _claimed(desk: Desk, audit: Audit, analyst: str) -> str | None:
    return desk.log.assignments.claim(audit.audit_id, audit.wanted, analyst=analyst, now=now(), lease=desk.lease)


def _in_sample(audit: Audit, session_id: str) -> None:
    if session_id not in audit.wanted:
        raise NotFoundHere(f"session {session_id[:60]!a} is not in the sample of audit {audit.audit_id}")

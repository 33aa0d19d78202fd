"""Giving a verdict, taking one back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Request
from fastapi import Form as Field
from fastapi.responses import RedirectResponse, Response

from valuation.errors import InputError
from valuation.review.desk import now
from valuation.review.judging import Form, judge, settle, undo_token
from valuation.review.pages import address
from valuation.review.session import Open, Sent, local_path

if TYPE_CHECKING:
    from valuation.audit.opening import Audit
    from valuation.review.desk import Desk

router = APIRouter()
Id = Annotated[str, Field(max_length=400)]


@router.post("/verdicts", response_model=None)
def give(
    request: Request,
    analyst: Sent,
    desk: Open,
    session: Id = "",
    gig: Id = "",
    verdict: Annotated[str, Field(max_length=20)] = "",
    run: Annotated[str, Field(max_length=64)] = "",
    audit: Annotated[str, Field(max_length=64)] = "",
    nonce: Annotated[str, Field(max_length=64)] = "",
    price: Annotated[str, Field(max_length=40)] = "",
    note: Annotated[str, Field(max_length=4_000)] = "",
    better: Id = "",
    drop: Annotated[bool, Field()] = False,
    picked: Annotated[str, Field(max_length=2_000)] = "",
    adjudicates: Annotated[bool, Field()] = False,
    back: Annotated[str, Field(max_length=4_000)] = "",
) -> Response:
    """Keep a verdict and go on: to the next gig, or when the session is done to the next session.

    A better gig that is `picked` but has not gone with a verdict on the session as a whole stays on the page; one that
    stands there, picked or kept, is left out by `drop`.
    """
    form = Form(
        nonce=nonce, session_id=session, gig=gig, verdict=verdict, price=price, note=note,
        better="" if drop else better, adjudicates=adjudicates,
    )  # fmt: skip
    opened = _audit(desk, audit, session)
    run_id = opened.run_id if opened is not None else run
    was_done = opened is not None and _is_done(desk, audit, session, analyst.name)
    judge(desk, desk.run(run_id), opened, form, analyst.name)
    if opened is None:
        return _to(local_path(back) if back else address(f"/runs/{run_id}/session", id=session))
    if adjudicates:
        return _to(
            f"/audits/{audit}/disagreements" if _is_whole(gig) else address(f"/audits/{audit}/adjudicate", id=session)
        )
    if picked and not _is_whole(gig):
        return _to(address(f"/audits/{audit}/item", id=session, better=picked))
    changes = was_done and desk.log.seen.has(analyst.name, session)  # with the figures before them: they stay there
    if _is_done(desk, audit, session, analyst.name) and not changes:
        return _to(address(f"/audits/{audit}/next", after=session))
    return _to(address(f"/audits/{audit}/item", id=session))


@router.post("/undo", response_model=None)
def undo(
    request: Request,
    analyst: Sent,
    desk: Open,
    audit: Annotated[str, Field(max_length=64)] = "",
    nonce: Annotated[str, Field(max_length=64)] = "",
    run: Annotated[str, Field(max_length=64)] = "",
    back: Annotated[str, Field(max_length=4_000)] = "/",
) -> Response:
    """Take back the analyst's last verdict, and show what it was on."""
    if not nonce:
        raise InputError("this form is not one of these pages; reload and try again")
    opened = None if not audit else desk.audit(audit)
    token = undo_token(nonce, audit, analyst.name)
    taken = desk.log.undo(analyst=analyst.name, audit_id=audit, token=token, decided_at=now(), on_pages=True)
    if taken is None:
        return _to(local_path(back))
    session = taken.entry.session_id
    if opened is None:
        return _to(address(f"/runs/{taken.entry.run_id or run}/session", id=session, undone=1))
    if taken.entry.adjudicates:
        return _to(address(f"/audits/{audit}/adjudicate", id=session, undone=1))
    settle(desk, desk.run(opened.run_id), opened, session, analyst.name)
    return _to(address(f"/audits/{audit}/item", id=session, undone=1))


def _audit(desk: Desk, audit_id: str, session_id: str) -> Audit | None:
    """Open the audit that a form names.

    Raises
    ------
    InputError
        There is none, or the session is not in its sample.
    """
    if not audit_id:
        return None
    opened = desk.audit(audit_id)
    if session_id not in opened.wanted:
        raise InputError(f"session {session_id[:60]!a} is not in the sample of audit {audit_id}")
    return opened


def _is_done(desk: Desk, audit_id: str, session_id: str, analyst: str) -> bool:
    held = desk.log.assignments.of(audit_id, session_id, analyst)
    return held is not None and held.finished


def _is_whole(gig: str) -> bool:
    from valuation.review.match import WHOLE

    return gig == WHOLE


def _to(path: str) -> RedirectResponse:
    return RedirectResponse(path, status_code=303)

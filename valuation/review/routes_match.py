"""One session beside its gigs, outside of audits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import RedirectResponse, Response

from valuation.review.desk import NotFoundHere
from valuation.review.match import open_view
from valuation.review.pages import address, page
from valuation.review.query import PAGE_ROWS, read_query
from valuation.review.session import Open, Signed

if TYPE_CHECKING:
    from valuation.review.desk import Desk, ReviewRun

router = APIRouter()
OWN = ("id", "better", "at", "gigs", "undone")
"""Parts of the address that are the page's own; the others are the list's."""


@router.get("/runs/{run_id}/session", response_model=None)
def match(
    request: Request,
    analyst: Signed,
    desk: Open,
    run_id: str,
    id: Annotated[str, Query(max_length=400)] = "",  # noqa: A002 - the address's own word
    better: Annotated[str, Query(max_length=400)] = "",
    gigs: Annotated[int, Query(ge=1, le=50)] = 1,
    at: Annotated[int | None, Query(ge=0, le=100_000_000)] = None,
    undone: bool = False,
) -> Response:
    """The match page; where an audit hides the session from this analyst, its blind page instead."""
    run = desk.run(run_id)
    if run.items.one(id) is None:
        raise NotFoundHere(run.rows.unknown(id))
    audit = desk.must_hide(id, analyst.name)
    if audit is not None:
        return RedirectResponse(address(f"/audits/{audit.audit_id}/item", id=id), status_code=303)
    desk.note_seen([id], analyst.name)
    view = open_view(desk, run, id, analyst.name, most=max(gigs, desk.settings.review.gigs), better=better or None)
    before, after, back = _around(request, desk, run, analyst.name, at)
    return page(
        "match.html.j2", request, analyst, run=run, view=view, before=before, after=after, back=back, at=at,
        gigs=max(gigs, desk.settings.review.gigs), progress=None, adjudicates=False, audit=None, run_id=run_id,
        judged_before="", done=False, undone=undone, can_reveal=False, place="",
    )  # fmt: skip


@router.get("/runs/{run_id}/arithmetic", response_model=None)
def arithmetic(
    request: Request,
    analyst: Signed,
    desk: Open,
    run_id: str,
    id: Annotated[str, Query(max_length=400)] = "",  # noqa: A002 - the address's own word
) -> Response:
    """Everything that `valuation explain` prints of a session."""
    run = desk.run(run_id)
    if run.items.one(id) is None:
        raise NotFoundHere(run.rows.unknown(id))
    if desk.must_hide(id, analyst.name) is not None:
        raise NotFoundHere("the figures of this session are hidden until you have judged it")
    desk.note_seen([id], analyst.name)
    text = run.explanation(id).text()
    return page("arithmetic.html.j2", request, analyst, run_id=run_id, session_id=id, text=text)


def _around(
    request: Request, desk: Desk, run: ReviewRun, analyst: str, at: int | None
) -> tuple[str | None, str | None, str]:
    """Addresses of the sessions before and after in the list that the analyst came by, and of the list."""
    if at is None:  # they came by a link of its own
        return None, None, f"/runs/{run.run_id}/sessions"
    pairs = [pair for pair in request.query_params.multi_items() if pair[0] not in OWN]
    query = read_query(pairs, run.items.columns)
    before, after = run.items.around(query, desk.judged(analyst), at)
    rest = query.address()
    listed = query.with_(page=1 + at // PAGE_ROWS).address()

    def to(session_id: str | None, place: int) -> str | None:
        if session_id is None:
            return None
        return address(f"/runs/{run.run_id}/session", id=session_id, at=place) + (f"&{rest}" if rest else "")

    return to(before, at - 1), to(after, at + 1), f"/runs/{run.run_id}/sessions" + (f"?{listed}" if listed else "")

"""The whole basket searched, by meaning and by words, for a gig that is the better comparison."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Query, Request

from valuation.review.blind_text import mask_blind, visible_text
from valuation.review.cards import Card, blind_card, facts_of, open_card, split
from valuation.review.desk import NotFoundHere
from valuation.review.match import place_of
from valuation.review.meaning import NotReady
from valuation.review.pages import address, page
from valuation.review.session import Open, Signed
from valuation.review.tokens import gig_token

if TYPE_CHECKING:
    from fastapi.responses import HTMLResponse

    from valuation.review.desk import ReviewRun

router = APIRouter()
RESULTS = 20


@dataclass(frozen=True, slots=True)
class Found:
    """A gig that was found, and where to go to pick it; ``''`` where no session is being judged."""

    card: Card
    pick: str


@router.get("/runs/{run_id}/search", response_model=None)
def search(
    request: Request,
    analyst: Signed,
    desk: Open,
    run_id: str,
    q: Annotated[str, Query(max_length=4_000)] = "",
    by: Annotated[str, Query(pattern="^(meaning|words)$")] = "meaning",
    id: Annotated[str, Query(max_length=400)] = "",  # noqa: A002 - the address's own word
    audit: Annotated[str, Query(max_length=64)] = "",
    start: Annotated[int, Query(ge=0, le=2_000)] = 0,
) -> HTMLResponse:
    """A page of gigs; blind where the session that they are sought for is."""
    run = desk.run(run_id)
    if id and run.items.one(id) is None:
        raise NotFoundHere(run.rows.unknown(id))
    hiding = desk.must_hide(id, analyst.name) if id else None
    # while anything is hidden gigs are shown blind wherever they are sought: one may stand beside a hidden session
    blind = hiding is not None or bool(desk.judged(analyst.name).hidden)
    if hiding is not None and not audit:
        audit = hiding.audit_id  # what is picked is named by a token, never by its id
    if id and not blind:
        desk.note_seen([id], analyst.name)
    hits, note = _hits(run, q.strip(), by, start)
    place = place_of(audit, id, analyst.name)
    gigs = run.gigs.get(hits)
    found = []
    for number, posting in enumerate((one for one in hits if one in gigs), start=start + 1):
        token = gig_token(desk.key, place, posting)
        if blind:
            card = blind_card(gigs[posting], token=token, number=number, mine=None)
        else:
            card = open_card(gigs[posting], number=number, facts=facts_of(gigs[posting]), mine=None, others=())
        found.append(Found(card, _pick(run_id, audit, id, token if audit else posting)))
    about = visible_text(str((run.items.one(id) or {}).get("summary") or "")) if id else ""
    about = split(mask_blind(about) if blind else about)[0]
    return page(
        "search.html.j2", request, analyst, run_id=run_id, q=q, by=by, id=id, audit_id=audit, found=found, note=note,
        blind=blind, about=about, start=start, results=RESULTS, count=run.gigs.count(),
    )  # fmt: skip


def _pick(run_id: str, audit: str, session_id: str, better: str) -> str:
    if not session_id:
        return ""
    if audit:
        return address(f"/audits/{audit}/item", id=session_id, better=better)
    return address(f"/runs/{run_id}/session", id=session_id, better=better)


def _hits(run: ReviewRun, text: str, by: str, start: int) -> tuple[list[str], str]:
    """posting_ids of a page of results, and what stands in the way of them."""
    if not text:
        return [], ""
    if by == "words":
        if not run.gigs.ready:
            return [], run.gigs.failed or "the list of words is being made; try again in a few seconds"
        return [hit.posting_id for hit in run.gigs.search_words(text, RESULTS, start)], ""
    try:
        return [hit.posting_id for hit in run.meaning.search(text, start + RESULTS)][start:], ""
    except NotReady as waiting:
        return [], str(waiting)

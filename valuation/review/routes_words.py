"""Which words carry the similarity: asked for when a gig comes into view, so that the page itself never waits."""

from __future__ import annotations

from itertools import accumulate
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Query, Request

from valuation.review.blind_text import visible_text
from valuation.review.cards import listed, split
from valuation.review.desk import NotFoundHere
from valuation.review.marks import between, marks
from valuation.review.meaning import NotReady
from valuation.review.pages import page
from valuation.review.session import Open, Signed

if TYPE_CHECKING:
    from fastapi.responses import HTMLResponse

router = APIRouter()
HOW = {
    "meaning": "Marked: the words that carry most of the similarity, by the encoder.",
    "shared words": "Marked: rare words that both texts share; the encoder is not loaded.",
    "none": "",
}


@router.get("/runs/{run_id}/words", response_model=None)
def words(
    request: Request,
    analyst: Signed,
    desk: Open,
    run_id: str,
    id: Annotated[str, Query(max_length=400)] = "",  # noqa: A002 - the address's own word
    gig: Annotated[str, Query(max_length=400)] = "",
    n: Annotated[int, Query(ge=0, le=50)] = 0,
) -> HTMLResponse:
    """A gig's text with marks; not for a session whose figures are hidden."""
    run = desk.run(run_id)
    row = run.items.one(id)
    found = run.gigs.get([gig]).get(gig)
    if row is None or found is None or desk.must_hide(id, analyst.name) is not None:
        raise NotFoundHere("there is no such gig beside this session")
    desk.note_seen([id], analyst.name)
    summary = visible_text(str(row.get("summary") or ""))
    lead, rest = split(visible_text(found.description or ""))
    title, skills = visible_text(found.title or ""), visible_text(listed(found.skills))
    parts = [title, lead, rest, skills]
    whole = "\n".join(parts)  # as it was embedded, but for the fold: the words' shares add up over the whole text only
    try:
        spans = run.meaning.words_of(summary, [whole])[0]
    except NotReady:
        spans = ()
    marked = marks(whole, summary, run.gigs, spans)
    ends = list(accumulate(len(part) + 1 for part in parts))
    cut = [between(marked.segments, end - 1 - len(part), end - 1) for part, end in zip(parts, ends, strict=True)]
    return page(
        "words.html.j2", request, analyst, number=n, title=cut[0], lead=cut[1], rest=cut[2], skills=cut[3],
        how=HOW[marked.how],
    )  # fmt: skip

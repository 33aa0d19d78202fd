"""Lists of sessions: queues, filters, facets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import APIRouter, Request

from valuation.review.desk import now
from valuation.review.pages import page
from valuation.review.query import PAGE_ROWS, QUEUES, read_query
from valuation.review.session import Open, Signed

if TYPE_CHECKING:
    from fastapi.responses import HTMLResponse

router = APIRouter()
SHOWN = {
    "month": "month",
    "value_usd": "value",
    "typical_lower": "typical, from",
    "typical_upper": "to",
    "similarity_max": "nearest similarity",
    "deviation": "from the median",
}
"""Columns of a list beside the summary, with their heads; `deviation` is in log points."""


@router.get("/runs/{run_id}/sessions", response_model=None)
def sessions(request: Request, analyst: Signed, desk: Open, run_id: str) -> HTMLResponse:
    """A page of a list; the address says which."""
    run = desk.run(run_id)
    query = read_query(request.query_params.multi_items(), run.items.columns)
    judged = desk.judged(analyst.name)
    found = run.items.page(query, judged)
    desk.note_seen((row["session_id"] for row in found.rows), analyst.name)
    address = f"/runs/{run_id}/sessions?{query.address()}"
    desk.log.places.keep(analyst=analyst.name, queue=f"{run_id}/{query.queue}", address=address, now=now())
    return page(
        "sessions.html.j2",
        request,
        analyst,
        run=run,
        run_id=run_id,
        query=query,
        queues=QUEUES,
        found=found,
        facets=run.items.counts(query, judged),
        shown=SHOWN,
        judged=judged,
        last_page=max(1, -(-found.n // PAGE_ROWS)),
        numbers=[name for name, kind in run.items.columns.items() if kind == "number"],
    )

"""The overview: series, matched share, how far the audits are, and the ways into the queues."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request
from fastapi.responses import PlainTextResponse, RedirectResponse, Response

from valuation.pipeline.finished import read_run_table
from valuation.review.audit_facts import audit_facts
from valuation.review.pages import page
from valuation.review.progress import disagreements, progress_of
from valuation.review.query import QUEUES
from valuation.review.series_figure import series_figure
from valuation.review.session import Open, Signed
from valuation.tables import SeriesTable

if TYPE_CHECKING:
    import pandas as pd

    from valuation.review.desk import Desk, ReviewRun

router = APIRouter()


@router.get("/", response_model=None)
def first(analyst: Signed, desk: Open) -> Response:
    """Go to the newest run."""
    return RedirectResponse(f"/runs/{desk.newest()}", status_code=303)


@router.get("/healthz", response_model=None)
def alive() -> PlainTextResponse:
    """Answer that the server is up; tells nothing else."""
    return PlainTextResponse("ok\n")


@router.get("/runs/{run_id}", response_model=None)
def overview(request: Request, analyst: Signed, desk: Open, run_id: str) -> Response:
    """A run at a glance."""
    run = desk.run(run_id)
    series = _headline_series(run)
    places = {
        queue.partition("/")[2]: where
        for queue, where in desk.log.places.of(analyst.name).items()
        if queue.startswith(f"{run_id}/")
    }
    return page(
        "overview.html.j2", request, analyst, run=run, run_id=run_id, figure_=series_figure(series),
        months=series.to_dict(orient="records"), audits=_audits(desk, run_id, analyst.name), queues=QUEUES,
        places=places, state=run.meaning.state,
    )  # fmt: skip


def _headline_series(run: ReviewRun) -> pd.DataFrame:
    """Rows of the headline's series, by month."""
    series = read_run_table(run.folder, "series", SeriesTable)
    pricer = run.manifest["settings"]["pricing"]["pricer"]
    mine = (series["group_by"] == "") & (series["statistic"] == "mean_log") & (series["pricer"] == pricer)
    found: pd.DataFrame = series[mine].sort_values("month", ignore_index=True)
    return found


def _audits(desk: Desk, run_id: str, analyst: str) -> list[dict[str, Any]]:
    """Every audit of the run with how far it is and what it says so far."""
    return [
        {
            "audit": audit,
            "progress": progress_of(desk, audit, analyst),
            "facts": audit_facts(desk, audit, whole_only=bool(desk.hidden_in(audit, analyst))),
            "n_disagreements": sum(
                not one.settled_by for one in disagreements(desk.log.standing(audit_id=audit.audit_id))
            ),
        }
        for audit in desk.audits()
        if audit.run_id == run_id
    ]

"""The pages as one application: routes, safety, and one plain answer for each fault."""

from __future__ import annotations

import os
from importlib.resources import files
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import PlainTextResponse, RedirectResponse, Response
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException

from valuation.errors import ConfigError, EnvironmentFault, ValuationError
from valuation.review import (
    routes_audit,
    routes_lists,
    routes_match,
    routes_overview,
    routes_search,
    routes_sign_in,
    routes_verdicts,
    routes_words,
)
from valuation.review.desk import NotFoundHere
from valuation.review.identity import Identity
from valuation.review.pages import address, page
from valuation.review.session import NotSignedIn, local_path
from valuation.review.shield import Shield

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from valuation.review.desk import Desk

ROUTES = (
    routes_sign_in, routes_overview, routes_lists, routes_match, routes_verdicts, routes_audit, routes_search,
    routes_words,
)  # fmt: skip


def create_app(desk: Desk) -> ASGIApp:
    """Return the pages of a workspace as an ASGI application.

    Parameters
    ----------
    desk : Desk
        Stays open as long as the application is used; whoever made it closes it.
    """
    app = FastAPI(title="session-value review", docs_url=None, redoc_url=None, openapi_url="/openapi.json")
    app.state.desk = desk
    app.state.identity = Identity(desk.key, user_header=desk.settings.review.user_header)
    for routes in ROUTES:
        app.include_router(routes.router)
    static = str(files("valuation.review").joinpath("static"))
    app.mount("/static", StaticFiles(directory=static), name="static")
    app.add_exception_handler(NotSignedIn, _to_sign_in)
    app.add_exception_handler(ValuationError, _refused)
    app.add_exception_handler(RequestValidationError, _malformed)
    app.add_exception_handler(HTTPException, _plain_fault)
    app.add_exception_handler(Exception, _our_fault)
    review = desk.settings.review
    return Shield(app, hosts=(review.host, *review.allowed_hosts))


def _to_sign_in(request: Request, error: Exception) -> Response:
    """Send who is not signed in to where they can be, and from there back."""
    identity: Identity = request.app.state.identity
    if not identity.by_link:
        return PlainTextResponse("the reverse proxy gave no name; nobody is signed in\n", status_code=401)
    back = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    where = address("/sign-in", next=back if request.method == "GET" else "/")
    return RedirectResponse(where, status_code=303)


def _refused(request: Request, error: Exception) -> Response:
    """A fault that is not ours: say it on a page."""
    status = 404 if isinstance(error, NotFoundHere) else 400
    if isinstance(error, EnvironmentFault):
        status = 503
    elif isinstance(error, ConfigError):
        status = 500
    desk: Desk = request.app.state.desk
    # Where the workspace lies on the server is nobody's business who reads the page; inside it, the path is of use.
    return _fault_page(request, status, str(error).replace(f"{desk.layout.root}{os.sep}", ""))


def _malformed(request: Request, error: Exception) -> Response:
    first = error.errors()[0] if isinstance(error, RequestValidationError) and error.errors() else {}
    where = ".".join(str(part) for part in first.get("loc", ())[1:])
    return _fault_page(request, 422, f"{where or 'request'}: {first.get('msg', 'not understood')}")


def _plain_fault(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    headers = error.headers if isinstance(error, HTTPException) else None
    answer = _fault_page(
        request, status, "there is no such page" if status == 404 else str(getattr(error, "detail", ""))
    )
    answer.headers.update(headers or {})
    return answer


def _our_fault(request: Request, error: Exception) -> Response:
    """A bug: the server writes the trace-back on its terminal, never into a page."""
    return PlainTextResponse("a fault of the program; whoever runs it finds the reason on its terminal\n", 500)


def _came_from(request: Request) -> str:
    """The page that a form was on, if it is one of these pages; ``''`` of anything else."""
    referer = urlsplit(request.headers.get("referer", ""))
    if request.method != "POST" or referer.netloc != request.headers.get("host", ""):
        return ""
    return local_path(referer.path + (f"?{referer.query}" if referer.query else ""))


def _fault_page(request: Request, status: int, message: str) -> Response:
    answer = page("fault.html.j2", request, None, status=status, message=message, code=status, back=_came_from(request))
    answer.headers["HX-Push-Url"] = "false"  # the address bar stays where a reload is of use
    return answer

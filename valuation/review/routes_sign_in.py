"""Signing in by the shared link, signing out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from valuation.errors import InputError
from valuation.review.desk import NotFoundHere
from valuation.review.identity import COOKIE, DAYS, Identity
from valuation.review.pages import page
from valuation.review.session import Sent, local_path

if TYPE_CHECKING:
    from fastapi.responses import HTMLResponse

    from valuation.review.desk import Desk

router = APIRouter()


def _identity(request: Request) -> Identity:
    found: Identity = request.app.state.identity
    if not found.by_link:
        raise NotFoundHere("names come from the reverse proxy; there is nothing to sign in to")
    return found


@router.get("/sign-in", response_model=None)
def ask(request: Request, key: str = "", next: str = "/") -> HTMLResponse:  # noqa: A002 - the address's own word
    """Ask for a name; the link that `valuation review` prints carries the key."""
    identity = _identity(request)
    right = identity.is_secret(key)
    status = 200 if right or not key else 403
    back = local_path(next)
    return page(
        "sign_in.html.j2",
        request,
        None,
        status=status,
        key=key if right else "",
        next=back,
        given=key,
        name="",
        fault="",
    )


@router.post("/sign-in", response_model=None)
def enter(
    request: Request,
    key: Annotated[str, Form()] = "",
    name: Annotated[str, Form()] = "",
    next: Annotated[str, Form()] = "/",  # noqa: A002 - the form's own word
) -> Response:
    """Sign in."""
    identity = _identity(request)
    back = local_path(next)
    if not identity.is_secret(key):
        return page(
            "sign_in.html.j2", request, None, status=403, key="", next=back, given=key or "-", name=name, fault=""
        )
    try:
        desk: Desk = request.app.state.desk
        cookie = identity.cookie(desk.log.as_known(" ".join(name.split())))
    except InputError as error:
        return page(
            "sign_in.html.j2", request, None, status=422, key=key, next=back, given=key, name=name, fault=str(error)
        )
    answer = RedirectResponse(back, status_code=303)
    secure = request.url.scheme == "https"
    answer.set_cookie(COOKIE, cookie, max_age=DAYS * 86_400, httponly=True, samesite="lax", secure=secure)
    return answer


@router.post("/sign-out", response_model=None)
def leave(request: Request, analyst: Sent) -> Response:
    """Sign out."""
    answer = RedirectResponse("/sign-in", status_code=303)
    answer.delete_cookie(COOKIE, httponly=True, samesite="lax")
    return answer

"""What every route asks first: who is it, what do they work on, and is the form one of ours."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Form, Request

from valuation.errors import InputError
from valuation.review.desk import Desk
from valuation.review.identity import Analyst, Identity, same


class NotSignedIn(Exception):  # noqa: N818 - not an error: the page for signing in is shown
    """Nobody is signed in."""


def desk_of(request: Request) -> Desk:
    """Return the open workspace."""
    desk: Desk = request.app.state.desk
    return desk


def signed_in(request: Request) -> Analyst:
    """Return who is at the page.

    Raises
    ------
    NotSignedIn
        Nobody is.
    """
    identity: Identity = request.app.state.identity
    found = identity.of(request)
    if found is None:
        raise NotSignedIn
    return found


def own_form(analyst: Annotated[Analyst, Depends(signed_in)], csrf: Annotated[str, Form()] = "") -> Analyst:
    """Return who sent a form, if it is one of our pages' forms.

    Raises
    ------
    InputError
        It does not carry the analyst's own secret.
    """
    if not same(csrf, analyst.csrf):
        raise InputError("this form has expired or is not one of these pages; go back, reload and send it again")
    return analyst


Signed = Annotated[Analyst, Depends(signed_in)]
Sent = Annotated[Analyst, Depends(own_form)]
Open = Annotated[Desk, Depends(desk_of)]


def local_path(given: str) -> str:
    """Return a path on these pages; anything else, such as another site's address, becomes ``/``."""
    sound = given.startswith("/") and not given.startswith(("//", "/\\")) and given.isprintable() and "\\" not in given
    return given if sound else "/"

"""Templates and what they all need: who is at the page, where it lies, how figures are written."""

from __future__ import annotations

import hashlib
import secrets
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from fastapi.responses import HTMLResponse

from valuation.pipeline.explain import CAVEAT
from valuation.review.blind_text import visible_text
from valuation.review.figures import dollars, signed_dollars
from valuation.verdicts import VERDICTS

if TYPE_CHECKING:
    from fastapi import Request
    from jinja2 import Environment

    from valuation.review.identity import Analyst

STATIC = ("htmx.min.js", "review.css", "review.js")
WORDS = {
    "comparable": "Comparable",
    "session_larger": "Session larger",
    "session_smaller": "Session smaller",
    "wrong_kind": "Wrong kind",
    "cant_say": "Can't say",
}
MEANINGS = {
    "comparable": "about the same work: its price may stand for the session",
    "session_larger": "the same kind of work, but the session did clearly more",
    "session_smaller": "the same kind of work, but the session did clearly less",
    "wrong_kind": "other work",
    "cant_say": "the texts do not tell",
}


@cache
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    made = Environment(
        loader=PackageLoader("valuation.review", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals |= {
        "caveat": CAVEAT,
        "verdicts": VERDICTS,
        "words": WORDS,
        "meanings": MEANINGS,
        "dollars": dollars,
        "signed_dollars": signed_dollars,
        "address": address,
        "versions": _versions(),
        "nonce": lambda: secrets.token_hex(12),
    }
    made.filters |= {"share": share, "visible": lambda text: visible_text(str(text)), "figure": figure}
    return made


@cache
def _versions() -> dict[str, str]:
    """A hash of each static file: browsers may keep one until it changes."""
    folder = files("valuation.review").joinpath("static")
    return {name: hashlib.sha256(folder.joinpath(name).read_bytes()).hexdigest()[:12] for name in STATIC}


def address(path: str, /, **query: object) -> str:
    """An address on these pages; parts of the query that are None or empty are left out."""
    kept = [(name, str(value)) for name, value in query.items() if value not in (None, "")]
    return quote(path) + (f"?{urlencode(kept)}" if kept else "")


def share(value: float | None) -> str:
    """A share in [0, 1] as a percentage for people."""
    return "–" if value is None or value != value else f"{100 * value:.0f} %"  # noqa: PLR0124 - NaN


def figure(value: object) -> str:
    """A cell of a list: numbers to three significant figures, missing as a dash."""
    if value is None or value != value:  # noqa: PLR0124 - NaN
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"  # noqa: PLR2004
    return visible_text(str(value))


def page(
    template: str,
    request: Request,
    analyst: Analyst | None,
    /,
    *,
    status: int = 200,
    **content: Any,  # noqa: ANN401 - what templates show
) -> HTMLResponse:
    """Render a template as an answer; everything that is put into it is escaped."""
    text = (
        _environment().get_template(template).render(request=request, analyst=analyst, here=_here(request), **content)
    )
    return HTMLResponse(text.encode("utf-8", "replace"), status_code=status)


def _here(request: Request) -> str:
    """The page's own path and query."""
    return request.url.path + (f"?{request.url.query}" if request.url.query else "")

"""Who is at the page: by a signed cookie that the shared link gives, or by a reverse proxy's header."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

from itsdangerous import BadSignature, URLSafeTimedSerializer

from valuation.errors import InputError
from valuation.review.tokens import derived, link_secret
from valuation.verdicts.entries import check_analyst

if TYPE_CHECKING:
    from fastapi import Request

DAYS = 30
COOKIE = "valuation_review"


@dataclass(frozen=True, slots=True)
class Analyst:
    """Who is at the page.

    Attributes
    ----------
    name : str
    csrf : str
        What every form that changes something must carry.
    """

    name: str
    csrf: str


class Identity:
    """Signs in and recognises analysts.

    Parameters
    ----------
    key : bytes
        The workspace's.
    user_header : str
        Header in which a reverse proxy gives the name; ``''``: by link and cookie.
    """

    def __init__(self, key: bytes, *, user_header: str) -> None:
        self._key = key
        self._header = user_header
        self._signer = URLSafeTimedSerializer(derived(key, "cookie"), salt="analyst")

    @property
    def by_link(self) -> bool:
        """Whether analysts sign in by the shared link."""
        return not self._header

    def of(self, request: Request) -> Analyst | None:
        """Return the analyst who sent a request; None if nobody is signed in.

        Raises
        ------
        InputError
            The reverse proxy gives a name that may not stand for an analyst.
        """
        if self._header:
            given = request.headers.getlist(self._header)
            if len(given) != 1:  # none, or one that a client smuggled in beside the proxy's
                return None
            name = _as_utf8(given[0]).strip()
            return Analyst(check_analyst(name), self._csrf(f"header:{name}"))
        try:
            held = self._signer.loads(request.cookies.get(COOKIE, ""), max_age=DAYS * 86_400)
            return Analyst(check_analyst(str(held["name"])), self._csrf(str(held["session"])))
        except (BadSignature, InputError, KeyError, TypeError):
            return None

    def is_secret(self, given: str) -> bool:
        """Whether this is the secret of the shared link; takes equally long for any other."""
        return hmac.compare_digest(given.encode("utf-8", "replace"), link_secret(self._key).encode())

    def cookie(self, name: str) -> str:
        """Return the cookie of an analyst who came by the link.

        Raises
        ------
        InputError
            The name may not stand for an analyst.
        """
        held = {"name": check_analyst(" ".join(name.split())), "session": secrets.token_hex(16)}
        return str(self._signer.dumps(held))

    def _csrf(self, session: str) -> str:
        return hmac.new(derived(self._key, "forms"), session.encode(), hashlib.sha256).hexdigest()[:32]


def _as_utf8(header: str) -> str:
    """A header's text: proxies send UTF-8, which servers hand on as Latin-1."""
    try:
        return header.encode("latin-1").decode()
    except UnicodeError:
        return header


def same(given: str, expected: str) -> bool:
    """Compare secrets in constant time."""
    return hmac.compare_digest(given.encode("utf-8", "replace"), expected.encode())

"""Names of gigs on blind pages, which tell nothing of the gig, and other secrets derived from the workspace's key."""

from __future__ import annotations

import base64
import hashlib
import hmac
from functools import cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from valuation.errors import InputError

BLOCK = 64  # ids are padded to a multiple, so that a token's length does not tell the source


def derived(key: bytes, purpose: str) -> bytes:
    """Return 32 bytes for one purpose; without the workspace's key nobody can make them."""
    return hmac.new(key, f"review: {purpose}".encode(), hashlib.sha256).digest()


def link_secret(key: bytes) -> str:
    """Return the secret of the sign-in link: the same tomorrow, other in another workspace."""
    return derived(key, "sign-in link").hex()[:32]


@cache
def _cipher(key: bytes) -> AESSIV:
    return AESSIV(derived(key, "gig tokens") + derived(key, "gig tokens, second half"))


def gig_token(key: bytes, place: str, posting_id: str) -> str:
    """Hide a posting_id: deterministic, authenticated, and valid in one place only.

    Parameters
    ----------
    place : str
        Where it is valid, such as audit, session and analyst.
    """
    data = posting_id.encode("utf-8", "surrogatepass")
    padded = data + b"\x00" * (-len(data) % BLOCK or BLOCK)
    return base64.urlsafe_b64encode(_cipher(key).encrypt(padded, [place.encode()])).decode().rstrip("=")


def gig_of(key: bytes, place: str, token: str) -> str:
    """Return the posting_id behind a token.

    Raises
    ------
    InputError
        It was not made here, or not for this place.
    """
    try:
        data = base64.urlsafe_b64decode(token.encode("ascii") + b"=" * (-len(token) % 4))
        return _cipher(key).decrypt(data, [place.encode()]).rstrip(b"\x00").decode("utf-8", "surrogatepass")
    except (InvalidTag, ValueError, UnicodeError) as error:
        raise InputError("this gig is not one of this page's; reload the page and choose again") from error


def shuffled(key: bytes, place: str, ids: list[str]) -> list[str]:
    """Return `ids` in an order that depends on the place only and tells nothing of the order given."""
    secret = derived(key, f"order of {place}")
    return sorted(ids, key=lambda one: hmac.new(secret, one.encode("utf-8", "surrogatepass"), hashlib.sha256).digest())

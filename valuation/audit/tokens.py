"""Names of gigs and sessions that tell nothing: what stands for them in a file that leaves the workspace."""

from __future__ import annotations

import hashlib
import hmac
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

GIG_TOKEN = re.compile(r"gig-[0-9a-f]{24}")
SESSION_TOKEN = re.compile(r"session-[0-9a-f]{24}")


def gig_token(key: bytes, audit_id: str, session_id: str, posting_id: str) -> str:
    """Name a posting beside a session of an audit: HMAC-SHA256 with the workspace's key, so that it cannot be guessed.

    The same posting beside another session has another name.
    """
    return f"gig-{_told(key, 'gig', audit_id, session_id, posting_id)}"


def session_token(key: bytes, audit_id: str, session_id: str) -> str:
    """Name a session of an audit: an id may hold a date, or a tool's name."""
    return f"session-{_told(key, 'session', audit_id, session_id)}"


def gigs_by_token(key: bytes, audit_id: str, pairs: Iterable[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """Posting of each (session_id, token), for the pairs (session_id, posting_id) that can have been shown."""
    return {(session, gig_token(key, audit_id, session, posting)): posting for session, posting in pairs}


def sessions_by_token(key: bytes, audit_id: str, session_ids: Iterable[str]) -> dict[str, str]:
    """Session of each token."""
    return {session_token(key, audit_id, session): session for session in session_ids}


def _told(key: bytes, *parts: str) -> str:
    """24 hex digits; each part's length stands before it, so that no two lists of parts are told alike."""
    told = b"".join(f"{len(part.encode())}:".encode() + part.encode() for part in ("audit", *parts))
    return hmac.new(key, told, hashlib.sha256).hexdigest()[:24]

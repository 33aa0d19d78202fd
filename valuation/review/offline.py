"""The offline page of an audit: one file, no network, on which a sample is judged blind.

What is in the file is what the analyst may see: masked texts, opaque names, no price, date, link, similarity or source.
Texts lie in a block of JSON in which no character can end a script, and reach the page as text only.
"""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from valuation.audit.prices import gigs_beside, matches_of
from valuation.audit.tokens import gig_token, session_token
from valuation.pipeline.finished import read_manifest
from valuation.review.blind_text import mask_blind, visible_text
from valuation.review.cards import blind_card, split
from valuation.review.gigs import open_gigs
from valuation.review.match import place_of
from valuation.review.tokens import shuffled
from valuation.storage import read_key, read_sessions

if TYPE_CHECKING:
    from valuation.audit.opening import Audit
    from valuation.config import Settings
    from valuation.review.gigs import Gig
    from valuation.storage import Layout

PARTS = Path(__file__).parent / "offline_page"
VERSION = 2
"""Of the page's way to keep its progress: raise it when an older page's progress cannot be read."""


def offline_page(layout: Layout, settings: Settings, audit: Audit, analyst: str) -> str:
    """Make the page.

    Parameters
    ----------
    analyst : str
        Whose name stands on it already, and whose order of gigs it has; ``''`` for whoever opens it.

    Raises
    ------
    InputError
        The run's tables are damaged.
    """
    data = {
        "version": VERSION,
        "audit": audit.audit_id,
        "analyst": analyst,
        "sessions": _sessions(layout, settings, audit, analyst),
    }
    return filled(data)


def filled(data: dict[str, Any]) -> str:
    """Put data, style and script into the page's frame; the policy names the hashes of the last two."""
    style, script = (_read(name) for name in ("page.css", "page.js"))
    page = _read("page.html").replace("{{style_hash}}", _hash(style)).replace("{{script_hash}}", _hash(script))
    for name, part in (("style", style), ("script", script), ("data", in_script(data))):
        before, mark, after = page.partition(f"{{{{{name}}}}}")
        assert mark  # noqa: S101 - the frame is ours
        page = before + part + after
    return page


def in_script(data: dict[str, Any]) -> str:
    r"""JSON in which no text can end the script element that it stands in.

    >>> in_script({"a": "</script><!--"})
    '{"a": "\\u003c/script\\u003e\\u003c!--"}'
    """
    text = json.dumps(data, ensure_ascii=True, allow_nan=False)
    for sign in "<>&":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return text


def _read(name: str) -> str:
    return (PARTS / name).read_text(encoding="utf-8")


def _hash(part: str) -> str:
    """A source of the policy: the hash of an element's exact text."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(part.encode()).digest()).decode()}'"


def _sessions(layout: Layout, settings: Settings, audit: Audit, analyst: str) -> list[dict[str, Any]]:
    """What is shown of each session of the sample, in the order of work."""
    key, folder = read_key(layout), layout.runs / audit.run_id
    manifest = read_manifest(folder)
    wanted = list(audit.wanted)
    beside = gigs_beside(layout, folder, manifest, wanted, matches_of(folder, wanted), most=settings.review.gigs)
    store = open_gigs(layout, str(manifest["basket_id"]))
    try:
        gigs = store.get({one for some in beside.values() for one in some})
    finally:
        store.close()
    sessions = read_sessions(layout)
    mine = sessions[sessions["session_id"].isin(wanted)]
    summary = dict(zip(mine["session_id"], mine["summary"], strict=True))
    shown = []
    for session in wanted:
        ids = shuffled(key, place_of(audit.audit_id, session, analyst), beside[session])
        lead, rest = split(visible_text(mask_blind(summary.get(session, ""))))
        shown.append(
            {
                "id": session_token(key, audit.audit_id, session),
                "lead": lead,
                "rest": rest,
                "gigs": [_gig(gigs[one], gig_token(key, audit.audit_id, session, one)) for one in ids if one in gigs],
            }
        )
    return shown


def _gig(gig: Gig, token: str) -> dict[str, str]:
    card = blind_card(gig, token=token, number=0, mine=None)
    return {"id": token, "title": card.title, "lead": card.lead, "rest": card.rest, "skills": card.skills}

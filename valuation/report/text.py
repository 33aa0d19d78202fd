"""Untrusted text on its way into a page: what may stay of it, how much of it, and which links are links."""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import urlsplit

# Cc control, Cf format (bidi overrides, zero-width, soft hyphen, tags), Cs lone surrogates, Co private, Cn unassigned.
_DROPPED = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})
_COMBINING_RUN = 3  # more marks than that on one letter only serve to paint over the neighbouring lines


def clean(text: object) -> str:
    """Return `text` on one line without control, bidirectional, zero-width or unassigned characters.

    A missing value gives an empty string. Runs of white space become one space. Escaping is the template's work.
    """
    if not isinstance(text, str):
        return ""
    kept: list[str] = []
    marks = 0
    for character in text:
        category = unicodedata.category(character)
        marks = marks + 1 if category in ("Mn", "Me") else 0
        if character.isspace() or category in ("Zl", "Zp"):
            kept.append(" ")
        elif category not in _DROPPED and marks <= _COMBINING_RUN:
            kept.append(character)
    return " ".join("".join(kept).split())


def excerpt(text: object, length: int) -> str:
    """Return the first `length` characters of the cleaned text, cut at a word if one ends near, with an ellipsis."""
    # Cleaning only ever shortens runs, so a generous prefix is enough: a megabyte in a field costs nothing.
    whole = clean(text[: 20 * length] if isinstance(text, str) else text)
    if len(whole) <= length:
        return whole
    cut = whole[: length - 1]
    at_word = cut.rsplit(" ", 1)[0]
    return (at_word if len(at_word) > 0.8 * length else cut).rstrip() + "…"


def safe_url(url: object) -> str:
    """Return `url` if it is a plain http or https address, else an empty string."""
    if not isinstance(url, str) or clean(url) != url or " " in url or len(url) > 2000:
        return ""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return url if parts.scheme in ("http", "https") and parts.hostname and "@" not in parts.netloc else ""


def slug(text: object, length: int = 40) -> str:
    """Return `text` as part of a file's name: lower-case ASCII letters, digits and dashes, never empty.

    >>> slug("Kind x Agent/../")
    'kind-x-agent'
    """
    plain = unicodedata.normalize("NFKD", clean(text)).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain[:length]).strip("-") or "unnamed"

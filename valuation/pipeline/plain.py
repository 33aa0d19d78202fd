"""Untrusted text in one line of a terminal."""

from __future__ import annotations

import re

CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]+")


def plain(text: object, width: int) -> str:
    """One line of untrusted text: no control, bidirectional or zero-width characters, at most `width` characters."""
    clean = CONTROL.sub(" ", "" if text is None or text != text else str(text)).strip()  # noqa: PLR0124 - NaN
    return clean if len(clean) <= width else clean[: width - 1] + "…"

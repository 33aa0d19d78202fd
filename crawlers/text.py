"""HTML to text, and dates as sources write them: the two cleanings that lean on a library."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from crawlers.dates import parse_date, parse_epoch

# nothing in here may look past the next "<": a text of "<a<a<a" would take hours
_TAG = re.compile(r"<[a-zA-Z!/][^<>]*>|&(?:#\d+|#x[0-9a-fA-F]+|[a-zA-Z]{2,32});")
_DATED = re.compile(r"(?=.*(?<!\d)\d{1,2}(?!\d))(?=.*(?<!\d)(?:19|20)\d\d(?!\d))(?=.*[^\W\d])")  # a day, a year, a word
_AGED = re.compile(r"(?=.*\d)(?:\D{0,12}\s)?\d{1,4}\s\w{1,12}(?:\s\w{1,12}){0,2}$|(?:just )?\w{3,12}$")
LONGEST_DATE = 60  # characters; a longer text is no date


def plain_text(markup: str | None) -> str | None:
    r"""Text of an HTML fragment: tags and scripts removed, paragraphs and line breaks kept; plain text stays.

    >>> plain_text("<p>Fix it</p><p>for <b>$250</b><script>alert(1)</script></p>")
    'Fix it\n\nfor $250'
    >>> plain_text("a < b and 1 > 0"), plain_text("  ")
    ('a < b and 1 > 0', None)
    """
    if markup is None:
        return None
    markup = markup.encode("utf-8", "ignore").decode()  # half a character, as JSON can hold, breaks the parser
    if not _TAG.search(markup):
        return markup.strip() or None
    import html_text

    found: str = html_text.extract_text(markup)
    return found.strip() or None


def read_time(value: object, *, zone: str = "UTC", seen_at: datetime | None = None) -> datetime | None:
    """Time that a source states: ISO and other written dates, Unix stamps, ages ("3 days ago"); else None.

    Parameters
    ----------
    value : object
        Text or number.
    zone : str
        IANA zone of texts that state none.
    seen_at : datetime, optional
        When the source was asked: what ages are counted back from. None: ages give nothing.

    >>> read_time("2026-03-05T12:00:00+02:00").hour, read_time(1772700000).year, read_time("soon")
    (10, 2026, None)
    """
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return parse_epoch(float(value)) if abs(value) < 1e20 else None
    if not isinstance(value, str) or not value.strip() or len(value) > LONGEST_DATE:
        return None
    text = value.strip()
    if re.fullmatch(r"\d{9,20}", text):
        return parse_epoch(float(text))
    return parse_date(text, zone=ZoneInfo(zone)) or _with_dateparser(text, zone, seen_at)


def _with_dateparser(text: str, zone: str, seen_at: datetime | None) -> datetime | None:
    """Dates in other languages, and ages; only texts that name a whole date."""
    import dateparser

    settings = {
        "TIMEZONE": zone,
        "TO_TIMEZONE": "UTC",
        "RETURN_AS_TIMEZONE_AWARE": True,
        "REQUIRE_PARTS": ["day", "month", "year"],
        "PARSERS": ["absolute-time"] if seen_at is None else ["relative-time", "absolute-time"],
        "STRICT_PARSING": True,
    }
    if seen_at is not None:
        settings["RELATIVE_BASE"] = seen_at.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    if not _DATED.search(text) and (seen_at is None or not _AGED.match(text)):
        return None  # dateparser takes its time over anything
    found: datetime | None = dateparser.parse(text, settings=settings)
    return found.astimezone(UTC) if found is not None and 1995 <= found.year <= 2200 else None

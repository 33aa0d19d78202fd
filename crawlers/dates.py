"""Dates as sources write them -> UTC, or nothing. A date that can be read two ways gives nothing.

>>> parse_date("2024-03-05T12:00:00+02:00")
datetime.datetime(2024, 3, 5, 10, 0, tzinfo=datetime.timezone.utc)
>>> parse_date("05/03/2024") is None  # March or May?
True
>>> parse_date("05/03/2024", day_first=True).month
3
>>> parse_age("Posted 22 minutes ago")
datetime.timedelta(seconds=1320)
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Literal

_MONTHS = {
    1: "january jan januar januari janvier janv enero ene gennaio gen janeiro styczeń",
    2: "february feb februar februari février févr fevrier febrero febbraio febbr fevereiro fev",
    3: "march mar märz maerz maart mars marzo março marco mrz mrt",
    4: "april apr avril avr abril abr aprile",
    5: "may mai mei mayo maggio mag maio",
    6: "june jun juni juin junio giugno giu junho",
    7: "july jul juli juillet juil julio luglio lug julho",
    8: "august aug augustus août aout agosto ago",
    9: "september sep sept septembre septiembre settembre set setembro",
    10: "october oct oktober okt octobre octubre ottobre ott outubro out",
    11: "november nov novembre noviembre novembro",
    12: "december dec dezember dez décembre déc decembre diciembre dic dicembre dezembro",
}
MONTH_NUMBERS = {name: number for number, names in _MONTHS.items() for name in names.split()}

_TIME = (
    r"(?:(?:[T\s,]|\s?(?:at|um|à)\s)\s*(?P<hour>\d{1,2})(?::(?P<minute>\d{2})(?::(?P<second>\d{2})"
    r"(?:[.,](?P<fraction>\d{1,9}))?)?)?\s?(?P<half>[AaPp]\.?[Mm]\.?)?)?"
)
_ZONE = r"\s?(?P<zone>Z|z|UTC|GMT|[+-]\d{2}:?(?:\d{2})?)?(?:\s?\((?:UTC|GMT)\))?"
_ISO = re.compile(rf"(?P<year>\d{{4}})([-/.])(?P<month>\d{{1,2}})\2(?P<day>\d{{1,2}}){_TIME}{_ZONE}")
_COMPACT = re.compile(rf"(?P<year>(?:19|20)\d{{2}})(?P<month>\d{{2}})(?P<day>\d{{2}}){_TIME}{_ZONE}")
_PARTS = re.compile(rf"(?P<first>\d{{1,2}})([-/.])(?P<second_part>\d{{1,2}})\2(?P<year>\d{{4}}|\d{{2}}){_TIME}{_ZONE}")
_WEEKDAY = r"(?:[^\W\d_]{2,10}\.?,?\s+)?"
_NAME = r"(?P<name>[^\W\d_]{3,10})\.?"
_DAY_NAME = re.compile(
    rf"{_WEEKDAY}(?P<day>\d{{1,2}})(?:st|nd|rd|th|\.)?[\s-](?:de\s|of\s)?{_NAME},?[\s-](?:de\s)?(?P<year>\d{{4}}){_TIME}{_ZONE}"
)
_NAME_DAY = re.compile(rf"{_WEEKDAY}{_NAME}\s(?P<day>\d{{1,2}})(?:st|nd|rd|th)?,?\s(?P<year>\d{{4}}){_TIME}{_ZONE}")
_MONTH_ONLY = re.compile(r"(?P<year>\d{4})-(?P<month>\d{2})")
_AGE = re.compile(
    r"\b(?P<n>\d{1,4}|an?|one)\s?(?P<unit>seconds?|secs?|s|minutes?|mins?|m|hours?|hrs?|h|days?|d|weeks?|w|months?|mo"
    r"|years?|yrs?|y)\s+ago\b",
    re.IGNORECASE,
)
_UNIT_SECONDS = {"s": 1, "mi": 60, "m": 60, "h": 3600, "d": 86400, "w": 604800, "mo": 2629746, "y": 31556952}
_EPOCH_UNITS = ((1e8, 1e11, 1.0), (1e11, 1e14, 1e3), (1e14, 1e17, 1e6), (1e17, 1e20, 1e9))


def parse_date(text: str, *, day_first: bool | None = None, zone: tzinfo = UTC) -> datetime | None:
    """Return the date and time that `text` states, in UTC with microseconds.

    Parameters
    ----------
    text : str
        The whole text must be a date; words around it give nothing.
    day_first : bool, optional
        How "03/04/2024" is meant. None: only dates that cannot be read otherwise ("25/12/2024") are read.
    zone : tzinfo
        Zone of texts that state none.

    >>> parse_date("Fri, 05 Jan 2024 10:00:00 +0000") == parse_date("January 5th, 2024 10:00 AM")
    True
    >>> parse_date("2024"), parse_date("13/13/2024")
    (None, None)
    """
    clean = " ".join(text.split())
    for pattern in (_ISO, _COMPACT, _DAY_NAME, _NAME_DAY):
        if match := pattern.fullmatch(clean):
            return _assemble(match, _month(match), int(match["day"]), int(match["year"]), zone)
    if match := _PARTS.fullmatch(clean):
        return _from_parts(match, day_first, zone)
    if match := _MONTH_ONLY.fullmatch(clean):
        return _assemble(match, int(match["month"]), 1, int(match["year"]), zone)
    return None


def day_first_evidence(text: str) -> Literal["day", "month", "either", "none"]:
    """Say how a text shows the order of day and month: ``either`` is the ambiguous case, as are two-digit years.

    >>> [day_first_evidence(t) for t in ("25/12/2024", "12/25/2024", "03/04/2024", "2024-03-04", "03/03/2024")]
    ['day', 'month', 'either', 'none', 'none']
    """
    match = _PARTS.fullmatch(" ".join(text.split()))
    if not match:
        return "none"
    first, second = int(match["first"]), int(match["second_part"])
    if len(match["year"]) == 2:
        return "either"  # 13/01/24 may as well be 24 January 2013
    if first > 12 or second > 12:
        return "none" if first > 12 and second > 12 else "day" if first > 12 else "month"
    return "none" if first == second else "either"


def parse_age(text: str) -> timedelta | None:
    """Return how long ago a text says something was; open ages ("30+ days ago") and vague ones give nothing.

    >>> parse_age("2d ago"), parse_age("yesterday"), parse_age("30+ days ago"), parse_age("last month")
    (datetime.timedelta(days=2), datetime.timedelta(days=1), None, None)
    """
    clean = " ".join(text.split())
    word = clean.lower().removeprefix("posted").strip(" :")
    if word in ("yesterday", "just now", "today"):
        return timedelta(days=1) if word == "yesterday" else timedelta()
    found = list(_AGE.finditer(clean))
    if len(found) != 1:
        return None
    match = found[0]
    count = int(match["n"]) if match["n"].isdigit() else 1
    unit = match["unit"].lower()
    seconds = _UNIT_SECONDS.get(unit[:2]) or _UNIT_SECONDS[unit[0]]
    return timedelta(seconds=count * seconds)


def parse_epoch(value: float) -> datetime | None:
    """Return the time of a Unix stamp in seconds, milliseconds, micro- or nanoseconds; from March 1973 on.

    >>> parse_epoch(1704448800) == parse_epoch(1704448800000)
    True
    >>> parse_epoch(45000) is None
    True
    """
    for low, high, scale in _EPOCH_UNITS:
        if low <= value < high:
            return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=round(value / scale * 1e6))
    return None


def _from_parts(match: re.Match[str], day_first: bool | None, zone: tzinfo) -> datetime | None:
    """Read "25/12/2024" and its like; two-digit years only where the order is settled."""
    first, second = int(match["first"]), int(match["second_part"])
    shown = first > 12 if (first > 12) != (second > 12) else None
    order = shown if shown is not None else True if first == second and len(match["year"]) == 4 else day_first
    if len(match["year"]) == 2:
        order = day_first if shown is None or shown == day_first else None
    if order is None:
        return None
    year = int(match["year"]) + (2000 if len(match["year"]) == 2 else 0)
    day, month = (first, second) if order else (second, first)
    return _assemble(match, month, day, year, zone)


def _month(match: re.Match[str]) -> int:
    """Month number of a match, 0 for an unknown name."""
    groups = match.groupdict()
    return int(groups["month"]) if groups.get("month") else MONTH_NUMBERS.get(groups["name"].lower(), 0)


def _assemble(match: re.Match[str], month: int, day: int, year: int, zone: tzinfo) -> datetime | None:
    """Put date, time and zone together; an impossible date is None."""
    groups = match.groupdict()
    hour = int(groups.get("hour") or 0)
    if half := groups.get("half"):
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if half[0] in "pP" else 0)
    elif groups.get("hour") and not groups.get("minute"):
        return None
    micro = int((groups.get("fraction") or "").ljust(6, "0")[:6] or 0)
    try:
        local = datetime(
            year, month, day, hour, int(groups.get("minute") or 0), int(groups.get("second") or 0), micro,
            _zone(groups.get("zone")) or zone,
        )  # fmt: skip
        return local.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _zone(text: str | None) -> tzinfo | None:
    """Fixed offset of "+02:00", UTC of "Z"."""
    if not text:
        return None
    if text[0] not in "+-":
        return UTC
    minutes = int(text[1:3]) * 60 + int(text[3:].strip(":") or 0)
    return timezone(timedelta(minutes=-minutes if text[0] == "-" else minutes))

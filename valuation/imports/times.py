"""Columns of dates -> UTC times with the quality of each."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import TYPE_CHECKING, Literal
from zoneinfo import ZoneInfo

import pandas as pd

from crawlers.dates import day_first_evidence, parse_age, parse_date, parse_epoch
from valuation.errors import InputError
from valuation.imports.cells import missing, number_of

if TYPE_CHECKING:
    from valuation.imports.mapping import Options
    from valuation.imports.raw import Cell

Form = Literal["absolute", "age", "missing", "bad"]
EARLIEST = datetime(1995, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Times:
    """A column of times.

    Attributes
    ----------
    at : Series of datetime64[us, UTC], shape (n,)
        NaT where missing or unreadable.
    form : Series of str, shape (n,)
        ``absolute``, ``age`` (counted back from the crawl), ``missing`` or ``bad``.
    """

    at: pd.Series[pd.Timestamp]
    form: pd.Series[str]


def read_times(cells: pd.Series, *, options: Options, crawled_at: pd.Series | None, file: str, column: str) -> Times:
    """Read a column of dates, ages or Unix stamps.

    Parameters
    ----------
    cells : Series of object, shape (n,)
        As the file gives them.
    crawled_at : Series of datetime64[us, UTC], shape (n,), or None
        What ages count back from.

    Raises
    ------
    InputError
        Day and month can be read either way in the whole column, or ages have nothing to count from; the message holds
        the line of a mapping that is missing.
    """
    day_first = _day_first(cells, options, file, column)
    zone: tzinfo = ZoneInfo(options.timezone) if options.timezone else UTC
    known: dict[object, tuple[datetime | None, timedelta | None]] = {}
    at: list[datetime | None] = []
    form: list[Form] = []
    origin = None if crawled_at is None else [None if value is pd.NaT else value for value in crawled_at]
    for row, cell in enumerate(cells):
        key = (type(cell), cell)
        if key not in known:
            known[key] = _read(cell, day_first, zone)
        moment, age = known[key]
        if age is not None:
            start = _origin(origin, file, column)[row]
            moment = None if start is None else start - age
        at.append(moment)
        form.append("missing" if missing(cell) else "bad" if moment is None else "absolute" if age is None else "age")
    return Times(utc_series(at), pd.Series(form, dtype="str"))


def utc_series(values: list[datetime | None]) -> pd.Series:
    """Column of UTC times with microseconds; None becomes NaT."""
    return pd.Series(pd.to_datetime(pd.Series(values, dtype=object), utc=True)).astype("datetime64[us, UTC]")


def utc(value: datetime | date, zone: tzinfo = UTC) -> datetime:
    """A date, or a time with or without a zone, in UTC; a date is its first moment."""
    moment = value if isinstance(value, datetime) else datetime(value.year, value.month, value.day)
    return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)


def _read(cell: Cell, day_first: bool | None, zone: tzinfo) -> tuple[datetime | None, timedelta | None]:
    """A moment, or an age, or neither."""
    if missing(cell) or isinstance(cell, bool):
        return None, None
    if isinstance(cell, (datetime, date)):
        return _plausible(utc(cell.to_pydatetime(warn=False) if isinstance(cell, pd.Timestamp) else cell, zone)), None
    number = number_of(cell)
    whole = number is not None and abs(number) < 1e19 and number.is_integer()
    text = str(int(number)) if number is not None and whole else str(cell).strip()
    moment = parse_date(text, day_first=day_first, zone=zone)
    if moment is None and text.replace(".", "", 1).isdigit():
        moment = parse_epoch(float(text))
    if moment is None and number is None:
        return None, parse_age(text)
    return _plausible(moment), None


def _plausible(moment: datetime | None) -> datetime | None:
    return moment if moment is not None and moment >= EARLIEST else None


def _day_first(cells: pd.Series, options: Options, file: str, column: str) -> bool | None:
    """Order of day and month: the mapping's, else what some value of the column shows."""
    if options.day_first is not None:
        return options.day_first
    shown = {day_first_evidence(text) for text in {cell for cell in cells if isinstance(cell, str)}}
    if "either" not in shown and not {"day", "month"} <= shown:
        return None if not shown & {"day", "month"} else "day" in shown
    if len(shown & {"day", "month"}) == 1:
        return "day" in shown
    raise InputError(
        f"{file}: column {column!r}: day and month can be read either way; write one line under [options] in a "
        "mapping: day_first = true or day_first = false"
    )


def _origin(crawled_at: list[datetime | None] | None, file: str, column: str) -> list[datetime | None]:
    if crawled_at is None:
        raise InputError(
            f"{file}: column {column!r} holds ages such as '2 days ago'; write the time they count from under "
            "[constants] in a mapping: crawled_at = 2026-01-31T00:00:00Z (the time of the crawl)"
        )
    return crawled_at

"""What a list of sessions is asked for: read from a page's address, and written back into one."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from valuation.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

PAGE_ROWS = 50
MOST_FILTERS = 40
_PAGE = re.compile(r"[1-9]\d{0,7}", re.ASCII)
VERDICT_FILTERS = ("", "none", "any", "mine", "not_mine")
QUEUES: dict[str, tuple[str, bool, str]] = {
    "all": ("session_id", False, "all sessions"),
    "uncertain": ("typical_width", True, "widest typical bands first"),
    "outliers": ("deviation", True, "furthest from the median of their month first, either way"),
    "unmatched": ("similarity_max", True, "without a value, nearest to one first"),
    "mine": ("session_id", False, "sessions that you have judged"),
}
"""Queue: the column it is ordered by, whether largest first, and what it is."""


@dataclass(frozen=True, slots=True)
class Query:
    """Filters, order and page of a list.

    Attributes
    ----------
    queue : str
        One of `QUEUES`.
    equal : tuple of (column, values)
        Sessions whose column is one of the values, as text; ``''`` is missing.
    least, most : tuple of (column, number)
        Ends of ranges, both included.
    words : str
        Every one of them must stand in the summary.
    verdicts : str
        One of `VERDICT_FILTERS`.
    sort : str
        Column; ``''``: the queue's own order.
    descending : bool
    page : int
        From 1.
    """

    queue: str = "all"
    equal: tuple[tuple[str, tuple[str, ...]], ...] = ()
    least: tuple[tuple[str, float], ...] = ()
    most: tuple[tuple[str, float], ...] = ()
    words: str = ""
    verdicts: str = ""
    sort: str = ""
    descending: bool = False
    page: int = 1

    def with_(self, **changes: object) -> Query:
        """Return a changed copy on the first page, unless the page is what changes."""
        return replace(self, **({"page": 1} | changes))  # type: ignore[arg-type]

    def toggled(self, column: str, value: str) -> Query:
        """Return the query with a facet's value switched on or off."""
        now = dict(self.equal)
        values = set(now.pop(column, ()))
        values ^= {value}
        if values:
            now[column] = tuple(sorted(values))
        return self.with_(equal=tuple(sorted(now.items())))

    def chosen(self, column: str) -> tuple[str, ...]:
        """Values that a column is filtered by."""
        return dict(self.equal).get(column, ())

    def address(self) -> str:
        """Return the part of an address after ``?``; equal queries give the same one."""
        pairs = [] if self.queue == "all" else [("queue", self.queue)]
        pairs += [(f"is.{column}", value) for column, values in self.equal for value in values]
        pairs += [(f"min.{column}", repr(value).removesuffix(".0")) for column, value in self.least]
        pairs += [(f"max.{column}", repr(value).removesuffix(".0")) for column, value in self.most]
        named = {"words": self.words, "verdicts": self.verdicts, "sort": self.sort}
        pairs += [(name, value) for name, value in named.items() if value]
        pairs += [("order", "desc")] if self.sort and self.descending else []
        pairs += [("page", str(self.page))] if self.page > 1 else []
        return urlencode(pairs)


def read_query(pairs: Iterable[tuple[str, str]], columns: Mapping[str, str]) -> Query:
    """Read a query from an address's name-value pairs; names that are none of a list's are left to others.

    Parameters
    ----------
    columns : mapping of str to str
        Kinds of the columns there are: ``number``, ``text``, ``flag`` or ``time``.

    Raises
    ------
    InputError
        A column that is not there, a number that is none, an unknown queue; naming what was expected.
    """
    equal: dict[str, set[str]] = {}
    ends: dict[str, dict[str, float]] = {"min": {}, "max": {}}
    plain: dict[str, str] = {}
    count = 0
    for name, value in pairs:
        kind, dot, column = name.partition(".")
        count += bool(value) or kind == "is"  # a form sends its empty fields, too
        if count > MOST_FILTERS:
            raise InputError(f"more than {MOST_FILTERS} parts in the address of a list; leave some filters out")
        if not dot or kind not in ("is", "min", "max"):
            plain[name] = value
        elif column not in columns:
            raise InputError(f"no column {column[:40]!a} to filter by; columns are {', '.join(columns)}")
        elif kind == "is":
            equal.setdefault(column, set()).add(value)
        elif value.strip():
            ends[kind][column] = _number(name, value, columns[column])
    return Query(
        queue=_one_of("queue", plain.get("queue", "all") or "all", tuple(QUEUES)),
        equal=tuple(sorted((column, tuple(sorted(values))) for column, values in equal.items())),
        least=tuple(sorted(ends["min"].items())),
        most=tuple(sorted(ends["max"].items())),
        words=plain.get("words", "")[:200].strip(),
        verdicts=_one_of("verdicts", plain.get("verdicts", ""), VERDICT_FILTERS),
        sort=_one_of("sort", plain.get("sort", ""), ("", *columns)),
        descending=_one_of("order", plain.get("order", "") or "asc", ("asc", "desc")) == "desc",
        page=_page(plain.get("page", "1")),
    )


def _number(name: str, value: str, kind: str) -> float:
    if kind != "number":
        raise InputError(f"{name[:40]}: a range needs a column of numbers")
    try:
        found = float(value.replace(",", "")) if value.isascii() and "_" not in value else math.nan
    except ValueError:
        found = math.nan
    if not math.isfinite(found):
        raise InputError(f"{name[:40]} = {value[:20]!a}: expected a number")
    return found


def _one_of(name: str, value: str, known: tuple[str, ...]) -> str:
    if value not in known:
        raise InputError(f"{name} {value[:40]!a}: expected one of {', '.join(one or 'nothing' for one in known)}")
    return value


def _page(text: str) -> int:
    if not _PAGE.fullmatch(text):
        raise InputError(f"page {text[:20]!a}: expected a number from 1 to 99,999,999")
    return int(text)

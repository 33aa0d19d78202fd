"""Listings that show no more than so many records a question: which slices by time to ask for, and when pages lie.

A listing that announces more records than its cap is halved by time until each part fits. All of it is plain data: a
`Cursor` travels with its request, so that a callback needs nothing but its response.
"""

from __future__ import annotations

import dataclasses
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from crawlers.fields import ShapeFault

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

TOLERATED = 2  # records that a listing may lack at its end, or
TOLERATED_SHARE = 0.02  # this share of what it announced, if that is more


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where the reading of one slice of a listing stands.

    Attributes
    ----------
    start, end : int
        Unix seconds, UTC; both belong to the slice.
    page : int
        As the source counts: from 0 or from 1.
    seen : int
        Records on the pages before this one.
    mark : str
        `page_mark` of the page before this one; ``''`` on the first.
    width : int
        Records on the longest page before this one: what a server shows at once that shows fewer than asked for.
    announced : int
        The most records that a page before this one announced: a page past the last may announce none.
    parent : int
        Records that the slice announced of which this is a half; 0: it is no half.
    later : (int, int) or None
        The later half, to be asked for once this one, the earlier, has been answered.
    earlier : (int, int, int) or None
        Ends and announced records of the earlier half, which waits for what this one, the later, announces.
    """

    start: int
    end: int
    page: int
    seen: int = 0
    mark: str = ""
    width: int = 0
    announced: int = 0
    parent: int = 0
    later: tuple[int, int] | None = None
    earlier: tuple[int, int, int] | None = None

    def to_json(self) -> dict[str, Any]:
        """As plain JSON values, for a request's ``cb_kwargs``."""
        data = dataclasses.asdict(self)
        return data | {key: list(data[key]) for key in ("later", "earlier") if data[key]}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Cursor:
        """Read what `to_json` wrote, after any number of trips through JSON.

        >>> Cursor.from_json(Cursor(0, 9, 1, later=(10, 19)).to_json()) == Cursor(0, 9, 1, later=(10, 19))
        True
        """
        halves = {key: tuple(data[key]) if data[key] else None for key in ("later", "earlier")}
        return cls(**{**data, **halves})


@dataclass(frozen=True, slots=True)
class Step:
    """What to do with one page.

    Attributes
    ----------
    read : bool
        Read its records; False: they come again in smaller slices, or came before.
    slices : tuple of Cursor
        First pages to ask for.
    next : Cursor or None
        The next page of the same slice.
    faults : tuple of str
        What cannot be reached, with numbers.
    """

    read: bool
    slices: tuple[Cursor, ...] = ()
    next: Cursor | None = None
    faults: tuple[str, ...] = ()


def expect_keys(items: Iterable[object], where: str, keys: Sequence[str | tuple[str, ...]]) -> None:
    """Check that a documented key is on the page: missing from every record, it has been renamed or taken away.

    Parameters
    ----------
    items : iterable
        Records of a page; those that are no objects are passed over.
    where : str
        Path of the records, for the message.
    keys : sequence
        Keys, or tuples of which one will do.

    Raises
    ------
    ShapeFault
        No record has it.

    >>> expect_keys([{"title": None}, {}], "$.items[*]", ["title", ("body", "text")])
    Traceback (most recent call last):
    crawlers.fields.ShapeFault: $.items[*]: expected an object with the key body or text, got an object with keys title
    """
    objects = [item for item in items if isinstance(item, dict)]
    for key in keys:
        names = (key,) if isinstance(key, str) else key
        if objects and not any(name in one for one in objects for name in names):
            raise ShapeFault(where, f"an object with the key {' or '.join(names)}", objects[0])


def page_mark(ids: Iterable[object]) -> str:
    """Short mark of the ids of a page: equal for a page that repeats.

    >>> page_mark([1, 2]) == page_mark([1, 2]), page_mark([1, 2]) == page_mark([2, 1])
    (True, False)
    """
    return hashlib.sha256(repr([str(one)[:100] for one in ids]).encode("utf-8", "replace")).hexdigest()[:16]


def is_full(count: int, size: int, width: int) -> bool:
    """Whether a page may have cut something off: as long as was asked for, or as the longest page before it.

    Parameters
    ----------
    count : int
        Records on the page.
    size : int
        Records asked for at once.
    width : int
        Records on the longest page before; 0: it is the first.

    >>> is_full(100, 100, 0), is_full(99, 100, 0), is_full(30, 100, 30), is_full(0, 100, 0)
    (True, False, True, False)
    """
    return 0 < min(size, width or size) <= count


def ends_early(announced: int, came: int) -> bool:
    """Whether a listing that has ended kept records back: records come and go while pages are read, but few.

    Parameters
    ----------
    announced : int
        Records that can be reached, as its pages say.
    came : int
        Records on its pages.

    >>> ends_early(9, 7), ends_early(9, 6), ends_early(900, 882), ends_early(900, 881), ends_early(1, 0)
    (False, True, False, True, True)
    """
    missing = announced - came
    return missing > max(TOLERATED, TOLERATED_SHARE * announced) or (missing > 0 and came == 0)


def step(cursor: Cursor, total: int, ids: list[object], *, cap: int, size: int, linked: bool = False) -> Step:
    """Decide what follows one page of a listing.

    Parameters
    ----------
    cursor : Cursor
        Of the page.
    total : int
        Records that the page announces for its slice.
    ids : list
        Ids of the records on the page.
    cap : int
        Records of a slice that the source shows, whatever the page.
    size : int
        Records asked for at once.
    linked : bool
        The page itself names a next one: reason to ask for it even if all announced records have been seen. So is a
        full page: announced totals may be too low.

    >>> half = step(Cursor(0, 99, 1), 1500, [1, 2], cap=1000, size=2).slices[0]
    >>> half.start, half.end, half.later
    (0, 49, (50, 99))
    >>> step(Cursor(0, 99, 1), 3, [1, 2], cap=1000, size=2).next.page
    2
    """
    divided = _divide(cursor, total, cap) if not cursor.mark else Step(True)
    if not divided.read:
        return divided
    mark = page_mark(ids)
    announced = max(total, cursor.announced)
    if ids and mark == cursor.mark:
        if cursor.seen == announced and not linked:  # asked for on the mere suspicion that there are more
            return Step(False)
        return Step(False, faults=(f"page {cursor.page} repeats the page before it: no page after it was read",))
    seen = cursor.seen + len(ids)
    if ids and seen < cap and (linked or seen < announced or is_full(len(ids), size, cursor.width)):
        width = max(len(ids), cursor.width)
        onward = Cursor(cursor.start, cursor.end, cursor.page + 1, seen, mark, width, announced)
        return dataclasses.replace(divided, next=onward)
    if ends_early(min(announced, cap), seen):
        lack = f"{announced} records are announced, {seen} came: the pages end early"
        return dataclasses.replace(divided, faults=(*divided.faults, lack))
    return divided


def _divide(cursor: Cursor, total: int, cap: int) -> Step:
    """Decide from the first page of a slice whether to read the slice, or to ask for its halves.

    Halves that announce as much as the whole show a server that ignores dates; halving would never end. One such half
    alone shows nothing (all records may lie in it), so the earlier half waits for what the later one announces.
    """
    if cursor.earlier and 2 * (cursor.earlier[2] + total) > 3 * cursor.parent:
        return Step(True, faults=(
            f"both halves of a slice of {cursor.parent} records announce as many ({cursor.earlier[2]} and {total}): "
            f"the server ignores the dates asked for, records after the first {cap} are out of reach",
        ))  # fmt: skip
    if cursor.later and cursor.start < cursor.end and total > cap and 4 * total > 3 * cursor.parent:
        waiting = (cursor.start, cursor.end, total)
        return Step(False, (_first(cursor, *cursor.later, parent=cursor.parent, earlier=waiting),))
    asked = [_earlier_half(cursor, *cursor.earlier)] if cursor.earlier else []
    if cursor.later:
        asked.append(_first(cursor, *cursor.later, parent=cursor.parent))
    if total <= cap:
        return Step(True, tuple(asked))
    if cursor.start >= cursor.end:
        lost = f"{total} records within one second, the source shows {cap}: {total - cap} are out of reach"
        return Step(True, tuple(asked), faults=(lost,))
    return Step(False, (*asked, _earlier_half(cursor, cursor.start, cursor.end, total)))


def _earlier_half(cursor: Cursor, start: int, end: int, total: int) -> Cursor:
    middle = (start + end) // 2
    return _first(cursor, start, middle, parent=total, later=(middle + 1, end))


def _first(
    cursor: Cursor,
    start: int,
    end: int,
    *,
    parent: int,
    later: tuple[int, int] | None = None,
    earlier: tuple[int, int, int] | None = None,
) -> Cursor:
    """First page of another slice of the same listing; only a first page's cursor is divided."""
    return Cursor(start, end, cursor.page, parent=parent, later=later, earlier=earlier)


def day_after(moment: float) -> int:
    """Midnight, UTC, at or after a time in Unix seconds, one day on.

    The open end of a crawl's first slice: later than all that exists, and the same whenever a crawl is resumed on the
    same day, so that pages already read are not asked for again.

    >>> day_after(86400.0), day_after(86401.0)
    (172800, 172800)
    """
    return (int(moment) // 86400 + 1) * 86400

"""Hacker News through Algolia: monthly threads, comments, tags, numeric filters, the cap of 1,000 hits, item trees."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from functools import lru_cache

from crawlers.replay.draws import Draw, mix
from crawlers.replay.exchange import Answer, Ask, Record, Truth, View
from crawlers.replay.jobs import Job, job_at, nasty, truth_of
from crawlers.replay.quotes import Quote, free_text
from crawlers.replay.words import PEOPLE
from crawlers.replay.world import ENDLESS, NEW_LAST, World, between, epoch, iso, part

CAP = 1000
TIME = "created_at_i"
_MONTHS = tuple(epoch(2025 + month // 12, 1 + month % 12, 1, 15) for month in range(10, 22))
_THREADS = ("Freelancer? Seeking freelancer?", "Who is hiring?", "Who wants to be hired?")
_TIME = "%Y-%m-%dT%H:%M:%S.000Z"
_STORY, _COMMENT = 45_800_000, 46_000_000


def handle(ask: Ask, view: View) -> Answer | None:
    """Answer an Algolia request; None where the path is not its."""
    if ask.path in ("/api/v1/search_by_date", "/api/v1/search"):
        return _search(ask, view, by_date=ask.path.endswith("by_date"))
    found = re.fullmatch(r"/api/v1/items/(\d+)", ask.path)
    return _item(view, int(found[1])) if found else None


@lru_cache(maxsize=32)
def stories(world: World) -> list[tuple[int, int, str]]:
    """Id, time and title of every monthly thread, oldest first."""
    last = NEW_LAST if world.edition == 2 else epoch(2026, 9, 30)
    found = []
    for month, time in enumerate(_MONTHS):
        if time <= last:
            shown = iso(time, "%B %Y")
            found += [
                (_STORY + month * 10 + kind, time + kind, f"Ask HN: {title} ({shown})")
                for kind, title in enumerate(_THREADS)
            ]
    return found


def story_of(world: World, number: int) -> int:
    """Thread that a comment is in: one in twenty is in another than the freelancers'."""
    month = max(bisect_right(_MONTHS, world.created(number)) - 1, 0)
    kind = 1 if (mix(world.base ^ 5, number) >> 9) % 20 == 0 else 0
    return _STORY + month * 10 + kind


def role(world: World, number: int) -> str:
    """What a comment is: freelancer (wanted), work (wanted), reply or deleted."""
    share = (mix(world.base ^ 6, number) >> 9) % 100
    if world.change(number) == "close":
        return "deleted"
    return "freelancer" if share < 60 else "work" if share < 85 else "reply" if share < 97 else "deleted"


def quote_at(world: World, job: Job) -> Quote:
    """Price in a comment."""
    return job.now(free_text(Draw(world.base ^ 7, job.number)))


def comment_html(world: World, number: int, quote: Quote | None = None) -> str:
    """Text of a comment, as markup."""
    job, kind = job_at(world, number), role(world, number)
    if kind == "reply":
        return f"Is this still open? I have done {job.title.lower()} before.<p>Mail in profile."
    if kind == "work":
        return f"SEEKING WORK | {job.place} | Remote<p>Skills: {', '.join(job.skills)}<p>Rate: $80&#x2F;hr"
    price = quote or quote_at(world, job)
    body = "<p>".join(job.paragraphs)
    return (
        f"SEEKING FREELANCER | {job.company} | {job.place} | {job.title}<p>{body}"
        f"<p>Budget: {price.text.replace('/', '&#x2F;')}<p>Mail: work@{job.person}.example"
    )


def _search(ask: Ask, view: View, *, by_date: bool) -> Answer:
    size, page = ask.number("hitsPerPage", 20, 0, 1000), ask.number("page", 0, 0, 10**9)
    world, words = view.world, re.findall(r"\w+", ask.one("query").lower())
    try:
        tags, filters = _tags(ask.one("tags")), _filters(ask.query.get("numericFilters", []))
    except ValueError as error:
        return Answer(400, {"message": str(error), "status": 400})
    cap = ENDLESS if world.endless else CAP
    found = _found(world, tags, () if world.endless else filters, tuple(words))
    if not by_date:
        found = sorted(found, key=lambda number: mix(world.base ^ 8, number & (2**63 - 1)))
    rows, total = part(world, found, page * size, max(0, min(size, cap - page * size)), newest_first=by_date)
    hits = [view.show(_story_hit(world, -row) if row < 0 else _hit(world, row), abs(row)) for row in rows]
    data = {
        "hits": hits,
        "nbHits": total,
        "page": page,
        "nbPages": -(-min(total, cap) // size) if size else 0,
        "hitsPerPage": size,
        "exhaustiveNbHits": True,
        "exhaustiveTypo": True,
        "query": ask.one("query"),
        "params": "advancedSyntax=true&analyticsTags=backend",
        "processingTimeMS": 3,
    }
    return Answer(data=data, place=("hits",))


@lru_cache(maxsize=32)
def _found(world: World, tags: tuple[tuple[str, ...], ...], filters: tuple[tuple[str, str, int], ...],
           words: tuple[str, ...]) -> Sequence[int]:  # fmt: skip
    """Numbers of comments, and threads as their negative ids, by time."""
    listed = stories(world)
    rows: list[int] = [
        -identity for identity, time, title in listed
        if _has(tags, ("story", "author_whoishiring", f"story_{identity}", "ask_hn"))
        and _holds(filters, time) and all(word in title.lower() for word in words)
    ]  # fmt: skip
    if not tags or not _has(tags, ("story",)):
        numbers = world.select(f"tags {tags}", lambda number: _shown(world, number, tags))
        lows = [value + (sign == ">") for field, sign, value in filters if field == TIME and sign in (">", ">=", "=")]
        highs = [value - (sign == "<") for field, sign, value in filters if field == TIME and sign in ("<", "<=", "=")]
        first, stop = between(world, numbers, max(lows, default=0), min(highs, default=2**40))
        rows += [
            number for number in numbers[first:stop]
            if not words or all(word in comment_html(world, number).lower() for word in words)
        ]  # fmt: skip
    times = {-identity: time for identity, time, _ in listed}
    return sorted(rows, key=lambda row: times[row] if row < 0 else world.created(row))


def _shown(world: World, number: int, tags: tuple[tuple[str, ...], ...]) -> bool:
    return _has(tags, _comment_tags(world, number)) and role(world, number) != "deleted"


def _comment_tags(world: World, number: int) -> tuple[str, ...]:
    return ("comment", f"author_{author(world, number)}", f"story_{story_of(world, number)}")


def author(world: World, number: int) -> str:
    """Name of a comment's author."""
    return f"{PEOPLE[mix(world.base ^ 9, number) % len(PEOPLE)]}{number % 97}"


def _has(tags: tuple[tuple[str, ...], ...], mine: tuple[str, ...]) -> bool:
    return all(any(tag in mine for tag in group) for group in tags)


def _tags(text: str) -> tuple[tuple[str, ...], ...]:
    """Groups of tags: every group must be met, by any of its tags."""
    groups = re.findall(r"\(([^()]*)\)|([^,()]+)", text)
    return tuple(tuple(tag.strip() for tag in (group or single).split(",")) for group, single in groups)


def _filters(texts: list[str]) -> tuple[tuple[str, str, int], ...]:
    found = []
    for part_ in (piece.strip() for text in texts for piece in text.split(",") if piece.strip()):
        match = re.fullmatch(r"(\w+)\s*(<=|>=|!=|<|>|=)\s*(-?\d+)(?:\.\d+)?", part_)
        if not match:
            raise ValueError(f"invalid numeric filter: {part_[:40]}")
        found.append((match[1], match[2], int(match[3])))
    return tuple(found)


def _holds(filters: tuple[tuple[str, str, int], ...], time: int) -> bool:
    return all(
        {"<": time < value, "<=": time <= value, ">": time > value, ">=": time >= value, "=": time == value}.get(
            sign, True
        )
        for name, sign, value in filters
        if name == TIME
    )


def _parent(world: World, number: int) -> int:
    """A reply's parent is the newest comment before it in its thread, if that is near; else the thread."""
    story = story_of(world, number)
    if role(world, number) == "reply":
        for other in range(number - 1, max(number - 8, -1), -1):
            if story_of(world, other) == story and role(world, other) == "freelancer":
                return _COMMENT + other
    return story


def _hit(world: World, number: int) -> Record:
    made, story = world.created(number), story_of(world, number)
    return {
        "_highlightResult": {"author": {"matchLevel": "none", "matchedWords": [], "value": author(world, number)}},
        "_tags": list(_comment_tags(world, number)),
        "author": author(world, number),
        "comment_text": comment_html(world, number),
        "created_at": iso(made),
        "created_at_i": made,
        "objectID": str(_COMMENT + number),
        "parent_id": _parent(world, number),
        "story_id": story,
        "story_title": _titles(world).get(story, "Ask HN"),
        "story_url": None,
        "updated_at": iso(world.updated(number)),
    }


@lru_cache(maxsize=32)
def _titles(world: World) -> dict[int, str]:
    return {identity: title for identity, _, title in stories(world)}


def _story_hit(world: World, identity: int) -> Record:
    _, time, title = next(row for row in stories(world) if row[0] == identity)
    return {
        "_tags": ["story", "author_whoishiring", f"story_{identity}", "ask_hn"],
        "author": "whoishiring",
        "created_at": iso(time),
        "created_at_i": time,
        "num_comments": 40,
        "objectID": str(identity),
        "points": 60,
        "story_id": identity,
        "story_text": "Please lead with either SEEKING WORK or SEEKING FREELANCER.",
        "title": title,
        "updated_at": iso(time),
    }


def _item(view: View, identity: int) -> Answer:
    world = view.world
    threads = {row[0]: row for row in stories(world)}
    if identity in threads:
        _, time, title = threads[identity]
        name = f"comments [{identity}]"
        numbers = world.select(name, lambda number: story_of(world, number) == identity)
        parents = {number: _parent(world, number) for number in numbers}
        inner: dict[int, list[Record]] = {}
        for number in reversed(numbers):
            node = view.show(_node(world, number, inner.pop(_COMMENT + number, [])), number)
            inner.setdefault(parents[number], []).insert(0, node)
        node = {"id": identity, "type": "story", "author": "whoishiring", "title": title, "text": None, "url": None,
                "points": 60, "parent_id": None, "story_id": identity, "created_at": iso(time, _TIME),
                "created_at_i": time, "children": inner.get(identity, []), "options": []}  # fmt: skip
        return Answer(data=node, place=("children",))
    number = identity - _COMMENT
    if 0 <= number < world.count:
        return Answer(data=view.show(_node(world, number, []), number))
    return Answer(404, {"error": "Not Found", "status": 404})


def _node(world: World, number: int, children: list[Record]) -> Record:
    made, gone = world.created(number), role(world, number) == "deleted"
    return {
        "id": _COMMENT + number,
        "created_at": iso(made, _TIME),
        "created_at_i": made,
        "type": "comment",
        "author": None if gone else author(world, number),
        "title": None,
        "url": None,
        "text": None if gone else comment_html(world, number),
        "points": None,
        "parent_id": _parent(world, number),
        "story_id": story_of(world, number),
        "children": children,
        "options": [],
    }


def truth(world: World, number: int, *, is_nasty: bool = False) -> Truth | None:
    """What a perfect crawl knows of a comment; None for one that is deleted or in another thread."""
    kind, job = role(world, number), job_at(world, number)
    if kind == "deleted" or story_of(world, number) % 10:
        return None
    quote = (nasty(number) if is_nasty else quote_at(world, job)) if kind == "freelancer" else Quote("", why="none")
    shown = "posting" if kind == "freelancer" else "not_a_posting"
    return truth_of(job, quote, identity=str(_COMMENT + number), kind=shown)

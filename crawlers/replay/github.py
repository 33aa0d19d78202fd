"""GitHub's search and issue listings: qualifiers, ``Link`` paging, the cap of 1,000 results."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from urllib.parse import urlencode

from crawlers.replay.exchange import Answer, Ask, View
from crawlers.replay.github_records import EXPENSIFY, OTHERS, family, is_open, issue, label_names, repository, title_of
from crawlers.replay.world import ENDLESS, World, between, part

CAP = 1000
_TERM = re.compile(r'-?(?:\w+:)?(?:"[^"]*"|[^\s"]+)')
_DOCS = "https://docs.github.com/rest"
_SPANS = ("created", "updated")


def handle(ask: Ask, view: View) -> Answer | None:
    """Answer a GitHub request; None where the path is not GitHub's."""
    if ask.path == "/search/issues":
        return _search(ask, view)
    found = re.fullmatch(r"/repos/([\w.-]+/[\w.-]+)/issues", ask.path)
    return _listing(ask, view, found[1]) if found else None


def _search(ask: Ask, view: View) -> Answer:
    if not ask.one("q").strip():
        errors = [{"resource": "Search", "field": "q", "code": "missing"}]
        return Answer(422, {"message": "Validation Failed", "errors": errors, "documentation_url": _DOCS})
    size, page = ask.number("per_page", 30, 1, 100), ask.number("page", 1, 1, 10**9)
    cap = ENDLESS if view.world.endless else CAP
    if (page - 1) * size >= cap:
        message = "Only the first 1000 search results are available"
        return Answer(422, {"message": message, "documentation_url": _DOCS + "/search"})
    try:
        numbers = matching(view.world, ask.one("q"), ask.one("sort"))
    except ValueError as error:
        errors = [{"message": str(error), "resource": "Search", "field": "q", "code": "invalid"}]
        return Answer(422, {"message": "Validation Failed", "errors": errors, "documentation_url": _DOCS})
    newest_first = ask.one("order", "desc") != "asc"
    start = (page - 1) * size
    rows, total = part(view.world, numbers, start, min(size, cap - start), newest_first=newest_first)
    items = [view.show(issue(view.world, number, ask.base), number) for number in rows]
    data = {"total_count": total, "incomplete_results": False, "items": items}
    return Answer(data=data, headers=_links(ask, page, size, min(total, cap)), place=("items",))


def _listing(ask: Ask, view: View, repo: str) -> Answer:
    world = view.world
    if repo.lower() not in [name.lower() for name in (EXPENSIFY, *OTHERS)]:
        return Answer(404, {"message": "Not Found", "documentation_url": _DOCS, "status": "404"})
    labels = tuple(name for name in ask.one("labels").split(",") if name)
    try:
        first = _moment(ask.one("since"))[0] if ask.one("since") else float("-inf")
    except ValueError as error:
        return Answer(422, {"message": str(error), "documentation_url": _DOCS})
    by_update = ask.one("sort") == "updated"
    numbers = _listed(world, repo.lower(), ask.one("state", "open"), labels, first, by_update)
    size, page = ask.number("per_page", 30, 1, 100), ask.number("page", 1, 1, 10**9)
    newest_first = ask.one("direction", "desc") != "asc"
    rows, total = part(world, numbers, (page - 1) * size, size, newest_first=newest_first)
    items = [view.show(issue(world, number, ask.base), number) for number in rows]
    return Answer(data=items, headers=_links(ask, page, size, total), place=())


@lru_cache(maxsize=32)
def _listed(
    world: World, repo: str, state: str, labels: tuple[str, ...], first: float, by_update: bool
) -> Sequence[int]:
    """Numbers of a repository's issues, ascending by the time they are sorted by."""
    known = world.select(f"repo {repo}", lambda number: repository(world, number).lower() == repo)
    numbers = [
        number
        for number in known
        if (state == "all" or is_open(world, number) == (state == "open"))
        and set(labels) <= set(label_names(world, number) if labels else ())
        and world.updated(number) >= first
    ]
    return sorted(numbers, key=world.updated) if by_update else numbers


def _links(ask: Ask, page: int, size: int, total: int) -> dict[str, str]:
    last = max(1, -(-total // size))
    targets: dict[str, int] = {}
    if page < last:
        targets.update(next=page + 1, last=last)
    if page > 1:
        targets.update(first=1, prev=page - 1)
    rest = [(name, value) for name, values in ask.query.items() if name != "page" for value in values]
    shown = [
        f'<{ask.base}{ask.path}?{urlencode([*rest, ("page", str(number))])}>; rel="{name}"'
        for name, number in targets.items()
    ]
    return {"Link": ", ".join(shown)} if shown else {}


def matching(world: World, query: str, sort: str = "") -> Sequence[int]:
    """Numbers of the issues that a search finds, ascending by the time they are sorted by.

    Raises
    ------
    ValueError
        A date that is none.
    """
    return _matching(world, query, sort)


@lru_cache(maxsize=32)
def _matching(world: World, query: str, sort: str) -> Sequence[int]:
    terms = [_split(term) for term in _TERM.findall(query)]
    plain = tuple(sorted((name, value) for name, value in terms if name not in _SPANS))
    numbers: Sequence[int] = world.select(f"search {plain}", lambda number: _fits(world, number, plain))
    for name, value in terms:
        if name == "created":
            first, stop = between(world, numbers, *_span(value))
            numbers = numbers[first:stop]
        elif name == "updated":
            low, high = _span(value)
            numbers = [number for number in numbers if low <= world.updated(number) <= high]
    return sorted(numbers, key=world.updated) if sort == "updated" else numbers


def _split(term: str) -> tuple[str, str]:
    found = re.fullmatch(r'(-?\w+):"?([^"]*)"?', term)
    return (found[1].lower(), found[2]) if found else ("", term.strip('"'))


def _fits(world: World, number: int, terms: tuple[tuple[str, str], ...]) -> bool:
    repos = [value.lower() for name, value in terms if name == "repo"]
    if repos and repository(world, number).lower() not in repos:
        return False
    return all(_one_fits(world, number, name, value) for name, value in terms if name not in ("repo", "in"))


def _one_fits(world: World, number: int, name: str, value: str) -> bool:
    if name.startswith("-"):
        return not _one_fits(world, number, name[1:], value)
    if name in ("is", "type", "state"):
        if value in ("open", "closed"):
            return is_open(world, number) == (value == "open")
        return (family(world, number) == "pull") == (value in ("pr", "pull-request"))
    if name == "label":
        mine = [label.lower() for label in label_names(world, number)]
        return any(wanted.strip().lower() in mine for wanted in value.split(","))
    if name in ("repo", "org", "user"):
        return repository(world, number).lower().split("/")[: 2 if name == "repo" else 1] == value.lower().split("/")
    words = re.findall(r"\w+", (f"{name}:{value}" if name else value).lower())
    mine = re.findall(r"\w+", title_of(world, number).lower()) if words else []
    return all(word in mine for word in words)


def _span(value: str) -> tuple[float, float]:
    """Ends of ``A..B``, ``>=A``, ``<A``, ``*..B`` or a day, both included, in seconds."""
    if ".." in value:
        low, high = value.split("..", 1)
        return (float("-inf") if low == "*" else _moment(low)[0]), (float("inf") if high == "*" else _moment(high)[1])
    found = re.match(r"(>=|<=|>|<)?(.*)", value)
    sign, text = (found[1], found[2]) if found else (None, value)
    first, last = _moment(text)
    ends = {">=": (first, float("inf")), "<=": (float("-inf"), last), ">": (last + 1, float("inf"))}
    return ends.get(sign or "", (float("-inf"), first - 1) if sign == "<" else (first, last))


def _moment(text: str) -> tuple[float, float]:
    """First and last second that a date or time stands for."""
    day = bool(re.fullmatch(r"\d{4}-\d{2}-\d{2}", text))
    try:
        time = datetime.fromisoformat(text.replace("Z", "+00:00").replace(" ", "+"))
    except ValueError as error:
        raise ValueError(f"The search contains an invalid date: {text[:40]}") from error
    time = time if time.tzinfo else time.replace(tzinfo=UTC)
    return time.timestamp(), (time + timedelta(days=1)).timestamp() - 1 if day else time.timestamp()

"""The shape of a response: which keys it has and where, not what they hold. Finds the first answer that differs."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable

DEEPEST = 6  # levels
MOST_ITEMS = 20  # of a list that are looked at
MOST_PATHS = 2000
_SCRIPT = re.compile(rb"<script\b([^<>]{0,500})>", re.IGNORECASE)  # bounded: a page of "<script<script" takes no time
_END = re.compile(rb"</script", re.IGNORECASE)
_COUNTED = re.compile(r"\d+")


def shape_of(body: bytes) -> frozenset[str]:
    """Paths of a JSON body, or of the JSON-LD in an HTML page; empty for anything else.

    >>> sorted(shape_of(b'{"jobs": [{"id": 1, "title": "x"}]}'))
    ['$.jobs', '$.jobs[].id', '$.jobs[].title']
    """
    found: set[str] = set()
    for text in [body] if body.lstrip()[:1] in (b"{", b"[") else _json_ld(body):
        try:
            _walk(json.loads(text), "$", 0, found)
        except (ValueError, RecursionError):
            continue
    return frozenset(found)


def _json_ld(body: bytes) -> list[bytes]:
    """Content of a page's JSON-LD scripts."""
    found, at = [], 0
    while (head := _SCRIPT.search(body, at)) and (end := _END.search(body, head.end())):
        if b"ld+json" in head[1].lower():
            found.append(body[head.end() : end.start()])
        at = end.end()
    return found


def _walk(value: object, path: str, depth: int, found: set[str]) -> None:
    if depth > DEEPEST or len(found) >= MOST_PATHS:
        return
    if isinstance(value, dict):
        for key, inner in value.items():
            name = f"{path}.{_COUNTED.sub('0', str(key))[:60]}"
            found.add(name)
            _walk(inner, name, depth + 1, found)
    elif isinstance(value, list):
        for inner in value[:MOST_ITEMS]:
            _walk(inner, f"{path}[]", depth + 1, found)


def common(shapes: Iterable[frozenset[str]]) -> frozenset[str]:
    """Paths that all shapes have; a page whose list is empty, as the last one's may be, says nothing of its items."""
    known = list({shape for shape in shapes if shape})
    filled = [shape for shape in known if not any(_emptied(shape, other) for other in known)]
    return frozenset.intersection(*filled) if filled else frozenset()


def lists_of(shape: frozenset[str]) -> frozenset[str]:
    """Paths of the lists that hold objects.

    >>> sorted(lists_of(frozenset({"$.jobs", "$.jobs[].tags", "$.jobs[].pay[].min", "$.tags"})))
    ['$.jobs']
    """
    return frozenset(path.partition("[]")[0] for path in shape if "[]" in path)


def _emptied(shape: frozenset[str], other: frozenset[str]) -> bool:
    """Whether all that a shape lacks of another is inside lists that are empty in it."""
    gone, filled = other - shape, lists_of(shape)
    return bool(gone) and all("[]" in path and path.partition("[]")[0] not in filled for path in gone)


def missing(shape: frozenset[str], usual: frozenset[str]) -> list[str]:
    """Highest paths of `usual` that a shape lacks.

    >>> missing(frozenset({"$.items"}), frozenset({"$.jobs", "$.jobs[].id"}))
    ['$.jobs']
    """
    gone = sorted(usual - shape)
    return [path for path in gone if not any(path.startswith((f"{other}.", f"{other}[")) for other in gone)]

"""Faults of the encoded page: too many records, the wrong character set, half of the text."""

from __future__ import annotations

import copy
from collections.abc import Collection
from dataclasses import replace

from crawlers.replay.exchange import Answer, encode
from crawlers.replay.spoil import ROLES, records_of

MANY = 100_000
_STUB = "\x01here"
_MARK = 777_000_777_000_777


def many_items(source: str, answer: Answer) -> Answer:
    """The page with `MANY` records, all alike but for their ids; pages without a list of records stay."""
    if answer.body is not None and b"<url>" in answer.body:
        return replace(answer, body=_many_pages(answer.body))
    rows = records_of(answer) if answer.place is not None and answer.body is None else []
    if not rows or answer.status != 200:
        return answer
    record = copy.deepcopy(rows[-1])
    inner = record.get("node", record)
    key = ROLES[source].id
    inner[key] = _MARK if isinstance(inner[key], int) else f"{_MARK}"
    for name in ("description", "body"):
        if isinstance(inner.get(name), str):
            inner[name] = inner[name][:80]
    one = encode(record)
    mark = str(_MARK).encode()
    many = b",".join(one.replace(mark, str(_MARK + place).encode()) for place in range(MANY))
    notice = rows[:1] if "legal" in rows[0] else []
    framed = encode(_with(answer, [*notice, _STUB]))
    return replace(answer, body=framed.replace(encode(_STUB), many), place=None)


def _many_pages(sitemap: bytes) -> bytes:
    head, _, rest = sitemap.partition(b"<loc>")
    site = b"/".join(rest.split(b"/")[:3])
    rows = (b"<url><loc>%s/jobs/many-%d</loc></url>" % (site, _MARK + place) for place in range(MANY))
    return head.removesuffix(b"<url>") + b"".join(rows) + b"</urlset>"


def _with(answer: Answer, rows: list[object]) -> object:
    if not answer.place:
        return rows
    data = copy.deepcopy(answer.data)
    inner = data
    for key in answer.place[:-1]:
        inner = inner[key]  # type: ignore[index]
    inner[answer.place[-1]] = rows  # type: ignore[index]
    return data


def bend_bytes(names: Collection[str], body: bytes, *, media: str) -> bytes:
    """Body in another character set than the header says, or half of it."""
    for name, charset in (("wrong_charset_latin1", "latin-1"), ("wrong_charset_cp1251", "cp1251")):
        if name in names and "gzip" not in media:
            body = body.decode("utf-8", "replace").encode(charset, "replace")
    return body[: len(body) // 2] if "truncated" in names else body

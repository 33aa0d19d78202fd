"""What faults do to records and pages before they are encoded: by source, because each names its fields differently."""

from __future__ import annotations

import copy
import json
from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any

from crawlers.replay.exchange import Answer, Record
from crawlers.replay.jobs import nasty

HOSTILE = (
    "<script>alert('x')</script><img src=x onerror=alert(1)>\u202egnp.exe\u202c zero\u200bwidth\ufeff NUL\x00 "
    "</script><!-- ]]> {{7*7}} %s $(id) '; DROP TABLE postings;-- \N{GRINNING FACE} =1+1\r\nX-Header: 1"
)
EMPTY_MAP = b'<?xml version="1.0"?><urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"></urlset>'
_BAD_LINKS = ("../../etc/passwd", "javascript:alert(1)", "//elsewhere.example/x", "data:text/html,x", "http://[::1", "")


@dataclass(frozen=True, slots=True)
class Roles:
    """Keys of one source's records; a dot goes one level down."""

    title: str
    price: tuple[str, ...]
    dates: tuple[str, ...]
    links: tuple[str, ...]
    id: str
    text: str = ""
    renamed: tuple[str, str, str] = ("headline", "compensation", "created")


ROLES: dict[str, Roles] = {
    "github": Roles("title", (), ("created_at", "updated_at"), ("html_url", "url"), "id", "title"),
    "hackernews": Roles("comment_text", (), ("created_at", "created_at_i"), ("story_url",), "objectID", "comment_text",
                        ("content", "compensation", "time")),
    "freelancer": Roles("title", ("budget.minimum", "budget.maximum"), ("time_submitted", "submitdate", "time_updated"),
                        ("seo_url",), "id", "", ("name", "price_range", "created")),
    "freelancehunt": Roles("attributes.name", ("attributes.budget.amount",), ("attributes.published_at",),
                           ("links.self.web",), "id", "", ("headline", "price", "created")),
    "upwork": Roles("title", ("amount.rawValue", "hourlyBudgetMin.rawValue", "hourlyBudgetMax.rawValue"),
                    ("createdDateTime", "publishedDateTime"), ("ciphertext",), "id"),
    "jobposting": Roles("title", ("baseSalary",), ("datePosted", "validThrough"), ("url",), "identifier"),
    "himalayas": Roles("title", ("minSalary", "maxSalary"), ("pubDate", "expiryDate"), ("applicationLink", "guid"),
                       "guid"),
    "remotive": Roles("title", ("salary",), ("publication_date",), ("url",), "id", "salary"),
    "remoteok": Roles("position", ("salary_min", "salary_max"), ("epoch", "date"), ("url", "apply_url"), "id"),
}  # fmt: skip


def spoil_record(source: str, names: Collection[str], record: Record, number: int) -> Record:
    """Record as the faults `names` leave it."""
    roles, record = ROLES[source], copy.deepcopy(record)
    if "future_dates" in names:
        for key in roles.dates:
            _change(record, key, _future)
    if "bad_links" in names:
        for key in roles.links:
            _change(record, key, lambda _: _BAD_LINKS[number % len(_BAD_LINKS)])
    if "reversed_price" in names:
        _reverse(roles, record)
    if "nasty_prices" in names:
        _nasty(roles, record, number)
    _drift(source, roles, names, record)
    if "hostile_text" in names:
        record = _everywhere(record, lambda value: value + HOSTILE if isinstance(value, str) else value, roles)
    if "wrong_types" in names:
        record = {key: value if key == "@type" else _other_type(value, number) for key, value in record.items()}
    return record


def _drift(source: str, roles: Roles, names: Collection[str], record: Record) -> None:
    title, price, date = roles.renamed
    if "drift_title" in names:
        _rename(record, roles.title, title)
    if "drift_price" in names:
        for key in roles.price:
            _rename(record, key.removesuffix(".rawValue"), price + key.rsplit(".", 1)[-1][:3])
        if not roles.price:
            _change(record, roles.text, lambda text: text.replace("[$", "(USD ").replace("Budget:", "Pays"))
        if source == "github":
            record["labels"] = [label for label in record["labels"] if "$" not in label["name"]]
    if "drift_date" in names:
        for place, key in enumerate(roles.dates):
            _change(record, key, lambda value: f"{str(value)[:10]} (day 12 of the season)")
            _rename(record, key, f"{date}On{place or ''}")
    if "drift_ids" in names:
        _rename(record, roles.id, "uuid")


def _holder(record: Record, key: str) -> tuple[Any, str]:
    *path, last = key.split(".")
    inner: Any = record
    for name in path:
        inner = inner.get(name) if isinstance(inner, dict) else None
    return inner, last


def _change(record: Record, key: str, change: Any) -> None:  # noqa: ANN401  # any function of the old value
    inner, last = _holder(record, key)
    if isinstance(inner, dict) and inner.get(last) is not None:
        inner[last] = change(inner[last])


def _rename(record: Record, key: str, name: str) -> None:
    inner, last = _holder(record, key)
    if isinstance(inner, dict) and last in inner:
        inner[name] = inner.pop(last)


def _future(value: object) -> object:
    if isinstance(value, int):
        return value + 98 * 31_557_600
    return "2124" + str(value)[4:]


def _reverse(roles: Roles, record: Record) -> None:
    value = {"@type": "QuantitativeValue", "minValue": 90, "maxValue": 40, "unitText": "HOUR"}
    if len(roles.price) >= 2:
        _change(record, roles.price[-2], lambda low: str(float(low) * 10) if isinstance(low, str) else low * 10)
    elif "baseSalary" in record:
        record["baseSalary"] = {"@type": "MonetaryAmount", "currency": "USD", "value": value}
    elif roles.text:
        _price_text(roles, record, "$500 - $100")


def _nasty(roles: Roles, record: Record, number: int) -> None:
    text = nasty(number).text
    if roles.text:
        _price_text(roles, record, text)
        if roles.text == "salary":
            record["salary"] = text
        return
    for key in roles.price:
        inner, last = _holder(record, key)
        if isinstance(inner, dict):
            inner[last] = text


def _price_text(roles: Roles, record: Record, text: str) -> None:
    """Put another price where a text holds one; texts without stay."""
    old = record[roles.text]
    if roles.text == "title" and "[$" in old:
        record["title"] = f"[{text}] " + old.rpartition("] ")[2]
    elif "<p>Budget:" in old:
        record[roles.text] = old.split("<p>Budget:")[0] + f"<p>Budget: {text}"
    elif roles.text == "salary" and "$" in old:
        record["salary"] = text


def _everywhere(value: Any, change: Any, roles: Roles, key: str = "") -> Any:  # noqa: ANN401  # JSON
    if isinstance(value, dict):
        return {name: _everywhere(inner, change, roles, name) for name, inner in value.items()}
    if isinstance(value, list):
        return [_everywhere(inner, change, roles, key) for inner in value]
    kept = {
        "id",
        "@type",
        "@context",
        "objectID",
        roles.id.rsplit(".", 1)[-1],
        *(name.rsplit(".", 1)[-1] for name in roles.dates),
    }
    return value if key in kept else change(value)


def _other_type(value: object, number: int) -> object:
    others: tuple[object, ...] = ({"value": 1}, ["x", None], 17, "text", None, True, 1e308, -1)
    for step in range(len(others)):
        other = others[(number + step) % len(others)]
        if type(other) is not type(value):
            return other
    return None


def spoil_page(names: Collection[str], answer: Answer) -> Answer:
    """Answer as the faults `names` leave its page; an HTML page loses its JSON-LD to those that empty or bend it."""
    if answer.status != 200:
        return answer
    shapes: dict[str, object] = {
        "shape_object": {},
        "shape_list": [],
        "shape_null": None,
        "shape_string": "maintenance",
    }
    for name in names:
        if name in shapes:
            answer = _with_data(answer, shapes[name])
        elif name == "html_instead":
            page = b"<!doctype html><title>We will be back</title><p>Please log in to continue."
            answer = replace(answer, body=page, media="text/html; charset=utf-8")
        elif name == "empty" and ("gzip" in answer.media or "xml" in answer.media):
            answer = replace(answer, body=EMPTY_MAP, media="application/xml; charset=utf-8")
        elif name in ("drift_list_key", "drift_microdata"):
            answer = _moved(answer, deeper=name == "drift_microdata")
        elif answer.place is not None and answer.body is None:
            answer = _with_records(answer, name)
    return answer


def _with_data(answer: Answer, data: object) -> Answer:
    if answer.body is None:
        return replace(answer, data=data)
    if b"ld+json" not in answer.body:
        return answer
    start = answer.body.index(b'ld+json">') + 9
    stop = answer.body.rindex(b"</script>")
    return replace(answer, body=answer.body[:start] + json.dumps(data).encode() + answer.body[stop:])


def records_of(answer: Answer) -> list[Any]:
    """List of records in an answer."""
    inner: Any = answer.data
    for key in answer.place or ():
        inner = inner[key]
    return inner if isinstance(inner, list) else []


def _placed(answer: Answer, records: object) -> Answer:
    if not answer.place:
        return replace(answer, data=records)
    data = copy.deepcopy(answer.data)
    inner: Any = data
    for key in answer.place[:-1]:
        inner = inner[key]
    inner[answer.place[-1]] = records
    return replace(answer, data=data)


def _with_records(answer: Answer, name: str) -> Answer:
    rows = records_of(answer)
    if not rows and name != "empty":
        return answer
    notice = rows[:1] if rows and isinstance(rows[0], dict) and "legal" in rows[0] else []
    rows = rows[len(notice) :]
    changed: dict[str, object] = {
        "records_object": {"0": rows[:1]},
        "records_null": None,
        "records_string": "none today",
        "null_records": [*notice, *(row if place % 2 else None for place, row in enumerate(rows))],
        "duplicate_records": [*notice, *(row for row in rows for _ in range(2))],
        "empty": notice,
    }
    if name not in changed:
        return answer
    answer = _placed(answer, changed[name])
    return _nothing_more(answer) if name == "empty" else answer


_TOTALS = ("total_count", "totalCount", "nbHits", "nbPages", "job-count", "total-job-count", "total", "last_page")


def _nothing_more(answer: Answer) -> Answer:
    """Totals of zero, and no next page."""

    def clear(value: Any) -> Any:  # noqa: ANN401  # JSON
        if not isinstance(value, dict):
            return value
        return {
            name: 0 if name in _TOTALS else False if name == "hasNextPage" else clear(inner)
            for name, inner in value.items()
            if name not in ("next", "nextCursor")
        }

    kept = {name: value for name, value in answer.headers.items() if name != "Link"}
    return replace(answer, data=clear(answer.data), headers=kept)


def _moved(answer: Answer, *, deeper: bool) -> Answer:
    if answer.body is not None:
        if deeper and b"ld+json" in answer.body:
            start, stop = answer.body.index(b"<script"), answer.body.rindex(b"</script>") + 9
            shown = answer.body[:start] + answer.body[stop:]
            opened = b'<body itemscope itemtype="https://schema.org/JobPosting">'
            return replace(answer, body=shown.replace(b"<body>", opened).replace(b"<h1>", b'<h1 itemprop="title">'))
        return replace(answer, body=answer.body.replace(b"ld+json", b"ld+json-v2")) if not deeper else answer
    if deeper:
        return replace(answer, data={"version": 2, "payload": answer.data})
    if not answer.place:
        return replace(answer, data={"entries": answer.data})
    rows = records_of(answer)
    answer = _placed(answer, rows)
    inner: Any = answer.data
    *path, last = answer.place or ("",)
    for key in path:
        inner = inner[key]
    inner["entries"] = inner.pop(last)
    return answer

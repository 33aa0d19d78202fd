"""What the replay server is told: how many postings, which edition, which limits, which faults."""

from __future__ import annotations

import ipaddress
import json
from dataclasses import asdict, dataclass, field, replace
from typing import Literal

SOURCES = (
    "github", "hackernews", "freelancer", "freelancehunt", "upwork", "jobposting", "himalayas", "remotive", "remoteok",
)  # fmt: skip
NEEDS_TOKEN = ("freelancer", "freelancehunt", "upwork")
MOST_POSTINGS = {"remotive": 5000, "remoteok": 1000}
"""Sources that send everything at once hold no more than this."""

FAULTS: dict[str, str] = {
    "slow_drip": "the body comes at 20 bytes a second",
    "hang": "the request is taken, nothing is ever answered",
    "hang_mid_body": "half of the body comes, then nothing, and the connection stays open",
    "reset_mid_body": "half of the body comes, then the connection is reset",
    "short_body": "half of the body comes, then an orderly end before Content-Length is reached",
    "flaky_500": "the first request for each URL gets 500, the next 200",
    "server_error": "500 for ever",
    "busy_503": "the first request for each URL gets 503 with Retry-After: 1, the next 200",
    "forbidden": "403 for ever",
    "not_found": "404 for ever",
    "redirect_loop": "302 to itself, by way of another URL, for ever",
    "redirect_elsewhere": "302 to another port, where requests are logged",
    "redirect_to_file": "302 to file:///etc/hostname",
    "wrong_charset_latin1": "the header says utf-8, the body is latin-1",
    "wrong_charset_cp1251": "the header says utf-8, the body is cp1251",
    "truncated": "the body ends halfway, with a Content-Length that agrees",
    "html_instead": "an HTML page, status 200, where JSON belongs",
    "shape_object": "valid JSON, but {}",
    "shape_list": "valid JSON, but []",
    "shape_null": "valid JSON, but null",
    "shape_string": "valid JSON, but a string",
    "records_object": "the list of records is an object",
    "records_null": "the list of records is null",
    "records_string": "the list of records is a string",
    "null_records": "every other record is null",
    "duplicate_records": "every record comes twice",
    "endless_same": "there is always a next page, with the same content",
    "endless_fresh": "there is always a next page, with fresh content",
    "huge_body": "a body of 2 GB, announced by Content-Length",
    "huge_body_chunked": "a body of 2 GB, in chunks, not announced",
    "gzip_bomb": "a megabyte of gzip that unpacks to a gigabyte",
    "many_items": "100,000 records in one page",
    "hostile_text": "script, markup, bidi marks, zero-width characters and NUL in every text of every record",
    "wrong_types": "every value of every record has another type",
    "bad_links": "links of records are relative or javascript:",
    "future_dates": "dates of records lie in the year 2124",
    "reversed_price": "the minimum is above the maximum",
    "nasty_prices": "prices such as $1.5K, € 1.200,50, 3 milestones, $900, Free, negotiable",
    "robots_disallow_all": "robots.txt disallows everything",
    "robots_500": "robots.txt answers 500",
    "empty": "zero records, in the right shape",
    "drift_list_key": "the key of the list of records was renamed",
    "drift_title": "the key of the title was renamed",
    "drift_price": "the key of the price was renamed, or its form changed",
    "drift_date": "dates are written in another form, under another key",
    "drift_ids": "the key of the id was renamed",
    "drift_microdata": "JSON-LD became microdata; JSON became one level deeper",
}
"""Name of each fault -> what it does."""

RECORD_FAULTS = frozenset({
    "hostile_text", "wrong_types", "bad_links", "future_dates", "reversed_price", "nasty_prices", "drift_title",
    "drift_price", "drift_date", "drift_ids",
})  # fmt: skip
PAGE_FAULTS = frozenset({
    "html_instead", "shape_object", "shape_list", "shape_null", "shape_string", "records_object", "records_null",
    "records_string", "null_records", "duplicate_records", "many_items", "empty", "drift_list_key", "drift_microdata",
    "wrong_charset_latin1", "wrong_charset_cp1251", "truncated",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault in force.

    Attributes
    ----------
    name : str
        One of `FAULTS`.
    source : str
        Only this source; ``''`` is all.
    path : str
        Only paths that hold this text.
    skip : int
        So many matching requests go well first.
    times : int
        So many get the fault; 0 is for ever.
    """

    name: str
    source: str = ""
    path: str = ""
    skip: int = 0
    times: int = 0

    def __post_init__(self) -> None:
        """Refuse what does not exist."""
        if self.name not in FAULTS:
            raise ValueError(f"fault {self.name!r}: expected one of {', '.join(FAULTS)}")
        if self.source and self.source not in SOURCES:
            raise ValueError(f"source {self.source!r}: expected one of {', '.join(SOURCES)}")
        if self.skip < 0 or self.times < 0:
            raise ValueError(f"skip {self.skip}, times {self.times}: expected 0 or more")


def fault_from_text(text: str) -> Fault:
    """Read ``name`` or ``name@source=github,path=/search,skip=2,times=1``.

    >>> fault_from_text("hang@source=github,times=1").times
    1
    """
    name, _, rest = text.partition("@")
    fault = Fault(name.strip())
    for pair in filter(None, rest.split(",")):
        key, _, value = pair.partition("=")
        if key in ("source", "path"):
            fault = replace(fault, source=value) if key == "source" else replace(fault, path=value)
        elif key in ("skip", "times") and value.isdigit():
            fault = replace(fault, skip=int(value)) if key == "skip" else replace(fault, times=int(value))
        else:
            raise ValueError(f"{pair!r} in a fault: expected source=NAME, path=TEXT, skip=N or times=N")
    return fault


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@dataclass(frozen=True, slots=True)
class ReplaySettings:
    """Settings of a replay server.

    Attributes
    ----------
    postings : int
        Records of each source in the first edition, 1 to 1,000,000.
    seed : int
    edition : {1, 2}
        2: new postings, edits, price rises, and closed ones.
    port : int
        0: a free one.
    host : str
        A loopback address.
    token : str
        The one good token; ``''``: any is good.
    token_requests : int
        A token stops working after so many requests; 0: never.
    rate_limit : int
        Requests that a source answers in each window; 0: any number.
    rate_window : float
        Seconds.
    rate_style : str
        How a request over the limit is answered: 429 with Retry-After in seconds (``seconds``) or as a date (``date``),
        or 403 with X-RateLimit-Reset (``reset``).
    crawl_delay : float
        Seconds in robots.txt; 0: no such line.
    faults : tuple of Fault
    """

    postings: int = 200
    seed: int = 1
    edition: int = 1
    port: int = 0
    host: str = "127.0.0.1"
    token: str = ""
    token_requests: int = 0
    rate_limit: int = 0
    rate_window: float = 60.0
    rate_style: Literal["seconds", "date", "reset"] = "seconds"
    crawl_delay: float = 0.0
    faults: tuple[Fault, ...] = field(default=())

    def __post_init__(self) -> None:
        """Refuse what cannot be served."""
        if not 1 <= self.postings <= 1_000_000:
            raise ValueError(f"postings {self.postings}: expected 1 to 1,000,000")
        if self.edition not in (1, 2):
            raise ValueError(f"edition {self.edition}: expected 1 or 2")
        if not _is_loopback(self.host):
            raise ValueError(f"host {self.host!r}: expected a loopback address such as 127.0.0.1")
        if not 0 <= self.port <= 65535:
            raise ValueError(f"port {self.port}: expected 0 to 65535")
        if self.rate_style not in ("seconds", "date", "reset") or self.rate_window <= 0 or self.rate_limit < 0:
            raise ValueError(f"rate limit {self.rate_limit} in {self.rate_window} s, {self.rate_style!r}: not usable")


def to_json(settings: ReplaySettings) -> str:
    """Settings as JSON."""
    return json.dumps(asdict(settings))


def from_json(text: str) -> ReplaySettings:
    """Read what `to_json` wrote."""
    data = json.loads(text)
    return ReplaySettings(**{**data, "faults": tuple(Fault(**fault) for fault in data.get("faults", ()))})

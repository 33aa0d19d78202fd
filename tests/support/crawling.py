"""What tests of crawls share: postings, jobs and stores made in one line."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from crawlers.job import Job, Window
from crawlers.posting import Posting, Price
from crawlers.store import Records, Store, open_store, stamp
from valuation.config import load

T0 = datetime(2026, 3, 10, 12, 0, 0, tzinfo=UTC)  # when the tests' crawls begin
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def price(low=250.0, high=None, *, type_="fixed", currency="USD", fault=None, kind="posted", raw="$250"):
    if fault:
        return Price(raw, type_, kind, currency=currency, fault=fault)
    return Price(raw, type_, kind, low, low if high is None else high, currency, currency)


def posting(id_="1", *, title="Fix the login", text="It fails.", published=T0 - DAY, paid=None, **more):
    fields = {"url": f"https://example.org/p/{id_}", **more}
    return Posting(
        job_posting_id=id_, job_title=title, description=text, date_published=published, price=paid or price(), **fields
    )


def make_job(folder=Path(), *overrides, name="github", crawl_id="c1", window=None, token=""):
    found = load(overrides=overrides)
    return Job(
        name, crawl_id, found.sources[name], found.crawl, window or Window(),
        folder / "store.db", folder / "job", folder / "crawl.log", token,
    )  # fmt: skip


def new_store(folder: Path) -> Store:
    return open_store(folder / "store.db", create=True)


def begin(store, crawl_id="c1", *, at=T0, kind="full", window=None, source="github") -> Records:
    """A crawl's line and its writer of records."""
    span = window or Window()
    times = [time and stamp(time) for time in (span.since, span.until, span.changed_since)]
    store.wrote()
    store.db.execute(
        "INSERT INTO crawls VALUES (?, ?, ?, NULL, ?, ?, ?, 'running', NULL)", (crawl_id, kind, stamp(at), *times)
    )
    return Records(store, source=source, crawl_id=crawl_id, started_at=at, window=span)


def end(store, crawl_id="c1", *, outcome="finished", reason="finished", at=T0 + HOUR):
    store.wrote()
    store.db.execute(
        "UPDATE crawls SET outcome = ?, reason = ?, ended_at = ? WHERE crawl_id = ?",
        (outcome, reason, stamp(at), crawl_id),
    )
    store.commit()


def keep(store, crawl_id="c1", *, body=b"{}", url="https://example.org/list", status=200, at=T0, **more):
    """Store an answer; returns its number."""
    fields = {
        "method": "GET", "request_hash": more.pop("request_hash", url), "headers": [], "callback": "parse",
        "cb_kwargs": {}, "optional": False, **more,
    }  # fmt: skip
    return store.keep(crawl_id, url=url, status=status, fetched_at=at, body=body, **fields)


def rows(store, table):
    """All rows of a table, in order of its key."""
    store.commit()
    return list(store.db.execute(f"SELECT * FROM {table} ORDER BY 1, 2"))

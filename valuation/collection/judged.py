"""A finished crawl, judged: what its store counted, which expectations it met, which answer differs first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from crawlers.expectations import CrawlCounts, Verdict, judge
from crawlers.shapes import common, lists_of, missing, shape_of

if TYPE_CHECKING:
    from crawlers.store import Fetched, Store
    from valuation.config import SourceSettings

SAMPLE = 20  # good answers whose shape is the usual one
LOOKED_AT = 500  # answers of a failed crawl that are compared
GOOD = "last_good"
KILLED = "its process was killed"
_NOTHING = "nothing was read from it"
_ASKED = """
crawl_id = ?1 AND (callback IS NOT NULL OR status >= 400) AND NOT (
    status >= 400 AND EXISTS (  -- an error that the next try got over is none
        SELECT 1 FROM responses later WHERE later.request_hash = responses.request_hash
        AND later.response_id > responses.response_id AND later.crawl_id = ?1 AND later.status < 400
    )
)
"""


@dataclass(frozen=True, slots=True)
class Differing:
    """The first answer of a failed crawl that is not what answers used to be, or what was expected.

    Attributes
    ----------
    response_id : int
        In the source's store; 0 where no complete answer came.
    url : str
    status : int
        0 where no complete answer came.
    what : str
        How it differs.
    """

    response_id: int
    url: str
    status: int
    what: str


@dataclass(frozen=True, slots=True)
class FaultLine:
    """One thing that went wrong."""

    kind: str
    url: str | None
    message: str


@dataclass(frozen=True, slots=True)
class Judged:
    """One source's crawl.

    Attributes
    ----------
    name, crawl_id, kind : str
        `kind` is full, rerun or reparse.
    started_at, ended_at : str
        UTC.
    window : tuple of (name, time)
        What was set of since, until, changed_since.
    counts : CrawlCounts
    verdicts : tuple of Verdict
    differing : Differing or None
    faults : tuple of FaultLine
        The first ones.
    """

    name: str
    crawl_id: str
    kind: str
    started_at: str
    ended_at: str
    window: tuple[tuple[str, str], ...]
    counts: CrawlCounts
    verdicts: tuple[Verdict, ...]
    differing: Differing | None
    faults: tuple[FaultLine, ...]

    @property
    def good(self) -> bool:
        """Whether every expectation was met."""
        return all(verdict.met for verdict in self.verdicts)


def judge_crawl(store: Store, name: str, crawl_id: str, source: SourceSettings) -> Judged:
    """Judge a crawl by its source's store; a good one becomes the standard of the next."""
    query = "SELECT kind, started_at, ended_at, since, until, changed_since FROM crawls WHERE crawl_id = ?"
    kind, started, ended, *times = store.db.execute(query, (crawl_id,)).fetchone()
    crawl = counts_of(store, crawl_id)
    good = store.state(GOOD)
    baseline = counts_of(store, good) if good and good != crawl_id else None
    verdicts = judge(crawl, source, baseline)
    met = all(verdict.met for verdict in verdicts)
    differing = None if met or crawl.reason in ("shutdown", KILLED) else first_differing(store, crawl_id, good)
    if met and kind != "reparse" and crawl.postings:
        store.set_state(GOOD, crawl_id)
        store.commit()
    window = tuple(
        (label, time) for label, time in zip(("since", "until", "changed_since"), times, strict=True) if time
    )
    faults = tuple(FaultLine(what, url, message) for _, url, what, message in store.faults(crawl_id)[:50])
    return Judged(name, crawl_id, kind, started, ended or "", window, crawl, verdicts, differing, faults)


def counts_of(store: Store, crawl_id: str) -> CrawlCounts:
    """Counts of a crawl; one whose process was killed counts as stopped."""
    row = store.db.execute("SELECT outcome, reason FROM crawls WHERE crawl_id = ?", (crawl_id,)).fetchone()
    outcome, reason = row if row else ("stopped", "unknown")
    if outcome == "running":
        outcome, reason = "stopped", KILLED
    return CrawlCounts(store.counts(crawl_id), outcome, reason or "")


def first_differing(store: Store, crawl_id: str, good: str | None) -> Differing | None:
    """Find the first answer that is an error, that could not be read, or that lacks keys which good answers have."""
    usual = _usual(store, good) if good else {}
    faults = {number: f"{kind}: {message}" for number, _, kind, message in store.faults(crawl_id) if number}
    asked = store.responses(_ASKED, (crawl_id,))
    first: Fetched | None = None
    for seen, one in enumerate(asked):
        if seen >= LOOKED_AT:
            break
        if what := _difference(one, faults, usual):
            return Differing(one.response_id, one.url, one.status, what)
        first = first or one
    return _dropping(store, crawl_id) or _unanswered(store, crawl_id) or _read_in_vain(store, crawl_id, first)


def _dropping(store: Store, crawl_id: str) -> Differing | None:
    """First answer with a record that could not be read, else, where no record was a posting, with one that is none."""
    none = counts_of(store, crawl_id).postings == 0
    query = (
        "SELECT d.response_id, r.url, r.status, d.reason, d.value FROM dropped d JOIN responses r USING (response_id) "
        "WHERE r.crawl_id = ? AND (d.reason IN ('unreadable_record', 'no_id') OR (? AND d.reason = 'not_a_posting')) "
        "ORDER BY d.reason = 'not_a_posting', d.response_id, d.position LIMIT 1"
    )
    row = store.db.execute(query, (crawl_id, none)).fetchone()
    return None if row is None else Differing(row[0], row[1], row[2], f"{row[3]}: {row[4] or 'a record'}")


def _unanswered(store: Store, crawl_id: str) -> Differing | None:
    """First request that was given up; what robots.txt or its place forbade is named only if nothing else is."""
    faults = [(kind, url, message) for _, url, kind, message in store.faults(crawl_id) if url]
    faults.sort(key=lambda one: one[0] in ("robots", "offsite"))
    return Differing(0, faults[0][1], 0, f"{faults[0][0]}: {faults[0][2]}") if faults else None


def _read_in_vain(store: Store, crawl_id: str, first: Fetched | None) -> Differing | None:
    """First answer of all."""
    if first is None:
        return None
    keys = ", ".join(sorted(shape_of(first.body))[:8]) or "neither JSON nor JSON-LD"
    read = "its keys are the usual ones, look at the values" if counts_of(store, crawl_id).postings else _NOTHING
    return Differing(first.response_id, first.url, first.status, f"{read}; it has {keys}")


def _usual(store: Store, good: str) -> dict[str, frozenset[str]]:
    """Paths that the first answers of a good crawl have in common, by the spider's method that read them."""
    shapes: dict[str, list[frozenset[str]]] = {}
    first = f"SELECT response_id FROM responses WHERE crawl_id = ?1 ORDER BY response_id LIMIT {5 * SAMPLE}"
    chosen = f"crawl_id = ?1 AND status = 200 AND callback IS NOT NULL AND response_id IN ({first})"
    for one in store.responses(chosen, (good,)):
        shapes.setdefault(str(one.callback), []).append(shape_of(one.body))
    return {callback: common(found[:SAMPLE]) for callback, found in shapes.items()}


def _difference(one: Fetched, faults: dict[int, str], usual: dict[str, frozenset[str]]) -> str | None:
    """How an answer differs, None where it does not."""
    if one.response_id in faults:
        return faults[one.response_id]
    if one.status >= 400 and one.callback is not None and not (one.optional and one.status in (404, 410)):
        return f"HTTP {one.status}"
    known = usual.get(str(one.callback), frozenset())
    gone = missing(shape_of(one.body), known) if one.status == 200 and known else []
    lists = {path.partition("[]")[0] for path in gone}
    if len(lists) == 1 and lists <= shape_of(one.body) - lists_of(shape_of(one.body)):
        return f"{lists.pop()} is empty, or holds nothing that the last good crawl's answers have"
    return f"without {', '.join(gone[:5])}, which the last good crawl's answers have" if gone else None

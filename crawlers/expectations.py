"""Whether a crawl did what its source promises: a pure function over its counts. A crawl that half-works fails.

Floors come from ``configs/sources.toml``; where there has been a good crawl before, its shares are a second standard,
so that a site which quietly drops or renames a field is noticed though the floor is low.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from crawlers.store.records import FIELDS
from valuation.config import SourceSettings

ENOUGH = 10  # postings that a good crawl must have to be a standard
SURE = 0.001  # probability under which a low share is not put down to chance
USUAL = 0.3  # share from which a field counts as one that this source has
RARE = 0.1  # floor of a source where prices are rare
HALF = 0.5  # of its usual share: below it a field has gone missing
RECORDS = ("new", "changed", "unchanged", "repeated", "dropped", "duplicate_id", "outside_window")
ON_PAGES = ("new", "changed", "unchanged", "repeated")


@dataclass(frozen=True, slots=True)
class CrawlCounts:
    """Counts of one crawl by name and key, as `crawlers.store` keeps them.

    Attributes
    ----------
    counts : mapping of (name, key) to int
    outcome : str
        ``finished`` or ``stopped``.
    reason : str
        Why it stopped.
    """

    counts: Mapping[tuple[str, str], int] = field(default_factory=dict)
    outcome: str = "finished"
    reason: str = "finished"

    def of(self, name: str, key: str = "") -> int:
        """One count."""
        return self.counts.get((name, key), 0)

    def by_key(self, name: str) -> dict[str, int]:
        """All counts of a name, by key."""
        return {key: n for (one, key), n in sorted(self.counts.items()) if one == name}

    @property
    def records(self) -> int:
        """Records on the pages, whatever became of them."""
        return sum(self.of("record", outcome) for outcome in RECORDS)

    @property
    def postings(self) -> int:
        """Records that are postings."""
        return sum(self.of("record", outcome) for outcome in ON_PAGES)

    @property
    def failed(self) -> int:
        """Requests given up, and pages that could not be read."""
        return sum(self.by_key("failed").values()) + self.of("fault", "shape")

    def share(self, name: str, key: str) -> float:
        """Share of the postings, in [0, 1]; 0 where there are none."""
        return self.of(name, key) / self.postings if self.postings else 0.0


@dataclass(frozen=True, slots=True)
class Verdict:
    """One expectation, and whether it was met.

    Attributes
    ----------
    name : str
    met : bool
    found, expected : str
    advice : str
        What to look at where it was not met.
    """

    name: str
    met: bool
    found: str
    expected: str
    advice: str = ""


def judge(crawl: CrawlCounts, source: SourceSettings, baseline: CrawlCounts | None) -> tuple[Verdict, ...]:
    """Judge a crawl.

    Parameters
    ----------
    crawl : CrawlCounts
    source : SourceSettings
        The floors.
    baseline : CrawlCounts or None
        The last good crawl of this source.

    Returns
    -------
    tuple of Verdict
        All of them, met or not; the crawl is good if all are.
    """
    found = [_complete(crawl), _errors(crawl, source), _reach(crawl), _items(crawl, source), _unreadable(crawl, source)]
    if crawl.postings:
        found += [_coverage(crawl, source, name) for name in ("text", "job_title", "date_published")]
        found.append(_prices(crawl, source))
        if baseline is not None and baseline.postings >= ENOUGH:
            found += _as_usual(crawl, baseline)
    return tuple(found)


def _complete(crawl: CrawlCounts) -> Verdict:
    advice = {
        "shutdown": "run the same command to go on",
        "rate_limited": "the source asks for a longer wait than crawl.max_wait_seconds; run the same command later",
        "token_refused": "set a valid token and run the same command to go on",
        "max_requests": "pages without end? else raise max_requests of the source",
        "robots_unreachable": "see the faults; run the same command later, to go on",
        "its process was killed": "run the same command: it begins again from the high-water mark",
        "repeated_pages": "the source's paging turns in a circle; look at the last responses",
    }
    met = crawl.outcome == "finished"
    return Verdict(
        "ends by itself", met, crawl.reason, "finished", "" if met else advice.get(crawl.reason, "see the log")
    )


def _errors(crawl: CrawlCounts, source: SourceSettings) -> Verdict:
    requests = max(crawl.of("requests"), crawl.failed, 1)
    share = crawl.failed / requests
    met = share <= source.max_error_share
    shown = f"{crawl.failed} of {requests} ({share:.1%})"
    return Verdict(
        "failed requests", met, shown, f"at most {source.max_error_share:.1%}", "" if met else "see the faults"
    )


def _reach(crawl: CrawlCounts) -> Verdict:
    lost = crawl.of("fault", "cap")
    advice = "a search has more results than the source hands out; narrow its queries or the window"
    return Verdict("records out of reach", not lost, f"{lost} searches", "none", advice if lost else "")


def _items(crawl: CrawlCounts, source: SourceSettings) -> Verdict:
    met = crawl.postings >= source.min_items
    advice = "" if met else "has the site changed? the first differing answer is named"
    shown = f"{crawl.postings} of {crawl.records} records"
    return Verdict("postings", met, shown, f"at least {source.min_items}", advice)


def _unreadable(crawl: CrawlCounts, source: SourceSettings) -> Verdict:
    bad = crawl.of("dropped", "unreadable_record") + crawl.of("dropped", "no_id") + crawl.of("record", "duplicate_id")
    share = bad / crawl.records if crawl.records else 0.0
    met = share <= source.max_unreadable_share
    shown, floor = f"{bad} of {crawl.records} ({share:.1%})", f"at most {source.max_unreadable_share:.1%}"
    return Verdict("unreadable records", met, shown, floor, "" if met else "records have another shape than documented")


def _coverage(crawl: CrawlCounts, source: SourceSettings, name: str) -> Verdict:
    share = crawl.share("field", name)
    met = share >= source.min_field_coverage
    what = {"text": "a text", "job_title": "a title", "date_published": "a date"}[name]
    shown = f"{crawl.of('field', name)} of {crawl.postings} ({share:.1%})"
    floor = f"at least {source.min_field_coverage:.1%}"
    return Verdict(f"postings with {what}", met, shown, floor, "" if met else "renamed or reformatted?")


def _prices(crawl: CrawlCounts, source: SourceSettings) -> Verdict:
    share = crawl.share("price", "read")
    # where few postings state a price at all, a handful of postings without one says nothing
    met = share >= source.min_price_share or (source.min_price_share < RARE and crawl.postings < ENOUGH)
    shown = f"{crawl.of('price', 'read')} of {crawl.postings} ({share:.1%})"
    advice = "" if met else "renamed or reformatted? the quarantine shows the texts"
    return Verdict("prices read", met, shown, f"at least {source.min_price_share:.1%}", advice)


def _as_usual(crawl: CrawlCounts, baseline: CrawlCounts) -> list[Verdict]:
    """Fields that the last good crawl had, prices, and how many of the records are postings."""
    what = "records are no longer recognised as postings?"
    found = [
        _usual("postings among records", crawl.postings, crawl.records, baseline.postings / baseline.records, what)
    ]
    stated = crawl.postings - crawl.of("price", "none")
    usually = 1 - baseline.share("price", "none")
    if usually >= USUAL:
        found.append(_usual("prices stated", stated, crawl.postings, usually, "renamed or reformatted?"))
    for name, key in [*(("field", field_name) for field_name in FIELDS), ("price", "read")]:
        usual = baseline.share(name, key)
        if usual >= USUAL:
            label = "prices" if name == "price" else key
            found.append(_usual(label, crawl.of(name, key), crawl.postings, usual, "renamed or reformatted?"))
    return found


def _usual(label: str, n: int, of: int, usual: float, advice: str) -> Verdict:
    """Whether a share is at least half of the usual one, or so few are asked that chance explains it."""
    met = n >= HALF * usual * of or chance_of(n, of, usual) >= SURE
    shown, floor = f"{n} of {of} ({n / of:.1%})", f"at least half of {usual:.1%}"
    return Verdict(f"{label} as in the last good crawl", met, shown, floor, "" if met else advice)


def chance_of(n: int, of: int, share: float) -> float:
    """Probability of at most `n` successes in `of` draws, each with probability `share`.

    >>> round(chance_of(0, 4, 0.9), 6), chance_of(2, 4, 1.0), chance_of(5, 5, 0.4)
    (0.0001, 0.0, 1.0)
    """
    if n >= of or share <= 0:
        return 1.0
    if share >= 1:
        return 0.0
    yes, no = math.log(share), math.log1p(-share)
    ways = (math.lgamma(of + 1) - math.lgamma(k + 1) - math.lgamma(of - k + 1) for k in range(n + 1))
    return min(1.0, math.fsum(math.exp(way + k * yes + (of - k) * no) for k, way in enumerate(ways)))

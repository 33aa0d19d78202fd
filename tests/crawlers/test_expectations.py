"""Expectations: every verdict both ways at its exact edge, and nothing that gets worse ever looks better."""

from dataclasses import replace
from pathlib import Path

import pytest
from crawling import make_job
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from crawlers.expectations import CrawlCounts, chance_of, judge
from crawlers.store.records import FIELDS

SOURCE = make_job(
    Path(), "sources.github.min_items=20", "sources.github.min_field_coverage=0.9",
    "sources.github.min_price_share=0.3", "sources.github.max_error_share=0.05",
    "sources.github.max_unreadable_share=0.05",
).source  # fmt: skip


def counts(new=100, *, requests=100, fields=None, read=None, outcome="finished", reason="finished", **more):
    """A crawl of `new` postings in which everything is there unless told otherwise."""
    filled = {name: new for name in ("text", "job_title", "date_published")} | (fields or {})
    found = {("record", "new"): new, ("requests", ""): requests, ("price", "read"): new if read is None else read}
    found |= {("field", name): n for name, n in filled.items()}
    found |= {tuple(key.split("__")): n for key, n in more.items()}
    return CrawlCounts(found, outcome, reason)


def verdict(name, crawl, *, source=SOURCE, baseline=None):
    (found,) = [one for one in judge(crawl, source, baseline) if one.name == name]
    return found


def failed(crawl, baseline=None, source=SOURCE):
    return [one.name for one in judge(crawl, source, baseline) if not one.met]


def test_a_good_crawl_meets_everything_and_gives_no_advice():
    found = judge(counts(), SOURCE, None)
    assert all(one.met and one.advice == "" for one in found)
    assert [one.name for one in found] == [
        "ends by itself", "failed requests", "records out of reach", "postings", "unreadable records",
        "postings with a text", "postings with a title", "postings with a date", "prices read",
    ]  # fmt: skip


def unreadable(n, reason):
    return counts(100 - n, record__dropped=n, **{f"dropped__{reason}": n})


def fields(name, n):
    return counts(fields={name: n})


DATE = "date_published"
FLOORS = (DATE, "job_title")  # judged by the stricter floors
TITLE = "job_title"
BAD = "unreadable_record"
SIX = "6 of 100 (6.0%)"


@pytest.mark.parametrize(
    ("name", "good", "bad", "found", "expected"),
    [
        ("postings", counts(20), counts(19), "19 of 19 records", "at least 20"),
        ("failed requests", counts(failed__status=5), counts(failed__status=6), SIX, "at most 5.0%"),
        ("failed requests", counts(fault__shape=5), counts(failed__timeout=3, fault__shape=3), SIX, "at most 5.0%"),
        ("failed requests", counts(requests=0), counts(requests=0, failed__x=1), "1 of 1 (100.0%)", "at most 5.0%"),
        ("records out of reach", counts(fault__cap=0), counts(fault__cap=1), "1 searches", "none"),
        ("unreadable records", unreadable(5, "no_id"), unreadable(6, "no_id"), SIX, "at most 5.0%"),
        ("unreadable records", unreadable(5, BAD), unreadable(6, BAD), SIX, "at most 5.0%"),
        (
            "unreadable records", counts(95, record__duplicate_id=5), counts(94, record__duplicate_id=6), SIX,
            "at most 5.0%",
        ),
        ("postings with a title", fields(TITLE, 90), fields(TITLE, 89), "89 of 100 (89.0%)", "at least 90.0%"),
        ("postings with a text", fields("text", 90), fields("text", 89), "89 of 100 (89.0%)", "at least 90.0%"),
        ("postings with a date", fields(DATE, 90), fields(DATE, 89), "89 of 100 (89.0%)", "at least 90.0%"),
        ("prices read", counts(read=30), counts(read=29), "29 of 100 (29.0%)", "at least 30.0%"),
    ],
)  # fmt: skip
def test_each_expectation_at_its_edge(name, good, bad, found, expected):
    assert verdict(name, good).met
    assert verdict(name, good).advice == ""
    missed = verdict(name, bad)
    assert (missed.met, missed.found, missed.expected) == (False, found, expected)
    assert missed.advice
    assert failed(bad) == [name]


@pytest.mark.parametrize(
    ("reason", "advice"),
    [
        ("shutdown", "run the same command to go on"),
        ("rate_limited", "the source asks for a longer wait than crawl.max_wait_seconds; run the same command later"),
        ("token_refused", "set a valid token and run the same command to go on"),
        ("max_requests", "pages without end? else raise max_requests of the source"),
        ("repeated_pages", "the source's paging turns in a circle; look at the last responses"),
        ("its process was killed", "run the same command: it begins again from the high-water mark"),
        ("failed to start", "see the log"),
    ],
)
def test_a_crawl_that_did_not_end_by_itself_fails_and_says_what_to_do(reason, advice):
    found = verdict("ends by itself", counts(outcome="stopped", reason=reason))
    assert (found.met, found.found, found.expected, found.advice) == (False, reason, "finished", advice)
    assert verdict("ends by itself", counts()).met


def test_zero_records_is_a_failure_without_division():
    nothing = CrawlCounts({})
    assert failed(nothing) == ["postings"]
    assert verdict("postings", nothing).found == "0 of 0 records"
    assert verdict("unreadable records", nothing).found == "0 of 0 (0.0%)"
    assert [one.name for one in judge(nothing, SOURCE, counts())][-1] == "unreadable records"
    fine = SOURCE.model_copy(update={"min_items": 0})
    assert failed(nothing, source=fine) == []


def test_records_count_whatever_became_of_them():
    made = {"changed": 3, "unchanged": 4, "repeated": 5, "dropped": 6, "duplicate_id": 7, "outside_window": 8}
    crawl = counts(2, **{f"record__{key}": n for key, n in made.items()})
    assert (crawl.records, crawl.postings) == (35, 14)
    assert verdict("postings", crawl).found == "14 of 35 records"


def test_dropped_records_that_are_no_fault_of_the_source_do_not_count_as_unreadable():
    crawl = counts(50, record__dropped=500, dropped__not_a_posting=450, dropped__gone=50)
    assert verdict("unreadable records", crawl).found == "0 of 550 (0.0%)"


# --- against the last good crawl ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [*(name for name in FIELDS if name not in FLOORS), "price"])
def test_half_of_the_usual_share_is_enough_and_less_is_not(name):
    label = "prices as in the last good crawl" if name == "price" else f"{name} as in the last good crawl"

    def with_(n):
        return counts(read=n) if name == "price" else counts(fields={name: n})

    assert verdict(label, with_(40), baseline=with_(80)).met
    missed = verdict(label, with_(39), baseline=with_(80))
    assert (missed.met, missed.found, missed.expected) == (False, "39 of 100 (39.0%)", "at least half of 80.0%")
    assert label in failed(with_(0), with_(100))


def test_a_field_that_the_source_hardly_has_is_no_standard():
    base = counts(fields={"category": 29, "skills": 30})
    names = [one.name for one in judge(counts(fields={"category": 0, "skills": 15}), SOURCE, base)]
    assert "category as in the last good crawl" not in names
    assert "skills as in the last good crawl" in names


@pytest.mark.parametrize(
    ("n", "of", "usual", "noticed"),
    [
        (0, 3, 85, False),  # 0.0034: chance may do it
        (0, 4, 90, True),
        (1, 4, 90, False),  # 0.0037
        (0, 9, 50, False),  # 0.00195
        (0, 10, 50, True),
        (2, 3, 100, False),  # more than half of the usual share
        (1, 3, 100, True),  # where all had it, no chance explains a gap
    ],
)
def test_few_postings_are_noticed_where_chance_does_not_explain_them(n, of, usual, noticed):
    source = SOURCE.model_copy(update={"min_items": 1})
    found = failed(counts(of, fields={"url": n}), counts(fields={"url": usual}), source)
    assert ("url as in the last good crawl" in found) is noticed


def test_a_good_crawl_of_a_handful_is_no_standard():
    source = SOURCE.model_copy(update={"min_items": 1})
    assert not failed(counts(50, fields={"url": 0}), counts(9, fields={"url": 9}), source)
    assert failed(counts(50, fields={"url": 0}), counts(10, fields={"url": 10}), source)


@given(st.integers(0, 60), st.integers(1, 60), st.floats(0.01, 0.99))
def test_the_chance_is_the_binomial_one(n, of, share):
    assert chance_of(n, of, share) == pytest.approx(binom.cdf(n, of, share), rel=1e-9, abs=1e-15)


def test_without_a_good_crawl_before_there_is_nothing_to_compare():
    assert not [one for one in judge(counts(), SOURCE, None) if "last good" in one.name]


def test_where_prices_are_rare_a_handful_of_postings_says_nothing_of_them():
    rare = SOURCE.model_copy(update={"min_price_share": 0.09, "min_items": 1})
    assert verdict("prices read", counts(9, read=0), source=rare).met
    assert not verdict("prices read", counts(10, read=0), source=rare).met
    usual = SOURCE.model_copy(update={"min_price_share": 0.1, "min_items": 1})
    assert not verdict("prices read", counts(9, read=0), source=usual).met


def test_records_that_are_no_longer_recognised_as_postings_are_noticed():
    name = "postings among records as in the last good crawl"
    base = counts(80, record__dropped=20)
    assert verdict(name, counts(40, record__dropped=60), baseline=base).met
    missed = verdict(name, counts(39, record__dropped=61), baseline=base)
    assert (missed.met, missed.found, missed.expected) == (False, "39 of 100 (39.0%)", "at least half of 80.0%")
    assert missed.advice == "records are no longer recognised as postings?"


# --- getting worse never helps ------------------------------------------------------------------------------------

small = st.integers(0, 40)


@st.composite
def crawls(draw):
    """Counts that a crawl could have."""
    new, dropped = draw(small), draw(small)
    unreadable = draw(st.integers(0, dropped))
    found = {
        ("record", "new"): new, ("record", "dropped"): dropped, ("dropped", "unreadable_record"): unreadable,
        ("dropped", "not_a_posting"): dropped - unreadable, ("price", "read"): draw(st.integers(0, new)),
        ("requests", ""): draw(st.integers(1, 60)), ("failed", "status"): draw(st.integers(0, 10)),
        ("fault", "shape"): draw(st.integers(0, 5)), ("fault", "cap"): draw(st.integers(0, 2)),
    }  # fmt: skip
    found |= {("field", name): draw(st.integers(0, new)) for name in ("text", *FIELDS)}
    return CrawlCounts(found)


WORSE = [
    ("failed", "status", 1), ("failed", "timeout", 1), ("fault", "shape", 1), ("fault", "cap", 1),
    ("price", "read", -1),
    ("field", "text", -1), ("field", "date_published", -1), ("field", "url", -1), ("field", "skills", -1),
    ("dropped", "unreadable_record", 1), ("dropped", "no_id", 1),
]  # fmt: skip


@given(crawls(), st.sampled_from(WORSE), st.integers(1, 30), st.none() | crawls())
def test_what_gets_worse_never_turns_a_failure_into_success(crawl, change, times, baseline):
    name, key, sign = change
    worse = dict(crawl.counts)
    worse[(name, key)] = max(0, worse.get((name, key), 0) + sign * times)
    after = set(failed(replace(crawl, counts=worse), baseline))
    assert set(failed(crawl, baseline)) <= after


@given(crawls(), st.integers(1, 40))
def test_fewer_records_never_meet_a_minimum_that_more_did_not(crawl, lost):
    worse = dict(crawl.counts)
    worse[("record", "new")] = max(0, worse[("record", "new")] - lost)
    assert not ("postings" in failed(crawl) and "postings" not in failed(replace(crawl, counts=worse)))


@given(crawls(), st.none() | crawls())
def test_a_crawl_that_was_stopped_is_never_good(crawl, baseline):
    assert "ends by itself" in failed(replace(crawl, outcome="stopped"), baseline)


@given(crawls())
def test_a_crawl_is_as_usual_against_itself(crawl):
    assert not [name for name in failed(crawl, crawl) if "last good" in name]

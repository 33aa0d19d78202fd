"""Crawls judged by their store: which answer differs first, which crawl is the standard, what a killed one is."""

import json

import pytest
from crawling import DAY, HOUR, T0, begin, end, keep, make_job, new_store, posting, price

from crawlers.posting import Dropped
from valuation.collection.judged import GOOD, counts_of, first_differing, judge_crawl

SOURCE = make_job().source


@pytest.fixture
def store(tmp_path):
    found = new_store(tmp_path)
    yield found
    found.close()


def page(n, *, key="pay", size=3):
    return json.dumps({"items": [{"id": f"{n}-{one}", key: {"min": 5}} for one in range(size)], "total": 9}).encode()


def crawl(store, crawl_id, *answers, at=T0, outcome="finished", reason="finished", kind="full", size=3):
    """A crawl; answers are bodies that are read well, or (body, fields of `keep`) that yield nothing."""
    records = begin(store, crawl_id, at=at, kind=kind)
    for n, answer in enumerate(answers):
        body, fields = answer if isinstance(answer, tuple) else (answer, {})
        url = f"https://example.org/list?page={n}"
        number = keep(store, crawl_id, body=body, at=at + n * HOUR, **{"url": url, **fields})
        store.count(crawl_id, "requests")
        if not isinstance(answer, tuple):
            for one in range(size):
                records.add(posting(f"{n}-{one}"), response_id=number, position=one + 1, seen_at=at + n * HOUR)
    if outcome:
        end(store, crawl_id, outcome=outcome, reason=reason, at=at + DAY)
    store.commit()


def judged(store, crawl_id, **more):
    return judge_crawl(store, "github", crawl_id, SOURCE.model_copy(update=more))


def good_first(store, *answers):
    crawl(store, "good", *(answers or (page(0), page(1))))
    assert judged(store, "good").good


def differs(store, *answers, crawl_id="bad"):
    crawl(store, crawl_id, *answers, at=T0 + DAY)
    found = judged(store, crawl_id).differing
    return None if found is None else (found.url[-6:], found.status, found.what)


def test_a_good_crawl_differs_in_nothing_and_becomes_the_standard(store):
    crawl(store, "c1", page(0))
    found = judged(store, "c1")
    assert (found.good, found.differing, store.state(GOOD)) == (True, None, "c1")
    assert (found.name, found.kind, found.window, found.faults) == ("github", "full", (), ())
    crawl(store, "c2", page(0), at=T0 + DAY)
    judged(store, "c2")
    assert store.state(GOOD) == "c2"


def test_a_crawl_below_expectation_is_no_standard(store):
    good_first(store)
    crawl(store, "bad", (b"{}", {}))
    assert not judged(store, "bad").good
    assert store.state(GOOD) == "good"


def test_neither_a_reparse_nor_an_empty_crawl_is_a_standard(store):
    crawl(store, "r", page(0), kind="reparse")
    assert judged(store, "r").good
    crawl(store, "empty")
    assert judged(store, "empty", min_items=0).good
    assert store.state(GOOD) is None


def test_a_crawl_is_not_compared_with_itself(store):
    good_first(store)
    assert judged(store, "good").good


def test_an_error_comes_first_and_is_named_by_its_status(store):
    good_first(store)
    assert differs(store, (page(0), {}), (b"oops", {"status": 403}), (b"{}", {})) == ("page=1", 403, "HTTP 403")


def test_an_error_that_was_got_over_is_not_what_differs(store):
    """500 then 200, 429 then 200: ordinary. What differs is the answer with another key."""
    good_first(store)
    tried = {"url": "https://example.org/list?page=0"}
    answers = [(b"", {"status": 500, **tried}), (b"", {"status": 429, **tried}), (page(0, key="wage"), tried)]
    assert differs(store, *answers) == (
        "page=0",
        200,
        "without $.items[].pay, which the last good crawl's answers have",
    )


def test_a_page_that_could_not_be_read_is_named_by_its_fault(store):
    good_first(store)
    crawl(store, "bad", (page(0), {}), (b"[]", {}), at=T0 + DAY)
    number = max(one.response_id for one in store.responses())
    store.fault("bad", "shape", "$: expected an object, got a list of 0", url="u", response_id=number)
    found = judged(store, "bad").differing
    assert (found.response_id, found.status) == (number, 200)
    assert found.what == "shape: $: expected an object, got a list of 0"


def test_a_renamed_key_is_named_with_its_place(store):
    good_first(store)
    shown = differs(store, (page(0), {}), (page(1, key="wage"), {}), (page(2, key="wage"), {}))
    assert shown == ("page=1", 200, "without $.items[].pay, which the last good crawl's answers have")


def test_an_empty_last_page_of_the_good_crawl_does_not_hide_a_renamed_key(store):
    good_first(store, page(0), (page(1, size=0), {}))
    shown = differs(store, (page(0, key="wage"), {}))
    assert shown == ("page=0", 200, "without $.items[].pay, which the last good crawl's answers have")


def test_an_empty_list_is_named_as_such(store):
    good_first(store)
    shown = differs(store, (page(0), {}), (page(1, size=0), {}), (page(2, key="wage"), {}))
    assert shown == ("page=1", 200, "$.items is empty, or holds nothing that the last good crawl's answers have")


def test_each_of_the_spiders_methods_has_its_own_usual_shape(store):
    detail = (b'{"one": {"id": 1}}', {"callback": "parse_detail"})
    good_first(store, page(0), detail)
    shown = differs(store, (page(0), {}), detail, (b'{"other": 1}', {"callback": "parse_detail"}))
    assert shown == ("page=2", 200, "without $.one, which the last good crawl's answers have")


@pytest.mark.parametrize(
    ("body", "what"),
    [
        (b'{"entries": [], "n": 1}', "nothing was read from it; it has $.entries, $.n"),
        (b"<html>moved</html>", "nothing was read from it; it has neither JSON nor JSON-LD"),
        (b'<script type="application/ld+json">{"@type": "x"}</script>', "nothing was read from it; it has $.@type"),
    ],
)
def test_nothing_on_the_very_first_crawl_names_the_first_answer_and_what_it_has(store, body, what):
    assert differs(store, (body, {}), (b"{}", {})) == ("page=0", 200, what)


def test_robots_txt_and_pages_that_are_gone_are_not_what_differs(store):
    gone = {"status": 404, "optional": True}
    robots = (b"", {"callback": None, "status": 404, "url": "https://example.org/robots.txt"})
    assert differs(store, robots, (b"", gone), (b"", {"status": 500}))[:2] == ("page=2", 500)


def test_a_crawl_that_was_stopped_by_its_user_differs_in_nothing(store):
    crawl(store, "c1", (b"{}", {}), outcome="stopped", reason="shutdown")
    found = judged(store, "c1")
    assert (found.good, found.differing) == (False, None)


def test_an_answer_from_which_records_came_is_not_said_to_have_given_nothing(store):
    """A crawl that fails for its prices alone: every answer has the usual shape."""
    good_first(store)
    records = begin(store, "bad", at=T0 + DAY)
    number = keep(store, "bad", body=page(0), at=T0 + DAY)
    for one in range(20):
        found = posting(str(one), paid=price(fault="unclear"))
        records.add(found, response_id=number, position=one + 1, seen_at=T0 + DAY)
    store.count("bad", "requests")
    end(store, "bad")
    result = judged(store, "bad")
    assert [verdict.name for verdict in result.verdicts if not verdict.met] == ["prices read"]
    assert result.differing.response_id == number
    assert result.differing.what.startswith("its keys are the usual ones, look at the values; it has $.items, ")


def test_no_answer_at_all_names_the_request_that_failed(store):
    begin(store, "c1")
    store.fault("c1", "timeout", "no complete answer in time", url="https://example.org/list")
    store.count("c1", "failed", "timeout")
    end(store, "c1")
    found = judged(store, "c1").differing
    assert (found.response_id, found.status, found.url) == (0, 0, "https://example.org/list")
    assert found.what == "timeout: no complete answer in time"


def test_nothing_asked_differs_in_nothing(store):
    begin(store, "c1")
    end(store, "c1")
    assert judged(store, "c1").differing is None
    assert first_differing(store, "c1", "a crawl whose answers were deleted") is None


def test_a_killed_crawl_counts_as_stopped(store):
    crawl(store, "c1", page(0), outcome=None)
    counts = counts_of(store, "c1")
    assert (counts.outcome, counts.reason, counts.records) == ("stopped", "its process was killed", 3)
    assert not judged(store, "c1").good
    assert (counts_of(store, "nosuch").outcome, counts_of(store, "nosuch").reason) == ("stopped", "unknown")


def test_a_standard_whose_answers_were_deleted_still_judges_by_its_counts(store):
    good_first(store, page(0), page(1), page(2), page(3))
    store.commit()
    store.db.execute("DELETE FROM responses")
    records = begin(store, "bad", at=T0 + DAY)
    for one in range(12):
        records.add(posting(str(one), url=None), response_id=keep(store, "bad"), position=1, seen_at=T0 + DAY)
    records.add(Dropped("x", None, "not_a_posting"), response_id=1, position=1, seen_at=T0 + DAY)
    end(store, "bad")
    missed = [verdict for verdict in judged(store, "bad").verdicts if not verdict.met]
    assert [(one.name, one.found, one.expected) for one in missed] == [
        ("url as in the last good crawl", "0 of 12 (0.0%)", "at least half of 100.0%")
    ]  # fmt: skip


def test_the_window_and_the_first_faults_are_told(store):
    from crawlers.job import Window

    begin(store, "c1", window=Window(T0, None, T0 + DAY))
    for n in range(70):
        store.fault("c1", "shape", f"fault {n}", url=f"https://example.org/{n}")
    end(store, "c1")
    found = judged(store, "c1")
    assert [name for name, _ in found.window] == ["since", "changed_since"]
    assert (len(found.faults), found.faults[0].message, found.faults[-1].url) == (
        50,
        "fault 0",
        "https://example.org/49",
    )

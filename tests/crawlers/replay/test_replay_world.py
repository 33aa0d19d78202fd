"""The worlds behind the wire: the same by seed, in any order and size; what the second edition changes; the truth."""

import hashlib
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawlers.replay import NASTY_PRICES, SOURCES, Fault, ReplaySettings, truth
from crawlers.replay.draws import Draw
from crawlers.replay.exchange import Ask, View, encode
from crawlers.replay.github_records import issue
from crawlers.replay.jobs import job_at
from crawlers.replay.quotes import free_text
from crawlers.replay.sources import HANDLERS, source_of, world_of
from crawlers.replay.world import LAST, World, between, part

SMALL = ReplaySettings(postings=60)


def digest(settings, source):
    return hashlib.sha256(repr(list(truth(settings, source))).encode()).hexdigest()


@pytest.mark.parametrize("source", SOURCES)
def test_truth_is_the_same_by_seed_and_differs_by_seed_and_edition(source):
    assert digest(SMALL, source) == digest(SMALL, source)
    assert (
        len({digest(SMALL, source), digest(replace(SMALL, seed=2), source), digest(replace(SMALL, edition=2), source)})
        == 3
    )


@pytest.mark.parametrize("source", SOURCES)
def test_sources_do_not_share_their_postings(source):
    other = SOURCES[SOURCES.index(source) - 1]
    titles = [{row.title for row in truth(SMALL, name)} for name in (source, other)]
    assert len(titles[0] & titles[1]) < 10


def test_one_record_is_the_same_whatever_was_made_before():
    world = world_of(ReplaySettings(postings=5000), "github")
    first = issue(world, 4321, "http://127.0.0.1")
    for number in range(50):
        issue(world, number, "http://127.0.0.1")
    assert issue(world, 4321, "http://127.0.0.1") == first


def test_a_known_record_stays_what_it_was():
    job = job_at(World(1, "github", 200, 1), 17)
    assert (job.title, job.created, job.person) == (KNOWN["title"], KNOWN["created"], KNOWN["person"])


KNOWN = {"title": "Shorten a grant application, lot 18", "created": 1764591450, "person": "clover"}


@given(size=st.integers(1, 5000), edition=st.sampled_from([1, 2]), seed=st.integers(0, 50))
def test_times_grow_with_numbers_and_stay_in_their_year(size, edition, seed):
    world = World(seed, "x", size, edition)
    numbers = sorted({0, size // 3, size // 2, size - 1, world.count - 1})
    times = [world.created(number) for number in numbers]
    assert times == sorted(times) and len(set(times)) == len(numbers)
    assert datetime(2025, 11, 3, tzinfo=UTC).timestamp() <= times[0]
    assert times[-1] < datetime(2026, 10, 31, tzinfo=UTC).timestamp()
    assert world.created(size - 1) < datetime(2026, 10, 1, tzinfo=UTC).timestamp()
    assert edition == 1 or world.created(size) >= datetime(2026, 10, 3, tzinfo=UTC).timestamp()
    assert all(world.updated(number) >= world.created(number) for number in numbers)


@given(low=st.integers(0, 400), high=st.integers(0, 400))
def test_between_agrees_with_counting(low, high):
    world = World(1, "x", 300, 2)
    times = [world.created(number) for number in range(world.count)]
    low_time, high_time = (times[0] + end * 86_400 for end in (low, high))
    first, stop = between(world, range(world.count), low_time, high_time)
    inside = [number for number, time in enumerate(times) if low_time <= time <= high_time]
    assert list(range(first, stop)) == inside


@given(total=st.integers(0, 70), size=st.integers(1, 20), newest=st.booleans())
def test_parts_put_together_are_the_whole(total, size, newest):
    world, numbers = World(1, "x", 100, 1), list(range(total))
    pages = [part(world, numbers, start, size, newest_first=newest) for start in range(0, total + size, size)]
    assert [number for rows, _ in pages for number in rows] == (numbers[::-1] if newest else numbers)
    assert {count for _, count in pages} == {total}


def test_editions_differ_in_new_edited_raised_and_closed_postings():
    one, two = (world_of(ReplaySettings(postings=1000, edition=edition), "github") for edition in (1, 2))
    changes = [two.change(number) for number in range(1000)]
    assert two.count == 1050 and {one.change(number) for number in range(1000)} == {""}
    for kind, share in (("edit", 0.03), ("raise", 0.05), ("close", 0.03)):  # five binomial errors
        assert abs(changes.count(kind) - 1000 * share) <= 5 * (1000 * share * (1 - share)) ** 0.5
    for number, change in enumerate(changes):
        old, new = issue(one, number, ""), issue(two, number, "")
        assert (old == new) == (change == "")
        assert (new["updated_at"] > "2026-10-02") == bool(change) and old["created_at"] == new["created_at"]


def rows_of(source, edition, postings):
    return {row.id: row for row in truth(ReplaySettings(postings=postings, edition=edition), source)}


def test_a_raised_bounty_says_so_in_title_and_body():
    one, two = (world_of(ReplaySettings(postings=1000, edition=edition), "github") for edition in (1, 2))
    raised = [number for number in range(1000) if two.change(number) == "raise"]
    raised = [number for number in raised if "[$" in issue(two, number, "")["title"]]
    before, after = issue(one, raised[0], ""), issue(two, raised[0], "")
    assert "Last Price Increase" not in before["body"]
    assert f"<li>Last Price Increase: {after['updated_at'][:10]}</li>" in after["body"]
    rows = [rows_of("github", edition, 1000) for edition in (1, 2)]
    for number in raised:
        identity = str(3_100_000_000 + number)
        assert rows[1][identity].low == 2 * rows[0][identity].low


def test_the_smallest_world_has_one_of_each_change():
    world = World(1, "x", 3, 2)
    assert [world.change(number) for number in range(world.count)] == ["edit", "raise", "close", "", ""]


@pytest.mark.parametrize("source", ["hackernews", "freelancer", "freelancehunt"])
def test_sources_that_list_by_date_alone_are_edited_only_while_new(source):
    world = world_of(ReplaySettings(postings=2000, edition=2), source)
    changed = [number for number in range(2000) if world.change(number)]
    assert len(changed) > 20 and min(world.created(number) for number in changed) >= LAST - 10 * 86_400
    assert {world.change(number) for number in changed} == {"edit", "raise", "close"}


@pytest.mark.parametrize("source", SOURCES)
def test_the_second_edition_has_new_records_and_lacks_closed_ones(source):
    old, new = ({row.id for row in truth(ReplaySettings(postings=400, edition=edition), source)} for edition in (1, 2))
    assert new - old and (old - new or source == "github")  # GitHub shows closed issues


def test_prices_in_truth_change_with_the_edition():
    old, new = (rows_of("freelancer", edition, 400) for edition in (1, 2))
    changed = [key for key in old if key in new and old[key].low != new[key].low]
    assert changed and all(new[key].low == old[key].low * 1.5 for key in changed)


def test_truth_follows_faults_that_change_prices():
    nasty = [row for row in truth(replace(SMALL, faults=(Fault("nasty_prices"),)), "remotive")]
    assert [(row.low, row.why) for row in nasty[:22]] == [(quote.low, quote.why) for quote in NASTY_PRICES]
    whys = {row.why for row in truth(replace(SMALL, faults=(Fault("reversed_price"),)), "himalayas")}
    assert whys == {"reversed", "none"}
    elsewhere = replace(SMALL, faults=(Fault("reversed_price", source="github"), Fault("nasty_prices", times=1)))
    assert list(truth(elsewhere, "himalayas")) == list(truth(SMALL, "himalayas"))


@pytest.mark.parametrize("source", SOURCES)
def test_truth_has_a_price_or_says_why_not(source):
    rows = list(truth(ReplaySettings(postings=300), source))
    for row in rows:
        assert (row.low is None) == (row.high is None) == bool(row.why)
        assert row.low is None or 0 < row.low <= row.high
    assert any(row.why for row in rows) and any(row.low for row in rows) and len({row.id for row in rows}) == len(rows)


def test_free_texts_are_all_forms_and_their_readings():
    quotes = [free_text(Draw(1, number)) for number in range(400)]
    assert {quote.unit for quote in quotes} == {"", "fixed", "hour"} and {quote.why for quote in quotes} == {
        "",
        "open",
        "none",
    }
    thousands = [quote for quote in quotes if quote.text.endswith("k") and quote.text.startswith("$")]
    assert thousands and all(quote.low == float(quote.text[1:-1]) * 1000 for quote in thousands)


def test_texts_are_one_of_a_kind():
    world = world_of(ReplaySettings(postings=3000), "upwork")
    bodies = [job_at(world, number).paragraphs[1] for number in range(3000)]
    assert len(set(bodies)) == 3000


def test_unknown_sources_and_paths():
    with pytest.raises(ValueError, match="source 'moon': expected one of github"):
        list(truth(SMALL, "moon"))
    assert [source_of(path) for path in ("/", "/robots.txt", "/apis", "/api", "/api/")] == [
        "",
        "",
        "",
        "remoteok",
        "remoteok",
    ]


def test_two_hundred_thousand_postings_cost_nothing_until_asked_for():
    world = world_of(ReplaySettings(postings=200_000), "freelancer")
    ask = Ask("GET", "/api/projects/0.1/projects/all/", {"limit": ["100"], "offset": ["199900"]}, {})
    answer = HANDLERS["freelancer"](ask, View(world))
    assert answer.data["result"]["total_count"] == 200_000 and len(answer.data["result"]["projects"]) == 100
    assert encode(answer.data) == encode(HANDLERS["freelancer"](ask, View(world)).data)


def test_sources_that_send_everything_at_once_are_kept_small():
    sizes = [world_of(ReplaySettings(postings=200_000), source).size for source in ("remoteok", "remotive", "github")]
    assert sizes == [1000, 5000, 200_000]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"postings": 0}, "postings 0: expected 1 to 1,000,000"),
        ({"edition": 3}, "edition 3: expected 1 or 2"),
        ({"host": "0.0.0.0"}, "host '0.0.0.0': expected a loopback address"),
        ({"host": "192.168.1.4"}, "expected a loopback address"),
        ({"host": "127.evil.example"}, "expected a loopback address"),
        ({"host": ""}, "expected a loopback address"),
        ({"port": 70_000}, "port 70000"),
        ({"rate_limit": -1}, "rate limit -1"),
        ({"rate_style": "often"}, "'often'"),
    ],
)
def test_settings_refuse_what_cannot_be_served(wrong, message):
    with pytest.raises(ValueError, match=message):
        ReplaySettings(**wrong)

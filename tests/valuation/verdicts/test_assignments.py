"""Who works on what: one analyst an item unless two are wanted, and nobody twice."""

from __future__ import annotations

import datetime as dt
import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from valuation.verdicts import open_log

from .conftest import NOON

WANTED = {"s1": 1, "s2": 2, "s3": 1}
HOUR = dt.timedelta(hours=1)
CLAIMING = Path(__file__).parents[2] / "support" / "claiming.py"


@pytest.fixture
def desk(log):
    return log.assignments


def claim(desk, analyst, *, at=NOON, wanted=WANTED, audit="a"):
    return desk.claim(audit, wanted, analyst=analyst, now=at, lease=HOUR)


def hold(desk, session, analyst, *, at=NOON, reviews=1):
    return desk.hold("a", session, reviews, analyst=analyst, now=at, lease=HOUR)


def held(desk):
    return [(one.session_id, one.slot, one.analyst, one.finished) for one in desk.all_of("a")]


def test_sessions_are_given_out_in_the_order_of_work_and_one_in_hand_comes_again(desk):
    assert [claim(desk, "Ada"), claim(desk, "Ada")] == ["s1", "s1"]
    assert [claim(desk, "Bo"), claim(desk, "Cy"), claim(desk, "Di")] == ["s2", "s2", "s3"]
    assert claim(desk, "Ed") is None
    assert sorted(held(desk)) == [
        ("s1", 0, "Ada", False), ("s2", 0, "Bo", False), ("s2", 1, "Cy", False), ("s3", 0, "Di", False)
    ]  # fmt: skip
    assert claim(desk, "Ada", audit="b") == "s1"  # another audit has its own


def test_what_is_finished_is_not_given_again(desk):
    claim(desk, "Ada")
    desk.finish("a", "s1", analyst="Ada", at=NOON)
    assert claim(desk, "Ada") == "s2"
    assert desk.finished_by("a", "Ada") == {"s1"} and desk.finished_by("a", "Bo") == set()
    desk.finish("a", "s2", analyst="Ada", at=NOON)
    assert claim(desk, "Ada") == "s3"
    desk.finish("a", "s3", analyst="Ada", at=NOON)
    assert claim(desk, "Ada") is None  # the second review of s2 is somebody else's
    assert claim(desk, "Bo") == "s2"


def test_a_finished_session_that_is_opened_again_comes_first(desk):
    claim(desk, "Ada")
    desk.finish("a", "s1", analyst="Ada", at=NOON)
    claim(desk, "Ada")
    desk.finish("a", "s1", analyst="Ada", at=None)
    assert claim(desk, "Ada") == "s1"


def test_a_lease_runs_out_is_taken_over_and_can_be_renewed(desk):
    one = {"s1": 1}
    assert claim(desk, "Ada", wanted=one) == "s1"
    assert claim(desk, "Bo", at=NOON + HOUR, wanted=one) is None  # to the very end
    assert claim(desk, "Ada", at=NOON + HOUR, wanted=one) == "s1"  # renewed
    assert claim(desk, "Bo", at=NOON + 2 * HOUR, wanted=one) is None
    assert claim(desk, "Bo", at=NOON + 2 * HOUR + dt.timedelta(seconds=1), wanted=one) == "s1"
    assert held(desk) == [("s1", 0, "Bo", False)]
    assert desk.of("a", "s1", "Ada") is None
    assert claim(desk, "Ada", at=NOON + 2 * HOUR + dt.timedelta(seconds=1), wanted=one) is None
    assert claim(desk, "Ada", at=NOON + 9 * HOUR, wanted=one) == "s1"


def test_an_expired_lease_that_nobody_took_is_still_its_holders(desk):
    claim(desk, "Ada")
    assert claim(desk, "Ada", at=NOON + 99 * HOUR) == "s1"
    assert desk.of("a", "s1", "Ada").expires_at == NOON + 100 * HOUR


def test_what_is_finished_does_not_run_out(desk):
    claim(desk, "Ada", wanted={"s1": 1})
    desk.finish("a", "s1", analyst="Ada", at=NOON)
    assert claim(desk, "Bo", at=NOON + 999 * HOUR, wanted={"s1": 1}) is None


def test_what_was_judged_elsewhere_is_finished_here_whoever_has_it_in_hand(desk):
    wanted = {"s1": 1, "s2": 1}
    assert claim(desk, "Bo", wanted=wanted) == "s1"
    for _ in range(2):
        desk.record("a", {("s1", "Ada"): NOON, ("s2", "Ada"): NOON})
    assert desk.finished_by("a", "Ada") == {"s1", "s2"}
    assert sorted((one.session_id, one.analyst, one.finished) for one in desk.all_of("a")) == [
        ("s1", "Ada", True), ("s1", "Bo", False), ("s2", "Ada", True)
    ]  # fmt: skip
    assert claim(desk, "Cy", wanted=wanted) is None
    desk.record("a", {("s1", "Bo"): NOON})
    assert desk.finished_by("a", "Bo") == {"s1"}


def test_a_session_is_held_by_as_many_as_are_wanted_and_nobody_twice(desk):
    assert hold(desk, "s2", "Ada", reviews=2) and hold(desk, "s2", "Ada", reviews=2)
    assert hold(desk, "s2", "Bo", reviews=2)
    assert not hold(desk, "s2", "Cy", reviews=2)
    assert [one.slot for one in desk.all_of("a")] == [0, 1]
    late = NOON + 2 * HOUR
    assert hold(desk, "s2", "Bo", at=late, reviews=2)
    assert hold(desk, "s2", "Cy", at=late, reviews=2)  # in Ada's place
    assert not hold(desk, "s2", "Ada", at=late, reviews=2)
    assert held(desk) == [("s2", 0, "Cy", False), ("s2", 1, "Bo", False)]


def test_a_session_is_closed_to_others_once_all_reviews_are_in(desk):
    def closed(analyst):
        return desk.closed_to("a", WANTED, analyst)

    for analyst, session in (("Ada", "s1"), ("Ada", "s2"), ("Bo", "s2")):
        hold(desk, session, analyst, reviews=WANTED[session])
    assert closed("Cy") == set()
    desk.finish("a", "s1", analyst="Ada", at=NOON)
    desk.finish("a", "s2", analyst="Ada", at=NOON)
    assert closed("Cy") == {"s1"} and closed("Bo") == {"s1"}
    desk.finish("a", "s2", analyst="Bo", at=NOON)
    assert closed("Cy") == {"s1", "s2"}
    desk.finish("a", "s2", analyst="Bo", at=None)
    assert closed("Bo") == {"s1"}  # has it in hand


moves = st.tuples(st.sampled_from("claim hold finish reopen wait".split()), st.sampled_from("ABCD"), st.integers(0, 2))


@given(steps=st.lists(moves, max_size=30))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_order_of_steps_gives_a_session_to_too_many_or_to_one_twice(desk, steps):
    audit = f"audit {sum(1 for _ in steps)}-{id(steps)}"
    now = NOON
    for what, analyst, number in steps:
        session = f"s{number + 1}"
        given_ = {"analyst": analyst, "now": now, "lease": HOUR}
        if what == "claim":
            got = desk.claim(audit, WANTED, **given_)
            assert got is None or desk.of(audit, got, analyst).expires_at == now + HOUR
        elif what == "hold":
            assert desk.hold(audit, session, WANTED[session], **given_) == (
                desk.of(audit, session, analyst) is not None
            )
        elif what == "wait":
            now += dt.timedelta(minutes=45)
        else:
            desk.finish(audit, session, analyst=analyst, at=now if what == "finish" else None)
        rows = desk.all_of(audit)
        assert all(n <= WANTED[session] for session, n in Counter(one.session_id for one in rows).items())
        assert max(Counter((one.session_id, one.analyst) for one in rows).values(), default=0) <= 1
        assert all(one.slot < WANTED[one.session_id] for one in rows)


def test_places_are_kept_by_analyst_and_queue_the_last_one_only(log):
    for analyst, queue, address in (
        ("Ada", "r/all", "/1"),
        ("Ada", "r/all", "/2"),
        ("Ada", "r/mine", "/3"),
        ("Bo", "r/all", "/4"),
    ):
        log.places.keep(analyst=analyst, queue=queue, address=address, now=NOON)
    assert log.places.of("Ada") == {"r/all": "/2", "r/mine": "/3"}
    assert log.places.of("Bo") == {"r/all": "/4"} and log.places.of("Cy") == {}
    log.places.keep(analyst="Ada", queue="r/all", address="/runs/r/sessions?words=" + "%27" * 3000, now=NOON)
    assert len(log.places.of("Ada")["r/all"]) == 23 + 9000


@pytest.mark.slow
@pytest.mark.parametrize("lease", [600, 0.002])
def test_eight_processes_at_once_make_one_database_and_share_no_slot(url, lease):
    """With leases that run out at once, sessions are even taken from each other while they are being judged."""
    wanted = {f"s{n:02}": 1 + (n % 4 == 0) for n in range(48)}
    command = [sys.executable, str(CLAIMING), url, str(lease)]
    found = subprocess.run(command, input=json.dumps(wanted), capture_output=True, text=True, timeout=120, check=False)
    assert found.returncode == 0, found.stderr
    got = json.loads(found.stdout)
    log = open_log(url)
    rows = log.assignments.all_of("a")
    by_slot = Counter((one.session_id, one.slot) for one in rows)
    assert set(by_slot) == {(session, slot) for session, n in wanted.items() for slot in range(n)}
    assert max(by_slot.values()) == 1
    assert max(Counter((one.session_id, one.analyst) for one in rows).values()) == 1
    told = [session for sessions in got for session in set(sessions)]
    said = [one.entry.session_id for one in log.standing(audit_id="a")]
    assert sorted(said) == sorted(told)  # what a process was told is kept, is kept
    if lease > 1:
        assert Counter(told) == wanted
        assert sum(bool(sessions) for sessions in got) > 1
    log.close()

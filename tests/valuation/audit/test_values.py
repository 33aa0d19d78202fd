"""Analysts' values by hand."""

from __future__ import annotations

import math
from datetime import datetime

import numpy as np
import pandas as pd
import pytest

from valuation.audit.values import (
    Prices,
    analyst_value,
    analyst_values,
    by_session,
    pair_verdicts,
    session_values,
)
from valuation.core.audit_precision import CANT_SAY, CheckedSessions, match_precision
from valuation.verdicts import Entry, Stored

# a and a2 are one cluster
PRICES = Prices.of(
    pd.DataFrame(
        {
            "posting_id": ["a", "a2", "b", "c"],
            "cluster_id": ["a", "a", "b", "c"],
            "log_price": [math.log(100), math.log(100), math.log(400), math.log(50)],
        }
    )
)


def said(posting="", verdict="comparable", *, who="Ada", session="s", price=None, better=None, settles=False) -> Entry:
    return Entry(
        token=f"{session}{posting}{verdict}{who}{price}{better}{settles}",
        session_id=session,
        analyst=who,
        decided_at=datetime(2026, 7, 1),  # noqa: DTZ001
        posting_id=posting,
        verdict=verdict,
        price_usd=price,
        better_posting_id=better,
        adjudicates=settles,
    )


def value(*rows: Entry):
    return analyst_value("s", "Ada", rows, PRICES)


@pytest.mark.parametrize(("rows", "usd", "way"), [
    ([said("a"), said("b")], 200, "gigs"),
    ([said("a"), said("b", "session_larger")], 100, "gigs"),
    ([said("a"), said("a2"), said("b")], 200, "gigs"),
    ([said("a", "wrong_kind", better="b")], 400, "gigs"),
    ([said("a"), said("", "cant_say", better="b")], 200, "gigs"),
    ([said("a"), said("", price=999.0)], 100, "gigs"),
    ([said("a", "wrong_kind"), said("", price=90.0)], 90, "price"),
    ([said("a", "session_larger", price=50.0), said("", price=90.0)], 90, "price"),
    ([said("a", "session_larger", price=50.0), said("b", "wrong_kind", price=200.0)], 100, "price"),
])  # fmt: skip
def test_a_value(rows, usd, way):
    found = value(*rows)
    assert math.exp(found.log_value) == pytest.approx(usd)
    assert found.way == way


@pytest.mark.parametrize(
    "rows", [[said("a", "cant_say")], [said("", "comparable")], [said("a", "session_smaller")], []]
)
def test_no_response(rows):
    found = value(*rows)
    assert math.isnan(found.log_value)
    assert (found.way, found.n_gigs) == ("", 0)


def test_a_gig_whose_price_is_gone_is_counted():
    found = value(said("a"), said("deleted"))
    assert (math.exp(found.log_value), found.n_gigs, found.withdrawn) == (pytest.approx(100), 1, 1)
    alone = value(said("deleted"))
    assert math.isnan(alone.log_value)
    assert alone.withdrawn == 1
    assert value(said("deleted"), said("", price=70.0)).way == "price"


def settled(*rows: Entry, first=True):
    stored = [Stored(place, fresh=False, entry=one) for place, one in enumerate(rows)]
    return by_session(stored, PRICES), dict(settled_first=first)


def test_several_analysts_are_averaged_in_logs():
    sessions, how = settled(said("a"), said("b", who="Bo"), said("c", "cant_say", who="Cy"))
    values = analyst_values(sessions, PRICES, **how)
    assert [(one.analyst, one.way) for one in values] == [("Ada", "gigs"), ("Bo", "gigs"), ("Cy", "")]
    assert math.exp(session_values(values)["s"]) == pytest.approx(200)


def test_what_was_settled_takes_the_place_of_what_was_said_on_it():
    rows = [said("a"), said("a", "wrong_kind", who="Bo"), said("b", who="Bo"), said("a2", settles=True, who="Cy")]
    sessions, how = settled(*rows)
    values = analyst_values(sessions, PRICES, **how)
    assert [round(math.exp(one.log_value)) for one in values] == [100, 200]  # Ada: a; Bo: a (settled) and b
    sessions, how = settled(*rows, first=False)
    assert [round(math.exp(one.log_value)) for one in analyst_values(sessions, PRICES, **how)] == [100, 400]


def test_a_session_that_was_only_settled_has_that_value():
    sessions, how = settled(said("", "comparable", price=80.0, settles=True))
    assert math.exp(session_values(analyst_values(sessions, PRICES, **how))["s"]) == pytest.approx(80)
    sessions, how = settled(said("", "comparable", price=80.0, settles=True), first=False)
    assert session_values(analyst_values(sessions, PRICES, **how)) == {}


@pytest.mark.parametrize(("one", "other", "share"), [
    ("comparable", "comparable", 1.0),
    ("comparable", "cant_say", 1.0),
    ("wrong_kind", "session_larger", 0.0),
    ("cant_say", "session_smaller", 0.0),
    ("comparable", "wrong_kind", 0.5),
    ("cant_say", "cant_say", None),
])  # fmt: skip
def test_one_share_a_pair(one, other, share):
    sessions, how = settled(said("a", one), said("a2", other, who="Bo"))
    assert pair_verdicts(sessions, PRICES, **how) == [("s", "a", share)]


def test_of_three_analysts_and_of_two_duplicates():
    three = [said("a"), said("a", who="Bo"), said("a", "wrong_kind", who="Cy"), said("a", "cant_say", who="Di")]
    for rows in (three, three[::-1]):
        sessions, how = settled(*rows)
        assert pair_verdicts(sessions, PRICES, **how) == [("s", "a", 2 / 3)]
    # Ada judged both postings of a cluster: she has one voice
    sessions, how = settled(said("a"), said("a2", "wrong_kind"), said("a", who="Bo"))
    assert pair_verdicts(sessions, PRICES, **how) == [("s", "a", 0.75)]


@pytest.mark.parametrize(("verdict", "share"), [("wrong_kind", 0.0), ("comparable", 1.0), ("cant_say", None)])
def test_a_pair_that_was_settled(verdict, share):
    rows = [said("a"), said("a", "wrong_kind", who="Bo"), said("a", verdict, who="Cy", settles=True)]
    sessions, how = settled(*rows)
    assert pair_verdicts(sessions, PRICES, **how) == [("s", "a", share)]
    sessions, how = settled(*rows, first=False)
    assert pair_verdicts(sessions, PRICES, **how) == [("s", "a", 0.5)]


def test_verdicts_on_the_session_as_a_whole_are_no_pair():
    sessions, how = settled(said(""), said("a"))
    assert pair_verdicts(sessions, PRICES, **how) == [("s", "a", 1.0)]


def audit_of_two(rng, *, double):
    """100 sessions of 500 with one gig each that an analyst accepts with 0.75; `double` of them judged by two."""
    by = ["Ada", "Bo"]
    rows = [
        said("a", "comparable" if rng.random() < 0.75 else "wrong_kind", who=who, session=f"{at:03d}")
        for at in range(100)
        for who in by[: 1 + (at < 100 * double)]
    ]
    pairs = pair_verdicts(settled(*rows)[0], PRICES, settled_first=True)
    nothing, everyone = np.zeros(500, dtype=np.int64), np.arange(500)
    shares = [CANT_SAY if share is None else share for _, _, share in pairs]
    return match_precision(
        CheckedSessions(nothing, everyone, nothing, nothing), np.array([int(session) for session, _, _ in pairs]),
        shares, n_cells=1, level=0.95,
    ).overall  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("double", [0.0, 0.2, 0.5, 1.0])
def test_judging_twice_leaves_precision_where_it_is(double):
    """300 audits; were pairs left out on which two differ, the share would be 0.9 with all judged twice."""
    rng = np.random.default_rng(3)
    found = [audit_of_two(rng, double=double) for _ in range(300)]
    error = np.sqrt(0.75 * 0.25 / 100 / 300)
    assert abs(np.mean([one.estimate[0] for one in found]) - 0.75) < 3 * error
    held = np.mean([one.lower[0] <= 0.75 <= one.upper[0] for one in found])
    assert abs(held - 0.95) < 3 * np.sqrt(0.95 * 0.05 / 300)
    width = np.mean([one.upper[0] - one.lower[0] for one in found])
    assert width == pytest.approx(0.17 / np.sqrt(1 + double), rel=0.1)  # a second analyst makes it narrower

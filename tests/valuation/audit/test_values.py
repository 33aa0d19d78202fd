"""Analysts' values by hand."""

from __future__ import annotations

import math
from datetime import datetime

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


@pytest.mark.parametrize(("one", "other", "verdict"), [
    ("comparable", "comparable", "comparable"),
    ("comparable", "cant_say", "comparable"),
    ("wrong_kind", "session_larger", "session_larger"),
    ("comparable", "wrong_kind", "cant_say"),
    ("cant_say", "cant_say", "cant_say"),
])  # fmt: skip
def test_one_verdict_a_pair(one, other, verdict):
    sessions, how = settled(said("a", one), said("a2", other, who="Bo"))
    assert pair_verdicts(sessions, PRICES, **how) == [("s", "a", verdict)]


def test_a_pair_that_was_settled():
    sessions, how = settled(
        said("a"), said("a", "wrong_kind", who="Bo"), said("a", "wrong_kind", who="Cy", settles=True)
    )
    assert pair_verdicts(sessions, PRICES, **how) == [("s", "a", "wrong_kind")]


def test_verdicts_on_the_session_as_a_whole_are_no_pair():
    sessions, how = settled(said(""), said("a"))
    assert pair_verdicts(sessions, PRICES, **how) == [("s", "a", "comparable")]

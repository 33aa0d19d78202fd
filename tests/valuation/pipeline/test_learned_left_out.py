"""Postings that an encoder learned from never price anything, nor do those that share a client or a text with them."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indices.trained import LearnedFrom, text_mark
from valuation.config import load
from valuation.errors import ThinMatchError
from valuation.pipeline.basket import make_basket

SETTINGS = load()
NONE = frozenset[str]()
LONG = "please build a small web shop with a cart and a payment page for my bakery in town"
DAY = pd.Timestamp("2026-01-05", tz="UTC")


def posting(posting_id, text, *, client=None, usd=100.0, kind="fixed", day=0):
    return {
        "posting_id": posting_id, "source": "s", "title": text, "description": None, "skills": None,
        "posted_at": DAY + pd.Timedelta(days=day), "month": "2026-01", "price_type": kind, "price_kind": "posted",
        "price_usd": usd, "client_id": client,
    }  # fmt: skip


def table(*rows):
    return pd.DataFrame(rows).sort_values("posting_id", ignore_index=True)


def basket(postings, ids=NONE, text=NONE, clients=NONE):
    return make_basket(
        postings, SETTINGS, LearnedFrom(frozenset(ids), frozenset(text), frozenset(clients)), deflator=None
    )


def ids(made):
    return made.members["posting_id"].tolist()


def test_nothing_learned_leaves_everything():
    rows = table(posting("a", "one"), posting("b", "two"))
    made = basket(rows)
    assert ids(made) == ["a", "b"]
    assert made.counts.data() == make_basket(rows, SETTINGS, deflator=None).counts.data()
    assert made.counts.trained_encoder == 0


def test_a_posting_that_taught_leaves():
    made = basket(table(posting("a", "one"), posting("b", "two")), ids={"a"})
    assert (ids(made), made.unit_id, made.counts.trained_encoder, made.counts.kept) == (["b"], ("b",), 1, 1)


def test_its_client_leaves_with_it_also_one_who_comes_later():
    rows = table(
        posting("a", "one", client="c"), posting("b", "two", client="c", day=300), posting("d", "three", client="e")
    )
    made = basket(rows, ids={"a"})
    assert (ids(made), made.counts.trained_encoder) == (["d"], 2)


def test_its_duplicates_leave_with_it_and_their_clients_and_so_on():
    rows = table(
        posting("a", LONG),
        posting("b", LONG + " today", client="c"),  # a near-duplicate
        posting("d", "something else", client="c"),
        posting("e", "SOMETHING ELSE!"),
        posting("f", "not that"),
    )
    made = basket(rows, ids={"a"})
    assert (ids(made), made.counts.trained_encoder) == (["f"], 4)


def test_a_client_or_a_text_is_known_when_the_posting_is_gone():
    rows = table(posting("b", "Fix my shop!"), posting("d", "two", client="c"), posting("e", "three"))
    assert ids(basket(rows, ids={"gone"}, text={text_mark("fix my shop")})) == ["d", "e"]
    assert ids(basket(rows, ids={"gone"}, clients={"c"})) == ["b", "e"]
    assert ids(basket(rows, ids={"gone"})) == ["b", "d", "e"]


@pytest.mark.parametrize("change", [{"usd": 2.0}, {"usd": 90_000.0}, {"kind": "hourly"}])
def test_one_that_is_out_of_range_now_still_links(change):
    rows = table(
        posting("a", LONG, client="c", **change), posting("b", LONG + " now"), posting("d", "two", client="c"),
        posting("e", "three"),
    )  # fmt: skip
    made = basket(rows, ids={"a"})
    assert ids(made) == ["e"]
    assert made.counts.trained_encoder == 2  # it was not in range itself
    assert made.counts.other_price_type + made.counts.out_of_range == 1


def test_a_posting_without_a_client_shares_none():
    made = basket(table(posting("a", "one"), posting("b", "two")), ids={"a"}, clients={"c"})
    assert ids(made) == ["b"]


def test_every_posting_is_counted_once():
    rows = table(
        posting("a", "one"), posting("b", "one"), posting("d", "two"), posting("e", "three", kind="hourly"),
        posting("f", "four", usd=1.0),
    )  # fmt: skip
    data = basket(rows, ids={"a", "e"}).counts.data()
    lines = ("reference_only", "other_price_type", "other_price_kind", "out_of_range", "trained_encoder", "kept")
    assert sum(data[name] for name in lines) == data["postings"] == 5
    assert (data["trained_encoder"], data["kept"], data["clusters"], data["units"]) == (2, 1, 1, 1)


def test_nothing_left_says_why():
    with pytest.raises(ThinMatchError, match="all 1 taught the encoder in use, or share a client or a text"):
        basket(table(posting("a", "one")), ids={"a"})


@settings(max_examples=25, deadline=None)
@given(
    clients=st.lists(st.sampled_from([None, "c1", "c2", "c3"]), min_size=8, max_size=8),
    words=st.lists(st.sampled_from(["one", "two", "three", "four", "five"]), min_size=8, max_size=8),
    taught=st.sets(st.sampled_from("abcdefgh"), min_size=1, max_size=4),
)
def test_no_unit_of_the_whole_basket_straddles(clients, words, taught):
    rows = table(*[posting(i, w, client=c) for i, w, c in zip("abcdefgh", words, clients, strict=True)])
    whole = make_basket(rows, SETTINGS, deflator=None)
    unit = dict(zip(whole.rows["cluster_id"], whole.unit, strict=True))
    of = {row.posting_id: unit[row.cluster_id] for row in whole.members.itertuples()}
    gone = {of[one] for one in taught}
    expected = sorted(one for one, which in of.items() if which not in gone)
    if expected:
        made = basket(rows, ids=taught)
        assert sorted(ids(made)) == expected
        left = whole.rows[whole.rows["cluster_id"].isin(made.rows["cluster_id"])].reset_index(drop=True)
        pd.testing.assert_frame_equal(made.rows, left)
    else:
        with pytest.raises(ThinMatchError):
            basket(rows, ids=taught)

"""Gigs by id and by words: the same before and after the file is there, gone with the basket, no syntax in queries."""

import json
import shutil
import sqlite3
import threading

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from valuation.collection.retention import Expired
from valuation.errors import InputError
from valuation.pipeline.basket import posting_texts
from valuation.pipeline.withdrawal import withdraw_baskets
from valuation.review import gigs_build
from valuation.review.gigs import open_gigs
from valuation.review.gigs_build import FILE
from valuation.storage import Layout, held, write_postings
from valuation.tables import Postings, typed

BASKET = "0123456789abcdef"
TITLES = [
    "Build a WordPress shop",
    "Translate a résumé",
    "Fix the login page",
    "Écrire un article",
    "Logo",
    "Data entry",
]


def postings(titles=TITLES):
    n = len(titles)
    when = pd.to_datetime([f"2025-0{1 + i % 3}-03T10:00:00" for i in range(n)], utc=True).astype("datetime64[us, UTC]")
    price = [100.0 * (i + 1) for i in range(n)]
    columns = {
        "posting_id": [f"p{i}" for i in range(n)],
        "source": ["one" if i % 2 else "two" for i in range(n)],
        "url": [f"https://example.org/{i}" for i in range(n)],
        "title": titles,
        "description": ["about the work" if i % 2 else None for i in range(n)],
        "skills": ["php, css"] * n,
        "posted_at": when,
        "date_quality": ["exact"] * n,
        "month": when.strftime("%Y-%m"),
        "crawled_at": pd.Series([None] * n, dtype="datetime64[us, UTC]"),
        "price_type": ["fixed"] * n,
        "price_kind": ["posted"] * n,
        "price_low": price,
        "price_high": price,
        "currency": ["EUR"] * n,
        "price_usd": price,
        "rate_source": ["none"] * n,
        "category": [None] * n,
        "country": ["Austria"] * n,
        "client_id": [None] * n,
        "price_raw": [None] * n,
    }
    return typed(columns, Postings)


def fill(root, frame, members=5):
    """A workspace whose basket holds the first postings."""
    layout = Layout(root)
    (root / "valuation.toml").write_text("")
    write_postings(layout, frame)
    folder = layout.indices / BASKET
    folder.mkdir(parents=True)
    rows = frame.head(members)
    table = pd.DataFrame(
        {
            "posting_id": rows["posting_id"],
            "cluster_id": rows["posting_id"],
            "text": pd.Series(posting_texts(rows), dtype="str"),
            "source": rows["source"],
            "month": rows["month"],
            "log_price": np.log(rows["price_usd"]),
            "n_members": 1,
        }
    )
    pq.write_table(pa.Table.from_pandas(table, preserve_index=False), folder / "basket.parquet")
    pq.write_table(pa.Table.from_pandas(table[["posting_id", "cluster_id"]]), folder / "members.parquet")
    (folder / "basket.json").write_text("{}")
    return layout


def expired(posting_id):
    at = "2025-05-01T00:00:00+00:00"
    counts = {"responses": 0, "versions": 1, "postings": 1, "dropped": 0}
    return Expired("two", at, at, 24.0, frozenset({posting_id}), frozenset(), **counts)


@pytest.fixture
def layout(tmp_path):
    return fill(tmp_path, postings())


@pytest.fixture
def store(layout):
    opened = open_gigs(layout, BASKET)
    opened.build()
    return opened


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    opened = open_gigs(fill(tmp_path_factory.mktemp("gigs"), postings()), BASKET)
    opened.build()
    return opened


def found(store, query, **more):
    return [hit.posting_id for hit in store.search_words(query, 10, **more)]


def test_a_gig_has_the_postings_and_the_baskets_figures(store):
    gig = store.get(["p1"])["p1"]
    assert (gig.row, gig.cluster_id, gig.n_members) == (1, "p1", 1)
    assert gig.log_price == pytest.approx(np.log(200.0))
    assert (gig.title, gig.description, gig.skills) == ("Translate a résumé", "about the work", "php, css")
    assert (gig.source, gig.month, gig.currency, gig.price_low) == ("one", "2025-02", "EUR", 200.0)
    assert gig.posted_at.isoformat() == "2025-02-03T10:00:00+00:00"
    assert gig.category is None


def test_gigs_are_the_same_before_and_after_the_file_is_there(layout):
    store = open_gigs(layout, BASKET)
    asked = ["p4", "p0", "p5", "nobody", "p0", "\ud800"]
    before = store.get(asked)
    assert not store.ready
    assert found(store, "wordpress") == []
    store.build()
    assert store.ready
    assert store.get(asked) == before
    assert list(before) == ["p4", "p0"]  # p5 is no member of the basket; the order is the one asked for
    assert store.count() == 5


def test_words_are_found_in_any_case_and_without_accents(store):
    assert found(store, "WORDPRESS") == ["p0"]
    assert found(store, "resume") == ["p1"]
    assert found(store, "ecrire Article") == ["p3"]
    assert found(store, "zebra") == []


def test_all_words_count_before_any_word_does(store):
    assert found(store, "login page") == ["p2"]
    assert sorted(found(store, "login logo")) == ["p2", "p4"]  # no gig has both


def test_pages_of_results_follow_each_other(store):
    whole = store.search_words("php", 10)
    assert [hit.rank for hit in whole] == [1, 2, 3, 4, 5]
    assert store.search_words("php", 2) + store.search_words("php", 2, 2) + store.search_words("php", 2, 4) == whole
    assert store.search_words("php", 0) == store.search_words("php", -3) == []
    assert store.search_words("php", 10, 10**12) == []


@pytest.mark.parametrize("query", ["", "   ", "--", '"', "()*^:", "\x00", "…", '""""'])
def test_a_query_without_a_word_finds_nothing(store, query):
    assert found(store, query) == []


@pytest.mark.parametrize(
    "query",
    ["login NOT page", "NEAR(login page)", "title:login", "log*", '"login', "login AND", "^login", "login) OR (page"],
)
def test_nothing_in_a_query_is_syntax(store, query):
    assert set(found(store, query)) <= {"p2"}


@settings(max_examples=150, deadline=None)
@given(query=st.text(max_size=60), limit=st.integers(-5, 500), offset=st.integers(-5, 500))
def test_any_text_can_be_searched_for(shared, query, limit, offset):
    hits = shared.search_words(query, limit, offset)
    assert len(hits) <= max(limit, 0)
    assert {hit.posting_id for hit in hits} <= {f"p{i}" for i in range(5)}
    assert set(shared.document_counts([query])) <= {query}


def test_a_very_long_query_is_bounded(store):
    assert found(store, "login " + "x" * 1_000_000) == ["p2"]
    assert store.search_words(" ".join(f"w{i}" for i in range(100_000)), 5) == []


def test_counts_say_in_how_many_gigs_a_word_is(store):
    assert store.document_counts(["php", "Résumé", "RESUME", "zebra", "", "--"]) == {"php": 5, "Résumé": 1, "RESUME": 1}


def test_the_text_that_priced_stays_where_a_posting_was_edited_since(layout):
    edited = postings()
    edited.loc[0, "title"] = "Something else"
    edited.loc[0, "price_low"] = 7.0
    write_postings(layout, edited.drop(index=1).reset_index(drop=True))
    store = open_gigs(layout, BASKET)
    store.build()
    gigs = store.get(["p0", "p1"])
    assert (gigs["p0"].title, gigs["p0"].description) == ("Build a WordPress shop", "php, css")
    assert gigs["p0"].price_low == 7.0
    assert (gigs["p1"].title, gigs["p1"].posted_at) == ("Translate a résumé", None)
    assert store.count() == len(store.get([f"p{i}" for i in range(6)])) == 5


def test_the_file_goes_with_the_basket_when_a_posting_is_deleted(layout, store):
    assert found(store, "login") == ["p2"]
    left = postings()
    write_postings(layout, left[left["posting_id"] != "p2"].reset_index(drop=True))
    withdraw_baskets(layout, expired("p2"))
    assert not list(layout.indices.rglob(FILE))
    assert found(store, "login") == []
    assert not store.ready
    assert store.count() == 0
    assert list(store.get(["p2", "p3"])) == ["p3"]  # others come from the postings table
    assert store.get(["p3"])["p3"].log_price is None
    with pytest.raises(InputError, match="basket 0123456789abcdef is no longer here"):
        store.build()


def test_a_basket_deleted_during_the_build_leaves_no_file(layout, monkeypatch):
    write = gigs_build._write

    def deleted_meanwhile(layout, folder, to):
        write(layout, folder, to)
        (folder / "basket.json").unlink()

    monkeypatch.setattr(gigs_build, "_write", deleted_meanwhile)
    with pytest.raises(InputError, match="no longer here"):
        open_gigs(layout, BASKET).build()
    assert not list(layout.indices.rglob(FILE))


def test_a_build_whose_unfinished_file_was_swept_away_is_done_again(layout, monkeypatch):
    write, times = gigs_build._write, []

    def swept(layout_, folder, to):
        times.append(to)
        write(layout_, folder, to)
        if len(times) == 1:
            with held(layout, "run"):  # as any command that writes begins
                pass
            assert not to.exists()

    monkeypatch.setattr(gigs_build, "_write", swept)
    store = open_gigs(layout, BASKET)
    store.build()
    assert (len(times), store.ready) == (2, True)
    assert (layout.indices / BASKET / FILE).is_file()
    assert not list(layout.indices.rglob(".tmp-*"))


def test_two_builds_at_once_leave_one_whole_file(layout):
    stores = [open_gigs(layout, BASKET) for _ in range(4)]
    threads = [threading.Thread(target=one.build) for one in stores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [found(one, "login") for one in stores] == [["p2"]] * 4
    assert not list(layout.indices.rglob(".tmp-*"))


def test_start_builds_in_the_background_and_says_what_went_wrong(layout):
    store = open_gigs(layout, BASKET)
    store.start()
    store.start()
    store._thread.join(20)
    assert (store.ready, store.failed) == (True, "")
    shutil.rmtree(layout.indices / BASKET)
    gone = open_gigs(layout, BASKET)
    gone.start()
    gone._thread.join(20)
    assert not gone.ready
    assert "make a new run with: valuation run" in gone.failed


def test_a_file_of_another_version_or_a_damaged_one_is_made_anew(layout):
    path = layout.indices / BASKET / FILE
    with sqlite3.connect(path) as old:
        old.execute("PRAGMA user_version = 999")
    store = open_gigs(layout, BASKET)
    assert not store.ready
    store.build()
    assert found(store, "login") == ["p2"]
    path.write_bytes(b"nothing of the kind")
    assert not store.ready
    assert list(store.get(["p2"])) == ["p2"]
    store.build()
    assert store.ready


def test_a_damaged_basket_is_named(layout):
    (layout.indices / BASKET / "basket.parquet").write_bytes(b"no Parquet")
    with pytest.raises(InputError, match=r"basket\.parquet: not readable as Parquet"):
        open_gigs(layout, BASKET).build()


def test_many_threads_read_at_once(store):
    wrong = []

    def ask():
        for i in range(30):
            gig = store.get([f"p{i % 5}"])[f"p{i % 5}"]
            if gig.row != i % 5 or found(store, "login") != ["p2"]:
                wrong.append(i)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    store.close()
    assert json.dumps(found(store, "login")) == '["p2"]'

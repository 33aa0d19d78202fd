"""A store -> tables: all that is stored is in a row or in the quarantine; the tables depend on the store alone."""

import json
import sqlite3
from pathlib import Path

import pandas as pd
import pytest
from crawling import DAY, HOUR, T0, begin, end, keep, posting, price

from crawlers.posting import Dropped
from crawlers.store import open_store
from valuation.collection import export as module
from valuation.collection.export import export, import_id
from valuation.config import load
from valuation.errors import EnvironmentFault
from valuation.imports import import_postings
from valuation.imports.ledger import read_ledger, read_provenance, read_quarantine
from valuation.storage import make_workspace, read_postings
from valuation.tables import PostingVersions, digest_partitions, finish_write, read_partitions

SETTINGS = load()
MINE = import_id("acme")


@pytest.fixture
def layout(tmp_path):
    return make_workspace(tmp_path / "work")


def fill(layout, *days, name="acme"):
    """Store days of records, a crawl and an answer each."""
    store = open_store(layout.crawl_store(name), create=True)
    begun = store.db.execute("SELECT count(*) FROM crawls").fetchone()[0]
    for n, found in enumerate(days, start=begun):
        at = T0 + n * DAY
        records = begin(store, f"c{n}", at=at, source=name)
        number = keep(store, f"c{n}", at=at + HOUR, body=str(n).encode(), request_hash=f"r{n}")
        for position, one in enumerate(found, start=1):
            records.add(one, response_id=number, position=position, seen_at=at + HOUR)
        end(store, f"c{n}")
    store.close()


MAP = """kind = "postings"
[columns]
posting_id = "id"
source = "source"
title = "title"
posted_at = "posted"
price_type = "type"
price = "price"
currency = "currency"
"""


def bring(layout, tmp_path, *ids, source="acme"):
    """Import rows of a file."""
    tmp_path.mkdir(exist_ok=True)
    path, mapping = tmp_path / f"{source}.csv", tmp_path / "map.toml"
    lines = [f"{one},{source},from a file,2026-02-01,fixed,75,USD\n" for one in ids]
    path.write_text("id,source,title,posted,type,price,currency\n" + "".join(lines))
    mapping.write_text(MAP)
    import_postings(layout, [str(path)], settings=load(layout.settings), mapping=mapping, dry_run=False)


def versions(layout):
    return read_partitions(layout.versions, PostingVersions, ("source", "month"), ["posting_id", "version"])


def tables(layout):
    return read_postings(layout), versions(layout), read_quarantine(layout, "postings", MINE)


def same(a, b):
    for one, other in zip(a, b, strict=True):
        pd.testing.assert_frame_equal(one, other)


def test_what_was_stored_is_in_the_tables(layout):
    fill(layout, [posting("1"), posting("2", paid=price(100.0, 400.0))], [posting("1", paid=price(500.0))])
    found = export(layout, SETTINGS, "acme")
    assert (found.postings, found.versions, found.quarantined) == (2, 3, ())
    now, history, held = tables(layout)
    assert now[["posting_id", "price_usd", "month", "source"]].values.tolist() == [
        ["acme:1", 500.0, "2026-03", "acme"], ["acme:2", 200.0, "2026-03", "acme"]
    ]  # fmt: skip
    assert history[["posting_id", "version", "price_usd", "current"]].values.tolist() == [
        ["acme:1", 1, 250.0, False], ["acme:1", 2, 500.0, True], ["acme:2", 1, 200.0, True]
    ]  # fmt: skip
    assert history["crawled_at"].tolist() == [T0 + HOUR, T0 + DAY + HOUR, T0 + HOUR]
    assert len(held) == 0
    (line,) = read_ledger(layout).to_dict("records")
    assert (line["import_id"], line["kind"], line["file"]) == (MINE, "postings", "crawl:acme")
    assert [line[name] for name in ("rows_in", "kept", "merged", "quarantined")] == [2, 2, 0, 0]
    assert read_provenance(layout, "postings", MINE)["id"].tolist() == ["acme:1", "acme:2"]


MIXED = [
    posting("good"), posting("nodate", published=None), posting("free", paid=price(fault="zero", raw="Free")),
    Dropped("pull", "https://example.org/pull", "not_a_posting", "mail ada.l@example.org"),
    Dropped(None, None, "unreadable_record", "expected an object, got a string"), Dropped(None, None, "no_id", "no id"),
    Dropped("old", None, "gone", "HTTP 410"), posting("good", title="another under the same id"),
]  # fmt: skip


def test_kept_and_quarantined_are_all_records(layout):
    fill(layout, MIXED)
    found = export(layout, SETTINGS, "acme")
    assert (found.postings, found.versions) == (1, 1)
    assert found.quarantined == (
        ("no_id", 2), ("gone", 1), ("no_date", 1), ("not_a_posting", 1), ("unreadable_row", 1), ("zero_price", 1)
    )  # fmt: skip
    (line,) = read_ledger(layout).to_dict("records")
    assert (
        [line[name] for name in ("rows_in", "kept", "merged", "quarantined")] == [8, 1, 0, 7] == [len(MIXED), 1, 0, 7]
    )
    held = tables(layout)[2].set_index("reason")
    assert set(held["import_id"]) == {MINE} and set(held["file"]) == {"crawl:acme"} and set(held["row"]) == {1}
    assert held.loc["zero_price", "value"] == "Free"
    assert held.loc["not_a_posting", "value"] == "mail [email]"
    assert json.loads(held.loc["not_a_posting", "raw"]) == {
        "id": "acme:pull", "url": "https://example.org/pull", "position": 4
    }  # fmt: skip
    assert json.loads(held.loc["gone", "raw"])["url"] == "https://example.org/list"  # the page, where it has none
    assert json.loads(held.loc["no_date", "raw"])["title"] == "Fix the login"


def test_nothing_in_the_workspace_tables_names_a_person(layout):
    secret = "ada.l@example.org"
    fill(
        layout,
        [
            posting("1", hiring_organization="Ada Lovelace Ltd", title=secret),
            posting("2", url=f"https://a.org/{secret}", published=None, date_published_raw=secret),
            Dropped("3", f"https://a.org/{secret}", "gone", secret),
        ],
    )
    export(layout, SETTINGS, "acme")
    shown = "".join(frame.to_csv() for frame in tables(layout))
    assert "ada.l" not in shown and "Lovelace" not in shown
    assert "[email]" in shown


def test_a_posting_that_cannot_be_used_any_more_leaves_the_current_table_but_not_the_history(layout):
    fill(layout, [posting("1")])
    export(layout, SETTINGS, "acme")
    fill(layout, [posting("1", paid=price(fault="none"))])
    found = export(layout, SETTINGS, "acme")
    assert (found.postings, found.versions, found.quarantined) == (0, 1, (("no_price", 1),))
    assert len(read_postings(layout)) == 0
    assert versions(layout)[["version", "current"]].values.tolist() == [[1, False]]


def test_a_posting_that_is_put_right_leaves_the_quarantine(layout):
    fill(layout, [posting("1", paid=price(fault="none"))])
    assert export(layout, SETTINGS, "acme").quarantined == (("no_price", 1),)
    fill(layout, [posting("1")])
    found = export(layout, SETTINGS, "acme")
    assert (found.postings, found.versions, found.quarantined) == (1, 1, ())
    assert versions(layout)[["version", "current"]].values.tolist() == [[2, True]]
    assert not layout.quarantine("postings", MINE).exists()


def test_an_edited_date_moves_a_posting_to_another_month(layout):
    fill(layout, [posting("1", published=T0 - 40 * DAY), posting("2")])
    export(layout, SETTINGS, "acme")
    assert [path.parent.name for path in sorted(layout.postings.rglob("part.parquet"))] == [
        "month=2026-01",
        "month=2026-03",
    ]
    fill(layout, [posting("1", published=T0 - 20 * DAY)])
    export(layout, SETTINGS, "acme")
    assert [path.parent.name for path in sorted(layout.postings.rglob("part.parquet"))] == [
        "month=2026-02",
        "month=2026-03",
    ]
    assert read_postings(layout)["month"].tolist() == ["2026-02", "2026-03"]
    assert versions(layout)["month"].tolist() == ["2026-01", "2026-02", "2026-03"]


@pytest.mark.parametrize("piece", [1, 3, 7])
def test_pieces_change_nothing(tmp_path, monkeypatch, piece):
    days = [
        [posting(str(n), published=T0 - (n % 4) * 31 * DAY, url=None if n % 3 else "https://a.org") for n in range(9)],
        [posting(str(n), paid=price(fault="none") if n % 2 else price(9.0)) for n in range(0, 9, 3)],
        [Dropped(None, None, "no_id", str(n)) for n in range(4)],
    ]
    whole, pieces = (make_workspace(tmp_path / name, key_file=None) for name in ("whole", "pieces"))
    for layout, size in ((whole, 10_000), (pieces, piece)):
        monkeypatch.setattr(module, "PIECE", size)
        fill(layout, *days)
        found = export(layout, SETTINGS, "acme")
        assert (found.postings, found.versions, sum(n for _, n in found.quarantined)) == (8, 11, 5)
    same(tables(whole), tables(pieces))


def test_a_second_export_changes_no_byte(layout):
    fill(layout, MIXED, [posting("good", paid=price(999.0))])
    export(layout, SETTINGS, "acme")
    before = digest_partitions(layout.postings), digest_partitions(layout.versions), tables(layout)
    times = [path.stat().st_mtime_ns for path in layout.postings.rglob("part.parquet")]
    ledger = read_ledger(layout)
    export(layout, SETTINGS, "acme")
    assert (digest_partitions(layout.postings), digest_partitions(layout.versions)) == before[:2]
    assert [path.stat().st_mtime_ns for path in layout.postings.rglob("part.parquet")] == times
    same(tables(layout), before[2])
    pd.testing.assert_frame_equal(read_ledger(layout), ledger)


def test_seeing_the_same_postings_again_changes_no_byte_of_the_current_table(layout):
    fill(layout, [posting("1"), posting("2")])
    export(layout, SETTINGS, "acme")
    before = digest_partitions(layout.postings)
    fill(layout, [posting("2", bids=12), posting("1", date_modified=T0)])
    export(layout, SETTINGS, "acme")
    assert digest_partitions(layout.postings) == before
    assert versions(layout)["last_seen_at"].tolist() == [T0 + DAY + HOUR] * 2


def test_one_crawl_or_many_give_the_same_current_table(tmp_path):
    one, many = make_workspace(tmp_path / "one"), make_workspace(tmp_path / "many")
    everything = [posting(str(n), published=T0 - n * 9 * DAY) for n in range(8)]
    fill(one, everything)
    fill(many, everything[:3], everything[:5], everything[2:], everything)
    for layout in (one, many):
        export(layout, SETTINGS, "acme")
    columns = [name for name in read_postings(one).columns if name != "crawled_at"]
    pd.testing.assert_frame_equal(read_postings(one)[columns], read_postings(many)[columns])


def test_two_sources_do_not_touch_each_other(layout):
    fill(layout, [posting("1")])
    fill(layout, [posting("1"), posting("2")], name="other")
    export(layout, SETTINGS, "acme")
    before = (layout.postings / "source=acme").stat().st_mtime_ns, digest_partitions(layout.postings / "source=acme")
    export(layout, SETTINGS, "other")
    assert digest_partitions(layout.postings / "source=acme") == before[1]
    assert read_postings(layout)["posting_id"].tolist() == ["acme:1", "other:1", "other:2"]
    assert read_ledger(layout)["file"].tolist() == ["crawl:acme", "crawl:other"]


def test_rows_that_files_brought_under_the_same_source_survive(layout, tmp_path):
    bring(layout, tmp_path, "acme:file", "acme:1")
    assert read_postings(layout)["posting_id"].tolist() == ["acme:1", "acme:file"]
    fill(layout, [posting("1"), posting("2")])
    export(layout, SETTINGS, "acme")
    found = read_postings(layout).set_index("posting_id")
    assert found["title"].to_dict() == {
        "acme:1": "Fix the login",
        "acme:2": "Fix the login",
        "acme:file": "from a file",
    }
    fill(layout, [posting("2", paid=price(fault="none"))])
    export(layout, SETTINGS, "acme")
    assert read_postings(layout)["posting_id"].tolist() == ["acme:1", "acme:file"]
    export(layout, SETTINGS, "acme")
    assert read_postings(layout)["posting_id"].tolist() == ["acme:1", "acme:file"]


def test_an_empty_store_gives_empty_tables(layout):
    fill(layout, [])
    found = export(layout, SETTINGS, "acme")
    assert (found.postings, found.versions, found.quarantined) == (0, 0, ())
    assert (len(read_postings(layout)), len(versions(layout))) == (0, 0)
    assert read_ledger(layout)["rows_in"].tolist() == [0]


class Killed(BaseException):
    """As a process that is killed: nothing catches it."""


STEPS = ["write_quarantine", "write_provenance", "versions", "postings", "write_ledger"]


def cut_short(layout, monkeypatch, step, *, before):
    """Export, and die just before or after a step."""
    if step in ("versions", "postings"):
        whole = module.PartsWriter.commit

        def commit(writer):
            mine = writer._folder.name == step
            if mine and before:
                raise Killed
            whole(writer)
            if mine:
                raise Killed

        monkeypatch.setattr(module.PartsWriter, "commit", commit)
    else:
        real = getattr(module, step)

        def dies(*args, **more):
            if not before:
                real(*args, **more)
            raise Killed

        monkeypatch.setattr(module, step, dies)
    with pytest.raises(Killed):
        export(layout, SETTINGS, "acme")
    monkeypatch.undo()


AFTER = [
    posting("1", paid=price(fault="none")),
    posting("2", paid=price(800.0)),
    posting("3"),
    Dropped("x", None, "gone"),
]


@pytest.mark.slow
@pytest.mark.parametrize("before", [True, False], ids=["before", "after"])
@pytest.mark.parametrize("step", STEPS)
def test_an_export_that_was_killed_is_completed_by_the_next(tmp_path, monkeypatch, step, before):
    """A posting cannot be used any more, one has risen in price, one is new: no trace of the half-done export stays."""
    whole, killed = make_workspace(tmp_path / "whole"), make_workspace(tmp_path / "killed")
    for layout in (whole, killed):
        bring(layout, tmp_path / layout.root.name, "acme:file")
        fill(layout, [posting("1"), posting("2")])
        export(layout, SETTINGS, "acme")
        fill(layout, AFTER)
    cut_short(killed, monkeypatch, step, before=before)
    for layout in (whole, killed):
        for folder in (layout.postings, layout.versions):
            finish_write(folder)
        export(layout, SETTINGS, "acme")
    same(tables(whole), tables(killed))
    lines = [
        read_ledger(layout)[["import_id", "sha256", "rows_in", "kept", "quarantined"]] for layout in (whole, killed)
    ]
    pd.testing.assert_frame_equal(*(frame[frame["import_id"] == MINE].reset_index(drop=True) for frame in lines))


@pytest.mark.slow
@pytest.mark.parametrize("step", STEPS)
def test_files_can_be_imported_after_an_export_was_killed(layout, tmp_path, monkeypatch, step):
    fill(layout, [posting("1"), posting("2")])
    export(layout, SETTINGS, "acme")
    fill(layout, AFTER)
    cut_short(layout, monkeypatch, step, before=False)
    bring(layout, tmp_path, "other:file", source="other")
    assert "other:file" in read_postings(layout)["posting_id"].tolist()
    export(layout, SETTINGS, "acme")
    assert read_postings(layout)["posting_id"].tolist() == ["acme:2", "acme:3", "other:file"]


def test_a_store_that_is_missing_or_damaged_is_named(layout):
    with pytest.raises(EnvironmentFault, match="nothing has been crawled here yet"):
        export(layout, SETTINGS, "acme")
    fill(layout, [posting(str(n), text="x" * 3000) for n in range(50)])
    path = layout.crawl_store("acme")
    content = bytearray(path.read_bytes())
    content[20_000:-4096] = b"\xff" * (len(content) - 24_096)
    path.write_bytes(content)
    for left in path.parent.glob("store.db-*"):
        left.unlink()
    with pytest.raises(EnvironmentFault, match=r"store\.db: .*restore it from a copy"):
        export(layout, SETTINGS, "acme")
    assert not list(layout.root.rglob("next.parquet"))


def test_other_processes_may_read_while_it_exports(layout):
    fill(layout, [posting("1")])
    reader = sqlite3.connect(layout.crawl_store("acme"))
    reader.execute("BEGIN")
    reader.execute("SELECT * FROM versions").fetchall()
    assert export(layout, SETTINGS, "acme").postings == 1
    reader.close()
    assert isinstance(layout.root, Path)

"""The ledger's sums, importing twice, changed mappings, retries, and runs that were cut short."""

import json

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from valuation.errors import InputError
from valuation.imports import importing, ledger, quarantined, retrying
from valuation.imports.ledger import read_provenance
from valuation.imports.raw import RawTable
from valuation.storage import read_postings

from .conftest import make_room

HEAD = "id,title,budget,currency,type,posted\n"
MAP = """
kind = "postings"
source = "test"
[columns]
posting_id = "id"
title = "title"
price = "budget"
currency = "currency"
price_type = "type"
posted_at = "posted"
"""
ROWS = (
    "1,A,5,USD,fixed,2024-03-05\n"
    "2,B,1 apple,USD,fixed,2024-03-05\n"
    "3,C,7,USD,gig,2024-03-05\n"
    "4,D,8,USD,gig,2024-04-05\n"
    "5,E,9,USD,fixed,2024-03-05,surplus\n"
)
BETTER = MAP + '[values.price_type]\ngig = "fixed"\n'


def line(room):
    found = room.ledger()
    assert len(found) == 1
    return tuple(int(found.iloc[0][name]) for name in ("rows_in", "kept", "merged", "quarantined"))


def test_importing_twice_changes_nothing(room):
    file, mapping = room.file("a.csv", HEAD + ROWS), room.mapping(MAP)
    first = room.postings(file, mapping=mapping)
    before = room.snapshot()
    again = room.postings(file, mapping=mapping, now=pd.Timestamp("2026-12-01", tz="UTC").to_pydatetime())
    assert room.snapshot() == before
    assert (first.files[0].unchanged, again.files[0].unchanged) == (False, True)
    assert again.files[0].reasons == first.files[0].reasons
    assert (again.rows_in, again.kept, again.merged, again.quarantined) == (5, 1, 0, 4)


def test_a_copy_under_another_name_is_the_same_file(room):
    room.postings(room.file("a.csv", HEAD + ROWS), mapping=room.mapping(MAP))
    assert room.postings(room.file("b.csv", HEAD + ROWS), mapping=room.mapping(MAP)).files[0].unchanged


def test_a_dry_run_writes_nothing(room):
    report = room.postings(room.file("a.csv", HEAD + ROWS), mapping=room.mapping(MAP), dry_run=True)
    assert (report.dry_run, report.kept, report.quarantined) == (True, 1, 4)
    assert not room.snapshot()


def test_a_changed_mapping_supersedes_the_earlier_reading(room):
    file = room.file("a.csv", HEAD + ROWS)
    derived = MAP.replace('posting_id = "id"\n', "")
    room.postings(file, mapping=room.mapping(derived))
    ids = set(room.table()["posting_id"])
    room.postings(file, mapping=room.mapping(BETTER))
    assert room.table()["posting_id"].tolist() == ["1", "3", "4"]
    assert not ids & set(room.table()["posting_id"])
    assert line(room) == (5, 3, 0, 2)
    assert len(quarantined(room.layout)) == 2
    assert len(list(room.layout.quarantine("postings").glob("*"))) == 1


def test_a_superseded_reading_keeps_what_another_file_brought_too(room):
    shared = "1,A,5,USD,fixed,2024-03-05\n"
    one, two = room.file("a.csv", HEAD + shared + "2,B,6,USD,fixed,2024-03-05\n"), room.file("b.csv", HEAD + shared)
    room.postings(one, two, mapping=room.mapping(MAP))
    room.postings(one, mapping=room.mapping(MAP.replace('posting_id = "id"\n', "")))
    ids = room.table()["posting_id"].tolist()
    assert "1" in ids
    assert "2" not in ids
    assert len(ids) == 3


def test_retry_moves_rows_and_keeps_the_sums(room):
    room.postings(room.file("a.csv", HEAD + ROWS), mapping=room.mapping(MAP))
    assert line(room) == (5, 1, 0, 4)
    report = room.retry("postings", room.mapping(BETTER))
    assert line(room) == (5, 3, 0, 2)
    assert report.files[0].reasons == (("no_price", 1), ("unreadable_row", 1))
    assert room.table()["posting_id"].tolist() == ["1", "3", "4"]
    held = quarantined(room.layout, "postings")
    assert held["row"].tolist() == [2, 5]
    assert held["reason"].tolist() == ["no_price", "unreadable_row"]
    before = room.snapshot()
    room.retry("postings", room.mapping(BETTER))
    assert room.snapshot() == before


def test_retry_counts_a_row_that_is_there_as_merged(room):
    room.postings(room.file("a.csv", HEAD + ROWS), mapping=room.mapping(MAP))
    room.postings(room.file("b.csv", HEAD + "3,C,7,USD,fixed,2024-03-05\n"), mapping=room.mapping(MAP))
    room.retry("postings", room.mapping(BETTER))
    found = room.ledger().set_index("file")
    assert found.loc["a.csv", ["rows_in", "kept", "merged", "quarantined"]].tolist() == [5, 2, 1, 2]


def test_retry_gives_what_a_right_import_would_have(room, tmp_path):
    room.postings(room.file("a.csv", HEAD + ROWS), mapping=room.mapping(MAP))
    room.retry("postings", room.mapping(BETTER))
    (tmp_path / "right").mkdir()
    right = make_room(tmp_path / "right")
    right.postings(right.file("a.csv", HEAD + ROWS), mapping=right.mapping(BETTER))
    pd.testing.assert_frame_equal(room.table(), right.table())


def test_retry_of_everything_empties_the_quarantine(room):
    text = HEAD + "3,C,7,USD,gig,2024-03-05\n1,A,7,USD,fixed,2024-03-05\n"
    room.postings(room.file("a.csv", text), mapping=room.mapping(MAP))
    room.retry("postings", room.mapping(BETTER))
    assert quarantined(room.layout).empty
    assert not list(room.layout.quarantine("postings").glob("*.parquet"))
    with pytest.raises(InputError, match="nothing to retry"):
        room.retry("postings", room.mapping(BETTER))


def test_retry_with_new_rates(room):
    room.postings(room.file("a.csv", HEAD + "1,A,2,ETH,fixed,2024-03-05\n"), mapping=room.mapping(MAP))
    (room.layout.root / "rates.csv").write_text("month,currency,usd_per_unit\n2024-03,ETH,3500\n", encoding="utf-8")
    room.retry("postings", room.mapping(MAP), overrides=("currency.rates_file=rates.csv",))
    assert room.table()["price_usd"].tolist() == [7000]
    assert line(room) == (1, 1, 0, 0)


def test_retry_refuses_a_mapping_of_other_columns(room):
    room.postings(room.file("a.csv", HEAD + ROWS), mapping=room.mapping(MAP))
    before = room.snapshot()
    with pytest.raises(InputError, match="no quarantined postings have the column 'colour'"):
        room.retry("postings", room.mapping(MAP.replace('title = "title"', 'title = "colour"')))
    assert room.snapshot() == before


def test_quarantined_rows_are_json(room):
    room.postings(room.file("a.csv", HEAD + ROWS), mapping=room.mapping(MAP))
    raw = [json.loads(text) for text in quarantined(room.layout)["raw"]]
    assert raw[0]["title"] == "B"
    assert raw[-1] == {"unreadable": "5,E,9,USD,fixed,2024-03-05,surplus"}


def test_quarantine_of_an_unknown_kind(room):
    assert quarantined(room.layout).empty
    with pytest.raises(InputError, match="expected postings or sessions"):
        quarantined(room.layout, "cats")


class Killed(BaseException):
    """Stands for the process being ended."""


def kill_at(monkeypatch, module, name, *, before):
    real = getattr(module, name)

    def cut(*args, **kwargs):
        if not before:
            real(*args, **kwargs)
        raise Killed

    monkeypatch.setattr(module, name, cut)


STEPS = ("write_quarantine", "write_provenance", "write_table_of", "write_ledger")


@pytest.mark.parametrize("before", [True, False])
@pytest.mark.parametrize("step", STEPS)
def test_an_import_cut_short_is_completed_by_the_next(room, monkeypatch, tmp_path, step, before):
    (tmp_path / "whole").mkdir()
    whole = make_room(tmp_path / "whole")
    for one in (room, whole):
        one.postings(one.file("old.csv", HEAD + "1,A,5,USD,fixed,2024-03-05\n"), mapping=one.mapping(MAP))
    file = room.file("a.csv", HEAD + ROWS)
    whole.postings(whole.file("a.csv", HEAD + ROWS), mapping=whole.mapping(BETTER))
    with monkeypatch.context() as patched:
        kill_at(patched, importing, step, before=before)
        with pytest.raises(Killed):
            room.postings(file, mapping=room.mapping(BETTER))
    room.postings(file, mapping=room.mapping(BETTER))
    assert room.snapshot() == whole.snapshot()
    assert (room.ledger()["rows_in"] == room.ledger()[["kept", "merged", "quarantined"]].sum(axis=1)).all()


@pytest.mark.parametrize("before", [True, False])
@pytest.mark.parametrize("step", STEPS)
def test_a_retry_cut_short_is_completed_by_the_next(room, monkeypatch, tmp_path, step, before):
    (tmp_path / "whole").mkdir()
    whole = make_room(tmp_path / "whole")
    text = HEAD + ROWS.replace("2,B,1 apple", "2,B,6").replace(",surplus", "")
    for one in (room, whole):
        one.postings(one.file("a.csv", text), mapping=one.mapping(MAP))
    whole.retry("postings", whole.mapping(BETTER))
    with monkeypatch.context() as patched:
        kill_at(patched, retrying, step, before=before)
        with pytest.raises(Killed):
            room.retry("postings", room.mapping(BETTER))
    if len(quarantined(room.layout)):
        room.retry("postings", room.mapping(BETTER))
    else:  # the rows are in, the ledger mends itself
        with pytest.raises(InputError, match="nothing to retry"):
            room.retry("postings", room.mapping(BETTER))
    assert room.snapshot() == whole.snapshot()


def test_leftovers_of_a_cut_import_are_not_shown_and_go(room, monkeypatch):
    with monkeypatch.context() as patched:
        kill_at(patched, importing, "write_provenance", before=False)
        with pytest.raises(Killed):
            room.postings(room.file("a.csv", HEAD + ROWS), mapping=room.mapping(MAP))
    assert list(room.layout.quarantine("postings").glob("*.parquet"))
    assert quarantined(room.layout).empty
    room.postings(room.file("b.csv", HEAD + "9,Z,5,USD,fixed,2024-03-05\n"), mapping=room.mapping(MAP))
    assert not list(room.layout.quarantine("postings").glob("*.parquet"))


def test_no_space_left(room, monkeypatch):
    import errno

    from valuation.errors import EnvironmentFault
    from valuation.tables import files

    def full(*args, **kwargs):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(files.pq, "write_table", full)
    with pytest.raises(EnvironmentFault, match="no space left on the disk"):
        room.postings(room.file("a.csv", HEAD + ROWS), mapping=room.mapping(MAP))
    assert not room.snapshot()


CELL = st.sampled_from(["", "5", "0", "-1", "7.5", "x", "inf", "5-3", "1-2", "$4"])
ROW = st.tuples(
    st.sampled_from("1234"), st.sampled_from(["", "A", "B"]), CELL, st.sampled_from(["USD", "", "ETH", "EUR"]),
    st.sampled_from(["fixed", "hourly", ""]), st.sampled_from(["2024-03-05", "", "soon", "2024-04-01", "2030-01-01"]),
)  # fmt: skip


@pytest.mark.slow
@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.lists(ROW, min_size=1, max_size=6), min_size=1, max_size=2))
def test_nothing_is_lost_whatever_the_rows(tmp_path_factory, files):
    room = make_room(tmp_path_factory.mktemp("ledger"))
    anchor = ("9", "Z", "5", "USD", "fixed", "2024-03-05")  # says that this file states types and currencies
    for number, rows in enumerate(files):
        text = HEAD + "".join(",".join(row) + "\n" for row in [*rows, anchor])
        room.postings(room.file(f"{number}.csv", text), mapping=room.mapping(MAP))
    for _ in range(2):
        found = room.ledger()
        assert (found["rows_in"] == found["kept"] + found["merged"] + found["quarantined"]).all()
        assert found["kept"].sum() == len(room.table())
        assert found["quarantined"].sum() == len(quarantined(room.layout))
        brought = {i for one in found["import_id"] for i in read_provenance(room.layout, "postings", one)["id"]}
        assert brought == set(read_postings(room.layout)["posting_id"])
        if found["quarantined"].sum():
            room.retry("postings", room.mapping(MAP + '[constants]\nprice_type = "fixed"\ncurrency = "USD"\n'))


def test_raw_tables_and_ledger_are_plain_data():
    assert RawTable.__dataclass_params__.frozen
    assert ledger.Entry.__dataclass_params__.frozen

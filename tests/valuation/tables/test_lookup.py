"""Single keys out of sorted tables: the rows that reading everything gives, whatever the row groups are."""

import threading

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from valuation.errors import InputError
from valuation.tables import LeftOut, lookup, read_table, write_table
from valuation.tables.lookup import SortedTable


def left_out(ids, per=3):
    n = len(ids) * per
    return pd.DataFrame(
        {
            "session_id": pd.Series(np.repeat(ids, per), dtype="str"),
            "fold": np.tile(np.arange(per), len(ids)),
            "log_value": np.arange(n) / 7,
        }
    )


def write(path, frame, **more):
    pq.write_table(pa.Table.from_pandas(frame, preserve_index=False), path, **more)
    return path


def expected(frame, key):
    return frame[frame["session_id"] == key].reset_index(drop=True)


@settings(max_examples=25, deadline=None)
@given(
    ids=st.lists(st.text(st.characters(codec="utf-8"), min_size=1, max_size=6), min_size=1, max_size=30, unique=True),
    group=st.integers(1, 40),
    statistics=st.booleans(),
    other=st.text(max_size=4),
)
def test_rows_of_a_key_are_those_of_the_whole_table(tmp_path_factory, ids, group, statistics, other):
    frame = left_out(sorted(ids, key=lambda one: one.encode()))
    folder = tmp_path_factory.mktemp("lookup")
    path = write(folder / "left_out.parquet", frame, row_group_size=group, write_statistics=statistics)
    table = SortedTable(path, "session_id", LeftOut)
    whole = read_table(path, LeftOut)
    for key in [*ids, other]:
        pd.testing.assert_frame_equal(table.rows(key), expected(whole, key))
    assert len(table) == len(frame)


def test_types_are_those_of_read_table_also_where_nothing_is_found(tmp_path):
    path = tmp_path / "left_out.parquet"
    write_table(left_out(["a", "b"]), path, LeftOut)
    table = SortedTable(path, "session_id", LeftOut)
    for key in ("b", "nobody", "", "\ud800"):
        pd.testing.assert_series_equal(table.rows(key).dtypes, read_table(path, LeftOut).dtypes)
    assert table.rows("nobody").empty
    assert len(table.rows("b")) == 3


def test_a_row_group_larger_than_memory_should_hold_is_read_in_stretches(tmp_path, monkeypatch):
    monkeypatch.setattr(lookup, "LARGE", 7)
    ids = [f"s{i:03d}" for i in range(50)]
    frame = left_out(ids, per=5)
    table = SortedTable(write(tmp_path / "t.parquet", frame), "session_id")
    for key in ("s000", "s001", "s031", "s049", "s0315"):
        pd.testing.assert_frame_equal(table.rows(key), expected(frame, key))


def test_empty_row_groups_and_empty_tables_hold_nothing(tmp_path):
    table = pa.Table.from_pandas(left_out(["a", "b"]), preserve_index=False)
    with pq.ParquetWriter(tmp_path / "t.parquet", table.schema) as writer:
        for part in (table.slice(0, 0), table.slice(0, 3), table.slice(3, 0), table.slice(3)):
            writer.write_table(part)
    found = SortedTable(tmp_path / "t.parquet", "session_id")
    assert [len(found.rows(key)) for key in ("a", "b", "c")] == [3, 3, 0]
    nothing = SortedTable(write(tmp_path / "e.parquet", left_out(["a"]).head(0)), "session_id", LeftOut)
    assert (len(nothing), len(nothing.rows("a"))) == (0, 0)


def test_several_keys_come_in_the_order_of_the_file(tmp_path):
    frame = left_out(["a", "b", "c", "d"])
    table = SortedTable(write(tmp_path / "t.parquet", frame, row_group_size=4), "session_id")
    found = table.rows_of(["d", "a", "x", "a"])
    assert found["session_id"].tolist() == ["a", "a", "a", "d", "d", "d"]
    assert table.rows_of([]).empty


def test_a_largest_key_that_was_cut_short_still_finds_its_rows(tmp_path, monkeypatch):
    frame = left_out(["a" * 70 + "b", "a" * 70 + "c", "b"])
    path = write(tmp_path / "t.parquet", frame, row_group_size=6)
    stated = lookup._stated

    def cut(file, group, column):
        lower, upper = stated(file, group, column)
        return lower[:64], upper[:64]

    monkeypatch.setattr(lookup, "_stated", cut)
    table = SortedTable(path, "session_id")
    for key in frame["session_id"].unique():
        assert len(table.rows(key)) == 3


def test_what_was_asked_for_last_is_remembered_within_bounds(tmp_path, monkeypatch):
    frame = left_out([f"s{i:02d}" for i in range(40)])
    table = SortedTable(write(tmp_path / "t.parquet", frame, row_group_size=6), "session_id")
    mine = table.rows("s01")
    mine["log_value"] = 0.0  # a caller may do with its frame what it likes
    assert table.rows("s01")["log_value"].tolist() == expected(frame, "s01")["log_value"].tolist()
    monkeypatch.setattr(lookup, "KEPT_BYTES", 500)
    for key in frame["session_id"].unique():
        table.rows(key)
    assert 0 < table._open.kept_bytes <= 500
    assert table._open.kept_bytes == sum(rows.nbytes + len(key) for key, rows in table._open.kept.items())


def test_a_table_replaced_meanwhile_is_opened_anew(tmp_path):
    path = tmp_path / "left_out.parquet"
    write_table(left_out(["a", "b"]), path, LeftOut)
    table = SortedTable(path, "session_id")
    assert len(table.rows("a")) == 3
    write_table(left_out(["b"]), path, LeftOut)  # as when a posting was deleted
    assert table.rows("a").empty
    assert len(table.rows("b")) == 3
    path.unlink()
    with pytest.raises(InputError, match=r"left_out\.parquet: no such table"):
        table.rows("b")


@pytest.mark.parametrize("group", [2, 100])
def test_rows_out_of_order_are_refused(tmp_path, group):
    path = write(tmp_path / "t.parquet", left_out(["b", "c", "a"], per=2), row_group_size=group)
    with pytest.raises(InputError, match=r"session_id 'a' follows 'c'; expected rows in the order of session_id"):
        SortedTable(path, "session_id").rows("b")


def test_files_that_cannot_serve_are_named(tmp_path):
    with pytest.raises(InputError, match="no such table"):
        SortedTable(tmp_path / "missing.parquet", "session_id")
    (tmp_path / "bad.parquet").write_bytes(b"no Parquet")
    with pytest.raises(InputError, match="not readable as Parquet"):
        SortedTable(tmp_path / "bad.parquet", "session_id")
    path = write(tmp_path / "t.parquet", left_out(["a"]))
    with pytest.raises(InputError, match="no column user_id; its columns are session_id, fold, log_value"):
        SortedTable(path, "user_id")
    with pytest.raises(InputError, match="column fold is int64; expected strings"):
        SortedTable(path, "fold")
    write(path, left_out(["a"]).assign(surplus=1))
    with pytest.raises(InputError, match="not a LeftOut table"):
        SortedTable(path, "session_id", LeftOut)


def test_many_threads_get_what_one_does(tmp_path):
    frame = left_out([f"s{i:03d}" for i in range(300)])
    table = SortedTable(write(tmp_path / "t.parquet", frame, row_group_size=50), "session_id")
    wrong = []

    def ask(seed):
        for key in np.random.default_rng(seed).choice(frame["session_id"].unique(), 40):
            if not table.rows(key).equals(expected(frame, key)):
                wrong.append(key)

    threads = [threading.Thread(target=ask, args=(seed,)) for seed in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []

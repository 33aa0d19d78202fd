"""Parts written piece by piece: pieces change no row, others' parts stay, and it is all or nothing at every instant."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from valuation.errors import EnvironmentFault, InputError
from valuation.tables import PartsWriter, Postings, finish_write, read_partitions, typed
from valuation.tables.partitions import JOURNAL, NEXT, PART

KEYS = ("source", "month")


def frame(ids, months, *, source="acme", price=100.0):
    n = len(ids)
    return typed(
        {
            "posting_id": ids, "source": [source] * n, "url": [None] * n, "title": [f"title {one}" for one in ids],
            "description": [None] * n, "skills": [None] * n,
            "posted_at": pd.to_datetime([f"{month}-02" for month in months], utc=True).astype("datetime64[us, UTC]"),
            "date_quality": ["exact"] * n, "month": list(months),
            "crawled_at": pd.Series([pd.NaT] * n, dtype="datetime64[us, UTC]"), "price_type": ["fixed"] * n,
            "price_kind": ["posted"] * n, "price_low": np.full(n, price), "price_high": np.full(n, price),
            "currency": ["USD"] * n, "price_usd": np.full(n, price), "rate_source": ["none"] * n,
            "category": [None] * n,
            "country": [None] * n, "client_id": [None] * n, "price_raw": [None] * n,
        },
        Postings,
    )  # fmt: skip


def write(folder, *pieces, source="acme", commit=True):
    with PartsWriter(folder, Postings, KEYS, source) as writer:
        for piece in pieces:
            writer.add(piece)
        if commit:
            writer.commit()


def read(folder, only=None):
    return read_partitions(folder, Postings, KEYS, "posting_id", only=only)


def files(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_rows_stand_in_their_parts_in_the_order_they_came(tmp_path):
    write(tmp_path, frame(["a", "c"], ["2026-01", "2026-02"]), frame(["b", "d"], ["2026-01", "2026-01"]))
    assert sorted(files(tmp_path)) == [
        "source=acme/month=2026-01/part.parquet",
        "source=acme/month=2026-02/part.parquet",
    ]
    found = read(tmp_path)
    assert list(zip(found["posting_id"], found["month"], strict=True)) == [
        ("a", "2026-01"), ("b", "2026-01"), ("c", "2026-02"), ("d", "2026-01")
    ]  # fmt: skip
    pd.testing.assert_frame_equal(
        found, frame(["a", "b", "c", "d"], ["2026-01", "2026-01", "2026-02", "2026-01"]), check_freq=False
    )


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.sampled_from(["2025-12", "2026-01", "2026-02"]), max_size=12), st.lists(st.integers(0, 12), max_size=4)
)
def test_the_pieces_change_nothing(tmp_path_factory, months, cuts):
    ids = [f"p{n:02d}" for n in range(len(months))]
    whole, pieces = (tmp_path_factory.mktemp(name) for name in ("whole", "pieces"))
    write(whole, frame(ids, months))
    edges = sorted({0, len(months), *(cut for cut in cuts if cut < len(months))})
    spans = zip(edges, edges[1:], strict=False)
    write(pieces, *(frame(ids[a:b], months[a:b]) for a, b in spans))
    pd.testing.assert_frame_equal(read(whole), read(pieces))


def test_others_stay_and_parts_without_rows_go(tmp_path):
    write(tmp_path, frame(["x"], ["2026-01"], source="other"), source="other")
    write(tmp_path, frame(["a", "b"], ["2026-01", "2026-02"]))
    before = files(tmp_path)
    write(tmp_path, frame(["a"], ["2026-01"]))
    after = files(tmp_path)
    assert set(before) - set(after) == {"source=acme/month=2026-02/part.parquet"}
    assert all(after[name] == before[name] for name in after)
    write(tmp_path)
    assert sorted(files(tmp_path)) == ["source=other/month=2026-01/part.parquet"]


def test_a_source_whose_name_begins_another_is_not_touched(tmp_path):
    write(tmp_path, frame(["x"], ["2026-01"], source="acme2"), source="acme2")
    write(tmp_path, frame(["a"], ["2026-01"]))
    assert list(read(tmp_path, only="acme2")["posting_id"]) == ["x"]
    assert list(read(tmp_path, only="acme")["posting_id"]) == ["a"]


def test_a_part_that_does_not_change_is_not_written(tmp_path):
    write(tmp_path, frame(["a", "b"], ["2026-01", "2026-02"]))
    paths = sorted(tmp_path.rglob(PART))
    before = [path.stat().st_ino for path in paths]
    write(tmp_path, frame(["a", "b"], ["2026-01", "2026-02"]))
    assert [path.stat().st_ino for path in paths] == before
    write(tmp_path, pd.concat([frame(["a"], ["2026-01"]), frame(["b"], ["2026-02"], price=5.0)], ignore_index=True))
    assert [path.stat().st_ino == old for path, old in zip(paths, before, strict=True)] == [True, False]


def test_without_commit_everything_is_as_it_was(tmp_path):
    write(tmp_path, frame(["a"], ["2026-01"]))
    before = files(tmp_path)
    write(tmp_path, frame(["b"], ["2026-01"]), frame(["c"], ["2026-03"]), commit=False)
    with pytest.raises(RuntimeError), PartsWriter(tmp_path, Postings, KEYS, "acme") as writer:
        writer.add(frame(["d"], ["2026-01"]))
        raise RuntimeError
    assert files(tmp_path) == before


def test_rows_that_do_not_obey_the_schema_are_refused_and_change_nothing(tmp_path):
    write(tmp_path, frame(["a"], ["2026-01"]))
    before = files(tmp_path)
    with pytest.raises(InputError, match="not a Postings table"):
        write(tmp_path, frame(["b"], ["2026-01"]), frame(["c"], ["2026-01"], price=-5.0))
    assert files(tmp_path) == before


def test_missing_and_present_texts_in_other_pieces_are_one_column(tmp_path):
    first, second = frame(["a"], ["2026-01"]), frame(["b"], ["2026-01"])
    second["url"] = pd.Series(["https://example.org"], dtype="str")
    second["crawled_at"] = pd.to_datetime(pd.Series(["2026-01-03"]), utc=True).astype("datetime64[us, UTC]")
    write(tmp_path, first, second)
    found = read(tmp_path)
    assert found["url"].isna().tolist() == [True, False]
    assert found["crawled_at"].isna().tolist() == [True, False]


def test_a_commit_that_the_disk_refuses_is_finished_by_the_next_writer(tmp_path, monkeypatch):
    """Three months; the disk gives up after the first has been moved."""
    write(tmp_path, frame(["a", "b", "c"], ["2026-01", "2026-02", "2026-03"]))
    new = frame(["a", "b"], ["2026-01", "2026-02"], price=7.0)
    moved, replace = [], Path.replace

    def failing(path, target):
        if path.name == NEXT:
            moved.append(path)
            if len(moved) == 2:
                raise OSError(5, "Input/output error")
        return replace(path, target)

    monkeypatch.setattr(Path, "replace", failing)
    with pytest.raises(EnvironmentFault, match="cannot be written: Input/output error; run the command again"):
        write(tmp_path, new)
    monkeypatch.undo()
    assert (tmp_path / JOURNAL).exists()
    finish_write(tmp_path)
    found = read(tmp_path)
    assert list(zip(found["posting_id"], found["price_usd"], strict=True)) == [("a", 7.0), ("b", 7.0)]
    assert not list(tmp_path.rglob(NEXT)) and not (tmp_path / JOURNAL).exists()


def test_what_a_killed_writer_left_does_not_get_in(tmp_path):
    write(tmp_path, frame(["a"], ["2026-01"]))
    (tmp_path / "source=acme" / "month=2026-01" / NEXT).write_bytes(b"half a file")
    (tmp_path / "source=acme" / "month=2026-09").mkdir()
    (tmp_path / "source=acme" / "month=2026-09" / NEXT).write_bytes(b"half a file")
    write(tmp_path, frame(["b"], ["2026-01"]))
    assert list(read(tmp_path)["posting_id"]) == ["b"]
    assert not list(tmp_path.rglob(NEXT))

"""Partitioned tables are replaced all at once or not at all."""

import json
import os

import pandas as pd
import pytest

from valuation.errors import EnvironmentFault, InputError
from valuation.tables import Sessions, digest_partitions, finish_write, partitions, read_partitions, write_partitions


def sessions(**months: str) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "session_id": list(months),
            "user_id": [f"u-{name}" for name in months],
            "started_at": pd.to_datetime([f"{month}-05" for month in months.values()], utc=True).as_unit("us"),
            "month": list(months.values()),
            "summary": ["worked"] * len(months),
            "weight": [1.0] * len(months),
        }
    )


def write(folder, frame):
    write_partitions(frame, folder, Sessions, ("month",), "session_id")


def read(folder):
    return read_partitions(folder, Sessions, ("month",), "session_id")


def test_comes_back_ordered_whatever_the_order_it_came_in(tmp_path):
    frame = sessions(b="2026-02", a="2026-01", c="2026-01")
    write(tmp_path, frame)
    assert read(tmp_path)["session_id"].tolist() == ["a", "b", "c"]
    first = digest_partitions(tmp_path)
    write(tmp_path, frame.iloc[::-1])
    assert digest_partitions(tmp_path) == first
    assert sorted(path.parent.name for path in tmp_path.glob("*/part.parquet")) == ["month=2026-01", "month=2026-02"]


def test_a_partition_that_does_not_change_keeps_its_bytes(tmp_path):
    write(tmp_path, sessions(a="2026-01", b="2026-02"))
    before = (tmp_path / "month=2026-01" / "part.parquet").stat().st_mtime_ns
    write(tmp_path, sessions(a="2026-01", b="2026-03"))
    assert (tmp_path / "month=2026-01" / "part.parquet").stat().st_mtime_ns == before
    assert read(tmp_path)["month"].tolist() == ["2026-01", "2026-03"]


@pytest.mark.parametrize("killed_after", [0, 1, 2])
def test_a_kill_in_the_middle_is_finished_by_the_next_writer(tmp_path, monkeypatch, killed_after):
    write(tmp_path, sessions(a="2026-01", b="2026-02"))
    moved = []
    real = type(tmp_path).replace

    def dying(self, target):
        if self.name == partitions.NEXT:
            if len(moved) == killed_after:
                raise KeyboardInterrupt
            moved.append(target)
        return real(self, target)

    monkeypatch.setattr(type(tmp_path), "replace", dying)
    changed = sessions(a="2026-02", b="2026-01", c="2026-03")
    with pytest.raises(KeyboardInterrupt):
        write(tmp_path, changed)
    monkeypatch.undo()
    assert json.loads((tmp_path / partitions.JOURNAL).read_text())["fresh"]
    finish_write(tmp_path)
    assert read(tmp_path).set_index("session_id")["month"].to_dict() == {"a": "2026-02", "b": "2026-01", "c": "2026-03"}
    assert not (tmp_path / partitions.JOURNAL).exists()


def test_a_kill_before_the_journal_changes_nothing(tmp_path, monkeypatch):
    write(tmp_path, sessions(a="2026-01"))
    before = digest_partitions(tmp_path)
    monkeypatch.setattr(partitions, "write_text", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        write(tmp_path, sessions(a="2026-02"))
    monkeypatch.undo()
    finish_write(tmp_path)
    assert digest_partitions(tmp_path) == before and read(tmp_path)["month"].tolist() == ["2026-01"]


@pytest.mark.parametrize("name", ["../kept", "month=2026-01/../../kept", "/kept", "month=2026-01/other.parquet"])
def test_a_journal_that_names_other_files_removes_nothing(tmp_path, name):
    folder, kept = tmp_path / "sessions", tmp_path / "kept"
    write(folder, sessions(a="2026-01"))
    kept.write_text("mine")
    (folder / partitions.JOURNAL).write_text(json.dumps({"fresh": [], "stale": [name]}))
    with pytest.raises(EnvironmentFault, match="is no part of a table"):
        finish_write(folder)
    assert kept.read_text() == "mine" and len(read(folder)) == 1


def test_files_are_as_private_as_the_umask_says(tmp_path):
    before = os.umask(0o077)
    try:
        write(tmp_path, sessions(a="2026-01"))
    finally:
        os.umask(before)
    assert (tmp_path / "month=2026-01" / "part.parquet").stat().st_mode & 0o777 == 0o600


def test_no_space_leaves_the_table_as_it_was(tmp_path, monkeypatch):
    write(tmp_path, sessions(a="2026-01"))

    def full(*_args, **_kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(partitions.pq, "write_table", full)
    with pytest.raises(EnvironmentFault, match="no space left on the disk; nothing was changed there"):
        write(tmp_path, sessions(a="2026-02"))
    assert read(tmp_path)["month"].tolist() == ["2026-01"]
    assert not list(tmp_path.rglob(".tmp-*"))


def test_a_damaged_part_is_named(tmp_path):
    write(tmp_path, sessions(a="2026-01"))
    part = tmp_path / "month=2026-01" / "part.parquet"
    part.write_bytes(part.read_bytes()[:40])
    with pytest.raises(InputError, match=r"month=2026-01/part\.parquet: not readable as Parquet"):
        read(tmp_path)


def test_attributes_come_back_by_name(tmp_path):
    write(tmp_path, sessions(a="2026-01").assign(tool="x", kind="fix"))
    assert read(tmp_path).columns.tolist()[-2:] == ["kind", "tool"]

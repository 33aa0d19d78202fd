"""Files made to end the process, for want of memory or of sense, are refused in one line."""

import gzip
import io

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from valuation.errors import InputError
from valuation.imports import reading


def test_a_gzip_that_unpacks_to_far_more_than_a_table(room, monkeypatch):
    monkeypatch.setattr(reading, "_UNPACKED", 1 << 16)
    with pytest.raises(InputError, match=r"jobs\.csv\.gz: unpacks to over 200 times its size"):
        room.postings(room.file("jobs.csv.gz", gzip.compress(b"a,b\n" + b"1,2\n" * 250_000, mtime=0)))


def test_a_workbook_that_unpacks_to_far_more_than_a_table(room, monkeypatch):
    monkeypatch.setattr(reading, "_UNPACKED", 1 << 10)
    monkeypatch.setattr(reading, "_RATIO", 1)
    with pytest.raises(InputError, match=r"jobs\.xlsx: unpacks to over 1 times its size"):
        room.postings(room.file("jobs.xlsx", workbook({"A1": "title", "A2": "Logo"})))


def test_a_workbook_with_one_cell_far_away(room):
    with pytest.raises(InputError, match="reaches to row 1,048,576, column 16,384; delete what stands far"):
        room.postings(room.file("jobs.xlsx", workbook({"A1": "title", "XFD1048576": "x"})))


def test_a_damaged_workbook_is_named(room):
    content = workbook({"A1": "title", "A2": "Logo"})
    with pytest.raises(InputError, match=r"jobs\.xlsx: not readable as an Excel workbook"):
        room.postings(room.file("jobs.xlsx", content[: len(content) // 2]))


def test_a_parquet_file_with_one_name_twice(room):
    out = io.BytesIO()
    pq.write_table(pa.table([pa.array(["Logo"]), pa.array(["Shop"])], names=["title", "title"]), out)
    with pytest.raises(InputError, match=r"jobs\.parquet: two columns are named 'title'"):
        room.postings(room.file("jobs.parquet", out.getvalue()))


def workbook(cells):
    book = openpyxl.Workbook()
    for place, value in cells.items():
        book.active[place] = value
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()

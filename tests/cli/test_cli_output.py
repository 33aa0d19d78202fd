from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from valuation.cli import results
from valuation.cli.options import Call
from valuation.cli.output import clean, emit, grid, plain
from valuation.errors import ConfigError
from valuation.imports.report import FileReport, ImportReport
from valuation.pipeline.demo import DemoResult
from valuation.pipeline.price import PriceResult
from valuation.pipeline.run import RunResult
from valuation.pipeline.status import MonthCount, SourceMonths, Status
from valuation.tables import Quarantine, empty, typed


@given(st.text())
def test_clean_text_is_one_line_without_control(text):
    cleaned = clean(text)
    assert cleaned.isprintable()
    assert clean(cleaned) == cleaned
    cleaned.encode("utf-8")


def test_clean_keeps_what_is_harmless():
    assert clean("Größe 10 € – 労働\tx") == "Größe 10 € – 労働 x"
    assert clean("a\x1b[31mb\r\nc\ud800\u2028d\u00a0e") == r"a\x1b[31mb c\ud800 d e"


@dataclass(frozen=True)
class Inner:
    path: Path
    when: datetime


def test_plain_is_json_for_all_that_results_hold():
    frame = pd.DataFrame({"a": [1, 2], "b": [1.5, np.nan], "t": pd.to_datetime(["2026-01-02", None], utc=True)})
    value = {
        "inner": Inner(Path("/a/b"), datetime(2026, 1, 2, tzinfo=UTC)),
        "frame": frame,
        "array": np.array([1.0, np.inf]),
        "int": np.int64(3),
        "set": {"b", "a"},
        "pair": (True, None),
        5: "key",
    }
    data = plain(value)
    assert json.loads(json.dumps(data, allow_nan=False)) == {
        "inner": {"path": "/a/b", "when": "2026-01-02T00:00:00+00:00"},
        "frame": [
            {"a": 1, "b": 1.5, "t": "2026-01-02T00:00:00+00:00"},
            {"a": 2, "b": None, "t": None},
        ],
        "array": [1.0, None],
        "int": 3,
        "set": ["a", "b"],
        "pair": [True, None],
        "5": "key",
    }
    with pytest.raises(TypeError, match="object has no JSON form"):
        plain(object())


def test_emit_writes_text_or_one_object(capsys):
    made = results.Page(report=Path("/r.html"))
    emit(Call(), "report", made, "one  \ntwo\x1b")
    assert capsys.readouterr().out == "one\ntwo\\x1b\n"
    emit(Call(as_json=True), "report", made, "one")
    assert capsys.readouterr().out == '{"command": "report", "report": "/r.html"}\n'


def test_a_grid_fits_80_columns_and_loses_nothing():
    rows = [(12345, "posted.csv", "word " * 40 + "end"), (7, "b.csv", "short\nline")]
    text = grid(("rows", "file", "message"), rows)
    lines = text.splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[0] == "  rows  file        message"
    assert lines[1].startswith("12,345  posted.csv  word word")
    assert text.count("word") == 40
    assert lines[-1] == "     7  b.csv       short line"


def test_a_grid_of_numbers_is_right_aligned():
    assert grid(("month", "sessions"), [("2026-01", 5), ("2026-02", 1200), ("2026-03", None)]).splitlines() == [
        "month    sessions",
        "2026-01         5",
        "2026-02     1,200",
        "2026-03         -",
    ]


def quarantined() -> pd.DataFrame:
    n = 3
    return typed(
        {
            "import_id": ["i1"] * n,
            "file": ["a.csv"] * n,
            "row": [1, 5, 9],
            "column": ["budget", "budget", None],
            "value": ["=1+1", "@x", None],
            "expected": ["a price"] * n,
            "reason": ["price", "price", "date"],
            "message": ["no price in '=1+1'", "no price in '@x'", "no date"],
            "raw": ['{"budget": "=1+1"}', '{"budget": "@x"}', "{}"],
        },
        Quarantine,
    )


def test_rows_set_aside_are_counted_by_file_and_reason():
    result = results.set_aside(quarantined(), kind="postings", limit=2)
    assert (result.kind, result.count, len(result.rows)) == ("postings", 3, 2)
    assert [(r.file, r.reason, r.rows, r.example) for r in result.reasons] == [
        ("a.csv", "price", 2, "no price in '=1+1'"),
        ("a.csv", "date", 1, "no date"),
    ]
    text = results.show(result)
    assert text.startswith("3 rows set aside\n")
    assert "… and 1 more: valuation quarantine export --out FILE" in text
    assert "… and" not in results.show(results.set_aside(quarantined(), kind=None, limit=3))


def test_nothing_set_aside():
    assert results.show(results.set_aside(empty(Quarantine), kind=None, limit=5)) == "no rows are set aside"


def test_export_disarms_formulas_in_csv_alone(tmp_path):
    frame = quarantined()
    done = results.export(frame, tmp_path / "q.csv")
    assert (done.rows, done.out) == (3, tmp_path / "q.csv")
    back = pd.read_csv(tmp_path / "q.csv")
    assert list(back["value"].fillna("")) == ["'=1+1", "'@x", ""]
    assert list(back["raw"]) == list(frame["raw"])
    results.export(frame, tmp_path / "q.parquet")
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "q.parquet"), frame)
    results.export(frame, tmp_path / "q.jsonl")
    lines = [json.loads(line) for line in (tmp_path / "q.jsonl").read_text().splitlines()]
    assert [line["value"] for line in lines] == ["=1+1", "@x", None]
    with pytest.raises(ConfigError, match=r"--out .*q\.xls: expected a name ending in \.parquet, \.csv"):
        results.export(frame, tmp_path / "q.xls")
    assert not (tmp_path / "q.xls").exists()


def file_report(**changes) -> FileReport:
    report = FileReport(
        file="listing.csv",
        import_id="ab",
        rows_in=18596,
        kept=4000,
        merged=13000,
        quarantined=1596,
        unchanged=False,
        columns=(("title", "Job Title"), ("currency", "= USD")),
        guessed=True,
        reasons=(("price_missing", 1500), ("date_missing", 96)),
        parsed_forms=(("$9,999", 17000),),
        unparsed_forms=(("Negot\x1biable", 30), ("9 days", 2)),
        notes=("encoding cp1252",),
        not_read=("Rating", "Bids"),
    )
    return replace(report, **changes)


def test_an_import_shows_counts_columns_reasons_and_unread_prices():
    result = results.imported(ImportReport("postings", False, (file_report(),)))
    assert (result.rows_in, result.kept, result.merged, result.quarantined) == (18596, 4000, 13000, 1596)
    assert results.imports(result).splitlines() == [
        "listing.csv (columns guessed)",
        "                 rows",
        "  in           18,596",
        "  kept          4,000",
        "  merged       13,000",
        "  quarantined   1,596",
        "",
        "  column    read from",
        "  title     Job Title",
        "  currency  = USD",
        "",
        "   rows  set aside because",
        "  1,500  price_missing",
        "     96  date_missing",
        "",
        "  rows  price not read, 9 = a digit",
        "    30  Negot\\x1biable",
        "     2  9 days",
        "",
        "  note: encoding cp1252",
        "",
        "  columns not read: Rating, Bids",
        "",
        "see the rows set aside: valuation quarantine show postings",
    ]


def test_a_dry_run_of_two_files_adds_them_up_and_says_nothing_was_written():
    clean_file = file_report(quarantined=0, reasons=(), unparsed_forms=(), rows_in=17000, guessed=False)
    result = results.imported(ImportReport("sessions", True, (file_report(), clean_file)))
    text = results.imports(result)
    assert "listing.csv (columns mapped)" in text
    assert "all 2 files\n                 rows\n  in           35,596\n" in text
    assert text.endswith("dry run: nothing was written")
    assert "quarantine show" not in text
    assert "already imported" in results.imports(
        results.imported(ImportReport("postings", False, (file_report(unchanged=True),)))
    )


def test_many_unread_forms_are_cut_with_a_pointer():
    forms = tuple((f"form {i}", 1) for i in range(results.FORMS_SHOWN + 7))
    text = results.imports(results.imported(ImportReport("postings", False, (file_report(unparsed_forms=forms),))))
    assert f"form {results.FORMS_SHOWN - 1}\n" in text
    assert f"form {results.FORMS_SHOWN}\n" not in text
    assert "… and 7 more forms: --json lists all" in text


def test_a_run_ends_with_its_folder_as_an_absolute_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = RunResult(run_id="00ff", folder=Path("runs/00ff"), unchanged=False, headline="growth +27 %")
    assert results.run(result) == f"growth +27 %\n{tmp_path}/runs/00ff"
    unchanged = results.run(replace(result, unchanged=True))
    assert unchanged == f"unchanged: the same inputs and settings as this run\ngrowth +27 %\n{tmp_path}/runs/00ff"
    assert results.demo(DemoResult("00ff", Path("runs/00ff"), "truth 1")) == f"truth 1\n{tmp_path}/runs/00ff"


def test_prices_end_with_the_path():
    result = PriceResult(rows=10, matched=7, unmatched=1, unusable=2, out=Path("/out.csv"), note="means of this file")
    assert results.price(result).splitlines() == [
        "           texts",
        "rows          10",
        "matched        7",
        "unmatched      1",
        "unusable       2",
        "note: means of this file",
        "/out.csv",
    ]


def test_a_status_shows_everything():
    status = Status(
        workspace="/w",
        postings=1234,
        sessions=17,
        imports=2,
        quarantined=9,
        sources=(SourceMonths("market", 1234, "2026-01", "2026-03"),),
        months=(MonthCount("2026-01", 10, 3), MonthCount("2026-02", 7, 2)),
        reasons=(("price_missing", 9),),
        runs=1,
        last_run="00ff",
        headline="growth " + "word " * 30,
    )
    text = results.status(status)
    assert text.splitlines()[:22] == [
        "/w",
        "",
        "           count",
        "postings   1,234",
        "sessions      17",
        "imports        2",
        "set aside      9",
        "runs           1",
        "",
        "source  postings  first month  last month",
        "market     1,234  2026-01      2026-03",
        "",
        "month    sessions  users",
        "2026-01        10      3",
        "2026-02         7      2",
        "",
        "rows  set aside because",
        "   9  price_missing",
        "",
        "last run 00ff",
        "growth " + "word " * 13 + "word",
        "word " * 14 + "word",
    ]
    bare = replace(status, sources=(), months=(), reasons=(), runs=0, last_run=None, headline=None)
    assert results.status(bare).splitlines()[-2:] == ["", "no run yet"]

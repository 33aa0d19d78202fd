"""Files that are not what they should be: one clear line, or rows set aside with their reason; never a crash."""

from __future__ import annotations

import json

import pandas as pd
import pytest

from valuation.storage import Layout, read_postings, read_sessions

SESSIONS = "session_id,user,started_at,summary\n"
POSTINGS = "posting_id,title,description,price,currency,posted_at,price_type\n"
FINE = {
    "sessions": SESSIONS + "session-1,ann,2026-01-05,Fixed the login page\n",
    "postings": POSTINGS + "posting-1,Fix a page,The login page fails,100,USD,2026-01-05,fixed\n",
}
HOSTILE = "<script>alert(1)</script>\x1b[2J\x07\u202e\u2066\x00 {{7*7}} '; DROP TABLE"
MEGABYTE = "word " * 200_000


@pytest.fixture
def bring(valuation, workspace, tmp_path):
    """Write a file and import it."""

    def bring_file(kind, content, name="file.csv", *flags):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return valuation("-w", workspace, "--quiet", "import", kind, path, *flags)

    return bring_file


@pytest.fixture
def aside(valuation, workspace):
    """(row, column, reason) of what is set aside."""

    def rows():
        shown = valuation("-w", workspace, "quarantine", "show", "--json", "--rows", 100)
        assert shown.status == 0, shown.err
        return [(row["row"], row["column"], row["reason"]) for row in shown.data["rows"]]

    return rows


def tables_of(workspace):
    layout = Layout(workspace)
    return read_postings(layout), read_sessions(layout)


@pytest.mark.parametrize("kind", ["sessions", "postings"])
@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("file.csv", b"", "the file is empty"),
        ("file.json", b"", "the file is empty"),
        ("file.parquet", b"", "the file is empty"),
        ("file.xlsx", b"", "the file is empty"),
        ("file.csv.gz", b"", "the file is empty"),
        ("file.csv", b"\n\n   \n", "no rows below the header"),
        ("file.csv", b"session_id,posting_id,title\n", "no rows below the header"),
        ("file.json", b"[]", "the array is empty"),
        ("file.json", b"{", "not JSON"),
        ("file.jsonl", b"{\nxx\n", "not JSON"),
        ("file.csv", b"a,b\n" + b"\x00" * 99, "the bytes are not text (zero bytes)"),
        ("file.csv", b"a,b\n1,\x81\x8d\xff\n", "the bytes are not text (byte 6)"),
        ("file.parquet", b"PAR1 no table at all PAR1", "file.parquet: "),
        ("file.xlsx", b"PK\x03\x04 no workbook", "file.xlsx: "),
        ("file.csv.gz", b"\x1f\x8b\x08 cut", "file.csv.gz: "),
        ("file.pkl", b"cos\nsystem\n", "the ending is not one of .csv"),
    ],
)
def test_a_file_without_rows_is_refused_and_nothing_is_written(bring, workspace, kind, name, content, expected):
    bring(kind, content, name).refused(1, name, expected)
    assert not (workspace / kind).exists()
    assert not (workspace / "imports.parquet").exists()


@pytest.mark.parametrize(
    ("kind", "missing", "line"),
    [
        ("sessions", "summary", 'write under [columns] summary = "COLUMN"'),
        ("sessions", "started_at", 'write under [columns] started_at = "COLUMN"'),
        ("postings", "price", 'write under [columns] price = "COLUMN"'),
        ("postings", "posted_at", "posted_at"),
    ],
)
def test_a_missing_column_is_named_with_the_line_that_is_missing(bring, workspace, tmp_path, kind, missing, line):
    (tmp_path / "whole.csv").write_text(FINE[kind])
    frame = pd.read_csv(tmp_path / "whole.csv").drop(columns=missing)
    bring(kind, frame.to_csv(index=False)).refused(1, "file.csv: ", line)
    assert not (workspace / kind).exists()


def test_a_table_of_sessions_is_not_taken_for_postings(bring):
    bring("postings", FINE["sessions"]).refused(1, "cannot be guessed", "no column of prices")


def test_text_in_a_price_column_and_numbers_in_a_date_column(bring, aside, workspace):
    rows = [
        "p-0000001,Fix a page,the login,cheap,USD,2026-01-01,fixed",
        "p-0000002,Fix a page,the login two,100,USD,12,fixed",
        "p-0000003,Fix a page,the login three,100,USD,soon,fixed",
        "p-0000004,Fix a page,the login four,100,USD,2026-01-04,fixed",
    ]
    done = bring("postings", POSTINGS + "\n".join(rows))
    assert done.status == 0, done.err
    assert aside() == [(1, "price", "no_price"), (2, "posted_at", "bad_date"), (3, "posted_at", "bad_date")]
    assert tables_of(workspace)[0]["description"].tolist() == ["the login four"]


def test_prices_that_are_no_numbers(bring, aside, workspace):
    prices = ["NaN", "inf", "-inf", "Infinity", "-5", "0", "1e400", "", "1e308", "100"]
    rows = [f"p-000000{i},Fix a page,number {i},{price},USD,2026-01-04,fixed" for i, price in enumerate(prices)]
    done = bring("postings", POSTINGS + "\n".join(rows))
    assert done.status == 0, done.err
    kept = tables_of(workspace)[0]["price_usd"]
    assert sorted(kept) == [100.0, 1e308], "a finite price is kept; the basket's range leaves it out"
    reasons = {row: reason for row, _, reason in aside()}
    assert sorted(reasons) == [1, 2, 3, 4, 5, 6, 7, 8]
    assert (reasons[1], reasons[5], reasons[6]) == ("no_price", "negative_price", "zero_price")
    assert [reasons[row] for row in (2, 3, 4, 7)] == ["infinite_price"] * 4


def test_a_parquet_file_with_nan_and_infinite_prices(bring, aside, workspace, tmp_path):
    frame = pd.DataFrame(
        {
            "posting_id": [f"p-000000{i}" for i in range(4)],
            "title": [f"Fix page {i}" for i in range(4)],
            "price": [float("nan"), float("inf"), float("-inf"), 80.0],
            "currency": "USD",
            "posted_at": pd.Timestamp("2026-01-04"),
            "price_type": "fixed",
        }
    )
    frame.to_parquet(tmp_path / "made.parquet")
    done = bring("postings", (tmp_path / "made.parquet").read_bytes(), "prices.parquet")
    assert done.status == 0, done.err
    assert tables_of(workspace)[0]["price_usd"].tolist() == [80.0]
    assert [row for row, _, _ in aside()] == [1, 2, 3]


def test_weights_that_are_no_weights(bring, aside, workspace):
    weights = ["inf", "-1", "0", "much", "2.5"]
    rows = [f"session-{i},ann,2026-01-0{i + 1},Fixed page {i},{weight}" for i, weight in enumerate(weights)]
    done = bring("sessions", SESSIONS.replace("summary", "summary,weight") + "\n".join(rows))
    assert done.status == 0, done.err
    assert aside() == [(row, "weight", "bad_value") for row in (1, 2, 3, 4)]
    assert tables_of(workspace)[1]["weight"].tolist() == [2.5]


def test_dates_in_the_future_and_before_there_were_markets(bring, aside, workspace):
    dates = ["2099-01-01", "0001-01-01", "1899-01-01", "99999-01-01", "2026-02-30", "2026-01-02"]
    rows = [f"session-{i},ann,{date},Fixed page {i}" for i, date in enumerate(dates)]
    done = bring("sessions", SESSIONS + "\n".join(rows))
    assert done.status == 0, done.err
    assert [(row, reason) for row, _, reason in aside()] == [
        (1, "future_date"),
        *((row, "bad_date") for row in (2, 3, 4, 5)),
    ]
    assert tables_of(workspace)[1]["session_id"].tolist() == ["session-5"]


def test_mixed_time_zones_are_one_clock(bring, workspace):
    times = ["2026-01-31T23:30:00-05:00", "2026-01-31T23:30:00Z", "2026-02-01T00:30:00+09:00", "2026-02-01 00:30"]
    rows = [f"session-{i},ann,{time},Fixed page {i}" for i, time in enumerate(times)]
    assert bring("sessions", SESSIONS + "\n".join(rows)).status == 0
    sessions = tables_of(workspace)[1]
    assert [str(time) for time in sessions["started_at"].dt.tz_localize(None)] == [
        "2026-02-01 04:30:00",
        "2026-01-31 23:30:00",
        "2026-01-31 15:30:00",
        "2026-02-01 00:30:00",
    ]
    assert sessions["month"].tolist() == ["2026-02", "2026-01", "2026-01", "2026-02"]


def test_an_id_twice_with_one_content_is_one_row(bring, workspace, valuation):
    same = "session-1,ann,2026-01-05,Fixed the login page\n"
    done = bring("sessions", SESSIONS + same + same)
    assert done.status == 0, done.err
    assert tables_of(workspace)[1]["session_id"].tolist() == ["session-1"]


@pytest.mark.parametrize("kind", ["sessions", "postings"])
def test_an_id_twice_with_another_content_is_set_aside(bring, aside, tmp_path, kind):
    first, second = FINE[kind].splitlines()
    third = second.replace("login page", "payment gateway")
    other = second.replace("-1,", "-2,", 1).replace("login page", "menu")
    lines = [f'kind = "{kind}"', *(['source = "shop"'] if kind == "postings" else []), "[columns]"]
    mapping = tmp_path / "map.toml"
    mapping.write_text("\n".join([*lines, *(f'{name} = "{name}"' for name in first.split(","))]) + "\n")
    done = bring(kind, "\n".join([first, second, third, other]), "file.csv", "--map", mapping, "--json")
    assert done.status == 0, done.err
    assert [done.data[key] for key in ("rows_in", "kept", "merged", "quarantined")] == [3, 1, 0, 2]
    assert [row for row, _, _ in aside()] == [1, 2]


def test_bytes_that_are_not_utf8_are_read_as_cp1252_and_said(bring, workspace):
    done = bring("sessions", (SESSIONS + "session-1,ann,2026-01-05,Fixed the caf").encode() + b"\xe9 page\n")
    assert done.status == 0
    assert "encoding cp1252" in done.out
    assert tables_of(workspace)[1]["summary"].tolist() == ["Fixed the café page"]


def test_half_a_character_in_json_becomes_a_sign_of_it(bring, workspace):
    row = {"session_id": "session-1", "user": "ann", "started_at": "2026-01-05", "summary": "Fixed \ud800 it", "x": "a"}
    done = bring("sessions", json.dumps(row) + "\n", "file.jsonl")
    assert done.status == 0, done.err
    assert tables_of(workspace)[1]["summary"].tolist() == ["Fixed \ufffd it"]


@pytest.mark.parametrize("field", ["session_id", "user", "started_at", "summary"])
def test_a_megabyte_in_a_field_of_a_session(bring, workspace, valuation, field):
    row = {"session_id": "session-1", "user": "ann", "started_at": "2026-01-05", "summary": "Fixed a page"}
    good = {**row, "session_id": "session-2", "user": "bob"}
    done = bring("sessions", "".join(json.dumps(r) + "\n" for r in ({**row, field: MEGABYTE}, good)), "file.jsonl")
    assert done.status == 0, done.err
    assert len(done.out) < 3000
    for verb in (["status"], ["quarantine", "show"]):
        shown = valuation("-w", workspace, *verb)
        assert shown.status == 0
        assert len(shown.out) < 3000


@pytest.mark.parametrize("field", ["posting_id", "title", "description", "price", "currency", "posted_at"])
def test_a_megabyte_in_a_field_of_a_posting(bring, workspace, valuation, field):
    row = dict(zip(POSTINGS.strip().split(","), FINE["postings"].splitlines()[1].split(","), strict=True))
    good = {**row, "posting_id": "posting-2", "description": "Another page"}
    done = bring("postings", "".join(json.dumps(r) + "\n" for r in ({**row, field: MEGABYTE}, good)), "file.jsonl")
    assert done.status == 0, done.err
    assert len(done.out) < 3000
    shown = valuation("-w", workspace, "quarantine", "show")
    assert shown.status == 0
    assert len(shown.out) < 3000


def test_hostile_text_is_shown_tamed_wherever_it_is_set_aside(bring, workspace, valuation, tmp_path):
    row = dict(zip(POSTINGS.strip().split(","), FINE["postings"].splitlines()[1].split(","), strict=True))
    bad = {**row, "posting_id": "posting-2", "price": HOSTILE, "title": HOSTILE, HOSTILE: HOSTILE}
    done = bring("postings", json.dumps(row) + "\n" + json.dumps(bad) + "\n", "file.jsonl")
    assert done.status == 0, done.err
    shown = valuation("-w", workspace, "quarantine", "show")
    assert shown.status == 0
    for character in "\x1b\x07\x00\u202e\u2066":
        assert character not in done.out + done.err + shown.out + shown.err
    out = tmp_path / "aside.csv"
    assert valuation("-w", workspace, "quarantine", "export", "--out", out).status == 0
    assert len(pd.read_csv(out)) == 1


def test_an_import_that_is_refused_leaves_what_was_there(bring, workspace, valuation):
    assert bring("sessions", FINE["sessions"]).status == 0
    before = {path: path.read_bytes() for path in workspace.rglob("*.parquet")}
    bring("sessions", b"", "empty.csv").refused(1)
    bring("sessions", "a,b\n1,2\n", "odd.csv").refused(1)
    assert {path: path.read_bytes() for path in workspace.rglob("*.parquet")} == before


def test_a_workspace_with_spaces_and_other_scripts_in_its_path(valuation, tmp_path):
    root = tmp_path / "my work (ünï) 価値 %20 ' = #"
    root.mkdir()
    file = root / "sessions of März.csv"
    file.write_text(FINE["sessions"])
    workspace = root / "the workspace"
    assert valuation("init", workspace).status == 0
    assert valuation("-w", workspace, "--quiet", "import", "sessions", file).status == 0
    done = valuation("-w", workspace, "status", "--json")
    assert (done.data["sessions"], done.data["workspace"]) == (1, str(workspace))

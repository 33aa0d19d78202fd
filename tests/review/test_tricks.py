"""Paths, SQL and odd values in every part of an address or a form do nothing, and nothing breaks."""

from __future__ import annotations

from urllib.parse import quote, urljoin

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from valuation.review.items import Judged, open_items
from valuation.review.query import Query, read_query

from .site import Site, read

TRICKS = ["../..", "..", ".", "%2e%2e", "..%2f..%2fetc", "....//", "\x00", "a\x00b", "/etc/passwd", "C:\\", "*",
"a" * 3000, "~root", 
          "..\\..", "first/../../runs", "FIRST", "first ", "latest", "first\n", "%252e%252e", "null", "ünï", "🧮",
          "\u202efirst"]  # fmt: skip


@pytest.mark.parametrize("trick", TRICKS)
def test_ids_that_are_paths_lead_nowhere(site: Site, trick):
    who = site.who()
    part = trick if "%" in trick else quote(trick, safe="")
    for path in (f"/runs/{part}", f"/runs/{part}/sessions", f"/runs/{part}/session?id=s", f"/runs/{part}/search?q=a",
                 f"/runs/{part}/arithmetic?id=s", f"/runs/{part}/words?id=s&gig=g", f"/audits/{part}",
                 f"/audits/{part}/next", 
                 f"/audits/{part}/item?id=s", f"/audits/{part}/disagreements", f"/static/{part}",
                 f"/static/../{part}"):  # fmt: skip
        answer = who.get(path)
        where = urljoin("http://127.0.0.1:8765/", answer.headers.get("location", [""])[0])
        assert answer.status in (303, 307, 404) and where.startswith("http://127.0.0.1:8765/"), path
        assert "root:" not in answer.text and "Traceback" not in answer.text and str(site.root) not in answer.text
    for form in ({"run": trick, "session": "s"}, {"audit": trick[:64], "session": "s"}):
        answer = who.post("/verdicts", form | {"gig": "g", "verdict": "comparable"})
        assert answer.status in (400, 404, 422)
    assert who.post("/undo", {"audit": trick[:64], "nonce": "n"}).status in (404, 303)


@pytest.mark.parametrize(
    "path", ["../app.py", "..%2fapp.py", "%2e%2e/app.py", "/etc/passwd", "%2fetc%2fpasswd", "..\\app.py", "", "."]
)
def test_static_files_are_those_of_the_folder(site: Site, path):
    answer = site.ask(f"/static/{path}")
    assert answer.status in (404, 405) and b"create_app" not in answer.body and b"root:" not in answer.body


ODD = [
    "'", '"', "a' OR '1'='1", "%' OR 1=1 --", "\\", "{{7*7}}", "a\x00b", "read_csv('/etc/passwd')", "NaN", "1e309",
    "-1", "9" * 400, "٢", "\u202e", "a" * 3999, "%ED%A0%80", "a&b=c", "\r\nX: y",
]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("odd", ODD)
def test_odd_values_break_nothing_and_read_no_file(site: Site, odd):
    who = site.who()
    value = odd if odd.startswith("%ED") else quote(odd, safe="")
    run, before = f"/runs/{site.run_id}", site.desk.log.last_id()
    names = ("queue", "is.month", "is.summary", "is.matched", "is.started_at", "min.value_usd", "max.deviation",
    "min.summary", 
             "min.started_at", "words", "verdicts", "sort", "order", "page", "min.", "is.nothing", "other")  # fmt: skip
    paths = [f"{run}/sessions?{name}={value}" for name in names] + [f"{run}/sessions?{value}={value}"]
    paths += [f"{run}/session?id=s0000001&{name}={value}" for name in ("at", "gigs", "better", "undone", "is.month")]
    paths += [f"{run}/session?id={value}", f"{run}/arithmetic?id={value}", f"{run}/words?id={value}&gig={value}"]
    paths += [f"{run}/search?{name}={value}" for name in ("q", "by", "id", "audit", "start")] + [
        f"{run}/search?by=words&q={value}"
    ]
    paths += [
        f"/audits/first/item?id={value}",
        f"/audits/first/adjudicate?id={value}",
        f"/audits/first/next?after={value}",
    ]
    for path in paths:
        answer = who.get(path)
        assert answer.status in (200, 303, 400, 404, 422), (path, answer.status)
        assert "root:x:" not in answer.text and read(answer.text).faults == []
    form = {"run": site.run_id, "session": "s0000001", "gig": "session", "verdict": "x", "nonce": "n"}
    for name in ("csrf", "nonce", "run", "audit", "session", "gig", "verdict", "price", "better", "adjudicates"):
        answer = who.post("/verdicts", form | {name: odd})
        assert 400 <= answer.status < 500, (name, answer.status)
    assert site.desk.log.last_id() == before
    assert site.run.items.page(Query(), Judged()).n == 420


@pytest.mark.parametrize(
    "word", ["'", "%", "_", "\\", "a' OR 'x'='x", "l_ne", "100%", "Tableau' --", "the", "TABLEAU", "two words"]
)
def test_words_are_looked_for_as_they_stand(site: Site, word):
    summaries = pd.concat(pd.read_parquet(path)["summary"] for path in site.root.glob("sessions/*/*.parquet"))
    expected = sum(all(part.lower() in one.lower() for part in word.split()) for one in summaries)
    assert site.run.items.page(read_query([("words", word)], site.run.items.columns), Judged()).n == expected


def test_ten_thousand_filters_are_refused_in_words(site: Site):
    run = f"/runs/{site.run_id}/sessions?"
    many = site.who().get(run + "&".join(f"is.month={n}" for n in range(10_000)))
    assert many.status == 400 and "more than 40 parts in the address of a list; leave some filters out" in many.text
    assert site.who().get(run + "&".join(f"x{n}=1" for n in range(10_000))).status == 400
    empty = "&".join(f"min.{name}=&max.{name}=" for name, kind in site.run.items.columns.items() if kind == "number")
    assert site.who().get(f"{run}{empty}&{empty}&{empty}").status == 200  # a form sends its empty fields, too


def test_a_query_could_not_touch_a_file(site: Site, tmp_path):
    (tmp_path / "secret.csv").write_text("a\n1\n")
    cursor = site.run.items._connection.cursor()
    for sql in (
        f"SELECT * FROM read_csv('{tmp_path}/secret.csv')", f"SELECT * FROM '{tmp_path}/secret.csv'",
        "SELECT * FROM glob('/etc/*')", 
        f"SELECT * FROM read_text('{tmp_path}/secret.csv')", f"COPY items TO '{tmp_path}/out.csv'",
        f"ATTACH '{tmp_path}/x.db'", 
        "INSTALL httpfs", "LOAD httpfs", "SET enable_external_access = true", "SET threads = 8", "DROP TABLE items",
        "UPDATE items SET month = ''", "DELETE FROM items", "CREATE TABLE x (a int)",
        f"EXPORT DATABASE '{tmp_path}/all'", 
    ):  # fmt: skip
        with pytest.raises(duckdb.Error):
            cursor.execute(sql).fetchall()
    assert sorted(one.name for one in tmp_path.iterdir()) == ["secret.csv"]


HOSTILE = ['a"; DROP TABLE items; --', "x'y", "value_usd", "Matched", "typical_width", "SESSION_ID", "deviation",
"is.month", "a b\n", "'' OR ''", "{{7*7}}", 
           "<script>alert(1)</script>", "\u202ecolumn", "%s", "$1", "?", "sort", "page", "é" * 80, "Month",
           "Weight"]  # fmt: skip


@pytest.fixture(scope="module")
def hostile_site(audited, tmp_path_factory):
    """Sessions with columns that are named like SQL, markup and our own columns, and of every kind."""
    import shutil

    root = tmp_path_factory.mktemp("hostile") / "work"
    shutil.copytree(audited, root)
    for path in root.glob("sessions/*/*.parquet"):
        table = pq.read_table(path)
        n = len(table)
        for name in HOSTILE:
            table = table.append_column(name, pa.array([f"{name}|{row % 3}" for row in range(n)]))
        kinds = {
            "date": pa.array([0] * n, pa.date32()), "list": pa.array([[1, 2]] * n),
            "struct": pa.array([{"a": 1}] * n), "bytes": pa.array([b"\xff<b>"] * n), 
            "decimal": pa.array([1] * n, pa.decimal128(30, 4)), "nano": pa.array([1] * n, pa.timestamp("ns", "UTC")),
            "zone": pa.array([0] * n, pa.timestamp("us", "Asia/Tokyo")), 
            "time": pa.array([1] * n, pa.time64("us")), "nothing": pa.nulls(n), "float": pa.array([float("nan"),
            float("inf"), -float("inf"), 1.5] * n)[:n], 
            "small": pa.array([7] * n, pa.uint8()), "words": pa.array(["a", "b"] * n)[:n].dictionary_encode(),
            "truth": pa.array([True, None] * n)[:n], 
        }  # fmt: skip
        for name, values in kinds.items():
            table = table.append_column(name, values)
        pq.write_table(table, path)
    made = Site(root)
    yield made
    made.close()


def test_columns_of_a_users_file_are_names_and_never_sql(hostile_site: Site):
    items = hostile_site.run.items
    ours = {"value_usd", "typical_width", "deviation"}
    assert len({name.lower() for name in items.columns}) == len(items.columns)
    assert all(items.columns[name] == "number" for name in ours)
    n_all = items.page(Query(), Judged()).n
    assert n_all == 420
    for name in HOSTILE:
        renamed = next(
            (
                one
                for one in (f"sessions.{name}", name, f"{name}_1", f"sessions.{name}_1")
                if one in items.columns and one not in ours
            ),
            None,
        )
        assert renamed is not None, name
        found = read_query([(f"is.{renamed}", f"{name}|1"), ("sort", renamed)], items.columns)
        assert 0 < items.page(found, Judged()).n < n_all
        assert read_query_again(found, items.columns) == found
    plain = pd.read_parquet(hostile_site.run.folder / "values.parquet", columns=["session_id", "value_usd"])
    rows = items.page(Query(sort="value_usd"), Judged()).rows
    expected = plain.sort_values(["value_usd", "session_id"])["session_id"].head(50).tolist()
    assert [row["session_id"] for row in rows] == expected


def read_query_again(query: Query, columns: dict[str, str]) -> Query:
    from urllib.parse import parse_qsl

    return read_query(parse_qsl(query.address(), keep_blank_values=True), columns)


@pytest.mark.slow
def test_columns_of_every_kind_sort_filter_and_show(hostile_site: Site):
    who, run = hostile_site.who(), f"/runs/{hostile_site.run_id}/sessions"
    theirs = list(hostile_site.run.items.columns.items())[20:]
    for place, (name, kind) in enumerate(theirs):
        order = "desc" if place % 2 else "asc"
        for part in (
            f"sort={quote(name)}&order={order}",
            f"is.{quote(name)}=x",
            f"min.{quote(name)}=1&max.{quote(name)}=1e300",
        ):
            answer = who.get(f"{run}?{part}")
            assert answer.status == (400 if part.startswith("min") and kind != "number" else 200), (name, part)
            assert read(answer.text).faults == []
    for descending, first in ((True, float("inf")), (False, -float("inf"))):
        rows = hostile_site.run.items.page(Query(sort="float", descending=descending), Judged()).rows
        assert rows[0]["float"] == first
    assert hostile_site.run.items.columns["nothing"] == "text"
    page = who.get(f"/runs/{hostile_site.run_id}/session?id={rows[0]['session_id']}")
    assert page.status in (200, 303) and read(page.text).faults == []


def test_times_are_utc_whatever_the_machines_zone(site: Site, tmp_path, monkeypatch):
    import time

    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    try:
        items = open_items(site.desk.layout, site.run.folder)
        row = items.one("s0000001")
        assert row["started_at"].strftime("%Y-%m") == row["month"] and row["started_at"].tzinfo is None
        assert items.page(read_query([("is.started_at", str(row["started_at"]))], items.columns), Judged()).n == 1
        items.close()
    finally:
        monkeypatch.undo()
        time.tzset()

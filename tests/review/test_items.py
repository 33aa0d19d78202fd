"""Lists against pandas: what is filtered, sorted, counted and paged through is what the tables hold."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from valuation.review.items import FOLDER, Judged, open_items
from valuation.review.query import PAGE_ROWS, Query, read_query

if TYPE_CHECKING:
    from .site import Site

NOBODY = Judged()


@pytest.fixture(scope="module")
def table(site: Site) -> pd.DataFrame:
    """The same rows, put together by pandas."""
    values = pd.read_parquet(site.run.folder / "values.parquet")
    sessions = pd.concat([pd.read_parquet(path) for path in site.root.glob("sessions/*/*.parquet")])
    extra = [name for name in sessions if name not in values or name == "session_id"]
    found = values.merge(sessions[extra], on="session_id", how="left", validate="one_to_one")
    found["typical_width"] = np.log(found["typical_upper"] / found["typical_lower"])
    found["deviation"] = found["log_value"] - found.groupby("month")["log_value"].transform("median")
    return found.sort_values("session_id", ignore_index=True)


def listed(site: Site, query: Query, judged: Judged = NOBODY) -> list[str]:
    """All sessions of a list, page by page."""
    found, page = [], 1
    while True:
        part = site.run.items.page(query.with_(page=page), judged)
        assert part.first == (page - 1) * PAGE_ROWS
        found += [row["session_id"] for row in part.rows]
        if len(part.rows) < PAGE_ROWS:
            assert part.n == len(found)
            return found
        page += 1


def asked(site: Site, **parts: str) -> Query:
    return read_query([(name.replace("__", "."), value) for name, value in parts.items()], site.run.items.columns)


def test_every_column_is_there_with_what_the_tables_hold(site: Site, table):
    items = site.run.items
    assert set(items.columns) == set(table.columns)
    for number in (0, 17, 419):
        row, expected = items.one(table["session_id"][number]), table.iloc[number]
        for name, value in row.items():
            if value is None:
                assert pd.isna(expected[name]), name
            elif isinstance(value, float):
                assert value == pytest.approx(expected[name], rel=1e-12), name
            elif name == "started_at":
                assert pd.Timestamp(value, tz="UTC") == expected[name]
            else:
                assert value == expected[name], name
    assert items.one("nowhere") is None and items.one("' OR 1=1 --") is None


@pytest.mark.parametrize(
    "column",
    ["value_usd", "deviation", "month", "summary", "reason", "similarity_max", "matched", "started_at", "weight"],
)
@pytest.mark.parametrize("order", ["asc", "desc"])
def test_sorting_puts_missing_last_and_breaks_ties_by_id(site: Site, table, column, order):
    expected = table.sort_values(
        [column, "session_id"], ascending=[order == "asc", True], na_position="last", kind="stable"
    )["session_id"]
    assert listed(site, asked(site, sort=column, order=order)) == expected.tolist()
    assert table[["value_usd", "reason"]].isna().any().all()  # there is something to put last


@pytest.mark.parametrize(
    ("queue", "mask", "key", "ascending"),
    [
        ("all", lambda t: t["month"].notna(), "session_id", True),
        ("uncertain", lambda t: t["matched"], "typical_width", False),
        ("outliers", lambda t: t["matched"], "abs", False),
        ("unmatched", lambda t: ~t["matched"], "similarity_max", False),
    ],
)
def test_queues_hold_what_they_say_in_their_order(site: Site, table, queue, mask, key, ascending):
    chosen = table[mask(table)].assign(abs=lambda t: t["deviation"].abs())
    expected = chosen.sort_values([key, "session_id"], ascending=[ascending, True], na_position="last")["session_id"]
    assert listed(site, asked(site, queue=queue)) == expected.tolist() and len(expected) > 3


def test_filters_are_combined_and_ranges_hold_their_ends(site: Site, table):
    low, high = table["value_usd"].dropna().sort_values().iloc[[40, 200]]
    query = read_query(
        [("is.month", "2026-01"), ("is.month", "2026-02"), ("is.matched", "true"), ("min.value_usd", repr(low)),
             ("max.value_usd", repr(high))], 
        site.run.items.columns,
    )  # fmt: skip
    mask = table["month"].isin(["2026-01", "2026-02"]) & table["matched"] & table["value_usd"].between(low, high)
    assert listed(site, query) == table.loc[mask, "session_id"].tolist() and 10 < mask.sum() < 200
    ends = read_query([("min.value_usd", repr(low)), ("max.value_usd", repr(low))], site.run.items.columns)
    assert len(listed(site, ends)) == (table["value_usd"] == low).sum() >= 1
    missing = asked(site, is__reason="")
    assert listed(site, missing) == table.loc[table["reason"].isna(), "session_id"].tolist()
    assert listed(site, asked(site, min__value_usd="1e18")) == []


def test_facets_count_under_all_filters_but_their_own(site: Site, table):
    query = read_query(
        [("is.month", "2026-01"), ("is.kind", table["kind"][0]), ("min.value_usd", "100")], site.run.items.columns
    )
    facets = {one.column: one.counts for one in site.run.items.counts(query, NOBODY)}
    assert {"month", "matched", "kind"} <= set(facets) and "session_id" not in facets and "summary" not in facets
    high = table["value_usd"] >= 100
    for column, mask in (
        ("month", high & (table["kind"] == table["kind"][0])), ("kind", high & (table["month"] == "2026-01")),
        ("tool", high & (table["month"] == "2026-01") & (table["kind"] == table["kind"][0])),
    ):  # fmt: skip
        counts = table.loc[mask, column].fillna("").value_counts().to_dict()
        assert dict(facets[column]) == counts
        assert facets[column] == sorted(facets[column], key=lambda one: (-one[1], one[0]))


@pytest.mark.parametrize("queue", ["all", "outliers", "unmatched"])
def test_before_and_after_are_the_rows_beside_it(site: Site, queue):
    query = asked(site, queue=queue)
    order = listed(site, query)
    for at in (0, 1, 2, 49, 50, len(order) - 2, len(order) - 1):
        if 0 <= at < len(order):
            before, after = site.run.items.around(query, NOBODY, at)
            assert (before, after) == (order[at - 1] if at else None, order[at + 1] if at + 1 < len(order) else None)
    assert site.run.items.around(query, NOBODY, len(order) + 5) == (None, None)
    assert site.run.items.around(asked(site, words="nowhere to be found"), NOBODY, 0) == (None, None)


def test_pages_past_the_end_are_empty(site: Site):
    found = site.run.items.page(Query(page=99_999_999), NOBODY)
    assert (found.rows, found.n) == ([], 420)


def test_judged_and_hidden_sessions(site: Site, table):
    ids = table["session_id"].tolist()
    judged = Judged(any_=frozenset(ids[:10]), mine=frozenset(ids[:4]), hidden=frozenset(ids[2:6]))
    left = [one for one in ids if one not in judged.hidden]
    expected = {
        "any": ids[:2] + ids[6:10], "mine": ids[:2], "none": ids[10:], "not_mine": ids[6:], "": left,
    }  # fmt: skip
    for word, sessions in expected.items():
        assert listed(site, asked(site, verdicts=word), judged) == sessions
    assert listed(site, asked(site, queue="mine"), judged) == ids[:2]
    assert listed(site, asked(site, queue="mine", verdicts="not_mine"), judged) == []
    counts = {one.column: sum(n for _, n in one.counts) for one in site.run.items.counts(Query(), judged)}
    assert set(counts.values()) == {len(left)}
    assert site.run.items.around(Query(), judged, 1) == (ids[0], ids[6])
    assert listed(site, asked(site, verdicts="mine"), NOBODY) == []


def test_the_file_is_made_anew_when_the_sessions_change_and_only_then(own_site: Site):
    folder = own_site.run.folder / FOLDER
    (first,) = folder.iterdir()
    mark = first.stat().st_mtime_ns
    open_items(own_site.desk.layout, own_site.run.folder).close()
    assert [(one.name, one.stat().st_mtime_ns) for one in folder.iterdir()] == [(first.name, mark)]
    path = next(own_site.root.glob("sessions/month=2026-01/*.parquet"))
    frame = pd.read_parquet(path)
    frame["mood"] = "calm"
    frame.to_parquet(path, index=False)
    again = open_items(own_site.desk.layout, own_site.run.folder)
    assert again.columns["mood"] == "text" and again.page(Query(), NOBODY).n == 420
    moods = again.page(read_query([("is.mood", "")], again.columns), NOBODY).n
    assert moods == 420 - len(frame)  # months without the column are missing
    assert own_site.run.items.page(Query(), NOBODY).n == 420  # who has it open goes on reading the old one
    (second,) = folder.iterdir()
    assert second.name != first.name
    again.close()


def test_a_run_may_be_open_twice_in_one_process(site: Site):
    both = [open_items(site.desk.layout, site.run.folder) for _ in range(2)]
    assert [one.page(Query(), NOBODY).n for one in both] == [420, 420]
    for one in both:
        one.close()


OPEN = """
import sys
from pathlib import Path
from valuation.review.items import Judged, open_items
from valuation.review.query import Query
from valuation.storage import Layout
layout = Layout(Path(sys.argv[1]))
sys.stdin.readline()
items = open_items(layout, layout.runs / sys.argv[2])
print(items.page(Query(), Judged()).n)
"""


@pytest.mark.slow
def test_processes_that_open_a_run_at_once_all_read_it(own_site: Site):
    for one in (own_site.run.folder / FOLDER).iterdir():
        one.unlink()
    command = [sys.executable, "-c", OPEN, str(own_site.root), own_site.run_id]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    crowd = [subprocess.Popen(command, **pipes) for _ in range(3)]
    said = [one.communicate("go\n", timeout=60) for one in crowd]
    assert [out for out, _ in said] == ["420\n"] * 3, said
    assert len(list((own_site.run.folder / FOLDER).iterdir())) == 1

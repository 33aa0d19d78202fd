"""Columns that carry our own names, ids that are kept or not, and the line about what was not read."""

import hashlib

import pandas as pd
import pytest

from valuation.cli.results import imported, imports
from valuation.errors import InputError
from valuation.imports.given import MAX_SOURCES, trouble_with_ids
from valuation.imports.masking import hash_name

from .conftest import KEY

SESSIONS = "session_id,user_id,started_at,summary,kind\n"
POSTINGS = "posting_id,source,title,description,posted_at,date_quality,price_type,price_kind,price,currency,rating\n"


def session_rows(ids, user="ann"):
    return "".join(f"{one},{user},2026-01-{n + 1:02d},Fixed page {n} of it,fix\n" for n, one in enumerate(ids))


def posting_row(one, source="siteA", quality="exact", kind="posted", title="Mend a fence", day="05"):
    return f"{one},{source},{title},{title} by Friday please,2026-01-{day},{quality},fixed,{kind},100,USD,5\n"


def notes(report):
    return " | ".join(report.files[0].notes)


def test_short_ids_that_are_one_a_row_are_kept(room):
    room.sessions(room.file("w.csv", SESSIONS + session_rows(["s000001", "s000002", "a"])))
    assert room.session_table()["session_id"].tolist() == ["a", "s000001", "s000002"]


@pytest.mark.parametrize(
    ("ids", "why"),
    [
        (["1", "2", "s000003"], "2 of 3 are numbers of under 8 digits, such as '1'"),
        (["#12", "b", "c"], "1 of 3 are numbers of under 8 digits, such as '#12'"),
        (["s1", "s2", "s1"], "'s1' stands in 2 rows"),
        (["ann@example.org", "bob@example.org", "x"], "2 of 3 hold an address, a key or a phone number"),
    ],
)
def test_ids_that_are_not_kept_are_told_and_found_again(room, ids, why):
    report = room.sessions(room.file("w.csv", SESSIONS + session_rows(ids)))
    table = room.session_table()
    assert table["session_id"].str.fullmatch("[0-9a-f]{16}").all()
    told = notes(report)
    assert f'session ids are not kept from the column "session_id": {why}' in told
    assert "attribute given_session_id" in told and 'write a mapping with session_id = "session_id"' in told
    assert "users are hashed first, so another workspace's key makes other ids" in told
    given = [one if "@" not in one else "[email]" for one in ids]
    assert table.sort_values("started_at")["given_session_id"].tolist() == given
    assert report.files[0].not_read == ()


def test_ids_of_another_name_stand_under_it(room):
    text = SESSIONS.replace("session_id", "id") + session_rows(["1", "2"])
    report = room.sessions(room.file("w.csv", text))
    assert "attribute id, to find a session by" in notes(report)
    assert sorted(room.session_table()["id"]) == [1.0, 2.0]


def test_long_ids_are_kept_and_repeats_quarantined():
    assert trouble_with_ids(["12345678", "12345678"]) == ""
    assert trouble_with_ids(["1234567"]) != ""
    assert trouble_with_ids(["abc", "12345678"]) == ""


def test_rows_without_an_id_get_one_and_it_is_said(room):
    report = room.sessions(room.file("w.csv", SESSIONS + session_rows(["s1", "", "s3"])))
    assert "1 of 3 rows have no id: an id is made from user, start and summary" in notes(report)
    assert {"s1", "s3"} < set(room.session_table()["session_id"])


def test_a_row_number_used_again_is_refused_with_the_lines(room):
    room.sessions(room.file("a.csv", SESSIONS + session_rows(["s1", "s2"])))
    before = room.snapshot()
    other = room.file("b.csv", SESSIONS + "s1,ann,2026-02-09,Wrote the manual,docs\n")
    with pytest.raises(InputError, match="'s1', stand for another session already") as caught:
        room.sessions(other)
    assert 'with session_id = "session_id" under [columns] these rows replace the earlier ones' in str(caught.value)
    assert room.snapshot() == before
    with pytest.raises(InputError, match="nothing was imported"):  # nor within one command
        room.sessions(
            room.file("c.csv", SESSIONS + session_rows(["s9"])),
            room.file("d.csv", SESSIONS + "s9,b,2026-03-09,Other work,x\n"),
        )
    assert room.snapshot() == before
    line = 'kind = "sessions"\n[columns]\nuser = "user_id"\nstarted_at = "started_at"\nsummary = "summary"\n'
    room.sessions(other, mapping=room.mapping(line))
    assert len(room.session_table()) == 3
    room.sessions(other, mapping=room.mapping(line + 'session_id = "session_id"\n'))
    table = room.session_table().set_index("session_id")
    assert table["summary"].to_dict() == {"s1": "Wrote the manual", "s2": "Fixed page 1 of it"}


@pytest.mark.parametrize("change", [("2026-01-01", "2026-01-03"), ("Fixed page 0 of it", "Mended page 0")])
def test_a_corrected_row_replaces_the_earlier_one(room, change):
    text = SESSIONS + session_rows(["s1", "s2"])
    room.sessions(room.file("a.csv", text))
    report = room.sessions(room.file("b.csv", text.replace(*change)))
    assert (report.kept, report.merged) == (0, 2)
    assert len(room.session_table()) == 2


@pytest.mark.parametrize("columns", ["user_id", "weight", "session_id"])
def test_an_empty_column_of_our_name_says_nothing(room, columns):
    head = "session_id,user_id,started_at,summary,weight\n"
    cells = {"session_id": "s{n}", "user_id": "ann", "weight": "2"} | {columns: ""}
    rows = "".join(
        f"{cells['session_id'].format(n=n)},{cells['user_id']},2026-01-0{n + 1},Fixed the page {n},{cells['weight']}\n"
        for n in range(3)
    )
    report = room.sessions(room.file("w.csv", head + rows))
    table = room.session_table()
    assert len(table) == 3 and report.files[0].not_read == ()
    if columns == "user_id":
        assert table["user_id"].isna().all()
        assert "user_id is empty: no user, each session is its own" in notes(report)
    else:
        assert set(table["user_id"]) == {hash_name(KEY, "ann")}
    assert table["weight"].tolist() == ([1.0] * 3 if columns == "weight" else [2.0] * 3)
    assert table["session_id"].str.fullmatch("[0-9a-f]{16}" if columns == "session_id" else r"s\d").all()


def test_an_id_without_a_user_is_the_same_in_every_workspace(room):
    """Unkeyed content: with a user it is not, and the note says so."""
    report = room.sessions(room.file("w.csv", "started_at,summary\n2026-01-05,Fixed the page of it\n"))
    plain = "\x1f".join(("", "2026-01-05T00:00:00.000000Z", "Fixed the page of it"))
    assert room.session_table()["session_id"].tolist() == [hashlib.sha256(plain.encode()).hexdigest()[:16]]
    assert "no ids are given: an id is made from user, start and summary" in notes(report)
    assert "another workspace's key" not in notes(report)


def test_postings_columns_of_our_names_are_taken(room):
    rows = posting_row("p1") + posting_row("p2", source="siteB", quality="derived", kind="paid", title="Sew a coat")
    report = room.postings(room.file("mine.csv", POSTINGS + rows))
    table = room.table().set_index("posting_id")
    assert table["source"].to_dict() == {"p1": "sitea", "p2": "siteb"}
    assert table["date_quality"].to_dict() == {"p1": "exact", "p2": "derived"}
    assert table["price_kind"].to_dict() == {"p1": "posted", "p2": "paid"}
    assert report.files[0].not_read == ("rating",)
    assert "sources are read as folders' names: siteA as sitea, siteB as siteb" in notes(report)
    shown = imports(
        imported(
            room.postings(room.file("more.csv", POSTINGS + rows.replace("p1", "q1").replace("p2", "q2")), dry_run=True)
        )
    )
    assert "columns not read: rating" in shown.replace("\n  ", " ")
    assert room.postings(room.file("mine.csv", POSTINGS + rows)).files[0].not_read == ("rating",)


def test_bad_values_of_ours_are_quarantined(room):
    rows = posting_row("p1") + posting_row("p2", source="???") + posting_row("p3", quality="roughly")
    rows += posting_row("p4", kind="guess") + posting_row("p5", source="")
    report = room.postings(room.file("mine.csv", POSTINGS + rows))
    assert dict(report.files[0].reasons) == {"no_source": 1, "bad_value": 2}
    assert room.table().set_index("posting_id")["source"].to_dict() == {"p1": "sitea", "p5": "mine"}


@pytest.mark.parametrize(
    ("name", "values", "why"),
    [
        ("source", ["https://example.org/1", "b", "c"], "it holds addresses"),
        ("source", ["ann@example.org", "b", "c"], "it holds addresses"),
        ("source", [f"s{n}" for n in range(MAX_SOURCES + 1)], "101 different values are more than markets"),
        ("date_quality", ["good", "bad", "good"], "no row has one of exact, derived, upper_bound, stated"),
        ("price_kind", ["x", "y", "z"], "no row has one of posted, bid_average, awarded, paid"),
        ("posting_id", ["1", "2", "3"], "3 of 3 are numbers of under 8 digits"),
    ],
)
def test_what_says_something_else_is_not_taken_and_told(room, name, values, why):
    rows = "".join(f"{value},Mend fence {n},2026-01-05,fixed,{100 + n},USD\n" for n, value in enumerate(values))
    report = room.postings(room.file("mine.csv", f"{name},title,posted_at,price_type,price,currency\n{rows}"))
    assert f"{name} is not taken from the column of that name: {why}" in notes(report)
    assert f'write a mapping with {name} = "{name}" under [columns]' in notes(report)
    assert report.files[0].not_read == (name,)
    assert set(room.table()["source"]) == {"mine"} and report.quarantined == 0
    assert room.table()["posting_id"].str.startswith("mine:").all()


def test_a_table_of_our_own_is_read_back(room, tmp_path):
    rows = posting_row("p1") + posting_row("p2", source="siteB", kind="paid", title="Sew a coat")
    room.postings(room.file("mine.csv", POSTINGS + rows))
    before = room.table()
    path = room.folder / "ours.parquet"
    before.to_parquet(path)
    report = room.postings(str(path))
    assert (report.kept, report.merged) == (0, 2)
    assert report.files[0].not_read == (
        "url", "skills", "month", "crawled_at", "price_usd", "rate_source", "category", "country", "client_id",
        "price_raw",
    )  # fmt: skip
    told = [name for name in before.columns if name not in ("price_raw", "rate_source")]
    pd.testing.assert_frame_equal(room.table()[told], before[told])


def test_a_posting_s_number_used_again_is_refused(room):
    room.postings(room.file("a.csv", POSTINGS + posting_row("p1")))
    with pytest.raises(InputError, match="'p1', stand for another posting already"):
        room.postings(room.file("b.csv", POSTINGS + posting_row("p1", title="Sew a coat", day="09")))
    report = room.postings(room.file("c.csv", POSTINGS + posting_row("p1", title="Sew a coat")))  # the date agrees
    assert report.merged == 1


def test_attributes_that_a_mapping_leaves_out_are_listed(room):
    mapping = room.mapping(
        'kind = "sessions"\n[columns]\nsession_id = "session_id"\nstarted_at = "started_at"\nsummary = "summary"\n'
        '[options]\nattributes = ["kind"]\n'
    )
    report = room.sessions(room.file("w.csv", SESSIONS + session_rows(["a", "b"])), mapping=mapping, dry_run=True)
    assert report.files[0].not_read == ("user_id",)
    assert report.to_dict()["files"][0]["not_read"] == ("user_id",)


def test_a_column_that_takes_the_given_ids_name_is_refused(room):
    text = "session_id,given_session_id,started_at,summary\n1,x,2026-01-05,Fixed the page of it\n"
    with pytest.raises(InputError, match="column 'session_id' has a name of the table's own"):
        room.sessions(room.file("w.csv", text))

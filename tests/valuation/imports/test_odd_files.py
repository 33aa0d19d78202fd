"""Files of odd shapes: each imports right, or is refused with the line of a mapping that is missing."""

import gzip
import io
import json
from datetime import UTC, date, datetime

import openpyxl
import pandas as pd
import pytest

from valuation.errors import InputError

HEAD = "title,budget,currency,type,posted\n"


def rows(room):
    table = room.table().sort_values("title")
    return [
        (r.title, r.price_type, r.price_low, r.price_high, r.currency, r.posted_at.strftime("%Y-%m-%d %H:%M"))
        for r in table.itertuples()
    ]


def workbook(grid, title="jobs", more=()):
    book = openpyxl.Workbook()
    for sheet_title, cells in ((title, grid), *more):
        sheet = book.active if sheet_title == title else book.create_sheet()
        sheet.title = sheet_title
        for row in cells:
            sheet.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def test_plain_csv_is_guessed(room):
    report = room.postings(room.file("jobs.csv", HEAD + "Build a shop,500,USD,fixed,2024-03-05\n"))
    assert rows(room) == [("Build a shop", "fixed", 500, 500, "USD", "2024-03-05 00:00")]
    file = report.files[0]
    assert file.guessed
    assert ("price", "budget") in file.columns
    assert room.table()["source"].tolist() == ["jobs"]


def test_excel_with_a_title_row(room):
    grid = [
        ["Jobs of March"],
        [],
        ["Title", "Budget (EUR)", "Type", "Date posted"],
        ["Logo", 250.0, "fixed", date(2024, 3, 5)],
    ]
    room.postings(room.file("jobs.xlsx", workbook(grid)))
    assert rows(room) == [("Logo", "fixed", 250, 250, "EUR", "2024-03-05 00:00")]


def test_excel_with_two_header_rows(room):
    grid = [
        ["Job", None, "Budget", None, "Posted"],
        ["Title", "Type", "Min", "Max", "At"],
        ["Logo", "fixed", 100, 400, datetime(2024, 3, 5, 9, 30)],
    ]
    file = room.file("jobs.xlsx", workbook(grid))
    with pytest.raises(InputError, match="header_rows = 2"):
        room.postings(file)
    mapping = room.mapping(
        'kind = "postings"\nsource = "two"\n[columns]\ntitle = "Job Title"\nprice_type = "Job Type"\n'
        'price_low = "Budget Min"\nprice_high = "Budget Max"\nposted_at = "Posted At"\n'
        '[constants]\ncurrency = "USD"\n[options]\nheader_rows = 2\n'
    )
    room.postings(file, mapping=mapping)
    assert rows(room) == [("Logo", "fixed", 100, 400, "USD", "2024-03-05 09:30")]
    assert room.table()["price_usd"].tolist() == [pytest.approx(200)]


def test_excel_with_two_filled_sheets(room):
    grid = [["Title", "Budget"], ["Logo", 5]]
    file = room.file("jobs.xlsx", workbook(grid, more=[("other", grid)]))
    with pytest.raises(InputError, match='sheet = "jobs" or sheet = "other"'):
        room.postings(file)


def test_semicolons_with_decimal_commas(room):
    text = "Titel;Preis (EUR);Art;Datum\nLogo;1.250,50;Festpreis;25.12.2024\nText;12,50;pro Stunde;05.11.2024\n"
    room.postings(room.file("jobs.csv", text))
    assert rows(room) == [
        ("Logo", "fixed", 1250.5, 1250.5, "EUR", "2024-12-25 00:00"),
        ("Text", "hourly", 12.5, 12.5, "EUR", "2024-11-05 00:00"),
    ]


@pytest.mark.parametrize("price", ["1.250", "1,250"])
def test_semicolons_where_the_comma_is_open(room, price):
    text = f"title;budget;currency;type;posted\nLogo;{price};EUR;fixed;2024-12-25\n"
    with pytest.raises(InputError, match="decimal_comma = true .* or decimal_comma = false"):
        room.postings(room.file("jobs.csv", text))
    assert room.table().empty


def test_cp1252_is_read_and_said(room):
    text = HEAD + "Übersetzung für Café – Website,500,€,fixed,2024-03-05\n"
    report = room.postings(room.file("jobs.csv", text.encode("cp1252")))
    assert rows(room) == [("Übersetzung für Café – Website", "fixed", 500, 500, "EUR", "2024-03-05 00:00")]
    assert "encoding cp1252" in report.files[0].notes


def test_utf16_and_bom(room):
    text = HEAD + "Größe,500,USD,fixed,2024-03-05\n"
    room.postings(room.file("a.csv", text.encode("utf-16")), room.file("b.csv", text.encode("utf-8-sig")))
    assert [row[0] for row in rows(room)] == ["Größe", "Größe"]
    assert sorted(room.table()["source"]) == ["a", "b"]


def test_nested_json(room):
    record = {
        "title": "Scraper", "type": "hourly", "time_submitted": 1709632800,
        "jobs": [{"name": "Python"}, {"name": "SQL"}], "budget": {"minimum": 15, "maximum": 25},
        "currency": {"code": "GBP"},
    }  # fmt: skip
    mapping = room.mapping(
        'kind = "postings"\nsource = "api"\n[columns]\ntitle = "title"\nprice_low = "budget.minimum"\n'
        'price_high = "budget.maximum"\ncurrency = "currency.code"\nprice_type = "type"\nposted_at = "time_submitted"\n'
        'skills = "jobs"\n'
    )
    room.postings(room.file("jobs.json", json.dumps({"result": {"projects": [record]}})), mapping=mapping)
    assert rows(room) == [("Scraper", "hourly", 15, 25, "GBP", "2024-03-05 10:00")]
    assert room.table()["skills"].tolist() == ["Python, SQL"]


def test_nested_json_is_guessed(room):
    record = {
        "title": "A",
        "type": "fixed",
        "posted": "2024-03-05",
        "budget": {"min": 15, "max": 25, "currency": "GBP"},
    }
    room.postings(room.file("jobs.json", json.dumps([record])))
    assert rows(room) == [("A", "fixed", 15, 25, "GBP", "2024-03-05 00:00")]


def test_json_lines_gzipped_with_a_broken_line(room):
    good = json.dumps({"title": "A", "price": "$20/hr", "date": "2024-03-05"})
    other = json.dumps({"title": "B", "price": "$30/hr", "date": "2024-03-06"})
    report = room.postings(room.file("jobs.jsonl.gz", gzip.compress(f"{good}\n{{broken\n{other}\n".encode(), mtime=0)))
    assert [row[:3] for row in rows(room)] == [("A", "hourly", 20), ("B", "hourly", 30)]
    assert report.files[0].reasons == (("unreadable_row", 1),)
    assert report.files[0].rows_in == 3


def test_dates_by_day_first_are_decided_by_the_column(room):
    text = HEAD + "A,5,USD,fixed,03/04/2024\nB,5,USD,fixed,25/04/2024\n"
    room.postings(room.file("jobs.csv", text))
    assert [row[-1] for row in rows(room)] == ["2024-04-03 00:00", "2024-04-25 00:00"]


def test_dates_by_month_first_are_decided_by_the_column(room):
    text = HEAD + "A,5,USD,fixed,03/04/2024\nB,5,USD,fixed,04/25/2024\n"
    room.postings(room.file("jobs.csv", text))
    assert [row[-1] for row in rows(room)] == ["2024-03-04 00:00", "2024-04-25 00:00"]


def test_open_dates_name_the_option(room):
    file = room.file("jobs.csv", HEAD + "A,5,USD,fixed,03/04/2024\nB,5,USD,fixed,05/06/2024\n")
    with pytest.raises(InputError, match="day_first = true or day_first = false"):
        room.postings(file)
    both = room.file(
        "both.csv", HEAD + "A,5,USD,fixed,13/04/2024\nB,5,USD,fixed,04/25/2024\nC,5,USD,fixed,01/02/2024\n"
    )
    with pytest.raises(InputError, match="day_first"):
        room.postings(both)


def test_prices_in_words(room):
    room.postings(room.file("jobs.csv", HEAD + "A,five hundred dollars,USD,fixed,2024-03-05\n"))
    assert rows(room)[0][1:5] == ("fixed", 500, 500, "USD")


def test_prices_in_words_that_state_none_are_refused(room):
    file = room.file("jobs.csv", HEAD + "A,a few hundred dollars,USD,fixed,2024-03-05\n")
    with pytest.raises(InputError, match="no column of prices"):
        room.postings(file)


def test_hourly_and_fixed_mixed_in_one_column(room):
    text = "title,budget,posted\nA,$20/hr,2024-03-05\nB,$500 fixed,2024-03-05\n"
    room.postings(room.file("jobs.csv", text))
    assert [row[:3] for row in rows(room)] == [("A", "hourly", 20), ("B", "fixed", 500)]


def test_fixed_and_hourly_in_columns_of_their_own(room):
    text = (
        "title,fixed_price,hourly_min,hourly_max,posted\nA,$500,,,2024-03-05\nB,,$20,$30,2024-03-05\n"
        "C,$5,$6,$7,2024-03-05\nD,0,$8,$9,2024-03-05\nE,$1.2.3,,,2024-03-05\nF,,,,2024-03-05\n"
    )
    report = room.postings(room.file("jobs.csv", text))
    assert [row[:4] for row in rows(room)] == [("A", "fixed", 500, 500), ("B", "hourly", 20, 30), ("D", "hourly", 8, 9)]
    assert dict(report.files[0].reasons) == {"several_prices": 1, "unparsed_price": 1, "no_price": 1}


def test_a_constant_type_fills_only_what_is_not_said(room):
    mapping = room.mapping(
        'kind = "postings"\nsource = "a"\n[columns]\ntitle = "title"\nprice = "budget"\ncurrency = "currency"\n'
        'price_type = "type"\nposted_at = "posted"\n[constants]\nprice_type = "fixed"\n'
    )
    text = HEAD + "A,5,USD,,2024-03-05\nB,5,USD,weekly,2024-03-05\nC,5,USD,hourly,2024-03-05\n"
    report = room.postings(room.file("jobs.csv", text), mapping=mapping)
    assert [row[:2] for row in rows(room)] == [("A", "fixed"), ("C", "hourly")]
    assert report.files[0].reasons == (("bad_value", 1),)


@pytest.mark.parametrize(
    "name", ["price_cents", "budget (k USD)", "monthly_budget", "daily rate", "total spent", "salary"]
)
def test_columns_that_are_not_the_price_are_not_taken_for_it(room, name):
    file = room.file("jobs.csv", f"title,{name},currency,type,posted\nA,$5000,USD,fixed,2024-03-05\n")
    with pytest.raises(InputError, match='no column of prices: write under \\[columns\\] price = "COLUMN"'):
        room.postings(file)


def test_two_digit_years_name_the_option(room):
    with pytest.raises(InputError, match="day_first = true or day_first = false"):
        room.postings(room.file("jobs.csv", HEAD + "A,5,USD,fixed,13/01/24\n"))


def test_one_currencys_marks_do_not_settle_anothers(room):
    text = 'title,price,type,posted\nA,{},fixed,2024-03-05\nB,"$1,500.00",fixed,2024-03-05\n'
    with pytest.raises(InputError, match="decimal_comma = true"):
        room.postings(room.file("open.csv", text.format("1.500 €")))
    room.postings(room.file("told.csv", text.format('"1.500,00 €"')))
    assert [row[2] for row in rows(room)] == [1500, 1500]


def test_one_record_in_json_lines_is_a_record(room):
    record = {"title": "A", "price": "$5/hr", "date": "2024-03-05", "jobs": [{"name": "PHP"}]}
    room.postings(room.file("jobs.jsonl", json.dumps(record)))
    assert rows(room)[0][:3] == ("A", "hourly", 5)


def test_rows_that_do_not_say_their_type_need_a_line(room):
    file = room.file("jobs.csv", "title,budget,posted\nA,$20/hr,2024-03-05\nB,$500,2024-03-05\n")
    with pytest.raises(InputError, match='1 rows: .* price_type = "fixed" or price_type = "hourly"'):
        room.postings(file)
    none = room.file("none.csv", "title,budget,posted\nB,$500,2024-03-05\n")
    with pytest.raises(InputError, match='price_type = "fixed"'):
        room.postings(none)


def test_currency_in_the_header(room):
    room.postings(room.file("jobs.csv", "title,hourly_rate_gbp,posted\nA,20,2024-03-05\n"))
    assert rows(room) == [("A", "hourly", 20, 20, "GBP", "2024-03-05 00:00")]


def test_no_currency_names_the_line(room):
    file = room.file("jobs.csv", "title,budget,type,posted\nA,20,fixed,2024-03-05\n")
    with pytest.raises(InputError, match='currency = "USD" under \\[constants\\]'):
        room.postings(file)


@pytest.mark.parametrize("scale", [1, 1000])
def test_unix_stamps(room, scale):
    room.postings(room.file("jobs.csv", HEAD + f"A,5,USD,fixed,{1709632800 * scale}\n"))
    assert rows(room)[0][-1] == "2024-03-05 10:00"


@pytest.mark.parametrize("written", ["1 250", "1'250", "1\u00a0250.00", "1’250"])
def test_thousands_with_spaces_and_apostrophes(room, written):
    room.postings(room.file("jobs.csv", HEAD + f"A,{written},CHF,fixed,2024-03-05\n"))
    assert rows(room)[0][2:5] == (1250, 1250, "CHF")


def test_tabs_and_pipes(room):
    for name, mark in (("a.tsv", "\t"), ("b.txt", "|")):
        text = (HEAD + "A,5,USD,fixed,2024-03-05\n").replace(",", mark)
        room.postings(room.file(name, text))
    assert [row[2] for row in rows(room)] == [5, 5]


def test_quoted_line_breaks_and_a_megabyte_of_text(room):
    long = "word " * 210_000
    text = f'title,description,budget,currency,type,posted\nA,"line one\nline ""two"", {long}",5,USD,fixed,2024-03-05\n'
    room.postings(room.file("jobs.csv", text))
    found = room.table()["description"].iloc[0]
    assert found.startswith('line one\nline "two", word')
    assert len(found) > 1_000_000


def test_two_price_columns_are_shown_and_refused(room):
    file = room.file("jobs.csv", "title,budget,amount,currency,type,posted\nA,5,6,USD,fixed,2024-03-05\n")
    with pytest.raises(InputError, match='under \\[columns\\] price = "budget" or price = "amount"'):
        room.postings(file)


def test_two_currency_columns_are_shown_and_refused(room):
    file = room.file("jobs.csv", "title,budget,currency,Client Currency,type,posted\nA,5,USD,GBP,fixed,2024-03-05\n")
    with pytest.raises(InputError, match='currency = "currency" or currency = "Client Currency"'):
        room.postings(file)


def test_two_date_columns_are_shown_and_refused(room):
    file = room.file("jobs.csv", "title,budget,currency,type,posted,published\nA,5,USD,fixed,2024-03-05,2024-03-06\n")
    with pytest.raises(InputError, match='posted_at = "posted" or posted_at = "published"'):
        room.postings(file)


def test_no_date_names_the_line(room):
    file = room.file("jobs.csv", "title,budget,currency,type\nA,5,USD,fixed\n")
    with pytest.raises(InputError, match='under \\[constants\\] posted_at = 2026-01-31 with date_quality = "stated"'):
        room.postings(file)


def test_ages_name_the_line(room):
    file = room.file("jobs.csv", HEAD + "A,5,USD,fixed,3 days ago\n")
    with pytest.raises(InputError, match="crawled_at = 2026-01-31T00:00:00Z"):
        room.postings(file)


def test_parquet_with_lists_and_times(room):
    frame = pd.DataFrame(
        {
            "title": ["A", "B"],
            "skills": [["x", "y"], []],
            "fixed_price_usd": [10.0, float("nan")],
            "posted": pd.to_datetime(["2024-03-05T12:00:00+02:00"] * 2, utc=True),
        }
    )
    out = io.BytesIO()
    frame.to_parquet(out)
    report = room.postings(room.file("jobs.parquet", out.getvalue()))
    assert rows(room) == [("A", "fixed", 10, 10, "USD", "2024-03-05 10:00")]
    assert room.table()["skills"].tolist() == ["x, y"]
    assert report.files[0].reasons == (("no_price", 1),)


def test_rows_of_another_width_are_set_aside(room):
    report = room.postings(
        room.file("jobs.csv", HEAD + "A,5,USD,fixed,2024-03-05\nB,1,000,USD,fixed,2024-03-05\nC,5\n")
    )
    assert [row[0] for row in rows(room)] == ["A"]
    assert report.files[0].reasons == (("unreadable_row", 2),)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", b"", "a.csv: the file is empty"),
        ("a.csv", b"title,budget\n", "no rows below the header"),
        ("a.csv", b"\x89PNG\r\n\x1a\n\x00\x00", "the bytes are not text"),
        ("a.csv", bytes(range(1, 200)), "the bytes are not text"),
        ("a.csv", b'title,budget\n"open,5\n', "broken quoting in the record that begins at line 2"),
        (
            "a.csv",
            gzip.compress(b"title\nA\n", mtime=0),
            "the ending says delimited text \\(CSV\\) but the file is gzip",
        ),
        ("a.csv.gz", b"title\nA\n", "the ending says gzip but the file is not"),
        ("a.csv.gz", gzip.compress(b"title,b\nA,5\n" * 50, mtime=0)[:-9], "damaged or breaks off"),
        ("a.xlsx", b"title,budget\nA,5\n", "the ending says an Excel workbook but the file is not"),
        ("a.xlsx", b"PK\x03\x04broken", "not readable as an Excel workbook"),
        ("a.parquet", b"title\n", "the ending says Parquet but the file is not"),
        ("a.parquet", b"PAR1broken", "not readable as Parquet"),
        ("a.json", b"[{", "not JSON"),
        ("a.json", b"[]", "the array is empty"),
        ("a.json", b"[1, 2]", "no JSON objects"),
        ("a.pdf", b"%PDF", "the ending is not one of"),
    ],
)
def test_files_that_are_not_what_they_should_be(room, name, content, message):
    with pytest.raises(InputError, match=message) as caught:
        room.postings(room.file(name, content))
    assert "\n" not in str(caught.value)
    assert name in str(caught.value)
    assert not room.snapshot()


def test_missing_files_and_folders(room):
    with pytest.raises(InputError, match="no such file"):
        room.postings(str(room.folder / "gone.csv"))
    with pytest.raises(InputError, match="is a folder"):
        room.postings(str(room.folder))


def test_a_url_of_fsspec(room):
    path = room.file("jobs.csv", HEAD + "A,5,USD,fixed,2024-03-05\n")
    room.postings(f"file://{path}")
    assert rows(room)[0][0] == "A"
    with pytest.raises(InputError, match="no such file"):
        room.postings(f"file://{path}.gone")


def test_one_refused_file_stops_all(room):
    good = room.file("good.csv", HEAD + "A,5,USD,fixed,2024-03-05\n")
    bad = room.file("bad.csv", HEAD + "A,5,USD,fixed,03/04/2024\n")
    with pytest.raises(InputError, match="day_first"):
        room.postings(good, bad)
    assert not room.snapshot()


def test_mixed_zones_become_utc(room):
    text = HEAD + "A,5,USD,fixed,2024-03-31T23:30:00-05:00\nB,5,USD,fixed,2024-03-31 23:30\n"
    room.postings(room.file("jobs.csv", text))
    table = room.table().set_index("title")
    assert table["posted_at"].tolist() == [
        datetime(2024, 4, 1, 4, 30, tzinfo=UTC),
        datetime(2024, 3, 31, 23, 30, tzinfo=UTC),
    ]
    assert table["month"].tolist() == ["2024-04", "2024-03"]

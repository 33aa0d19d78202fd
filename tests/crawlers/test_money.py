"""Budgets in free text: two tables of forms beside this file, and what none of them may do."""

import csv
import doctest
import gzip
import io
import json
import re
import tomllib
from collections import Counter
from pathlib import Path
from re import _constants, _parser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawlers import money, money_clean, money_marks, money_numbers, money_patterns, money_words
from crawlers.money import Budget, has_mark, parse_budget, price_form, read_budget, read_number, unit_of
from crawlers.money_clean import MAX_LENGTH, clean_text
from crawlers.money_marks import currency_code, currency_in_name, may_mean
from crawlers.money_numbers import decimal_evidence, parse_number, scale_of

HERE = Path(__file__).parent
DATA = HERE.parents[1] / ".." / "shared" / "data"
FORMS = tomllib.loads((HERE / "money_forms.toml").read_text(encoding="utf-8"))
STATED = [tuple(row) for group in FORMS["stated"].values() for row in group]
NOTHING = [tuple(row) for group in FORMS["nothing"].values() for row in group]
RAW = list(csv.DictReader(io.StringIO((HERE / "money_raw_forms.csv").read_text(encoding="utf-8"))))
COLUMNS = {
    "raw-peopleperhour.csv": ("Budget", "Currency", "Type"),
    "raw-upwork-feed.json": ("time_money",),
    "raw-upwork-listing.csv.gz": ("Hourly/Fixed", "Budget"),
}
PIECES = "$ € USD usd 5 500 1,000 1.5k - to per hour /hr + each budget: ( ) [ ] , x % 2024 months PHP"
TEXTS = st.text(max_size=60) | st.lists(st.sampled_from(PIECES.split()), max_size=12).map(" ".join)


def shown(found):
    return found if isinstance(found, str) else (found.low, found.high, found.currency, found.unit)


@pytest.mark.parametrize(("text", "low", "high", "currency", "unit"), STATED)
def test_stated_budgets(text, low, high, currency, unit):
    assert shown(read_budget(text)) == (pytest.approx(low), pytest.approx(high), currency or None, unit or None)
    assert parse_budget(text) == read_budget(text)


@pytest.mark.parametrize(("text", "reason"), NOTHING)
def test_texts_that_state_no_budget(text, reason):
    assert read_budget(text) == reason
    assert parse_budget(text) is None


def test_the_table_is_as_long_as_promised_and_says_nothing_twice():
    texts = [row[0] for row in STATED + NOTHING]
    assert len(STATED) >= 150 and len(NOTHING) >= 150
    assert [text for text, count in Counter(texts).items() if count > 1] == []


@pytest.mark.parametrize("text", [row[0] for row in STATED])
def test_spaces_dashes_and_marks_of_direction_change_no_reading(text):
    spelt = text.replace(" ", "\u00a0").replace("–", "\u2212").replace("-", "\u2010")
    assert shown(read_budget(f"\u200f{spelt}\u200e")) == shown(read_budget(text))
    assert shown(read_budget(f"  {text}\n")) == shown(read_budget(text))


@pytest.mark.parametrize("row", RAW, ids=[f"{row['column']}: {row['form']}" for row in RAW])
def test_every_form_of_the_raw_files_reads_as_written_down(row):
    for digit in "123456789":
        text = row["form"].replace("9", digit)
        found = read_budget(text)
        read = found if isinstance(found, Budget) else None
        assert ("" if read else found) == row["reason"]
        assert ((read.currency if read else currency_code(text)) or "") == row["currency"]
        assert ((read and read.unit) or unit_of(text) or "") == row["unit"]
        ends = [float(row[name].replace("9", digit).replace(",", "")) for name in ("low", "high") if row[name]]
        assert ([read.low, read.high] if read else []) == ends
    if row["low"]:
        assert not isinstance(read_budget(row["form"].replace("9", "0")), Budget)


def cells(name):
    """(column, text) of the price columns of a raw file."""
    path = DATA / name
    if not path.exists():
        pytest.skip(f"NOT CHECKED: {path} is absent, so the counts of price forms were not compared with the real file")
    raw = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    text = raw.decode("utf-8")
    rows = json.loads(text) if ".json" in name else list(csv.DictReader(io.StringIO(text, newline="")))
    return [(column, row[column]) for column in COLUMNS[name] for row in rows]


@pytest.mark.parametrize("name", COLUMNS)
def test_the_raw_files_hold_exactly_the_forms_written_down(name):
    found = Counter((column, price_form(text, width=200)) for column, text in cells(name))
    assert found == {(row["column"], row["form"]): int(row["count"]) for row in RAW if row["file"] == name}


@pytest.mark.parametrize("name", COLUMNS)
def test_every_price_of_the_raw_files_reads_like_its_form(name):
    expected = {(row["column"], row["form"]): row["reason"] for row in RAW if row["file"] == name}
    odd = Counter()
    for column, text in set(cells(name)):
        found = read_budget(text)
        odd["" if isinstance(found, Budget) else found, expected[column, price_form(text, width=200)]] += 1
    assert {pair for pair in odd if pair[0] != pair[1]} <= {("zero", "")}  # four budgets of 0.0


@pytest.mark.parametrize(
    ("text", "decimal_comma", "value"),
    [
        ("1.200", True, 1200.0),
        ("1.200", False, 1.2),
        ("1.200", None, None),
        ("1,200", True, 1.2),
        ("1,200", False, 1200.0),
        ("1,200", None, 1200.0),
        ("1.5", True, None),
        ("1,5", False, None),
        ("1,23,456", None, 123456.0),
        ("12,34", None, 12.34),
        ("1.234.567,8", None, 1234567.8),
        ("007", None, None),
        ("1 2", None, None),
    ],
)
def test_numbers_are_read_one_way_or_not_at_all(text, decimal_comma, value):
    assert parse_number(text, decimal_comma=decimal_comma) == value


def test_the_source_may_say_how_it_writes_numbers():
    assert shown(read_budget("€45.000", decimal_comma=True)) == (45000.0, 45000.0, "EUR", None)
    assert shown(read_budget("€45.000 - 50.000", decimal_comma=True)) == (45000.0, 50000.0, "EUR", None)
    assert shown(read_budget("€45.000", decimal_comma=False)) == (45.0, 45.0, "EUR", None)
    assert read_budget("€45.000") == read_budget("€45,5", decimal_comma=False) == "unclear"


def test_evidence_of_the_decimal_mark():
    assert decimal_evidence(["500", "1.200"]).either_point == "1.200"
    assert decimal_evidence(["1.200", "3,50"]).comma
    assert decimal_evidence(["1.000.000"]).comma
    assert decimal_evidence(["1,000,000"]).point
    shown_marks = decimal_evidence(["12.03.2024"])
    assert (shown_marks.point, shown_marks.comma) == (False, False)


def test_plain_numbers_are_budgets_above_zero_only():
    assert read_number(5.5) == Budget(5.5, 5.5, None, "", None)
    assert [read_number(v) for v in (0.0, -1.0, float("inf"), float("nan"))] == ["zero", "negative", "infinite", "none"]


def test_forms_hide_digits_and_control_characters():
    assert price_form("Est. budget:\n$1,250.00") == "Est. budget: $9,999.99"
    assert price_form("a\x1b[31m5") == "a [99m9"
    assert price_form("٥٠ USD") == "99 USD"
    assert len(price_form("x" * 500)) == 80
    assert len(price_form("x" * 500, width=200)) == 200


@pytest.mark.parametrize(
    ("name", "currency"),
    [("Budget (EUR)", "EUR"), ("price_usd", "USD"), ("Amount in £", "GBP"), ("Budget", None), ("usd or eur", None)],
)
def test_currency_in_a_columns_name(name, currency):
    assert currency_in_name(name) == currency


@pytest.mark.parametrize(
    ("mark", "code"),
    [("$", "USD"), ("CA $", "CAD"), ("us$", "USD"), ("грн.", "UAH"), ("Canadian  Dollars", "CAD"), ("¥", None)]
    + [("kr", None), ("Rs", None), ("lei", None), ("hours", None), ("", None)],
)  # fmt: skip
def test_codes_of_marks(mark, code):
    assert currency_code(mark) == code


def test_marks_that_several_currencies_share():
    pairs = [("$", "AUD"), ("kr", "SEK"), ("US $", "AUD"), ("€", "USD"), ("aud", "AUD")]
    assert [may_mean(*pair) for pair in pairs] == [True, True, False, False, True]


def test_the_mark_kept_is_the_one_that_says_most():
    marks = [parse_budget(text).mark for text in ("$500 USD", "CAD $500", "$500", "US $500", "500", "500 грн")]
    assert marks == ["USD", "CAD", "$", "US $", "", "грн"]


def test_units_of_type_columns():
    assert [unit_of(t) for t in ("Hourly", "hour", "fixed_price", "Fixed-price - Expert", "Hourly/Fixed", "none")] == [
        "hour", "hour", "fixed", "fixed", None, None,
    ]  # fmt: skip


def test_multipliers():
    assert [scale_of(text) for text in ("k", " Million", "lakhs", "тыс.", "万", "x", "", None)] == [
        1e3, 1e6, 1e5, 1e3, 1e4, None, None, None,
    ]  # fmt: skip


def test_one_spelling():
    assert clean_text("  A\n\tB\u00a0–\u200bC ") == "A B -C"
    assert clean_text("500,- / 500.-- / 500:- / 1,500/-") == "500,00 / 500.00 / 500 / 1,500"
    assert clean_text("$5²") == "$5"


@given(TEXTS)
def test_any_text_gives_a_positive_range_or_nothing(text):
    found = parse_budget(text)
    assert found is None or 0 < found.low <= found.high < float("inf")


@given(st.floats(0.01, 1e7).map(lambda v: round(v, 2)), st.sampled_from(["$", "£", "€", "CAD $", "US$", "₹"]))
def test_written_amounts_are_read_back(value, sign):
    found = parse_budget(f"{sign}{value:,.2f}")
    assert found is not None
    assert found.low == found.high == pytest.approx(value)


@given(st.integers(100, 10**6), st.sampled_from(["USD", "EUR", "грн", "PHP", "TRY", "CAD"]), st.booleans())
def test_codes_are_read_on_either_side(value, code, first):
    written = f"{code}: {value:,}" if first else f"{value:,} {code}"
    assert shown(read_budget(f"Landing page, {written}, two weeks"))[:2] == (value, value) or 1990 <= value < 2040


@given(st.integers(1, 10**6), st.integers(1, 10**6))
def test_ranges_keep_their_order(first, second):
    found = read_budget(f"${first:,} - ${second:,}")
    assert found == ("reversed" if first > second else Budget(float(first), float(second), "USD", "$", None))


@given(
    st.integers(1, 999), st.sampled_from(["days", "weeks", "hours", "pages", "hrs/week", "%", "proposals", "people"])
)
def test_a_number_of_something_is_never_part_of_the_price(number, what):
    for text in (f"$400, {number} {what}", f"{number} {what}, $400", f"$400 ({number} {what})"):
        assert shown(read_budget(text)) == (400.0, 400.0, "USD", None)
    assert parse_budget(f"{number} {what}") is None


def test_a_text_of_any_length_is_read_in_bounded_steps(monkeypatch):
    calls = []
    evaluate = money._evaluate
    monkeypatch.setattr(money, "_evaluate", lambda *args: calls.append(0) or evaluate(*args))
    for piece in ("web 17 - $250 ", "$500 - 10 days ", "$5 ", "[$1] ", "from 5 to $7 "):
        calls.clear()
        assert read_budget(piece * 1000) == "unclear"  # longer than any budget
        assert len(calls) == 0
        text = piece * money.MOST_AMOUNTS
        assert read_budget(text[:MAX_LENGTH]) in (read_budget(piece), "several", "unclear")
        assert len(calls) <= money.MOST_AMOUNTS + 1
    assert shown(read_budget("$5 " * money.MOST_AMOUNTS)) == (5.0, 5.0, "USD", None)
    assert read_budget("$5 " * (money.MOST_AMOUNTS + 1)) == "several"


ENDLESS = [one.replace("_", " ") for one in "1_ 1. 1,1 $_ -_ $- from_ 1- one_ (_ é 1_000_ ½$".split()]


@pytest.mark.parametrize("piece", ENDLESS)
def test_long_texts_of_one_piece_end(piece):
    for text in (piece * 5000, (piece * 5000)[: MAX_LENGTH - 3] + " $5", "$5 " + (piece * 5000)[: MAX_LENGTH - 3]):
        assert isinstance(read_budget(text), (str, Budget))


def nested_repeats(tree, inside=False):
    """Unbounded repetitions whose body is, or begins with, a repetition: what makes patterns go back for ever."""
    found = []
    for op, value in tree:
        if op in (_constants.MAX_REPEAT, _constants.MIN_REPEAT):
            endless = value[1] is _constants.MAXREPEAT
            first = value[2][0][0] if len(value[2]) else None
            loose = first in (_constants.MAX_REPEAT, _constants.MIN_REPEAT, _constants.SUBPATTERN)
            if inside and endless and len(value[2]) > 1:
                found.append(str(value[2])[:80])
            if endless and loose:
                found.append(str(value[2])[:80])
            found += nested_repeats(value[2], inside or endless)
        elif op is _constants.SUBPATTERN:
            found += nested_repeats(value[3], inside)
        elif op is _constants.BRANCH:
            found += [one for branch in value[1] for one in nested_repeats(branch, inside)]
        elif op in (_constants.ASSERT, _constants.ASSERT_NOT):
            found += nested_repeats(value[1], False)
    return found


PATTERNS = {name: pattern for name, pattern in vars(money_patterns).items() if isinstance(pattern, re.Pattern)}


@pytest.mark.parametrize("name", PATTERNS)
def test_no_pattern_can_go_back_over_and_over(name):
    assert nested_repeats(_parser.parse(PATTERNS[name].pattern, PATTERNS[name].flags & ~re.UNICODE)) == []


def test_the_check_of_patterns_finds_bad_ones():
    assert nested_repeats(_parser.parse(r"(?:\d+)*x")) != []
    assert nested_repeats(_parser.parse(r"(?:a|(?:b+c)*)+")) != []
    assert nested_repeats(_parser.parse(r"(?:[.,]\d+)*")) == []


def test_marked_amounts():
    assert money.marked_amounts("[$250] 5 days, 300 - 400 EUR") == [(1, 5), (15, 28)]
    assert [has_mark(text) for text in ("[$250] Fix", "[250] Fix", "$", "5 USD")] == [True, False, False, True]


@pytest.mark.parametrize("module", [money, money_clean, money_marks, money_numbers, money_words])
def test_examples_in_docstrings(module):
    result = doctest.testmod(module)
    assert result.attempted > 0
    assert result.failed == 0


PAGE = (HERE.parents[1] / "docs" / "prices.md").read_text(encoding="utf-8")
LINES = [line for line in PAGE.split("## Bounties")[0].splitlines() if line.startswith("| `")]
ROWS = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in LINES]


def in_words(found):
    if isinstance(found, str):
        return f"`{found}`"
    low, high = (repr(end).removesuffix(".0") for end in (found.low, found.high))
    unit = {"hour": " an hour", "fixed": " fixed", None: ""}[found.unit]
    return f"{low if low == high else f'{low} to {high}'} {found.currency or 'no currency'}{unit}"


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0][:40])
def test_the_page_on_prices_says_what_happens(row):
    texts, outcome = (row[0], row[1]) if len(row) == 2 else (row[1], row[0])
    assert {in_words(read_budget(text)) for text in re.findall(r"`([^`]+)`", texts)} == {outcome}


def test_the_page_on_prices_names_every_reason():
    reasons = set(money.NoBudget.__args__)
    assert reasons == {row[0].strip("`") for row in ROWS if len(row) > 2}

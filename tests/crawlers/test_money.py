"""Budgets in free text: one table of forms, and what none of them may do."""

import doctest

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawlers import money, money_marks, money_numbers, money_words
from crawlers.money import Budget, parse_budget, price_form, read_budget, read_number, unit_of
from crawlers.money_marks import currency_in_name
from crawlers.money_numbers import decimal_evidence, parse_number

STATED = [
    # text, low, high, currency, unit
    ("$1.5K", 1500, 1500, "USD", None),
    ("€ 1.200,50", 1200.5, 1200.5, "EUR", None),
    ("500 - 1,000 USD / hour", 500, 1000, "USD", "hour"),
    ("$500 - $1,000", 500, 1000, "USD", None),
    ("$500-$1,000", 500, 1000, "USD", None),
    ("$30–50", 30, 50, "USD", None),
    ("Est. budget:\n$9,999.99", 9999.99, 9999.99, "USD", None),
    ("Est. Budget: $60", 60, 60, "USD", None),
    ("Hourly: $9.50 - $12.25", 9.5, 12.25, "USD", "hour"),
    ("Hourly: $15", 15, 15, "USD", "hour"),
    ("Fixed-price - Expert ($$$) - Est. Budget: $9,999 - Posted 22 minutes ago", 9999, 9999, "USD", "fixed"),
    ("Fixed-price - Entry level ($) - Est. Budget: $12 - Posted 1 day ago", 12, 12, "USD", "fixed"),
    ("Hourly: $15 - $25, 30 hrs/week", 15, 25, "USD", "hour"),
    ("3 milestones, $900", 900, 900, "USD", None),
    ("$750 for 2 weeks", 750, 750, "USD", None),
    ("Budget: $500 - 10 days", 500, 500, "USD", None),
    ("Need 2 $40 shirts", 40, 40, "USD", None),
    ("v2.5 $300", 300, 300, "USD", None),
    ("budget $300, was $400", 300, 300, "USD", None),
    ("23.0", 23, 23, None, None),
    ("500", 500, 500, None, None),
    ("2023", 2023, 2023, None, None),
    ("1,000", 1000, 1000, None, None),
    ("12,50", 12.5, 12.5, None, None),
    ("1 200 €", 1200, 1200, "EUR", None),
    ("1\u202f200,00 €", 1200, 1200, "EUR", None),
    ("1'200 CHF", 1200, 1200, "CHF", None),
    ("CHF 1’200.50", 1200.5, 1200.5, "CHF", None),
    ("500,- EUR", 500, 500, "EUR", None),
    ("EUR 2.500,-", 2500, 2500, "EUR", None),
    ("EUR 40,-/h", 40, 40, "EUR", "hour"),
    ("12 000,50", 12000.5, 12000.5, None, None),
    ("1.000.000", 1_000_000, 1_000_000, None, None),
    ("1,00,000 INR", 100_000, 100_000, "INR", None),
    ("₹1.5 lakh", 150_000, 150_000, "INR", None),
    ("5-10k", 5000, 10_000, None, None),
    ("$5-10k", 5000, 10_000, "USD", None),
    ("$500-1k", 500, 1000, "USD", None),
    ("$1k-$2k", 1000, 2000, "USD", None),
    ("$1.5M", 1_500_000, 1_500_000, "USD", None),
    ("A$ 1,000", 1000, 1000, "AUD", None),
    ("AU$500", 500, 500, "AUD", None),
    ("CA$30 to CA$40 per hour", 30, 40, "CAD", "hour"),
    ("$40-50 CAD/hr", 40, 50, "CAD", "hour"),
    ("$15 – 25 USD / hour", 15, 25, "USD", "hour"),
    ("NZ$80", 80, 80, "NZD", None),
    ("R$ 500", 500, 500, "BRL", None),
    ("US$ 1,500", 1500, 1500, "USD", None),
    ("USD1500", 1500, 1500, "USD", None),
    ("1500USD", 1500, 1500, "USD", None),
    ("500 dollars", 500, 500, "USD", None),
    ("10 000 Kč", 10_000, 10_000, "CZK", None),
    ("kr 500", 500, 500, None, None),
    ("500 SEK", 500, 500, "SEK", None),
    ("¥5000", 5000, 5000, None, None),
    ("₩1,000,000", 1_000_000, 1_000_000, "KRW", None),
    ("£20ph", 20, 20, "GBP", "hour"),
    ("£20 p/h", 20, 20, "GBP", "hour"),
    ("£250 fixed price", 250, 250, "GBP", "fixed"),
    ("Fixed price - $200", 200, 200, "USD", "fixed"),
    ("200USD/project", 200, 200, "USD", "fixed"),
    ("$20 an hour", 20, 20, "USD", "hour"),
    ("20 €/h", 20, 20, "EUR", "hour"),
    ("$15/hr - $25/hr", 15, 25, "USD", "hour"),
    ("15/hr", 15, 15, None, "hour"),
    ("hourly 20", 20, 20, None, "hour"),
    ("$10.00-$30.00 Hourly", 10, 30, "USD", "hour"),
    ("from $500 to $1000", 500, 1000, "USD", None),
    ("between $500 and $1000", 500, 1000, "USD", None),
    ("€ 500 bis 700", 500, 700, "EUR", None),
    ("500€-700€", 500, 700, "EUR", None),
    ("~ $500", 500, 500, "USD", None),
    ("approx. $500", 500, 500, "USD", None),
    ("$250 USD (Approx. 30 proposals)", 250, 250, "USD", None),
    ("1e5", 100_000, 100_000, None, None),
    ("five hundred dollars", 500, 500, "USD", None),
    ("Twenty-five USD per hour", 25, 25, "USD", "hour"),
    ("two thousand five hundred", 2500, 2500, None, None),
    ("25 € pro Stunde", 25, 25, "EUR", "hour"),
    ("500 € Festpreis", 500, 500, "EUR", "fixed"),
]

NOTHING = [
    ("", "none"),
    ("   ", "none"),
    ("N/A", "none"),
    ("NaN", "none"),
    ("—", "none"),
    ("Free", "none"),
    ("negotiable", "none"),
    ("Fixed price", "none"),
    ("Hourly", "none"),
    ("($$$)", "none"),
    ("Expert ($$$)", "none"),
    ("10-30 hrs/week", "none"),
    ("40 hours", "none"),
    ("2 weeks", "none"),
    ("in 2023", "none"),
    ("one to two hundred dollars", "none"),
    ("two five dollars", "none"),
    ("a few hundred dollars", "none"),
    ("half a million dollars", "none"),
    ("two and a half thousand dollars", "none"),
    ("some hundred dollars", "none"),
    ("Hourly - Intermediate ($$) - Est. Time: More than 3 months, 30+ hrs/week - Posted 1 day ago", "none"),
    ("Hourly - Entry level ($) - Est. Time: 1 to 3 months, 10-30 hrs/week - Posted 9 hours ago", "none"),
    ("$0 spent", "none"),
    ("+1 415 555 0100", "unclear"),
    ("415-555-0100", "unclear"),
    ("2023-01-05", "unclear"),
    ("85%", "unclear"),
    ("$1.500", "unclear"),
    ("€1.500", "unclear"),
    ("1.000", "unclear"),
    ("12.000 €", "unclear"),
    ("$12.34.56", "unclear"),
    ("123 45", "unclear"),
    ("$15 - 30 hrs/week", "unclear"),
    ("$" + "x" * 3000 + " 5", "unclear"),
    ("$500 or $600", "several"),
    ("$200 $300", "several"),
    ("$500 - £700", "several"),
    ("£750 (approx $900)", "several"),
    ("0", "zero"),
    ("$0.00", "zero"),
    ("$0.00 - $10.00", "zero"),
    ("-500", "negative"),
    ("-$500", "negative"),
    ("$-500", "negative"),
    ("inf", "infinite"),
    ("1e400", "infinite"),
    ("$100 - $50", "reversed"),
    ("up to $500", "open"),
    ("less than $500", "open"),
    ("<$500", "open"),
    ("$500+", "open"),
    ("$500 max", "open"),
    ("Payment verified $70k+ spent United States", "open"),
    ("$500/month", "other_unit"),
    ("$0.05 per word", "other_unit"),
    ("$5/article", "other_unit"),
    ("$250 each", "other_unit"),
    ("2 x $50", "other_unit"),
    ("$900 per milestone", "other_unit"),
    ("3 milestones of $900", "other_unit"),
    ("Monthly salary: $5,000", "other_unit"),
]


@pytest.mark.parametrize(("text", "low", "high", "currency", "unit"), STATED)
def test_stated_budgets(text, low, high, currency, unit):
    found = parse_budget(text)
    assert found is not None
    assert (found.low, found.high, found.currency, found.unit) == (
        pytest.approx(low),
        pytest.approx(high),
        currency,
        unit,
    )


@pytest.mark.parametrize(("text", "reason"), NOTHING)
def test_texts_that_state_no_budget(text, reason):
    assert read_budget(text) == reason
    assert parse_budget(text) is None


def test_the_table_is_as_long_as_promised():
    assert len(STATED) + len(NOTHING) >= 130


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


def test_evidence_of_the_decimal_mark():
    assert decimal_evidence(["500", "1.200"]).either_point == "1.200"
    assert decimal_evidence(["1.200", "3,50"]).comma
    assert decimal_evidence(["1.000.000"]).comma
    assert decimal_evidence(["1,000,000"]).point
    shown = decimal_evidence(["12.03.2024"])
    assert (shown.point, shown.comma) == (False, False)


def test_plain_numbers_are_budgets_above_zero_only():
    assert read_number(5.5) == Budget(5.5, 5.5, None, "", None)
    assert [read_number(v) for v in (0.0, -1.0, float("inf"), float("nan"))] == ["zero", "negative", "infinite", "none"]


def test_forms_hide_digits_and_control_characters():
    assert price_form("Est. budget:\n$1,250.00") == "Est. budget: $9,999.99"
    assert price_form("a\x1b[31m5") == "a [99m9"
    assert len(price_form("x" * 500)) == 80


@pytest.mark.parametrize(
    ("name", "currency"), [("Budget (EUR)", "EUR"), ("price_usd", "USD"), ("Amount in £", "GBP"), ("Budget", None)]
)
def test_currency_in_a_columns_name(name, currency):
    assert currency_in_name(name) == currency


def test_units_of_type_columns():
    assert [unit_of(t) for t in ("Hourly", "hour", "fixed_price", "Fixed-price - Expert", "Hourly/Fixed", "none")] == [
        "hour", "hour", "fixed", "fixed", None, None,
    ]  # fmt: skip


@given(st.text(max_size=60))
def test_any_text_gives_a_positive_range_or_nothing(text):
    found = parse_budget(text)
    assert found is None or 0 < found.low <= found.high < float("inf")


@given(st.floats(0.01, 1e7).map(lambda v: round(v, 2)), st.sampled_from(["$", "£", "€"]))
def test_written_amounts_are_read_back(value, sign):
    found = parse_budget(f"{sign}{value:,.2f}")
    assert found is not None
    assert found.low == found.high == pytest.approx(value)


@given(st.integers(1, 10**6), st.integers(1, 10**6))
def test_ranges_keep_their_order(first, second):
    found = read_budget(f"${first:,} - ${second:,}")
    assert found == ("reversed" if first > second else Budget(float(first), float(second), "USD", "$", None))


@pytest.mark.parametrize("module", [money, money_marks, money_numbers, money_words])
def test_examples_in_docstrings(module):
    assert doctest.testmod(module).failed == 0

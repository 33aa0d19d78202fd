"""Salaries as an hourly reference."""

import doctest
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawlers import salaries
from crawlers.salaries import HOURS, UNSTATED_YEAR, currency_at, hourly_from_numbers, hourly_from_text, period_of

YEAR, MONTH = 2080, 2080 / 12
READ = [
    ("$120k - $150k", 120_000 / YEAR, 150_000 / YEAR, "USD"),
    ("€45.000 - €60.000 per year", 45_000 / YEAR, 60_000 / YEAR, "EUR"),
    ("USD 50/hr", 50, 50, "USD"),
    ("120,000", 120_000 / YEAR, 120_000 / YEAR, None),
    ("$40 - $60 /hour", 40, 60, "USD"),
    ("$25-35 hourly", 25, 35, "USD"),
    ("$50 an hour", 50, 50, "USD"),
    ("$100,000 - $120,000 annually", 100_000 / YEAR, 120_000 / YEAR, "USD"),
    ("$90k p.a.", 90_000 / YEAR, 90_000 / YEAR, "USD"),
    ("80.000 € pro Jahr", 80_000 / YEAR, 80_000 / YEAR, "EUR"),
    ("¥6,000,000 per year", 6_000_000 / YEAR, 6_000_000 / YEAR, None),
    ("INR 1,200,000 per annum", 1_200_000 / YEAR, 1_200_000 / YEAR, "INR"),
    ("CHF 120'000", 120_000 / YEAR, 120_000 / YEAR, "CHF"),
    ("A$120,000 per year", 120_000 / YEAR, 120_000 / YEAR, "AUD"),
    ("R$ 8.000 per month", 8_000 / MONTH, 8_000 / MONTH, "BRL"),
    ("4000 EUR monthly", 4_000 / MONTH, 4_000 / MONTH, "EUR"),
    ("$5k/mo", 5_000 / MONTH, 5_000 / MONTH, "USD"),
    ("£400 per day", 50, 50, "GBP"),
    ("1200 EUR/week", 30, 30, "EUR"),
    ("$4,000 bi-weekly", 50, 50, "USD"),
    ("$50/hour, 40 hours/week", 50, 50, "USD"),
    ("80k-100k USD/year + equity", 80_000 / YEAR, 100_000 / YEAR, "USD"),
    ("Salary: $80,000", 80_000 / YEAR, 80_000 / YEAR, "USD"),
    ("Annual salary range: $60,000 - $80,000 USD", 60_000 / YEAR, 80_000 / YEAR, "USD"),
    ("100K-150K", 100_000 / YEAR, 150_000 / YEAR, None),
    ("$10,000", 10_000 / YEAR, 10_000 / YEAR, "USD"),
    ("$1,000,000", 1_000_000 / YEAR, 1_000_000 / YEAR, "USD"),
]
NOT_READ = [
    (None, "none"), ("", "none"), ("Competitive", "none"), ("n/a", "none"), ("Pay per task", "none"),
    ("up to $90k", "open"), ("$130,000+", "open"), ("from €4.000 per month", "open"),
    ("$9,999", "unclear"), ("$1,000,001", "unclear"), ("$40 - $60", "unclear"), ("€45.000 - €60.000", "unclear"),
    ("€1.500 per hour", "unclear"), ("INR 50,000", "unclear"), ("JPY 300,000", "unclear"),
    ("$1000/week or $4000/month", "several"), ("$4,000 monthly or weekly", "several"),
    ("$80,000 for juniors, $120,000 for seniors", "several"),
    ("$120000 - $90000 per year", "reversed"), ("$0", "zero"), ("$20 per article", "other_unit"),
    ("$90k + commission", "open"),
]  # fmt: skip


def test_doctests():
    assert doctest.testmod(salaries).failed == 0


@pytest.mark.parametrize(("text", "low", "high", "currency"), READ)
def test_read(text, low, high, currency):
    price = hourly_from_text(text, kind="posted")
    assert (price.fault, price.type, price.kind, price.currency, price.raw) == (
        None, "hourly", "posted", currency, text,
    )  # fmt: skip
    assert (price.low, price.high) == pytest.approx((low, high))


@pytest.mark.parametrize(("text", "fault"), NOT_READ)
def test_not_read(text, fault):
    price = hourly_from_text(text, kind="posted")
    assert (price.fault, price.low, price.high, price.raw) == (fault, None, None, text or None)


def test_a_project_is_not_an_hour():
    price = hourly_from_text("$2,000 per project", kind="paid")
    assert (price.type, price.kind, price.low) == ("fixed", "paid", 2000)


def test_hours():
    expected = {
        "hour": 1,
        "day": 8,
        "week": 40,
        "fortnight": 80,
        "month": pytest.approx(173.33, abs=0.01),
        "year": 2080,
    }
    assert expected == HOURS
    assert UNSTATED_YEAR == (10_000, 1_000_000)


@pytest.mark.parametrize(
    ("words", "period"),
    [
        ("hour hourly HOUR hr Hours", "hour"),
        ("day daily DAY", "day"),
        ("week weekly WEEK", "week"),
        ("fortnightly biweekly", "fortnight"),
        ("month monthly MONTH", "month"),
        ("year yearly annual annually YEAR", "year"),
        ("piece word project yearling hourlyish", None),
    ],
)
def test_periods(words, period):
    assert [period_of(word) for word in words.split()] == [period] * len(words.split())


@pytest.mark.parametrize("period", HOURS)
@given(low=st.floats(1, 1e7), more=st.floats(0, 1e7))
def test_numbers_are_divided_by_the_hours_of_their_period(period, low, more):
    price = hourly_from_numbers(low, low + more, period=period, kind="posted", currency="EUR")
    assert price.low == low / HOURS[period]
    assert price.high == (low + more) / HOURS[period]
    assert (price.type, price.currency, price.fault) == ("hourly", "EUR", None)
    assert price.raw.endswith(f" EUR a {period}")


def test_numbers_without_a_price():
    def fault(low, high, period="year"):
        return hourly_from_numbers(low, high, period=period, kind="posted", currency="USD").fault

    assert fault(None, None) == "none"
    assert fault(50_000, None) == fault(None, 50_000) == "open"
    assert fault(60_000, 50_000) == "reversed"
    assert fault(-1, 5) == "negative"
    assert fault(0, 5) == "zero"
    assert fault(math.inf, math.inf) == "infinite"
    assert fault(50_000, 60_000, period=None) == "unclear"


def test_numbers_are_shown_in_full():
    price = hourly_from_numbers(1_234_567, 1_234_567, period="year", kind="posted", currency=None)
    assert price.raw == "1234567 a year"
    assert hourly_from_numbers(None, None, period="year", kind="posted", currency="USD").raw is None


@given(st.text(max_size=60))
def test_any_text_gives_a_price_or_a_reason(text):
    price = hourly_from_text(text, kind="posted")
    assert (price.fault is None) == (price.low is not None) == (price.high is not None)
    assert price.low is None or 0 < price.low <= price.high


def test_a_long_text_takes_no_time():
    assert hourly_from_text("$1 " * 1_000_000, kind="posted").fault in ("several", "unclear")
    assert hourly_from_text("per " * 500_000, kind="posted").fault == "none"


def test_currencies():
    given_, read = ("usd", "€", "US$", "kr", "?", "SOL", "<script>x", "U" * 13), ("USD", "EUR", "USD", *[None] * 5)
    found = tuple(currency_at({"c": value}, "c") for value in given_)
    assert found == (*read[:5], "SOL", None, None)
    assert currency_at({"c": 7}, "c") is None

"""Versions -> rows: masked, hashed, in US dollars; every reason why one cannot be used, in the order of imports."""

import json
import math
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from crawling import DAY, T0, posting, price

from crawlers.posting import Posting, to_json
from valuation.collection.rows import Context, Version, read_version, summary_json, version_rows
from valuation.imports.masking import hash_name
from valuation.imports.rates import user_rates
from valuation.imports.reasons import Reason
from valuation.tables import PostingVersions, validate

KEY = b"k" * 32
CONTEXT = Context("acme", KEY, user_rates(None))
JAN_2024 = datetime(2024, 1, 15, tzinfo=UTC)
EUR, GBP = 1.0905136363636365, 1.2699194613588507  # mean of the ECB's daily rates of January 2024, USD per unit


def version(one: Posting, *, number=1, current=True, first=T0, last=T0):
    return Version(f"acme:{one.job_posting_id}", number, one, first, last, 7, current)


def row(one: Posting, **more):
    frame, reasons = version_rows([version(one, **more)], CONTEXT)
    return frame.iloc[0], reasons[0]


def test_a_version_is_a_row_with_everything_in_its_place():
    one = posting(
        "42", skills=("python", "sql"), category="web", job_location="Kyiv", hiring_organization=" Acme Ltd ",
        published=JAN_2024, paid=price(100.0, 400.0, type_="hourly", kind="awarded", raw="$100-400"),
        date_quality="derived",
    )  # fmt: skip
    found, reason = row(one, number=3, current=False, last=T0 + DAY)
    assert reason is None
    expected = {
        "posting_id": "acme:42", "source": "acme", "url": "https://example.org/p/42", "title": "Fix the login",
        "description": "It fails.", "skills": "python, sql", "posted_at": JAN_2024, "date_quality": "derived",
        "month": "2024-01", "crawled_at": T0, "price_type": "hourly", "price_kind": "awarded", "price_low": 100.0,
        "price_high": 400.0, "currency": "USD", "price_usd": 200.0, "rate_source": "none", "category": "web",
        "country": "Kyiv", "client_id": hash_name(KEY, "Acme Ltd"), "price_raw": "$100-400", "version": 3,
        "last_seen_at": T0 + DAY, "current": False,
    }  # fmt: skip
    assert found.to_dict() == expected


def test_rows_obey_the_schema_and_come_in_order():
    versions = [version(posting(str(n), skills=()), number=n) for n in range(1, 6)]
    frame, reasons = version_rows(versions, CONTEXT)
    validate(frame, PostingVersions, where="test")
    assert frame["posting_id"].tolist() == [f"acme:{n}" for n in range(1, 6)]
    assert reasons.tolist() == [None] * 5


@pytest.mark.parametrize(
    ("currency", "low", "high", "usd", "source"),
    [
        ("EUR", 100.0, 100.0, 100 * EUR, "ecb_month_average"), ("eur", 100.0, 400.0, 200 * EUR, "ecb_month_average"),
        ("GBP", 50.0, 50.0, 50 * GBP, "ecb_month_average"), ("USD", 7.0, 7.0, 7.0, "none"),
    ],
)  # fmt: skip
def test_dollars_at_the_months_mean_rate_and_the_ranges_geometric_mean(currency, low, high, usd, source):
    found, reason = row(posting(published=JAN_2024, paid=price(low, high, currency=currency)))
    assert reason is None
    assert found["price_usd"] == pytest.approx(usd, rel=1e-12)
    assert (found["price_low"], found["price_high"], found["rate_source"]) == (low, high, source)
    assert found["currency"] == currency.upper()


def test_the_month_is_that_of_the_posting_in_utc_not_of_the_crawl():
    edge = datetime(2024, 1, 31, 23, 59, 59, 999999, tzinfo=UTC)
    assert row(posting(published=edge))[0]["month"] == "2024-01"
    assert row(posting(published=edge + timedelta(microseconds=1)))[0]["month"] == "2024-02"


def test_a_rate_of_the_users_own_fills_in(tmp_path):
    path = tmp_path / "rates.csv"
    path.write_text("month,currency,usd_per_unit\n2024-01,UAH,0.026\n2024-01,EUR,99\n")
    context = Context("acme", KEY, user_rates(path))
    versions = [
        version(posting(str(n), published=JAN_2024, paid=price(1000.0, currency=c)))
        for n, c in enumerate(("UAH", "EUR"))
    ]
    frame, reasons = version_rows(versions, context)
    assert reasons.tolist() == [None, None]
    assert frame["price_usd"].tolist() == pytest.approx([26.0, 1000 * EUR])
    assert frame["rate_source"].tolist() == ["user", "ecb_month_average"]


def test_people_and_secrets_are_masked_in_every_text():
    secret = "ada.l@example.org +44 20 7946 0958 ghp_abcdefghijklmnopqrstuvwx"
    one = posting(
        title=secret, text=secret, skills=(secret,), category=secret, job_location=secret,
        hiring_organization="Ada Ltd",
        url="https://example.org/?mail=ada.l@example.org", paid=price(raw=f"$250 {secret}"), date_published_raw=secret,
    )  # fmt: skip
    found, _ = row(one)
    shown = json.dumps(found.astype(str).to_dict()) + summary_json(version(one))
    for hidden in ("ada.l", "7946", "ghp_abc", "Ada Ltd"):
        assert hidden not in shown
    assert found["title"] == "[email] [phone] [key]"
    assert found["client_id"] == hash_name(KEY, "Ada Ltd") != hash_name(b"x" * 32, "Ada Ltd")


def test_what_is_not_there_is_missing():
    one = posting(text=None, url=None, hiring_organization="  ", paid=price(raw=None))
    found, reason = row(one)
    assert reason is None
    for name in ("url", "description", "category", "country", "client_id", "price_raw"):
        assert found.isna()[name], name


BAD = [
    (posting(title=None, text=None), Reason.NO_TEXT),
    (posting(published=None), Reason.NO_DATE),
    (posting(published=None, date_published_raw="soon"), Reason.BAD_DATE),
    (posting(published=datetime(1994, 12, 31, tzinfo=UTC)), Reason.BAD_DATE),
    (posting(published=datetime(1, 1, 1, tzinfo=UTC)), Reason.BAD_DATE),
    (posting(published=T0 + DAY + timedelta(microseconds=1)), Reason.FUTURE_DATE),
    (posting(published=datetime(9999, 12, 31, tzinfo=UTC)), Reason.FUTURE_DATE),
    (posting(paid=price(fault="none")), Reason.NO_PRICE),
    (posting(paid=price(fault="unclear")), Reason.UNPARSED_PRICE),
    (posting(paid=price(fault="several")), Reason.SEVERAL_PRICES),
    (posting(paid=price(fault="zero")), Reason.ZERO_PRICE),
    (posting(paid=price(fault="negative")), Reason.NEGATIVE_PRICE),
    (posting(paid=price(fault="infinite")), Reason.INFINITE_PRICE),
    (posting(paid=price(fault="reversed")), Reason.MIN_ABOVE_MAX),
    (posting(paid=price(fault="open")), Reason.OPEN_RANGE),
    (posting(paid=price(fault="other_unit")), Reason.OTHER_UNIT),
    (posting(paid=price(type_=None)), Reason.NO_PRICE_TYPE),
    (posting(paid=price(currency=None)), Reason.NO_CURRENCY),
    (posting(paid=price(currency="$€")), Reason.BAD_CURRENCY),
    (posting(paid=price(currency="A" * 11)), Reason.BAD_CURRENCY),
    (posting(paid=price(currency="XYZ")), Reason.NO_RATE),
    (posting(published=JAN_2024, paid=price(1.7e308, currency="GBP")), Reason.INFINITE_PRICE),
]


@pytest.mark.parametrize(("one", "reason"), BAD, ids=[f"{n}-{reason}" for n, (_, reason) in enumerate(BAD)])
def test_every_reason(one, reason):
    assert row(one)[1] == reason


def test_the_first_reason_is_the_one_that_is_told():
    worst = posting(title=None, text=None, published=None, paid=price(fault="none"))
    assert row(worst)[1] == Reason.NO_TEXT
    assert row(posting(published=None, paid=price(fault="none")))[1] == Reason.NO_DATE
    assert row(posting(paid=price(fault="open", type_=None, currency=None)))[1] == Reason.OPEN_RANGE
    assert row(posting(paid=price(type_=None, currency=None)))[1] == Reason.NO_PRICE_TYPE


def test_the_edges_of_dates_are_usable():
    assert row(posting(published=T0 + DAY))[1] is None
    assert row(posting(published=datetime(1995, 1, 1, tzinfo=UTC)))[1] is None
    assert row(posting(title=None, text=None, skills=("python",)))[1] is None


def test_one_bad_version_changes_nothing_of_its_neighbours():
    good = posting("g")
    alone, _ = version_rows([version(good)], CONTEXT)
    for bad, reason in BAD:
        frame, reasons = version_rows([version(bad), version(good)], CONTEXT)
        assert reasons.tolist() == [reason, None]
        assert frame.iloc[1].to_dict() == alone.iloc[0].to_dict()


def test_no_versions_are_no_rows():
    frame, reasons = version_rows([], CONTEXT)
    assert (len(frame), len(reasons)) == (0, 0)


def test_a_stored_version_comes_back():
    one = posting("42", paid=price(5.0))
    found = read_version(("acme:42", 2, to_json(one), T0.isoformat(), (T0 + DAY).isoformat(), 9, 1))
    assert found == Version("acme:42", 2, one, T0, T0 + DAY, 9, True)


def test_a_summary_is_short_and_says_where():
    one = posting("42", title="x" * 999, date_published_raw="raw date", paid=price(raw="$5"))
    shown = json.loads(summary_json(version(one)))
    assert shown == {
        "id": "acme:42", "url": "https://example.org/p/42", "title": "x" * 300, "posted": "raw date", "price": "$5"
    }  # fmt: skip


@pytest.mark.parametrize("low", [5e-324, 1e-300, 1e300])
def test_extreme_prices_neither_vanish_nor_become_infinite(low):
    found, reason = row(posting(paid=price(low, low)))
    assert reason is None
    assert found["price_usd"] == low and math.isfinite(found["price_usd"])
    assert np.isfinite(row(posting(paid=price(1e200, 1e200 * 4)))[0]["price_usd"])

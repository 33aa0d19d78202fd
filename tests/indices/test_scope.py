import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from indices.scope import NAMES, scope, without_money


def stated(text):
    """Amounts by unit that one text states."""
    row = scope([text])[0]
    return {
        name.removesuffix("_stated"): round(float(np.expm1(row[at + 1])), 6)
        for at, name in enumerate(NAMES)
        if name.endswith("_stated") and row[at]
    }


@pytest.mark.parametrize(
    ("text", "amounts"),
    [
        ("Convert a 9-page brochure", {"pages": 9}),
        ("Write 12 blog posts", {"pieces": 12}),
        ("Ghostwriter (30K Words)", {"words": 30_000}),
        ("1,500 words in 2 days", {"words": 1500, "days": 2}),
        ("8 minutes of film, 1.5 hours of sound", {"minutes": 8, "hours": 1.5}),
        ("12 pages, then 40 pages, then 3 pages", {"pages": 40}),
        ("About 20+ products", {"pieces": 20}),
        ("Scrape 5000 records from 3 websites", {"records": 5000, "platforms": 3}),
        ("A team of 4 developers for 6 months", {"people": 4, "weeks": 6}),
        ("Fix a bug", {}),
        ("Version 2.0 of HTML5", {}),
        ("ticket-12 pages", {"pages": 12}),
        ("v12 pages and x.7 pages", {}),
        ("99999999 rows", {}),
        ("1000000 rows", {"records": 1_000_000}),
        ("", {}),
    ],
)
def test_amounts_of_work(text, amounts):
    assert stated(text) == amounts


@pytest.mark.parametrize(
    "text",
    [
        "$500 pages", "500$ pages", "€40k words", "300 USD", "USD 300 pages", "[$3000 DAI] words", "£ 20 - £30 pages",
        "40-60 dollars", "1,200.50 eur", "100 to 150 GBP", "50 bucks",
    ],
)  # fmt: skip
def test_money_is_no_amount_of_work(text):
    assert not stated(text)
    assert not any(sign.isdigit() for sign in without_money(text))


@pytest.mark.parametrize("text", ["30 days", "2 euphoric pages", "10 rsync files", "12 usdish pages", "3 to 5 pages"])
def test_what_is_no_money_stays(text):
    assert without_money(text) == text


def test_numbers_in_addresses_are_not_counted():
    assert stated("see https://example.com/12 pages and www.example.com/a/30 words") == {}


def test_the_price_named_does_not_move_any_measure():
    priced = [f"Budget is ${amount}. Translate 7 pages for {amount} USD" for amount in (5, 50, 5_000, 50_000)]
    assert np.array_equal(scope(priced), np.tile(scope(priced[:1]), (4, 1)))


def test_a_presence_and_the_log_of_one_plus_the_amount():
    row = dict(zip(NAMES, scope(["3 pages"])[0], strict=True))
    assert (row["pages_stated"], row["pages_log_amount"]) == (1.0, pytest.approx(np.log(4)))
    assert sum(row.values()) == pytest.approx(1 + np.log(4))


def test_length_alone_says_nothing():
    assert not scope(["build a site " * 500]).any()


@given(st.lists(st.text(max_size=80), max_size=5))
def test_a_text_in_company_gets_the_same_figures(texts):
    alone = [scope([text]) for text in texts]
    assert np.array_equal(scope(texts), np.vstack([np.zeros((0, len(NAMES))), *alone]))
    assert np.isfinite(scope(texts)).all()


@pytest.mark.parametrize("hostile", ["1," * 20_000, "1" * 40_000, "1,111" * 10_000, "$" * 40_000, "9 a " * 10_000])
def test_a_hostile_text_is_read_in_time(hostile):
    began = time.perf_counter()
    scope([hostile])
    assert time.perf_counter() - began < 2.0  # noqa: PLR2004 - seconds; a search that backtracks takes hours

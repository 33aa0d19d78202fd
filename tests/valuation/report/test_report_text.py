"""Untrusted text: what is kept of it, and which addresses become links."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from make_tables import HOSTILE, HOSTILE_URLS

from valuation.report.provenance import styled
from valuation.report.text import clean, excerpt, safe_url


def test_hidden_characters_go_and_words_stay():
    assert clean(HOSTILE[2]) == "invoice gnp.exe zerowidth [31m bell tag"
    assert clean("line\nbreak\u2028and\ttab") == "line break and tab"
    assert clean("Zürich 東京 naïve 5 €") == "Zürich 東京 naïve 5 €"
    assert clean(None) == clean(float("nan")) == ""
    assert clean("e" + "\u0301" * 50) == "e" + "\u0301" * 3


@given(st.text())
def test_cleaning_twice_changes_nothing(text):
    once = clean(text)
    assert clean(once) == once


@given(st.text(max_size=300), st.integers(2, 60))
def test_an_excerpt_is_never_longer_than_asked(text, length):
    assert len(excerpt(text, length)) <= length


def test_an_excerpt_ends_at_a_word_and_a_megabyte_costs_nothing():
    assert excerpt("one two three four", 16) == "one two three…"
    assert len(excerpt("x" * 1_000_000, 50)) == 50


def test_only_plain_web_addresses_are_links():
    assert [url for url in HOSTILE_URLS if safe_url(url)] == [
        'https://ok.example/a?b="onmouseover=alert(1)',
        "HTTPS://ok.example/fine",
    ]
    assert safe_url(None) == safe_url("") == safe_url("https://[bad") == safe_url("http:///x") == ""


@pytest.mark.parametrize(
    ("number", "style", "expected"),
    [
        (0.2709, "growth", "+27.1\u00a0%"),
        (-0.2709, "growth", "\u221227.1\u00a0%"),
        (-0.0001, "growth", "0.0\u00a0%"),
        (1234.5, "usd", "$1,234"),
        (7.1, "usd", "$7.10"),
        (0.9, "level", "90\u00a0%"),
        (9.06, "factor", "×9.06"),
        (-0.0004, "log", "0.000"),
        (5660, "count", "5,660"),
    ],
)
def test_numbers_are_written_in_one_way(number, style, expected):
    assert styled(number, style) == expected

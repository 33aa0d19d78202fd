"""Fields of what servers send: a value of another type is missing, a page of another shape is a fault."""

import doctest
import json
import math
import sqlite3

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawlers import fields
from crawlers.fields import (
    LONGEST_TEXT,
    RecordFault,
    ShapeFault,
    describe,
    identifier,
    listing,
    mapping,
    names,
    number,
    records_of,
    text,
    web_url,
    whole,
)  # fmt: skip

ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(alphabet=st.characters()),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)
WRONG = [None, True, False, 7, 1.5, [], ["x"], {}, {"a": 1}]


def test_the_examples_in_the_module_hold():
    assert doctest.testmod(fields).failed == 0


@pytest.mark.parametrize("value", WRONG)
def test_text_of_another_type_is_missing(value):
    assert text({"a": value}, "a") is None
    assert text({}, "a") is None


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("  x \n", "x"),
        ("", None),
        (" \t", None),
        ("a\x00b\x1bc\x7fd", "abcd"),
        ("line\nbreak\ttab", "line\nbreak\ttab"),
        ("lone \ud83d surrogate \udc00", "lone  surrogate"),
        ("\ud800", None),
        ("emoji \U0001f48e stays", "emoji \U0001f48e stays"),
    ],
)
def test_text_is_cleaned_of_what_no_file_can_hold(value, expected):
    assert text({"a": value}, "a") == expected


def test_a_text_without_end_is_cut():
    assert len(text({"a": "x" * (LONGEST_TEXT + 5)}, "a")) == LONGEST_TEXT


@given(st.text(alphabet=st.characters()))
def test_every_text_can_be_stored(value):
    found = text({"a": value}, "a")
    if found is not None:
        assert found.encode("utf-8").decode("utf-8") == found
        assert sqlite3.connect(":memory:").execute("SELECT ?", (found,)).fetchone() == (found,)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (5, "5"),
        (-5, "-5"),
        (0, "0"),
        (10**20, "1" + "0" * 20),
        (" abc ", "abc"),
        ("0012", "0012"),
        ("x" * 500, "x" * 500),
    ],
)
def test_an_id_is_a_number_or_a_short_text(value, expected):
    assert identifier({"id": value}, "id") == expected


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "nothing"), (True, "a boolean"), (1.5, "a number"), ("", "a string"), (" \x00", "a string"),
        ("x" * 501, "a string"), ([1], "a list of 1"), ({}, "an empty object"), ({"b": 1}, "an object with keys b"),
    ],
)  # fmt: skip
def test_anything_else_is_no_id_and_the_message_says_what_is_there(value, shown):
    with pytest.raises(RecordFault, match=f"^no id at 'id': {shown}$"):
        identifier({"id": value}, "id")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (5, 5.0), (0, 0.0), (-3.5, -3.5), ("5", 5.0), ("1,250.50", 1250.5), ("1.250,50", 1250.5), (" -7 ", -7.0),
        ("-0.5", -0.5), (True, None), (False, None), (None, None), ("", None), ("x", None), ("5 USD", None),
        ("1.200", None), ("1e5", None), ("--5", None), ("NaN", None), ("9" * 41, None), (float("nan"), None),
        (float("inf"), None), (-float("inf"), None), (10**400, None), (-(10**400), None), ([5], None), ({"a": 5}, None),
    ],
)  # fmt: skip
def test_numbers(value, expected):
    assert number({"a": value}, "a") == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0, 0),
        (12, 12),
        (12.0, 12),
        ("12", 12),
        (-1, None),
        (1.5, None),
        (2**53, None),
        (2**53 - 1, 2**53 - 1),
        (True, None),
    ],
)
def test_counts(value, expected):
    found = whole({"a": value}, "a")
    assert (found, type(found)) == (expected, type(expected))


def test_objects_and_lists_of_another_type_are_empty():
    for value in (None, 5, "x", [1]):
        assert mapping({"a": value}, "a") == {}
    for value in (None, 5, "x", {"b": 1}):
        assert listing({"a": value}, "a") == []
    assert (mapping({"a": {"b": 1}}, "a"), listing({"a": [1]}, "a")) == ({"b": 1}, [1])


def test_names_are_distinct_in_order_and_bounded():
    assert names({"a": ["x", {"name": "y"}, "x", 5, None, {"name": 5}, {"other": "z"}, " ", ["q"]]}, "a") == ("x", "y")
    assert names({"a": [{"title": "t"}]}, "a", "title") == ("t",)
    assert len(names({"a": [str(n) for n in range(500)]}, "a")) == 100
    assert names({"a": ["x" * 999]}, "a") == ("x" * 200,)
    assert names({"a": "python"}, "a") == ()


@pytest.mark.parametrize(
    ("data", "path", "message"),
    [
        ([], ("a",), r"^\$: expected an object with the key 'a', got a list of 0$"),
        ({"b": 1}, ("a",), r"^\$: expected an object with the key 'a', got an object with keys b$"),
        ({"a": {"c": []}}, ("a", "b"), r"^\$\.a: expected an object with the key 'b', got an object with keys c$"),
        ({"a": {"b": {}}}, ("a", "b"), r"^\$\.a\.b: expected a list, got an empty object$"),
        ({"a": None}, ("a",), r"^\$\.a: expected a list, got nothing$"),
        ({"a": "x"}, ("a",), r"^\$\.a: expected a list, got a string$"),
        (True, (), r"^\$: expected a list, got a boolean$"),
    ],
)
def test_a_page_of_another_shape_is_a_fault_that_says_where(data, path, message):
    with pytest.raises(ShapeFault, match=message):
        records_of(data, *path)


def test_the_list_at_a_path_comes_as_it_is():
    assert records_of([1, "x"]) == [1, "x"]
    assert records_of({"a": {"b": [None]}}, "a", "b") == [None]


def test_a_description_holds_no_content_and_stays_short():
    page = {"password=hunter2" * 20 + "\x1b[31m": "secret", **{f"k{n}": n for n in range(100)}}
    shown = describe(page)
    assert "secret" not in shown and "\x1b" not in shown
    assert len(shown) < 600


@given(ANY_JSON)
def test_no_json_value_breaks_a_reader(value):
    record = {"a": value}
    assert isinstance(describe(value), str)
    for read in (text, number, whole, mapping, listing, names):
        read(record, "a")
    web_url(value, "https://example.org/")
    found = number(record, "a")
    assert found is None or math.isfinite(found)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("https://example.org/p", "https://example.org/p"), ("/p/1", "https://base.org/p/1"),
        ("p/1", "https://base.org/dir/p/1"), ("../p", "https://base.org/p"), ("?q=1", "https://base.org/dir/x?q=1"),
        ("//other.org/p", "https://other.org/p"), (" https://example.org/p ", "https://example.org/p"),
        ("HTTPS://Example.org/p", "https://Example.org/p"), ("http://[::1]:80/x", "http://[::1]:80/x"),
        ("https://example.org:8080/", "https://example.org:8080/"),
    ],
)  # fmt: skip
def test_urls_are_made_absolute(value, expected):
    assert web_url(value, "https://base.org/dir/x") == expected


@pytest.mark.parametrize(
    "value",
    [
        None, 5, [], "", "  ", "javascript:alert(1)", "JaVaScRiPt:alert(1)", "java\nscript:alert(1)",
        "\x01javascript:alert(1)", " javascript:alert(1)", "data:text/html,<script>", "file:///etc/passwd",
        "ftp://a.org/x",
        "mailto:a@b.org", "vbscript:x", "http://", "http://user@a.org/", "http://user:pw@a.org/",
        "http://a.org:99999/", "http://a.org:x/", "http://[::1", "https://a.org/a b", "https://a.org/" + "x" * 2000,
    ],
)  # fmt: skip
def test_what_is_no_web_address_gives_none(value):
    assert web_url(value, "https://base.org/") is None


@given(st.text(alphabet=st.characters()))
def test_a_url_is_http_and_has_no_blanks_or_surrogates(value):
    found = web_url(value, "https://base.org/")
    if found is not None:
        assert found.lower().startswith(("http://", "https://"))
        assert not any(char.isspace() for char in found)
        json.dumps(found, ensure_ascii=False).encode()

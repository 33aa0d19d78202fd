"""Shapes of answers: keys and where they are, bounded whatever the answer holds."""

import doctest
import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawlers import shapes
from crawlers.shapes import MOST_PATHS, common, missing, shape_of


def of(value):
    return shape_of(json.dumps(value).encode())


def test_the_examples_in_the_module_hold():
    assert doctest.testmod(shapes).failed == 0


def test_a_shape_is_keys_and_places_not_values():
    assert of({"a": 1, "b": {"c": [{"d": 2}, {"e": 3}]}}) >= {"$.a", "$.b", "$.b.c", "$.b.c[].d", "$.b.c[].e"}
    assert of({"a": 1}) == of({"a": "something else"}) == of({"a": None})
    assert of([{"a": 1}]) >= {"$[].a"}
    assert of([1, 2]) == of([5])


def test_numbers_in_keys_are_one_key():
    assert of({"p12": 1}) == of({"p13": 1, "p14": 2}) == {"$.p0"}


@pytest.mark.parametrize(
    "body", [b"", b"plain", b"{truncated", b'{"a": ', b"\xff\xfe\x00", b"<html><p>x</p></html>", b"[" * 9999]
)
def test_anything_else_has_no_shape(body):
    assert shape_of(body) == frozenset()


def test_json_ld_in_a_page_has_one():
    page = b'<html><SCRIPT type="application/ld+json">{"@type": "JobPosting", "baseSalary": {"value": 1}}</script>'
    page += b'<script type="application/ld+json">broken {</script>'
    assert shape_of(page) == {"$.@type", "$.baseSalary", "$.baseSalary.value"}


def test_a_page_built_to_be_slow_is_not():
    began = time.process_time()
    shape_of(b"<script application/ld+json" * 40_000)
    shape_of(b'<script type="application/ld+json">{' * 20_000)
    assert time.process_time() - began < 3


def test_a_shape_stays_small():
    assert len(of({f"key{'x' * n}": n for n in range(3 * MOST_PATHS)})) <= MOST_PATHS + 1
    assert max(map(len, of({"x" * 9999: 1}))) < 100
    deep = {}
    for _ in range(50):
        deep = {"a": deep}
    assert len(of(deep)) == 7


def test_what_shapes_have_in_common():
    assert common([of({"a": 1, "b": 2}), of({"b": 1, "c": 2})]) == {"$.b"}
    assert common([of({"a": 1}), frozenset()]) == {"$.a"}  # a page without a shape is no evidence
    assert common([]) == common([frozenset()]) == frozenset()


def test_a_page_whose_list_is_empty_says_nothing_of_its_items():
    full, empty = of({"jobs": [{"id": 1, "pay": 2}], "n": 1}), of({"jobs": [], "n": 0})
    assert common([full, empty]) == common([empty, full, empty]) == full
    assert common([full, empty, of({"jobs": [{"id": 1}], "n": 1})]) == {"$.jobs", "$.jobs[].id", "$.n"}
    assert common([full, of({"jobs": []})]) == {"$.jobs"}  # it lacks more than items
    assert common([empty, of({"n": 0})]) == {"$.n"}


def test_the_highest_missing_path_is_named():
    usual = of({"jobs": [{"id": 1, "pay": {"min": 1}}], "total": 3})
    assert missing(of({"jobs": [{"id": 1}], "total": 3}), usual) == ["$.jobs[].pay"]
    assert missing(of({"items": []}), usual) == ["$.jobs", "$.total"]
    assert missing(usual, usual) == []
    assert missing(of({"jobs": [{"id": 1, "pay": {"max": 1}}], "total": 1}), usual) == ["$.jobs[].pay.min"]


def test_a_key_is_no_part_of_a_longer_key():
    assert missing(of({"x": 1}), of({"x": 1, "pay": 1, "payment": 2})) == ["$.pay", "$.payment"]


values = st.recursive(
    st.none() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=15,
)


@given(values, values)
def test_nothing_is_missing_from_itself_and_what_is_common_is_in_both(a, b):
    one, other = of(a), of(b)
    assert missing(one, one) == []
    if one and other:
        assert common([one, other]) == common([other, one]) >= one & other
        assert common([one, other]) in (one & other, one, other)

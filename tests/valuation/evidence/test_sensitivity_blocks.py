"""Parts of a basket: which postings they keep, and that their neighbours are those of a search of the part."""

import numpy as np
import pandas as pd
import pytest

from indices.neighbours import NeighbourIndex, build
from valuation.errors import ThinMatchError
from valuation.evidence.specification_blocks import narrowed, posting_filter
from valuation.evidence.specifications import Block

LABELS = {"fingerprint": "f", "label": "none"}


@pytest.fixture(scope="module")
def basket(tmp_path_factory):
    """An index of 80 vectors, and 30 queries."""
    rng = np.random.default_rng(3)
    vectors, queries = (rng.normal(size=(n, 6)) for n in (80, 30))
    vectors, queries = (rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in (vectors, queries))
    folder = tmp_path_factory.mktemp("index")
    vectors = vectors.astype(np.float32)
    build(vectors, [f"p{i:03}" for i in range(80)], folder=folder, **LABELS)
    return NeighbourIndex.open(folder, **LABELS), queries


@pytest.mark.parametrize("share", [0.95, 0.5, 0.12])  # nothing, some and all have to be searched again
@pytest.mark.parametrize("width", [1, 7, 60])
def test_neighbours_in_a_part_are_those_of_a_search_of_the_part(basket, share, width):
    index, queries = basket
    keep = np.random.default_rng(int(100 * share)).random(80) < share
    inside = np.flatnonzero(keep)
    place = np.full(80, -1)
    place[inside] = np.arange(inside.size)
    part = index.subset(inside)
    wide = index.search(queries.astype(np.float32), min(2 * width, 80))
    before = wide.similarity.copy(), wide.row.copy()
    found = narrowed(wide, place, part, queries, width)
    expected = part.search(queries.astype(np.float32), min(width, inside.size))
    np.testing.assert_array_equal(found.row, expected.row)
    np.testing.assert_array_equal(found.similarity, expected.similarity)
    np.testing.assert_array_equal(wide.similarity, before[0])
    np.testing.assert_array_equal(wide.row, before[1])


def rows_and_postings():
    rows = pd.DataFrame(
        {"posting_id": ["a", "b", "c", "d"], "source": ["x", "y", "y", "x"], "log_price": [1.0, 2.0, 3.0, 9.0]}
    )
    postings = pd.DataFrame(
        {
            "posting_id": ["d", "c", "b", "a", "other"],
            "posted_at": pd.to_datetime(["2025-04-01", "2025-01-01", "2025-03-01", "2025-02-01", "2020-01-01"]),
            "description": ["w" * 300, "w" * 299, None, f"  {'w' * 299}  ", "w" * 400],
        }
    )
    return rows, postings


@pytest.mark.parametrize(
    ("basket", "truncation", "kept"),
    [
        ("all", 0.0, "abcd"),
        ("without x", 0.0, "bc"),
        ("without y", 0.0, "ad"),
        ("first_half", 0.0, "ac"),
        ("last_half", 0.0, "bd"),
        ("full_text", 0.0, "d"),
        ("all", 0.1, "bc"),
        ("all", 0.001, "bc"),  # quantiles lie inside the ends
    ],
)
def test_a_part_keeps_the_postings_it_names(basket, truncation, kept):
    rows, postings = rows_and_postings()
    found = posting_filter(rows, postings, Block("e", "none", basket, truncation))
    assert "".join(rows["posting_id"].iloc[found]) == kept


def test_a_part_without_postings_says_so():
    rows, postings = rows_and_postings()
    with pytest.raises(ThinMatchError, match="no posting is left in the basket without x"):
        posting_filter(rows[rows["source"] == "x"], postings, Block("e", "none", "without x", 0.0))


def test_an_unknown_part_is_refused():
    rows, postings = rows_and_postings()
    with pytest.raises(ValueError, match="unknown part of the basket: halves"):
        posting_filter(rows, postings, Block("e", "none", "halves", 0.0))

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from indices.batching import batches, by_size, cut


@given(st.lists(st.integers(0, 2000), max_size=30), st.integers(1, 300))
def test_pieces_cover_every_token_once_in_order(n_tokens, limit):
    pieces = cut(np.array(n_tokens, dtype=np.int64), limit=limit)
    for text, n in enumerate(n_tokens):
        mine = pieces.owner == text
        covered = [
            token
            for start, length in zip(pieces.start[mine], pieces.length[mine], strict=True)
            for token in range(start, start + length)
        ]
        assert covered == list(range(n))
        assert mine.sum() == max(1, -(-n // limit))
        assert pieces.length[mine].max() <= limit
        assert np.ptp(pieces.length[mine]) <= 1


@given(st.lists(st.integers(1, 600), max_size=200), st.integers(256, 4096))
def test_batches_hold_every_row_once_within_the_budget(lengths, budget):
    array = np.array(lengths, dtype=np.int64)
    found = list(batches(array, budget=budget))
    assert sorted(np.concatenate(found).tolist() if found else []) == list(range(len(lengths)))
    for rows in found:
        assert rows.size == 1 or rows.size * array[rows].max() <= budget
    longest = [array[rows].max() for rows in found]
    assert longest == sorted(longest, reverse=True)


def test_batches_hardly_pad():
    lengths = np.random.default_rng(0).lognormal(4, 0.8, 5000).astype(np.int64).clip(3, 256)
    padded = sum(rows.size * lengths[rows].max() for rows in batches(lengths, budget=8192))
    assert padded / lengths.sum() < 1.04


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        ([], []),
        ([5], [(0, 1)]),
        ([3, 3, 3], [(0, 3)]),
        ([6, 6, 6], [(0, 1), (1, 2), (2, 3)]),
        ([20, 1, 1], [(0, 1), (1, 3)]),
    ],
)
def test_slices_by_size(sizes, expected):
    found = [(part.start, part.stop) for part in by_size(["x" * size for size in sizes], characters=10)]
    assert found == expected

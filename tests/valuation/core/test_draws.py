"""Draws: published vectors, moments, independence, and that order, chunks and threads do not matter."""

from hashlib import blake2b

import numba
import numpy as np
import pytest
from scipy.sparse import csr_array

from valuation.compiling import compiled
from valuation.core import draws

KEYS = draws.unit_key([f"posting:{number}" for number in range(2000)])


@pytest.mark.parametrize(
    ("counter", "key", "expected"),
    [  # Random123's tests/kat_vectors, rows "philox4x32 10"
        ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
        ((0xFFFFFFFF,) * 4, (0xFFFFFFFF,) * 2, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
        (
            (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
            (0xA4093822, 0x299F31D0),
            (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
        ),
    ],
)
def test_philox_gives_the_published_words(counter, key, expected):
    words = [np.uint64(word) for word in (*counter, *key)]
    assert tuple(int(word) for word in draws._philox(*words)) == expected


def test_a_draw_is_made_from_its_own_counter():
    """Redone by hand for one id, replicate, stream and seed."""
    key, seed = draws.unit_key(["posting:7"])[0], 2**40 + 5
    words = [int(key) & 0xFFFFFFFF, int(key) >> 32, 3, draws.USERS, seed & 0xFFFFFFFF, seed >> 32]
    w0, w1, w2, w3 = (int(word) for word in draws._philox(*[np.uint64(word) for word in words]))
    drawn = draws.exponentials(np.array([key]), seed=seed, stream=draws.USERS, first=6, count=2)[:, 0]
    expected = [-np.log((((high << 32 | low) >> 12) + 0.5) / 2**52) for low, high in ((w0, w1), (w2, w3))]
    np.testing.assert_allclose(drawn, expected, rtol=1e-14)


def test_keys_are_blake2b_of_the_id():
    expected = [int.from_bytes(blake2b(name.encode(), digest_size=8).digest(), "little") for name in ("a", "müller")]
    assert draws.unit_key(["a", "müller"]).tolist() == expected
    assert draws.unit_key([]).shape == (0,)


def test_exponentials_have_their_moments():
    drawn = draws.exponentials(KEYS, seed=1, stream=draws.POSTINGS, first=0, count=500)
    assert drawn.min() > 0
    error = 1 / np.sqrt(drawn.size)
    assert abs(drawn.mean() - 1) < 4 * error
    assert abs(drawn.var() - 1) < 4 * error * np.sqrt(8)  # fourth central moment 9, less 1
    assert abs((drawn > 3).mean() - np.exp(-3)) < 4 * error * np.sqrt(np.exp(-3))
    assert abs((drawn < 0.01).mean() - (1 - np.exp(-0.01))) < 4 * error * 0.1


@pytest.mark.parametrize("other", ["stream", "seed", "replicate", "id"])
def test_draws_that_differ_in_one_word_are_uncorrelated(other):
    def draw(*, keys=KEYS, seed=1, stream=draws.POSTINGS, first=0):
        return draws.exponentials(keys, seed=seed, stream=stream, first=first, count=200)

    changed = {
        "stream": lambda: draw(stream=draws.USERS),
        "seed": lambda: draw(seed=2),
        "replicate": lambda: draw(first=1),
        "id": lambda: draw(keys=KEYS + np.uint64(1)),
    }[other]()
    correlation = np.corrcoef(draw().ravel(), changed.ravel())[0, 1]
    assert abs(correlation) < 4 / np.sqrt(changed.size)


def test_draws_do_not_depend_on_chunks_or_order():
    whole = draws.exponentials(KEYS, seed=9, stream=draws.USERS, first=0, count=11)
    pieces = [
        draws.exponentials(KEYS, seed=9, stream=draws.USERS, first=f, count=c) for f, c in ((0, 3), (3, 1), (4, 7))
    ]
    np.testing.assert_array_equal(np.vstack(pieces), whole)
    order = np.random.default_rng(0).permutation(KEYS.size)
    shuffled = draws.exponentials(KEYS[order], seed=9, stream=draws.USERS, first=0, count=11)
    np.testing.assert_array_equal(shuffled, whole[:, order])


@pytest.mark.parametrize("replicates", [1, 6, 7])
def test_replicate_sums_are_the_weighted_sums_of_the_draws(replicates):
    values = np.random.default_rng(1).normal(size=(KEYS.size, 4)) * (np.arange(KEYS.size) % 3 > 0)[:, None]
    drawn = draws.exponentials(KEYS, seed=3, stream=draws.POSTINGS, first=0, count=replicates)
    summed = draws.replicate_sums(KEYS, csr_array(values), seed=3, stream=draws.POSTINGS, replicates=replicates)
    np.testing.assert_allclose(summed, (drawn - 1) @ values, atol=1e-10)


def test_replicate_sums_do_not_depend_on_threads():
    influence = csr_array(np.random.default_rng(1).normal(size=(KEYS.size, 3)))
    before = numba.get_num_threads()
    results = []
    try:
        for threads in {1, before}:
            numba.set_num_threads(threads)
            results.append(draws.replicate_sums(KEYS, influence, seed=3, stream=draws.USERS, replicates=99))
    finally:
        numba.set_num_threads(before)
    assert all(np.array_equal(result, results[0]) for result in results)


def test_folds_are_even_stable_and_seeded():
    fold = draws.fold_of(KEYS, folds=5, seed=1)
    counts = np.bincount(fold, minlength=5)
    assert fold.min() == 0 and fold.max() == 4
    assert ((counts - 400) ** 2 / 400).sum() < 18.5  # chi-squared, 4 degrees of freedom, p = 0.001
    np.testing.assert_array_equal(draws.fold_of(KEYS[::-1], folds=5, seed=1), fold[::-1])
    agreement = (draws.fold_of(KEYS, folds=5, seed=2) == fold).mean()
    assert abs(agreement - 0.2) < 4 * np.sqrt(0.16 / KEYS.size)
    assert draws.fold_of(KEYS, folds=1, seed=0).max() == 0


@pytest.mark.parametrize("seed", [-1, 2**64])
def test_a_seed_out_of_range_is_refused(seed):
    with pytest.raises(ValueError, match="outside"):
        draws.exponentials(KEYS, seed=seed, stream=draws.USERS, first=0, count=1)


def test_keys_and_rows_must_agree():
    with pytest.raises(ValueError, match="2 rows of influence for 2000 keys"):
        draws.replicate_sums(KEYS, csr_array(np.ones((2, 1))), seed=1, stream=draws.USERS, replicates=1)


def test_code_that_cannot_be_cached_is_compiled_all_the_same():
    space: dict[str, object] = {}
    exec("def double(x):\n    return 2 * x", space)  # noqa: S102 no file, so numba has nowhere to keep it
    assert compiled(parallel=False)(space["double"])(21) == 42

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indices import neighbours
from indices.neighbours import NeighbourIndex, build
from valuation.errors import EnvironmentFault, InputError, ThinMatchError


def unit(rows):
    rows = np.asarray(rows, dtype=np.float64)
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def random_unit(n, d, seed=0):
    return unit(np.random.default_rng(seed).standard_normal((n, d)))


def names(n):
    return [f"p{row:05d}" for row in range(n)]


def made(folder, vectors, fingerprint="f", label="none"):
    build(vectors, names(len(vectors)), folder=folder, fingerprint=fingerprint, label=label)
    return NeighbourIndex.open(folder, fingerprint=fingerprint, label=label)


def oracle(vectors, queries, k):
    """All pairs in float64, rounded, by falling similarity and then by row."""
    similarity = np.round(queries.astype(np.float64) @ vectors.astype(np.float64).T, 6)
    rows = [sorted(range(len(vectors)), key=lambda row: (-line[row], row))[:k] for line in similarity]
    return np.take_along_axis(similarity, np.array(rows), axis=1), np.array(rows)


def agrees(found, vectors, queries, k):
    similarity, row = oracle(vectors, queries, k)
    np.testing.assert_allclose(found.similarity, similarity, atol=1.5e-6, rtol=0)
    assert np.array_equal(found.row, row)
    assert found.row.dtype == np.int64
    assert found.similarity.dtype == np.float64
    assert (np.diff(found.similarity, axis=1) <= 0).all()
    assert np.abs(found.similarity).max(initial=0) <= 1


def test_neighbours_agree_with_brute_force(tmp_path):
    vectors, queries = random_unit(800, 24), random_unit(60, 24, seed=1)
    index = made(tmp_path, vectors)
    for k in (1, 10, 200, 800):
        agrees(index.search(queries, k), vectors, queries, k)
    assert index.ids[3] == "p00003"


def test_a_posting_is_its_own_nearest_and_its_opposite_comes_last(tmp_path):
    axes = np.eye(4, dtype=np.float32)
    found = made(tmp_path, np.vstack([axes, -axes])).search(axes[:1], 8)
    assert found.row[0].tolist() == [0, 1, 2, 3, 5, 6, 7, 4]
    assert found.similarity[0].tolist() == [1, 0, 0, 0, 0, 0, 0, -1]
    assert not np.signbit(found.similarity[0, 1:7]).any()


# Few directions among many rows: ties everywhere, at the k-th place too.
@settings(max_examples=60, deadline=None)
@given(
    rows=st.lists(st.integers(0, 5), min_size=1, max_size=120),
    asked=st.lists(st.integers(0, 5), min_size=1, max_size=5),
    share=st.floats(0, 1),
)
def test_ties_go_to_the_smaller_id_also_at_the_kth_place(tmp_path_factory, rows, asked, share):
    directions = unit(np.random.default_rng(3).integers(-2, 3, (6, 5)) + 0.25)
    vectors, queries = directions[rows], directions[asked]
    k = 1 + int(share * (len(rows) - 1))
    found = made(tmp_path_factory.mktemp("index"), vectors).search(queries, k)
    similarity, row = oracle(vectors, queries, k)
    assert np.array_equal(found.row, row)
    np.testing.assert_allclose(found.similarity, similarity, atol=1.5e-6, rtol=0)


def test_differences_below_the_rounding_are_ties(tmp_path):
    angles = np.array([0.5, 0.5 - 2e-8, 0.5 + 2e-8, 0.3, 0.3 - 1e-8])
    vectors = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    found = made(tmp_path, vectors).search(np.array([[1.0, 0.0]], np.float32), 4)
    assert found.row[0].tolist() == [3, 4, 0, 1]


def test_a_tie_wider_than_the_candidates_is_made_whole(tmp_path):
    vectors = np.repeat(unit([[1, 0, 0.1], [1, 0, 0], [0, 1, 0]]), [3, 400, 100], axis=0)[::-1]
    found = made(tmp_path, np.ascontiguousarray(vectors)).search(unit([[1, 0, 0]]), 5)
    assert found.row[0].tolist() == [100, 101, 102, 103, 104]


def test_a_tie_by_rounding_that_candidates_do_not_reach_is_made_whole(tmp_path):
    first = 0.5 + np.linspace(-4e-7, 4e-7, 60)  # one similarity once rounded; FAISS sees the last rows as the nearest
    vectors = np.stack([first, np.sqrt(1 - first**2)], axis=1).astype(np.float32)
    found = made(tmp_path, vectors).search(np.array([[1.0, 0.0]], np.float32), 2)
    assert found.row[0].tolist() == [0, 1]
    assert found.similarity[0].tolist() == [0.5, 0.5]


def test_there_is_no_negative_zero(tmp_path):
    found = made(tmp_path, unit([[-1e-8, 1.0]])).search(np.array([[1.0, 0.0]], np.float32), 1)
    assert str(found.similarity[0, 0]) == "0.0"


@pytest.mark.parametrize("cells", [1, 1000, 10**9])
def test_chunks_do_not_move_a_figure(tmp_path, monkeypatch, cells):
    vectors, queries = random_unit(500, 48), random_unit(70, 48, seed=2)
    index = made(tmp_path, vectors)
    whole = index.search(queries, 30)
    monkeypatch.setattr(neighbours, "CELLS_AT_ONCE", cells)
    parts = index.search(queries, 30)
    assert np.array_equal(parts.similarity, whole.similarity)
    assert np.array_equal(parts.row, whole.row)
    for one in (0, 69):
        alone = index.search(queries[one : one + 1], 30)
        assert np.array_equal(alone.similarity[0], whole.similarity[one])
        assert np.array_equal(alone.row[0], whole.row[one])


def test_more_neighbours_than_postings_are_refused_with_both_numbers(tmp_path):
    index = made(tmp_path, random_unit(12, 4))
    assert sorted(index.search(random_unit(1, 4), 12).row[0].tolist()) == list(range(12))
    with pytest.raises(ThinMatchError, match="13 neighbours asked for, but the basket holds 12 postings"):
        index.search(random_unit(1, 4), 13)


def test_padding_never_becomes_a_row(tmp_path):
    index = made(tmp_path, random_unit(12, 4))

    class Short:
        def search(self, queries, k):
            return np.zeros((len(queries), k), np.float32), np.full((len(queries), k), -1)

    broken = NeighbourIndex(index.card, index.ids, Short(), index.vectors)
    with pytest.raises(InputError, match="fewer neighbours than asked for"):
        broken.search(random_unit(1, 4), 3)


@pytest.mark.parametrize(
    ("queries", "message"),
    [
        (np.full((2, 4), np.nan), "query 0: its vector has length nan"),
        (np.array([[1, 0, 0, 0], [np.inf, 0, 0, 0]]), "query 1: its vector has length inf"),
        (np.array([[1, 0, 0, 0], [0, 0, 0, 0]]), "query 1: its vector has length 0"),
        (np.full((1, 4), 2.0), "query 0: its vector has length 4"),
        (np.ones((1, 5)), r"queries of shape \(1, 5\); expected \(n, 4\)"),
        (np.ones(4), r"queries of shape \(4,\)"),
    ],
)
def test_queries_that_are_not_unit_vectors_are_refused(tmp_path, queries, message):
    with pytest.raises(InputError, match=message):
        made(tmp_path, random_unit(12, 4)).search(queries.astype(np.float32), 2)


def test_no_neighbours_or_no_queries(tmp_path):
    index = made(tmp_path, random_unit(12, 4))
    with pytest.raises(InputError, match="k = 0"):
        index.search(random_unit(1, 4), 0)
    found = index.search(np.empty((0, 4), np.float32), 3)
    assert found.row.shape == found.similarity.shape == (0, 3)


@pytest.mark.parametrize(
    ("vectors", "ids", "message"),
    [
        (np.eye(2), ["b", "a"], "'a' follows 'b'; expected ascending, distinct"),
        (np.eye(2), ["a", "a"], "'a' follows 'a'"),
        (np.eye(2), ["a"], "1 ids for 2 vectors"),
        (np.empty((0, 2)), [], "0 ids for 0 vectors"),
        (np.array([[1.0, 0.0], [np.nan, 0.0]]), ["a", "b"], "posting 'b': its vector has length nan"),
        (np.array([[3.0, 0.0], [1.0, 0.0]]), ["a", "b"], "posting 'a': its vector has length 3"),
    ],
)
def test_a_basket_that_cannot_be_indexed_is_refused(tmp_path, vectors, ids, message):
    with pytest.raises(InputError, match=message):
        build(vectors.astype(np.float32), ids, folder=tmp_path / "index", fingerprint="f", label="none")
    assert not (tmp_path / "index").exists()


def test_the_card_says_what_the_index_holds(tmp_path):
    vectors = random_unit(12, 4)
    card = build(vectors, names(12), folder=tmp_path, fingerprint="f", label="none")
    assert (card.n, card.dimension, card.fingerprint, card.label) == (12, 4, "f", "none")
    assert NeighbourIndex.open(tmp_path, fingerprint="f", label="none").card == card
    again = build(vectors, names(12), folder=tmp_path / "again", fingerprint="f", label="none")
    assert again == card
    other = build(vectors[::-1], names(12), folder=tmp_path / "other", fingerprint="f", label="none")
    assert other.basket != card.basket
    assert other.vectors_sha256 != card.vectors_sha256
    assert other.ids_sha256 == card.ids_sha256


@pytest.mark.parametrize(
    ("fingerprint", "label", "message"),
    [("g", "none", "vectors of encoder f, not of g"), ("f", "centred", "vectors of register none, not of centred")],
)
def test_vectors_of_another_model_are_refused(tmp_path, fingerprint, label, message):
    made(tmp_path, random_unit(12, 4))
    with pytest.raises(InputError, match=message):
        NeighbourIndex.open(tmp_path, fingerprint=fingerprint, label=label)


@pytest.mark.parametrize("file", ["card.json", "rows.parquet", "index.faiss"])
@pytest.mark.parametrize("how", ["missing", "cut", "changed", "of another basket"])
def test_damaged_or_missing_files_are_named(tmp_path, file, how):
    made(tmp_path / "here", random_unit(12, 4))
    made(tmp_path / "there", random_unit(11, 4, seed=9))
    path = tmp_path / "here" / file
    content = path.read_bytes()
    if how == "missing":
        path.unlink()
    elif how == "cut":
        path.write_bytes(content[: len(content) // 2])
    elif how == "changed":
        at = content.index(b'"n": 12') + 5 if file == "card.json" else len(content) // 2
        path.write_bytes(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])
    else:
        path.write_bytes((tmp_path / "there" / file).read_bytes())
    with pytest.raises(
        InputError, match="here/(card.json|rows.parquet|index.faiss): .*build the basket's index"
    ) as caught:
        NeighbourIndex.open(tmp_path / "here", fingerprint="f", label="none")
    assert "\n" not in str(caught.value)


def test_an_unfinished_rebuild_is_not_taken_for_the_old_index(tmp_path, monkeypatch):
    made(tmp_path, random_unit(12, 4))

    def stop(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("indices.index_files.pq.write_table", stop)
    with pytest.raises(KeyboardInterrupt):
        build(random_unit(12, 4, seed=5), names(12), folder=tmp_path, fingerprint="f", label="none")
    with pytest.raises(InputError, match="no finished index there"):
        NeighbourIndex.open(tmp_path, fingerprint="f", label="none")


def test_a_card_of_another_format_is_refused(tmp_path):
    made(tmp_path, random_unit(12, 4))
    card = json.loads((tmp_path / "card.json").read_text())
    (tmp_path / "card.json").write_text(json.dumps(card | {"code": "0"}))
    with pytest.raises(InputError, match="format 0, expected 1"):
        NeighbourIndex.open(tmp_path, fingerprint="f", label="none")


def test_a_disk_that_refuses_is_an_environment_fault(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(EnvironmentFault, match="cannot be written"):
        build(random_unit(3, 4), names(3), folder=tmp_path / "file", fingerprint="f", label="none")

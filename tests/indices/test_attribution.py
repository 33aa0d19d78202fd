"""Words' contributions sum to the similarity, whatever the text, with every kind of encoder."""

import json
import shutil

import numpy as np
import pytest

from indices.attribution import TokenShares, WordSpan, contributions, open_token_encoder, word_contributions
from indices.encoders import identify, open_encoder
from indices.model_files import bundled_folder
from valuation.errors import ConfigError, EnvironmentFault, InputError

TEXTS = [
    "Build a WordPress e-commerce website with WooCommerce & payments",
    "naïve café résumé 5€ — internationalisation",
    "数据分析 python 爬虫",
    "x",
    "🙂🙂 fix \u200b the bug\n\n" + "a salad of unbelievably long words " * 100,
    "half a \ud800 character",
]
QUERY = "I set up an online shop with WordPress, python and data analysis"


def check(card, plain, texts=TEXTS):
    """Shares are those of the encoder's own vectors."""
    encoder = open_token_encoder(card)
    direction = plain.encode([QUERY]).vectors[0].astype(np.float64)
    mean = np.linspace(0.0, 0.03, card.dimension)
    for text, vector in zip(texts, plain.encode(texts).vectors.astype(np.float64), strict=True):
        np.testing.assert_allclose(encoder.read([text])[0].vector, vector, atol=1e-5)
        words = word_contributions(encoder, text, direction)
        assert sum(word.contribution for word in words) == pytest.approx(vector @ direction, abs=1e-4)
        centred = (vector - mean) / np.linalg.norm(vector - mean)
        moved = word_contributions(encoder, text, direction, mean=mean)
        assert sum(word.contribution for word in moved) == pytest.approx(centred @ direction, abs=1e-4)
        assert [word.start for word in words] == sorted(word.start for word in words)
        assert all(0 <= word.start <= word.end <= len(text) for word in words)
    return encoder, direction


def shown(text, words):
    return [text[word.start : word.end] for word in words if word.end > word.start]


@pytest.mark.slow
def test_contributions_of_a_static_encoder_sum_to_the_similarity(static, static_models):
    card = identify("static", models_dir=static_models, max_tokens=256)
    encoder, direction = check(card, static)
    words = word_contributions(encoder, TEXTS[0], direction)
    assert shown(TEXTS[0], words)[:4] == ["Build", "a", "WordPress", "e"]
    best = max(words, key=lambda word: word.contribution)
    assert TEXTS[0][best.start : best.end] == "WordPress"


def test_contributions_of_a_table_of_token_vectors_sum_to_the_similarity(tiny_encoder, tmp_path):
    name = str(tiny_encoder)
    plain = open_encoder(name, models_dir=tmp_path, max_tokens=256, batch_tokens=4096)
    check(identify(name, models_dir=tmp_path, max_tokens=256), plain)


@pytest.mark.slow
def test_contributions_of_the_bundled_encoder_sum_to_the_similarity(bundled, models_dir):
    card = identify("bundled", models_dir=models_dir, max_tokens=256)
    encoder, direction = check(card, bundled)
    words = word_contributions(encoder, TEXTS[0], direction)
    assert shown(TEXTS[0], words)[2] == "WordPress"
    assert words[-1].start == words[-1].end == len(TEXTS[0])  # special tokens
    together = encoder.read(TEXTS)
    for text, shares in zip(TEXTS, together, strict=True):
        np.testing.assert_allclose(shares.vectors, encoder.read([text])[0].vectors, atol=1e-5)


def shares(places, values):
    start, end = np.array(places, dtype=np.int64).T
    return TokenShares(start, end, np.array(values, dtype=np.float64)[:, None] * np.array([[1.0, 0.0]]))


def test_pieces_of_a_word_are_one_word_and_what_has_no_character_is_the_rest():
    text = "re-build café's 🙂"
    places = [(0, 2), (2, 3), (3, 6), (6, 8), (9, 11), (11, 13), (13, 14), (14, 15), (16, 17), (16, 17), (17, 17)]
    found = contributions(text, shares(places, range(11)), np.array([1.0, 0.0]))
    assert found == (
        WordSpan(0, 2, 0.0),
        WordSpan(2, 3, 1.0),
        WordSpan(3, 8, 5.0),
        WordSpan(9, 13, 9.0),
        WordSpan(13, 14, 6.0),
        WordSpan(14, 15, 7.0),
        WordSpan(16, 17, 17.0),
        WordSpan(17, 17, 10.0),
    )


def test_a_direction_of_another_dimension_is_refused():
    with pytest.raises(InputError, match=r"a direction of shape \(3,\); expected \(2,\)"):
        contributions("a", shares([(0, 1)], [1]), np.ones(3))


def test_a_text_at_its_registers_mean_has_no_direction():
    with pytest.raises(InputError, match="equals the mean of its register"):
        contributions("a", shares([(0, 1)], [1]), np.array([1.0, 0.0]), mean=np.array([1.0, 0.0]))


@pytest.mark.slow
def test_an_encoder_that_does_not_average_is_refused(tmp_path):
    folder = tmp_path / "first-token"
    shutil.copytree(bundled_folder(), folder)
    config = {"word_embedding_dimension": 384, "pooling_mode_cls_token": True, "pooling_mode_mean_tokens": False}
    (folder / "1_Pooling" / "config.json").write_text(json.dumps(config))
    card = identify(str(folder), models_dir=tmp_path, max_tokens=64)
    with pytest.raises(ConfigError, match="does not average its tokens"):
        open_token_encoder(card)


def test_a_static_encoder_that_was_not_made_yet_is_said(tmp_path):
    card = identify("static", models_dir=tmp_path, max_tokens=256)
    with pytest.raises(EnvironmentFault, match="not made yet"):
        open_token_encoder(card)

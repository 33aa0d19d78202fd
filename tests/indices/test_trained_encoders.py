"""Encoders trained here: their names, their card, and what they learned from. Made by hand: nothing is fitted."""

import dataclasses
import json
import shutil

import pyarrow.parquet as pq
import pytest

from indices.encoders import identify, open_encoder
from indices.trained import (
    BESIDE,
    CARD,
    LEARNED_FROM,
    LearnedFrom,
    TrainedCard,
    check_name,
    hashes,
    learned_from,
    read_trained,
    text_mark,
    write_card,
    write_learned_from,
)
from valuation.errors import ConfigError, EnvironmentFault


def card_of(folder, base, **changed):
    mark = identify(str(base), models_dir=folder.parent, max_tokens=256)
    card = TrainedCard(
        identity="i" * 64, base=str(base), base_fingerprint=mark.fingerprint, base_max_tokens=mark.max_tokens,
        method="whole", data_sha256="d" * 64, postings=3, clusters=2, units=2, left=100, share=0.5, epochs=2, batch=32,
        learning_rate=5e-5, seed=1, max_tokens=0, loss=(0.9, 0.8), versions={"torch": "2"}, threads=1,
        precision="float32", sha256=hashes(folder),
    )  # fmt: skip
    return dataclasses.replace(card, **changed)


def make_trained(models, base, name="mine", ids=("p1", "p2", "p3")):
    folder = models / name
    shutil.copytree(base, folder)
    write_learned_from(folder, ids, [text_mark(f"text of {one}") for one in ids], [None, "c1", "c1"][: len(ids)])
    write_card(folder, card_of(folder, base))
    return folder


@pytest.fixture
def models(tmp_path, tiny_encoder):
    make_trained(tmp_path / "models", tiny_encoder)
    return tmp_path / "models"


@pytest.mark.parametrize("name", ["price-1", "A", "v1.2", "7", "x" * 64])
def test_names_that_can_be_a_folder(name):
    assert check_name(name) == name


@pytest.mark.parametrize(
    "name",
    ["", "..", ".", "../x", "a/b", "a\\b", "/tmp/x", ".hidden", "-x", "a..b", "end.", "x" * 65, "static", "a b", "a\n",
     "\u00e9", "a:b", "a\0b", "_x"],
)  # fmt: skip
def test_names_that_cannot(name, tmp_path):
    with pytest.raises(ConfigError, match="expected 1 to 64 letters, digits, dots and dashes"):
        check_name(name)
    with pytest.raises(ConfigError):
        identify(f"trained:{name}", models_dir=tmp_path, max_tokens=256)


def test_an_unknown_name_lists_those_there_are(models, tmp_path):
    with pytest.raises(
        ConfigError, match=r"no such trained encoder; there are mine \(make one with.*train-encoder other"
    ):
        identify("trained:other", models_dir=models, max_tokens=256)
    with pytest.raises(ConfigError, match="there are none yet"):
        identify("base:other", models_dir=tmp_path / "nothing", max_tokens=256)


def test_a_trained_encoder_opens_like_any_other(models, tiny_encoder):
    known = identify("trained:mine", models_dir=models, max_tokens=256)
    assert (known.name, known.dimension, known.ready) == ("trained:mine", 32, True)
    opened = open_encoder("trained:mine", models_dir=models, max_tokens=256, batch_tokens=4096)
    plain = open_encoder(str(tiny_encoder), models_dir=models, max_tokens=256, batch_tokens=4096)
    assert (opened.encode(["fix my shop"]).vectors == plain.encode(["fix my shop"]).vectors).all()
    assert opened.card.fingerprint == known.fingerprint != plain.card.fingerprint


def test_base_is_the_encoder_before(models, tiny_encoder):
    before = identify(str(tiny_encoder), models_dir=models, max_tokens=256)
    found = identify("base:mine", models_dir=models, max_tokens=256)
    assert found == dataclasses.replace(before, name="base:mine")
    assert open_encoder("base:mine", models_dir=models, max_tokens=256, batch_tokens=4096).card == found


def test_base_that_is_no_longer_what_it_was_is_refused(tmp_path, tiny_encoder):
    base = tmp_path / "base"
    shutil.copytree(tiny_encoder, base)
    models = tmp_path / "models"
    make_trained(models, base)
    (base / "modules.json").write_text((base / "modules.json").read_text() + "\n")
    with pytest.raises(EnvironmentFault, match=r"was trained from .*; put that model where it was"):
        identify("base:mine", models_dir=models, max_tokens=256)
    identify("trained:mine", models_dir=models, max_tokens=256)


def test_what_it_learned_from_is_part_of_who_it_is(models, tiny_encoder):
    make_trained(models, tiny_encoder, "twin")
    make_trained(models, tiny_encoder, "other", ids=("p1", "p2"))
    marks = [identify(f"trained:{n}", models_dir=models, max_tokens=256).fingerprint for n in ("mine", "twin", "other")]
    assert marks[0] == marks[1] != marks[2]
    write_card(models / "twin", dataclasses.replace(read_trained(models / "twin"), seed=2))
    assert identify("trained:twin", models_dir=models, max_tokens=256).fingerprint != marks[0]


def test_its_folder_may_not_be_used_without_its_name(models):
    with pytest.raises(
        ConfigError, match=r"trained by this program; .*trained:mine, so that what it learned from leaves"
    ):
        identify(str(models / "mine"), models_dir=models, max_tokens=256)


@pytest.mark.parametrize("name", ["model.safetensors", "tokenizer.json", LEARNED_FROM, "modules.json"])
def test_a_changed_file_is_named(models, name):
    path = models / "mine" / name
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))
    for use in ("trained:mine", "base:mine"):
        with pytest.raises(EnvironmentFault, match=rf"mine/{name}: damaged; put the folder there again"):
            identify(use, models_dir=models, max_tokens=256)
    path.unlink()
    with pytest.raises(EnvironmentFault, match=rf"mine/{name}: missing"):
        learned_from("trained:mine", models)


@pytest.mark.parametrize("name", ["pytorch_model.bin", "1_Normalize/extra.json", "adapter.safetensors"])
def test_a_file_that_was_added_is_refused(models, name):
    (models / "mine" / name).write_bytes(b"x")
    with pytest.raises(EnvironmentFault, match=rf"{name}: not one of its files"):
        identify("trained:mine", models_dir=models, max_tokens=256)


@pytest.mark.parametrize("text", ["", "[]", '{"identity": "x"}', '{"loss": 3}'])
def test_a_card_that_is_none(models, text):
    (models / "mine" / CARD).write_text(text)
    with pytest.raises(EnvironmentFault, match="not readable as the card of a trained encoder"):
        identify("trained:mine", models_dir=models, max_tokens=256)


def test_the_card_is_read_back_and_knows_every_file(models):
    folder = models / "mine"
    card = read_trained(folder)
    assert (card.loss, card.postings, card.left) == ((0.9, 0.8), 3, 100)
    every = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert set(card.sha256) == every - set(BESIDE)
    (folder / "check.csv").write_text("measured later")
    assert read_trained(folder) == card
    assert "text of" not in json.dumps(dataclasses.asdict(card))


def test_marks_of_the_postings_travel_with_it(models, tmp_path):
    assert learned_from("bundled", models) == LearnedFrom(frozenset(), frozenset(), frozenset())
    found = learned_from("trained:mine", models)
    assert found.posting_id == {"p1", "p2", "p3"}
    assert found.client_id == {"c1"}
    assert text_mark("Text of P2!") in found.text and text_mark("text of p4") not in found.text
    assert learned_from("base:mine", models) == found
    shutil.copytree(models, tmp_path / "elsewhere")
    assert learned_from("trained:mine", tmp_path / "elsewhere") == found
    table = pq.ParquetFile(models / "mine" / LEARNED_FROM).read()
    assert table.column_names == ["posting_id", "text", "client_id"]
    assert not any("text of" in one for one in table.column("text").to_pylist())


def test_marks_do_not_depend_on_order(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    write_learned_from(tmp_path / "a", ["p2", "p1"], ["t2", "t1"], ["c", None])
    write_learned_from(tmp_path / "b", ["p1", "p2"], ["t1", "t2"], [None, "c"])
    assert hashes(tmp_path / "a") == hashes(tmp_path / "b")


def test_nobody_learned_from_anything(tmp_path):
    write_learned_from(tmp_path, [], [], [])
    assert pq.ParquetFile(tmp_path / LEARNED_FROM).read().num_rows == 0

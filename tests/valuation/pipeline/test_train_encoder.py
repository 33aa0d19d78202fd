"""`valuation train-encoder` on a small world with a tiny encoder: what teaches leaves the basket, and nothing else."""

from __future__ import annotations

import dataclasses
import json
import shutil

import numpy as np
import pandas as pd
import pytest

from valuation.config import load
from valuation.errors import ConfigError, EnvironmentFault, InputError, ThinMatchError
from valuation.pipeline.encoder_check import compare
from valuation.pipeline.encoder_teaching import choose, limited_sources
from valuation.storage import read_postings, write_postings
from valuation.workspace import Workspace

TRAINING = ("training.epochs=2", "training.learning_rate=1e-3", "training.method=projection")


def again(work, *overrides):
    """The same workspace with other settings laid over."""
    return Workspace(work.layout.root, overrides=[*OVERRIDES, *overrides])


OVERRIDES: list[str] = []


@pytest.fixture(scope="module")
def copied(world_files, fast, tmp_path_factory):
    """A workspace without a run, to be trained in."""
    OVERRIDES[:] = [*fast, *TRAINING]
    root = tmp_path_factory.mktemp("training") / "work"
    work = Workspace.create(root)
    work.import_postings([str(world_files.postings)], mapping=world_files.postings_map)
    work.import_sessions([str(world_files.sessions)], mapping=world_files.sessions_map)
    return Workspace(root, overrides=OVERRIDES)


def basket_of(work, name):
    from valuation.pipeline.model_store import open_model
    from valuation.progress import Silent

    settings = load(work.layout.settings, [*OVERRIDES, f"encoder.name={name}"])
    return open_model(work.layout, settings, Silent()).model


def test_a_share_of_units_teaches_whole_units_only(copied):
    teaching = choose(copied.layout, copied.settings)
    postings = read_postings(copied.layout)
    rest = postings[~postings["posting_id"].isin(teaching.postings["posting_id"])]
    shared = set(teaching.postings["client_id"].dropna()) & set(rest["client_id"].dropna())
    outside = rest[rest["client_id"].isin(shared)]
    assert not len(outside[(outside["price_type"] == "fixed") & outside["price_usd"].between(10, 50_000)])
    assert 0.35 < len(teaching.rows) / (len(teaching.rows) + teaching.left) < 0.65
    assert set(teaching.rows["posting_id"]) <= set(teaching.postings["posting_id"])
    same = choose(copied.layout, copied.settings)
    assert same.sha256 == teaching.sha256
    fewer = choose(copied.layout, load(copied.layout.settings, [*OVERRIDES, "training.share=0.3"]))
    assert set(fewer.rows["cluster_id"]) < set(teaching.rows["cluster_id"])  # a smaller share is a part of a larger
    other = choose(copied.layout, load(copied.layout.settings, [*OVERRIDES, "training.seed=1"]))
    assert set(other.rows["cluster_id"]) != set(teaching.rows["cluster_id"])


def test_too_few_on_either_side(copied):
    for share, expected in ((0.01, r"\d+ distinct postings would teach"), (0.99, r"and \d+ be left to price with")):
        with pytest.raises(ThinMatchError, match=expected):
            choose(copied.layout, load(copied.layout.settings, [*OVERRIDES, f"training.share={share}"]))


def test_a_source_with_a_limit_never_teaches(copied, tmp_path):
    root = tmp_path / "work"
    shutil.copytree(copied.layout.root, root)
    work = Workspace(root, overrides=OVERRIDES)
    assert "upwork" in limited_sources(work.layout, work.settings)
    postings = read_postings(work.layout)
    source = postings["source"].mode()[0]
    (work.layout.crawl_store(source)).parent.mkdir(parents=True)
    work.layout.crawl_store(source).touch()  # crawled once, and the settings no longer tell how long it may be kept
    settings = load(work.layout.settings, [*OVERRIDES, "training.share=0.8"])
    assert source in limited_sources(work.layout, settings)
    teaching = choose(work.layout, settings)
    of = postings.set_index("posting_id")["source"]
    assert source not in set(of[teaching.postings["posting_id"]])
    assert teaching.left >= (postings["source"] == source).sum() / 2


@pytest.mark.parametrize("name", ["../out", "a/b", "", ".x", "static"])
def test_a_name_that_leaves_the_folder(copied, name):
    with pytest.raises(ConfigError, match="expected 1 to 64 letters"):
        copied.train_encoder(name)
    assert not (copied.layout.root / "out").exists()


@pytest.mark.slow
def test_the_interval_of_the_difference_is_paired(copied):
    model = basket_of(copied, OVERRIDES[0].partition("=")[2])
    same = compare(model, model, copied.settings)
    assert (same[["difference", "lower", "upper"]] == 0).all().all()
    y = model.arrays.log_price
    better = dataclasses.replace(model, value=model.value + 0.2 * (y - model.value))
    found = compare(model, better, copied.settings)
    assert (found["lower"] > 0).all()
    assert found["before"].tolist() == pytest.approx([np.corrcoef(y, v)[0, 1] ** 2 for v in model.value])
    assert found["after"].tolist() == pytest.approx([np.corrcoef(y, v)[0, 1] ** 2 for v in better.value])
    assert ((found["lower"] < found["difference"]) & (found["difference"] < found["upper"])).all()
    assert found["n"].tolist() == [len(y)] * 3


@pytest.fixture(scope="module")
def made(copied):
    return copied.train_encoder("p1")


@pytest.mark.slow
class TestTrained:
    """One encoder is trained; every test looks at it."""

    def test_its_folder_and_its_card(self, copied, made):
        card = json.loads((made.folder / "card.json").read_text())
        assert made.folder == copied.layout.models / "p1"
        assert not made.unchanged
        teaching = choose(copied.layout, copied.settings)
        assert card["data_sha256"] == teaching.sha256
        assert (card["postings"], card["clusters"], card["units"], card["left"]) == (
            len(teaching.postings), len(teaching.rows), teaching.units, teaching.left,
        )  # fmt: skip
        assert (card["epochs"], card["share"], card["method"]) == (2, 0.5, "projection")
        assert len(card["loss"]) == 2 and card["loss"] == list(made.loss)
        kinds = {path.suffix for path in made.folder.rglob("*") if path.is_file()}
        assert kinds == {".json", ".safetensors", ".parquet", ".csv"}
        assert not list(copied.layout.models.glob(".t*"))

    def test_text_says_what_it_is_and_what_it_is_not(self, made):
        text = made.text()
        flat = " ".join(text.split())
        assert "encoder trained:p1 is ready" in flat
        assert "Better prices of postings do not show better prices of sessions" in flat
        assert "never a wage, an invoice or a saving" in flat
        row = made.table.iloc[0]
        assert f"{row.before:.3f}  {row.after:.3f}  {row.difference:+.3f} [{row.lower:+.3f}, {row.upper:+.3f}]" in text
        assert f"n = {made.left:,}" in flat and f"taught by {made.postings:,} postings" in flat
        assert max(len(line) for line in text.splitlines() if str(made.folder) not in line) <= 80

    def test_what_taught_is_not_in_the_basket(self, copied, made):
        trained, base = basket_of(copied, "trained:p1"), basket_of(copied, "base:p1")
        pd.testing.assert_frame_equal(trained.rows, base.rows)
        teaching = choose(copied.layout, copied.settings)
        assert not set(trained.rows["cluster_id"]) & set(teaching.rows["cluster_id"])
        whole = basket_of(copied, OVERRIDES[0].partition("=")[2])
        assert len(trained.rows) == len(whole.rows) - len(teaching.rows) == made.left
        assert trained.counts.trained_encoder == len(teaching.postings)
        assert np.abs(trained.vectors - base.vectors).max() > 1e-3
        np.testing.assert_array_equal(trained.arrays.unit, base.arrays.unit)
        y = base.arrays.log_price
        assert made.table["before"].tolist() == pytest.approx([np.corrcoef(y, v)[0, 1] ** 2 for v in base.value])
        assert made.table["after"].tolist() == pytest.approx([np.corrcoef(y, v)[0, 1] ** 2 for v in trained.value])

    def test_a_client_who_taught_and_comes_again_is_left_out(self, copied, made, tmp_path):
        root = tmp_path / "work"
        shutil.copytree(copied.layout.root, root)
        work = Workspace(root, overrides=OVERRIDES)
        before = basket_of(work, "trained:p1")
        postings = read_postings(work.layout)
        taught = choose(work.layout, work.settings).postings
        client = taught["client_id"].dropna().iloc[0]
        like = postings[postings["posting_id"].isin(before.rows["posting_id"])].iloc[[0, 0, 0]].copy()
        like["posting_id"] = ["zz-client", "zz-text", "zz-free"]
        like["client_id"] = [client, "somebody-new", "somebody-else"]
        like["description"], like["skills"] = None, None
        like["title"] = ["a thing nobody wrote before", taught["text"].iloc[0], "another new thing of its own"]
        write_postings(work.layout, pd.concat([postings, like]).sort_values("posting_id", ignore_index=True))
        after = basket_of(work, "trained:p1")
        assert set(after.rows["posting_id"]) - set(before.rows["posting_id"]) == {"zz-free"}
        assert after.counts.trained_encoder == before.counts.trained_encoder + 2

    def test_again_is_unchanged_and_other_settings_are_refused(self, copied, made):
        files = {path: path.stat().st_mtime_ns for path in made.folder.rglob("*") if path.is_file()}
        found = copied.train_encoder("p1")
        assert found.unchanged and found.loss == made.loss
        assert "was there already" in found.text()
        pd.testing.assert_frame_equal(found.table, made.table)
        assert {path: path.stat().st_mtime_ns for path in made.folder.rglob("*") if path.is_file()} == files
        with pytest.raises(InputError, match="an encoder p1 is there, of other postings, settings or package versions"):
            again(copied, "training.seed=3").train_encoder("p1")
        with pytest.raises(ConfigError, match="trained already; train from another"):
            again(copied, "encoder.name=trained:p1").train_encoder("p2")
        (copied.layout.models / "mine").mkdir()
        with pytest.raises(InputError, match="is there already and is no trained encoder"):
            copied.train_encoder("mine")

    def test_the_same_again_has_the_same_weights_and_a_stop_changes_nothing(self, copied, made, monkeypatch):
        from indices.trained import read_trained

        class Stops:
            def stage(self, name):
                if name == "train epoch 2 of 2":
                    raise KeyboardInterrupt

            def advance(self, done, total):
                pass

            def note(self, text):
                pass

        stopped = Workspace(copied.layout.root, overrides=OVERRIDES, progress=Stops())
        with pytest.raises(KeyboardInterrupt):
            stopped.train_encoder("twin")
        assert not (copied.layout.models / "twin").exists()
        assert (copied.layout.models / ".training-twin" / "epoch.safetensors").is_file()
        stages = []
        monkeypatch.setattr(copied._progress, "stage", stages.append)
        twin = copied.train_encoder("twin")
        assert "train epoch 2 of 2" in stages and "train epoch 1 of 2" not in stages
        assert read_trained(twin.folder) == read_trained(made.folder)  # every weight's hash among the rest
        assert not (copied.layout.models / ".training-twin").exists()

    def test_a_run_uses_it_and_says_what_left(self, copied, made):
        found = again(copied, "encoder.name=trained:p1").run()
        manifest = json.loads((found.folder / "manifest.json").read_text())
        assert manifest["basket"]["trained_encoder"] == made.postings
        assert manifest["encoder"]["name"] == "trained:p1"
        matches = pd.read_parquet(found.folder / "matches.parquet")
        assert not set(matches["posting_id"]) & set(choose(copied.layout, copied.settings).postings["posting_id"])

    def test_the_same_vectors_on_another_basket_are_another_run(self, copied, made):
        from valuation.pipeline.model_store import basket_id
        from valuation.pipeline.run import run_id

        names = (OVERRIDES[0].partition("=")[2], "base:p1", "trained:p1")
        settings = [load(copied.layout.settings, [*OVERRIDES, f"encoder.name={name}"]) for name in names]
        assert len({run_id(copied.layout, one) for one in settings}) == 3
        assert len({basket_id(copied.layout, one) for one in settings}) == 3

    def test_a_damaged_one_is_refused(self, copied, made, tmp_path):
        root = tmp_path / "work"
        shutil.copytree(copied.layout.root, root)
        (root / "models" / "p1" / "learned_from.parquet").unlink()
        broken = Workspace(root, overrides=[*OVERRIDES, "encoder.name=trained:p1"])
        with pytest.raises(EnvironmentFault, match=r"learned_from\.parquet: missing"):
            broken.run()

"""Fitting an encoder to a target: order, schedule, what is learned, and that a stop changes nothing."""

import numpy as np
import pytest

from indices.encoders import open_encoder
from indices.tuning import Lesson, TuningPlan, _schedule, order_of, tune
from valuation.errors import ConfigError, InputError

PLAN = TuningPlan(method="projection", epochs=3, batch=16, learning_rate=1e-4, seed=5, precision="float32")
WORDS = ["logo", "shop", "server", "crash", "poem", "audit", "app", "page", "data", "video", "song", "bug"]


def plan(**changed):
    from dataclasses import replace

    return replace(PLAN, **changed)


def texts_of(n, seed=0):
    rng = np.random.default_rng(seed)
    return [" ".join(rng.choice(WORDS, size=rng.integers(2, 9))) for _ in range(n)]


def lesson_of(vectors, length=None, seed=0):
    rng = np.random.default_rng(seed)
    direction = rng.standard_normal(vectors.shape[1])
    group = rng.integers(0, 3, len(vectors))
    target = 3.0 * vectors @ direction + 2.0 * group + 0.1 * rng.standard_normal(len(vectors))
    return Lesson(vectors, target, group, np.ones(len(vectors), dtype=np.int64) if length is None else length)


def unit(rows):
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def quiet(*_):
    pass


@pytest.mark.parametrize("n", [1, 15, 16, 17, 2000])
def test_each_text_comes_once_an_epoch(n):
    batches = list(order_of(np.arange(n), PLAN, 0))
    assert sorted(np.concatenate(batches).tolist()) == list(range(n))
    assert max(len(batch) for batch in batches) <= 16
    assert len(batches) == -(-n // 16)


def test_order_is_of_seed_and_epoch_and_alike_lengths_go_together():
    length = np.random.default_rng(1).integers(1, 100, 1600)
    first, again, later, other = (
        np.concatenate(list(order_of(length, p, e))) for p, e in ((PLAN, 0), (PLAN, 0), (PLAN, 1), (plan(seed=6), 0))
    )
    assert (first == again).all()
    assert (first != later).any() and (first != other).any()
    spread = np.mean([np.ptp(length[batch]) for batch in order_of(length, PLAN, 0)])
    assert spread < 10  # of 99 in a batch that is dealt blindly
    middles = [length[batch].mean() for batch in order_of(length, PLAN, 0)]
    assert np.abs(np.corrcoef(middles, np.arange(len(middles)))[0, 1]) < 0.6  # and yet not in order of length


def test_the_learning_rate_rises_over_a_tenth_and_falls_to_nothing():
    rates = [_schedule(step, 100) for step in range(100)]
    assert rates[9] == 1.0 == max(rates)
    assert (np.diff(rates[:10]) > 0).all() and (np.diff(rates[10:]) < 0).all()
    assert 0 < rates[99] < 0.02 and rates[0] == pytest.approx(0.1)
    assert _schedule(0, 1) == 1.0


@pytest.mark.slow
class TestTuning:
    """These import torch and sentence-transformers."""

    @pytest.fixture
    def vectors(self):
        return unit(np.random.default_rng(3).standard_normal((200, 12)))

    def body(self, folder, vectors):
        from indices.tuning_models import ProjectionBody

        return ProjectionBody(folder, vectors)

    def test_it_learns_a_direction_and_leaves_the_groups_out(self, vectors, tiny_encoder, tmp_path):
        body, lesson = self.body(tiny_encoder, vectors), lesson_of(vectors)
        told = []
        loss = tune(
            body, lesson, plan(epochs=20, learning_rate=1e-3), state=tmp_path / "s", identity="a",
            progress=lambda *now: told.append(now),
        )  # fmt: skip
        assert len(loss) == 20
        assert loss[-1] < 0.4 and loss[0] > 0.85
        assert told[0] == (1, 0, 200) and told[-1] == (20, 200, 200)
        weight = body.module.weight.detach().numpy()
        rng = np.random.default_rng(0)
        directions = unit(np.vstack([rng.standard_normal(12), rng.standard_normal((200, 12))]))
        gain = np.linalg.norm(directions @ weight.T, axis=1)
        assert gain[0] > np.quantile(gain[1:], 0.98)  # what tells the target apart counts for more
        kept = (unit(vectors @ weight.T) * vectors).sum(axis=1)
        assert kept.mean() > 0.8  # and the rest stays about where it was

    def test_what_only_the_group_tells_is_not_learned_from_the_text(self, vectors, tiny_encoder, tmp_path):
        group = np.random.default_rng(2).integers(0, 3, 200)
        lesson = Lesson(vectors, 5.0 * group, group, np.ones(200, dtype=np.int64))
        told = self.body(tiny_encoder, vectors)
        loss = tune(told, lesson, plan(epochs=20), state=tmp_path / "s", identity="a", progress=quiet)
        assert loss[-1] < 0.1
        blind = Lesson(vectors, 5.0 * group, np.zeros(200, dtype=np.int64), lesson.length)
        body = self.body(tiny_encoder, vectors)
        assert tune(body, blind, plan(epochs=20), state=tmp_path / "b", identity="b", progress=quiet)[-1] > 0.5

    def test_a_fit_that_was_stopped_ends_with_the_same_weights(self, vectors, tiny_encoder, tmp_path):
        lesson = lesson_of(vectors)

        def fitted(state, identity="a", stop=None, epochs=None):
            body = self.body(tiny_encoder, vectors)

            def progress(epoch, done, _):
                if epochs is not None:
                    epochs.append(epoch)
                if stop is not None and (epoch, done) >= stop:
                    raise KeyboardInterrupt

            loss = tune(body, lesson, PLAN, state=state, identity=identity, progress=progress)
            return loss, body.module.weight.detach().numpy()

        loss, weight = fitted(tmp_path / "whole")
        again, same = fitted(tmp_path / "again")
        assert loss == again and (weight == same).all()
        for stop in ((1, 32), (2, 0), (3, 200)):
            state = tmp_path / f"stopped{stop[0]}"
            with pytest.raises(KeyboardInterrupt):
                fitted(state, stop=stop)
            assert state.exists() == (stop[0] > 1)
            if stop[0] > 1:  # it does go on, and does not begin anew
                epochs = []
                with pytest.raises(KeyboardInterrupt):
                    fitted(state, stop=(stop[0], 0), epochs=epochs)
                assert epochs == [stop[0]]
            resumed, found = fitted(state)
            assert resumed == loss and (found == weight).all()
        assert fitted(tmp_path / "whole")[0] == loss  # finished: nothing is left to do
        (tmp_path / "again").write_bytes((tmp_path / "again").read_bytes()[:100])
        damaged, found = fitted(tmp_path / "again")
        assert damaged == loss and (found == weight).all()
        with pytest.raises(KeyboardInterrupt):  # of another fit: it begins anew
            fitted(tmp_path / "whole", identity="b", stop=(1, 0))

    def test_targets_that_teach_nothing_are_refused(self, vectors, tiny_encoder, tmp_path):
        body = self.body(tiny_encoder, vectors)
        good = lesson_of(vectors)
        for target in (np.full(200, 3.0), np.where(np.arange(200) == 7, np.nan, good.target)):
            bad = Lesson(vectors, target, good.group, good.length)
            with pytest.raises(InputError, match="200 targets that do not vary or are not finite"):
                tune(body, bad, PLAN, state=tmp_path / "s", identity="a", progress=quiet)

    def test_a_fit_that_diverges_says_what_to_change(self, vectors, tiny_encoder, tmp_path):
        body = self.body(tiny_encoder, vectors)
        embed, calls = body.embed, []

        def breaks(rows):
            calls.append(rows)
            return embed(rows) * (float("nan") if len(calls) > 15 else 1.0)  # in the second epoch

        body.embed = breaks
        with pytest.raises(ConfigError, match=r"diverged in epoch 2; training.learning_rate = 0.0001 is too large"):
            tune(body, lesson_of(vectors), PLAN, state=tmp_path / "s", identity="a", progress=quiet)

    def test_torch_is_left_as_it_was(self, vectors, tiny_encoder, tmp_path):
        import torch

        body = self.body(tiny_encoder, vectors)
        torch.manual_seed(1)
        expected = torch.rand(3)
        torch.manual_seed(1)
        tune(body, lesson_of(vectors), plan(epochs=1), state=tmp_path / "s", identity="a", progress=quiet)
        assert (torch.rand(3) == expected).all()
        assert not torch.are_deterministic_algorithms_enabled()

    @pytest.mark.parametrize("kind", ["static", "transformer"])
    def test_a_projection_on_disk_is_the_matrix_behind_the_model(self, kind, tiny_encoder, tmp_path):
        from indices.model_files import bundled_folder

        folder = tiny_encoder if kind == "static" else bundled_folder()
        texts = texts_of(40)
        settings = {"models_dir": tmp_path, "max_tokens": 64, "batch_tokens": 4096}
        before = open_encoder(str(folder), **settings).encode(texts).vectors
        body = self.body(folder, before)
        rng = np.random.default_rng(1)
        matrix = (np.eye(before.shape[1]) + 0.05 * rng.standard_normal((before.shape[1],) * 2)).astype(np.float32)
        body.module.weight.data.copy_(__import__("torch").from_numpy(matrix))
        (tmp_path / "out").mkdir()
        body.save(tmp_path / "out")
        after = open_encoder(str(tmp_path / "out"), **settings).encode(texts).vectors
        np.testing.assert_allclose(after, unit(before @ matrix.T), atol=2e-6)
        assert not [path for path in (tmp_path / "out").rglob("*") if path.suffix in (".bin", ".pt", ".pkl")]
        body = self.body(folder, before)  # not fitted at all: the model itself
        (tmp_path / "same").mkdir()
        body.save(tmp_path / "same")
        np.testing.assert_allclose(
            open_encoder(str(tmp_path / "same"), **settings).encode(texts).vectors, before, atol=1e-6
        )

    def test_the_whole_bundled_model_is_fitted_as_it_is_used(self, tmp_path):
        from indices.model_files import bundled_folder
        from indices.tuning_models import WholeBody

        texts = texts_of(24)
        settings = {"models_dir": tmp_path, "max_tokens": 64, "batch_tokens": 4096}
        before = open_encoder("bundled", **settings).encode(texts).vectors
        body = WholeBody(bundled_folder(), texts, max_tokens=64)
        import torch

        with torch.no_grad():
            np.testing.assert_allclose(unit(body.embed(np.arange(24)).numpy()), before, atol=1e-5)
        tokens = body.module[0].model.get_input_embeddings().weight.detach().clone()
        tune(
            body, lesson_of(before, body.length), plan(method="whole", epochs=1, batch=8), state=tmp_path / "s",
            identity="a", progress=quiet,
        )  # fmt: skip
        assert (body.module[0].model.get_input_embeddings().weight == tokens).all()  # words unseen stay with their like
        with torch.no_grad():
            fitted = unit(body.embed(np.arange(24)).numpy())
        assert np.abs(fitted - before).max() > 1e-3
        (tmp_path / "out").mkdir()
        body.save(tmp_path / "out")
        np.testing.assert_allclose(
            open_encoder(str(tmp_path / "out"), **settings).encode(texts).vectors, fitted, atol=1e-5
        )
        settings["max_tokens"] = 256  # it still reads as much as before
        assert open_encoder(str(tmp_path / "out"), **settings).card.max_tokens == 256

    def test_a_whole_static_model_is_fitted_as_it_is_used(self, tiny_encoder, tmp_path):
        from indices.tuning_models import WholeBody

        texts = [*texts_of(40), "\u200b"]  # the last has no token
        settings = {"models_dir": tmp_path, "max_tokens": 64, "batch_tokens": 4096}
        before = open_encoder(str(tiny_encoder), **settings).encode(texts).vectors
        body = WholeBody(tiny_encoder, texts, max_tokens=0)
        tune(
            body, lesson_of(before, body.length), plan(method="whole", learning_rate=1e-2), state=tmp_path / "s",
            identity="a", progress=quiet,
        )  # fmt: skip
        import torch

        with torch.no_grad():
            fitted = unit(body.embed(np.arange(40)).numpy())
        (tmp_path / "out").mkdir()
        body.save(tmp_path / "out")
        after = open_encoder(str(tmp_path / "out"), **settings).encode(texts).vectors
        np.testing.assert_allclose(after[:40], fitted, atol=1e-5)
        assert np.abs(after - before).max() > 1e-2

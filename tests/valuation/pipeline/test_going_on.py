"""What a person meets whose first attempt was cut short, or who waits for a long one."""

import json
import shutil

import pytest

from valuation.errors import InputError
from valuation.pipeline import demo as demo_module
from valuation.pipeline import session_register
from valuation.pipeline.embedding import embed_texts
from valuation.pipeline.finished import latest_run
from valuation.storage import make_workspace
from valuation.workspace import Workspace


class Steps:
    def __init__(self):
        self.seen = []

    def stage(self, name):
        self.seen.append(name)

    def advance(self, done, total):
        self.seen.append((done, total))


def test_embedding_tells_how_far_it_is(work, fast, tmp_path):
    steps = Steps()
    layout = make_workspace(tmp_path / "new")
    embed_texts(layout, work.settings, ["Fix a shop", "Write a text"], what="texts", progress=steps)
    assert steps.seen[0] == "embed texts" and steps.seen[-1] == (2, 2)


def test_a_demo_stopped_before_its_world_was_written_goes_on(tmp_path, monkeypatch):
    def stopped(*_args, **_kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr("valuation.simulation.simulate_world", stopped)
    for _ in range(2):  # the second time it gets as far as the first, and does not refuse its own folder
        with pytest.raises(KeyboardInterrupt):
            demo_module.demo(tmp_path / "demo", progress=Steps())


def test_a_demo_leaves_another_workspace_alone(tmp_path):
    make_workspace(tmp_path / "mine")
    with pytest.raises(InputError, match="is a workspace already; nothing was changed"):
        demo_module.demo(tmp_path / "mine", progress=Steps())


@pytest.mark.parametrize("said", ["../elsewhere", "\0" * 17, ""])
def test_a_damaged_note_of_the_latest_run_is_not_followed(work, tmp_path, said):
    layout = make_workspace(tmp_path / "new")
    for folder in (layout.runs, layout.root / "elsewhere"):
        folder.mkdir()
        (folder / "manifest.json").write_text(json.dumps({"run_id": "x"}))
    layout.latest.write_text(said)
    assert latest_run(layout) is None


def test_damaged_register_means_are_named(work, tmp_path):
    run = tmp_path / "run"
    run.mkdir()
    content = (work.run_folder() / "register.npz").read_bytes()
    (run / "register.npz").write_bytes(content[: len(content) // 2])
    with pytest.raises(InputError, match=r"register\.npz: not readable \(BadZipFile\); delete .*run, then"):
        session_register._read_means(run, "")


def test_a_damaged_truth_is_named(work, fast, tmp_path):
    shutil.copytree(work.layout.root, tmp_path / "copy")
    (tmp_path / "copy" / "truth.json").write_text("{")
    with pytest.raises(InputError, match=r"truth\.json: not readable"):
        Workspace(tmp_path / "copy", overrides=fast).report()


def test_where_rates_lie_is_no_part_of_a_run(work, fast):
    elsewhere = Workspace(work.layout.root, overrides=[*fast, "currency.rates_file=private/rates.csv"])
    assert elsewhere.settings.digest() == work.settings.digest()
    assert "private" not in json.dumps(elsewhere.settings.identity())

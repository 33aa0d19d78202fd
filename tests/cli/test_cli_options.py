from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from valuation.cli import interfaces
from valuation.cli.options import EVERYWHERE

LEAVES = [name for name, _, _ in interfaces.leaves()]
OWN_FLAGS = {
    "demo": ["--crawl"],
    "crawl collect": ["--since", "--until"],
    "crawl reparse": [],
    "crawl sources": [],
    "crawl expire": [],
    "crawl new": [],
    "init": ["--key-file"],
    "import postings": ["--map", "--dry-run"],
    "import sessions": ["--map", "--dry-run", "--format"],
    "quarantine show": ["--rows"],
    "quarantine export": ["--out"],
    "quarantine retry": ["--map"],
    "status": [],
    "run": ["--engine"],
    "price": ["--out", "--register", "--source", "--id", "--text"],
    "explain": ["--run"],
    "validate": ["--holdout", "--map"],
    "report": [],
    "placebo": [],
    "sensitivity": [],
    "simulate": ["--out", "--worlds", "--cell", "--seed", "--processes", "--text"],
    "train-encoder": [],
    "export": ["--out", "--tables", "--figures"],
    "audit draw": ["--run", "--per-month", "--month", "--name", "--double", "--dry-run"],
    "audit export": ["--out", "--formats", "--analyst"],
    "audit import": ["--analyst", "--decided-at", "--adjudicated"],
    "audit estimate": ["--adjudicated-first", "--without-adjudications", "--blind-only"],
    "review": ["--host", "--port"],
}


def test_these_are_the_commands():
    assert sorted(LEAVES) == sorted(OWN_FLAGS)


@pytest.mark.parametrize("verb", sorted(OWN_FLAGS))
def test_help_names_every_flag(valuation, verb):
    done = valuation(*verb.split(), "--help")
    assert done.status == 0
    assert done.err == ""
    for flag in [*OWN_FLAGS[verb], "--workspace", "-w", "--set", "--json", "--quiet"]:
        assert f" {flag}" in done.out, flag
    assert max(len(line) for line in done.out.splitlines()) <= 80


def test_help_of_the_whole(valuation):
    done = valuation("--help")
    assert done.status == 0
    for verb in {name.split()[0] for name in OWN_FLAGS}:
        assert f"\n  {verb} " in done.out
    assert "..." not in done.out.replace("COMMAND [ARGS]...", "")


def test_version(valuation):
    from valuation import __version__

    assert valuation("--version").out == f"valuation {__version__}\n"


@pytest.mark.parametrize("place", [0, 1, 2, 3])
@pytest.mark.parametrize("verb", [("status",), ("quarantine", "show")])
def test_options_stand_anywhere(valuation, workspace, monkeypatch, verb, place):
    seen = []
    from valuation.workspace import Workspace

    original = Workspace.__init__

    def spy(self, root, *, overrides=(), progress=None):
        seen.append((str(root), tuple(overrides), type(progress).__name__))
        original(self, root, overrides=overrides, progress=progress)

    monkeypatch.setattr(Workspace, "__init__", spy)
    options = ["--workspace", workspace, "--set", "matching.k=7", "--json", "--quiet"]
    arguments = [*verb[:place], *options, *verb[place:]]
    done = valuation(*arguments)
    assert done.status == 0, done.err
    assert done.data["command"] == " ".join(verb)
    assert done.err == ""
    assert seen == [(str(workspace), ("matching.k=7",), "Silent")]


def test_settings_add_up_and_the_last_workspace_wins(valuation, workspace, monkeypatch):
    seen = []
    from valuation.workspace import Workspace

    original = Workspace.quarantined

    def spy(self, kind=None):
        seen.append((self.settings.matching.k, self.settings.matching.tau, self.settings.bands.level))
        return original(self, kind)

    monkeypatch.setattr(Workspace, "quarantined", spy)
    before = ["-w", "nowhere", "--set", "matching.k=7", "--set", "matching.tau=0.3"]
    between = ["--set", "bands.level=0.8"]
    after = ["--set", "matching.k=9", "-w", workspace]
    done = valuation(*before, "quarantine", *between, "show", *after)
    assert done.status == 0, done.err
    assert seen == [(9, 0.3, 0.8)]


def test_the_workspace_from_the_environment_and_the_current_folder(valuation, workspace, monkeypatch, tmp_path):
    other = tmp_path / "other"
    assert valuation("init", other).status == 0
    monkeypatch.chdir(other)
    assert valuation("status").status == 0
    monkeypatch.chdir("/")
    assert valuation("status").status == 1
    monkeypatch.setenv("VALUATION_WORKSPACE", str(workspace))
    assert valuation("status").status == 0
    assert valuation("status", "-w", tmp_path).status == 1


HEAVY = {
    "numpy", "pandas", "pyarrow", "scipy", "numba", "torch", "sklearn", "faiss", "pandera", "rich", "matplotlib",
    "sentence_transformers", "transformers", "datasketch", "dateparser", "jinja2", "scrapy",
}  # fmt: skip


@pytest.mark.parametrize(
    "arguments", [["--help"], ["--version"], ["run", "--help"], ["import", "postings", "--help"], ["no"]]
)
def test_nothing_heavy_is_imported_before_a_verb_runs(arguments):
    script = (
        "import sys; from valuation.cli.main import main; main(sys.argv[1:])\n"
        "sys.stderr.write('\\n' + ' '.join(sorted({name.partition('.')[0] for name in sys.modules})))"
    )
    done = subprocess.run([sys.executable, "-c", script, *arguments], capture_output=True, text=True, check=True)
    loaded = set(done.stderr.splitlines()[-1].split())
    assert "typer" in loaded
    assert loaded & HEAVY == set()
    # typer itself reads a verb's arguments with pydantic
    assert "pydantic" not in loaded or arguments not in (["--help"], ["--version"])


def test_the_installed_command_is_this_one():
    command = Path(sys.executable).with_name("valuation")
    if not command.exists():
        pytest.skip("not installed as a command here")
    done = subprocess.run([command, "--version"], capture_output=True, text=True, check=True, env=os.environ)
    assert done.stdout.startswith("valuation ")


def test_options_of_every_command_are_those_documented():
    assert list(EVERYWHERE) == ["workspace", "set_", "as_json", "quiet"]

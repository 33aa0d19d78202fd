"""Every example on the pages of commands runs on the demo's workspace, as the pages say."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from valuation.pipeline.demo import SETTINGS
from valuation.pipeline.demo import demo as make_demo
from valuation.progress import Silent
from valuation.simulation import WorldSettings
from valuation.storage import make_workspace

DOCS = Path(__file__).parents[2] / "docs"
PAGES = sorted((DOCS / "commands").glob("*.md"))
SMALL = WorldSettings(postings=420, sessions=240, users=40, months=3)
QUICK = f"{SETTINGS}\n[pricing]\nlexical_components = 32\n\n[bootstrap]\nreplicates = 199\n"
RUN = [*PAGES, DOCS / "tutorial.md"]


@pytest.fixture(scope="session")
def demo(tmp_path_factory, static_models):
    """The demo, with fewer postings, sessions, components and replicates."""
    folder = tmp_path_factory.mktemp("docs") / "demo"
    make_workspace(folder, settings=QUICK)
    shutil.copytree(static_models, folder / "models", dirs_exist_ok=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("valuation.pipeline.demo.SETTINGS", QUICK)
        make_demo(folder, progress=Silent(), world=SMALL)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("page", RUN, ids=lambda page: page.stem)
def test_examples_run(demo, tmp_path, page):
    shutil.copytree(demo, tmp_path / "demo")
    examples = re.findall(r"^```sh\n(.*?)^```$", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    assert examples
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    # servers started in the background end with the examples, whatever happens: they hold the pipes that are read here
    script = "set -euo pipefail\ntrap 'kill $(jobs -p) 2>/dev/null || :' EXIT\n" + "".join(examples)
    # the tutorial's own workspace would make the static encoder again, for a minute; the demo has made the same one,
    # and its settings are quick ones
    made = "valuation init work\ncp -r demo/models work/models\ncp demo/valuation.toml work/valuation.toml\n"
    script = script.replace("valuation init work\n", made)
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=tmp_path,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_the_tutorials_python_runs(demo, tmp_path):
    blocks = re.findall(r"^```python\n(.*?)^```$", (DOCS / "tutorial.md").read_text(encoding="utf-8"), re.DOTALL | re.M)
    assert len(blocks) == 1
    shutil.copytree(demo, tmp_path / "work")
    done = subprocess.run([sys.executable, "-c", blocks[0]], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "value per session" in done.stdout


def test_every_command_is_on_a_page():
    from valuation.cli import interfaces

    text = "".join(page.read_text(encoding="utf-8") for page in PAGES)
    for name, _, _ in interfaces.leaves():
        assert re.search(rf"valuation( -w \w+)?( --json)? {name}\b", text), name


def test_links_between_pages_lead_somewhere():
    for page in DOCS.rglob("*.md"):
        for target in re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8")):
            if "://" not in target:
                assert (page.parent / target).exists(), f"{page.name}: {target}"

"""A small simulated world in a workspace, priced with a real but tiny encoder: for every test that needs a run."""

from __future__ import annotations

import fcntl
import gc
import importlib.util
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from valuation.workspace import Workspace

SUPPORT = Path(__file__).parent / "support" / "tiny_encoder.py"
FAST = (
    "pricing.lexical_components=16",
    "matching.k=10",
    "bootstrap.replicates=199",
    "series.group_by=kind",
)


def pytest_collection_finish() -> None:
    """Leave what was imported and collected out of every later search for garbage: a tenth of the time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


def pytest_unconfigure() -> None:
    """Let the interpreter end as it would: a library that counts what is left then (duckdb's) would complain."""
    gc.unfreeze()


def make_tiny_encoder(folder: Path) -> Path:
    spec = importlib.util.spec_from_file_location("tiny_encoder", SUPPORT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.make_tiny_encoder(folder)


@pytest.fixture(scope="session")
def tiny_encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_encoder(tmp_path_factory.mktemp("encoder") / "tiny")


@pytest.fixture(scope="session")
def static_models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the static encoder, distilled once for all processes of a test run; tests do not change it."""
    from indices.encoders import open_encoder

    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    with (shared / "static.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        open_encoder("static", models_dir=shared / "models", max_tokens=256, batch_tokens=4096)
    return shared / "models"


@pytest.fixture(scope="session")
def fast(tiny_encoder: Path) -> list[str]:
    """Settings of a quick run."""
    return [f"encoder.name={tiny_encoder}", *FAST]


@pytest.fixture(scope="session")
def world_files(tmp_path_factory: pytest.TempPathFactory):
    from valuation.simulation import WorldSettings, simulate_world, write_world

    settings = WorldSettings(postings=700, sessions=420, users=60, months=4, rows_per_fault=1)
    return write_world(simulate_world(settings, seed=5), tmp_path_factory.mktemp("world"))


def filled(root: Path, files, overrides: list[str]) -> Workspace:
    from valuation.imports import import_postings, import_sessions
    from valuation.workspace import Workspace

    work = Workspace.create(root)
    for which, bring in (("postings", import_postings), ("sessions", import_sessions)):
        bring(
            work.layout,
            [str(getattr(files, which))],
            settings=work.settings,
            mapping=getattr(files, f"{which}_map"),
            dry_run=False,
        )
    return Workspace(root, overrides=overrides)


@pytest.fixture(scope="session")
def work(tmp_path_factory: pytest.TempPathFactory, world_files, fast) -> Workspace:
    """A workspace with one finished run; tests read it and do not change its inputs."""
    workspace = filled(tmp_path_factory.mktemp("home") / "work", world_files, fast)
    workspace.run()
    return workspace

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from valuation.cli.main import main

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pandas as pd

    from valuation.workspace import Workspace


@dataclass(frozen=True)
class Done:
    status: int
    out: str
    err: str

    @property
    def data(self) -> dict[str, Any]:
        """The one JSON object on standard output; anything beside it fails."""
        return json.loads(self.out)

    def refused(self, status: int, *expected: str) -> None:
        """One clear line, this exit status, and nothing that looks like a crash."""
        assert self.status == status, self.err
        assert self.err.startswith("error: "), self.err
        assert self.err.count("\n") == 1, self.err
        assert "Traceback" not in self.err + self.out
        for part in expected:
            assert part in self.err


@pytest.fixture
def valuation(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Done]:
    """Run the command line in this process."""
    monkeypatch.delenv("VALUATION_WORKSPACE", raising=False)
    monkeypatch.delenv("VALUATION_DEBUG", raising=False)

    def call(*arguments: object) -> Done:
        capsys.readouterr()
        status = main([str(argument) for argument in arguments])
        said = capsys.readouterr()
        return Done(status, said.out, said.err)

    return call


@pytest.fixture
def workspace(tmp_path: Path, valuation: Callable[..., Done]) -> Path:
    """A new, empty workspace."""
    folder = tmp_path / "workspace"
    assert valuation("init", folder).status == 0
    return folder


@pytest.fixture
def quickly(fast: list[str]) -> list[str]:
    """Flags of a quick, silent run with the tiny encoder."""
    return ["--quiet", *(part for setting in fast for part in ("--set", setting))]


@pytest.fixture
def stocked(work: Workspace, tmp_path: Path) -> Path:
    """A workspace with priced postings and no session yet."""
    root = tmp_path / "stocked"
    shutil.copytree(work.layout.root, root, ignore=shutil.ignore_patterns("runs", "sessions", "imports*", ".lock*"))
    return root


@pytest.fixture
def finished(work: Workspace, tmp_path: Path) -> Path:
    """A copy of a workspace with a finished run, to be damaged."""
    root = tmp_path / "finished"
    shutil.copytree(work.layout.root, root)
    return root


@pytest.fixture(scope="session")
def clean_sessions(world_files) -> pd.DataFrame:
    """Sessions of the simulated world without its faulty rows: four months of 2026, 60 users."""
    import pandas as pd

    rows = pd.read_json(world_files.sessions, lines=True, dtype=False)
    started = pd.to_datetime(rows["started_at"], errors="coerce", utc=True)
    rows = rows[rows["summary"].str.len().gt(20) & started.between("2026-01-01", "2026-05-01")]
    return rows.drop_duplicates("session_id")[["session_id", "user", "started_at", "summary", "kind"]]

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from valuation.cli.main import main

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@dataclass(frozen=True)
class Done:
    status: int
    out: str
    err: str

    @property
    def data(self) -> dict[str, Any]:
        """The one JSON object on standard output; anything beside it fails."""
        return json.loads(self.out)


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

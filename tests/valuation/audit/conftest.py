"""A finished run of a small simulated world, copied so that audits can be drawn in it; and the truth of that world."""

from __future__ import annotations

import shutil
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from valuation.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

START = datetime(2026, 7, 1, 9, 0)  # noqa: DTZ001 - UTC without a zone, as in the log
COLUMNS = ["session_id", "posting_id", "verdict", "price_usd", "better_posting_id", "analyst", "decided_at", "note"]


@pytest.fixture
def home(work: Workspace, tmp_path: Path) -> Workspace:
    """A copy of the workspace with a finished run."""
    root = tmp_path / "home"
    shutil.copytree(work.layout.root, root, ignore=shutil.ignore_patterns("embeddings", "models", ".lock*"))
    return Workspace(root)


@pytest.fixture(scope="session")
def truth() -> pd.Series:
    """True log value of each session of the world; a constant for personal ones, which have none."""
    from valuation.simulation import WorldSettings, simulate_world

    settings = WorldSettings(postings=700, sessions=420, users=60, months=4, rows_per_fault=1)
    return simulate_world(settings, seed=5).truth.sessions.set_index("session_id")["log_value"].fillna(4.0)


def prices_by(
    values: pd.Series, sessions: list[str], *, analyst: str = "Ada", noise: float = 0.0, seed: int = 1
) -> pd.DataFrame:
    """A price on each session as a whole, `values` (log USD) with noise."""
    rng = np.random.default_rng(seed)
    rows = [
        (one, None, "comparable", float(np.exp(values[one] + rng.normal(0, noise))), None, analyst, at(place), None)
        for place, one in enumerate(sessions)
    ]
    return pd.DataFrame(rows, columns=COLUMNS)


def at(place: int) -> str:
    return (START + timedelta(seconds=10 * place)).isoformat() + "Z"


@pytest.fixture
def brought(tmp_path: Path) -> Callable[..., object]:
    """Write rows to a CSV file and import them."""

    def bring(home: Workspace, audit_id: str, rows: pd.DataFrame | list[dict], name: str = "v.csv", **how: object):
        path = tmp_path / name
        pd.DataFrame(rows).to_csv(path, index=False)
        return home.audit_import(audit_id, [str(path)], **how)

    return bring

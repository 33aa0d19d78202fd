"""A finished run on disk: its manifest and tables, read back with what to do where they are damaged."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from valuation.errors import InputError
from valuation.tables import read_table

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from valuation.storage import Layout
    from valuation.tables import Table

NEEDED = ("run_id", "headline", "settings", "calibration", "basket_id")
RUN_ID = re.compile("[0-9a-f]{16}")


def latest_run(layout: Layout) -> str | None:
    """Id of the newest finished run; None before the first."""
    if not layout.latest.is_file():
        return None
    name = layout.latest.read_text(encoding="utf-8", errors="replace").strip()
    return name if RUN_ID.fullmatch(name) and (layout.runs / name / "manifest.json").is_file() else None


def read_manifest(folder: Path) -> dict[str, Any]:
    """Read the manifest of the run in `folder`.

    Raises
    ------
    InputError
        It is damaged, or not a manifest.
    """
    path = folder / "manifest.json"
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: not readable ({error}); {_again(folder)}") from error
    if not isinstance(found, dict) or any(key not in found for key in NEEDED):
        raise InputError(f"{path}: not the manifest of a run; {_again(folder)}")
    return found


def read_run_table(folder: Path, name: str, schema: type[Table]) -> pd.DataFrame:
    """Read one table of the run in `folder`.

    Raises
    ------
    InputError
        It is missing or damaged.
    """
    try:
        return read_table(folder / f"{name}.parquet", schema)
    except InputError as error:
        raise InputError(f"{error}; {_again(folder)}") from error


def read_truth(path: Path) -> dict[str, Any] | None:
    """What a simulated world knows about itself; None of any other.

    Raises
    ------
    InputError
        It is damaged.
    """
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: not readable ({error}); make the demo again in a new folder") from error
    return found


def _again(folder: Path) -> str:
    return f"delete {folder}, then: valuation run"

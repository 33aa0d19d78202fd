"""Writes the golden month's files and figures again: ``make golden``; the diff is for a person to read.

The inputs are a small simulated world; the encoder is the tiny one of the tests. Only rounded figures are kept: what a
change may not move without saying so in the changelog.
"""

import importlib.util
import json
import sys
import tempfile
from pathlib import Path

import pandas as pd

from valuation import Workspace
from valuation.simulation import WorldSettings, simulate_world, write_world

HERE = Path(__file__).parent
SETTINGS = (
    "pricing.lexical_components=16",
    "matching.k=10",
    "bootstrap.replicates=199",
    "series.group_by=kind",
    "disclosure.min_sessions=10",
)


def tiny_encoder(folder: Path) -> Path:
    spec = importlib.util.spec_from_file_location("tiny", HERE.parent / "support" / "tiny_encoder.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.make_tiny_encoder(folder)


def figures(folder: Path) -> dict[str, object]:
    """Import the golden files into a workspace below `folder`, run, and round what comes out."""
    Workspace.create(folder / "work")
    work = Workspace(folder / "work", overrides=[f"encoder.name={tiny_encoder(folder / 'tiny')}", *SETTINGS])
    imported = [
        work.import_postings([str(HERE / "postings.csv")], mapping=HERE / "postings.map.toml"),
        work.import_sessions([str(HERE / "sessions.jsonl")], mapping=HERE / "sessions.map.toml"),
    ]
    run = work.run()
    growth = pd.read_parquet(run.folder / "growth.parquet").round(4)
    series = pd.read_parquet(run.folder / "series.parquet").round(2)
    values = pd.read_parquet(run.folder / "values.parquet").round(2).head(12)
    keep = ["session_id", "matched", "value_usd", "typical_lower", "typical_upper", "single_lower", "single_upper"]
    shown = {
        "counts": [[done.rows_in, done.kept, done.merged, done.quarantined] for done in imported],
        "growth": growth[["group", "statistic", "pricer", "variation", "growth", "lower", "upper"]],
        "series": series[["month", "group", "statistic", "pricer", "n_matched", "value", "index_number", "upper"]],
        "values": values[keep],
    }
    return {
        name: json.loads(part.to_json(orient="values")) if isinstance(part, pd.DataFrame) else part
        for name, part in shown.items()
    }


def main() -> None:
    settings = WorldSettings(postings=300, sessions=240, users=40, months=3, rows_per_fault=1)
    files = write_world(simulate_world(settings, seed=11), HERE)
    for truth in (files.truth, files.true_postings, files.true_sessions):
        truth.unlink()
    with tempfile.TemporaryDirectory() as folder:
        found = figures(Path(folder))
    lines = ",\n ".join(
        f'"{name}": [\n  ' + ",\n  ".join(map(json.dumps, rows)) + "\n ]" for name, rows in found.items()
    )
    (HERE / "figures.json").write_text("{\n " + lines + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())

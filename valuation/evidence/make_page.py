"""The tables of docs/evidence.md, made from the simulation study: ``python -m valuation.evidence.make_page``.

The page keeps its prose; what stands between a table's two markers is written anew. Beside it, as CSV: the whole
study, how often warnings fire, and the same from the first worlds of each kind alone, which tests draw again.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from valuation.errors import InputError
from valuation.evidence.blocks import worlds_of
from valuation.evidence.coverage import study_table, warnings_table
from valuation.evidence.worlds import CELLS
from valuation.evidence.would_warn import RULES
from valuation.progress import Silent
from valuation.tables import write_text

if TYPE_CHECKING:
    from collections.abc import Sequence

SEED = 20260607
CHECKED = 20
"""Worlds of each kind behind the figures that tests draw again."""
SERIES = ("users", "postings", "joint", "doubly_robust")
PAGE = Path("docs/evidence.md")


def make_page(worlds_folder: Path, docs: Path, *, worlds: int, processes: int) -> None:
    """Draw what is missing of the study, and write its tables into ``evidence.md`` and ``evidence/`` under `docs`."""
    frames = worlds_of(worlds_folder, CELLS, worlds=worlds, seed=SEED, processes=processes, progress=Silent())
    study, fired = study_table(CELLS, frames, level="vector"), warnings_table(CELLS, frames, level="vector")
    first = [frame[frame["number"] < CHECKED] for frame in frames]
    for name, table in (
        ("simulation", study),
        ("simulation_warnings", fired),
        ("simulation_first", study_table(CELLS, first, level="vector")),
        ("simulation_warnings_first", warnings_table(CELLS, first, level="vector")),
    ):
        write_text(docs / "evidence" / f"{name}.csv", as_csv(table))
    page = docs / "evidence.md"
    tables = [read_csv(docs, name) for name in ("simulation", "simulation_warnings")]
    write_text(page, filled(page.read_text(encoding="utf-8"), *tables))


def as_csv(table: pd.DataFrame) -> str:
    """A table as CSV, figures to four decimals: what machines agree on."""
    return str(table.to_csv(index=False, float_format="%.4f", lineterminator="\n"))


def read_csv(docs: Path, name: str) -> pd.DataFrame:
    """One of the tables beside the page."""
    return pd.read_csv(docs / "evidence" / f"{name}.csv")


def filled(page: str, study: pd.DataFrame, fired: pd.DataFrame) -> str:
    """The page with its tables made from those beside it.

    Raises
    ------
    InputError
        A marker is missing from the page.
    """
    for name, lines in (
        ("worlds", _worlds(study)),
        ("own", _coverage(study, "pricer")),
        ("true", _coverage(study, "true")),
        ("terms", _terms(study)),
        ("warnings", _warnings(fired)),
    ):
        begin, end = f"<!-- {name}: made by make evidence -->", f"<!-- {name}: end -->"
        if page.count(begin) != 1 or page.count(end) != 1:
            raise InputError(f"docs/evidence.md: expected the markers {begin} and {end}, once each")
        before, rest = page.split(begin)
        page = f"{before}{begin}\n" + "\n".join(lines) + f"\n{end}{rest.split(end)[1]}"
    return page


def _worlds(study: pd.DataFrame) -> list[str]:
    """What each kind of world is, and how many were drawn."""
    counted = study.groupby("world")["worlds"].max().to_dict()
    rows = []
    for cell in CELLS:
        sizes = (cell.options.postings, cell.options.sessions, cell.options.users)
        rows.append([f"`{cell.name}`", cell.what, *sizes, counted.get(cell.name, 0)])
    return _table(("world", "what is special", "postings", "sessions", "users", "worlds drawn"), rows)


def _coverage(study: pd.DataFrame, target: str) -> list[str]:
    """Coverage of each series for one target, beside bias, RMSE and the error claimed of the joint and robust ones."""
    found = {(row["world"], row["series"]): row for row in _records(study) if row["target"] == target}
    rows = []
    for world in dict.fromkeys(world for world, _ in found):
        joint, robust = found[world, "joint"], found[world, "doubly_robust"]
        covered = [_covered(found[world, series]) for series in SERIES]
        rows.append([f"`{world}`", f"{joint['true_growth']:+.3f}", *covered, *_errors(joint), *_errors(robust)])
    names = ("world", "growth", "users only", "postings only", "joint", "doubly robust")
    return _table((*names, "joint: bias", "RMSE", "se", "robust: bias", "RMSE", "se"), rows)


def _terms(study: pd.DataFrame) -> list[str]:
    """Where the mix moves: within and mix; where sessions are unmatched: the truth of all of them."""
    rows = [
        [
            f"`{row['world']}`", row["series"].replace("_", " "), row["target"], f"{row['true_growth']:+.3f}",
            _covered(row), *_errors(row),
        ]
        for row in _records(study)
        if row["series"] in ("within", "mix") or row["target"] == "all"
    ]  # fmt: skip
    return _table(("world", "series", "target", "truth", "coverage", "bias", "RMSE", "se"), rows)


def _warnings(fired: pd.DataFrame) -> list[str]:
    """Share of worlds in which each rule fires."""
    found = {(row["world"], row["rule"]): row["share"] for row in _records(fired)}
    rows = [
        [f"`{world}`", *("–" if found[world, rule] == 0 else f"{found[world, rule]:.0%}" for rule in RULES)]
        for world in dict.fromkeys(world for world, _ in found)
    ]
    return _table(("world", *(f"`{rule}`" for rule in RULES)), rows)


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(name): value for name, value in row.items()} for row in table.to_dict("records")]


def _covered(row: dict[str, Any]) -> str:
    """Coverage with its Monte Carlo error, percent; bold where it is outside 93 to 97."""
    text = f"{100 * row['coverage']:.1f} ± {100 * row['coverage_error']:.1f}"
    failed = f" ({row['failed']} without)" if row["failed"] else ""
    return (text if row["within_limits"] else f"**{text}**") + failed


def _errors(row: dict[str, Any]) -> list[str]:
    """Bias with its Monte Carlo error, RMSE, and the standard error claimed."""
    return [f"{row['bias']:+.3f} ± {row['bias_error']:.3f}", f"{row['rmse']:.3f}", f"{row['standard_error']:.3f}"]


def _table(names: Sequence[str], rows: Sequence[Sequence[object]]) -> list[str]:
    """Markdown: a table."""
    lines = [names, ["---"] * len(names), *rows]
    return ["| " + " | ".join(str(part) for part in line) + " |" for line in lines]


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=make_page.__doc__)
    parser.add_argument("--worlds-folder", type=Path, default=Path("build/evidence"))
    parser.add_argument("--docs", type=Path, default=PAGE.parent)
    parser.add_argument("--worlds", type=int, default=1000)
    parser.add_argument("--processes", type=int, default=2)
    asked = parser.parse_args()
    make_page(asked.worlds_folder, asked.docs, worlds=asked.worlds, processes=asked.processes)


if __name__ == "__main__":
    main()

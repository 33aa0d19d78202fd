"""Takes deleted postings out of what was made of them: vectors, baskets, predictions, runs and their reports."""

from __future__ import annotations

import json
import shutil
from html import escape
from typing import TYPE_CHECKING

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from valuation.errors import EnvironmentFault, InputError
from valuation.pipeline.basket import posting_texts
from valuation.pipeline.finished import read_manifest, read_run_table
from valuation.pipeline.model_store import MEMBERS
from valuation.pipeline.predictions import FILES
from valuation.storage import read_postings, read_sessions
from valuation.tables import Matches, read_table, write_atomic, write_table, write_text
from valuation.tables.lookup import ROW_GROUP
from valuation.tables.withdrawn import Withdrawal, read_withdrawn, withdrawn_line, write_withdrawn

if TYPE_CHECKING:
    from pathlib import Path

    from valuation.collection.retention import Expired
    from valuation.storage import Layout


def text_hashes(postings: pd.DataFrame) -> list[str]:
    """Content hash of each posting's text, as its vector is keyed; blank texts left out."""
    from indices.vector_store import content_hash

    return [content_hash(text) for text in posting_texts(postings) if text.strip()]


def withdraw_vectors(layout: Layout, expired: Expired) -> int:
    """Remove the vectors of deleted texts that no remaining posting or session has; returns how many."""
    from indices.vector_store import content_hash, forget

    gone = set(expired.texts)
    for folder in _folders(layout.indices):
        held = _read(folder / "basket.parquet", ("posting_id", "text"))
        if held is not None:  # as an earlier version of this program may have written the texts
            gone.update(content_hash(text) for text in held.loc[held["posting_id"].isin(expired.posting_ids), "text"])
    folders = _folders(layout.embeddings)
    if not gone or not folders:
        return 0
    gone -= set(text_hashes(read_postings(layout)))
    gone -= {content_hash(text.strip()) for text in read_sessions(layout)["summary"]}
    return sum(forget(gone, folder=folder) for folder in folders)


def withdraw_runs(layout: Layout, expired: Expired) -> dict[str, int]:
    """Mark the runs that used deleted postings, remove their match rows, write their reports again.

    Returns
    -------
    dict of str to int
        Match rows removed now, by run.
    """
    removed = {}
    for folder in _folders(layout.runs):
        if not (folder / "manifest.json").is_file():
            if (folder / "matches.parquet").exists():
                shutil.rmtree(folder)  # never finished, never read
            continue
        manifest = read_manifest(folder)
        members = _read(layout.indices / str(manifest["basket_id"]) / MEMBERS, ("posting_id", "cluster_id"))
        matches = read_run_table(folder, "matches", Matches)
        used, rows = _touched(members, matches, expired)
        if _mark(folder, expired, used, int(rows.sum()), matches):
            if rows.any():
                kept = matches[~rows].reset_index(drop=True)
                write_table(kept, folder / "matches.parquet", Matches, rows_a_group=ROW_GROUP)
            _write_report(layout, folder)
            removed[folder.name] = int(rows.sum())
    return removed


def _touched(members: pd.DataFrame | None, matches: pd.DataFrame, expired: Expired) -> tuple[int, pd.Series[bool]]:
    """Postings of the run that were deleted, and which match rows rest on one: a row is a cluster's mean price."""
    gone = expired.posting_ids
    rows = matches["posting_id"].isin(gone) | matches["cluster_id"].isin(gone)
    if members is None:
        return len((set(matches["posting_id"]) | set(matches["cluster_id"])) & gone), rows
    mine = members["posting_id"].isin(gone)
    return int(mine.sum()), rows | matches["cluster_id"].isin(members.loc[mine, "cluster_id"])


def _mark(folder: Path, expired: Expired, used: int, rows: int, matches: pd.DataFrame) -> bool:
    """Write down, before any row goes, what this deletion takes; tells whether it concerns the run."""
    marks = read_withdrawn(folder)
    if any((one.source, one.deleted_at) == (expired.source, expired.at) for one in marks):
        return True  # by a process that was killed
    if not used and not rows:
        return False
    neighbours = marks[0].neighbours if marks else int(matches["rank"].max()) if len(matches) else 0
    mark = Withdrawal(expired.source, expired.at, expired.hours, max(used, 1), rows, neighbours)
    write_withdrawn(folder, [*marks, mark])
    return True


def _write_report(layout: Layout, folder: Path) -> None:
    """Write the report again from what is left, or say in its place that it could not be."""
    from valuation.pipeline.outputs import write_report

    if not (folder / "report.html").exists():
        return
    try:
        write_report(layout, folder, read_manifest(folder), read_sessions(layout))
    except EnvironmentFault:
        raise
    except Exception:  # noqa: BLE001 - whatever stops it, the old page must not stay
        line = withdrawn_line(read_withdrawn(folder))
        write_text(folder / "report.html", _PAGE.format(run=escape(folder.name), line=escape(line)))


_PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>Report withdrawn</title></head>
<body><h1>The report of run {run} was withdrawn</h1>
<p>{line}. It cannot be written again from what is left; make a new run with <code>valuation run</code>.</p>
</body></html>
"""


def withdraw_predictions(layout: Layout, expired: Expired) -> int:
    """Remove held-out predictions of clusters that hold a deleted posting; returns how many.

    Raises
    ------
    InputError
        Such a table is damaged; the message says to delete it.
    """
    removed = 0
    for folder in _folders(layout.root / "validation"):
        for name, schema in FILES.items():
            if not (folder / name).exists():
                continue
            try:
                table = read_table(folder / name, schema)
            except InputError as error:
                raise InputError(f"{error}; delete this file: valuation validate makes it anew") from error
            gone = table["members"].map(lambda ids: bool(expired.posting_ids & set(json.loads(ids)))).astype(bool)
            left = _renamed_units(table[~gone].reset_index(drop=True), expired)
            if not left.equals(table):
                write_table(left, folder / name, schema)
            removed += int(gone.sum())
    return removed


def _renamed_units(left: pd.DataFrame, expired: Expired) -> pd.DataFrame:
    """Name a unit that was named after a deleted posting after the smallest that is left."""
    smallest = left.groupby("unit")["cluster_id"].transform("min")
    return left.assign(unit=left["unit"].where(~left["unit"].isin(expired.posting_ids), smallest))


def withdraw_baskets(layout: Layout, expired: Expired) -> int:
    """Remove the baskets and indices that hold a deleted posting; returns how many.

    Of a basket that a run was made on, the list of its other postings stays: a later deletion goes by it.
    """
    named = {str(read_manifest(path.parent)["basket_id"]) for path in layout.runs.glob("*/manifest.json")}
    return sum(_withdraw_basket(folder, expired, needed=folder.name in named) for folder in _folders(layout.indices))


def _withdraw_basket(folder: Path, expired: Expired, *, needed: bool) -> bool:
    finished = (folder / "basket.json").is_file()
    members = _read(folder / MEMBERS, ("posting_id", "cluster_id"))
    if finished and members is None:
        members = _read(folder / "basket.parquet", ("posting_id", "cluster_id"))
    gone = None if members is None else members["posting_id"].isin(expired.posting_ids)
    if finished and gone is not None and not gone.any() and not members["cluster_id"].isin(expired.posting_ids).any():  # type: ignore[index]
        return False
    try:
        (folder / "basket.json").unlink(missing_ok=True)  # from now on it is not there for anyone
        for path in folder.iterdir():
            if path.name != MEMBERS:
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        if needed and members is not None and gone is not None:
            _write_members(folder, members[~gone], members.loc[gone, "cluster_id"])
        else:
            shutil.rmtree(folder)
    except OSError as error:
        raise EnvironmentFault(
            f"{error.filename}: cannot be removed: {error.strerror}; run the command again"
        ) from error
    return finished


def _write_members(folder: Path, left: pd.DataFrame, broken: pd.Series[str]) -> None:
    """Keep the other postings; those whose cluster has lost one stand for themselves: its match rows are gone."""
    alone = left["cluster_id"].isin(broken)
    table = pa.Table.from_pandas(
        left.assign(cluster_id=left["cluster_id"].where(~alone, left["posting_id"])), preserve_index=False
    )
    write_atomic(folder / MEMBERS, lambda to: pq.write_table(table, to, compression="zstd"))


def _folders(below: Path) -> list[Path]:
    return sorted(path for path in below.iterdir() if path.is_dir()) if below.is_dir() else []


def _read(path: Path, columns: tuple[str, ...]) -> pd.DataFrame | None:
    """Some columns of a file of ours; None if it is not there.

    Raises
    ------
    InputError
        It is damaged.
    """
    try:
        found: pd.DataFrame = pq.ParquetFile(path).read(columns=list(columns)).to_pandas()
    except FileNotFoundError:
        return None
    except (pa.ArrowException, OSError, KeyError) as error:
        reason = " ".join(str(error).split())[:120]
        raise InputError(f"{path}: not readable ({reason}); delete {path.parent} and it is made anew") from error
    return found

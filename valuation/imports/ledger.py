"""What has been imported: the ledger, the quarantine, and which rows each import brought.

Order of writing: quarantine, provenance, the table, the ledger last (a retry empties the quarantine after the table
is written, so that a row is at no time in neither). An import counts only once it stands in the
ledger; one that was cut short leaves files that the next import of the same file completes, and any other removes.
"""

from __future__ import annotations

import contextlib
import json
import math
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pandera.pandas as pa
import pyarrow.parquet as pq
from pandera.typing import Series
from pyarrow import ArrowInvalid

from valuation.errors import InputError
from valuation.imports.cells import as_text, missing
from valuation.imports.masking import HASHED, hash_name, mask
from valuation.imports.reasons import MEANINGS, Reason
from valuation.tables import Imports, Quarantine, Table, empty, read_table, typed, write_table

if TYPE_CHECKING:
    from collections.abc import Collection, Hashable, Mapping, Sequence
    from pathlib import Path

    from valuation.imports.raw import Cell, RawTable
    from valuation.storage import Layout


CRAWLED = "crawl:"  # begins the ledger's ``file`` of what a crawl brought: ``crawl:github``


class Provenance(Table):
    """Which rows of a table an import brought: ``imports/<kind>/<import_id>.parquet``."""

    id: Series[str] = pa.Field(unique=True, description="posting_id or session_id")
    kept: Series[bool] = pa.Field(description="new with this import; else merged with a row that was there")


@dataclass(frozen=True, slots=True)
class Entry:
    """One import, ready to be written down.

    Attributes
    ----------
    import_id, kind, file, sha256 : str
        As in the ledger.
    imported_at : datetime
        UTC.
    rows_in : int
        Rows read.
    quarantine : DataFrame
        Quarantine table.
    provenance : DataFrame
        Provenance table.
    """

    import_id: str
    kind: str
    file: str
    sha256: str
    imported_at: datetime
    rows_in: int
    quarantine: pd.DataFrame
    provenance: pd.DataFrame


def read_ledger(layout: Layout) -> pd.DataFrame:
    """All finished imports, in order; an empty table before the first."""
    return read_table(layout.imports, Imports) if layout.imports.exists() else empty(Imports)


def provenance_path(layout: Layout, kind: str, import_id: str) -> Path:
    """Where the rows of one import are listed."""
    return layout.root / "imports" / kind / f"{import_id}.parquet"


def read_provenance(layout: Layout, kind: str, import_id: str) -> pd.DataFrame:
    """Rows of one import; empty if it never got so far."""
    path = provenance_path(layout, kind, import_id)
    return read_table(path, Provenance) if path.exists() else empty(Provenance)


def read_quarantine(layout: Layout, kind: str, import_id: str) -> pd.DataFrame:
    """Quarantined rows of one import; empty if there are none."""
    path = layout.quarantine(kind, import_id)
    return read_table(path, Quarantine) if path.exists() else empty(Quarantine)


def write_quarantine(layout: Layout, entry: Entry) -> None:
    """Write an import's quarantine: before the rows of a first import, after those of a retry."""
    path = layout.quarantine(entry.kind, entry.import_id)
    if len(entry.quarantine):
        write_table(entry.quarantine, path, Quarantine)
    else:
        path.unlink(missing_ok=True)


def write_provenance(layout: Layout, entry: Entry) -> None:
    """Write which rows an import brings: before the rows themselves."""
    write_table(entry.provenance, provenance_path(layout, entry.kind, entry.import_id), Provenance)


def write_ledger(layout: Layout, entries: Sequence[Entry], *, superseded: Collection[str]) -> None:
    """Add or renew lines of the ledger and drop the superseded ones, then remove what no line stands for."""
    ledger = read_ledger(layout)
    gone = set(superseded)
    lines = [ledger[~ledger["import_id"].isin(gone | {entry.import_id for entry in entries})]]
    lines += [_line(entry, ledger) for entry in entries]
    whole = pd.concat([frame for frame in lines if len(frame)], ignore_index=True)
    whole = whole.sort_values(["imported_at", "kind", "file", "import_id"], ignore_index=True)
    write_table(whole, layout.imports, Imports)
    _tidy(layout, set(whole["import_id"]))


def _tidy(layout: Layout, known: Collection[str]) -> None:
    """Remove details of imports that are not in the ledger: superseded, or cut short."""
    for folder in (layout.root / "quarantine", layout.root / "imports"):
        for path in folder.glob("*/*.parquet"):
            if path.stem not in known:
                with contextlib.suppress(FileNotFoundError):
                    path.unlink()


def mend_ledger(layout: Layout) -> pd.DataFrame:
    """Read the ledger, bringing lines up to date that a retry has left behind, cut short before it wrote them."""
    ledger = read_ledger(layout)
    stale = []
    for line in ledger.to_dict("records"):
        if line["file"].startswith(CRAWLED):
            continue  # a crawl's tables are made anew from its store, never retried
        if _rows_in(layout.quarantine(line["kind"], line["import_id"])) != line["quarantined"]:
            held = read_quarantine(layout, line["kind"], line["import_id"])
            known = read_provenance(layout, line["kind"], line["import_id"])
            names = (line["import_id"], line["kind"], line["file"], line["sha256"])
            stale.append(Entry(*names, line["imported_at"], int(line["rows_in"]), held, known))
    if not stale:
        return ledger
    write_ledger(layout, stale, superseded=())
    return read_ledger(layout)


def _rows_in(path: Path) -> int:
    """Rows of a Parquet file, 0 if there is none."""
    try:
        return int(pq.ParquetFile(path).metadata.num_rows) if path.exists() else 0
    except (ArrowInvalid, OSError) as error:
        raise InputError(f"{path}: not readable as Parquet: {str(error).splitlines()[0]}") from error


def counts(entry: Entry) -> tuple[int, int, int]:
    """Kept, merged and quarantined rows of an import."""
    kept = int(entry.provenance["kept"].sum())
    return kept, entry.rows_in - kept - len(entry.quarantine), len(entry.quarantine)


def _line(entry: Entry, ledger: pd.DataFrame) -> pd.DataFrame:
    """One line of the ledger; a renewed one keeps the time of its import."""
    kept, merged, quarantined = counts(entry)
    before = ledger.loc[ledger["import_id"] == entry.import_id, "imported_at"]
    values = {
        "import_id": entry.import_id, "kind": entry.kind, "file": entry.file, "sha256": entry.sha256,
        "imported_at": before.iloc[0] if len(before) else pd.Timestamp(entry.imported_at),
        "rows_in": entry.rows_in, "kept": kept, "merged": merged, "quarantined": quarantined,
    }  # fmt: skip
    return typed({name: [value] for name, value in values.items()}, Imports)


def quarantine_table(
    raw: RawTable, found: pd.DataFrame, *, import_id: str, file: str, key: bytes, names: Collection[str]
) -> pd.DataFrame:
    """Quarantine table of a file's faulty and broken rows, names hashed and secrets masked.

    Parameters
    ----------
    found : DataFrame
        `reasons.FAULT_COLUMNS`, positions in ``raw.frame``.
    names : collection of str
        Columns that hold people's names.
    """
    rows = np.array(raw.rows, dtype=np.int64)[found["position"].to_numpy()]
    reasons = [Reason(code) for code in found["reason"]] + [Reason.UNREADABLE_ROW] * len(raw.broken)
    cells = [row_json(record, key, names) for record in raw.frame.iloc[found["position"]].to_dict("records")]
    cells += [json.dumps({"unreadable": mask(row.content)}, ensure_ascii=False) for row in raw.broken]
    shown = [None if missing(value) else mask(value) for value in found["value"]]
    hidden = [None if column in names else value for value, column in zip(shown, found["column"], strict=True)]
    table = typed(
        {
            "import_id": [import_id] * len(reasons),
            "file": [file] * len(reasons),
            "row": [*rows.tolist(), *(row.row for row in raw.broken)],
            "column": [*found["column"], *([None] * len(raw.broken))],
            "value": [*hidden, *([None] * len(raw.broken))],
            "expected": [MEANINGS[reason][0] for reason in reasons],
            "reason": [str(reason) for reason in reasons],
            "message": [MEANINGS[reason][1] for reason in reasons[: len(rows)]] + [row.message for row in raw.broken],
            "raw": cells,
        },
        Quarantine,
    )
    return table.sort_values("row", kind="stable", ignore_index=True)


def row_json(record: Mapping[Hashable, Cell], key: bytes, names: Collection[str]) -> str:
    """One row as JSON: what a corrected mapping reads again."""
    plain = {str(name): _plain(cell, key if name in names else None) for name, cell in record.items()}
    return json.dumps(plain, ensure_ascii=False, allow_nan=False)


def _plain(cell: Cell, key: bytes | None) -> Cell:
    """A cell as JSON knows it: masked, or hashed where it names a person."""
    if cell is None or cell is pd.NaT or cell is pd.NA or (isinstance(cell, float) and math.isnan(cell)):
        return None
    if key is not None:
        text = as_text(cell)
        return None if text is None else text if HASHED.fullmatch(text) else f"hashed:{hash_name(key, text)}"
    if isinstance(cell, (bool, np.bool_)):
        return bool(cell)
    if isinstance(cell, (int, np.integer)):
        return int(cell)
    if isinstance(cell, (float, np.floating)):
        return float(cell) if math.isfinite(cell) else str(float(cell))
    return mask(cell.isoformat() if isinstance(cell, (date, datetime)) else str(cell))

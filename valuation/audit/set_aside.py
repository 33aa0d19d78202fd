"""Rows of verdicts that could not be used, written down with their reasons."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from valuation.audit.reasons import MEANINGS, VerdictReason
from valuation.imports.cells import as_text
from valuation.imports.reasons import excerpt
from valuation.tables import Quarantine, empty, read_table, typed, write_table

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import pandas as pd

    from valuation.imports.raw import RawTable
    from valuation.storage import Layout


def read_set_aside(layout: Layout) -> pd.DataFrame:
    """All verdicts that were set aside, of every audit: a Quarantine table."""
    import pandas as pd

    parts = [read_table(path, Quarantine) for path in sorted(layout.quarantine("verdicts").glob("*/*.parquet"))]
    return pd.concat(parts, ignore_index=True) if parts else empty(Quarantine)


@dataclass(frozen=True, slots=True)
class SetAside:
    """One row: its number in the file from 1, the column, what stood there, what was expected, what is wrong, the code.

    `at` is its position in the file's frame.
    """

    row: int
    column: str
    value: str | None
    expected: str
    message: str
    reason: VerdictReason
    at: int


def write_set_aside(
    layout: Layout, audit_id: str, import_id: str, file: str, raw: RawTable, aside: Sequence[SetAside]
) -> Path | None:
    """Write the quarantine of one file, or remove that of an earlier import of the same file; returns its path."""
    path = layout.quarantine("verdicts") / audit_id / f"{import_id}.parquet"
    n_rows = len(aside) + len(raw.broken)
    if not n_rows:
        path.unlink(missing_ok=True)
        return None
    broken, meaning = raw.broken, MEANINGS[VerdictReason.UNREADABLE_ROW]
    records = raw.frame.to_dict("records")
    cells = [{str(name): as_text(cell) for name, cell in records[one.at].items()} for one in aside]
    cells += [{"unreadable": row.content} for row in broken]
    none = [None] * len(broken)
    table = typed(
        {
            "import_id": [import_id] * n_rows,
            "file": [file] * n_rows,
            "row": [*(one.row for one in aside), *(one.row for one in broken)],
            "column": [*(one.column for one in aside), *none],
            "value": [*(excerpt(one.value) for one in aside), *none],
            "expected": [*(one.expected for one in aside), *[meaning[0]] * len(broken)],
            "reason": [*(one.reason.value for one in aside), *[VerdictReason.UNREADABLE_ROW.value] * len(broken)],
            "message": [*(one.message for one in aside), *(one.message for one in broken)],
            "raw": [json.dumps(one, ensure_ascii=False) for one in cells],
        },
        Quarantine,
    )
    write_table(table.sort_values("row", kind="stable", ignore_index=True), path, Quarantine)
    return path

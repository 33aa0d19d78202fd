"""A corrected mapping reads the quarantined rows again, and only them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING

import pandas as pd

from valuation.errors import InputError
from valuation.imports.importing import Job, absorb, file_report, person_columns, read_table_of, write_table_of
from valuation.imports.ledger import (
    CRAWLED,
    Entry,
    Provenance,
    mend_ledger,
    quarantine_table,
    read_provenance,
    read_quarantine,
    write_ledger,
    write_provenance,
    write_quarantine,
)
from valuation.imports.mapping import used_columns
from valuation.imports.raw import RawTable, object_frame
from valuation.imports.report import ImportReport
from valuation.tables import typed

if TYPE_CHECKING:
    from valuation.imports.built import Built, Context
    from valuation.imports.mapping import Mapping
    from valuation.imports.report import FileReport
    from valuation.storage import Layout

_UNREADABLE = "unreadable"


def retry_imports(
    layout: Layout, kind: str, mapping: Mapping, build: Callable[..., Built], *, context: Context
) -> ImportReport:
    """Retry every import of a kind whose quarantined rows have the mapping's columns.

    Raises
    ------
    InputError
        None has them, or nothing is quarantined.
    """
    ledger = mend_ledger(layout)
    of_files = (ledger["kind"] == kind) & ~ledger["file"].str.startswith(CRAWLED)
    lines = [line for _, line in ledger[of_files].iterrows()]
    waiting = [(line, held) for line in lines if len(held := read_quarantine(layout, kind, line["import_id"]))]
    if not waiting:
        raise InputError(
            f"no imported {kind} are quarantined: there is nothing to retry (what crawls brought is read again with "
            "valuation crawl reparse)"
        )
    wanted = {theirs for _, theirs in used_columns(mapping)}
    fitting = [(line, held) for line, held in waiting if wanted <= set(_rows(held).frame.columns)]
    if not fitting:
        have = set().union(*(_rows(held).frame.columns for _, held in waiting))
        gone = sorted(wanted - have) or sorted(wanted)
        raise InputError(f"no quarantined {kind} have the column {gone[0]!r}, which the mapping names")
    reports = [_retry_one(layout, kind, line, held, mapping, build, context) for line, held in fitting]
    return ImportReport(kind, False, tuple(reports))


def _retry_one(
    layout: Layout, kind: str, line: pd.Series, held: pd.DataFrame, mapping: Mapping, build: Callable[..., Built],
    context: Context,
) -> FileReport:  # fmt: skip
    """Retry one import: build, combine, rewrite its quarantine and provenance, its line in the ledger last."""
    raw = _rows(held)
    job = Job(line["file"], line["sha256"], raw, mapping, False, build)
    built = build(raw, mapping, file=job.file, context=context)
    earlier = read_provenance(layout, kind, line["import_id"])
    table, fresh = absorb(kind, read_table_of(layout, kind), built.table, earlier)
    still = quarantine_table(
        raw, built.faults, import_id=line["import_id"], file=job.file, key=context.key, names=person_columns(job)
    )
    unreadable = held[held["raw"].map(_is_unreadable)]
    still = pd.concat([part for part in (still, unreadable) if len(part)] or [still], ignore_index=True)
    still = still.sort_values("row", kind="stable", ignore_index=True)
    entry = Entry(
        line["import_id"], kind, job.file, job.sha256, line["imported_at"], int(line["rows_in"]), still,
        _joined(earlier, fresh),
    )  # fmt: skip
    write_provenance(layout, entry)
    write_table_of(layout, kind, table)
    write_quarantine(layout, entry)
    write_ledger(layout, [entry], superseded=())
    return file_report(job, entry, built)


def _joined(earlier: pd.DataFrame, fresh: pd.DataFrame) -> pd.DataFrame:
    """Provenance of an import after a retry: a row counts as kept if any run of it brought it."""
    whole = pd.concat([part for part in (earlier, fresh) if len(part)] or [earlier], ignore_index=True)
    whole = whole.sort_values("kept", ascending=False, kind="stable").drop_duplicates("id").sort_values("id")
    return typed({"id": whole["id"].reset_index(drop=True), "kept": whole["kept"].reset_index(drop=True)}, Provenance)


def _rows(held: pd.DataFrame) -> RawTable:
    """Quarantined rows as they stood in their file."""
    readable = held[~held["raw"].map(_is_unreadable)]
    frame = object_frame([json.loads(text) for text in readable["raw"]])
    return RawTable(frame, tuple(int(row) for row in readable["row"]), (), "", ())


def _is_unreadable(raw: str) -> bool:
    return set(json.loads(raw)) == {_UNREADABLE}

"""One file after another: read, build, combine with what is there, write. The entry points call this."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from valuation.errors import InputError
from valuation.imports.built import Built, combine
from valuation.imports.given import refuse_clashes
from valuation.imports.guess import lines_of
from valuation.imports.ledger import (
    Entry,
    Provenance,
    counts,
    mend_ledger,
    provenance_path,
    quarantine_table,
    read_ledger,
    read_provenance,
    read_quarantine,
    write_ledger,
    write_provenance,
    write_quarantine,
)
from valuation.imports.mapping import digest, used_columns
from valuation.imports.names import names_person
from valuation.imports.reasons import MEANINGS, Reason
from valuation.imports.report import FileReport, ImportReport
from valuation.imports.sessions import agree
from valuation.storage import read_postings, read_sessions, write_postings, write_sessions
from valuation.tables import typed

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from valuation.imports.built import Context
    from valuation.imports.mapping import Mapping
    from valuation.imports.raw import RawTable
    from valuation.storage import Layout

ID_COLUMN = {"postings": "posting_id", "sessions": "session_id"}
SCHEMA_VERSION = "3"  # part of every import_id: raised when the same file and mapping would give other rows


@dataclass(frozen=True, slots=True)
class Job:
    """A file that is read and knows its mapping.

    Attributes
    ----------
    file, sha256 : str
        Name and hash of the content.
    raw : RawTable
        Its rows.
    mapping : Mapping
        Given or guessed.
    guessed : bool
        Which of the two.
    build : callable
        ``build(raw, mapping, file=, context=)``.
    notes : tuple of str
        What the guess did not take.
    """

    file: str
    sha256: str
    raw: RawTable
    mapping: Mapping
    guessed: bool
    build: Callable[..., Built]
    notes: tuple[str, ...] = ()


def run_jobs(
    layout: Layout, kind: str, jobs: Sequence[Job], *, context: Context, rates_digest: str, dry_run: bool
) -> ImportReport:
    """Import files in the order given. All are read before the first is written: one refused file stops them all."""
    ledger = mend_ledger(layout)
    ids = [_import_id(kind, job, rates_digest) for job in jobs]
    here = [_is_here(layout, kind, one, ledger) for one in ids]
    built = [None if known else _build(job, context) for job, known in zip(jobs, here, strict=True)]
    _refuse_clashes(layout, kind, jobs, built, ledger)
    todo = zip(jobs, ids, built, strict=True)
    reports = [_import_one(layout, kind, job, one, rows, context, dry_run) for job, one, rows in todo]
    return ImportReport(kind, dry_run, tuple(reports))


def _refuse_clashes(
    layout: Layout, kind: str, jobs: Sequence[Job], built: Sequence[Built | None], ledger: pd.DataFrame
) -> None:
    """Refuse ids that were taken unasked and stand for other rows already, here or in a file before."""
    asked = [bool(job.guessed and _given(kind, job)) for job in jobs]
    if not any(asked):
        return
    column, there = ID_COLUMN[kind], read_table_of(layout, kind)
    before: list[pd.DataFrame] = []
    for job, rows, unasked in zip(jobs, built, asked, strict=True):
        if rows is None:
            continue
        if unasked:
            older = ledger[(ledger["kind"] == kind) & (ledger["sha256"] == job.sha256)]
            current = without(layout, kind, there, set(older["import_id"]))
            for earlier in (current, *before):
                refuse_clashes(earlier, rows.table, column, file=job.file, theirs=_given(kind, job)[0])
        before.append(rows.table)


def _given(kind: str, job: Job) -> tuple[str, ...]:
    """The file's columns of ids."""
    columns: tuple[str, ...] = getattr(job.mapping.columns, ID_COLUMN[kind])
    return columns


def columns_not_read(job: Job) -> tuple[str, ...]:
    """The file's columns that nothing was taken from: of sessions, all that are not mapped are attributes."""
    read = {theirs for _, theirs in used_columns(job.mapping)}
    if job.mapping.kind == "sessions":
        attributes = job.mapping.options.attributes
        read |= set(job.raw.frame.columns if attributes is None else attributes)
    return tuple(str(name) for name in job.raw.frame.columns if name not in read)


def _import_id(kind: str, job: Job, rates_digest: str) -> str:
    """Hash of all that decides what an import brings."""
    key = "|".join((SCHEMA_VERSION, kind, job.sha256, digest(job.mapping), rates_digest))
    return hashlib.sha256(key.encode()).hexdigest()[:16]


def _is_here(layout: Layout, kind: str, import_id: str, ledger: pd.DataFrame) -> bool:
    """Whether the same file is already here, read with the same mapping and rates."""
    return import_id in set(ledger["import_id"]) and provenance_path(layout, kind, import_id).exists()


def _build(job: Job, context: Context) -> Built:
    return guarded(job, context) if job.guessed else built_as_mapped(job, context)


def built_as_mapped(job: Job, context: Context) -> Built:
    """Build with a mapping's columns, rows that cannot be used set aside."""
    return job.build(job.raw, job.mapping, file=job.file, context=context)


def _import_one(
    layout: Layout, kind: str, job: Job, import_id: str, built: Built | None, context: Context, dry_run: bool
) -> FileReport:
    """Combine one file's rows with what is there, and write; an earlier reading of the same file is superseded."""
    ledger = read_ledger(layout)
    if built is None or _is_here(layout, kind, import_id, ledger):
        return _unchanged(layout, kind, job, import_id)
    older = ledger[(ledger["kind"] == kind) & (ledger["sha256"] == job.sha256) & (ledger["import_id"] != import_id)]
    current = without(layout, kind, read_table_of(layout, kind), set(older["import_id"]))
    table, provenance = absorb(kind, current, built.table, read_provenance(layout, kind, import_id))
    held = quarantine_table(
        job.raw, built.faults, import_id=import_id, file=job.file, key=context.key, names=person_columns(job)
    )
    rows_in = len(job.raw.frame) + len(job.raw.broken)
    entry = Entry(import_id, kind, job.file, job.sha256, context.now, rows_in, held, provenance)
    if not dry_run:
        write_quarantine(layout, entry)
        write_provenance(layout, entry)
        write_table_of(layout, kind, table)
        write_ledger(layout, [entry], superseded=set(older["import_id"]))
    return file_report(job, entry, built)


def guarded(job: Job, context: Context) -> Built:
    """Build with guessed columns: refuse what a mapping might allow.

    Raises
    ------
    InputError
        A line of a mapping is missing, for the file or for some rows, or no row could be used.
    """
    known = f"; the rest as guessed: {lines_of(job.mapping)}"
    try:
        built = job.build(job.raw, job.mapping, file=job.file, context=context)
    except InputError as error:
        raise InputError(f"{error}{known}") from error
    counted = Counter(built.faults["reason"])
    for reason, line in _MISSING_LINES.items():
        if counted[reason]:
            raise InputError(
                f"{job.file}: {counted[reason]} rows: {MEANINGS[reason][1]}; write one line under [constants] in a "
                f"mapping: {line}{known}"
            )
    if not len(built.table):
        reason = Reason(max(counted, key=lambda code: (counted[code], code)))
        raise InputError(f"{job.file}: no row can be used: {MEANINGS[reason][1]} ({counted[reason]} rows){known}")
    return built


_MISSING_LINES = {
    Reason.NO_PRICE_TYPE: 'price_type = "fixed" or price_type = "hourly", for rows that do not say',
    Reason.NO_CURRENCY: 'currency = "USD", for rows that do not say',
}


def person_columns(job: Job) -> frozenset[str]:
    """Columns that hold people's names: those mapped to a user or client, and those that go by such a name."""
    mapped = {theirs for ours, theirs in used_columns(job.mapping) if ours in ("client_id", "user")}
    return frozenset(mapped | {str(name) for name in job.raw.frame.columns if names_person(str(name))})


def read_table_of(layout: Layout, kind: str) -> pd.DataFrame:
    """Postings or sessions as they are now."""
    return read_postings(layout) if kind == "postings" else read_sessions(layout)


def write_table_of(layout: Layout, kind: str, table: pd.DataFrame) -> None:
    """Replace postings or sessions."""
    (write_postings if kind == "postings" else write_sessions)(layout, table)


def without(layout: Layout, kind: str, current: pd.DataFrame, superseded: Collection[str]) -> pd.DataFrame:
    """Drop the rows that only superseded imports of the same file brought."""
    if not superseded:
        return current
    ledger = read_ledger(layout)
    others = ledger.loc[(ledger["kind"] == kind) & ~ledger["import_id"].isin(superseded), "import_id"]
    mine = {row for old in superseded for row in read_provenance(layout, kind, old)["id"]}
    theirs = {row for other in others for row in read_provenance(layout, kind, other)["id"]}
    return current[~current[ID_COLUMN[kind]].isin(mine - theirs)].reset_index(drop=True)


def absorb(
    kind: str, current: pd.DataFrame, incoming: pd.DataFrame, unfinished: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Combine incoming rows with those that are there.

    Of two rows with one id the one collected later stays, of two collected at the same time, or at times unknown, the
    one imported later. An id that an unfinished run of the same import brought counts as new.

    Returns
    -------
    (DataFrame, DataFrame)
        The whole table, and the import's provenance.
    """
    column = ID_COLUMN[kind]
    there = incoming[column].isin(current[column]) & ~incoming[column].isin(unfinished.loc[unfinished["kept"], "id"])
    current, incoming = agree(current, incoming) if kind == "sessions" else (current, incoming)
    table = combine(current, incoming, column, _newer(kind, current, incoming))
    provenance = typed({"id": incoming[column], "kept": ~there}, Provenance)
    return table, provenance.sort_values("id", ignore_index=True)


def _newer(kind: str, current: pd.DataFrame, incoming: pd.DataFrame) -> np.ndarray:
    """Whether each incoming row wins over the row of its id that is there."""
    if kind != "postings":
        return np.ones(len(incoming), dtype=bool)
    known = incoming[["posting_id"]].merge(current[["posting_id", "crawled_at"]], how="left", on="posting_id")
    return ~(known["crawled_at"] > incoming["crawled_at"].reset_index(drop=True)).to_numpy()


def _unchanged(layout: Layout, kind: str, job: Job, import_id: str) -> FileReport:
    """Report of a file that is already here."""
    line = next(line for line in read_ledger(layout).to_dict("records") if line["import_id"] == import_id)
    reasons = _by_count(read_quarantine(layout, kind, import_id)["reason"])
    numbers = (int(line["rows_in"]), int(line["kept"]), int(line["merged"]), int(line["quarantined"]))
    shown, notes = used_columns(job.mapping), job.raw.notes + job.notes
    return FileReport(
        job.file, import_id, *numbers, True, shown, job.guessed, reasons, (), (), notes, columns_not_read(job)
    )


def file_report(job: Job, entry: Entry, built: Built) -> FileReport:
    """Report of a file that has been read."""
    return FileReport(
        job.file, entry.import_id, entry.rows_in, *counts(entry), False, used_columns(job.mapping), job.guessed,
        _by_count(entry.quarantine["reason"]), built.parsed_forms, built.unparsed_forms,
        job.raw.notes + built.notes + job.notes, columns_not_read(job),
    )  # fmt: skip


def _by_count(values: pd.Series[str]) -> tuple[tuple[str, int], ...]:
    """Values with their counts, most frequent first."""
    return tuple(sorted(Counter(values).items(), key=lambda item: (-item[1], item[0])))

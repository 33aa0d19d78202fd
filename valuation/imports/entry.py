"""The entry points: what the command line and the facade call."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import pandas as pd

from valuation.errors import InputError
from valuation.imports.built import Context
from valuation.imports.guess import guess_postings, guess_sessions
from valuation.imports.importing import Job, built_as_mapped, guarded, run_jobs
from valuation.imports.ledger import read_ledger, read_quarantine
from valuation.imports.mapping import (
    Options,
    PostingsMapping,
    SessionConstants,
    SessionsMapping,
    load_postings_mapping,
    load_sessions_mapping,
)
from valuation.imports.postings import build_postings
from valuation.imports.rates import rates_digest, rates_path, user_rates
from valuation.imports.reading import fetch, read_source
from valuation.imports.retrying import retry_imports
from valuation.imports.sessions import build_sessions
from valuation.imports.transcripts import is_transcript, read_folder, read_transcripts, transcript_mapping
from valuation.storage import read_key
from valuation.tables import Quarantine, empty

if TYPE_CHECKING:
    from collections.abc import Sequence

    from valuation.config import Settings
    from valuation.imports.report import ImportReport
    from valuation.storage import Layout

KINDS = ("postings", "sessions")
FORMATS = ("auto", "table", "claude-code")
Kind = Literal["postings", "sessions"]


@dataclass(frozen=True, slots=True)
class PostingsFile:
    """A file of postings that was read and not imported; ``rows_in = len(table) + merged + quarantined``.

    Attributes
    ----------
    table : DataFrame
        Its usable postings, one an id, ordered by id.
    rows_in, merged, quarantined : int
        Rows of the file; those that repeat another; those that cannot be used.
    """

    table: pd.DataFrame
    rows_in: int
    merged: int
    quarantined: int


def import_postings(
    layout: Layout,
    files: Sequence[str],
    *,
    settings: Settings,
    mapping: Path | None,
    dry_run: bool,
    now: datetime | None = None,
) -> ImportReport:
    """Import files of postings into the workspace.

    Parameters
    ----------
    layout : Layout
        The workspace; the caller holds it.
    files : sequence of str
        Paths or fsspec URLs of CSV, JSON, JSON Lines, Excel or Parquet files, each also gzipped.
    mapping : Path, optional
        A mapping file; without one the columns are guessed.
    dry_run : bool
        Read and report only.
    now : datetime, optional
        Time of the import; later dates are quarantined. The clock by default.

    Raises
    ------
    InputError
        A file that cannot be read, or a line of a mapping that is missing.
    ConfigError
        A mapping, or the rates file, is wrong.
    """
    given = load_postings_mapping(mapping) if mapping else None
    jobs = [_postings_job(file, given) for file in files]
    return _run(layout, "postings", jobs, settings, dry_run=dry_run, now=now)


def read_postings_file(
    layout: Layout, file: str, *, settings: Settings, mapping: Path | None, now: datetime | None = None
) -> PostingsFile:
    """Read a file of postings as `import_postings` does; nothing is written.

    Raises
    ------
    InputError
        The file cannot be read, a line of a mapping is missing, or no row can be used.
    """
    job = _postings_job(file, load_postings_mapping(mapping) if mapping else None)
    context = _context(layout, settings, now)
    build = guarded if job.guessed else built_as_mapped
    built = build(job, context)
    if not len(built.table):
        raise InputError(
            f"{job.file}: no row can be used; see why with: valuation import postings {job.file} --dry-run"
        )
    table = built.table.sort_values("posting_id", ignore_index=True)
    rows_in = len(job.raw.frame) + len(job.raw.broken)
    return PostingsFile(table, rows_in, built.merged, len(built.faults) + len(job.raw.broken))


def import_sessions(
    layout: Layout,
    paths: Sequence[str],
    *,
    settings: Settings,
    mapping: Path | None,
    file_format: str = "auto",
    dry_run: bool,
    now: datetime | None = None,
) -> ImportReport:
    """Import files of sessions, or folders of transcripts, into the workspace.

    Parameters
    ----------
    file_format : {"auto", "table", "claude-code"}
        ``auto``: a folder, or a ``.jsonl`` file of transcript lines, is ``claude-code``; all else is a table.

    See `import_postings` for the others.
    """
    if file_format not in FORMATS:
        raise InputError(f"--format {file_format[:40]}: expected one of {', '.join(FORMATS)}")
    given = load_sessions_mapping(mapping) if mapping else None
    jobs = [_sessions_job(path, given, file_format) for path in paths]
    return _run(layout, "sessions", jobs, settings, dry_run=dry_run, now=now)


def quarantined(layout: Layout, kind: str | None = None) -> pd.DataFrame:
    """All quarantined rows of finished imports, of one kind or of both, as a Quarantine table."""
    ledger = read_ledger(layout)
    wanted = ledger[ledger["kind"].isin([_known(kind)] if kind else KINDS)]
    pairs = zip(wanted["kind"], wanted["import_id"], strict=True)
    parts = [part for one, import_id in pairs if len(part := read_quarantine(layout, one, import_id))]
    return pd.concat(parts, ignore_index=True) if parts else empty(Quarantine)


def retry(layout: Layout, kind: str, *, settings: Settings, mapping: Path, now: datetime | None = None) -> ImportReport:
    """Read the quarantined rows of a kind again with a corrected mapping.

    Rows that now succeed move from quarantined to kept or merged; ledger and quarantine are rewritten. Imports whose
    rows lack the mapping's columns stay as they are.

    Raises
    ------
    InputError
        No quarantined row has the mapping's columns.
    """
    loaded = load_postings_mapping(mapping) if _known(kind) == "postings" else load_sessions_mapping(mapping)
    build = build_postings if kind == "postings" else build_sessions
    return retry_imports(layout, kind, loaded, build, context=_context(layout, settings, now))


def _known(kind: str) -> str:
    if kind not in KINDS:
        raise InputError(f"{kind[:40]!r}: expected postings or sessions")
    return kind


def _context(layout: Layout, settings: Settings, now: datetime | None) -> Context:
    rates = user_rates(rates_path(layout, settings.currency.rates_file))
    return Context(read_key(layout), rates, now or datetime.now(UTC))


def _run(
    layout: Layout, kind: Kind, jobs: Sequence[Job], settings: Settings, *, dry_run: bool, now: datetime | None
) -> ImportReport:
    digest = rates_digest(rates_path(layout, settings.currency.rates_file))
    return run_jobs(layout, kind, jobs, context=_context(layout, settings, now), rates_digest=digest, dry_run=dry_run)


def _postings_job(file: str, given: PostingsMapping | None) -> Job:
    """Read a file and settle its mapping."""
    source = fetch(file)
    raw = read_source(source, given.options if given else Options())
    mapping, notes = (given, ()) if given else guess_postings(raw, file=source.name)
    return Job(source.name, source.sha256, raw, mapping, given is None, build_postings, notes)


def _sessions_job(path: str, given: SessionsMapping | None, file_format: str) -> Job:
    """Read a file or folder and settle its mapping."""
    local = Path(path)
    looks = "://" not in path and (local.is_dir() or (local.suffix == ".jsonl" and is_transcript(local)))
    if file_format == "claude-code" or (file_format == "auto" and looks):
        if not local.exists():
            raise InputError(f"{path}: no such file or folder")
        folder = read_folder(local)
        mapping = transcript_mapping(given.constants if given else SessionConstants())
        return Job(folder.name, folder.sha256, read_transcripts(folder), mapping, False, build_sessions)
    source = fetch(path)
    raw = read_source(source, given.options if given else Options())
    mapping, notes = (given, ()) if given else guess_sessions(raw, file=source.name)
    return Job(source.name, source.sha256, raw, mapping, given is None, build_sessions, notes)

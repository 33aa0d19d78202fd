"""``valuation audit import``: verdicts from files into the log; every row is kept, was there, or is set aside."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from valuation.audit.done import is_done
from valuation.audit.file_report import file_report
from valuation.audit.imported import VerdictImport
from valuation.audit.opening import open_audit
from valuation.audit.prices import gig_prices, gigs_beside, matches_of
from valuation.audit.reasons import VerdictReason
from valuation.audit.tokens import GIG_TOKEN, gigs_by_token, sessions_by_token
from valuation.audit.verdict_rows import COLUMNS, OPTIONAL, Asked, Fault, Row, placed, postings_of, read_row, utc
from valuation.errors import ConfigError, InputError
from valuation.imports.mapping import Options
from valuation.imports.reading import fetch, read_source
from valuation.pipeline.finished import read_manifest
from valuation.storage import read_key
from valuation.verdicts import Entry, open_log, review_url
from valuation.verdicts.entries import check_analyst

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

    from valuation.audit.imported import VerdictFile
    from valuation.audit.opening import Audit
    from valuation.config import Settings
    from valuation.imports.raw import RawTable, Source
    from valuation.storage import Layout
    from valuation.verdicts import VerdictLog

Key = tuple[str, str, str]


@dataclass(slots=True)
class _File:
    """A file on its way: its rows by number, and what became of each."""

    source: Source
    raw: RawTable
    rows: dict[int, Row]
    faults: dict[int, Fault]


def import_verdicts(
    layout: Layout,
    settings: Settings,
    audit_id: str | None,
    files: Sequence[str],
    *,
    analyst: str | None = None,
    decided_at: str | None = None,
    adjudicated: bool = False,
    now: datetime | None = None,
) -> VerdictImport:
    """Append the verdicts of some files to the log; done twice, nothing is added.

    Parameters
    ----------
    files : sequence of str
        Paths or URLs of CSV, Parquet, JSON Lines, JSON or Excel files with the columns of `Verdicts`.
    analyst : str, optional
        Who judged, for rows that do not say.
    decided_at : str, optional
        When, for rows that do not say: ISO 8601, UTC unless it has a zone.
    adjudicated : bool
        The verdicts settle what others disagree on.
    now : datetime, optional
        By default the clock's time.

    Raises
    ------
    InputError
        A file that cannot be read or lacks columns, or no such audit; nothing was changed.
    ConfigError
        `analyst` or `decided_at` cannot be one.
    """
    audit = open_audit(layout, audit_id)
    asked = _asked(layout, audit, analyst, decided_at, utc(now or datetime.now(UTC)))
    read = [_read(file, asked) for file in files]
    matches = matches_of(layout.runs / audit.run_id, audit.wanted)
    _place(layout, audit, read, matches)
    _refuse_conflicts(read)
    new = _appended(layout, settings, audit, read, _ranks(matches), adjudicated=adjudicated)
    reports = tuple(_report(layout, audit, file, new, adjudicated=adjudicated) for file in read)
    totals = {name: sum(getattr(one, name) for one in reports) for name in ("rows_in", "kept", "already_there")}
    return VerdictImport(
        audit.audit_id, adjudicated, **totals, quarantined=sum(one.quarantined for one in reports), files=reports
    )


def _appended(
    layout: Layout,
    settings: Settings,
    audit: Audit,
    read: Sequence[_File],
    ranks: Mapping[tuple[str, str], int],
    *,
    adjudicated: bool,
) -> set[Row]:
    """Append the rows that are new, all or none; returns them."""
    log = open_log(review_url(layout, settings))
    try:
        fresh = _sort_out(read, log.lines(audit_id=audit.audit_id), adjudicated=adjudicated)
        log.append_all([_entry(audit, row, ranks, adjudicated=adjudicated) for row in sorted(fresh, key=_order)])
        if not adjudicated:
            _finish(layout, settings, audit, log, read)
    finally:
        log.close()
    return set(fresh)


def _finish(layout: Layout, settings: Settings, audit: Audit, log: VerdictLog, read: Sequence[_File]) -> None:
    """Mark the sessions that the files' analysts are done with, so that nobody is asked for them again on the pages.

    Also those whose rows were there already: an import that was cut short is made good by the same import.
    """
    rows = [row for file in read for row in file.rows.values()]
    touched = sorted({(row.session_id, row.analyst) for row in rows})
    known = {(one.session_id, one.analyst) for one in log.assignments.all_of(audit.audit_id) if one.finished}
    touched = [pair for pair in touched if pair not in known]
    if not touched:
        return
    folder, wanted = layout.runs / audit.run_id, {session for session, _ in touched}
    shown = gigs_beside(
        layout, folder, read_manifest(folder), wanted, matches_of(folder, wanted), most=settings.review.gigs
    )
    said: dict[tuple[str, str], dict[str, str]] = {}
    when: dict[tuple[str, str], datetime] = {}
    for stored in log.standing(audit_id=audit.audit_id):
        entry, pair = stored.entry, (stored.entry.session_id, stored.entry.analyst)
        if not entry.adjudicates:
            said.setdefault(pair, {})[entry.posting_id] = str(entry.verdict)
            when[pair] = entry.decided_at
    done = {pair: when[pair] for pair in touched if is_done(said.get(pair, {}), shown[pair[0]])}
    if done:
        log.assignments.record(audit.audit_id, done)


def _asked(layout: Layout, audit: Audit, analyst: str | None, decided_at: str | None, now: datetime) -> Asked:
    try:
        name = None if analyst is None else check_analyst(analyst)
    except InputError as error:
        raise ConfigError(f"--analyst: {error}") from error
    try:
        time = None if decided_at is None else utc(datetime.fromisoformat(decided_at))
    except (ValueError, OverflowError) as error:
        raise ConfigError(
            f"--decided-at {decided_at!a}: expected a time in ISO 8601, such as 2026-06-30T14:05:00Z"
        ) from error
    sessions = {session: session for session in audit.wanted}
    return Asked(
        sessions_by_token(read_key(layout), audit.audit_id, audit.wanted) | sessions, name, time, now, text=False
    )


def _read(file: str, asked: Asked) -> _File:
    """Read one file, and say of each row what it says or why it cannot be used."""
    from dataclasses import replace

    source = fetch(file)
    raw = read_source(source, Options())
    missing = [name for name in COLUMNS if name not in raw.frame.columns and name not in OPTIONAL]
    given = {"analyst": asked.analyst, "decided_at": asked.decided_at}
    if lacking := [name for name in missing if given.get(name) is None]:
        ways = {"analyst": "; say --analyst NAME", "decided_at": "; say when with --decided-at TIME"}
        raise InputError(
            f"{source.name}: no column {lacking[0]}{ways.get(lacking[0], '')}; expected the columns "
            f"{', '.join(COLUMNS)} ({', '.join(sorted(OPTIONAL))} may be missing); it has "
            f"{', '.join(str(name)[:40] for name in raw.frame.columns) or 'none'}"
        )
    how = replace(asked, text=bool(raw.delimiter))
    found = [read_row(record, how) for record in raw.frame.to_dict("records")]
    rows = {at: one for at, one in enumerate(found) if isinstance(one, Row)}
    return _File(source, raw, rows, {at: one for at, one in enumerate(found) if isinstance(one, Fault)})


def _place(layout: Layout, audit: Audit, read: Sequence[_File], matches: pd.DataFrame) -> None:
    """Check the postings that rows name, and find those that stand behind the names of an offline page."""
    folder = layout.runs / audit.run_id
    named = {name for file in read for row in file.rows.values() for name in postings_of(row)}
    manifest = read_manifest(folder)
    known = set(gig_prices(layout, manifest, matches, named)["posting_id"])
    tokens: dict[tuple[str, str], str] = {}
    if any(GIG_TOKEN.fullmatch(name) for name in named - known):
        shown = gigs_beside(layout, folder, manifest, audit.wanted, matches)
        pairs = ((session, posting) for session, postings in shown.items() for posting in postings)
        tokens = gigs_by_token(read_key(layout), audit.audit_id, pairs)
    for file in read:
        for at, row in list(file.rows.items()):
            found = placed(row, known, tokens)
            if isinstance(found, Fault):
                del file.rows[at]
                file.faults[at] = found
            else:
                file.rows[at] = found


def _refuse_conflicts(read: Sequence[_File]) -> None:
    """Set aside every row of a key that the files give two different verdicts for."""
    said: dict[Key, set[Row]] = {}
    for file in read:
        for row in file.rows.values():
            said.setdefault(row.key, set()).add(row)
    clashing = {key for key, rows in said.items() if len(rows) > 1}
    for file in read:
        for at, row in list(file.rows.items()):
            if row.key in clashing:
                del file.rows[at]
                file.faults[at] = Fault("verdict", row.verdict, VerdictReason.CONFLICT)


def _sort_out(read: Sequence[_File], lines: pd.DataFrame, *, adjudicated: bool) -> list[Row]:
    """Rows that are new; those that an analyst has overtaken since are set aside.

    A row that the log has, standing or undone, is there already: a file read again does not bring back what was undone.
    """
    mine = lines[(lines["action"] == "verdict") & (lines["adjudicates"] == adjudicated)]
    there = {_row_of(record) for record in mine.to_dict("records")}
    undone = set(lines["undoes"].dropna().astype(int))
    newest: dict[Key, datetime] = {}
    for record in mine[~mine["id"].isin(undone)].to_dict("records"):
        row = _row_of(record)
        newest[row.key] = max(row.decided_at, newest.get(row.key, row.decided_at))
    fresh: dict[Row, None] = {}
    for file in read:
        for at, row in list(file.rows.items()):
            if row in there or row in fresh:
                continue
            if row.key in newest and newest[row.key] > row.decided_at:
                del file.rows[at]
                file.faults[at] = Fault("decided_at", row.decided_at.isoformat(), VerdictReason.SUPERSEDED)
            else:
                fresh[row] = None
    return list(fresh)


def _row_of(record: Mapping[Any, Any]) -> Row:
    """A line of the log as a row of a file would say it."""
    price, better = record["price_usd"], record["better_posting_id"]
    return Row(
        session_id=record["session_id"],
        posting_id=record["posting_id"],
        verdict=record["verdict"],
        price_usd=None if price is None or price != price else float(price),  # noqa: PLR0124 - NaN
        better_posting_id=better if isinstance(better, str) and better else None,
        analyst=record["analyst"],
        decided_at=record["decided_at"].to_pydatetime(),
        note=record["note"],
    )


def _order(row: Row) -> tuple[datetime, str, str, str]:
    """Of appending: by time, so that an analyst's last verdict is the one that stands; then by name."""
    return row.decided_at, *row.key


def _ranks(matches: pd.DataFrame) -> dict[tuple[str, str], int]:
    """Rank of each posting among its session's neighbours."""
    ranks: dict[tuple[str, str], int] = {}
    for name in ("cluster_id", "posting_id"):
        ranks |= dict(
            zip(zip(matches["session_id"], matches[name], strict=True), matches["rank"].tolist(), strict=True)
        )
    return ranks


def _entry(audit: Audit, row: Row, ranks: Mapping[tuple[str, str], int], *, adjudicated: bool) -> Entry:
    better = row.better_posting_id
    return Entry(
        token=_token(audit.audit_id, row, adjudicated=adjudicated),
        session_id=row.session_id,
        analyst=row.analyst,
        decided_at=row.decided_at,
        audit_id=audit.audit_id,
        run_id=audit.run_id,
        settings_hash=audit.settings_hash,
        posting_id=row.posting_id,
        verdict=row.verdict,
        price_usd=row.price_usd,
        better_posting_id=better,
        better_rank=None if better is None else ranks.get((row.session_id, better)),
        note=row.note,
        adjudicates=adjudicated,
        origin="import",
    )


def _token(audit_id: str, row: Row, *, adjudicated: bool) -> str:
    """Hash of the audit and of all that a row says: 64 hex digits."""
    said = [
        audit_id, row.session_id, row.posting_id, row.verdict, row.price_usd, row.better_posting_id, row.analyst,
        row.decided_at.isoformat(), row.note, adjudicated,
    ]  # fmt: skip
    return hashlib.sha256(json.dumps(said, ensure_ascii=True).encode()).hexdigest()


def _report(layout: Layout, audit: Audit, file: _File, new: set[Row], *, adjudicated: bool) -> VerdictFile:
    """Count the rows of a file; the first of two equal rows is the one that was kept."""
    kept = {row for row in file.rows.values() if row in new}
    new -= kept
    return file_report(layout, audit.audit_id, file.source, file.raw, file.faults, kept=len(kept), key=str(adjudicated))

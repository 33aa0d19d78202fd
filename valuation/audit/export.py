"""``valuation audit export``: verdicts for other programs, and a page to judge the sample on without a workspace."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from valuation.audit.exported import LEAVES, AuditExport
from valuation.audit.opening import open_audit
from valuation.errors import ConfigError, EnvironmentFault, InputError
from valuation.tables import Verdicts, write_atomic, write_table, write_text
from valuation.verdicts import open_log, review_url, verdict_frame
from valuation.verdicts.entries import check_analyst

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pandas as pd

    from valuation.audit.opening import Audit
    from valuation.config import Settings
    from valuation.storage import Layout

    PageBuilder = Callable[[Layout, Settings, Audit, str], str]

FORMATS = ("csv", "parquet", "html")


def export_audit(
    layout: Layout,
    settings: Settings,
    audit_id: str | None,
    out: Path,
    *,
    formats: Sequence[str] = FORMATS,
    analyst: str | None = None,
    page: PageBuilder,
) -> AuditExport:
    """Write the verdicts that stand, the adjudications, the whole log, and the offline page.

    Parameters
    ----------
    out : Path
        A folder; made if missing. Files of these names in it are replaced.
    formats : sequence of str
        Of `FORMATS`.
    analyst : str, optional
        Whose name stands on the page already.
    page : callable
        Makes the page of an audit for an analyst (``''``: whoever opens it).

    Raises
    ------
    ConfigError
        A format, or a name, that cannot be.
    InputError
        No such audit, or `out` is a file.
    EnvironmentFault
        `out` cannot be written.
    """
    if unknown := [one for one in formats if one not in FORMATS]:
        raise ConfigError(f"--formats {unknown[0][:40]!a}: expected some of {', '.join(FORMATS)}")
    if analyst is not None:
        _check_name(analyst)
    audit = open_audit(layout, audit_id)
    _make(out)
    log = open_log(review_url(layout, settings))
    try:
        standing, lines = log.standing(audit_id=audit.audit_id), log.lines(audit_id=audit.audit_id)
    finally:
        log.close()
    verdicts, settled = verdict_frame(standing), verdict_frame(standing, adjudicates=True)
    files: list[str] = []
    for kind in formats:
        if kind != "html":
            files += _tables(out, kind, {"verdicts": verdicts, "adjudications": settled}, lines)
    if "html" in formats:
        name = f"audit-{audit.audit_id}.html"
        write_text(out / name, page(layout, settings, audit, analyst or ""))
        files.append(name)
    pages = "html" in formats
    return AuditExport(
        audit.audit_id, out.resolve(), tuple(files), len(verdicts), len(settled), len(lines),
        len(audit.sample) if pages else 0, LEAVES if pages else "",
    )  # fmt: skip


def _check_name(analyst: str) -> None:
    try:
        check_analyst(analyst)
    except InputError as error:
        raise ConfigError(f"--analyst: {error}") from error


def _make(out: Path) -> None:
    if out.exists() and not out.is_dir():
        raise InputError(f"--out {out}: is a file; name a folder")
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise EnvironmentFault(f"--out {out}: cannot be made: {error.strerror}") from error


def _tables(out: Path, kind: str, verdicts: dict[str, pd.DataFrame], lines: pd.DataFrame) -> list[str]:
    """Write every table in one format; returns the names."""
    for name, frame in verdicts.items():
        if kind == "parquet":
            write_table(frame, out / f"{name}.parquet", Verdicts)
        else:
            _csv(frame, out / f"{name}.csv")
    if kind == "parquet":
        table = pa.Table.from_pandas(lines, preserve_index=False)
        write_atomic(out / "log.parquet", lambda to: pq.write_table(table, to, compression="zstd"))
    else:
        _csv(lines, out / "log.csv")
    return [f"{name}.{kind}" for name in (*verdicts, "log")]


def _csv(frame: pd.DataFrame, path: Path) -> None:
    """Write CSV with every digit.

    A text that a spreadsheet would run gets an apostrophe before it, one more where it had some; `audit import` takes
    one away again, so that nothing changes on the way out and in.
    """
    shown = frame.copy()
    for name in shown.columns:
        if str(shown[name].dtype).startswith("datetime"):
            shown[name] = shown[name].map(lambda time: time.isoformat(timespec="microseconds"), na_action="ignore")
        elif shown[name].dtype == object or str(shown[name].dtype) == "str":
            shown[name] = shown[name].map(_disarmed, na_action="ignore")
    text = shown.to_csv(index=False, lineterminator="\n")
    write_text(path, text)


def _disarmed(cell: object) -> object:
    """Keep a spreadsheet from running what a stranger wrote."""
    if not isinstance(cell, str):
        return cell
    return f"'{cell}" if cell.lstrip("'").startswith(("=", "+", "-", "@", "\t", "\r")) else cell

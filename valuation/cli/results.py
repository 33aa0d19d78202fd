"""What the verbs print for people, from what the workspace returns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from valuation.cli.output import grid, indented, paragraph, plain

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from valuation.imports.report import FileReport, ImportReport
    from valuation.pipeline.demo import DemoResult
    from valuation.pipeline.price import PriceResult
    from valuation.pipeline.run import RunResult
    from valuation.pipeline.status import Status

FORMS_SHOWN = 100


@dataclass(frozen=True, slots=True)
class Made:
    """A new workspace."""

    workspace: Path
    settings: Path
    key: Path


@dataclass(frozen=True, slots=True)
class Page:
    """A report's place."""

    report: Path


@dataclass(frozen=True, slots=True)
class Imported:
    """An import's totals beside its files; ``rows_in = kept + merged + quarantined``."""

    kind: str
    dry_run: bool
    rows_in: int
    kept: int
    merged: int
    quarantined: int
    files: tuple[FileReport, ...]


@dataclass(frozen=True, slots=True)
class Reason:
    """Rows of one file set aside for one reason, with the first one's message."""

    file: str
    reason: str
    rows: int
    example: str


@dataclass(frozen=True, slots=True)
class SetAside:
    """What the quarantine holds.

    Attributes
    ----------
    kind : str or None
        postings, sessions, or None for both.
    count : int
        All rows set aside.
    reasons : tuple of Reason
        Most frequent first.
    rows : tuple of dict
        The first rows, by the columns of the table Quarantine.
    """

    kind: str | None
    count: int
    reasons: tuple[Reason, ...]
    rows: tuple[dict[str, object], ...]


@dataclass(frozen=True, slots=True)
class Exported:
    """Where the rows set aside were written."""

    rows: int
    out: Path


def made(result: Made) -> str:
    """Say what was made and what comes next."""
    return (
        f"{result.workspace}\n  settings  {result.settings.name}\n"
        f"  key       {result.key.name}   keep it: without it, names of later imports do not join with these\n"
        f"next: valuation -w {result.workspace} import postings FILE"
    )


def demo(result: DemoResult) -> str:
    """Truth beside estimate; the run folder last."""
    return f"{result.text}\n{result.folder.resolve()}"


def run(result: RunResult) -> str:
    """Headline and, last, the run folder."""
    note = "unchanged: the same inputs and settings as this run\n" if result.unchanged else ""
    return f"{note}{result.headline}\n{result.folder.resolve()}"


def price(result: PriceResult) -> str:
    """Show the counts, what a reader should know and, last, the output's path."""
    names = ("rows", "matched", "unmatched", "unusable")
    counts = grid(("", "texts"), [(name, getattr(result, name)) for name in names])
    note = f"\n{paragraph(f'note: {result.note}')}" if result.note else ""
    return f"{counts}{note}\n{result.out}"


def status(result: Status) -> str:
    """Show the totals, postings by source, sessions by month, rows set aside by reason, the last run."""
    totals = [
        ("postings", result.postings),
        ("sessions", result.sessions),
        ("imports", result.imports),
        ("set aside", result.quarantined),
        ("runs", result.runs),
    ]
    parts = [result.workspace, grid(("", "count"), totals)]
    if result.sources:
        rows = [(s.source, s.postings, s.first_month, s.last_month) for s in result.sources]
        parts.append(grid(("source", "postings", "first month", "last month"), rows))
    if result.months:
        parts.append(grid(("month", "sessions", "users"), [(m.month, m.sessions, m.users) for m in result.months]))
    if result.reasons:
        parts.append(grid(("rows", "set aside because"), _turned(result.reasons)))
    last = f"last run {result.last_run}\n{paragraph(result.headline or '')}" if result.last_run else "no run yet"
    if result.withdrawn:
        last += f"\n{paragraph(f'note: {result.withdrawn}')}"
    return "\n\n".join([*parts, last])


def imported(report: ImportReport) -> Imported:
    """Put the totals beside the files."""
    return Imported(
        kind=report.kind,
        dry_run=report.dry_run,
        rows_in=report.rows_in,
        kept=report.kept,
        merged=report.merged,
        quarantined=report.quarantined,
        files=report.files,
    )


def imports(result: Imported) -> str:
    """Each file's counts, columns, reasons and unread price forms, then the totals."""
    parts = [_file(file) for file in result.files]
    if len(result.files) > 1:
        parts.append(f"all {len(result.files)} files\n{indented(_counts(result))}")
    if result.quarantined and not result.dry_run:
        parts.append(f"see the rows set aside: valuation quarantine show {result.kind}")
    if result.dry_run:
        parts.append("dry run: nothing was written")
    return "\n\n".join(parts)


def _counts(counted: Imported | FileReport) -> str:
    names = ("rows_in", "kept", "merged", "quarantined")
    return grid(("", "rows"), [(name.removeprefix("rows_"), getattr(counted, name)) for name in names])


def _file(file: FileReport) -> str:
    parts = [_counts(file), grid(("column", "read from"), file.columns)]
    if file.reasons:
        parts.append(grid(("rows", "set aside because"), _turned(file.reasons)))
    if file.unparsed_forms:
        parts.append(_forms(file.unparsed_forms))
    if file.notes:
        parts.append("\n".join(paragraph(f"note: {note}") for note in file.notes))
    parts.append(paragraph(f"columns not read: {', '.join(name[:40] for name in file.not_read) or 'none'}"))
    how = "unchanged: already imported" if file.unchanged else "columns guessed" if file.guessed else "columns mapped"
    return f"{file.file} ({how})\n" + indented("\n\n".join(parts))


def _forms(forms: tuple[tuple[str, int], ...]) -> str:
    """List the price texts that gave no price, digits as 9."""
    shown = grid(("rows", "price not read, 9 = a digit"), _turned(forms[:FORMS_SHOWN]))
    more = len(forms) - FORMS_SHOWN
    return shown + (f"\n… and {more:,} more forms: --json lists all" if more > 0 else "")


def _turned(pairs: tuple[tuple[str, int], ...]) -> list[tuple[int, str]]:
    return [(count, what) for what, count in pairs]


def set_aside(quarantined: pd.DataFrame, *, kind: str | None, limit: int) -> SetAside:
    """Count the rows set aside by file and reason, and keep the first `limit` of them."""
    reasons = [
        Reason(file=str(key[0]), reason=str(key[1]), rows=len(rows), example=str(rows["message"].iloc[0]))
        for key, rows in quarantined.groupby(["file", "reason"], sort=True)
    ]
    return SetAside(
        kind=kind,
        count=len(quarantined),
        reasons=tuple(sorted(reasons, key=lambda reason: -reason.rows)),
        rows=tuple(plain(quarantined.head(limit))),
    )


def show(result: SetAside) -> str:
    """Reasons with counts, then single rows."""
    if not result.count:
        return "no rows are set aside"
    total = f"{result.count:,} {'row' if result.count == 1 else 'rows'} set aside"
    reasons = grid(
        ("rows", "reason", "file", "first of them"), [(r.rows, r.reason, r.file, r.example) for r in result.reasons]
    )
    if not result.rows:
        return f"{total}\n\n{reasons}"
    single = grid(
        ("file", "row", "column", "value", "message"),
        [(r["file"], r["row"], r["column"], _excerpt(r["value"]), r["message"]) for r in result.rows],
    )
    more = result.count - len(result.rows)
    rest = f"\n… and {more:,} more: valuation quarantine export --out FILE" if more else ""
    return f"{total}\n\n{reasons}\n\n{single}{rest}"


def _excerpt(value: object) -> str | None:
    """Shorten a stranger's value to a table's cell; the export has it whole."""
    return None if value is None else f"{str(value)[:20]}…" if len(str(value)) > 20 else str(value)


def export(quarantined: pd.DataFrame, out: Path) -> Exported:
    """Write the rows set aside as the ending of `out` says.

    A CSV cell that a spreadsheet would take for a formula gets a leading apostrophe; ``raw`` holds the row as it was.

    Raises
    ------
    ConfigError
        The ending is not known.
    """
    from valuation.pipeline.price import writer_for
    from valuation.tables import write_atomic

    write = writer_for(out)
    frame = _disarmed(quarantined) if ".csv" in [suffix.lower() for suffix in out.suffixes] else quarantined
    write_atomic(out, lambda to: write(frame, to))
    return Exported(rows=len(quarantined), out=out.resolve())


def _disarmed(frame: pd.DataFrame) -> pd.DataFrame:
    """Keep a spreadsheet from running what a stranger wrote."""
    text: pd.DataFrame = frame.select_dtypes("str")
    return frame.assign(**{name: text[name].str.replace(r"^([=+\-@\t\r])", r"'\1", regex=True) for name in text})

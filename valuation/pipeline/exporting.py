"""``valuation export``: a run's tables of figures and its figures as files that other programs read."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import pandas as pd

from valuation.errors import ConfigError, EnvironmentFault, InputError
from valuation.tables import write_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from valuation.report import RunTables
    from valuation.report.blocks import Picture, Section
    from valuation.storage import Layout

CAVEAT = "a relative, coarse measure: never a wage, an invoice or a saving"
MANIFEST = "export.json"
FOLDERS = ("tables", "figures")


@dataclass(frozen=True, slots=True)
class ExportResult:
    """What was written.

    Attributes
    ----------
    run_id : str
    out : Path
        The folder.
    headline : str
        The run's one sentence.
    tables, figures : tuple of str
        Files, relative to `out`.
    empty : tuple of str
        Tables without rows, which are not written, each with the command that fills it.
    withheld : int
        Rows left out, or left without their numbers, under the disclosure minimum.
    """

    run_id: str
    out: Path
    headline: str
    tables: tuple[str, ...]
    figures: tuple[str, ...]
    empty: tuple[str, ...]
    withheld: int

    def text(self) -> str:
        """Counts, what is missing and why, and where the files are."""
        lines = [
            f"run {self.run_id}: {self.headline}",
            f"{len(self.tables):,} files of tables, {len(self.figures):,} of figures; README.md and codebook.csv say "
            "what they hold",
        ]
        if self.withheld:
            lines.append(f"{self.withheld:,} rows are left out or emptied: they are under the disclosure minimum")
        lines += [f"no rows in {name}" for name in self.empty]
        return "\n".join([*lines, CAVEAT, str(self.out)])


def export_run(
    layout: Layout,
    folder: Path,
    manifest: dict[str, Any],
    sessions: pd.DataFrame,
    out: Path,
    *,
    tables: Sequence[str],
    figures: Sequence[str],
) -> ExportResult:
    """Write a run's tables and figures under `out`, with a codebook and a README.

    Parameters
    ----------
    layout : Layout
    folder : Path
        The run's.
    manifest : dict
        Its manifest.
    sessions : DataFrame
        All sessions of the workspace.
    out : Path
        A folder, made if missing; files of an earlier export there are replaced, or removed if they are no longer made.
    tables, figures : sequence of str
        Formats: of tables csv, parquet, dta, tex; of figures svg, pdf, png. Empty = none of that kind.

    Raises
    ------
    ConfigError
        An unknown format, or none at all.
    InputError
        `out` is a file, or a table of the run is damaged.
    EnvironmentFault
        It cannot be written.
    """
    from valuation.pipeline.outputs import report_tables
    from valuation.report.disclosure import released
    from valuation.report.files_figures import FIGURE_FORMATS, save_figures
    from valuation.report.files_tables import TABLE_FORMATS
    from valuation.report.render import context_of, pictures_in, sections_of

    kinds = _formats("tables", tables, TABLE_FORMATS), _formats("figures", figures, FIGURE_FORMATS)
    if not any(kinds):
        raise ConfigError("nothing to export: name at least one format, as --tables csv or --figures svg")
    out = _folder(out)
    found = report_tables(layout, folder, manifest, sessions)
    kept = released(found)
    sections = sections_of(context_of(found, keep_headline=False))
    pictures = pictures_in(sections)
    written = _write_tables(kept, out / "tables", kinds[0]) + _write_grids(sections, out / "tables", kinds[0])
    drawn = save_figures(pictures, out / "figures", kinds[1])
    result = ExportResult(
        str(manifest["run_id"]),
        out,
        str(manifest["headline"]),
        _relative(written, out),
        _relative(drawn, out),
        _empty(kept),
        _withheld(found, kept),
    )
    _describe(result, pictures, out)
    return result


def _formats(what: str, asked: Sequence[str], known: tuple[str, ...]) -> tuple[str, ...]:
    """Check names of formats; the order is the known one, each once."""
    names = [name.strip().lower().removeprefix(".") for name in asked]
    for name in names:
        if name not in known:
            raise ConfigError(f"unknown format {name!r} of {what}; known are {', '.join(known)}")
    return tuple(name for name in known if name in names)


def _folder(out: Path) -> Path:
    """Return the absolute folder, refusing what is not one."""
    for part in (out, *(out / name for name in FOLDERS)):
        if part.exists() and not part.is_dir():
            raise InputError(f"{part}: is a file; expected a folder, or a name for a new one")
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise EnvironmentFault(f"{out}: cannot be made: {error.strerror or error}") from error
    return out.resolve()


def _write_tables(kept: Mapping[str, pd.DataFrame], folder: Path, formats: Sequence[str]) -> list[Path]:
    """Write every table that has rows in every format."""
    from valuation.report.codebook import SHEETS
    from valuation.report.files_tables import save_table

    written = []
    for sheet in SHEETS:
        if not kept[sheet.name].empty:
            for kind in formats:
                written.append(folder / f"{sheet.name}.{kind}")
                save_table(kept[sheet.name], sheet, written[-1])
    return written


def _write_grids(sections: Sequence[Section], folder: Path, formats: Sequence[str]) -> list[Path]:
    """Write the report's own tables in LaTeX, numbered as there; its last section describes the run, not the work."""
    from valuation.report.blocks import Grid
    from valuation.report.files_latex import latex_grid
    from valuation.report.text import slug

    if "tex" not in formats:
        return []
    grids = [block for section in sections[:-1] for block in section.blocks if isinstance(block, Grid)]
    written = []
    for position, grid in enumerate(grids, start=1):
        name = f"report-{position:02d}-{slug(grid.title, 60)}"
        written.append(folder / f"{name}.tex")
        write_text(written[-1], latex_grid(grid, name))
    return written


def _relative(paths: Sequence[Path], out: Path) -> tuple[str, ...]:
    return tuple(path.relative_to(out).as_posix() for path in paths)


def _empty(kept: Mapping[str, pd.DataFrame]) -> tuple[str, ...]:
    from valuation.report.codebook import SHEETS

    return tuple(f"{sheet.name} ({sheet.made_by})" for sheet in SHEETS if kept[sheet.name].empty)


def _withheld(found: RunTables, kept: Mapping[str, pd.DataFrame]) -> int:
    """Count rows left out, and the emptied ones of `series`."""
    gone = sum(len(getattr(found, name)) - len(frame) for name, frame in kept.items())
    return int(gone + kept["series"]["suppressed"].astype(bool).sum())


def _describe(result: ExportResult, pictures: Sequence[Picture], out: Path) -> None:
    """Write the codebook, the README with the figures' sentences, and the list of files; remove what is stale."""
    files = [*result.tables, *result.figures, "codebook.csv", "README.md"]
    for name in _listed(out / MANIFEST):
        if name not in files:
            (out / name).unlink(missing_ok=True)
    write_text(out / "codebook.csv", codebook_csv())
    write_text(out / "README.md", _readme(result, pictures))
    listing = {"run_id": result.run_id, "caveat": CAVEAT, "files": sorted(files)}
    write_text(out / MANIFEST, json.dumps(listing, indent=1) + "\n")


def _listed(path: Path) -> list[str]:
    """Files of an earlier export, those alone that lie where exports put them."""
    try:
        names = json.loads(path.read_text(encoding="utf-8"))["files"]
    except (OSError, ValueError, KeyError, TypeError):
        return []
    plain = [PurePosixPath(name) for name in names if isinstance(name, str)] if isinstance(names, list) else []
    return [path.as_posix() for path in plain if path.parent.as_posix() in FOLDERS and path.name != ".."]


def codebook_csv() -> str:
    """Every variable of every table that may leave, with its unit, the table's title and the caveat."""
    from valuation.report.codebook import SHEETS

    rows = [
        (sheet.name, name, label, sheet.title, sheet.made_by, CAVEAT)
        for sheet in SHEETS
        for name, label in sheet.columns.items()
    ]
    header = ["table", "variable", "label", "title", "made_by", "caveat"]
    return str(pd.DataFrame(rows, columns=header).to_csv(index=False, lineterminator="\n"))


def _readme(result: ExportResult, pictures: Sequence[Picture]) -> str:
    from markupsafe import Markup

    lines = [
        f"# Figures of run {result.run_id}",
        f"{result.headline}.",
        f"**{CAVEAT[0].upper()}{CAVEAT[1:]}.**",
        '`codebook.csv` says what every variable means, with its unit. In Stata, `gen t = monthly(month, "YM")` makes '
        "months a date. CSV puts an apostrophe before a text that a spreadsheet would take for a formula; Parquet "
        "holds texts as they are.",
        f"{result.withheld:,} rows are left out, or left without numbers, under the disclosure minimum. That is "
        "primary suppression: whether a hidden cell can be worked out from others is not checked here.",
    ]  # fmt: skip
    lines += [f"No rows: {name}." for name in result.empty]
    kinds = sorted({Path(name).suffix for name in result.figures})
    if kinds:
        lines.append("## Figures")
        for position, picture in enumerate(pictures, start=1):
            sentence = " ".join(Markup(picture.sentence).striptags().split())
            lines.append(f"`{position:02d}-{picture.slug}` **{picture.title}.** {sentence}")
    return "\n\n".join(lines) + "\n"

"""`Workspace`: everything the command line does, from Python; one method a verb."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from valuation.config import load
from valuation.errors import ConfigError, InputError
from valuation.progress import Silent
from valuation.storage import Layout, held, make_workspace, open_layout

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import pandas as pd

    from valuation.audit.drawn import DrawResult
    from valuation.audit.exported import AuditExport
    from valuation.audit.imported import VerdictImport
    from valuation.audit.result import AuditResult
    from valuation.collection.crawl import CrawlResult
    from valuation.collection.sources import SourceState
    from valuation.config import Settings
    from valuation.evidence.placebo import PlaceboResult
    from valuation.evidence.sensitivity import SensitivityResult
    from valuation.imports import ImportReport
    from valuation.pipeline.encoder_training import TrainedEncoder
    from valuation.pipeline.explain import Explanation
    from valuation.pipeline.exporting import ExportResult
    from valuation.pipeline.price import PriceResult
    from valuation.pipeline.retention import RetentionReport
    from valuation.pipeline.run import RunResult
    from valuation.pipeline.status import Status
    from valuation.pipeline.validate import ValidationResult
    from valuation.progress import Progress
    from valuation.review.serving import Address


class Workspace:
    """A workspace folder and its settings.

    Parameters
    ----------
    root : Path or str
        A folder made by `create`.
    overrides : sequence of str
        ``section.key=value``, as with ``--set``.
    progress : Progress, optional
        Told what long jobs are doing.

    Raises
    ------
    InputError
        Not a workspace.
    ConfigError
        An unknown setting, or one out of range.
    """

    def __init__(self, root: Path | str, *, overrides: Sequence[str] = (), progress: Progress | None = None) -> None:
        self.layout: Layout = open_layout(Path(root))
        self.settings: Settings = load(self.layout.settings, overrides)
        self._progress: Progress = progress or Silent()

    @classmethod
    def create(cls, root: Path | str, *, key_file: Path | None = None) -> Workspace:
        """Make a workspace with a commented ``valuation.toml`` and a hashing key.

        Raises
        ------
        InputError
            The folder is a workspace already, or is not empty, or the key is too short.
        EnvironmentFault
            It cannot be written.
        """
        return cls(make_workspace(Path(root), key_file=key_file).root)

    def crawl(
        self, sources: Sequence[str], *, since: datetime | None = None, until: datetime | None = None
    ) -> CrawlResult:
        """Collect sources into ``postings/``; see ``docs/crawl.md``."""
        from valuation.collection.crawl import crawl

        with self._writing("crawl"):
            return crawl(self.layout, self.settings, sources, since=since, until=until, progress=self._progress)

    def reparse(self, sources: Sequence[str] = ()) -> CrawlResult:
        """Postings again from stored answers, without the network; by default of all sources."""
        from valuation.collection.reparse import reparse

        with self._writing("crawl reparse"):
            return reparse(self.layout, self.settings, sources, progress=self._progress)

    def sources(self) -> list[SourceState]:
        """Every source: on or off and why, terms, how much of it is here."""
        from valuation.collection.sources import source_states

        return source_states(self.layout, self.settings)

    def expire(self) -> RetentionReport:
        """Delete what is past its source's retention limit."""
        from valuation.pipeline.retention import enforce

        with held(self.layout, "crawl expire"):
            return enforce(self.layout, self.settings, now=datetime.now(UTC))

    @contextlib.contextmanager
    def _writing(self, verb: str) -> Iterator[None]:
        """Hold the workspace, and first delete what may no longer be kept."""
        with held(self.layout, verb):
            if any(self.layout.crawl.glob("*/store.db")):
                from valuation.pipeline.retention import enforce

                enforce(self.layout, self.settings, now=datetime.now(UTC))
            yield

    def import_postings(
        self, files: Sequence[str], *, mapping: Path | None = None, dry_run: bool = False
    ) -> ImportReport:
        """Import postings from files or fsspec URLs; see ``docs/import.md``."""
        from valuation.imports import import_postings

        with self._writing("import postings"):
            return import_postings(self.layout, files, settings=self.settings, mapping=mapping, dry_run=dry_run)

    def import_sessions(
        self, paths: Sequence[str], *, mapping: Path | None = None, file_format: str = "auto", dry_run: bool = False
    ) -> ImportReport:
        """Import sessions from tables, or from folders of transcripts."""
        from valuation.imports import import_sessions

        with self._writing("import sessions"):
            return import_sessions(
                self.layout, paths, settings=self.settings, mapping=mapping, file_format=file_format, dry_run=dry_run
            )

    def quarantined(self, kind: str | None = None) -> pd.DataFrame:
        """Rows that could not be used, with the reason; `kind` is postings, sessions, verdicts or None for all."""
        import pandas as pd

        from valuation.audit.set_aside import read_set_aside
        from valuation.imports import quarantined

        if kind == "verdicts":
            return read_set_aside(self.layout)
        found = quarantined(self.layout, kind)
        if kind is not None:
            return found
        verdicts = read_set_aside(self.layout)
        return pd.concat([found, verdicts], ignore_index=True) if len(verdicts) else found

    def retry(self, kind: str, *, mapping: Path) -> ImportReport:
        """Read the quarantined rows of a kind again with a corrected mapping."""
        from valuation.imports import retry

        with self._writing(f"quarantine retry {kind}"):
            return retry(self.layout, kind, settings=self.settings, mapping=mapping)

    def status(self) -> Status:
        """Counts by source and month, faults, the last run."""
        from valuation.pipeline.status import status

        return status(self.layout)

    def run(self, *, engine: str = "local") -> RunResult:
        """Embed, index, match, value, track, report; only what changed is done again."""
        from valuation.pipeline.run import run

        if engine != "local":
            raise ConfigError(f"engine {engine!r} is not available; expected local")
        with self._writing("run"):
            return run(self.layout, self.settings, self._progress)

    def price(
        self,
        file: str,
        out: str,
        *,
        register: str = "session",
        source: str | None = None,
        id_column: str = "id",
        text_column: str = "text",
    ) -> PriceResult:
        """Price the texts of a table; one row out for each row in, in input order."""
        from valuation.pipeline.price import price_file

        with self._writing("price"):
            return price_file(
                self.layout,
                self.settings,
                file,
                out,
                register=register,
                source=source,
                id_column=id_column,
                text_column=text_column,
                progress=self._progress,
            )

    def explain(self, session_id: str, *, run_id: str | None = None) -> Explanation:
        """One session's neighbours, weights and prices, and what its value and both bands are made of."""
        from valuation.pipeline.explain import explain

        folder = self.run_folder(run_id)
        return explain(self.layout, folder, self._manifest(folder), session_id)

    def validate(self, *, holdout: str | None = None, mapping: Path | None = None) -> ValidationResult:
        """The pricer card, on the basket's own folds or on postings kept apart."""
        from valuation.pipeline.validate import validate

        with self._writing("validate"):
            return validate(self.layout, self.settings, holdout=holdout, mapping=mapping, progress=self._progress)

    def placebo(self) -> PlaceboResult:
        """Placebos of the run with these settings, which is made if it is not there."""
        from valuation.evidence.placebo import placebo

        with self._writing("placebo"):
            return placebo(self.layout, self.settings, self._progress)

    def sensitivity(self) -> SensitivityResult:
        """Growth under every specification of ``[sensitivity]``."""
        from valuation.evidence.sensitivity import sensitivity

        with self._writing("sensitivity"):
            return sensitivity(self.layout, self.settings, self._progress)

    def train_encoder(self, name: str) -> TrainedEncoder:
        """Fit a price-aware encoder on part of the postings, which then leaves the basket."""
        from valuation.pipeline.encoder_training import train_encoder

        with self._writing("train-encoder"):
            return train_encoder(self.layout, self.settings, name, self._progress)

    def export(
        self,
        out: Path,
        *,
        run_id: str | None = None,
        tables: Sequence[str] = ("csv", "parquet", "dta", "tex"),
        figures: Sequence[str] = ("svg", "pdf", "png"),
    ) -> ExportResult:
        """Write a run's tables and figures in the formats asked for; see ``docs/commands/export.md``."""
        from valuation.pipeline.exporting import export_run
        from valuation.storage import read_sessions

        folder = self.run_folder(run_id)
        with self._writing("export"):
            manifest, sessions = self._manifest(folder), read_sessions(self.layout)
            return export_run(self.layout, folder, manifest, sessions, out, tables=tables, figures=figures)

    def audit_draw(
        self,
        run_id: str | None = None,
        *,
        months: Sequence[str] = (),
        per_month: int | None = None,
        name: str | None = None,
        double_share: float | None = None,
        dry_run: bool = False,
    ) -> DrawResult:
        """Draw a random sample of a run's sessions that analysts judge; says what it will buy."""
        from valuation.audit.draw import draw

        folder = self.run_folder(run_id)
        with held(self.layout, "audit draw"):
            return draw(
                self.layout,
                self.settings,
                folder,
                months=months,
                per_month=per_month,
                name=name,
                double_share=double_share,
                dry_run=dry_run,
            )

    def audit_export(
        self,
        audit_id: str | None,
        out: Path,
        *,
        formats: Sequence[str] = ("csv", "parquet", "html"),
        analyst: str | None = None,
    ) -> AuditExport:
        """Write an audit's verdicts for other programs, and a page on which to judge it offline."""
        from valuation.audit.export import export_audit
        from valuation.review.offline import offline_page

        with self._writing("audit export"):
            return export_audit(
                self.layout, self.settings, audit_id, out, formats=formats, analyst=analyst, page=offline_page
            )

    def audit_import(
        self,
        audit_id: str | None,
        files: Sequence[str],
        *,
        analyst: str | None = None,
        decided_at: str | None = None,
        adjudicated: bool = False,
    ) -> VerdictImport:
        """Bring verdicts from files into the log; done twice, nothing is added."""
        from valuation.audit.importing import import_verdicts

        with held(self.layout, "audit import"):
            return import_verdicts(
                self.layout,
                self.settings,
                audit_id,
                files,
                analyst=analyst,
                decided_at=decided_at,
                adjudicated=adjudicated,
            )

    def audit_estimate(
        self, audit_id: str | None = None, *, settled_first: bool = True, blind_only: bool = False
    ) -> AuditResult:
        """What the verdicts that stand say of the run, beside what the run says."""
        from valuation.audit.estimate import estimate_audit_of

        with held(self.layout, "audit estimate"):
            return estimate_audit_of(
                self.layout, self.settings, audit_id, settled_first=settled_first, blind_only=blind_only
            )

    def review(self, *, announce: Callable[[Address], None]) -> None:
        """Serve the analysts' pages until the process is interrupted; `announce` is told where they are."""
        from valuation.review.serving import review

        review(self.layout, self.settings, announce=announce)

    def report(self, run_id: str | None = None) -> Path:
        """Render a run's report again from its tables; returns its path."""
        from valuation.pipeline.outputs import write_report
        from valuation.storage import read_sessions

        folder = self.run_folder(run_id)
        with self._writing("report"):
            write_report(self.layout, folder, self._manifest(folder), read_sessions(self.layout))
        return folder / "report.html"

    def run_folder(self, run_id: str | None = None) -> Path:
        """Folder of a finished run, by default the newest.

        Raises
        ------
        InputError
            There is no such run.
        """
        from valuation.pipeline.finished import RUN_ID, latest_run

        chosen = latest_run(self.layout) if run_id is None else run_id
        if chosen is None:
            raise InputError("no run yet; make one with: valuation run")
        folder = self.layout.runs / chosen
        if not RUN_ID.fullmatch(chosen) or not (folder / "manifest.json").is_file():
            known = sorted(path.parent.name for path in self.layout.runs.glob("*/manifest.json"))
            raise InputError(f"no run {chosen!r}; runs are {', '.join(known) or 'none yet'}")
        return folder

    @staticmethod
    def _manifest(folder: Path) -> dict[str, Any]:
        from valuation.pipeline.finished import read_manifest

        return read_manifest(folder)

"""A workspace to import into, and short ways to write files and mappings."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest

from valuation.config import load
from valuation.imports import ImportReport, import_postings, import_sessions, retry
from valuation.imports.ledger import read_ledger
from valuation.storage import Layout, read_postings, read_sessions, write_key

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
KEY = b"0123456789abcdef0123456789abcdef"


@dataclass(frozen=True)
class Room:
    """A workspace in a temporary folder."""

    layout: Layout
    folder: Path

    def file(self, name: str, content: str | bytes) -> str:
        path = self.folder / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return str(path)

    def mapping(self, text: str, name: str = "map.toml") -> Path:
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        return path

    def settings(self, *overrides: str):
        return load(self.layout.settings, overrides)

    def postings(self, *files: str, mapping: Path | None = None, dry_run=False, now=NOW, overrides=()) -> ImportReport:
        return import_postings(
            self.layout, files, settings=self.settings(*overrides), mapping=mapping, dry_run=dry_run, now=now
        )

    def sessions(self, *files: str, mapping: Path | None = None, file_format="auto", dry_run=False) -> ImportReport:
        return import_sessions(
            self.layout, files, settings=self.settings(), mapping=mapping, file_format=file_format, dry_run=dry_run,
            now=NOW,
        )  # fmt: skip

    def retry(self, kind: str, mapping: Path, overrides=()) -> ImportReport:
        return retry(self.layout, kind, settings=self.settings(*overrides), mapping=mapping, now=NOW)

    def table(self) -> pd.DataFrame:
        return read_postings(self.layout)

    def session_table(self) -> pd.DataFrame:
        return read_sessions(self.layout)

    def ledger(self) -> pd.DataFrame:
        return read_ledger(self.layout)

    def snapshot(self) -> dict[str, bytes]:
        """Every file of the workspace's data, byte for byte."""
        root = self.layout.root
        return {str(p.relative_to(root)): p.read_bytes() for p in sorted(root.rglob("*.parquet"))}


def make_room(folder: Path) -> Room:
    root = folder / "workspace"
    root.mkdir()
    layout = Layout(root)
    layout.settings.write_text("", encoding="utf-8")
    write_key(layout, KEY)
    files = folder / "files"
    files.mkdir()
    return Room(layout, files)


@pytest.fixture
def room(tmp_path) -> Room:
    return make_room(tmp_path)
